import Inventory
import Kernel
import Storage
import TestKit
import Testing

@testable import Catalog

/// Entries in bulk: what one line of a batch does to another, and that a batch costs a few statements and not some for each.
@Suite struct `Taking many entries` {
  private static func given(_ reference: String, _ name: String, cycle: String = "4", items: Int = 2) -> GivenEntry {
    var metadata = Offices.spreadsheet(name)
    metadata.cycle = cycle
    return GivenEntry(
      reference: reference, metadata: metadata, items: Offices.items((0..<items).map { "信息项\($0)号" }))
  }

  private static func take(
    _ offices: Offices, _ given: [GivenEntry], _ mode: TakingMode = .update
  ) async throws -> [TakenEntry] {
    try await offices.cataloguing.take(
      Offices.officer, given, mode, from: TakingOrigin(name: "测试", digest: "0"))
  }

  /// `created`, or `refused name.taken`.
  private static func said(_ taken: [TakenEntry]) -> [String] {
    taken.map { entry in
      ([entry.outcome.rawValue] + entry.findings.filter { $0.severity == .error }.map(\.code)).joined(separator: " ")
    }
  }

  private static func count(_ offices: Offices, _ table: SQL, where condition: SQL = "TRUE") async throws -> Int {
    try await offices.db.read { tx in try tx.int("SELECT COUNT(*) FROM \(table) WHERE \(condition)") ?? -1 }
  }

