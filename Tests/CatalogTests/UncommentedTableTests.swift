@testable import Catalog
import Connecting
import Inventory
import Kernel
import Storage
import Testing
import Web

/// A table whose database says nothing of what its columns mean.
@Suite struct `A draft from a table without comments` {
  private func column(_ name: String, _ comment: String? = nil, length: Int? = 40) -> ColumnDescription {
    ColumnDescription(
      name: name, nativeType: "varchar", type: .text, length: length, isNullable: true, keyPosition: nil,
      comment: comment)
  }

  private func made(_ columns: [ColumnDescription], values: [String: [String]] = [:]) -> TableDraft {
    draft(
      from: TableDescription(name: TableName("x2"), comment: nil, estimatedRows: 10, columns: columns),
      sample: TableSample(values: values, rows: 100), connector: "sqlite", classNode: nil, at: Offices.start)
  }

  private static let phones = (0..<20).map { "1390971\(1000 + $0)" }

  @Test func `names items after what their values were seen to be, and tells a column without a name by its place`() {
    let columns = [column("c1"), column("c2"), column("c3", "；"), column("", length: 10), column("lxdh")]
    let made = made(columns, values: ["c1": Self.phones, "c2": Self.phones])
    #expect(made.items.map(\.name) == ["手机号码", "手机号码（c2）", "c3", "第 4 列", "lxdh"])
    #expect(made.items[4].semantic == "mobile", "guessed by its name alone, which says nothing sure enough for a title")
    #expect(made.items.map(\.column) == ["c1", "c2", "c3", "", "lxdh"])
  }

  @Test func `tells of the items that have a name, and leaves the abstract open where none has`() {
    #expect(made([column("c1"), column("c2")]).metadata.abstract == "")
    #expect(made([column("c1", "企业名称"), column("c2")]).metadata.abstract == "包括企业名称等2个信息项。")
    #expect(made([column("c1", "企业名称")]).metadata.abstract == "包括企业名称1个信息项。")
  }

  @Test func `is not submitted under the table's name`() async throws {
    try await Offices.with(.sqlite) { offices in
      let draft = try await offices.completeDraft()
      var metadata = draft.metadata
      for (name, code) in [("legal_person", "name.is-table"), ("LP", "name.not-chinese"), ("企业法人", nil)] {
        metadata.name = name
        let revision = try await offices.cataloguing.latest(Offices.officer, draft.id).revision
        let findings = try await offices.cataloguing.edit(
          Offices.officer, draft.id, from: revision, .init(metadata: metadata)
        ).findings
        #expect(findings.map(\.code).filter { $0.hasPrefix("name.") } == [code].compactMap { $0 }, "\(name)")
      }
    }
  }

  @Test func `says of values what was seen: only some have a check digit`() {
    func words(_ semantic: String?, _ t: Language = .chinese) -> String {
      evidence(
        t,
        Item(
          id: .make(), name: "甲", column: "a", dataType: "C", semantic: semantic,
          evidence: .init(valid: 98, looked: 100))
      ).text
    }
    for semantic in ["uscc", "citizen-id", "organisation-code", "bank-card"] {
      #expect(words(semantic).contains("抽样 100 个值，98 个校验位正确"), "\(semantic)")
    }
    for semantic in ["mobile", "division", "address", "person-name"] {
      #expect(!words(semantic).contains("校验"), "\(semantic)")
      #expect(!words(semantic, .english).contains("check"), "\(semantic)")
    }
    #expect(words("address").contains("98 个写法像地址"))
  }
}

@Suite struct `A message about a number` {
  @Test(
    arguments: [
      ("C", nil, nil, "item.length-missing", "1 到 1000000000"), ("C", 0, nil, "item.length-missing", "1 到 1000000000"),
      ("N", 2_000_000_000, nil, "item.length-wrong", "1 到 1000000000 之间，现为 2000000000"),
      ("N", 5, 6, "item.scale-wrong", "总位数（5）之间，现为 6"),
    ] as [(String, Int?, Int?, String, String)])
  func `names its bounds`(type: String, length: Int?, scale: Int?, code: String, words: String) async throws {
    try await Offices.with(.sqlite) { offices in
      let item = Item(id: .make(), name: "甲", column: "a", dataType: type, length: length, scale: scale)
      let draft = try await offices.cataloguing.draft(
        Offices.officer, system: nil, metadata: Metadata(name: "企业名录"), items: [])
      let findings = try await offices.cataloguing.edit(
        Offices.officer, draft.id, from: draft.revision, .init(items: [item])
      ).findings
      let found = findings.first { $0.code == code }
      #expect(found?.message.chinese.contains(words) == true, "\(findings.map(\.code)) \(found?.message.chinese ?? "")")
    }
  }

  @Test func `of the day that made a change necessary names both ends`() async throws {
    try await Offices.with(.sqlite) { offices in
      let resource = try await offices.published()
      let next = try await offices.cataloguing.beginChange(Offices.officer, resource.id)
      for day in ["1948-12-31", "2026-08-21"] {
        let refusal = await #expect(throws: Refusal.self) {
          try await offices.cataloguing.submit(
            Offices.officer, next.id, because: VersionChange(.correction, words: "更正", trigger: CalendarDate(day)!))
        }
        #expect(refusal?.message.chinese.contains("1949-01-01 至今天（2026-08-20）") == true)
      }
    }
  }
}
