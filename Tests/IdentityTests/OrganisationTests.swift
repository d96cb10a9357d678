import CEmbedded
@testable import Identity
import Kernel
import Storage
import TestKit
import Testing

private let now = Instant("2026-03-02T01:00:00Z")!
private let head = "key,name,short_name,division,classification_node,valid_from,valid_to,predecessors,credit_code"
private let (codeA, codeB) = ("11630000PDY0000360", "11630000PDY000044T")

private func file(_ lines: String...) -> String { ([head] + lines).joined(separator: "\n") + "\n" }

@Suite struct `Bringing offices in` {
  @Test(arguments: Engine.allCases)
  func `the embedded file comes in whole, and a second time changes nothing`(engine: Engine) async throws {
    let text = embeddedText(sj_organisations_qinghai_csv(), sj_organisations_qinghai_csv_length)
    let (added, again, market, before, commerce, standing) = try await withDatabase(engine, [IdentitySchema.migrations])
    {
      db in
      let added = try await db.write { try OrganisationImport.run(text, at: now, in: $0) }
      let again = try await db.write { try OrganisationImport.run(text, at: now, in: $0) }
      return try await db.read { tx in
        let market = try OrganisationStore.named("青海省市场监督管理局", on: now.dateInChina, in: tx)
        let before = try OrganisationStore.predecessors(of: market!.id, in: tx).map(\.name)
        let commerce = try OrganisationStore.named("青海省工商行政管理局", on: CalendarDate("2018-01-01")!, in: tx)
        return (
          added, again, market, before, commerce,
          try OrganisationStore.named("青海省工商行政管理局", on: now.dateInChina, in: tx)
        )
      }
    }
    #expect(added > 50)
    #expect(again == 0)
    #expect(market?.validFrom == CalendarDate("2018-11-01"))
    #expect(before.contains("青海省工商行政管理局"))
    #expect(commerce?.validTo == CalendarDate("2018-11-01"))
    #expect(standing == nil)
  }

  private static let wrong: [(text: String, field: String, line: Int)] = [
    (file("a,甲厅,甲厅,63,,2017-01-01,,,11630000PDY0000361"), "credit_code", 2),
    (file("a,甲厅,甲厅,99,,2017-01-01,,,\(codeA)"), "division", 2),
    (file("a,甲厅,甲厅,63,,2017-02-30,,,\(codeA)"), "valid_from", 2),
    (file("a,甲厅,甲厅,63,,,,,\(codeA)"), "valid_from", 2),
    (file("a,甲厅,甲厅,63,,2017-01-01,2017-01-01,,\(codeA)"), "valid_to", 2),
    (file("a,甲厅,甲厅,63,x7,2017-01-01,,,\(codeA)"), "classification_node", 2),
    (file("a,,甲厅,63,,2017-01-01,,,\(codeA)"), "name", 2),
    (file("a,甲厅,甲厅,63,,2017-01-01,,,\(codeA)", "a,乙厅,乙厅,63,,2017-01-01,,,\(codeB)"), "key", 3),
    (file("a,甲厅,甲厅,63,,2017-01-01,,,\(codeA)", "b,乙厅,乙厅,63,,2017-01-01,,,\(codeA)"), "credit_code", 3),
    (file("a,甲厅,甲厅,63,,2017-01-01,,,\(codeA)", "b,甲厅,甲厅,63,,2018-01-01,,,\(codeB)"), "name", 3),
    (file("a,甲厅,甲厅,63,,2017-01-01,,z,\(codeA)"), "predecessors", 2),
    (file("a,甲厅,甲厅,63,,2017-01-01,2018-01-01,a,\(codeA)"), "predecessors", 2),
    (file("a,甲厅,甲厅,63,,2017-01-01,,,\(codeA)", "b,乙厅,乙厅,63,,2018-01-01,,a,\(codeB)"), "predecessors", 3),
    (
      file("a,甲厅,甲厅,63,,2017-01-01,2018-01-01,b,\(codeA)", "b,乙厅,乙厅,63,,2018-01-01,2019-01-01,a,\(codeB)"),
      "predecessors", 2
    ),
  ]

