import Connecting
import Kernel
import TestKit
import Testing

@testable import ConnectorPostgreSQL

@Suite struct SurveyTests {
  private func address() throws -> (PostgreSQLAddress, PostgresServer, String) {
    let server = try PostgresServer.shared.get()
    let name = try server.makeDatabase()
    return (PostgreSQLAddress(address: server.address(of: name)), server, name)
  }

  @Test func `2,000 tables are surveyed within ten seconds, and described as one by one`() throws {
    let (address, server, name) = try address()
    defer { try? server.dropDatabase(name) }
    let columns = (1...20).map { "c\($0) varchar(\($0 + 10))" }.joined(separator: ", ")
    let connection = try PostgreSQLConnection(address)
    // A transaction holds locks on what it makes: a few hundred tables at a time.
    for start in stride(from: 0, to: 2000, by: 250) {
      try connection.run(
        """
        DO $$ BEGIN FOR i IN \(start)..\(start + 249) LOOP
          EXECUTE format('CREATE TABLE public.t%s (id int PRIMARY KEY, \(columns))', i);
          EXECUTE format('COMMENT ON COLUMN public.t%s.c1 IS ''名称''', i);
        END LOOP; END $$
        """)
    }
    let connector = PostgreSQLConnector(address)
    let begun = ContinuousClock.now
    let tables = try connector.survey()
    let ours = ContinuousClock.now - begun
    let limit = ContinuousClock.now
    let rows = try connection.run(
      "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = 'public'")
    print("survey of 2,000 tables: \(ours); information_schema alone: \(ContinuousClock.now - limit)")
    #expect(tables.count == 2000 && tables.map(\.columns.count).reduce(0, +) == rows.count)
    #expect(ours < .seconds(10))
    #expect(tables[7] == (try connector.describe(tables[7].name)))
  }

  @Test func `a peek at a large table takes rows from all over it and never sorts it`() throws {
    let (address, server, name) = try address()
    defer { try? server.dropDatabase(name) }
    try server.query(
      "CREATE TABLE big (a text, b int); INSERT INTO big SELECT repeat('长', 300), g FROM generate_series(1, 200000) g; ANALYZE big",
      on: name)
    let table = TableName(schema: "public", "big")
    let columns = [ReadPlan.Column("a", .text), ReadPlan.Column("b", .integer)]
    let rows = try PostgreSQLConnector(address).peek(table, columns, rows: 1000, within: .seconds(10))
    #expect(rows.count == 1000 && rows.allSatisfy { $0[0]?.count == ReadPlan.peekedText })
    #expect(rows.compactMap { $0[1].flatMap { Int($0) } }.max() ?? 0 > 10_000)
    try server.query("CREATE VIEW slow AS SELECT pg_sleep(30)::text AS a", on: name)
    let begun = ContinuousClock.now
    #expect(throws: ConnectorError.self) {
      try PostgreSQLConnector(address).peek(
        TableName(schema: "public", "slow"), [.init("a", .text)], rows: 1, within: .milliseconds(300))
    }
    #expect(ContinuousClock.now - begun < .seconds(10))
  }

  @Test func `counts of changes are the mark where no column grows`() throws {
    let (address, server, name) = try address()
    defer { try? server.dropDatabase(name) }
    try server.query("CREATE TABLE plain (a text); CREATE VIEW seen AS SELECT * FROM plain", on: name)
    let connector = PostgreSQLConnector(address)
    let mark = try connector.examine(
      TableName(schema: "public", "plain"), columns: ["a"], cursor: nil, within: .seconds(5)
    ).mark
    #expect(mark?.kind == .statistics && mark?.own == "0 0 0")
    let view = try connector.examine(
      TableName(schema: "public", "seen"), columns: ["a"], cursor: nil, within: .seconds(5))
    #expect(view.mark == nil)
  }
}
