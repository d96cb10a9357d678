import Connecting
import Kernel
import Testing

@testable import Reshaping

@Suite struct RuleTests {
  private static let horizon = CitizenID.Horizon(CalendarDate(year: 2026, month: 8, day: 22)!)

  private func machine(_ rules: [QualityRule], _ type: ValueType, references: [String: KeySet] = [:]) throws
    -> RuleMachine
  {
    let items = [ExpressionColumn("项", type), ExpressionColumn("止", .date)]
    return try RuleMachine(rules.map { .init($0, field: 0) }, items: items, references: references, on: Self.horizon)
  }

  private func check(_ kind: QualityRule.Kind, _ type: ValueType, _ value: Value, references: [String: KeySet] = [:])
    throws -> String
  {
    let machine = try machine([QualityRule("r", kind)], type, references: references)
    let row = TestRow([ExpressionColumn("项", type), ExpressionColumn("止", .date)])
    _ = row.load([value, .date("2026-01-01")])
    return machine.check(row.fields)?.fault.code ?? "good"
  }

  @Test(arguments: [
    (QualityRule.Kind.notNull, ValueType.text, Value.null, "missing-value"), (.notNull, .text, .text(""), "good"),
    (.length(least: 2, most: 3), .text, .text("三"), "too-short"),
    (.length(least: 2, most: 3), .text, .text("三江源"), "good"),
    (.length(least: 2, most: 3), .text, .text("三江源头"), "too-long"), (.length(least: 2, most: 3), .text, .null, "good"),
    (.number(least: "0", most: "99.5"), .integer, .integer(100), "out-of-range"),
    (.number(least: "0", most: nil), .integer, .integer(0), "good"),
    (.number(least: "-0.5", most: "1"), .decimal(precision: 5, scale: 2), .decimal("-0.51"), "out-of-range"),
    (.number(least: "-0.5", most: "1"), .decimal(precision: 5, scale: 2), .decimal("-0.50"), "good"),
    (
      .date(from: CalendarDate("1900-01-01"), through: CalendarDate("2026-08-22")), .date, .date("2026-08-23"),
      "date-out-of-range"
    ),
    (.date(from: nil, through: CalendarDate("2026-08-22")), .timestamp, .timestamp("2026-08-22 23:59:59"), "good"),
    (.format("[0-9]{6}"), .text, .text("810000"), "good"), (.format("[0-9]{6}"), .text, .text("81000"), "wrong-format"),
    (.code(.bankCard), .text, .text("4111111111111112"), "check-digit"),
    (.code(.bankCard), .text, .text("4111111111111111"), "good"),
    (.code(.postalCode), .text, .text("810000"), "good"), (.code(.postalCode), .text, .text("81000"), "malformed-code"),
    (.code(.mobile), .text, .text("13909711234"), "good"),
    (.code(.mobile), .text, .text("12909711234"), "malformed-code"),
    (.code(.phone), .text, .text("0971-6131234"), "good"), (.code(.phone), .text, .text("6131234"), "malformed-code"),
    (.code(.phone), .text, .text("01012345678"), "good"),
    (.code(.creditCode), .text, .text("11100000000013338W"), "good"),
    (.code(.citizenID), .text, .text("630102199003077212"), "check-digit"),
    (.code(.organisationCode), .text, .text("000013338"), "good"),
    (.dictionary(["汉族", "藏族"]), .text, .text("藏"), "not-in-dictionary"),
    (.dictionary(["汉族", "藏族"]), .text, .text("藏族"), "good"),
    (.holds("项 <= 止"), .date, .date("2026-01-02"), "rule-broken"), (.holds("项 <= 止"), .date, .null, "good"),
    (.holds("项 <= 止"), .date, .date("2026-01-01"), "good"), (.uniqueInTarget, .text, .text("a"), "good"),
  ])
  func `a rule is kept or broken`(kind: QualityRule.Kind, type: ValueType, value: Value, expected: String) throws {
    #expect(try check(kind, type, value) == expected)
  }

