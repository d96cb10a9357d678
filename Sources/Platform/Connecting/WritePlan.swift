package import Kernel

/// Where rows go and what must hold there.
package struct WritePlan: Hashable, Sendable {
  package struct Column: Hashable, Sendable {
    package var name: String
    package var type: ValueType
    /// Characters at most; nil for no limit.
    package var length: Int?
    package var comment: String?

    package init(_ name: String, _ type: ValueType, length: Int? = nil, comment: String? = nil) {
      self.name = name
      self.type = type
      self.length = length
      self.comment = comment
    }
  }

  package var table: TableName
  package var columns: [Column]
  /// Indices into `columns`: the target's primary key.
  package var key: [Int]
  /// Whose offset this is: the grant's id, or for a part of its delivery `partStream`.
  package var stream: String
  /// The grant's own stream, where this is a part of its delivery.
  package var whole: String?
  package var run: String
  /// From the job's lease. A writer with a lower one than the target has seen is refused.
  package var fence: Int64
  /// Rows that go are not removed: they stay as they last were, with the moment in `deletedSinceColumn` and the batch 0. A row that
  /// comes back under the key of one is written over it.
  package var marksDeletes: Bool

  package init(
    table: TableName, columns: [Column], key: [Int], stream: String, run: String, fence: Int64, whole: String? = nil,
    marksDeletes: Bool = false
  ) {
    self.whole = whole
    self.marksDeletes = marksDeletes
    self.table = table
    self.columns = columns
    self.key = key
    self.stream = stream
    self.run = run
    self.fence = fence
  }

  /// The stream of a part, from 0. No grant's id has this sign in it.
  package static func partStream(_ index: Int, of whole: String) -> String { "\(partPrefix(of: whole))\(index)" }
  package static func partPrefix(of whole: String) -> String { whole + "#" }
  /// What the offset's line names as its target: one line alone names the table, its parts' name themselves.
  package func claim(_ tableName: String) -> String { whole == nil ? tableName : "#" + stream }

  /// Which batch last wrote the row.
  package static let batchColumn = "sj_batch"
  /// Which batch found the source's row bad, so that this older version was kept; NULL for a row that is up to date.
  package static let staleBatchColumn = "sj_stale_batch"
  /// Since when (UTC).
  package static let staleSinceColumn = "sj_stale_since"
  /// Since when the source or the grant has the row no more (UTC); NULL for one that it has. Only where deletes are marked.
  package static let deletedSinceColumn = "sj_deleted_since"
  package static let offsetTable = "sj_offset"
  package static let batchTable = "sj_batch"
  /// Names the target keeps for itself, in whatever case.
  package static func isReserved(_ name: String) -> Bool { name.lowercased().hasPrefix("sj_") }
}

/// How one batch meets rows that are already there.
package enum WriteMode: Hashable, Sendable {
  /// The target holds none of these keys: rows are appended as they are. The fast way of a first full load.
  case append
  /// By key: rows that differ are written, others are left alone. A target row last written by batch `rewriteFrom` or a
  /// later one is written again even when equal (an interrupted run starts over and signs for all of it). A key already
  /// written by batch `ownFrom` or a later one came twice in the source: the row is not written but named in
  /// `WriteOutcome.duplicates`. `mostlyNew`: hardly any key is there, so that the target may try the faster way first.
  case merge(rewriteFrom: Int64, ownFrom: Int64, mostlyNew: Bool = false)
  /// By key, as changes come: every row is written, whatever is there. No key comes twice in a batch.
  case upsert
  /// The same of rows that the source says are new: the target may try the faster way first.
  case insert
}

/// What an attempt is about to write, for targets that show a run only when it is complete.
package enum WrittenRun: Hashable, Sendable {
  /// All of the source's rows: they take the place of what is there. `goesOn`: behind what an earlier attempt of this run
  /// committed; else that is dropped.
  case whole(goesOn: Bool)
  /// Rows on top of what is there. What an earlier attempt committed is dropped: it begins again.
  case changes
}

