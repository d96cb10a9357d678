import Connecting

/// What files hold of some batches, read from the store: a row is the plan's columns and then its batch.
///
/// A file that is gone, or is not byte by byte what the manifest says, has no rows: the consumer's receipt lacks them.
final class FileSetBackReader: RowReader {
  let horizon: CursorValue? = nil
  let isKeyOrdered = false
  let checksText = true
  let position: [UInt8] = []

  private let folder: any TargetFolder
  private let plan: WritePlan
  private let range: ClosedRange<Int64>
  private var files: ArraySlice<FileSet.DataFile>
  private var current: (rows: WrittenRows, entry: FileSet.DataFile)?
  /// Of the file at hand: which batch its next line belongs to, and how many of that batch are left.
  private var (batch, left) = (0, 0)

  init(
    _ folder: any TargetFolder, _ files: [FileSet.DataFile], _ plan: WritePlan, _ range: ClosedRange<Int64>
  ) {
    self.folder = folder
    self.plan = plan
    self.range = range
    self.files = files.filter { $0.rows > 0 }[...]
  }

  func read(into batch: RowBatch) throws(ConnectorError) -> ReadOutcome {
    batch.removeAll()
    while !batch.isFull {
      guard let (rows, entry) = try next() else { break }
      guard try rows.next() else {
        current = nil
        continue
      }
      while left == 0, self.batch < entry.batchLines.count - 1 {
        self.batch += 1
        left = entry.batchLines[self.batch]
      }
      left -= 1
      let number = entry.firstBatch + Int64(self.batch)
      guard rows.operation == .upsert, range.contains(number) else { continue }
      batch.beginRow(fields: plan.columns.count + 1)
      try rows.append(to: batch)
      batch.append(number)
      batch.endRow()
    }
    return batch.isEmpty ? .end : .rows
  }

  private func next() throws(ConnectorError) -> (rows: WrittenRows, entry: FileSet.DataFile)? {
    while current == nil {
      guard let entry = files.popFirst() else { return nil }
      guard let file = try folder.open(entry.name), try WrittenRows.isWhole(file, entry),
        let rows = try WrittenRows(
          file, entry, plan.columns.map(\.name),
          plan.columns.map { WrittenRows.Column(written: $0.type, type: $0.type) })
      else { continue }
      current = (rows, entry)
      batch = 0
      left = entry.batchLines.first ?? 0
    }
    return current
  }

  func close() {
    current = nil
    files = []
  }
}
