import Audit
import Identity
import Inbox
import Kernel
import Storage
import TestKit
import Testing

@testable import Catalog

@Suite struct `Local classes` {
  private static let today = CalendarDate("2026-08-20")!
  private static let yesterday = CalendarDate("2026-08-19")!

  private static func scenes(_ offices: Offices) async throws {
    let keeper = Offices.operatorOfPlatform
    for draft in [
      ClassDraft(code: "cj", parent: nil, name: "场景应用", from: today),
      ClassDraft(code: "cj01", parent: "cj", name: "企业开办", from: today, national: "210"),
      ClassDraft(code: "cj0101", parent: "cj01", name: "一照通行", from: today),
      ClassDraft(code: "cj02", parent: "cj", name: "未对应的场景", from: today),
      ClassDraft(code: "307012033701", parent: "3070120337", name: "社会救助处", from: today),
    ] {
      try await offices.cataloguing.addClass(keeper, draft)
    }
  }

  private static func code(_ body: () async throws -> Void) async -> String? {
    do {
      try await body()
      return nil
    } catch { return (error as? Refusal)?.code }
  }

  @Test(arguments: Engine.allCases)
  func `a local class lies under its national one, or stands for the one it is mapped to`(engine: Engine) async throws {
    try await Offices.with(engine) { offices in
      try await Self.scenes(offices)
      let tree = try await offices.db.read { try offices.cataloguing.classification(in: $0) }
      #expect(tree.localCount == 5 && tree.count == 6510)
      #expect(tree.national(of: "cj0101") == "210" && tree.national(of: "cj02") == nil)
      #expect(tree.national(of: "307012033701") == "3070120337")
      #expect(tree.path(to: "307012033701").map(\.code).suffix(2) == ["3070120337", "307012033701"])
      #expect(tree.children(of: nil).map(\.code) == ["1", "2", "3", "cj"])
      #expect(tree.branches(of: "cj0101").map { $0.map(\.code) } == [["cj", "cj01", "cj0101"], ["2", "210"]])
      #expect(tree.search("一照").map(\.code) == ["cj0101"])

      _ = try await offices.published(in: ["cj0101", "307012033701"])
      for node in ["cj", "cj01", "cj0101", "2", "210", "3", "3070120337", "307012033701"] {
        let hits = try await offices.cataloguing.search(Offices.clerk, CatalogQuery(node: node))
        #expect(hits.total == 1, "under \(node)")
      }
      let hits = try await offices.cataloguing.search(Offices.clerk, CatalogQuery(node: "cj"))
      #expect(hits.classes.map(\.value) == ["cj01"] && hits.classes.first?.name.chinese == "企业开办")
      #expect(try await offices.cataloguing.search(Offices.clerk, CatalogQuery(node: "cj02")).total == 0)
    }
  }

  @Test(arguments: Engine.allCases)
  func `what another process keeps is seen at the next transaction`(engine: Engine) async throws {
    try await Offices.with(engine) { offices in
      let other = offices.cataloguing
      let view = try await other.classView(Offices.clerk, under: nil)
      #expect(view.tree["cj"] == nil)
      try await Self.scenes(offices)
      #expect(try await other.classView(Offices.clerk, under: nil).tree["cj"]?.name == "场景应用")
      #expect(other.classification["cj"] != nil)
    }
  }

