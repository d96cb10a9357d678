import Connecting
import TestKit
import Testing

@testable import ConnectorSQLite

@Suite struct SurveyTests {
  @Test func `2,000 tables are surveyed within ten seconds, and a broken view hides none`() async throws {
    try await withTemporaryFolder { folder in
      let path = folder + "/a.db"
      let connection = try SQLiteConnection(path, writes: true)
      let columns = (1...20).map { "c\($0) VARCHAR(\($0))" }.joined(separator: ", ")
      try connection.run("BEGIN")
      for number in 0..<2000 { try connection.run("CREATE TABLE t\(number) (id INTEGER PRIMARY KEY, \(columns))") }
      try connection.run("CREATE VIEW broken AS SELECT x FROM lost; COMMIT")
      let connector = SQLiteConnector(path: path)
      let begun = ContinuousClock.now
      let tables = try connector.survey()
      let taken = ContinuousClock.now - begun
      print("survey of 2,000 SQLite tables: \(taken)")
      #expect(tables.count == 2001 && taken < .seconds(10))
      #expect(tables.first { $0.name.name == "t7" } == (try connector.describe(TableName("t7"))))
    }
  }

  @Test func `the highest row number and the file are the mark where no column grows`() async throws {
    try await withTemporaryFolder { folder in
      let path = folder + "/a.db"
      let connection = try SQLiteConnection(path, writes: true)
      try connection.run("CREATE TABLE a (x TEXT); CREATE TABLE b (x TEXT); INSERT INTO a VALUES ('1')")
      let connector = SQLiteConnector(path: path)
      func mark() throws -> ChangeMark? {
        try connector.examine(TableName("a"), columns: ["x"], cursor: nil, within: .seconds(5)).mark
      }
      let first = try mark()
      try connection.run("INSERT INTO b VALUES ('1')")
      let other = try mark()
      #expect(first?.own == "1" && other?.own == "1" && first?.around != other?.around)
      try connection.run("INSERT INTO a VALUES ('2')")
      #expect(try mark()?.own == "2")
    }
  }
}