/// What a batch did to the target.
package struct WriteOutcome: Hashable, Sendable {
  package var inserted = 0
  package var updated = 0
  /// Rows of the batch that were written, ascending; nil means all of them.
  package var written: [Int32]?
  /// Rows of the batch that were not, because their key had come before in this run.
  package var duplicates: [Int32] = []

  package init() {}
}

/// What the target remembers of a stream. `state` belongs to Transfer; the writer only keeps it.
package struct StoredOffset: Hashable, Sendable {
  package var fence: Int64
  package var run: String
  /// The last batch committed; 0 before the first.
  package var batch: Int64
  package var state: String

  package init(fence: Int64, run: String, batch: Int64, state: String) {
    self.fence = fence
    self.run = run
    self.batch = batch
    self.state = state
  }
}

/// A committed batch as the target remembers it.
package struct BatchRecord: Hashable, Sendable {
  package var batch: Int64
  package var run: String
  package var delivered: Int
  package var quarantined: Int
  package var bytes: Int
  /// SM3, 64 hexadecimal digits.
  package var digest: String

  package init(batch: Int64, run: String, delivered: Int, quarantined: Int, bytes: Int, digest: String) {
    self.batch = batch
    self.run = run
    self.delivered = delivered
    self.quarantined = quarantined
    self.bytes = bytes
    self.digest = digest
  }
}

/// Writes batches, each with its offset and its record in one transaction of the target. Used by one thread.
///
/// `write`, `markStale`, `deleteKeys` and `deleteOlder` open a transaction when none is open; `commit` ends it.
package protocol RowWriter: AnyObject {
  /// Creates what is missing (the table, `sj_offset`, `sj_batch`), checks the shape of what is there, and takes the
  /// stream under this plan's fence. Returns what was stored; nil for a stream never seen.
  func open() throws(ConnectorError) -> StoredOffset?
  /// Once, before an attempt's first row. A target that keeps rows under their keys has nothing to do.
  func begin(_ run: WrittenRun) throws(ConnectorError)
  /// The next commit is the run's last: with it, what the run wrote counts.
  func complete() throws(ConnectorError)
  /// The run will not be completed: where nothing of it counts yet, what it wrote is taken away, with its offset; where
  /// it counts, who is told of runs is told so.
  func giveUp() throws(ConnectorError)
  /// The same for a part of a delivery (`WritePlan.whole`). The whole's line, which is held meanwhile and not changed, is
  /// shown to `admit`, which throws where the part may not be written any more.
  func openPart(_ admit: (StoredOffset?) throws(ConnectorError) -> Void) throws(ConnectorError) -> StoredOffset?
  /// In the open transaction: takes away the lines and records of all parts of this stream, so that none of their writers
  /// commits anything more. Throws `.fenced` when one of them has a greater fence.
  func dropParts() throws(ConnectorError)
  /// In the open transaction: the records of these parts, by their stream, become this stream's own, and their lines are
  /// taken away, so that none of their writers commits anything more. Throws when a part's line is not there or its state
  /// is another one.
  func gatherParts(_ states: [String: String]) throws(ConnectorError)
  /// True when the target table holds no row at all.
  func isEmpty() throws(ConnectorError) -> Bool
  func write(_ rows: RowBatch, batch: Int64, mode: WriteMode) throws(ConnectorError) -> WriteOutcome
  /// `keys` holds rows of the key's fields only. Flags the versions the target has; returns how many it has
  /// (or, where it does not merge, of how many it was told).
  func markStale(_ keys: RowBatch, batch: Int64, at now: Instant) throws(ConnectorError) -> Int
  /// `keys` holds rows of the key's fields only, of rows that the source or the grant no longer has. Removes those that the target has
  /// and that were last written before `batch`, flagged stale or not, or marks them (`WritePlan.marksDeletes`), which takes the flag
  /// away; returns how many. What is marked already is not there for any of these functions.
  func deleteKeys(_ keys: RowBatch, writtenBefore batch: Int64, at now: Instant) throws(ConnectorError) -> Int
  /// After a full refresh: removes rows last written before `batch` unless flagged stale by it or later; returns how many.
  func deleteOlder(than batch: Int64, at now: Instant) throws(ConnectorError) -> Int
  /// `now` nil: removed in truth, also where deletes are marked. They were never the source's to delete.
  func deleteAll(at now: Instant?) throws(ConnectorError) -> Int
  /// Within the open transaction: the rows that the last `write` left under these keys, as the target holds them now;
  /// a row is the plan's columns and then its batch.
  func written() throws(ConnectorError) -> any RowReader
  /// The rows under these keys, the plan's columns and then their batch, in any order.
  func current(_ keys: RowBatch) throws(ConnectorError) -> any RowReader
  /// Builds what finding rows by batch needs, when it is missing. Built once over all rows it costs a fraction of keeping
  /// it up to date while they are loaded.
  func indexBatches() throws(ConnectorError)
  /// A record of a batch that has one replaces it: commits may be gathered in one batch.
  ///
  /// Throws `.fenced`, with nothing changed, when another fence has taken the stream.
  ///
  /// A commit that is not `durable` may be lost with those after it when the target's machine dies (or this one, where
  /// rows are gathered into files here), rows and offset together, so that nothing is missing and nothing comes twice; the
  /// next durable one secures all before it.
  func commit(_ record: BatchRecord?, state: String, durable: Bool) throws(ConnectorError)
  func rollback()
  func batches(_ range: ClosedRange<Int64>) throws(ConnectorError) -> [BatchRecord]
  /// How many rows were flagged stale by these batches.
  func countStale(_ range: ClosedRange<Int64>) throws(ConnectorError) -> Int
  /// Where the table ends now, for a `BatchReader`; nil where there is none.
  func end() throws(ConnectorError) -> Int64?
  /// Reads back what these batches wrote, ordered by batch; a row is the plan's columns and then its batch (integer).
  func readBack(_ range: ClosedRange<Int64>) throws(ConnectorError) -> any RowReader
  /// Ends whatever call blocks: see `Interruption`. Safe from any thread, late, and twice.
  var interrupter: @Sendable () -> Void { get }
  func close()
}

