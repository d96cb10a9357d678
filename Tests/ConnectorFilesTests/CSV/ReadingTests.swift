import Connecting
import ConnectorFiles
import Foundation
import Kernel
import Testing

/// RFC 4180, as a person would write it by hand; quotes where needed, and now and then where not.
private func quoted(_ value: String?, _ random: inout SystemRandomNumberGenerator) -> String {
  guard let value else { return "" }
  let mustQuote = value.isEmpty || value.unicodeScalars.contains { "\",\r\n".unicodeScalars.contains($0) }
  return mustQuote || Bool.random(using: &random)
    ? "\"\(value.replacingOccurrences(of: "\"", with: "\"\""))\"" : value
}

private let pieces = [
  "青海省", "西宁市城中区", "a", "Z", "0", "\"", "\"\"", ",", "\n", "\r\n", "\r", " ", "\u{3000}", "é", "𠮷", "㐂", "€", "\t", ";",
  "'", "；", "曲麻莱县", "\\", "\u{E000}", "ä", "Ж",
]

@Suite struct `Tables written in any form` {
  @Test(arguments: Form.allCases, [64 << 10, 1 << 20])
  func `come back as they were`(form: Form, capacity: Int) throws {
    var random = SystemRandomNumberGenerator()
    for round in 0..<12 {
      let width = Int.random(in: 1...8, using: &random)
      let columns = (0..<width).map { "列\($0)" }
      let count = round == 0 ? 0 : round == 1 ? 4000 : Int.random(in: 1...60, using: &random)
      let end = Bool.random(using: &random) ? "\r\n" : "\n"
      let rows: [[String?]] = (0..<count).map { row in
        (0..<width).map { column in
          if column == 0 { return "\(row)号" }
          if Int.random(in: 0..<10, using: &random) == 0 { return nil }
          return (0..<Int.random(in: 0...6, using: &random)).map { _ in pieces.randomElement(using: &random)! }.joined()
        }
      }
      var text = columns.joined(separator: ",") + end
      for (index, row) in rows.enumerated() {
        text += row.map { quoted($0, &random) }.joined(separator: ",")
        if index < rows.count - 1 || Bool.random(using: &random) { text += end }
      }
      let folder = TemporaryFolder()
      folder.write("t.csv", text, form)
      let connector = folder.connector()
      let found = try connector.discover(TableName("t.csv"))
      #expect(found.encoding == form.encoding || text.utf8.allSatisfy { $0 < 0x80 })
      #expect(found.rows == count)
      #expect(found.columns.map(\.name) == columns)
      let plan = textPlan("t.csv", columns)
      let read = try readAll(connector, plan, capacity: capacity)
      let expected = rows.map { $0.map { $0.map(field) ?? .null } }
      if read.keyed != expected { Issue.record("\(form), round \(round)") }
      #expect(read.keyless.isEmpty)
      // From every place a batch ended, the rest follows.
      if let place = read.positions.randomElement(using: &random) {
        let rest = try readAll(connector, textPlan("t.csv", columns, after: place), capacity: capacity)
        let last = try #require(Int(place[26..<34].reduce(0) { $0 << 8 | Int($1) }) as Int?)
        if rest.keyed != Array(expected[last...]) { Issue.record("resumed after row \(last)") }
      }
    }
  }

  @Test(arguments: [
    ("a;b\n1;2,5\n", [["1", "2,5"]]), ("a\tb\n1\t2;5\n", [["1", "2;5"]]), ("a,b\n1,2;5\n", [["1", "2;5"]]),
    ("\"a\";\"b\"\n\"x;y\";\"\"\"\"\n", [["x;y", "\""]]), ("a,b\n\"1,2\",\t3\n", [["1,2", "\t3"]]),
    ("a\t\"b\"\r\n\"x\ty\"\tz\r\n", [["x\ty", "z"]]), ("\"a\";b\n;\n1;\"\"\n", [["1", ""]]),
  ])
  func `stand between commas, tabs or semicolons, as the header shows`(text: String, rows: [[String]]) throws {
    for form in Form.allCases {
      let folder = TemporaryFolder()
      folder.write("t.csv", text, form)
      #expect(try folder.connector().describe(TableName("t.csv")).columns.map(\.name) == ["a", "b"])
      #expect(try folder.connector().survey().first?.columns.map(\.name) == ["a", "b"])
      let read = try readAll(folder.connector(), textPlan("t.csv", ["a", "b"]))
      #expect(read.keyed == rows.map { $0.map(field) }, "\(form)")
      // A read goes on by the same.
      for place in read.positions {
        #expect(try readAll(folder.connector(), textPlan("t.csv", ["a", "b"], after: place)).keyed.isEmpty)
      }
    }
  }

