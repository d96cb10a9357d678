internal import Connecting
internal import Kernel

/// What a column's values seem to be, judged by their check digits and forms, with the count it rests on.
struct ValueGuess: Hashable, Sendable {
  /// A code of the list `semantic`.
  var semantic: String
  var evidence: Item.Evidence

  /// So many of a hundred values must pass: real tables hold some wrong codes.
  static let share = 90
  /// Fewer values than this prove nothing.
  static let fewest = 5

  /// The first kind that enough values pass; kinds with check digits come first, because chance rarely passes them.
  static func of(column: ColumnDescription, values: [String], on today: CalendarDate) -> ValueGuess? {
    let filled = values.map { typedCode($0) }.filter { !$0.isEmpty }
    // An empty table proves nothing, and its columns' names still say what will stand in them.
    if filled.isEmpty { return hint(column).map { ValueGuess(semantic: $0, evidence: .init(valid: 0, looked: 0)) } }
    guard filled.count >= fewest else { return nil }
    for (semantic, passes) in kinds(column, today) where column.type == .text || numeric.contains(semantic) {
      let valid = filled.count(where: passes)
      if valid * 100 >= filled.count * share {
        return ValueGuess(semantic: semantic, evidence: Item.Evidence(valid: valid, looked: filled.count))
      }
    }
    return nil
  }

  private static func kinds(
    _ column: ColumnDescription, _ today: CalendarDate
  ) -> [(String, (String) -> Bool)] {
    var kinds: [(String, (String) -> Bool)] = [
      ("uscc", { (try? CreditCode($0)) != nil }),
      ("citizen-id", { (try? CitizenID($0, on: today)) != nil }),
      ("organisation-code", { (try? OrganisationCode($0)) != nil }),
      ("mobile", isMobile),
    ]
    // Ten in a hundred numbers pass Luhn's check: it counts only where the column speaks of an account.
    if says(column, bankWords) { kinds.append(("bank-card", isBankCard)) }
    // Six digits are many things; only a column that says so is taken for a division's code.
    if says(column, ["division", "region", "xzqh", "行政区划", "区划"]) {
      kinds.append(("division", { Divisions.embedded.known($0) != nil }))
    }
    if says(column, addressWords) {
      kinds.append(("address", isAddress))
    }
    if says(column, nameWords) { kinds.append(("person-name", isPersonName)) }
    return kinds
  }

  private static let bankWords = ["bank", "card", "account", "银行", "卡号", "账号", "帐号", "yhkh", "yhzh"]
  private static let addressWords = ["address", "addr", "地址", "住址", "住所", "dz"]
  private static let nameWords = ["person", "representative", "姓名", "代表人", "负责人", "联系人", "xm"]
  /// Kinds that are sometimes kept as whole numbers.
  private static let numeric: Set = ["citizen-id", "mobile", "bank-card"]

  /// What a text column without any value is meant for, by its name alone: only kinds that are about persons, where a
  /// guess too many costs a look and one too few costs a secret.
  private static func hint(_ column: ColumnDescription) -> String? {
    guard column.type == .text else { return nil }
    return [
      ("citizen-id", ["身份证", "公民身份", "证件号", "id_card", "idcard", "sfzh", "sfzjh"]),
      ("mobile", ["手机", "联系电话", "mobile", "phone", "sjh", "lxdh"]), ("bank-card", bankWords),
      ("address", addressWords), ("person-name", nameWords),
    ].first { says(column, $0.1) }?.0
  }

  private static func says(_ column: ColumnDescription, _ words: [String]) -> Bool {
    let text = (column.name + " " + (column.comment ?? "")).lowercased()
    return words.contains { text.contains($0) }
  }
}

/// Eleven digits that begin as the numbering plan gives mobile numbers.
private func isMobile(_ text: String) -> Bool {
  let bytes = Array(text.utf8)
  return bytes.count == 11 && bytes[0] == UInt8(ascii: "1")
    && (UInt8(ascii: "3")...UInt8(ascii: "9")).contains(bytes[1])
    && bytes.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
}

/// 15 to 19 digits that pass Luhn's check (GB/T 17552, ISO/IEC 7812-1).
private func isBankCard(_ text: String) -> Bool {
  let digits = text.utf8.map { Int($0) - 48 }
  guard (15...19).contains(digits.count), digits.allSatisfy((0...9).contains), digits[0] > 0 else { return false }
  let sum = digits.reversed().enumerated().reduce(0) { sum, digit in
    let doubled = digit.offset % 2 == 0 ? digit.element : digit.element * 2
    return sum + (doubled > 9 ? doubled - 9 : doubled)
  }
  return sum % 10 == 0
}

private func isAddress(_ text: String) -> Bool {
  text.count >= 5
    && ["省", "市", "州", "县", "区", "镇", "乡", "村", "路", "街", "号"].count(where: { text.contains($0) }) >= 2
}

private func isPersonName(_ text: String) -> Bool {
  (2...15).contains(text.count)
    && text.unicodeScalars.allSatisfy { $0.properties.isIdeographic || $0 == "·" || $0 == "\u{2022}" }
}
