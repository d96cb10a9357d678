import Audit
import CSQLite
import Foundation
import Identity
import Kernel
import Storage
import StorageSQLite
import TestKit
import Testing

@testable import App

/// What an operator may get wrong, or have interrupted.
@Suite(.serialized) struct CommandTests {
  static let wrongUsage: [([String], String)] = [
    (["serve", "--port", "abc"], "The setting port (from --port)"),
    (["serve", "--port", "99999"], "a whole number from 0 to 65535"),
    (["exchange", "run", "--grant", "xx"], "not a grant's id"),
    (["exchange", "run"], "Usage: sanjiang exchange run"),
    (["audit", "verify", "--nonsense"], "Usage: sanjiang audit verify"),
    (["audit", "verify", "--checkpoint", "/nowhere"], "Cannot read the file /nowhere"),
    (["no-such-command"], "sanjiang"),
  ]

  @Test(arguments: wrongUsage)
  func `wrong usage ends with 2 and says what was meant`(arguments: [String], words: String) throws {
    let answer = try Program.run(arguments)
    #expect(answer.status == 2 && answer.complained.contains(words), "\(answer.said)")
  }

  @Test(arguments: [
    ("data:\n  x: y\n", "The setting data (from sanjiang.yaml)"),
    ("database:\n", "The setting database (from sanjiang.yaml)"),
    ("database: \"  \"\n", "is empty"), ("port: [1, 2]\n", "The setting port"), ("data: 2026-01-01\n", "not a list"),
    ("data: \"x\nport: [\n", "sanjiang.yaml is not correct YAML near line"), ("just words\n", "a list of key: value"),
    ("log-level: loud\n", "The setting log-level (from sanjiang.yaml)"),
  ])
  func `a setting that is no setting is refused by its name and its file`(text: String, words: String) async throws {
    try await withTemporaryFolder { folder in
      try Data(text.utf8).write(to: URL(fileURLWithPath: folder + "/sanjiang.yaml"))
      let answer = try Program.run(["migrate"], in: folder)
      #expect(answer.status == 2 && answer.complained.contains(words), "\(answer.said)")
      let left = try FileManager.default.contentsOfDirectory(atPath: folder)
      #expect(left == ["sanjiang.yaml"])
    }
  }

  @Test func `an empty variable is refused, and lists may be empty or several`() async throws {
    try await withTemporaryFolder { folder in
      for name in ["SANJIANG_DATA", "SANJIANG_CONFIG"] {
        let answer = try Program.run(["migrate"], in: folder, environment: [name: ""])
        #expect(answer.status == 2 && answer.complained.contains("from \(name)) is empty"), "\(answer.said)")
      }
      let file = folder + "/lists.yaml"
      try Data("trusted-proxy: [10.0.0.1, 10.0.0.2]\nsource-folders:\nsecond-factor: yes\n".utf8)
        .write(to: URL(fileURLWithPath: file))
      let settings = try Settings(.init(file: file))
      #expect(settings.trustedProxies == ["10.0.0.1", "10.0.0.2"])
      #expect(settings.sourceFolders.isEmpty && settings.secondFactorForStaff)
    }
  }

  @Test func `the database is shown without its password, however the address is written`() throws {
    for address in [
      "host=/run/pg dbname=records user=bob password=geheim", "postgres://bob:geheim@db1/records",
      "postgres://db1/records?user=bob&password=geheim", "postgres://bob:ge@heim@db1/records", "password=geheim",
    ] {
      let shown = try Settings(.init(flags: ["database": address])).databaseForDisplay
      #expect(!shown.contains("heim") && shown.hasPrefix("PostgreSQL"), "\(shown)")
    }
    let file = try Settings(.init(flags: ["database": "sqlite:/x/y@z"])).databaseForDisplay
    #expect(file == "sqlite:/x/y@z")
  }

  @Test(arguments: [["migrate"], ["audit", "verify"], ["backup", "copy"], ["worker"]])
  func `where there is no node, nothing is made`(command: [String]) async throws {
    try await withTemporaryFolder { folder in
      let answer = try Program.run(command + ["--data", "typo"], in: folder)
      #expect(answer.status == 1 && answer.complained.contains("run sanjiang init"), "\(answer.said)")
      let made = try Program.run(["init", "--data", "node"], in: folder)
      #expect(made.status == 0)
      let elsewhere = try Program.run(command + ["--data", "node", "--database", "sqlite:typo.sqlite"], in: folder)
      #expect(elsewhere.status == 1 && elsewhere.complained.contains("no database typo.sqlite"), "\(elsewhere.said)")
      let left = try FileManager.default.contentsOfDirectory(atPath: folder)
      #expect(left == ["node"])
    }
  }

  /// The three administrators' passwords as `init` printed them, or nothing.
  private func accounts(_ answer: Program.Answer) -> Int {
    answer.printed.split(separator: "\n").count { $0.hasPrefix("  ") }
  }

