import Foundation
import Kernel
import Spreadsheets
import Testing

@Suite struct `A file that is no workbook` {
  @Test(arguments: [
    ("libreoffice.ods", "spreadsheet.kind", "OpenDocument"), ("libreoffice.xls", "spreadsheet.kind", ".xls"),
  ])
  func `is named for what it is`(name: String, code: String, word: String) {
    let found = refusal { _ = try read(fixture(name)) }
    #expect(found?.code == code)
    #expect(found?.message.chinese.contains(word) == true)
    #expect(found?.message.english.contains(word) == true)
  }

  @Test(arguments: [
    ("", "空"), ("%PDF-1.7\n", "PDF"), ("<html><table><tr><td>1", "HTML"), ("\n<!DOCTYPE HTML>", "HTML"),
    ("<?xml version=\"1.0\"?><Workbook/>", "XML"), ("{\\rtf1", "RTF"), ("姓名,身份证号\n张三,1\n", "CSV"),
    ("Rar!\u{1A}", "RAR"),
    ("\u{1}\u{2}\u{3}", "无法识别"),
  ])
  func `is known by its first bytes`(content: String, word: String) {
    let found = refusal(Array(content.utf8))
    #expect(found?.code == "spreadsheet.kind")
    #expect(found?.message.chinese.contains(word) == true)
  }

  @Test func `may be a workbook behind a password`() {
    let magic: [UInt8] = [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1]
    let name = "EncryptedPackage".utf16.flatMap { TinyZip.le($0) }
    // Across the seam of two pieces read.
    let bytes = magic + [UInt8](repeating: 0, count: 65_536 - 8 - 5) + name + [UInt8](repeating: 0, count: 512)
    #expect(refusal(bytes)?.code == "spreadsheet.password")
  }

  @Test func `may be another zip, a folder, or nothing`() {
    #expect(refusal(TinyZip.bytes([TinyZip.Entry("a.txt", "a")]))?.message.chinese.contains("ZIP") == true)
    let word = TinyZip.bytes([
      TinyZip.Entry("_rels/.rels", String(decoding: Book().entries[0].bytes, as: UTF8.self)),
      TinyZip.Entry("word/document.xml", ""),
    ])
    #expect(refusal(word)?.message.english.contains("Word") == true)
    #expect(refusal(TinyZip.bytes([]))?.code == "spreadsheet.torn")
    let folder = TemporaryFolder()
    #expect(refusal { _ = try read(folder.path) }?.code == "spreadsheet.file")
    #expect(refusal { _ = try read(folder.path + "/none.xlsx") }?.code == "spreadsheet.file")
    mkfifo(folder.path + "/pipe.xlsx", 0o600)
    #expect(refusal { _ = try read(folder.path + "/pipe.xlsx") }?.code == "spreadsheet.file")
  }
}

@Suite struct `A container` {
  @Test func `cut short anywhere is refused`() throws {
    let bytes = Book().bytes
    for length in stride(from: 4, to: bytes.count, by: 7) {
      let found = refusal(Array(bytes[..<length]))
      #expect(["spreadsheet.torn", "spreadsheet.damaged"].contains(found?.code), "\(length) of \(bytes.count)")
    }
  }

  @Test func `with a wrong checksum or size is refused`() {
    func changed(_ change: (inout TinyZip.Entry) -> Void) -> [UInt8] {
      TinyZip.bytes(Book().entries.map { $0.isSheet ? $0.with(change) : $0 })
    }
    #expect(refusal(changed { $0.crc = 1 })?.code == "spreadsheet.damaged")
    #expect(refusal(changed { $0.packed = (8, [3, 0]) })?.code == "spreadsheet.damaged")
    #expect(refusal(changed { $0.packed = (8, [0xFF, 0xFF, 0xFF]) })?.code == "spreadsheet.damaged")
    #expect(refusal(changed { $0.packed = (99, [1, 2, 3]) })?.code == "spreadsheet.compression")
    #expect(refusal(changed { $0.flags |= 1 })?.code == "spreadsheet.password")
  }

