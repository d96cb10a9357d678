import Connecting
import Kernel
import NationalCrypto
import Reshaping

/// What happens to rows on the way, checked and made ready: which columns are read for it, and where each item's value
/// comes from.
struct ReshapingPlan: Sendable {
  enum Source: Sendable {
    case column(Int)
    case program(ExpressionProgram)
  }

  /// As they are read: the items' columns, then what filter and expressions read besides. The cursor may follow.
  let columns: [ReadPlan.Column]
  /// By item.
  let sources: [Source]
  let filter: ExpressionProgram?
  /// What a bad row names when the filter cannot be computed: the first column it reads.
  let filterName: String
  let rules: [RuleMachine.Placed]
  /// The items as rules see them: computed, not yet masked.
  let items: [ExpressionColumn]
  let references: [String: KeySet]
  let horizon: CitizenID.Horizon
  /// The cursor stands behind `columns` unless it is one of them.
  let readCount: Int

  /// Nil for a plan that delivers columns under their own names and asks nothing of them.
  init?(_ plan: DeliveryPlan, on today: CalendarDate) throws(ConnectorError) {
    let way = plan.onTheWay
    if let stop = way.stopWhen, !stop.isSensible {
      throw .contract("stop", "停止条件须为行数或 0 至 1 的比例。", "A stop is a count of rows or a share from 0 to 1.")
    }
    guard Self.isNeeded(plan) else { return nil }
    var columns: [ReadPlan.Column] = []
    func read(_ column: ReadPlan.Column) throws(ConnectorError) -> Int {
      if let place = columns.firstIndex(where: { $0.name == column.name }) {
        guard columns[place].type == column.type else {
          throw .contract(
            "column-types", "列“\(column.name)”被要求为两种类型。", "The column “\(column.name)” is wanted in two types.")
        }
        return place
      }
      columns.append(column)
      return columns.count - 1
    }
    for item in plan.items {
      if let name = item.sourceColumn { _ = try read(ReadPlan.Column(name, item.type)) }
    }
    // The types of what else may be read: the cursor, and columns declared for it.
    var others: [String: ReadPlan.Column] = [:]
    if let cursor = plan.cursor { others[cursor.name] = ReadPlan.Column(cursor.name, cursor.type) }
    for column in way.consulted { others[column.name] = column }
    let expressions = try plan.items.map { (item) throws(ConnectorError) in try Self.expression(item) }
    let filterExpression = try way.filter.map { (text) throws(ConnectorError) in
      try Self.parsed(text, Text("筛选条件", "The filter"))
    }
    for expression in expressions.compactMap(\.self) + (filterExpression.map { [$0] } ?? []) {
      for name in expression.columns where !columns.contains(where: { $0.name == name }) {
        if let other = others[name] { _ = try read(other) }
      }
    }
    self.columns = columns
    let known = columns.map { ExpressionColumn($0.name, $0.type) }
    var sources: [Source] = []
    for (item, expression) in zip(plan.items, expressions) {
      if let name = item.sourceColumn, let place = columns.firstIndex(where: { $0.name == name }) {
        sources.append(.column(place))
      } else if let expression {
        sources.append(
          .program(
            try Self.program(expression, known, way.dictionaries, item.type, Text("“\(item.name)”", "“\(item.name)”"))))
      }
    }
    self.sources = sources
    filter = try filterExpression.map { (expression) throws(ConnectorError) in
      try Self.program(expression, known, way.dictionaries, .boolean, Text("筛选条件", "The filter"))
    }
    filterName = filterExpression?.columns.first ?? plan.items[0].name
    rules =
      plan.items.enumerated().flatMap { place, item in item.rules.map { RuleMachine.Placed($0, field: place) } }
      + way.rules.map { RuleMachine.Placed($0, field: nil) }
    items = plan.items.map { ExpressionColumn($0.name, $0.type) }
    references = way.references
    horizon = CitizenID.Horizon(today)
    if let cursor = plan.cursor, !columns.contains(where: { $0.name == cursor.name }) {
      readCount = columns.count + 1
    } else {
      readCount = columns.count
    }
    try Self.check(rules, plan)
    // Found now and not by the thread that reads.
    _ = try RuleMachine(rules, items: items, references: references, on: horizon)
  }

