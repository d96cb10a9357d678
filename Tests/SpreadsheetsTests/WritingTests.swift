import Foundation
import Kernel
import Spreadsheets
import Testing

private func date(_ text: String) -> CalendarDate { CalendarDate(text)! }

/// Writes one sheet, “名单”, and reads its rows back, the header's first.
private func roundTrip(
  _ columns: [SheetColumn], _ rows: [[CellValue]], reason: String? = nil, fillable: Int = 0
) throws -> [SheetRow] {
  let folder = TemporaryFolder()
  let path = folder.path + "/out.xlsx"
  let writer = try WorkbookWriter(path: path)
  let sheet = try writer.addSheet(
    SheetPlan("名单", columns, fillableRows: fillable, reasonTitle: reason == nil ? nil : "未通过的原因"))
  for row in rows { try sheet.append(row, rejectedFor: reason) }
  try writer.finish()
  return try read(path)[0]
}

private func textPlan(_ name: String) -> SheetPlan { SheetPlan(name, [SheetColumn("甲")]) }

@Suite struct `A written workbook` {
  @Test func `comes back as it was`() throws {
    let day = date("2026-08-22")
    let moment = WallTime(hour: 23, minute: 59, second: 59, millisecond: 250)!
    let rows: [[CellValue]] = [
      [.text("630102199001011234"), .number(-12), .number(0.1), .date(day), .dateTime(day, moment), .text("是")],
      [
        .text("=1+1"), .number(999_999_999_999_999), .number(1e-7), .date(date("1900-03-01")), .time(moment),
        .text("否"),
      ],
      [.text("@a"), .text("+1"), .text("-1"), .date(date("9999-12-31")), .boolean(true), .text("001")],
      [
        .text(" 两端 "), .text("一\n二"), .text("回\r车"), .text("\t"), .text("_x000D_"),
        .text("\u{1}\u{FFFE}\u{FFFF}𠮷\"<&>'"),
      ],
      [.empty, .empty, .text("   "), .empty, .empty, .text("\n")],
    ]
    let columns = [
      SheetColumn("码"), SheetColumn("数", .wholeNumber), SheetColumn("额", .decimal), SheetColumn("日", .date),
      SheetColumn("时", .dateTime),
      SheetColumn("注"),
    ]
    let read = try roundTrip(columns, rows)
    #expect(read[0].values(6) == columns.map { .text($0.title) })
    #expect(read.dropFirst().map(\.number) == [2, 3, 4, 5, 6])
    for (got, wanted) in zip(read.dropFirst(), rows) {
      for (a, b) in zip(got.values(6), wanted) {
        if case .number(let x, _) = a, case .number(let y, _) = b { #expect(x == y) } else { #expect(a == b) }
      }
    }
  }

  @Test func `keeps as text what a spreadsheet would spoil`() throws {
    let columns = [SheetColumn("码"), SheetColumn("数", .wholeNumber), SheetColumn("日", .date), SheetColumn("否", .yesNo)]
    let read = try roundTrip(
      columns,
      [
        [
          .number(630_102_199_001_011_234), .number(630_102_199_001_011_234), .date(date("1900-02-28")), .boolean(true),
        ],
        [.number(0.1), .number(1.5), .date(date("1870-01-01")), .boolean(false)],
        [.error("#N/A"), .number(Double.nan)],
      ])
    #expect(
      read[1].values(4) == [
        .text("630102199001011234"), .text("630102199001011234"), .text("1900-02-28"), .text("是"),
      ])
    #expect(read[2].values(4) == [.text("0.1"), .number(1.5, digits: "1.5"), .text("1870-01-01"), .text("否")])
    #expect(read[3].values(2) == [.text("#N/A"), .text("#NUM!")])
  }

  @Test func `gives rejected rows back with the reason in the last column`() throws {
    let columns = [SheetColumn("姓名", isRequired: true), SheetColumn("日", .date)]
    let read = try roundTrip(columns, [[.text("张三"), .text("2026年13月")]], reason: "日期无效；=1")
    #expect(read[0].values(3) == [.text("*姓名"), .text("日"), .text("未通过的原因")])
    #expect(read[1].values(3) == [.text("张三"), .text("2026年13月"), .text("日期无效；=1")])
    #expect(SheetColumn.title(fromHeader: " *姓 名\n") == "姓 名")
    #expect(SheetColumn.title(fromHeader: "＊ 姓名") == "姓名")
  }

