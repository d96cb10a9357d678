import Connecting
import JSONBytes
import Kernel
import NationalCrypto

/// The lines of a file that `LineEncoder` wrote, one after the other, read by the parser that reads everybody's files.
final class WrittenRows {
  /// What to take of each line, and as what.
  struct Column {
    /// As it was written.
    var written: ValueType
    /// As it is wanted.
    var type: ValueType
  }

  private let columns: [Column]
  private let hasOperations: Bool
  /// A file of CSV has the first four, of JSON lines the last two.
  private let csv: (rows: CSVRows, text: FieldText)?
  private let places: [Int]
  private let width: Int
  private let json: (lines: LineRows, fields: JSONFields)?
  private let convert = CanonicalText(zone: 0, trustsText: true)
  private let scratch = RowBatch(capacity: RowBatch.smallest)
  /// Of the line at hand.
  private(set) var operation = FileOperation.upsert

  /// Nil where the file's header is not what the manifest says.
  init?(
    _ file: SourceFile, _ entry: FileSet.DataFile, _ names: [String], _ columns: [Column]
  ) throws(ConnectorError) {
    self.columns = columns
    hasOperations = entry.content == .operations
    let names = hasOperations ? names + [FileOperation.column] : names
    guard file.name.hasSuffix(FileFormat.csv.endings[0]) else {
      (csv, places, width) = (nil, [], 0)
      json = (
        LineRows(file, limit: max(LineRows.limit, entry.longestLine)),
        JSONFields(names.map { JSONPointer(name: $0) }, zone: 0)
      )
      return
    }
    let rows = CSVRows(file, .utf8, rowLimit: max(CSVRows.rowLimit, entry.longestLine))
    let text = try FieldText(.utf8, rowLimit: max(CSVRows.rowLimit, entry.longestLine))
    guard try rows.next() else { return nil }
    var found: [String] = []
    for field in rows.fields { found.append(String(decoding: try text.bytes(of: field, in: rows), as: UTF8.self)) }
    let places = names.compactMap { found.firstIndex(of: $0) }
    guard places.count == names.count else { return nil }
    (csv, self.places, width, json) = ((rows, text), places, found.count, nil)
  }

  /// Whether the file is, byte by byte, what the manifest says.
  static func isWhole(_ file: SourceFile, _ entry: FileSet.DataFile) throws(ConnectorError) -> Bool {
    guard file.size == entry.bytes else { return false }
    let digest = try SM3.digest(count: file.size) { target, wanted, offset throws(ConnectorError) in
      try file.read(into: target, wanted, at: offset)
    }
    return digest == entry.digest
  }

  /// Goes to the next line; false at the end.
  func next() throws(ConnectorError) -> Bool {
    if let (rows, text) = csv {
      guard try rows.next() else { return false }
      guard rows.fields.count == width else { throw Self.torn(rows.file) }
      if hasOperations { read(operation: try text.bytes(of: rows.fields[places[columns.count]], in: rows)) }
      return true
    }
    guard let (lines, fields) = json, try lines.next() else { return false }
    guard !lines.isTooLong, let value = try? JSONScan.whole(lines.line),
      (try? fields.read(value, in: lines.line)) == true
    else { throw Self.torn(lines.file) }
    if hasOperations, let bytes = text(of: columns.count, fields) { read(operation: bytes) }
    return true
  }

  private func read(operation bytes: UnsafeRawBufferPointer) {
    operation = FileOperation(rawValue: String(decoding: bytes, as: UTF8.self)) ?? .upsert
  }

  /// Adds the line's columns to the row that was begun.
  func append(to batch: RowBatch) throws(ConnectorError) {
    if let (rows, text) = csv {
      let fields = rows.fields
      for index in columns.indices {
        let field = fields[places[index]]
        if field.count == 0, !field.isQuoted {
          batch.appendNull()
        } else {
          append(try text.bytes(of: field, in: rows), columns[index], to: batch)
        }
      }
    } else if let fields = json?.fields {
      for index in columns.indices {
        if columns[index].written != .bytes {
          fields.append(index, as: columns[index].type, to: batch)
        } else if let bytes = text(of: index, fields) {
          append(bytes, columns[index], to: batch)
        } else {
          batch.appendNull()
        }
      }
    }
  }

  /// A string of the object at hand, until the next one is asked for.
  private func text(of index: Int, _ fields: JSONFields) -> UnsafeRawBufferPointer? {
    scratch.removeAll()
    scratch.beginRow(fields: 1)
    fields.append(index, as: .text, to: scratch)
    scratch.endRow()
    let row = scratch.row(0)
    return Int32(bigEndian: row.loadUnaligned(fromByteOffset: 2, as: Int32.self)) < 0
      ? nil : UnsafeRawBufferPointer(rebasing: row[6...])
  }

  private func append(_ text: UnsafeRawBufferPointer, _ column: Column, to batch: RowBatch) {
    guard column.written == .bytes else { return convert.append(text, as: column.type, to: batch) }
    guard let bytes = Base64.decode(text) else { return batch.appendMalformed(.wrongType, text) }
    bytes.withUnsafeBytes { batch.append($0) }
  }

  private static func torn(_ file: SourceFile) -> ConnectorError {
    ConnectorError(
      .data, "files.torn",
      .init("文件“\(file.name)”与清单不符。", "The file “\(file.name)” is not what the manifest says."))
  }
}
