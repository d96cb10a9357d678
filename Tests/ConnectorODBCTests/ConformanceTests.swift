import Conformance
import Connecting
import Foundation
import TestKit
import Testing

@testable import ConnectorODBC

@Suite struct ConformanceTests {
  @Test(arguments: Conformance.cases(for: PostgreSQLStand.abilities))
  func `PostgreSQL behind psqlodbc conforms`(test: ConformanceCase) throws {
    let faults = Conformance.faults(of: test, on: try PostgreSQLStand())
    #expect(faults.isEmpty, "\(faults)")
  }

  @Test(arguments: Conformance.cases(for: PostgreSQLStand.abilities).filter { !$0.needs.contains(.writes) })
  func `reading in pages conforms`(test: ConformanceCase) throws {
    let faults = Conformance.faults(of: test, on: try PostgreSQLStand(pageRows: 7))
    #expect(faults.isEmpty, "\(faults)")
  }

  @Test(arguments: Conformance.cases(for: SQLiteStand.abilities))
  func `SQLite behind sqliteodbc conforms`(test: ConformanceCase) throws {
    let faults = Conformance.faults(of: test, on: try SQLiteStand())
    #expect(faults.isEmpty, "\(faults)")
  }
}

struct PostgreSQLStand: ConformanceStand {
  static let abilities = Set(ConformanceAbility.allCases).subtracting([.nullKeys, .cuts, .parts])

  let connector: any Connector
  private let source: Source

  init(pageRows: Int? = nil) throws {
    var source = try Source(zone: 28_800)
    source.address.pageRows = pageRows
    self.source = source
    connector = source.connector
  }

  func run(_ sql: String) throws {
    let connection = try ODBCConnection(source.address)
    try connection.run("SET search_path = public")
    try connection.run(sql)
  }

  func quoted(_ name: String) -> String { "\"\(name)\"" }

  func declared(_ column: WritePlan.Column) -> String { ODBCDialect.postgresql.type(column) }

  func literal(_ text: String, as type: ValueType) -> String {
    switch type {
    case .bytes: "'\\x\(text)'::bytea"
    case .timestamp: "'\(text)+00'"
    default: "'\(text.replacing("'", with: "''"))'"
    }
  }
}

final class SQLiteStand: ConformanceStand {
  static let abilities = Set(ConformanceAbility.allCases).subtracting([.cuts, .parts])

  let connector: any Connector
  private let path: String

  init() throws {
    path = NSTemporaryDirectory() + "sanjiang-odbc-\(UUID().uuidString).db"
    connector = ODBCConnector(ODBCAddress(driver: "SQLite3", database: path, zone: 0))
    // The stand's own tables are written with a log beside them, as a reader of one state needs.
    try run("PRAGMA journal_mode = WAL; CREATE TABLE unused (x)")
  }

  deinit {
    for suffix in ["", "-wal", "-shm", "-journal"] { try? FileManager.default.removeItem(atPath: path + suffix) }
  }

  /// By SQLite's own program: what is read through the driver was not written through it.
  func run(_ sql: String) throws {
    let script = path + "-\(UUID().uuidString.prefix(8)).sql"
    try sql.write(toFile: script, atomically: true, encoding: .utf8)
    defer { try? FileManager.default.removeItem(atPath: script) }
    try Tool.run("/bin/sh", ["-c", "sqlite3 -bail -cmd '.timeout 30000' '\(path)' < '\(script)' >/dev/null"])
  }

  func quoted(_ name: String) -> String { "\"\(name.replacing("\"", with: "\"\""))\"" }

  func declared(_ column: WritePlan.Column) -> String { ODBCDialect.sqlite.type(column) }

  func literal(_ text: String, as type: ValueType) -> String {
    switch type {
    case .bytes: "x'\(text)'"
    case .timestamp: "'\(text)Z'"
    case .boolean: text == "true" ? "1" : "0"
    case .integer, .double: text
    // Its program reads lines, and takes the first half of their ends away.
    case .text where text.contains("\r\n"):
      "CAST(x'\(text.utf8.map { String(Int($0) | 0x100, radix: 16).dropFirst() }.joined())' AS TEXT)"
    default: "'\(text.replacing("'", with: "''"))'"
    }
  }
}
