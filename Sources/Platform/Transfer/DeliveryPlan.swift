package import Connecting
package import Kernel
package import Reshaping

/// One delivery of one grant, as data: everything the engine needs to know and nothing it may decide by itself.
package struct DeliveryPlan: Sendable {
  package enum Mode: String, Sendable, CaseIterable {
    /// Every row. The first one fills the target; a later one replaces what is there and removes what is gone.
    case full
    /// What changed since the last run, by the cursor.
    case incremental
    /// Every change in the order of its commit, deletes too, from the source's log.
    case changes
  }

  /// How changes are followed.
  package struct Changes: Hashable, Sendable {
    package enum Ending: Hashable, Sendable {
      /// The run ends, with its receipts, after so long; the next goes on where it ended.
      case after(Duration)
      /// It ends when it has what was committed when it began.
      case caughtUp
    }

    package var ending: Ending
    /// Bytes of its log that the source may keep for this grant.
    package var mostRetained: Int
    /// The stream is not gone on with, wherever it was: every row is read again beside the changes from now on.
    package var beginsAnew: Bool

    package init(ending: Ending = .after(.seconds(3600)), mostRetained: Int = 8 << 30, beginsAnew: Bool = false) {
      self.ending = ending
      self.mostRetained = mostRetained
      self.beginsAnew = beginsAnew
    }
  }

  package struct Cursor: Hashable, Sendable {
    package var name: String
    /// `.timestamp` or `.integer`.
    package var type: ValueType

    package init(_ name: String, _ type: ValueType) {
      self.name = name
      self.type = type
    }
  }

  /// The grant's id; the stream's name in the target.
  package var grant: String
  package var run: String
  /// From the job's lease, greater for each attempt (of any run of this grant).
  package var fence: Int64
  package var mode: Mode
  /// The run of this grant whose outcome, with both receipts, was the last to be heard of; empty where there is none yet,
  /// nil where nobody knows. What ended runs have left in the target since is signed for by the next one.
  package var heard: String?
  package var source: TableName
  package var target: TableName
  /// Granted items, in the order of delivery. No other column is read but the cursor's.
  package var items: [ItemContract]
  /// Names of granted items that tell rows apart: the target's primary key. Delivered as they are or as pseudonyms.
  package var key: [String]
  /// Nil when the grant only allows full deliveries. Need not be granted: it is read, never delivered.
  package var cursor: Cursor?
  /// How far an incremental run goes back behind the last one's horizon. At least the source connector's own overlap.
  package var overlap: Duration
  /// For mode `incremental`: what changed after it is read again, whatever was brought already. It must be of the cursor's type.
  package var since: CursorValue?
  /// For mode `changes`.
  package var changes = Changes()
  /// Keys of this grant are derived from it (HKDF-SM3 with the grant's id): for sums, pseudonyms and key digests.
  package var secret: [UInt8]
  /// Raw bad rows are sealed with this key of the provider's.
  package var providerKey: [UInt8]
  /// Bytes of a batch, which is also one transaction of the target.
  package var batchBytes: Int
  /// Rows that the source or the grant has no more stay in the target with a mark instead of being removed.
  package var marksDeletes = false
  /// For mode `full`: this is not the whole delivery but a part of it. `Delivery.split` makes them.
  package var part: DeliveryPart?
  /// What happens on the way to rows and not to single items.
  package var onTheWay = OnTheWay()

  package init(
    grant: String, run: String, fence: Int64, mode: Mode, source: TableName, target: TableName, items: [ItemContract],
    key: [String], cursor: Cursor? = nil, overlap: Duration = .seconds(600), secret: [UInt8], providerKey: [UInt8],
    batchBytes: Int = 2 << 20
  ) {
    self.grant = grant
    self.run = run
    self.fence = fence
    self.mode = mode
    self.source = source
    self.target = target
    self.items = items
    self.key = key
    self.cursor = cursor
    self.overlap = overlap
    self.secret = secret
    self.providerKey = providerKey
    self.batchBytes = batchBytes
  }
}