  @Test func `has its long lists on a hidden last sheet, each once`() throws {
    let folder = TemporaryFolder()
    let path = folder.path + "/template.xlsx"
    let writer = try WorkbookWriter(path: path)
    let long = (1...300).map { "西宁市第\($0)号" }
    _ = try writer.addSheet(
      SheetPlan(
        "一",
        [
          SheetColumn("长", note: String(repeating: "说明", count: 200), choices: long),
          SheetColumn("短", choices: ["甲", "乙"]),
          SheetColumn("有逗号", choices: ["a,b"]), SheetColumn("尖括号", choices: ["<a>&"]), SheetColumn("否", .yesNo),
        ], fillableRows: SheetPlan.usualFillableRows))
    _ = try writer.addSheet(SheetPlan("二", [SheetColumn("长", choices: long)], fillableRows: 5))
    try writer.finish()
    let reader = try WorkbookReader(path: path)
    #expect(reader.sheets.map(\.name) == ["一", "二", "_选项"])
    #expect(reader.sheets.map(\.visibility) == [.visible, .visible, .hidden])
    let choices = try read(path)[2]
    #expect(choices.map { $0[column: 0] } == (long + ["a,b"]).map { .text($0) })
    let first = try part("xl/worksheets/sheet1.xml", of: path)
    #expect(first.contains("<formula1>'_选项'!$A$1:$A$300</formula1>"))
    #expect(first.contains("<formula1>'_选项'!$A$301:$A$301</formula1>"))
    #expect(first.contains("<formula1>\"甲,乙\"</formula1>"))
    #expect(first.contains("<formula1>\"&lt;a&gt;&amp;\"</formula1>"))
    #expect(first.contains("<formula1>\"是,否\"</formula1>"))
    #expect(first.contains("sqref=\"A2:A20001\""))
    #expect(first.contains("<autoFilter ref=\"A1:E20001\"/>"))
    #expect(first.contains("topLeftCell=\"A2\""))
    #expect(try part("xl/worksheets/sheet2.xml", of: path).contains("<formula1>'_选项'!$A$1:$A$300</formula1>"))
    // The column itself is text, so that rows still empty are.
    let style = try #require(first.firstMatch(of: /<col min="1" max="1" width="[0-9.]+" style="([0-9]+)"/)?.1)
    let styles = try part("xl/styles.xml", of: path)
    let cellFormats = styles.components(separatedBy: "<cellXfs")[1].components(separatedBy: "<xf ").dropFirst()
    #expect(Array(cellFormats)[Int(style)!].contains("numFmtId=\"49\""))
    #expect(try part("xl/comments1.xml", of: path).contains("说明"))
  }

  @Test func `appears only when it is whole`() throws {
    let folder = TemporaryFolder()
    let path = folder.path + "/out.xlsx"
    _ = folder.write([1, 2, 3], "out.xlsx")
    do {
      let writer = try WorkbookWriter(path: path)
      let sheet = try writer.addSheet(textPlan("甲"))
      try sheet.append([.text("半")])
      #expect(folder.names.count == 2)
    }
    #expect(folder.names == ["out.xlsx"])
    #expect(try Data(contentsOf: URL(fileURLWithPath: path)).count == 3)
    let writer = try WorkbookWriter(path: path)
    let sheet = try writer.addSheet(textPlan("甲"))
    try sheet.append([.text("全")])
    try writer.finish()
    #expect(folder.names == ["out.xlsx"])
    #expect(try read(path)[0][1][column: 0] == .text("全"))
    let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    #expect(mode == 0o600)
    #expect(refusal { try sheet.append([]) }?.code == "spreadsheet.finished")
    #expect(refusal { try writer.finish() }?.code == "spreadsheet.finished")
    #expect(refusal { _ = try WorkbookWriter(path: folder.path + "/none/out.xlsx") }?.code == "spreadsheet.write")
  }

  @Test func `may have sheets written by turns`() throws {
    let folder = TemporaryFolder()
    let path = folder.path + "/out.xlsx"
    let writer = try WorkbookWriter(path: path, language: .english)
    let sheets = [try writer.addSheet(textPlan("甲")), try writer.addSheet(textPlan("O'Neil & <b>"))]
    for row in 0..<100 { try sheets[row % 2].append([.number(row)]) }
    try writer.finish()
    let reader = try WorkbookReader(path: path)
    #expect(reader.sheets.map(\.name) == ["甲", "O'Neil & <b>"])
    #expect(try read(path).map(\.count) == [51, 51])
  }

  @Test func `leaves its sheets closed when it is dropped`() throws {
    let folder = TemporaryFolder()
    let sheet = try { try WorkbookWriter(path: folder.path + "/out.xlsx").addSheet(textPlan("甲")) }()
    #expect(refusal { try sheet.append([]) }?.code == "spreadsheet.finished")
    #expect(folder.names == [])
  }

