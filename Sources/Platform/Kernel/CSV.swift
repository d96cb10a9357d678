/// Small tables as text (RFC 4180): files carried in the binary, and what people paste or upload into forms.
///
/// Strict, and whole in memory: for a department's millions of rows there is ConnectorFiles.
package enum CSV {
  /// What is wrong and where: lines and records count from one.
  package struct Fault: Error, Hashable, Sendable {
    package enum Problem: Hashable, Sendable {
      case quoteInsideField
      case textAfterQuote
      case unclosedQuote
      case nul
      case columns(expected: Int, found: Int)
      case missingColumn(String)
      case repeatedColumn(String)
    }

    package var line: Int
    package var problem: Problem

    package init(line: Int, problem: Problem) {
      self.line = line
      self.problem = problem
    }

    package var message: Text {
      switch problem {
      case .quoteInsideField:
        Text("第 \(line) 行：引号只能出现在加引号的字段里。", "Line \(line): a quote may only stand in a quoted field.")
      case .textAfterQuote:
        Text("第 \(line) 行：右引号之后应为逗号或换行。", "Line \(line): after a closing quote comes a comma or the line's end.")
      case .unclosedQuote:
        Text("第 \(line) 行开始的引号没有结束。", "The quote opened in line \(line) is never closed.")
      case .nul: Text("第 \(line) 行含有空字符（NUL）。", "Line \(line) holds a NUL.")
      case .columns(let expected, let found):
        Text(
          "第 \(line) 行应有 \(expected) 列，实有 \(found) 列。", "Line \(line) should have \(expected) columns, has \(found).")
      case .missingColumn(let name): Text("缺少“\(name)”列。", "The column “\(name)” is missing.")
      case .repeatedColumn(let name): Text("“\(name)”列重复。", "The column “\(name)” stands twice.")
      }
    }
  }

  /// Records of fields. A byte-order mark is skipped, CRLF and LF both end a record, an empty last line is none.
  package static func parse(_ text: some StringProtocol) throws(Fault) -> [[String]] {
    var reader = CSVReader(Array(text.utf8))
    return try reader.records().map(\.fields)
  }

  /// Hands over the records one by one with the line each begins in, whatever its number of fields, and keeps none: for
  /// tables too long to hold. Throws a `Fault`, or what `body` throws.
  package static func forEach(_ text: some StringProtocol, _ body: (_ line: Int, _ fields: [String]) throws -> Void)
    throws
  {
    try forEach(Array(text.utf8), body)
  }

  package static func forEach(_ bytes: [UInt8], _ body: (_ line: Int, _ fields: [String]) throws -> Void) throws {
    var reader = CSVReader(bytes)
    while reader.position < reader.bytes.count {
      let record = try reader.record()
      try body(record.line, record.fields)
    }
  }

  /// A table under a header row; every record must have the header's number of columns. With `comments`, lines that
  /// begin with `#` before a record are notes (our embedded files use them to say where a fact comes from).
  package static func table(_ text: some StringProtocol, comments: Bool = false) throws(Fault) -> Table {
    var reader = CSVReader(Array(text.utf8), comments: comments)
    let records = try reader.records()
    guard let header = records.first else { return Table(columns: [], rows: []) }
    var columns: [String: Int] = [:]
    for (index, name) in header.fields.enumerated() where columns.updateValue(index, forKey: name) != nil {
      throw Fault(line: header.line, problem: .repeatedColumn(name))
    }
    for record in records.dropFirst() where record.fields.count != header.fields.count {
      throw Fault(line: record.line, problem: .columns(expected: header.fields.count, found: record.fields.count))
    }
    return Table(
      columns: header.fields, rows: records.dropFirst().map { Row(line: $0.line, fields: $0.fields, columns: columns) })
  }

  package struct Table: Sendable {
    package let columns: [String]
    package let rows: [Row]

    /// Throws unless all these columns are there.
    package func require(_ names: String...) throws(Fault) {
      for name in names where !columns.contains(name) { throw Fault(line: 1, problem: .missingColumn(name)) }
    }
  }

  package struct Row: Sendable {
    /// Where the record begins.
    package let line: Int
    package let fields: [String]
    let columns: [String: Int]

    /// The field of that column; empty when there is no such column, so `require` first.
    package subscript(_ column: String) -> String { columns[column].map { fields[$0] } ?? "" }
  }

  /// One record as RFC 4180 writes it, without the line's end. A field that a spreadsheet would run as a formula is kept
  /// as it is: whoever exports to people uses `guarded`.
  package static func line(_ fields: [String]) -> String {
    fields.map { field in
      field.utf8.contains { $0 == 0x22 || $0 == 0x2C || $0 == 0x0A || $0 == 0x0D }
        ? "\"" + field.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\"" : field
    }.joined(separator: ",")
  }

  /// A field made harmless for spreadsheets: a leading `= + - @`, tab or return gets an apostrophe before it, and so does
  /// what looks as if it had been guarded already. `unguarded` takes it back.
  package static func guarded(_ field: String) -> String { isRun(field) ? "'" + field : field }

  /// The field that was guarded; any other as it is.
  package static func unguarded(_ field: String) -> String {
    field.utf8.first == UInt8(ascii: "'") && isRun(field) ? String(field.dropFirst()) : field
  }

  private static func isRun(_ field: String) -> Bool {
    switch field.utf8.first(where: { $0 != UInt8(ascii: "'") }) {
    case UInt8(ascii: "="), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "@"), 0x09, 0x0D: true
    default: false
    }
  }
}

