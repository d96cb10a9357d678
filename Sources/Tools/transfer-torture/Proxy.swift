import Connecting
import Foundation
import Synchronization

/// A socket that passes bytes on to a database's, until it is cut: by order, or after so many bytes.
final class Proxy: Sendable {
  private struct State {
    var sockets: Set<Int32> = []
    var left: Int
    var isCut = false
    /// Threads that still use a socket.
    var threads = 0
  }

  private let state: Monitor<State>
  private let path: String

  init(listening path: String, to server: String, bytes: Int = .max) throws {
    unlink(path)
    let listener = try Self.socket()
    guard Self.address(path, { bind(listener, $0, $1) }) == 0, listen(listener, 64) == 0 else {
      close(listener)
      throw Failure("nobody can listen at \(path): \(errno)")
    }
    chmod(path, 0o777)
    self.path = path
    state = Monitor(State(sockets: [listener], left: bytes, threads: 1))
    let state = state
    BlockingThread.start {
      while true {
        let client = accept(listener, nil, nil)
        guard client >= 0 else { break }
        _ = fcntl(client, F_SETFD, FD_CLOEXEC)
        guard let upstream = try? Self.socket(), Self.address(server, { connect(upstream, $0, $1) }) == 0 else {
          close(client)
          continue
        }
        Self.join(client, upstream, state)
      }
      Self.leave(listener, state)
    }
  }

  /// Ends every connection at once and takes no more.
  func cut() { Self.cut(state) }

  /// Cut, and nothing of it left.
  func remove() {
    cut()
    state.wait { $0.threads == 0 ? () : nil }
    unlink(path)
  }

  private static func cut(_ state: Monitor<State>) {
    state.change { state in
      state.isCut = true
      for socket in state.sockets { shutdown(socket, Int32(SHUT_RDWR)) }
    }
  }

  /// Two threads, one a direction; the last of them closes both.
  private static func join(_ a: Int32, _ b: Int32, _ state: Monitor<State>) {
    let pair = Monitor(2)
    state.change { state in
      state.sockets.formUnion([a, b])
      state.threads += 2
      if state.isCut { for socket in [a, b] { shutdown(socket, Int32(SHUT_RDWR)) } }
    }
    for (from, to) in [(a, b), (b, a)] {
      BlockingThread.start {
        pass(from, to, state)
        for socket in [a, b] { shutdown(socket, Int32(SHUT_RDWR)) }
        let isLast = pair.change { left in
          left -= 1
          return left == 0
        }
        if isLast { for socket in [a, b] { forget(socket, state) } }
        state.change { $0.threads -= 1 }
      }
    }
  }

  private static func pass(_ from: Int32, _ to: Int32, _ state: Monitor<State>) {
    var buffer = [UInt8](repeating: 0, count: 16 << 10)
    while true {
      let count = read(from, &buffer, buffer.count)
      guard count > 0 else { return }
      // What is left of the last piece still goes, so that a message is torn and not merely missing.
      let allowed = state.change { state in
        let allowed = min(count, state.left)
        state.left -= allowed
        return allowed
      }
      var sent = 0
      while sent < allowed {
        let part = buffer.withUnsafeBytes { send(to, $0.baseAddress! + sent, allowed - sent, Int32(MSG_NOSIGNAL)) }
        guard part > 0 else { return }
        sent += part
      }
      guard allowed == count else { return cut(state) }
    }
  }

  private static func leave(_ listener: Int32, _ state: Monitor<State>) {
    forget(listener, state)
    state.change { $0.threads -= 1 }
  }

  private static func forget(_ socket: Int32, _ state: Monitor<State>) {
    _ = state.change { $0.sockets.remove(socket) }
    close(socket)
  }

  private static func socket() throws -> Int32 {
    let found = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard found >= 0 else { throw Failure("no socket: \(errno)") }
    return found
  }

  private static func address(_ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { room in
      for (index, byte) in path.utf8.prefix(room.count - 1).enumerated() { room[index] = byte }
    }
    return withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
    }
  }
}
