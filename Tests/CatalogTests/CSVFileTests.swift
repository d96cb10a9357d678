import Foundation
import Identity
import Kernel
import Spreadsheets
import Storage
import TestKit
import Testing

@testable import Catalog

@Suite struct `Importing a text file` {
  private typealias Fields = [String: String]

  private static let workbook = CatalogWorkbook(on: Offices.start.dateInChina)
  private static let items: [Fields] = [
    ["name": "身份标识", "column": "person_id", "dataType": "C", "length": "20", "grade": "2"],
    ["name": "姓名", "column": "xm", "dataType": "C", "length": "50", "grade": "2"],
  ]

  private static func resource(_ name: String, _ changes: Fields = [:]) -> Fields {
    [
      "name": name, "classes": "3070120337", "abstract": "全省\(name)，由各级民政部门形成，每月更新。", "format": "0203",
      "sharingType": "2", "sharingCondition": "用于社会救助资格核对。", "methodClass": "1", "methodType": "2", "openType": "3",
      "cycle": "4", "secrecy": "0", "level": "2",
    ].merging(changes) { $1 }
  }

  /// Each with the two items, its own columns in its first row only.
  private static func csv(_ resources: [Fields], _ language: Language = .chinese, separator: String = ",") -> String {
    let (own, items) = (workbook.resourceColumns, workbook.itemColumns.dropFirst())
    var rows = [
      own.map { language($0.title) } + ToldColumn.allCases.map { language($0.title) }
        + items.map { language(CatalogCSV.itemMark) + language($0.title) }
    ]
    for resource in resources {
      for (index, item) in Self.items.enumerated() {
        let fields = own.map(\.field) + ToldColumn.allCases.map(\.field)
        rows.append(fields.map { index == 0 ? resource[$0] ?? "" : "" } + items.map { item[$0.field] ?? "" })
      }
    }
    return rows.map { separator == "," ? CSV.line($0) : $0.joined(separator: separator) }.joined(separator: "\n") + "\n"
  }

  private static func imported(
    _ offices: Offices, _ folder: String, _ text: String, _ mode: TakingMode = .update, _ language: Language = .chinese
  ) async throws -> ImportSummary {
    try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/in.csv"))
    return try await offices.cataloguing.importWorkbook(
      Offices.otherOfficer, "\(folder)/in.csv", named: "in.csv", mode, rejected: "\(folder)/out.xlsx", language)
  }

  /// The same workbook with some cells otherwise, as its reader would save it.
  private static func rewrite(
    _ path: String, to other: String, _ language: Language, _ change: (_ title: String, _ value: String) -> String
  ) throws {
    var book = FilledWorkbook()
    book.names = (language(WorkbookSheet.resources.name), language(WorkbookSheet.items.name))
    book.titles = (try titles(of: book.names.resources, in: path), try titles(of: book.names.items, in: path))
    func changed(_ sheet: String) throws -> [[(String, CellValue)]] {
      try rows(of: sheet, in: path).map { row in row.map { ($0.key, .text(change($0.key, $0.value))) } }
    }
    (book.resources, book.items) = (try changed(book.names.resources), try changed(book.names.items))
    try book.write(to: other)
  }

  private static func entries(_ offices: Offices) async throws -> [Resource] {
    try await offices.db.read { try CatalogStore.load("v.version = r.latest ORDER BY r.id", in: $0) }
  }

