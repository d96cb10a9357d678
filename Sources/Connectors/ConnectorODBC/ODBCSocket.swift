#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The socket behind a connection, found from outside: no driver tells it, and cutting it is the only thing that ends a
/// call to a server that answers no more.
struct ODBCSocket: Sendable {
  let descriptor: Int32
  /// Descriptors are used again; this is not.
  private let inode: UInt64

  private static func inode(of descriptor: Int32) -> UInt64? {
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK else { return nil }
    return UInt64(status.st_ino)
  }

  /// Every socket of this process, by inode.
  static func all() -> [UInt64: Int32] {
    guard let folder = opendir("/proc/self/fd") else { return [:] }
    defer { closedir(folder) }
    var found: [UInt64: Int32] = [:]
    while let entry = readdir(folder) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if let descriptor = Int32(name), let inode = inode(of: descriptor) { found[inode] = descriptor }
    }
    return found
  }

  /// The one that was not there before and whose other end has this port; nil where several may be it (another connector
  /// may have connected meanwhile) and `ownPort` does not tell.
  static func find(since before: [UInt64: Int32], port: Int, ownPort: () -> Int?) -> ODBCSocket? {
    let new = all().filter { before[$0.key] == nil && Self.port(of: $0.value, getpeername) == port }
    if new.count == 1, let only = new.first { return ODBCSocket(descriptor: only.value, inode: only.key) }
    guard new.count > 1, let own = ownPort() else { return nil }
    let matching = new.filter { Self.port(of: $0.value, getsockname) == own }
    return matching.count == 1 ? matching.first.map { ODBCSocket(descriptor: $0.value, inode: $0.key) } : nil
  }

  private static func port(
    of descriptor: Int32, _ ask: (Int32, UnsafeMutablePointer<sockaddr>?, UnsafeMutablePointer<socklen_t>?) -> Int32
  ) -> Int? {
    var address = sockaddr_in6()
    var length = socklen_t(MemoryLayout<sockaddr_in6>.size)
    let answered = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { ask(descriptor, $0, &length) }
    }
    let family = Int32(address.sin6_family)
    guard answered == 0, family == AF_INET || family == AF_INET6 else { return nil }
    // The port stands at the same place in both.
    return Int(UInt16(bigEndian: address.sin6_port))
  }

  /// A peer that is gone is noticed within a minute or two, however long a statement may take.
  func keepAlive() {
    #if canImport(Glibc)
      var on: Int32 = 1
      setsockopt(descriptor, SOL_SOCKET, SO_KEEPALIVE, &on, socklen_t(MemoryLayout<Int32>.size))
      for (option, value) in [(TCP_KEEPIDLE, Int32(30)), (TCP_KEEPINTVL, 10), (TCP_USER_TIMEOUT, 60_000)] {
        var value = value
        setsockopt(descriptor, Int32(IPPROTO_TCP), option, &value, socklen_t(MemoryLayout<Int32>.size))
      }
    #endif
  }

  /// Does nothing where the driver closed it already and its number is another's now.
  func cut() {
    guard Self.inode(of: descriptor) == inode else { return }
    shutdown(descriptor, Int32(SHUT_RDWR))
  }
}
