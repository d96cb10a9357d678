import Attachments
import Audit
import Catalog
import Connecting
import Identity
import Inventory
import Kernel
import NationalCrypto
import Storage
import TestKit
import Testing

@testable import Exchange
@testable import Sharing
@testable import Transfer

private let now = Instant("2026-03-02T01:00:00Z")!

/// Deliveries, receipts and quarantine as they are kept, on both engines.
@Suite struct DeliveryStoreTests {
  /// Grants as bare rows: what deliveries point at.
  private struct Ground: Sendable {
    let db: any Database
    let grants: [GrantID]
  }

  private static let migrations = [
    AuditSchema.migrations, IdentitySchema.migrations, InventorySchema.migrations, AttachmentSchema.migrations,
    CatalogSchema.migrations,
    SharingSchema.migrations, ExchangeSchema.migrations,
  ]

  private func with(_ engine: Engine, _ body: (Ground) async throws -> Void) async throws {
    try await withDatabase(engine, Self.migrations) { db in
      let grants: [GrantID] = [.make(at: now), .make(at: now)]
      try await db.write { try Self.lay(grants, in: $0) }
      try await body(Ground(db: db, grants: grants))
    }
  }

  private static func lay(_ grants: [GrantID], in tx: any Transaction) throws {
    let (office, person, system, source, resource) = (
      OrganisationID.make(at: now), PersonID.make(at: now), SystemID.make(at: now), SourceID.make(at: now),
      ResourceID.make(at: now)
    )
    try tx.run(
      """
      INSERT INTO identity_organisation (id, name, short_name, credit_code, division, valid_from)
      VALUES (\(office), '单位', '单位', 'code', '63', '2017-01-01')
      """)
    try tx.run(
      """
      INSERT INTO identity_person (id, login, name, organisation, is_active, must_change, created_at, version)
      VALUES (\(person), 'li', '李', \(office), \(true), \(false), \(now), 1)
      """)
    try tx.run(
      """
      INSERT INTO inventory_system (id, number, owner, owner_name, name, purpose, scope, frequency, approved_by,
        approved_on, fund_source, network, stage, folded, revision, registered_at, changed_at)
      VALUES (\(system), 'n', \(office), '单位', '系统', '', '', '', '', '2016-01-01', '', '', '', '', 1, \(now), \(now))
      """)
    try tx.run(
      """
      INSERT INTO inventory_source (id, system, owner, name, kind, made_at, is_protected, is_read_only)
      VALUES (\(source), \(system), \(office), '库', 'sqlite', \(now), \(false), \(false))
      """)
    try tx.run(
      "INSERT INTO catalog_resource (id, provider, latest, made_at) VALUES (\(resource), \(office), 1, \(now))")
    let today = now.dateInChina
    for (index, id) in grants.enumerated() {
      let request = ShareRequest(
        id: .make(at: now), number: "r\(index)", resource: resource, resourceVersion: 1, resourceName: "资源",
        sharingType: "2", provider: office, providerName: "单位", consumer: office, consumerName: "单位", askedBy: person,
        askedByName: "李", purpose: "用途", legalBasis: "依据", scene: "场景", mode: .table, frequency: .daily,
        firstDay: today, lastDay: today + 30, targetSource: source, targetTable: "t", goneRows: .removed, items: [],
        state: .granted,
        supplementAsked: false, rules: "2025-1", version: 1, createdAt: now)
      try RequestStore.insert(request, formKey: nil, in: tx)
      let grant = Grant(
        id: id, number: "g\(index)", request: request.id, resource: resource, resourceVersion: 1, resourceName: "资源",
        provider: office, providerName: "单位", consumer: office, consumerName: "单位", purpose: "用途", legalBasis: "依据",
        scene: "场景", mode: .table, frequency: .daily, firstDay: today, lastDay: today + 30, targetSource: source,
        targetTable: "t", goneRows: .removed, items: [], state: .active, version: 1, createdAt: now)
      try GrantStore.insert(grant, sealedSecret: [1], in: tx)
    }
  }

