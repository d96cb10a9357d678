package import Connecting
package import Kernel

/// The rules of a plan made ready: asks every one of every row, so that their counts do not depend on which is asked
/// first. Used by one thread.
package final class RuleMachine {
  /// A rule on an item, or on the row as a whole.
  package struct Placed: Sendable {
    package var rule: QualityRule
    package var field: Int?

    package init(_ rule: QualityRule, field: Int?) {
      self.rule = rule
      self.field = field
    }
  }

  package struct Count: Hashable, Sendable {
    package var checked = 0
    package var broken = 0

    package init(checked: Int = 0, broken: Int = 0) {
      self.checked = checked
      self.broken = broken
    }

    package static func += (a: inout Count, b: Count) {
      a.checked += b.checked
      a.broken += b.broken
    }
  }

  private enum Test {
    case notNull, nothing
    case length(ClosedRange<Int>)
    /// At the item's scale; the bounds at their own.
    case number(least: (Int128, Int)?, most: (Int128, Int)?)
    case day(ClosedRange<Int64>)
    case format(BytePattern)
    case code(QualityRule.Code)
    case dictionary(ByteTable)
    case holds(ExpressionMachine)
    case unique
    case reference(KeySet)
  }

  private let tests: [(test: Test, field: Int?, type: ValueType, rejects: Bool)]
  private let horizon: CitizenID.Horizon
  private var seen: [Set<UInt64>]
  private let hash = SipHash(k0: 0x736A_7275, k1: 0x6C65_7300)
  /// Of the batch so far, in the order of the rules.
  package private(set) var counts: [Count]

  /// Throws a contract error for a rule that does not fit its item.
  package init(
    _ rules: [Placed], items: [ExpressionColumn], references: [String: KeySet], on horizon: CitizenID.Horizon
  ) throws(ConnectorError) {
    self.horizon = horizon
    var tests: [(test: Test, field: Int?, type: ValueType, rejects: Bool)] = []
    for placed in rules {
      let item = placed.field.map { items[$0] }
      guard let test = try Self.test(placed.rule, item, items, references) else {
        throw .contract(
          "rule", "规则“\(placed.rule.name)”不适用于\(item.map { "“\($0.name)”" } ?? "整行")。",
          "The rule “\(placed.rule.name)” does not fit \(item.map { "“\($0.name)”" } ?? "a whole row").")
      }
      tests.append((test, placed.field, item?.type ?? .boolean, placed.rule.severity == .reject))
    }
    self.tests = tests
    seen = Array(repeating: [], count: rules.count)
    counts = Array(repeating: Count(), count: rules.count)
  }

  /// Nil where it does not fit.
  private static func test(
    _ rule: QualityRule, _ item: ExpressionColumn?, _ items: [ExpressionColumn], _ references: [String: KeySet]
  ) throws(ConnectorError) -> Test? {
    if let stop = rule.stopWhen, !stop.isSensible { return nil }
    if case .holds(let text) = rule.kind {
      do {
        let expression = try Expression(parsing: text)
        let program = try ExpressionProgram(expression, columns: items, as: .boolean)
        return .holds(ExpressionMachine(program))
      } catch {
        throw .contract(
          "rule-expression", "规则“\(rule.name)”：\(error.message.chinese)",
          "Rule “\(rule.name)”: \(error.message.english)")
      }
    }
    guard let item else { return nil }
    switch rule.kind {
    case .notNull: return .notNull
    case .length(let least, let most):
      return item.type == .text && least >= 0 && least <= most ? .length(least...most) : nil
    case .number(let least, let most):
      guard ExpressionTyping.number(item.type) != nil, least != nil || most != nil else { return nil }
      let (low, high) = (least.map(number), most.map(number))
      if case .some(.none) = low { return nil }
      if case .some(.none) = high { return nil }
      if let least, let most, !ascend(least, most) { return nil }
      return .number(least: low ?? nil, most: high ?? nil)
    case .date(let from, let through):
      guard item.type == .date || item.type == .timestamp, from != nil || through != nil else { return nil }
      let (low, high) = (from.map(RowTime.day) ?? .min, through.map(RowTime.day) ?? .max)
      return low <= high ? .day(low...high) : nil
    case .format(let pattern):
      guard item.type == .text else { return nil }
      do { return .format(try BytePattern(pattern)) } catch {
        throw .contract(
          "rule-format", "规则“\(rule.name)”：\(error.message.chinese)", "Rule “\(rule.name)”: \(error.message.english)")
      }
    case .code(let code): return item.type == .text ? .code(code) : nil
    case .dictionary(let codes): return item.type == .text ? .dictionary(ByteTable(codes.map { Array($0.utf8) })) : nil
    case .unique: return isExact(item.type) ? .unique : nil
    case .uniqueInTarget: return .nothing
    case .reference(let name):
      guard let set = references[name] else {
        throw .contract(
          "rule-reference", "规则“\(rule.name)”引用的“\(name)”没有提供。",
          "Rule “\(rule.name)” refers to “\(name)”, which is not given.")
      }
      return isExact(item.type) ? .reference(set) : nil
    case .holds: return nil
    }
  }

  /// Equal values have equal bytes as read; a decimal's may yet differ in their zeros.
  private static func isExact(_ type: ValueType) -> Bool {
    switch type {
    case .text, .integer, .boolean, .date, .timestamp, .bytes: true
    case .decimal, .double: false
    }
  }

  /// Whether both are numbers, and the first is not above the second.
  package static func ascend(_ low: String, _ high: String) -> Bool {
    guard let low = number(low), let high = number(high) else { return false }
    return Decimals.compare(low.0, low.1, high.0, high.1) <= 0
  }

  private static func number(_ text: String) -> (Int128, Int)? {
    guard let expression = try? Expression(parsing: text), case .literal(let literal) = expression.node else {
      return nil
    }
    switch literal {
    case .integer(let value): return (Int128(value), 0)
    case .decimal(let value, let scale): return (value, scale)
    default: return nil
    }
  }

  /// Before each batch.
  package func beginBatch() {
    for index in counts.indices { counts[index] = Count() }
    for index in seen.indices where !seen[index].isEmpty { seen[index].removeAll(keepingCapacity: true) }
  }

  /// Asks every rule of one row; the first that rejects it, with its item.
  package func check(_ fields: RowFields) -> (field: Int, fault: RowFault)? {
    var first: (Int, RowFault)?
    for index in tests.indices {
      let (isChecked, fault) = ask(index, fields)
      if isChecked { counts[index].checked += 1 }
      guard let fault else { continue }
      counts[index].broken += 1
      if tests[index].rejects, first == nil { first = (tests[index].field ?? 0, fault) }
    }
    return first
  }

  private func ask(_ index: Int, _ fields: RowFields) -> (Bool, RowFault?) {
    let test = tests[index]
    if case .holds(let machine) = test.test {
      if let fault = machine.run(fields) { return (true, fault) }
      return (true, machine.isNull || machine.isTrue ? nil : .ruleBroken)
    }
    guard let field = test.field else { return (false, nil) }
    if case .notNull = test.test { return (true, fields.isNull(field) ? .missingValue : nil) }
    // What is malformed is bad without a rule; NULL keeps every other one.
    guard let value = fields.value(field) else { return (false, nil) }
    switch test.test {
    case .notNull, .nothing, .holds: return (true, nil)
    case .length(let range):
      let count = Characters.count(value)
      return (true, count < range.lowerBound ? .tooShort : count > range.upperBound ? .tooLong : nil)
    case .number(let least, let most):
      let scale = ExpressionTyping.number(test.type)?.scale ?? 0
      let (number, fault) =
        test.type == .integer ? Self.integer(value) : Decimals.read(value, scale: scale)
      if fault != nil { return (false, nil) }
      if let least, Decimals.compare(number, scale, least.0, least.1) < 0 { return (true, .outOfRange) }
      if let most, Decimals.compare(number, scale, most.0, most.1) > 0 { return (true, .outOfRange) }
      return (true, nil)
    case .day(let range):
      let day: Int64
      switch value.count {
      case 4: day = Int64(Int32(bigEndian: value.loadUnaligned(as: Int32.self)))
      case 8:
        let time = Int64(bigEndian: value.loadUnaligned(as: Int64.self))
        guard WrittenTime.microseconds.contains(time) else { return (false, nil) }
        day = RowTime.day(time)
      default: return (false, nil)
      }
      return (true, range.contains(day) ? nil : .dateOutOfRange)
    case .format(let pattern): return (true, pattern.matches(value) ? nil : .wrongFormat)
    case .code(let code): return (true, code.fault(value, on: horizon))
    case .dictionary(let codes): return (true, codes.place(of: value) == nil ? .notInDictionary : nil)
    case .unique: return (true, seen[index].insert(hash.hash(value)).inserted ? nil : .repeatedValue)
    case .reference(let set): return (true, set.contains(value) ? nil : .unknownReference)
    }
  }

  private static func integer(_ value: UnsafeRawBufferPointer) -> (Int128, RowFault?) {
    value.count == 8 ? (Int128(Int64(bigEndian: value.loadUnaligned(as: Int64.self))), nil) : (0, .wrongType)
  }
}
