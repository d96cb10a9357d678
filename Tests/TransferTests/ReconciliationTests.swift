import Connecting
import Kernel
import Reshaping
import Synchronization
import Testing

@testable import Transfer

@Suite struct ReconciliationTests {
  private func persons(_ way: Way, _ count: Int = 3000, _ ours: Reconciled = Reconciled()) async throws -> (
    source: Stand, target: Stand, ours: Reconciled, outcome: DeliveryOutcome
  ) {
    let (source, target) = (try Stand(way.from), try Stand(way.to))
    try source.makePersons()
    if count > 0 { try source.insert(Person.many(1...count)) }
    let outcome = try await ours.deliver(from: source, to: target)
    #expect(outcome.disagreement == nil)
    return (source, target, ours, outcome)
  }

  @Test(arguments: Way.all) func `two sides that are equal agree, at one look and with the receipt's sum`(way: Way)
    async throws
  {
    let (source, target, ours, outcome) = try await persons(way)
    let before = try target.rows("SELECT stream, fence, run, batch, state FROM sj_offset")
    let (from, to) = (DisturbedConnector(source), DisturbedConnector(target))
    let seen = Mutex<[Int64]>([])
    let control = DeliveryControl(
      progress: { progress in seen.withLock { $0.append(progress.batch) } }, quarantine: { _ in Issue.record("kept") })
    let report = try await ours.compare(from, to, control: control)
    #expect(report.agrees && report.isComplete && report.ranges.isEmpty && report.counts.total == 0)
    #expect(report.sourceRows == 3000 && report.targetRows == 3000 && report.bad == 0 && report.stale == 0)
    #expect(report.sourceSum == outcome.provider.rowSum && report.targetSum == report.sourceSum)
    #expect(from.looks == 1 && to.looks == 1 && Set(seen.withLock { $0 }) == [1])
    // Nothing was written.
    #expect(try target.rows("SELECT stream, fence, run, batch, state FROM sj_offset") == before)
  }

  @Test(arguments: Reconciled.ways) func `masks, pseudonyms, a filter and generalised dates make no difference`(
    way: Way
  ) async throws {
    let (source, target) = (try Stand(way.from), try Stand(way.to))
    try source.run(
      """
      CREATE TABLE person (id \(source.type(.text, 20)) PRIMARY KEY, name \(source.type(.text)), phone \(source.type(.text)),
        capital \(source.type(.decimal(precision: 18, scale: 2))), born \(source.type(.date)), changed \(source.type(.timestamp)))
      """)
    let rows = (100_001...100_300).map { id in
      "('\(id)', '青海\(id)', '1380000\(id % 10_000)', \(id % 9), '19\(10 + id % 90)-02-15', '2026-08-22 09:00:00+00')"
    }
    try source.run("INSERT INTO person VALUES \(rows.joined(separator: ", "))")
    var ours = Reconciled()
    ours.grant.items = [
      ItemContract("id", .text, length: 20, mask: .pseudonym),
      ItemContract("name", .text, length: 12, mask: .reshaped(.token(.text))),
      ItemContract("phone", .text, length: 20, mask: .keepHeadTail(3, 2)),
      ItemContract("capital", .decimal(precision: 18, scale: 2), mask: .reshaped(.band([0, 3, 5]))),
      ItemContract("born", .date, mask: .reshaped(.period(.decade))),
      ItemContract("note", .text, length: 40, source: .expression("name || '·' || LEFT(phone, 3)")),
      ItemContract("gone", .text, mask: .drop, source: .column("name")),
    ]
    // The cursor is one of the columns that a filter may read.
    ours.way.filter = "capital > 0 AND changed > TIMESTAMP '2020-01-01 00:00:00'"
    #expect(try await ours.deliver(from: source, to: target).disagreement == nil)
    let report = try await ours.compare(source, target)
    #expect(report.agrees && report.sourceRows == report.targetRows && (250..<300).contains(report.targetRows))
    // One value of what was masked, and one row that comes within the filter.
    try source.run("UPDATE person SET born = '1900-01-01' WHERE id = '100010'")
    try source.run("UPDATE person SET capital = 4 WHERE id = '100008'")
    try source.run("UPDATE person SET capital = 0 WHERE id = '100011'")
    let changed = try await ours.compare(source, target)
    #expect(changed.counts == .init(missing: 1, extra: 1, different: 1) && changed.ranges.count == 3)
    // Named as the consumer knows them.
    let keys = Set(changed.ranges.map { $0.first[0] })
    let held = Set(try target.rows("SELECT id FROM person").compactMap { $0[0] })
    #expect(keys.allSatisfy { $0.count == 64 } && keys.intersection(held).count == 2)
    try await ours.expectRepair(source, target)
  }

