import Connecting
import Kernel
import Testing

@testable import Reshaping

/// Random expressions against the plainest evaluator, and random garbage against the parser.
@Suite struct ExpressionPropertyTests {
  private static let columns = [
    ExpressionColumn("文", .text), ExpressionColumn("数", .integer),
    ExpressionColumn("额", .decimal(precision: 8, scale: 2)),
    ExpressionColumn("日", .date), ExpressionColumn("真", .boolean),
  ]

  /// Writes expressions of a wanted type.
  private struct Writer {
    var dice: Dice

    mutating func pick<T>(_ list: [T]) -> T { list.randomElement(using: &dice)! }

    mutating func make(_ type: Character, _ depth: Int) -> String {
      let isLeaf = depth == 0 || Int.random(in: 0..<5, using: &dice) == 0
      if Int.random(in: 0..<20, using: &dice) == 0 { return "NULL" }
      if !isLeaf, Int.random(in: 0..<6, using: &dice) == 0 {
        let (a, b, c) = (make("b", depth - 1), make(type, depth - 1), make(type, depth - 1))
        return pick(["CASE WHEN \(a) THEN \(b) ELSE \(c) END", "CASE WHEN \(a) THEN \(b) END", "COALESCE(\(b), \(c))"])
      }
      switch type {
      case "t":
        if isLeaf { return pick(["文", "'三江源'", "'aXb'", "''", "'江'"]) }
        let (a, b, n) = (make("t", depth - 1), make("t", depth - 1), make("i", depth - 1))
        return pick([
          "(\(a) || \(b))", "CONCAT(\(a), \(b))", "LEFT(\(a), \(n))", "RIGHT(\(a), \(n))", "UPPER(\(a))",
          "REPLACE(\(a), \(b), 'z')", "TO_TEXT(\(n))",
        ])
      case "i":
        if isLeaf { return pick(["数", "0", "1", "-3", "7"]) }
        let (a, b) = (make("i", depth - 1), make("i", depth - 1))
        return pick([
          "(\(a) + \(b))", "(\(a) - \(b))", "(\(a) * \(b))", "-(\(a))", "LENGTH(\(make("t", depth - 1)))",
          "YEAR(\(make("d", depth - 1)))",
        ])
      case "n":
        if isLeaf { return pick(["额", "0.5", "-1.25", "100.00"]) }
        let (a, b) = (make(pick(["n", "i"]), depth - 1), make("n", depth - 1))
        return pick(["(\(a) + \(b))", "(\(a) - \(b))", "ROUND(\(b), \(Int.random(in: 0...3, using: &dice)))"])
      case "d":
        if isLeaf { return pick(["日", "DATE '2026-01-01'", "DATE '1990-12-31'"]) }
        return "DATE_ADD_DAYS(\(make("d", depth - 1)), \(make("i", depth - 1)))"
      default:
        if isLeaf { return pick(["真", "TRUE", "FALSE"]) }
        let kind: Character = pick(["t", "i", "n", "d"])
        let (a, b, c) = (make(kind, depth - 1), make(kind, depth - 1), make(kind, depth - 1))
        let (p, q) = (make("b", depth - 1), make("b", depth - 1))
        let sign = pick(["=", "<>", "<", "<=", ">", ">="])
        return pick([
          "\(a) \(sign) \(b)", "(\(p) AND \(q))", "(\(p) OR \(q))", "NOT (\(p))", "(\(a)) IS NULL",
          "(\(a)) IS NOT NULL",
          "(\(a)) BETWEEN (\(b)) AND (\(c))", "(\(a)) NOT BETWEEN (\(b)) AND (\(c))",
          "(\(make("i", depth - 1))) IN (1, 2, 7, 1.5)",
          "(\(make("t", depth - 1))) IN ('江', 'aXb')", "(\(make("t", depth - 1))) LIKE '%江_%'",
          "(\(make("t", depth - 1))) NOT LIKE 'a%b'",
        ])
      }
    }
  }

  @Test func `random expressions agree with the plainest evaluator`() throws {
    var writer = Writer(dice: Dice(20_260_822))
    let typing = ExpressionTyping(columns: Self.columns)
    let row = TestRow(Self.columns)
    let rows: [[Value]] = [
      [.text("三江源头"), .integer(3), .decimal("12.34"), .date("2000-02-29"), .boolean(true)],
      [.null, .null, .null, .null, .null],
      [.text(""), .integer(-7), .decimal("-0.01"), .date("1999-12-31"), .boolean(false)],
    ]
    var (computed, faults) = (0, 0)
    for _ in 0..<6000 {
      let text = writer.make(writer.pick(["t", "i", "n", "d", "b"]), 4)
      let expression = try Expression(parsing: text)
      // Types may not fit where NULL hid one (a CASE of two NULLs), or numbers grow too wide: then both refuse.
      guard let program = try? ExpressionProgram(expression, columns: Self.columns) else { continue }
      let machine = ExpressionMachine(program)
      for values in rows {
        _ = row.load(values)
        var boxes: [String: Reference.Box] = [:]
        for (column, value) in zip(Self.columns, values) { boxes[column.name] = Self.box(value) }
        let expected: String
        do {
          let box = try Reference.value(expression, boxes, typing)
          expected = Self.plain(box)
        } catch let bad as Reference.Bad {
          expected = bad.fault.code
          faults += 1
        }
        let found = written(machine, row)
        #expect(found == expected, "\(text) over \(values)")
        computed += 1
      }
    }
    #expect(computed > 12_000 && faults > 50, "\(computed) \(faults)")
  }

