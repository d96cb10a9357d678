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
      _ = try await Restore.run(from: copy, to: settings)
      let again = try await Node.open(settings, clock: clock.clock)
      try await again.sequencer.sequenceAll()
      let result = try await AuditVerifier(database: again.database, key: again.keys.signer.publicKey).verify()
      #expect(result.holds)
      #expect(result.records > 0)
      let signedIn = try await again.signIn.begin(login: "li.clerk", password: DemoCast.password, source: "127.0.0.1")
      #expect(signedIn.stage == .full)
      await again.database.close()
      await #expect(throws: Refusal.self) { try await Restore.run(from: copy, to: settings) }
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
      await #expect(throws: Refusal.self) { try await Restore.run(from: copy, to: settings) }
      #expect(!FileManager.default.fileExists(atPath: settings.data + "/keys"))
      #expect(!FileManager.default.fileExists(atPath: folder + "/restored/node.sqlite"))
    }
  }

  /// A backup of a node, to be spoilt, and settings of an empty place.
  private func withBackup(_ body: (_ copy: String, _ empty: Settings) async throws -> Void) async throws {
    try await withTemporaryFolder { folder in
      var settings = try Settings(.init(flags: ["data": folder + "/node"]))
      _ = try await InitCommand.make(settings, clock: .system)
      _ = try Backup.make(of: settings, at: folder + "/copy/", clock: .system)
      settings.data = folder + "/restored"
      settings.database = "sqlite:\(folder)/restored/sanjiang.sqlite"
      try await body(folder + "/copy", settings)
    }
  }

  static let spoilt: [(String, String)] = [
    ("head -3 $1/manifest.txt > $1/m && mv $1/m $1/manifest.txt", "closing line"),
    ("head -3 $1/manifest.txt | sed 's/backup 2/backup 1/' > $1/m && mv $1/m $1/manifest.txt", "lacks keys/node.key"),
    ("sed -i '/node.key/d' $1/manifest.txt", "closing line"), ("truncate -s -1 $1/manifest.txt", "cut off"),
    ("truncate -s 0 $1/manifest.txt", "first line"), ("rm $1/manifest.txt", "has no manifest.txt"),
    ("echo x > $1/keys/extra.key", "does not list: keys/extra.key"), ("rm $1/keys/origin", "keys/origin is not there"),
    ("echo x >> $1/keys/origin", "keys/origin is not as"),
    ("mv $1/keys/origin $1/o && ln -s $1/o $1/keys/origin", "keys/origin is not there"),
    (
      "sed -i -e 's/backup 2/backup 1/' -e 's,keys/origin,../copy/keys/origin,' -e '/^end/d' $1/manifest.txt",
      "wrong line"
    ),
  ]

  @Test(arguments: spoilt)
  func `a backup that is not whole is refused, and nothing is made`(how: String, words: String) async throws {
    try await withBackup { copy, empty in
      try Tool.run("/bin/sh", ["-c", how, "sh", copy])
      let refusal = await #expect(throws: Refusal.self) { try await Restore.run(from: copy, to: empty) }
      #expect(refusal?.message.english.contains(words) == true, "\(refusal?.message.english ?? "")")
      #expect(!Files.stand(empty.data))
    }
  }

  @Test func `a backup of the first form, which had no closing line, is put back`() async throws {
    try await withBackup { copy, empty in
      try Tool.run(
        "/bin/sh", ["-c", "sed -i -e 's/backup 2/backup 1/' -e '/^end/d' $1/manifest.txt", "sh", copy])
      _ = try await Restore.run(from: copy, to: empty)
      await (try Node.open(empty)).close()
    }
  }

  @Test(arguments: ["sanjiang.sqlite-wal", "sanjiang.sqlite-journal", "sources", "keys", "notes.txt"])
  func `what stands in the data folder is named, and nothing is restored`(name: String) async throws {
    try await withBackup { copy, empty in
      try Files.makeFolder(empty.data)
      try Files.write("x", to: empty.data + "/" + name)
      let refusal = await #expect(throws: Refusal.self) { try await Restore.run(from: copy, to: empty) }
      #expect(refusal?.message.english.contains(empty.data + "/" + name) == true)
      #expect(try Files.names(in: empty.data) == [name])
    }
  }

  @Test func `an old log beside a database elsewhere is refused`() async throws {
    try await withBackup { copy, empty in
      var settings = empty
      settings.database = "sqlite:\(copy).sqlite"
      try Files.write("x", to: copy + ".sqlite-wal")
      let elsewhere = settings
      let refusal = await #expect(throws: Refusal.self) { try await Restore.run(from: copy, to: elsewhere) }
      #expect(refusal?.message.english.contains(copy + ".sqlite-wal") == true)
    }
  }

  @Test func `what an interrupted restore left is removed by the next`() async throws {
    try await withBackup { copy, empty in
      try Files.makeFolder(empty.data + "/keys.partial")
      try Files.write("half", to: empty.data + "/keys.partial/node.key")
      try Files.write("half", to: empty.data + "/sanjiang.sqlite.partial")
      _ = try await Restore.run(from: copy, to: empty)
      #expect(try Files.names(in: empty.data) == ["keys", "sanjiang.sqlite"])
      await (try Node.open(empty)).close()
    }
  }

  @Test(.enabled(if: geteuid() == 0, "mounting a small disk needs root"))
  func `a full disk is told in words, leaves nothing behind, and the retry succeeds`() async throws {
    try await withBackup { copy, empty in
      try Files.makeFolder(empty.data)
      guard (try? Tool.run("/bin/mount", ["-t", "tmpfs", "-o", "size=300k", "tmpfs", empty.data])) != nil else {
        return
      }
      defer { _ = try? Tool.run("/bin/umount", [empty.data]) }
      for _ in 0..<2 {
        let refusal = await #expect(throws: Refusal.self) { try await Restore.run(from: copy, to: empty) }
        #expect(refusal?.message.english.contains("disk is full") == true, "\(refusal?.message.english ?? "")")
        #expect(try Files.names(in: empty.data) == [])
      }
      try Tool.run("/bin/mount", ["-o", "remount,size=20m", empty.data])
      _ = try await Restore.run(from: copy, to: empty)
      let node = try await Node.open(empty)
      await node.close()
    }
  }

  @Test func `somebody's own folder of the partial's name is left alone, an interrupted backup's is not`() async throws
  {
    try await withBackup { copy, empty in
      let (second, node) = (copy + "2", Files.folder(of: copy) + "/node")
      var settings = empty
      settings.data = node
      settings.database = "sqlite:\(node)/sanjiang.sqlite"
      try Files.makeFolder(second + ".partial")
      try Files.write("dear", to: second + ".partial/letter")
      #expect(throws: Refusal.self) { try Backup.make(of: settings, at: second, clock: .system) }
      #expect(try Files.names(in: second + ".partial") == ["letter"])
      try Files.remove(second + ".partial/letter")
      try Files.write("half", to: second + ".partial/database.sqlite")
      _ = try Backup.make(of: settings, at: second, clock: .system)
      #expect(!Files.stand(second + ".partial"))
      let lock = open(second, O_RDONLY)
      defer { close(lock) }
      try Files.move(second, to: second + "3.partial")
      #expect(flock(lock, LOCK_EX) == 0)
      let held = #expect(throws: Refusal.self) { try Backup.make(of: settings, at: second + "3", clock: .system) }
      #expect(held?.code == "backup.running")
    }
  }

  @Test func `the password of a PostgreSQL node is no argument of pg_dump or pg_restore`() async throws {
    try await withNode(.postgres) { node, _, _, folder in
      // Stands in front of the real tools and writes down how it was called.
      for tool in ["pg_dump", "pg_restore"] {
        let script = """
          #!/bin/sh
          echo "$PGPASSWORD" > \(folder)/\(tool).password
          echo "$@" > \(folder)/\(tool).arguments
          exec /usr/bin/\(tool) "$@"
          """
        try Files.write(script + "\n", to: folder + "/\(tool)")
        chmod(folder + "/\(tool)", 0o755)
      }
      let path = ["PATH": folder + ":/usr/bin:/bin"]
      let server = try PostgresServer.shared.get()
      let empty = try server.makeDatabase()
      defer { try? server.dropDatabase(empty) }
      let address = node.settings.database + " password='ge heim'"
      let made = try Program.run(
        ["backup", folder + "/copy", "--data", node.settings.data, "--database", address], environment: path)
      #expect(made.status == 0, "\(made.said)")
      let back = try Program.run(
        [
          "restore", folder + "/copy", "--data", folder + "/restored", "--database",
          server.address(of: empty) + " password='ge heim'",
        ],
        environment: path)
      #expect(back.status == 0, "\(back.said)")
      for tool in ["pg_dump", "pg_restore"] {
        #expect(try String(contentsOfFile: folder + "/\(tool).password", encoding: .utf8) == "ge heim\n")
        #expect(try !String(contentsOfFile: folder + "/\(tool).arguments", encoding: .utf8).contains("heim"))
      }
      let again = try Program.run(
        ["restore", folder + "/copy", "--data", folder + "/again", "--database", server.address(of: empty)])
      #expect(again.status == 1 && again.complained.contains("public.audit_"), "\(again.said)")
      #expect(!Files.stand(folder + "/again/keys"))
    }
  }
}