  private static func isNeeded(_ plan: DeliveryPlan) -> Bool {
    plan.onTheWay.filter != nil || !plan.onTheWay.rules.isEmpty
      || plan.items.contains { $0.source != .sameColumn || !$0.rules.isEmpty }
  }

  private static func check(_ rules: [RuleMachine.Placed], _ plan: DeliveryPlan) throws(ConnectorError) {
    guard Set(rules.map(\.rule.name)).count == rules.count, rules.allSatisfy({ !$0.rule.name.contains("\n") }) else {
      throw .contract("rule-twice", "规则重名。", "Two rules have the same name.")
    }
    for placed in rules where placed.rule.kind == .uniqueInTarget {
      guard let field = placed.field, plan.key == [plan.items[field].name] else {
        throw .contract(
          "rule-unique", "接收表内不重复只能由主键保证。", "Only the key can be kept from occurring twice in the target.")
      }
    }
  }

  private static func expression(_ item: ItemContract) throws(ConnectorError) -> Expression? {
    switch item.source {
    case .sameColumn, .column: nil
    case .expression(let text): try parsed(text, Text(same: "“\(item.name)”"))
    case .translated(let column, let dictionary):
      Expression(
        .call(
          .lookup,
          [Expression(.literal(.text(dictionary)), at: 1), Expression(.column(column), at: 1)]), at: 1)
    }
  }

  private static func parsed(_ text: String, _ subject: Text) throws(ConnectorError) -> Expression {
    do { return try Expression(parsing: text) } catch { throw refused(error, subject) }
  }

  private static func program(
    _ expression: Expression, _ columns: [ExpressionColumn], _ dictionaries: [String: DictionaryTable],
    _ type: ValueType,
    _ subject: Text
  ) throws(ConnectorError) -> ExpressionProgram {
    do {
      return try ExpressionProgram(expression, columns: columns, dictionaries: dictionaries, as: type)
    } catch { throw refused(error, subject) }
  }

  private static func refused(_ fault: ExpressionFault, _ subject: Text) -> ConnectorError {
    .contract(
      "expression", "\(subject.chinese)：\(fault.message.chinese)", "\(subject.english): \(fault.message.english)")
  }

  /// What a schema's digest says of it; empty for plans that do nothing on the way.
  static func canonicalText(of plan: DeliveryPlan) -> String {
    var lines: [String] = []
    var dictionaries: Set<String> = []
    func quoted(_ text: String) -> String { "\(text.utf8.count):\(text)" }
    for item in plan.items {
      switch item.source {
      case .sameColumn: break
      case .column(let name): lines.append("source \(quoted(item.name)) column \(quoted(name))")
      case .expression(let text):
        lines.append("source \(quoted(item.name)) expression \(quoted(text))")
        dictionaries.formUnion((try? Expression(parsing: text))?.dictionaries ?? [])
      case .translated(let column, let dictionary):
        lines.append("source \(quoted(item.name)) translated \(quoted(column)) \(quoted(dictionary))")
        dictionaries.insert(dictionary)
      }
      // What a rule rejects changes what is delivered; what it only counts does not.
      for rule in item.rules where rule.severity == .reject {
        lines.append("rule \(quoted(item.name)) \(quoted(rule.canonicalText))")
      }
    }
    for rule in plan.onTheWay.rules where rule.severity == .reject {
      lines.append("rule \(quoted(rule.canonicalText))")
    }
    if let filter = plan.onTheWay.filter {
      lines.append("filter \(quoted(filter))")
      dictionaries.formUnion((try? Expression(parsing: filter))?.dictionaries ?? [])
    }
    for name in dictionaries.sorted() {
      let content = plan.onTheWay.dictionaries[name].map { SM3.hash($0.canonicalText).hex } ?? "-"
      lines.append("dictionary \(quoted(name)) \(content)")
    }
    return lines.map { $0 + "\n" }.joined()
  }
}
