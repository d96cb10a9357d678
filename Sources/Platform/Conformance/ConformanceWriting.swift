import Connecting
import Kernel

// Rows, record and offset as one transaction of the target; rows met by key; who may write.

extension Conformance {
  static func offset(_ stand: any ConformanceStand, _ table: SampleTable, fence: Int64 = 9) throws
    -> StoredOffset?
  {
    let writer = try stand.connector.openWriter(table.writePlan(run: "look", fence: fence))
    defer { writer.close() }
    return try writer.open()
  }

  static func content(_ stand: any ConformanceStand, _ table: SampleTable) throws -> [[RowField]] {
    let reader = try stand.connector.openReader(table.readPlan())
    defer { reader.close() }
    return sorted(try reader.all().rows)
  }

  static func write(
    _ writer: any RowWriter, _ table: SampleTable, _ rows: [[String?]], batch: Int64, _ mode: WriteMode = .append
  ) throws -> WriteOutcome {
    let outcome = try writer.write(table.batch(rows), batch: batch, mode: mode)
    try writer.complete()
    try writer.commit(record(batch, outcome.written?.count ?? rows.count), state: "state \(batch)", durable: true)
    return outcome
  }

  static let writing: [ConformanceCase] = [
    ConformanceCase("a stream never seen has no offset, one committed has what was committed", needs: [.writes]) {
      stand, found in
      let writer = try stand.connector.openWriter(people.writePlan())
      defer { writer.close() }
      found.expect(try writer.open(), nil, "the offset of a new stream")
      found.expect(try writer.isEmpty(), "a new table is not empty")
      _ = try write(writer, people, rows(100), batch: 1)
      found.expect(try !writer.isEmpty(), "a table with rows is empty")
      let stored = try offset(stand, people)
      found.expect(stored?.batch, 1, "batch")
      found.expect(stored?.state, "state 1", "state")
      found.expect(stored?.run, "run-1", "run")
      found.expect(try content(stand, people), sorted(people.fields(rows(100))), "rows")
    },
    ConformanceCase("what was not committed is gone, rows and offset together", needs: [.writes]) { stand, found in
      let writer = try stand.connector.openWriter(people.writePlan())
      _ = try writer.open()
      _ = try write(writer, people, rows(10), batch: 1)
      _ = try writer.write(people.batch(Array(rows(50).dropFirst(10))), batch: 2, mode: .append)
      writer.rollback()
      found.expect(try content(stand, people).count, 10, "rows after a rollback")
      _ = try writer.write(people.batch(Array(rows(50).dropFirst(10))), batch: 2, mode: .append)
      // Closed as by a crash.
      writer.close()
      found.expect(try content(stand, people).count, 10, "rows after a close")
      found.expect(try offset(stand, people)?.state, "state 1", "state")
    },
    ConformanceCase("batches are remembered and read back by batch", needs: [.writes]) { stand, found in
      let writer = try stand.connector.openWriter(people.writePlan())
      defer { writer.close() }
      _ = try writer.open()
      let all = rows(60)
      for batch in 0..<3 {
        _ = try write(writer, people, Array(all[batch * 20..<batch * 20 + 20]), batch: Int64(batch + 1))
      }
      found.expect(try writer.batches(2...3).map(\.batch), [2, 3], "records")
      try writer.indexBatches()
      let back = try writer.readBack(2...3)
      defer { back.close() }
      let read = try back.all().rows
      found.expect(read.count, 40, "rows")
      found.expect(
        read.compactMap(\.last),
        Array(repeating: .value(big(2)), count: 20) + Array(repeating: .value(big(3)), count: 20),
        "batches in order")
    },
    ConformanceCase("a row of megabytes and a batch of thousands arrive", needs: [.writes]) { stand, found in
      let table = SampleTable("大", [.init("k", .integer), .init("v", .text)])
      let wanted =
        [["0", String(repeating: "大", count: 700_000)]] + (1..<5000).map { ["\($0)", "值\($0)"] as [String?] }
      let writer = try stand.connector.openWriter(table.writePlan())
      defer { writer.close() }
      _ = try writer.open()
      _ = try write(writer, table, wanted, batch: 1)
      found.expect(try content(stand, table) == sorted(table.fields(wanted)), "rows differ")
    },
    ConformanceCase("a table of another shape is refused and left alone", needs: [.writes, .statements]) {
      stand, found in
      try stand.run(
        "CREATE TABLE \(stand.quoted("人员")) (\(stand.quoted("区划")) \(stand.declared(.init("x", .integer))))")
      found.expectError(.contract, "a table of another shape") {
        let writer = try stand.connector.openWriter(people.writePlan())
        defer { writer.close() }
        _ = try writer.open()
      }
    },
  ]

