import Connecting
import Kernel
import NationalCrypto
import Reshaping
import Testing

@testable import Transfer

/// Filters, expressions, dictionaries, masks, rules and thresholds through whole deliveries.
@Suite struct OnTheWayTests {
  /// A grant with what happens on the way.
  private struct Reshaped {
    var grant = Grant()
    var way = DeliveryPlan.OnTheWay()

    @discardableResult
    func deliver(_ mode: DeliveryPlan.Mode, run: String, fence: Int64 = 1, from source: Stand, to target: Stand)
      async throws -> DeliveryOutcome
    {
      var plan = grant.plan(mode, run: run, fence: fence)
      plan.onTheWay = way
      let keeper = grant.keeper
      return try await Delivery(plan, control: DeliveryControl(quarantine: { keeper.take($0) }))
        .run(from: source.connector, to: target.connector)
    }
  }

  @Test(arguments: Way.all) func `columns are renamed, computed, translated and constant`(way: Way) async throws {
    let (source, target) = (try Stand(way.from), try Stand(way.to))
    try source.makePersons()
    try source.insert(Person.many(1...500))
    try source.run("UPDATE person SET secret = CASE WHEN id % 2 = 0 THEN '1' ELSE '2' END")
    var ours = Reshaped()
    ours.grant.items = [
      ItemContract("编号", .integer, source: .column("id")),
      ItemContract("名称", .text, length: 20, source: .expression("COALESCE(name, '（无名）')")),
      ItemContract("万元", .decimal(precision: 20, scale: 6), source: .expression("ROUND(capital / 10000, 6)")),
      ItemContract("出生年", .integer, source: .expression("YEAR(born)")),
      ItemContract("性别", .text, length: 1, source: .translated("secret", by: "性别")),
      ItemContract("来源", .text, length: 10, source: .expression("'青海'")),
      ItemContract("born", .date),
    ]
    ours.grant.key = ["编号"]
    ours.way.consulted = [
      .init("name", .text), .init("capital", .decimal(precision: 18, scale: 2)), .init("secret", .text),
      .init("no such", .text),
    ]
    ours.way.dictionaries = ["性别": try DictionaryTable([("1", "男"), ("2", "女")])]
    let outcome = try await ours.deliver(.full, run: "r1", from: source, to: target)
    #expect(outcome.disagreement == nil && outcome.provider.counts.delivered == 500)
    let rows = try target.rows(
      "SELECT 编号, 名称, CAST(万元 AS \(way.to == .mariadb ? "char" : "text")), 出生年, 性别, 来源 FROM person ORDER BY 1"
    )
    #expect(rows[0] == ["1", "青海1公司", "0.000111", "1911", "女", "青海"])
    #expect(rows[10][1] == "（无名）" && rows[12][3] == nil && rows[1][4] == "男")
  }

