/// Organisation code (组织机构代码, GB 11714-1997): eight characters 0–9 A–Z and a check character 0–9 or X.
///
/// Kept without the hyphen, since it lives on as characters 9 to 17 of the unified social credit code. The check works
/// modulo 11 over values up to 35, so two characters whose values differ by 11 or 22 can stand for each other unnoticed.
package struct OrganisationCode: Hashable, Comparable, Sendable {
  package let text: String

  /// Reads nine characters, or ten with the hyphen of the printed form before the last.
  package init(_ text: some StringProtocol) throws(CodeFault) {
    guard !text.isEmpty else { throw .empty }
    var plain = String(text)
    if plain.count == 10, plain.dropFirst(8).first == "-" { plain = String(plain.prefix(8) + plain.suffix(1)) }
    guard plain.count == 9 else { throw .length(expected: 9, found: plain.count) }
    if let fault = firstForeign(
      in: plain,
      allowed: { $1 < 9 ? Self.value(of: $0) < 36 : $0.decimalDigit != nil || $0 == UInt8(ascii: "X") })
    {
      throw fault
    }
    let bytes = Array(plain.utf8)
    let check = Self.checkCharacter(of: bytes[0..<8])
    guard check == bytes[8] else { throw .check(expected: check.character, found: bytes[8].character) }
    self.text = plain
  }

  /// Adds the check character to eight characters.
  package static func make(_ body: String) throws(CodeFault) -> OrganisationCode {
    guard body.count == 8 else { throw .length(expected: 8, found: body.count) }
    if let fault = firstForeign(in: body, allowed: { byte, _ in value(of: byte) < 36 }) { throw fault }
    return try OrganisationCode(body + String(checkCharacter(of: Array(body.utf8)[...]).character))
  }

  /// `00001333-8`, as printed.
  package var printed: String { "\(text.prefix(8))-\(text.suffix(1))" }

  package static func < (a: OrganisationCode, b: OrganisationCode) -> Bool { a.text < b.text }

  /// Whether these nine bytes (without hyphen) are a code. Allocates nothing.
  package static func isValid(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard bytes.count == 9 else { return false }
    var sum = 0
    for index in 0..<8 {
      let value = value(of: bytes[index])
      guard value < 36 else { return false }
      sum &+= value &* weight(index)
    }
    return checkCharacter(sum) == bytes[8]
  }

  package static func isValid(_ bytes: Span<UInt8>) -> Bool { bytes.withUnsafeBytes { isValid($0) } }

  static func checkCharacter(of bytes: ArraySlice<UInt8>) -> UInt8 {
    checkCharacter(bytes.enumerated().reduce(0) { $0 + value(of: $1.element) * weight($1.offset) })
  }

  @inline(__always) private static func checkCharacter(_ sum: Int) -> UInt8 {
    switch 11 - sum % 11 {
    case 10: UInt8(ascii: "X")
    case 11: UInt8(ascii: "0")
    case let digit: UInt8(48 + digit)
    }
  }

  /// 3 7 9 10 5 8 4 2.
  @inline(__always) private static func weight(_ index: Int) -> Int {
    let weights: StaticString = "379:5842"
    return Int(weights.utf8Start[index]) - 48
  }

  @inline(__always) static func value(of byte: UInt8) -> Int {
    if byte &- 48 < 10 { return Int(byte &- 48) }
    return byte &- 65 < 26 ? Int(byte) - 55 : 255
  }
}

extension OrganisationCode: CustomStringConvertible {
  package var description: String { text }
}