  @Test(arguments: Engine.allCases)
  func `a primary class must be of the national tree or mapped to it, and the class must be the office's to use`(
    engine: Engine
  ) async throws {
    try await Offices.with(engine) { offices in
      try await Self.scenes(offices)
      try await offices.cataloguing.addClass(
        Offices.operatorOfPlatform,
        ClassDraft(
          code: "cj03", parent: "cj", name: "只供民政", from: Self.today, usedBy: .office(Offices.civilAffairs.id)))
      try await offices.cataloguing.addClass(
        Offices.operatorOfPlatform,
        ClassDraft(
          code: "cj04", parent: "cj", name: "明天启用", from: Self.today + 1, national: "203"))
      try await offices.cataloguing.addClass(
        Offices.operatorOfPlatform,
        ClassDraft(code: "cj05", parent: "cj", name: "只供西宁", from: Self.today, usedBy: .division("6301")))
      var draft = try await offices.completeDraft()
      func found(_ classes: [String]) async throws -> [String] {
        draft.metadata.classes = classes
        let (resource, findings) = try await offices.cataloguing.edit(
          Offices.officer, draft.id, from: draft.revision, .init(metadata: draft.metadata))
        draft = resource
        return findings.filter { $0.code.hasPrefix("classes.") }.map(\.code)
      }
      #expect(try await found(["cj0101"]) == [])
      #expect(try await found(["cj02"]) == ["classes.primary-local"])
      #expect(try await found(["203", "cj02"]) == [])
      #expect(try await found(["203", "cj03"]) == ["classes.not-yours"])
      #expect(try await found(["203", "cj05"]) == ["classes.not-yours"])
      #expect(try await found(["203", "cj04"]) == ["classes.future"])
      #expect(try await found(["cj09"]) == ["classes.unknown"])
      offices.time.move(.seconds(24 * 3600))
      #expect(try await found(["203", "cj04"]) == [])
    }
  }

  @Test(arguments: Engine.allCases)
  func `a retired class takes no new entry, names its successor, and one step moves an entry there as a new version`(
    engine: Engine
  ) async throws {
    try await Offices.with(engine) { offices in
      try await Self.scenes(offices)
      let entry = try await offices.published(in: ["cj0101", "203"])
      let cataloguing = offices.cataloguing
      #expect(
        await Self.code {
          try await cataloguing.retireClass(
            Offices.operatorOfPlatform, "cj01", on: Self.today + 1, successor: "203")
        } == "catalog.class.children")
      try await cataloguing.retireClass(
        Offices.operatorOfPlatform, "cj0101", on: Self.today + 1, successor: "cj01")
      func waiting() async throws -> [InboxTask] {
        try await offices.db.read { try Inbox.waiting(for: Offices.officer, in: $0) }
      }
      #expect(try await waiting().map(\.kind).contains("catalog.class.move"))
      #expect(try await cataloguing.retiredClasses(Offices.officer).isEmpty)

      offices.time.move(.seconds(24 * 3600))
      let other = try await cataloguing.draft(
        Offices.otherOfficer, system: nil, metadata: Metadata(name: "低保对象信息", classes: ["cj0101"]))
      let findings = try await cataloguing.findings(Offices.otherOfficer, other.id)
      let retired = try #require(findings.first { $0.code == "classes.retired" })
      #expect(retired.severity == .error && retired.message.chinese.contains("请改用“企业开办”（cj01）"))
      // The entry that is in it already is asked, not stopped.
      let change = try await cataloguing.beginChange(Offices.officer, entry.id)
      #expect(
        try await cataloguing.findings(Offices.officer, change.id).first { $0.code == "classes.retired" }?.severity
          == .warning)
      try await cataloguing.discard(Offices.officer, entry.id)

