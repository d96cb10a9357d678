import Catalog
import Demo
import Foundation
import Kernel
import Storage
import TestKit
import Testing
import Web

@testable import App

/// Entries in files, by the program an operator runs.
@Suite struct CatalogFileTests {
  /// A sound entry of two items as CSV, other texts in place of some.
  private static func csv(_ name: String = "市场主体年报信息", item: String = "名称", cycle: String = "每月") -> String {
    """
    信息资源名称,信息资源分类,信息资源摘要,信息资源格式,共享类型,共享条件或不予共享依据,共享方式分类,共享方式类型,开放属性,更新周期,涉密属性,层级,\
    信息项：信息项名称,信息项：技术名称,信息项：数据类型,信息项：长度,信息项：分级
    \(name),3070120302,"全省市场主体每年报送的年度报告，含主要内容。",0203,有条件共享,用于核对市场主体状态。,1,2,3,\(cycle),0,2,\(item),name,C,100,2
    ,,,,,,,,,,,,统一社会信用代码,uscc,C,18,2

    """
  }

  private func run(_ node: Node, _ arguments: [String]) throws -> Program.Answer {
    try Program.run(
      ["catalog"] + arguments + ["--data", node.settings.data, "--database", node.settings.database])
  }

  private func counts(_ node: Node) async throws -> [Int?] {
    try await node.database.read { tx in
      [
        try tx.int("SELECT COUNT(*) FROM catalog_version"),
        // Each item of the list has its id.
        try tx.int("SELECT SUM(LENGTH(items) - LENGTH(REPLACE(items, '\"id\":', ''))) / 5 FROM catalog_version"),
        try tx.int("SELECT COUNT(*) FROM audit_record WHERE action = 'catalog.import'"),
      ]
    }
  }