extension DeliveryPlan {
  /// Filter, row rules and what expressions ask; nothing of it for most grants.
  package struct OnTheWay: Sendable {
    /// Only rows of which this is true are delivered; a row that it no longer is true of leaves the target.
    package var filter: String?
    /// Columns that the filter and expressions may read besides the items' own: read where used, never delivered.
    package var consulted: [ReadPlan.Column] = []
    package var dictionaries: [String: DictionaryTable] = [:]
    /// Keys of other resources, by the name that rules give them.
    package var references: [String: KeySet] = [:]
    /// Rules on the row as a whole: comparisons of items.
    package var rules: [QualityRule] = []
    /// When too many rows are bad for going on: nothing of the batch that tells is written, its bad rows are kept.
    package var stopWhen: StopRule?

    package init() {}
  }
}

/// The engine's wires to whoever runs it. Each closure is called from a thread of the engine's own.
package struct DeliveryControl: Sendable {
  /// Before each commit: throws when the delivery may not go on (grant revoked, run cancelled, lease lost). What was
  /// committed stays and is consistent; the error comes back in `DeliveryOutcome.ending`.
  package var check: @Sendable () async throws -> Void
  /// After each commit.
  package var progress: @Sendable (DeliveryProgress) -> Void
  /// Keeps the bad rows of a batch, before the target's commit: see `QuarantinedRows`.
  package var quarantine: @Sendable (QuarantinedRows) async throws -> Void
  package var clock: Clock
  /// Shows that the delivery lives, and ends it where it blocks. One for each run.
  package var pulse: DeliveryPulse

  package init(
    check: @escaping @Sendable () async throws -> Void = {},
    progress: @escaping @Sendable (DeliveryProgress) -> Void = { _ in },
    quarantine: @escaping @Sendable (QuarantinedRows) async throws -> Void,
    clock: Clock = .system, pulse: DeliveryPulse = DeliveryPulse()
  ) {
    self.pulse = pulse
    self.check = check
    self.progress = progress
    self.quarantine = quarantine
    self.clock = clock
  }
}

package struct DeliveryProgress: Hashable, Sendable {
  package var batch: Int64
  package var read: Int
  package var delivered: Int
  package var unchanged: Int
  package var quarantined: Int
  package var bytes: Int
  package var filtered = 0
  /// Of changes: rows removed, and when the source committed the last one that is here.
  package var removed = 0
  package var committedAt: Instant?
}

/// Bad rows of one batch (or of a part of a large one).
///
/// Kept at least once, counted exactly once: the keeper stores them under (grant, batch, part), replacing what an
/// earlier, killed attempt may have left under the same batch number or a higher one (where commits are gathered, it was
/// further than its last) — `part` 0 comes first and replaces all parts and all that lies above — and what counts is what
/// lies in the receipt's batches: a batch above the last committed one never happened. Where a delivery is carried out in
/// parts, numbers above `lastOwn` are another part's, and what lies there is none of this one's.
package struct QuarantinedRows: Sendable {
  package var grant: String
  package var run: String
  package var batch: Int64
  package var part: Int
  package var rows: [BadRow]
  /// The last batch that this writer may come to: `part` 0 replaces what lies from `batch` to here.
  package var lastOwn = Int64.max
}

/// One bad row as others may see it, and its sealed self for the provider alone.
package struct BadRow: Hashable, Sendable {
  /// Its place among the rows read for this batch.
  package var position: Int
  /// HMAC-SM3 of the key under a key of the grant, hexadecimal; nil when the key itself cannot be read.
  package var keyDigest: String?
  /// The first item that was wrong.
  package var item: String
  package var fault: RowFault
  /// The row as read, encrypted and authenticated for the provider: `SealedRow.open` shows it to them.
  package var sealed: [UInt8]
}

/// What happened.
package struct DeliveryOutcome: Sendable {
  package enum Ending: Sendable {
    case finished
    /// `check` or `quarantine` refused; any other error of theirs is thrown.
    case stopped(Refusal)
  }

  package var ending: Ending
  /// Computed while reading in the source's snapshot.
  package var provider: Receipt
  /// Computed by reading the target back after the last commit; nil when the delivery was stopped.
  package var consumer: Receipt?
  /// The first thing the two disagree on; nil when they agree.
  package var disagreement: Receipt.Disagreement?
}
