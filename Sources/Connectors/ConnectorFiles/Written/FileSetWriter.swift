import Connecting
import Kernel
import Remote

/// How a target's files are written.
package struct WrittenFiles: Hashable, Sendable {
  /// CSV files begin with a byte-order mark, by which Excel knows UTF-8.
  package var mark: Bool
  /// How long files that no longer count stay, for who is reading them.
  package var grace: Duration
  /// A file is ended when it holds that much.
  package var fileBytes: Int

  package static let usualGrace = Duration.seconds(86_400)

  package init(mark: Bool = false, grace: Duration = usualGrace, fileBytes: Int = 64 << 20) {
    self.mark = mark
    self.grace = grace
    self.fileBytes = fileBytes
  }
}

/// Rows into files of a folder, which count when the run that wrote them is complete.
///
/// Commits are gathered on this machine until a file is full or a commit must last; then the file is put into the folder and
/// the next manifest says so, as part of the run under way. The run's last manifest makes its files count.
final class FileSetWriter: RowWriter {
  let plan: WritePlan
  let folder: any TargetFolder
  let options: WrittenFiles
  private let format: FileFormat
  private let place: String
  private let clock: Clock
  private let cancellation: RemoteCancellation
  private let log: ManifestLog<FileSet>

  /// As the next manifest will have it.
  private(set) var set: FileSet
  private var rows: GatheredFile?
  private var operations: GatheredFile?
  private var keys = WrittenKeys("files")
  private var hasAllKeys = false
  private var batch: Int64 = 0
  private var completes = false

  /// `place` names the folder in what people are told.
  init(
    _ plan: WritePlan, _ folder: any TargetFolder, _ format: FileFormat, _ options: WrittenFiles, place: String,
    cancellation: RemoteCancellation = RemoteCancellation(), clock: Clock = .system
  ) {
    self.plan = plan
    self.folder = folder
    self.format = format
    self.options = options
    self.place = place
    self.clock = clock
    self.cancellation = cancellation
    log = ManifestLog(folder)
    set = FileSet(table: plan.table.name, stream: plan.stream, fence: plan.fence)
  }

  private var columns: [FileSet.Column] {
    plan.columns.map { FileSet.Column(name: $0.name, type: $0.type, length: $0.length) }
  }

  private var keyNames: [String] { plan.key.map { plan.columns[$0].name } }

  // MARK: Opening

  func open() throws(ConnectorError) -> StoredOffset? {
    guard !plan.marksDeletes else {
      throw .contract(
        "no-marks", "文件不能保留并标记已删除的行，请改为删除。",
        "Files cannot keep rows that are gone with a mark; have them removed.")
    }
    try folder.prepare()
    try folder.checkNamesAreExclusive(place, fence: plan.fence)
    // A predecessor who does not know yet that he is one may be first at the number: then the next one is tried.
    for _ in 0..<50 {
      do throws(ConnectorError) { return try take() } catch { guard error.kind == .fenced else { throw error } }
      guard (log.current?.fence ?? 0) <= plan.fence else { break }
    }
    throw .takenOver
  }

  /// Makes a manifest under this fence, after which no lower one makes any more.
  private func take() throws(ConnectorError) -> StoredOffset? {
    let (names, found) = try log.read()
    let stored = found?.offset
    if let found {
      guard found.stream == plan.stream else {
        throw .contract(
          "target-taken", "文件夹“\(plan.table)”已由另一个授权写入。",
          "The folder “\(plan.table)” is written by another grant.")
      }
      guard found.fence <= plan.fence else { throw .takenOver }
      set = found
    }
    let isNewer = found.map { $0.fence < plan.fence } ?? true
    set.fence = plan.fence
    let now = clock.now()
    set.dropLeftovers(among: names, at: now)
    if isNewer { try log.commit(set, at: now) }
    removeDropped(at: now)
    return stored
  }

  /// What had its time goes; what cannot be removed is tried again by the next run.
  private func removeDropped(at now: Instant) {
    set.dropped.removeAll { file in
      guard now - file.since >= options.grace else { return false }
      do throws(ConnectorError) { try folder.remove(file.name) } catch { return false }
      return true
    }
  }

  func begin(_ run: WrittenRun) throws(ConnectorError) {
    takeBackAll()
    if case .whole(goesOn: true) = run, let pending = set.pending, pending.run == plan.run, pending.columns == columns,
      pending.key == keyNames
    {
      return
    }
    set.dropPending(at: clock.now())
    let isWhole = run != .changes
    if !isWhole { try checkWhatIsThere() }
    set.pending = FileSet.Pending(
      run: plan.run, started: clock.now(), mode: isWhole ? .full : .incremental, replaces: isWhole, columns: columns,
      key: keyNames)
  }