  @Test(arguments: ["../evil.xml", "/xl/a.xml", "xl//a.xml", "xl/./a.xml", "C:a.xml", "a\u{1}b", ""])
  func `with tricks in its names is refused`(name: String) {
    #expect(refusal(Book().with { $0.more = [TinyZip.Entry(name, "x")] })?.code == "spreadsheet.entry-name")
  }

  @Test func `with one name twice is refused, also in other letters`() {
    for name in ["xl/workbook.xml", "XL/Workbook.XML"] {
      #expect(refusal(Book().with { $0.more = [TinyZip.Entry(name, "x")] })?.code == "spreadsheet.entry-twice")
    }
  }

  @Test func `keeps the bounds on its size`() {
    #expect(refusal(Book()) { $0.fileBytes = 1000 }?.code == "spreadsheet.file-size")
    #expect(refusal(Book()) { $0.entries = 5 }?.code == "spreadsheet.entries")
    #expect(refusal(Book()) { $0.entries = 6 } == nil)
    #expect(refusal(Book()) { $0.partBytes = 200 }?.code == "spreadsheet.part-size")
    #expect(refusal(Book()) { $0.totalBytes = 700 }?.code == "spreadsheet.total-size")
    for kind in [refusal(Book()) { $0.fileBytes = 1 }, refusal(Book()) { $0.partBytes = 200 }] {
      #expect(kind?.kind == .tooLarge)
    }
  }

  @Test func `does not unpack a bomb`() {
    let head = "<worksheet xmlns=\"\(main)\"><sheetData>"
    let tail = "</sheetData></worksheet>"
    func bomb(_ runs: Int, size: UInt32?) -> [UInt8] {
      TinyZip.bytes(
        Book().entries.map { entry in
          guard entry.isSheet else { return entry }
          return entry.with {
            $0.packed = (8, TinyZip.deflated(head, runsOfBlanks: runs, tail))
            $0.size = size
          }
        })
    }
    // Not yet a bomb: a small part in one block, 160 times its size.
    let small = Book().entries.map { entry in
      guard entry.isSheet else { return entry }
      return entry.with {
        $0.packed = (8, TinyZip.deflated(head, runsOfBlanks: 17_000, tail))
        $0.bytes = Array(head.utf8) + [UInt8](repeating: 0x20, count: 17_000 * 258 + 1) + Array(tail.utf8)
      }
    }
    #expect(refusal(TinyZip.bytes(small)) == nil)
    // Fixed codes pack blanks 159 times; a real bomb reaches 1,032.
    #expect(refusal(bomb(80_000, size: 80_000 * 258)) { $0.ratio = 100 }?.code == "spreadsheet.ratio")
    #expect(refusal(bomb(80_000, size: 1000)) { $0.ratio = 100 }?.code == "spreadsheet.ratio")
    #expect(refusal(bomb(80_000, size: 80_000 * 258)) { $0.partBytes = 1 << 20 }?.code == "spreadsheet.part-size")
    // A lie about the size helps nobody.
    #expect(
      refusal(bomb(80_000, size: 1000)) {
        $0.partBytes = 1 << 20
        $0.ratio = 2000
      }?.code == "spreadsheet.part-size")
  }
}

@Suite struct `A part` {
  private func sheet(_ text: String) -> Book { sheet(Array(text.utf8)) }
  private func sheet(_ bytes: [UInt8]) -> Book { Book().with { $0.replaced["xl/worksheets/odd name.xml"] = bytes } }
  private var head: String { "<worksheet xmlns=\"\(main)\"><sheetData>" }

  @Test(arguments: [
    "<!DOCTYPE x [<!ENTITY a \"b\">]>", "<!DOCTYPE worksheet SYSTEM \"file:///etc/passwd\">", "<!DOCTYPE x>",
  ])
  func `with a document type is refused`(doctype: String) {
    #expect(refusal(sheet(doctype + Book().sheet("")))?.code == "spreadsheet.doctype")
    let strings = Book().with { $0.replaced["xl/texts.xml"] = Array("\(doctype)<sst xmlns=\"\(main)\"/>".utf8) }
    #expect(refusal(strings)?.code == "spreadsheet.doctype")
  }

