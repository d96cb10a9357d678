package import Connecting

/// Decimals of up to 38 digits as whole numbers: 12.50 is 1250 at scale 2. Exact, or a fault.
package enum Decimals {
  static let limit: Int128 = 100_000_000_000_000_000_000_000_000_000_000_000_000

  /// 10^0 to 10^38.
  private static let powers: [Int128] = {
    var powers: [Int128] = [1]
    for _ in 0..<38 { powers.append((powers.last ?? 1) * 10) }
    return powers
  }()

  static func power(_ exponent: Int) -> Int128 { powers[exponent] }

  @inline(__always) static func fits(_ value: Int128) -> Bool { value < limit && value > -limit }

  static func digits(_ value: Int128) -> Int {
    var (rest, count) = (value.magnitude, 0)
    while rest > 0 {
      rest /= 10
      count += 1
    }
    return count
  }

  /// Nil when it has more than 38 digits.
  @inline(__always) static func raised(_ value: Int128, by digits: Int) -> Int128? {
    if digits == 0 { return value }
    let (product, over) = value.multipliedReportingOverflow(by: power(digits))
    return !over && fits(product) ? product : nil
  }

  /// Divides by 10^digits, halves away from zero.
  static func rounded(_ value: Int128, droppingDigits digits: Int) -> Int128 {
    guard digits > 0 else { return value }
    guard digits <= 38 else { return 0 }
    let (quotient, rest) = value.quotientAndRemainder(dividingBy: power(digits))
    let isUp = rest.magnitude * 2 >= power(digits).magnitude
    return isUp ? quotient + (value < 0 ? -1 : 1) : quotient
  }

  /// `a·10^shift / b`, halves away from zero; nil when it has more than 38 digits. `b` is not zero, `shift` at most 38.
  static func quotient(_ a: Int128, _ b: Int128, shift: Int) -> Int128? {
    var divisor = b.magnitude
    if shift < 0 {
      guard shift >= -38 else { return 0 }
      let (scaled, over) = divisor.multipliedReportingOverflow(by: power(-shift).magnitude)
      // More than twice anything that has 38 digits.
      if over { return 0 }
      divisor = scaled
    }
    let product = a.magnitude.multipliedFullWidth(by: power(max(0, shift)).magnitude)
    guard product.high < divisor else { return nil }
    var (quotient, rest) = divisor.dividingFullWidth(product)
    if rest >= divisor - rest { quotient += 1 }
    guard quotient < limit.magnitude else { return nil }
    return (a < 0) == (b < 0) ? Int128(quotient) : -Int128(quotient)
  }

  /// -1, 0 or 1, whatever the scales.
  static func compare(_ a: Int128, _ scaleA: Int, _ b: Int128, _ scaleB: Int) -> Int {
    func order(_ x: Int128, _ y: Int128) -> Int { x < y ? -1 : x == y ? 0 : 1 }
    if scaleA == scaleB { return order(a, b) }
    if (a < 0) != (b < 0) { return a < b ? -1 : 1 }
    if scaleA < scaleB {
      guard let raised = raised(a, by: scaleB - scaleA) else { return a < 0 ? -1 : 1 }
      return order(raised, b)
    }
    guard let raised = raised(b, by: scaleA - scaleB) else { return b < 0 ? 1 : -1 }
    return order(a, raised)
  }

  // MARK: Canonical bytes

  /// A canonical `numeric` at that scale; a fault when it has more decimals or digits, or is none.
  package static func read(_ bytes: UnsafeRawBufferPointer, scale: Int) -> (Int128, RowFault?) {
    @inline(__always) func word(_ index: Int) -> Int {
      Int(UInt16(bigEndian: bytes.loadUnaligned(fromByteOffset: index * 2, as: UInt16.self)))
    }
    guard bytes.count >= 8 else { return (0, .wrongType) }
    let (count, weight, sign) = (word(0), Int(Int16(truncatingIfNeeded: word(1))), word(2))
    if sign & 0xC000 == 0xC000 { return (0, .notFinite) }
    guard bytes.count == 8 + count * 2, sign == 0 || sign == 0x4000 else { return (0, .wrongType) }
    guard count > 0 else { return (0, nil) }
    // The digits so far stand for value·10^(4·power).
    var value: Int128 = 0
    for index in 0..<count {
      let group = word(4 + index)
      guard group < 10_000 else { return (0, .wrongType) }
      let power = (weight - index) * 4
      if power + scale >= 0 {
        let (scaled, over) = value.multipliedReportingOverflow(by: index == 0 ? 1 : 10_000)
        let (sum, beyond) = scaled.addingReportingOverflow(Int128(group))
        guard !over, !beyond, fits(sum) else { return (0, .outOfRange) }
        value = sum
      } else {
        let dropped = -(power + scale)
        let kept = dropped >= 4 ? 0 : 4 - dropped
        let part = Int(power10(4 - kept))
        guard group % part == 0 else { return (0, .tooManyDecimals) }
        if kept > 0 {
          guard let scaled = raised(value, by: index == 0 ? 0 : kept) else { return (0, .outOfRange) }
          value = scaled + Int128(group / part)
        }
      }
    }
    let lowest = (weight - count + 1) * 4 + scale
    if lowest > 0 {
      guard lowest <= 38, let raised = raised(value, by: lowest) else { return (0, .outOfRange) }
      value = raised
    }
    guard fits(value) else { return (0, .outOfRange) }
    return (sign == 0 ? value : -value, nil)
  }

  private static func power10(_ exponent: Int) -> Int { [1, 10, 100, 1000, 10_000][exponent] }

  /// Appends the canonical field; or appends nothing and says that it has too many digits.
  package static func append(_ value: Int128, precision: Int, scale: Int, to batch: RowBatch) -> RowFault? {
    guard value.magnitude < power(precision).magnitude else { return .outOfRange }
    let one = power(scale).magnitude
    let (whole, fraction) = value.magnitude.quotientAndRemainder(dividingBy: one)
    var groups: [UInt16] = []
    groups.reserveCapacity(20)
    var rest = whole
    while rest > 0 {
      let (higher, group) = rest.quotientAndRemainder(dividingBy: 10_000)
      groups.append(UInt16(group))
      rest = higher
    }
    groups.reverse()
    var weight = groups.count - 1
    // Four digits at a time from the front; what is left below the point is always less than `unit`.
    var (left, unit, places) = (fraction, one, scale)
    while places > 0 {
      let step = min(4, places)
      unit /= power(step).magnitude
      let (group, lower) = left.quotientAndRemainder(dividingBy: unit)
      groups.append(UInt16(group) * UInt16(power10(4 - step)))
      left = lower
      places -= step
    }
    var first = 0
    while first < groups.count, groups[first] == 0 {
      first += 1
      weight -= 1
    }
    while groups.count > first, groups.last == 0 { groups.removeLast() }
    let count = groups.count - first
    if count == 0 { weight = 0 }
    let target = batch.reserve(12 + count * 2)
    target.storeBytes(of: Int32(8 + count * 2).bigEndian, as: Int32.self)
    target.storeBytes(of: UInt16(count).bigEndian, toByteOffset: 4, as: UInt16.self)
    target.storeBytes(of: Int16(weight).bigEndian, toByteOffset: 6, as: Int16.self)
    target.storeBytes(of: UInt16(value < 0 ? 0x4000 : 0).bigEndian, toByteOffset: 8, as: UInt16.self)
    target.storeBytes(of: UInt16(scale).bigEndian, toByteOffset: 10, as: UInt16.self)
    for place in 0..<count {
      target.storeBytes(of: groups[first + place].bigEndian, toByteOffset: 12 + place * 2, as: UInt16.self)
    }
    batch.advance(12 + count * 2)
    return nil
  }

  /// Digits with the scale's decimals.
  package static func text(_ value: Int128, scale: Int) -> String {
    let digits = String(value.magnitude)
    let padded = String(repeating: "0", count: max(0, scale + 1 - digits.count)) + digits
    let sign = value < 0 ? "-" : ""
    return scale == 0 ? sign + padded : sign + padded.dropLast(scale) + "." + padded.suffix(scale)
  }

  /// A written number at that scale.
  package static func parse(_ text: UnsafeRawBufferPointer, scale: Int) -> (Int128, RowFault?) {
    guard let number = Decimal38(text) else { return (0, .notANumber) }
    guard let value = number.scaled(to: scale) else {
      return (0, number.isExact(at: scale) ? .outOfRange : .tooManyDecimals)
    }
    return (value, nil)
  }
}
