/// Citizen identification number (公民身份号码, GB 11643-1999).
///
/// 18 characters: division of the first registration (as numbered then: numbers long abolished stay in use), day of
/// birth, three digits of sequence (odd for men) and a check character 0–9 or X. The check (ISO 7064 MOD 11-2) notices
/// every single wrong digit and every exchange of two neighbours.
package struct CitizenID: Hashable, Sendable {
  /// Personal data: never into a log or an error. `masked` is for showing.
  package let text: String

  package static let length = 18

  /// Throws the first rule broken. `today` is the day the code is looked at: nobody is born after it.
  package init(_ text: some StringProtocol, on today: CalendarDate) throws(CodeFault) {
    guard !text.isEmpty else { throw .empty }
    guard text.count == Self.length else { throw .length(expected: Self.length, found: text.count) }
    if let fault = firstForeign(
      in: text, allowed: { $0.decimalDigit != nil || $1 == 18 && $0 == UInt8(ascii: "X") })
    {
      throw fault
    }
    let bytes = Array(text.utf8)
    guard isProvince(Int(bytes[0] - 48) * 10 + Int(bytes[1] - 48)) else {
      throw .province(String(decoding: bytes[0..<2], as: UTF8.self))
    }
    let written = String(decoding: bytes[6..<14], as: UTF8.self)
    let packed = Int(written)!
    guard packed >= Self.earliest,
      let born = CalendarDate(year: packed / 10_000, month: packed / 100 % 100, day: packed % 100)
    else { throw .date(written) }
    guard born <= today else { throw .future(today) }
    let check = Self.checkCharacter(of: bytes[0..<17])
    guard check == bytes[17] else { throw .check(expected: check.character, found: bytes[17].character) }
    self.text = String(text)
  }

  /// The 15-digit number of before 1999 in its 18-digit form: the century 19 and the check character are added.
  package init(legacy text: some StringProtocol, on today: CalendarDate) throws(CodeFault) {
    guard text.count == 15 else { throw .length(expected: 15, found: text.count) }
    if let fault = firstForeign(in: text, allowed: { byte, _ in byte.decimalDigit != nil }) { throw fault }
    let head = Array("\(text.prefix(6))19\(text.dropFirst(6))".utf8)
    try self.init(
      String(decoding: head + [Self.checkCharacter(of: head[...])], as: UTF8.self), on: today)
  }

  /// Six digits of GB/T 2260 as of the first registration.
  package var division: String { String(text.prefix(6)) }
  package var born: CalendarDate {
    let digits = Int(text.dropFirst(6).prefix(8))!
    return CalendarDate(year: digits / 10_000, month: digits / 100 % 100, day: digits % 100)!
  }
  package var isMale: Bool { Array(text.utf8)[16] % 2 == 1 }
  /// First six and last four characters, the rest as stars: `630102********7211`.
  package var masked: String { "\(text.prefix(6))********\(text.suffix(4))" }

  // MARK: - Bytes

  /// A last day of birth for `isValid`, computed once per run instead of once per row.
  package struct Horizon: Sendable {
    let packed: Int
    package init(_ today: CalendarDate) { packed = today.year * 10_000 + today.month * 100 + today.day }
  }

  /// Whether these bytes (ASCII or UTF-8) are a number, all rules included. Allocates nothing.
  package static func isValid(_ bytes: UnsafeRawBufferPointer, on horizon: Horizon) -> Bool {
    guard bytes.count == length else { return false }
    var sum = 0
    for index in 0..<17 {
      let digit = bytes[index] &- 48
      guard digit < 10 else { return false }
      sum &+= Int(digit) &* weight(index)
    }
    guard checkCharacter(sum) == bytes[17] else { return false }
    func two(_ at: Int) -> Int { Int(bytes[at] &- 48) &* 10 &+ Int(bytes[at &+ 1] &- 48) }
    let (year, month, day) = (two(6) &* 100 &+ two(8), two(10), two(12))
    let packed = year &* 10_000 &+ month &* 100 &+ day
    return isProvince(two(0)) && packed >= earliest && packed <= horizon.packed && month >= 1 && month <= 12
      && day >= 1 && day <= CalendarDate.length(ofMonth: month, year: year)
  }

  package static func isValid(_ bytes: Span<UInt8>, on horizon: Horizon) -> Bool {
    bytes.withUnsafeBytes { isValid($0, on: horizon) }
  }

  /// The check character of seventeen digits: `make` for generators of fictitious people.
  package static func checkCharacter(of bytes: ArraySlice<UInt8>) -> UInt8 {
    checkCharacter(bytes.enumerated().reduce(0) { $0 + Int($1.element - 48) * weight($1.offset) })
  }

  /// Nobody born before 1800 is registered anywhere.
  private static let earliest = 1800_01_01

  @inline(__always) private static func checkCharacter(_ sum: Int) -> UInt8 {
    let characters: StaticString = "10X98765432"
    return characters.utf8Start[sum % 11]
  }

  /// 7 9 10 5 8 4 2 1 6 3 7 9 10 5 8 4 2, that is 2^(18−i) mod 11.
  @inline(__always) private static func weight(_ index: Int) -> Int {
    let weights: StaticString = "79:584216379:5842"
    return Int(weights.utf8Start[index]) - 48
  }
}

/// GB/T 2260: the numbers of provinces, with 81 to 83 as used on residence permits.
@inline(__always) package func isProvince(_ number: Int) -> Bool {
  switch number {
  case 11...15, 21...23, 31...37, 41...46, 50...54, 61...65, 71, 81...83: true
  default: false
  }
}

extension CitizenID: CustomStringConvertible {
  /// Masked, so that an interpolation cannot leak it.
  package var description: String { masked }
}
