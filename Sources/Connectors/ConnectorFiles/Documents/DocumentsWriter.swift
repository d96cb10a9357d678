import Connecting
import Kernel
import Remote

/// After how much is gathered a commit reaches the folder.
package struct WrittenDocuments: Hashable, Sendable {
  package var bytes: Int
  package var files: Int

  package init(bytes: Int = 64 << 20, files: Int = 2000) {
    self.bytes = bytes
    self.files = files
  }
}

/// Rows into whole files of a folder.
///
/// Parts are gathered on this machine until they are many or a commit must last. Then each file that is complete is put
/// into the folder's hidden place, with what is not complete beside it; a manifest says so, which is the commit; and the
/// files get their paths. What a worker commits and does not carry out any more, the next one does.
final class DocumentsWriter: RowWriter {
  let plan: WritePlan
  let target: any DocumentTarget
  let shape: DocumentShape
  private let place: String
  private let clock: Clock
  private let bounds: WrittenDocuments
  private let cancellation: RemoteCancellation
  let log: ManifestLog<DocumentSet>

  /// As the next manifest will have it.
  var set: DocumentSet
  var index = DocumentIndex()
  /// What was written since the folder last heard of it, and how much of it is kept whatever is rolled back.
  var gathered: SpoolFile?
  private var keptBytes = 0
  /// Files of parts in the hidden place.
  var partNames: Set<String> = []
  /// Counts what this worker makes in the hidden place, so that no name comes twice.
  var made = 0
  /// The file that was last looked into, for the parts that follow.
  var opened: (path: [UInt8], content: DocumentContent?)?
  /// Rows of this batch and later ones are of the run under way.
  private var ownFrom = Int64.min

  /// `place` names the folder in what people are told.
  init(
    _ plan: WritePlan, _ target: any DocumentTarget, place: String, bounds: WrittenDocuments = WrittenDocuments(),
    cancellation: RemoteCancellation = RemoteCancellation(), clock: Clock = .system
  ) throws(ConnectorError) {
    self.plan = plan
    self.target = target
    self.place = place
    self.bounds = bounds
    self.clock = clock
    self.cancellation = cancellation
    shape = try DocumentShape(plan)
    log = ManifestLog(target.hidden)
    set = DocumentSet(table: plan.table.name, stream: plan.stream, fence: plan.fence)
  }

  var now: Instant { clock.now() }

  // MARK: Opening

  func open() throws(ConnectorError) -> StoredOffset? {
    guard !plan.marksDeletes else {
      throw .contract(
        "no-marks", "文件不能保留并标记已删除的行，请改为删除。",
        "Files cannot keep rows that are gone with a mark; have them removed.")
    }
    try target.prepare()
    do throws(ConnectorError) {
      try target.hidden.checkNamesAreExclusive(place, fence: plan.fence)
    } catch {
      // A successor puts away what he finds of ours, and so what is tried here.
      if let fence = try log.read().set?.fence, fence > plan.fence { throw .takenOver }
      throw error
    }
    for _ in 0..<50 {
      do throws(ConnectorError) { return try take() } catch { guard error.kind == .fenced else { throw error } }
      guard (log.current?.fence ?? 0) <= plan.fence else { break }
    }
    throw .takenOver
  }

  /// Makes a manifest under this fence, after which no lower one makes any more, and carries out what was committed.
  private func take() throws(ConnectorError) -> StoredOffset? {
    let (names, found) = try log.read()
    if let found {
      guard found.stream == plan.stream else { throw plan.taken }
      guard found.fence <= plan.fence else { throw .takenOver }
      set = found
    } else if try target.visible() {
      throw .contract(
        "target-not-empty", "接收文件夹“\(plan.table)”里已有其他文件；请换一个空文件夹，以免覆盖。",
        "The receiving folder “\(plan.table)” already holds other files: choose an empty one, so that none is written over."
      )
    }
    let stored = found?.offset
    if (found?.fence ?? -1) < plan.fence {
      set.fence = plan.fence
      try log.commit(set, at: now)
    }
    index = DocumentIndex()
    for listing in set.listings { try index.load(listing, from: target.hidden) }
    try carryOut(set, isAgain: true)
    // What killed workers left and no manifest names any more.
    partNames = index.partNames
    let known = Set(set.listings.map(\.name)).union(partNames)
    for name in names where !known.contains(name) {
      if let fence = DocumentNames.fence(of: name), fence < plan.fence { try? target.hidden.remove(name) }
    }
    return stored
  }

  func isEmpty() throws(ConnectorError) -> Bool { index.entries.isEmpty }

  // MARK: Rows

  func write(_ rows: RowBatch, batch: Int64, mode: WriteMode) throws(ConnectorError) -> WriteOutcome {
    var outcome = WriteOutcome()
    switch mode {
    case .append:
      for row in 0..<rows.rowCount { try put(try shape.row(rows.row(row), batch: batch), batch) }
      outcome.inserted = rows.rowCount
    case .merge(let rewriteFrom, let ownFrom, _):
      self.ownFrom = ownFrom
      var written: [Int32] = []
      for place in 0..<rows.rowCount {
        let row = try shape.row(rows.row(place), batch: batch)
        let old = index[row.path]?.row(row.part)
        if let old, old.batch >= ownFrom {
          outcome.duplicates.append(Int32(place))
        } else if let old, old.batch < rewriteFrom, try isThere(old, row) {
          if old.stale > 0 { try change(row.path, row.part) { $0.stale = 0 } }
        } else {
          if old == nil { outcome.inserted += 1 } else { outcome.updated += 1 }
          written.append(Int32(place))
          // Equal bytes in a file that is at hand stay where they are.
          if let old, target.isNear, try isThere(old, row), try isHeld(old, row.path) {
            try change(row.path, row.part) { ($0.batch, $0.stale) = (batch, 0) }
          } else {
            try put(row, batch)
          }
        }
      }
      outcome.written = written
    case .upsert, .insert: throw Self.cannotFollow
    }
    return outcome
  }

