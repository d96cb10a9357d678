import Attachments
import Audit
import Catalog
import Identity
import Inventory
import Kernel
import Storage
import TestKit

@testable import Sharing

/// Two offices, a clerk, a resource and a receiving source as bare rows: what requests and grants point at.
struct Papers: Sendable {
  static let now = Instant("2026-03-02T01:00:00Z")!
  static let migrations = [
    AuditSchema.migrations, IdentitySchema.migrations, InventorySchema.migrations, AttachmentSchema.migrations,
    CatalogSchema.migrations,
    SharingSchema.migrations,
  ]

  let provider: OrganisationID = .make(at: now)
  let consumer: OrganisationID = .make(at: now)
  let elsewhere: OrganisationID = .make(at: now)
  let clerk: PersonID = .make(at: now)
  let resource: ResourceID = .make(at: now)
  let target: SourceID = .make(at: now)

  static func with(_ engine: Engine, _ body: (any Database, Papers) async throws -> Void) async throws {
    try await withDatabase(engine, migrations) { db in
      let papers = Papers()
      try await db.write { try papers.lay(in: $0) }
      try await body(db, papers)
    }
  }

  private func lay(in tx: any Transaction) throws {
    for (index, office) in [provider, consumer, elsewhere].enumerated() {
      try tx.run(
        """
        INSERT INTO identity_organisation (id, name, short_name, credit_code, division, valid_from)
        VALUES (\(office), \("单位\(index)"), \("单位\(index)"), \("code\(index)"), '63', '2017-01-01')
        """)
    }
    try tx.run(
      """
      INSERT INTO identity_person (id, login, name, organisation, is_active, must_change, created_at, version)
      VALUES (\(clerk), 'li', '李经办', \(consumer), \(true), \(false), \(Self.now), 1)
      """)
    let system = SystemID.make(at: Self.now)
    try tx.run(
      """
      INSERT INTO inventory_system (id, number, owner, owner_name, name, purpose, scope, frequency, approved_by,
        approved_on, fund_source, network, stage, folded, revision, registered_at, changed_at)
      VALUES (\(system), 'n', \(consumer), '单位1', '系统', '', '', '', '', '2016-01-01', '', '', '', '', 1, \(Self.now),
        \(Self.now))
      """)
    try tx.run(
      """
      INSERT INTO inventory_source (id, system, owner, name, kind, made_at, is_protected, is_read_only)
      VALUES (\(target), \(system), \(consumer), '库', 'sqlite', \(Self.now), \(false), \(false))
      """)
    try tx.run(
      """
      INSERT INTO catalog_resource (id, provider, latest, made_at) VALUES (\(resource), \(provider), 1, \(Self.now))
      """)
  }

  func request(_ number: String, to other: OrganisationID? = nil, at now: Instant = Papers.now) -> ShareRequest {
    ShareRequest(
      id: .make(at: now), number: number, resource: resource, resourceVersion: 1, resourceName: "企业法人登记信息",
      sharingType: "2", provider: other ?? provider, providerName: "单位0", consumer: consumer, consumerName: "单位1",
      askedBy: clerk, askedByName: "李经办", askedFor: nil, purpose: "核对任职", legalBasis: "《办法》第五十八条", scene: "低保审核",
      mode: .table, frequency: .daily, firstDay: now.dateInChina, lastDay: now.dateInChina + 30, targetSource: target,
      targetTable: "checked", goneRows: .removed,
      items: [
        RequestedItem(item: .make(at: now), name: "统一社会信用代码", column: "uscc", isKey: true),
        RequestedItem(item: .make(at: now), name: "企业名称", column: "name", isKey: false),
      ], state: .ownPending, supplementAsked: false, rules: "2025-1", due: nil, version: 1, createdAt: now)
  }

  func grant(_ number: String, of request: ShareRequest, at now: Instant = Papers.now) -> Grant {
    Grant(
      id: .make(at: now), number: number, request: request.id, resource: resource, resourceVersion: 1,
      resourceName: request.resourceName, provider: request.provider, providerName: "单位0", consumer: consumer,
      consumerName: "单位1", purpose: request.purpose, legalBasis: request.legalBasis, scene: request.scene,
      mode: request.mode, frequency: request.frequency, firstDay: request.firstDay, lastDay: request.lastDay,
      targetSource: target, targetTable: request.targetTable, goneRows: .removed,
      items: request.items.map {
        Grant.Item(
          item: $0.item, name: $0.name, column: $0.column, isKey: $0.isKey,
          mask: $0.isKey ? .pseudonym : .keepHeadTail(3, 4))
      }, state: .active, version: 1, createdAt: now)
  }
}
