import Kernel
import Testing

@testable import Probing

@Suite struct ServiceAddressTests {
  @Test(arguments: [
    ("http://api.qh.gov.cn", "http://api.qh.gov.cn/"),
    ("HTTP://API.qh.gov.cn:80/v1/x?y=1", "http://api.qh.gov.cn/v1/x?y=1"),
    ("https://api.qh.gov.cn:8443?y=%E4%B8%AD", "https://api.qh.gov.cn:8443/?y=%E4%B8%AD"),
    ("http://10.1.2.3:8080/", "http://10.1.2.3:8080/"), ("https://[FD00::1]:9443/a", "https://[fd00::1]:9443/a"),
  ])
  func `what is right is written in one way`(given: String, text: String) throws {
    #expect(try ServiceAddress(given).text == text)
  }

  @Test(arguments: [
    "", "api.qh.gov.cn", "ftp://api.qh.gov.cn/", "file:///etc/passwd", "unix:///run/x", "http+unix://x/", "gopher://a/",
    "http://", "http:///x", "http://user@api.qh.gov.cn/", "http://user:word@api.qh.gov.cn/", "http://a@b@c/",
    "http://api.qh.gov.cn\\@evil.example/", "http://api.qh.gov.cn#@evil.example/", "http://api.qh.gov.cn:0/",
    "http://api.qh.gov.cn:65536/", "http://api.qh.gov.cn:+80/", "http://api.qh.gov.cn:８０/", "http://api.qh.gov.cn:/",
    "http://api..gov.cn/", "http://api.qh.gov.cn./", "http://[::1/", "http://[127.0.0.1]/", "http://[::1]x/",
    "http://[fe80::1%25eth0]/", "http://接口.cn/", "http://api.qh.gov.cn/a b", "http://api.qh.gov.cn/\r\nX: y",
    "http://api.qh.gov.cn/" + String(repeating: "a", count: 1000),
  ])
  func `whatever else is refused`(given: String) {
    #expect(throws: Refusal.self) { try ServiceAddress(given) }
  }

  @Test func `a declared host is one host and its usual ports, or one port`() throws {
    let (plain, one) = (try #require(DeclaredHost("API.qh.gov.cn")), try #require(DeclaredHost("api.qh.gov.cn:8080")))
    func admits(_ host: DeclaredHost, _ url: String) throws -> Bool { host.admits(try ServiceAddress(url)) }
    #expect(try admits(plain, "http://api.qh.gov.cn/x") && admits(plain, "https://api.qh.gov.cn/x"))
    #expect(try !admits(plain, "http://api.qh.gov.cn:443/x") && !admits(plain, "http://api.qh.gov.cn:8080/x"))
    #expect(try admits(one, "http://api.qh.gov.cn:8080/x") && !admits(one, "http://api.qh.gov.cn/x"))
    #expect(try !admits(plain, "http://xapi.qh.gov.cn/") && !admits(plain, "http://api.qh.gov.cn.evil.example/"))
    for wrong in ["", "http://a.cn", "a.cn/x", "a.cn:x", "*.gov.cn", "a b", "a@b", "::1"] {
      #expect(DeclaredHost(wrong) == nil, "\(wrong)")
    }
    #expect(DeclaredHost("[::1]:8080") == DeclaredHost("[::1]:8080") && DeclaredHost("[::1]")?.host == "::1")
  }
}

@Suite struct NetworkAddressTests {
  @Test(arguments: [
    "127.0.0.1", "127.9.9.9", "0.0.0.0", "0.1.2.3", "169.254.169.254", "169.254.1.1", "100.100.100.200", "224.0.0.1",
    "240.0.0.1", "255.255.255.255", "168.63.129.16", "::", "::1", "fe80::1", "febf::1", "ff02::1", "fd00:ec2::254",
    "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::",
  ])
  func `an address of no department's host has a purpose`(text: String) throws {
    #expect(try #require(NetworkAddress(literal: text)).purpose != nil)
  }

  @Test(arguments: [
    "10.1.2.3", "172.16.0.1", "192.168.1.1", "59.207.1.1", "100.64.0.1", "fd00::1", "240e::1", "::ffff:10.1.2.3",
    "64:ff9b::a01:203", "2002:a01:203::",
  ])
  func `a host's own address has none`(text: String) throws {
    #expect(try #require(NetworkAddress(literal: text)).purpose == nil)
  }

  @Test(arguments: ["127.1", "2130706433", "0x7f000001", "017700000001", "localhost", "::1%lo", "1.2.3.4.5", ""])
  func `only whole addresses are addresses`(text: String) {
    #expect(NetworkAddress(literal: text) == nil)
  }

  @Test func `this machine's own name leads to its loopback, however it is written`() {
    for name in ["localhost", "127.1", "2130706433", "0x7f000001"] {
      let found = NetworkAddress.resolve(name)
      #expect(!found.isEmpty && found.allSatisfy { $0.purpose != nil }, "\(name)")
    }
    #expect(NetworkAddress.resolve("no-such-host.invalid") == [])
  }
}