  private func delivery(_ grant: GrantID, second: Int64 = 0) -> DeliveryRecord {
    let at = now + .seconds(second)
    return DeliveryRecord(
      id: .make(at: at), grant: grant, mode: .full, state: .queued, trigger: "person", askedBy: "单位 李", createdAt: at)
  }

  private func receipt(_ side: Receipt.Side, delivered: Int) -> Receipt {
    var counts = Receipt.Counts()
    (counts.read, counts.delivered, counts.quarantined, counts.stale, counts.bytes) = (10, delivered, 1, 1, 900)
    return Receipt(
      side: side, grant: "g", run: "r", mode: .full, schemaDigest: "00", from: nil, through: nil, firstBatch: 1,
      lastBatch: 2, counts: counts, columns: [], rowSum: "00", batchRoot: "00", batches: [], startedAt: now,
      finishedAt: now)
  }

  private func bad(_ grant: GrantID, batch: Int64, part: Int, _ positions: [Int], item: String = "姓名")
    -> QuarantinedRows
  {
    QuarantinedRows(
      grant: grant.text, run: "r", batch: batch, part: part,
      rows: positions.map {
        BadRow(position: $0, keyDigest: $0 == 0 ? nil : "k\($0)", item: item, fault: .tooLong, sealed: [UInt8($0), 7])
      })
  }

