package import Kernel

/// What a comparison of both sides found.
package struct ReconciliationReport: Hashable, Sendable {
  package struct Counts: Hashable, Sendable {
    /// The source would deliver it, the target does not have it.
    package var missing = 0
    /// The target has it, and the source would not deliver it: it is gone there, or no longer within the filter. Also a
    /// row flagged stale whose key the source has no more at all, and whatever the target has twice.
    package var extra = 0
    /// On both sides with other values; or the target has it without a flag while the source's row is bad, or with a flag
    /// while the source's row is good.
    package var different = 0

    package var total: Int { missing + extra + different }

    package init(missing: Int = 0, extra: Int = 0, different: Int = 0) {
      self.missing = missing
      self.extra = extra
      self.different = different
    }
  }

  /// Differing rows that are neighbours in the order of their keys. Rows that agree may lie between them.
  package struct Range: Hashable, Sendable {
    /// The values of the key as they were delivered (after masks), as text.
    package var first: [String]
    package var last: [String]
    package var counts: Counts

    package init(first: [String], last: [String], counts: Counts) {
      self.first = first
      self.last = last
      self.counts = counts
    }
  }

  package var startedAt: Instant
  package var finishedAt: Instant
  /// Good rows that the source would deliver now. This and the five that follow are of the first look where nothing
  /// differed in it, else of the second; rows in flight by then are in them, though they are no differences.
  package var sourceRows: Int
  /// Rows of the target that are not flagged stale.
  package var targetRows: Int
  /// Rows of the source that rules refuse.
  package var bad: Int
  /// Rows that the target holds flagged as stale.
  package var stale: Int
  /// Sums of the rows counted above as a receipt's `rowSum`: 32 hexadecimal digits.
  package var sourceSum: String
  package var targetSum: String
  package var counts: Counts
  /// False: there are more differences than `Limits.remembered` (or than 8 MiB of keys), or a quarter more rows than that
  /// could not be told from differences at one time. `counts` and `ranges` are then exact for a part of the keys, chosen
  /// evenly over all of them by a hash, and say nothing of the rest. `agrees` is false even where none was in that part.
  package var isComplete: Bool
  /// In the order of their keys; together they hold what `counts` counts.
  package var ranges: [Range]

  /// No differences.
  package var agrees: Bool { isComplete && counts.total == 0 }

  package init(
    startedAt: Instant, finishedAt: Instant, sourceRows: Int, targetRows: Int, bad: Int, stale: Int, sourceSum: String,
    targetSum: String, counts: Counts, isComplete: Bool, ranges: [Range]
  ) {
    self.startedAt = startedAt
    self.finishedAt = finishedAt
    self.sourceRows = sourceRows
    self.targetRows = targetRows
    self.bad = bad
    self.stale = stale
    self.sourceSum = sourceSum
    self.targetSum = targetSum
    self.counts = counts
    self.isComplete = isComplete
    self.ranges = ranges
  }
}

extension ReconciliationReport.Counts {
  static func += (a: inout Self, b: Self) {
    a.missing += b.missing
    a.extra += b.extra
    a.different += b.different
  }
}