private struct CSVReader {
  struct Record {
    var line: Int
    var fields: [String]
  }

  let bytes: [UInt8]
  let comments: Bool
  var position = 0
  var line = 1

  init(_ bytes: [UInt8], comments: Bool = false) {
    self.bytes = bytes
    self.comments = comments
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
  }

  mutating func records() throws(CSV.Fault) -> [Record] {
    var records: [Record] = []
    while position < bytes.count {
      if comments, bytes[position] == UInt8(ascii: "#") {
        while position < bytes.count, bytes[position] != 0x0A { position += 1 }
        position += 1
        line += 1
        continue
      }
      records.append(try record())
    }
    return records
  }

  mutating func record() throws(CSV.Fault) -> Record {
    var record = Record(line: line, fields: [])
    while true {
      record.fields.append(try field())
      guard position < bytes.count, bytes[position] == UInt8(ascii: ",") else { break }
      position += 1
    }
    skipLineEnd()
    return record
  }

  private mutating func skipLineEnd() {
    if position < bytes.count, bytes[position] == 0x0D { position += 1 }
    if position < bytes.count, bytes[position] == 0x0A { position += 1 }
    line += 1
  }

  /// Whether a record may end here: at the end, at LF or at CRLF.
  private var atLineEnd: Bool {
    position == bytes.count || bytes[position] == 0x0A
      || bytes[position] == 0x0D && position + 1 < bytes.count && bytes[position + 1] == 0x0A
  }

  private mutating func field() throws(CSV.Fault) -> String {
    guard position < bytes.count, bytes[position] == 0x22 else { return try plainField() }
    let opened = line
    position += 1
    var content: [UInt8] = []
    while position < bytes.count {
      let byte = bytes[position]
      position += 1
      switch byte {
      case 0x22:
        if position < bytes.count, bytes[position] == 0x22 {
          content.append(0x22)
          position += 1
          continue
        }
        guard atLineEnd || bytes[position] == UInt8(ascii: ",") else {
          throw CSV.Fault(line: line, problem: .textAfterQuote)
        }
        return String(decoding: content, as: UTF8.self)
      case 0: throw CSV.Fault(line: line, problem: .nul)
      case 0x0A:
        line += 1
        content.append(byte)
      default: content.append(byte)
      }
    }
    throw CSV.Fault(line: opened, problem: .unclosedQuote)
  }

  private mutating func plainField() throws(CSV.Fault) -> String {
    let start = position
    while !atLineEnd, bytes[position] != UInt8(ascii: ",") {
      if bytes[position] == 0x22 { throw CSV.Fault(line: line, problem: .quoteInsideField) }
      if bytes[position] == 0 { throw CSV.Fault(line: line, problem: .nul) }
      position += 1
    }
    return String(decoding: bytes[start..<position], as: UTF8.self)
  }
}
