import Connecting
import Kernel

/// One file in the making: its text, and which of its lines belong to which batch.
final class GatheredFile {
  let text: GatheredText
  let firstBatch: Int64
  private(set) var lines = 0

  private struct Counts: Hashable {
    var rows = 0
    var deleted = 0
    var stale = 0
    var lines: Int { rows + deleted + stale }
  }

  private let content: FileSet.Content
  private let key: [Int]
  private var encoder: LineEncoder
  private var kept = Counts()
  private var counts = Counts()
  private var batchLines: [Int] = []

  init(
    _ content: FileSet.Content, _ columns: [FileSet.Column], _ key: [Int], _ format: FileFormat, mark: Bool,
    firstBatch: Int64
  ) throws(ConnectorError) {
    self.content = content
    self.key = key
    self.firstBatch = firstBatch
    encoder = LineEncoder(columns, format)
    text = try GatheredText()
    text.append(LineEncoder.header(columns, format, content, mark: mark))
    text.keep()
  }

  var count: Int { text.count }

  func append(_ row: UnsafeRawBufferPointer, _ operation: FileOperation) throws(ConnectorError) {
    try encoder.append(row, operation: content == .operations ? operation : nil, to: text)
    counts.rows += 1
  }

  /// A row of the key's fields alone.
  func append(key row: UnsafeRawBufferPointer, _ operation: FileOperation) throws(ConnectorError) {
    try encoder.append(row, operation: operation, key: key, to: text)
    if operation == .stale { counts.stale += 1 } else { counts.deleted += 1 }
  }

  /// What was added since belongs to that batch and stays.
  func keep(batch: Int64) {
    text.keep()
    let added = counts.lines - kept.lines
    kept = counts
    lines = kept.lines
    guard added > 0 else { return }
    let place = max(0, Int(batch - firstBatch))
    while batchLines.count <= place { batchLines.append(0) }
    batchLines[place] += added
  }

  func takeBack() {
    text.takeBack()
    counts = kept
  }

  func entry(_ name: String, _ run: FileSet.Pending, fence: Int64) throws(ConnectorError) -> FileSet.DataFile {
    FileSet.DataFile(
      name: name, mode: run.mode, content: content, run: run.run, fence: fence, rows: kept.rows, deleted: kept.deleted,
      stale: kept.stale, bytes: text.count, digest: try text.digest(), firstBatch: firstBatch, batchLines: batchLines,
      longestLine: text.longestLine)
  }
}
