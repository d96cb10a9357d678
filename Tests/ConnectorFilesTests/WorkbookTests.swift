import Connecting
import ConnectorFiles
import Foundation
import Kernel
import Testing

private func connector(_ folder: TemporaryFolder, sheet: String = "") -> FilesConnector {
  FilesConnector(.local(folder.path), FilesOptions(format: .xlsx, nullText: "N/A", sheet: sheet))
}

private func shown(_ field: RowField, _ type: ValueType) -> String? {
  switch field {
  case .null: nil
  case .value(let bytes): bytes.withUnsafeBytes { CanonicalText.text(of: $0, as: type) }
  case .malformed(let fault, _): "!" + fault.code
  }
}

@Suite struct `A workbook as a table` {
  @Test func `gives cells as the agreed types, and never a code whose digits Excel lost`() throws {
    let folder = TemporaryFolder()
    let titles = ["代码", "金额", "日期", "时间", "有效"].map(Workbooks.text).joined()
    func row(_ cells: String...) -> String { cells.joined() }
    try Workbooks.write(
      folder.path + "/名录.xlsx",
      [
        (
          "第一张",
          [
            titles,
            row(
              Workbooks.text("630101199001010014"), Workbooks.number("1.1000000000000001"),
              Workbooks.number("46256", style: 1),
              Workbooks.number("46256.395833333336", style: 2), "<c t=\"b\"><v>1</v></c>"),
            row(
              Workbooks.number("6.3010119900101E+17"), Workbooks.number("6.3010119900101E+17"),
              Workbooks.number("46256.5", style: 2),
              Workbooks.number("46256"), Workbooks.text("否")),
            row(
              Workbooks.number("123456"), Workbooks.text("N/A"), Workbooks.text("2026年8月22日"),
              Workbooks.number("46256", style: 1),
              "<c t=\"e\"><v>#N/A</v></c>"),
            row(
              Workbooks.number("20260822"), "<c><f>A1</f></c>", Workbooks.number("20260822"), Workbooks.text("x"), ""),
          ]
        )
      ])
    let columns = [
      ReadPlan.Column("代码", .text), .init("金额", .decimal(precision: 10, scale: 1)), .init("日期", .date),
      .init("时间", .timestamp), .init("有效", .boolean),
    ]
    let read = try readAll(connector(folder), ReadPlan(table: TableName("名录.xlsx"), columns: columns, key: [0]))
    let found = read.keyed.map { zip($0, columns).map { shown($0, $1.type) } }
    #expect(
      found == [
        ["630101199001010014", "1.1", "2026-08-22", "2026-08-22 01:30:00.000000", "true"],
        ["!lost-digits", "!lost-digits", "!impossible-date", "!wrong-type", "false"],
        ["123456", nil, "2026-08-22", "2026-08-21 16:00:00.000000", "!wrong-type"],
        ["20260822", "!wrong-type", "2026-08-22", "!impossible-date", nil],
      ])
    let described = try connector(folder).describe(TableName("名录.xlsx"))
    #expect(described.columns.map(\.name) == ["代码", "金额", "日期", "时间", "有效"] && described.estimatedRows == 4)
  }

  @Test func `has the sheet that was asked for, and says which there are`() throws {
    let folder = TemporaryFolder()
    try Workbooks.write(
      folder.path + "/t.xlsx",
      [
        ("甲", [Workbooks.text("a"), Workbooks.text("1")]), ("乙", [Workbooks.text("a"), Workbooks.text("2")]),
      ])
    #expect(try readAll(connector(folder), textPlan("t.xlsx", ["a"])).keyed == [[field("1")]])
    #expect(try readAll(connector(folder, sheet: "乙"), textPlan("t.xlsx", ["a"])).keyed == [[field("2")]])
    let missing = error { _ = try connector(folder, sheet: "丙").openReader(textPlan("t.xlsx", ["a"])) }
    #expect(missing?.kind == .contract && missing?.message.chinese.contains("“甲”、“乙”") == true)
    let column = error { _ = try connector(folder).openReader(textPlan("t.xlsx", ["b"])) }
    #expect(column?.code == "contract.column-missing")
  }

  @Test func `gives rows without a key last and goes on from every place`() throws {
    let folder = TemporaryFolder()
    var rows = [Workbooks.text("k") + Workbooks.text("v")]
    for row in 0..<3000 {
      rows.append(
        row % 500 == 3
          ? "<c r=\"B\(row + 2)\" t=\"inlineStr\"><is><t>\(row)</t></is></c>"
          : Workbooks.text("\(row)") + Workbooks.text(String(repeating: "值", count: 20)))
    }
    // Rows without numbers of their own count up; a cell with an address needs its row's.
    try Workbooks.write(folder.path + "/t.xlsx", [("s", rows)])
    let all = try readAll(connector(folder), textPlan("t.xlsx", ["k", "v"]), capacity: 64 << 10)
    #expect(all.keyed.count == 2994 && all.positions.count > 1)
    #expect(all.keyless.map { $0[1] } == (0..<6).map { field("\($0 * 500 + 3)") })
    for place in all.positions {
      let rest = try readAll(connector(folder), textPlan("t.xlsx", ["k", "v"], after: place), capacity: 64 << 10)
      #expect(rest.keyed == Array(all.keyed.suffix(rest.keyed.count)) && rest.keyless == all.keyless)
    }
  }

  @Test(arguments: [
    (["B2:B4"], "B2:B4"), (["D2:D4", "A3:B3", "B4:B5"], "A3:B3"), (["A1:A2"], "A1:A2"), (["A4:A9"], "A4:A9"),
    (["B2:C3"], "B2:C3"),
  ])
  func `with merged cells among its rows delivers nothing, and says which`(merged: [String], named: String) throws {
    let folder = TemporaryFolder()
    let rows = [["姓名", "部门"], ["张三", "一"], ["李四", "二"], ["王五", "三"]].map { $0.map(Workbooks.text).joined() }
    try Workbooks.write(folder.path + "/t.xlsx", [("s", rows)], merged: merged)
    let refused = error { _ = try connector(folder).openReader(textPlan("t.xlsx", ["姓名", "部门"])) }
    #expect(refused?.kind == .contract && refused?.code == "contract.merged-cells")
    #expect(refused?.message.chinese.contains("合并单元格 \(named)") == true)
    #expect(refused?.message.english.contains("“t.xlsx”") == true)
    #expect(error { _ = try connector(folder).describe(TableName("t.xlsx")) } == refused)
  }

  @Test func `may have merged cells that hide nothing: of titles, beside and below its rows, of one cell`() throws {
    let folder = TemporaryFolder()
    let rows = [["姓名", "部门"], ["张三", "一"], ["李四", "二"]].map { $0.map(Workbooks.text).joined() }
    try Workbooks.write(
      folder.path + "/t.xlsx", [("s", rows)], merged: ["B1:E1", "D1:D9", "B2:D2", "A5:B9", "A2:A2", "B3"])
    #expect(try readAll(connector(folder), textPlan("t.xlsx", ["姓名", "部门"])).keyed.count == 2)
    try Workbooks.write(folder.path + "/bad.xlsx", [("s", rows)], merged: ["B9:A1"])
    let refused = error { _ = try connector(folder).openReader(textPlan("bad.xlsx", ["姓名"])) }
    #expect(refused?.code == "spreadsheet.merge-reference")
  }

  @Test func `is no table while it is only the mark of one that somebody has open`() throws {
    let folder = TemporaryFolder()
    try Workbooks.write(folder.path + "/one.xlsx", [("s", [Workbooks.text("a"), Workbooks.text("1")])])
    folder.write("~$one.xlsx", [UInt8](repeating: 0x20, count: 165))
    #expect(try connector(folder).tables().map(\.name.name) == ["one.xlsx"])
    let described = try connector(folder).describe(TableName("one.xlsx"))
    #expect(described.comment == nil && described.remark?.hasPrefix("XLSX") == true)
  }

  @Test func `that is cut off, is something else or names no columns delivers nothing`() throws {
    let folder = TemporaryFolder()
    try Workbooks.write(
      folder.path + "/whole.xlsx", [("s", [Workbooks.text("a")] + (0..<2000).map { Workbooks.text("\($0)") })])
    let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: folder.path + "/whole.xlsx")))
    folder.write("cut.xlsx", Array(bytes.prefix(bytes.count / 2)))
    folder.write("text.xlsx", "a,b\n1,2\n")
    folder.write("empty.xlsx", [])
    var torn = bytes
    for at in 600..<900 { torn[at] ^= 0x5A }
    folder.write("torn.xlsx", torn)
    try Workbooks.write(folder.path + "/blank.xlsx", [("s", [])])
    try Workbooks.write(
      folder.path + "/gap.xlsx", [("s", [Workbooks.text("a") + "<c r=\"C1\" t=\"inlineStr\"><is><t>c</t></is></c>"])])
    for name in ["cut", "text", "empty", "torn", "blank", "gap"] {
      let refused = error { _ = try connector(folder).openReader(textPlan(name + ".xlsx", ["a"])) }
      #expect(refused?.kind == .data, "\(name): \(String(describing: refused))")
    }
  }

  @Test func `that swells like a bomb is refused before it fills memory or disk`() throws {
    let folder = TemporaryFolder()
    // 300 MB of one row again and again: about a thousandth of it on the disk.
    try Workbooks.write(
      folder.path + "/bomb.xlsx",
      [("s", [Workbooks.text("a"), Workbooks.text(String(repeating: "x", count: 30_000))])],
      repeating: 10_000)
    let before = Memory.peak
    let refused = error { _ = try connector(folder).openReader(textPlan("bomb.xlsx", ["a"])) }
    #expect(refused?.kind == .data && refused?.code == "spreadsheet.ratio")
    #expect(Memory.peak - before < 100 << 20)
  }
}

enum Memory {
  /// The most this process has ever held, in bytes.
  static var peak: Int {
    let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") } ?? ""
    return (line.split(whereSeparator: { !$0.isNumber }).first.flatMap { Int($0) } ?? 0) << 10
  }
}
