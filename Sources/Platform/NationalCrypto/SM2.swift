internal import COpenSSL

/// SM2 (GB/T 32918): elliptic-curve signatures and encryption. Always with the standard user id `1234567812345678`:
/// OpenSSL's own default is the empty id, and signatures made so verify nowhere else.
package enum SM2 {
  /// The id that everyone uses (GB/T 35276).
  package static let defaultID = Array("1234567812345678".utf8)

  /// Who made a signature, as 65 bytes: 04, x, y.
  package final class PublicKey: Sendable {
    package let bytes: [UInt8]
    // Only read after init; OpenSSL's keys are safe to share for that.
    fileprivate nonisolated(unsafe) let key: OpaquePointer

    /// Nil unless the point lies on the curve.
    package init?(_ bytes: [UInt8]) {
      guard bytes.count == 65, bytes[0] == 4, let key = sj_sm2_key(nil, bytes) else { return nil }
      self.bytes = bytes
      self.key = key
    }

    deinit { EVP_PKEY_free(key) }

    /// Whether `signature` (DER of r and s) is this key's over the message.
    package func verifies(_ signature: [UInt8], of message: [UInt8], id: [UInt8] = defaultID) -> Bool {
      guard !signature.isEmpty, signature.count <= 80, isCanonicalDER(signature) else { return false }
      return sj_sm2_verify(key, id, id.count, message, message.count, signature, signature.count) == 1
    }

    /// DER of C1, C3, C2 (GB/T 32918.4); nil for an empty message.
    package func encrypt(_ message: [UInt8]) -> [UInt8]? {
      guard !message.isEmpty else { return nil }
      var out = [UInt8](repeating: 0, count: message.count + 256)
      var written = out.count
      guard sj_sm2_crypt(key, 1, message, message.count, &out, &written) == 1 else { return nil }
      return Array(out.prefix(written))
    }
  }

  /// A key pair.
  package final class PrivateKey: Sendable {
    package let publicKey: PublicKey
    // Only read after init.
    private nonisolated(unsafe) let key: OpaquePointer

    package init() {
      guard let key = sj_sm2_generate() else { preconditionFailure("OpenSSL has no SM2") }
      self.key = key
      var point = [UInt8](repeating: 0, count: 65)
      guard sj_sm2_public(key, &point) == 1, let publicKey = PublicKey(point) else {
        preconditionFailure("OpenSSL made a key that it does not accept")
      }
      self.publicKey = publicKey
    }

    /// From what `bytes` gave: 32 bytes of the scalar and 65 of the point. Nil when they do not belong together.
    package init?(_ bytes: [UInt8]) {
      guard bytes.count == 97, let publicKey = PublicKey(Array(bytes[32...])),
        let key = sj_sm2_key(bytes, publicKey.bytes)
      else { return nil }
      self.key = key
      self.publicKey = publicKey
    }

    deinit { EVP_PKEY_free(key) }

    /// 97 bytes to keep in a file that only the owner can read.
    package var bytes: [UInt8] {
      var scalar = [UInt8](repeating: 0, count: 32)
      precondition(sj_sm2_private(key, &scalar) == 1)
      return scalar + publicKey.bytes
    }

    /// DER of r and s.
    package func sign(_ message: [UInt8]) -> [UInt8] {
      var out = [UInt8](repeating: 0, count: 80)
      let length = sj_sm2_sign(key, message, message.count, &out)
      precondition(length > 0, "SM2 did not sign")
      return Array(out.prefix(length))
    }

    /// Nil when the bytes were not encrypted for this key.
    package func decrypt(_ sealed: [UInt8]) -> [UInt8]? {
      guard !sealed.isEmpty else { return nil }
      var out = [UInt8](repeating: 0, count: sealed.count)
      var written = out.count
      guard sj_sm2_crypt(key, 0, sealed, sealed.count, &out, &written) == 1 else { return nil }
      return Array(out.prefix(written))
    }
  }

  /// SEQUENCE of two positive INTEGERs in the shortest form, and nothing behind: one signature has one spelling.
  static func isCanonicalDER(_ bytes: [UInt8]) -> Bool {
    guard bytes.count >= 8, bytes[0] == 0x30, Int(bytes[1]) == bytes.count - 2, bytes[1] < 0x80 else { return false }
    var at = 2
    for _ in 0..<2 {
      guard at + 2 < bytes.count, bytes[at] == 0x02 else { return false }
      let length = Int(bytes[at + 1])
      guard (1...33).contains(length), at + 2 + length <= bytes.count, bytes[at + 2] < 0x80 else { return false }
      if length > 1, bytes[at + 2] == 0, bytes[at + 3] < 0x80 { return false }
      at += 2 + length
    }
    return at == bytes.count
  }
}