  @Test(arguments: Engine.allCases, wrong.indices)
  func `wrong files are refused whole, naming field and line`(engine: Engine, index: Int) async throws {
    let (text, field, line) = Self.wrong[index]
    let commented = "# a comment\n# and another\n" + text
    let (refused, count) = try await withDatabase(engine, [IdentitySchema.migrations]) { db in
      let refused = try await refusal { try await db.write { try OrganisationImport.run(commented, at: now, in: $0) } }
      return (refused, try await db.read { try $0.int("SELECT count(*) FROM identity_organisation") })
    }
    #expect(refused?.faults.map(\.field) == [field])
    #expect(refused?.message.chinese.contains("第 \(line + 2) 行") == true, "\(refused?.message.chinese ?? "")")
    #expect(count == 0)
  }

  @Test(arguments: Engine.allCases)
  func `a name may come again after its bearer ended, not beside it`(engine: Engine) async throws {
    let first = file("a,甲厅,甲厅,63,,2017-01-01,2018-01-01,,\(codeA)")
    let (beside, after) = try await withDatabase(engine, [IdentitySchema.migrations]) { db in
      try await db.write { try OrganisationImport.run(first, at: now, in: $0) }
      let beside = try await refusal {
        try await db.write {
          try OrganisationImport.run(file("b,甲厅,甲厅,63,,2017-12-31,,,\(codeB)"), at: now, in: $0)
        }
      }
      let after = try await db.write {
        try OrganisationImport.run(file("b,甲厅,甲厅,63,,2018-01-01,,,\(codeB)"), at: now, in: $0)
      }
      return (beside, after)
    }
    #expect(beside?.faults.map(\.field) == ["name"])
    #expect(after == 1)
  }

  @Test(arguments: Engine.allCases)
  func `two Chinese characters find an office, signs of a pattern stand for themselves`(engine: Engine)
    async throws
  {
    let found = try await Desk.open(engine) { desk in
      try await desk.db.read { tx in
        try ["民政", "市场监管", "省", "%", "_", "\\", "民\\政", "没有"].map { text in
          try OrganisationStore.list(on: now.dateInChina, search: text, in: tx).map(\.shortName)
        }
      }
    }
    #expect(found[0] == ["省民政厅"])
    #expect(found[1] == ["省市场监管局"])
    #expect(found[2].count == 2)
    #expect(found[3...] == [[], [], [], [], []])
  }

  @Test func `an office stands from its first day until the day it no more does`() {
    let office = office(1, "甲厅", "甲厅", from: "2018-01-01", until: "2019-01-01")
    let days = ["2017-12-31", "2018-01-01", "2018-12-31", "2019-01-01"].map { office.stands(on: CalendarDate($0)!) }
    #expect(days == [false, true, true, false])
  }

  @Test(arguments: Engine.allCases)
  func `a body of the reform goes on under its predecessor's node, over two steps too`(engine: Engine) async throws {
    let codeC = "11630000PDY000052M"
    let text = file(
      "a,甲厅,甲厅,63,3070120302,2017-01-01,2018-01-01,,\(codeA)", "b,乙厅,乙厅,63,,2018-01-01,2019-01-01,a,\(codeB)",
      "c,丙厅,丙厅,63,,2019-01-01,,b,\(codeC)")
    let (node, after) = try await withDatabase(engine, [IdentitySchema.migrations]) { db in
      try await db.write { try OrganisationImport.run(text, at: now, in: $0) }
      return try await db.read { tx in
        let last = try OrganisationStore.named("丙厅", on: now.dateInChina, in: tx)!
        let first = try OrganisationStore.named("甲厅", on: CalendarDate("2017-05-01")!, in: tx)!
        return (
          try OrganisationStore.classificationNode(of: last, in: tx),
          try OrganisationStore.successors(of: first.id, in: tx).map(\.name)
        )
      }
    }
    #expect(node == "3070120302")
    #expect(after == ["乙厅"])
  }
}
