import Connecting

// Types that round-trip, read and written.

extension Conformance {
  /// What people's databases hold at the edges of each type.
  static let samples: [(type: ValueType, texts: [String])] = [
    (
      .text,
      [
        "", " ", "trailing  ", "  leading", "青海省西宁市城中区", "𠀀𪚥𫝀😀", "a'b\"c\\d", "line\nbreak\ttab\r\n", "%_%", "NULL",
        "\\N",
        "\\x41", "é", "e\u{301}", String(repeating: "长文本", count: 20_000),
      ]
    ),
    (.integer, ["0", "-1", "9223372036854775807", "-9223372036854775808"]),
    (
      .decimal(precision: 38, scale: 10),
      [
        "0.0000000000", "9999999999999999999999999999.9999999999", "-9999999999999999999999999999.9999999999",
        "0.0000000001", "10000.0000000000", "1234567890123456789012345678.0123456789", "-0.5000000000",
      ]
    ),
    (.decimal(precision: 38, scale: 0), ["99999999999999999999999999999999999999", "0", "-1"]),
    (.decimal(precision: 18, scale: 2), ["0.10", "-9999999999999999.99", "1.00"]),
    (.double, ["0.0", "0.1", "-1.5", "1.7976931348623157e+308", "2.2250738585072014e-308", "3.141592653589793"]),
    (.boolean, ["true", "false"]),
    (.date, ["0001-01-01", "1582-10-10", "1899-12-31", "1900-02-28", "2000-02-29", "9999-12-31"]),
    (
      .timestamp,
      [
        "0001-01-02 00:00:00.000000", "1899-12-31 23:59:59.999999", "1970-01-01 00:00:00.000000",
        "2026-08-22 01:30:00.000001", "1986-05-04 15:59:59.500000", "9999-12-30 23:59:59.999999",
      ]
    ),
    (.bytes, ["", "00", "00ff5c27220a0d1a", String(repeating: "00ff", count: 100_000)]),
  ]

  /// One table a type: an id, and the value.
  private static func table(_ type: ValueType, _ texts: [String]) -> SampleTable {
    SampleTable(
      "样本表", [.init("编号", .integer), .init("值", type)],
      rows: [["0", nil]] + texts.enumerated().map { ["\($0 + 1)", $1] })
  }

  private static func held(_ texts: [String], _ type: ValueType, by stand: any ConformanceStand) -> [String] {
    texts.filter { stand.holds($0, as: type) }
  }

  static let values: [ConformanceCase] =
    samples.map { type, texts in
      ConformanceCase("values of \(type) are read as they are") { stand, found in
        let table = table(type, held(texts, type, by: stand))
        try stand.make(table)
        let reader = try stand.connector.openReader(table.readPlan())
        defer { reader.close() }
        let rows = try reader.all().rows
        compare(rows, table.fields(table.rows), table, found)
      }
    }
    + samples.map { type, texts in
      ConformanceCase("values of \(type) are written as they are", needs: [.writes]) { stand, found in
        // A value that is hard to declare by hand is no harder to write.
        let table = table(type, texts)
        let writer = try stand.connector.openWriter(table.writePlan())
        defer { writer.close() }
        _ = try writer.open()
        _ = try writer.write(table.batch(table.rows), batch: 1, mode: .append)
        try writer.complete()
        try writer.commit(record(1, table.rows.count), state: "s", durable: true)
        let back = try writer.readBack(1...1)
        let wanted = table.fields(table.rows).map { $0 + [.value(big(1))] }
        compare(sorted(try back.all().rows), sorted(wanted), table, found)
        back.close()
        let reader = try stand.connector.openReader(table.readPlan())
        defer { reader.close() }
        compare(try reader.all().rows, table.fields(table.rows), table, found)
      }
    }

  static func compare(
    _ found: [[RowField]], _ wanted: [[RowField]], _ table: SampleTable, _ findings: ConformanceFindings
  ) {
    findings.expect(found.count, wanted.count, "rows")
    for (a, b) in zip(found, wanted) where a != b {
      findings.add("a row is \(shown(a)) instead of \(shown(b))")
      return
    }
  }

  static func shown(_ row: [RowField]) -> String { row.map { shown($0) }.joined(separator: " | ") }

  private static func shown(_ field: RowField) -> String {
    switch field {
    case .null: return "NULL"
    case .malformed(let fault, let raw): return "\(fault.code) \(raw.prefix(40))"
    case .value(let bytes): return "\(bytes.prefix(40))\(bytes.count > 40 ? "… of \(bytes.count)" : "")"
    }
  }

  /// In an order that both sides of a comparison agree on.
  static func sorted(_ rows: [[RowField]]) -> [[RowField]] {
    func bytes(_ row: [RowField]) -> [UInt8] {
      row.flatMap { field -> [UInt8] in
        switch field {
        case .null: [0]
        case .value(let bytes): [1] + bytes
        case .malformed(let fault, _): [2, fault.rawValue]
        }
      }
    }
    return rows.map { ($0, bytes($0)) }.sorted { $0.1.lexicographicallyPrecedes($1.1) }.map(\.0)
  }

  static func record(_ batch: Int64, _ rows: Int, run: String = "run-1") -> BatchRecord {
    BatchRecord(
      batch: batch, run: run, delivered: rows, quarantined: 0, bytes: rows, digest: String(repeating: "0", count: 64))
  }

  static func big(_ value: Int64) -> [UInt8] { withUnsafeBytes(of: value.bigEndian) { [UInt8]($0) } }
}
