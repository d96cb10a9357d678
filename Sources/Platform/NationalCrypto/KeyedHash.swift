internal import COpenSSL

/// HMAC (RFC 2104) over SM3, or over the hashes that other standards ask for.
package enum HMAC {
  package enum Hash: String, Sendable {
    case sm3 = "SM3"
    case sha1 = "SHA1"
    case sha256 = "SHA256"
  }

  package static func authenticate(_ data: [UInt8], key: [UInt8], hash: Hash = .sm3) -> [UInt8] {
    data.withUnsafeBytes { authenticate($0, key: key, hash: hash) }
  }

  package static func authenticate(_ data: UnsafeRawBufferPointer, key: [UInt8], hash: Hash = .sm3) -> [UInt8] {
    var tag = [UInt8](repeating: 0, count: 64)
    var written = 0
    // OpenSSL takes a null key for "no key": an empty one needs an address.
    let usable = key.isEmpty ? [0] : key
    let done = sj_hmac(
      hash.rawValue, usable, key.count, data.baseAddress?.assumingMemoryBound(to: UInt8.self), data.count, &tag, 64,
      &written)
    precondition(done == 1, "OpenSSL has no \(hash.rawValue)")
    return Array(tag.prefix(written))
  }
}

/// HKDF (RFC 5869) over SM3: keys for separate uses from one secret.
package func deriveKey(from secret: [UInt8], salt: [UInt8] = [], use: String, length: Int = 32) -> [UInt8] {
  var key = [UInt8](repeating: 0, count: length)
  let info = Array(use.utf8)
  let done = sj_hkdf_sm3(secret, secret.count, salt.isEmpty ? [0] : salt, salt.count, info, info.count, &key, length)
  precondition(done == 1, "HKDF over SM3 failed")
  return key
}

package enum SecureRandom {
  /// Bytes from OpenSSL's generator, seeded by the kernel.
  package static func bytes(_ count: Int) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    precondition(RAND_bytes(&bytes, Int32(count)) == 1, "no randomness")
    return bytes
  }
}

/// Takes the same time wherever the first difference is.
package func constantTimeEqual(_ a: [UInt8], _ b: [UInt8]) -> Bool {
  a.count == b.count && (a.isEmpty || CRYPTO_memcmp(a, b, a.count) == 0)
}
