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
    (
      "a kept digest of a payload",
      "UPDATE audit_record SET payload_digest = (SELECT digest FROM audit_record WHERE subject = '1') WHERE subject = '2'"
    ),
    ("every payload", "DELETE FROM audit_payload"), ("the sequencer's count", "UPDATE audit_sequencer SET size = 2"),
    ("the sequencer's row", "DELETE FROM audit_sequencer"),
    ("what waits", "INSERT INTO audit_waiting SELECT id FROM audit_record WHERE subject = '7'"),
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
          if engine == .sqlite { try tx.script("DROP TRIGGER \(table)_once") }
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
      if engine == .postgres {
        attempts += [
          "TRUNCATE audit_checkpoint",
          """
          INSERT INTO audit_record SELECT * FROM audit_record WHERE subject = '1'
          ON CONFLICT (id) DO UPDATE SET subject = 'x'
          """,
        ]
      } else {
        attempts += ["audit_record", "audit_leaf", "audit_checkpoint"].map {
          SQL(parts: [.text("INSERT OR REPLACE INTO \($0) SELECT * FROM \($0)")])
        }
        attempts += [
          """
          INSERT OR REPLACE INTO audit_record (rowid, id, at, action, subject_kind, subject, payload_digest, digest)
          SELECT rowid, 'other', at, action, subject_kind, subject, payload_digest, digest FROM audit_record
          """,
          "INSERT OR REPLACE INTO audit_leaf SELECT 9, record, hash FROM audit_leaf WHERE leaf_index = 1",
          "REPLACE INTO audit_checkpoint SELECT size, root, 'x', at FROM audit_checkpoint",
        ]
      }
      for attempt in attempts {
        let error = await #expect(throws: StorageError.self) { try await db.write { try $0.run(attempt) } }
        #expect(error?.code == .check, "\(attempt)")
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
  func `an erased payload leaves its record provable, and the log says that it was erased`(engine: Engine) async throws
  {
    try await withDatabase(engine, [AuditSchema.migrations]) { db in
      try await append(5, to: db)
      try await sequencer(db).sequenceAll()
      let ids: [AuditRecordID] = try await db.read { tx in
        try tx.rows("SELECT id FROM audit_record ORDER BY id").map { try $0.id("id") }
      }
      let now = clock.now
      @Sendable func erase(_ id: AuditRecordID, _ tx: any Transaction) throws {
        try AuditErasure.erase(id, reason: "当事人申请", by: .system(), at: now, in: tx)
      }
      try await db.write { try erase(ids[2], $0) }
      for isSequenced in [false, true] {
        let result = try await verify(db)
        #expect(result.holds && result.erased == 1 && result.records == 6, "\(result.faults.map(\.english))")
        if !isSequenced { try await sequencer(db).sequenceAll() }
      }
      let proof = try await db.read { try AuditProof.of(ids[2], in: $0) }
      #expect(proof?.holds == true)
      let erasure: AuditRecordID? = try await db.read {
        try $0.row("SELECT id FROM audit_record WHERE action = 'audit.erase'")?.id("id")
      }
      for id in [ids[2], erasure ?? ids[2]] {
        let again = await #expect(throws: Refusal.self) { try await db.write { try erase(id, $0) } }
        #expect(again?.kind == .conflict)
      }
      try await db.write { try $0.run("DELETE FROM audit_payload WHERE record = \(ids[3])") }
      let result = try await verify(db)
      #expect(result.erased == 2 && result.faults.count == 1)
      #expect(result.faults.first?.english.contains(ids[3].text) == true)
    }
  }

  @Test(arguments: Engine.allCases)
  func `a record that waits for its leaf is checked, and told of when it has waited over a minute`(engine: Engine)
    async throws
  {
    try await withDatabase(engine, [AuditSchema.migrations]) { db in
      try await append(3, to: db)
      let verifier = AuditVerifier(database: db, key: Self.key.publicKey)
      let begun = clock.now
      let fresh = try await verifier.verify(at: begun + .seconds(60))
      #expect(fresh.holds && fresh.waiting == 3 && fresh.oldestWaiting == begun)
      let late = try await verifier.verify(at: begun + .seconds(61))
      #expect(late.faults.map(\.english).first?.hasPrefix("3 records have waited") == true)
      try await db.write { try $0.run("UPDATE audit_payload SET payload = REPLACE(payload, '测试1', '测试2')") }
      let changed = try await verifier.verify(at: begun)
      #expect(changed.faults.contains { $0.english.contains("(waiting) was changed") })
      try await db.write { try $0.run("DELETE FROM audit_waiting") }
      let forgotten = try await verifier.verify(at: begun)
      #expect(forgotten.faults.contains { $0.english == "3 records, but 0 leaves and 0 waiting" })
    }
  }

  @Test(arguments: Engine.allCases)
  func `a sequencer whose own count was changed goes on after the leaves that are there`(engine: Engine) async throws {
    try await withDatabase(engine, [AuditSchema.migrations]) { db in
      for (round, said) in ["2", "0", "900"].enumerated() {
        try await append(3, to: db, from: round * 3)
        try await sequencer(db).sequenceAll()
        try await db.write { try $0.run(SQL(parts: [.text("UPDATE audit_sequencer SET size = \(said)")])) }
        let found = try await verify(db)
        #expect(
          found.faults.map(\.english) == ["the sequencer's count says \(said) leaves, the log has \(round * 3 + 3)"])
      }
      try await append(3, to: db, from: 9)
      try await sequencer(db).sequenceAll()
      let result = try await verify(db)
      #expect(result.holds && result.leaves == 12, "\(result.faults.map(\.english))")
    }
  }

  @Test func `nothing is signed over leaves that are fewer than the last checkpoint says`() async throws {
    try await withDatabase(.sqlite, [AuditSchema.migrations]) { db in
      try await append(3, to: db)
      try await sequencer(db).sequenceAll()
      try await db.write { tx -> Void in
        try tx.script("DROP TRIGGER audit_leaf_stay")
        try tx.run("DELETE FROM audit_leaf WHERE leaf_index = 2")
      }
      try await append(1, to: db, from: 3)
      let error = await #expect(throws: StorageError.self) { try await sequencer(db).sequenceAll() }
      #expect(error?.message.contains("nothing was signed") == true)
    }
  }

  @Test func `a checkpoint kept as a file may have other ends of lines, and a spoilt one is not called a forgery`()
    async throws
  {
    try await withDatabase(.sqlite, [AuditSchema.migrations]) { db in
      try await append(3, to: db)
      try await sequencer(db).sequenceAll()
      let note = try await db.read { try AuditCheckpoints.latest(in: $0)?.note } ?? ""
      let verifier = AuditVerifier(database: db, key: Self.key.publicKey)
      for kept in [note, note + "\n", note.replacing("\n", with: "\r\n"), "\u{FEFF}" + note, String(note.dropLast())] {
        let result = try await verifier.verify(witness: kept)
        #expect(result.holds, "\(kept.debugDescription)")
      }
      for (kept, word) in [
        ("", "no whole checkpoint"), ("hello", "no whole checkpoint"), (String(note.prefix(40)), "no whole checkpoint"),
        (note.replacing("\n3\n", with: "\n2\n"), "not signed"),
        (
          CheckpointSigner(origin: "sanjiang/test", key: SM2.PrivateKey()).sign(
            Checkpoint(origin: "sanjiang/test", size: 1, root: MerkleTree.emptyRoot)), "not signed"
        ),
      ] {
        let result = try await verifier.verify(witness: kept)
        #expect(result.faults.first?.english.contains(word) == true, "\(kept.debugDescription)")
      }
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
