import Connecting
import Kernel

// A table cut by its key, and a delivery written in parts.

extension Conformance {
  /// Keys of every sort, each with as many rows again that come between them.
  private struct SortOfKey: Sendable {
    var title: String
    var columns: [WritePlan.Column]
    var key: @Sendable (_ number: Int, _ isLater: Bool) -> [String]

    init(
      _ title: String, _ columns: [WritePlan.Column],
      key: @escaping @Sendable (_ number: Int, _ isLater: Bool) -> [String]
    ) {
      (self.title, self.columns, self.key) = (title, columns, key)
    }
  }

  private static let keyed: [SortOfKey] =
    [
      SortOfKey("two columns", [.init("区划", .text, length: 12), .init("序号", .integer)]) {
        [rows(10)[$0 % 10][0] ?? "", "\($0 / 10 * 2 + ($1 ? 1 : 0))"]
      },
      SortOfKey("text of several letter cases", [.init("代码", .text, length: 40)]) {
        ["\($0.isMultiple(of: 2) ? "a" : "A")\(100_000 + $0 / 2)\($1 ? "-ｂ" : "")"]
      },
      SortOfKey("a number below zero too", [.init("号", .integer)]) { ["\($0 * 2 - 3000 + ($1 ? 1 : 0))"] },
      SortOfKey("a decimal", [.init("金额", .decimal(precision: 18, scale: 2))]) { ["\($0 - 500).\($1 ? 25 : 10)"] },
      SortOfKey("a date", [.init("日期", .date)]) { ["\(CalendarDate(daysSince1970: $0 * 2 - 1000 + ($1 ? 1 : 0)))"] },
      SortOfKey("a time", [.init("时间", .timestamp)]) {
        [
          "2026-0\(1 + $0 / 672 % 9)-\(10 + $0 / 24 % 28 % 19) \(10 + $0 % 12):\(10 + $0 / 12 % 50):00.00000\($1 ? 1 : 0)"
        ]
      },
    ]

  /// A table with a key of one of these sorts, without rows whose keys meet.
  private static func table(
    _ columns: [WritePlan.Column], _ numbers: Range<Int>, _ key: (Int, Bool) -> [String], isLater: Bool
  ) -> SampleTable {
    var seen: Set<[String]> = []
    let rows = numbers.map { key($0, isLater) }.filter { seen.insert($0).inserted }.map { $0 + ["值"] as [String?] }
    return SampleTable(
      "分段", columns + [.init("内容", .text, length: 10)], key: Array(columns.indices), rows: rows)
  }

  private static func read(
    _ stand: any ConformanceStand, _ table: SampleTable, after: [UInt8]?, through: [UInt8]?
  ) throws -> (rows: [[RowField]], unkeyed: [[RowField]]) {
    var plan = table.readPlan(.full(after: after))
    plan.through = through
    let reader = try stand.connector.openReader(plan)
    defer { reader.close() }
    return try reader.all()
  }

  /// Every part of the table, one after the other.
  private static func parts(
    _ stand: any ConformanceStand, _ table: SampleTable, _ cuts: [[UInt8]]
  ) throws -> [[[RowField]]] {
    let ends = cuts.map { Optional($0) } + [nil]
    return try zip([nil] + cuts.map { Optional($0) }, ends).map {
      try read(stand, table, after: $0, through: $1).rows
    }
  }