  @Test(arguments: Engine.allCases, [Language.chinese, .english])
  func `rejected rows come back as a workbook that is kept once it is corrected`(engine: Engine, language: Language)
    async throws
  {
    try await Offices.with(engine) { offices in
      try await withTemporaryFolder { folder in
        let text = Self.csv([Self.resource("低保对象信息"), Self.resource("优抚对象信息", ["cycle": "常常"])], language)
        let first = try await Self.imported(offices, folder, text, .add, language)
        #expect(first.kept == (1, 2) && first.rejected == (1, 2), "\(first)")
        let told = language(try #require(first.reasons.first).example)
        #expect(told.hasPrefix(language("第 4 行：", "In line 4:")), "\(told)")

        let path = "\(folder)/out.xlsx"
        let items = try rows(of: language(WorkbookSheet.items.name), in: path)
        let columns = Self.workbook.itemColumns.prefix(3).map { language($0.title) }
        #expect(
          items.map { item in columns.map { item[$0] } } == [["优抚对象信息", "身份标识", "person_id"], ["优抚对象信息", "姓名", "xm"]])
        try Self.rewrite(path, to: "\(folder)/again.xlsx", language) { $1 == "常常" ? "4" : $1 }
        let again = try await offices.cataloguing.importWorkbook(
          Offices.otherOfficer, "\(folder)/again.xlsx", named: "again.xlsx", rejected: "\(folder)/out2.xlsx", language)
        #expect(again.kept == (1, 2) && !again.hasRejected, "\(again)")
        #expect(
          try await Self.entries(offices).map { $0.items.map(\.column) } == [
            ["person_id", "xm"], ["person_id", "xm"],
          ])
      }
    }
  }

  @Test(arguments: Engine.allCases)
  func `an exported entry that is renamed stays the one that its code names`(engine: Engine) async throws {
    try await Offices.with(engine) { offices in
      try await withTemporaryFolder { folder in
        let cataloguing = offices.cataloguing
        _ = try await Self.imported(offices, folder, Self.csv([Self.resource("低保对象信息")]))
        let draft = try #require(try await Self.entries(offices).first)
        _ = try await cataloguing.submit(Offices.otherOfficer, draft.id)
        let entry = try await cataloguing.decide(Offices.operatorOfPlatform, draft.id, .approve(publish: true))
        let code = try #require(entry.code?.description)

        _ = try await cataloguing.export(nil, as: .csv, to: "\(folder)/all.csv", .chinese)
        let text = try String(contentsOfFile: "\(folder)/all.csv", encoding: .utf8)
        #expect(text.contains(code) && text.contains(Offices.civilAffairs.name))
        let renamed = try await Self.imported(
          offices, folder, text.replacing("低保对象信息", with: "最低生活保障对象信息"))
        #expect(renamed.kept == (1, 2), "\(renamed)")
        _ = try await cataloguing.export(nil, as: .xlsx, to: "\(folder)/all.xlsx", .chinese)
        try Self.rewrite("\(folder)/all.xlsx", to: "\(folder)/in.xlsx", .chinese) {
          $1.replacing("低保对象信息", with: "低保人员信息")
        }
        let again = try await cataloguing.importWorkbook(
          Offices.otherOfficer, "\(folder)/in.xlsx", named: "in.xlsx", .update, rejected: "\(folder)/out.xlsx", .chinese
        )
        #expect(again.kept == (1, 2), "\(again)")
        let now = try await Self.entries(offices)
        #expect(now.map(\.metadata.name) == ["低保人员信息"] && now.map(\.version) == [2] && now.map(\.id) == [draft.id])

        // The code stays with a row that is sent back, so that the corrected one is still that entry.
        let wrong = try await Self.imported(
          offices, folder, Self.csv([Self.resource("低保户信息", ["cycle": "常常", "code": code])]))
        #expect(wrong.rejected == (1, 2), "\(wrong)")
        #expect(try rows(of: "信息资源目录", in: "\(folder)/out.xlsx").map { $0["信息资源代码"] } == [code])
        let refused: [(changes: [String: String], reason: String, words: String)] = [
          (["provider": Offices.market.name], "provider.other", "这是“青海省市场监督管理局”的目录"),
          (["provider": "没有的局"], "provider.other", "这是“没有的局”的目录"),
          (["code": "3070120337/000099"], "key.code", "不是本单位目录的代码"),
        ]
        for one in refused {
          let summary = try await Self.imported(offices, folder, Self.csv([Self.resource("另一信息", one.changes)]))
          #expect(summary.kept == (0, 0) && summary.reasons.map(\.code) == [one.reason], "\(summary)")
          #expect(summary.reasons.first?.example.chinese.contains(one.words) == true, "\(summary)")
        }
        #expect(try await Self.entries(offices).count == 1)
      }
    }
  }

  @Test(arguments: [(";", "半角分号"), ("\t", "制表符"), ("；", "全角分号")])
  func `another separator is named`(separator: String, word: String) async throws {
    try await Offices.with(.sqlite) { offices in
      try await withTemporaryFolder { folder in
        let refusal = await #expect(throws: Refusal.self) {
          _ = try await Self.imported(
            offices, folder, Self.csv([Self.resource("低保对象信息")], separator: separator))
        }
        #expect(refusal?.message.chinese.contains(word) == true, "\(refusal?.message.chinese ?? "")")
      }
    }
  }

  @Test(arguments: [
    ("信息项：信息项名称", "信息项：名目", "文件第 1 行有不认识的列名：信息项：名目（"), ("更新周期", "层级", "列的列名“层级”出现两次"),
    ("信息项：信息项名称", "", "文件第 1 行缺少必填的列：信息项：信息项名称"),
  ])
  func `what is wrong with its titles is told by file and line, never by a sheet`(
    title: String, other: String, told: String
  )
    async throws
  {
    try await Offices.with(.sqlite) { offices in
      try await withTemporaryFolder { folder in
        let text = Self.csv([Self.resource("低保对象信息")]).replacing(title, with: other, maxReplacements: 1)
        let refusal = await #expect(throws: Refusal.self) { _ = try await Self.imported(offices, folder, text) }
        let message = refusal?.message.chinese ?? ""
        #expect(message.contains(told) && !message.contains("工作表") && message.contains("第 1 行"), "\(message)")
        let empty = await #expect(throws: Refusal.self) {
          _ = try await Self.imported(offices, folder, Self.csv([]))
        }
        #expect(empty?.faults.first?.message.chinese == "文件只有表头，没有任何行。")
      }
    }
  }

  @Test func `a line of very many titles is refused at once`() async throws {
    try await withTemporaryFolder { folder in
      let path = "\(folder)/宽.csv"
      try Data((String(repeating: "a,", count: 500_000) + "\n").utf8).write(to: URL(fileURLWithPath: path))
      // Of the thread's own work: how long it took is said by what else the machine does.
      let before = Self.worked()
      let refusal = #expect(throws: Refusal.self) { _ = try CatalogFile.check(path, at: Offices.start) }
      #expect(refusal?.message.chinese.contains("最多 256 列") == true, "\(refusal?.message.chinese ?? "")")
      #expect(Self.worked() - before < .seconds(5), "looked up, they took ten and more")
    }
  }

  private static func worked() -> Duration {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
  }

  @Test(arguments: [["classes": "3.07012E+09"], ["related": "3070120337/000001；3.07012e+9"], ["format": "2.03E+02"]])
  func `a code that a spreadsheet rounded is told as such`(changes: [String: String]) async throws {
    try await Offices.with(.sqlite) { offices in
      try await withTemporaryFolder { folder in
        let summary = try await Self.imported(offices, folder, Self.csv([Self.resource("低保对象信息", changes)]))
        #expect(summary.reasons.map(\.code) == ["workbook.rounded"], "\(summary)")
        #expect(summary.reasons.first?.example.chinese.contains("取整") == true)
      }
    }
  }
}
