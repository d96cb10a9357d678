import Connecting
import Foundation
import Kernel
import TestKit
import Testing

@testable import ConnectorMariaDB

@Suite struct ChangeFaultsTests {
  private static func withLoggingServer(
    _ settings: [String] = [], _ body: @escaping (MariaDBServer) async throws -> Void
  ) async throws {
    try await withMariaDBServer(durable: false, settings: ["--skip-networking"] + MariaDBServer.logs + settings) {
      server in
      try await body(server)
    }
  }

  /// The server notices that a reader is gone when it next has something for it, and keeps the file till then.
  private static func endReaders(_ server: MariaDBServer) throws {
    let readers = try server.query(
      "SELECT ID FROM information_schema.PROCESSLIST WHERE COMMAND = 'Binlog Dump'", on: "mysql")
    for reader in readers.split(separator: "\n") { _ = try? server.query("KILL \(reader)", on: "mysql") }
    for _ in 0..<100 {
      guard
        try server.query(
          "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE COMMAND = 'Binlog Dump'", on: "mysql"
        ).hasPrefix("0") == false
      else { return }
      usleep(50_000)
    }
  }

  // MARK: Another shape

  @Test(arguments: [
    "ALTER TABLE t ADD COLUMN w int", "ALTER TABLE t ADD COLUMN w text DEFAULT 'x' FIRST, ALGORITHM = COPY",
    "ALTER TABLE t ADD INDEX (v)", "ALTER TABLE t FORCE",
    "ALTER TABLE t COMMENT = 'person'", "ALTER TABLE t MODIFY x bigint", "ALTER TABLE t DROP COLUMN x",
    "OPTIMIZE TABLE t", "CREATE TABLE t_old LIKE t", "RENAME TABLE other TO another",
    "ALTER TABLE t ALTER COLUMN v SET DEFAULT 'y'", "CREATE TRIGGER r BEFORE INSERT ON t FOR EACH ROW SET NEW.x = 1",
  ])
  func `what leaves the granted columns alone is no matter`(change: String) throws {
    let source = try Source.logging()
    try source.run("CREATE TABLE t (id int PRIMARY KEY, x int, v varchar(40)); CREATE TABLE other (id int)")
    let following = try Following(source, source.changePlan("t", Source.pair))
    defer { following.reader.close() }
    try source.run("INSERT INTO t (id, v) VALUES (1, 'before'); \(change); INSERT INTO t (id, v) VALUES (2, 'after')")
    #expect(try following.written() == ["+1 before", "+2 after"])
  }

