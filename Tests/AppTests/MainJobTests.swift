import Connecting
import Demo
import Exchange
import Foundation
import Kernel
import Sharing
import Storage
import TestKit
import Testing

@testable import App
@testable import Audit

/// The whole journey by the use cases that the site calls, on both engines.
@Suite struct MainJobTests {
  @Test(arguments: Engine.allCases)
  func `a department's table reaches another under a grant, with proof, and not a row after its revocation`(
    engine: Engine
  ) async throws {
    try await withNode(engine) { node, cast, clock, folder in
      let databases = DemoDatabases(folder: folder + "/sources", generator: LegalPersonGenerator(count: 4000))
      try databases.make()
      let journey = DemoJourney(node: node, cast: cast, databases: databases, clock: clock) { _ in }
      let outcome = try await journey.run()
      let (full, incremental) = (try #require(outcome.full), try #require(outcome.incremental))
      #expect(full.delivered == 4000 - databases.generator.flawCount)
      #expect(full.quarantined == databases.generator.flawCount)
      #expect(full.agrees == true)
      #expect(incremental.delivered == outcome.changes.deliverable)
      #expect(incremental.stale == outcome.changes.turnedBad)
      #expect(incremental.agrees == true)
      #expect(outcome.stopped?.state == .stopped)
      #expect(outcome.stopped?.delivered == 0)
      #expect(outcome.audit?.holds == true)
      #expect(outcome.approved == outcome.asked - 1)
      #expect(outcome.providerDue == CalendarDate("2026-03-17"), "ten working days after 3 March 2026")

      // What the consumer's database really holds, looked at without our own code.
      let names = try sqlite(
        databases.consumerPath, "SELECT group_concat(name) FROM pragma_table_info('legal_person_check')")
      #expect(!names.contains("phone"), "a column outside the grant is not even there")
      #expect(
        try sqlite(databases.consumerPath, "SELECT count(*) FROM legal_person_check")
          == "\(full.delivered + outcome.changes.inserted + outcome.changes.mended)")
      let unmasked = try sqlite(
        databases.consumerPath,
        "SELECT count(*) FROM legal_person_check WHERE representative_id NOT LIKE '______********____'")
      #expect(unmasked == "0")
      #expect(
        try sqlite(databases.consumerPath, "SELECT count(*) FROM legal_person_check WHERE sj_stale_since IS NOT NULL")
          == "\(outcome.changes.turnedBad)")
    }
  }

  @Test func `only the provider's officer opens a quarantined row, and that is on record`() async throws {
    try await withNode(.sqlite) { node, cast, clock, folder in
      let databases = DemoDatabases(folder: folder + "/sources", generator: LegalPersonGenerator(count: 2000))
      try databases.make()
      let outcome = try await DemoJourney(node: node, cast: cast, databases: databases, clock: clock) { _ in }.run()
      let delivery = try #require(outcome.full).id
      let (_, lines) = try await node.exchange.quarantine(delivery, for: cast.clerk)
      let line = try #require(
        lines.first { $0.fault == "too-long" || $0.fault == "check-digit" || $0.fault == "null-key" })
      for stranger in [cast.clerk, cast.operatorInChief, cast.consumerOfficer] {
        await #expect(throws: Refusal.self) {
          try await node.exchange.openBadRow(
            delivery, batch: line.batch, part: line.part, position: line.position, by: stranger)
        }
      }
      let fields = try await node.exchange.openBadRow(
        delivery, batch: line.batch, part: line.part, position: line.position, by: cast.officer)
      #expect(fields.contains { $0.name == "name" && !$0.value.isEmpty })
      let opened = try await node.database.read {
        try $0.int("SELECT COUNT(*) FROM audit_record WHERE action = 'exchange.quarantine.open'")
      }
      #expect(opened == 1)
      // The log's pages call every action by a name.
      let actions = try await node.database.read {
        try $0.rows("SELECT DISTINCT action FROM audit_record").map { try $0.text("action") }
      }
      #expect(actions.count > 15)
      #expect(actions.filter { Node.words.action($0) == nil } == [])
      let auditor = cast.principal("audit.demo")
      var search = AuditSearch()
      search.limit = 1000
      let asked = search
      let records = try await node.database.read { try asked.records(for: auditor, in: $0) }
      let raw = records.flatMap { record in
        (record.payload?.detail ?? []).filter { Node.words.detail($0.name, of: record.action) == Text(same: $0.name) }
          .map { "\(record.action) \($0.name)" }
          + (Node.words.subject(record.subjectKind) == Text(same: record.subjectKind) ? [record.subjectKind] : [])
      }
      #expect(Set(raw) == [], "names of the program's")
      // Nothing of the raw row stands anywhere in the node's own database in the clear.
      let flawed = (0..<2000).filter { databases.generator.flaw(of: $0) != nil }.map {
        databases.generator.row($0).address
      }
      await node.database.close()
      let bytes = try Data(contentsOf: URL(fileURLWithPath: folder + "/node.sqlite"))
      for address in flawed { #expect(bytes.range(of: Data(address.utf8)) == nil) }
    }
  }

  @Test func `a source that leads to a node's own database is refused, whatever the account may do`() async throws {
    try await withNode(.postgres) { node, _, _, _ -> Void in
      #expect {
        try Node.connectors.open("postgresql", ["address": node.settings.database]).probe()
      } throws: { ($0 as? ConnectorError)?.code == "postgresql.node" }
    }
  }

  @Test func `a log cut back together with its checkpoints is seen by one that was kept elsewhere`() async throws {
    try await withNode(.sqlite) { node, _, _, folder -> Void in
      func append(_ count: Int) async throws {
        for _ in 0..<count {
          try await node.database.write { tx -> Void in
            try AuditLog.record(
              AuditEntry(
                at: node.clock.now(), actor: .system(), action: "identity.sign-out", subjectKind: "person",
                subject: "x",
                subjectName: "x"), in: tx)
          }
        }
        try await node.sequencer.sequenceAll()
      }
      try await append(3)
      let early = try #require(try await node.database.read { try AuditCheckpoints.latest(in: $0) })
      try await append(4)
      let late = try #require(try await node.database.read { try AuditCheckpoints.latest(in: $0) })
      let verifier = AuditVerifier(database: node.database, key: node.keys.signer.publicKey)
      for witness in [early.note, late.note] {
        let whole = try await verifier.verify(witness: witness)
        #expect(whole.holds, "\(whole.faults)")
      }
      let size = early.size
      try await node.database.write { tx -> Void in
        for table in ["audit_record", "audit_leaf", "audit_node", "audit_checkpoint"] {
          try tx.script("DROP TRIGGER \(table)_stay; DROP TRIGGER \(table)_keep")
        }
        try tx.script(
          """
          DELETE FROM audit_payload WHERE record IN (SELECT record FROM audit_leaf WHERE leaf_index >= \(size));
          CREATE TEMP TABLE gone AS SELECT record FROM audit_leaf WHERE leaf_index >= \(size);
          DELETE FROM audit_leaf WHERE leaf_index >= \(size); DELETE FROM audit_record WHERE id IN (SELECT record FROM gone);
          DELETE FROM audit_checkpoint WHERE size > \(size); UPDATE audit_sequencer SET size = \(size)
          """)
      }
      let alone = try await verifier.verify()
      #expect(alone.holds, "by itself nobody can see it")
      let cut = try await verifier.verify(witness: late.note)
      #expect(!cut.holds && cut.faults.contains { $0.english.contains("cut back") })
      let forged = try await verifier.verify(witness: late.note.replacing("\(late.size)", with: "\(size)"))
      #expect(!forged.holds)
    }
  }

  @Test func `a settings file with a name that does not exist is refused by that name`() throws {
    let path = NSTemporaryDirectory() + "sanjiang-settings-\(UUID().uuidString).yaml"
    defer { unlink(path) }
    try Data("second-facter: yes\n".utf8).write(to: URL(fileURLWithPath: path))
    let refusal = #expect(throws: Refusal.self) { try Settings(.init(file: path)) }
    #expect(refusal?.faults.first?.field == "second-facter")
  }

  private func sqlite(_ path: String, _ sql: String) throws -> String {
    try Tool.run("/usr/bin/sqlite3", [path, sql]).trimmingCharacters(in: .whitespacesAndNewlines)
  }
}
