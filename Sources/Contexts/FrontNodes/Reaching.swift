internal import Connecting
internal import Kernel

#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// Whether something listens where a node made by hand is said to be: a connection is opened and closed, nothing is sent.
package enum Reaching {
  /// `place` is `host:port`. Blocks for five seconds at most, beside what finding the host's address takes.
  package static func tcp(_ place: String, within milliseconds: Int32 = 5_000) throws {
    let parts = place.split(separator: ":").map(String.init)
    guard parts.count == 2 else { throw unreachable(place) }
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var found: UnsafeMutablePointer<addrinfo>?
    guard getaddrinfo(parts[0], parts[1], &hints, &found) == 0, let first = found else {
      throw ConnectorError(
        .retryable, "reach.name", Text("找不到主机 \(parts[0])。", "There is no host \(parts[0])."))
    }
    defer { freeaddrinfo(found) }
    var next: UnsafeMutablePointer<addrinfo>? = first
    while let address = next {
      if connects(address.pointee, within: milliseconds) { return }
      next = address.pointee.ai_next
    }
    throw unreachable(place)
  }

  private static func connects(_ address: addrinfo, within milliseconds: Int32) -> Bool {
    let socket = socket(address.ai_family, address.ai_socktype | Int32(SOCK_NONBLOCK.rawValue), address.ai_protocol)
    guard socket >= 0 else { return false }
    defer { close(socket) }
    if connect(socket, address.ai_addr, address.ai_addrlen) == 0 { return true }
    guard errno == EINPROGRESS else { return false }
    var waiting = pollfd(fd: socket, events: Int16(POLLOUT), revents: 0)
    guard poll(&waiting, 1, milliseconds) == 1 else { return false }
    var (failure, size): (Int32, socklen_t) = (0, socklen_t(MemoryLayout<Int32>.size))
    return getsockopt(socket, SOL_SOCKET, SO_ERROR, &failure, &size) == 0 && failure == 0
  }

  private static func unreachable(_ place: String) -> ConnectorError {
    ConnectorError(
      .retryable, "reach.connect", Text("\(place) 没有应答。", "Nothing answers at \(place)."))
  }
}
