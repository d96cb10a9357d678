import Connecting
import Kernel
import NationalCrypto
import Synchronization
import Testing

@testable import Transfer

@Suite struct DeliveryTests {
  @Test(arguments: Way.all) func `a first full delivery brings every row once, and both receipts agree`(way: Way)
    async throws
  {
    let (source, target, grant) = (try Stand(way.from), try Stand(way.to), Grant())
    try source.makePersons()
    let persons = Person.many(1...5000)
    try source.insert(persons)
    let outcome = try await grant.deliver(.full, run: "r1", from: source, to: target)
    #expect(outcome.disagreement == nil)
    #expect(outcome.provider.counts.delivered == 5000)
    #expect(outcome.consumer?.counts.delivered == 5000)
    #expect(outcome.provider.lastBatch > 2)
    #expect(try target.persons() == persons.map(\.delivered))
    #expect(grant.keeper.rows(outcome.provider).isEmpty)
  }

  @Test(arguments: Way.all) func `an empty table is delivered as one`(way: Way) async throws {
    let (source, target, grant) = (try Stand(way.from), try Stand(way.to), Grant())
    try source.makePersons()
    let outcome = try await grant.deliver(.full, run: "r1", from: source, to: target)
    #expect(outcome.disagreement == nil && outcome.provider.counts.delivered == 0)
    try source.insert(Person.many(1...3))
    let next = try await grant.deliver(.incremental, run: "r2", fence: 2, from: source, to: target)
    #expect(next.disagreement == nil)
    #expect(try target.persons().count == (next.provider.counts.delivered))
  }