  @Test func `a rule that does not fit is refused`() {
    for (kind, type) in [
      (QualityRule.Kind.length(least: 3, most: 2), ValueType.text), (.length(least: 0, most: 2), .integer),
      (.format("["), .text),
      (.format("a"), .integer), (.number(least: "x", most: nil), .integer), (.number(least: nil, most: nil), .integer),
      (.date(from: nil, through: nil), .date), (.code(.mobile), .integer), (.holds("项 +"), .date), (.holds("项"), .date),
      (.reference("不在"), .text), (.unique, .double),
    ] {
      #expect(throws: ConnectorError.self, "\(kind)") { try machine([QualityRule("r", kind)], type) }
    }
    #expect(throws: ConnectorError.self) {
      try machine([QualityRule("r", .notNull, stopWhen: StopRule(share: 2))], .text)
    }
  }

  @Test func `every rule is asked of every row, whatever the others say`() throws {
    let rules = [
      QualityRule("甲", .format("[0-9]+")), QualityRule("乙", .length(least: 2, most: 3), .warn),
      QualityRule("丙", .unique),
    ]
    let row = TestRow([ExpressionColumn("项", .text), ExpressionColumn("止", .date)])
    func counts(_ values: [String]) throws -> [RuleMachine.Count] {
      let machine = try machine(rules, .text)
      machine.beginBatch()
      for value in values {
        _ = row.load([.text(value), .null])
        _ = machine.check(row.fields)
      }
      return machine.counts
    }
    let values = ["12", "x", "12", "3", "abcd", "12"]
    let expected = [
      RuleMachine.Count(checked: 6, broken: 2), RuleMachine.Count(checked: 6, broken: 3),
      RuleMachine.Count(checked: 6, broken: 2),
    ]
    #expect(try counts(values) == expected)
    #expect(try counts(values.reversed()) == expected)
    let warning = try machine([rules[1]], .text)
    _ = row.load([.text("x"), .null])
    #expect(warning.check(row.fields) == nil && warning.counts[0].broken == 1)
  }

  @Test(arguments: [
    ("[0-9]{6}", "810000", true), ("[0-9]{6}", "8100000", false), ("\\d{2,4}", "123", true), ("\\d{2,4}", "1", false),
    ("\\d{2,}", "123456", true),
    ("[A-Z]{2}-\\d+", "QH-1", true), ("(省|市)?.*", "市辖", true), ("\\h+", "三江源𠮷", true), ("\\h+", "三a", false),
    ("[一-龥]{2,4}", "张三", true),
    ("[^0-9]+", "a三", true), ("[^0-9]+", "a3", false), ("a.c", "a三c", true), ("", "", true), ("", "a", false),
    ("a*", "", true),
    ("(ab)*c?", "ababc", true), ("(ab)*c?", "abac", false), ("a{0}b", "b", true), ("x|y|", "", true),
    ("[\\d\\-]+", "1-2", true), ("\\.", ".", true),
    ("(a|ab)(c|bcd)(d*)", "abcd", true), ("[a-]+", "a-", true), ("a{3}", "aa", false), ("(a?){3}b", "aab", true),
  ])
  func `a format matches whole texts`(pattern: String, text: String, expected: Bool) throws {
    let pattern = try BytePattern(pattern)
    #expect(Array(text.utf8).withUnsafeBytes { pattern.matches($0) } == expected)
  }

  @Test(arguments: [
    "[", "[]", "(", ")", "*a", "a**", "{2}", "a{2", "a{3,2}", "\\", "\\w", "[b-a]", "a{999}", "(a{100}){100}",
    "((((){99}){99}){99}){99}", "^a", "a$",
  ])
  func `a format that says nothing is refused with its place`(pattern: String) {
    #expect(throws: BytePattern.Fault.self) { try BytePattern(pattern) }
  }

  @Test func `no pattern is slow, however it is meant`() throws {
    let pattern = try BytePattern("(a*)*(a|aa)+(a?){20}b")
    let text = [UInt8](repeating: UInt8(ascii: "a"), count: 20_000)
    let clock = ContinuousClock()
    let time = clock.measure { #expect(!text.withUnsafeBytes { pattern.matches($0) }) }
    #expect(time < .seconds(5))
  }

  @Test func `random garbage makes no pattern crash`() {
    var dice = Dice(5)
    let pieces = [
      "[", "]", "(", ")", "{", "}", "*", "+", "?", "|", "\\", "a", "-", "^", "1", ",", "三", "\\d", ".", "{2,3}",
    ]
    var good = 0
    for _ in 0..<20_000 {
      let text = (0..<Int.random(in: 1..<12, using: &dice)).map { _ in pieces.randomElement(using: &dice)! }.joined()
      guard let pattern = try? BytePattern(text) else { continue }
      good += 1
      for sample in ["", "a", "三1a", "aaaa"] { _ = Array(sample.utf8).withUnsafeBytes { pattern.matches($0) } }
    }
    #expect(good > 500)
  }

  @Test func `keys of another resource are found, all of them`() throws {
    var builder = KeySet.Builder()
    for number in Array(0..<50_000) + Array(0..<100) {
      let key = Array("键\(number)".utf8)
      try key.withUnsafeBytes { try builder.add($0) }
    }
    let set = builder.finish()
    #expect(set.count == 50_000 && set.falsePositiveBound < 1e-14)
    for number in 0..<50_000 { #expect(Array("键\(number)".utf8).withUnsafeBytes { set.contains($0) }) }
    for number in 50_000..<60_000 { #expect(!Array("键\(number)".utf8).withUnsafeBytes { set.contains($0) }) }
    #expect(!KeySet.Builder().finish().contains(UnsafeRawBufferPointer(start: nil, count: 0)))
    #expect(try check(.reference("企业"), .text, .text("键7"), references: ["企业": set]) == "good")
    #expect(try check(.reference("企业"), .text, .text("键x"), references: ["企业": set]) == "unknown-reference")
  }

  @Test func `a stop is reached above its count or share`() {
    let rule = StopRule(count: 10, share: 0.05, leastRows: 100)
    #expect(!rule.isReached(10, of: 1000) && rule.isReached(11, of: 1000))
    #expect(!rule.isReached(5, of: 50) && rule.isReached(5, of: 50, isEnd: true) && rule.isReached(6, of: 100))
    #expect(rule.sentence.english == "more than 10 rows or more than 5% of the rows")
    #expect(!StopRule().isSensible && !StopRule(count: -1).isSensible)
  }

  @Test func `a rule says what it asks`() {
    #expect(QualityRule("r", .length(least: 1, most: 5)).sentence.chinese == "长度为 1 至 5 个字符")
    #expect(QualityRule("r", .holds("a < b")).sentence.english == "“a” is less than “b”")
    #expect(QualityRule("r", .number(least: "0", most: nil)).sentence.english == "at least 0")
  }
}
