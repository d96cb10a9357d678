package import Connecting
import Kernel
import NationalCrypto

/// Values become others of the same form, one to one under a key: FF1 (NIST SP 800-38G) over SM4, a construction of ours
/// from a published mode and our national cipher. Used by one thread.
package final class Tokens {
  package let kind: ValueMask.Token
  private let tweak: [UInt8]
  private let bits: FormatPreserving
  private let decimal: FormatPreserving

  /// `key`: 16 bytes of the provider's for this grant. `tweak`: the grant's and the item's, so that two items of a grant
  /// have different tokens.
  package init?(_ kind: ValueMask.Token, key: [UInt8], tweak: [UInt8]) {
    guard let cipher = BlockCipher(.sm4, key: key) else { return nil }
    self.kind = kind
    self.tweak = tweak
    bits = FormatPreserving(cipher, radix: 2)
    decimal = FormatPreserving(cipher, radix: 10)
  }

  /// The token of a value; a fault when the value has not the form.
  package func make(_ value: UnsafeRawBufferPointer) -> ([UInt8], RowFault?) { run(value, forwards: true) }

  /// The value of a token, for its provider.
  package func undo(_ token: UnsafeRawBufferPointer) -> ([UInt8], RowFault?) { run(token, forwards: false) }

  private func run(_ value: UnsafeRawBufferPointer, forwards: Bool) -> ([UInt8], RowFault?) {
    switch kind {
    case .citizenID: citizenID(value, forwards)
    case .mobile: mobile(value, forwards)
    case .creditCode: creditCode(value, forwards)
    case .digits: digits(value, forwards)
    case .text: text(value, forwards)
    }
  }

  private static func number(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> UInt128? {
    var value: UInt128 = 0
    for at in range {
      let digit = bytes[at] &- 48
      guard digit < 10 else { return nil }
      value = value * 10 + UInt128(digit)
    }
    return value
  }

  private static func written(_ value: UInt128, _ width: Int) -> [UInt8] {
    var bytes = [UInt8](repeating: 48, count: width)
    var rest = value
    for place in stride(from: width - 1, through: 0, by: -1) {
      bytes[place] = UInt8(48 + rest % 10)
      rest /= 10
    }
    return bytes
  }

  // MARK: Citizen IDs

  private static let provinces = (1...99).filter(isProvince)
  /// As many numbers that no province has or had. Those from 90 on are left out: residence cards of foreigners begin
  /// with 9.
  private static let nowhere = Array((10..<90).filter { !isProvince($0) }.reversed().prefix(provinces.count))
  private static let firstDay = CalendarDate(year: 1800, month: 1, day: 1)?.daysSince1970 ?? 0
  private static let dayCount = (CalendarDate(year: 2099, month: 12, day: 31)?.daysSince1970 ?? 0) - firstDay + 1

  /// Province, rest of the division, day of birth and sequence as one number, permuted. The token's day of birth is a
  /// day, too; only its division is nowhere.
  private func citizenID(_ value: UnsafeRawBufferPointer, _ forwards: Bool) -> ([UInt8], RowFault?) {
    let (from, to) = forwards ? (Self.provinces, Self.nowhere) : (Self.nowhere, Self.provinces)
    guard value.count == 18, let digits = Self.number(value, 0..<17) else { return ([], .malformedCode) }
    guard CitizenID.checkCharacter(of: Array(value[0..<17])[...]) == value[17] else { return ([], .checkDigit) }
    let written = Int(digits / 1000 % 100_000_000)
    guard let province = from.firstIndex(of: Int(digits / 1_000_000_000_000_000)),
      let born = CalendarDate(year: written / 10_000, month: written / 100 % 100, day: written % 100),
      case let day = born.daysSince1970 - Self.firstDay, (0..<Self.dayCount).contains(day)
    else { return ([], .malformedCode) }
    let (days, sequence) = (UInt128(Self.dayCount), digits % 1000)
    let division = digits / 100_000_000_000 % 10_000
    let number = ((UInt128(province) * 10_000 + division) * days + UInt128(day)) * 1000 + sequence
    let other = bits.permute(
      number, below: UInt128(from.count) * 10_000 * days * 1000, tweak: tweak, forwards: forwards)
    let date = CalendarDate(daysSince1970: Int(other / 1000 % days) + Self.firstDay)
    let place = other / 1000 / days
    var bytes = Self.written(UInt128(to[Int(place / 10_000)]), 2) + Self.written(place % 10_000, 4)
    bytes += Self.written(UInt128(date.year * 10_000 + date.month * 100 + date.day), 8)
    bytes += Self.written(other % 1000, 3)
    bytes.append(CitizenID.checkCharacter(of: bytes[...]))
    return (bytes, nil)
  }

  // MARK: Numbers

  /// 1 and ten digits become 2 and ten others. Undoing gives nothing for what is no token.
  private func mobile(_ value: UnsafeRawBufferPointer, _ forwards: Bool) -> ([UInt8], RowFault?) {
    guard value.count == 11, value[0] == (forwards ? UInt8(ascii: "1") : UInt8(ascii: "2")),
      Self.number(value, 1..<11) != nil, !forwards || value[1] >= UInt8(ascii: "3")
    else { return ([], .malformedCode) }
    var numerals = value.dropFirst().map { UInt16($0 - 48) }
    forwards ? decimal.encrypt(&numerals, tweak: tweak) : decimal.decrypt(&numerals, tweak: tweak)
    return ([forwards ? UInt8(ascii: "2") : UInt8(ascii: "1")] + numerals.map { UInt8($0 + 48) }, nil)
  }

  private func digits(_ value: UnsafeRawBufferPointer, _ forwards: Bool) -> ([UInt8], RowFault?) {
    if value.count == 0 { return ([], nil) }
    guard value.allSatisfy({ $0 &- 48 < 10 }) else { return ([], .malformedCode) }
    guard decimal.lengths.contains(value.count) else { return ([], .cannotMask) }
    var numerals = value.map { UInt16($0 - 48) }
    forwards ? decimal.encrypt(&numerals, tweak: tweak) : decimal.decrypt(&numerals, tweak: tweak)
    return (numerals.map { UInt8($0 + 48) }, nil)
  }

  // MARK: Credit codes

  private static let alphabet = Array("0123456789ABCDEFGHJKLMNPQRTUWXY".utf8)
  /// Department and category: those of GB 32100, and as many that it does not have.
  private static let offices: [[UInt8]] = alphabet.flatMap { department in
    alphabet.filter { CreditCode.hasCategory(department, $0) }.map { [department, $0] }
  }
  private static let noOffices: [[UInt8]] = Array(
    alphabet.filter { department in alphabet.allSatisfy { !CreditCode.hasCategory(department, $0) } }
      .flatMap { department in (1...9).map { [department, UInt8(48 + $0)] } }.prefix(offices.count))

  private func creditCode(_ value: UnsafeRawBufferPointer, _ forwards: Bool) -> ([UInt8], RowFault?) {
    let (from, to) = forwards ? (Self.offices, Self.noOffices) : (Self.noOffices, Self.offices)
    guard value.count == 18, let office = from.firstIndex(where: { $0[0] == value[0] && $0[1] == value[1] }),
      let division = Self.number(value, 2..<8)
    else { return ([], .malformedCode) }
    var body: UInt128 = 0
    for at in 8..<17 {
      let digit = CreditCode.value(of: value[at])
      guard digit < 31 else { return ([], .malformedCode) }
      body = body * 31 + UInt128(digit)
    }
    guard CreditCode.checkCharacter(of: Array(value[0..<17])[...]) == value[17] else { return ([], .checkDigit) }
    let bodies: UInt128 = (0..<9).reduce(1) { value, _ in value * 31 }
    let number = (UInt128(office) * 1_000_000 + division) * bodies + body
    let other = bits.permute(
      number, below: UInt128(from.count) * 1_000_000 * bodies, tweak: tweak, forwards: forwards)
    var bytes = to[Int(other / bodies / 1_000_000)] + Self.written(other / bodies % 1_000_000, 6)
    var (rest, tail) = (other % bodies, [UInt8](repeating: 0, count: 9))
    for place in (0..<9).reversed() {
      tail[place] = Self.alphabet[Int(rest % 31)]
      rest /= 31
    }
    bytes += tail
    bytes.append(CreditCode.checkCharacter(of: bytes[...]))
    return (bytes, nil)
  }

  // MARK: Text

  private func text(_ value: UnsafeRawBufferPointer, _ forwards: Bool) -> ([UInt8], RowFault?) {
    guard value.count > 0 else { return ([], nil) }
    guard let pieces = TokenText(value) else { return ([], .cannotMask) }
    var numbers = pieces.numbers
    let sizes = pieces.sizes
    func permute(_ index: Int, _ others: ArraySlice<UInt128>, _ pass: UInt8) {
      var tweak = tweak + [pass]
      if !others.isEmpty {
        tweak += SM3.hash(others.flatMap { value in withUnsafeBytes(of: value.bigEndian) { [UInt8]($0) } }).bytes
      }
      numbers[index] = bits.permute(numbers[index], below: sizes[index], tweak: tweak, forwards: forwards)
    }
    // Two passes over a long text, so that every part of the token depends on every part of the text: a common beginning
    // would show otherwise. Each goes so that what a part was permuted by still stands, or stands again.
    let isLong = numbers.count > 1
    if forwards {
      for index in numbers.indices.reversed() { permute(index, numbers[..<index], 0) }
      if isLong { for index in numbers.indices { permute(index, numbers[(index + 1)...], 1) } }
    } else {
      if isLong { for index in numbers.indices.reversed() { permute(index, numbers[(index + 1)...], 1) } }
      for index in numbers.indices { permute(index, numbers[..<index], 0) }
    }
    return (pieces.written(numbers), nil)
  }
}
