import Connecting
import Kernel

extension Expression {
  /// Reads an expression; says where and what was expected instead.
  package init(parsing text: String) throws(ExpressionFault) {
    var parser = ExpressionParser(try ExpressionLexer.tokens(text))
    self = try parser.whole()
  }
}

/// Recursive descent with a bound on the descent: AND and OR bind least, then NOT, comparisons, `+ - ||`, `* /`, signs.
struct ExpressionParser {
  private let tokens: [ExpressionToken]
  private var at = 0
  private var level = 0
  private var nodes = 0

  init(_ tokens: [ExpressionToken]) { self.tokens = tokens }

  mutating func whole() throws(ExpressionFault) -> Expression {
    let expression = try any()
    guard token.kind == .end else {
      throw expected("运算符或结尾", "an operator or the end")
    }
    return expression
  }

  // MARK: Tokens

  private var token: ExpressionToken { tokens[at] }

  private mutating func advance() { if at < tokens.count - 1 { at += 1 } }

  private func isKeyword(_ word: String) -> Bool {
    if case .word(let found) = token.kind { found.uppercased() == word } else { false }
  }

  private mutating func take(_ word: String) -> Bool {
    guard isKeyword(word) else { return false }
    advance()
    return true
  }

  private mutating func take(symbol: String) -> Bool {
    guard token.kind == .symbol(symbol) else { return false }
    advance()
    return true
  }

  private mutating func require(_ word: String) throws(ExpressionFault) {
    guard take(word) else { throw expected(word, word) }
  }

  private mutating func require(symbol: String) throws(ExpressionFault) {
    guard take(symbol: symbol) else { throw expected("“\(symbol)”", "“\(symbol)”") }
  }

  private func expected(_ chinese: String, _ english: String) -> ExpressionFault {
    token.kind == .end
      ? ExpressionFault(token.place, "表达式在此结束，这里应为\(chinese)。", "The expression ends here; \(english) was expected.")
      : ExpressionFault(
        token.place, "这里是“\(token.shown)”，应为\(chinese)。", "Here stands “\(token.shown)”; \(english) was expected.")
  }

  private mutating func make(_ node: Expression.Node, _ place: Int) throws(ExpressionFault) -> Expression {
    nodes += 1
    let expression = Expression(node, at: place)
    guard nodes <= Expression.Limit.nodes else {
      throw ExpressionFault(
        place, "表达式超过 \(Expression.Limit.nodes) 个成分。", "The expression has more than \(Expression.Limit.nodes) parts.")
    }
    guard expression.depth <= Expression.Limit.depth else { throw tooDeep(place) }
    return expression
  }

  private func tooDeep(_ place: Int) -> ExpressionFault {
    ExpressionFault(
      place, "嵌套超过 \(Expression.Limit.depth) 层。", "It is nested more than \(Expression.Limit.depth) levels deep.")
  }

  private mutating func deeper<T>(
    _ body: (inout ExpressionParser) throws(ExpressionFault) -> T
  ) throws(ExpressionFault) -> T {
    guard level < Expression.Limit.depth else { throw tooDeep(token.place) }
    level += 1
    let result = try body(&self)
    level -= 1
    return result
  }

  // MARK: Grammar

  private mutating func any() throws(ExpressionFault) -> Expression {
    try deeper { (parser) throws(ExpressionFault) in
      let place = parser.token.place
      var list = [try parser.all()]
      while parser.take("OR") { list.append(try parser.all()) }
      return list.count == 1 ? list[0] : try parser.make(.any(list), place)
    }
  }

  private mutating func all() throws(ExpressionFault) -> Expression {
    let place = token.place
    var list = [try not()]
    while take("AND") { list.append(try not()) }
    return list.count == 1 ? list[0] : try make(.all(list), place)
  }

