import CStripes
import NationalCrypto

/// Keys of one grant, each for one use, derived from the secret of the plan.
///
/// Provider and consumer of a grant hold the same secret, an outsider neither: sums and digests in a receipt tell nothing
/// of the values, and nothing of two grants can be joined.
struct GrantKeys {
  let columns: (UInt64, UInt64)
  let rows: (UInt64, UInt64)
  let pseudonym: [UInt8]
  let keyDigest: [UInt8]
  /// Goes first into every batch digest: one row's digest must not be guessable by trying values.
  let salt: [UInt8]

  init(secret: [UInt8], grant: String) {
    func derived(_ use: String, _ length: Int) -> [UInt8] {
      deriveKey(from: secret, salt: Array(grant.utf8), use: "sanjiang transfer \(use)", length: length)
    }
    func pair(_ use: String) -> (UInt64, UInt64) {
      derived(use, 16).withUnsafeBytes {
        (
          UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: 0, as: UInt64.self)),
          UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        )
      }
    }
    columns = pair("column sums")
    rows = pair("row sum")
    pseudonym = derived("pseudonyms", 32)
    keyDigest = derived("key digests", 32)
    salt = derived("batch digests", 32)
  }
}

/// SipHash-2-4 with 128 bits.
@inline(__always)
func hash128(_ bytes: UnsafeRawPointer, _ count: Int, _ key: (UInt64, UInt64)) -> sj_hash128 {
  sj_siphash128(bytes, count, key.0, key.1)
}
