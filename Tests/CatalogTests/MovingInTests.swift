import Foundation
import Identity
import Inbox
import Kernel
import Spreadsheets
import Storage
import TestKit
import Testing

@testable import Catalog

@Suite struct `Moving in` {
  private static func bjxc() throws -> MoveMapping { try #require(try MoveMapping.preset("bjxc")) }

  private static func move(
    _ offices: Offices, _ export: ExportedCatalogue, _ folder: String, trial: Bool = false, workbook: Bool = false
  ) async throws -> MoveReport {
    try export.write(to: "\(folder)/export", workbook: workbook)
    return try await offices.cataloguing.moveIn(
      from: "\(folder)/export", named: "export", by: bjxc(), isTrial: trial)
  }

  private static func with(
    _ engine: Engine, _ body: (Offices, String) async throws -> Void
  ) async throws {
    try await Offices.with(engine) { offices in
      try await withTemporaryFolder { folder in try await body(offices, folder) }
    }
  }

  /// Rows of everything that a moving in writes of entries.
  private static func everything(_ offices: Offices) async throws -> [Int?] {
    try await offices.db.read { tx in
      try [
        tx.int("SELECT COUNT(*) FROM catalog_resource"), tx.int("SELECT COUNT(*) FROM catalog_version"),
        Offices.items(in: tx).count, tx.int("SELECT COUNT(*) FROM catalog_event"),
        tx.int("SELECT COUNT(*) FROM catalog_entry"), tx.int("SELECT COUNT(*) FROM catalog_class"),
        tx.int("SELECT COUNT(*) FROM catalog_moved"), tx.int("SELECT COUNT(*) FROM audit_record"),
      ]
    }
  }

  private static func found(_ report: MoveReport, _ code: String) -> [MoveFinding] {
    report.findings.filter { $0.code == code }
  }

  @Test(arguments: Engine.allCases)
  func `entries come with their codes, classes, items, days and history, and are found at once`(engine: Engine)
    async throws
  {
    try await Self.with(engine) { offices, folder in
      let report = try await Self.move(offices, ExportedCatalogue(), folder)
      #expect(report.count(.moved) == 4 && report.count(.leftOut) == 0, "\(report.findings.map(\.reason.chinese))")
      let moved = try #require(report.entries.first { $0.oldID == "set0" })
      let entry = try await offices.cataloguing.resource(Offices.clerk, try #require(moved.resource))
      #expect(entry.state == .published && entry.code?.description == "3070120337/000011")
      #expect(entry.metadata.classes == ["307012033701", "bjxc001001"])
      #expect(entry.publishedOn == CalendarDate("2017-12-01"))
      #expect(entry.metadata.sharingType == "2" && entry.metadata.cycle == "4" && entry.metadata.format == "0203")
      #expect(entry.metadata.methodClass == "1" && entry.items.map(\.name) == ["登记事项0", "登记事项1", "登记事项2"])
      #expect(entry.items[0].dataType == "C" && entry.items[0].length == 40)
      #expect(entry.provider == Offices.civilAffairs.id)
      let events = try await offices.db.read { try CatalogStore.events(of: entry.id, in: $0) }
      #expect(events.map(\.event) == ["publish", "approve", "submit"] && events[1].person == "测试乙")
      #expect(events[2].words == "请审核")
      let periods = try await offices.db.read { try CatalogStore.periods(of: entry.id, in: $0) }
      #expect(periods.map(\.from.dateInChina) == [CalendarDate("2017-12-01")] && periods[0].until == nil)
      let told = try await offices.cataloguing.changes(Offices.clerk, after: 0).changes
      #expect(told.map(\.event) == [.published, .published, .published, .published])
      for query in [
        CatalogQuery(text: "救助对象"), CatalogQuery(node: "307012033701"), CatalogQuery(node: "bjxc"),
        CatalogQuery(node: "203"),
      ] {
        #expect(try await offices.cataloguing.search(Offices.clerk, query).total == 4)
      }
      let tree = try await offices.cataloguing.classView(Offices.clerk, under: "bjxc001001").tree
      #expect(tree.name(of: "bjxc001001") == "全民救助" && tree.national(of: "bjxc001001") == "203")
      #expect(report.classes.contains { $0.theirs == "307012033701" && $0.ours == "307012033701" && $0.isNew })
      #expect(Self.found(report, "code.written").count == 4, "3070120337/11 is written with six digits")
      #expect(Self.found(report, "class.unmapped").map(\.value) == [""])
      #expect(
        report.codes.contains { $0.field == "sharingType" && $0.theirs == "1" && $0.ours == "2" && $0.times == 4 })

      // What comes next is numbered above them.
      let next = try await offices.db.write { try CatalogStore.next("code/3070120337", in: $0) }
      #expect(next == 15)
    }
  }

  @Test(arguments: Engine.allCases)
  func `the same export again changes nothing, also as a workbook, and a trial keeps nothing`(engine: Engine)
    async throws
  {
    try await Self.with(engine) { offices, folder in
      let trial = try await Self.move(offices, ExportedCatalogue(), folder, trial: true)
      #expect(trial.count(.moved) == 4 && trial.run == nil)
      #expect(try await Self.everything(offices) == [0, 0, 0, 0, 0, 0, 0, 0])
      #expect(offices.cataloguing.classification["bjxc"] == nil)

      let first = try await Self.move(offices, ExportedCatalogue(), folder)
      #expect(first.findings.map(\.code).sorted() == trial.findings.map(\.code).sorted())
      let before = try await Self.everything(offices)
      let second = try await Self.move(offices, ExportedCatalogue(), folder)
      #expect(second.count(.same) == 4 && second.entries.count == 4)
      #expect(try await Self.everything(offices) == before)
      let book = try await Self.move(offices, ExportedCatalogue(), folder, workbook: true)
      #expect(book.count(.same) == 4, "\(book.entries.map(\.outcome))")
      #expect(try await Self.everything(offices) == before)
    }
  }

  @Test(arguments: Engine.allCases)
  func `a later export moves only what differs, and leaves alone what was changed here`(engine: Engine) async throws {
    try await Self.with(engine) { offices, folder in
      var export = ExportedCatalogue(count: 10)
      let first = try await Self.move(offices, export, folder)
      let ids = Dictionary(uniqueKeysWithValues: first.entries.map { ($0.oldID, $0.resource) })
      let here = try #require(ids["set1"] ?? nil)
      let draft = try await offices.cataloguing.beginChange(Offices.otherOfficer, here)
      #expect(draft.version == 2)

      export.set("dir_dataset", "set0", "dataset_desc", "改写后的摘要，说明内容。")
      export.set("dir_dataset", "set1", "dataset_desc", "也改写了。")
      export.set("dir_dataset_classify_map", "m2", "status", "6")
      export.set("dir_dataset", "set9", "dataset_desc", "草稿改写后的摘要。")
      let report = try await Self.move(offices, export, folder)
      #expect(report.count(.changed) == 3 && report.count(.foreign) == 1 && report.count(.same) == 6)
      #expect(Self.found(report, "entry.foreign").map(\.line) == [export.line("dir_dataset", "set1")])
      let cataloguing = offices.cataloguing
      let changed = try await cataloguing.resource(Offices.clerk, try #require(ids["set0"] ?? nil))
      #expect(changed.version == 2 && changed.state == .published && changed.metadata.abstract.hasPrefix("改写后"))
      #expect(changed.code?.description == "3070120337/000011")
      let old = try await cataloguing.resource(Offices.clerk, changed.id, version: 1)
      #expect(old.state == .superseded && old.items.map(\.id) == changed.items.map(\.id))
      let offline = try await cataloguing.resource(Offices.clerk, try #require(ids["set2"] ?? nil))
      #expect(offline.state == .published && offline.online == .offline)
      let told = try await cataloguing.changes(Offices.clerk, after: 0)
      #expect(told.changes.filter { $0.resource == offline.id }.map(\.event) == [.published, .withdrawn])
      #expect(told.changes.filter { $0.resource == changed.id }.map(\.version) == [1, 2])
      let written = try await cataloguing.resource(Offices.otherOfficer, try #require(ids["set9"] ?? nil))
      #expect(written.version == 1 && written.state == .draft && written.metadata.abstract == "草稿改写后的摘要。")
      #expect(try await cataloguing.search(Offices.clerk, CatalogQuery(text: "救助对象")).total == 8)
      #expect(try await Self.move(offices, export, folder).count(.changed) == 0)
    }
  }

  @Test(arguments: Engine.allCases)
  func `a code that another has is refused with its row, and a secret entry leaves no trace`(engine: Engine)
    async throws
  {
    try await Self.with(engine) { offices, folder in
      let mine = try await offices.published()
      #expect(mine.code?.description == "3070120302/000001")
      var export = ExportedCatalogue(count: 5)
      export.set("dir_dataset_classify_map", "m1", "info_resource_code", "3070120302/000001")
      export.set("dir_dataset_classify_map", "m2", "info_resource_code", "3070120337/000011")
      export.set("dir_dataset", "set3", "secret_flag", "1")
      export.set("dir_dataset", "set3", "dataset_name", "不可外传的名称")
      let report = try await Self.move(offices, export, folder)
      #expect(report.count(.leftOut) == 3 && report.count(.moved) == 2)
      let taken = Self.found(report, "code.taken")
      #expect(Set(taken.map(\.line)) == [export.line("dir_dataset", "set1"), export.line("dir_dataset", "set2")])
      #expect(taken.allSatisfy { $0.file == "dir_dataset.csv" && $0.action == .leftOut })
      let secret = try #require(Self.found(report, "secrecy.secret").first)
      #expect(secret.line == export.line("dir_dataset", "set3") && secret.value.isEmpty)
      try report.write(to: "\(folder)/report.xlsx", .chinese)
      var shown: [String] = []
      for sheet in try WorkbookReader(path: "\(folder)/report.xlsx").sheets {
        try WorkbookReader(path: "\(folder)/report.xlsx").readRows(of: sheet.name) { row in
          shown += row.cells.map(\.value.shown)
          return .next
        }
      }
      #expect(shown.contains("编号对照") == false && shown.contains("3070120302/000001"))
      #expect(!shown.contains { $0.contains("不可外传") })
      let kept = try await offices.db.read {
        try $0.int("SELECT COUNT(*) FROM catalog_version WHERE name LIKE '%不可外传%' ESCAPE '!'")
      }
      #expect(kept == 0)
    }
  }

  @Test(arguments: Engine.allCases)
  func `what does not fit is told by file, line and column, with what was done instead`(engine: Engine) async throws {
    try await Self.with(engine) { offices, folder in
      var export = ExportedCatalogue(count: 8)
      export.set("dir_dataset", "set0", "update_frequency", "77")
      export.set("dir_dataset", "set1", "share_type", "9")
      export.set("dir_dataset", "set2", "belong_dept_name", "青海省没有的厅")
      export.set("dir_dataset", "set3", "dataset_desc", String(repeating: "长", count: 1200))
      export.set("dir_dataset", "set4", "share_condition", "")
      export.set("dir_dataset", "set5", "belong_dept_name", "青海省工商行政管理局")
      export.set("dir_dataset", "set6", "storage_location", "机房一")
      export.set("dir_dataset_classify_map", "m7", "status", "1")
      export.set("dir_data_publish", "m6", "publish_date", "某日")
      export.tables["dir_dataitem"]?.rows.append(["setX", "F", "孤儿", "", "1", "1", "0", "0"])
      export.tables["dir_dataitem"]?.rows.append(["set0", "只有两列"])
      export.tables["dir_data_rate"] = (["id", "rate_score"], [["r1", "5"]])
      let report = try await Self.move(offices, export, folder)
      func only(_ code: String) throws -> MoveFinding {
        let all = Self.found(report, code)
        #expect(all.count == 1, "\(code): \(all.map(\.reason.chinese))")
        return try #require(all.first)
      }
      let cycle = try #require(Self.found(report, "code.unknown").first { $0.column == "update_frequency" })
      #expect(cycle.value == "77" && cycle.line == 2 && cycle.file == "dir_dataset.csv" && cycle.action == .leftOut)
      #expect(try only("sharing.missing").action == .draftOnly)
      #expect(try only("provider.unknown").reason.chinese.contains("青海省没有的厅"))
      #expect(try only("text.long").action == .shortened)
      #expect(try only("rule.sharing.condition-missing").action == .kept)
      #expect(try only("column.unknown").column == "storage_location")
      #expect(try only("state.submitted").action == .draftOnly)
      #expect(try only("history.day").value == "某日")
      #expect(try only("day.missing").action == .replaced)
      #expect(try only("row.orphan").value == "setX")
      #expect(try only("row.columns").action == .leftOut)
      #expect(try only("table.unknown").file == "dir_data_rate.csv")
      #expect(report.count(.leftOut) == 1 && report.count(.moved) == 7)

      func entry(_ id: String) async throws -> Resource {
        let found = try #require(report.entries.first { $0.oldID == id }?.resource)
        return try await offices.db.read { try #require(try CatalogStore.latest(found, in: $0)) }
      }
      #expect(try await entry("set1").state == .draft)
      #expect(try await entry("set4").state == .published, "it stays in force, and is asked to be mended")
      #expect(try await entry("set7").state == .draft)
      // The office of 2017 went on as another; the entry says who it was, and its office of today has it.
      let former = try await entry("set5")
      #expect(former.provider == Offices.market.id && former.providerName == "青海省工商行政管理局")

      // The department's task, its list, and its end.
      let waiting = try await offices.db.read { try Inbox.waiting(for: Offices.otherOfficer, in: $0) }
      #expect(waiting.map(\.kind) == ["catalog.move.mend"] && waiting[0].link == "/catalog/moved")
      let open = try await offices.cataloguing.movedOpen(Offices.otherOfficer, after: nil)
      let condition = try #require(open.first { $0.findings.contains { $0.code == "rule.sharing.condition-missing" } })
      _ = try await offices.cataloguing.beginChange(Offices.otherOfficer, condition.id)
      let left = try await offices.cataloguing.movedOpen(Offices.otherOfficer, after: nil)
      #expect(left.count == open.count - 1)
      await #expect(throws: Refusal.self) { try await offices.cataloguing.movedDone(Offices.otherOfficer) }

      let run = try #require(report.run)
      let shown = try await offices.cataloguing.moveRun(Offices.operatorOfPlatform, run, after: 0)
      #expect(shown.run.moved == 7 && shown.run.leftOut == 1 && shown.run.endedAt != nil)
      #expect(shown.run.findings == report.findings.count && shown.findings.count == min(51, report.findings.count))
    }
  }

  @Test(arguments: Engine.allCases)
  func `broken off in the middle, it leaves whole entries and goes on`(engine: Engine) async throws {
    try await Self.with(engine) { offices, folder in
      struct Stop: Error {}
      let export = ExportedCatalogue(count: 250, items: 1)
      try export.write(to: "\(folder)/export")
      let mapping = try Self.bjxc()
      let cataloguing = offices.cataloguing
      let path = "\(folder)/export"
      // Ended when the first batch is in, as a process would be that is killed.
      let (batches, told) = AsyncStream.makeStream(of: Int.self)
      let task = Task {
        try await cataloguing.moveIn(from: path, named: "e", by: mapping, isTrial: false) { done, _ in
          told.yield(done)
          if done >= 100 { withUnsafeCurrentTask { $0?.cancel() } }
        }
      }
      for await done in batches where done >= 100 { break }
      _ = await task.result
      let counts = try await Self.everything(offices)
      let entries = try #require(counts[0])
      #expect(entries >= 100 && counts[1] == entries && counts[2] == entries && counts[6] == entries)
      let rest = try await Self.move(offices, export, folder)
      #expect(rest.count(.same) == entries && rest.count(.moved) == 250 - entries)
      #expect(try await Self.everything(offices)[0] == 250)
    }
  }

  @Test(arguments: Engine.allCases)
  func `versions that follow each other become versions of one entry`(engine: Engine) async throws {
    try await Self.with(engine) { offices, folder in
      try FileManager.default.createDirectory(atPath: "\(folder)/dsg", withIntermediateDirectories: true)
      func write(_ name: String, _ lines: [String]) throws {
        try Data((lines.joined(separator: "\n") + "\n").utf8).write(
          to: URL(fileURLWithPath: "\(folder)/dsg/\(name).csv"))
      }
      try write("object", ["id,name", "o1,青海省民政厅"])
      try write("category_node", ["category_node_id,name,parent_id"])
      try write("t_data_catalog_category", ["catalog_id,category_id"])
      try write(
        "t_data_catalog",
        [
          "id,code,title,forward_version_id,source_department_id,description,update_cycle,shared_type,shared_condition,open_type,open_condition,shared_mode,publish_status,online_status,published_at",
          "11,DSG-1,优抚对象信息,,o1,优抚对象的登记信息，每日更新。,3,2,用于资格核对,2,,1,published,offline,2024-01-05 09:00:00",
          "12,DSG-1,优抚对象信息,11,o1,优抚对象的登记信息，改为每年更新。,8,2,用于资格核对,2,,1,published,online,2025-02-06 10:00:00",
        ])
      try write(
        "t_data_catalog_column",
        [
          "catalog_id,technical_name,business_name,data_format,data_length,data_precision,primary_flag,null_flag,classified_flag,description,shared_type,shared_condition,info_item_level,index",
          "11,xm,姓名,1,50,,0,1,0,,,,3,1", "12,zh,证号,1,20,,1,0,0,,,,3,1", "12,xm,姓名,1,50,,0,1,0,,,,3,2",
        ])
      let mapping = try #require(try MoveMapping.preset("dsg"))
      let trial = try await offices.cataloguing.moveIn(
        from: "\(folder)/dsg", named: "dsg", by: mapping, isTrial: true)
      let report = try await offices.cataloguing.moveIn(
        from: "\(folder)/dsg", named: "dsg", by: mapping, isTrial: false)
      #expect(trial.told == report.told)
      #expect(report.entries.count == 1 && report.count(.moved) == 1, "\(report.findings.map(\.reason.chinese))")
      let moved = try await offices.cataloguing.resource(Offices.clerk, try #require(report.entries[0].resource))
      #expect(moved.version == 2 && moved.state == .published && moved.metadata.cycle == "1")
      #expect(moved.code?.description == "3070120337/000001" && Self.found(report, "code.malformed").count == 2)
      #expect(moved.metadata.classes == ["3070120337"] && moved.publishedOn == CalendarDate("2025-02-06"))
      #expect(moved.items.map(\.column) == ["zh", "xm"] && moved.items[0].isKey)
      let first = try await offices.cataloguing.resource(Offices.clerk, moved.id, version: 1)
      #expect(first.state == .superseded && first.metadata.cycle == "7")
      #expect(first.items[0].id == moved.items[1].id)
      let again = try await offices.cataloguing.moveIn(
        from: "\(folder)/dsg", named: "dsg", by: mapping, isTrial: false)
      #expect(again.count(.same) == 1)
    }
  }

  @Test func `an export that is none, in a wrong encoding or without its table is refused, and nothing is kept`()
    async throws
  {
    try await Self.with(.sqlite) { offices, folder in
      func code(_ path: String) async -> String? {
        do {
          _ = try await offices.cataloguing.moveIn(from: path, named: "x", by: try Self.bjxc(), isTrial: false)
          return nil
        } catch { return (error as? Refusal)?.message.chinese }
      }
      #expect(await code("\(folder)/nothing")?.contains("找不到") == true)
      try ExportedCatalogue().write(to: "\(folder)/export")
      try Data([0xFF, 0xC7, 0x0A]).write(to: URL(fileURLWithPath: "\(folder)/export/dir_classify.csv"))
      let encoding = await code("\(folder)/export")
      #expect(encoding?.contains("dir_classify.csv") == true && encoding?.contains("也不是 GB18030") == true)
      try FileManager.default.removeItem(atPath: "\(folder)/export/dir_classify.csv")
      try FileManager.default.removeItem(atPath: "\(folder)/export/dir_dataset.csv")
      #expect(await code("\(folder)/export")?.contains("没有表 dir_dataset") == true)
      #expect(try await Self.everything(offices) == [0, 0, 0, 0, 0, 0, 0, 0])
    }
  }

  @Test(arguments: Engine.allCases)
  func `an export without a table or a needed column is refused before anything, unless it is waived`(engine: Engine)
    async throws
  {
    try await Self.with(engine) { offices, folder in
      let whole = ExportedCatalogue()
      let first = try await Self.move(offices, whole, folder)
      #expect(first.count(.moved) == 4)
      let before = try await Self.everything(offices)

      func refusal(_ change: (inout ExportedCatalogue) -> Void, trial: Bool) async throws -> String {
        var export = ExportedCatalogue(count: 5)
        change(&export)
        do {
          _ = try await Self.move(offices, export, folder, trial: trial)
          return "taken"
        } catch let refusal as Refusal { return refusal.faults.first?.message.chinese ?? refusal.message.chinese }
      }
      for trial in [true, false] {
        for table in [
          "dir_dataset", "dir_dataitem", "dir_dataset_classify_map", "dir_classify", "sys_dept", "dir_data_publish",
        ] {
          let said = try await refusal({ $0.tables[table] = nil }, trial: trial)
          #expect(said.contains("没有表 \(table)"), "\(said)")
        }
        let renamed = try await refusal(
          {
            $0.tables["dir_dataset"]?.head[1] = "data_name"
            $0.tables["sys_user"] = nil
          }, trial: trial)
        #expect(renamed.contains("dir_dataset.csv 没有列 dataset_name") && renamed.contains("没有表 sys_user"), "\(renamed)")
      }
      #expect(try await Self.everything(offices) == before, "what was refused left nothing")

      // Waived, new entries come without their items; those in force keep them, though the export says something else.
      var export = ExportedCatalogue(count: 5)
      export.tables["dir_dataitem"] = nil
      export.set("dir_dataset", "set0", "dataset_desc", "改写后的摘要，说明内容。")
      try export.write(to: "\(folder)/export")
      await #expect(throws: Refusal.self, "no table of the mapping") {
        _ = try await offices.cataloguing.moveIn(
          from: "\(folder)/export", named: "e", by: try Self.bjxc(), isTrial: false, without: ["dir_dataitems"])
      }
      let waived = try await offices.cataloguing.moveIn(
        from: "\(folder)/export", named: "e", by: try Self.bjxc(), isTrial: false, without: ["dir_dataitem"])
      #expect(waived.count(.moved) == 1 && waived.count(.untouched) == 1 + 3, "\(waived.entries.map(\.outcome))")
      #expect(Self.found(waived, "table.missing").map(\.file) == ["dir_dataitem"])
      let kept = try await offices.cataloguing.resource(
        Offices.clerk, try #require(waived.entries.first { $0.oldID == "set0" }?.resource))
      #expect(kept.version == 1 && kept.items.count == 3)
      // The mapping can say so as well.
      var mapping = try Self.bjxc()
      mapping.items.optional = true
      let optional = try await offices.cataloguing.moveIn(
        from: "\(folder)/export", named: "e", by: mapping, isTrial: false)
      #expect(optional.count(.untouched) == 4 && optional.count(.same) == 1, "\(optional.entries.map(\.outcome))")
      // Whole again, it is as it was.
      #expect(try await Self.move(offices, whole, folder).count(.same) == 4)
    }
  }

  @Test func `the summary names the column that is missing, and an export in GB18030 is read`() async throws {
    try await Self.with(.sqlite) { offices, folder in
      var export = ExportedCatalogue()
      export.tables["dir_dataset"]?.head[5] = "desc_of_dataset"
      try export.write(to: "\(folder)/export")
      for name in export.tables.keys {
        let path = URL(fileURLWithPath: "\(folder)/export/\(name).csv")
        let text = try String(contentsOf: path, encoding: .utf8)
        try #require(text.data(using: String.Encoding(rawValue: 0x8000_0632))).write(to: path)
      }
      let report = try await offices.cataloguing.moveIn(
        from: "\(folder)/export", named: "e", by: try Self.bjxc(), isTrial: false)
      #expect(report.count(.moved) == 4 && report.entries[0].name.contains("救助对象"))
      let told = report.frequentReasons(50).map(\.reason.chinese)
      #expect(told.contains("dir_dataset.csv dataset_desc：文件里没有这一列。"), "\(told)")
    }
  }

  @Test(arguments: Engine.allCases)
  func `a registered entry that the export changed leaves no dead version behind`(engine: Engine) async throws {
    try await Self.with(engine) { offices, folder in
      var export = ExportedCatalogue(count: 3)
      for (set, map) in [("set0", "m0"), ("set1", "m1")] {
        export.set("dir_dataset", set, "status", "3")
        export.set("dir_dataset_classify_map", map, "status", "3")
      }
      let first = try await Self.move(offices, export, folder)
      #expect(first.count(.moved) == 3)
      // One is published there and says something else, one is still only registered.
      export.set("dir_dataset_classify_map", "m0", "status", "5")
      export.set("dir_dataset", "set0", "dataset_desc", "改写后的摘要，说明内容。")
      export.set("dir_dataset", "set1", "dataset_desc", "改写后的摘要，也说明内容。")
      let report = try await Self.move(offices, export, folder)
      #expect(report.count(.changed) == 2, "\(report.entries.map(\.outcome))")
      #expect(Self.found(report, "rule.name.taken").isEmpty, "its own name is not another's")
      func states(_ id: String) async throws -> [VersionState] {
        let resource = try #require(report.entries.first { $0.oldID == id }?.resource)
        let states = try await offices.db.read { tx in
          try tx.rows("SELECT state FROM catalog_version WHERE resource = \(resource) ORDER BY version").map {
            try $0.choice("state") as VersionState
          }
        }
        return states
      }
      #expect(try await states("set0") == [.superseded, .published])
      #expect(try await states("set1") == [.superseded, .approved])
      // What waits to be published can be published.
      let waiting = try #require(report.entries.first { $0.oldID == "set1" }?.resource)
      let published = try await offices.cataloguing.publish(Offices.operatorOfPlatform, waiting)
      #expect(published.state == .published && published.version == 2)
    }
  }

  @Test(arguments: [
    (
      #"{"source":"X1","title":"t","entries":{"table":"a","columns":{"id":"i","name":"n"}},"items":{"table":"b","columns":{"entry":"e","name":"n"}},"codes":{}}"#,
      "source"
    ),
    (
      #"{"source":"ab","title":"t","entries":{"table":"a","columns":{"id":"i"}},"items":{"table":"b","columns":{"entry":"e","name":"n"}},"codes":{}}"#,
      "entries"
    ),
    (
      #"{"source":"ab","title":"t","entries":{"table":"a","columns":{"id":"i","name":"n","colour":"c"}},"items":{"table":"b","columns":{"entry":"e","name":"n"}},"codes":{}}"#,
      "colour"
    ),
    (
      #"{"source":"ab","title":"t","entries":{"table":"a","columns":{"id":"i","name":"n"}},"items":{"table":"b","columns":{"entry":"e","name":"n"}},"codes":{"state":{"1":"gone"}}}"#,
      "gone"
    ),
    ("{", "不是 JSON"),
  ])
  func `a mapping that says nothing sensible is refused by what is wrong in it`(text: String, word: String) {
    let refusal = #expect(throws: Refusal.self) { try MoveMapping(json: text) }
    #expect(refusal?.message.chinese.contains(word) == true, "\(refusal?.message.chinese ?? "")")
  }

  @Test func `days are read as databases and spreadsheets write them`() {
    for text in ["2017-12-03", "2017/12/3", "20171203", "2017-12-03 00:00:00", "2017.12.03"] {
      #expect(MoveReading.moment(text)?.dateInChina == CalendarDate("2017-12-03"), "\(text)")
    }
    #expect(MoveReading.moment("2017-12-03 23:59:59")?.dateInChina == CalendarDate("2017-12-03"))
    for text in ["", "某日", "2017-13-01", "2017-02-30", "17-12-03", "2017-12-03 25:00"] {
      #expect(MoveReading.moment(text) == nil, "\(text)")
    }
  }
}
