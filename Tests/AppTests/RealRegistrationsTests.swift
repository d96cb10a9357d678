import Catalog
import Connecting
import Demo
import Exchange
import Foundation
import Inventory
import Kernel
import Sharing
import Storage
import TestKit
import Testing

@testable import App

/// The same journey on input that no one here wrote: real registrations of 2009 to 2012, as a CSV file, into PostgreSQL.
@Suite struct RealRegistrationsTests {
  static let path =
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().path + "/shared/data/qinghai-enterprises-2009-2012.csv"

  @Test(
    .enabled(
      if: FileManager.default.fileExists(atPath: path),
      "needs ../shared/data/qinghai-enterprises-2009-2012.csv, which does not travel with the project"))
  func `real registrations reach PostgreSQL under a grant, each good row once`() async throws {
    let text = try String(contentsOfFile: Self.path, encoding: .utf8)
    let records = try CSV.parse(text)
    let head = records[0]
    let code = try #require(head.firstIndex(of: "统一社会信用代码"))
    let good = records.dropFirst().filter { (try? CreditCode($0[code])) != nil }
    let bad = records.count - 1 - good.count
    #expect(bad >= 1, "the file is known to hold a wrong code")

    try await withNode(.sqlite) { node, cast, clock, folder in
      let files = folder + "/sources/\(DemoDatabases.providerCode)/registry"
      try FileManager.default.createDirectory(atPath: files, withIntermediateDirectories: true)
      try FileManager.default.copyItem(atPath: Self.path, toPath: files + "/enterprises.csv")
      let server = try PostgresServer.shared.get()
      let target = try server.makeDatabase()
      defer { try? server.dropDatabase(target) }

      let resource = try await publish(node, cast, folder: files)
      let grant = try await grant(resource, node, cast, clock, host: server.folder, database: target)
      let delivery = try await node.deliverNow(grant.id)
      #expect(delivery.state == .delivered, "\(delivery.reason?.english ?? "")")
      #expect(delivery.delivered == good.count)
      #expect(delivery.quarantined == bad)
      #expect(delivery.agrees == true)

      // Compared row by row through psql, not through our own reader.
      let rows = try server.query(
        "SELECT \"统一社会信用代码\", \"企业名称\", \"注册资金\" FROM enterprise_check ORDER BY 1", on: target)
      let capital = try #require(head.firstIndex(of: "注册资金"))
      let expected = good.map { "\($0[code])|\($0[0])|\($0[capital])" }.sorted()
      #expect(rows.split(separator: "\n").map(String.init).sorted() == expected)
      let columns = try server.query(
        "SELECT string_agg(column_name, ',') FROM information_schema.columns WHERE table_name = 'enterprise_check'",
        on: target)
      #expect(!columns.contains("经营范围"), "a column outside the grant is not there")
    }
  }

  private func publish(_ node: Node, _ cast: DemoCast, folder: String) async throws -> Resource {
    let system = try await node.register.register(
      cast.officer,
      SystemFacts(
        name: "企业登记档案系统", function: "保存历年企业登记档案。", scope: "2", frequency: "2", approvedBy: "青海省发展和改革委员会",
        approvedOn: CalendarDate("2012-05-04"), fundSource: "省级财政", network: "2", stage: "4"))
    let source = try await node.register.addSource(
      cast.officer, system.id, SourceDraft(name: "登记档案", kind: "csv", settings: ["folder": folder]))
    let (_, tables) = try await node.register.tables(cast.officer, source.id)
    let table = try #require(tables.first).name
    let draft = try await node.cataloguing.draft(cast.officer, from: source.id, table: table)
    var metadata = draft.metadata
    metadata.name = "历年企业登记档案"
    metadata.abstract = "2009 年至 2012 年的企业登记：名称、代码、注册日期、类型、资金、范围、地址。"
    metadata.format = "0204"
    metadata.sharingType = "2"
    metadata.sharingCondition = "因履职需要核对企业登记情况的部门可以申请。"
    metadata.methodClass = "1"
    metadata.methodType = "2"
    metadata.openType = "3"
    metadata.cycle = "10"
    var items = draft.items
    for index in items.indices where items[index].column == "统一社会信用代码" {
      items[index].semantic = "uscc"
      items[index].isNullable = false
    }
    let mount = try #require(draft.mount)
    let edited = try await node.cataloguing.edit(
      cast.officer, draft.id, from: draft.revision,
      .init(
        metadata: metadata, items: items,
        mount: Mount(source: mount.source, table: mount.table, keyColumns: ["统一社会信用代码"], cursorColumn: nil)))
    _ = try await node.cataloguing.submit(cast.officer, edited.resource.id)
    return try await node.cataloguing.decide(cast.operatorInChief, draft.id, .approve(publish: true))
  }

  private func grant(
    _ resource: Resource, _ node: Node, _ cast: DemoCast, _ clock: DemoClock, host: String, database: String
  ) async throws -> Grant {
    let system = try await node.register.register(
      cast.consumerOfficer,
      SystemFacts(
        name: "救助核对系统", function: "核对申请人的企业登记情况。", scope: "2", frequency: "1", approvedBy: "青海省发展和改革委员会",
        approvedOn: CalendarDate("2016-05-04"), fundSource: "省级财政", network: "2", stage: "4"))
    let settings = ["address": "host=\(host) user=postgres dbname=\(database)"]
    let target = try await node.register.addSource(
      cast.consumerOfficer, system.id, SourceDraft(name: "核对库", kind: "postgresql", settings: settings))
    let today = node.clock.now().dateInChina
    let wanted = ["统一社会信用代码", "企业名称", "注册日期", "企业类型", "注册资金", "注册地址"]
    var request = try await node.sharing.submit(
      RequestDraft(
        resource: resource.id, items: resource.items.filter { wanted.contains($0.column) }.map(\.id), purpose: "核对企业登记",
        legalBasis: "《社会救助暂行办法》第五十八条", scene: "低保审核", mode: .table, frequency: .once, firstDay: today,
        lastDay: today + 30,
        targetSource: target.id, targetTable: "enterprise_check"), by: cast.clerk)
    request = try await node.sharing.decideOwn(
      request.id, approve: true, words: "", version: request.version, by: cast.leader)
    request = try await node.sharing.review(
      request.id, pass: true, words: "", version: request.version, by: cast.operatorInChief)
    return try await node.sharing.decide(
      request.id, request.items.map { ItemDecision(item: $0.item, approve: true) }, words: "", version: request.version,
      by: cast.officer
    ).1
  }
}
