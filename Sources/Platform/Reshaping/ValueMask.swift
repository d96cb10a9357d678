package import Connecting
package import Kernel

/// What the consumer gets instead of the value, beyond stars, pseudonyms and NULL (which are Transfer's own).
package enum ValueMask: Hashable, Sendable {
  /// Another value of the same form: the same for the same value within the grant.
  case token(Token)
  /// A date or time by its period, as text.
  case period(Period)
  /// A date of birth by the band of ages it gives on a fixed day: `30-39`.
  case ageBand(width: Int, on: CalendarDate)
  /// A code of 6, 9 or 12 digits (GB/T 2260 and below) with zeros behind the level.
  case place(Division.Level)
  /// An address cut behind the name of the level's division; NULL where no name is found.
  case address(Division.Level)
  /// The first characters, the rest cut off.
  case cut(Int)
  /// A number by its band: `0-10万`. Bounds ascend; the first belongs to the band above it.
  case band([Int64])
  /// A number to whole tens, hundreds …: 10 to this power.
  case rounded(Int)

  package enum Token: String, Sendable, CaseIterable {
    /// 公民身份号码.
    case citizenID = "citizen-id"
    /// 手机号.
    case mobile
    /// 统一社会信用代码.
    case creditCode = "uscc"
    /// Digits only, 6 to 70 of them.
    case digits
    /// Any text: each character becomes another of its class.
    case text
  }

  package enum Period: String, Sendable, CaseIterable {
    case month, quarter, year, decade
  }
}

extension ValueMask {
  /// What a page says of a mask.
  package struct Facts: Hashable, Sendable {
    package var type: ValueType
    package var length: Int?
    /// Equal values stay equal and different ones different, so that tables of one grant can be joined.
    package var keepsJoins: Bool
    /// Who can find out the value again.
    package var undoing: Text
    package var sentence: Text
  }

  /// Nil where the mask does not fit the type.
  package func facts(for type: ValueType, length: Int? = nil) -> Facts? {
    guard accepts(type) else { return nil }
    let never = Text("任何人都不能还原。", "Nobody can undo it.")
    switch self {
    case .token(let token):
      return Facts(
        type: .text, length: token.length ?? length, keepsJoins: true,
        undoing: Text(
          "只有提供方能用自己的密钥还原；使用方不能。", "Only the provider, with its own key; the consumer cannot."),
        sentence: token.sentence)
    case .period(let period):
      return Facts(
        type: .text, length: 7, keepsJoins: false, undoing: never,
        sentence: Text(
          "日期概化到\(period.title.chinese)，如“\(period.example)”。",
          "Dates by \(period.title.english), as “\(period.example)”."))
    case .ageBand(let width, let day):
      return Facts(
        type: .text, length: 7, keepsJoins: false, undoing: never,
        sentence: Text(
          "出生日期概化为到 \(day) 的 \(width) 岁年龄段。", "Dates of birth as bands of \(width) years of age on \(day)."))
    case .place(let level):
      return Facts(
        type: .text, length: length, keepsJoins: false, undoing: never,
        sentence: Text(
          "区划代码概化到\(level.name.chinese)，其后补 0。",
          "Division codes down to the \(level.name.english.lowercased()), zeros behind."))
    case .address(let level):
      return Facts(
        type: .text, length: length, keepsJoins: false, undoing: never,
        sentence: Text(
          "地址截到\(level.name.chinese)区划名称；找不到名称的置空。",
          "Addresses cut behind the \(level.name.english.lowercased())'s name; NULL where no name is found."))
    case .cut(let count):
      return Facts(
        type: .text, length: length.map { min($0, count) } ?? count, keepsJoins: false, undoing: never,
        sentence: Text("只保留前 \(count) 个字符。", "Only the first \(count) characters."))
    case .band(let bounds):
      return Facts(
        type: .text, length: 24, keepsJoins: false, undoing: never,
        sentence: Text(
          "数值概化为 \(bounds.count + 1) 档，如“\(Self.bandLabel(bounds, 1))”。",
          "Numbers in \(bounds.count + 1) bands, as “\(Self.bandLabel(bounds, 1))”."))
    case .rounded(let power):
      let unit = Decimals.text(Decimals.power(power), scale: 0)
      return Facts(
        type: type, length: nil, keepsJoins: false, undoing: never,
        sentence: Text("数值四舍五入到 \(unit) 的整数倍。", "Numbers rounded to multiples of \(unit)."))
    }
  }