extension RowWriter {
  package var interrupter: @Sendable () -> Void { {} }

  package func begin(_ run: WrittenRun) throws(ConnectorError) {}
  package func complete() throws(ConnectorError) {}
  package func giveUp() throws(ConnectorError) {}

  package func openPart(
    _ admit: (StoredOffset?) throws(ConnectorError) -> Void
  ) throws(ConnectorError) -> StoredOffset? { throw Self.noParts }
  package func dropParts() throws(ConnectorError) { throw Self.noParts }
  package func gatherParts(_ states: [String: String]) throws(ConnectorError) { throw Self.noParts }

  private static var noParts: ConnectorError {
    .contract("no-parts", "该接收方不能分段写入。", "This target cannot be written in parts.")
  }

  package func deleteAll(at now: Instant?) throws(ConnectorError) -> Int { throw Self.cannotFollow }
  package func written() throws(ConnectorError) -> any RowReader { throw Self.cannotFollow }
  package func current(_ keys: RowBatch) throws(ConnectorError) -> any RowReader { throw Self.cannotFollow }

  private static var cannotFollow: ConnectorError {
    .contract("no-changes", "该接收方不能按变更更新。", "This target cannot be kept up to date by changes.")
  }
}

extension ConnectorError {
  /// A part's line is not what its worker said that it left.
  package static let otherPart = ConnectorError(
    .fenced, "fenced", Text("该分段已由另一个任务接管。", "Another worker has taken over this part of the delivery."))
}

/// Reads single batches back while others are being appended, on a connection of its own. Used by one thread.
package protocol BatchReader: AnyObject {
  /// The rows of a committed batch, as `RowWriter.readBack` gives them. `places` are the table's ends before and after it;
  /// rows that the database put far in front of them may be missing.
  func read(_ batch: Int64, in places: Range<Int64>) throws(ConnectorError) -> any RowReader
  func close()
}
