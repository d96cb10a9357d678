import CStripes
import Connecting

/// Rows of two sides that may differ, by their keys: what is not yet known to be equal, and no more of it than `most`.
///
/// The two sides come in whatever order; a row is forgotten as soon as its like has come from the other side. Where more
/// than a quarter more than `most` wait at one time (or 8 MiB of keys), the upper half of the buckets is given up, so
/// that what is said of the others stays exact.
struct Suspects: Sendable {
  struct Repeated: Sendable {
    var rows = 0
    var sum: UInt128 = 0
  }

  struct Sighting: Sendable {
    var key: [UInt8]
    var bucket: Int32
    var hash: sj_hash128
    var mark: ComparedRows.Mark
  }

  struct Suspect: Sendable {
    /// Half of each row's hash: a changed row is overlooked once in 2^64.
    fileprivate var source: UInt64 = 0
    fileprivate var target: UInt64 = 0
    let bucket: Int32
    /// Rows of the target beyond the first.
    fileprivate var copies: Int16 = 0
    fileprivate var marks: Marks = []

    fileprivate init(bucket: Int32, marks: Marks = []) {
      self.bucket = bucket
      self.marks = marks
    }
  }

  fileprivate struct Marks: OptionSet {
    let rawValue: UInt8
    static let good = Marks(rawValue: 1)
    static let bad = Marks(rawValue: 2)
    static let fresh = Marks(rawValue: 4)
    static let stale = Marks(rawValue: 8)
    /// Is being looked at again.
    static let again = Marks(rawValue: 16)
  }

  private static let mostKeyBytes = 8 << 20

  let most: Int
  /// The source may give a key again much later, so that a row found equal must be remembered.
  var keepsMatched = false
  /// Only buckets below are looked at.
  private(set) var limit = BucketSums.count
  /// Rows of the source under a key that had a good row already.
  private(set) var repeated = Repeated()
  private var suspects: [[UInt8]: Suspect] = [:]
  private var keyBytes = 0
  private var isAgain = false

  init(most: Int) { self.most = most }

  var isComplete: Bool { limit == BucketSums.count }

  mutating func add(_ sightings: [Sighting], of side: ComparedRows.Side) {
    for sighting in sightings where sighting.bucket < limit { add(sighting, side) }
  }

  private mutating func add(_ sighting: Sighting, _ side: ComparedRows.Side) {
    guard var suspect = suspects[sighting.key] else {
      if isAgain { return }
      var suspect = Suspect(bucket: sighting.bucket)
      suspect.see(sighting, side)
      suspects[sighting.key] = suspect
      keyBytes += sighting.key.count
      if suspects.count > most + most / 4 || keyBytes > Self.mostKeyBytes { shed(keeping: suspects.count / 2) }
      return
    }
    if isAgain, !suspect.marks.contains(.again) { return }
    if side == .source, sighting.mark == .good, suspect.marks.contains(.good), !isAgain {
      repeated.rows += 1
      repeated.sum &+= sighting.hash.sum
    }
    suspect.see(sighting, side)
    if suspect.isMatched, !keepsMatched, !isAgain {
      suspects[sighting.key] = nil
      keyBytes -= sighting.key.count
    } else {
      suspects[sighting.key] = suspect
    }
  }

  /// Gives up buckets from above until no more than `count` suspects are left.
  private mutating func shed(keeping count: Int) {
    guard suspects.count > count else { return }
    let first = suspects.values.map(\.bucket).sorted()[count]
    limit = Int(first)
    forget { $0.bucket >= first }
  }

  /// In place: a second dictionary of what stays would be the most memory that is ever needed.
  private mutating func forget(where isGone: (Suspect) -> Bool) {
    for key in keys(where: isGone) {
      suspects[key] = nil
      keyBytes -= key.count
    }
  }

  private func keys(where isMeant: (Suspect) -> Bool) -> [[UInt8]] {
    suspects.compactMap { isMeant($0.value) ? $0.key : nil }
  }

  /// At a look's end: only what differs is left.
  mutating func settle() {
    forget { $0.counts.total == 0 }
    isAgain = false
    shed(keeping: most)
  }

  /// Forgets what is known of the suspects in some of the buckets, for another look; gives their buckets.
  mutating func lookAgain(where isUnsteady: (Int) -> Bool) -> BucketSet {
    var buckets = BucketSet()
    for key in keys(where: { isUnsteady(Int($0.bucket)) }) {
      guard let bucket = suspects[key]?.bucket else { continue }
      suspects[key] = Suspect(bucket: bucket, marks: .again)
      buckets.insert(Int(bucket))
    }
    isAgain = !buckets.isEmpty
    return buckets
  }

  /// What differs after the last look; nothing is left.
  mutating func takeDifferences() -> [KeyRanges.Difference] {
    defer { suspects = [:] }
    return suspects.map { ($0.key, $0.value.counts) }
  }
}

extension Suspects.Suspect {
  fileprivate mutating func see(_ sighting: Suspects.Sighting, _ side: ComparedRows.Side) {
    switch (side, sighting.mark) {
    case (.source, .good):
      // The first one is delivered, as every later one is refused.
      if !marks.contains(.good) { source = sighting.hash.low }
      marks.insert(.good)
    case (.source, .flagged): marks.insert(.bad)
    case (.target, let mark):
      if marks.isDisjoint(with: [.fresh, .stale]) {
        target = sighting.hash.low
        marks.insert(mark == .good ? .fresh : .stale)
      } else {
        copies = copies == .max ? .max : copies + 1
      }
    }
  }

  /// Both sides have it, and nothing that may still come makes a difference of it.
  fileprivate var isMatched: Bool { copies == 0 && marks.isSuperset(of: [.good, .fresh]) && source == target }

  fileprivate var counts: ReconciliationReport.Counts {
    var counts = ReconciliationReport.Counts(extra: Int(copies))
    let (isGood, isBad) = (marks.contains(.good), marks.contains(.bad))
    if marks.contains(.fresh) {
      if isGood ? source != target : isBad {
        counts.different += 1
      } else if !isGood {
        counts.extra += 1
      }
    } else if marks.contains(.stale) {
      // A key with a good and a bad row is written and flagged at once.
      if isGood && !isBad {
        counts.different += 1
      } else if !isGood && !isBad {
        counts.extra += 1
      }
    } else if isGood {
      counts.missing += 1
    }
    return counts
  }
}