  static let merging: [ConformanceCase] = [
    ConformanceCase("only rows that differ are written, byte by byte", needs: [.writes, .merges]) { stand, found in
      let writer = try stand.connector.openWriter(people.writePlan())
      defer { writer.close() }
      _ = try writer.open()
      var now = rows(40)
      _ = try write(writer, people, now, batch: 1)
      now[1][2] = "Zhang"
      now[2][2] = nil
      _ = try write(writer, people, [now[1], now[2]], batch: 2, .merge(rewriteFrom: 2, ownFrom: 2))
      now[1][2] = "zhang"
      now[3][2] = (now[3][2] ?? "") + " "
      let new: [String?] = ["new", "1", "新", "0.00", nil]
      let outcome = try write(
        writer, people, [now[0], now[1], now[2], now[3], new], batch: 3, .merge(rewriteFrom: 3, ownFrom: 3))
      found.expect(outcome.written.map { $0.map { Int($0) } }, [1, 3, 4], "rows written")
      found.expect(outcome.inserted, 1, "inserted")
      found.expect(outcome.updated, 2, "updated")
      found.expect(try content(stand, people), sorted(people.fields(now + [new])), "rows")
    },
    ConformanceCase("keys that differ in case, width or accents are different rows", needs: [.writes, .merges]) {
      stand, found in
      let writer = try stand.connector.openWriter(people.writePlan())
      defer { writer.close() }
      _ = try writer.open()
      let keys = ["a", "A", "Ａ", "á", "a ", "ß", "ss", "西寧", "西宁"]
      let wanted = keys.map { [$0, "1", $0, "1.00", nil] as [String?] }
      for (index, row) in wanted.enumerated() {
        _ = try write(writer, people, [row], batch: Int64(index + 1), .merge(rewriteFrom: 1, ownFrom: 1))
      }
      found.expect(try content(stand, people), sorted(people.fields(wanted)), "rows")
    },
    ConformanceCase("a key that comes twice in a run is named and not written", needs: [.writes, .merges]) {
      stand, found in
      let writer = try stand.connector.openWriter(people.writePlan())
      defer { writer.close() }
      _ = try writer.open()
      let all = rows(20)
      _ = try write(writer, people, all, batch: 1)
      var twice = all[5]
      twice[2] = "另一个"
      let outcome = try write(
        writer, people, [twice, ["new", "1", nil, nil, nil]], batch: 2, .merge(rewriteFrom: 1, ownFrom: 1))
      found.expect(outcome.duplicates, [0], "duplicates")
      found.expect(outcome.written, [1], "written")
    },
    ConformanceCase("rows of an interrupted run are written again even when equal", needs: [.writes, .merges]) {
      stand, found in
      let writer = try stand.connector.openWriter(people.writePlan())
      defer { writer.close() }
      _ = try writer.open()
      let all = rows(20)
      _ = try write(writer, people, Array(all[..<10]), batch: 1)
      _ = try write(writer, people, Array(all[10...]), batch: 2)
      let outcome = try write(writer, people, all, batch: 3, .merge(rewriteFrom: 2, ownFrom: 3))
      found.expect(outcome.written.map { $0.map { Int($0) } }, Array(10..<20), "written again")
      try writer.indexBatches()
      let back = try writer.readBack(3...3)
      defer { back.close() }
      found.expect(try back.all().rows.count, 10, "rows that bear the new batch")
    },
    ConformanceCase(
      "a bad row's older version is flagged, and unflagged when it is good again", needs: [.writes, .merges]
    ) {
      stand, found in
      let writer = try stand.connector.openWriter(people.writePlan())
      defer { writer.close() }
      _ = try writer.open()
      let all = rows(20)
      _ = try write(writer, people, all, batch: 1)
      let key = SampleTable("k", [people.columns[0], people.columns[1]])
      let now = Instant(milliseconds: 1_790_000_000_000)
      found.expect(
        try writer.markStale(key.batch([[all[3][0], all[3][1]], ["nobody", "7"]]), batch: 2, at: now), 1, "flagged")
      try writer.commit(record(2, 0), state: "s", durable: true)
      found.expect(try writer.countStale(2...2), 1, "stale rows")
      let outcome = try write(writer, people, [all[3]], batch: 3, .merge(rewriteFrom: 3, ownFrom: 3))
      found.expect(outcome.written, [], "written although equal")
      found.expect(try writer.countStale(1...3), 0, "stale rows after it was good again")
    },
    ConformanceCase("a refresh removes what the source no longer has, unless it is stale", needs: [.writes, .merges]) {
      stand, found in
      let writer = try stand.connector.openWriter(people.writePlan())
      defer { writer.close() }
      _ = try writer.open()
      let all = rows(20)
      _ = try write(writer, people, all, batch: 1)
      _ = try writer.write(people.batch(Array(all[..<10])), batch: 2, mode: .merge(rewriteFrom: 0, ownFrom: 2))
      let key = SampleTable("k", [people.columns[0], people.columns[1]])
      _ = try writer.markStale(key.batch([[all[15][0], all[15][1]]]), batch: 2, at: Instant(milliseconds: 0))
      found.expect(try writer.deleteOlder(than: 2, at: Instant(milliseconds: 0)), 9, "removed")
      try writer.commit(record(2, 10), state: "s", durable: true)
      found.expect(try content(stand, people).count, 11, "rows")
    },
  ]