  private mutating func not() throws(ExpressionFault) -> Expression {
    let place = token.place
    guard take("NOT") else { return try comparison() }
    let inner = try deeper { (parser) throws(ExpressionFault) in try parser.not() }
    return try make(.not(inner), place)
  }

  private mutating func comparison() throws(ExpressionFault) -> Expression {
    let left = try sum()
    let place = left.place
    if case .symbol(let symbol) = token.kind, let sign = Expression.Comparison(rawValue: symbol) {
      advance()
      let right = try sum()
      if case .symbol(let again) = token.kind, Expression.Comparison(rawValue: again) != nil {
        throw ExpressionFault(token.place, "比较不能连写；用 AND 连接。", "Comparisons do not chain; join them with AND.")
      }
      return try make(.compare(sign, left, right), place)
    }
    if take("IS") {
      let negated = take("NOT")
      guard take("NULL") else { throw expected("NULL", "NULL") }
      return try make(.isNull(left, negated: negated), place)
    }
    let negated = take("NOT")
    if take("IN") {
      try require(symbol: "(")
      var list = [try element()]
      while take(symbol: ",") { list.append(try element()) }
      try require(symbol: ")")
      return try make(.isIn(left, list, negated: negated), place)
    }
    if take("BETWEEN") {
      let low = try sum()
      try require("AND")
      return try make(.between(left, low, try sum(), negated: negated), place)
    }
    if take("LIKE") {
      guard case .text(let pattern) = token.kind else { throw expected("引号中的样式", "a pattern in quotes") }
      advance()
      return try make(.like(left, pattern, negated: negated), place)
    }
    if negated { throw expected("IN、BETWEEN 或 LIKE", "IN, BETWEEN or LIKE") }
    return left
  }

  /// One of an IN list's constants.
  private mutating func element() throws(ExpressionFault) -> Expression {
    let place = token.place
    if isKeyword("NULL") {
      throw ExpressionFault(place, "IN 列表不能含 NULL；另写 IS NULL。", "An IN list holds no NULL; write IS NULL beside it.")
    }
    let value = try sum()
    guard case .literal = value.node else {
      throw ExpressionFault(place, "IN 列表只能是常量。", "An IN list holds constants only.")
    }
    return value
  }

  private mutating func sum() throws(ExpressionFault) -> Expression {
    var left = try product()
    while true {
      let place = left.place
      if take(symbol: "+") {
        left = try make(.arithmetic(.plus, left, try product()), place)
      } else if take(symbol: "-") {
        left = try make(.arithmetic(.minus, left, try product()), place)
      } else if take(symbol: "||") {
        let right = try product()
        if case .concatenate(let list) = left.node {
          left = try make(.concatenate(list + [right]), place)
        } else {
          left = try make(.concatenate([left, right]), place)
        }
      } else {
        return left
      }
    }
  }

  private mutating func product() throws(ExpressionFault) -> Expression {
    var left = try sign()
    while true {
      if take(symbol: "*") {
        left = try make(.arithmetic(.times, left, try sign()), left.place)
      } else if take(symbol: "/") {
        left = try make(.arithmetic(.dividedBy, left, try sign()), left.place)
      } else {
        return left
      }
    }
  }

  private mutating func sign() throws(ExpressionFault) -> Expression {
    let place = token.place
    guard take(symbol: "-") else { return try primary() }
    let inner = try deeper { (parser) throws(ExpressionFault) in try parser.sign() }
    switch inner.node {
    case .literal(.integer(let value)) where value != .min: return try make(.literal(.integer(-value)), place)
    case .literal(.decimal(let value, let scale)):
      // The lowest integer has no positive twin.
      if scale == 0, let whole = Int64(exactly: -value) { return try make(.literal(.integer(whole)), place) }
      return try make(.literal(.decimal(-value, scale: scale)), place)
    default: return try make(.negate(inner), place)
    }
  }

