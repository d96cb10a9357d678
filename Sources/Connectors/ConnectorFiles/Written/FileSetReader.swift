import Connecting
import Kernel
import NationalCrypto

/// Reads what a folder of ours says is delivered: every row once, as its last operation left it, the newest files first.
///
/// Columns of the engine's own may be asked for: the batch that flagged a row stale, which is NULL for rows up to date.
final class FileSetReader: RowReader {
  let horizon: CursorValue? = nil
  let isKeyOrdered = false
  let checksText = true
  private(set) var position: [UInt8]

  private let folder: any TargetFolder
  private let set: FileSet
  private let plan: ReadPlan
  private let names: [String]
  private let columns: [WrittenRows.Column]
  private let staleColumn: Int?
  /// Where the set's key stands among the columns that are read.
  private let key: [Int]
  private let digest: [UInt8]
  private var files: ArraySlice<FileSet.DataFile>
  private var current: WrittenRows?
  private let line = RowBatch(capacity: RowBatch.smallest)
  /// Keys whose last word was said by a later line, and those of which a later line said that they are stale.
  private var settled: Set<[UInt8]> = []
  private var flagged: Set<[UInt8]> = []
  private let mayRepeat: Bool
  /// Of a file of operations at hand: each key's last word, by its line, and whether a line behind it flags it.
  private var words: [[UInt8]: (line: Int, isStale: Bool)]?
  private var lineNumber = 0
  /// Rows given, with those that an earlier reader gave.
  private var given = 0
  private var passing = 0

  init(_ plan: ReadPlan, _ set: FileSet, _ folder: any TargetFolder) throws(ConnectorError) {
    guard plan.cursor == nil, case .full(let after) = plan.range else {
      throw .contract("no-increment", "文件只能全量读取。", "Files can only be read in full.")
    }
    self.plan = plan
    self.set = set
    self.folder = folder
    mayRepeat = set.files.contains { $0.content == .operations }
    var names: [String] = []
    var columns: [WrittenRows.Column] = []
    for column in plan.columns where column.name != WritePlan.staleBatchColumn {
      guard let found = set.columns.first(where: { $0.name == column.name }) else {
        throw .contract(
          "column-missing", "“\(set.table)”没有“\(column.name)”列。", "“\(set.table)” has no column “\(column.name)”.")
      }
      names.append(found.name)
      columns.append(WrittenRows.Column(written: found.type, type: column.type))
    }
    staleColumn = plan.columns.firstIndex { $0.name == WritePlan.staleBatchColumn }
    // The key is read as it was written, behind what is asked for.
    let wanted = columns.count
    for name in set.key {
      guard let found = set.columns.first(where: { $0.name == name }) else { continue }
      names.append(name)
      columns.append(WrittenRows.Column(written: found.type, type: found.type))
    }
    self.names = names
    self.columns = columns
    key = Array(wanted..<columns.count)
    var digest = ContentDigest()
    for file in set.files { Array((file.name + file.digest).utf8).withUnsafeBytes { digest.add($0) } }
    self.digest = digest.bytes
    files = mayRepeat ? Array(set.files.reversed())[...] : set.files[...]
    position = []
    guard let after else { return }
    guard after.count == 24, after[16] < 0x80 else {
      throw .contract("position", "断点无法识别。", "The place to go on from cannot be read.")
    }
    guard Array(after[..<16]) == digest.bytes else { throw .changedSince(set.table, origin: "files") }
    passing = after[16...].reduce(0) { $0 << 8 | Int($1) }
    position = after
  }

  func read(into batch: RowBatch) throws(ConnectorError) -> ReadOutcome {
    batch.removeAll()
    while !batch.isFull {
      guard let rows = try next() else { break }
      try give(rows, to: batch)
    }
    guard !batch.isEmpty else { return .end }
    position = digest + withUnsafeBytes(of: Int64(given).bigEndian) { [UInt8]($0) }
    return .rows
  }

  private func give(_ rows: WrittenRows, to batch: RowBatch) throws(ConnectorError) {
    line.removeAll()
    line.beginRow(fields: columns.count)
    try rows.append(to: line)
    line.endRow()
    var isStale = false
    if mayRepeat {
      let bytes = KeyBytes.encode(line.row(0), key: key)
      guard !settled.contains(bytes) else { return }
      isStale = flagged.contains(bytes)
      if let words {
        guard let word = words[bytes], word.line == lineNumber else { return }
        settled.insert(bytes)
        if rows.operation == .delete { return }
        isStale = isStale || word.isStale
      }
    }
    given += 1
    guard given > passing else { return }
    batch.beginRow(fields: plan.columns.count)
    let row = line.row(0)
    var at = 2
    for index in plan.columns.indices {
      if index == staleColumn {
        if isStale { batch.append(set.lastBatch) } else { batch.appendNull() }
        continue
      }
      let header = Int32(bigEndian: row.loadUnaligned(fromByteOffset: at, as: Int32.self))
      let length = 4 + (header >= 0 ? Int(header) : header == -1 ? 0 : Int(UInt32(bitPattern: header) & 0xFF_FFFF))
      if let source = row.baseAddress { batch.reserve(length).copyMemory(from: source + at, byteCount: length) }
      batch.advance(length)
      at += length
    }
    batch.endRow()
  }

  /// At the next line; nil behind the last.
  private func next() throws(ConnectorError) -> WrittenRows? {
    while true {
      if let current {
        lineNumber += 1
        if try current.next() { return current }
        self.current = nil
      }
      guard let entry = files.popFirst() else { return nil }
      words = entry.content == .operations ? try lastWords(of: entry) : nil
      current = try open(entry)
      lineNumber = 0
    }
  }

  private func open(_ entry: FileSet.DataFile) throws(ConnectorError) -> WrittenRows {
    guard let file = try folder.open(entry.name), try WrittenRows.isWhole(file, entry),
      let rows = try WrittenRows(file, entry, names, columns)
    else {
      throw ConnectorError(
        .data, "files.altered",
        Text("文件“\(entry.name)”不在或与清单不符。", "The file “\(entry.name)” is gone, or it is not what the manifest says."))
    }
    return rows
  }

  /// A first pass over a file of operations. Keys that it only flags are remembered for the files before it.
  private func lastWords(of entry: FileSet.DataFile) throws(ConnectorError) -> [[UInt8]: (line: Int, isStale: Bool)] {
    var words: [[UInt8]: (line: Int, isStale: Bool)] = [:]
    let rows = try open(entry)
    var number = 0
    while try rows.next() {
      number += 1
      line.removeAll()
      line.beginRow(fields: columns.count)
      try rows.append(to: line)
      line.endRow()
      let bytes = KeyBytes.encode(line.row(0), key: key)
      if rows.operation == .stale {
        words[bytes, default: (0, true)].isStale = true
      } else {
        words[bytes] = (number, false)
      }
    }
    for (key, word) in words where word.line == 0 && !settled.contains(key) { flagged.insert(key) }
    return words
  }

  func close() {
    current = nil
    files = []
  }
}