  @Test func `that is no good XML is refused`() {
    #expect(refusal(sheet("<worksheet"))?.code == "spreadsheet.xml")
    #expect(refusal(sheet(""))?.code == "spreadsheet.xml")
    #expect(refusal(sheet(head + "<row></c></row>"))?.code == "spreadsheet.xml")
    #expect(refusal(sheet(head + "&unknown;"))?.code == "spreadsheet.xml")
    #expect(refusal(sheet(Array(head.utf8) + [0] + Array("</sheetData></worksheet>".utf8)))?.code == "spreadsheet.xml")
    let bad = Array((head + "<row><c t=\"inlineStr\"><is><t>").utf8) + [0xC0, 0x80]
    #expect(refusal(sheet(bad + Array("</t></is></c></row></sheetData></worksheet>".utf8)))?.code == "spreadsheet.xml")
    #expect(
      refusal(sheet("<?xml version=\"1.0\" encoding=\"GBK\"?>" + Book().sheet("")))?.code == "spreadsheet.encoding")
    #expect(refusal(sheet("<worksheet/>"))?.code == "spreadsheet.root")
  }

  @Test func `keeps the bounds on its shape`() {
    let deep = head + "<row><c><v>1</v><is>" + String(repeating: "<r>", count: 70)
    #expect(refusal(sheet(deep))?.code == "spreadsheet.depth")
    let wide = (0..<70).map { " a\($0)=\"\"" }.joined()
    #expect(refusal(Book("<row\(wide)/>"))?.code == "spreadsheet.attributes")
    let endless = String(repeating: "x", count: 3 << 20)
    #expect(refusal(Book("<row a=\"\(endless)\"/>"))?.code == "spreadsheet.token")
    #expect(refusal(Book("<!--\(endless)-->"))?.code == "spreadsheet.token")
  }

  @Test func `that is missing or lies outside is refused`() {
    func relations(_ target: String, _ more: String = "") -> Book {
      Book().with {
        $0.replaced["xl/_rels/workbook.xml.rels"] = Array(
          "<Relationships xmlns=\"\(packageRelationships)\"><Relationship Id=\"s1\" Type=\"\(office)/worksheet\" Target=\"\(target)\"\(more)/></Relationships>"
            .utf8)
      }
    }
    #expect(refusal(relations("worksheets/none.xml"))?.code == "spreadsheet.part-missing")
    #expect(refusal(relations("../../etc/passwd"))?.code == "spreadsheet.relationship")
    #expect(refusal(relations("http://example.org/a.xml", " TargetMode=\"External\""))?.code == "spreadsheet.sheet")
  }
}

@Suite struct `A sheet` {
  @Test(arguments: [
    ("<row r=\"2\"/><row r=\"1\"/>", "row-order"), ("<row r=\"2\"/><row r=\"2\"/>", "row-order"),
    ("<row r=\"1048576\"/><row/>", "row-order"), ("<row r=\"0\"/>", "row-number"),
    ("<row r=\"1048577\"/>", "row-number"),
    ("<row r=\"99999999999999999999\"/>", "row-number"), ("<row r=\"-1\"/>", "row-number"),
    ("<row r=\"1\"><c r=\"B1\"/><c r=\"A1\"/></row>", "cell-order"),
    ("<row r=\"1\"><c r=\"B1\"/><c r=\"B1\"/></row>", "cell-order"),
    ("<row r=\"1\"><c r=\"A2\"/></row>", "cell-reference"), ("<row r=\"1\"><c r=\"XFE1\"/></row>", "cell-reference"),
    ("<row r=\"1\"><c r=\"a1\"/></row>", "cell-reference"), ("<row r=\"1\"><c r=\"1\"/></row>", "cell-reference"),
    ("<row r=\"1\"><c r=\"\"/></row>", "cell-reference"), ("<row><c t=\"q\"/></row>", "cell-type"),
    ("<row><c t=\"s\"><v>3</v></c></row>", "shared-string"), ("<row><c t=\"s\"><v>-1</v></c></row>", "shared-string"),
    ("<row><c t=\"s\"><v>x</v></c></row>", "shared-string"),
    ("<row><c t=\"s\"><v>99999999999</v></c></row>", "shared-string"),
    ("<row><c><v>nan</v></c></row>", "number"), ("<row><c><v>0x10</v></c></row>", "number"),
    ("<row><c><v>1e999</v></c></row>", "number"), ("<row><c><v>1,5</v></c></row>", "number"),
    ("<row><c t=\"b\"><v>2</v></c></row>", "boolean"), ("<row><c t=\"d\"><v>2026-02-30</v></c></row>", "date"),
    ("<row><c t=\"inlineStr\"><is><t>a_x0000_b</t></is></c></row>", "nul"),
  ])
  func `with a fault is refused with its place`(rows: String, code: String) {
    let found = refusal(Book(rows).with { $0.strings = ["<t>一</t>"] })
    #expect(found?.code == "spreadsheet.\(code)")
    #expect(found?.message.chinese.contains("“表”") == true)
  }