  static let fencing: [ConformanceCase] = [
    ConformanceCase("a writer whose lease was taken changes nothing more", needs: [.writes]) { stand, found in
      let old = try stand.connector.openWriter(people.writePlan(fence: 1))
      defer { old.close() }
      _ = try old.open()
      _ = try write(old, people, rows(10), batch: 1)
      let new = try stand.connector.openWriter(people.writePlan(run: "run-2", fence: 2))
      defer { new.close() }
      found.expect(try new.open()?.batch, 1, "what the new writer finds")
      found.expectError(.fenced, "a commit under an old fence") {
        try old.complete()
        _ = try old.write(people.batch(Array(rows(20).dropFirst(10))), batch: 2, mode: .append)
        try old.commit(record(2, 10), state: "old", durable: true)
      }
      old.rollback()
      found.expect(try content(stand, people).count, 10, "rows after the refused commit")
      _ = try write(new, people, Array(rows(30).dropFirst(20)), batch: 2)
      found.expectError(.fenced, "an old writer that opens again") {
        let again = try stand.connector.openWriter(people.writePlan(fence: 1))
        defer { again.close() }
        _ = try again.open()
      }
      found.expect(try offset(stand, people)?.state, "state 2", "state")
      found.expect(try content(stand, people).count, 20, "rows")
    },
    ConformanceCase("streams into two tables do not meet", needs: [.writes]) { stand, found in
      var other = people
      other.name = "人员二"
      let (a, b) = (
        try stand.connector.openWriter(people.writePlan(stream: "a", fence: 7)),
        try stand.connector.openWriter(other.writePlan(stream: "b", fence: 1))
      )
      defer {
        a.close()
        b.close()
      }
      found.expect(try a.open(), nil, "the first stream")
      found.expect(try b.open(), nil, "the second stream")
      _ = try write(a, people, rows(5), batch: 1)
      _ = try write(b, other, rows(6), batch: 1)
      found.expect(try content(stand, people).count, 5, "rows of the first")
      found.expect(try content(stand, other).count, 6, "rows of the second")
    },
    ConformanceCase("one grant does not write two tables", needs: [.writes, .commonOffsets]) { stand, found in
      let writer = try stand.connector.openWriter(people.writePlan())
      _ = try writer.open()
      _ = try write(writer, people, rows(5), batch: 1)
      writer.close()
      var other = people
      other.name = "人员二"
      found.expectError(.contract, "the same stream into another table") {
        let moved = try stand.connector.openWriter(other.writePlan())
        defer { moved.close() }
        _ = try moved.open()
      }
    },
  ]
}