      let listed = try await cataloguing.retiredClasses(Offices.officer)
      #expect(listed.map(\.node.code) == ["cj0101"] && listed[0].entries.map(\.id) == [entry.id])
      #expect(try await cataloguing.retiredClasses(Offices.operatorOfPlatform).count == 1)
      #expect(try await cataloguing.retiredClasses(Offices.otherOfficer).isEmpty)
      let moved = try await cataloguing.moveToSuccessor(Offices.officer, entry.id, from: "cj0101")
      #expect(moved.version == 3 && moved.state == .draft && moved.metadata.classes == ["cj01", "203"])
      let inForce = try await cataloguing.resource(Offices.clerk, entry.id)
      #expect(inForce.version == 1 && inForce.metadata.classes == ["cj0101", "203"])
      #expect(try await !waiting().map(\.kind).contains("catalog.class.move"))
      #expect(
        await Self.code { _ = try await cataloguing.moveToSuccessor(Offices.officer, entry.id, from: "cj0101") }
          == "catalog.class.not-in")
    }
  }

  @Test(arguments: Engine.allCases)
  func `a class is renamed and mapped anew from a day on, and its entries are found by the new name and node`(
    engine: Engine
  ) async throws {
    try await Offices.with(engine) { offices in
      try await Self.scenes(offices)
      _ = try await offices.published(in: ["cj01"])
      offices.time.move(.seconds(48 * 3600))
      func hits(_ query: CatalogQuery) async throws -> Int {
        try await offices.cataloguing.search(Offices.clerk, query).total
      }
      #expect(try await hits(CatalogQuery(text: "企业开办")) == 1)
      #expect(try await hits(CatalogQuery(node: "210")) == 1)
      let cataloguing = offices.cataloguing
      _ = try await cataloguing.search(Offices.clerk, CatalogQuery(node: "2"))
      try await cataloguing.changeClass(
        Offices.operatorOfPlatform,
        ClassDraft(code: "cj01", parent: nil, name: "经营主体准入", from: Self.today + 1, national: "207"))
      #expect(try await hits(CatalogQuery(text: "经营主体准入")) == 1)
      #expect(try await hits(CatalogQuery(text: "企业开办")) == 0)
      #expect(try await hits(CatalogQuery(node: "207")) == 1)
      #expect(try await hits(CatalogQuery(node: "210")) == 0)
      let facets = try await cataloguing.search(Offices.clerk, CatalogQuery(node: "2")).classes
      #expect(facets.map(\.value) == ["207"])
      let periods = try await cataloguing.classView(Offices.clerk, under: "cj01").periods
      #expect(periods.map(\.name) == ["经营主体准入", "企业开办"] && periods[1].validTo == Self.today + 1)
      let renewed = try await offices.db.read { try $0.int("SELECT tokens FROM catalog_search_state") }
      #expect(renewed == CatalogSearch.tokenVersion)
      #expect(
        await Self.code {
          try await cataloguing.changeClass(
            Offices.operatorOfPlatform, ClassDraft(code: "203", parent: nil, name: "改国家的", from: Self.today))
        } == "catalog.class.national")
    }
  }

  @Test(arguments: [
    (ClassDraft(code: "cj01", parent: "cj", name: "又一个", from: today), "catalog.class.code"),
    (ClassDraft(code: "cj9", parent: "cj", name: "一位", from: today), "catalog.class.code"),
    (ClassDraft(code: "cj021", parent: "cj", name: "互为开头", from: today), "catalog.class.code"),
    (ClassDraft(code: "CJ", parent: nil, name: "大写", from: today), "catalog.class.code"),
    (ClassDraft(code: "4", parent: nil, name: "数字", from: today), "catalog.class.code"),
    (ClassDraft(code: "xx01", parent: "xx", name: "没有上级", from: today), "catalog.class.parent"),
    (ClassDraft(code: "cj06", parent: "cj", name: "", from: today), "catalog.class.name"),
    (ClassDraft(code: "cj06", parent: "cj", name: "对应到本地", from: today, national: "cj01"), "catalog.class.national"),
    (ClassDraft(code: "20301", parent: "203", name: "多余的对应", from: today, national: "210"), "catalog.class.national"),
  ])
  func `a class that cannot be is refused, and says why`(draft: ClassDraft, expected: String) async throws {
    try await Offices.with(.sqlite) { offices in
      try await Self.scenes(offices)
      let refused = await Self.code { try await offices.cataloguing.addClass(Offices.operatorOfPlatform, draft) }
      #expect(refused == expected)
      let stranger = await Self.code { try await offices.cataloguing.addClass(Offices.officer, draft) }
      #expect(stranger == "forbidden")
    }
  }

  @Test(arguments: Engine.allCases)
  func `a file of classes is taken whole or not at all, and a second time changes nothing`(engine: Engine) async throws
  {
    try await Offices.with(engine) { offices in
      let head = "code,parent,name,valid_from,valid_to,national,used_by,successor\n"
      let file =
        head + """
          zt,,主题库,2026-01-01,,,,
          zt01,zt,一人一档,2026-01-01,,203,,
          zt02,zt,旧库,2026-01-01,2026-06-01,,,zt01
          30701203370001,3070120337,错位,2026-01-01,,,,

          """
      let cataloguing = offices.cataloguing
      await #expect(throws: Refusal.self) { _ = try await cataloguing.importClasses(Array(file.utf8)) }
      #expect(try await cataloguing.classView(Offices.clerk, under: nil).tree.localCount == 0)
      do { _ = try await cataloguing.importClasses(Array(file.utf8)) } catch let refusal as Refusal {
        #expect(refusal.message.chinese.hasPrefix("第 5 行"), "\(refusal.message.chinese)")
      }
      let right = Array(file.replacing("30701203370001", with: "307012033701").utf8)
      #expect(
        try await cataloguing.importClasses(right) == ClassImportReport(added: 4, changed: 0, retired: 1, same: 0))
      let records = try await offices.db.read { try $0.int("SELECT COUNT(*) FROM audit_record") }
      #expect(records == 5)
      #expect(
        try await cataloguing.importClasses(right) == ClassImportReport(added: 0, changed: 0, retired: 0, same: 4))
      #expect(try await offices.db.read { try $0.int("SELECT COUNT(*) FROM audit_record") } == 5)
      #expect(try await cataloguing.classView(Offices.clerk, under: nil).tree.retired.map(\.code) == ["zt02"])

      // Without its end the line does not bring the class back, and says so.
      let open = String(decoding: right, as: UTF8.self).replacing("2026-06-01,,,zt01", with: ",,,")
      let report = try await cataloguing.importClasses(Array(open.utf8))
      #expect(report.same == 4 && report.retired == 0)
      #expect(
        report.stayEnded == [ClassImportReport.Ended(line: 4, code: "zt02", on: CalendarDate("2026-06-01")!)])
      // A line that retires is no line that changes nothing.
      let later = String(decoding: right, as: UTF8.self).replacing(
        "zt01,zt,一人一档,2026-01-01,,203,,", with: "zt01,zt,一人一档,2026-01-01,2027-06-01,203,,")
      let retiring = try await cataloguing.importClasses(Array(later.utf8))
      #expect(retiring.retired == 1 && retiring.same == 3, "\(retiring)")
    }
  }

  @Test(arguments: Engine.allCases)
  func `a code that stands twice in a file is refused with both lines`(engine: Engine) async throws {
    try await Offices.with(engine) { offices in
      let file = """
        code,parent,name,valid_from,valid_to,national,used_by,successor
        zt,,主题库,2026-01-01,,,,
        zt01,zt,一人一档,2026-01-01,,203,,
        zt01,zt,一企一档,2026-01-01,,203,,

        """
      let refusal = await #expect(throws: Refusal.self) {
        _ = try await offices.cataloguing.importClasses(Array(file.utf8))
      }
      let said = refusal?.faults.first?.message.chinese ?? ""
      #expect(said.contains("第 3 行和第 4 行"), "\(said)")
      let view = try await offices.cataloguing.classView(Offices.clerk, under: nil)
      #expect(view.tree.localCount == 0)
    }
  }

  @Test(arguments: Engine.allCases)
  func `a department's node of 2017 says which office holds it today`(engine: Engine) async throws {
    try await Offices.with(engine) { offices in
      let view = try await offices.cataloguing.classView(Offices.clerk, under: "3070120302")
      #expect(view.holders.map { $0.way.map(\.name) } == [["青海省工商行政管理局", "青海省市场监督管理局"]])
      #expect(view.holders.first?.office.id == Offices.market.id)
    }
  }
}
