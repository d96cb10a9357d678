import Connecting
import Identity
import Inventory
import Kernel
import Storage
import TestKit
import Testing

@testable import Catalog

@Suite struct `A department's desk` {
  private func draft(_ offices: Offices, _ name: String, faulty: Bool = false) async throws -> Resource {
    var metadata = Offices.spreadsheet(name)
    if faulty { metadata.abstract = "" }
    offices.time.move(.seconds(1))
    return try await offices.cataloguing.draft(
      Offices.officer, system: nil, metadata: metadata, items: Offices.items(["企业名称"]))
  }

  @Test(arguments: Engine.allCases)
  func `shows every draft, page by page, by state and by name`(engine: Engine) async throws {
    try await Offices.with(engine) { offices in
      var names: [String] = []
      for number in 1...120 {
        names.append(try await draft(offices, number % 2 == 0 ? "年报信息\(number)" : "许可台账\(number)%").metadata.name)
      }
      func desk(_ filter: WorkFilter) async throws -> [String] {
        var (filter, seen) = (filter, [String]())
        repeat {
          let page = try await offices.cataloguing.work(Offices.officer, filter)
          #expect(page.lines.count <= WorkFilter.pageLimit)
          seen += page.lines.map(\.name)
          filter.after = page.next
        } while filter.after != nil
        return seen
      }
      #expect(try await desk(WorkFilter()) == names.reversed())
      #expect(try await desk(WorkFilter(view: .draft, name: "年报")) == names.filter { $0.hasPrefix("年报") }.reversed())
      #expect(try await desk(WorkFilter(name: "報信息１２")) == ["年报信息120", "年报信息12"])
      #expect(try await desk(WorkFilter(view: .submitted)) == [])
      #expect(try await offices.cataloguing.work(Offices.officer, WorkFilter()).counts[.draft] == 120)
      #expect(try await offices.cataloguing.work(Offices.otherOfficer, WorkFilter()).counts[.all] == 0)
    }
  }

  @Test(arguments: Engine.allCases)
  func `submits many and says of each what became of it`(engine: Engine) async throws {
    try await Offices.with(engine) { offices in
      let good = try await draft(offices, "年报公示信息")
      let faulty = try await draft(offices, "抽查检查结果", faulty: true)
      let stale = try await draft(offices, "经营异常名录")
      let cataloguing = offices.cataloguing
      func pick(_ resource: Resource, _ less: Int = 0) -> ReviewPick {
        ReviewPick(id: resource.id, revision: resource.revision - less)
      }
      await #expect(throws: Refusal.self) { try await cataloguing.submit(Offices.officer, [] as [ReviewPick]) }
      let foreign = try await cataloguing.submit(Offices.otherOfficer, [pick(good)])
      #expect(foreign[0].refusal != nil && foreign[0].name == nil, "another office's name is not told")
      let done = try await cataloguing.submit(Offices.officer, [pick(good), pick(faulty), pick(stale, 1)])
      #expect(done.map { $0.refusal == nil } == [true, false, false], "\(done.map(\.refusal))")
      #expect(done[1].refusal?.faults.contains { $0.field == "abstract" } == true)
      #expect(done.map(\.name) == ["年报公示信息", "抽查检查结果", "经营异常名录"])
      let counts = try await cataloguing.work(Offices.officer, WorkFilter()).counts
      #expect(counts[.submitted] == 1 && counts[.draft] == 2)
      let rest = try await cataloguing.submittable(Offices.officer, WorkFilter(view: .all, name: "名录"))
      #expect(rest == [pick(stale)])
      #expect(try await cataloguing.submit(Offices.officer, rest)[0].refusal == nil)
    }
  }

  @Test(arguments: Engine.allCases)
  func `what was taken offline is found again by its department and the operator`(engine: Engine) async throws {
    try await Offices.with(engine) { offices in
      let done = try await offices.published()
      let cataloguing = offices.cataloguing
      let offline = WorkFilter(view: .offline)
      #expect(try await cataloguing.work(Offices.officer, offline).offline.isEmpty)
      _ = try await cataloguing.online(Offices.operatorOfPlatform, done.id, .takeDown, reason: "数据停止更新")
      let found = try await cataloguing.work(Offices.officer, offline)
      #expect(found.offline.map(\.id) == [done.id] && found.counts[.offline] == 1)
      #expect(found.offline.first?.code == done.code?.description && found.offline.first?.at != nil)
      #expect(try await cataloguing.work(Offices.officer, WorkFilter(view: .offline, name: "无")).offline.isEmpty)
      #expect(try await cataloguing.work(Offices.otherOfficer, offline).offline.isEmpty)
      let queue = try await cataloguing.queue(Offices.operatorOfPlatform, QueueFilter(view: .offline))
      #expect(queue.offline.map(\.id) == [done.id])
      _ = try await cataloguing.online(Offices.operatorOfPlatform, done.id, .bringUp, reason: "恢复更新")
      #expect(try await cataloguing.work(Offices.officer, offline).offline.isEmpty)
    }
  }

  @Test(arguments: ["餐饮\u{200B}许可", "\u{202E}许可", "许\u{2028}可", "\u{200B}"])
  func `a name that does not show as what it is is refused`(name: String) {
    #expect(PlainText.wrongName(name, lengths: 1...Int.max) != nil)
    #expect(
      shownFindings(name, "name", Text("名称", "name"), unless: false).map(\.code) == ["text.hidden"])
    #expect(shownFindings("餐饮服务许可（2026年）", "name", Text("名称", "name"), unless: false).isEmpty)
  }

  @Test(arguments: Engine.allCases)
  func `marks alone find nothing, and blanks everything`(engine: Engine) async throws {
    try await Offices.with(engine) { offices in
      _ = try await offices.published()
      for text in ["㎡", "%", "_", "(", "*", "。 ！"] {
        let hits = try await offices.cataloguing.search(Offices.clerk, CatalogQuery(text: text))
        #expect(hits.total == 0 && hits.entries.isEmpty, "\(text)")
      }
      #expect(try await offices.cataloguing.search(Offices.clerk, CatalogQuery(text: " ")).total == 1)
    }
  }
}
