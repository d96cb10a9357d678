import Foundation
import Kernel
import Spreadsheets

/// A folder that is gone with its last reference.
final class TemporaryFolder {
  let path: String

  init() {
    path = FileManager.default.temporaryDirectory.appendingPathComponent("sj-sheets-\(UUID().uuidString)").path
    try! FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func write(_ bytes: [UInt8], _ name: String = "book.xlsx") -> String {
    let file = "\(path)/\(name)"
    try! Data(bytes).write(to: URL(fileURLWithPath: file))
    return file
  }

  var names: [String] { try! FileManager.default.contentsOfDirectory(atPath: path).sorted() }
}

func fixture(_ name: String) -> String {
  URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Fixtures/\(name)").path
}

let main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
let office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
let packageRelationships = "http://schemas.openxmlformats.org/package/2006/relationships"

/// A small workbook by hand, each of whose parts a test may replace.
struct Book {
  /// What stands in `sheetData` of the only sheet, “表”.
  var rows = ""
  var strings: [String] = []
  /// Number formats, one for each style; styles without one begin with General.
  var formats: [String] = []
  var replaced: [String: [UInt8]] = [:]
  var order: [String] = []
  var more: [TinyZip.Entry] = []
  var isStreamed = false
  var workbookProperties = ""

  init(_ rows: String = "<row r=\"1\"><c r=\"A1\"><v>1</v></c></row>") { self.rows = rows }

  /// One cell in A1.
  static func cell(_ attributes: String, _ content: String) -> Book {
    Book("<row r=\"1\"><c r=\"A1\" \(attributes)>\(content)</c></row>")
  }

  func with(_ change: (inout Book) -> Void) -> Book {
    var book = self
    change(&book)
    return book
  }

  var entries: [TinyZip.Entry] {
    func part(_ name: String, _ text: String) -> TinyZip.Entry {
      TinyZip.Entry(name, replaced[name] ?? Array(("<?xml version=\"1.0\" encoding=\"UTF-8\"?>" + text).utf8))
        .with { $0.isStreamed = isStreamed }
    }
    let codes = formats.enumerated().map { "<numFmt numFmtId=\"\(200 + $0)\" formatCode=\"\(escaped($1))\"/>" }
    let styles = formats.indices.map { "<xf numFmtId=\"\(200 + $0)\"/>" }
    var entries = [
      part(
        "_rels/.rels",
        "<Relationships xmlns=\"\(packageRelationships)\"><Relationship Id=\"a\" Type=\"\(office)/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>"
      ),
      part(
        "xl/workbook.xml",
        "<workbook xmlns=\"\(main)\" xmlns:r=\"\(office)\">\(workbookProperties)<sheets><sheet name=\"表\" sheetId=\"1\" r:id=\"s1\"/></sheets></workbook>"
      ),
      part(
        "xl/_rels/workbook.xml.rels",
        "<Relationships xmlns=\"\(packageRelationships)\"><Relationship Id=\"s1\" Type=\"\(office)/worksheet\" Target=\"worksheets/odd%20name.xml\"/><Relationship Id=\"s2\" Type=\"\(office)/styles\" Target=\"/xl/styles.xml\"/><Relationship Id=\"s3\" Type=\"\(office)/sharedStrings\" Target=\"../xl/./texts.xml\"/></Relationships>"
      ),
      part(
        "xl/styles.xml",
        "<styleSheet xmlns=\"\(main)\"><numFmts>\(codes.joined())</numFmts><cellStyleXfs><xf numFmtId=\"14\"/></cellStyleXfs><cellXfs>\(styles.joined())</cellXfs></styleSheet>"
      ),
      part("xl/texts.xml", "<sst xmlns=\"\(main)\">\(strings.map { "<si>\($0)</si>" }.joined())</sst>"),
      part("xl/worksheets/odd name.xml", sheet(rows)),
    ]
    if isStreamed { entries.reverse() }
    return entries + more
  }

  func sheet(_ rows: String) -> String {
    "<worksheet xmlns=\"\(main)\"><sheetData>\(rows)</sheetData><extLst><ext><row r=\"1\"/></ext></extLst></worksheet>"
  }

  var bytes: [UInt8] { TinyZip.bytes(entries) }
}

extension TinyZip.Entry {
  /// The part with the book's rows.
  var isSheet: Bool { String(decoding: name, as: UTF8.self).hasSuffix("odd name.xml") }
}

func escaped(_ text: String) -> String {
  text.replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "<", with: "&lt;")
    .replacingOccurrences(of: "\"", with: "&quot;")
}

/// Every row of every sheet.
func read(_ path: String, _ limits: ReadingLimits = ReadingLimits()) throws -> [[SheetRow]] {
  let reader = try WorkbookReader(path: path, limits: limits)
  return try reader.sheets.map { sheet in
    var rows: [SheetRow] = []
    try reader.readRows(of: sheet.name) {
      rows.append($0)
      return .next
    }
    return rows
  }
}

func read(_ bytes: [UInt8], _ limits: ReadingLimits = ReadingLimits()) throws -> [[SheetRow]] {
  let folder = TemporaryFolder()
  return try read(folder.write(bytes), limits)
}

/// What stands in A1 of the book's first sheet.
func first(_ book: Book) throws -> CellValue { try read(book.bytes)[0].first?[column: 0] ?? .empty }

/// The refusal of a file, or nil when it is read.
func refusal(_ bytes: [UInt8], _ change: (inout ReadingLimits) -> Void = { _ in }) -> Refusal? {
  var limits = ReadingLimits()
  change(&limits)
  return refusal { _ = try read(bytes, limits) }
}

func refusal(_ book: Book, _ change: (inout ReadingLimits) -> Void = { _ in }) -> Refusal? {
  refusal(book.bytes, change)
}

func refusal(_ body: () throws -> Void) -> Refusal? {
  do {
    try body()
    return nil
  } catch {
    return error as? Refusal ?? Refusal(.unavailable, "other: \(error)", Text(same: ""))
  }
}
