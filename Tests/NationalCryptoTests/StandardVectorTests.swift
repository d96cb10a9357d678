import Testing

@testable import NationalCrypto

private func unhex(_ text: String) throws -> [UInt8] { try #require([UInt8](hex: text)) }

/// The examples printed in the standards, both directions, and what must be refused.
@Suite struct StandardVectorTests {
  @Test(arguments: [
    ("", "1ab21d8355cfa17f8e61194831e81a8f22bec8c728fefb747ed035eb5082aa2b"),
    ("abc", "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"),
    (String(repeating: "abcd", count: 16), "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"),
  ])
  func `SM3 hashes the examples of GB/T 32905`(message: String, digest: String) {
    #expect(SM3.hash(message).hex == digest)
    var pieces = SM3()
    for byte in message.utf8 { pieces.update([byte]) }
    #expect(pieces.finish().hex == digest)
    pieces.update(message)
    #expect(pieces.finish().hex == digest, "a finished hash begins anew")
  }

  @Test func `HMAC over SM3 agrees with other libraries`() {
    let tag = HMAC.authenticate(Array("The quick brown fox jumps over the lazy dog".utf8), key: Array("key".utf8))
    #expect(tag.hex == "bd4a34077888162b210645b8ebf74b9af357303789357a27c7fc457244ebd398")
    #expect(HMAC.authenticate([], key: []).count == 32)
  }

  @Test func `SM4 enciphers and deciphers the example of GB/T 32907`() throws {
    let key = try unhex("0123456789ABCDEFFEDCBA9876543210")
    let cipher = try #require(SM4.block(key, key: key, encrypt: true))
    #expect(cipher.hex == "681edf34d206965e86b3e94f536e4246")
    #expect(SM4.block(cipher, key: key, encrypt: false) == key)
    #expect(SM4.block([1], key: key, encrypt: true) == nil)
  }

  @Test func `SM4 in counter mode gives the known answer`() throws {
    let key = try unhex("0123456789ABCDEFFEDCBA9876543210")
    let plain = [0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF, 0xEE, 0xAA].flatMap { [UInt8](repeating: UInt8($0), count: 8) }
    let expected =
      "C2B4759E78AC3CF43D0852F4E8D5F9FD7256E8A5FCB65A350EE00630912E44492A0B17E1B85B060D0FBA612D8A95831638B361FD5FFACD942F081485A83CA35D"
    #expect(SM4.counter(plain, key: key, iv: key)?.hex == expected.lowercased())
  }

  // GB/T 32918.5, annexes A and C.
  static let scalar = "3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8"
  static let point =
    "0409F9DF311E5421A150DD7D161E4BC5C672179FAD1833FC076BB08FF356F35020CCEA490CE26775A52DC6EA718CC1AA600AED05FBF35E084A6632F6072DA9AD13"
  static let r = "F5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3"
  static let s = "B1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA"
  let message = Array("message digest".utf8)

  private func der(_ r: String, _ s: String) throws -> [UInt8] {
    func integer(_ hex: String) throws -> [UInt8] {
      var bytes = Array(try unhex(hex).drop { $0 == 0 })
      if bytes.first ?? 0x80 >= 0x80 { bytes.insert(0, at: 0) }
      return [2, UInt8(bytes.count)] + bytes
    }
    let body = try integer(r) + integer(s)
    return [0x30, UInt8(body.count)] + body
  }

  @Test func `SM2 verifies the example of GB T 32918 and refuses it with one bit changed`() throws {
    let key = try #require(SM2.PublicKey(unhex(Self.point)))
    let signature = try der(Self.r, Self.s)
    #expect(key.verifies(signature, of: message))
    for index in signature.indices {
      for bit in 0..<8 {
        var changed = signature
        changed[index] ^= 1 << UInt8(bit)
        #expect(!key.verifies(changed, of: message), "byte \(index) bit \(bit)")
      }
    }
    #expect(!key.verifies(signature, of: message + [0]))
    #expect(!key.verifies(signature, of: message, id: Array("ALICE123@YAHOO.COM".utf8)))
    #expect(!key.verifies(signature, of: message, id: []))
    #expect(!key.verifies(signature + [0], of: message), "trailing byte")
    #expect(
      !key.verifies([0x30, 0x81, UInt8(signature.count - 2)] + signature.dropFirst(2), of: message), "long length")
  }

  @Test func `SM2 refuses r or s outside one to n minus one`() throws {
    let key = try #require(SM2.PublicKey(unhex(Self.point)))
    let order = "FFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123"
    let zero = [UInt8]([0x30, 6, 2, 1, 0, 2, 1, 0])
    #expect(!key.verifies(zero, of: message))
    #expect(!key.verifies(try der(order, Self.s), of: message))
    #expect(!key.verifies(try der(Self.r, order), of: message))
    #expect(!key.verifies([], of: message))
  }

  @Test func `a point off the curve is no key`() throws {
    var point = try unhex(Self.point)
    point[64] ^= 1
    #expect(SM2.PublicKey(point) == nil)
    #expect(SM2.PublicKey([4] + [UInt8](repeating: 0, count: 64)) == nil)
    #expect(SM2.PublicKey([]) == nil)
  }

  @Test func `SM2 decrypts the example of GB T 32918 and refuses a changed one`() throws {
    let key = try #require(SM2.PrivateKey(unhex(Self.scalar + Self.point)))
    let sealed = try unhex(
      "307C022004EBFC718E8D1798620432268E77FEB6415E2EDE0E073C0F4F640ECD2E149A73022100E858F9D81E54"
        + "30A57B36DAAB8F950A3C64E6EE6A63094D99283AFF767E124DF0042059983C18F809E262923C53AEC295D30383"
        + "B54E39D609D160AFCB1908D0BD8766041321886CA989CA9C7D58087307CA93092D651EFA")
    #expect(key.decrypt(sealed) == Array("encryption standard".utf8))
    var changed = sealed
    changed[changed.count - 1] ^= 1
    #expect(key.decrypt(changed) == nil)
    #expect(key.publicKey.encrypt(Array("三江".utf8)).flatMap(key.decrypt) == Array("三江".utf8))
    #expect(SM2.PrivateKey().decrypt(sealed) == nil)
  }

  @Test func `a key pair survives being kept and signs what its public key verifies`() throws {
    let key = SM2.PrivateKey()
    let again = try #require(SM2.PrivateKey(key.bytes))
    #expect(key.publicKey.verifies(again.sign(message), of: message))
    #expect(!SM2.PrivateKey().publicKey.verifies(key.sign(message), of: message))
    var mixed = key.bytes
    mixed.replaceSubrange(0..<32, with: SM2.PrivateKey().bytes[0..<32])
    #expect(SM2.PrivateKey(mixed) == nil, "scalar and point of different pairs")
  }

  @Test func `what is sealed opens under the same key and context only`() throws {
    let key = SecureRandom.bytes(32)
    for plain in [[], [7], Array("青海省".utf8), [UInt8](repeating: 1, count: 10_000)] as [[UInt8]] {
      let sealed = Sealed.seal(plain, key: key, context: "row")
      #expect(try Sealed.open(sealed, key: key, context: "row") == plain)
      #expect(throws: Sealed.Failure.self) { try Sealed.open(sealed, key: key, context: "other") }
      #expect(throws: Sealed.Failure.self) { try Sealed.open(sealed, key: SecureRandom.bytes(32), context: "row") }
      for index in [0, 1, sealed.count / 2, sealed.count - 1] {
        var changed = sealed
        changed[index] ^= 1
        #expect(throws: Sealed.Failure.self) { try Sealed.open(changed, key: key, context: "row") }
      }
      #expect(throws: Sealed.Failure.self) { try Sealed.open(Array(sealed.dropLast()), key: key, context: "row") }
    }
    #expect(Sealed.seal([1], key: key, context: "") != Sealed.seal([1], key: key, context: ""))
  }
}
