import Connecting
import Kernel
import Remote

/// Rows and changes as messages, one a commit. Nothing leaves before its commit, so nothing is ever half there.
final class MessagesWriter: RowWriter {
  private let plan: WritePlan
  private let client: MessageClient
  private let cancellation: RemoteCancellation
  private let changes: MessageChanges
  /// As of the last message that was taken.
  private var offset: MessageOffset
  /// How many rows the table held when it was opened.
  private var rowsBefore = 0
  private var keys = WrittenKeys("messages")
  private var hasAllKeys = false
  private var batch: Int64 = 0
  private var completes = false
  /// Rows of a run that is read back, not changes as they come.
  private var bringsRun = false

  init(_ plan: WritePlan, _ target: MessagesTarget, _ cancellation: RemoteCancellation) {
    self.plan = plan
    self.cancellation = cancellation
    client = MessageClient(target, cancellation, plan)
    changes = MessageChanges(plan)
    offset = MessageOffset(fence: plan.fence)
  }

  // MARK: Opening

  func open() throws(ConnectorError) -> StoredOffset? {
    guard !plan.marksDeletes else {
      throw .contract(
        "no-marks", "消息接收方不能保留并标记已删除的行，请改为删除。",
        "A receiver of messages cannot keep rows that are gone with a mark; have them removed.")
    }
    // A predecessor's last message may come in between: then the next number is tried.
    for _ in 0..<50 {
      do throws(ConnectorError) { return try take() } catch {
        guard error.code == "messages.\(MessageErrors.outOfStepCode)" else { throw error }
      }
    }
    throw .takenOver
  }

  /// Takes the stream under this fence, after which no lower one is listened to.
  private func take() throws(ConnectorError) -> StoredOffset? {
    let found = try client.offset()
    rowsBefore = found.rows
    offset = found.offset ?? MessageOffset(fence: plan.fence)
    guard offset.fence <= plan.fence else { throw .takenOver }
    let stored = offset.stored
    try send(.take, next)
    return stored
  }

  /// What is kept with the next message.
  private var next: MessageOffset {
    var next = offset
    next.number += 1
    next.fence = plan.fence
    return next
  }

  private func send(
    _ kind: Message.Kind, _ next: MessageOffset, batch: Int64 = 0, record: MessageBatch? = nil
  ) throws(ConnectorError) {
    guard !cancellation.isCancelled else {
      throw ConnectorError(.retryable, "messages.cancelled", Text("写入已取消。", "The writing was cancelled."))
    }
    try client.send(Message(kind, plan, next, changes, batch: batch, record: record))
    offset = next
  }

  func begin(_ run: WrittenRun) throws(ConnectorError) {
    rollback()
    (keys, hasAllKeys) = (WrittenKeys("messages"), false)
    if run == .whole(goesOn: true) {
      // Which batch was its first decides what goes at its end.
      guard begun?.isWhole == true else {
        throw .contract(
          "target-lost", "接收系统保存的位点不含本次运行的开始，须重新全量交付。",
          "The offset that the receiving system keeps does not know this run's beginning: a new full delivery is needed."
        )
      }
      return
    }
    var next = next
    next.begun = MessageOffset.Run(
      run: plan.run, isWhole: run != .changes, firstBatch: offset.lastBatch + 1, onEmpty: rowsBefore == 0)
    next.keep = next.number
    try send(.begin, next)
    // What an earlier attempt wrote counts no more.
    hasAllKeys = true
  }

  func complete() throws(ConnectorError) { completes = true }

  /// What was put stays, and so does the run's beginning, for whoever runs it again after all.
  func giveUp() throws(ConnectorError) {
    rollback()
    try send(.abandon, next)
  }

  func isEmpty() throws(ConnectorError) -> Bool { try client.offset().rows == 0 }

  // MARK: Rows

  private var begun: MessageOffset.Run? { offset.begun.flatMap { $0.run == plan.run ? $0 : nil } }

  func write(_ rows: RowBatch, batch: Int64, mode: WriteMode) throws(ConnectorError) -> WriteOutcome {
    self.batch = batch
    var outcome = WriteOutcome()
    changes.beginWrite()
    guard rows.rowCount > 0 else { return outcome }
    switch mode {
    case .append:
      bringsRun = true
      for index in 0..<rows.rowCount { try changes.put(rows.row(index)) }
      outcome.inserted = rows.rowCount
    case .upsert, .insert:
      for index in 0..<rows.rowCount { try changes.put(rows.row(index)) }
      outcome.inserted = rows.rowCount
    case .merge(let rewriteFrom, _, _):
      guard rewriteFrom <= 0 else {
        throw .contract("no-merge", "消息接收方不能比较已有的行。", "A receiver of messages cannot compare rows with what it has.")
      }
      bringsRun = true
      try gatherKeys()
      var written: [Int32] = []
      for index in 0..<rows.rowCount {
        if try keys.insert(KeyBytes.encode(rows.row(index), key: plan.key)) {
          try changes.put(rows.row(index))
          written.append(Int32(index))
        } else {
          outcome.duplicates.append(Int32(index))
        }
      }
      // Whether there was one before, nobody here knows.
      outcome.inserted = written.count
      if written.count < rows.rowCount { outcome.written = written }
    }
    return outcome
  }

