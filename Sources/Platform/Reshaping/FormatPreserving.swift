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
  /// What depends on a string's length and the tweak only: the chained blocks that no round changes, and what is left of
  /// the last one. A column's values mostly have one length and always one tweak.
  private struct Beginning {
    var n: Int
    var tweak: [UInt8]
    var chained: Block
    /// Bytes of `rest` that count, before the round and NUM(B).
    var used: Int
  }
  private typealias Block = SIMD16<UInt8>
  private var beginning: Beginning?
  /// The part of T that shares blocks with the rounds, the round, NUM(B): three blocks at most.
  private let room = UnsafeMutableRawPointer.allocate(byteCount: 64, alignment: 16)
  /// S: three blocks at most.
  private let stream = UnsafeMutableRawPointer.allocate(byteCount: 64, alignment: 16)

  deinit {
    room.deallocate()
    stream.deallocate()
  }

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
    let shape = shape(x.count)
    let (a, b) = rounds(number(x[..<shape.u]), number(x[shape.u...]), x.count, tweak, forwards)
    write(a, &x, 0..<shape.u)
    write(b, &x, shape.u..<x.count)
  }

  /// P and those blocks of T that no round changes, encrypted once.
  private func begin(_ n: Int, _ tweak: [UInt8], _ shape: Shape) -> Beginning {
    if let beginning, beginning.n == n, beginning.tweak == tweak { return beginning }
    var bytes: [UInt8] = [
      1, 2, 1, UInt8(radix >> 16 & 255), UInt8(radix >> 8 & 255), UInt8(radix & 255), 10, UInt8(shape.u & 255),
    ]
    for value in [n, tweak.count] {
      for shift in stride(from: 24, through: 0, by: -8) { bytes.append(UInt8(value >> shift & 255)) }
    }
    bytes += tweak
    bytes += [UInt8](repeating: 0, count: (16 - (tweak.count + shape.b + 1) % 16) % 16)
    let whole = bytes.count / 16 * 16
    let chained = bytes.withUnsafeBytes { chain(Block(repeating: 0), $0.baseAddress.unsafelyUnwrapped, whole / 16) }
    for (place, byte) in bytes[whole...].enumerated() { room.storeBytes(of: byte, toByteOffset: place, as: UInt8.self) }
    let made = Beginning(n: n, tweak: tweak, chained: chained, used: bytes.count - whole)
    beginning = made
    return made
  }

  fileprivate func rounds(
    _ a: UInt128, _ b: UInt128, _ n: Int, _ tweak: [UInt8], _ forwards: Bool
  ) -> (UInt128, UInt128) {
    let shape = shape(n)
    let beginning = begin(n, tweak, shape)
    var (a, b) = (a, b)
    let blocks = (beginning.used + 1 + shape.b) / 16
    for step in 0..<10 {
      let round = forwards ? step : 9 - step
      var half = forwards ? b : a
      room.storeBytes(of: UInt8(round), toByteOffset: beginning.used, as: UInt8.self)
      for place in stride(from: shape.b, through: 1, by: -1) {
        room.storeBytes(of: UInt8(truncatingIfNeeded: half), toByteOffset: beginning.used + place, as: UInt8.self)
        half >>= 8
      }
      let r = chain(beginning.chained, room, blocks)
      let modulus = round % 2 == 0 ? shape.modU : shape.modV
      let y = expanded(r, shape.d, modulus)
      if forwards {
        (a, b) = (b, Self.sum(a, y, modulus))
      } else {
        (a, b) = (Self.sum(b, y == 0 ? 0 : modulus - y, modulus), a)
      }
    }
    return (a, b)
  }

  private static func sum(_ a: UInt128, _ b: UInt128, _ modulus: UInt128) -> UInt128 {
    // Both are below the modulus, which is below 2^120.
    let sum = a + b
    return sum >= modulus ? sum - modulus : sum
  }

  /// CBC-MAC going on from `start` over so many blocks.
  private func chain(_ start: Block, _ bytes: UnsafeRawPointer, _ blocks: Int) -> Block {
    var state = start
    for block in 0..<blocks {
      state ^= bytes.loadUnaligned(fromByteOffset: block * 16, as: Block.self)
      withUnsafeMutableBytes(of: &state) { cipher.encrypt($0.baseAddress.unsafelyUnwrapped) }
    }
    return state
  }

  /// NUM of the first `d` bytes of R ‖ E(R ⊕ 1) ‖ …, modulo the modulus.
  private func expanded(_ r: Block, _ d: Int, _ modulus: UInt128) -> UInt128 {
    stream.storeBytes(of: r, as: Block.self)
    var have = 16
    while have < d {
      var block = r
      block[15] ^= UInt8(have / 16)
      withUnsafeMutableBytes(of: &block) { cipher.encrypt($0.baseAddress.unsafelyUnwrapped) }
      stream.storeBytes(of: block, toByteOffset: have, as: Block.self)
      have += 16
    }
    if modulus <= UInt128(UInt64.max) {
      let small = UInt64(modulus)
      var value: UInt64 = 0
      var at = 0
      while at < d {
        let word = UInt64(UInt32(bigEndian: stream.loadUnaligned(fromByteOffset: at, as: UInt32.self)))
        // value·2^32 + word: less than small·2^64 always.
        let high = value >> 32
        value = small.dividingFullWidth((high, value << 32 | word)).remainder
        at += 4
      }
      return UInt128(value)
    }
    var value: UInt128 = 0
    for place in 0..<d {
      value = (value << 8 | UInt128(stream.load(fromByteOffset: place, as: UInt8.self))) % modulus
    }
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
    let low = UInt128(width - width / 2)
    var current = value
    repeat {
      let (a, b) = rounds(current >> low, current & ((1 << low) - 1), width, tweak, forwards)
      current = a << low | b
    } while current >= size
    return current
  }
}
