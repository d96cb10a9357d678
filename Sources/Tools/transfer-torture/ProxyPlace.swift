import Foundation

extension Proxy.Place {
  func socket() throws -> Int32 {
    let family = if case .path = self { AF_UNIX } else { AF_INET }
    let found = Glibc.socket(family, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard found >= 0 else { throw Failure("no socket: \(errno)") }
    if family == AF_INET {
      var isSet: Int32 = 1
      setsockopt(found, Int32(IPPROTO_TCP), TCP_NODELAY, &isSet, 4)
    }
    return found
  }

  func address(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
    switch self {
    case .path(let path):
      var address = sockaddr_un()
      address.sun_family = sa_family_t(AF_UNIX)
      withUnsafeMutableBytes(of: &address.sun_path) { room in
        for (index, byte) in path.utf8.prefix(room.count - 1).enumerated() { room[index] = byte }
      }
      return Self.pass(&address, body)
    case .port(let port):
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_port = UInt16(port).bigEndian
      address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
      return Self.pass(&address, body)
    }
  }

  private static func pass<T>(_ address: inout T, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
    withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<T>.size)) }
    }
  }

  /// Where a socket of the loopback is.
  static func port(of socket: Int32) -> Int {
    var (address, length) = (sockaddr_in(), socklen_t(MemoryLayout<sockaddr_in>.size))
    _ = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(socket, $0, &length) }
    }
    return Int(UInt16(bigEndian: address.sin_port))
  }
}