  @Test func `of one column may hold what separates elsewhere`() throws {
    let folder = TemporaryFolder()
    folder.write("t.csv", "a\n1;2\n3\t4\n")
    #expect(try readAll(folder.connector(), textPlan("t.csv", ["a"])).keyed == [[field("1;2")], [field("3\t4")]])
  }

  @Test func `in GB18030 have the characters of the standard`() throws {
    let folder = TemporaryFolder()
    // 青海, €  (2 bytes), 㐂 (4 bytes), 𠮷 (4 bytes).
    folder.write(
      "t.csv",
      Array("k,".utf8) + [0xC7, 0xE0, 0xBA, 0xA3] + Array("\n1,".utf8)
        + [0xA2, 0xE3, 0x81, 0x39, 0xEF, 0x32, 0x95, 0x34, 0xD2, 0x31, 0x0A])
    let read = try readAll(folder.connector(), textPlan("t.csv", ["k", "青海"]))
    guard case .value(let bytes) = read.keyed[0][1] else { return #expect(Bool(false)) }
    #expect(String(decoding: bytes, as: UTF8.self).first == "€")
    #expect(String(decoding: bytes, as: UTF8.self).unicodeScalars.count == 3)
  }

  @Test func `are known for GB18030 by a character at the very end`() throws {
    let folder = TemporaryFolder()
    let filler = (0..<200_000).map { "\($0),plain\n" }.joined()
    folder.write("t.csv", Array("k,v\n\(filler)x,".utf8) + [0xC7, 0xE0])
    #expect(try folder.connector().discover(TableName("t.csv")).encoding == .gb18030)
    let read = try readAll(folder.connector(), textPlan("t.csv", ["v", "k"]))
    #expect(read.keyed.last == [field("青"), field("x")])
    #expect(read.keyed.count == 200_001)
  }

  @Test(arguments: Form.allCases)
  func `come back wherever the pieces in which they are read are cut`(form: Form) throws {
    let piece = 1 << 18
    let row = "\"a\"\"青\r\n𠮷\"\"\",\"\",€\"\r\n".replacing("€\"", with: "€")
    let unit = form.encoding == .utf16BigEndian || form.encoding == .utf16LittleEndian ? 2 : 1
    for shift in 0..<form.bytes(of: row).count {
      let head = "k,e,v\n1,,"
      // The filler is ASCII, so that the row begins `shift` bytes before the cut.
      let filler = (piece - form.bytes(of: head + "\n").count - shift + (shift % unit)) / unit
      let folder = TemporaryFolder()
      folder.write("t.csv", head + String(repeating: "x", count: filler) + "\n" + row + "2,,y\n", form)
      let read = try readAll(folder.connector(), textPlan("t.csv", ["k", "e", "v"])).keyed
      #expect(read.dropFirst() == [[field("a\"青\r\n𠮷\""), field(""), field("€")], [field("2"), .null, field("y")]])
    }
  }

  @Test func `give the plan's columns in the plan's order and no other`() throws {
    let folder = TemporaryFolder()
    folder.write("t.csv", "a,b,c\n1,2,3\n4,5,6\n")
    #expect(
      try readAll(folder.connector(), textPlan("t.csv", ["c", "a"])).keyed
        == [[field("3"), field("1")], [field("6"), field("4")]])
  }

  @Test func `give values of the agreed type, NULL for empty ones, and what fits not as malformed`() throws {
    let folder = TemporaryFolder()
    folder.write(
      "t.csv",
      "k,n,d,t,b,m\n1,42,2026-08-22,2026-08-22 09:30:00,是,1.50\n2, ,,\"\",,\n3,x,2026-02-30,yesterday,maybe,1.555\n")
    let plan = ReadPlan(
      table: TableName("t.csv"),
      columns: [
        .init("k", .text), .init("n", .integer), .init("d", .date), .init("t", .timestamp), .init("b", .boolean),
        .init("m", .decimal(precision: 10, scale: 2)),
      ], key: [0])
    let rows = try readAll(folder.connector(), plan).keyed
    #expect(rows[0][1] == .value([0, 0, 0, 0, 0, 0, 0, 42]))
    #expect(rows[0][2] == .value([0, 0, 0x26, 0x02]))
    let text = zip(rows[0], plan.columns).map { field, column -> String? in
      guard case .value(let bytes) = field else { return nil }
      return bytes.withUnsafeBytes { CanonicalText.text(of: $0, as: column.type) }
    }
    #expect(text == ["1", "42", "2026-08-22", "2026-08-22 01:30:00.000000", "true", "1.50"])
    #expect(rows[1][1...].allSatisfy { $0 == .null })
    let faults = rows[2][1...].map { field -> RowFault? in
      if case .malformed(let fault, _) = field { fault } else { nil }
    }
    #expect(faults == [.notANumber, .impossibleDate, .impossibleDate, .notABoolean, .tooManyDecimals])
  }

