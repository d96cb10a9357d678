import Foundation
import Kernel
import Spreadsheets
import Storage
import TestKit
import Testing
import Web

@testable import Catalog

/// What the site answers to another system's export that is sent to it, route by route.
@Suite struct `The page that moves an export in` {
  private struct Site {
    let routes: [Route]
    let folder: String

    func send(
      _ bytes: [UInt8], named name: String, _ fields: [(String, String)], mapping: String? = nil,
      as principal: Principal = Offices.operatorOfPlatform, in language: Language = .chinese
    ) async throws -> Response {
      var request = Request(method: .post, path: CatalogPath.sendExport, now: Offices.start)
      request.language = language
      (request.principal, request.form) = (principal, Fields(fields))
      for (field, name, bytes) in [("export", name, bytes)]
        + (mapping.map { [("mapping", "m.json", Array($0.utf8))] } ?? [])
      {
        let path = "\(folder)/\(UUID().uuidString).upload"
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        request.files.append(UploadedFile(field: field, name: name, type: "", path: path, size: bytes.count))
      }
      let route = try #require(routes.first { $0.method == .post && $0.path == CatalogPath.sendExport })
      return try await route.answer(request)
    }

    func get(
      _ path: String, _ parameters: [String: String], as principal: Principal = Offices.operatorOfPlatform
    ) async throws -> Response {
      var request = Request(method: .get, path: path, now: Offices.start)
      (request.principal, request.parameters) = (principal, parameters)
      let route = try #require(routes.first { $0.method == .get && $0.path == path })
      return try await route.answer(request)
    }

    func result(_ response: Response, as principal: Principal = Offices.operatorOfPlatform) async throws -> String {
      guard case .redirect(let address, _) = response else { throw Refusal.notFound(Text("转到", "redirect")) }
      let key = String(try #require(address.split(separator: "/").last))
      guard case .page(let page) = try await get("/catalog/moving-in/sent/{key}", ["key": key], as: principal) else {
        throw Refusal.notFound(Text("页", "page"))
      }
      return page.body.text
    }
  }

  private static func with(_ engine: Engine, _ body: (Offices, Site, String) async throws -> Void) async throws {
    try await Offices.with(engine) { offices in
      try await withTemporaryFolder { folder in
        let desk = ImportDesk(folder: "\(folder)/desk")
        try await body(
          offices, Site(routes: MoveRoutes.routes(offices.cataloguing, desk: desk), folder: folder), folder)
      }
    }
  }

  private static func tables(_ export: ExportedCatalogue) -> [(name: String, text: String)] {
    export.tables.sorted { $0.key < $1.key }.map { name, table in
      ("\(name).csv", ([table.head] + table.rows).map { CSV.line($0) }.joined(separator: "\n") + "\n")
    }
  }

  private static func zip(_ export: ExportedCatalogue) -> [UInt8] { storedZip(tables(export)) }

  private static func count(_ offices: Offices, _ what: SQL) async throws -> Int {
    try await offices.db.read { try $0.int(what) ?? -1 }
  }