  static let cutting: [ConformanceCase] =
    keyed.map { sort in
      ConformanceCase(
        "a table cut by \(sort.title) is its parts, each row once, also rows that came later", needs: [.cuts]
      ) {
        stand, found in
        var table = table(sort.columns, 0..<1200, sort.key, isLater: false)
        try stand.make(table)
        let whole = try stand.connector.openReader(table.readPlan())
        let isOrdered = whole.isKeyOrdered
        whole.close()
        var allCuts: [[[UInt8]]] = []
        for count in [2, 3, 7] {
          let cuts = try stand.connector.cut(table.readPlan(), into: count)
          // What does not come in the key's order need not be cut.
          found.expect(cuts.count == count - 1 || (cuts.isEmpty && !isOrdered), "\(cuts.count) cuts for \(count) parts")
          allCuts.append(cuts)
          let each = try parts(stand, table, cuts)
          compare(sorted(Array(each.joined())), sorted(table.fields(table.rows)), table, found)
          let even = table.rows.count / (cuts.count + 1)
          for rows in each {
            found.expect(
              (even / 2...even * 2).contains(rows.count), "a part of \(rows.count) rows of \(table.rows.count)")
          }
        }
        let later = Self.table(sort.columns, 0..<1200, sort.key, isLater: true)
        try stand.insert(later.rows, into: table)
        table.rows += later.rows
        for cuts in allCuts {
          let each = try parts(stand, table, cuts)
          compare(sorted(Array(each.joined())), sorted(table.fields(table.rows)), table, found)
        }
      }
    } + [
      ConformanceCase("a table without rows, or with one, is not cut", needs: [.cuts]) { stand, found in
        var table = people
        try stand.make(table)
        found.expect(try stand.connector.cut(table.readPlan(), into: 4), [], "cuts of an empty table")
        table.rows = rows(1)
        try stand.insert(table.rows, into: table)
        found.expect(try stand.connector.cut(table.readPlan(), into: 4).count <= 1, "one row was cut in pieces")
        found.expect(try stand.connector.cut(table.readPlan(), into: 1), [], "cuts for one part")
      },
      ConformanceCase("a part goes on after any of its positions", needs: [.cuts]) { stand, found in
        var table = people
        table.rows = rows(4000)
        try stand.make(table)
        let cuts = try stand.connector.cut(table.readPlan(), into: 3)
        guard cuts.count == 2 else { return found.add("\(cuts.count) cuts") }
        var (all, position): ([[RowField]], [UInt8]?) = ([], cuts[0])
        let batch = RowBatch(capacity: RowBatch.smallest)
        for _ in 0..<200 {
          var plan = table.readPlan(.full(after: position))
          plan.through = cuts[1]
          let reader = try stand.connector.openReader(plan)
          defer { reader.close() }
          guard try reader.read(into: batch) == .rows else { break }
          all += (0..<batch.rowCount).map { batch.fields($0) }
          position = reader.position
        }
        found.expect(position, cuts[1], "the last position of a part")
        compare(
          sorted(all), sorted(try read(stand, table, after: cuts[0], through: cuts[1]).rows), table, found)
      },
      ConformanceCase("rows without a key belong to the last part", needs: [.cuts, .nullKeys]) { stand, found in
        var table = people
        table.rows = rows(30) + [[nil, "1", "无区划", "1.00", nil], ["x", nil, "无序号", "1.00", nil]]
        try stand.make(table)
        let cuts = try stand.connector.cut(table.readPlan(), into: 2)
        guard let cut = cuts.first else { return found.add("no cut") }
        found.expect(try read(stand, table, after: nil, through: cut).unkeyed.count, 0, "in the first part")
        found.expect(try read(stand, table, after: cut, through: nil).unkeyed.count, 2, "in the last part")
      },
    ]

  // MARK: Writing

  private static func open(_ stand: any ConformanceStand, part: Int, fence: Int64, sees: String = "split") throws -> (
    writer: any RowWriter, stored: StoredOffset?
  ) {
    var plan = people.writePlan(stream: WritePlan.partStream(part, of: "grant-1"), fence: fence)
    plan.whole = "grant-1"
    let writer = try stand.connector.openWriter(plan)
    let stored = try writer.openPart { (whole) throws(ConnectorError) in
      guard whole?.state == sees else { throw .otherPart }
    }
    return (writer, stored)
  }

  private static func put(_ writer: any RowWriter, _ rows: [[String?]], batch: Int64) throws {
    _ = try writer.write(people.batch(rows), batch: batch, mode: .append)
    try writer.commit(
      BatchRecord(batch: batch, run: "run-1", delivered: rows.count, quarantined: 0, bytes: 1, digest: "\(batch)"),
      state: "state \(batch)", durable: true)
  }

  private static func whole(_ stand: any ConformanceStand, fence: Int64) throws -> any RowWriter {
    let writer = try stand.connector.openWriter(people.writePlan(fence: fence))
    _ = try writer.open()
    return writer
  }