  /// What somebody did on either side, and what is found.
  private static let changes: [(source: [String], target: [String], found: String)] = [
    ([], ["DELETE FROM person WHERE id BETWEEN 11 AND 15"], "-5 +0 ≠0 [11…15]"),
    (["INSERT INTO person (id, name) VALUES (9001, '新')"], [], "-1 +0 ≠0 [9001]"),
    (["DELETE FROM person WHERE id IN (7, 8, 2999)"], [], "-0 +3 ≠0 [7…8 2999]"),
    ([], ["INSERT INTO person (id, name, sj_batch) VALUES (-4, '多', 1)"], "-0 +1 ≠0 [-4]"),
    (["UPDATE person SET name = '改' WHERE id = 1500"], [], "-0 +0 ≠1 [1500]"),
    ([], ["UPDATE person SET capital = NULL WHERE id = 3000"], "-0 +0 ≠1 [3000]"),
    // No column's sum sees it.
    (
      [],
      [
        "UPDATE person SET name = CASE id WHEN 5 THEN '青海900公司' ELSE '青海5公司' END WHERE id IN (5, 900)"
      ], "-0 +0 ≠2 [5 900]"
    ),
    // A key that moved.
    ([], ["UPDATE person SET id = 5000 WHERE id = 40"], "-1 +1 ≠0 [40 5000]"),
    (
      ["DELETE FROM person WHERE id <= 3", "UPDATE person SET born = '1999-09-09' WHERE id BETWEEN 101 AND 200"],
      ["DELETE FROM person WHERE id BETWEEN 201 AND 205", "UPDATE person SET name = '' WHERE id = 2000"],
      "-5 +3 ≠101 [1…3 101…205 2000]"
    ),
  ]

  @Test(arguments: Reconciled.ways) func `each difference is counted by its kind and found by its key`(way: Way)
    async throws
  {
    let (source, target, ours, _) = try await persons(way)
    for (number, change) in Self.changes.enumerated() {
      for sql in change.source { try source.run(sql) }
      for sql in change.target { try target.run(sql) }
      let report = try await ours.compare(source, target)
      #expect(report.summary == change.found && report.isComplete && !report.agrees)
      #expect(report.sourceSum != report.targetSum)
      try await ours.expectRepair(source, target, fence: Int64(number + 2))
    }
  }

  @Test(arguments: Reconciled.ways) func `empty sides agree, and a side that is empty differs in every row`(way: Way)
    async throws
  {
    let (source, target, ours, _) = try await persons(way, 0)
    let empty = try await ours.compare(source, target)
    #expect(empty.agrees && empty.sourceRows == 0 && empty.targetRows == 0)
    #expect(empty.sourceSum == String(repeating: "0", count: 32))
    try source.insert(Person.many(1...500))
    #expect(try await ours.compare(source, target).summary == "-500 +0 ≠0 [1…500]")
    try await ours.expectRepair(source, target)
    try source.run("DELETE FROM person")
    #expect(try await ours.compare(source, target).summary == "-0 +500 ≠0 [1…500]")
  }

  @Test(arguments: Reconciled.ways) func `bad rows and flagged rows differ only where the flag is wrong`(way: Way)
    async throws
  {
    let (source, target, ours, _) = try await persons(way, 200)
    let long = "这个名字实在是太长了一点点"
    // Never delivered; and delivered as it was before.
    try source.run("INSERT INTO person (id, name, changed) VALUES (901, '\(long)', '2026-08-22 10:00:00+00')")
    try source.run("UPDATE person SET name = '\(long)', changed = '2026-08-22 10:00:00+00' WHERE id IN (5, 6, 7)")
    // Until the flag is there, the consumer takes for good what is not.
    let before = try await ours.compare(source, target)
    #expect(before.summary == "-0 +0 ≠3 [5…7]" && before.bad == 4 && before.stale == 0)
    try await ours.deliver(.incremental, run: "r2", fence: 2, from: source, to: target)
    let report = try await ours.compare(source, target)
    #expect(report.agrees && report.bad == 4 && report.stale == 3)
    #expect(report.sourceRows == 197 && report.targetRows == 197 && report.sourceSum == report.targetSum)
    // A flag that somebody took off; a row that is good again and one that is gone, neither delivered yet.
    try target.run("UPDATE person SET sj_stale_batch = NULL, sj_stale_since = NULL WHERE id = 5")
    try source.run("UPDATE person SET name = '好了' WHERE id = 6")
    try source.run("DELETE FROM person WHERE id = 7")
    let wrong = try await ours.compare(source, target)
    #expect(wrong.summary == "-0 +1 ≠2 [5…7]" && wrong.bad == 2 && wrong.stale == 2)
    try await ours.expectRepair(source, target, fence: 3)
  }