  @Test(arguments: Engine.allCases)
  func `of a key or a name that stands twice in a batch, the second is refused`(engine: Engine) async throws {
    try await Offices.with(engine) { offices in
      let taken = try await Self.take(
        offices,
        [
          Self.given("A-1", "甲类登记信息"), Self.given("A-1", "乙类登记信息"), Self.given("A-2", "甲类登记信息"),
          Self.given("", "甲类登记信息"), Self.given("", "丙类登记信息"), Self.given("", "丙类 登记信息 "),
          Self.given("", "丙类登记信息", cycle: "7"), Self.given("A-3", "丙类登记信息"), Self.given("A-4", ""),
          Self.given("A-4", "丁类登记信息"),
        ])
      #expect(
        Self.said(taken) == [
          // A-1 is the first line's; its name is another's for A-2, and without a reference it is that entry again.
          "created", "refused entry.repeated", "refused name.taken", "refused entry.repeated",
          // The third kind has no reference so far, and a blank makes another name.
          "created", "created", "refused entry.repeated", "refused entry.repeated",
          // What was refused took neither reference nor name.
          "refused name.missing", "created",
        ])
      #expect(try await Self.count(offices, "catalog_resource") == 4)
      #expect(try await Self.count(offices, "catalog_version") == 4)
      #expect(try await offices.db.read { try Offices.items(in: $0).count } == 8)
      #expect(try await Self.count(offices, "catalog_reference") == 2)
      #expect(try await Self.count(offices, "audit_record") == 5)
      #expect(try await Self.count(offices, "audit_waiting") == 5)
    }
  }

  @Test(arguments: Engine.allCases)
  func `a name is free for the lines behind the one that gives it up, and taken for those before`(engine: Engine)
    async throws
  {
    try await Offices.with(engine) { offices in
      _ = try await Self.take(offices, [Self.given("A-1", "甲类登记信息"), Self.given("A-2", "乙类登记信息")])
      let taken = try await Self.take(
        offices,
        [
          Self.given("A-3", "甲类登记信息"), Self.given("A-1", "丙类登记信息"), Self.given("A-4", "甲类登记信息"),
          Self.given("A-2", "丙类登记信息"), Self.given("A-5", "乙类登记信息"),
        ])
      #expect(
        Self.said(taken) == ["refused name.taken", "updated", "created", "refused name.taken", "refused name.taken"])
      #expect(taken[1].resource?.revision == 2)
      let names = try await offices.db.read { tx in
        try tx.rows("SELECT name FROM catalog_version ORDER BY name").map { try $0.text("name") }
      }
      #expect(Set(names) == ["丙类登记信息", "乙类登记信息", "甲类登记信息"])
      // Told as an edit by hand is.
      #expect(try await Self.count(offices, "catalog_event", where: "event = 'edit' AND position = 1") == 1)
    }
  }

  @Test(arguments: Engine.allCases)
  func `the name that is in force stays taken while its next version has another`(engine: Engine) async throws {
    try await Offices.with(engine) { offices in
      let made = try await Self.take(offices, [Self.given("A-1", "甲类登记信息"), Self.given("A-2", "乙类登记信息")])
      for entry in made {
        let id = try #require(entry.resource?.id)
        _ = try await offices.cataloguing.submit(Offices.officer, id)
        _ = try await offices.cataloguing.decide(Offices.operatorOfPlatform, id, .approve(publish: true))
      }
      let taken = try await Self.take(
        offices,
        [
          Self.given("A-1", "丙类登记信息"), Self.given("A-3", "甲类登记信息"), Self.given("A-2", "乙类登记信息", cycle: "7"),
          Self.given("A-4", "丙类登记信息"),
        ])
      #expect(Self.said(taken) == ["updated", "refused name.taken", "updated", "refused name.taken"])
      #expect(taken.compactMap(\.resource?.version) == [2, 2])
      #expect(taken[0].resource?.state == .draft)
      #expect(try await Self.count(offices, "catalog_resource", where: "latest = 2 AND published = 1") == 2)
      #expect(try await offices.db.read { try Offices.items(in: $0).count } == 8)
      // Given up, the next version frees its name, and the one after has its number.
      try await offices.cataloguing.discard(Offices.officer, try #require(taken[0].resource?.id))
      let again = try await Self.take(
        offices, [Self.given("A-5", "丙类登记信息"), Self.given("A-1", "甲类登记信息", cycle: "7")])
      #expect(Self.said(again) == ["created", "updated"] && again[1].resource?.version == 3)
    }
  }

  @Test(arguments: Engine.allCases)
  func `a reference of what was given up before registration goes to what comes next`(engine: Engine) async throws {
    try await Offices.with(engine) { offices in
      let first = try await Self.take(offices, [Self.given("A-1", "甲类登记信息")])
      try await offices.cataloguing.discard(Offices.officer, try #require(first[0].resource?.id))
      let taken = try await Self.take(offices, [Self.given("A-1", "甲类登记信息"), Self.given("A-1", "乙类登记信息")])
      #expect(Self.said(taken) == ["created", "refused entry.repeated"])
      let held = try await offices.db.read { try $0.text("SELECT resource FROM catalog_reference") }
      #expect(held == taken[0].resource?.id.text && held != first[0].resource?.id.text)
    }
  }

  @Test(arguments: Engine.allCases)
  func `lines that are far apart know of each other, and bad ones keep nothing else`(engine: Engine) async throws {
    try await Offices.with(engine) { offices in
      let count = 2 * KnownEntries.most + 10
      var lines = (0..<count).map { Self.given("R-\($0)", "第\($0)号登记信息", items: 1) }
      // Every other one is wrong.
      for index in stride(from: 1, to: count, by: 2) { lines[index].metadata.abstract = "" }
      lines[count - 2] = Self.given("R-0", "最后一号登记信息")
      lines[count - 4] = Self.given("R-x", "第2号登记信息")
      let taken = try await Self.take(offices, lines)
      #expect(taken.count { $0.outcome == .created } == count / 2 - 2)
      #expect(taken.enumerated().allSatisfy { $0 % 2 == 0 || Self.said([$1]) == ["refused abstract.missing"] })
      #expect(Self.said([taken[count - 2], taken[count - 4]]) == ["refused entry.repeated", "refused name.taken"])

      // The first frees a name for the last; what is the same stays as it is; items that stay keep their ids.
      let items = try await offices.db.read { tx in try Offices.items(in: tx).map(\.id) }
      var second = taken.enumerated().filter { $1.outcome == .created }.map { lines[$0.offset] }
      second[0].metadata.name = "改名的登记信息"
      second[2].items[0].description = "改过"
      second.append(Self.given("R-y", "第0号登记信息"))
      let again = try await Self.take(offices, second)
      #expect(again.map(\.outcome).filter { $0 == .unchanged }.count == second.count - 3)
      #expect(Self.said([again[0], again[2], again[second.count - 1]]) == ["updated", "updated", "created"])
      let after = try await offices.db.read { tx in try Offices.items(in: tx) }
      #expect(Set(items).isSubset(of: Set(after.map(\.id))) && after.count == items.count + 2)
      #expect(after.filter { $0.description == "改过" }.count == 1)
      // The rest of each is as one that was edited by itself.
      let one = try await offices.cataloguing.latest(Offices.officer, try #require(again[2].resource?.id))
      #expect(one == again[2].resource)
    }
  }

  @Test(arguments: Engine.allCases)
  func `a batch of any size asks a few statements, none of which scans`(engine: Engine) async throws {
    try await Offices.with(engine) { offices in
      try await Corpus(count: 6000).fill(offices.db)
      try await Corpus.lengthen(offices.db)
      try await offices.db.write { tx in
        try tx.run(
          """
          INSERT INTO catalog_reference (provider, reference, resource) SELECT provider, id, id FROM catalog_resource
          """)
        try tx.script("ANALYZE")
      }
      var lines = (0..<60).map { Self.given("R-\($0)", "第\($0)号登记信息") }
      for (what, most) in [("created", 50), ("unchanged", 12), ("updated", 50)] {
        if what == "updated" {
          for index in lines.indices { lines[index].items[0].description = "改过" }
        }
        let wanted = lines
        let (outcomes, asked, scans) = try await offices.db.write { tx in
          // Of so short tables PostgreSQL rightly reads the whole: only where it must, it is to do so.
          if tx.engine == .postgres { try tx.script("SET LOCAL enable_seqscan = off") }
          let listener = ListeningTransaction(tx)
          var taking = try Taking(
            offices.cataloguing, Offices.officer, .update, TakingOrigin(name: "测试", digest: "0"), at: Offices.start,
            in: listener)
          let taken = try taking.take(wanted, in: listener)
          return (Set(taken.map(\.outcome.rawValue)), listener.asked.count, try listener.walks())
        }
        #expect(outcomes == [what])
        #expect(asked <= most, "\(what): \(asked) statements")
        #expect(scans == [], "\(what)")
      }
    }
  }
}

extension ListeningTransaction {
  /// The lines of the plans that walk a whole table of the catalogue.
  fileprivate func walks() throws -> [String] {
    let tables = ["version", "resource", "item", "event", "reference"].map { "catalog_\($0)" }
    return try scans { line, _ in
      let walked = engine == .sqlite ? ["SCAN v", "SCAN r", "SCAN i"] : []
      return walked.contains { line == $0 || line.hasPrefix($0 + " ") }
        || tables.contains { line.hasPrefix("SCAN \($0)") || line.contains("Seq Scan on \($0)") }
    }
  }

  @Test(arguments: Engine.allCases)
  func `what names another office is refused at that name, and the office's own by any, also of before its renaming`(
    engine: Engine
  ) async throws {
    try await Offices.with(engine) { offices in
      func told(_ office: Organisation) -> [(field: String, text: String)] {
        [("provider", office.id.text), ("providerName", office.name), ("providerCode", office.creditCode)]
      }
      var given = [Self.given("A-1", "甲类登记信息"), Self.given("A-2", "乙类登记信息")]
      given[0].providers = told(Offices.market)
      given[1].providers = told(Offices.commerce)
      for field in 0..<3 {
        var other = Self.given("B-\(field)", "丙类登记信息")
        other.providers = [told(Offices.civilAffairs)[field]]
        given.append(other)
      }
      var nul = Self.given("B-3", "丁类登记信息")
      nul.providers = [("providerName", "青海\0")]
      let taken = try await Self.take(offices, given + [nul])
      #expect(Self.said(taken) == ["created", "created"] + Array(repeating: "refused provider.other", count: 4))
      #expect(
        taken.dropFirst(2).compactMap { $0.findings.first?.pointer }
          == ["/provider", "/providerName", "/providerCode", "/providerName"])
    }
  }
}