  @Test(arguments: Engine.allCases)
  func `an export is tried, moved in, and sent again without doubling anything`(engine: Engine) async throws {
    try await Self.with(engine) { offices, site, _ in
      let bytes = Self.zip(ExportedCatalogue())
      let entries: SQL = "SELECT COUNT(*) FROM catalog_moved"
      let records: SQL = "SELECT COUNT(*) FROM audit_record WHERE action = 'catalog.move.run'"
      let trial = try await site.result(
        try await site.send(bytes, named: "导出.zip", [("preset", "bjxc"), ("trial", "1")]))
      #expect(trial.contains("没有写入任何内容") && trial.contains("未照搬之处"))
      #expect(try await Self.count(offices, entries) == 0)
      let response = try await site.send(bytes, named: "导出<b>.zip", [("preset", "bjxc")])
      let page = try await site.result(response)
      #expect(page.contains("导出&lt;b&gt;.zip") && page.contains("/catalog/moving-in/"))
      #expect(try await Self.count(offices, entries) == 4)
      #expect(try await Self.count(offices, records) == 1)
      let actor = try await offices.db.read {
        try $0.text("SELECT actor FROM audit_record WHERE action = 'catalog.move.run'")
      }
      #expect(actor == Offices.operatorOfPlatform.person?.text, "it is the operator's act, not the system's")
      _ = try await site.result(try await site.send(bytes, named: "导出.zip", [("preset", "bjxc")]))
      #expect(try await Self.count(offices, entries) == 4)
      #expect(try await Self.count(offices, records) == 1)
      var list = Request(method: .get, path: CatalogPath.runs, now: Offices.start)
      list.principal = Offices.operatorOfPlatform
      let route = try #require(site.routes.first { $0.path == CatalogPath.runs })
      guard case .page(let runs) = try await route.answer(list) else { throw Refusal.notFound(Text("页", "page")) }
      #expect(runs.body.text.contains("原政务信息资源目录系统") && !runs.body.text.contains("<td>bjxc</td>"))

      guard case .redirect(let address, _) = response else { return }
      let key = String(try #require(address.split(separator: "/").last))
      let report = "/catalog/moving-in/sent/{key}/report.xlsx"
      guard case .download(let book, _, _) = try await site.get(report, ["key": key]) else {
        throw Refusal.notFound(Text("文件", "file"))
      }
      try Data(book).write(to: URL(fileURLWithPath: "\(site.folder)/report.xlsx"))
      #expect(try rows(of: "编号对照", in: "\(site.folder)/report.xlsx").count == 4)
      await #expect(throws: Refusal.self, "only who sent it reads it") {
        var other = Offices.operatorOfPlatform
        other.person = Offices.clerk.person
        _ = try await site.get(report, ["key": key], as: other)
      }
    }
  }

