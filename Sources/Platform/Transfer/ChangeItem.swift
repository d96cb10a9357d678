import Connecting
import Kernel
import Reshaping

/// What came of one read of the log, or of a piece of the table beside it: no key twice, good rows as delivered.
///
/// Handed from the reading to the writing thread and back; never with both at once.
final class ChangeItem: @unchecked Sendable {
  /// As read; the bad rows' only copy.
  let input: ChangeBatch
  let upserts: RowBatch
  /// Rows of the key's fields alone.
  let deletes = RowBatch(capacity: RowBatch.smallest)
  /// Keys of bad rows: an older version in the target is not what the source has.
  let stale = RowBatch(capacity: RowBatch.smallest)
  var faults: [RowTransform.Fault] = []
  /// Every row of the target goes before this item's rows come.
  var clearsAll = false
  /// Some of `upserts` has fields that the source did not send again.
  var hasUnchanged = false
  /// The source says of every row that it was not there before.
  var areNew = false
  /// How many changes or rows were read for it, and how many of them the filter left out.
  var read = 0
  var filtered = 0
  /// What the rules counted, in their order.
  var rules: [RuleMachine.Count] = []
  var log: [UInt8] = []
  var snapshot = ChangeState.Snapshot.done
  var committedAt: Instant?
  /// With this, all that was committed when the run began is here.
  var hasGoal = false
  var sums: Sums?
  var stripes: [UInt8]?

  init(batchBytes: Int) {
    input = ChangeBatch(capacity: batchBytes)
    upserts = RowBatch(capacity: batchBytes)
  }

  var isEmpty: Bool { upserts.isEmpty && deletes.isEmpty && faults.isEmpty && !clearsAll }

  func removeAll() {
    upserts.removeAll()
    deletes.removeAll()
    stale.removeAll()
    faults.removeAll(keepingCapacity: true)
    (clearsAll, hasUnchanged, areNew, read, filtered) = (false, false, false, 0, 0)
    rules.removeAll()
    (sums, stripes) = (nil, nil)
  }
}