  /// Operations go on top of what they were meant for, or a new full delivery is needed.
  private func checkWhatIsThere() throws(ConnectorError) {
    guard set.columns == columns, set.key == keyNames else {
      throw .contract(
        "schema-changed", "授权的信息项已变更，须重新全量交付。",
        "The granted items have changed: a new full delivery is needed.")
    }
    guard set.files.count < FileSet.mostFiles else {
      throw .contract(
        "target-lost", "文件夹中已有 \(set.files.count) 个增量文件，须重新全量交付以合并。",
        "The folder holds \(set.files.count) files of increments: a new full delivery is needed to join them.")
    }
    let names = Set(try folder.names())
    if let lost = set.files.first(where: { !names.contains($0.name) }) {
      throw .contract(
        "target-lost", "清单中的文件“\(lost.name)”已不在文件夹中，须重新全量交付。",
        "The file “\(lost.name)” of the manifest is no longer in the folder: a new full delivery is needed.")
    }
  }

  func complete() throws(ConnectorError) { completes = true }

  /// Its files go at once: nobody reads what does not count.
  func giveUp() throws(ConnectorError) {
    takeBackAll()
    let now = clock.now()
    set.dropPending(at: now - options.grace)
    try log.commit(set, at: now)
    removeDropped(at: now)
  }

  func isEmpty() throws(ConnectorError) -> Bool { !set.holdsRows }

  // MARK: Rows

  /// The run under way. Whoever begins none adds rows to what is there.
  private var pending: FileSet.Pending {
    if let pending = set.pending { return pending }
    let pending = FileSet.Pending(
      run: plan.run, started: clock.now(), mode: .full, replaces: false, columns: columns, key: keyNames)
    set.pending = pending
    return pending
  }

  private func gathered(_ content: FileSet.Content) throws(ConnectorError) -> GatheredFile {
    if content == .rows {
      if let rows { return rows }
    } else if let operations {
      return operations
    }
    let file = try GatheredFile(
      content, columns, plan.key, format, mark: options.mark, firstBatch: max(batch, set.lastBatch + 1))
    if content == .rows { rows = file } else { operations = file }
    return file
  }

  func write(_ rows: RowBatch, batch: Int64, mode: WriteMode) throws(ConnectorError) -> WriteOutcome {
    self.batch = batch
    var outcome = WriteOutcome()
    let isWhole = pending.mode == .full
    guard rows.rowCount > 0 else { return outcome }
    let file = try gathered(isWhole ? .rows : .operations)
    switch mode {
    case .append:
      for index in 0..<rows.rowCount { try file.append(rows.row(index), .upsert) }
      outcome.inserted = rows.rowCount
    case .merge(let rewriteFrom, _, _):
      guard rewriteFrom <= 0 else { throw Self.cannotMerge }
      try gatherKeys()
      var written: [Int32] = []
      for index in 0..<rows.rowCount {
        if try keys.insert(KeyBytes.encode(rows.row(index), key: plan.key)) {
          try file.append(rows.row(index), .upsert)
          written.append(Int32(index))
        } else {
          outcome.duplicates.append(Int32(index))
        }
      }
      // Whether there was one before, nobody here knows.
      outcome.inserted = written.count
      if written.count < rows.rowCount { outcome.written = written }
    case .upsert, .insert: throw Self.cannotMerge
    }
    return outcome
  }

  /// The keys that earlier attempts of this run wrote.
  private func gatherKeys() throws(ConnectorError) {
    guard !hasAllKeys else { return }
    hasAllKeys = true
    let earlier = pending.files
    guard !earlier.isEmpty else { return }
    let reader = FileSetBackReader(folder, earlier, plan, earlier[0].firstBatch...Int64.max)
    defer { reader.close() }
    let found = RowBatch()
    while try reader.read(into: found) != .end {
      for index in 0..<found.rowCount { _ = try keys.insert(KeyBytes.encode(found.row(index), key: plan.key)) }
    }
    keys.keep()
  }

  /// Tells under which keys the source has rows that cannot be delivered. Nothing where nothing was before.
  func markStale(_ keys: RowBatch, batch: Int64, at now: Instant) throws(ConnectorError) -> Int {
    self.batch = batch
    guard !keys.isEmpty, !set.files.isEmpty else { return 0 }
    let file = try gathered(.operations)
    for index in 0..<keys.rowCount { try file.append(key: keys.row(index), .stale) }
    return keys.rowCount
  }

