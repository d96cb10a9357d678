import Connecting
import Foundation
import Kernel
import TestKit
import Testing

@testable import ConnectorPostgreSQL

/// Which table a stream follows, whatever bears its name by now.
@Suite struct FollowedTableTests {
  private let address: PostgreSQLAddress
  private let stream = "followed-" + UUID().uuidString.prefix(8).lowercased()

  init() throws {
    let server = try PostgresServer.shared.get()
    address = PostgreSQLAddress(address: server.address(of: try server.makeDatabase()))
    try run("CREATE TABLE f (id bigint PRIMARY KEY, b text)")
  }

  private func run(_ sql: String) throws {
    try PostgreSQLConnection(address).run("SET search_path = public; SET client_min_messages = warning; " + sql)
  }

  private var plan: ChangePlan {
    ChangePlan(table: TableName("f"), columns: [.init("id", .integer), .init("b", .text)], key: [0], stream: stream)
  }

  private func open(after position: [UInt8]? = nil) throws -> PostgreSQLChangeReader {
    try PostgreSQLChangeReader(plan, after: position, address)
  }

  private func end() { try? PostgreSQLSlot(stream: stream).drop(PostgreSQLConnection(address)) }

  /// What comes until nothing has come for a while, or so long.
  private func texts(_ reader: PostgreSQLChangeReader, for limit: Duration = .seconds(2)) throws -> [String] {
    let batch = ChangeBatch(capacity: 1 << 20)
    var found: [String] = []
    let deadline = ContinuousClock.now + limit
    while ContinuousClock.now < deadline {
      _ = try reader.read(into: batch, within: .milliseconds(200))
      for row in 0..<batch.rows.rowCount {
        let fields = batch.rows.fields(row)
        guard batch.kinds[row] != .truncate, case .value(let id) = fields[0] else {
          found.append("\(batch.kinds[row])")
          continue
        }
        var text = ""
        if case .value(let bytes) = fields[1] { text = String(decoding: bytes, as: UTF8.self) }
        found.append("\(batch.kinds[row]) \(id.last ?? 0) \(text)")
      }
    }
    return found
  }

  private static let replacements = [
    "DROP TABLE f; CREATE TABLE f (id bigint PRIMARY KEY, b text)",
    "CREATE TABLE f_new (LIKE f INCLUDING ALL); ALTER TABLE f RENAME TO f_old; ALTER TABLE f_new RENAME TO f",
    "BEGIN; CREATE TABLE g (LIKE f INCLUDING ALL); ALTER TABLE f RENAME TO f_old; ALTER TABLE g RENAME TO f; INSERT INTO f_old VALUES (9, 'x'); COMMIT",
  ]

  @Test(arguments: replacements)
  func `another table under the same name is noticed while nothing comes from the old one`(replacement: String) throws {
    let reader = try open()
    defer {
      reader.close()
      end()
    }
    try run("INSERT INTO f VALUES (1, 'a')")
    #expect(try texts(reader) == ["insert 1 a"])
    try run(replacement)
    try run("INSERT INTO f VALUES (2, 'b')")
    #expect(throws: ConnectorError.changesLost) { try texts(reader, for: .seconds(10)) }
  }

  @Test(arguments: replacements)
  func `another table under the same name is noticed when a stream goes on`(replacement: String) throws {
    let first = try open()
    try run("INSERT INTO f VALUES (1, 'a')")
    _ = try texts(first)
    let position = first.position
    first.close()
    defer { end() }
    try run(replacement)
    #expect(throws: ConnectorError.changesLost) { try open(after: position) }
    // Begun anew, the publication is made right.
    let again = try open()
    defer { again.close() }
    try run("INSERT INTO f VALUES (2, 'b')")
    #expect(try texts(again) == ["insert 2 b"])
  }

  @Test func `a table put into the publication by hand is not taken for the one that was followed`() throws {
    let first = try open()
    try run("INSERT INTO f VALUES (1, 'a')")
    _ = try texts(first)
    let position = first.position
    first.close()
    defer { end() }
    try run(Self.replacements[0] + "; ALTER PUBLICATION \"\(PostgreSQLSlot(stream: stream).name)\" ADD TABLE f")
    #expect(throws: ConnectorError.changesLost) { try open(after: position) }
    // A place that was kept before places named their table is taken as it is.
    #expect(throws: Never.self) { try open(after: Array(position.prefix(16))).close() }
  }

  @Test func `a table that is gone is named, and one that is away for a moment is waited for`() throws {
    let reader = try open()
    defer {
      reader.close()
      end()
    }
    try run("ALTER TABLE f RENAME TO away")
    Thread.sleep(forTimeInterval: 0.5)
    try run("ALTER TABLE away RENAME TO f; INSERT INTO f VALUES (1, 'a')")
    #expect(try texts(reader, for: .seconds(5)) == ["insert 1 a"])
    try run("DROP TABLE f")
    #expect { try texts(reader, for: .seconds(12)) } throws: {
      ($0 as? ConnectorError)?.code == "contract.table-missing"
    }
    let position = reader.position
    reader.close()
    #expect { try open(after: position) } throws: { ($0 as? ConnectorError)?.code == "contract.table-missing" }
  }

  @Test func `a table that others inherit from is not followed`() throws {
    try run("CREATE TABLE heir (c int) INHERITS (f)")
    defer { end() }
    #expect { try open() } throws: { ($0 as? ConnectorError)?.code == "contract.changes-inherited" }
  }

  // MARK: Types

  @Test func `types are those of when the changes were made, and not the table's of today`() throws {
    let reader = try open()
    defer {
      reader.close()
      end()
    }
    try run(
      """
      BEGIN; TRUNCATE f; INSERT INTO f VALUES (1, 'a'); ALTER TABLE f ALTER COLUMN b TYPE varchar(20);
      INSERT INTO f VALUES (2, 'b'); ALTER TABLE f ALTER COLUMN b TYPE char(5); INSERT INTO f VALUES (3, 'c'); COMMIT
      """)
    #expect(try texts(reader) == ["truncate", "insert 1 a", "insert 2 b", "insert 3 c"])
  }

  @Test(arguments: [
    ("bigint USING 7", "bigint"), ("numeric(12,2) USING 1", "numeric(12,2)"), ("mood USING 'good'", "public.mood"),
  ])
  func `a type that cannot be carried is named as it was`(change: String, written: String) throws {
    try run("CREATE TYPE mood AS ENUM ('good')")
    let reader = try open()
    defer {
      reader.close()
      end()
    }
    // By the time that it is read, the column is text again.
    try run(
      """
      ALTER TABLE f ALTER COLUMN b TYPE \(change); INSERT INTO f (id) VALUES (1);
      ALTER TABLE f ALTER COLUMN b TYPE text; INSERT INTO f VALUES (2, 'b')
      """)
    #expect { try texts(reader) } throws: { error in
      guard let error = error as? ConnectorError else { return false }
      return error.code == "contract.column-type" && error.message.chinese.contains("现为 \(written)，约定为 text")
        && error.message.english.contains("is now \(written); agreed was text")
    }
  }
}
