/// A written number, taken apart digit by digit: no rounding through binary floating point.
package struct Decimal38 {
  private let text: UnsafeRawBufferPointer
  private let isNegative: Bool
  /// Where the digits stand in `text`, and how many of them are before the point (negative or beyond the end after an
  /// exponent moved it).
  private let first: Int
  private let last: Int
  private let dot: Int?
  private let pointAfter: Int
  private let digitCount: Int

  /// `[+-]digits[.digits][e[+-]digits]`, at least one digit, exponent within ±400; nil for anything else.
  package init?(_ text: UnsafeRawBufferPointer) {
    var at = 0
    var negative = false
    if at < text.count, text[at] == UInt8(ascii: "-") || text[at] == UInt8(ascii: "+") {
      negative = text[at] == UInt8(ascii: "-")
      at += 1
    }
    let first = at
    var dot: Int?
    var digits = 0
    scan: while at < text.count {
      switch text[at] {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): digits += 1
      case UInt8(ascii: ".") where dot == nil: dot = at
      default: break scan
      }
      at += 1
    }
    guard digits > 0, digits <= 400 else { return nil }
    let last = at
    var exponent = 0
    if at < text.count {
      guard text[at] | 0x20 == UInt8(ascii: "e"),
        let value = Int(String(decoding: text[(at + 1)...], as: UTF8.self)), (-400...400).contains(value)
      else { return nil }
      exponent = value
    }
    self.text = text
    isNegative = negative
    self.first = first
    self.last = last
    self.dot = dot
    digitCount = digits
    pointAfter = (dot.map { $0 - first } ?? digits) + exponent
  }

  package static func isNumber(_ text: UnsafeRawBufferPointer) -> Bool { Decimal38(text) != nil }

  /// Digit number `index` counted from the first written one; zero outside.
  private func digit(_ index: Int) -> UInt8 {
    guard index >= 0, index < digitCount else { return 0 }
    let beforeDot = dot.map { $0 - first } ?? digitCount
    return text[first + index + (index >= beforeDot ? 1 : 0)] - UInt8(ascii: "0")
  }

  package var isWhole: Bool { (max(pointAfter, 0)..<max(digitCount, pointAfter, 0)).allSatisfy { digit($0) == 0 } }

  /// Nil when the whole part does not fit.
  package var int64: Int64? {
    var value: Int64 = 0
    var index = 0
    while index < pointAfter {
      let (product, over) = value.multipliedReportingOverflow(by: 10)
      let step = Int64(digit(index))
      let (sum, beyond) =
        isNegative ? product.subtractingReportingOverflow(step) : product.addingReportingOverflow(step)
      if over || beyond { return nil }
      value = sum
      index += 1
    }
    return value
  }

  /// Whether nothing but zeros stands behind that many decimals.
  package func isExact(at scale: Int) -> Bool {
    var index = max(0, pointAfter + scale)
    while index < digitCount {
      if digit(index) != 0 { return false }
      index += 1
    }
    return true
  }

  /// The number times 10^scale; nil when that is no whole number or has more than 38 digits.
  package func scaled(to scale: Int) -> Int128? {
    guard isExact(at: scale) else { return nil }
    var (value, digits): (Int128, Int) = (0, 0)
    var index = 0
    while index < pointAfter + scale {
      let next = digit(index)
      if value != 0 || next != 0 {
        digits += 1
        guard digits <= 38 else { return nil }
      }
      value = value * 10 + Int128(next)
      index += 1
    }
    return isNegative ? -value : value
  }

  /// The number times 10^scale, halves away from zero; nil when it has more than 38 digits.
  package func rounded(to scale: Int) -> Int128? {
    var (value, digits): (Int128, Int) = (0, 0)
    for index in 0..<max(0, pointAfter + scale) {
      let next = digit(index)
      if value != 0 || next != 0 {
        digits += 1
        guard digits <= 38 else { return nil }
      }
      value = value * 10 + Int128(next)
    }
    if pointAfter + scale >= 0, digit(pointAfter + scale) >= 5 { value += 1 }
    return isNegative ? -value : value
  }

  /// Appends canonical `numeric` bytes; or appends nothing and says why not.
  package func append(precision: Int, scale: Int, to batch: RowBatch) -> RowFault? {
    var lead = min(0, pointAfter)
    while lead < pointAfter, digit(lead) == 0 { lead += 1 }
    let whole = pointAfter - lead
    if whole > precision - scale { return .outOfRange }
    var index = pointAfter + scale
    while index < digitCount {
      if digit(index) != 0 { return .tooManyDecimals }
      index += 1
    }
    // Groups of four digits, aligned at the point.
    let wholeGroups = (whole + 3) / 4
    let groups = wholeGroups + (scale + 3) / 4
    withUnsafeTemporaryAllocation(of: UInt16.self, capacity: groups + 1) { buffer in
      for group in 0..<groups {
        var value: UInt16 = 0
        for place in 0..<4 {
          let index = pointAfter + (group - wholeGroups) * 4 + place
          let isKept = index >= lead && index < pointAfter + scale
          value = value * 10 + UInt16(isKept ? digit(index) : 0)
        }
        buffer[group] = value
      }
      Self.append(
        UnsafeMutableBufferPointer(rebasing: buffer[..<groups]), weight: wholeGroups - 1, isNegative, scale, batch)
    }
    return nil
  }

  private static func append(
    _ groups: UnsafeMutableBufferPointer<UInt16>, weight: Int, _ isNegative: Bool, _ scale: Int, _ batch: RowBatch
  ) {
    var (low, high, weight) = (0, groups.count, weight)
    while low < high, groups[low] == 0 {
      low += 1
      weight -= 1
    }
    while high > low, groups[high - 1] == 0 { high -= 1 }
    if low == high { weight = 0 }
    let count = high - low
    let target = batch.reserve(12 + count * 2)
    target.storeBytes(of: Int32(8 + count * 2).bigEndian, as: Int32.self)
    let header: [UInt16] = [
      UInt16(count), UInt16(bitPattern: Int16(weight)), isNegative && count > 0 ? 0x4000 : 0, UInt16(scale),
    ]
    for (place, word) in header.enumerated() {
      (target + 4 + place * 2).storeBytes(of: word.bigEndian, as: UInt16.self)
    }
    for place in 0..<count {
      (target + 12 + place * 2).storeBytes(of: groups[low + place].bigEndian, as: UInt16.self)
    }
    batch.advance(12 + count * 2)
  }

  /// Canonical bytes as written digits, always with the scale's decimals; nil when they are no finite `numeric`.
  package static func text(of bytes: UnsafeRawBufferPointer) -> String? {
    guard bytes.count >= 8, bytes.count % 2 == 0 else { return nil }
    func word(_ index: Int) -> UInt16 {
      UInt16(bigEndian: bytes.loadUnaligned(fromByteOffset: index * 2, as: UInt16.self))
    }
    let count = Int(word(0))
    let weight = Int(Int16(bitPattern: word(1)))
    guard bytes.count == 8 + count * 2, word(2) == 0 || word(2) == 0x4000 else { return nil }
    let scale = Int(word(3))
    guard scale <= 1000, abs(weight) <= 300 else { return nil }
    func group(_ power: Int) -> Int {
      let index = weight - power
      return index >= 0 && index < count ? Int(word(4 + index)) : 0
    }
    func four(_ value: Int) -> String { String(String(value + 10_000).dropFirst()) }
    var whole = ""
    if weight >= 0 {
      whole = String(group(weight))
      for power in stride(from: weight - 1, through: 0, by: -1) { whole += four(group(power)) }
    } else {
      whole = "0"
    }
    var fraction = ""
    var power = -1
    while fraction.count < scale {
      fraction += four(group(power))
      power -= 1
    }
    return (word(2) == 0x4000 ? "-" : "") + whole + (scale > 0 ? "." + fraction.prefix(scale) : "")
  }
}