  @Test(arguments: [Product.postgresql, .sqlite, .mariadb])
  func `a key that comes twice, and rows without one, are what they are to a delivery`(product: Product) async throws {
    let (source, target, ours) = (try Stand(product), try Stand(product), Reconciled())
    try source.makePersons(key: "")
    try source.insert(Person.many(1...3000))
    try source.insert([Person(id: nil, name: "无主键"), Person(id: nil), Person(id: 17, name: "重复")])
    let outcome = try await ours.deliver(from: source, to: target)
    let report = try await ours.compare(source, target)
    #expect(report.agrees && report.bad == 3 && report.bad == outcome.provider.counts.quarantined)
    #expect(report.sourceRows == 3000 && report.sourceSum == outcome.provider.rowSum)
  }

  @Test func `a key that comes again much later is the first one's, where the source gives no order`() async throws {
    let (source, target) = (try Stand(.sqlite), try Stand(.postgresql))
    let type = ValueType.decimal(precision: 12, scale: 3)
    try source.run("CREATE TABLE person (id \(source.type(type)), name \(source.type(.text)))")
    for start in stride(from: 1, to: 8000, by: 1000) {
      let rows = (start..<start + 1000).map { "('-\($0).5', '青海\($0)公司')" }
      try source.run("INSERT INTO person VALUES \(rows.joined(separator: ", "))")
    }
    // One number in two spellings: as texts the first and the last, as numbers the least.
    try source.run("INSERT INTO person VALUES ('-09000.5', '在前'), ('-9000.500', '重复'), ('-17.50', '又重复')")
    var ours = Reconciled()
    ours.grant.items = [ItemContract("id", type), ItemContract("name", .text)]
    ours.grant.cursor = nil
    let outcome = try await ours.deliver(from: source, to: target)
    #expect(outcome.disagreement == nil && outcome.provider.counts.quarantined == 2)
    // The target's row has come, and was found equal, when the source gives its key again.
    let from = DisturbedConnector(source, replacing: { SlowReader($0, at: 2) })
    let report = try await ours.compare(from, target.connector)
    #expect(report.agrees && report.bad == 2 && report.sourceRows == 8001)
    #expect(report.sourceSum == report.targetSum)
    try target.run("UPDATE person SET name = '改' WHERE id IN (-7000.5, -9000.5)")
    #expect(try await ours.compare(source, target).summary == "-0 +0 ≠2 [-9000.500 -7000.500]")
  }

  @Test func `a key that is too long for the target is a bad row here, too`() async throws {
    let (source, target) = (try Stand(.sqlite), try Stand(.mariadb))
    try source.run("CREATE TABLE person (id TEXT PRIMARY KEY, name TEXT)")
    try source.run("INSERT INTO person VALUES ('短', '甲'), ('\(String(repeating: "长", count: 300))', '乙')")
    var ours = Reconciled()
    (ours.grant.items, ours.grant.cursor) = ([ItemContract("id", .text), ItemContract("name", .text)], nil)
    #expect(try await ours.deliver(from: source, to: target).provider.counts.quarantined == 1)
    let report = try await ours.compare(source, target)
    #expect(report.agrees && report.bad == 1 && report.sourceRows == 1)
  }

  @Test(arguments: Reconciled.ways) func `more differences than can be remembered are there, and counted in part`(
    way: Way
  ) async throws {
    var ours = Reconciled()
    (ours.limits.remembered, ours.limits.ranges) = (200, 10)
    let (source, target, _, _) = try await persons(way, 3000, ours)
    try target.run("UPDATE person SET name = '改' WHERE id > 1000")
    try target.run("DELETE FROM person WHERE id > 2500")
    let report = try await ours.compare(source, target)
    #expect(!report.isComplete && !report.agrees && (1...200).contains(report.counts.total))
    // A fair part of each kind, of nothing else, and all of it in the ranges.
    #expect(report.counts.missing > 0 && report.counts.different > 0 && report.counts.extra == 0)
    #expect(report.ranges.count <= 10 && report.ranges.reduce(0) { $0 + $1.counts.total } == report.counts.total)
    #expect(report.ranges.allSatisfy { (Int($0.first[0]) ?? 0) > 1000 })
    ours.limits.remembered = 2000
    let whole = try await ours.compare(source, target)
    #expect(whole.isComplete && whole.counts == .init(missing: 500, different: 1500))
    ours.limits.remembered = 0
    let nothing = try await ours.compare(source, target)
    #expect(!nothing.isComplete && !nothing.agrees && nothing.counts.total == 0 && nothing.ranges.isEmpty)
  }
}
