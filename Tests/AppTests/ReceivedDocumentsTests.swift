import Catalog
import Connecting
import Demo
import Exchange
import Foundation
import Inventory
import Jobs
import Kernel
import Sharing
import Storage
import TestKit
import Testing
import Transfer

@testable import App

/// Grants on whole files: from a provider's folder into a consumer's.
@Suite struct ReceivedDocumentsTests {
  /// Beside an office's database, where its files may lie.
  private func folder(_ name: String, beside database: String) throws -> String {
    let path = (database as NSString).deletingLastPathComponent + "/" + name
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    return path
  }

  /// The provider's folder in the catalogue, as a person would put it there.
  private func publish(_ stage: Stage, _ path: String) async throws -> Resource {
    let (node, cast) = (stage.node, stage.cast)
    let system = try await node.register.register(
      cast.officer,
      SystemFacts(
        name: "档案管理系统", function: "保管批复文件。", scope: "2", frequency: "2", approvedBy: "青海省发展和改革委员会",
        approvedOn: CalendarDate("2015-05-04"), fundSource: "省级财政", network: "2", stage: "4"))
    let source = try await node.register.addSource(
      cast.officer, system.id,
      SourceDraft(name: "批复文件夹", kind: "documents", settings: ["place": "local", "folder": path, "age": "0"]))
    let draft = try await node.cataloguing.draft(cast.officer, from: source.id, table: TableName("批复"))
    var metadata = draft.metadata
    metadata.name = "建设项目批复文件"
    metadata.abstract = "建设项目的批复文件，原样共享。"
    metadata.sharingType = "2"
    metadata.sharingCondition = "因履职需要查阅批复的部门可以申请。"
    metadata.openType = "3"
    metadata.cycle = "1"
    #expect(metadata.format == "0110" && metadata.methodType == "2")
    var items = draft.items
    for index in items.indices { items[index].grade = "2" }
    let mount = try #require(draft.mount)
    let edited = try await node.cataloguing.edit(
      cast.officer, draft.id, from: draft.revision, .init(metadata: metadata, items: items, mount: mount))
    _ = try await node.cataloguing.submit(cast.officer, edited.resource.id)
    return try await node.cataloguing.decide(cast.operatorInChief, draft.id, .approve(publish: true))
  }

  private func contents(_ folder: String) throws -> [String: Data] {
    let names = try FileManager.default.subpathsOfDirectory(atPath: folder).filter { !$0.hasPrefix(".") }
    var found: [String: Data] = [:]
    for name in names {
      let path = folder + "/" + name
      var isFolder: ObjCBool = false
      if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), !isFolder.boolValue {
        found[name] = try Data(contentsOf: URL(filePath: path))
      }
    }
    return found
  }

  @Test(arguments: Engine.allCases)
  func
    `a folder's files arrive as they are, new and changed ones next, and those that are gone go with a full delivery`(
      engine: Engine
    ) async throws
  {
    try await withStage(engine) { stage in
      let from = try folder("archive", beside: stage.databases.providerPath)
      let own = from + "/批复"
      try FileManager.default.createDirectory(atPath: own + "/2026", withIntermediateDirectories: true)
      func put(_ name: String, _ bytes: Data) throws { try bytes.write(to: URL(filePath: own + "/" + name)) }
      try put("2026/关于污水处理厂的批复.pdf", Data("%PDF-1.7 一".utf8) + Data(repeating: 7, count: 1_300_000))
      try put("空.txt", Data())
      try put("目录 1.zip", Data([0x50, 0x4B, 0, 255]))
      let resource = try await publish(stage, from)
      let into = try folder("received-documents", beside: stage.databases.consumerPath)
      let target = try await stage.node.database.read { try InventoryStore.source(stage.target, in: $0) }
      let receiving = try await stage.node.register.addSource(
        stage.cast.consumerOfficer, try #require(target).system,
        SourceDraft(name: "接收文件夹", kind: "documents", settings: ["place": "local", "folder": into]))
      let today = stage.node.clock.now().dateInChina
      let grant = try await stage.grant(
        RequestDraft(
          resource: resource.id, items: resource.items.map(\.id), purpose: "查阅批复", legalBasis: "《社会救助暂行办法》第五十八条",
          scene: "低保审核", mode: .table, frequency: .daily, firstDay: today, lastDay: today + 30,
          targetSource: receiving.id, targetTable: "pifu"))
      let first = try await stage.node.deliverNow(grant.id)
      #expect(first.state == .delivered && first.agrees == true, "\(String(describing: first.reason))")
      // A file of 1.3 MB is three parts.
      #expect(first.delivered == 5)
      #expect(try contents(into + "/pifu") == contents(own))

      try put("目录 1.zip", Data("更新".utf8))
      try put("2026/新.pdf", Data("%PDF".utf8))
      stage.clock.advance(by: .seconds(86_400))
      let second = try await stage.node.deliverNow(grant.id)
      #expect(second.state == .delivered && second.agrees == true && second.mode == .incremental, "\(second)")
      #expect(try contents(into + "/pifu") == contents(own))

      try FileManager.default.removeItem(atPath: own + "/空.txt")
      _ = try await stage.node.exchange.ask(grant.id, isFull: true, by: stage.cast.clerk)
      _ = try await stage.node.runner().drain()
      #expect(try contents(into + "/pifu") == contents(own))
      _ = try await stage.node.exchange.compare(grant.id, by: stage.cast.clerk)
      _ = try await stage.node.runner().drain()
      let found = try await stage.node.exchange.task(grant.id, for: stage.cast.officer).comparison
      #expect(found?.state == .agrees, "\(String(describing: found))")
    }
  }
}
