import Kernel
import Spreadsheets
import Testing

private func date(_ text: String) -> CalendarDate { CalendarDate(text)! }
private func time(_ hour: Int, _ minute: Int, _ second: Int = 0) -> WallTime {
  WallTime(hour: hour, minute: minute, second: second)!
}

@Suite struct `Workbooks of other programs` {
  @Test(arguments: ["openpyxl.xlsx", "openpyxl-1904.xlsx"])
  func `are read with the types they were written with`(name: String) throws {
    let reader = try WorkbookReader(path: fixture(name))
    #expect(reader.sheets.map(\.name) == ["人员 名单", "藏", "深藏"])
    #expect(reader.sheets.map(\.visibility) == [.visible, .hidden, .veryHidden])
    let rows = try read(fixture(name))[0]
    #expect(rows.map(\.number) == [1, 2, 3, 7, 99_999])
    #expect(
      rows[1].values(9) == [
        .text("张三"), .text("630102199001011234"), .date(date("1990-01-01")),
        .dateTime(date("2026-08-22"), time(9, 30, 15)), .time(time(8, 30)), .number(0.1), .boolean(true), .empty,
        .error("#N/A"),
      ])
    // A formula that nobody has calculated yet says so.
    #expect(rows[1].cells.first { $0.column == 7 } == SheetCell(column: 7, value: .empty, isFormula: true))
    #expect(
      rows[2].values(7) == [
        .text("  李四 \n第二行"), .number(630_102_199_001_011), .date(date("2024-02-29")), .empty, .empty,
        .number(-12.5, digits: "-12.5"), .boolean(false),
      ])
    #expect(rows[3].values(1) == [.text("红黄蓝")])
    #expect(rows[4].cells == [SheetCell(column: 701, value: .text("角"), isFormula: false)])
    #expect(rows[4][column: 700] == .empty)
  }

  @Test(arguments: ["xlsxwriter.xlsx", "libreoffice.xlsx"])
  func `say by their formats what is a date`(name: String) throws {
    let rows = try read(fixture(name))[0]
    let day = date("2024-08-22")
    let expected: [CellValue] = [
      .date(day), .dateTime(day, time(12, 0)), .time(time(12, 0)), .date(day), .number(1.5), .number(12345.678),
      .number(3), .date(day), .time(time(18, 0)), .dateTime(day, time(6, 0)), .number(1e-7), .number(7), .date(day),
      .number(60), .date(day), .number(5), .date(day), .number(6),
    ]
    for (row, value) in zip(rows, expected) {
      if case .number(let number, _) = row[column: 0], case .number(let wanted, _) = value {
        #expect(number == wanted, "\(row[column: 1])")
      } else {
        #expect(row[column: 0] == value, "\(row[column: 1])")
      }
    }
    #expect(rows[0].cells[2] == SheetCell(column: 2, value: .number(2), isFormula: true))
    #expect(rows[1].cells[2] == SheetCell(column: 2, value: .text("甲乙"), isFormula: true))
    #expect(rows[2].cells[2] == SheetCell(column: 2, value: .boolean(true), isFormula: true))
    #expect(rows[3].cells[2] == SheetCell(column: 2, value: .error("#DIV/0!"), isFormula: true))
    #expect(rows[5][column: 2] == .text("_x0041_"))
  }
}

@Suite struct `A cell` {
  @Test(arguments: [
    ("yyyy-mm-dd", "date"), ("yyyy\"年\"m\"月\"d\"日\"", "date"), ("yyyy年m月d日", "date"), ("[$-804]aaaa;@", "date"),
    ("[红色]yyyy/m/d", "date"), ("m\\-d", "date"), ("e\"年\"", "date"), ("h:mm", "time"), ("上午/下午h\"时\"mm\"分\"", "time"),
    ("yyyy-mm-dd hh:mm:ss.000", "dateTime"), ("[h]:mm:ss", "number"), ("[mm]:ss", "number"), ("General", "number"),
    ("G/通用格式", "number"), ("0.00E+00", "number"), ("##0.0E+0", "number"), ("#,##0.00\"元\"", "number"),
    ("[Red]0;[Blue]-0", "number"), ("\"yyyy\"0", "number"), ("0_d", "number"), ("@", "number"), ("0;yyyy", "number"),
    ("[>=100]0\"天\"", "number"), ("_ ¥* #,##0.00_ ", "number"),
  ])
  func `is a date when its format shows one`(code: String, kind: String) throws {
    let value = try first(Book.cell("s=\"0\"", "<v>45526.5</v>").with { $0.formats = [code] })
    let day = date("2024-08-22")
    switch kind {
    case "number": #expect(value == .number(45526.5))
    default: #expect(value == .dateTime(day, time(12, 0)))
    }
    let whole = try first(Book.cell("s=\"0\"", "<v>45526</v>").with { $0.formats = [code] })
    switch kind {
    case "number": #expect(whole == .number(45526))
    case "dateTime": #expect(whole == .dateTime(day, time(0, 0)))
    default: #expect(whole == .date(day))
    }
    let fraction = try first(Book.cell("s=\"0\"", "<v>0.25</v>").with { $0.formats = [code] })
    if kind == "time" || kind == "dateTime" || code.hasPrefix("[h]") || code.hasPrefix("[mm]") {
      #expect(fraction == .time(time(6, 0)))
    } else {
      #expect(fraction == .number(0.25))
    }
  }

