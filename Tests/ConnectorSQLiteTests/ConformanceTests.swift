import Conformance
import Connecting
import Foundation
import Testing

@testable import ConnectorSQLite

@Suite struct ConformanceTests {
  @Test(arguments: Conformance.cases(for: SQLiteStand.abilities))
  func `SQLite conforms`(test: ConformanceCase) throws {
    let faults = Conformance.faults(of: test, on: try SQLiteStand())
    #expect(faults.isEmpty, "\(faults)")
  }
}

final class SQLiteStand: ConformanceStand {
  static let abilities = Set(ConformanceAbility.allCases)

  let connector: any Connector
  private let path: String

  init() throws {
    path = NSTemporaryDirectory() + "sanjiang-\(UUID().uuidString).db"
    // The stand's own tables are written with a log beside them, as a reader of one state needs.
    try SQLiteConnection(path, writes: true).run("PRAGMA user_version = 1")
    connector = SQLiteConnector(path: path)
  }

  deinit {
    for suffix in ["", "-wal", "-shm", "-journal"] { try? FileManager.default.removeItem(atPath: path + suffix) }
  }

  func run(_ sql: String) throws { try SQLiteConnection(path, writes: true).run(sql) }

  func quoted(_ name: String) -> String { "\"\(name.replacing("\"", with: "\"\""))\"" }

  func declared(_ column: WritePlan.Column) -> String {
    column.length.map { "VARCHAR(\($0))" } ?? SQLiteWriter.type(column)
  }

  func literal(_ text: String, as type: ValueType) -> String {
    switch type {
    case .bytes: "x'\(text)'"
    case .timestamp: "'\(text)Z'"
    case .boolean: text == "true" ? "1" : "0"
    case .integer, .double: text
    default: "'\(text.replacing("'", with: "''"))'"
    }
  }
}
