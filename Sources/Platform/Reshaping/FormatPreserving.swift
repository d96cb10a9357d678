package import NationalCrypto

/// FF1 of NIST SP 800-38G: a keyed permutation of numeral strings of one length over one radix.
///
/// Over any 16-byte block cipher: with AES it is the standard's algorithm, checked against its published samples; with SM4
/// it is the same construction with our national cipher and documented as ours, not as a standard. Used by one thread.
package final class FormatPreserving {
  package enum Limit {
    /// SP 800-38G asks for a domain of at least a million: less could be tried out.
    package static let smallest = 1_000_000
    package static let radices = 2...65_536
    /// What half a string may come to, in the arithmetic here.
    package static let half: UInt128 = 1 << 119
  }

  private let cipher: BlockCipher
  private let radix: Int
  /// How long a string may be.
  package let lengths: ClosedRange<Int>
  /// What depends on a string's length only.
  private struct Shape {
    var u: Int
    var v: Int
    /// radix^u and radix^v.
    var modU: UInt128
    var modV: UInt128
    /// Bytes of NUM(B), and of S.
    var b: Int
    var d: Int
  }
  private var shapes: [Int: Shape] = [:]
  private var block = [UInt8](repeating: 0, count: 16)
  private var state = [UInt8](repeating: 0, count: 16)
  private var stream = [UInt8](repeating: 0, count: 48)
  private var input: [UInt8] = []

  package init(_ cipher: BlockCipher, radix: Int) {
    precondition(Limit.radices.contains(radix), "FF1 has radices from 2 to 65,536")
    self.cipher = cipher
    self.radix = radix
    var (half, power) = (0, UInt128(1))
    while power < Limit.half / UInt128(radix) {
      power *= UInt128(radix)
      half += 1
    }
    var (shortest, domain) = (0, 1)
    while domain < Limit.smallest {
      domain *= radix
      shortest += 1
    }
    lengths = max(2, shortest)...half * 2
  }

  package func encrypt(_ numerals: inout [UInt16], tweak: [UInt8]) { run(&numerals, tweak, forwards: true) }
  package func decrypt(_ numerals: inout [UInt16], tweak: [UInt8]) { run(&numerals, tweak, forwards: false) }

  private func shape(_ n: Int) -> Shape {
    if let known = shapes[n] { return known }
    let (u, v) = (n / 2, n - n / 2)
    precondition(n >= 2 && n <= lengths.upperBound, "a string of this length is not for FF1 here")
    func power(_ exponent: Int) -> UInt128 { (0..<exponent).reduce(UInt128(1)) { value, _ in value * UInt128(radix) } }
    let modV = power(v)
    var width = 0
    while width < 128, (modV - 1) >> UInt128(width) != 0 { width += 1 }
    let b = (max(1, width) + 7) / 8
    let shape = Shape(u: u, v: v, modU: power(u), modV: modV, b: b, d: 4 * ((b + 3) / 4) + 4)
    shapes[n] = shape
    return shape
  }

  private func run(_ x: inout [UInt16], _ tweak: [UInt8], forwards: Bool) {
    let n = x.count
    let shape = shape(n)
    var (a, b) = (number(x[..<shape.u]), number(x[shape.u...]))
    // P and those blocks of T that no round changes are encrypted once.
    let prefix: [UInt8] = [
      1, 2, 1, UInt8(radix >> 16 & 255), UInt8(radix >> 8 & 255), UInt8(radix & 255), 10, UInt8(shape.u & 255),
    ]
    input.removeAll(keepingCapacity: true)
    input += prefix
    for value in [n, tweak.count] {
      for shift in stride(from: 24, through: 0, by: -8) { input.append(UInt8(value >> shift & 255)) }
    }
    input += tweak
    let padding = (16 - (tweak.count + shape.b + 1) % 16) % 16
    input += [UInt8](repeating: 0, count: padding)
    let whole = input.count / 16 * 16
    let before = chained([UInt8](repeating: 0, count: 16), input[..<whole])
    let rest = Array(input[whole...])
    for step in 0..<10 {
      let round = forwards ? step : 9 - step
      let half = forwards ? b : a
      input.removeAll(keepingCapacity: true)
      input += rest
      input.append(UInt8(round))
      for place in stride(from: shape.b - 1, through: 0, by: -1) {
        input.append(UInt8(truncatingIfNeeded: half >> UInt128(place * 8)))
      }
      let r = chained(before, input[...])
      let modulus = round % 2 == 0 ? shape.modU : shape.modV
      let y = expanded(r, shape.d, modulus)
      if forwards {
        let c = Self.sum(a, y, modulus)
        (a, b) = (b, c)
      } else {
        let c = Self.sum(b, modulus - y == modulus ? 0 : modulus - y, modulus)
        (a, b) = (c, a)
      }
    }
    write(a, &x, 0..<shape.u)
    write(b, &x, shape.u..<n)
  }

  private static func sum(_ a: UInt128, _ b: UInt128, _ modulus: UInt128) -> UInt128 {
    // Both are below the modulus, which is below 2^120.
    let sum = a + b
    return sum >= modulus ? sum - modulus : sum
  }

  /// CBC-MAC going on from `start`.
  private func chained(_ start: [UInt8], _ bytes: ArraySlice<UInt8>) -> [UInt8] {
    state = start
    var at = bytes.startIndex
    while at < bytes.endIndex {
      for place in 0..<16 { state[place] ^= bytes[at + place] }
      state.withUnsafeMutableBytes { cipher.encrypt($0.baseAddress!) }
      at += 16
    }
    return state
  }

  /// NUM of the first `d` bytes of R ‖ E(R ⊕ 1) ‖ …, modulo the modulus.
  private func expanded(_ r: [UInt8], _ d: Int, _ modulus: UInt128) -> UInt128 {
    stream.replaceSubrange(0..<16, with: r)
    var have = 16
    var count: UInt8 = 1
    while have < d {
      block = r
      block[15] ^= count
      block.withUnsafeMutableBytes { cipher.encrypt($0.baseAddress!) }
      stream.replaceSubrange(have..<have + 16, with: block)
      have += 16
      count += 1
    }
    if modulus <= UInt128(UInt64.max) {
      let small = UInt64(modulus)
      var value: UInt64 = 0
      var at = 0
      while at < d {
        var word: UInt64 = 0
        let step = min(4, d - at)
        for offset in 0..<step { word = word << 8 | UInt64(stream[at + offset]) }
        // value·2^32 + word: less than small·2^64 always.
        let high = value >> 32
        value = small.dividingFullWidth((high, value << 32 | word)).remainder
        at += step
      }
      return UInt128(value)
    }
    var value: UInt128 = 0
    for place in 0..<d { value = (value << 8 | UInt128(stream[place])) % modulus }
    return value
  }

  private func number(_ numerals: ArraySlice<UInt16>) -> UInt128 {
    numerals.reduce(0) { $0 * UInt128(radix) + UInt128($1) }
  }

  private func write(_ value: UInt128, _ x: inout [UInt16], _ range: Range<Int>) {
    var rest = value
    for place in range.reversed() {
      let (quotient, digit) = rest.quotientAndRemainder(dividingBy: UInt128(radix))
      x[place] = UInt16(digit)
      rest = quotient
    }
  }
}

extension FormatPreserving {
  /// A permutation of 0..<size, for FF1 of radix 2: walks on until it is inside again (cycle walking, SP 800-38G
  /// appendix), two steps on average at most. `size` from 2^20 to 2^116.
  package func permute(_ value: UInt128, below size: UInt128, tweak: [UInt8], forwards: Bool) -> UInt128 {
    precondition(radix == 2 && value < size, "cycle walking is over bits")
    var width = 0
    while (size - 1) >> UInt128(width) != 0 { width += 1 }
    var bits = [UInt16](repeating: 0, count: width)
    var current = value
    repeat {
      for place in 0..<width { bits[place] = UInt16(truncatingIfNeeded: current >> UInt128(width - 1 - place) & 1) }
      if forwards { encrypt(&bits, tweak: tweak) } else { decrypt(&bits, tweak: tweak) }
      current = bits.reduce(0) { $0 << 1 | UInt128($1) }
    } while current >= size
    return current
  }
}
