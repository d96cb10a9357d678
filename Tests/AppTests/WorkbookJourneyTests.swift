import Catalog
import Foundation
import Kernel
import Spreadsheets
import Storage
import TestKit
import Testing

@testable import App

/// Compiling by a workbook as a browser without scripts does it: template, upload, rejected rows, upload again.
@Suite struct WorkbookJourneyTests {
  @Test(arguments: Engine.allCases)
  func `a data officer downloads the template, fills it in and imports it; a clerk may not`(engine: Engine) async throws
  {
    try await withNode(engine) { node, _, _, folder in
      try await withSite(node) { base in
        let officer = try await visitor("ma.officer", base)
        let work = try await officer.get("/catalog/work")
        #expect(work.text.contains("href=\"/catalog/import\""))
        let page = try await officer.get("/catalog/import")
        #expect(page.text.contains("href=\"/catalog/template.xlsx\"") && page.text.contains("multipart/form-data"))
        let template = try await officer.get("/catalog/template.xlsx")
        #expect(template.status == 200 && template.headers["content-disposition"]?.contains("attachment") == true)
        let filled = try fill(template.body, folder)

        let answer = try await upload(filled, as: officer)
        #expect(answer.status == 200, "\(Visitor.faults(answer.text))")
        #expect(answer.text.contains("市场主体年报信息") == false && answer.text.contains("“部分”不在可选值中"))
        let link = try await Self.link(in: answer.text)
        let rejected = try await officer.get(link)
        #expect(rejected.status == 200 && rejected.body.starts(with: Data("PK".utf8)))
        #expect(try await officer.get("/catalog/work").text.contains("市场主体年报信息"))
        #expect(try await count(node) == 1)

        // The workbook that came back is a workbook to send: still wrong, it comes back again and nothing is doubled.
        let again = try await upload(rejected.body, as: officer)
        #expect(again.status == 200 && again.text.contains("“部分”不在可选值中"))
        let twice = try await upload(filled, as: officer)
        #expect(twice.text.contains("未变") && twice.text.contains("“部分”不在可选值中"))
        #expect(try await count(node) == 1)

        let clerk = try await visitor("li.clerk", base)
        for path in ["/catalog/import", "/catalog/template.xlsx", link] {
          #expect(try await clerk.get(path).status == 403, "\(path)")
        }
        let token = Visitor.token(in: try await clerk.get("/account").text) ?? ""
        #expect(try await upload(filled, as: clerk, token: token).status == 403)
        let other = try await visitor("han.officer", base)
        #expect(try await other.get(link).status == 404)
        #expect(try await count(node) == 1)
      }
    }
  }

  @Test func `a file above the bound is refused with the bound, before it is read`() async throws {
    try await withNode(.sqlite) { node, _, _, _ in
      try await withSite(node) { base in
        let officer = try await visitor("ma.officer", base)
        let answer = try await upload(Data(count: CatalogWorkbook.mostBytes + (1 << 20)), as: officer)
        #expect(answer.status == 413 && answer.text.contains("100 MiB"))
      }
    }
  }

  private func visitor(_ login: String, _ base: String) async throws -> Visitor {
    let visitor = Visitor(base: base)
    var form = try await visitor.form("/sign-in", at: "/sign-in")
    try form.enter("login", login)
    try form.enter("password", DemoCast.password)
    #expect(try await visitor.submit(form) == "/")
    return visitor
  }

  private func upload(_ file: Data, as visitor: Visitor, token: String? = nil) async throws -> Visitor.Answer {
    let found: String
    if let token {
      found = token
    } else {
      found = Visitor.token(in: try await visitor.get("/catalog/import").text) ?? ""
    }
    var body = Data(
      "--line\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\n\(found)\r\n--line\r\nContent-Disposition: form-data; name=\"workbook\"; filename=\"目录.xlsx\"\r\nContent-Type: application/octet-stream\r\n\r\n"
        .utf8)
    body += file
    body += Data("\r\n--line--\r\n".utf8)
    let answer = try await visitor.send(
      "POST", "/catalog/import", body: body, type: "multipart/form-data; boundary=line",
      headers: ["Origin": visitor.base])
    guard answer.status == 303, let result = answer.location, result.hasPrefix("/catalog/import/results/") else {
      return answer
    }
    return try await visitor.get(result)
  }

  /// One sound resource and one whose sharing type is none, in the columns of the template itself.
  private func fill(_ template: Data, _ folder: String) throws -> Data {
    let empty = "\(folder)/template.xlsx"
    try template.write(to: URL(fileURLWithPath: empty))
    let reader = try WorkbookReader(path: empty)
    let writer = try WorkbookWriter(path: "\(folder)/filled.xlsx")
    let values: [String: [String: String]] = [
      "信息资源目录": [
        "信息资源名称": "市场主体年报信息", "信息资源分类": "3070120302", "信息资源摘要": "全省市场主体每年报送的年度报告的主要内容。",
        "信息资源格式": "0203", "共享类型": "有条件共享", "共享条件或不予共享依据": "用于核对市场主体状态。", "共享方式分类": "1", "共享方式类型": "2",
        "开放属性": "3", "更新周期": "1", "涉密属性": "0", "层级": "2",
      ],
      "信息项": ["所属信息资源名称": "市场主体年报信息", "信息项名称": "名称", "技术名称": "name", "数据类型": "C", "长度": "100", "分级": "2"],
    ]
    for sheet in reader.sheets where values[sheet.name] != nil {
      var titles: [String] = []
      try reader.readRows(of: sheet.name) { row in
        titles = row.cells.map { SheetColumn.title(fromHeader: $0.value.shown) }
        return .stop
      }
      let written = try writer.addSheet(SheetPlan(sheet.name, titles.map { SheetColumn($0) }))
      let sound = values[sheet.name] ?? [:]
      try written.append(titles.map { .text(sound[$0] ?? "") })
      if sheet.name == "信息资源目录" {
        let wrong = sound.merging(["信息资源名称": "市场主体注销信息", "共享类型": "部分"]) { $1 }
        try written.append(titles.map { .text(wrong[$0] ?? "") })
      }
    }
    try writer.finish()
    return try Data(contentsOf: URL(fileURLWithPath: "\(folder)/filled.xlsx"))
  }

  private static func link(in html: String) async throws -> String {
    String(try #require(html.firstMatch(of: /href="(\/catalog\/import\/rejected\/[0-9a-z]+)"/)).1)
  }

  private func count(_ node: Node) async throws -> Int? {
    try await node.database.read { try $0.int("SELECT COUNT(*) FROM catalog_version") }
  }
}
