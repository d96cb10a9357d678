import Connecting
import Foundation
import Kernel
import TestKit
import Testing

@testable import ConnectorMariaDB

/// A value from the log is the value that a reading gives, byte for byte.
@Suite struct ChangedValuesTests {
  /// A column's name, its definition, how it is granted, and what may stand in it.
  private struct Column {
    var definition: String
    var type: ValueType
    var values: [String]
  }

  private static let texts = [
    "NULL", "''", "'a'", "' a '", "'青海'", "'it''s'", "'\\\\'", "'a\\nb'", "'x '", "'ÿ'", "char(9)",
    "concat('a', char(0), 'b')",
  ]

  private static func integers(_ bits: Int, unsigned: Bool) -> [String] {
    let edges =
      unsigned
      ? ["0", "1", "\((UInt64.max >> UInt64(64 - bits)))", "\(UInt64(1) << UInt64(bits - 1))"]
      : ["0", "-1", "\(Int64.max >> Int64(64 - bits))", "\(Int64.min >> Int64(64 - bits))", "42"]
    return edges + ["NULL", "7"]
  }

  private static let columns: [Column] =
    [("tinyint", 8), ("smallint", 16), ("mediumint", 24), ("int", 32), ("bigint", 64)].flatMap { name, bits in
      [
        Column(definition: name, type: .integer, values: integers(bits, unsigned: false)),
        Column(definition: "\(name) unsigned", type: .integer, values: integers(bits, unsigned: true)),
      ]
    } + [
      Column(definition: "int(9) zerofill", type: .integer, values: ["5", "NULL"]),
      Column(definition: "int", type: .decimal(precision: 18, scale: 2), values: ["5", "-5", "0"]),
      Column(definition: "tinyint(1)", type: .boolean, values: ["0", "1", "2", "NULL"]),
      Column(definition: "year", type: .integer, values: ["1901", "2155", "0", "NULL"]),
      Column(definition: "bit(1)", type: .boolean, values: ["b'0'", "b'1'", "NULL"]),
      Column(definition: "bit(9)", type: .integer, values: ["b'0'", "b'100000001'", "b'111111111'"]),
      Column(definition: "bit(64)", type: .integer, values: ["0", "1", "18446744073709551615", "9223372036854775807"]),
      Column(definition: "float", type: .double, values: ["0.1", "-0.0", "3.4e38", "1e-45", "16777217", "NULL"]),
      Column(
        definition: "double", type: .double,
        values: ["0.1", "-0e0", "1.7976931348623157e308", "5e-324", "3.0000000000000004"]),
      Column(definition: "double(10,3)", type: .double, values: ["1234.567", "-0.001"]),
      Column(
        definition: "decimal(18,2)", type: .decimal(precision: 18, scale: 2),
        values: ["0", "-0.01", "9999999999999999.99", "-12.50", "NULL"]),
      Column(
        definition: "decimal(38,10)", type: .decimal(precision: 38, scale: 10),
        values: ["1234567890123456789012345678.0123456789", "-0.0000000001", "1"]),
      Column(
        definition: "decimal(65,30)", type: .decimal(precision: 38, scale: 30),
        values: ["12345678901234567890123456789012345.5", "-0.000000000000000000000000000001", "99999999.5"]),
      Column(
        definition: "decimal(9,0)", type: .decimal(precision: 9, scale: 0), values: ["999999999", "-999999999", "0"]),
      Column(
        definition: "decimal(5,5) unsigned zerofill", type: .decimal(precision: 5, scale: 5),
        values: ["0.00001", "0.5"]),
      Column(
        definition: "date", type: .date,
        values: [
          "'0001-01-01'", "'9999-12-31'", "'0000-00-00'", "'2026-02-30'", "'2026-00-10'", "'1899-12-31'", "NULL",
        ]),
      Column(
        definition: "datetime", type: .timestamp,
        values: [
          "'2026-08-22 09:00:00'", "'0000-00-00 00:00:00'", "'2026-02-30 01:02:03'", "'1000-01-01 00:00:00'",
          "'0001-01-01 00:00:00'", "NULL",
        ]),
      Column(
        definition: "time", type: .text, values: ["'00:00:00'", "'-838:59:59'", "'838:59:59'", "'-00:00:01'", "NULL"]),
      Column(definition: "enum('国有','民营','')", type: .text, values: ["'国有'", "'民营'", "''", "0", "NULL"]),
      Column(definition: "enum('x','é') CHARACTER SET latin1", type: .text, values: ["'x'", "'é'"]),
      Column(
        definition: "set('a','乙','c') CHARACTER SET gbk", type: .text,
        values: ["''", "'a'", "'a,乙,c'", "'c,乙'", "NULL"]),
      Column(definition: "json", type: .text, values: ["'{\"a\": [1, \"一\"]}'", "'null'", "NULL"]),
      Column(definition: "binary(3)", type: .bytes, values: ["x''", "x'41'", "x'410000'", "x'00FF27'", "NULL"]),
      Column(definition: "varbinary(300)", type: .bytes, values: ["x''", "x'4100'", "repeat(x'FE', 300)", "NULL"]),
      Column(definition: "blob", type: .bytes, values: ["x''", "x'00'", "repeat(x'00FF', 5000)", "NULL"]),
      Column(definition: "tinyblob", type: .bytes, values: ["x'00FF'"]),
      Column(definition: "longblob", type: .bytes, values: ["repeat('x', 70000)"]),
      Column(definition: "char(4)", type: .text, values: ["'甲 '", "'𠮷野'", "''", "NULL"]),
      Column(definition: "char(255)", type: .text, values: ["repeat('𠮷', 255)", "'a'"]),
      Column(definition: "varchar(64)", type: .text, values: texts + ["repeat('𠮷', 64)"]),
      Column(definition: "varchar(20) CHARACTER SET utf8mb3", type: .text, values: ["'青海'", "'a '"]),
      Column(definition: "varchar(20) COLLATE utf8mb4_bin", type: .text, values: ["'青海'", "'A'"]),
      Column(definition: "varchar(20) CHARACTER SET latin1", type: .text, values: ["'café'", "'€'", "'a'"]),
      Column(
        definition: "varchar(20) CHARACTER SET gbk", type: .text, values: ["'汉字'", "_gbk x'FEFE'", "'a?'", "NULL"]),
      Column(definition: "char(6) CHARACTER SET ucs2", type: .text, values: ["'汉 '", "'é'", "''"]),
      Column(definition: "varchar(6) CHARACTER SET utf16le", type: .text, values: ["'𠮷'", "'é '"]),
      Column(definition: "varchar(6) CHARACTER SET big5", type: .text, values: ["'漢字'", "'b'"]),
      Column(definition: "tinytext", type: .text, values: ["'短'", "NULL"]),
      Column(definition: "mediumtext", type: .text, values: ["repeat('长', 30000)", "''"]),
      Column(definition: "text CHARACTER SET latin1", type: .text, values: ["'é'", "repeat('é', 300)"]),
      Column(definition: "int AS (id + 1) VIRTUAL", type: .integer, values: []),
      Column(definition: "bigint AS (id * 2) STORED", type: .integer, values: []),
    ]
    + [0, 1, 2, 3, 4, 5, 6].flatMap { digits in
      [
        Column(
          definition: "time(\(digits))", type: .text,
          values: ["'-00:00:00.5'", "'-838:59:58.999999'", "'12:34:56.123456'", "'00:00:00.000001'"]),
        Column(
          definition: "datetime(\(digits))", type: .timestamp,
          values: ["'2026-08-22 09:00:00.123456'", "'1899-12-31 23:59:59.999999'", "'0000-00-00 00:00:00'"]),
        Column(
          definition: "timestamp(\(digits)) NULL DEFAULT NULL", type: .timestamp,
          values: [
            "'2026-08-22 09:00:00.123456'", "'1970-01-01 00:00:01'", "'2038-01-19 03:14:07.999999'", "0", "NULL",
          ]),
      ]
    }

