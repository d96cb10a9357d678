import Connecting
package import Kernel
package import Reshaping

/// A quality rule as a person writes it: on one item, or on the row as a whole.
package struct TaskRule: Hashable, Sendable {
  package enum Kind: String, Sendable, CaseIterable {
    case notNull = "not-null"
    case length, number, date, format, code, dictionary, unique
    case uniqueInTarget = "unique-in-target"
    case reference
    case holds

    package var title: Text {
      switch self {
      case .notNull: Text("不能为空", "Not empty")
      case .length: Text("字数在范围内", "Length in a range")
      case .number: Text("数值在范围内", "Number in a range")
      case .date: Text("日期在范围内", "Date in a range")
      case .format: Text("符合格式（模式）", "Has a form (pattern)")
      case .code: Text("校验码正确", "Right check digit")
      case .dictionary: Text("是给定代码之一", "One of given codes")
      case .unique: Text("一批内不重复", "Not twice in a batch")
      case .uniqueInTarget: Text("接收表内不重复（仅主键）", "Not twice in the target (key only)")
      case .reference: Text("在另一资源中存在（按其主键）", "Exists in another resource (by its key)")
      case .holds: Text("条件成立（表达式）", "A condition holds (expression)")
      }
    }

    /// What the argument looks like; nil where none is wanted.
    package var form: Text? {
      switch self {
      case .notNull, .unique, .uniqueInTarget: nil
      case .length: Text("2..50", "2..50")
      case .number: Text("0..100（可空一端：..100）", "0..100 (an end may be left out: ..100)")
      case .date: Text("1949-10-01..2026-12-31", "1949-10-01..2026-12-31")
      case .format: Text("[0-9]{6}", "[0-9]{6}")
      case .code:
        Text(
          QualityRule.Code.allCases.map { "\($0.rawValue)（\($0.title.chinese)）" }.joined(separator: "、"),
          QualityRule.Code.allCases.map { "\($0.rawValue) (\($0.title.english))" }.joined(separator: ", "))
      case .dictionary: Text("1, 2, 9", "1, 2, 9")
      case .reference: Text("3070120337/000017（本单位资源的代码）", "3070120337/000017 (the code of a resource of the provider)")
      case .holds: Text("end_date is null or end_date >= start_date", "end_date is null or end_date >= start_date")
      }
    }
  }

  /// The item's column; nil for the row as a whole.
  package var column: String?
  package var kind: Kind
  package var argument: String
  package var severity: QualityRule.Severity
  package var stopWhen: StopRule?

  package init(
    column: String?, kind: Kind, argument: String = "", severity: QualityRule.Severity = .reject,
    stopWhen: StopRule? = nil
  ) {
    self.column = column
    self.kind = kind
    self.argument = argument
    self.severity = severity
    self.stopWhen = stopWhen
  }

  static let most = 100
  static let longestArgument = 1_000

  /// Names the rule in counts and receipts: the same for the same rule.
  package var name: String {
    let what = [kind.rawValue, argument].filter { !$0.isEmpty }.joined(separator: " ")
    return column.map { "\($0): \(what)" } ?? what
  }

  /// As the engine takes it. Throws what is wrong with the argument.
  package func qualityRule() throws(Refusal) -> QualityRule {
    QualityRule(name, try qualityKind(), severity, stopWhen: stopWhen)
  }

  private func qualityKind() throws(Refusal) -> QualityRule.Kind {
    switch kind {
    case .notNull: return .notNull
    case .unique: return .unique
    case .uniqueInTarget: return .uniqueInTarget
    case .length:
      let (low, high) = try ends({ Int($0) }, inOrder: { $0 <= $1 })
      return .length(least: low ?? 0, most: high ?? 100_000)
    case .number:
      let (low, high) = try ends({ RuleMachine.ascend($0, $0) ? $0 : nil }, inOrder: RuleMachine.ascend)
      return .number(least: low, most: high)
    case .date:
      let (low, high) = try ends({ CalendarDate($0) }, inOrder: { $0 <= $1 })
      return .date(from: low, through: high)
    case .format: return .format(try wanted())
    case .code:
      guard let code = QualityRule.Code(rawValue: try wanted()) else { throw wrong() }
      return .code(code)
    case .dictionary:
      let codes = try wanted().split(whereSeparator: { ",，、 ".contains($0) }).map(String.init)
      guard !codes.isEmpty, codes.count <= 500 else { throw wrong() }
      return .dictionary(Set(codes))
    case .reference: return .reference(try wanted())
    case .holds: return .holds(try wanted())
    }
  }

  private func wanted() throws(Refusal) -> String {
    guard !argument.isEmpty, argument.utf8.count <= Self.longestArgument else { throw wrong() }
    return argument
  }

  /// `2..50`, `..50`, `2..`.
  private func ends<T>(_ read: (String) -> T?, inOrder: (T, T) -> Bool) throws(Refusal) -> (T?, T?) {
    let text = try wanted().filter { !$0.isWhitespace }
    guard let dots = text.firstRange(of: "..") else { throw wrong() }
    let (low, high) = (String(text[..<dots.lowerBound]), String(text[dots.upperBound...]))
    let ends = (low.isEmpty ? nil : read(low), high.isEmpty ? nil : read(high))
    let isRead = (low.isEmpty || ends.0 != nil) && (high.isEmpty || ends.1 != nil)
    guard isRead, !low.isEmpty || !high.isEmpty else { throw wrong() }
    if let first = ends.0, let last = ends.1, !inOrder(first, last) {
      throw Refusal.invalid(
        "exchange.rule", "argument",
        Text(
          "“\(kind.title.chinese)”的下限 \(low) 大于上限 \(high)，没有值能通过。",
          "\(kind.title.english): the lower end \(low) is above the upper end \(high); no value could pass."))
    }
    return ends
  }

  private func wrong() -> Refusal {
    let example = kind.form ?? Text(same: "")
    return Refusal.invalid(
      "exchange.rule", "argument",
      Text(
        "“\(kind.title.chinese)”的参数不对，应如：\(example.chinese)。",
        "The argument of “\(kind.title.english)” is wrong; it is like: \(example.english)."))
  }
}
