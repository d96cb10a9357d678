package import Kernel

/// A constant, computed column or row filter, as a person wrote it and as a tree.
///
/// Small and total: no loops, no recursion, bounded in size and depth, so every evaluation ends. Every operation is
/// defined for NULL, and what cannot be computed (a division by zero, a text that is no number) makes the row bad. The
/// tree is open, so that a connector may later say it in its database's own words. docs/expressions.md is its reference.
package struct Expression: Hashable, Sendable {
  package indirect enum Node: Hashable, Sendable {
    case column(String)
    case literal(Literal)
    case negate(Expression)
    case arithmetic(Arithmetic, Expression, Expression)
    case concatenate([Expression])
    case compare(Comparison, Expression, Expression)
    case all([Expression])
    case any([Expression])
    case not(Expression)
    /// The list holds literals other than NULL.
    case isIn(Expression, [Expression], negated: Bool)
    case between(Expression, Expression, Expression, negated: Bool)
    /// `%` any text, `_` one character, `\` before either means itself.
    case like(Expression, String, negated: Bool)
    case isNull(Expression, negated: Bool)
    case choose([Branch], otherwise: Expression?)
    case call(Function, [Expression])
  }

  package struct Branch: Hashable, Sendable {
    package var condition: Expression
    package var value: Expression
  }

  package enum Literal: Hashable, Sendable {
    case null
    case boolean(Bool)
    case integer(Int64)
    /// The digits without the point, and how many of them stand behind it.
    case decimal(Int128, scale: Int)
    case text(String)
    case date(CalendarDate)
    /// Microseconds since 2000 (UTC).
    case timestamp(Int64)
  }

  package enum Arithmetic: String, Sendable {
    case plus = "+"
    case minus = "-"
    case times = "*"
    case dividedBy = "/"
  }

  package enum Comparison: String, Sendable {
    case equal = "="
    case unequal = "<>"
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="
  }

  package let node: Node
  /// Where it begins in the text, in characters from 1.
  package let place: Int
  /// Levels of the tree from here down.
  package let depth: Int

  package init(_ node: Node, at place: Int) {
    self.node = node
    self.place = place
    depth = 1 + (Self.children(node).map(\.depth).max() ?? 0)
  }

  package var children: [Expression] { Self.children(node) }

  private static func children(_ node: Node) -> [Expression] {
    switch node {
    case .column, .literal: []
    case .negate(let one), .not(let one), .like(let one, _, _), .isNull(let one, _): [one]
    case .arithmetic(_, let a, let b), .compare(_, let a, let b): [a, b]
    case .concatenate(let list), .all(let list), .any(let list), .call(_, let list): list
    case .isIn(let one, let list, _): [one] + list
    case .between(let one, let low, let high, _): [one, low, high]
    case .choose(let branches, let otherwise):
      branches.flatMap { [$0.condition, $0.value] } + (otherwise.map { [$0] } ?? [])
    }
  }

  /// The columns it reads, each once, in the order of the text.
  package var columns: [String] {
    var found: [String] = []
    func look(_ expression: Expression) {
      if case .column(let name) = expression.node, !found.contains(name) { found.append(name) }
      for child in expression.children { look(child) }
    }
    look(self)
    return found
  }

  /// The dictionaries it asks, each once.
  package var dictionaries: [String] {
    var found: [String] = []
    func look(_ expression: Expression) {
      if case .call(.lookup, let list) = expression.node, case .literal(.text(let name))? = list.first?.node,
        !found.contains(name)
      {
        found.append(name)
      }
      for child in expression.children { look(child) }
    }
    look(self)
    return found
  }

  /// What bounds an expression.
  package enum Limit {
    /// Bytes of the text.
    package static let text = 16 << 10
    package static let nodes = 2_000
    package static let depth = 64
    /// Bytes of any text while computing.
    package static let value = 1 << 20
  }
}

/// What is wrong with an expression, where, and what would be right.
package struct ExpressionFault: Error, Hashable, Sendable {
  /// In characters from 1.
  package var place: Int
  package var reason: Text

  package init(_ place: Int, _ chinese: String, _ english: String) {
    self.place = place
    reason = Text(chinese, english)
  }

  package var message: Text {
    Text("第 \(place) 个字符处：\(reason.chinese)", "At character \(place): \(reason.english)")
  }
}