  @Test func `counts days in its workbook's system`() throws {
    func day(_ serial: String, _ properties: String = "") throws -> CellValue {
      try first(
        Book.cell("s=\"0\"", "<v>\(serial)</v>").with {
          $0.formats = ["yyyy-mm-dd"]
          $0.workbookProperties = properties
        })
    }
    #expect(try day("1") == .date(date("1900-01-01")))
    #expect(try day("59") == .date(date("1900-02-28")))
    #expect(try day("60") == .number(60))
    #expect(try day("61") == .date(date("1900-03-01")))
    #expect(try day("2958465") == .date(date("9999-12-31")))
    #expect(try day("2958466") == .number(2_958_466))
    #expect(try day("0") == .number(0))
    #expect(try day("-1") == .number(-1))
    // The last half millisecond of a day is the next day.
    #expect(try day("45525.999999999") == .date(date("2024-08-22")))
    let old = "<workbookPr date1904=\"1\"/>"
    #expect(try day("0", old) == .date(date("1904-01-01")))
    #expect(try day("44064", old) == .date(date("2024-08-22")))
    #expect(try day("2957003", old) == .date(date("9999-12-31")))
    #expect(try day("2957004", old) == .number(2_957_004))
  }

  @Test func `keeps the digits of a number`() throws {
    func number(_ digits: String) throws -> CellValue { try first(Book.cell("", "<v>\(digits)</v>")) }
    #expect(try number("0.1") == .number(0.1, digits: "0.1"))
    #expect(try number("1.1000000000000001").shown == "1.1")
    #expect(try number("630102199001011") == .number(630_102_199_001_011, digits: "630102199001011"))
    #expect(try number("630102199001011").hasLostDigits == false)
    let lost = try number("6.3010219900101101E+17")
    #expect(lost.shown == "630102199001011000")
    #expect(lost.hasLostDigits)
    #expect(try number("-1.5E-7").shown == "-0.00000015")
    #expect(try number("1E300").shown == "1E300")
    #expect(try number("9999999999999999").shown == "10000000000000000")
    #expect(try number("0.30000000000000004").shown == "0.3")
    #expect(try number(" 7\n") == .number(7))
    #expect(try number("") == .empty)
    #expect(try number("-0.0").shown == "0")
  }

  @Test func `has its texts as they were meant`() throws {
    func text(_ content: String) throws -> [CellValue] {
      let shared = Book.cell("t=\"s\"", "<v>0</v>").with { $0.strings = [content] }
      return [try first(shared), try first(Book.cell("t=\"inlineStr\"", "<is>\(content)</is>"))]
    }
    func both(_ text: String) -> [CellValue] { [.text(text), .text(text)] }
    #expect(try text("<t>青海</t>") == both("青海"))
    #expect(try text("<r><rPr><b/></rPr><t>青</t></r><r><t xml:space=\"preserve\"> 海</t></r>") == both("青 海"))
    #expect(try text("<t>課</t><rPh sb=\"0\" eb=\"1\"><t>カ</t></rPh><phoneticPr fontId=\"1\"/>") == both("課"))
    #expect(try text("<t>  a\n </t>") == both("a"))
    #expect(try text("<t xml:space=\"preserve\">  a\n </t>") == both("  a\n "))
    #expect(try text("<t>a_x000D_b_x005F_x000D_c_xD842__xDFB7_d_xD842_e</t>") == both("a\rb_x000D_c𠮷d_xD842_e"))
    #expect(try text("<t>&lt;&amp;&#x4E2D;<![CDATA[<x>]]></t>") == both("<&中<x>"))
    #expect(try text("<t></t>") == [.empty, .empty])
    #expect(try first(Book.cell("t=\"s\"", "<v/>")) == .empty)
    #expect(try first(Book.cell("t=\"inlineStr\"", "<v>甲</v>")) == .text("甲"))
    #expect(try first(Book.cell("", "<v>1</v><v>2</v>")) == .number(2))
    #expect(try first(Book.cell("t=\"str\"", "<f>A2</f><v>甲_x0009_乙</v>")) == .text("甲\t乙"))
  }

