/// SplitMix64: the same seed gives the same rows on every machine, so that what the demo prints can be asserted.
package struct DeterministicRandom: RandomNumberGenerator {
  private var state: UInt64

  package init(seed: UInt64) { state = seed }

  /// A stream of its own for row `index`, independent of how many numbers other rows drew.
  package init(seed: UInt64, row index: Int) {
    state = seed ^ (UInt64(bitPattern: Int64(index)) &* 0xD6E8_FEB8_6659_FD93)
    _ = next()
  }

  package mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  package mutating func pick<T>(_ values: [T]) -> T { values[Int(next() % UInt64(values.count))] }
  package mutating func number(_ range: ClosedRange<Int>) -> Int {
    range.lowerBound + Int(next() % UInt64(range.upperBound - range.lowerBound + 1))
  }
}
