import Catalog
import Connecting
import Demo
import Exchange
import Inventory
import Kernel
import Sharing
import Storage
import TestKit
import Testing

@testable import App

/// A provider whose source is a PostgreSQL server of the test's own: vehicles that a consumer's SQLite file receives.
enum Vehicles {
  /// The stage with the table published, the server and the name of its database.
  static func with(
    _ engine: Engine, _ body: (Stage, PostgresServer, String, Resource) async throws -> Void
  ) async throws {
    try await withStage(engine) { stage in
      // One of its own: dropping a database waits for whoever copies from the same server.
      let server = try PostgresServer(durable: false)
      defer { server.stop(.immediate) }
      let name = try server.makeDatabase()
      try server.query(
        """
        CREATE TABLE vehicle (id integer PRIMARY KEY, plate varchar(20) NOT NULL, state varchar(10) NOT NULL);
        INSERT INTO vehicle SELECT g, '青A' || g, CASE WHEN g % 10 = 0 THEN '注销' ELSE '正常' END FROM generate_series(1, 500) g;
        """, on: name)
      let resource = try await publish(stage, host: server.folder, database: name)
      try await body(stage, server, name, resource)
    }
  }

  static func publish(_ stage: Stage, host: String, database: String) async throws -> Resource {
    let (node, cast) = (stage.node, stage.cast)
    let system = try await node.register.register(
      cast.officer,
      SystemFacts(
        name: "车辆登记系统", function: "登记营运车辆。", scope: "2", frequency: "2", approvedBy: "青海省发展和改革委员会",
        approvedOn: CalendarDate("2015-05-04"), fundSource: "省级财政", network: "2", stage: "4"))
    let source = try await node.register.addSource(
      cast.officer, system.id,
      SourceDraft(
        name: "车辆库", kind: "postgresql", settings: ["address": "host=\(host) user=postgres dbname=\(database)"]))
    let draft = try await node.cataloguing.draft(
      cast.officer, from: source.id, table: TableName(schema: "public", "vehicle"))
    var metadata = draft.metadata
    metadata.name = "营运车辆登记信息"
    metadata.abstract = "营运车辆的号牌和状态。"
    metadata.format = "0204"
    metadata.sharingType = "2"
    metadata.sharingCondition = "因履职需要核对车辆的部门可以申请。"
    metadata.methodClass = "1"
    metadata.methodType = "2"
    metadata.openType = "3"
    metadata.cycle = "1"
    var items = draft.items
    for index in items.indices { items[index].grade = "2" }
    let mount = try #require(draft.mount)
    let edited = try await node.cataloguing.edit(
      cast.officer, draft.id, from: draft.revision, .init(metadata: metadata, items: items, mount: mount))
    _ = try await node.cataloguing.submit(cast.officer, edited.resource.id)
    return try await node.cataloguing.decide(cast.operatorInChief, draft.id, .approve(publish: true))
  }

  static func draft(_ stage: Stage, _ resource: Resource) -> RequestDraft {
    let today = stage.node.clock.now().dateInChina
    return RequestDraft(
      resource: resource.id, items: resource.items.map(\.id), purpose: "核对车辆", legalBasis: "《社会救助暂行办法》第五十八条",
      scene: "低保审核", mode: .table, frequency: .continuous, firstDay: today, lastDay: today + 30,
      targetSource: stage.target, targetTable: "vehicle_check")
  }

  static func here(_ stage: Stage) throws -> [Substring] {
    try Tool.run(
      "/usr/bin/sqlite3", [stage.databases.consumerPath, "SELECT id || '|' || plate FROM vehicle_check ORDER BY id"]
    ).split(separator: "\n")
  }

  static func there(_ server: PostgresServer, _ name: String, where condition: String = "true") throws -> [Substring] {
    try server.query("SELECT id || '|' || plate FROM vehicle WHERE \(condition) ORDER BY id", on: name)
      .split(separator: "\n")
  }
}
