package import Kernel

/// Why one row cannot be delivered. The code is stable and says nothing of the row's values.
///
/// Connectors find the first group (a value that has no canonical bytes), the transfer plan finds the rest.
package enum RowFault: UInt8, Sendable, CaseIterable {
  // Found by a connector while reading.
  case notANumber = 1
  case tooManyDecimals = 2
  case outOfRange = 3
  case notFinite = 4
  case impossibleDate = 5
  case invalidText = 6
  case containsNUL = 7
  case wrongType = 8
  case notABoolean = 9
  /// The row's number of fields differs from its header's (files).
  case fieldCount = 10
  /// The record itself cannot be read, though those around it can (a line that is no JSON object).
  case brokenRecord = 11
  /// A code that a spreadsheet took for a number: its last digits were lost before the file was saved.
  case lostDigits = 12
  /// A file that was written to just now, or while it was read: the next run looks at it again.
  case stillChanging = 13
  // Found by the transfer plan.
  case nullKey = 32
  case duplicateKey = 33
  case missingValue = 34
  case tooLong = 35
  case checkDigit = 36
  case malformedCode = 37
  case notInDictionary = 38
  case dateOutOfRange = 39
  case rowTooLarge = 40
  // Found on the way: by an expression, a rule or a mask.
  case divisionByZero = 41
  case tooShort = 42
  case wrongFormat = 43
  case ruleBroken = 44
  case unknownReference = 45
  case repeatedValue = 46
  /// The mask is for values of another form.
  case cannotMask = 47

  /// For programs, receipts and the audit log: `check-digit`.
  package var code: String {
    switch self {
    case .notANumber: "not-a-number"
    case .tooManyDecimals: "too-many-decimals"
    case .outOfRange: "out-of-range"
    case .notFinite: "not-finite"
    case .impossibleDate: "impossible-date"
    case .invalidText: "invalid-text"
    case .containsNUL: "contains-nul"
    case .wrongType: "wrong-type"
    case .notABoolean: "not-a-boolean"
    case .fieldCount: "field-count"
    case .brokenRecord: "broken-record"
    case .lostDigits: "lost-digits"
    case .stillChanging: "still-changing"
    case .nullKey: "null-key"
    case .duplicateKey: "duplicate-key"
    case .missingValue: "missing-value"
    case .tooLong: "too-long"
    case .checkDigit: "check-digit"
    case .malformedCode: "malformed-code"
    case .notInDictionary: "not-in-dictionary"
    case .dateOutOfRange: "date-out-of-range"
    case .rowTooLarge: "row-too-large"
    case .divisionByZero: "division-by-zero"
    case .tooShort: "too-short"
    case .wrongFormat: "wrong-format"
    case .ruleBroken: "rule-broken"
    case .unknownReference: "unknown-reference"
    case .repeatedValue: "repeated-value"
    case .cannotMask: "cannot-mask"
    }
  }

  package init?(code: String) {
    guard let fault = Self.allCases.first(where: { $0.code == code }) else { return nil }
    self = fault
  }

  package var title: Text {
    switch self {
    case .notANumber: Text("不是数字", "not a number")
    case .tooManyDecimals: Text("小数位超过约定", "more decimals than agreed")
    case .outOfRange: Text("数值超出范围", "number out of range")
    case .notFinite: Text("无穷大或非数值", "infinite or not a number")
    case .impossibleDate: Text("日期不存在", "no such date")
    case .invalidText: Text("文本编码错误", "text is not valid UTF-8")
    case .containsNUL: Text("文本含空字符", "text contains NUL")
    case .wrongType: Text("值与列的类型不符", "value of another type than its column")
    case .notABoolean: Text("不是是/否值", "neither true nor false")
    case .fieldCount: Text("字段数与表头不符", "other number of fields than the header")
    case .brokenRecord: Text("记录损坏，无法解析", "the record is broken and cannot be read")
    case .lostDigits: Text("号码被当作数字，末尾几位已丢失", "code taken for a number, its last digits lost")
    case .stillChanging: Text("文件仍在变化，留待下次交付", "file still changing, left to the next run")
    case .nullKey: Text("主键为空", "key is null")
    case .duplicateKey: Text("主键重复", "key occurs twice")
    case .missingValue: Text("必填项为空", "required value is missing")
    case .tooLong: Text("文本超过长度", "text longer than agreed")
    case .checkDigit: Text("校验码错误", "wrong check digit")
    case .malformedCode: Text("代码格式错误", "malformed code")
    case .notInDictionary: Text("代码不在字典中", "code is not in the dictionary")
    case .dateOutOfRange: Text("日期超出允许范围", "date outside the permitted range")
    case .rowTooLarge: Text("行过大", "row too large")
    case .divisionByZero: Text("除数为零", "division by zero")
    case .tooShort: Text("文本短于约定", "text shorter than agreed")
    case .wrongFormat: Text("格式不符", "written in another form than agreed")
    case .ruleBroken: Text("不满足规则", "a rule does not hold")
    case .unknownReference: Text("引用的记录不存在", "what it refers to does not exist")
    case .repeatedValue: Text("值重复", "value occurs twice")
    case .cannotMask: Text("值的形式无法按约定遮盖", "value cannot be masked as agreed")
    }
  }
}
