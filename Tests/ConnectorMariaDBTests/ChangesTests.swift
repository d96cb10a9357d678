import Connecting
import Foundation
import Kernel
import TestKit
import Testing

@testable import ConnectorMariaDB

@Suite struct ChangesTests {
  @Test func `what is committed comes in its order, and nothing else`() throws {
    let source = try Source.logging()
    try source.run(
      """
      CREATE TABLE other (id int PRIMARY KEY, v text); CREATE TABLE T (id int PRIMARY KEY, v text); CREATE TABLE m (id int) ENGINE = MyISAM;
      CREATE DATABASE IF NOT EXISTS elsewhere; CREATE OR REPLACE TABLE elsewhere.t (id int PRIMARY KEY, v text)
      """)
    let following = try source.followed("(1, 'before')")
    defer { following.reader.close() }
    #expect(try following.written() == [])
    #expect(following.reader.committedAt == nil)
    try source.run(
      """
      INSERT INTO t VALUES (2, '二'), (3, NULL); INSERT INTO other VALUES (1, 'x'); INSERT INTO T VALUES (8, 'x'); INSERT INTO m VALUES (1);
      INSERT INTO elsewhere.t VALUES (9, 'x'); UPDATE t SET v = 'changed' WHERE id = 2; UPDATE t SET v = 'changed' WHERE id = 2;
      UPDATE t SET id = 20, v = 'moved' WHERE id = 2; DELETE FROM t WHERE id = 1; ANALYZE TABLE t; CREATE INDEX i ON t (v);
      USE elsewhere; TRUNCATE TABLE t; DROP TABLE t;
      """)
    #expect(
      try following.written() == ["+2 二", "+3 NULL", "=2 changed", "-2", "=20 moved", "-1"])
    let at = try #require(following.reader.committedAt)
    #expect(abs(at.milliseconds - Int64(Date().timeIntervalSince1970 * 1000)) < 60_000)
    try source.run("REPLACE INTO t VALUES (3, 'three'); TRUNCATE t; INSERT INTO t VALUES (1, 'again')")
    let again = try following.written()
    #expect(again.last == "+1 again" && again.dropLast().last == "x" && again.contains { $0.hasSuffix("3 three") })
  }

  @Test func `what was rolled back never comes, and what was committed in one comes in one`() throws {
    let source = try Source.logging()
    let following = try source.followed()
    defer { following.reader.close() }
    try source.run(
      """
      START TRANSACTION; INSERT INTO t VALUES (1, 'a'); ROLLBACK;
      START TRANSACTION; INSERT INTO t VALUES (2, 'b'); SAVEPOINT s; INSERT INTO t VALUES (3, 'c'); ROLLBACK TO s; INSERT INTO t VALUES (4, 'd'); COMMIT
      """)
    #expect(try following.read().map(\.changes.count) == [2])
    try source.run(
      "CREATE TEMPORARY TABLE temporary (id int); START TRANSACTION; INSERT INTO temporary VALUES (1); INSERT INTO t VALUES (5, 'e'); DROP TEMPORARY TABLE temporary; ROLLBACK; INSERT INTO t VALUES (6, 'f')"
    )
    #expect(try following.written() == ["+6 f"])
  }

  @Test func `a prepared transaction comes when it is committed, also to a reader that comes between`() throws {
    let source = try Source.logging()
    let following = try source.followed()
    // A name is the whole server's.
    let (a, b, c) = (UUID().uuidString, UUID().uuidString, UUID().uuidString)
    func prepare(_ name: String, _ sql: String) throws {
      let connection = try MariaDBConnection(source.address)
      for part in ["XA START '\(name)'", sql, "XA END '\(name)'", "XA PREPARE '\(name)'"] { try connection.run(part) }
    }
    try prepare(a, "INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, 'c')")
    try prepare(b, "INSERT INTO t VALUES (4, 'd')")
    try source.run("CREATE TABLE other (id int PRIMARY KEY)")
    try prepare(c, "INSERT INTO other VALUES (1)")
    try source.run("INSERT INTO t VALUES (9, 'between')")
    #expect(try following.written() == ["+9 between"])
    let position = following.reader.position
    following.reader.close()
    try source.run("XA COMMIT '\(a)'; XA ROLLBACK '\(b)'; INSERT INTO t VALUES (10, 'after'); XA COMMIT '\(c)'")
    // From within it, too.
    let later = try Following(source, following.plan, after: position)
    let first = try later.read(capacity: 1) { $0 == 2 }
    #expect(first.flatMap(\.changes).map(later.written) == ["+1 a", "+2 b"])
    later.reader.close()
    let last = try Following(source, following.plan, after: first[1].position)
    defer { last.reader.close() }
    #expect(try last.written() == ["+3 c", "+10 after"])
    try source.run("XA START '\(a)'; INSERT INTO t VALUES (11, 'one'); XA END '\(a)'; XA COMMIT '\(a)' ONE PHASE")
    #expect(try last.written() == ["+11 one"])
  }

  @Test(arguments: ["", "FLUSH BINARY LOGS"])
  func `a transaction that was prepared before the stream began is looked for and found`(between: String) throws {
    let source = try Source.logging()
    try source.run(
      "CREATE TABLE t (id int PRIMARY KEY, v varchar(40)); CREATE TABLE other (id int PRIMARY KEY, v text)")
    let names = [UUID().uuidString, UUID().uuidString]
    for (name, table) in zip(names, ["t", "other"]) {
      // The same name was used before, for something else.
      for (id, last) in [(1, "COMMIT"), (2, "")] {
        let connection = try MariaDBConnection(source.address)
        for part in ["START", "INSERT", "END", "PREPARE", last] where !part.isEmpty {
          try connection.run(part == "INSERT" ? "INSERT INTO \(table) VALUES (\(id), 'a')" : "XA \(part) '\(name)'")
        }
      }
    }
    if !between.isEmpty { try source.run(between) }
    let following = try Following(source, source.changePlan("t", Source.pair))
    defer { following.reader.close() }
    try source.run("XA COMMIT '\(names[1])'; XA COMMIT '\(names[0])'; INSERT INTO t VALUES (3, 'after')")
    #expect(try following.written() == ["+2 a", "+3 after"])
  }

  @Test func `reading goes on behind any change, loses none and doubles none`() throws {
    let source = try Source.logging()
    let following = try source.followed("(1, 'a')")
    defer { following.reader.close() }
    let start = following.reader.position
    try source.run(
      """
      INSERT INTO t SELECT seq, concat('v', seq) FROM seq_10_to_30; UPDATE t SET id = id + 100 WHERE id BETWEEN 10 AND 14;
      DELETE FROM t WHERE id > 125; TRUNCATE t; FLUSH BINARY LOGS; INSERT INTO t VALUES (5, 'e'); ALTER TABLE t ADD COLUMN w int FIRST; INSERT INTO t VALUES (1, 6, 'f')
      """)
    let batches = try following.read(capacity: 1)
    let all = batches.flatMap(\.changes)
    #expect(all.count == 21 + 10 + 1 + 2 && all.map(\.kind).filter { $0 == .truncate }.count == 1)
    #expect(following.written(all[all.count - 1]) == "+6 f")
    #expect(batches.allSatisfy { $0.position.count <= 4096 })
    for (count, position) in [(0, start)] + batches.enumerated().map({ ($0.offset + 1, $0.element.position) }) {
      let rest = try Following(source, following.plan, after: position)
      let expected = batches[count...].flatMap(\.changes)
      let isSame = try rest.changes() == expected
      #expect(isSame, "behind change \(count)")
      rest.reader.close()
    }
  }

  @Test func `a transaction larger than the queue comes in many batches, each found again`() throws {
    let source = try Source.logging()
    let following = try source.followed()
    try source.run("INSERT INTO t SELECT seq, repeat('x', 40) FROM seq_1_to_200000")
    let part = try following.read(capacity: RowBatch.smallest) { $0 == 20 }
    following.reader.close()
    let rest = try Following(source, following.plan, after: part[19].position)
    defer { rest.reader.close() }
    let others = try rest.read(capacity: RowBatch.smallest)
    #expect(part.allSatisfy { $0.changes.count < 2000 } && others.count > 50)
    let ids = (part + others).flatMap { $0.changes.map { $0.fields[0] } }
    #expect(ids.count == 200_000 && Set(ids).count == 200_000)
  }

  @Test func `rows longer than a message's usual length come whole`() throws {
    let source = try Source.logging()
    try source.run("CREATE TABLE t (id int PRIMARY KEY, v longtext); SET GLOBAL max_allowed_packet = 268435456")
    let following = try Following(source, source.changePlan("t", Source.pair))
    defer { following.reader.close() }
    try source.run("INSERT INTO t VALUES (1, repeat('一', 6000000)), (2, 'short')")
    let found = try following.changes()
    #expect(found.map(\.kind) == [.insert, .insert])
    let isWhole = found[0].fields[1] == .value(Array(String(repeating: "一", count: 6_000_000).utf8))
    #expect(isWhole)
  }

  /// What the log needs, and what its absence is called.
  @Test(arguments: [
    ("SET GLOBAL binlog_format = MIXED", "contract.changes-binlog-format"),
    ("SET GLOBAL binlog_row_image = MINIMAL", "contract.changes-binlog-row-image"),
    ("SET GLOBAL binlog_row_metadata = MINIMAL", "contract.changes-binlog-row-metadata"),
    ("ALTER TABLE t ENGINE = MyISAM", "contract.changes-table"),
    (
      "CREATE OR REPLACE VIEW w AS SELECT * FROM t; RENAME TABLE t TO t1; RENAME TABLE w TO t", "contract.changes-table"
    ),
    ("ALTER TABLE t DROP PRIMARY KEY, MODIFY id int NULL", "contract.changes-key"),
    ("ALTER TABLE t DROP PRIMARY KEY", "contract.changes-identity"),
    (
      "CREATE TABLE p (id int PRIMARY KEY); ALTER TABLE t ADD FOREIGN KEY (id) REFERENCES p (id) ON DELETE CASCADE",
      "contract.changes-cascade"
    ),
    ("ALTER TABLE t ADD SYSTEM VERSIONING", "contract.changes-versioned"),
    ("ALTER TABLE t MODIFY v uuid", "contract.changes-type"),
    ("ALTER TABLE t MODIFY v varchar(9) COMPRESSED", "contract.changes-type"),
    ("ALTER TABLE t MODIFY v int", "contract.column-type"), ("ALTER TABLE t DROP v", "contract.column-missing"),
    ("DROP TABLE t", "contract.table-missing"),
  ])
  func `what cannot be followed is refused with its reason`(change: String, code: String) async throws {
    try await withMariaDBServer(durable: false, settings: ["--skip-networking"] + MariaDBServer.logs) { server in
      let source = try Source(on: server)
      let following = try source.followed()
      let position = following.reader.position
      following.reader.close()
      try source.run(change)
      for place in [nil, position] {
        #expect { try Following(source, following.plan, after: place) } throws: {
          ($0 as? ConnectorError)?.code == code
        }
      }
    }
  }

  @Test func `a server without a log, and an account without the right, are refused with the reason`() throws {
    let plain = try Source()
    #expect { try plain.followed() } throws: { ($0 as? ConnectorError)?.code == "contract.changes-log-bin" }
    var source = try Source.logging()
    try source.run("CREATE TABLE t (id int PRIMARY KEY, v varchar(40))")
    let plan = source.changePlan("t", Source.pair)
    let user = "u" + UUID().uuidString.prefix(8)
    try source.run(
      "CREATE USER '\(user)' IDENTIFIED BY 'geheim'; GRANT SELECT ON \(source.address.database).* TO '\(user)'")
    (source.address.user, source.address.password) = (user, "geheim")
    for right in [nil, "REPLICATION SLAVE", "BINLOG MONITOR"] {
      if let right {
        try source.server.query(
          "REVOKE ALL, GRANT OPTION FROM '\(user)'; GRANT SELECT ON \(source.address.database).* TO '\(user)'; GRANT \(right) ON *.* TO '\(user)'",
          on: "mysql")
      }
      #expect { try Following(source, plan) } throws: {
        ($0 as? ConnectorError)?.code == "contract.changes-right" && !"\($0)".contains("geheim")
      }
    }
    try source.server.query("GRANT REPLICATION SLAVE, BINLOG MONITOR ON *.* TO '\(user)'", on: "mysql")
    let following = try Following(source, plan)
    defer { following.reader.close() }
    try source.server.query("INSERT INTO t VALUES (1, 'a')", on: source.address.database)
    #expect(try following.written() == ["+1 a"])
  }
}
