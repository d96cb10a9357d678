package import Connecting
package import Kernel

/// What one side says about one run: either can be computed again by its side, and both must agree.
///
/// Nothing in it tells a value: sums are of keyed hashes, digests are of keyed or delivered bytes.
package struct Receipt: Hashable, Sendable {
  package enum Side: String, Sendable {
    case provider
    case consumer
  }

  package var side: Side
  package var grant: String
  package var run: String
  package var mode: DeliveryPlan.Mode
  /// SM3 over names, types, lengths and masks of what is delivered, and the key.
  package var schemaDigest: String
  /// Where the run started and ended on the source's time line; nil for a full run's start.
  package var from: CursorValue?
  package var through: CursorValue?
  package var firstBatch: Int64
  package var lastBatch: Int64
  package var counts: Counts
  /// In the order of delivery.
  package var columns: [ColumnSum]
  /// Sum over the rows of a hash that binds a row's values together: values swapped between two rows change it.
  package var rowSum: String
  /// SM3 over the batches' digests in order; a batch's is one SM3 over its rows in the order of their keys' bytes.
  package var batchRoot: String
  package var batches: [BatchDigest]
  package var startedAt: Instant
  package var finishedAt: Instant
  /// What the quality rules counted, in their order; provider only.
  package var rules: [RuleCount] = []

  package struct Counts: Hashable, Sendable {
    /// Rows the source gave; provider only.
    package var read = 0
    /// Rows written to the target.
    package var delivered = 0
    /// Read again and found equal; provider only. Always 0 where the target does not merge (files).
    package var unchanged = 0
    package var quarantined = 0
    /// Bad rows of which the target keeps an older version, flagged; where it does not merge, those whose keys it was told.
    package var stale = 0
    /// After a full refresh: rows that are no longer in the source (0 where the target does not merge: nobody compared). In
    /// an incremental run: rows that the filter now leaves out.
    package var removed = 0
    /// Rows without a cursor value, read in every incremental run; provider only.
    package var withoutCursor = 0
    /// Canonical bytes delivered.
    package var bytes = 0
    /// Rows that the grant's filter leaves out; provider only.
    package var filtered = 0

    package init() {}
  }

  package struct RuleCount: Hashable, Sendable {
    package var name: String
    /// How many values it was asked of, and how many broke it.
    package var checked: Int
    package var broken: Int
  }

  package struct ColumnSum: Hashable, Sendable {
    package var name: String
    package var nulls: Int
    /// 32 hexadecimal digits.
    package var sum: String
  }

  package struct BatchDigest: Hashable, Sendable {
    package var batch: Int64
    package var rows: Int
    package var digest: String
  }

  package struct Disagreement: Hashable, Sendable {
    /// `rows`, `column:法人姓名`, `row-sum`, `batch:17` …
    package var subject: String
    package var provider: String
    package var consumer: String
    package var message: Text
  }
}
