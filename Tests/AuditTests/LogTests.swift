import Kernel
import Logging
import NationalCrypto
import Storage
import TestKit
import Testing

@testable import Audit

/// The log as it is kept: sequenced, proved, verified, and every change to it found.
@Suite struct LogTests {
  static let key = SM2.PrivateKey()
  let signer = CheckpointSigner(origin: "sanjiang/test", key: LogTests.key)
  let clock = ManualClock()

  private func sequencer(_ db: any Database) -> Sequencer {
    Sequencer(database: db, signer: signer, clock: clock.clock, logger: Logger(label: "test"))
  }

  private func append(_ count: Int, to db: any Database, from first: Int = 0) async throws {
    let now = clock.now
    try await db.write { tx -> Void in
      for index in first..<first + count {
        try AuditLog.record(
          AuditEntry(
            at: now, actor: .system("测试\(index)"), action: "test.append", subjectKind: "thing", subject: "\(index)",
            subjectName: "第 \(index) 件\t带\n换行\\", grant: index % 2 == 0 ? "g" : nil,
            detail: [("number", "\(index)"), ("empty", "")]), in: tx)
      }
    }
  }

  private func verify(_ db: any Database) async throws -> AuditVerifier.Result {
    try await AuditVerifier(database: db, key: Self.key.publicKey).verify()
  }

  @Test(arguments: Engine.allCases)
  func `what is recorded gets a leaf, a proof and a signed checkpoint`(engine: Engine) async throws {
    try await withDatabase(engine, [AuditSchema.migrations]) { db in
      try await append(600, to: db)
      let waiting = try await verify(db)
      #expect(waiting.holds && waiting.waiting == 600 && waiting.leaves == 0)
      try await sequencer(db).sequenceAll()
      try await append(7, to: db, from: 600)
      try await sequencer(db).sequenceAll()
      let result = try await verify(db)
      #expect(result.holds, "\(result.faults.map(\.english))")
      #expect(result.leaves == 607 && result.waiting == 0 && result.checkpoints == 2)
      let auditor = Principal(
        person: nil, name: "审计", organisation: nil, organisationName: "", permissions: [.auditRead])
      let records = try await db.read { tx in
        var search = AuditSearch()
        search.limit = 1000
        return try search.records(for: auditor, in: tx)
      }
      #expect(records.count == 607)
      #expect(records.contains { $0.payload?.subjectName == "第 606 件\t带\n换行\\" })
      for record in records.prefix(5) + records.suffix(5) {
        let proof = try await db.read { try AuditProof.of(record.id, in: $0) }
        #expect(proof?.holds == true)
      }
    }
  }

  /// A statement that changes what was kept, tried after the guards are taken away: what an administrator of the
  /// database could do.
  static let tampering: [(String, SQL)] = [
    ("a record's subject", "UPDATE audit_record SET subject = 'x' WHERE subject = '3'"),
    ("a record's grant", "UPDATE audit_record SET grant_id = 'x' WHERE subject = '4'"),
    (
      "a record's digest",
      "UPDATE audit_record SET digest = (SELECT digest FROM audit_record WHERE subject = '1') WHERE subject = '2'"
    ),
    ("a payload", "UPDATE audit_payload SET payload = REPLACE(payload, '测试5', '测试6')"),
    ("a salt", "UPDATE audit_payload SET salt = (SELECT digest FROM audit_record WHERE subject = '1')"),
    (
      "a leaf's hash",
      "UPDATE audit_leaf SET hash = (SELECT hash FROM audit_leaf WHERE leaf_index = 1) WHERE leaf_index = 2"
    ),
    ("the last leaf", "DELETE FROM audit_leaf WHERE leaf_index = 299"),
    ("a leaf in the middle", "DELETE FROM audit_leaf WHERE leaf_index = 100"),
    ("a kept node", "UPDATE audit_node SET hash = (SELECT hash FROM audit_leaf WHERE leaf_index = 1)"),
    ("a checkpoint's root", "UPDATE audit_checkpoint SET root = (SELECT hash FROM audit_leaf WHERE leaf_index = 1)"),
    ("a checkpoint's note", "UPDATE audit_checkpoint SET note = REPLACE(note, '300', '301')"),
    ("the last checkpoint", "DELETE FROM audit_checkpoint"),
  ]

