package import Kernel

/// Which table's changes are followed, and what of them may be known (变更捕获, change data capture).
package struct ChangePlan: Hashable, Sendable {
  package var table: TableName
  /// A row's fields come in this order; what is not listed is not asked for where the source lets itself be asked.
  package var columns: [ReadPlan.Column]
  /// Indices into `columns`: what tells rows apart. The source must log it with every update and delete.
  package var key: [Int]
  /// Whose place in the source's log this is: the grant's id. The log is kept for it until `endChanges`.
  package var stream: String
  /// Bytes of its log that the source may keep for this stream; beyond, the stream is given up before its disk fills.
  package var mostRetained: Int
  /// A change must bear every field, also those that did not change: values are computed from others, or the target cannot
  /// fill them in.
  package var needsWholeRows: Bool

  package init(
    table: TableName, columns: [ReadPlan.Column], key: [Int], stream: String, mostRetained: Int = 8 << 30,
    needsWholeRows: Bool = false
  ) {
    self.table = table
    self.columns = columns
    self.key = key
    self.stream = stream
    self.mostRetained = mostRetained
    self.needsWholeRows = needsWholeRows
  }
}

/// What happened to a row. An update of a key is a delete of the old one and an upsert of the new.
package enum ChangeKind: UInt8, Sendable {
  /// A row that was not there before.
  case insert
  /// The row as it is now. A field may be marked as unchanged where the source does not log it again.
  case upsert
  /// Only the key's fields say something; the others are NULL.
  case delete
  /// Every row is gone; the row's fields are all NULL.
  case truncate
}

/// Changes in the order in which they were committed. Not thread-safe, as its rows.
package final class ChangeBatch: @unchecked Sendable {
  package let rows: RowBatch
  /// One a row.
  package private(set) var kinds: [ChangeKind] = []

  package init(capacity: Int) { rows = RowBatch(capacity: capacity) }

  package func removeAll() {
    rows.removeAll()
    kinds.removeAll(keepingCapacity: true)
  }

  /// After the row's fields were appended to `rows`.
  package func endRow(_ kind: ChangeKind) {
    rows.endRow()
    rows.limitLastRow()
    kinds.append(kind)
  }

  /// A whole row, with what happened to it.
  package func append(_ row: UnsafeRawBufferPointer, _ kind: ChangeKind) {
    rows.appendRow(row)
    rows.limitLastRow()
    kinds.append(kind)
  }

  /// Takes the last rows off again, for a reader that only then hears that they did not happen.
  package func removeLast(_ count: Int) {
    for _ in 0..<count { rows.removeLastRow() }
    kinds.removeLast(count)
  }

  package var isFull: Bool { rows.isFull }
  package var isEmpty: Bool { rows.isEmpty }
}

/// Follows a table's changes as the source commits them. Used by one thread, the one that opened it.
package protocol ChangeReader: AnyObject {
  /// Empties the batch, then fills it until it is full, or nothing more is there, or `limit` has passed.
  func read(into batch: ChangeBatch, within limit: Duration) throws(ConnectorError) -> ChangeOutcome
  /// Where reading goes on after the last change that `read` gave; opaque to others, at most 4 KiB.
  var position: [UInt8] { get }
  /// A position that nothing committed before this call lies behind: with `hasPassed`, how far a snapshot must be followed.
  func mark() throws(ConnectorError) -> [UInt8]
  func hasPassed(_ mark: [UInt8]) -> Bool
  /// When the source committed the last change that `read` gave, by its own clock.
  var committedAt: Instant? { get }
  /// Everything up to this position is kept for good by the target: the source may forget it.
  func confirm(_ position: [UInt8]) throws(ConnectorError)
  var interrupter: @Sendable () -> Void { get }
  /// The source keeps its log for the stream.
  func close()
}

package enum ChangeOutcome: Hashable, Sendable {
  /// The batch is full: more is there.
  case more
  /// What the batch holds is all that was committed when the read began to wait.
  case caughtUp
}

/// What a source keeps for a stream that is not read.
package struct ChangeBacklog: Hashable, Sendable {
  /// Bytes of its log that it may not remove for the stream's sake.
  package var retained: Int
  /// It has given the stream up by itself: what was changed since is lost to it.
  package var isLost: Bool

  package init(retained: Int, isLost: Bool) {
    self.retained = retained
    self.isLost = isLost
  }
}

extension ConnectorError {
  /// Where a stream was is not known to the source any more: all rows must be read again.
  package static let changesLost = ConnectorError(
    .contract, "contract.changes-lost",
    Text(
      "源数据库已不再保留此授权的变更日志，须重新读取全表。",
      "The source no longer keeps its log for this grant: all rows must be read again."))
}
