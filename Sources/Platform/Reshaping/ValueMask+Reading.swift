package import Kernel

extension ValueMask {
  /// Reads what `canonicalText` writes; nil for anything else.
  package init?(canonicalText text: String) {
    let parts = text.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
    guard let name = parts.first, parts.count >= 2 else { return nil }
    let read: ValueMask? =
      switch (name, parts.count) {
      case ("token", 2): Token(rawValue: parts[1]).map(ValueMask.token)
      case ("period", 2): Period(rawValue: parts[1]).map(ValueMask.period)
      case ("age-band", 3): Self.ageBand(parts[1], parts[2])
      case ("place", 2): Division.Level(rawValue: parts[1]).map(ValueMask.place)
      case ("address", 2): Division.Level(rawValue: parts[1]).map(ValueMask.address)
      case ("cut", 2): Int(parts[1]).map(ValueMask.cut)
      case ("band", _): Self.band(parts.dropFirst())
      case ("rounded", 2): Int(parts[1]).map(ValueMask.rounded)
      default: nil
      }
    // What is written another way ("cut +4") would not be found again by its text.
    guard let read, read.canonicalText == text else { return nil }
    self = read
  }

  private static func ageBand(_ width: String, _ day: String) -> ValueMask? {
    guard let width = Int(width), let day = CalendarDate(day) else { return nil }
    return .ageBand(width: width, on: day)
  }

  private static func band(_ bounds: ArraySlice<String>) -> ValueMask? {
    let numbers = bounds.compactMap { Int64($0) }
    return numbers.count == bounds.count && numbers.count <= 100 ? .band(numbers) : nil
  }
}

extension ValueMask {
  /// Short, for lists and tables; `facts` has the sentence.
  package var title: Text {
    switch self {
    case .token(let token):
      Text("保形替换（\(token.title.chinese)）", "Token of the same form (\(token.title.english))")
    case .period(let period): Text("只给到\(period.title.chinese)", "By \(period.title.english)")
    case .ageBand(let width, let day):
      Text("年龄段（每 \(width) 岁，按 \(day) 计）", "Ages in bands of \(width) years, on \(day)")
    case .place(let level):
      Text("区划代码只到\(level.name.chinese)", "Division code down to \(level.name.english.lowercased())")
    case .address(let level): Text("地址只到\(level.name.chinese)", "Address down to \(level.name.english.lowercased())")
    case .cut(let count): Text("只给前 \(count) 个字符", "The first \(count) characters, the rest cut off")
    case .band(let bounds): Text("数值分为 \(bounds.count + 1) 档", "Numbers in \(bounds.count + 1) bands")
    case .rounded(let power):
      Text(
        "数值取整到 \(Decimals.text(Decimals.power(power), scale: 0))",
        "Numbers to multiples of \(Decimals.text(Decimals.power(power), scale: 0))")
    }
  }
}

extension ValueMask.Token {
  package var title: Text {
    switch self {
    case .citizenID: Text("公民身份号码", "citizen identification number")
    case .mobile: Text("手机号", "mobile number")
    case .creditCode: Text("统一社会信用代码", "unified social credit code")
    case .digits: Text("数字串", "digits")
    case .text: Text("文本", "text")
    }
  }
}