  @Test func `may be a boolean, an error or an ISO date`() throws {
    #expect(try first(Book.cell("t=\"b\"", "<v>1</v>")) == .boolean(true))
    #expect(try first(Book.cell("t=\"b\"", "<v>false</v>")) == .boolean(false))
    #expect(try first(Book.cell("t=\"e\"", "<v>#REF!</v>")) == .error("#REF!"))
    #expect(try first(Book.cell("t=\"d\"", "<v>2026-08-22</v>")) == .date(date("2026-08-22")))
    #expect(
      try first(Book.cell("t=\"d\"", "<v>2026-08-22T09:30:00.25Z</v>"))
        == .dateTime(date("2026-08-22"), WallTime(hour: 9, minute: 30, millisecond: 250)!))
    #expect(try first(Book.cell("t=\"d\"", "<v>T09:30</v>")) == .time(time(9, 30)))
  }
}

@Suite struct `A workbook` {
  @Test func `may be strict, prefixed, streamed, in UTF-16 and with absolute targets`() throws {
    let strict = Book("<row><c t=\"inlineStr\"><is><t>严</t></is></c><c/><c><v>2</v></c></row>")
    let changed = strict.entries.map { entry in
      entry.with {
        $0.bytes = Array(
          String(decoding: $0.bytes, as: UTF8.self)
            .replacing(main, with: "http://purl.oclc.org/ooxml/spreadsheetml/main")
            .replacing(office, with: "http://purl.oclc.org/ooxml/officeDocument/relationships").utf8)
      }
    }
    #expect(try read(TinyZip.bytes(changed))[0][0].values(3) == [.text("严"), .empty, .number(2)])

    let prefixed = Book().with {
      $0.replaced["xl/worksheets/odd name.xml"] = Array(
        "<x:worksheet xmlns:x=\"\(main)\"><x:sheetData><x:row><x:c><x:v>3</x:v></x:c></x:row></x:sheetData></x:worksheet>"
          .utf8)
    }
    #expect(try first(prefixed) == .number(3))
    #expect(try first(Book().with { $0.isStreamed = true }) == .number(1))
    let wide =
      "\u{FEFF}<?xml version=\"1.0\" encoding=\"UTF-16\"?>"
      + Book().sheet("<row><c t=\"inlineStr\"><is><t>宽</t></is></c></row>")
    for bytes in [wide.utf16.flatMap { TinyZip.le($0) }, wide.utf16.flatMap { TinyZip.le($0.byteSwapped) }] {
      #expect(try first(Book().with { $0.replaced["xl/worksheets/odd name.xml"] = bytes }) == .text("宽"))
    }
  }

  @Test func `may hold files with names of no known encoding`() throws {
    let picture = TinyZip.Entry("", "x").with {
      $0.name = Array("xl/media/".utf8) + [0xCD, 0xBC]
      $0.flags = 0
    }
    #expect(try first(Book().with { $0.more = [picture] }) == .number(1))
  }

  @Test func `with macros is read and its macros are not`() throws {
    let book = Book().with { $0.more = [TinyZip.Entry("xl/vbaProject.bin", [0xD0, 0xCF, 0x11, 0xE0])] }
    #expect(try first(book) == .number(1))
  }

  @Test func `costs nothing for rows and cells that hold nothing`() throws {
    let rows = try read(
      Book(
        "<row r=\"2\"/><row r=\"3\"><c r=\"B3\" s=\"0\"/></row><row r=\"1048576\"><c r=\"XFD1048576\"><v>9</v></c></row>"
      ).bytes)[0]
    #expect(rows.map(\.number) == [1_048_576])
    #expect(rows[0].cells == [SheetCell(column: 16_383, value: .number(9), isFormula: false)])
  }

  @Test func `takes no cells from alternative or extension content`() throws {
    let rows = try read(
      Book(
        "<mc:AlternateContent xmlns:mc=\"http://schemas.openxmlformats.org/markup-compatibility/2006\"><mc:Choice Requires=\"x\"><row r=\"1\"><c><v>8</v></c></row></mc:Choice></mc:AlternateContent><row r=\"1\"><c><v>9</v></c></row>"
      ).bytes)[0]
    #expect(rows.map { $0[column: 0] } == [.number(9)])
  }

  @Test func `stops when its reader has enough, and passes on what its reader throws`() throws {
    let folder = TemporaryFolder()
    let path = folder.write(Book((1...5000).map { "<row r=\"\($0)\"><c><v>\($0)</v></c></row>" }.joined()).bytes)
    let reader = try WorkbookReader(path: path)
    var seen = 0
    try reader.readRows(of: "表") { row in
      seen = row.number
      return row.number == 17 ? .stop : .next
    }
    #expect(seen == 17)
    struct Enough: Error {}
    #expect(throws: Enough.self) { try reader.readRows(of: "表") { _ in throw Enough() } }
    #expect(refusal { try reader.readRows(of: "无") { _ in .next } }?.code == "spreadsheet.no-such-sheet")
  }
}
