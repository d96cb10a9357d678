/// The words of an expression's text, each with where it begins.
struct ExpressionToken: Hashable {
  enum Kind: Hashable {
    /// A bare word: a keyword, a function or a column.
    case word(String)
    /// A name in 「」, “” or double quotes: always a column.
    case name(String)
    case text(String)
    case integer(Int64)
    case decimal(Int128, scale: Int)
    case symbol(String)
    case end
  }

  var kind: Kind
  var place: Int

  /// As a person would point at it.
  var shown: String {
    switch kind {
    case .word(let word): word
    case .name(let name): "「\(name)」"
    case .text: "'…'"
    case .integer(let value): "\(value)"
    case .decimal: "1.5"
    case .symbol(let symbol): symbol
    case .end: ""
    }
  }
}

/// Cuts a text into tokens. Full-width brackets, commas and comparison signs count as their narrow forms: an input
/// method for Chinese writes them unasked.
struct ExpressionLexer {
  private let scalars: [Unicode.Scalar]
  private var at = 0

  static func tokens(_ text: String) throws(ExpressionFault) -> [ExpressionToken] {
    guard text.utf8.count <= Expression.Limit.text else {
      throw ExpressionFault(
        1, "表达式超过 \(Expression.Limit.text) 字节。", "The expression has more than \(Expression.Limit.text) bytes.")
    }
    var lexer = ExpressionLexer(scalars: Array(text.unicodeScalars))
    var tokens: [ExpressionToken] = []
    repeat { tokens.append(try lexer.next()) } while tokens.last?.kind != .end
    return tokens
  }

  private init(scalars: [Unicode.Scalar]) { self.scalars = scalars }

  private func peek(_ ahead: Int = 0) -> Unicode.Scalar? {
    at + ahead < scalars.count ? Self.narrow(scalars[at + ahead]) : nil
  }

  private static func narrow(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
    switch scalar {
    case "（": "("
    case "）": ")"
    case "，": ","
    case "＝": "="
    case "＜": "<"
    case "＞": ">"
    case "＋": "+"
    case "－": "-"
    case "＊": "*"
    case "／": "/"
    case "｜": "|"
    default: scalar
    }
  }

  private mutating func next() throws(ExpressionFault) -> ExpressionToken {
    while let scalar = peek(), scalar.properties.isWhitespace { at += 1 }
    let place = at + 1
    func token(_ kind: ExpressionToken.Kind) -> ExpressionToken { ExpressionToken(kind: kind, place: place) }
    guard let first = peek() else { return token(.end) }
    switch first {
    case "'": return token(.text(try quoted("'", "'", place)))
    case "\"": return token(.name(try quoted("\"", "\"", place)))
    case "「": return token(.name(try quoted("「", "」", place)))
    case "“": return token(.name(try quoted("“", "”", place)))
    case "‘", "’":
      throw ExpressionFault(place, "文本用英文单引号：'文本'。", "Texts stand in straight single quotes: 'text'.")
    case "0"..."9": return token(try number(place))
    case "(", ")", ",", "+", "-", "*", "/", "=":
      at += 1
      return token(.symbol(String(first)))
    case "<", ">", "!", "|":
      at += 1
      let pair = peek().map { "\(first)\($0)" } ?? ""
      switch pair {
      case "<=", ">=", "<>", "||":
        at += 1
        return token(.symbol(pair))
      case "!=":
        at += 1
        return token(.symbol("<>"))
      default: break
      }
      guard first == "<" || first == ">" else {
        throw ExpressionFault(
          place, "“\(first)”不能单独使用；不等于写 <>，连接写 ||。", "“\(first)” cannot stand alone; write <> for unequal, || to join.")
      }
      return token(.symbol(String(first)))
    case "≤": return single("<=", place)
    case "≥": return single(">=", place)
    case "≠": return single("<>", place)
    default: break
    }
    guard Self.beginsWord(first) else {
      throw ExpressionFault(place, "不认识的字符“\(first)”。", "The character “\(first)” means nothing here.")
    }
    var word = String.UnicodeScalarView()
    while let scalar = peek(), Self.beginsWord(scalar) || scalar.properties.numericType != nil { step(&word) }
    return token(.word(String(word)))
  }

  private mutating func single(_ symbol: String, _ place: Int) -> ExpressionToken {
    at += 1
    return ExpressionToken(kind: .symbol(symbol), place: place)
  }

  private mutating func step(_ word: inout String.UnicodeScalarView) {
    word.append(scalars[at])
    at += 1
  }

  private static func beginsWord(_ scalar: Unicode.Scalar) -> Bool {
    scalar == "_" || scalar == "$" || scalar == "#" || scalar.properties.isAlphabetic || scalar.properties.isIdeographic
      || scalar.properties.generalCategory == .nonspacingMark
  }

  /// The closing mark written twice means itself.
  private mutating func quoted(_ open: Unicode.Scalar, _ close: Unicode.Scalar, _ place: Int) throws(ExpressionFault)
    -> String
  {
    at += 1
    var text = String.UnicodeScalarView()
    while at < scalars.count {
      if scalars[at] == close {
        at += 1
        guard at < scalars.count, scalars[at] == close else {
          if open != "'", text.isEmpty { throw ExpressionFault(place, "引号里没有列名。", "The quotes hold no column's name.") }
          return String(text)
        }
      }
      guard scalars[at].value != 0 else { throw ExpressionFault(at + 1, "文本不能含空字符。", "Texts hold no NUL.") }
      text.append(scalars[at])
      at += 1
    }
    throw ExpressionFault(place, "缺少收尾的“\(close)”。", "The closing “\(close)” is missing.")
  }

  private mutating func number(_ place: Int) throws(ExpressionFault) -> ExpressionToken.Kind {
    var (value, digits, scale): (Int128, Int, Int?) = (0, 0, nil)
    while let scalar = peek(), ("0"..."9").contains(scalar) || (scalar == "." && scale == nil) {
      at += 1
      if scalar == "." {
        scale = 0
        continue
      }
      if value != 0 || scalar != "0" || scale != nil { digits += 1 }
      guard digits <= 38 else { throw ExpressionFault(place, "数字超过 38 位。", "The number has more than 38 digits.") }
      value = value * 10 + Int128(scalar.value - 48)
      if let places = scale { scale = places + 1 }
    }
    if let scalar = peek(), Self.beginsWord(scalar) {
      throw ExpressionFault(
        place, "数字后面紧跟文字；以数字开头的列名要加引号：\"1号\"。",
        "A number runs into letters; quote a column that begins with a digit: \"1号\".")
    }
    guard let scale else {
      return Int64(exactly: value).map { .integer($0) } ?? .decimal(value, scale: 0)
    }
    guard scale > 0 else { throw ExpressionFault(place, "小数点后缺少数字。", "Digits are missing after the point.") }
    return .decimal(value, scale: scale)
  }
}