  private mutating func primary() throws(ExpressionFault) -> Expression {
    let here = token
    switch here.kind {
    case .integer(let value):
      advance()
      return try make(.literal(.integer(value)), here.place)
    case .decimal(let value, let scale):
      advance()
      return try make(.literal(.decimal(value, scale: scale)), here.place)
    case .text(let text):
      advance()
      return try make(.literal(.text(text)), here.place)
    case .name(let name):
      advance()
      return try make(.column(name), here.place)
    case .symbol("("):
      advance()
      let inner = try any()
      try require(symbol: ")")
      return inner
    case .word(let word):
      advance()
      return try self.word(word, here.place)
    case .symbol, .end: throw expected("列名、常量、函数或“(”", "a column, a constant, a function or “(”")
    }
  }

  private static let reserved: Set<String> = [
    "AND", "OR", "NOT", "IN", "IS", "BETWEEN", "LIKE", "WHEN", "THEN", "ELSE", "END",
  ]

  private mutating func word(_ word: String, _ place: Int) throws(ExpressionFault) -> Expression {
    let upper = word.uppercased()
    switch upper {
    case "TRUE": return try make(.literal(.boolean(true)), place)
    case "FALSE": return try make(.literal(.boolean(false)), place)
    case "NULL": return try make(.literal(.null), place)
    case "CASE": return try choice(place)
    case "DATE":
      if case .text(let text) = token.kind {
        guard let date = CalendarDate(text) else {
          throw ExpressionFault(
            token.place, "日期应写作 DATE '2026-01-01'。", "A date is written DATE '2026-01-01'.")
        }
        advance()
        return try make(.literal(.date(date)), place)
      }
    case "TIMESTAMP":
      if case .text(let text) = token.kind {
        let time = Array(text.utf8).withUnsafeBytes { WrittenTime.microseconds($0, zone: RowTime.zone) }
        guard text.utf8.count >= 16, let time else {
          throw ExpressionFault(
            token.place, "日期时间应写作 TIMESTAMP '2026-01-01 08:00:00'（北京时间）。",
            "A time is written TIMESTAMP '2026-01-01 08:00:00', in China's time.")
        }
        advance()
        return try make(.literal(.timestamp(time)), place)
      }
    default: break
    }
    if token.kind == .symbol("(") {
      guard let function = Function(rawValue: upper) else {
        let names = Function.allCases.map(\.rawValue).joined(separator: ", ")
        throw ExpressionFault(
          place, "没有函数“\(word)”。可用：\(names)。", "There is no function “\(word)”. There are: \(names).")
      }
      return try call(function, place)
    }
    guard !Self.reserved.contains(upper) else {
      throw ExpressionFault(
        place, "这里是“\(word)”，应为列名、常量、函数或“(”；同名的列要加引号。",
        "Here stands “\(word)”; a column, a constant, a function or “(” was expected. Quote a column of that name.")
    }
    return try make(.column(word), place)
  }

  private mutating func call(_ function: Function, _ place: Int) throws(ExpressionFault) -> Expression {
    try require(symbol: "(")
    var list: [Expression] = []
    if token.kind != .symbol(")") {
      list.append(try any())
      while take(symbol: ",") { list.append(try any()) }
    }
    try require(symbol: ")")
    guard function.arguments.contains(list.count) else {
      throw ExpressionFault(
        place, "用法：\(function.form)；这里有 \(list.count) 个参数。",
        "It is called \(function.form); here it has \(list.count) arguments.")
    }
    return try make(.call(function, list), place)
  }

  private mutating func choice(_ place: Int) throws(ExpressionFault) -> Expression {
    var branches: [Expression.Branch] = []
    while take("WHEN") {
      let condition = try any()
      try require("THEN")
      branches.append(Expression.Branch(condition: condition, value: try any()))
    }
    guard !branches.isEmpty else { throw expected("WHEN", "WHEN") }
    let otherwise = take("ELSE") ? try any() : nil
    try require("END")
    return try make(.choose(branches, otherwise: otherwise), place)
  }
}
