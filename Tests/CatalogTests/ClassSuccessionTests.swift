import Identity
import Inbox
import Kernel
import Storage
import TestKit
import Testing

@testable import Catalog

@Suite struct `Successors of classes` {
  private static let today = Offices.start.dateInChina
  private static let keeper = Offices.operatorOfPlatform

  /// Five classes beside each other, of which one is not in use yet.
  private static func scenes(_ offices: Offices) async throws {
    let add = { (draft: ClassDraft) in try await offices.cataloguing.addClass(keeper, draft) }
    try await add(ClassDraft(code: "cj", parent: nil, name: "场景", from: today))
    for (code, name, from) in [
      ("cj01", "甲", today), ("cj02", "乙", today), ("cj03", "丙", today), ("cj04", "丁", today),
      ("cj05", "后天启用", today + 2),
    ] {
      try await add(ClassDraft(code: code, parent: "cj", name: name, from: from, national: "210"))
    }
  }

  private static func refusal(_ body: () async throws -> Void) async -> Refusal.Fault? {
    do {
      try await body()
      return nil
    } catch { return (error as? Refusal)?.faults.first }
  }

  @Test(arguments: Engine.allCases)
  func `one that will not stand then is refused with who stands in its place`(engine: Engine) async throws {
    try await Offices.with(engine) { offices in
      try await Self.scenes(offices)
      func retire(_ code: String, in days: Int, _ successor: String?) async -> String? {
        await Self.refusal {
          try await offices.cataloguing.retireClass(
            Self.keeper, code, on: Self.today + days, successor: successor)
        }?.message.chinese
      }
      #expect(await retire("cj02", in: 5, "cj03") == nil)
      let gone = await retire("cj01", in: 9, "cj02")
      #expect(gone == "后继分类“乙”自 \(Self.today + 5) 停用，\(Self.today + 9) 已不能承接。它由“丙”承接，请直接填 cj03。")
      #expect(await retire("cj01", in: 1, "cj05")?.contains("自 \(Self.today + 2) 起才启用") == true)
      #expect(await retire("cj01", in: 2, "cj05") == nil, "it stands on that day")
      #expect(await retire("cj04", in: 1, "cj04")?.contains("它自己") == true)
      #expect(await retire("cj04", in: 1, "cj09")?.contains("没有后继分类") == true)
    }
  }

  @Test(arguments: Engine.allCases)
  func `classes that would hand their entries on in a circle are refused`(engine: Engine) async throws {
    try await Offices.with(engine) { offices in
      try await Self.scenes(offices)
      let cataloguing = offices.cataloguing
      try await cataloguing.retireClass(Self.keeper, "cj03", on: Self.today + 9, successor: "cj01")
      try await cataloguing.retireClass(Self.keeper, "cj02", on: Self.today + 8, successor: "cj03")
      // 甲 → 乙 → 丙 → 甲
      let fault = await Self.refusal {
        try await cataloguing.retireClass(Self.keeper, "cj01", on: Self.today + 7, successor: "cj02")
      }
      #expect(fault?.field == "successor")
      #expect(
        fault?.message.chinese.hasPrefix("首尾相接：它由“乙”承接，再由“丙”承接，再由“甲”承接") == true, "\(fault?.message.chinese ?? "")")
      let node = try await cataloguing.classView(Offices.clerk, under: "cj01").node
      #expect(node?.period?.validTo == nil, "nothing of it was kept")
      try await cataloguing.retireClass(Self.keeper, "cj01", on: Self.today + 7, successor: "cj04")
    }
  }

  @Test(arguments: Engine.allCases)
  func `one that others hand their entries to needs a successor, and they go on to it`(engine: Engine) async throws {
    try await Offices.with(engine) { offices in
      try await Self.scenes(offices)
      let cataloguing = offices.cataloguing
      let entry = try await offices.published(in: ["cj01", "203"])
      try await cataloguing.retireClass(Self.keeper, "cj01", on: Self.today + 5, successor: "cj02")
      func tasks() async throws -> [String] {
        try await offices.db.read { try Inbox.waiting(for: Offices.officer, in: $0) }
          .filter { $0.kind == "catalog.class.move" }.map(\.title.chinese)
      }
      #expect(try await tasks().first?.contains("改用“乙”") == true)
      let fault = await Self.refusal {
        try await cataloguing.retireClass(Self.keeper, "cj02", on: Self.today + 3, successor: nil)
      }
      #expect(fault?.field == "successor" && fault?.message.chinese.contains("“甲”（cj01）") == true)
      try await cataloguing.retireClass(Self.keeper, "cj02", on: Self.today + 3, successor: "cj03")
      #expect(try await tasks() == ["分类“甲”自 \(Self.today + 5) 停用，改用“丙”：其中的目录待改"])

      offices.time.move(.seconds(6 * 24 * 3600))
      #expect(try await cataloguing.retiredClasses(Offices.officer).map { $0.successor?.code } == ["cj03"])
      let draft = try await cataloguing.draft(
        Offices.officer, system: nil, metadata: Metadata(name: "另一条", classes: ["203", "cj01"]))
      let findings = try await cataloguing.findings(Offices.officer, draft.id)
      #expect(
        findings.first { $0.code == "classes.retired" }?.message.chinese.contains("请改用“丙”（cj03）") == true)
      let moved = try await cataloguing.moveToSuccessor(Offices.officer, entry.id, from: "cj01")
      #expect(moved.metadata.classes == ["cj03", "203"])
    }
  }

  @Test(arguments: Engine.allCases)
  func `a class with entries is left without successor only when that is meant`(engine: Engine) async throws {
    try await Offices.with(engine) { offices in
      try await Self.scenes(offices)
      let cataloguing = offices.cataloguing
      _ = try await offices.published(in: ["cj01", "cj02", "203"])
      let fault = await Self.refusal {
        try await cataloguing.retireClass(Self.keeper, "cj01", on: Self.today + 5, successor: nil)
      }
      #expect(fault?.field == "leaves" && fault?.message.chinese.hasPrefix("其中有 1 条在用目录") == true)
      #expect(try await cataloguing.classView(Offices.clerk, under: "cj01").node?.period?.validTo == nil)
      try await cataloguing.retireClass(Self.keeper, "cj04", on: Self.today + 5, successor: nil)
      try await cataloguing.retireClass(
        Self.keeper, "cj01", on: Self.today + 5, successor: nil, leavesEntries: true)
      let tasks = try await offices.db.read { try Inbox.waiting(for: Offices.officer, in: $0) }
      #expect(tasks.contains { $0.title.chinese.contains("停用，没有后继：其中的目录待改") })

      // A file says so of each such line.
      let file = """
        code,parent,name,valid_from,valid_to,national,used_by,successor
        cj02,cj,乙,\(Self.today),\(Self.today + 5),210,,

        """
      let report = try await cataloguing.importClasses(Array(file.utf8))
      #expect(report.leavesEntries == [.init(line: 2, code: "cj02", on: Self.today + 5)])
    }
  }
}
