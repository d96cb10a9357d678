import Catalog
import Foundation
import Kernel
import Spreadsheets
import Storage
import TestKit
import Testing
import Web

/// What the site's form of the workbook answers, route by route.
@Suite struct `The page that imports a workbook` {
  private static func send(
    _ bytes: [UInt8], named name: String, to routes: [Route], as principal: Principal, _ language: Language = .chinese
  ) async throws -> Response {
    var request = Request(method: .post, path: "/catalog/import", now: Offices.start)
    request.principal = principal
    request.language = language
    let path = "\(NSTemporaryDirectory())/\(UUID().uuidString).upload"
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    defer { try? FileManager.default.removeItem(atPath: path) }
    request.files = [UploadedFile(field: "workbook", name: name, type: "", path: path, size: bytes.count)]
    let route = try #require(routes.first { $0.method == .post && $0.path == "/catalog/import" })
    return try await route.answer(request)
  }

  private static func get(
    _ path: String, _ parameters: [String: String] = [:], from routes: [Route], as principal: Principal
  ) async throws -> Response {
    var request = Request(method: .get, path: path, now: Offices.start)
    (request.principal, request.parameters) = (principal, parameters)
    let route = try #require(routes.first { $0.method == .get && $0.path == path })
    return try await route.answer(request)
  }

  @Test func `the rejected rows are for the one who sent them only, and nothing that was sent stays`() async throws {
    try await Offices.with(.sqlite) { offices in
      try await withTemporaryFolder { folder in
        let desk = "\(folder)/desk"
        let routes = CatalogImportRoutes.routes(offices.cataloguing, desk: ImportDesk(folder: desk))
        var book = FilledWorkbook()
        book.resources.append(FilledWorkbook.resource(["信息资源名称": .text("低保<b>平台"), "更新周期": .text("常常")]))
        try book.write(to: "\(folder)/in.xlsx")
        let bytes = Array(try Data(contentsOf: URL(fileURLWithPath: "\(folder)/in.xlsx")))
        guard
          case .redirect(let shown, _) = try await Self.send(
            bytes, named: "../低保<i>.xlsx", to: routes, as: Offices.otherOfficer)
        else { throw Refusal.notFound(Text("页", "page")) }
        let result = String(try #require(shown.split(separator: "/").last))
        let kept = try await offices.db.read { try $0.int("SELECT COUNT(*) FROM audit_record") }
        // Reloaded, it is the same and imports nothing.
        var pages: [Page] = []
        for _ in 1...2 {
          guard
            case .page(let page) = try await Self.get(
              "/catalog/import/results/{key}", ["key": result], from: routes, as: Offices.otherOfficer)
          else { throw Refusal.notFound(Text("页", "page")) }
          pages.append(page)
        }
        let page = pages[0]
        #expect(page.status == 200 && pages[1].body.text == page.body.text)
        #expect(try await offices.db.read { try $0.int("SELECT COUNT(*) FROM audit_record") } == kept)
        await #expect(throws: Refusal.self) {
          _ = try await Self.get("/catalog/import/results/{key}", ["key": result], from: routes, as: Offices.officer)
        }
        let html = page.body.text
        #expect(html.contains("低保&lt;i&gt;.xlsx") && !html.contains("<i>"))
        #expect(html.contains("“常常”不在可选值中"))
        let key = String(try #require(html.firstMatch(of: /\/catalog\/import\/rejected\/([0-9a-z]+)"/)).1)
        #expect(try FileManager.default.contentsOfDirectory(atPath: desk).count == 2, "only what came of it is left")

        let address = "/catalog/import/rejected/{key}"
        guard
          case .download(let rejected, _, let name) = try await Self.get(
            address, ["key": key], from: routes, as: Offices.otherOfficer)
        else { throw Refusal.notFound(Text("文件", "file")) }
        #expect(name == "未导入的目录.xlsx")
        try Data(rejected).write(to: URL(fileURLWithPath: "\(folder)/back.xlsx"))
        #expect(try rows(of: "信息资源目录", in: "\(folder)/back.xlsx").count == 1)
        for (stranger, key) in [
          (Offices.officer, key), (Offices.otherOfficer, "../" + key), (Offices.otherOfficer, ""),
        ] {
          await #expect(throws: Refusal.self) {
            _ = try await Self.get(address, ["key": key], from: routes, as: stranger)
          }
        }
      }
    }
  }

  @Test(arguments: [
    ("旧表.xls", "旧格式的工作簿", [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1] + Array("W\0o\0r\0k\0b\0o\0o\0k\0".utf8)),
    ("目录.xlsx", "文本文件（例如 CSV）", Array("信息资源名称,信息资源分类\n".utf8)), ("空.xlsx", "是空的", [UInt8]()),
    ("压缩.xlsx", "压缩包（ZIP）", storedZip([("a.txt", "a")])),
    ("大.xlsx", "超过 100 MiB", []), ("炸弹.xlsx", "倍", []),
  ])
  func `what is no workbook is refused by what it is, and changes nothing`(
    name: String, words: String, bytes: [UInt8]
  ) async throws {
    try await Offices.with(.sqlite) { offices in
      try await withTemporaryFolder { folder in
        let routes = CatalogImportRoutes.routes(offices.cataloguing, desk: ImportDesk(folder: "\(folder)/desk"))
        // Made here: as an argument the test library would look at each of its bytes.
        let bytes =
          switch name {
          case "大.xlsx": [UInt8](repeating: 0x50, count: CatalogWorkbook.mostBytes + 1)
          case "炸弹.xlsx": try bombWorkbook(mebibytes: 64)
          default: bytes
          }
        guard case .page(let page) = try await Self.send(bytes, named: name, to: routes, as: Offices.otherOfficer)
        else {
          throw Refusal.notFound(Text("页", "page"))
        }
        #expect(page.status == (["大.xlsx", "炸弹.xlsx"].contains(name) ? 413 : 422))
        #expect(page.body.text.contains(words) && page.body.text.contains("name=\"workbook\""), "\(page.body.text)")
        let left = (try? FileManager.default.contentsOfDirectory(atPath: "\(folder)/desk")) ?? []
        #expect(left.isEmpty, "\(left)")
        let count = try await offices.db.read { try $0.int("SELECT COUNT(*) FROM catalog_version") }
        #expect(count == 0)
      }
    }
  }

  @Test func `who may not compile imports nothing, whatever door it came through`() async throws {
    try await Offices.with(.sqlite) { offices in
      try await withTemporaryFolder { folder in
        try FilledWorkbook().write(to: "\(folder)/in.xlsx")
        await #expect(throws: Refusal.forbidden(.compileCatalog)) {
          _ = try await offices.cataloguing.importWorkbook(
            Offices.clerk, "\(folder)/in.xlsx", named: "a.xlsx", rejected: "\(folder)/out.xlsx", .chinese)
        }
        let routes = CatalogImportRoutes.routes(offices.cataloguing, desk: ImportDesk(folder: folder))
        #expect(routes.allSatisfy { $0.access == .permission(.compileCatalog) })
      }
    }
  }
}
