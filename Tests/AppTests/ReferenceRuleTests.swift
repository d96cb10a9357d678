import Catalog
import Connecting
import Demo
import Exchange
import Jobs
import Kernel
import Reshaping
import Sharing
import Storage
import TestKit
import Testing

@testable import App

/// Rules that refer to another resource.
@Suite struct ReferenceRuleTests {
  /// A published list of the provider's, of one column that is its key.
  private func published(_ stage: Stage, _ table: String, named name: String) async throws -> Resource {
    let cataloguing = stage.node.cataloguing
    let source = try #require(stage.resource.mount?.source)
    let draft = try await cataloguing.draft(stage.cast.officer, from: source, table: TableName(table))
    var metadata = stage.resource.metadata
    metadata.name = name
    _ = try await cataloguing.edit(
      stage.cast.officer, draft.id, from: draft.revision, .init(metadata: metadata, items: draft.items))
    _ = try await cataloguing.submit(stage.cast.officer, draft.id)
    return try await cataloguing.decide(stage.cast.operatorInChief, draft.id, .approve(publish: true))
  }

  @Test(arguments: Engine.allCases)
  func `a row that refers to what the other resource has not is set apart, also when it is compared`(
    engine: Engine
  ) async throws {
    try await withStage(engine) { stage in
      func provider(_ statement: String) throws -> String {
        let said = try Tool.run("/usr/bin/sqlite3", [stage.databases.providerPath, statement])
        return String(said.reversed().drop(while: \.isWhitespace).reversed())
      }
      let (exchange, officer) = (stage.node.exchange, stage.cast.officer)
      let common = try provider("SELECT status FROM legal_person GROUP BY status ORDER BY count(*) DESC LIMIT 1")
      _ = try provider(
        """
        CREATE TABLE status_list (status TEXT PRIMARY KEY NOT NULL); INSERT INTO status_list VALUES ('\(common)');
        CREATE TABLE size_list (size INTEGER PRIMARY KEY NOT NULL)
        """)
      let list = try await published(stage, "status_list", named: "登记状态代码")
      let numbers = try await published(stage, "size_list", named: "规模代码")
      let code = try #require(list.code?.description)
      let grant = try await stage.grant(stage.draft)
      for (argument, column) in [
        ("3070120337/999999", "status"), ("nothing", "status"), (numbers.code!.description, "status"), (code, nil),
      ] {
        let refusal = await #expect(throws: Refusal.self) {
          try await exchange.add(
            TaskRule(column: column, kind: .reference, argument: argument), to: grant.id, version: 0, by: officer)
        }
        #expect(refusal?.faults.first?.field == (column == nil ? "column" : "argument"), "\(argument)")
      }
      try await exchange.add(
        TaskRule(column: "status", kind: .reference, argument: code), to: grant.id, version: 0, by: officer)
      let others = try Int(provider("SELECT count(*) FROM legal_person WHERE status <> '\(common)'")) ?? 0
      let first = try await stage.node.deliverNow(grant.id)
      let set = try await stage.node.database.read { try DeliveryStore.quarantineSummary(of: first.id, in: $0) }
      #expect(first.state == .delivered && first.agrees == true && others > 0)
      #expect(set.first { $0.item == "status" }?.rows == others, "\(set)")

      // The same list is asked when both sides are compared.
      let comparison = try await exchange.compare(grant.id, by: stage.cast.clerk)
      _ = try await stage.node.runner().drain()
      let found = try await exchange.task(grant.id, for: officer).comparison
      #expect(found?.id == comparison.id && found?.state == .agrees && (found?.counts.bad ?? 0) >= others)

      // What the list has by now counts.
      _ = try provider("INSERT INTO status_list SELECT DISTINCT status FROM legal_person WHERE status <> '\(common)'")
      _ = try await exchange.ask(grant.id, isFull: true, by: stage.cast.clerk)
      _ = try await stage.node.runner().drain()
      let second = try await stage.node.database.read { try DeliveryStore.list(grant: grant.id, limit: 1, in: $0)[0] }
      #expect(second.state == .delivered && second.agrees == true && first.quarantined - second.quarantined == others)

      // A list that is gone stops the delivery, with its name.
      _ = try provider("DROP TABLE status_list")
      _ = try await exchange.ask(grant.id, isFull: true, by: stage.cast.clerk)
      _ = try await stage.node.runner().drain()
      let third = try await stage.node.database.read { try DeliveryStore.list(grant: grant.id, limit: 1, in: $0)[0] }
      #expect(third.state == .failed && third.reason?.chinese.contains("status_list") == true, "\(third)")
    }
  }
}
