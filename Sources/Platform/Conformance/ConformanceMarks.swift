import Connecting
import Kernel

/// Rows that go are marked and not removed, where the plan says so.
extension Conformance {
  static let marking: [ConformanceCase] = [
    ConformanceCase(
      "a row that goes is marked once, and is there again when it comes back as it was", needs: [.writes, .merges]
    ) {
      stand, found in
      let writer = try stand.connector.openWriter(marked)
      defer { writer.close() }
      _ = try writer.open()
      let all = rows(20)
      _ = try write(writer, people, all, batch: 1)
      let gone = keys.batch([3, 4].map { [all[$0][0], all[$0][1]] })
      found.expect(try writer.deleteKeys(gone, writtenBefore: .max, at: day), 2, "marked")
      found.expect(try writer.deleteKeys(gone, writtenBefore: .max, at: day), 0, "marked twice")
      found.expect(try writer.current(gone).all().rows.count, 0, "what is marked is not there")
      found.expect(try writer.markStale(gone, batch: 2, at: day), 0, "flagged although marked")
      try writer.commit(record(2, 0), state: "s", durable: true)
      found.expect(try marks(stand), 2, "rows with a mark")
      found.expect(try content(stand, people).count, 20, "rows that are there still")
      try writer.indexBatches()
      let back = try writer.readBack(1...1)
      found.expect(try back.all().rows.count, 18, "rows of the batch that are not marked")
      back.close()
      let outcome = try write(writer, people, [all[3]], batch: 3, .merge(rewriteFrom: 3, ownFrom: 3))
      found.expect(outcome.written.map { $0.map { Int($0) } } ?? [0], [0], "written although equal")
      found.expect(try marks(stand), 1, "marks after one came back")
    },
    ConformanceCase("a refresh and the end of everything mark what was not marked", needs: [.writes, .merges]) {
      stand, found in
      let writer = try stand.connector.openWriter(marked)
      defer { writer.close() }
      _ = try writer.open()
      let all = rows(20)
      _ = try write(writer, people, all, batch: 1)
      _ = try writer.deleteKeys(keys.batch([[all[4][0], all[4][1]]]), writtenBefore: .max, at: day)
      _ = try writer.write(people.batch(Array(all[..<3])), batch: 2, mode: .merge(rewriteFrom: 0, ownFrom: 2))
      _ = try writer.markStale(keys.batch([[all[7][0], all[7][1]]]), batch: 2, at: day)
      found.expect(try writer.deleteOlder(than: 2, at: day), 15, "marked by the refresh")
      try writer.commit(record(2, 3), state: "s", durable: true)
      found.expect(try marks(stand), 16, "marks after the refresh")
      found.expect(try writer.countStale(2...2), 1, "the flagged one stays")
      _ = try write(writer, people, [all[4]], batch: 3, .upsert)
      found.expect(try marks(stand), 15, "marks after one came back")
      found.expect(try writer.deleteAll(at: day), 5, "marked at the end")
      try writer.commit(record(4, 0), state: "s", durable: true)
      found.expect(try marks(stand), 20, "marks at the end")
      found.expect(try writer.countStale(1...4), 0, "flagged at the end")
    },
  ]

  private static let day = Instant(milliseconds: 1_790_000_000_000)

  private static let keys = SampleTable("k", [people.columns[0], people.columns[1]])

  private static var marked: WritePlan {
    var plan = people.writePlan()
    plan.marksDeletes = true
    return plan
  }

  /// How many rows bear a mark, as a reader sees it.
  private static func marks(_ stand: any ConformanceStand) throws -> Int {
    var table = people
    table.columns.append(WritePlan.Column(WritePlan.deletedSinceColumn, .timestamp))
    return try content(stand, table).count { $0.last != .null }
  }
}
