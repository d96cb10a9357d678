package import Connecting
import NationalCrypto

/// The keys of another resource, for rules that ask whether what a row refers to exists: keyed hashes of 64 bits in one
/// sorted array, 8 bytes a key and no value to be read from it.
///
/// An absent key is taken for present with a probability of at most `count`/2^64: with ten million keys once in 1.8·10^12
/// questions. A present one is always found.
package struct KeySet: Hashable, Sendable {
  package static let most = 10_000_000

  private let key: SipHash
  private let hashes: [UInt64]

  package var count: Int { hashes.count }
  package var falsePositiveBound: Double { Double(hashes.count) / 18_446_744_073_709_551_616 }

  package func contains(_ value: UnsafeRawBufferPointer) -> Bool {
    let hash = key.hash(value)
    // The hashes are spread evenly: near where it must be, not by halves.
    var (low, high) = (0, hashes.count)
    var near = Int(hash.multipliedFullWidth(by: UInt64(hashes.count)).high)
    var step = 16
    while low < high {
      if near >= high { near = high - 1 }
      if hashes[near] == hash { return true }
      if hashes[near] < hash {
        low = near + 1
        near = min(low + step, (low + high) / 2)
      } else {
        high = near
        near = max(high - step, (low + high) / 2)
      }
      step = step &* 2
    }
    return false
  }

  /// Takes values in their canonical bytes, one by one.
  package struct Builder {
    private let key: SipHash
    private var hashes: [UInt64] = []

    /// A key of its own for each set, from the system's generator.
    package init() {
      key = SecureRandom.bytes(16).withUnsafeBytes {
        SipHash(
          k0: $0.loadUnaligned(fromByteOffset: 0, as: UInt64.self),
          k1: $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
      }
    }

    package mutating func add(_ value: UnsafeRawBufferPointer) throws(ConnectorError) {
      guard hashes.count < KeySet.most else {
        throw .contract(
          "reference-size", "被引用的资源超过 \(KeySet.most) 个主键。",
          "The resource referred to has more than \(KeySet.most) keys.")
      }
      hashes.append(key.hash(value))
    }

    package consuming func finish() -> KeySet {
      hashes.sort()
      var (kept, last): (Int, UInt64?) = (0, nil)
      for hash in hashes where hash != last {
        hashes[kept] = hash
        kept += 1
        last = hash
      }
      hashes.removeLast(hashes.count - kept)
      return KeySet(key: key, hashes: hashes)
    }
  }
}
