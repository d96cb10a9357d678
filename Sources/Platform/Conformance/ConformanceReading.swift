import Connecting

// Finding tables, and reading them by their key.

extension Conformance {
  /// Persons: a key of two columns of which one is text in several scripts and letter cases.
  static let people = SampleTable(
    "人员",
    [
      .init("区划", .text, length: 12), .init("序号", .integer), .init("姓名", .text, length: 40),
      .init("金额", .decimal(precision: 18, scale: 2)), .init("更新时间", .timestamp),
    ], key: [0, 1])

  static func rows(_ count: Int, at time: String? = "2026-08-22 01:00:00.000000") -> [[String?]] {
    let places = ["630102", "a", "A", "西宁", "海东", "Ａ", "z", "Z", "_", "é"]
    return (0..<count).map { index in
      [
        places[index % places.count], "\(index / places.count)", index % 7 == 0 ? nil : "张\(index)", "\(index).50",
        time,
      ]
    }
  }

  static let discovery: [ConformanceCase] = [
    ConformanceCase("a table is found and described, alone and with all others") { stand, found in
      var table = people
      table.rows = rows(20)
      try stand.make(table)
      found.expect(
        try stand.connector.tables().contains { $0.name.name == table.name }, "tables() does not list the table")
      guard let listed = try stand.connector.tables().first(where: { $0.name.name == table.name }) else { return }
      let described = try stand.connector.describe(listed.name)
      found.expect(described.columns.map(\.name), table.columns.map(\.name), "columns")
      if Swift.type(of: stand).abilities.contains(.declaredTypes) {
        found.expect(described.columns.map(\.type), table.columns.map { $0.type }, "types")
        found.expect(described.key.map(\.name), table.key.map { table.columns[$0].name }, "key")
        found.expect(described.column("姓名")?.length, 40, "length of a text")
      }
      let all = try stand.connector.survey()
      found.expect(all.first { $0.name == listed.name }?.columns, described.columns, "survey() beside describe()")
      _ = try stand.connector.probe()
    },
    ConformanceCase("a look at a table gives a few rows, cut, and never all of them") { stand, found in
      var table = people
      table.rows = rows(50)
      table.rows[3][2] = String(repeating: "名", count: 40)
      try stand.make(table)
      let seen = try stand.connector.peek(
        table.tableName, [.init("姓名", .text), .init("金额", .decimal(precision: 18, scale: 2))], rows: 5,
        within: .seconds(10))
      found.expect(seen.count, 5, "rows")
      found.expect(seen.allSatisfy { $0.count == 2 }, "a row has not its two columns")
      let looked = try stand.connector.examine(
        table.tableName, columns: ["姓名"], cursor: "更新时间", within: .seconds(10))
      found.expect(looked.table.columns.count, table.columns.count, "columns of an examination")
    },
    ConformanceCase("a table or column that is not there is a breach of contract") { stand, found in
      try stand.make(people)
      found.expectError(.contract, "a missing table") {
        _ = try stand.connector.describe(TableName("没有这张表"))
      }
      var plan = people.readPlan()
      plan.columns[2].name = "没有这一列"
      found.expectError(.contract, "a missing column") {
        let reader = try stand.connector.openReader(plan)
        defer { reader.close() }
        _ = try reader.all()
      }
    },
    ConformanceCase("a column of another type is a breach of contract, or each of its values is a fault") {
      stand, found in
      var table = people
      table.rows = rows(20)
      try stand.make(table)
      var plan = table.readPlan()
      plan.columns[2].type = .date
      do {
        let reader = try stand.connector.openReader(plan)
        defer { reader.close() }
        for row in try reader.all().rows {
          if case .value = row[2] { found.add("a text was read as a date: \(shown(row))") }
        }
      } catch let error as ConnectorError {
        found.expect(error.kind, .contract, "kind of \(error)")
      }
    },
  ]

