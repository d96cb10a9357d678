import CStripes
import NationalCrypto

/// Keys of one grant, each for one use, derived from the secret of the plan.
///
/// Provider and consumer of a grant hold the same secret, an outsider neither: sums and digests in a receipt tell nothing
/// of the values, and nothing of two grants can be joined.
struct GrantKeys {
  let columns: sj_hash_key
  let rows: sj_hash_key
  /// Tells which keys share a bucket when two sides are compared.
  let buckets: sj_hash_key
  let pseudonym: [UInt8]
  let keyDigest: [UInt8]
  /// Goes first into every batch digest: one row's digest must not be guessable by trying values.
  let salt: [UInt8]

  init(secret: [UInt8], grant: String) {
    func derived(_ use: String, _ length: Int) -> [UInt8] {
      deriveKey(from: secret, salt: Array(grant.utf8), use: "sanjiang transfer \(use)", length: length)
    }
    func hashKey(_ use: String) -> sj_hash_key {
      derived(use, 16).withUnsafeBytes {
        sj_hash_key(
          k0: UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: 0, as: UInt64.self)),
          k1: UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
      }
    }
    columns = hashKey("column sums")
    rows = hashKey("row sum")
    buckets = hashKey("key buckets")
    pseudonym = derived("pseudonyms", 32)
    keyDigest = derived("key digests", 32)
    salt = derived("batch digests", 32)
  }
}
