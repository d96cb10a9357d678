import Connecting
import Foundation
import Kernel
import TestKit
import Testing

@testable import ConnectorMariaDB

@Suite struct ConnectionTests {
  @Test(arguments: [
    ("host", "10.1.2.3", true), ("host", "db.qh.gov.cn", true), ("host", "fe80::1", true),
    ("host", "a,b", false), ("host", "repl://x", false), ("host", "host=x;plugin_dir=/tmp", false),
    ("host", "/run/s", false),
    ("host", "a:1", false), ("port", "3306", true), ("port", "0", false), ("port", "x", false), ("port", "", true),
    ("database", "registry", true), ("database", "mysql", false), ("database", "Information_Schema", false),
    ("tls", "verify", true), ("tls", "off", true), ("tls", "no", false), ("zone", "+08:00", true),
    ("zone", "Peking", false),
    ("authority", "/etc/passwd", false),
    ("authority", "-----BEGIN CERTIFICATE----- AAAA BBBB -----END CERTIFICATE-----", true),
    ("authority", "-----BEGIN CERTIFICATE-----\n../x\n-----END CERTIFICATE-----", false),
    ("authority", "-----BEGIN CERTIFICATE-----\n\u{0}\n-----END CERTIFICATE-----", false),
  ])
  func `settings name the other side and nothing of this machine`(name: String, value: String, isGood: Bool) {
    var settings = ["host": "h", "database": "d", "user": "u"]
    settings[name] = value
    let faults = MariaDBConnector.kind.check(settings)
    #expect(faults.isEmpty == isGood)
    #expect(faults.allSatisfy { $0.setting == name })
    if !isGood { #expect(throws: ConnectorError.self) { try MariaDBConnector.kind.open(settings) } }
  }

  @Test(arguments: [
    ("名称", true), (String(repeating: "名", count: 64), true), (String(repeating: "名", count: 65), false), ("a ", false),
    ("😀", false), ("", false), ("sj_row", false),
  ])
  func `a name that cannot be made there is refused`(name: String, isGood: Bool) {
    #expect((MariaDBConnector.kind.nameFault(name) == nil) == isGood)
  }

  @Test func `no file of this machine is ever sent, whatever the server asks for`() throws {
    let source = try Source()
    try source.run("CREATE TABLE t (line text)")
    for purpose in [MariaDBConnection.Purpose.reading, .writing] {
      let connection = try MariaDBConnection(source.address, purpose)
      #expect(throws: ConnectorError.self) {
        try connection.run("LOAD DATA LOCAL INFILE '/etc/passwd' INTO TABLE t")
      }
    }
    #expect(try source.rows("SELECT count(*) FROM t") == [["0"]])
    // And nothing that is not ours is read in: a folder's .my.cnf changes nothing.
    #expect(
      try MariaDBConnection(source.address).run("SELECT @@character_set_client, @@sql_mode LIKE '%NO_BACKSLASH%'") == [
        ["utf8mb4", "1"]
      ])
  }

  @Test func `errors never carry a row's values`() throws {
    let source = try Source()
    try source.run(
      "CREATE TABLE t (id int PRIMARY KEY, k varchar(20) UNIQUE, n int CHECK (n <> 424242)); INSERT INTO t VALUES (424242, 'geheim', 1)"
    )
    let connection = try MariaDBConnection(source.address, .writing)
    for sql in [
      "INSERT INTO t VALUES (424242, 'x', 1)", "INSERT INTO t VALUES (2, 'geheim', 1)",
      "INSERT INTO t VALUES ('geheim', 'y', 1)",
      "INSERT INTO t VALUES (3, 'y', 424242)", "SELECT geheim(",
      "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'geheim 424242'",
      "INSERT INTO t VALUES (4, 'geheimgeheimgeheimgeheim', 1)", "SELECT extractvalue('<a/>', '424242(')",
      "SELECT exp(424242)",
    ] {
      #expect { try connection.run(sql) } throws: { !"\($0)".contains("424242") && !"\($0)".contains("geheim") }
    }
  }

  @Test(arguments: [
    (UInt32(1213), "40001", ConnectorError.Kind.retryable), (1205, "HY000", .retryable), (1021, "HY000", .retryable),
    (1114, "HY000", .retryable), (2006, "HY000", .retryable), (2013, "HY000", .retryable), (2002, "HY000", .retryable),
    (1040, "08004", .retryable), (1053, "08S01", .retryable), (9007, "HY000", .retryable), (1290, "HY000", .permanent),
    (1792, "25006", .permanent), (1045, "28000", .permanent), (1044, "42000", .permanent), (1142, "42000", .permanent),
    (1049, "42000", .permanent), (2026, "HY000", .permanent), (1064, "42000", .permanent), (1146, "42S02", .contract),
    (1054, "42S22", .contract), (1062, "23000", .data), (1366, "22007", .data), (1406, "22001", .data),
    (1264, "22003", .data),
  ])
  func `a number says what happens next`(number: UInt32, state: String, kind: ConnectorError.Kind) {
    #expect(MariaDBConnection.error(number, state: state, said: "x").kind == kind)
  }

  @Test(arguments: [("a'b", "'a''b'"), ("a\\b", "'a\\b'"), ("", "''"), ("\\'", "'\\'''")])
  func `a literal cannot be left`(text: String, quoted: String) throws {
    #expect(MariaDBQuote.text(text) == quoted)
    let connection = try MariaDBConnection(try Source().address)
    #expect(
      try connection.run(
        "SELECT \(quoted), `\(MariaDBQuote.name("a`b").dropFirst().dropLast())` FROM (SELECT 1 AS \(MariaDBQuote.name("a`b"))) x"
      ) == [[text, "1"]])
  }

  @Test func `a lock that is not free is tried again later, and so is one side of a deadlock`() async throws {
    let source = try Source()
    try source.run("CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t VALUES (1, 1)")
    let (a, b) = (try MariaDBConnection(source.address, .writing), try MariaDBConnection(source.address, .writing))
    try a.run("START TRANSACTION")
    try a.run("UPDATE t SET n = 2 WHERE id = 1")
    try b.run("SET SESSION innodb_lock_wait_timeout = 1")
    #expect { try b.run("UPDATE t SET n = 3 WHERE id = 1") } throws: {
      ($0 as? ConnectorError)?.kind == .retryable && ($0 as? ConnectorError)?.code == "mariadb.1205"
    }
  }

  @Test func `a statement may take longer than connecting may`() throws {
    let connection = try MariaDBConnection(try Source().address)
    #expect(try connection.run("SELECT SLEEP(16)") == [["0"]])
  }

  @Test func `a server that answers no more is given up on, and a call that blocks can be ended`() async throws {
    try await withMariaDBServer(durable: false) { server in
      let source = try Source(on: server)
      try source.run("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT seq FROM seq_1_to_100000")
      let reader = try source.connector.openReader(source.plan("t", [("id", .integer)]))
      _ = try reader.read(into: RowBatch(capacity: 1))
      server.freeze()
      let begun = ContinuousClock.now
      #expect { try source.connector.probe() } throws: { ($0 as? ConnectorError)?.kind == .retryable }
      #expect(ContinuousClock.now - begun < .seconds(30))
      let interrupt = reader.interrupter
      BlockingThread.start {
        usleep(300_000)
        interrupt()
      }
      #expect(throws: ConnectorError.self) {
        while try reader.read(into: RowBatch()) != .end {}
      }
      reader.close()
      server.thaw()
      #expect(throws: Never.self) { try source.connector.probe() }
    }
  }

  @Test func `a server that is killed while rows are read breaks the read, and it goes on behind the last row`()
    async throws
  {
    try await withMariaDBServer { server in
      let source = try Source(on: server)
      try source.run(
        "CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT seq, repeat('x', 500) FROM seq_1_to_50000")
      let plan = source.plan("t", [("id", .integer), ("v", .text)])
      let reader = try source.connector.openReader(plan)
      let batch = RowBatch(capacity: RowBatch.smallest)
      _ = try reader.read(into: batch)
      var (count, position) = (batch.rowCount, reader.position)
      server.stop(.kill)
      #expect { () throws in
        while try reader.read(into: batch) != .end {
          count += batch.rowCount
          position = reader.position
        }
      } throws: { ($0 as? ConnectorError)?.kind == .retryable }
      reader.close()
      try server.start()
      var rest = plan
      rest.range = .full(after: position)
      #expect(try source.read(rest, capacity: 1 << 20).rows.count == 50_000 - count)
    }
  }

  @Test func `encryption is verified unless someone says otherwise`() async throws {
    try await withTemporaryFolder { folder in
      try Tool.run(
        "/bin/sh",
        [
          "-c",
          """
          cd '\(folder)' && openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=authority -keyout ca.key -out ca.pem 2>/dev/null
          openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=other -keyout other.key -out other.pem 2>/dev/null
          for name in 127.0.0.2 elsewhere; do
            openssl req -newkey rsa:2048 -nodes -subj /CN=$name -keyout $name.key -out $name.csr 2>/dev/null
            openssl x509 -req -in $name.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -out $name.pem 2>/dev/null
          done
          chmod a+rx . ; chmod a+r *
          """,
        ])
      func text(_ name: String) throws -> String { try String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8) }
      let (authority, other) = (try text("ca.pem"), try text("other.pem"))
      for (certificate, isRight) in [("127.0.0.2", true), ("elsewhere", false)] {
        let port = Int.random(in: 20_000...30_000)
        try await withMariaDBServer(
          durable: false,
          settings: [
            "--bind-address=127.0.0.2", "--port=\(port)", "--ssl-cert=\(folder)/\(certificate).pem",
            "--ssl-key=\(folder)/\(certificate).key",
          ]
        ) { server in
          let database = try server.makeDatabase()
          try server.query("CREATE USER u IDENTIFIED BY 'geheim'; GRANT ALL ON \(database).* TO u", on: database)
          func probe(_ change: (inout MariaDBAddress) -> Void) throws -> ConnectorProbe {
            var address = MariaDBAddress(
              host: "127.0.0.2", port: port, database: database, user: "u", password: "geheim")
            change(&address)
            return try MariaDBConnector(address).probe()
          }
          func isRefused(_ error: any Error) -> Bool {
            (error as? ConnectorError)?.kind == .permanent && !"\(error)".contains("geheim")
          }
          if isRight {
            #expect(try probe { $0.authority = authority }.isProtected)
          } else {
            #expect { try probe { $0.authority = authority } } throws: { isRefused($0) }
          }
          #expect { try probe { _ in } } throws: { isRefused($0) }
          #expect { try probe { $0.authority = other } } throws: { isRefused($0) }
          #expect(try probe { $0.encryption = .encrypt }.isProtected)
          #expect(try probe { $0.encryption = .off }.isProtected == false)
        }
      }
      // A server that cannot encrypt is not spoken to, unless plain text is meant.
      let port = Int.random(in: 20_000...30_000)
      try await withMariaDBServer(
        durable: false, settings: ["--bind-address=127.0.0.2", "--port=\(port)", "--skip-ssl"]
      ) { server in
        let database = try server.makeDatabase()
        try server.query("CREATE USER u IDENTIFIED BY 'geheim'; GRANT ALL ON \(database).* TO u", on: database)
        for encryption in [nil, MariaDBAddress.Encryption.encrypt] {
          let address = MariaDBAddress(
            host: "127.0.0.2", port: port, database: database, user: "u", password: "geheim", encryption: encryption)
          #expect { try MariaDBConnector(address).probe() } throws: { ($0 as? ConnectorError)?.kind == .permanent }
        }
      }
    }
  }
}
