import Catalog
import Demo
import Foundation
import Inventory
import Kernel
import Sharing
import Storage
import TestKit

@testable import App

/// A node with a published, mounted resource of one department and a receiving source of another: where sharing begins.
struct Stage {
  let node: Node
  let cast: DemoCast
  let clock: DemoClock
  let databases: DemoDatabases
  let resource: Resource
  let target: SourceID

  /// What the clerk would send, whole and in order.
  var draft: RequestDraft { draft(into: "checked") }

  func draft(into table: String) -> RequestDraft {
    let today = node.clock.now().dateInChina
    return RequestDraft(
      resource: resource.id, items: items(["uscc", "name", "status"]), purpose: "核对低保申请家庭成员的任职情况",
      legalBasis: "《社会救助暂行办法》第五十八条", scene: "低保审核", mode: .table, frequency: .daily, firstDay: today,
      lastDay: today + 30,
      targetSource: target, targetTable: table)
  }

  func items(_ columns: [String]) -> [ItemID] {
    resource.items.filter { columns.contains($0.column) }.map(\.id)
  }

  /// Somebody of an office that has no part in anything here, with every permission there is.
  func stranger() async throws -> Principal {
    let id = try await node.database.read {
      try $0.row("SELECT id FROM identity_organisation WHERE name = '青海省教育厅'").map { try $0.id("id") as OrganisationID }
    }
    return Principal(
      person: cast.officer.person, name: "外人", organisation: id, organisationName: "青海省教育厅",
      permissions: Set(cast.parts.flatMap(\.principal.permissions)).subtracting([.sharingReview]))
  }

  /// Goes from a draft to a grant through everyone who has a say.
  func grant(
    _ draft: RequestDraft, masks: [String: Mask] = [:], rowFilter: String = ""
  ) async throws -> Grant {
    var request = try await node.sharing.submit(draft, by: cast.clerk)
    request = try await node.sharing.decideOwn(
      request.id, approve: true, words: "", version: request.version, by: cast.leader)
    request = try await node.sharing.review(
      request.id, pass: true, words: "", version: request.version, by: cast.operatorInChief)
    return try await node.sharing.decide(
      request.id, request.items.map { ItemDecision(item: $0.item, approve: true, mask: masks[$0.column] ?? .none) },
      rowFilter: rowFilter, words: "", version: request.version, by: cast.officer
    ).1
  }

  /// How many rows each table that sharing and exchanging write has.
  func counts() async throws -> [String: Int] {
    let tables: [(name: String, count: SQL)] = [
      ("sharing_request", "SELECT COUNT(*) FROM sharing_request"),
      ("sharing_request_item", "SELECT COUNT(*) FROM sharing_request_item"),
      ("sharing_request_event", "SELECT COUNT(*) FROM sharing_request_event"),
      ("sharing_grant", "SELECT COUNT(*) FROM sharing_grant"),
      ("exchange_delivery", "SELECT COUNT(*) FROM exchange_delivery"),
      ("exchange_receipt", "SELECT COUNT(*) FROM exchange_receipt"),
      ("exchange_quarantine", "SELECT COUNT(*) FROM exchange_quarantine"),
      ("inbox_task", "SELECT COUNT(*) FROM inbox_task"), ("jobs_job", "SELECT COUNT(*) FROM jobs_job"),
      ("audit_record", "SELECT COUNT(*) FROM audit_record"),
    ]
    return try await node.database.read { tx in
      var counts: [String: Int] = [:]
      for table in tables { counts[table.name] = try tx.int(table.count) ?? -1 }
      return counts
    }
  }
}

func withStage<T>(
  _ engine: Engine, flags: [String: String] = [:], isolation: isolated (any Actor)? = #isolation,
  _ body: (Stage) async throws -> T
) async throws -> T {
  try await withNode(engine, flags: flags) { node, cast, clock, folder in
    let databases = DemoDatabases(folder: folder + "/sources", generator: LegalPersonGenerator(count: 1000))
    try databases.make()
    var outcome = DemoJourney.Outcome()
    let journey = DemoJourney(node: node, cast: cast, databases: databases, clock: clock) { _ in }
    let resource = try await journey.catalogue(&outcome)
    let system = try await node.register.register(
      cast.consumerOfficer,
      SystemFacts(
        name: "核对系统", function: "核对", scope: "2", frequency: "1", approvedBy: "青海省发展和改革委员会",
        approvedOn: CalendarDate("2016-03-11"), fundSource: "省级财政", network: "2", stage: "4"))
    let target = try await node.register.addSource(
      cast.consumerOfficer, system.id,
      SourceDraft(name: "核对库", kind: "sqlite", settings: ["path": databases.consumerPath]))
    return try await body(
      Stage(node: node, cast: cast, clock: clock, databases: databases, resource: resource, target: target.id))
  }
}
