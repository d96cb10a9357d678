import Catalog
import Foundation
import Kernel
import Spreadsheets
import TestKit
import Testing

/// One workbook with one thing wrong, and what is said of it.
private struct Wrong: CustomTestStringConvertible {
  var testDescription: String
  var expected: String
  var book: FilledWorkbook

  init(_ expected: String, resource: [String: CellValue] = [:], item: [String: CellValue] = [:]) {
    testDescription = expected
    self.expected = expected
    book = FilledWorkbook()
    book.resources = [FilledWorkbook.resource(resource)]
    book.items = [FilledWorkbook.item(item)]
  }

  init(_ expected: String, _ change: (inout FilledWorkbook) -> Void) {
    self.init(expected)
    change(&book)
  }
}

@Suite struct `The rows of a workbook` {
  private static let now = Instant("2026-08-20T01:00:00Z")!
  private static let workbook = CatalogWorkbook(on: CalendarDate("2026-08-20")!)

  private static func report(_ book: FilledWorkbook) async throws -> WorkbookReport {
    try await withTemporaryFolder { folder in
      try book.write(to: "\(folder)/in.xlsx")
      return try workbook.check("\(folder)/in.xlsx", at: now)
    }
  }

  private static func refusal(_ book: FilledWorkbook) async throws -> Refusal? {
    do {
      _ = try await report(book)
      return nil
    } catch let refusal as Refusal { return refusal }
  }

  @Test(arguments: Language.allCases)
  func `the template is read as empty, with its columns in either language`(language: Language) async throws {
    try await withTemporaryFolder { folder in
      try Self.workbook.writeTemplate(to: "\(folder)/t.xlsx", language)
      let report = try Self.workbook.check("\(folder)/t.xlsx", at: Self.now)
      #expect(report.resources == 0 && report.items == 0 && report.problems.isEmpty)
      let names = try WorkbookReader(path: "\(folder)/t.xlsx").sheets.filter { $0.visibility == .visible }.map(\.name)
      #expect(names == [language("信息资源目录", "Resources"), language("信息项", "Items"), language("填写说明", "Guide")])
      let guide = try rows(of: names[2], in: "\(folder)/t.xlsx")
      #expect(guide.count == 28)
      #expect(guide.contains { $0[language("可选值", "Choices")]?.contains(language("2 有条件共享", "2 Conditional")) == true })
    }
  }

  @Test func `columns may be moved`() async throws {
    var book = FilledWorkbook()
    book.titles.resources.reverse()
    book.titles.items.reverse()
    #expect(try await Self.report(book).problems.isEmpty)
  }

  @Test(arguments: [
    Wrong("workbook.number-for-code resources 2 信息资源格式", resource: ["信息资源格式": .number(203)]),
    Wrong("workbook.date resources 2 更新周期", resource: ["更新周期": .date(CalendarDate("2026-01-01")!)]),
    Wrong("workbook.code resources 2 共享类型", resource: ["共享类型": .text("部分共享")]),
    Wrong("workbook.secrecy resources 2 涉密属性", resource: ["涉密属性": .empty]),
    Wrong("secrecy.secret resources 2 涉密属性", resource: ["涉密属性": .text("涉密")]),
    Wrong("sharing.missing resources 2 共享类型", resource: ["共享类型": .text(" ")]),
    Wrong("sharing.condition-missing resources 2 共享条件或不予共享依据", resource: ["共享条件或不予共享依据": .empty]),
    Wrong("classes.unknown resources 2 信息资源分类", resource: ["信息资源分类": .text("3070120337；999")]),
    Wrong("related.malformed resources 2 关联资源代码", resource: ["关联资源代码": .text("12345")]),
    Wrong("text.long resources 2 信息资源摘要", resource: ["信息资源摘要": .text(String(repeating: "字", count: 1001))]),
    Wrong(
      "workbook.text resources 2 信息资源摘要", resource: ["信息资源摘要": .text("摘" + String(repeating: "\u{301}", count: 40))]),
    Wrong("method.format resources 2 共享方式类型", resource: ["共享方式类型": .text("1 数据库")]),
    Wrong("workbook.number items 2 长度", item: ["长度": .text("二十")]),
    Wrong("item.length-missing items 2 长度", item: ["长度": .empty]),
    Wrong("workbook.yes-no items 2 可空", item: ["可空": .text("也许")]),
    Wrong("workbook.code items 2 数据类型", item: ["数据类型": .text("varchar")]),
    Wrong("workbook.no-resource items 2 所属信息资源名称") {
      $0.items.insert(FilledWorkbook.item(["所属信息资源名称": .empty]), at: 0)
    },
    Wrong("workbook.no-such-resource items 3 所属信息资源名称") {
      $0.items.append(FilledWorkbook.item(["所属信息资源名称": .text("别的资源")]))
    },
    Wrong("item.name-repeated items 3 信息项名称") { $0.items.append(FilledWorkbook.item(["技术名称": .text("b")])) },
    Wrong("items.missing resources 2 -") { $0.items = [] },
    Wrong("workbook.repeated resources 2 信息资源名称") { $0.resources.append(FilledWorkbook.resource) },
    Wrong("workbook.repeated resources 3 信息资源名称") { $0.resources.append(FilledWorkbook.resource) },
    Wrong("items.many resources 2 -") { book in
      book.items = (0...500).map { FilledWorkbook.item(["信息项名称": .text("项\($0)"), "技术名称": .text("c\($0)")]) }
    },
  ])
  private func `each wrong row is named with its place`(wrong: Wrong) async throws {
    let report = try await Self.report(wrong.book)
    let found = report.problems.filter { $0.severity == .error }.map {
      "\($0.code) \($0.sheet.rawValue) \($0.row) \($0.columnTitle?.chinese ?? "-")"
    }
    #expect(found.contains(wrong.expected), "\(found)")
    // One thing that is wrong is one thing to read, and to correct.
    #expect(found.count == (wrong.expected.hasPrefix("workbook.repeated") ? 2 : 1), "\(found)")
  }