  private func accepts(_ type: ValueType) -> Bool {
    switch self {
    case .token, .address: return type == .text
    case .place(let level): return type == .text && level < .township
    case .cut(let count): return type == .text && (1...10_000).contains(count)
    case .period: return type == .date || type == .timestamp
    case .ageBand(let width, _): return (type == .date || type == .timestamp) && (2...50).contains(width)
    case .band(let bounds):
      let isAscending = zip(bounds, bounds.dropFirst()).allSatisfy { $0 < $1 }
      return ExpressionTyping.number(type) != nil && (1...100).contains(bounds.count) && isAscending
    case .rounded(let power): return ExpressionTyping.number(type) != nil && (1...15).contains(power)
    }
  }

  /// `<0`, `0-10万`, `≥10万`.
  static func bandLabel(_ bounds: [Int64], _ band: Int) -> String {
    if band == 0 { return "<\(bandEdge(bounds[0]))" }
    if band >= bounds.count { return "≥\(bandEdge(bounds[bounds.count - 1]))" }
    return "\(bandEdge(bounds[band - 1]))-\(bandEdge(bounds[band]))"
  }

  private static func bandEdge(_ value: Int64) -> String {
    if value != 0, value % 100_000_000 == 0 { return "\(value / 100_000_000)亿" }
    if value != 0, value % 10_000 == 0 { return "\(value / 10_000)万" }
    return "\(value)"
  }

  /// The same for every mask that does the same: part of a schema's digest, so it never changes.
  package var canonicalText: String {
    switch self {
    case .token(let token): "token \(token.rawValue)"
    case .period(let period): "period \(period.rawValue)"
    case .ageBand(let width, let day): "age-band \(width) \(day)"
    case .place(let level): "place \(level.rawValue)"
    case .address(let level): "address \(level.rawValue)"
    case .cut(let count): "cut \(count)"
    case .band(let bounds): "band \(bounds.map(String.init).joined(separator: " "))"
    case .rounded(let power): "rounded \(power)"
    }
  }
}

extension ValueMask.Period {
  package var title: Text {
    switch self {
    case .month: Text("月", "month")
    case .quarter: Text("季度", "quarter")
    case .year: Text("年", "year")
    case .decade: Text("年代", "decade")
    }
  }

  /// March 1985 as it is written. A decade is written as in ISO 8601-2.
  var example: String {
    switch self {
    case .month: "1985-03"
    case .quarter: "1985Q1"
    case .year: "1985"
    case .decade: "198X"
    }
  }
}

extension ValueMask.Token {
  var length: Int? {
    switch self {
    case .citizenID, .creditCode: 18
    case .mobile: 11
    case .digits, .text: nil
    }
  }

  package var sentence: Text {
    switch self {
    case .citizenID:
      Text(
        "换成另一个 18 位号码：校验码正确，但前两位不是任何省份，因此绝不会是真人的号码。",
        "Another number of 18 characters with a right check character, of no province: it is never a real person's.")
    case .mobile:
      Text("换成另一个 11 位数字：以 2 开头，不是任何手机号。", "Another 11 digits that begin with 2, as no mobile number does.")
    case .creditCode:
      Text(
        "换成另一个 18 位代码：校验码正确，但登记管理部门代码不存在，因此不属于任何主体。",
        "Another code of 18 characters with a right check character, of no registering department: it is nobody's.")
    case .digits:
      Text("换成同样位数的另一串数字。", "As many other digits.")
    case .text:
      Text(
        "逐字换成同类的字：数字换数字，字母换字母，汉字换汉字，标点不变；过短的文本进入隔离区。",
        "Each character becomes another of its kind, punctuation stays; a text too short for that makes the row bad.")
    }
  }
}
