import CStripes

/// A side's rows as sums of their hashes, one for each bucket of keys: equal sums are equal rows, so two sides of any
/// length are compared in memory that does not grow.
///
/// 262,144 buckets, 4 MiB a side: with ten million rows forty share one, so that few rows need be looked at for one that
/// differs. The sum is of 128 bits and keyed; a count beside it would tell nothing more. Used by one thread at a time.
final class BucketSums: @unchecked Sendable {
  static let count = 1 << 18

  private let sums: UnsafeMutablePointer<UInt128>

  init() {
    sums = .allocate(capacity: Self.count)
    sums.initialize(repeating: 0, count: Self.count)
  }

  deinit { sums.deallocate() }

  static func bucket(_ keyHash: UInt64) -> Int { Int(truncatingIfNeeded: keyHash & UInt64(count - 1)) }

  subscript(bucket: Int) -> UInt128 {
    get { sums[bucket] }
    set { sums[bucket] = newValue }
  }
}

/// Some of the buckets.
struct BucketSet: Sendable {
  private var bits = [UInt64](repeating: 0, count: BucketSums.count / 64)
  private(set) var isEmpty = true

  init() {}

  init(where isMember: (Int) -> Bool) {
    for bucket in 0..<BucketSums.count where isMember(bucket) { insert(bucket) }
  }

  mutating func insert(_ bucket: Int) {
    bits[bucket >> 6] |= 1 << UInt64(bucket & 63)
    isEmpty = false
  }

  mutating func formUnion(_ other: BucketSet) {
    guard !other.isEmpty else { return }
    for word in bits.indices { bits[word] |= other.bits[word] }
    isEmpty = false
  }

  func contains(_ bucket: Int) -> Bool { bits[bucket >> 6] & 1 << UInt64(bucket & 63) != 0 }
}