  @Test(arguments: [
    ("workbook.formula", "A", "<c r=\"A2\" t=\"str\"><f>B2</f><v>名</v></c>"),
    ("workbook.lost-digits", "B", "<c r=\"B2\"><v>3.07012033700000128E+17</v></c>"),
    ("workbook.error", "J", "<c r=\"J2\" t=\"e\"><v>#REF!</v></c>"),
    ("workbook.untitled", "", "<c r=\"Z2\"><v>1</v></c>"),
  ])
  func `what only Excel writes is named too`(code: String, column: String, cell: String) async throws {
    try await withTemporaryFolder { folder in
      let path = "\(folder)/in.xlsx"
      try handmade(cell).write(to: URL(fileURLWithPath: path))
      let report = try Self.workbook.check(path, at: Self.now)
      let problem = try #require(report.problems.first { $0.code == code }, "\(report.problems)")
      #expect(problem.text.chinese.contains("工作表“信息资源目录”第 2 行" + (column.isEmpty ? "：" : " \(column) 列：【")))
    }
  }

  @Test func `titles that are not the template's, twice or missing are named, and so is a missing sheet`() async throws
  {
    var stranger = FilledWorkbook()
    stranger.titles.resources.append("备注")
    #expect(try await Self.refusal(stranger)?.message.chinese.contains("备注（P）") == true)
    var english = FilledWorkbook()
    english.titles.items.append("Item")
    #expect(try await Self.refusal(english)?.message.chinese.contains("“Item”出现两次") == true)
    var missing = FilledWorkbook()
    missing.titles.items.removeAll { $0 == "技术名称" }
    #expect(try await Self.refusal(missing)?.message.chinese.contains("缺少必填的列：技术名称") == true)
    var renamed = FilledWorkbook()
    renamed.names.items = "字段"
    #expect(try await Self.refusal(renamed)?.message.chinese.contains("没有“信息项”工作表") == true)
    #expect(try await Self.refusal(renamed)?.code == "catalog.workbook.sheet")
  }

  @Test func `more rows than the bound are refused with it`() async throws {
    var book = FilledWorkbook()
    book.resources = (0...CatalogWorkbook.mostRows.resources).map { _ in [("信息资源名称", .text("重"))] }
    #expect(try await Self.refusal(book)?.kind == .tooLarge)
  }

  /// A minimal workbook whose only row has this cell: the template's writer cannot write what these tests need.
  private func handmade(_ cell: String) throws -> Data {
    let columns = FilledWorkbook.resource.map(\.0)
    let items = FilledWorkbook.item.map(\.0)
    func inline(_ column: Int, _ row: Int, _ text: String) -> String {
      "<c r=\"\(ColumnLetters(column))\(row)\" t=\"inlineStr\"><is><t>\(text)</t></is></c>"
    }
    func header(_ titles: [String]) -> String {
      "<row r=\"1\">\(titles.enumerated().map { inline($0.offset, 1, $0.element) }.joined())</row>"
    }
    let first = header(columns) + "<row r=\"2\">\(cell)</row>"
    let main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    let office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    let relations = "http://schemas.openxmlformats.org/package/2006/relationships"
    func sheet(_ rows: String) -> String { "<worksheet xmlns=\"\(main)\"><sheetData>\(rows)</sheetData></worksheet>" }
    func relation(_ id: String, _ type: String, _ target: String) -> String {
      "<Relationship Id=\"\(id)\" Type=\"\(office)/\(type)\" Target=\"\(target)\"/>"
    }
    return Data(
      storedZip([
        (
          "_rels/.rels",
          "<Relationships xmlns=\"\(relations)\">\(relation("a", "officeDocument", "xl/workbook.xml"))</Relationships>"
        ),
        (
          "xl/workbook.xml",
          "<workbook xmlns=\"\(main)\" xmlns:r=\"\(office)\"><sheets><sheet name=\"信息资源目录\" sheetId=\"1\" r:id=\"s1\"/><sheet name=\"信息项\" sheetId=\"2\" r:id=\"s2\"/></sheets></workbook>"
        ),
        (
          "xl/_rels/workbook.xml.rels",
          "<Relationships xmlns=\"\(relations)\">\(relation("s1", "worksheet", "worksheets/a.xml"))\(relation("s2", "worksheet", "worksheets/b.xml"))</Relationships>"
        ),
        ("xl/worksheets/a.xml", sheet(first)), ("xl/worksheets/b.xml", sheet(header(items))),
      ]))
  }
}
