import Connecting
import JSONBytes
import Kernel
import NationalCrypto

/// The lines of a file that `LineEncoder` wrote, one after the other, read by the parser that reads everybody's files.
final class WrittenRows {
  /// What to take of each line, and as what.
  struct Column {
    var name: String
    /// As it was written.
    var written: ValueType
    /// As it is wanted.
    var type: ValueType
  }

  private enum Lines {
    case csv(CSVRows, FieldText, places: [Int], width: Int)
    case json(LineRows, JSONFields)
  }

  private let lines: Lines
  private let columns: [Column]
  private let hasOperations: Bool
  private let convert = CanonicalText(zone: 0, trustsText: true)
  private let scratch = RowBatch(capacity: RowBatch.smallest)
  /// Of the line at hand.
  private(set) var operation = FileOperation.upsert

  /// Nil where the file's header is not what the manifest says.
  init?(_ file: SourceFile, _ entry: FileSet.DataFile, _ columns: [Column]) throws(ConnectorError) {
    self.columns = columns
    hasOperations = entry.content == .operations
    var names = columns.map(\.name)
    if hasOperations { names.append(FileOperation.column) }
    if file.name.hasSuffix(FileFormat.csv.endings[0]) {
      let rows = CSVRows(file, .utf8, rowLimit: max(CSVRows.rowLimit, entry.longestLine))
      let text = try FieldText(.utf8, rowLimit: max(CSVRows.rowLimit, entry.longestLine))
      guard try rows.next() else { return nil }
      var found: [String] = []
      for field in rows.fields { found.append(String(decoding: try text.bytes(of: field, in: rows), as: UTF8.self)) }
      let places = names.compactMap { found.firstIndex(of: $0) }
      guard places.count == names.count else { return nil }
      lines = .csv(rows, text, places: places, width: found.count)
    } else {
      lines = .json(
        LineRows(file, limit: max(LineRows.limit, entry.longestLine)),
        JSONFields(names.map { JSONPointer(name: $0) }, zone: 0))
    }
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
    switch lines {
    case .csv(let rows, let text, let places, let width):
      guard try rows.next() else { return false }
      guard rows.fields.count == width else { throw Self.torn(rows.file) }
      if hasOperations {
        let bytes = try text.bytes(of: rows.fields[places[columns.count]], in: rows)
        operation = FileOperation(rawValue: String(decoding: bytes, as: UTF8.self)) ?? .upsert
      }
      return true
    case .json(let lines, let fields):
      guard try lines.next() else { return false }
      guard !lines.isTooLong, let value = try? JSONScan.whole(lines.line),
        (try? fields.read(value, in: lines.line)) == true
      else { throw Self.torn(lines.file) }
      if hasOperations {
        scratch.removeAll()
        scratch.beginRow(fields: 1)
        fields.append(columns.count, as: .text, to: scratch)
        scratch.endRow()
        if case .value(let bytes) = scratch.fields(0)[0] {
          operation = FileOperation(rawValue: String(decoding: bytes, as: UTF8.self)) ?? .upsert
        }
      }
      return true
    }
  }

  /// Adds the line's columns to the row that was begun.
  func append(to batch: RowBatch) throws(ConnectorError) {
    for (index, column) in columns.enumerated() {
      switch lines {
      case .csv(let rows, let text, let places, _):
        let field = rows.fields[places[index]]
        if field.count == 0, !field.isQuoted {
          batch.appendNull()
        } else {
          append(try text.bytes(of: field, in: rows), column, to: batch)
        }
      case .json(_, let fields):
        guard column.written == .bytes else {
          fields.append(index, as: column.type, to: batch)
          continue
        }
        scratch.removeAll()
        scratch.beginRow(fields: 1)
        fields.append(index, as: .text, to: scratch)
        scratch.endRow()
        let row = scratch.row(0)
        if Int32(bigEndian: row.loadUnaligned(fromByteOffset: 2, as: Int32.self)) < 0 {
          batch.appendNull()
        } else {
          append(UnsafeRawBufferPointer(rebasing: row[6...]), column, to: batch)
        }
      }
    }
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