  static let reading: [ConformanceCase] = [
    ConformanceCase("rows of all key values come once each, in the reader's own order") { stand, found in
      var table = people
      table.rows = rows(3000)
      try stand.make(table)
      let reader = try stand.connector.openReader(table.readPlan())
      defer { reader.close() }
      compare(sorted(try reader.all().rows), sorted(table.fields(table.rows)), table, found)
    },
    ConformanceCase("reading goes on after any position, losing and doubling nothing") { stand, found in
      var table = people
      table.rows = rows(4000).map { row in
        [row[0], row[1], row[2].map { $0 + String(repeating: "·", count: 20) }, row[3], row[4]]
      }
      try stand.make(table)
      var (all, position): ([[RowField]], [UInt8]?) = ([], nil)
      let batch = RowBatch(capacity: RowBatch.smallest)
      var isOrdered = true
      // A new reader for each batch, as after a crash at every batch.
      for _ in 0..<200 {
        let reader = try stand.connector.openReader(table.readPlan(.full(after: position)))
        defer { reader.close() }
        isOrdered = reader.isKeyOrdered
        guard try reader.read(into: batch) == .rows else { break }
        all += (0..<batch.rowCount).map { batch.fields($0) }
        position = reader.position
        found.expect(reader.position.count <= 64 << 10, "a position of \(reader.position.count) bytes")
      }
      found.expect(all.count > 1000 || !isOrdered, "one batch held everything: nothing was tried")
      compare(sorted(all), sorted(table.fields(table.rows)), table, found)
    },
    ConformanceCase("rows without a key come last and are told apart", needs: [.nullKeys]) { stand, found in
      var table = people
      table.rows = rows(30) + [[nil, "1", "无区划", "1.00", nil], ["x", nil, "无序号", "1.00", nil]]
      try stand.make(table)
      let reader = try stand.connector.openReader(table.readPlan())
      defer { reader.close() }
      let read = try reader.all()
      found.expect(read.rows.count, 30, "rows with a key")
      found.expect(read.unkeyed.count, 2, "rows without a key")
    },
    ConformanceCase("a reader sees one state of the table", needs: [.statements, .snapshots]) { stand, found in
      var table = people
      table.rows = rows(2000)
      try stand.make(table)
      let reader = try stand.connector.openReader(table.readPlan())
      defer { reader.close() }
      let batch = RowBatch(capacity: RowBatch.smallest)
      _ = try reader.read(into: batch)
      let first = batch.rowCount
      try stand.insert([["~~", "1", "后来", "1.00", nil]], into: table)
      try stand.run("DELETE FROM \(stand.quoted(table.name)) WHERE \(stand.quoted("区划")) = '西宁'")
      found.expect(first + (try reader.all().rows.count), 2000, "rows")
    },
    ConformanceCase("a reader that is closed early leaves the connector as it was") { stand, found in
      var table = people
      table.rows = rows(2000)
      try stand.make(table)
      for _ in 0..<5 {
        let reader = try stand.connector.openReader(table.readPlan())
        _ = try reader.read(into: RowBatch(capacity: RowBatch.smallest))
        reader.close()
        reader.close()
      }
      let reader = try stand.connector.openReader(table.readPlan())
      defer { reader.close() }
      found.expect(try reader.all().rows.count, 2000, "rows")
    },
    ConformanceCase("an empty table ends at once") { stand, found in
      try stand.make(people)
      let reader = try stand.connector.openReader(people.readPlan())
      defer { reader.close() }
      found.expect(try reader.read(into: RowBatch(capacity: RowBatch.smallest)), .end, "the first read")
    },
    ConformanceCase("what blocks is ended from another thread", needs: [.statements, .interruption]) { stand, found in
      var table = people
      table.rows = rows(2000)
      try stand.make(table)
      let reader = try stand.connector.openReader(table.readPlan())
      defer { reader.close() }
      _ = try reader.read(into: RowBatch(capacity: RowBatch.smallest))
      let interrupt = reader.interrupter
      BlockingThread.start { interrupt() }
      let start = ContinuousClock.now
      do {
        for _ in 0..<1000 where ContinuousClock.now - start < .seconds(5) {
          if try reader.read(into: RowBatch(capacity: RowBatch.smallest)) == .end { break }
        }
      } catch is ConnectorError {}
      found.expect(ContinuousClock.now - start < .seconds(5), "it went on for seconds")
      // Late, or twice, it hurts nobody.
      reader.close()
      interrupt()
      let another = try stand.connector.openReader(table.readPlan())
      defer { another.close() }
      found.expect(try another.all().rows.count, 2000, "rows of the next reader")
    },
  ]

  static let increments: [ConformanceCase] = [
    ConformanceCase("an incremental read gives what lies above its bound and what has no cursor", needs: [.increments])
    { stand, found in
      var table = people
      table.rows =
        (0..<10).map { ["a", "\($0)", "旧", "1.00", "2026-08-22 01:00:00.000000"] }
        + (10..<15).map { ["a", "\($0)", "新", "1.00", "2026-08-22 01:00:00.000001"] } + [["a", "99", "无", "1.00", nil]]
      try stand.make(table)
      let full = try stand.connector.openReader(table.readPlan(cursor: 4))
      let horizon = full.horizon
      full.close()
      let bound = microseconds("2026-08-22 01:00:00.000000")
      let reader = try stand.connector.openReader(
        table.readPlan(cursor: 4, .incremental(above: .timestamp(bound))))
      defer { reader.close() }
      let read = try reader.all()
      found.expect(read.rows.count, 6, "rows above the bound")
      found.expect(reader.horizon, horizon, "horizon")
      // No clock of this century is before it: the highest cursor is the lower of the two.
      found.expect(horizon, .timestamp(bound + 1), "horizon of a first reader")
    },
    ConformanceCase("a cursor ahead of the clock is read, and is not how far the source has come", needs: [.increments])
    { stand, found in
      var table = people
      table.rows = [
        ["a", "1", "旧", "1.00", "2026-08-22 01:00:00.000000"], ["a", "2", "未来", "1.00", "2999-01-01 00:00:00.000000"],
      ]
      try stand.make(table)
      let reader = try stand.connector.openReader(
        table.readPlan(cursor: 4, .incremental(above: .timestamp(microseconds("2026-08-22 00:00:00.000000")))))
      defer { reader.close() }
      found.expect(try reader.all().rows.count, 2, "rows")
      found.expect(
        reader.horizon, .timestamp(microseconds("2026-08-22 01:00:00.000000")), "horizon")
    },
  ]

  static func microseconds(_ text: String) -> Int64 {
    Array(text.utf8).withUnsafeBytes { WrittenTime.microseconds($0, zone: 0) ?? 0 }
  }
}
