import Catalog
import Foundation
import Identity
import Inventory
import Kernel
import Spreadsheets
import Storage
import TestKit
import Testing

@Suite struct `Importing a workbook` {
  private static func imported(
    _ offices: Offices, _ folder: String, as principal: Principal = Offices.otherOfficer
  ) async throws -> ImportSummary {
    try await offices.cataloguing.importWorkbook(
      principal, "\(folder)/in.xlsx", named: "低保.xlsx", rejected: "\(folder)/out.xlsx", .chinese)
  }

  private static func count(_ offices: Offices) async throws -> (drafts: Int, items: Int, records: Int) {
    try await offices.db.read { tx in
      (
        try tx.int("SELECT COUNT(*) FROM catalog_version") ?? -1, try Offices.items(in: tx).count,
        try tx.int("SELECT COUNT(*) FROM audit_record WHERE action = 'catalog.draft.begin'") ?? -1
      )
    }
  }

  @Test(arguments: Engine.allCases)
  func `what is right is kept as drafts, each in the log, and a second time nothing is made`(engine: Engine)
    async throws
  {
    try await Offices.with(engine) { offices in
      try await withTemporaryFolder { folder in
        try FilledWorkbook().write(to: "\(folder)/in.xlsx")
        let first = try await Self.imported(offices, folder)
        #expect(first.kept == (1, 1) && first.rejected == (0, 0), "\(first)")
        #expect(!FileManager.default.fileExists(atPath: "\(folder)/out.xlsx"))
        let count = try await Self.count(offices)
        #expect(count == (1, 1, 1))
        let id = try await offices.db.read {
          try $0.row("SELECT id FROM catalog_resource").map { try $0.id("id") as ResourceID }
        }
        let draft = try await offices.cataloguing.resource(Offices.otherOfficer, try #require(id))
        #expect(draft.provider == Offices.civilAffairs.id && draft.state == .draft)
        #expect(draft.metadata.classes == ["3070120337", "203"])
        #expect(draft.metadata.format == "0203" && draft.metadata.sharingType == "2" && draft.metadata.openType == "3")
        #expect(draft.items.map(\.length) == [20] && draft.items[0].isKey && !draft.items[0].isNullable)

        let second = try await Self.imported(offices, folder)
        #expect(second.kept == (0, 0) && second.rejected == (0, 0) && second.unchanged == 1)
        #expect(try await Self.count(offices) == (1, 1, 1))

        // What says something else is not written over, unless that is asked for.
        var other = FilledWorkbook()
        other.resources = [FilledWorkbook.resource(["更新周期": .text("每日")])]
        try other.write(to: "\(folder)/in.xlsx")
        let third = try await Self.imported(offices, folder)
        #expect(third.kept == (0, 0) && third.rejected == (1, 1))
        #expect(third.reasons.map(\.code) == ["name.taken"])
        #expect(try await Self.count(offices) == (1, 1, 1))
        #expect(try rows(of: "信息资源目录", in: "\(folder)/out.xlsx")[0]["未导入原因"] == "【信息资源名称】本单位已有同名目录，且内容不同。")
        let fourth = try await offices.cataloguing.importWorkbook(
          Offices.otherOfficer, "\(folder)/in.xlsx", named: "低保.xlsx", .update, rejected: "\(folder)/out.xlsx", .chinese
        )
        #expect(fourth.kept == (1, 1) && fourth.rejected == (0, 0))
        let changed = try await offices.cataloguing.resource(Offices.otherOfficer, draft.id)
        #expect(changed.metadata.cycle == "7" && changed.revision == 2 && changed.items == draft.items)
        let batches = try await offices.db.read {
          try $0.int("SELECT COUNT(*) FROM audit_record WHERE action = 'catalog.import'")
        }
        #expect(batches == 4, "each file is one record")
      }
    }
  }

  @Test(arguments: Engine.allCases)
  func `the rejected rows come back with their reasons, and once corrected are kept`(engine: Engine) async throws {
    try await Offices.with(engine) { offices in
      try await withTemporaryFolder { folder in
        var book = FilledWorkbook()
        book.resources.append(FilledWorkbook.resource(["信息资源名称": .text("优抚对象信息")]))
        book.items.append(
          FilledWorkbook.item(["所属信息资源名称": .text("优抚对象信息"), "长度": .text("二十"), "信息项名称": .text("优抚证号")]))
        book.items.append(FilledWorkbook.item(["所属信息资源名称": .text("优抚对象信息"), "技术名称": .text("name")]))
        book.items.append(FilledWorkbook.item(["所属信息资源名称": .text("没有的资源")]))
        try book.write(to: "\(folder)/in.xlsx")
        let summary = try await Self.imported(offices, folder)
        #expect(summary.kept == (1, 1) && summary.rejected == (1, 3), "\(summary)")
        let resources = try rows(of: "信息资源目录", in: "\(folder)/out.xlsx")
        #expect(resources.map { $0["信息资源名称"] } == ["优抚对象信息"])
        #expect(resources[0]["未导入原因"]?.contains("信息项有误") == true)
        let items = try rows(of: "信息项", in: "\(folder)/out.xlsx")
        #expect(items.count == 3)
        #expect(items[0]["未导入原因"] == "【长度】“二十”不是 0 以上的整数。" && items[0]["长度"] == "二十")
        #expect(items[1]["未导入原因"] == "其资源未导入：其他信息项有误。")
        #expect(items[2]["未导入原因"]?.contains("不在“信息资源目录”表中") == true)

        // The clerk corrects the two cells and sends the same workbook.
        var corrected = FilledWorkbook()
        corrected.titles.resources.append("未导入原因")
        corrected.titles.items.append("未导入原因")
        corrected.resources = [resources[0].map { ($0.key, .text($0.value)) }]
        corrected.items = items.prefix(2).map { row in
          row.map { ($0.key, .text($0.key == "长度" ? "20" : $0.value)) }
        }
        try corrected.write(to: "\(folder)/in.xlsx")
        let again = try await Self.imported(offices, folder)
        #expect(again.kept == (1, 2) && !again.hasRejected, "\(again)")
      }
    }
  }

  @Test(arguments: Engine.allCases)
  func `every rejected row says why, an item what its resource is rejected for`(engine: Engine) async throws {
    try await Offices.with(engine) { offices in
      try await withTemporaryFolder { folder in
        var book = FilledWorkbook()
        book.resources = [FilledWorkbook.resource(["更新周期": .text("常常"), "层级": .text("村级")])]
        book.items.append(FilledWorkbook.item(["信息项名称": .text("优抚证号"), "技术名称": .text("yf"), "长度": .text("二十")]))
        try book.write(to: "\(folder)/in.xlsx")
        #expect(try await Self.imported(offices, folder).rejected == (1, 2))
        let resources = try rows(of: "信息资源目录", in: "\(folder)/out.xlsx").map { $0["未导入原因"] ?? "" }
        let items = try rows(of: "信息项", in: "\(folder)/out.xlsx").map { $0["未导入原因"] ?? "" }
        #expect(resources.count == 1 && resources[0].contains("“常常”") && resources[0].contains("“村级”"))
        #expect(items == ["其资源未导入：\(resources[0])", "【长度】“二十”不是 0 以上的整数。"])
      }
    }
  }

  @Test func `a workbook in English is read as well, and its reasons are in English`() async throws {
    try await Offices.with(.sqlite) { offices in
      try await withTemporaryFolder { folder in
        let template = "\(folder)/template.xlsx"
        try CatalogWorkbook(on: Offices.start.dateInChina).writeTemplate(to: template, .english)
        var book = FilledWorkbook()
        book.names = ("Resources", "Items")
        book.titles = (try titles(of: "Resources", in: template), try titles(of: "Items", in: template))
        func translated(_ row: [(String, CellValue)], _ titles: [String], _ changes: [String: CellValue] = [:])
          -> [(String, CellValue)]
        {
          zip(titles, row).map { ($0, changes[$0] ?? $1.1) }
        }
        book.resources = [
          translated(
            FilledWorkbook.resource, book.titles.resources,
            [
              "Sharing": .text("2 Conditional"), "Update cycle": .text("monthly"),
              "Format": .text("Spreadsheet · xlsx"),
            ]),
          translated(
            FilledWorkbook.resource(["信息资源名称": .text("优抚对象信息")]), book.titles.resources, ["Level": .text("somewhere")]),
        ]
        book.items = [translated(FilledWorkbook.item, book.titles.items, ["Nullable": .text("No")])]
        try book.write(to: "\(folder)/in.xlsx")
        let summary = try await offices.cataloguing.importWorkbook(
          Offices.otherOfficer, "\(folder)/in.xlsx", named: "in.xlsx", rejected: "\(folder)/out.xlsx", .english)
        #expect(summary.kept == (1, 1) && summary.rejected == (1, 0), "\(summary)")
        let back = try rows(of: "Resources", in: "\(folder)/out.xlsx")
        #expect(back[0]["Why it was not imported"]?.hasPrefix("[Level] “somewhere” is none of the choices") == true)
      }
    }
  }

  @Test(arguments: Engine.allCases)
  func `an information system is found by number or name among the department's own only`(engine: Engine) async throws {
    try await Offices.with(engine) { offices in
      try await withTemporaryFolder { folder in
        let system = try await offices.register.register(Offices.officer, systemFacts)
        var book = FilledWorkbook()
        let database: [String: CellValue] = ["信息资源格式": .text("0311"), "共享方式类型": .text("数据库")]
        book.resources = [("法人登记信息", system.number), ("法人年报信息", systemFacts.name), ("法人注销信息", "没有的系统")].map {
          FilledWorkbook.resource(
            database.merging(["信息资源名称": .text($0.0), "所属信息系统": .text($0.1)]) { $1 })
        }
        book.items = ["法人登记信息", "法人年报信息", "法人注销信息"].map { FilledWorkbook.item(["所属信息资源名称": .text($0)]) }
        try book.write(to: "\(folder)/in.xlsx")
        let foreign = try await Self.imported(offices, folder)
        #expect(
          foreign.kept == (0, 0) && foreign.reasons.first.map { [$0.code, "\($0.rows)"] } == ["system.unknown", "3"])
        let own = try await Self.imported(offices, folder, as: Offices.officer)
        #expect(own.kept == (2, 2) && own.reasons.map(\.code) == ["system.unknown"], "\(own)")
        let systems = try await offices.db.read {
          try $0.int("SELECT COUNT(*) FROM catalog_version WHERE system = \(system.id)")
        }
        #expect(systems == 2)
      }
    }
  }

  @Test(arguments: Engine.allCases)
  func `a larger workbook is kept whole`(engine: Engine) async throws {
    try await Offices.with(engine) { offices in
      try await withTemporaryFolder { folder in
        var book = FilledWorkbook.many(450)
        for index in [10, 210, 449] { book.resources[index][4].1 = .text("部分") }
        try book.write(to: "\(folder)/in.xlsx")
        let summary = try await Self.imported(offices, folder)
        #expect(summary.kept == (447, 447 * 3) && summary.rejected == (3, 9), "\(summary)")
        #expect(try await Self.count(offices) == (447, 447 * 3, 447))
        #expect(try rows(of: "信息项", in: "\(folder)/out.xlsx").count == 9)
      }
    }
  }
}

/// A sheet's titles, without the marks of required columns.
func titles(of sheet: String, in path: String) throws -> [String] {
  var found: [String] = []
  try WorkbookReader(path: path).readRows(of: sheet) { row in
    found = row.cells.map { SheetColumn.title(fromHeader: $0.value.shown) }
    return .stop
  }
  return found
}