  func deleteKeys(_ keys: RowBatch, writtenBefore batch: Int64, at now: Instant) throws(ConnectorError) -> Int {
    guard !keys.isEmpty else { return 0 }
    guard pending.mode == .incremental else { throw Self.cannotMerge }
    try gatherKeys()
    let file = try gathered(.operations)
    var count = 0
    for index in 0..<keys.rowCount where !self.keys.contains(Array(keys.row(index).dropFirst(2))) {
      try file.append(key: keys.row(index), .delete)
      count += 1
    }
    return count
  }

  func deleteOlder(than batch: Int64, at now: Instant) throws(ConnectorError) -> Int { throw Self.cannotMerge }

  private static var cannotMerge: ConnectorError {
    .contract("no-changes", "文件不能按主键更新。", "Files cannot be updated by key.")
  }

  // MARK: Committing

  func commit(_ record: BatchRecord?, state: String, durable: Bool) throws(ConnectorError) {
    guard !cancellation.isCancelled else {
      throw ConnectorError(.retryable, "files.cancelled", Text("写入已取消。", "The writing was cancelled."))
    }
    var run = pending
    for file in [rows, operations].compactMap({ $0 }) { file.keep(batch: record?.batch ?? batch) }
    keys.keep()
    if let record {
      if let place = run.batches.firstIndex(where: { $0.batch == record.batch }) {
        run.batches[place] = record
      } else {
        run.batches.append(record)
      }
      set.lastBatch = max(set.lastBatch, record.batch)
    }
    run.state = state
    set.pending = run
    let isFull = (rows?.count ?? 0) >= options.fileBytes || (operations?.count ?? 0) >= options.fileBytes
    if durable || isFull || completes { try flush() }
  }

  /// Puts what has gathered into the folder and says so in the next manifest.
  private func flush() throws(ConnectorError) {
    var run = pending
    for (content, file) in [(FileSet.Content.rows, rows), (.operations, operations)] {
      guard let file, file.lines > 0 else { continue }
      let name = newName(run, file.firstBatch, content)
      let entry = try file.entry(name, run, fence: plan.fence)
      let temporary = FileSetNames.temporary(name, fence: plan.fence)
      if try !folder.create(file.text.spool, as: name, through: temporary) {
        // Of an earlier try of this same worker, as its fence says.
        try folder.remove(name)
        guard try folder.create(file.text.spool, as: name, through: temporary) else { throw .takenOver }
      }
      run.files.append(entry)
    }
    guard run.files.count <= FileSet.mostFiles else {
      throw ConnectorError(
        .permanent, "files.too-many",
        Text(
          "一次交付超过 \(FileSet.mostFiles) 个文件，文件夹不适合这么大的数据。",
          "One delivery would make more than \(FileSet.mostFiles) files: too much for a folder."))
    }
    var next = set
    next.pending = run
    let now = clock.now()
    if completes { next.complete(at: now) }
    try log.commit(next, at: now)
    set = next
    (rows, operations) = (nil, nil)
    guard completes else { return }
    completes = false
    if options.grace <= .zero { removeDropped(at: now) }
  }

  /// A batch without a record leaves its number to the next: the same name would come twice.
  private func newName(_ run: FileSet.Pending, _ batch: Int64, _ content: FileSet.Content) -> String {
    let taken = set.files.map(\.name) + run.files.map(\.name) + set.dropped.map(\.name)
    var part = 1
    while true {
      let name = FileSetNames.data(
        plan.table.name, run, batch, part, content, fence: plan.fence, format: format)
      if !taken.contains(name) { return name }
      part += 1
    }
  }

  func rollback() {
    rows?.takeBack()
    operations?.takeBack()
    keys.takeBack()
    completes = false
  }

  private func takeBackAll() {
    (rows, operations) = (nil, nil)
    keys = WrittenKeys("files")
    hasAllKeys = false
    completes = false
  }

  // MARK: Reading back

  func indexBatches() throws(ConnectorError) {}

  func batches(_ range: ClosedRange<Int64>) throws(ConnectorError) -> [BatchRecord] {
    (set.batches + (set.pending?.batches ?? [])).filter { range.contains($0.batch) }.sorted { $0.batch < $1.batch }
  }

  private func files(_ range: ClosedRange<Int64>) -> [FileSet.DataFile] {
    (set.files + (set.pending?.files ?? [])).filter {
      $0.firstBatch <= range.upperBound && $0.lastBatch >= range.lowerBound
    }
  }

  func countStale(_ range: ClosedRange<Int64>) throws(ConnectorError) -> Int {
    files(range).reduce(0) { $0 + $1.stale }
  }

  func end() throws(ConnectorError) -> Int64? { nil }

  func readBack(_ range: ClosedRange<Int64>) throws(ConnectorError) -> any RowReader {
    FileSetBackReader(folder, files(range), plan, range)
  }

  var interrupter: @Sendable () -> Void { { [cancellation] in cancellation.cancel() } }

  func close() { takeBackAll() }
}