  @Test(arguments: Way.all) func `a row that the filter leaves is taken from the target, and comes back with it`(
    way: Way
  ) async throws {
    let (source, target) = (try Stand(way.from), try Stand(way.to))
    try source.makePersons()
    try source.insert(Person.many(1...3000))
    var ours = Reshaped()
    ours.way.filter = "secret <> '停用' AND id <= 2900"
    ours.way.consulted = [.init("secret", .text)]
    let first = try await ours.deliver(.full, run: "r1", from: source, to: target)
    #expect(
      first.disagreement == nil && first.provider.counts.filtered == 100 && first.provider.counts.delivered == 2900)
    #expect(first.provider.canonicalText.hasSuffix("filtered 100\n"))
    try source.run("UPDATE person SET secret = '停用', changed = '2026-08-22 10:00:00+00' WHERE id BETWEEN 11 AND 60")
    try source.run("UPDATE person SET name = '改名', changed = '2026-08-22 10:00:00+00' WHERE id = 5")
    let second = try await ours.deliver(.incremental, run: "r2", fence: 2, from: source, to: target)
    #expect(second.disagreement == nil && second.provider.counts.removed == 50 && second.provider.counts.delivered == 1)
    let counts = second.provider.counts
    #expect(counts.read == counts.delivered + counts.unchanged + counts.quarantined + counts.filtered)
    #expect(try target.value("SELECT count(*) FROM person") == "2850")
    try source.run("UPDATE person SET secret = '', changed = '2026-08-22 11:00:00+00' WHERE id BETWEEN 11 AND 20")
    let third = try await ours.deliver(.incremental, run: "r3", fence: 3, from: source, to: target)
    #expect(third.disagreement == nil && third.provider.counts.delivered == 10 && third.provider.counts.removed == 0)
    #expect(try target.value("SELECT count(*) FROM person") == "2860")
    // A later full run says the same.
    let last = try await ours.deliver(.full, run: "r4", fence: 4, from: source, to: target)
    #expect(last.disagreement == nil && last.provider.counts.delivered == 2860 && last.provider.counts.removed == 0)
    // Another filter is another grant's content: it cannot go on from here.
    ours.way.filter = "id <= 10"
    let other = ours
    await #expect { try await other.deliver(.incremental, run: "r5", fence: 5, from: source, to: target) } throws: {
      ($0 as? ConnectorError)?.code == "contract.schema-changed"
    }
  }

  @Test(arguments: Way.all, [ItemContract.Mask.pseudonym, .reshaped(.token(.digits))])
  func `rows leave the target by their masked key, too`(way: Way, mask: ItemContract.Mask) async throws {
    let (source, target) = (try Stand(way.from), try Stand(way.to))
    try source.run(
      "CREATE TABLE person (id \(source.type(.text, 20)) PRIMARY KEY, name \(source.type(.text)), changed \(source.type(.timestamp)))"
    )
    for id in 100_001...100_040 {
      try source.run("INSERT INTO person VALUES ('\(id)', '在', '2026-08-22 09:00:00+00')")
    }
    var ours = Reshaped()
    ours.grant.items = [ItemContract("id", .text, length: 20, mask: mask), ItemContract("name", .text)]
    ours.way.filter = "name = '在'"
    #expect(try await ours.deliver(.full, run: "r1", from: source, to: target).disagreement == nil)
    try source.run("UPDATE person SET name = '去', changed = '2026-08-22 10:00:00+00' WHERE id LIKE '10003%'")
    let outcome = try await ours.deliver(.incremental, run: "r2", fence: 2, from: source, to: target)
    #expect(outcome.disagreement == nil && outcome.provider.counts.removed == 10)
    let keys = try target.rows("SELECT id FROM person").compactMap { $0[0] }
    #expect(keys.count == 30 && keys.allSatisfy { !$0.hasPrefix("1000") })
    guard case .reshaped = mask else { return }
    // Only the provider's key undoes a token.
    let tokens = try #require(
      GrantTokens.tokens(.digits, item: "id", grant: ours.grant.name, providerKey: Grant.providerKey))
    let undone = keys.map { key in
      String(decoding: Array(key.utf8).withUnsafeBytes { tokens.undo($0).0 }, as: UTF8.self)
    }
    #expect(Set(undone) == Set((100_001...100_029).map(String.init) + ["100040"]))
  }

  @Test(arguments: Way.all) func `rules set rows apart or only count them, and the receipt says how many`(way: Way)
    async throws
  {
    let (source, target) = (try Stand(way.from), try Stand(way.to))
    try source.makePersons()
    try source.insert(Person.many(1...1000))
    var ours = Reshaped()
    var builder = KeySet.Builder()
    for id in 1...990 { try withUnsafeBytes(of: Int64(id).bigEndian) { try builder.add($0) } }
    ours.way.references = ["登记库": builder.finish()]
    ours.grant.items[0].rules = [QualityRule("已登记", .reference("登记库"))]
    ours.grant.items[1].rules = [QualityRule("有名", .notNull, .warn), QualityRule("名称格式", .format("青海[0-9]+公司"))]
    ours.grant.items[2].rules = [QualityRule("资本", .number(least: "1", most: nil))]
    ours.way.rules = [QualityRule("生日在前", .holds("born < DATE '2010-01-01' OR born IS NULL"))]
    let outcome = try await ours.deliver(.full, run: "r1", from: source, to: target)
    #expect(outcome.disagreement == nil)
    let counts = Dictionary(uniqueKeysWithValues: outcome.provider.rules.map { ($0.name, [$0.checked, $0.broken]) })
    #expect(counts["已登记"] == [1000, 10] && counts["有名"] == [1000, 90] && counts["名称格式"] == [910, 0])
    #expect(counts["资本"] == [1000, 142] && counts["生日在前"] == [1000, 0])
    let bad = grantRows(ours, outcome)
    #expect(bad["unknown-reference"] == 10 && bad["out-of-range"] == 141)
    #expect(outcome.provider.counts.delivered == 849 && outcome.consumer?.rules.isEmpty == true)
    #expect(outcome.provider.canonicalText.contains("rule 1000 142 资本\n"))
  }

  private func grantRows(_ ours: Reshaped, _ outcome: DeliveryOutcome) -> [String: Int] {
    Dictionary(grouping: ours.grant.keeper.rows(outcome.provider), by: \.fault.code).mapValues(\.count)
  }

  @Test(arguments: Way.all) func `too many bad rows stop the run before their batch is written, and are kept`(way: Way)
    async throws
  {
    let (source, target) = (try Stand(way.from), try Stand(way.to))
    try source.makePersons()
    try source.insert(Person.many(1...3000))
    try source.run("UPDATE person SET name = '这个名字实在是太长了一点点' WHERE id > 2000 AND id <= 2100")
    var ours = Reshaped()
    ours.way.stopWhen = StopRule(count: 20)
    let stopping = ours
    await #expect { try await stopping.deliver(.full, run: "r1", from: source, to: target) } throws: {
      ($0 as? ConnectorError)?.kind == .data && ($0 as? ConnectorError)?.code == "data.too-many-bad"
    }
    let there = try #require(try target.value("SELECT count(*) FROM person").flatMap { Int($0) })
    #expect(there <= 2000)
    #expect(try target.value("SELECT count(*) FROM sj_batch WHERE quarantined > 20") == "0")
    // What stopped it lies there for the person who looks.
    #expect(stopping.grant.keeper.count > 20)
    ours.way.stopWhen = StopRule(share: 0.02)
    let sharing = ours
    await #expect { try await sharing.deliver(.full, run: "r2", fence: 3, from: source, to: target) } throws: {
      ($0 as? ConnectorError)?.code == "data.too-many-bad"
    }
    // 100 of 3,000 are within 5 %; a table smaller than the least rows is judged at its end.
    ours.way.stopWhen = StopRule(share: 0.05)
    #expect(
      try await ours.deliver(.full, run: "r3", fence: 4, from: source, to: target).provider.counts.quarantined == 100)
    ours.grant.items[1].rules = [
      QualityRule("有名", .notNull, .warn, stopWhen: StopRule(share: 0.05, leastRows: 100_000))
    ]
    let ruled = ours
    await #expect { try await ruled.deliver(.full, run: "r4", fence: 5, from: source, to: target) } throws: {
      ($0 as? ConnectorError)?.code == "data.rule-stop"
    }
  }

  @Test(arguments: Way.all) func `what cannot be computed makes the row bad, with the item's name`(way: Way)
    async throws
  {
    let (source, target) = (try Stand(way.from), try Stand(way.to))
    try source.makePersons()
    try source.insert([
      Person(id: 1, name: "12"), Person(id: 2, name: "十二"), Person(id: 3, name: "0"), Person(id: 4, name: nil),
    ])
    var ours = Reshaped()
    ours.grant.items[1] = ItemContract(
      "倒数", .decimal(precision: 10, scale: 4), source: .expression("ROUND(1 / TO_INTEGER(name), 4)"))
    ours.way.consulted = [.init("name", .text)]
    let outcome = try await ours.deliver(.full, run: "r1", from: source, to: target)
    #expect(outcome.disagreement == nil && outcome.provider.counts.delivered == 2)
    let bad = ours.grant.keeper.rows(outcome.provider)
    #expect(bad.map(\.fault) == [.notANumber, .divisionByZero] && bad.allSatisfy { $0.item == "倒数" })
    // Sealed as read, under the names of the columns read.
    let opened = try SealedRow.open(bad[0].sealed, key: Grant.providerKey, grant: ours.grant.name)
    #expect(
      opened.items == ["id", "capital", "born", "name", "changed"] && opened.fields[3] == .value(Array("十二".utf8)))
    ours.grant.items[1] = ItemContract("name", .text)
    ours.way.filter = "TO_INTEGER(name) > 0"
    ours.grant.target = "other"
    ours.grant.name = "grant-2"
    let filtered = try await ours.deliver(.full, run: "r2", from: source, to: try Stand(way.to))
    #expect(filtered.provider.counts.filtered == 2 && filtered.provider.counts.delivered == 1)
    #expect(ours.grant.keeper.rows(filtered.provider).contains { $0.item == "name" && $0.fault == .notANumber })
  }

  @Test(arguments: Way.all) func `values are generalised and replaced by tokens, and both receipts agree`(way: Way)
    async throws
  {
    let (source, target) = (try Stand(way.from), try Stand(way.to))
    try source.makePersons()
    try source.insert(Person.many(1...300))
    var ours = Reshaped()
    ours.grant.items = [
      ItemContract("id", .integer), ItemContract("name", .text, length: 12, mask: .reshaped(.token(.text))),
      ItemContract("capital", .decimal(precision: 18, scale: 2), mask: .reshaped(.band([0, 3, 5]))),
      ItemContract("born", .date, mask: .reshaped(.period(.decade))),
    ]
    let outcome = try await ours.deliver(.full, run: "r1", from: source, to: target)
    #expect(outcome.disagreement == nil && outcome.provider.counts.delivered == 300)
    let rows = try target.rows("SELECT name, capital, born FROM person ORDER BY id")
    #expect(rows[0][1] == "0-3" && rows[3][1] == "3-5" && rows[5][1] == "≥5" && rows[0][2] == "191X")
    #expect(rows.allSatisfy { $0[0]?.hasPrefix("青海") != true } && rows[10][0] == nil)
  }

  // MARK: Compatibility

  private func digest(_ change: (inout DeliveryPlan) -> Void) throws -> String {
    var plan = Grant().plan(.full, run: "r")
    change(&plan)
    return try CompiledPlan(plan, on: CalendarDate(year: 2026, month: 8, day: 22)!).schemaDigest
  }

  @Test func `a plan that does nothing on the way has the digest it always had, and any other has its own`() throws {
    let plain = "0da0835a47032ff50b8171e6d853230cd8080bfc28a488c0044382b2fbbb3767"
    #expect(try digest { _ in } == plain)
    // What does not change what is delivered does not change the digest.
    #expect(try digest { $0.onTheWay.stopWhen = StopRule(count: 5) } == plain)
    #expect(try digest { $0.items[1].rules = [QualityRule("r", .notNull, .warn)] } == plain)
    let changes: [(inout DeliveryPlan) -> Void] = [
      { $0.onTheWay.filter = "id > 1" }, { $0.onTheWay.filter = "id > 2" }, { $0.items[1].source = .column("title") },
      { $0.items[1].source = .expression("'a'") }, { $0.items[1].rules = [QualityRule("r", .notNull)] },
      { $0.items[1].rules = [QualityRule("r", .unique)] }, { $0.onTheWay.rules = [QualityRule("r", .holds("id > 1"))] },
      { $0.items[1].mask = .reshaped(.cut(2)) }, { $0.items[1].mask = .reshaped(.token(.text)) },
      {
        $0.items[1].source = .translated("name", by: "d")
        $0.onTheWay.consulted = [.init("name", .text)]
        $0.onTheWay.dictionaries = ["d": try! DictionaryTable([("1", "2")])]
      },
      {
        $0.items[1].source = .translated("name", by: "d")
        $0.onTheWay.consulted = [.init("name", .text)]
        $0.onTheWay.dictionaries = ["d": try! DictionaryTable([("1", "3")])]
      },
    ]
    let digests = try changes.map { try digest($0) }
    #expect(Set(digests + [plain]).count == changes.count + 1)
  }

  @Test func `what an earlier version left in a target is still read`() throws {
    let text = """
      sanjiang-delivery 1
      phase idle
      run r1
      mode full
      schema 0da0835a47032ff50b8171e6d853230cd8080bfc28a488c0044382b2fbbb3767
      appends true
      first 1
      run-first 1
      position\(" ")
      from -
      horizon t:840704400000000
      reached t:840704400000000
      filled true
      holds true
      started 1795968472338
      row-sum 428ac1dfdab3e8342b7f9da94fea8aee
      rows 1
      read 1
      delivered 1
      unchanged 0
      quarantined 0
      stale 0
      removed 0
      without-cursor 0
      bytes 43
      column 0 a063aaa1caa9867bdabb465789d2d401
      """
    var state = try DeliveryState(text, columns: 1)
    #expect(state.text == text && state.counts.filtered == 0)
    state.counts.filtered = 7
    state.rules = ["名 称": RuleMachine.Count(checked: 3, broken: 1)]
    #expect(try DeliveryState(state.text, columns: 1) == state)
    #expect(throws: ConnectorError.self) { try DeliveryState(text + "\nrule 1 x y", columns: 1) }
  }

  @Test func `a plan that contradicts itself on the way is refused`() {
    let wrong: [(String, (inout DeliveryPlan) -> Void)] = [
      ("expression", { $0.onTheWay.filter = "id >" }), ("expression", { $0.onTheWay.filter = "secret = 'a'" }),
      ("expression", { $0.onTheWay.filter = "id" }), ("expression", { $0.items[1].source = .expression("1") }),
      ("key-computed", { $0.items[0].source = .expression("1") }), ("mask", { $0.items[2].mask = .reshaped(.cut(1)) }),
      ("key-masked", { $0.items[0].mask = .reshaped(.rounded(1)) }), ("stop", { $0.onTheWay.stopWhen = StopRule() }),
      ("rule", { $0.items[0].rules = [QualityRule("r", .format("a"))] }),
      ("rule-twice", { $0.items[0].rules = [QualityRule("r", .notNull), QualityRule("r", .unique)] }),
      ("rule-unique", { $0.items[1].rules = [QualityRule("r", .uniqueInTarget)] }),
      ("rule-reference", { $0.items[1].rules = [QualityRule("r", .reference("x"))] }),
      ("column-types", { $0.items[1].source = .column("id") }),
    ]
    for (code, change) in wrong {
      var plan = Grant().plan(.full, run: "r")
      change(&plan)
      let refused = plan
      #expect {
        try Delivery(refused, control: DeliveryControl(quarantine: { _ in }))
      } throws: {
        ($0 as? ConnectorError)?.code == "contract.\(code)"
      }
    }
  }
}