  @Test(arguments: Engine.allCases)
  func `what is exported is unchanged when it is imported, in every kind of file`(engine: Engine) async throws {
    try await withNode(engine, from: Clock.system.now()) { node, cast, _, folder in
      // A name that a spreadsheet would run.
      for (number, name) in ["市场主体年报信息", "'=市场主体注销信息", "@市场主体变更信息"].enumerated() {
        let file = "\(folder)/\(number).csv"
        try Data(Self.csv(name).utf8).write(to: URL(fileURLWithPath: file))
        let taken = try run(node, ["import", file, "--as", "ma.officer"])
        #expect(taken.status == 0, "\(taken.said)")
      }
      let ids = try await node.database.read {
        try $0.rows("SELECT id FROM catalog_resource ORDER BY id").map { try $0.id("id") as ResourceID }
      }
      for id in ids {
        _ = try await node.cataloguing.submit(cast.officer, id)
        _ = try await node.cataloguing.decide(cast.operatorInChief, id, .approve(publish: true))
      }
      for kind in ["xlsx", "csv", "json", "ndjson"] {
        let file = "\(folder)/out.\(kind)"
        let written = try run(node, ["export", file])
        #expect(written.status == 0 && written.said.contains("3 entries"), "\(kind): \(written.said)")
        if kind == "csv" {
          let text = try String(contentsOfFile: file, encoding: .utf8)
          #expect(text.contains("'=市场主体注销信息") && text.contains("'@市场主体变更信息") && !text.contains("\n="))
        }
        if kind == "ndjson" {
          let lines = try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n")
          #expect(try lines.map { try JSONParser.parse(Array($0.utf8))["secrecy"]?.string } == ["0", "0", "0"])
        }
        let back = try run(node, ["import", file, "--as", "ma.officer", "--update", "--json"])
        let said = try JSONParser.parse(Array(back.printed.utf8))
        #expect(
          back.status == 0 && said["unchanged"]?.integer == 3 && said["kept"]?.integer == 0, "\(kind): \(back.said)")
      }
      #expect(try await counts(node) == [3, 6, 7])
    }
  }

  @Test func `a file in GB18030 is read, one in another encoding refused, a formula sent back with its row`()
    async throws
  {
    try await withNode(.sqlite) { node, _, _, folder in
      let file = "\(folder)/in.csv"
      func importing(_ bytes: Data) throws -> Program.Answer {
        try bytes.write(to: URL(fileURLWithPath: file))
        return try run(node, ["import", file, "--as", "ma.officer"])
      }
      let chinese = String.Encoding(rawValue: 0x8000_0632)
      let formula = try importing(try #require(Self.csv(item: "=cmd|' /C calc'!A0").data(using: chinese)))
      #expect(
        formula.status == 1 && formula.said.contains("formula") && formula.said.contains("refused rows"),
        "\(formula.said)")
      let utf16 = try importing(try #require(Self.csv().data(using: .utf16)))
      #expect(utf16.status == 1 && utf16.said.contains("UTF-16"))
      let wrong = try importing(Data(Self.csv().utf8) + Data([0xFF, 0x0A]))
      #expect(wrong.status == 1 && wrong.said.contains("nor GB18030"))
      let stranger = try run(node, ["import", file, "--as", "li.clerk"])
      #expect(stranger.status == 1)
      #expect(try await counts(node)[0] == 0)
      #expect(try importing(try #require(Self.csv().data(using: chinese))).status == 0)
      #expect(try await counts(node)[0] == 1)
      // Another content under the name that is taken: kept only when that is asked for.
      #expect(try importing(Data(Self.csv(cycle: "每日").utf8)).status == 1)
      #expect(try run(node, ["import", file, "--as", "ma.officer", "--update"]).status == 0)
      let checked = try Program.run(["catalog", "check", file])
      #expect(checked.status == 0, "\(checked.said)")
      try Data("[{\"name\":\"年报\",\"secrecy\":\"0\",\"nmae\":1}]".utf8).write(
        to: URL(fileURLWithPath: "\(folder)/a.json"))
      let json = try Program.run(["catalog", "check", "\(folder)/a.json"])
      #expect(json.status == 1 && json.said.contains("entry 1") && json.said.contains("nmae"))
    }
  }

  @Test(arguments: Engine.allCases)
  func `refused entries of JSON come back with their findings, and are kept once corrected`(engine: Engine) async throws
  {
    try await withNode(engine) { node, _, _, folder in
      let file = "\(folder)/in.json"
      func entry(_ name: String, _ cycle: String) -> String {
        """
        {"name":"\(name)","classes":["3070120302"],"abstract":"全省\(name)，由各级主管部门形成，每月更新。","format":"0203",\
        "sharingType":"2","sharingCondition":"用于依法履行职责时核对。","methodClass":"1","methodType":"2","openType":"3",\
        "cycle":"\(cycle)","secrecy":"0","level":"2",\
        "items":[{"name":"名称","column":"name","dataType":"C","length":100,"grade":"2"}]}
        """
      }
      let text = "[\(entry("甲类信息", "4")),\(entry("乙类信息", "99")),7,\(entry("丙类信息", "98"))]"
      try Data(text.utf8).write(to: URL(fileURLWithPath: file))
      let first = try run(node, ["import", file, "--as", "ma.officer", "--json"])
      let said = try JSONParser.parse(Array(first.printed.utf8))
      #expect(first.status == 1 && said["refused"]?.integer == 3 && said["kept"]?.integer == 1, "\(first.said)")
      let back = try #require(said["rejected"]?.string)
      #expect(back == file + ".rejected.json")
      let refused = try String(contentsOfFile: back, encoding: .utf8)
      let entries = try #require(try JSONParser.parse(Array(refused.utf8)).array)
      #expect(entries.map { $0["name"]?.string } == ["乙类信息", nil, "丙类信息"] && entries[1]["given"]?.integer == 7)
      #expect(entries[0]["findings"]?.array?.first?["message"]?.string?.contains("99") == true, "\(refused)")
      #expect(entries.allSatisfy { $0["findings"]?.array?.isEmpty == false })

      let corrected = refused.replacing("\"99\"", with: "\"4\"").replacing("\"98\"", with: "\"4\"")
        .split(separator: "\n").filter { !$0.contains("\"given\"") }.joined(separator: "\n")
      try Data(corrected.utf8).write(to: URL(fileURLWithPath: file))
      let again = try run(node, ["import", file, "--as", "ma.officer", "--rejected", "\(folder)/other.json"])
      #expect(again.status == 0 && !FileManager.default.fileExists(atPath: "\(folder)/other.json"), "\(again.said)")
      #expect(try await counts(node)[0] == 3)
    }
  }

  @Test func `a file whose name says no kind is wrong usage, and nothing is written`() async throws {
    try await withNode(.sqlite) { node, _, _, folder in
      for name in ["a.txt", "a", "a.csv.bak"] {
        let file = "\(folder)/\(name)"
        for arguments in [["export", file], ["import", file, "--as", "ma.officer"]] {
          let answer = try run(node, arguments)
          #expect(
            answer.status == 2 && answer.said.contains(".ndjson"), "\(arguments): \(answer.status) \(answer.said)")
        }
        #expect(!FileManager.default.fileExists(atPath: file))
      }
      let template = "\(folder)/template.csv"
      let answer = try Program.run(["catalog", "template", template])
      #expect(answer.status == 2 && answer.said.contains(".xlsx"), "\(answer.said)")
      #expect(!FileManager.default.fileExists(atPath: template))
    }
  }

  @Test(arguments: ["bjxc", "dsg"])
  func `a preset's mapping is printed in its own words, the same each time`(preset: String) throws {
    let first = try Program.run(["catalog", "move-in", "--preset", preset, "--print-mapping"])
    #expect(first.status == 0 && first.printed.contains("title: 原") && !first.printed.contains("\\u"), "\(first.said)")
    for _ in 0..<3 {
      #expect(try Program.run(["catalog", "move-in", "--preset", preset, "--print-mapping"]).printed == first.printed)
    }
  }

  @Test(arguments: Engine.allCases)
  func `an import that is killed leaves nothing or the whole of it`(engine: Engine) async throws {
    try await withNode(engine) { node, _, _, folder in
      let (file, entries) = ("\(folder)/many.csv", 1500)
      let lines = Self.csv().split(separator: "\n").map(String.init)
      let rows = (0..<entries).map { "\(lines[1].replacing("市场主体年报信息", with: "第 \($0) 类年报信息"))\n\(lines[2])" }
      try Data((lines[0] + "\n" + rows.joined(separator: "\n") + "\n").utf8).write(to: URL(fileURLWithPath: file))
      var patience: UInt32 = 300_000
      var last = 0
      for _ in 0..<8 {
        let program = try Program(
          [
            "catalog", "import", file, "--as", "ma.officer", "--data", node.settings.data, "--database",
            node.settings.database,
          ])
        usleep(patience)
        program.signal(SIGKILL)
        _ = try program.wait()
        last = try await counts(node)[0] ?? -1
        #expect([0, entries].contains(last), "half an import: \(last)")
        if last > 0 { break }
        patience += 500_000
      }
      let whole = try run(node, ["import", file, "--as", "ma.officer"])
      #expect(whole.status == 0, "\(whole.said)")
      #expect(try await counts(node)[0] == entries)
    }
  }

  @Test(arguments: Engine.allCases)
  func `drafts are made from a live source's tables, and what was found in them is said`(engine: Engine) async throws {
    try await withStage(engine) { stage in
      let source = try #require(stage.resource.mount?.source)
      func draft(_ arguments: String...) throws -> Program.Answer {
        try run(stage.node, ["draft", "--source", source.text] + arguments.filter { !$0.isEmpty })
      }
      func entries() async throws -> Int? {
        try await stage.node.database.read { try $0.int("SELECT COUNT(*) FROM catalog_resource") }
      }
      let unknown = try draft("--as", "ma.officer", "--tables", "legal_person,nowhere")
      #expect(unknown.status == 1 && unknown.said.contains("nowhere"), "\(unknown.said)")
      let stranger = try draft("--as", "han.officer", "--tables", "legal_person")
      #expect(stranger.status == 1, "\(stranger.said)")
      let clerk = try draft("--as", "li.clerk", "--tables", "legal_person")
      #expect(clerk.status == 1, "\(clerk.said)")
      #expect(try draft("--as", "ma.officer").status == 2, "neither tables nor all of them")
      #expect(try draft("--as", "ma.officer", "--tables", "legal_person", "--all").status == 2)
      #expect(try await entries() == 1, "nothing was made of what was refused")
      let again = try draft("--as", "ma.officer", "--tables", "legal_person")
      #expect(again.status == 0 && again.said.contains("legal_person: has the entry “"), "\(again.said)")
      #expect(try await entries() == 1, "no second draft of a table")

      _ = try Tool.run(
        "/usr/bin/sqlite3",
        [stage.databases.providerPath, "CREATE TABLE branch AS SELECT * FROM legal_person LIMIT 200"])
      let made = try draft("--as", "ma.officer", "--tables", "branch")
      #expect(made.status == 0 && made.said.contains("13 items"), "\(made.said)")
      #expect(made.said.contains("uscc: looks like") && made.said.contains("representative_id: looks like"))
      #expect(try await entries() == 2)
      let id = try #require(made.said.firstMatch(of: /\(([0-9a-f-]{36})\)/)?.1)
      let resource = try await stage.node.database.read { try CatalogStore.latest(ResourceID(String(id))!, in: $0) }
      #expect(resource?.state == .draft && resource?.provider == stage.resource.provider && resource?.items.count == 13)
      for twice in [["--tables", "branch"], ["--all"]] {
        let passed = try draft("--as", "ma.officer", twice[0], twice.dropFirst().joined())
        #expect(passed.status == 0 && passed.said.contains("branch: has the entry “"), "\(passed.said)")
        #expect(try await entries() == 2, "a table that has an entry is passed over")
      }
    }
  }
}
