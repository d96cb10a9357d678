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

/// The keys that a run wrote, as 128 bits each of a hash that nobody outside this process can aim at.
struct WrittenKeys {
  private struct Key: Hashable {
    var a: Int
    var b: Int
  }

  /// Beyond it the memory would be too much: 2 GiB.
  static let most = 50_000_000

  private var keys: Set<Key> = []
  private var added: [Key] = []

  /// False for a key that was there.
  mutating func insert(_ bytes: [UInt8]) throws(ConnectorError) -> Bool {
    let key = Self.key(bytes)
    guard keys.insert(key).inserted else { return false }
    guard keys.count <= Self.most else {
      throw ConnectorError(
        .permanent, "files.too-many-keys",
        Text(
          "一次运行的行数超过 \(Self.most) 行，而数据源不按主键顺序给出，无法查重。",
          "More than \(Self.most) rows in one run from a source that does not give them in its key's order: whether one comes twice cannot be told."
        ))
    }
    added.append(key)
    return true
  }

  func contains(_ bytes: [UInt8]) -> Bool { keys.contains(Self.key(bytes)) }

  mutating func keep() { added.removeAll(keepingCapacity: true) }

  mutating func takeBack() {
    for key in added { keys.remove(key) }
    added = []
  }

  private static func key(_ bytes: [UInt8]) -> Key {
    var (a, b) = (Hasher(), Hasher())
    bytes.withUnsafeBytes {
      a.combine(bytes: $0)
      b.combine(1 as UInt8)
      b.combine(bytes: $0)
    }
    return Key(a: a.finalize(), b: b.finalize())
  }
}