  @Test(arguments: Engine.allCases, tampering.indices)
  func `every change to what was kept is found`(engine: Engine, index: Int) async throws {
    let (what, statement) = Self.tampering[index]
    try await withDatabase(engine, [AuditSchema.migrations]) { db in
      try await append(300, to: db)
      try await sequencer(db).sequenceAll()
      let before = try await verify(db)
      #expect(before.holds)
      try await db.write { tx -> Void in
        for table in ["audit_record", "audit_leaf", "audit_node", "audit_checkpoint"] {
          let on = engine == .postgres ? " ON \(table)" : ""
          try tx.script("DROP TRIGGER \(table)_keep\(on); DROP TRIGGER \(table)_stay\(on)")
        }
        #expect(try tx.run(statement) > 0)
      }
      let after = try await verify(db)
      #expect(!after.holds, "\(what) was changed and not found")
    }
  }

  @Test(arguments: Engine.allCases)
  func `the log refuses to be changed or shortened`(engine: Engine) async throws {
    try await withDatabase(engine, [AuditSchema.migrations]) { db in
      try await append(3, to: db)
      try await sequencer(db).sequenceAll()
      var attempts: [SQL] = [
        "UPDATE audit_record SET subject = 'x'", "DELETE FROM audit_record", "UPDATE audit_leaf SET leaf_index = 9",
        "DELETE FROM audit_checkpoint",
      ]
      if engine == .postgres { attempts.append("TRUNCATE audit_checkpoint") }
      for attempt in attempts {
        let error = await #expect(throws: StorageError.self) { try await db.write { try $0.run(attempt) } }
        #expect(error?.code == .check)
      }
      let result = try await verify(db)
      #expect(result.holds && result.leaves == 3)
    }
  }

  @Test(arguments: Engine.allCases)
  func `writers never fail because of the log, and two sequencers give each record one leaf`(engine: Engine)
    async throws
  {
    try await withDatabase(engine, [AuditSchema.migrations]) { db in
      try await withThrowingTaskGroup(of: Void.self) { group in
        for writer in 0..<12 {
          group.addTask { for round in 0..<10 { try await append(1, to: db, from: writer * 100 + round) } }
        }
        for _ in 0..<2 {
          group.addTask {
            for _ in 0..<10 {
              _ = try await sequencer(db).sequenceOnce()
              await Task.yield()
            }
          }
        }
        try await group.waitForAll()
      }
      try await sequencer(db).sequenceAll()
      let result = try await verify(db)
      #expect(result.holds, "\(result.faults.map(\.english))")
      #expect(result.leaves == 120)
    }
  }

  @Test(arguments: Engine.allCases)
  func `an erased payload leaves its record provable`(engine: Engine) async throws {
    try await withDatabase(engine, [AuditSchema.migrations]) { db in
      try await append(5, to: db)
      try await sequencer(db).sequenceAll()
      try await db.write { try $0.run("DELETE FROM audit_payload") }
      let result = try await verify(db)
      #expect(result.holds && result.erased == 5)
    }
  }

  @Test(arguments: Engine.allCases)
  func `a department sees what it did itself, and what anybody did under a grant it is party to`(engine: Engine)
    async throws
  {
    try await withDatabase(engine, [AuditSchema.migrations]) { db in
      let (mine, other) = (OrganisationID.make(), OrganisationID.make())
      let now = clock.now
      try await db.write { tx -> Void in
        for (organisation, grant) in [(mine, nil), (mine, "ours"), (other, "ours"), (other, "theirs")] {
          let actor = Principal(
            person: nil, name: "某", organisation: organisation, organisationName: "", permissions: [])
          try AuditLog.record(
            AuditEntry(
              at: now, actor: actor, action: "test", subjectKind: "thing", subject: "1", subjectName: "1",
              grant: grant), in: tx)
        }
      }
      let grants = AuditGrants { grant, principal, _ in grant == "ours" && principal.organisation == mine }
      func seen(_ permissions: Set<Permission>, under grant: String? = nil) async throws -> Int {
        let reader = Principal(
          person: nil, name: "读", organisation: mine, organisationName: "", permissions: permissions)
        var search = AuditSearch()
        search.grant = grant
        let asked = search
        return try await db.read { try asked.records(for: reader, grants: grants, in: $0).count }
      }
      let (own, all) = (try await seen([.auditReadOwn]), try await seen([.auditRead]))
      #expect(own == 2 && all == 4)
      let (ours, theirs, whole) = (
        try await seen([.auditReadOwn], under: "ours"), try await seen([.auditReadOwn], under: "theirs"),
        try await seen([.auditRead], under: "theirs")
      )
      #expect(ours == 2 && theirs == 0 && whole == 1)
      await #expect(throws: Refusal.self) { try await seen([]) }
    }
  }
}