  /// The keys that earlier attempts of this run wrote.
  private func gatherKeys() throws(ConnectorError) {
    guard !hasAllKeys else { return }
    hasAllKeys = true
    guard let begun, begun.firstBatch <= offset.lastBatch else { return }
    let reader = try readBack(begun.firstBatch...offset.lastBatch)
    defer { reader.close() }
    let found = RowBatch()
    while try reader.read(into: found) != .end {
      for index in 0..<found.rowCount { _ = try keys.insert(KeyBytes.encode(found.row(index), key: plan.key)) }
    }
    keys.keep()
  }

  /// Tells under which keys the source has rows that cannot be delivered. Nothing where nothing was before the run.
  func markStale(_ keys: RowBatch, batch: Int64, at now: Instant) throws(ConnectorError) -> Int {
    self.batch = batch
    guard !keys.isEmpty, begun?.onEmpty != true else { return 0 }
    for index in 0..<keys.rowCount { try changes.markStale(keys.row(index)) }
    return keys.rowCount
  }

  func deleteKeys(_ keys: RowBatch, writtenBefore batch: Int64, at now: Instant) throws(ConnectorError) -> Int {
    guard !keys.isEmpty else { return 0 }
    if batch != .max { try gatherKeys() }
    var count = 0
    for index in 0..<keys.rowCount {
      // What this run wrote itself stays.
      if batch != .max, self.keys.contains(Array(keys.row(index).dropFirst(2))) { continue }
      try changes.delete(keys.row(index))
      count += 1
    }
    return count
  }

  /// How many go, only the receiving system knows: 0.
  func deleteOlder(than batch: Int64, at now: Instant) throws(ConnectorError) -> Int {
    changes.drop(before: batch)
    return 0
  }

  /// How many go, only the receiving system knows: 0.
  func deleteAll(at now: Instant?) throws(ConnectorError) -> Int {
    changes.clear()
    return 0
  }

  /// Read from the text that is to be sent. That it arrived so, the answer's digest says at the commit.
  func written() throws(ConnectorError) -> any RowReader { WrittenLinesReader(plan, changes.lastWrite, batch: batch) }

  func current(_ keys: RowBatch) throws(ConnectorError) -> any RowReader {
    throw .contract(
      "changes-whole", "变更日志缺少未变的字段，消息接收方无法补全。",
      "The log of changes lacks fields that did not change, and a receiver of messages cannot fill them in.")
  }

  // MARK: Committing

  func commit(_ record: BatchRecord?, state: String, durable: Bool) throws(ConnectorError) {
    if completes, let begun, begun.isWhole { changes.drop(before: begun.firstBatch) }
    var next = next
    (next.run, next.state) = (plan.run, state)
    var kept: MessageBatch?
    if let record {
      let earlier = offset.record.flatMap { $0.record.batch == record.batch ? $0 : nil }
      kept = MessageBatch(
        record, stale: (earlier?.stale ?? 0) + changes.stale,
        messages: (earlier?.messages.lowerBound ?? next.number)...next.number)
      next.record = kept
      next.lastBatch = max(next.lastBatch, record.batch)
    }
    // Nobody reads back what is followed.
    let isFollowed = begun == nil && !completes && !bringsRun
    if isFollowed { next.keep = next.number }
    if isFollowed || completes { next.begun = nil }
    try send(
      completes ? .end : .rows, next, batch: record?.batch ?? (changes.count > 0 ? batch : 0), record: kept)
    keys.keep()
    forgetChanges()
  }

  func rollback() {
    keys.takeBack()
    forgetChanges()
  }

  private func forgetChanges() {
    changes.removeAll()
    (completes, bringsRun) = (false, false)
  }

  // MARK: Reading back

  func indexBatches() throws(ConnectorError) {}

  private func kept(_ range: ClosedRange<Int64>) throws(ConnectorError) -> [MessageBatch] {
    let last = min(range.upperBound, offset.lastBatch)
    return range.lowerBound <= last ? try client.batches(range.lowerBound...last) : []
  }

  func batches(_ range: ClosedRange<Int64>) throws(ConnectorError) -> [BatchRecord] { try kept(range).map(\.record) }

  func countStale(_ range: ClosedRange<Int64>) throws(ConnectorError) -> Int {
    try kept(range).reduce(0) { $0 + $1.stale }
  }

  func end() throws(ConnectorError) -> Int64? { nil }

  func readBack(_ range: ClosedRange<Int64>) throws(ConnectorError) -> any RowReader {
    InboxReader(client, plan, try kept(range))
  }

  var interrupter: @Sendable () -> Void { { [cancellation] in cancellation.cancel() } }

  func close() { rollback() }
}