  @Test(arguments: [0, 28_800], [false, true])
  func `whatever a row holds, its change says what reading it gives`(zone: Int, isCompressed: Bool) async throws {
    let logs =
      MariaDBServer.logs
      + (isCompressed
        ? ["--log-bin-compress=1", "--log-bin-compress-min-len=10", "--binlog-checksum=NONE"]
        : ["--binlog-checksum=CRC32"])
    try await withMariaDBServer(durable: false, settings: ["--skip-networking"] + logs) { server in
      let source = try Source(zone: zone, on: server)
      let columns = Self.columns
      let definitions = columns.enumerated().map { ", c\($0.offset) \($0.element.definition)" }.joined()
      try source.run("CREATE TABLE t (id int PRIMARY KEY, hidden point NULL, gone uuid NULL\(definitions))")
      let granted = [("id", ValueType.integer)] + columns.enumerated().map { ("c\($0.offset)", $0.element.type) }
      let following = try Following(source, source.changePlan("t", granted))
      defer { following.reader.close() }
      let filled = columns.indices.filter { !columns[$0].values.isEmpty }
      let names = filled.map { "c\($0)" }.joined(separator: ", ")
      let connection = try MariaDBConnection(source.address)
      func row(_ id: Int) -> String {
        let values = filled.map { columns[$0].values.randomElement() ?? "NULL" }.joined(separator: ", ")
        return "(\(id), ST_GeomFromText('POINT(1 2)'), uuid(), \(values))"
      }
      /// By their keys: the row as it is read, and as its last change said.
      func expectSame(_ kinds: Set<ChangeKind>, _ count: Int) throws {
        let changes = try following.changes()
        #expect(Set(changes.map(\.kind)) == kinds && changes.count == count)
        var said: [RowField: [RowField]] = [:]
        for change in changes { said[change.fields[0]] = change.kind == .delete ? nil : change.fields }
        let read = try source.read(source.plan("t", granted), capacity: 1 << 20).rows
        #expect(read.count == said.count)
        for fields in read {
          guard let other = said[fields[0]] else {
            Issue.record("no change of \(fields[0])")
            continue
          }
          for index in fields.indices where fields[index] != other[index] {
            Issue.record(
              "\(index == 0 ? "id" : columns[index - 1].definition): read \(fields[index]), logged \(other[index])")
          }
        }
      }
      try connection.run(
        "INSERT INTO t (id, hidden, gone, \(names)) VALUES " + (1...150).map(row).joined(separator: ", "))
      try expectSame([.insert], 150)
      for id in 1...150 where id % 10 == 0 {
        try connection.run(
          "UPDATE t SET \(filled.map { "c\($0) = \(columns[$0].values.randomElement() ?? "NULL")" }.joined(separator: ", ")) WHERE id = \(id)"
        )
      }
      try source.run("DELETE FROM t WHERE id % 10 <> 0; UPDATE t SET id = id + 1000")
      try expectSame([.upsert, .delete], 15 + 135 + 30)
    }
  }
}