/// What may be called, by its name in the text.
package enum Function: String, Sendable, CaseIterable {
  case left = "LEFT"
  case right = "RIGHT"
  case substring = "SUBSTR"
  case length = "LENGTH"
  case trim = "TRIM"
  case upper = "UPPER"
  case lower = "LOWER"
  case replace = "REPLACE"
  case concatenate = "CONCAT"
  case coalesce = "COALESCE"
  case year = "YEAR"
  case month = "MONTH"
  case day = "DAY"
  case addDays = "DATE_ADD_DAYS"
  case ageAt = "AGE_AT"
  case round = "ROUND"
  case toText = "TO_TEXT"
  case toInteger = "TO_INTEGER"
  case toDecimal = "TO_DECIMAL"
  case toDate = "TO_DATE"
  case toTimestamp = "TO_TIMESTAMP"
  case lookup = "LOOKUP"

  package var arguments: ClosedRange<Int> {
    switch self {
    case .length, .trim, .upper, .lower, .year, .month, .day, .toInteger: 1...1
    case .left, .right, .addDays, .ageAt, .round, .lookup: 2...2
    case .substring: 2...3
    case .replace, .toDecimal: 3...3
    case .toText, .toDate, .toTimestamp: 1...2
    case .concatenate, .coalesce: 1...100
    }
  }

  /// How it is called.
  package var form: String {
    switch self {
    case .left: "LEFT(text, n)"
    case .right: "RIGHT(text, n)"
    case .substring: "SUBSTR(text, from[, n])"
    case .length: "LENGTH(text)"
    case .trim: "TRIM(text)"
    case .upper: "UPPER(text)"
    case .lower: "LOWER(text)"
    case .replace: "REPLACE(text, old, new)"
    case .concatenate: "CONCAT(a, b, …)"
    case .coalesce: "COALESCE(a, b, …)"
    case .year: "YEAR(date)"
    case .month: "MONTH(date)"
    case .day: "DAY(date)"
    case .addDays: "DATE_ADD_DAYS(date, n)"
    case .ageAt: "AGE_AT(born, day)"
    case .round: "ROUND(number, n)"
    case .toText: "TO_TEXT(value[, 'format'])"
    case .toInteger: "TO_INTEGER(value)"
    case .toDecimal: "TO_DECIMAL(value, p, s)"
    case .toDate: "TO_DATE(value[, 'format'])"
    case .toTimestamp: "TO_TIMESTAMP(text[, 'format'])"
    case .lookup: "LOOKUP('dictionary', code)"
    }
  }

  package var summary: Text {
    switch self {
    case .left: Text("前 n 个字符", "the first n characters")
    case .right: Text("后 n 个字符", "the last n characters")
    case .substring: Text("从第 from 个字符起的 n 个字符", "n characters from number “from” on")
    case .length: Text("字符数", "how many characters")
    case .trim: Text("去掉首尾空白（含全角空格）", "without blanks at both ends, full-width ones too")
    case .upper: Text("英文字母转大写", "letters A–Z in upper case")
    case .lower: Text("英文字母转小写", "letters a–z in lower case")
    case .replace: Text("把 old 都换成 new", "with every “old” replaced by “new”")
    case .concatenate: Text("连接各文本，跳过空值", "texts joined; NULL counts as nothing")
    case .coalesce: Text("第一个非空的值", "the first that is not NULL")
    case .year: Text("年（按北京时间）", "the year, in China's time")
    case .month: Text("月（按北京时间）", "the month, in China's time")
    case .day: Text("日（按北京时间）", "the day of the month, in China's time")
    case .addDays: Text("n 天之后的日期", "the date n days later")
    case .ageAt: Text("到 day 为止的周岁", "full years of age on that day")
    case .round: Text("四舍五入到 n 位小数", "rounded to n decimals, halves away from zero")
    case .toText: Text("写成文本", "written as text")
    case .toInteger: Text("转为整数，有小数则为坏行", "as an integer; a fraction makes the row bad")
    case .toDecimal: Text("转为共 p 位、s 位小数的小数", "as a decimal of p digits, s behind the point")
    case .toDate: Text("转为日期", "as a date")
    case .toTimestamp: Text("转为日期时间（按北京时间）", "as a date and time, in China's time")
    case .lookup: Text("按字典把代码换成另一代码", "the code that the dictionary gives for it")
    }
  }
}