  @Test func `tell an empty text in quotes from NULL, and know the source's own NULL`() throws {
    let folder = TemporaryFolder()
    folder.write("t.csv", "k,v\n1,\n2,\"\"\n3,N/A\n4,\"N/A\"\n5,NA\n")
    let plan = textPlan("t.csv", ["k", "v"])
    #expect(
      try readAll(folder.connector(), plan).keyed.map { $0[1] } == [
        .null, field(""), field("N/A"), field("N/A"), field("NA"),
      ])
    #expect(
      try readAll(folder.connector(CSVOptions(nullText: "N/A")), plan).keyed.map { $0[1] }
        == [.null, field(""), .null, .null, field("NA")])
  }

  @Test func `give rows without a key last, and again when a read goes on`() throws {
    let folder = TemporaryFolder()
    var text = "k,v\n"
    for row in 0..<9000 { text += row % 1000 == 7 ? ",空\(row)\n" : "\(row),值\(row)\n" }
    folder.write("t.csv", text)
    let connector = folder.connector()
    let all = try readAll(connector, textPlan("t.csv", ["k", "v"]), capacity: 64 << 10)
    #expect(all.keyed.count == 8991)
    #expect(all.keyless.map { $0[1] } == (0..<9).map { field("空\($0 * 1000 + 7)") })
    #expect(all.positions.count > 1)
    let rest = try readAll(connector, textPlan("t.csv", ["k", "v"], after: all.positions[0]), capacity: 64 << 10)
    #expect(rest.keyless == all.keyless)
    #expect(rest.keyed == Array(all.keyed.suffix(rest.keyed.count)) && rest.keyed.count < all.keyed.count)
  }

  @Test func `may have blank lines at the end, and blank values in a single column`() throws {
    let folder = TemporaryFolder()
    folder.write("t.csv", "a,b\r\n1,2\r\n\r\n\r\n")
    #expect(try readAll(folder.connector(), textPlan("t.csv", ["a"])).keyed == [[field("1")]])
    folder.write("one.csv", "a\n1\n\n2\n")
    let one = try readAll(folder.connector(), textPlan("one.csv", ["a"]))
    #expect(one.keyed == [[field("1")], [field("2")]])
    #expect(one.keyless == [[.null]])
    folder.write("head.csv", "a,b")
    #expect(try readAll(folder.connector(), textPlan("head.csv", ["a"])).keyed.isEmpty)
  }
}

@Suite struct `A folder of CSV files` {
  @Test func `lists regular files with the ending, nothing hidden and no links`() throws {
    let folder = TemporaryFolder()
    for name in ["b.csv", "a.CSV", "企业.csv", ".hidden.csv", "notes.txt", "csv", "~$b.csv"] {
      folder.write(name, "a\n1\n")
    }
    mkdir("\(folder.path)/folder.csv", 0o755)
    symlink("/etc/passwd", "\(folder.path)/link.csv")
    #expect(try folder.connector().tables().map(\.name.name) == ["a.CSV", "b.csv", "企业.csv"])
    #expect(try folder.connector().probe().isReadOnly)
  }

  @Test(arguments: [
    "../t.csv", "link.csv", "/etc/passwd", "none.csv", "folder.csv", ".hidden.csv", "t.csv\n", "t.txt", "",
  ])
  func `opens nothing else`(name: String) {
    let folder = TemporaryFolder()
    folder.write("t.csv", "a\n1\n")
    folder.write("t.txt", "a\n1\n")
    folder.write(".hidden.csv", "a\n1\n")
    mkdir("\(folder.path)/folder.csv", 0o755)
    symlink("\(folder.path)/t.csv", "\(folder.path)/link.csv")
    #expect(error { _ = try folder.connector().openReader(textPlan(name, ["a"])) }?.code == "csv.file")
    #expect(error { _ = try folder.connector().describe(TableName(name)) }?.code == "csv.file")
  }

  @Test func `that is not there is named`() {
    let connector = CSVConnector(folder: "/nonexistent/sanjiang")
    #expect(error { _ = try connector.probe() }?.message.chinese.contains("/nonexistent/sanjiang") == true)
    #expect(error { _ = try connector.tables() }?.kind == .permanent)
  }

