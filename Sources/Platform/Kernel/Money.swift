/// An amount in renminbi, in whole fen (分). Never a floating-point number.
///
/// Bounds: ±9.2·10¹⁶ yuan. Arithmetic beyond them stops the program rather than wrap.
package struct Money: Hashable, Comparable, Sendable {
  package var fen: Int64

  package init(fen: Int64) { self.fen = fen }

  package static let zero = Money(fen: 0)

  /// Reads `1234.5`, `1,234.50`, `-3` as yuan: at most two decimals, commas only before each third digit. Nil for
  /// anything else; rounding would be a guess.
  package init?(yuan text: some StringProtocol) {
    guard let fen = fixedPoint(text, decimals: 2) else { return nil }
    self.fen = fen
  }

  /// Reads an amount in units of ten thousand yuan (万元), as budgets are written: at most six decimals.
  package init?(wanYuan text: some StringProtocol) {
    guard let fen = fixedPoint(text, decimals: 6) else { return nil }
    self.fen = fen
  }

  package static func < (a: Money, b: Money) -> Bool { a.fen < b.fen }
  package static func + (a: Money, b: Money) -> Money { Money(fen: a.fen + b.fen) }
  package static func - (a: Money, b: Money) -> Money { Money(fen: a.fen - b.fen) }
  package static func * (a: Money, times: Int64) -> Money { Money(fen: a.fen * times) }
  package static prefix func - (a: Money) -> Money { Money(fen: -a.fen) }

  /// `1,234.50`, for people.
  package var yuan: String {
    let text = plain
    let sign = fen < 0 ? 1 : 0
    let whole = Array(text.dropFirst(sign).dropLast(3))
    var result = String(text.prefix(sign))
    for (index, digit) in whole.enumerated() {
      if index > 0, (whole.count - index) % 3 == 0 { result.append(",") }
      result.append(digit)
    }
    return result + text.suffix(3)
  }

  /// `1234.50`, for machines.
  package var plain: String {
    let (yuan, rest) = fen.magnitude.quotientAndRemainder(dividingBy: 100)
    return "\(fen < 0 ? "-" : "")\(yuan).\(rest < 10 ? "0" : "")\(rest)"
  }
}

extension Money: CustomStringConvertible {
  package var description: String { plain }
}

/// A decimal text as an integer of its last allowed decimal; nil when it has more decimals or does not fit.
private func fixedPoint(_ text: some StringProtocol, decimals: Int) -> Int64? {
  var bytes = Array(text.utf8)
  let negative = bytes.first == UInt8(ascii: "-")
  if negative { bytes.removeFirst() }
  guard !bytes.isEmpty, bytes.count <= 30 else { return nil }
  let parts = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
  guard parts.count <= 2, let whole = digits(grouped: parts[0]) else { return nil }
  var fraction: [UInt8] = []
  if parts.count == 2 {
    fraction = Array(parts[1])
    guard !fraction.isEmpty, fraction.count <= decimals, fraction.allSatisfy({ $0.decimalDigit != nil }) else {
      return nil
    }
  }
  fraction += [UInt8](repeating: UInt8(ascii: "0"), count: decimals - fraction.count)
  return Int64((negative ? "-" : "") + String(decoding: whole + fraction, as: UTF8.self))
}

/// Digits, with commas either nowhere or before every third from the end.
private func digits(grouped bytes: ArraySlice<UInt8>) -> [UInt8]? {
  let groups = bytes.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
  guard let first = groups.first, !first.isEmpty, groups.count == 1 || first.count <= 3,
    groups.dropFirst().allSatisfy({ $0.count == 3 }),
    groups.allSatisfy({ $0.allSatisfy { $0.decimalDigit != nil } })
  else { return nil }
  return groups.flatMap { $0 }
}