  static let parts: [ConformanceCase] = [
    ConformanceCase("parts are written side by side, and gathered they are the stream's own", needs: [.parts]) {
      stand, found in
      let (all, first) = (rows(30), try whole(stand, fence: 1))
      try first.commit(nil, state: "split", durable: true)
      first.close()
      let (a, b) = (try open(stand, part: 0, fence: 3), try open(stand, part: 1, fence: 2))
      defer {
        a.writer.close()
        b.writer.close()
      }
      found.expect(a.stored, nil, "a part never seen")
      try put(a.writer, Array(all[..<10]), batch: 101)
      try put(b.writer, Array(all[10..<20]), batch: 201)
      try put(a.writer, Array(all[20..<30]), batch: 102)
      found.expect(try a.writer.batches(1...1000).map(\.batch), [101, 102], "the batches of a part")
      // A lower fence than a part's may gather: the parts are over.
      let last = try whole(stand, fence: 2)
      defer { last.close() }
      let streams = [0, 1].map { WritePlan.partStream($0, of: "grant-1") }
      found.expectError(.fenced, "gathering a part that is in another state") {
        try last.gatherParts([streams[0]: "state 102", streams[1]: "state 7"])
      }
      last.rollback()
      found.expectError(.fenced, "gathering a part that is not there") {
        try last.gatherParts([streams[0]: "state 102", WritePlan.partStream(2, of: "grant-1"): "state 201"])
      }
      last.rollback()
      try last.gatherParts([streams[0]: "state 102", streams[1]: "state 201"])
      try last.commit(nil, state: "whole", durable: true)
      found.expect(try last.batches(1...1000).map(\.batch), [101, 102, 201], "batches gathered")
      found.expectError(.fenced, "a part that goes on after it was gathered") {
        try put(b.writer, [["late", "1", "迟", "1.00", nil]], batch: 202)
      }
      b.writer.rollback()
      found.expectError(.fenced, "a part that is opened again after it was gathered") {
        _ = try open(stand, part: 1, fence: 9)
      }
      let stored = try offset(stand, people)
      found.expect(stored?.batch, 201, "the stream's last batch")
      found.expect(stored?.state, "whole", "the stream's state")
      found.expect(try content(stand, people), sorted(people.fields(all)), "rows")
    },
    ConformanceCase("a part has its own fence, and dropped it writes nothing more", needs: [.parts]) { stand, found in
      let (all, first) = (rows(30), try whole(stand, fence: 1))
      try first.commit(nil, state: "split", durable: true)
      first.close()
      let (old, other) = (try open(stand, part: 0, fence: 2), try open(stand, part: 1, fence: 3))
      defer {
        old.writer.close()
        other.writer.close()
      }
      try put(old.writer, Array(all[..<10]), batch: 101)
      let new = try open(stand, part: 0, fence: 4)
      defer { new.writer.close() }
      found.expect(new.stored?.batch, 101, "what a part's next worker finds")
      found.expectError(.fenced, "a part's older worker") { try put(old.writer, Array(all[10..<20]), batch: 102) }
      old.writer.rollback()
      try put(other.writer, Array(all[10..<20]), batch: 201)
      // Older than the part's worker: it may not take the parts away.
      let slow = try whole(stand, fence: 3)
      defer { slow.close() }
      found.expectError(.fenced, "dropping a part of a greater fence") { try slow.dropParts() }
      slow.rollback()
      let next = try whole(stand, fence: 5)
      defer { next.close() }
      try next.dropParts()
      found.expect(try next.deleteAll(at: Instant(milliseconds: 0)), 20, "rows of the parts")
      try next.commit(nil, state: "anew", durable: true)
      for writer in [new.writer, other.writer] {
        found.expectError(.fenced, "a part that goes on after it was dropped") {
          try put(writer, Array(all[20..<30]), batch: 301)
        }
        writer.rollback()
      }
      found.expectError(.fenced, "a part that is opened again after it was dropped") {
        _ = try open(stand, part: 0, fence: 9)
      }
      found.expect(try content(stand, people).count, 0, "rows")
    },
    ConformanceCase("a table whose delivery is split is no other grant's", needs: [.parts]) { stand, found in
      let first = try whole(stand, fence: 1)
      try first.commit(nil, state: "split", durable: true)
      first.close()
      let part = try open(stand, part: 0, fence: 2)
      defer { part.writer.close() }
      try put(part.writer, rows(5), batch: 101)
      found.expectError(.contract, "another grant's stream") {
        let rival = try stand.connector.openWriter(people.writePlan(stream: "grant-2", fence: 9))
        defer { rival.close() }
        _ = try rival.open()
      }
      found.expectError(.fenced, "a part of a grant that is not there") {
        var plan = people.writePlan(stream: WritePlan.partStream(0, of: "grant-2"), fence: 9)
        plan.whole = "grant-2"
        let writer = try stand.connector.openWriter(plan)
        defer { writer.close() }
        _ = try writer.openPart { (whole) throws(ConnectorError) in if whole == nil { throw .otherPart } }
      }
    },
  ]
}