  @Test func `refuses a plan it cannot serve`() {
    let folder = TemporaryFolder()
    folder.write("t.csv", "a,b\n1,2\n")
    let connector = folder.connector()
    #expect(error { _ = try connector.openReader(textPlan("t.csv", ["a", "c"])) }?.code == "contract.column-missing")
    let columns = [ReadPlan.Column("a", .text), .init("b", .integer)]
    let plan = ReadPlan(
      table: TableName("t.csv"), columns: columns, key: [0], cursor: 1, range: .incremental(above: .integer(1)))
    #expect(error { _ = try connector.openReader(plan) }?.code == "contract.no-increment")
    #expect(
      error { _ = try connector.openReader(textPlan("t.csv", ["a"], after: [1, 2, 3])) }?.code == "contract.position")
    let write = WritePlan(table: TableName("t.csv"), columns: [], key: [], stream: "s", run: "r", fence: 1)
    #expect(error { _ = try connector.openWriter(write) }?.code == "contract.target-name")
  }

  @Test func `is opened by its settings`() throws {
    let folder = TemporaryFolder()
    folder.write("t.csv", "k,v,t\n1,-,2026-08-22 08:00:00\n")
    let catalog = ConnectorCatalog([CSVConnector.kind])
    let connector = try catalog.open(
      "csv", ["folder": folder.path, "null": "-", "zone": "+00:00", "encoding": "utf-8"])
    let plan = ReadPlan(
      table: TableName("t.csv"), columns: [.init("k", .text), .init("v", .text), .init("t", .timestamp)], key: [0])
    let row = try readAll(try #require(connector as? CSVConnector), plan).keyed[0]
    #expect(row[1] == .null)
    guard case .value(let time) = row[2] else { return #expect(Bool(false)) }
    #expect(time.withUnsafeBytes { CanonicalText.text(of: $0, as: .timestamp) } == "2026-08-22 08:00:00.000000")
    #expect(error { _ = try catalog.open("csv", [:]) }?.code == "connector.setting-missing")
    #expect(error { _ = try catalog.open("csv", ["folder": "x", "zone": "east"]) }?.code == "csv.zone")
    #expect(error { _ = try catalog.open("csv", ["folder": "x", "encoding": "Latin-1"]) }?.code == "csv.encoding-name")
  }
}

@Suite struct `What a file's values look like` {
  @Test(arguments: [
    (["1", "22", "-333"], ValueType.integer), (["001", "2"], .text), (["630102", "630103"], .text),
    (["123456", "1234567"], .integer), (["1.5", "-22.25", "3"], .decimal(precision: 18, scale: 2)),
    (["1.", "2"], .text),
    (["1,000", "2"], .text), (["1e5"], .text), (["+1"], .text), (["2026-08-22", "2026/8/1"], .date),
    (["20260822"], .text),
    (["2026-08-22 09:30:00", "2026-08-22T10:00:00Z"], .timestamp), (["2026-08-22", "x"], .text),
    (["是", "否"], .boolean),
    (["1", "0"], .integer), (["2026年8月22日"], .date), (["1234567890123456", "1"], .text), (["", ""], .text),
    (["0.5", "12345678901234567890.25"], .decimal(precision: 38, scale: 2)), (["青海"], .text), (["2009"], .integer),
  ])
  func `is suggested only where no value can be lost`(values: [String], expected: ValueType) throws {
    let folder = TemporaryFolder()
    folder.write("t.csv", "k,v\n" + values.map { "1,\(CSV.line([$0]))\n" }.joined())
    let column = try folder.connector().discover(TableName("t.csv")).columns[1]
    #expect(column.suggested == expected)
    #expect(column.nulls == values.count { $0.isEmpty })
  }

  @Test func `is described with lengths and what is NULL`() throws {
    let folder = TemporaryFolder()
    folder.write("t.csv", " 名称 ,数量\n青海湖,1\n\"a\n𠮷\",\n", .gb18030)
    let table = try folder.connector().describe(TableName("t.csv"))
    #expect(table.estimatedRows == 2)
    #expect(table.columns.map(\.name) == ["名称", "数量"])
    #expect(table.columns.map(\.type) == [.text, .integer])
    #expect(table.columns.map(\.isNullable) == [false, true])
    #expect(table.columns.map(\.length) == [10, nil])
    #expect(table.remark?.hasPrefix("GB18030") == true && table.comment == nil)
    #expect(table.key.isEmpty)
  }
}
