import Foundation
import Synchronization

/// A server on this machine's loopback that answers each path the way a test tells it to, rightly or wrongly. It can be
/// stopped and started again on the same port.
package final class TalkingServer: Sendable {
  package enum Reply: Sendable {
    case answer(Int, type: String, body: String)
    /// These bytes and then the end of the connection, whatever they are.
    case bytes(String)
    /// These bytes, and the rest again and again until the other side leaves.
    case endless(String, then: String)
    /// These bytes, and then one every now and then.
    case drip(String)
    /// Nothing, for as long as the other side waits.
    case silence

    package static func json(_ body: String) -> Reply { .answer(200, type: "application/json", body: body) }
  }

  package let port: Int
  private let replies = Mutex<[String: Reply]>([:])
  private let listener = Mutex<Int32?>(nil)
  private let heard = Mutex<[String]>([])
  private let sent = Atomic<Int>(0)

  /// Begins to listen on a free port.
  package init() throws {
    var (address, length) = (Self.loopback(port: 0), socklen_t(MemoryLayout<sockaddr_in>.size))
    let socket = try Self.listen(at: 0)
    _ = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(socket, $0, &length) }
    }
    port = Int(UInt16(bigEndian: address.sin_port))
    serve(socket)
  }

  package subscript(_ path: String) -> Reply? {
    get { replies.withLock { $0[path] } }
    set { replies.withLock { $0[path] = newValue } }
  }

  package var base: String { "http://127.0.0.1:\(port)" }
  /// Every request so far, line by line as it came.
  package var requests: [String] { heard.withLock { $0 } }
  /// How many bytes were given to the network by endless replies.
  package var sentEndlessly: Int { sent.load(ordering: .relaxed) }

  package func start() throws { serve(try Self.listen(at: port)) }

  package func stop() {
    guard
      let socket = listener.withLock({ socket in
        defer { socket = nil }
        return socket
      })
    else { return }
    shutdown(socket, Int32(SHUT_RDWR))
    close(socket)
  }

  deinit { stop() }

  private func serve(_ socket: Int32) {
    listener.withLock { $0 = socket }
    Thread.detachNewThread { [weak self] in
      while true {
        let one = accept(socket, nil, nil)
        guard one >= 0 else { return }
        Thread.detachNewThread {
          self?.talk(one)
          close(one)
        }
      }
    }
  }

  private func talk(_ socket: Int32) {
    var (head, byte) = ([UInt8](), UInt8(0))
    while !head.suffix(4).elementsEqual("\r\n\r\n".utf8), head.count < 65_536 {
      guard recv(socket, &byte, 1, 0) == 1 else { return }
      head.append(byte)
    }
    let request = String(decoding: head, as: UTF8.self)
    heard.withLock { $0.append(request) }
    let path = String(request.split(separator: " ").dropFirst().first ?? "")
    switch self[path] ?? .answer(404, type: "text/plain", body: "") {
    case .answer(let status, let type, let body):
      let size = body.utf8.count
      _ = send("HTTP/1.1 \(status) S\r\nContent-Type: \(type)\r\nContent-Length: \(size)\r\n\r\n\(body)", to: socket)
    case .bytes(let text): _ = send(text, to: socket)
    case .endless(let first, let rest):
      guard send(first, to: socket) else { return }
      while send(rest, to: socket) { sent.add(rest.utf8.count, ordering: .relaxed) }
    case .drip(let first):
      guard send(first, to: socket) else { return }
      while send(".", to: socket) { usleep(50_000) }
    case .silence: _ = recv(socket, &byte, 1, 0)
    }
  }

  private func send(_ text: String, to socket: Int32) -> Bool {
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
      let count = bytes.withUnsafeBytes { Foundation.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
      guard count > 0 else { return false }
      bytes = bytes.dropFirst(count)
    }
    return true
  }

  private static func loopback(port: Int) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    return address
  }

  private static func listen(at port: Int) throws -> Int32 {
    let socket = Foundation.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var (yes, address) = (Int32(1), loopback(port: port))
    setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
    let isBound = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
    guard isBound, Foundation.listen(socket, 64) == 0 else {
      close(socket)
      throw Failure(description: "port \(port) could not be listened at: \(String(cString: strerror(errno)))")
    }
    return socket
  }

  package struct Failure: Error, CustomStringConvertible {
    package var description: String
  }
}
