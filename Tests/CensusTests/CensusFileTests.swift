import Catalog
import Foundation
import Identity
import Kernel
import Spreadsheets
import Storage
import TestKit
import Testing
import Web

@testable import Census

@Suite struct `Census files` {
  /// A return of one office, and the site's own way to send files for it.
  private struct Site {
    let province: Province
    let campaign: Campaign
    let owner: CensusReturn
    let desk: ImportDesk
    let folder: String

    /// Sends a file as a browser does and answers where its outcome is shown.
    func send(_ bytes: [UInt8], named name: String) async throws -> String {
      let path = "\(folder)/\(UUID().uuidString).upload"
      try Data(bytes).write(to: URL(fileURLWithPath: path))
      defer { try? FileManager.default.removeItem(atPath: path) }
      var request = Request(method: .post, path: "/census/returns/\(owner.id)/workbook", now: Province.start)
      (request.principal, request.parameters) = (Province.officer, ["id": owner.id.text])
      request.files = [UploadedFile(field: "workbook", name: name, type: "", path: path, size: bytes.count)]
      switch try await route(.post, "/census/returns/{id}/workbook").answer(request) {
      case .redirect(let place, _): return place
      case .page(let page): throw Refusal(.invalid, "page", Text(same: page.body.text))
      default: throw Refusal(.invalid, "answer", Text(same: "neither"))
      }
    }

    func page(_ place: String, as principal: Principal = Province.officer) async throws -> String {
      let parts = try #require(URLComponents(string: place))
      var request = Request(method: .get, path: parts.path, now: Province.start)
      (request.principal, request.parameters) = (principal, ["id": owner.id.text])
      request.query = Fields((parts.queryItems ?? []).map { ($0.name, $0.value ?? "") })
      guard case .page(let page) = try await route(.get, "/census/returns/{id}").answer(request) else { return "" }
      return page.body.text
    }

    private func route(_ method: Method, _ path: String) throws -> Route {
      try #require(
        CensusRoutes.routes(province.census, desk: desk).first { $0.method == method && $0.path == path })
    }

    func sums() async throws -> SixQuantities { try await province.owner(campaign, Province.market).sums }

    func key(_ place: String) throws -> String {
      try #require(URLComponents(string: place)?.queryItems?.first { $0.name == "imported" }?.value)
    }