  @Test func `an init killed at any moment goes on when it is run again, and shows all passwords`() async throws {
    try await withTemporaryFolder { folder in
      var (patience, kills, shown) = (UInt32(20_000), 0, 0)
      while kills < 40 {
        let data = folder + "/\(kills)"
        let program = try Program(["init", "--data", data])
        usleep(patience)
        program.signal(SIGKILL)
        let first = try program.wait()
        shown = accounts(first)
        let again = try Program.run(["init", "--data", data])
        if shown == 0, again.status == 0 { #expect(accounts(again) == 3) }
        let settings = try Settings(.init(flags: ["data": data]))
        let database = try SQLiteDatabase(path: settings.sqlitePath ?? "")
        let people = try await database.read { try $0.int("SELECT COUNT(*) FROM identity_person") ?? 0 }
        await database.close()
        #expect(people == 3, "\(again.said)")
        #expect(again.status == 0 || shown == 3 || again.complained.contains("people rescue"), "\(again.said)")
        kills += 1
        if shown == 3 { break }
        patience += patience / 5
      }
      #expect(kills > 5 && shown == 3)
    }
  }

  @Test func `an init killed while its database was being made rolls the journal back and goes on`() async throws {
    try await withTemporaryFolder { folder in
      let data = folder + "/node"
      try FileManager.default.createDirectory(atPath: data, withIntermediateDirectories: true)
      try Data().write(to: URL(fileURLWithPath: data + "/init.unfinished"))
      let made = folder + "/made.sqlite"
      var handle: OpaquePointer?
      #expect(sqlite3_open(made, &handle) == SQLITE_OK)
      defer { sqlite3_close_v2(handle) }
      let fill = String(repeating: "INSERT INTO halfway VALUES (zeroblob(500));", count: 300)
      let script = "CREATE TABLE halfway(a); PRAGMA cache_size = 1; BEGIN;" + fill
      #expect(sqlite3_exec(handle, script, nil, nil, nil) == SQLITE_OK)
      for end in ["", "-journal"] {
        try FileManager.default.copyItem(atPath: made + end, toPath: data + "/sanjiang.sqlite" + end)
      }
      let again = try Program.run(["init", "--data", data])
      #expect(again.status == 0 && accounts(again) == 3, "\(again.said)")
    }
  }

  @Test(arguments: Engine.allCases)
  func `a database that has people is refused before anything is touched`(engine: Engine) async throws {
    try await withNode(engine) { node, _, _, folder in
      var settings = node.settings
      settings.data = folder + "/another"
      let other = settings
      let refusal = await #expect(throws: Refusal.self) { try await InitCommand.make(other, clock: .system) }
      #expect(refusal?.code == "init.people")
      #expect(!Files.stand(settings.data))
      let same = node.settings
      let again = await #expect(throws: Refusal.self) { try await InitCommand.make(same, clock: .system) }
      #expect(again?.code == "init.exists")
    }
  }

  @Test func `an erasure by the command line is told of by verification in words`() async throws {
    try await withTemporaryFolder { folder in
      let data = ["--data", folder + "/node"]
      #expect(try Program.run(["init"] + data).status == 0)
      let database = folder + "/node/sanjiang.sqlite"
      let id = try Tool.run("/usr/bin/sqlite3", [database, "SELECT min(id) FROM audit_record"])
        .trimmingCharacters(in: .whitespacesAndNewlines)
      let short = try Program.run(["audit", "erase", id, "--reason", "x"] + data)
      #expect(short.status == 1)
      let erased = try Program.run(["audit", "erase", id, "--reason", "asked for by the person"] + data)
      #expect(erased.status == 0, "\(erased.said)")
      let verified = try Program.run(["audit", "verify"] + data)
      #expect(verified.status == 0 && verified.printed.contains("holds: 4 records"), "\(verified.said)")
      #expect(verified.printed.contains("The content of 1 records was erased"))
      try Tool.run("/usr/bin/sqlite3", [database, "DELETE FROM audit_payload"])
      let gone = try Program.run(["audit", "verify", "--json"] + data)
      #expect(gone.status == 1 && gone.printed.contains("no record tells of an erasure"), "\(gone.said)")
    }
  }

  @Test func `records that nobody gave leaves are a fault after a minute, and verify can sequence them first`()
    async throws
  {
    try await withTemporaryFolder { folder in
      let settings = try Settings(.init(flags: ["data": folder + "/node"]))
      // Made two minutes ago, and nobody has sequenced since.
      let then = Clock { Clock.system.now() - .seconds(120) }
      _ = try await InitCommand.make(settings, clock: then)
      let node = try await Node.open(settings, clock: then)
      _ = try await node.people.createForNode(
        .init(
          login: "late", name: "迟",
          organisation: try #require(
            try await node.database.read {
              try OrganisationStore.named("青海省人民政府办公厅", on: then.now().dateInChina, in: $0)
            }
          ).id, roles: [.clerk]))
      await node.database.close()
      let data = ["--data", settings.data]
      let late = try Program.run(["audit", "verify", "--json"] + data)
      #expect(late.status == 1 && late.printed.contains("1 records have waited"), "\(late.said)")
      let helped = try Program.run(["audit", "verify", "--sequence"] + data)
      #expect(helped.status == 0 && helped.printed.contains("holds: 4 records"), "\(helped.said)")
    }
  }

  @Test func `a database newer than the program is refused in both languages`() async throws {
    try await withTemporaryFolder { folder in
      #expect(try Program.run(["init", "--data", "node"], in: folder).status == 0)
      try Tool.run(
        "/usr/bin/sqlite3",
        [folder + "/node/sanjiang.sqlite", "INSERT INTO storage_migration VALUES ('audit', '999 later', 'x')"])
      for (language, words) in [("zh_CN", "请换用那个版本"), ("en", "use that version")] {
        let answer = try Program.run(
          ["migrate", "--data", "node"], in: folder, environment: ["SANJIANG_LANG": language])
        #expect(answer.status == 1 && answer.complained.contains(words) && answer.complained.contains("999 later"))
      }
    }
  }
}