  @Test func `says the row and the column`() {
    let found = refusal(Book("<row r=\"12\"><c r=\"AB12\"><v>?</v></c></row>"))
    #expect(found?.message.chinese == "工作表“表”第 12 行 AB 列：“?”不是数字。")
    #expect(found?.message.english == "In sheet “表”, row 12, column AB: “?” is no number.")
  }

  @Test func `keeps the bounds on its content`() {
    let rows = (1...10).map { "<row r=\"\($0)\"><c><v>1</v></c><c><v>2</v></c></row>" }.joined()
    #expect(refusal(Book(rows)) { $0.rows = 9 }?.code == "spreadsheet.rows")
    #expect(refusal(Book(rows)) { $0.rows = 10 } == nil)
    #expect(refusal(Book(rows)) { $0.cells = 19 }?.code == "spreadsheet.cells")
    #expect(refusal(Book(rows)) { $0.cells = 20 } == nil)
    #expect(refusal(Book(rows)) { $0.columns = 1 }?.code == "spreadsheet.columns")
    #expect(refusal(Book(rows)) { $0.columns = 2 } == nil)
    #expect(refusal(Book().with { $0.more = [] }) { $0.sheets = 0 }?.code == "spreadsheet.sheets")
  }

  @Test func `keeps the bound on a text, counted as Excel counts`() {
    // Four bytes and two units each.
    let long = String(repeating: "𠮷", count: 50)
    for book in [
      Book.cell("t=\"inlineStr\"", "<is><t>\(long)</t></is>"), Book.cell("t=\"str\"", "<v>\(long)</v>"),
      Book.cell("t=\"s\"", "<v>0</v>").with { $0.strings = ["<t>\(long)</t>"] },
    ] {
      #expect(refusal(book) { $0.textLength = 99 }?.code == "spreadsheet.text-length")
      #expect(refusal(book) { $0.textLength = 100 } == nil)
    }
    let endless = String(repeating: "x", count: 1 << 20)
    #expect(refusal(Book.cell("t=\"inlineStr\"", "<is><t>\(endless)</t></is>"))?.code == "spreadsheet.text-length")
  }

  @Test func `shares no more strings than the bound`() {
    let book = Book.cell("t=\"s\"", "<v>99</v>").with { $0.strings = (0..<100).map { "<t>\($0 + 1000)</t>" } }
    #expect(refusal(book) { $0.sharedStringBytes = 800 } == nil)
    #expect(refusal(book) { $0.sharedStringBytes = 799 }?.code == "spreadsheet.shared-strings")
    // Empty strings cost as well.
    let empty = Book.cell("t=\"s\"", "<v>9</v>").with { $0.strings = [String](repeating: "", count: 100) }
    #expect(refusal(empty) { $0.sharedStringBytes = 400 } == nil)
    #expect(refusal(empty) { $0.sharedStringBytes = 399 }?.code == "spreadsheet.shared-strings")
  }
}
