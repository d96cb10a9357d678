import Connecting
import Kernel
import NationalCrypto
import Reshaping

/// What the target remembers of a stream of changes between commits: committed with the rows.
struct ChangeState: Hashable {
  /// How far the table's rows have been read beside its changes.
  enum Snapshot: Hashable {
    /// Rows after this key are still to be read; empty at the start.
    case reading(after: [UInt8])
    /// All were read; the log has not yet come to where the reading ended.
    case settling
    case done
  }

  var run: String
  var schema: String
  /// In the source's log: where it goes on.
  var log: [UInt8]
  var snapshot: Snapshot
  /// The first batch of the snapshot: once it is done, rows of earlier batches are no longer in the source.
  var snapshotFirst: Int64
  /// The first batch of the receipt.
  var first: Int64
  /// The batch that commits are gathered in until it is closed, with how many commits it has.
  var open: Int64
  var parts = 0
  var digest = ""
  /// Of the open batch.
  var rows = 0
  var bad = 0
  var bytes = 0
  var isEnded = false
  /// Some commit has left rows in the target.
  var holds = false
  var started: Instant
  /// When the source committed the last change that is here.
  var committed: Instant?
  var counts = Receipt.Counts()
  /// By the rule's name.
  var rules: [String: RuleMachine.Count] = [:]
  /// What was sent, and what was found when it was read back before the commit.
  var sent: Sums
  var found: Sums
}

extension ChangeState {
  private static let head = "sanjiang-changes 1"

  var text: String {
    let place =
      switch snapshot {
      case .reading(let after): "reading \(after.hex)"
      case .settling: "settling"
      case .done: "done"
      }
    var lines = [
      Self.head, "run \(run)", "schema \(schema)", "log \(log.hex)", "snapshot \(place)",
      "snapshot-first \(snapshotFirst)", "first \(first)", "open \(open)", "parts \(parts)",
      "digest \(digest.isEmpty ? "-" : digest)", "rows \(rows)", "bad \(bad)", "batch-bytes \(bytes)",
      "ended \(isEnded)", "holds \(holds)",
      "started \(started.milliseconds)", "committed \(committed.map { "\($0.milliseconds)" } ?? "-")",
    ]
    for (name, path) in Self.counters { lines.append("\(name) \(counts[keyPath: path])") }
    for (name, count) in rules.sorted(by: { $0.key < $1.key }) {
      lines.append("rule \(count.checked) \(count.broken) \(name)")
    }
    for (name, sums) in [("sent", sent), ("found", found)] {
      lines.append("\(name) \(sums.rowCount) \(sums.rows.hex)")
      for (sum, nulls) in zip(sums.columns, sums.nulls) { lines.append("\(name)-column \(nulls) \(sum.hex)") }
    }
    return lines.joined(separator: "\n")
  }

  /// Nil when it is not what this engine writes: the stream then begins anew.
  init?(_ text: String) {
    var values: [Substring: Substring] = [:]
    var columns: [Substring: [(Int, UInt128)]] = [:]
    var rules: [String: RuleMachine.Count] = [:]
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    guard lines.first.map(String.init) == Self.head else { return nil }
    for line in lines.dropFirst() {
      let parts = line.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2 else { return nil }
      if parts[0] == "rule" {
        let three = parts[1].split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
        guard three.count == 3, let checked = Int(three[0]), let broken = Int(three[1]) else { return nil }
        rules[String(three[2])] = RuleMachine.Count(checked: checked, broken: broken)
      } else if parts[0].hasSuffix("-column") {
        let pair = parts[1].split(separator: " ")
        guard pair.count == 2, let nulls = Int(pair[0]), let sum = UInt128(pair[1], radix: 16) else { return nil }
        columns[parts[0].dropLast(7), default: []].append((nulls, sum))
      } else {
        values[parts[0]] = parts[1]
      }
    }
    func number(_ name: Substring) -> Int? { values[name].flatMap { Int($0) } }
    func sums(_ name: Substring) -> Sums? {
      let head = values[name]?.split(separator: " ") ?? []
      guard head.count == 2, let count = Int(head[0]), let rows = UInt128(head[1], radix: 16) else { return nil }
      var sums = Sums(columns: columns[name]?.count ?? 0)
      sums.columns = (columns[name] ?? []).map(\.1)
      sums.nulls = (columns[name] ?? []).map(\.0)
      (sums.rows, sums.rowCount) = (rows, count)
      return sums
    }
    guard let run = values["run"], let schema = values["schema"], let log = values["log"].flatMap({ [UInt8](hex: $0) }),
      let snapshot = values["snapshot"].flatMap({ Self.snapshot($0) }), let snapshotFirst = number("snapshot-first"),
      let first = number("first"), let open = number("open"), let parts = number("parts"),
      let digest = values["digest"],
      let rows = number("rows"), let bad = number("bad"), let bytes = number("batch-bytes"),
      let started = number("started"), let sent = sums("sent"), let found = sums("found")
    else { return nil }
    self.run = String(run)
    self.schema = String(schema)
    self.log = log
    self.snapshot = snapshot
    self.snapshotFirst = Int64(snapshotFirst)
    self.first = Int64(first)
    self.open = Int64(open)
    self.parts = parts
    self.digest = digest == "-" ? "" : String(digest)
    (self.rows, self.bad, self.bytes) = (rows, bad, bytes)
    isEnded = values["ended"] == "true"
    holds = values["holds"] == "true"
    self.started = Instant(milliseconds: Int64(started))
    committed = number("committed").map { Instant(milliseconds: Int64($0)) }
    for (name, path) in Self.counters {
      guard let count = number(name[...]) else { return nil }
      counts[keyPath: path] = count
    }
    self.rules = rules
    self.sent = sent
    self.found = found
  }

  private static func snapshot(_ text: Substring) -> Snapshot? {
    if text == "settling" { return .settling }
    if text == "done" { return .done }
    guard text.hasPrefix("reading ") else { return nil }
    return [UInt8](hex: text.dropFirst(8)).map { .reading(after: $0) }
  }

  // Key paths are not Sendable, and an array of them is made once a commit only.
  private static var counters: [(String, WritableKeyPath<Receipt.Counts, Int>)] {
    [
      ("read", \.read), ("delivered", \.delivered), ("quarantined", \.quarantined), ("stale", \.stale),
      ("removed", \.removed), ("filtered", \.filtered), ("bytes", \.bytes),
    ]
  }
}
