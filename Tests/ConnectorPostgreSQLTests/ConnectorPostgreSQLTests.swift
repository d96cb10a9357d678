import Connecting
import TestKit
import Kernel
import Testing

@testable import ConnectorPostgreSQL

@Suite struct ConnectorPostgreSQLTests {
  private func database() throws -> PostgreSQLAddress {
    let server = try PostgresServer.shared.get()
    return PostgreSQLAddress(address: server.address(of: try server.makeDatabase()))
  }

  @Test func `PostgreSQL describes tables with Chinese names, comments, domains and composite keys`() throws {
    let address = try database()
    let connector = PostgreSQLConnector(address)
    try PostgreSQLConnection(address).run(
      #"""
      CREATE SCHEMA "市场监管"; CREATE DOMAIN public.money_cny AS numeric(18,2);
      CREATE TABLE "市场监管"."Legal ""Person""" ("统一代码" char(18), "序号" int, "名称" varchar(60) NOT NULL, cap public.money_cny,
        big numeric, tags text[], doc jsonb, code uuid, at timestamp, PRIMARY KEY ("序号", "统一代码"));
      COMMENT ON TABLE "市场监管"."Legal ""Person""" IS '法人库'; COMMENT ON COLUMN "市场监管"."Legal ""Person"""."名称" IS '企业名称';
      """#)
    let name = TableName(schema: "市场监管", "Legal \"Person\"")
    #expect(try connector.tables().contains { $0.name == name && $0.comment == "法人库" })
    let table = try connector.describe(name)
    #expect(table.key.map(\.name) == ["序号", "统一代码"])
    #expect(
      table.columns.map(\.type?.description) == [
        "text", "integer", "text", "decimal(18,2)", "decimal(38,10)", nil, "text", "text", "timestamp",
      ])
    let title = try #require(table.column("名称"))
    #expect(title.comment == "企业名称" && title.length == 60 && !title.isNullable)
    #expect(table.column("tags")?.nativeType == "text[]")
    #expect(throws: ConnectorError.self) { try connector.describe(TableName(schema: "市场监管", "nothing")) }
  }

  @Test func `errors never carry a row's values`() throws {
    let connection = try PostgreSQLConnection(try database())
    try connection.run("CREATE TABLE public.t (id int PRIMARY KEY); INSERT INTO public.t VALUES (424242)")
    for sql in [
      "INSERT INTO public.t VALUES (424242)", "SELECT 'secret424242'::int",
      "DO $$ BEGIN RAISE EXCEPTION '424242'; END $$",
    ] {
      #expect { try connection.run(sql) } throws: { !"\($0)".contains("424242") }
    }
  }

  @Test(arguments: [
    ("08006", ConnectorError.Kind.retryable), ("57P01", .retryable), ("53100", .retryable), ("40001", .retryable),
    ("55P03", .retryable), ("28P01", .permanent), ("42501", .permanent), ("42P01", .contract), ("22001", .data),
    ("23505", .data), ("P0001", .permanent),
  ])
  func `an SQLSTATE says what happens next`(state: String, kind: ConnectorError.Kind) {
    #expect(PostgreSQLError.error(state: state, primary: "x").kind == kind)
  }

  @Test(arguments: [("a'b", "'a''b'"), ("a\\b", "E'a\\\\b'"), ("", "''")])
  func `a literal cannot be left`(text: String, quoted: String) {
    #expect(PostgreSQLQuote.text(text) == quoted)
  }

  @Test func `names keep their case and their quotes`() {
    #expect(PostgreSQLQuote.table(TableName(schema: "市场", "a\"b")) == "\"市场\".\"a\"\"b\"")
  }

  @Test(arguments: [
    ("postgres://u@h:5432/db?sslmode=require", true), ("host=/run/postgresql dbname=db user=u", true),
    ("postgres://u@a,b/db?target_session_attrs=read-write", true), ("", true),
    ("postgres://u:geheim@h/db", false), ("host=h password = geheim", false),
    ("postgres://u@h/db?pass%77ord=geheim", false),
    ("postgres://u@h/db?sslmode=require&passfile=/etc/shadow", false),
    ("postgres://u@h/x?pass%66ile=/etc/passwd", false),
    ("host=h passfile = /etc/passwd", false), ("host=h sslkey=/root/key", false), ("service=other", false),
    ("postgres://u@h/db?options=-c%20x", false), ("not an address", false),
  ])
  func `an address names the other side and nothing of this machine`(address: String, isGood: Bool) {
    let fault = PostgreSQLAddress.fault(in: address)
    #expect((fault == nil) == isGood)
    #expect(fault?.chinese.contains("geheim") != true && fault?.english.contains("geheim") != true)
  }

  @Test(arguments: [
    ("name", true), (String(repeating: "名", count: 21), true), (String(repeating: "名", count: 22), false),
    ("ctid", false),
    ("sj_row", false), ("SJ_batch", false),
  ])
  func `a name that PostgreSQL would cut or has already is refused`(name: String, isGood: Bool) {
    #expect((PostgreSQLConnector.kind.nameFault(name) == nil) == isGood)
  }
}

@Suite struct PostgreSQLDeletingTests {
  @Test func `rows are removed by their keys, unless this run wrote them`() throws {
    let server = try PostgresServer.shared.get()
    let address = PostgreSQLAddress(address: server.address(of: try server.makeDatabase()))
    do {
      let connector = PostgreSQLConnector(address)
      let plan = WritePlan(
        table: TableName("t"),
        columns: [
          .init("名", .text, length: 10), .init("额", .decimal(precision: 10, scale: 2)), .init("日", .date),
          .init("值", .integer),
        ], key: [2, 0, 1], stream: "g", run: "r", fence: 1)
      let writer = try connector.openWriter(plan)
      defer { writer.close() }
      #expect(try writer.open() == nil)
      func rows(_ numbers: ClosedRange<Int>, keysOnly: Bool) -> RowBatch {
        let batch = RowBatch(capacity: RowBatch.smallest)
        for number in numbers {
          let (name, amount) = (Array("名\(number)".utf8), Array("\(number).50".utf8))
          batch.beginRow(fields: keysOnly ? 3 : 4)
          if keysOnly { batch.append(Int32(number)) }
          name.withUnsafeBytes { batch.append($0) }
          _ = amount.withUnsafeBytes { Decimal38($0)?.append(precision: 10, scale: 2, to: batch) }
          if !keysOnly {
            batch.append(Int32(number))
            batch.append(Int64(number))
          }
          batch.endRow()
        }
        return batch
      }
      _ = try writer.write(rows(1...100, keysOnly: false), batch: 1, mode: .append)
      _ = try writer.write(rows(101...110, keysOnly: false), batch: 2, mode: .append)
      try writer.commit(nil, state: "s", durable: true)
      #expect(
        try writer.deleteKeys(rows(91...120, keysOnly: true), writtenBefore: 2, at: Instant(milliseconds: 0)) == 10)
      #expect(
        try writer.deleteKeys(RowBatch(capacity: RowBatch.smallest), writtenBefore: 2, at: Instant(milliseconds: 0))
          == 0)
      writer.rollback()
      #expect(try writer.deleteKeys(rows(1...1, keysOnly: true), writtenBefore: 2, at: Instant(milliseconds: 0)) == 1)
      try writer.commit(nil, state: "s", durable: true)
      #expect(try PostgreSQLConnection(address).run("SELECT count(*), min(\"值\") FROM public.t") == [["109", "2"]])
    }
  }
}