  @Test func `what is no export, or too much of one, is refused whole`() async throws {
    try await Self.with(.sqlite) { offices, site, folder in
      let wrong: [(bytes: [UInt8], name: String, fields: [(String, String)], status: Int, words: String)] = [
        (Array("id,name".utf8), "表.csv", [("preset", "bjxc")], 422, ".zip 或 .xlsx"),
        (Array("x".utf8), "坏.zip", [("preset", "bjxc")], 422, "不是 .zip 压缩包"),
        (Array(Self.zip(ExportedCatalogue()).prefix(300)), "断.zip", [("preset", "bjxc")], 422, "不完整或已损坏"),
        (storedZip([("../a.csv", "a,b\n")]), "路径.zip", [("preset", "bjxc")], 422, "请重新打包成 .zip 后上传"),
        (storedZip([("别的.csv", "a,b\n1,2\n")]), "空.zip", [("preset", "bjxc")], 422, "没有表 dir_dataset"),
        (Self.zip(ExportedCatalogue()), "导出.zip", [("preset", "none")], 422, "请选择原系统"),
        ([UInt8](repeating: 0x50, count: ImportDesk.mostExportBytes + 1), "大.zip", [("preset", "bjxc")], 413, "超过"),
        (
          Self.zip(ExportedCatalogue(count: ImportDesk.mostMovedEntries + 1, items: 0)), "多.zip", [("preset", "bjxc")],
          413, "最多迁入"
        ),
      ]
      for one in wrong {
        guard case .page(let page) = try await site.send(one.bytes, named: one.name, one.fields) else {
          throw Refusal.notFound(Text("页", "page"))
        }
        let text = page.body.text
        #expect(!text.contains("另存"), "\(one.name)")
        #expect(
          page.status == one.status && text.contains(one.words), "\(one.name): \(page.status) \(text.prefix(900))")
      }
      let mappings: [(json: String, words: [String])] = [
        ("{}", ["缺少 source。", "source is missing."]), ("{", ["不是 JSON。", "It is no JSON."]),
        ("[]", ["整体应为一个对象", "As a whole it is an object"]),
        (
          #"{"source":"eigen","title":"旧","entries":{"columns":{}}}"#,
          ["缺少 entries.table。", "entries.table is missing."]
        ),
        (
          #"{"source":"eigen","title":"旧","entries":{"table":5,"columns":{}}}"#,
          ["entries.table 应为一段文字", "entries.table is to be text"]
        ),
        (
          #"{"source":"a","title":"旧","entries":{"table":"e","columns":{}},"items":{"table":"i","columns":{}},"history":[{"table":"h"}],"codes":{}}"#,
          ["缺少 history[1].columns。", "history[1].columns is missing."]
        ),
      ]
      for (json, words) in mappings {
        for (language, words) in Swift.zip([Language.chinese, .english], words) {
          guard
            case .page(let page) = try await site.send(
              Self.zip(ExportedCatalogue()), named: "导出.zip", [("preset", "bjxc")], mapping: json, in: language)
          else { throw Refusal.notFound(Text("页", "page")) }
          let text = page.body.text
          #expect(page.status == 422 && text.contains(words) && !text.contains("Error"), "\(json): \(words)")
        }
      }
      #expect(try await Self.count(offices, "SELECT COUNT(*) FROM catalog_move_run") == 0)
      #expect(try FileManager.default.contentsOfDirectory(atPath: "\(folder)/desk").isEmpty)
      await #expect(throws: Refusal.forbidden(.reviewCatalog)) {
        _ = try await site.send(
          Self.zip(ExportedCatalogue()), named: "导出.zip", [("preset", "bjxc")], as: Offices.otherOfficer)
      }
    }
  }

  @Test func `a mapping of one's own stands in for the choice, and the known ones can be had to begin from`()
    async throws
  {
    try await Self.with(.sqlite) { offices, site, _ in
      guard
        case .download(let bytes, _, _) = try await site.get(
          "/catalog/moving-in/mappings/{name}", ["name": "bjxc"])
      else { throw Refusal.notFound(Text("文件", "file")) }
      let own = String(decoding: bytes, as: UTF8.self).replacing("\"bjxc\"", with: "\"eigen\"")
        .replacing("原政务信息资源目录系统（BJXC）", with: "州级旧目录")
      let page = try await site.result(
        try await site.send(Self.zip(ExportedCatalogue()), named: "导出.zip", [("preset", "dsg")], mapping: own))
      #expect(page.contains("州级旧目录"))
      #expect(try await Self.count(offices, "SELECT COUNT(*) FROM catalog_moved WHERE source = 'eigen'") == 4)
    }
  }

  @Test(arguments: Engine.allCases)
  func `a program sends an export with its mapping inside, and reads what came of it`(engine: Engine) async throws {
    try await Self.with(engine) { offices, site, _ in
      var export = ExportedCatalogue()
      export.set("dir_dataset", "set0", "update_frequency", "77")
      guard
        case .download(let preset, _, _) = try await site.get(
          "/catalog/moving-in/mappings/{name}", ["name": "bjxc"])
      else { throw Refusal.notFound(Text("文件", "file")) }
      func ask(_ method: Web.Method, _ path: String, _ change: (inout Request) -> Void) async throws -> JSON {
        var request = Request(method: method, path: path, now: Offices.start)
        request.principal = Offices.operatorOfPlatform
        change(&request)
        let route = try #require(site.routes.first { $0.method == method && $0.path == path })
        guard case .json(let bytes, _, _) = try await route.answer(request) else {
          throw Refusal.notFound(Text("回答", "answer"))
        }
        return try JSONParser.parse(bytes)
      }
      func send(_ body: [UInt8], _ query: [(String, String)] = []) async throws -> JSON {
        try await ask(.post, "/api/v1/catalog/moving-in") { ($0.body, $0.query) = (body, Fields(query)) }
      }
      let plain = Self.zip(export)
      let unnamed = await #expect(throws: Refusal.self) { _ = try await send(plain) }
      #expect(unnamed?.message.chinese.contains("mapping.json") == true)
      await #expect(throws: Refusal.self) { _ = try await send(plain, [("preset", "none")]) }
      await #expect(throws: Refusal.self) { _ = try await send(Array("no zip".utf8), [("preset", "bjxc")]) }
      let tried = try await send(plain, [("preset", "bjxc"), ("trial", "1")])
      #expect(tried["run"] == .null && tried["trial"] == .bool(true))
      #expect(try await Self.count(offices, "SELECT COUNT(*) FROM catalog_moved") == 0)
      let own = String(decoding: preset, as: UTF8.self).replacing("\"bjxc\"", with: "\"eigen\"")
      let whole = storedZip([("mapping.json", own)] + Self.tables(export))
      let sent = try await send(whole)
      let run = try #require(sent["run"]?.string)
      #expect(sent["counts"]?.array?.isEmpty == false && sent["reasons"]?.array?.isEmpty == false)
      #expect(try await Self.count(offices, "SELECT COUNT(*) FROM catalog_moved WHERE source = 'eigen'") == 4)
      let again = try await send(whole)
      #expect(again["run"]?.string != run)
      #expect(try await Self.count(offices, "SELECT COUNT(*) FROM catalog_moved") == 4)
      let runs = try await ask(.get, "/api/v1/catalog/moving-in") { _ in }
      #expect(runs["runs"]?.array?.count == 2 && runs["runs"]?.array?.first?["same"]?.integer == 4, "\(runs.text)")
      func findings(_ query: [(String, String)]) async throws -> JSON {
        try await ask(.get, "/api/v1/catalog/moving-in/{id}") {
          ($0.parameters, $0.query) = (["id": run], Fields(query))
        }
      }
      let all = try await findings([("limit", "500")])["findings"]?.array ?? []
      #expect(all.contains { $0["value"]?.string == "77" })
      let first = try await findings([("limit", "1")])
      #expect(first["findings"]?.array == [all[0]])
      let second = try await findings([("limit", "1"), ("after", first["next"]?.string ?? "")])
      #expect(second["findings"]?.array == [all[1]])
      let mend = try await ask(.get, "/api/v1/catalog/moved") { $0.principal = Offices.otherOfficer }
      #expect(mend["entries"]?.array?.first?["findings"]?.array?.isEmpty == false, "\(mend.text)")
    }
  }

  @Test(arguments: [Language.chinese, .english])
  func `a department reads what to mend in words, and whether the entry is online`(language: Language) async throws {
    try await Self.with(.sqlite) { offices, site, _ in
      var export = ExportedCatalogue(count: 13)
      export.set("dir_dataset", "set0", "update_frequency", "77")
      export.set("dir_dataset", "set4", "share_condition", "")
      export.set("dir_dataset", "set12", "update_frequency", "77")
      _ = try await site.result(try await site.send(Self.zip(export), named: "导出.zip", [("preset", "bjxc")]))
      var request = Request(method: .get, path: CatalogPath.moved, now: Offices.start)
      (request.principal, request.language) = (Offices.otherOfficer, language)
      let route = try #require(site.routes.first { $0.path == CatalogPath.moved })
      guard case .page(let page) = try await route.answer(request) else { throw Refusal.notFound(Text("页", "page")) }
      let html = page.body.text
      for name in ["update_frequency", "sharingCondition", "item.0", "dataset_", ">cycle"] {
        #expect(!html.contains(name), "\(name) is a name of the program's or of the former system's")
      }
      for words in [
        ElementWords.cycle.title, ElementWords.sharingCondition.title, OnlineState.online.title,
        OnlineState.offline.title,
      ] { #expect(html.contains(language(words)), "\(language(words))") }
    }
  }
}
