/// Which rule of its standard a code breaks, and what would have been right.
///
/// Positions count characters from one, as the standards do. A fault never carries the whole code: the codes of people
/// must not travel in errors.
package enum CodeFault: Error, Hashable, Sendable {
  case empty
  case length(expected: Int, found: Int)
  /// A character that the code's alphabet lacks, at that position.
  case character(Character, position: Int)
  /// GB 32100 table 1: no such registering department.
  case department(Character)
  /// GB 32100 table 1: the department has no such category.
  case category(Character, department: Character)
  /// GB/T 2260: no province, now or ever, has this number.
  case province(String)
  /// There is no such day, or it lies before 1800.
  case date(String)
  /// The day of birth lies after the day the code was looked at.
  case future(CalendarDate)
  /// The last character does not follow from the others: one of them was mistyped.
  case check(expected: Character, found: Character)

  package var message: Text {
    switch self {
    case .empty: Text("没有填写。", "Nothing was entered.")
    case .length(let expected, let found):
      Text("应为 \(expected) 位，实为 \(found) 位。", "Must have \(expected) characters, has \(found).")
    case .character(let character, let position):
      Text("第 \(position) 位的“\(character)”不允许使用。", "Character \(position), “\(character)”, is not allowed there.")
    case .department(let character):
      Text("第 1 位“\(character)”不是登记管理部门代码。", "Character 1, “\(character)”, names no registering department.")
    case .category(let category, let department):
      Text(
        "第 2 位“\(category)”不是登记管理部门“\(department)”的机构类别代码。",
        "Character 2, “\(category)”, is no category of registering department “\(department)”.")
    case .province(let digits):
      Text("前两位“\(digits)”不是行政区划代码。", "The first two digits, “\(digits)”, belong to no province.")
    case .date(let digits):
      Text("出生日期“\(digits)”不存在。", "There is no day of birth “\(digits)”.")
    case .future(let day):
      Text("出生日期在 \(day) 之后。", "The day of birth lies after \(day).")
    case .check(let expected, let found):
      Text(
        "校验码应为“\(expected)”，实为“\(found)”：其中有一位写错了。",
        "The check character should be “\(expected)” but is “\(found)”: some character was mistyped.")
    }
  }

  /// What a form shows beside the field.
  package func fault(in field: String) -> Refusal.Fault { Refusal.Fault(field, message) }
}

/// A code as a person types it: full-width forms narrowed, letters in upper case, blanks and hyphens dropped.
///
/// The codes themselves are strict, so that what is stored is the standard's form; only forms go through this.
package func typedCode(_ text: some StringProtocol) -> String {
  var result = ""
  for scalar in text.unicodeScalars {
    var value = scalar.value
    if (0xFF01...0xFF5E).contains(value) { value -= 0xFEE0 }
    if (UInt32(UInt8(ascii: "a"))...UInt32(UInt8(ascii: "z"))).contains(value) { value -= 32 }
    switch value {
    case 0x20, 0x09, 0x0A, 0x0D, 0xA0, 0x3000, 0x2D, 0x2010, 0x2011, 0x2013, 0x2014, 0x2212: continue
    default: result.unicodeScalars.append(Unicode.Scalar(value) ?? scalar)
    }
  }
  return result
}

extension UInt8 {
  /// 0 to 9, or nil.
  @inline(__always) var decimalDigit: Int? {
    let value = self &- 48
    return value < 10 ? Int(value) : nil
  }

  var character: Character { Character(Unicode.Scalar(self)) }
}

/// The first character outside the alphabet, as a fault; non-ASCII characters are counted as one.
func firstForeign(
  in text: some StringProtocol, allowed: (UInt8, _ position: Int) -> Bool
) -> CodeFault? {
  for (index, character) in text.enumerated() {
    guard let byte = character.asciiValue, character != "\r\n", allowed(byte, index + 1) else {
      return .character(character, position: index + 1)
    }
  }
  return nil
}