    /// What is shown of a file that was sent.
    func outcome(_ place: String) throws -> CensusImportSummary? {
      province.census.imported(try key(place), owner.id, of: Province.officer, desk: desk)
    }
  }

  private static func with(_ engine: Engine, lines count: Int, _ body: (Site, [String]) async throws -> Void)
    async throws
  {
    try await Province.with(engine) { province in
      try await withTemporaryFolder { folder in
        try await province.publish(count, of: Province.market)
        let campaign = try await province.open("普查", Province.market)
        let owner = try await province.owner(campaign, Province.market)
        let codes = try await province.census.lines(
          Province.officer, .init(campaign: owner.campaign, owner: owner.id, limit: 1000)
        ).lines.map(\.code)
        try await body(
          Site(
            province: province, campaign: campaign, owner: owner, desk: ImportDesk(folder: folder + "/desk"),
            folder: folder), codes)
      }
    }
  }

  @Test(arguments: Engine.allCases)
  func `a workbook goes out prefilled, comes back, and its wrong rows return with their reasons`(engine: Engine)
    async throws
  {
    try await Self.with(engine, lines: 4) { site, codes in
      let (census, owner) = (site.province.census, site.owner)
      try await census.save(Province.officer, owner.id, [.init(code: codes[0], numbers: six(1_500_000, 12))])
      let (_, bytes) = try await census.workbook(Province.officer, owner.id, .chinese)
      let unchanged = try site.outcome(try await site.send(bytes, named: "本单位.xlsx"))
      #expect(unchanged?.kept == 4 && unchanged?.rejected == 0)
      #expect(try await site.sums() == six(1_500_000, 12))

      // Filled in as people do, in another order, with mistakes.
      let path = site.folder + "/filled.xlsx"
      let columns = CensusWorkbook(language: .chinese).plan(withReasons: false).columns
      let writer = try WorkbookWriter(path: path, language: .chinese)
      let sheet = try writer.addSheet(SheetPlan("随便", columns.reversed()))
      func row(_ code: String, _ values: [CellValue]) throws {
        try sheet.append(([CellValue.text(code), .text("名")] + values + [.empty]).reversed())
      }
      let none: [CellValue] = Array(repeating: .empty, count: 5)
      try row(codes[0], [.number(2.5, digits: "2.5"), .text("1,000"), .text(" 2 "), .number(10), .empty, .empty])
      try row(codes[1], [.text("约 3 GB")] + none)
      try row(codes[2], [.number(1), .empty, .number(2), .empty, .empty, .empty])
      try row("3999/000001", [.number(1)] + none)
      try row(codes[0], [.number(1)] + none)
      try row("", [.number(1)] + none)
      try writer.finish()
      let place = try await site.send(Array(try Data(contentsOf: URL(fileURLWithPath: path))), named: "六项.xlsx")
      let summary = try site.outcome(place)
      #expect(summary?.kept == 1 && summary?.rejected == 5)
      #expect(try await site.sums() == six(2_500_000, 1000, 2_000_000, 10))

      let key = try site.key(place)
      let rejected = site.folder + "/rejected.xlsx"
      try Data(try site.desk.rejected(key, of: Province.officer)).write(to: URL(fileURLWithPath: rejected))
      #expect(throws: Refusal.self) { _ = try site.desk.rejected(key, of: Province.colleague) }
      #expect(throws: Refusal.self) { _ = try site.desk.rejected("../x", of: Province.officer) }
      var reasons: [String] = []
      let reader = try WorkbookReader(path: rejected)
      try reader.readRows(of: reader.sheets[0].name) { row in
        reasons.append(row.cells.last?.value.shown ?? "")
        return .next
      }
      #expect(reasons.count == 6)
      for (reason, part) in zip(reasons.dropFirst(), ["约 3 GB", "不能大于", "没有代码为", "第 2 行重复", "没有信息资源代码"]) {
        #expect(reason.contains(part), "\(reason)")
      }
    }
  }

  @Test(arguments: Engine.allCases, [Language.chinese, .english])
  func `the CSV that a return is downloaded as is taken back`(engine: Engine, language: Language) async throws {
    try await Self.with(engine, lines: 3) { site, codes in
      let census = site.province.census
      try await census.save(Province.officer, site.owner.id, [.init(code: codes[1], numbers: six(1_500_000, 12))])
      let (_, _, lines) = try await census.allLines(Province.officer, site.owner.id)
      let text = String(decoding: CensusTables.csv(lines, language), as: UTF8.self)
      let same = try site.outcome(try await site.send(Array(text.utf8), named: "本单位.csv"))
      #expect(same?.kept == 3 && same?.rejected == 0)
      #expect(try await site.sums() == six(1_500_000, 12))

      // The numbers of one filled in, those of another wrong: line 4 of the file.
      let filled = text.split(separator: "\r\n").map { line in
        line.replacing("1.5,12,", with: "2.5,13,").replacing(codes[2], with: "3999/000001")
      }.joined(separator: "\r\n")
      let place = try await site.send(Array(filled.utf8), named: "填好的.csv")
      let summary = try site.outcome(place)
      #expect(summary?.kept == 2 && summary?.rejected == 1)
      #expect(try await site.sums() == six(2_500_000, 13))
      #expect(try site.desk.rejected(try site.key(place), of: Province.officer).count > 0)

      let refused = await #expect(throws: Refusal.self) {
        _ = try await site.send(Array((filled + "\r\n只有,两列\r\n").utf8), named: "填好的.csv")
      }
      #expect(refused?.message.chinese.contains("第 5 行") == true, "\(refused?.message.chinese ?? "")")
    }
  }

  @Test func `the outcome has an address of its own and bears the name that its sender gave`() async throws {
    try await Self.with(.sqlite, lines: 2) { site, codes in
      let (_, bytes) = try await site.province.census.workbook(Province.officer, site.owner.id, .chinese)
      let place = try await site.send(bytes, named: "../民<b>政.xlsx")
      let before = try await site.province.db.read { try $0.int("SELECT COUNT(*) FROM audit_record") }
      let pages = [try await site.page(place), try await site.page(place)]
      #expect(pages[0] == pages[1] && pages[0].contains("民&lt;b&gt;政.xlsx：已保存 2 行"))
      #expect(try await site.province.db.read { try $0.int("SELECT COUNT(*) FROM audit_record") } == before)
      #expect(!(try await site.page(place, as: Province.colleague)).contains("已保存 2 行"), "it is the sender's")
      #expect(!(try await site.page("/census/returns/\(site.owner.id)?imported=none")).contains("已保存"))

      // A file that cannot be read is told by that name too, and nothing of it stays.
      let broken = await #expect(throws: Refusal.self) {
        _ = try await site.send(Array(bytes.prefix(400)), named: "坏的.xlsx")
      }
      let told = broken?.message.chinese ?? ""
      #expect(told.contains("坏的.xlsx") && !told.contains(".upload") && !told.contains("sent-"), "\(told)")
      let left = try FileManager.default.contentsOfDirectory(atPath: site.folder + "/desk")
      #expect(left.allSatisfy { $0.hasSuffix(".json") }, "\(left)")
    }
  }

  @Test func `a file that is no such workbook is refused as a whole`() async throws {
    try await Self.with(.sqlite, lines: 1) { site, _ in
      let path = site.folder + "/other.xlsx"
      let writer = try WorkbookWriter(path: path)
      try writer.addSheet(SheetPlan("表", [SheetColumn("姓名")])).append([.text("张三")])
      try writer.finish()
      let other = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
      for (bytes, name) in [
        (other, "a.xlsx"), (Array("code,name\n".utf8), "a.xlsx"), ([], "a.xlsx"), (other, "a.csv"), (other, "a.exe"),
        (Array("code,name\n".utf8), "a.csv"), ([], "a.csv"),
      ] {
        await #expect(throws: Refusal.self, "\(name)") { _ = try await site.send(bytes, named: name) }
      }
      #expect(try await site.province.owner(site.campaign, Province.market).entered == 0)
    }
  }
}
