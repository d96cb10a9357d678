#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Ends, from another thread, a call of a database's client that blocks: the watchdog's and the cancelling person's hand.
///
/// The connection is cut and not asked: a server that answers no more would not hear. The call fails as a broken
/// connection does, what was not committed is gone, and the connection is of no more use.
package final class Interruption: Sendable {
  private let end: Monitor<(@Sendable () -> Void)?>

  /// `end` is called at most once, and never after `forget`.
  package init(_ end: @escaping @Sendable () -> Void) { self.end = Monitor(end) }

  /// Cuts a socket.
  package convenience init(socket: Int32) {
    self.init { shutdown(socket, Int32(SHUT_RDWR)) }
  }

  package func interrupt() {
    end.change { end in
      end?()
      end = nil
    }
  }

  /// Before what would be ended is closed: its descriptor may soon be another's.
  package func forget() { end.change { $0 = nil } }
}
