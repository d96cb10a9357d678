package import Connecting
import Kernel

/// A column an expression may read.
package struct ExpressionColumn: Hashable, Sendable {
  package var name: String
  package var type: ValueType
  package var isNullable: Bool

  package init(_ name: String, _ type: ValueType, isNullable: Bool = true) {
    self.name = name
    self.type = type
    self.isNullable = isNullable
  }
}

/// What an expression gives.
package struct ExpressionType: Hashable, Sendable {
  /// Nil for what can only be NULL.
  package var type: ValueType?
  package var isNullable: Bool

  package init(_ type: ValueType?, _ isNullable: Bool) {
    self.type = type
    self.isNullable = isNullable
  }
}

/// Static types: an expression that passes can fail for a value, never for a type.
package struct ExpressionTyping: Sendable {
  package let columns: [ExpressionColumn]
  /// The dictionaries that LOOKUP may name.
  package let dictionaries: Set<String>

  package init(columns: [ExpressionColumn], dictionaries: Set<String> = []) {
    self.columns = columns
    self.dictionaries = dictionaries
  }

  package func type(of expression: Expression) throws(ExpressionFault) -> ExpressionType {
    let place = expression.place
    switch expression.node {
    case .column(let name):
      guard let column = columns.first(where: { $0.name == name }) else { throw unknown(name, place) }
      return ExpressionType(column.type, column.isNullable)
    case .literal(let literal): return Self.type(of: literal)
    case .negate(let inner):
      let found = try type(of: inner)
      guard found.type.map(Self.isNumber) ?? true else { throw wrong(inner, found, "数值", "a number") }
      return found
    case .arithmetic(let sign, let a, let b): return try arithmetic(sign, a, b, scale: nil, place)
    case .concatenate(let list): return try texts(list)
    case .compare(_, let a, let b): return try comparison([a, b])
    case .all(let list), .any(let list):
      var isNullable = false
      for part in list { isNullable = try boolean(part).isNullable || isNullable }
      return ExpressionType(.boolean, isNullable)
    case .not(let inner): return ExpressionType(.boolean, try boolean(inner).isNullable)
    case .isIn(let value, let list, _):
      let found = try comparison([value] + list)
      if case .double? = try type(of: value).type {
        throw ExpressionFault(value.place, "浮点数不能用 IN；请用范围。", "Floating point cannot be used with IN; use a range.")
      }
      return found
    case .between(let value, let low, let high, _):
      let (a, b) = (try comparison([value, low]), try comparison([value, high]))
      return ExpressionType(.boolean, a.isNullable || b.isNullable)
    case .like(let text, let pattern, _):
      guard LikePattern(pattern) != nil else {
        throw ExpressionFault(place, "LIKE 样式以单个 \\ 结尾。", "The LIKE pattern ends in a single \\.")
      }
      return ExpressionType(.boolean, try demand(text, .text).isNullable)
    case .isNull(let value, _):
      _ = try type(of: value)
      return ExpressionType(.boolean, false)
    case .choose(let branches, let otherwise):
      for branch in branches { _ = try boolean(branch.condition) }
      var all = try unified(branches.map(\.value) + (otherwise.map { [$0] } ?? []), place)
      if otherwise == nil { all.isNullable = true }
      return all
    case .call(let function, let list): return try call(function, list, place)
    }
  }

  // MARK: Parts

  static func isNumber(_ type: ValueType) -> Bool { number(type) != nil || type == .double }

  /// Digits in all and behind the point; nil for what is no exact number.
  static func number(_ type: ValueType) -> (precision: Int, scale: Int)? {
    switch type {
    case .integer: (19, 0)
    case .decimal(let precision, let scale): (precision, scale)
    default: nil
    }
  }

  static func type(of literal: Expression.Literal) -> ExpressionType {
    switch literal {
    case .null: ExpressionType(nil, true)
    case .boolean: ExpressionType(.boolean, false)
    case .integer: ExpressionType(.integer, false)
    case .decimal(let value, let scale):
      ExpressionType(.decimal(precision: max(Decimals.digits(value), scale, 1), scale: scale), false)
    case .text: ExpressionType(.text, false)
    case .date: ExpressionType(.date, false)
    case .timestamp: ExpressionType(.timestamp, false)
    }
  }

  /// `scale`: what ROUND states for a division right inside it.
  func arithmetic(
    _ sign: Expression.Arithmetic, _ a: Expression, _ b: Expression, scale: Int?, _ place: Int
  ) throws(ExpressionFault) -> ExpressionType {
    let (left, right) = (try type(of: a), try type(of: b))
    for (part, found) in [(a, left), (b, right)] {
      if let type = found.type, !Self.isNumber(type) {
        throw type == .text && sign == .plus
          ? ExpressionFault(part.place, "连接文本用 ||，不用 +。", "Texts are joined with ||, not with +.")
          : wrong(part, found, "数值", "a number")
      }
    }
    let isNullable = left.isNullable || right.isNullable
    if sign == .dividedBy, scale == nil, left.type != .double, right.type != .double {
      throw ExpressionFault(
        place, "除法要写明小数位数：ROUND(a / b, 2)。", "A division states its decimals: ROUND(a / b, 2).")
    }
    guard let leftType = left.type, let rightType = right.type else { return ExpressionType(nil, true) }
    guard let x = Self.number(leftType), let y = Self.number(rightType) else {
      return ExpressionType(.double, isNullable)
    }
    let (wholeX, wholeY) = (x.precision - x.scale, y.precision - y.scale)
    switch sign {
    case .plus, .minus:
      if leftType == .integer, rightType == .integer { return ExpressionType(.integer, isNullable) }
      let most = max(x.scale, y.scale)
      return ExpressionType(
        .decimal(precision: min(38, max(wholeX, wholeY) + most + 1), scale: most), isNullable)
    case .times:
      if leftType == .integer, rightType == .integer { return ExpressionType(.integer, isNullable) }
      guard x.scale + y.scale <= 38 else {
        throw ExpressionFault(
          place, "乘积的小数位超过 38；先用 ROUND 减少小数位。", "The product has more than 38 decimals; ROUND the factors first.")
      }
      return ExpressionType(
        .decimal(precision: min(38, x.precision + y.precision), scale: x.scale + y.scale), isNullable)
    case .dividedBy:
      let scale = scale ?? 0
      guard scale + y.scale - x.scale <= 38 else {
        throw ExpressionFault(place, "商的小数位太多。", "The quotient has too many decimals.")
      }
      return ExpressionType(
        .decimal(precision: min(38, max(1, wholeX + y.scale) + scale), scale: scale), isNullable)
    }
  }

  /// The one type that all of these have, or can have without loss.
  func unified(_ list: [Expression], _ place: Int) throws(ExpressionFault) -> ExpressionType {
    var result = ExpressionType(nil, false)
    for part in list {
      let found = try type(of: part)
      result.isNullable = result.isNullable || found.isNullable
      guard let type = found.type else { continue }
      guard let before = result.type, before != type else {
        result.type = type
        continue
      }
      guard let a = Self.number(before), let b = Self.number(type) else {
        throw ExpressionFault(
          part.place, "这里是\(type.title.chinese)，前面是\(before.title.chinese)：各分支的类型要一致。",
          "This gives \(type.title.english), the one before \(before.title.english): all must be of one type.")
      }
      let scale = max(a.scale, b.scale)
      let whole = max(a.precision - a.scale, b.precision - b.scale)
      guard whole + scale <= 38 || before != .integer && type != .integer else {
        throw ExpressionFault(
          part.place, "合起来超过 38 位；先用 TO_DECIMAL。", "Together more than 38 digits; use TO_DECIMAL first.")
      }
      result.type = .decimal(precision: min(38, whole + scale), scale: scale)
    }
    return result
  }

  private func comparison(_ list: [Expression]) throws(ExpressionFault) -> ExpressionType {
    var isNullable = false
    var first: ValueType?
    for part in list {
      let found = try type(of: part)
      isNullable = isNullable || found.isNullable
      guard let type = found.type else { continue }
      guard let before = first else {
        first = type
        continue
      }
      if before == type || Self.isNumber(before) && Self.isNumber(type) { continue }
      let hint: Text =
        switch (before, type) {
        case (.date, .text), (.text, .date): Text("日期写作 DATE '2026-01-01'。", "A date is written DATE '2026-01-01'.")
        case (.date, .timestamp), (.timestamp, .date):
          Text("用 TO_DATE(…) 取日期部分。", "Use TO_DATE(…) for the day.")
        case (.text, .integer), (.text, .decimal): Text("文本写作 '12'。", "A text is written '12'.")
        case (.integer, .text), (.decimal, .text): Text("数值不加引号。", "A number has no quotes.")
        default: Text("", "")
        }
      throw ExpressionFault(
        part.place, "\(before.title.chinese)不能与\(type.title.chinese)比较。\(hint.chinese)",
        "\(before.title.english.prefix(1).uppercased() + before.title.english.dropFirst()) cannot be compared with \(type.title.english). \(hint.english)"
      )
    }
    return ExpressionType(.boolean, isNullable)
  }

  private func boolean(_ part: Expression) throws(ExpressionFault) -> ExpressionType {
    let found = try type(of: part)
    guard found.type == nil || found.type == .boolean else { throw wrong(part, found, "条件（真或假）", "a condition") }
    return found
  }

  func texts(_ list: [Expression]) throws(ExpressionFault) -> ExpressionType {
    var isNullable = false
    for part in list { isNullable = try demand(part, .text).isNullable || isNullable }
    return ExpressionType(.text, isNullable)
  }

  @discardableResult
  func demand(_ part: Expression, _ types: ValueType...) throws(ExpressionFault) -> ExpressionType {
    let found = try type(of: part)
    guard let type = found.type, !types.contains(type) else { return found }
    let names = (
      types.map(\.title.chinese).joined(separator: "或"), types.map(\.title.english).joined(separator: " or ")
    )
    throw wrong(
      part, found, types == [.text] ? "文本，可用 TO_TEXT(…)" : names.0,
      types == [.text] ? "text, as by TO_TEXT(…)" : names.1)
  }

  private func unknown(_ name: String, _ place: Int) -> ExpressionFault {
    let near = columns.filter {
      $0.name.lowercased() == name.lowercased() || $0.name.contains(name) || name.contains($0.name)
    }
    let shown = (near.isEmpty ? columns : near).prefix(10).map { "「\($0.name)」" }.joined(separator: " ")
    return ExpressionFault(
      place, "没有可用的列「\(name)」。可用：\(shown)", "There is no column “\(name)” to use. There are: \(shown)")
  }

  func wrong(_ part: Expression, _ found: ExpressionType, _ chinese: String, _ english: String)
    -> ExpressionFault
  {
    let title = found.type?.title ?? Text("空值", "NULL")
    return ExpressionFault(
      part.place, "这里是\(title.chinese)，应为\(chinese)。", "This gives \(title.english); it must be \(english).")
  }
}
