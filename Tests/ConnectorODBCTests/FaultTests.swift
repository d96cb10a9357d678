import Connecting
import Foundation
import Kernel
import TestKit
import Testing

@testable import ConnectorODBC

@Suite struct FaultTests {
  private func plan(_ columns: [WritePlan.Column], fence: Int64 = 1) -> WritePlan {
    WritePlan(table: TableName("接收"), columns: columns, key: [0], stream: "g1", run: "r1", fence: fence)
  }

  private func batch(_ rows: [[String?]], _ columns: [WritePlan.Column]) -> RowBatch {
    let batch = RowBatch()
    for row in rows {
      batch.beginRow(fields: columns.count)
      for (value, column) in zip(row, columns) {
        guard let value else {
          batch.appendNull()
          continue
        }
        Array(value.utf8).withUnsafeBytes { CanonicalText(zone: 0).append($0, as: column.type, to: batch) }
      }
      batch.endRow()
    }
    return batch
  }

  private func record(_ batch: Int64, _ rows: Int) -> BatchRecord {
    BatchRecord(
      batch: batch, run: "r1", delivered: rows, quarantined: 0, bytes: 1, digest: String(repeating: "0", count: 64))
  }

  @Test func `a server that is killed while rows are read breaks the read, and it goes on behind the last row`()
    async throws
  {
    try await withPostgresServer(port: Int.random(in: 20_000...30_000)) { server in
      let source = try Source(on: server)
      try source.run(
        "CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT n, repeat('x', 500) FROM generate_series(1, 20000) n; CHECKPOINT"
      )
      let plan = source.plan("t", [("id", .integer), ("v", .text)])
      let reader = try source.connector.openReader(plan)
      let batch = RowBatch(capacity: RowBatch.smallest)
      _ = try reader.read(into: batch)
      var (count, position) = (batch.rowCount, reader.position)
      server.stop(.immediate)
      #expect { () throws in
        while try reader.read(into: batch) != .end {
          count += batch.rowCount
          position = reader.position
        }
      } throws: { ($0 as? ConnectorError)?.kind == .retryable }
      reader.close()
      #expect { try source.connector.probe() } throws: {
        ($0 as? ConnectorError)?.kind == .retryable && ($0 as? ConnectorError)?.code == "odbc.connect"
      }
      try server.start()
      var rest = plan
      rest.range = .full(after: position)
      #expect(try source.read(rest, capacity: 1 << 20).rows.count == 20_000 - count)
    }
  }

  @Test func `a server that dies while rows are written is reported as gone, and nothing half-written remains`()
    async throws
  {
    try await withPostgresServer(port: Int.random(in: 20_000...30_000)) { server in
      let source = try Source(on: server)
      let columns = [WritePlan.Column("id", .integer), .init("v", .text)]
      let writer = try ODBCWriter(plan(columns), source.address)
      _ = try writer.open()
      _ = try writer.write(batch((1...500).map { ["\($0)", "v"] }, columns), batch: 1, mode: .append)
      try writer.commit(record(1, 500), state: "one", durable: true)
      _ = try writer.write(batch((501...900).map { ["\($0)", "v"] }, columns), batch: 2, mode: .append)
      server.stop(.immediate)
      #expect { try writer.commit(record(2, 400), state: "two", durable: true) } throws: {
        ($0 as? ConnectorError)?.kind == .retryable
      }
      writer.rollback()
      writer.close()
      try server.start()
      let next = try ODBCWriter(plan(columns, fence: 2), source.address)
      #expect(try next.open() == StoredOffset(fence: 1, run: "r1", batch: 1, state: "one"))
      #expect(try source.rows("SELECT count(*), max(sj_batch) FROM public.\"接收\"") == [["500", "1"]])
    }
  }

  @Test func `a call that blocks in a server that answers no more is ended from another thread`() async throws {
    try await withPostgresServer(durable: false, port: Int.random(in: 20_000...30_000)) { server in
      let source = try Source(on: server)
      try source.run(
        "CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT n, repeat('x', 300) FROM generate_series(1, 20000) n"
      )
      let reader = try source.connector.openReader(source.plan("t", [("id", .integer), ("v", .text)]))
      _ = try reader.read(into: RowBatch(capacity: 1))
      // The backend that serves it stands still; the kernel still takes what is sent.
      let pid = try source.server.query(
        "SELECT pid FROM pg_stat_activity WHERE datname = '\(source.address.database ?? "")' AND query ILIKE '%fetch%' AND pid <> pg_backend_pid()",
        on: "postgres"
      ).split(separator: "\n").first.flatMap { Int32($0) }
      let backend = try #require(pid)
      kill(backend, SIGSTOP)
      defer { kill(backend, SIGCONT) }
      let interrupt = reader.interrupter
      BlockingThread.start {
        usleep(300_000)
        interrupt()
      }
      let begun = ContinuousClock.now
      #expect { while try reader.read(into: RowBatch()) != .end {} } throws: {
        ($0 as? ConnectorError)?.kind == .retryable && ($0 as? ConnectorError)?.code == "odbc.connection"
      }
      #expect(ContinuousClock.now - begun < .seconds(5))
      reader.close()
      interrupt()
      kill(backend, SIGCONT)
      #expect(try source.read(source.plan("t", [("id", .integer)]), capacity: 1 << 20).rows.count == 20_000)
    }
  }

  @Test func `a long statement of SQLite is ended from another thread`() async throws {
    try await withTemporaryFolder { folder in
      let path = folder + "/x.db"
      try Tool.run(
        "/usr/bin/sqlite3",
        [
          path,
          "CREATE VIEW endless AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) AS c FROM n",
        ])
      let connection = try ODBCConnection(ODBCAddress(driver: "SQLite3", database: path))
      let interrupt = connection.interrupter
      BlockingThread.start {
        usleep(300_000)
        interrupt()
      }
      let begun = ContinuousClock.now
      #expect(throws: ConnectorError.self) { try connection.run("SELECT c FROM endless") }
      #expect(ContinuousClock.now - begun < .seconds(10))
    }
  }

  @Test func `errors carry neither a row's values nor a secret`() async throws {
    let source = try Source()
    try source.run(
      "CREATE TABLE t (id int PRIMARY KEY, k varchar(20) UNIQUE, n int CHECK (n <> 424242)); INSERT INTO t VALUES (424242, 'geheim', 1); CREATE ROLE u LOGIN PASSWORD 'x'"
    )
    let connection = try ODBCConnection(source.address, .writing)
    for (sql, values) in [
      ("INSERT INTO public.t VALUES (424242, 'x', 1)", []), ("INSERT INTO public.t VALUES (2, 'geheim', 1)", []),
      ("INSERT INTO public.t VALUES (CAST(? AS int), 'y', 1)", [ODBCValue.text("geheim")]),
      ("INSERT INTO public.t VALUES (3, 'y', 424242)", []), ("SELECT CAST(? AS date)", [.text("geheim")]),
      ("INSERT INTO public.t VALUES (4, ?, 1)", [.text("geheimgeheimgeheimgeheim")]),
      ("SELECT 1 / (n - n), 424242 FROM public.t", []),
    ] {
      #expect { try connection.run(sql, values) } throws: { !"\($0)".contains("424242") && !"\($0)".contains("geheim") }
    }
    var wrong = source.address
    wrong.password = "geheim;x}{"
    wrong.user = "nobody"
    #expect { try ODBCConnection(wrong) } throws: {
      ($0 as? ConnectorError)?.kind == .permanent && !"\($0)".contains("geheim") && "\($0)".contains("nobody")
    }
    wrong.user = "postgres"
    wrong.database = "gibt_es_nicht"
    #expect { try ODBCConnection(wrong) } throws: {
      ($0 as? ConnectorError)?.kind == .permanent && !"\($0)".contains("geheim")
    }
    wrong.port = 1
    #expect { try ODBCConnection(wrong) } throws: { ($0 as? ConnectorError)?.kind == .retryable }
  }

  @Test func `a password of any characters is what the server is told`() async throws {
    try await withPostgresServer(durable: false, port: Int.random(in: 20_000...30_000)) { server in
      let source = try Source(on: server)
      let password = "a;b}c{d=e'f\"g 密码@%\\"
      try source.run("CREATE ROLE reader LOGIN PASSWORD '\(password.replacing("'", with: "''"))'")
      try "host all reader 127.0.0.1/32 scram-sha-256\nlocal all all trust\nhost all all 127.0.0.1/32 trust\n".write(
        toFile: server.folder + "/data/pg_hba.conf", atomically: false, encoding: .utf8)
      try source.run("SELECT pg_reload_conf()")
      usleep(300_000)
      var address = source.address
      (address.user, address.password) = ("reader", password)
      #expect(try ODBCConnection(address).run("SELECT current_user") == [["reader"]])
      // And an account that may only read is seen to be one.
      #expect(try ODBCConnector(address).probe().isReadOnly && !source.connector.probe().isReadOnly)
      address.password = password + "x"
      #expect { try ODBCConnection(address) } throws: {
        ($0 as? ConnectorError)?.kind == .permanent && !"\($0)".contains("密码")
      }
    }
  }

  @Test func `a platform node's own database is refused, by whichever driver`() async throws {
    let source = try Source()
    let tables =
      "CREATE TABLE audit_sequencer (x int); CREATE TABLE identity_person (x int); CREATE TABLE sharing_grant (x int)"
    try source.run(tables)
    #expect { try source.connector.probe() } throws: { ($0 as? ConnectorError)?.code == "odbc.node" }
    try await withTemporaryFolder { folder in
      try Tool.run("/usr/bin/sqlite3", [folder + "/x.db", tables])
      let connector = ODBCConnector(ODBCAddress(driver: "SQLite3", database: folder + "/x.db"))
      #expect { try connector.tables() } throws: { ($0 as? ConnectorError)?.code == "odbc.node" }
    }
  }

  @Test func `a row that fails in the middle of many leaves nothing of them`() throws {
    let source = try Source()
    let columns = [WritePlan.Column("id", .integer), .init("v", .text, length: 3)]
    let writer = try ODBCWriter(plan(columns), source.address)
    defer { writer.close() }
    _ = try writer.open()
    for count in [5, 250] {
      let rows = (1...count).map { ["\($0 == 4 ? 3 : $0)", "v"] as [String?] }
      #expect { try writer.write(batch(rows, columns), batch: 1, mode: .append) } throws: {
        ($0 as? ConnectorError)?.code == "odbc.23505" && ($0 as? ConnectorError)?.kind == .data
      }
      writer.rollback()
      #expect(try writer.isEmpty())
    }
    #expect { try writer.write(batch([["1", "长长长长"]], columns), batch: 1, mode: .append) } throws: {
      ($0 as? ConnectorError)?.kind == .data
    }
    writer.rollback()
    _ = try writer.write(batch((1...250).map { ["\($0)", "长"] }, columns), batch: 1, mode: .append)
    try writer.commit(record(1, 250), state: "s", durable: false)
    #expect(try source.rows("SELECT count(*), count(DISTINCT id) FROM public.\"接收\"") == [["250", "250"]])
  }

  @Test func `a target of either connector is one for the other`() throws {
    // Types, keys and records are the same: a target may be reached by its own client later.
    let source = try Source()
    let columns = [
      WritePlan.Column("id", .integer, comment: "编'号"), .init("v", .text, length: 9), .init("t", .text),
      .init("d", .decimal(precision: 18, scale: 2)),
      .init("f", .double), .init("b", .boolean), .init("day", .date), .init("at", .timestamp), .init("raw", .bytes),
    ]
    let writer = try ODBCWriter(plan(columns), source.address)
    _ = try writer.open()
    writer.close()
    #expect(
      try source.rows(
        "SELECT string_agg(format_type(atttypid, atttypmod), ' ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = 'public.\"接收\"'::regclass AND attnum > 0"
      ) == [
        [
          "bigint character varying(9) text numeric(18,2) double precision boolean date timestamp with time zone bytea bigint bigint timestamp with time zone"
        ]
      ])
    #expect(try source.connector.describe(TableName("接收")).column("id")?.comment == "编'号")
    for (sql, code) in [
      ("ALTER TABLE public.\"接收\" ADD extra int", "contract.target-column-extra"),
      (
        "ALTER TABLE public.\"接收\" DROP extra; ALTER TABLE public.\"接收\" ALTER v TYPE varchar(8)",
        "contract.target-column-type"
      ),
      ("ALTER TABLE public.\"接收\" DROP v", "contract.target-column-missing"),
    ] {
      try source.run(sql)
      #expect { try ODBCWriter(plan(columns), source.address).open() } throws: { ($0 as? ConnectorError)?.code == code }
    }
  }
}
