import Catalog
import Connecting
import Demo
import Foundation
import Identity
import Inbox
import Inventory
import Kernel
import Mounting
import Storage
import TestKit

@testable import App

/// A node with a published entry that was written by hand, a folder of files that belongs to its office, and whatever
/// hosts were declared: where tying to files and services begins.
struct MountStage {
  let node: Node
  let cast: DemoCast
  let clock: DemoClock
  let system: SystemID
  let resource: Resource
  /// The folder of the source.
  let folder: String
  let source: SourceID

  func tie() async throws -> Tie? {
    let id = resource.id
    return try await node.database.read { try TieStore.ties(of: id, in: $0) }.first
  }

  func test() async throws -> Tie? {
    guard let tie = try await tie() else { return nil }
    return try await node.mounting.testNow(tie.id, by: cast.officer)
  }

  /// What the officer is asked to do about mounts.
  func tasks() async throws -> [String] {
    let officer = cast.officer
    return try await node.database.read {
      try Inbox.waiting(for: officer, in: $0).map(\.kind).filter { $0.hasPrefix("mounting.") }
    }
  }

  /// How many entries a search for mounted ones, or for others, finds.
  func found(mounted: Bool, _ freshness: Freshness? = nil) async throws -> Int {
    try await node.cataloguing.search(cast.officer, CatalogQuery(isMounted: mounted, freshness: freshness)).total
  }

  /// Writes a file of the folder as if it had been put there then.
  func write(_ name: String, _ text: String, at: Instant) throws {
    let path = folder + "/" + name
    try Data(text.utf8).write(to: URL(filePath: path))
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSince1970: Double(at.milliseconds) / 1000)], ofItemAtPath: path)
  }
}

func withMountStage(
  _ engine: Engine, hosts: String = "", cycle: String = "7", isolation: isolated (any Actor)? = #isolation,
  _ body: (MountStage) async throws -> Void
) async throws {
  try await withNode(engine, from: Clock.system.now(), flags: ["api-hosts": hosts]) { node, cast, clock, data in
    let folder = data + "/sources/\(DemoDatabases.providerCode)/lists"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let system = try await node.register.register(
      cast.officer,
      SystemFacts(
        name: "企业名单系统", function: "名单", scope: "2", frequency: "1", approvedBy: "青海省发展和改革委员会",
        approvedOn: CalendarDate("2016-03-11"), fundSource: "省级财政", network: "2", stage: "4"))
    let source = try await node.register.addSource(
      cast.officer, system.id, SourceDraft(name: "名单文件", kind: "csv", settings: ["folder": folder]))
    let entry = try await published("企业失信名单", cycle: cycle, system: system.id, on: node, cast)
    try await body(
      MountStage(
        node: node, cast: cast, clock: clock, system: system.id, resource: entry, folder: folder, source: source.id))
  }
}

/// An entry in force without a mount.
func published(
  _ name: String, cycle: String = "7", system: SystemID, on node: Node, _ cast: DemoCast,
  isolation: isolated (any Actor)? = #isolation
) async throws -> Resource {
  let start = node.clock.now()
  let items = ["企业名称", "统一社会信用代码", "列入日期"].enumerated().map { number, name in
    Item(id: .make(at: start), name: name, column: "c\(number)", dataType: "C", length: 50, type: .text, grade: "1")
  }
  let draft = try await node.cataloguing.draft(
    cast.officer, system: system,
    metadata: Metadata(
      name: name, classes: ["203"], abstract: "\(name)，由业务部门列入和移出，每日更新。", format: "0203",
      sharingType: "2", sharingCondition: "用于依法履行职责时核对企业信用。", methodClass: "1", methodType: "2",
      openType: "3", cycle: cycle), items: items)
  _ = try await node.cataloguing.submit(cast.officer, draft.id)
  return try await node.cataloguing.decide(cast.operatorInChief, draft.id, .approve(publish: true))
}