  @Test(arguments: [
    ("ALTER TABLE t DROP COLUMN v", "contract.column-missing"),
    ("SET sql_mode = ''; ALTER TABLE t MODIFY v int", "contract.column-type"),
    ("ALTER TABLE t CHANGE v w varchar(40)", "contract.column-missing"),
    ("ALTER TABLE t MODIFY v varbinary(40)", "contract.column-type"),
    ("SET sql_mode = ''; ALTER TABLE t MODIFY v varchar(3)", "contract.changes-lost"),
    ("ALTER TABLE t CONVERT TO CHARACTER SET gbk", "contract.changes-lost"),
    ("ALTER TABLE t DROP COLUMN v, ADD COLUMN v text", "contract.changes-lost"),
    ("ALTER TABLE t PARTITION BY HASH (id) PARTITIONS 2", "contract.changes-lost"),
    ("ALTER TABLE t DROP PRIMARY KEY", "contract.changes-identity"),
    ("ALTER TABLE t ADD SYSTEM VERSIONING", "contract.changes-versioned"),
    ("DROP TABLE t", "contract.table-missing"),
    (
      "DROP TABLE t; CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (2, 'x')",
      "contract.changes-lost"
    ),
    ("CREATE OR REPLACE TABLE t (id int PRIMARY KEY, v text)", "contract.changes-lost"),
    ("CREATE TABLE n LIKE t; RENAME TABLE t TO o, n TO t", "contract.changes-lost"),
    ("SET binlog_format = STATEMENT; UPDATE t SET v = 'as a statement'", "contract.changes-lost"),
    ("SET binlog_row_image = MINIMAL; UPDATE t SET v = 'x'", "contract.changes-image"),
  ])
  func `what came before a change of shape is given, and then the reason why nothing follows`(
    change: String, code: String
  ) throws {
    let source = try Source.logging()
    let following = try source.followed()
    try source.run("INSERT INTO t VALUES (1, 'before'); \(change)")
    let batch = ChangeBatch(capacity: 1 << 20)
    for _ in 0..<100 where batch.isEmpty { _ = try following.reader.read(into: batch, within: .milliseconds(100)) }
    #expect(batch.rows.rowCount == 1)
    let position = following.reader.position
    #expect { for _ in 0..<100 { _ = try following.reader.read(into: batch, within: .milliseconds(100)) } } throws: {
      ($0 as? ConnectorError)?.code == code
    }
    #expect(following.reader.position == position)
    following.reader.close()
  }

  // MARK: The server's log

  @Test func `a log that was removed, or begun anew, is lost and not guessed`() async throws {
    try await Self.withLoggingServer { server in
      let source = try Source(on: server)
      let following = try source.followed()
      try source.run("INSERT INTO t VALUES (1, 'a')")
      #expect(try following.changes().count == 1)
      let position = following.reader.position
      following.reader.close()
      // What is behind the place may go.
      try source.run("FLUSH BINARY LOGS; FLUSH BINARY LOGS; PURGE BINARY LOGS TO 'binlog.000003'")
      let same = try Following(source, following.plan, after: position)
      #expect(try same.changes().isEmpty)
      same.reader.close()
      try Self.endReaders(server)
      try source.run("INSERT INTO t VALUES (2, 'b'); FLUSH BINARY LOGS")
      // The server keeps a file for a while for its own recovery.
      for _ in 0..<100 where try source.rows("SHOW BINARY LOGS").count > 1 {
        try source.run("PURGE BINARY LOGS TO 'binlog.000004'")
        usleep(100_000)
      }
      #expect(throws: ConnectorError.changesLost) { try Following(source, following.plan, after: position) }
      let anew = try Following(source, following.plan)
      let later = anew.reader.position
      anew.reader.close()
      try source.run("RESET MASTER")
      #expect(throws: ConnectorError.changesLost) { try Following(source, following.plan, after: later) }
      // Come to the same numbers and farther.
      for id in 10..<60 { try source.run("INSERT INTO t VALUES (\(id), 'c')") }
      try source.run(
        "FLUSH BINARY LOGS; FLUSH BINARY LOGS; FLUSH BINARY LOGS; FLUSH BINARY LOGS; INSERT INTO t VALUES (100, 'd')")
      #expect(throws: ConnectorError.changesLost) { try Following(source, following.plan, after: later) }
      #expect(throws: ConnectorError.changesLost) { try Following(source, following.plan, after: [1, 2, 3]) }
    }
  }

  @Test func `another server that has taken over goes on by the transactions' names`() async throws {
    try await Self.withLoggingServer { server in
      let source = try Source(on: server)
      let following = try source.followed()
      try source.run("INSERT INTO t VALUES (1, 'a'), (2, 'b')")
      let batches = try following.read(capacity: 1)
      _ = try following.changes()
      let (within, position) = (batches[0].position, following.reader.position)
      following.reader.close()
      try source.run("SET GLOBAL server_id = 8; INSERT INTO t VALUES (3, 'c')")
      let later = try Following(source, following.plan, after: position)
      #expect(try later.written() == ["+3 c"])
      let moved = later.reader.position
      later.reader.close()
      #expect(try Following(source, following.plan, after: moved).written() == [])
      // Within a transaction nobody knows whether the other server has its rows in the same order.
      #expect(throws: ConnectorError.changesLost) { try Following(source, following.plan, after: within) }
    }
  }

  @Test func `a checksum that changes, compression and a server's restart are no matter`() async throws {
    try await Self.withLoggingServer { server in
      let source = try Source(on: server)
      let following = try source.followed()
      var expected: [String] = []
      for (id, change) in [
        "SET GLOBAL binlog_checksum = NONE", "SET GLOBAL log_bin_compress = 1, log_bin_compress_min_len = 10",
        "SET GLOBAL binlog_checksum = CRC32",
        "FLUSH BINARY LOGS", "SET GLOBAL log_bin_compress = 0", "SET GLOBAL binlog_annotate_row_events = 0",
      ].enumerated() {
        let text = String(repeating: "x", count: 40)
        try source.run(
          "\(change); INSERT INTO t VALUES (\(id), '\(text)'); UPDATE t SET v = reverse(v) WHERE id < 0; DELETE FROM t WHERE id = \(id)"
        )
        expected += ["+\(id) \(text)", "-\(id)"]
      }
      #expect(try following.written() == expected)
      let position = following.reader.position
      following.reader.close()
      try source.run("INSERT INTO t VALUES (90, 'a')")
      server.stop(.kill)
      try server.start()
      try source.run("INSERT INTO t VALUES (91, 'b')")
      let later = try Following(source, following.plan, after: position)
      defer { later.reader.close() }
      #expect(try later.written() == ["+90 a", "+91 b"])
    }
  }

  // MARK: Connections

  @Test func `a reader that was cut off is ended by the next of its stream, and not by another's`() throws {
    let source = try Source.logging()
    let first = try source.followed()
    defer { first.reader.close() }
    let other = try Following(source, source.changePlan("t", Source.pair))
    defer { other.reader.close() }
    let second = try Following(source, first.plan, after: first.reader.position)
    defer { second.reader.close() }
    try source.run("INSERT INTO t VALUES (1, 'a')")
    #expect(try second.written() == ["+1 a"] && other.written() == ["+1 a"])
    #expect { _ = try first.written() } throws: { ($0 as? ConnectorError)?.kind == .retryable }
  }

  @Test func `waiting ends when it is interrupted, and when the server dies`() async throws {
    try await Self.withLoggingServer { server in
      let source = try Source(on: server)
      let following = try source.followed()
      let batch = ChangeBatch(capacity: 1 << 20)
      let interrupt = following.reader.interrupter
      BlockingThread.start {
        usleep(300_000)
        interrupt()
      }
      var begun = ContinuousClock.now
      #expect { while true { _ = try following.reader.read(into: batch, within: .seconds(20)) } } throws: {
        ($0 as? ConnectorError)?.kind == .retryable
      }
      #expect(ContinuousClock.now - begun < .seconds(5))
      following.reader.close()
      let second = try Following(source, following.plan)
      BlockingThread.start {
        usleep(300_000)
        server.stop(.kill)
      }
      begun = .now
      #expect { while true { _ = try second.reader.read(into: batch, within: .seconds(20)) } } throws: {
        ($0 as? ConnectorError)?.kind == .retryable
      }
      #expect(ContinuousClock.now - begun < .seconds(10))
      second.reader.close()
    }
  }

  @Test func `a reader that nobody reads from holds no more than its queue`() throws {
    let source = try Source.logging()
    let following = try source.followed()
    try source.run("INSERT INTO t SELECT seq, repeat('x', 40) FROM seq_1_to_300000")
    usleep(500_000)
    // Left in the middle of it: closing does not wait for the rest.
    _ = try following.read(capacity: RowBatch.smallest) { $0 == 1 }
    let begun = ContinuousClock.now
    following.reader.close()
    #expect(ContinuousClock.now - begun < .seconds(3))
  }

  @Test(arguments: [
    (
      UInt32(1236),
      "Could not find GTID state requested by slave in any binlog files. Probably the slave state is too old and required binlog files have been purged.",
      "contract.changes-lost"
    ),
    (1236, "Client requested master to start replication from impossible position", "contract.changes-lost"),
    (1236, "binlog truncated in the middle of event; consider out of disk space on master", "mariadb.1236"),
    (1236, "event read from binlog did not pass crc check", "mariadb.1236"),
    (1236, "log event entry exceeded max_allowed_packet; Increase max_allowed_packet on master", "mariadb.packet"),
    (1227, "Access denied", "contract.changes-right"), (0, "", "mariadb.connection"),
    (2013, "Lost connection", "mariadb.connection"),
    (4052, "same id", "mariadb.connection"), (1317, "interrupted", "mariadb.1317"),
  ])
  func `the end of a log says what happens next`(number: UInt32, said: String, code: String) {
    #expect(MariaDBLog.failure(number, state: "HY000", said: said).code == code)
  }
}
