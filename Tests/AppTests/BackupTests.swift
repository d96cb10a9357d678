import Audit
import Identity
import Demo
import Foundation
import Kernel
import Storage
import TestKit
import Testing

@testable import App

@Suite struct BackupTests {
  @Test(arguments: Engine.allCases)
  func `a copy made while the node writes is whole, and is put back with its proof`(engine: Engine) async throws {
    try await withNode(engine) { node, cast, clock, folder in
      let databases = DemoDatabases(folder: folder + "/sources", generator: LegalPersonGenerator(count: 1000))
      try databases.make()
      let writer = Task {
        try await DemoJourney(node: node, cast: cast, databases: databases, clock: clock) { _ in }.run()
      }
      let copy = folder + "/copy"
      let report = try Backup.make(of: node.settings, at: copy, clock: .system)
      #expect(report.files.contains { $0.name == "keys/node.key" })
      _ = try await writer.value
      #expect(throws: Refusal.self) { try Backup.make(of: node.settings, at: copy, clock: .system) }

      var settings = node.settings
      settings.data = folder + "/restored"
      settings.database = "sqlite:\(folder)/restored/node.sqlite"
      var server: PostgresServer?
      if engine == .postgres {
        let found = try PostgresServer.shared.get()
        settings.database = found.address(of: try found.makeDatabase())
        server = found
      }
      _ = try Backup.restore(from: copy, to: settings)
      let again = try await Node.open(settings, clock: clock.clock)
      try await again.sequencer.sequenceAll()
      let result = try await AuditVerifier(database: again.database, key: again.keys.signer.publicKey).verify()
      #expect(result.holds)
      #expect(result.records > 0)
      let signedIn = try await again.signIn.begin(login: "li.clerk", password: DemoCast.password, source: "127.0.0.1")
      #expect(signedIn.stage == .full)
      await again.database.close()
      #expect(throws: Refusal.self) { try Backup.restore(from: copy, to: settings) }
      _ = server
    }
  }

  @Test func `a damaged copy is refused and changes nothing`() async throws {
    try await withNode(.sqlite) { node, _, _, folder in
      let copy = folder + "/copy"
      _ = try Backup.make(of: node.settings, at: copy, clock: .system)
      let file = try FileHandle(forWritingTo: URL(fileURLWithPath: copy + "/database.sqlite"))
      try file.seek(toOffset: 4096)
      try file.write(contentsOf: Data([1, 2, 3]))
      try file.close()
      var settings = node.settings
      settings.data = folder + "/restored"
      settings.database = "sqlite:\(folder)/restored/node.sqlite"
      #expect(throws: Refusal.self) { try Backup.restore(from: copy, to: settings) }
      #expect(!FileManager.default.fileExists(atPath: settings.data + "/keys"))
      #expect(!FileManager.default.fileExists(atPath: folder + "/restored/node.sqlite"))
    }
  }
}