  @Test(arguments: Way.all) func `bad rows are kept apart with their reasons, the good ones arrive`(way: Way)
    async throws
  {
    let (source, target, grant) = (try Stand(way.from), try Stand(way.to), Grant())
    try source.makePersons(key: "")
    let good = Person.many(1...3000)
    try source.insert(good)
    try source.insert([
      Person(id: nil, name: "无主键"), Person(id: nil, name: "无主键二"),
      Person(id: 4001, name: "一二三四五六七八九十一二三"), Person(id: 4002, name: "正好十二个汉字的名字啊啊"),
      Person(id: 17, name: "重复"),
    ])
    let outcome = try await grant.deliver(.full, run: "r1", from: source, to: target)
    #expect(outcome.disagreement == nil)
    let bad = grant.keeper.rows(outcome.provider)
    #expect(
      Dictionary(grouping: bad, by: \.fault.code).mapValues(\.count) == [
        "null-key": 2, "too-long": 1, "duplicate-key": 1,
      ])
    #expect(outcome.provider.counts.quarantined == 4 && outcome.provider.counts.read == 3005)
    let names = Set(try target.persons().compactMap(\.id))
    #expect(names == Set(Array(1...3000) + [4002]))
    // Only the provider can open what was set apart, and it is what the source gave.
    let long = try #require(bad.first { $0.fault == .tooLong })
    #expect(long.item == "name" && long.keyDigest?.count == 64)
    let opened = try SealedRow.open(long.sealed, key: Grant.providerKey, grant: grant.name)
    #expect(opened.items == ["id", "name", "capital", "born", "changed"])
    #expect(opened.fields[1] == .value(Array("一二三四五六七八九十一二三".utf8)))
    #expect(throws: Sealed.Failure.self) { try SealedRow.open(long.sealed, key: Grant.secret, grant: grant.name) }
    #expect(throws: Sealed.Failure.self) { try SealedRow.open(long.sealed, key: Grant.providerKey, grant: "other") }
    #expect(bad.filter { $0.fault == .nullKey }.allSatisfy { $0.keyDigest == nil })
  }

  @Test(arguments: Way.all) func `only what changed is delivered again, late commits and equal times included`(way: Way)
    async throws
  {
    let (source, target, grant) = (try Stand(way.from), try Stand(way.to), Grant())
    try source.makePersons()
    try source.insert(Person.many(1...2000))
    try source.insert(Person.many(2001...2010, changed: nil))
    try await grant.deliver(.full, run: "r1", from: source, to: target)
    try source.run("UPDATE person SET name = '改名', changed = '2026-08-22 10:00:00+00' WHERE id IN (5, 6, 7)")
    try source.insert(Person.many(3001...3003, changed: "2026-08-22 10:00:00+00"))
    // Committed after the first run with a time before its horizon, within the overlap.
    try source.insert(Person.many(3004...3004, changed: "2026-08-22 08:55:00+00"))
    // Without a time nothing tells that it changed: it is looked at every time.
    try source.run("UPDATE person SET name = '无时间' WHERE id = 2003")
    let outcome = try await grant.deliver(.incremental, run: "r2", fence: 2, from: source, to: target)
    #expect(outcome.disagreement == nil)
    #expect(outcome.provider.counts.delivered == 8)
    #expect(outcome.provider.counts.withoutCursor == 10)
    #expect(outcome.provider.counts.read == outcome.provider.counts.delivered + outcome.provider.counts.unchanged)
    #expect(try target.persons() == source.persons())
    // Nothing changed: nothing is delivered.
    let quiet = try await grant.deliver(.incremental, run: "r3", fence: 3, from: source, to: target)
    #expect(quiet.disagreement == nil && quiet.provider.counts.delivered == 0 && quiet.provider.batches.isEmpty)
  }

  @Test(arguments: Way.all) func `a row that turns bad keeps its last good version, flagged until it is good again`(
    way: Way
  ) async throws {
    let (source, target, grant) = (try Stand(way.from), try Stand(way.to), Grant())
    try source.makePersons()
    try source.insert(Person.many(1...50))
    try await grant.deliver(.full, run: "r1", from: source, to: target)
    let before = try target.persons()
    try source.run("UPDATE person SET name = '这个名字实在是太长了一点点', changed = '2026-08-22 10:00:00+00' WHERE id = 5")
    try source.run("INSERT INTO person (id, name, changed) VALUES (99, '这个名字实在是太长了一点点', '2026-08-22 10:00:00+00')")
    let bad = try await grant.deliver(.incremental, run: "r2", fence: 2, from: source, to: target)
    #expect(bad.disagreement == nil)
    #expect(bad.provider.counts.quarantined == 2 && bad.provider.counts.stale == 1)
    #expect(try target.persons() == before)
    #expect(try target.value("SELECT count(*) FROM person WHERE sj_stale_since IS NOT NULL AND id = 5") == "1")
    try source.run("UPDATE person SET name = '好了', changed = '2026-08-22 11:00:00+00' WHERE id = 5")
    let good = try await grant.deliver(.incremental, run: "r3", fence: 3, from: source, to: target)
    #expect(good.disagreement == nil && good.provider.counts.stale == 0)
    #expect(try target.value("SELECT count(*) FROM person WHERE sj_stale_since IS NOT NULL") == "0")
    #expect(try target.value("SELECT name FROM person WHERE id = 5") == "好了")
  }

  @Test(arguments: Way.all) func `a later full delivery replaces everything and removes what is gone`(way: Way)
    async throws
  {
    let (source, target, grant) = (try Stand(way.from), try Stand(way.to), Grant())
    try source.makePersons()
    try source.insert(Person.many(1...2000))
    try await grant.deliver(.full, run: "r1", from: source, to: target)
    try source.run("DELETE FROM person WHERE id <= 20")
    try source.run("UPDATE person SET name = '改名' WHERE id = 30")
    let outcome = try await grant.deliver(.full, run: "r2", fence: 2, from: source, to: target)
    #expect(outcome.disagreement == nil)
    #expect(outcome.provider.counts.removed == 20 && outcome.provider.counts.delivered == 1980)
    #expect(try target.persons() == source.persons())
  }

  @Test(arguments: Way.all) func `trouble outside the target is thrown for another attempt, not taken for an end`(
    way: Way
  ) async throws {
    struct Trouble: Error {}
    let (source, target, grant) = (try Stand(way.from), try Stand(way.to), Grant())
    try source.makePersons()
    try source.insert(Person.many(1...8000))
    let checks = Mutex(0)
    await #expect(throws: Trouble.self) {
      try await grant.deliver(.full, run: "r1", from: source, to: target) {
        let count = checks.withLock { count in
          count += 1
          return count
        }
        if count > 2 { throw Trouble() }
      }
    }
    let outcome = try await grant.deliver(.full, run: "r1", fence: 2, from: source, to: target)
    #expect(outcome.disagreement == nil && outcome.provider.counts.delivered == 8000)
    #expect(try target.persons() == source.persons())
  }

  @Test(arguments: Way.all) func `a withdrawn permission stops the next commit, and the run can go on later`(way: Way)
    async throws
  {
    let revoked = Refusal(.forbidden, "revoked", Text("已撤销", "revoked"))
    let (source, target, grant) = (try Stand(way.from), try Stand(way.to), Grant())
    try source.makePersons()
    try source.insert(Person.many(1...8000))
    let checks = Mutex(0)
    let stopped = try await grant.deliver(.full, run: "r1", from: source, to: target) {
      if checks.withLock({
        $0 += 1; return $0
      }) > 2 {
        throw revoked
      }
    }
    guard case .stopped(let reason) = stopped.ending else {
      Issue.record("not stopped")
      return
    }
    #expect(reason.code == "revoked")
    let there = try target.value("SELECT count(*) FROM person")
    #expect(there == "\(stopped.provider.counts.delivered)" && there != "8000" && there != "0")
    let outcome = try await grant.deliver(.full, run: "r1", fence: 2, from: source, to: target)
    #expect(outcome.disagreement == nil && outcome.provider.counts.delivered == 8000)
    #expect(try target.persons() == source.persons())
  }

  @Test(arguments: Way.all) func `an outcome that was not heard of is given again, and a changed target is noticed`(
    way: Way
  ) async throws {
    let (source, target, grant) = (try Stand(way.from), try Stand(way.to), Grant())
    try source.makePersons()
    try source.insert(Person.many(1...100))
    let first = try await grant.deliver(.full, run: "r1", from: source, to: target)
    let again = try await grant.deliver(.full, run: "r1", fence: 2, from: source, to: target)
    #expect(again.disagreement == nil && again.provider.batchRoot == first.provider.batchRoot)
    // Two values change places between two rows: each column still holds the same values.
    try target.run("UPDATE person SET name = CASE id WHEN 1 THEN '青海2公司' ELSE '青海1公司' END WHERE id IN (1, 2)")
    let swapped = try await grant.deliver(.full, run: "r1", fence: 3, from: source, to: target)
    #expect(swapped.disagreement?.subject == "row-sum")
    try target.run("UPDATE person SET capital = '1.11' WHERE id = 3")
    let changed = try await grant.deliver(.full, run: "r1", fence: 4, from: source, to: target)
    #expect(changed.disagreement?.subject == "column:capital")
    try target.run("DELETE FROM person WHERE id = 3")
    let missing = try await grant.deliver(.full, run: "r1", fence: 5, from: source, to: target)
    #expect(missing.disagreement?.subject == "rows")
  }

  @Test(arguments: Way.all) func `an older runner is refused, and a table that is not the grant's is too`(way: Way)
    async throws
  {
    let (source, target, grant) = (try Stand(way.from), try Stand(way.to), Grant())
    try source.makePersons()
    try source.insert(Person.many(1...10))
    try await grant.deliver(.full, run: "r1", fence: 7, from: source, to: target)
    await #expect { try await grant.deliver(.full, run: "r2", fence: 6, from: source, to: target) } throws: {
      ($0 as? ConnectorError)?.kind == .fenced
    }
    var fewer = grant
    fewer.items.removeLast()
    let plan = fewer
    await #expect { try await plan.deliver(.full, run: "r3", fence: 8, from: source, to: target) } throws: {
      ($0 as? ConnectorError)?.code == "contract.target-column-extra"
    }
    var second = grant
    second.name = "grant-2"
    let rival = second
    await #expect {
      try await rival.deliver(.full, run: "r4", fence: 8, from: source, to: target)
    } throws: {
      ($0 as? ConnectorError)?.code == "contract.target-taken"
    }
    var missing = grant
    missing.items.append(ItemContract("no such column", .text))
    missing.target = "elsewhere"
    missing.name = "grant-2"
    let other = missing
    await #expect { try await other.deliver(.full, run: "r4", fence: 8, from: source, to: target) } throws: {
      ($0 as? ConnectorError)?.code == "contract.column-missing"
    }
  }

  @Test(arguments: Product.allCases)
  func `a worker that wakes up when another has delivered the same rows is told so, and not that they are bad`(
    product: Product
  ) async throws {
    let (source, target, grant) = (try Stand(product), try Stand(product), Grant())
    try source.makePersons()
    try source.insert(Person.many(1...15_000))
    let seen = Mutex(0)
    await #expect {
      try await grant.deliver(.full, run: "r1", from: source, to: target) {
        let count = seen.withLock { seen in
          seen += 1
          return seen
        }
        if count == 3 { try await grant.deliver(.full, run: "r1", fence: 2, from: source, to: target) }
      }
    } throws: {
      ($0 as? ConnectorError)?.kind == .fenced
    }
    #expect(try target.persons() == Person.many(1...15_000).map(\.delivered))
  }

  @Test(arguments: Way.all) func `an incremental delivery waits for a full one`(way: Way) async throws {
    let (source, target, grant) = (try Stand(way.from), try Stand(way.to), Grant())
    try source.makePersons()
    await #expect { try await grant.deliver(.incremental, run: "r1", from: source, to: target) } throws: {
      ($0 as? ConnectorError)?.code == "contract.no-full-yet"
    }
  }

  @Test(arguments: Way.all) func `masks are applied after the check and keep whole characters`(way: Way) async throws {
    let (source, target) = (try Stand(way.from), try Stand(way.to))
    var grant = Grant()
    grant.items = [
      ItemContract("id", .integer, mask: .pseudonym),
      ItemContract("name", .text, length: 12, mask: .keepHeadTail(1, 1)),
      ItemContract("capital", .decimal(precision: 18, scale: 2), mask: .drop),
    ]
    try source.makePersons()
    try source.insert([
      Person(id: 1, name: "张三丰"), Person(id: 2, name: "李四"), Person(id: 3, name: "𠮷野家"), Person(id: 4, name: ""),
    ])
    let outcome = try await grant.deliver(.full, run: "r1", from: source, to: target)
    #expect(outcome.disagreement == nil)
    let rows = try target.rows("SELECT id, name, capital FROM person ORDER BY name")
    #expect(rows.map { $0[1] } == ["", "**", "张*丰", "𠮷*家"])
    #expect(rows.allSatisfy { $0[0]?.utf8.count == 64 && $0[2] == nil })
    #expect(Set(rows.map { $0[0] }).count == 4)
  }
}
