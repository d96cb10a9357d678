import Connecting
import ConnectorFiles
import Foundation
import Kernel
import Testing

private func connector(_ folder: TemporaryFolder, tables: [String] = []) -> FilesConnector {
  FilesConnector(.local(folder.path), FilesOptions(format: .jsonl, tables: tables))
}

private func fault(_ field: RowField) -> RowFault? {
  if case .malformed(let fault, _) = field { fault } else { nil }
}

private func written(_ rows: [[RowField]], _ columns: [ReadPlan.Column]) -> [[String?]] {
  rows.map { row in
    zip(row, columns).map { field, column in
      guard case .value(let bytes) = field else { return nil }
      return bytes.withUnsafeBytes { CanonicalText.text(of: $0, as: column.type) }
    }
  }
}

private let deep = "{\"k\":\(String(repeating: "[", count: 80))\(String(repeating: "]", count: 80))}"
private func long(_ count: Int) -> String { "{\"k\":\"\(String(repeating: "x", count: count))\"}" }

private let badLines: [(String, RowFault)] = [
  (#"{"k":"\x"}"#, RowFault.invalidText), (#"{"k":"\ud800"}"#, .invalidText), (#"{"k":"\ud800\u0041"}"#, .invalidText),
  (#"{"k":"\udc00"}"#, .invalidText), (#"{"k":"\u12G4"}"#, .invalidText), (#"{"k":"\u0000"}"#, .containsNUL),
  ("{\"k\":\"a\tb\"}", .invalidText), (#"{"k":["\q"]}"#, .invalidText), (#"{"k":1"#, .brokenRecord),
  ("x", .brokenRecord),
  (#"{"k":01}"#, .brokenRecord), (#"{"k":.5}"#, .brokenRecord), (#"{"k":NaN}"#, .brokenRecord),
  (#"["k"]"#, .brokenRecord),
  (#"{"k":1}{"k":2}"#, .brokenRecord), (#"{"k":1,}"#, .brokenRecord), (#"{"k":1,"k":2}"#, .brokenRecord),
  (#"{"k":1,"\u006b":2}"#, .brokenRecord), ("{'k':1}", .brokenRecord), ("\"k\"", .brokenRecord),
  ("{\"k\":tru}", .brokenRecord),
  (deep, .brokenRecord), (long(1 << 20), .rowTooLarge), (long(3 << 20), .rowTooLarge),
]

@Suite struct `JSON lines` {
  @Test func `give values by name, NULL for missing ones, numbers to the last digit and nested values as written`()
    throws
  {
    let folder = TemporaryFolder()
    folder.write(
      "t.jsonl",
      """
      {"k":"1","n":9223372036854775807,"d":12345678901234567890.10,"b":true,"t":"2026-08-22T09:30:00+08:00","j":{"a":[1, 2]}}
      {"k":"2","n":null,"j":[ ],"extra":{"deep":[[[]]]}}

      {"j":"\\u9752\\ud842\\udfb7\\n\\"","k":"3","d":-0.50,"n":"7","b":"是"}
      """)
    let columns = [
      ReadPlan.Column("k", .text), .init("n", .integer), .init("d", .decimal(precision: 38, scale: 2)),
      .init("b", .boolean), .init("t", .timestamp), .init("j", .text),
    ]
    let read = try readAll(connector(folder), ReadPlan(table: TableName("t.jsonl"), columns: columns, key: [0]))
    #expect(
      written(read.keyed, columns) == [
        [
          "1", "9223372036854775807", "12345678901234567890.10", "true", "2026-08-22 01:30:00.000000", "{\"a\":[1, 2]}",
        ],
        ["2", nil, nil, nil, nil, "[ ]"], ["3", "7", "-0.50", "true", nil, "青𠮷\n\""],
      ])
    #expect(read.keyless.isEmpty)
  }

  /// A text that is none spoils its own field; what is no object spoils its own line.
  @Test(arguments: badLines)
  func `that are wrong are one bad row, and those around them come`(line: String, expected: RowFault) throws {
    let folder = TemporaryFolder()
    folder.write("t.jsonl", "{\"k\":\"before\"}\n\(line)\n{\"k\":\"after\"}")
    let rows = try readAll(connector(folder), textPlan("t.jsonl", ["k"])).keyed
    #expect(rows.count == 3)
    #expect(rows.first == [field("before")] && rows.last == [field("after")])
    #expect(rows.count == 3 && fault(rows[1][0]) == expected)
  }

  @Test func `with broken UTF-8 are a bad text and no other field of theirs is`() throws {
    let folder = TemporaryFolder()
    folder.write("t.jsonl", Array("{\"k\":1,\"v\":\"".utf8) + [0xC7, 0xE0] + Array("\",\"w\":\"good\"}\n".utf8))
    let row = try readAll(connector(folder), textPlan("t.jsonl", ["k", "v", "w"])).keyed[0]
    #expect(row[0] == field("1") && fault(row[1]) == .invalidText && row[2] == field("good"))
  }

  @Test func `without a key come last, and a read goes on from every place`() throws {
    let folder = TemporaryFolder()
    folder.write(
      "t.jsonl",
      (0..<9000).map { $0 % 1000 == 7 ? "{\"v\":\"空\($0)\"}\n" : "{\"k\":\"\($0)\",\"v\":\"值\($0)\"}\r\n" }.joined())
    let all = try readAll(connector(folder), textPlan("t.jsonl", ["k", "v"]), capacity: 64 << 10)
    #expect(all.keyed.count == 8991 && all.positions.count > 1)
    #expect(all.keyless.map { $0[1] } == (0..<9).map { field("空\($0 * 1000 + 7)") })
    for place in all.positions {
      let rest = try readAll(connector(folder), textPlan("t.jsonl", ["k", "v"], after: place), capacity: 64 << 10)
      #expect(rest.keyed == Array(all.keyed.suffix(rest.keyed.count)) && rest.keyless == all.keyless)
    }
  }

  @Test func `that none has a column of are a changed contract`() {
    let folder = TemporaryFolder()
    folder.write("t.jsonl", "{\"a\":1}\n{\"a\":2}\n")
    let refused = error { _ = try connector(folder).openReader(textPlan("t.jsonl", ["a", "b"])) }
    #expect(refused?.code == "contract.column-missing")
  }

  @Test func `that change while they are read are noticed, as is another file when a read goes on`() throws {
    let folder = TemporaryFolder()
    let lines = (0..<20_000).map { "{\"k\":\"\($0)\"}\n" }.joined()
    folder.write("t.jsonl", lines)
    let reader = try connector(folder).openReader(textPlan("t.jsonl", ["k"]))
    let batch = RowBatch(capacity: 64 << 10)
    #expect(try reader.read(into: batch) == .rows)
    let place = reader.position
    folder.write("t.jsonl", lines.replacing("\"9\"", with: "\"x\""))
    #expect(error { while try reader.read(into: batch) != .end {} }?.code == "files.changed-while-read")
    #expect(
      error { _ = try connector(folder).openReader(textPlan("t.jsonl", ["k"], after: place)) }?.code == "files.changed")
  }

  @Test func `suggest types by what is seen, and tell codes in quotes from numbers`() throws {
    let folder = TemporaryFolder()
    folder.write(
      "t.jsonl",
      """
      {"code":"630102","count":12,"price":1.50,"day":"2026-08-22","on":true,"far":1e3,"note":{"a":1}}
      {"code":"630103","count":7,"price":22.25,"day":"2026-08-23","on":false,"far":2.5e-3,"note":[1]}
      {"code":"99","count":null,"price":3,"day":"2026-08-24","on":true,"far":1}
      """)
    let table = try connector(folder).describe(TableName("t.jsonl"))
    #expect(table.estimatedRows == 3)
    #expect(
      table.columns.map(\.type) == [
        .text, .integer, .decimal(precision: 18, scale: 2), .date, .boolean, .double, .text,
      ])
    #expect(table.columns.map(\.isNullable) == [false, true, false, false, false, false, true])
  }
}
