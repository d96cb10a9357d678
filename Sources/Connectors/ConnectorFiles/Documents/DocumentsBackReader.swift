import Connecting

/// What the folder holds of some batches, read there again: a row is the plan's columns and then its batch.
///
/// What stands at a path is cut into parts as it is now: a file that is gone has no rows, one that somebody changed has other
/// ones than were delivered.
final class DocumentsBackReader: RowReader {
  let horizon: CursorValue? = nil
  let isKeyOrdered = false
  let checksText = true
  let position: [UInt8] = []

  private let writer: DocumentsWriter
  private var rows: ArraySlice<(path: [UInt8], row: DocumentIndex.Row)>

  init(_ writer: DocumentsWriter, _ range: ClosedRange<Int64>) {
    self.writer = writer
    var found: [(path: [UInt8], row: DocumentIndex.Row)] = []
    for (path, entry) in writer.index.entries {
      for row in entry.rows where range.contains(row.batch) { found.append((path, row)) }
    }
    found.sort { a, b in
      if a.row.batch != b.row.batch { return a.row.batch < b.row.batch }
      if a.path != b.path { return a.path.lexicographicallyPrecedes(b.path) }
      return a.row.part < b.row.part
    }
    rows = found[...]
  }

  func read(into batch: RowBatch) throws(ConnectorError) -> ReadOutcome {
    batch.removeAll()
    while !batch.isFull, let (path, row) = rows.popFirst() {
      try writer.checkCancellation()
      var now = row
      if row.place == .file {
        guard let file = try writer.file(at: path) else { continue }
        // A store that keeps no times, or not to the microsecond, is believed as far as it goes.
        let modified = file.modified.map { DocumentTime.isSame($0, row.version.modified) ? row.version.modified : $0 }
        now.version = DocumentVersion(size: file.size, modified: modified ?? row.version.modified)
        guard row.part < DocumentParts.count(of: file.size) else { continue }
      }
      guard let bytes = try writer.bytes(of: now, path) else { continue }
      batch.beginRow(fields: writer.shape.columns.count + 1)
      for column in writer.shape.columns {
        switch column {
        case .path: path.withUnsafeBytes { batch.append($0) }
        case .part: batch.append(Int64(row.part))
        case .size: batch.append(Int64(now.version.size))
        case .modified: batch.append(now.version.modified)
        case .content: bytes.withUnsafeBytes { batch.append($0) }
        }
      }
      batch.append(row.batch)
      batch.endRow()
    }
    return batch.isEmpty ? .end : .rows
  }

  func close() { rows = [] }
}
