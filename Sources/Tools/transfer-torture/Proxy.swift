import Connecting
import Foundation
import Synchronization

/// A socket that passes bytes on to a server's, until it is cut: by order, or after so many bytes. Of HTTP it can say
/// itself that the server is in trouble.
final class Proxy: Sendable {
  enum Place {
    /// Of a socket in the file system.
    case path(String)
    /// Of this machine's loopback; 0 is any that is free.
    case port(Int)
  }

  enum Direction { case there, back }

  /// Ends a connection in the middle of what goes by.
  struct Tear {
    /// Whose bytes count; nil for both.
    var direction: Direction?
    var bytes: Int

    init(_ direction: Direction?, _ bytes: Int) { (self.direction, self.bytes) = (direction, bytes) }
  }

  private struct State {
    var listener: Int32
    var sockets: Set<Int32> = []
    /// The first is the next.
    var tears: [Tear]
    /// Connections are taken again behind the last tear.
    let comesBack: Bool
    var isCut = false
    /// With which status everybody is answered here.
    var refusal: Int?
    var refused = 0
    var torn = (there: 0, back: 0)
    /// Threads that still use a socket.
    var threads = 1

    /// How many of these bytes may go by, and whether nothing more may.
    mutating func take(_ count: Int, _ direction: Direction) -> (allowed: Int, isOver: Bool) {
      guard let tear = tears.first, tear.direction ?? direction == direction else { return (count, false) }
      guard count > tear.bytes else {
        tears[0].bytes -= count
        return (count, false)
      }
      tears.removeFirst()
      if direction == .there { torn.there += 1 } else { torn.back += 1 }
      return (tear.bytes, tears.isEmpty && !comesBack)
    }
  }

  private let state: Monitor<State>
  private let path: String?
  /// Where it listens; 0 for a path.
  let port: Int

  init(_ place: Place, to server: Place, tears: [Tear] = [], comesBack: Bool = false) throws {
    if case .path(let path) = place { unlink(path) }
    let listener = try place.socket()
    guard place.address({ bind(listener, $0, $1) }) == 0, listen(listener, 64) == 0 else {
      close(listener)
      throw Failure("nobody can listen at \(place): \(errno)")
    }
    if case .path(let path) = place {
      chmod(path, 0o777)
      (self.path, port) = (path, 0)
    } else {
      (path, port) = (nil, Place.port(of: listener))
    }
    state = Monitor(State(listener: listener, tears: tears, comesBack: comesBack))
    let state = state
    BlockingThread.start {
      while true {
        let client = accept(listener, nil, nil)
        guard client >= 0 else { break }
        _ = fcntl(client, F_SETFD, FD_CLOEXEC)
        if let status = state.change({ $0.refusal }) {
          Self.answer(client, status, state)
          continue
        }
        guard let upstream = try? server.socket() else {
          close(client)
          continue
        }
        guard server.address({ connect(upstream, $0, $1) }) == 0 else {
          close(client)
          close(upstream)
          continue
        }
        Self.join(client, upstream, state)
      }
      close(listener)
      state.change { $0.threads -= 1 }
    }
  }

  /// Ends every connection at once and takes no more.
  func cut() { Self.cut(state) }

  /// Ends every connection at once; until it is told nil, whoever comes is answered with this status.
  func refuse(with status: Int?) {
    state.change { state in
      state.refusal = status
      guard status != nil else { return }
      for socket in state.sockets { shutdown(socket, Int32(SHUT_RDWR)) }
    }
  }

  /// How many connections ended in the middle of bytes of either direction, and how many requests were refused.
  var torn: (there: Int, back: Int) { state.change { $0.torn } }
  var refused: Int { state.change { $0.refused } }

  /// Cut, and nothing of it left.
  func remove() {
    cut()
    state.wait { $0.threads == 0 ? () : nil }
    if let path { unlink(path) }
  }

  private static func cut(_ state: Monitor<State>) {
    state.change { state in
      guard !state.isCut else { return }
      state.isCut = true
      for socket in state.sockets.union([state.listener]) { shutdown(socket, Int32(SHUT_RDWR)) }
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
    for (from, to, direction) in [(a, b, Direction.there), (b, a, .back)] {
      BlockingThread.start {
        pass(from, to, direction, state)
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

  private static func pass(_ from: Int32, _ to: Int32, _ direction: Direction, _ state: Monitor<State>) {
    var buffer = [UInt8](repeating: 0, count: 16 << 10)
    while true {
      let count = read(from, &buffer, buffer.count)
      guard count > 0 else { return }
      // What is left of the last piece still goes, so that a message is torn and not merely missing.
      let (allowed, isOver) = state.change { $0.take(count, direction) }
      var sent = 0
      while sent < allowed {
        let part = buffer.withUnsafeBytes { send(to, $0.baseAddress! + sent, allowed - sent, Int32(MSG_NOSIGNAL)) }
        guard part > 0 else { return }
        sent += part
      }
      if isOver { cut(state) }
      guard allowed == count else { return }
    }
  }

  /// Reads one request to its end, so that whoever sends it hears the answer.
  private static func answer(_ client: Int32, _ status: Int, _ state: Monitor<State>) {
    state.change { state in
      state.sockets.insert(client)
      state.threads += 1
      if state.isCut { shutdown(client, Int32(SHUT_RDWR)) }
    }
    BlockingThread.start {
      var request = HTTPRequestLength()
      var buffer = [UInt8](repeating: 0, count: 16 << 10)
      while !request.isWhole {
        let count = read(client, &buffer, buffer.count)
        guard count > 0 else { break }
        request.add(buffer[..<count])
      }
      let answer = Array("HTTP/1.1 \(status) Trouble\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".utf8)
      let isSaid = request.isWhole && send(client, answer, answer.count, Int32(MSG_NOSIGNAL)) == answer.count
      shutdown(client, Int32(SHUT_RDWR))
      forget(client, state)
      state.change { state in
        if isSaid { state.refused += 1 }
        state.threads -= 1
      }
    }
  }

  private static func forget(_ socket: Int32, _ state: Monitor<State>) {
    _ = state.change { $0.sockets.remove(socket) }
    close(socket)
  }
}