  private static func box(_ value: Value) -> Reference.Box {
    switch value {
    case .text(let text): .text(text)
    case .integer(let number): .number(Int128(number), 0)
    case .decimal(let text):
      Array(text.utf8).withUnsafeBytes { Decimal38($0)?.scaled(to: 2).map { .number($0, 2) } ?? .null }
    case .date(let text): .date(CalendarDate(text)!)
    case .boolean(let truth): .truth(truth)
    default: .null
    }
  }

  private static func plain(_ box: Reference.Box) -> String {
    switch box {
    case .null: "NULL"
    case .text(let text): text
    case .number(let value, let scale): Reference.plain(value, scale)
    case .truth(let value): value ? "true" : "false"
    case .date(let date): "\(date)"
    }
  }

  @Test func `garbage is refused quickly and breaks nothing`() {
    var dice = Dice(7)
    let pieces = [
      "(", ")", "'", "\"", "「", "」", ",", "+", "-", "*", "/", "||", "<", ">", "=", "<>", "AND", "OR", "NOT", "IN",
      "BETWEEN", "LIKE",
      "IS", "NULL", "CASE", "WHEN", "THEN", "ELSE", "END", "LEFT(", "TO_DATE(", "DATE '", "1", "2.5", ".", "甲", " ",
      "\u{0}", "\\", "%",
      "９", "é", "\u{301}", "😀", "'a'", "ROUND(", "COALESCE(", "LOOKUP('d',", "TRUE",
    ]
    let clock = ContinuousClock()
    let start = clock.now
    var parsed = 0
    for _ in 0..<20_000 {
      let text = (0..<Int.random(in: 1..<30, using: &dice)).map { _ in pieces.randomElement(using: &dice)! }
        .joined(separator: Bool.random(using: &dice) ? " " : "")
      if let expression = try? Expression(parsing: text) {
        parsed += 1
        _ = expression.sentence
        _ = try? ExpressionProgram(expression, columns: [ExpressionColumn("甲", .text)])
      }
    }
    // The worst that fits the limits: everything opens, nothing closes.
    for piece in pieces { _ = try? Expression(parsing: String(repeating: piece, count: 16_384 / piece.utf8.count)) }
    for piece in ["(", "NOT ", "CASE WHEN ", "-", "LEFT(", "1+", "1 IN (", "TRUE AND "] {
      _ = try? Expression(parsing: String(repeating: piece, count: 16_384 / piece.utf8.count) + "1")
    }
    #expect(parsed > 100)
    #expect(clock.now - start < .seconds(60))
  }

  @Test func `decimals keep their value through their canonical bytes`() throws {
    var dice = Dice(99)
    let batch = RowBatch(capacity: RowBatch.smallest)
    for _ in 0..<20_000 {
      let scale = Int.random(in: 0...38, using: &dice)
      let value =
        Int128.random(in: -(Decimals.limit - 1)...Decimals.limit - 1, using: &dice)
        / Decimals.power(Int.random(in: 0...38, using: &dice))
      batch.removeAll()
      batch.beginRow(fields: 1)
      #expect(Decimals.append(value, precision: 38, scale: scale, to: batch) == nil)
      batch.endRow()
      guard case .value(let bytes) = batch.fields(0)[0] else { continue }
      let back = bytes.withUnsafeBytes { Decimals.read($0, scale: scale) }
      #expect(back == (value, nil))
      #expect(
        bytes.withUnsafeBytes { CanonicalText.text(of: $0, as: .decimal(precision: 38, scale: scale)) }
          == Decimals.text(value, scale: scale))
      let text = Array(Decimals.text(value, scale: scale).utf8)
      #expect(text.withUnsafeBytes { Decimals.parse($0, scale: scale) } == (value, nil))
      // The same bytes as a connector makes of the written number.
      let other = RowBatch(capacity: RowBatch.smallest)
      other.beginRow(fields: 1)
      _ = text.withUnsafeBytes { Decimal38($0)?.append(precision: 38, scale: scale, to: other) }
      other.endRow()
      #expect(other.fields(0) == batch.fields(0))
    }
  }
}
