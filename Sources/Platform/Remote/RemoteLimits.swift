import Synchronization

/// What one request may cost at most.
package struct RemoteLimits: Hashable, Sendable {
  /// Until connected and signed in.
  package var connect: Duration
  /// Without a byte coming or going.
  package var stall: Duration
  /// Of an answer that is kept in memory.
  package var answer: Int
  /// Of a file that is spooled.
  package var file: Int

  package init(
    connect: Duration = .seconds(15), stall: Duration = .seconds(30), answer: Int = 32 << 20, file: Int = 8 << 30
  ) {
    self.connect = connect
    self.stall = stall
    self.answer = answer
    self.file = file
  }
}

/// Ends requests under way within about a second: from any thread, or when their time is up.
package final class RemoteCancellation: Sendable {
  private let flag = Atomic<Bool>(false)
  private let end: ContinuousClock.Instant?

  package init(after limit: Duration? = nil) { end = limit.map { ContinuousClock.now + $0 } }

  package func cancel() { flag.store(true, ordering: .relaxed) }

  package var isCancelled: Bool {
    flag.load(ordering: .relaxed) || end.map { ContinuousClock.now > $0 } == true
  }
}