  private static let cannotFollow = ConnectorError.contract(
    "no-changes", "文件夹不能按变更持续更新；请改用全量或增量。",
    "A folder cannot be kept up to date by changes: deliver in full or incrementally.")

  /// Whether the row is what we remember of it, and its file may still be there.
  private func isThere(_ old: DocumentIndex.Row, _ row: DocumentRow) throws(ConnectorError) -> Bool {
    guard old.version == row.version, old.digest == row.digest else { return false }
    guard old.place == .file else { return true }
    return try target.mayHold(old.version, at: String(decoding: row.path, as: UTF8.self))
  }

  /// Whether the file there holds the part, byte by byte.
  private func isHeld(_ old: DocumentIndex.Row, _ path: [UInt8]) throws(ConnectorError) -> Bool {
    guard old.place == .file, let bytes = try bytes(of: old, path) else { return false }
    var digest = ContentDigest()
    bytes.withUnsafeBytes { digest.add($0) }
    return digest.bytes == old.digest
  }

  private func put(_ row: DocumentRow, _ batch: Int64) throws(ConnectorError) {
    let spool: SpoolFile
    if let gathered { spool = gathered } else { spool = try SpoolFile() }
    gathered = spool
    let offset = spool.count
    try spool.append(row.content)
    let new = DocumentIndex.Row(
      part: row.part, version: row.version, batch: batch, digest: row.digest, place: .gathered(offset: offset))
    try index.update(row.path) { entry in
      // Other bytes under the same length and time: what is known of the parts behind, which come later, is an older file's.
      if let old = entry.row(row.part), old.version == row.version, old.digest != new.digest {
        entry.rows.removeAll { $0.part > row.part && $0.version == row.version }
      }
      entry.set(new)
    }
  }

  private func change(
    _ path: [UInt8], _ part: Int, _ change: (inout DocumentIndex.Row) -> Void
  ) throws(ConnectorError) {
    try index.update(path) { entry in
      guard var row = entry.row(part) else { return }
      change(&row)
      entry.set(row)
    }
  }

  private func forEach(
    _ keys: RowBatch, _ body: (_ path: [UInt8], _ row: DocumentIndex.Row) throws(ConnectorError) -> Void
  ) throws(ConnectorError) {
    let columns = plan.key.map { shape.columns[$0] }
    for place in 0..<keys.rowCount {
      guard let key = DocumentShape.key(keys.row(place), columns), let row = index[key.path]?.row(key.part) else {
        continue
      }
      try body(key.path, row)
    }
  }

  func markStale(_ keys: RowBatch, batch: Int64, at now: Instant) throws(ConnectorError) -> Int {
    var count = 0
    try forEach(keys) { (path, row) throws(ConnectorError) in
      try change(path, row.part) { $0.stale = batch }
      count += 1
    }
    return count
  }

  func deleteKeys(_ keys: RowBatch, writtenBefore batch: Int64, at now: Instant) throws(ConnectorError) -> Int {
    var count = 0
    try forEach(keys) { (path, row) throws(ConnectorError) in
      guard row.batch < batch else { return }
      try index.update(path) { entry in entry.rows.removeAll { $0.part == row.part } }
      count += 1
    }
    return count
  }

  func deleteOlder(than batch: Int64, at now: Instant) throws(ConnectorError) -> Int {
    func goes(_ row: DocumentIndex.Row) -> Bool { row.batch < batch && row.stale < batch }
    var count = 0
    for (path, entry) in index.entries where entry.rows.contains(where: goes) {
      count += entry.rows.count(where: goes)
      try index.update(path) { $0.rows.removeAll(where: goes) }
    }
    return count
  }

  // MARK: Committing

  func commit(_ record: BatchRecord?, state: String, durable: Bool) throws(ConnectorError) {
    try checkCancellation()
    index.keep()
    keptBytes = gathered?.count ?? 0
    if let record { set.add(record) }
    (set.run, set.state) = (plan.run, state)
    if durable || keptBytes >= bounds.bytes || index.changed.count >= bounds.files { try flush(ownFrom: ownFrom) }
    keptBytes = gathered?.count ?? 0
  }

  func checkCancellation() throws(ConnectorError) {
    guard !cancellation.isCancelled else {
      throw ConnectorError(.retryable, "files.cancelled", Text("写入已取消。", "The writing was cancelled."))
    }
  }

  func rollback() {
    index.takeBack()
    gathered?.truncate(to: keptBytes)
  }

  // MARK: Reading back

  func indexBatches() throws(ConnectorError) {}

  func batches(_ range: ClosedRange<Int64>) throws(ConnectorError) -> [BatchRecord] {
    set.batches.filter { range.contains($0.batch) }.sorted { $0.batch < $1.batch }
  }

  func countStale(_ range: ClosedRange<Int64>) throws(ConnectorError) -> Int {
    index.entries.values.reduce(0) { sum, entry in sum + entry.rows.count { range.contains($0.stale) } }
  }

  func end() throws(ConnectorError) -> Int64? { nil }

  func readBack(_ range: ClosedRange<Int64>) throws(ConnectorError) -> any RowReader {
    opened = nil
    return DocumentsBackReader(self, range)
  }

  var interrupter: @Sendable () -> Void { { [cancellation] in cancellation.cancel() } }

  func close() {
    gathered = nil
    opened = nil
  }
}
