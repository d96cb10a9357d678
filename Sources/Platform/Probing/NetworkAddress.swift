package import Kernel

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// An IPv4 or IPv6 address, and whether it leads somewhere that no service of a department is.
package struct NetworkAddress: Hashable, Sendable {
  /// Four or sixteen bytes.
  package var bytes: [UInt8]

  /// `10.1.2.3` or `fd00::1`, complete and decimal as `inet_pton` reads it; nil for anything else.
  package init?(literal text: String) {
    var (four, six) = (in_addr(), in6_addr())
    if inet_pton(AF_INET, text, &four) == 1 {
      bytes = withUnsafeBytes(of: &four) { Array($0) }
    } else if inet_pton(AF_INET6, text, &six) == 1 {
      bytes = withUnsafeBytes(of: &six) { Array($0) }
    } else {
      return nil
    }
  }

  init?(_ address: UnsafePointer<sockaddr>) {
    switch Int32(address.pointee.sa_family) {
    case AF_INET:
      bytes = address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
        withUnsafeBytes(of: $0.pointee.sin_addr) { Array($0) }
      }
    case AF_INET6:
      bytes = address.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) {
        withUnsafeBytes(of: $0.pointee.sin6_addr) { Array($0) }
      }
    default: return nil
    }
  }

  /// As it is written.
  package var text: String {
    var text = [CChar](repeating: 0, count: 64)
    _ = bytes.withUnsafeBytes {
      inet_ntop(bytes.count == 4 ? AF_INET : AF_INET6, $0.baseAddress, &text, socklen_t(text.count))
    }
    return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// What the address is for, where that is anything but a host of the network: such an address is asked only where it
  /// was itself declared. An IPv4 address inside an IPv6 one counts as what it is.
  package var purpose: Text? {
    if Self.metadata.contains(self) { return Text("云平台元数据服务", "a cloud's metadata service") }
    if let inner = embedded { return inner.purpose }
    return bytes.count == 4 ? purposeOfFour : purposeOfSix
  }

  private var purposeOfFour: Text? {
    switch (bytes[0], bytes[1]) {
    case (127, _): Self.loopback
    case (0, _): Self.unspecified
    case (169, 254): Self.linkLocal
    case (224..., _): Self.many
    default: nil
    }
  }

  private var purposeOfSix: Text? {
    if bytes.dropLast().allSatisfy({ $0 == 0 }), bytes[15] <= 1 {
      return bytes[15] == 1 ? Self.loopback : Self.unspecified
    }
    if bytes[0] == 0xFE, bytes[1] & 0xC0 == 0x80 { return Self.linkLocal }
    return bytes[0] == 0xFF ? Self.many : nil
  }

  /// The IPv4 address that a mapped, compatible, translated (RFC 6052) or 6to4 address leads to.
  private var embedded: NetworkAddress? {
    guard bytes.count == 16 else { return nil }
    if bytes[0] == 0x20, bytes[1] == 0x02 { return NetworkAddress(four: bytes[2..<6]) }
    let prefix = Array(bytes[..<12])
    let zeros = [UInt8](repeating: 0, count: 10)
    let isCompatible = prefix == zeros + [0, 0] && bytes[12] != 0
    guard isCompatible || prefix == zeros + [0xFF, 0xFF] || prefix == [0, 0x64, 0xFF, 0x9B] + zeros[..<8] else {
      return nil
    }
    return NetworkAddress(four: bytes[12...])
  }

  private init(four: ArraySlice<UInt8>) { bytes = Array(four) }

  /// Where clouds answer a machine's questions about itself, credentials among them, beside the link-local ones.
  private static let metadata = Set(
    ["169.254.169.254", "100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254"].compactMap {
      NetworkAddress(literal: $0)
    })

  private static let loopback = Text("本机回环地址", "this machine's loopback")
  private static let linkLocal = Text("链路本地地址", "a link-local address")
  private static let unspecified = Text("未指定地址", "no address of a host")
  private static let many = Text("组播、广播或保留地址", "a multicast, broadcast or reserved address")
}

extension NetworkAddress {
  /// What a name resolves to now, in the resolver's order; empty when it is unknown. Blocks.
  static func resolve(_ name: String) -> [NetworkAddress] {
    var hints = addrinfo()
    #if canImport(Glibc)
      hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    #else
      hints.ai_socktype = SOCK_STREAM
    #endif
    var list: UnsafeMutablePointer<addrinfo>?
    guard getaddrinfo(name, nil, &hints, &list) == 0 else { return [] }
    defer { freeaddrinfo(list) }
    var found: [NetworkAddress] = []
    var next = list
    while let entry = next {
      if let address = entry.pointee.ai_addr.flatMap({ NetworkAddress($0) }), !found.contains(address) {
        found.append(address)
      }
      next = entry.pointee.ai_next
    }
    return found
  }
}