  @Test(arguments: Engine.allCases)
  func `a delivery comes back as it was asked for, and goes its way with the time of each step`(engine: Engine)
    async throws
  {
    try await with(engine) { ground in
      let asked = delivery(ground.grants[0])
      let found = try await ground.db.write { tx in
        try DeliveryStore.insert(asked, in: tx)
        return try DeliveryStore.find(asked.id, in: tx)
      }
      #expect(found == asked)
      let (begun, why) = (now + .seconds(5), Text("连接中断", "The connection broke"))
      let (failed, again, done) = try await ground.db.write { tx in
        try DeliveryStore.apply(.start, to: asked.id, at: begun, in: tx)
        try DeliveryStore.apply(.fail, to: asked.id, Cause("postgresql.connect", why), at: begun + .seconds(1), in: tx)
        let failed = try DeliveryStore.find(asked.id, in: tx)
        try DeliveryStore.apply(.start, to: asked.id, at: begun + .seconds(9), in: tx)
        let again = try DeliveryStore.find(asked.id, in: tx)
        try DeliveryStore.apply(.deliver, to: asked.id, at: begun + .seconds(20), in: tx)
        return (failed, again, try DeliveryStore.find(asked.id, in: tx))
      }
      #expect(failed?.state == .failed && failed?.reason == why && failed?.finishedAt == begun + .seconds(1))
      #expect(again?.state == .running && again?.reason == nil && again?.finishedAt == nil)
      #expect(done?.state == .delivered && done?.startedAt == begun && done?.finishedAt == begun + .seconds(20))

      let refusal = await #expect(throws: Refusal.self) {
        try await ground.db.write { try DeliveryStore.apply(.start, to: asked.id, at: now, in: $0) }
      }
      let unknown = await #expect(throws: Refusal.self) {
        try await ground.db.write { try DeliveryStore.apply(.start, to: .make(at: now), at: now, in: $0) }
      }
      #expect(refusal?.kind == .conflict && unknown?.kind == .notFound)
    }
  }

  @Test(arguments: Engine.allCases)
  func `attempts that did not deliver are counted by their causes, also those made good later`(engine: Engine)
    async throws
  {
    try await with(engine) { ground in
      let (mine, theirs) = (delivery(ground.grants[0]), delivery(ground.grants[1], second: 1))
      let (away, drift) = (Text("连接中断", "The connection broke"), Text("列不见了", "A column is gone"))
      let later = Text("连接超时", "The connection timed out")
      try await ground.db.write { tx in
        for (one, words, at) in [(mine, away, 10), (mine, away, 20), (theirs, later, 30)] {
          if try DeliveryStore.find(one.id, in: tx) == nil { try DeliveryStore.insert(one, in: tx) }
          try DeliveryStore.apply(.start, to: one.id, at: now + .seconds(at), in: tx)
          try DeliveryStore.apply(.wait, to: one.id, Cause("exchange.waiting", away), at: now + .seconds(at), in: tx)
          try DeliveryStore.apply(.start, to: one.id, at: now + .seconds(at), in: tx)
          try DeliveryStore.apply(
            .fail, to: one.id, Cause("postgresql.connect", words), at: now + .seconds(at + 1), in: tx)
        }
        try DeliveryStore.apply(.start, to: mine.id, at: now + .seconds(40), in: tx)
        try DeliveryStore.apply(.deliver, to: mine.id, at: now + .seconds(41), in: tx)
        try DeliveryStore.apply(.stop, to: theirs.id, Cause("contract.column", drift), at: now + .seconds(50), in: tx)
      }
      func causes(_ grants: [GrantID]?, since: Int = 0) async throws -> [FailureCause] {
        try await ground.db.read { try FailureStore.causes(among: grants, since: now + .seconds(since), in: $0) }
      }
      let all = try await causes(nil)
      #expect(all.map(\.code) == ["postgresql.connect", "contract.column"])
      #expect(all.first?.attempts == 3 && all.first?.deliveries == 2 && all.first?.grants == 2)
      #expect(all.first?.words == later && all.first?.last == theirs.id && all.first?.lastAt == now + .seconds(31))
      let own = try await causes([ground.grants[0]])
      #expect(own.count == 1 && own.first?.attempts == 2 && own.first?.words == away)
      #expect(try await causes([]).isEmpty)
      #expect(try await causes(nil, since: 45).map(\.code) == ["contract.column"])
      // Long ago is forgotten with the next.
      try await ground.db.write { tx in
        try FailureStore.insert(
          Cause("x", away), of: mine.id, grant: mine.grant, at: now + .seconds(91 * 86_400), in: tx)
      }
      #expect(try await causes(nil).map(\.code) == ["x"])
    }
  }

  @Test(arguments: Engine.allCases)
  func `lists are of one grant or of those one sees, newest first, page by page`(engine: Engine) async throws {
    try await with(engine) { ground in
      let (mine, theirs) = (ground.grants[0], ground.grants[1])
      let made = (0..<6).map { delivery($0 == 2 ? theirs : mine, second: Int64($0)) }
      try await ground.db.write { tx in for one in made { try DeliveryStore.insert(one, in: tx) } }
      func list(
        grant: GrantID? = nil, grants: [GrantID]? = nil, before: DeliveryID? = nil, limit: Int = 50
      ) async throws -> [Int] {
        let found = try await ground.db.read {
          try DeliveryStore.list(grant: grant, grants: grants, before: before, limit: limit, in: $0).map(\.id)
        }
        return found.compactMap { id in made.firstIndex { $0.id == id } }
      }
      let (all, one, seen, none) = (
        try await list(), try await list(grant: theirs), try await list(grants: [mine]), try await list(grants: [])
      )
      #expect(all == [5, 4, 3, 2, 1, 0] && one == [2] && seen == [5, 4, 3, 1, 0] && none == [])
      let (page, next) = (
        try await list(grants: [mine], limit: 2), try await list(grants: [mine], before: made[4].id, limit: 2)
      )
      #expect(page == [5, 4] && next == [3, 1])
    }
  }

  @Test(arguments: Engine.allCases)
  func `a grant counts as carried out once one delivery came to its end`(engine: Engine) async throws {
    try await with(engine) { ground in
      let asked = delivery(ground.grants[0])
      let (before, running, after, other) = try await ground.db.write { tx in
        try DeliveryStore.insert(asked, in: tx)
        let before = try DeliveryStore.hasDelivered(asked.grant, in: tx)
        try DeliveryStore.apply(.start, to: asked.id, at: now, in: tx)
        let running = try DeliveryStore.hasDelivered(asked.grant, in: tx)
        try DeliveryStore.apply(.deliver, to: asked.id, at: now, in: tx)
        return (
          before, running, try DeliveryStore.hasDelivered(asked.grant, in: tx),
          try DeliveryStore.hasDelivered(ground.grants[1], in: tx)
        )
      }
      #expect(!before && !running && after && !other)
    }
  }

  @Test(arguments: Engine.allCases)
  func `progress shows, and what both sides said in the end takes its place, once`(engine: Engine) async throws {
    try await with(engine) { ground in
      let asked = delivery(ground.grants[0])
      let shown = try await ground.db.write { tx in
        try DeliveryStore.insert(asked, in: tx)
        try DeliveryStore.show(
          DeliveryProgress(batch: 1, read: 5, delivered: 4, unchanged: 0, quarantined: 1, bytes: 400),
          DeliveryPulse.Times(), of: asked.id, at: asked.createdAt, in: tx)
        return try DeliveryStore.find(asked.id, in: tx)
      }
      #expect(shown?.read == 5 && shown?.delivered == 4 && shown?.quarantined == 1 && shown?.bytes == 400)
      #expect(shown?.agrees == nil)

      let key = SM2.PrivateKey()
      let (ours, theirs) = (receipt(.provider, delivered: 9), receipt(.consumer, delivered: 9))
      var outcome = DeliveryOutcome(ending: .finished, provider: ours, consumer: nil, disagreement: nil)
      let halfway = outcome
      outcome.consumer = theirs
      let whole = outcome
      outcome.disagreement = Receipt.Disagreement(
        subject: "rows", provider: "9", consumer: "8", message: Text("行数不同", "rows differ"))
      let split = outcome
      func kept(_ outcome: DeliveryOutcome) async throws -> (DeliveryRecord?, [String]) {
        try await ground.db.write { tx in
          let said = [outcome.provider, outcome.consumer].compactMap { $0 }.map { receipt in
            let body = receipt.canonicalText
            return SignedReceipt(
              side: receipt.side.rawValue, digest: receipt.digest, body: body, signature: key.sign(Array(body.utf8)),
              key: key.publicKey.bytes)
          }
          try DeliveryStore.keep(outcome, said, DeliveryPulse.Times(), of: asked.id, in: tx)
          let receipts = try DeliveryStore.receipts(of: asked.id, in: tx)
          #expect(receipts.allSatisfy { $0.body.contains("\n") && $0.digest.count == 64 && $0.isValid == true })
          // Neither another text nor another's key goes through.
          for var receipt in receipts {
            receipt.body += " "
            #expect(receipt.isValid == false)
          }
          for var receipt in receipts {
            receipt.key = SM2.PrivateKey().publicKey.bytes
            #expect(receipt.isValid == false)
          }
          return (try DeliveryStore.find(asked.id, in: tx), receipts.map(\.side))
        }
      }
      let (stopped, one) = try await kept(halfway)
      #expect(stopped?.agrees == nil && one == ["provider"])
      let (done, both) = try await kept(whole)
      #expect(done?.agrees == true && both == ["provider", "consumer"])
      #expect(done?.read == 10 && done?.delivered == 9 && done?.stale == 1 && done?.bytes == 900)
      let (unlike, still) = try await kept(split)
      #expect(unlike?.agrees == false && still == ["provider", "consumer"])
    }
  }

  @Test(arguments: Engine.allCases)
  func `a batch that comes again takes the place of what an attempt that was killed left of it`(engine: Engine)
    async throws
  {
    try await with(engine) { ground in
      let (first, again) = (delivery(ground.grants[0]), delivery(ground.grants[0], second: 1))
      let other = delivery(ground.grants[1])
      try await ground.db.write { tx in
        for one in [first, again, other] { try DeliveryStore.insert(one, in: tx) }
        try DeliveryStore.keep(bad(first.grant, batch: 1, part: 0, [3]), of: first.id, grant: first.grant, in: tx)
        try DeliveryStore.keep(bad(first.grant, batch: 2, part: 0, [1, 2]), of: first.id, grant: first.grant, in: tx)
        try DeliveryStore.keep(bad(first.grant, batch: 2, part: 1, [5]), of: first.id, grant: first.grant, in: tx)
        try DeliveryStore.keep(bad(other.grant, batch: 2, part: 0, [8]), of: other.id, grant: other.grant, in: tx)
      }
      func places(_ id: DeliveryID) async throws -> [[Int]] {
        try await ground.db.read {
          try DeliveryStore.quarantine(of: id, in: $0).map { [$0.batch, $0.part, $0.position] }
        }
      }
      let before = try await places(first.id)
      #expect(before == [[1, 0, 3], [2, 0, 1], [2, 0, 2], [2, 1, 5]])
      try await ground.db.write { tx in
        try DeliveryStore.keep(bad(first.grant, batch: 2, part: 0, [1]), of: again.id, grant: first.grant, in: tx)
        try DeliveryStore.keep(bad(first.grant, batch: 2, part: 1, [6]), of: again.id, grant: first.grant, in: tx)
        try DeliveryStore.keep(bad(first.grant, batch: 2, part: 1, [7]), of: again.id, grant: first.grant, in: tx)
      }
      let (left, new, untouched) = (
        try await places(first.id), try await places(again.id), try await places(other.id)
      )
      #expect(left == [[1, 0, 3]] && new == [[2, 0, 1], [2, 1, 7]] && untouched == [[2, 0, 8]])
    }
  }

  @Test(arguments: Engine.allCases)
  func `quarantine is summed by column and reason, and read page by page without what is sealed`(engine: Engine)
    async throws
  {
    try await with(engine) { ground in
      let asked = delivery(ground.grants[0])
      try await ground.db.write { tx in
        try DeliveryStore.insert(asked, in: tx)
        try DeliveryStore.keep(
          bad(asked.grant, batch: 1, part: 0, [0, 1, 2]), of: asked.id, grant: asked.grant, in: tx)
        try DeliveryStore.keep(
          bad(asked.grant, batch: 1, part: 1, [4], item: "住址"), of: asked.id, grant: asked.grant, in: tx)
      }
      let (summary, page, rest, address, sealed, none) = try await ground.db.read { tx in
        (
          try DeliveryStore.quarantineSummary(of: asked.id, in: tx),
          try DeliveryStore.quarantine(of: asked.id, limit: 2, in: tx),
          try DeliveryStore.quarantine(of: asked.id, after: (1, 0, 1), limit: 9, in: tx),
          try DeliveryStore.quarantine(of: asked.id, item: "住址", fault: RowFault.tooLong.code, limit: 1, in: tx),
          try DeliveryStore.sealedRow(of: asked.id, batch: 1, part: 0, position: 2, in: tx),
          try DeliveryStore.sealedRow(of: .make(at: now), batch: 1, part: 0, position: 2, in: tx)
        )
      }
      let code = RowFault.tooLong.code
      #expect(
        summary == [
          QuarantineSummary(item: "姓名", fault: code, rows: 3), QuarantineSummary(item: "住址", fault: code, rows: 1),
        ])
      #expect(page.map(\.position) == [0, 1] && page.map(\.keyDigest) == [nil, "k1"])
      #expect(rest.map(\.position) == [2, 4] && rest.map(\.item) == ["姓名", "住址"])
      #expect(address.map(\.position) == [4])
      #expect(sealed == [2, 7] && none == nil)
    }
  }
}
