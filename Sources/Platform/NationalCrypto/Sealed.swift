internal import COpenSSL

/// Bytes that only the holder of a key can read and nobody can change unnoticed: SM4-CTR, then HMAC-SM3 over all of it,
/// under two keys derived from the one given.
///
/// Layout: 1 byte algorithm (1), 16 bytes IV, ciphertext, 32 bytes tag. OpenSSL 3.0 has no SM4-GCM; the first byte lets it
/// come later.
package enum Sealed {
  package enum Failure: Error, Sendable {
    /// Too short, another algorithm, another key, other associated data, or changed: no telling which.
    case unreadable
  }

  /// `context` (associated data) is not stored but must be the same at opening: what the bytes are and whose.
  package static func seal(_ plain: [UInt8], key: [UInt8], context: String) -> [UInt8] {
    let iv = SecureRandom.bytes(16)
    var sealed: [UInt8] = [1] + iv
    sealed += crypt(plain, key: key, iv: iv)
    return sealed + tag(sealed[...], key: key, context: context)
  }

  package static func open(_ sealed: [UInt8], key: [UInt8], context: String) throws(Failure) -> [UInt8] {
    guard sealed.count >= 49, sealed[0] == 1 else { throw .unreadable }
    let body = sealed.dropLast(32)
    guard constantTimeEqual(tag(body, key: key, context: context), Array(sealed.suffix(32))) else { throw .unreadable }
    return crypt(Array(body.dropFirst(17)), key: key, iv: Array(body[1..<17]))
  }

  private static func crypt(_ bytes: [UInt8], key: [UInt8], iv: [UInt8]) -> [UInt8] {
    guard !bytes.isEmpty else { return [] }
    var out = [UInt8](repeating: 0, count: bytes.count)
    let done = sj_sm4_ctr(
      deriveKey(from: key, use: "sanjiang sealed encrypt", length: 16), iv, bytes, bytes.count, &out)
    precondition(done == 1, "SM4-CTR failed")
    return out
  }

  private static func tag(_ body: ArraySlice<UInt8>, key: [UInt8], context: String) -> [UInt8] {
    let name = Array(context.utf8)
    var message = withUnsafeBytes(of: UInt64(name.count).bigEndian) { Array($0) } + name
    message += body
    return HMAC.authenticate(message, key: deriveKey(from: key, use: "sanjiang sealed authenticate"))
  }
}

/// SM4 (GB/T 32907-2016) on one block and in CTR mode, as the standard's vectors exercise it. Data is kept with `Sealed`.
package enum SM4 {
  package static func block(_ bytes: [UInt8], key: [UInt8], encrypt: Bool) -> [UInt8]? {
    guard bytes.count == 16, key.count == 16 else { return nil }
    var out = [UInt8](repeating: 0, count: 16)
    return sj_sm4_block(key, encrypt ? 1 : 0, bytes, &out) == 1 ? out : nil
  }

  package static func counter(_ bytes: [UInt8], key: [UInt8], iv: [UInt8]) -> [UInt8]? {
    guard key.count == 16, iv.count == 16 else { return nil }
    var out = [UInt8](repeating: 0, count: bytes.count)
    return sj_sm4_ctr(key, iv, bytes, bytes.count, &out) == 1 ? out : nil
  }
}