  private func part(_ name: String, of path: String) throws -> String {
    let tool = Process()
    tool.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
    tool.arguments = [
      "-c", "import sys,zipfile; sys.stdout.buffer.write(zipfile.ZipFile(sys.argv[1]).read(sys.argv[2]))", path, name,
    ]
    let pipe = Pipe()
    tool.standardOutput = pipe
    try tool.run()
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    tool.waitUntilExit()
    return String(decoding: data, as: UTF8.self)
  }
}

@Suite struct `What no workbook can hold` {
  private func withSheet(_ body: (WorkbookWriter, SheetWriter) throws -> Void) throws {
    let folder = TemporaryFolder()
    let writer = try WorkbookWriter(path: folder.path + "/out.xlsx")
    try body(writer, try writer.addSheet(SheetPlan("甲", [SheetColumn("a"), SheetColumn("b")])))
    try writer.finish()
  }

  @Test func `is refused with its place, and leaves no trace`() throws {
    let folder = TemporaryFolder()
    let path = folder.path + "/out.xlsx"
    let writer = try WorkbookWriter(path: path)
    let sheet = try writer.addSheet(SheetPlan("甲", [SheetColumn("a"), SheetColumn("b")]))
    let long = String(repeating: "长", count: 32_767)
    try sheet.append([.text(long)])
    let found = refusal { try sheet.append([.text("x"), .text(long + "长")]) }
    #expect(found?.code == "spreadsheet.text-length")
    #expect(found?.message.chinese.hasPrefix("工作表“甲”第 3 行 B 列：") == true)
    #expect(refusal { try sheet.append([.text("x"), .text("a\0b")]) }?.code == "spreadsheet.nul")
    #expect(refusal { try sheet.append([.text("x")], rejectedFor: "\0") }?.code == "spreadsheet.nul")
    #expect(refusal { try sheet.append([.empty, .empty, .empty]) }?.code == "spreadsheet.row-width")
    try sheet.append([.text("y")])
    try writer.finish()
    let rows = try read(path)[0]
    #expect(rows.map { $0[column: 0] } == [.text("a"), .text(long), .text("y")])
  }

  @Test(arguments: [
    "", "a/b", "a\\b", "a[b", "a]b", "a:b", "a*b", "a?b", "'a", "a'", "History", "甲", "a\u{FFFE}", "_选项", "a\nb",
    String(repeating: "长", count: 32),
  ])
  func `is no sheet's name`(name: String) throws {
    try withSheet { writer, _ in
      #expect(refusal { _ = try writer.addSheet(textPlan(name)) }?.code == "spreadsheet.sheet-name")
    }
  }

  @Test func `may be a sheet's name at its longest`() throws {
    try withSheet { writer, _ in
      _ = try writer.addSheet(textPlan(String(repeating: "长", count: 31)))
      _ = try writer.addSheet(textPlan("B"))
      #expect(refusal { _ = try writer.addSheet(textPlan("b")) }?.code == "spreadsheet.sheet-name")
    }
  }

  @Test func `is no sheet's plan`() throws {
    try withSheet { writer, _ in
      func code(_ plan: SheetPlan) -> String? { refusal { _ = try writer.addSheet(plan) }?.code }
      #expect(code(SheetPlan("x", [])) == "spreadsheet.columns")
      #expect(code(SheetPlan("x", (0...16_384).map { SheetColumn("\($0)") })) == "spreadsheet.columns")
      #expect(code(SheetPlan("x", [SheetColumn("")])) == "spreadsheet.title")
      #expect(code(SheetPlan("x", [SheetColumn(" *")])) == "spreadsheet.title")
      #expect(code(SheetPlan("x", [SheetColumn("a\0b")])) == "spreadsheet.title")
      #expect(code(SheetPlan("x", [SheetColumn("a", choices: ["a\0b"])])) == "spreadsheet.choice")
      #expect(code(SheetPlan("x", [SheetColumn("a", note: "a\0b")])) == "spreadsheet.note")
      #expect(code(SheetPlan("x", [SheetColumn("a"), SheetColumn("a", isRequired: true)])) == "spreadsheet.title")
      #expect(code(SheetPlan("x", [SheetColumn("a")], reasonTitle: "a")) == "spreadsheet.title")
      #expect(code(SheetPlan("x", [SheetColumn("a", width: 256)])) == "spreadsheet.width")
      #expect(code(SheetPlan("x", [SheetColumn("a", choices: [""])])) == "spreadsheet.choice")
      #expect(code(SheetPlan("x", [SheetColumn("a")], fillableRows: 1_048_576)) == "spreadsheet.fillable-rows")
    }
    let folder = TemporaryFolder()
    let writer = try WorkbookWriter(path: folder.path + "/out.xlsx")
    #expect(refusal { try writer.finish() }?.code == "spreadsheet.no-sheet")
  }
}
