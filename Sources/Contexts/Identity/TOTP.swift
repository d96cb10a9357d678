import NationalCrypto

/// Time-based one-time passwords (RFC 6238): SHA-1, 30 seconds, six digits, as every authenticator does them.
enum TOTP {
  static let period: Int64 = 30

  static func code(_ secret: [UInt8], step: Int64, digits: Int = 6) -> String {
    let counter = withUnsafeBytes(of: UInt64(bitPattern: step).bigEndian) { Array($0) }
    let tag = HMAC.authenticate(counter, key: secret, hash: .sha1)
    let offset = Int(tag[19] & 15)
    let number = tag[offset..<offset + 4].reduce(0) { $0 << 8 | Int($1) } & 0x7FFF_FFFF
    let modulus = (0..<digits).reduce(1) { product, _ in product * 10 }
    let text = String(number % modulus)
    return String(repeating: "0", count: digits - text.count) + text
  }

  /// The step whose code this is, one step of drift either way; nil for a wrong code or a step used before.
  static func accept(_ code: String, secret: [UInt8], seconds: Int64, lastUsed: Int64?) -> Int64? {
    let now = seconds / period
    return (now - 1...now + 1).first { step in
      step > lastUsed ?? -1 && constantTimeEqual(Array(Self.code(secret, step: step).utf8), Array(code.utf8))
    }
  }

  /// RFC 4648 base 32, as people type it into an authenticator.
  static func base32(_ bytes: [UInt8]) -> String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
    var (text, buffer, bits) = ("", 0, 0)
    for byte in bytes {
      buffer = (buffer << 8 | Int(byte)) & 0xFFFF
      bits += 8
      while bits >= 5 {
        bits -= 5
        text.append(alphabet[buffer >> bits & 31])
      }
    }
    if bits > 0 { text.append(alphabet[buffer << (5 - bits) & 31]) }
    return text
  }
}
