import Connecting
import Kernel
import NationalCrypto
import Reshaping

/// What the target remembers of a stream between batches: committed with the rows, so it is never ahead or behind them.
struct DeliveryState: Hashable {
  enum Phase: String {
    /// A full run is under way: goes on after `position`.
    case filling
    /// An incremental run is under way: starts over from its lower bound, signing again for what it had written.
    case changing
    /// The last run is complete.
    case idle
  }

  var phase: Phase
  var run: String
  var mode: DeliveryPlan.Mode
  var schema: String
  /// True while rows can only be new to the target.
  var appends: Bool
  /// The first batch of the receipt.
  var first: Int64
  /// The run's first batch in whatever attempt: what an interrupted run wrote from here on, its next attempt rewrites.
  var runFirst: Int64
  var position: [UInt8] = []
  var from: CursorValue?
  /// Where this run reads up to, from its first snapshot.
  var horizon: CursorValue?
  /// How far complete runs have come: the next incremental run starts here, less the overlap.
  var reached: CursorValue?
  /// A full run has been completed once.
  var isFilled: Bool
  /// Complete runs have left rows in the target. Not written by earlier versions: false then.
  var holdsRows = false
  var started: Instant
  var counts = Receipt.Counts()
  var sums: Sums
  /// By the rule's name.
  var rules: [String: RuleMachine.Count] = [:]
}

extension DeliveryState {
  /// A complete run whose receipts nobody has.
  func isUnheard(by plan: DeliveryPlan) -> Bool {
    guard let heard = plan.heard else { return false }
    return phase == .idle && run != heard
  }

  var text: String {
    var lines = [
      "sanjiang-delivery 1", "phase \(phase.rawValue)", "run \(run)", "mode \(mode.rawValue)", "schema \(schema)",
      "appends \(appends)", "first \(first)", "run-first \(runFirst)", "position \(position.hex)",
      "from \(from?.description ?? "-")", "horizon \(horizon?.description ?? "-")",
      "reached \(reached?.description ?? "-")",
      "filled \(isFilled)", "holds \(holdsRows)", "started \(started.milliseconds)", "row-sum \(sums.rows.hex)",
      "rows \(sums.rowCount)",
    ]
    for (name, path) in Self.counters { lines.append("\(name) \(counts[keyPath: path])") }
    if counts.filtered > 0 { lines.append("filtered \(counts.filtered)") }
    for (name, count) in rules.sorted(by: { $0.key < $1.key }) {
      lines.append("rule \(count.checked) \(count.broken) \(name)")
    }
    for (sum, nulls) in zip(sums.columns, sums.nulls) { lines.append("column \(nulls) \(sum.hex)") }
    return lines.joined(separator: "\n")
  }

  /// Throws when a target's state is not what this engine writes: someone changed it, or a newer version did.
  init(_ text: String, columns: Int) throws(ConnectorError) {
    var values: [Substring: Substring] = [:]
    var sums: [(Int, UInt128)] = []
    var rules: [String: RuleMachine.Count] = [:]
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    for line in lines.dropFirst() {
      let parts = line.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2 else { throw Self.unreadable }
      if parts[0] == "column" {
        let pair = parts[1].split(separator: " ")
        guard pair.count == 2, let nulls = Int(pair[0]), let sum = UInt128(pair[1], radix: 16) else {
          throw Self.unreadable
        }
        sums.append((nulls, sum))
      } else if parts[0] == "rule" {
        let three = parts[1].split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
        guard three.count == 3, let checked = Int(three[0]), let broken = Int(three[1]) else { throw Self.unreadable }
        rules[String(three[2])] = RuleMachine.Count(checked: checked, broken: broken)
      } else {
        values[parts[0]] = parts[1]
      }
    }
    guard lines.first == "sanjiang-delivery 1", let phase = values["phase"].flatMap({ Phase(rawValue: String($0)) }),
      let mode = values["mode"].flatMap({ DeliveryPlan.Mode(rawValue: String($0)) }), let run = values["run"],
      let schema = values["schema"], let appends = values["appends"].flatMap({ Bool(String($0)) }),
      let first = values["first"].flatMap({ Int64($0) }), let runFirst = values["run-first"].flatMap({ Int64($0) }),
      let position = values["position"].flatMap({ [UInt8](hex: $0) }),
      let filled = values["filled"].flatMap({ Bool(String($0)) }),
      let started = values["started"].flatMap({ Int64($0) }),
      let rowSum = values["row-sum"].flatMap({ UInt128($0, radix: 16) }), let rows = values["rows"].flatMap({ Int($0) })
    else { throw Self.unreadable }
    self.phase = phase
    self.mode = mode
    self.run = String(run)
    self.schema = String(schema)
    self.appends = appends
    self.first = first
    self.runFirst = runFirst
    self.position = position
    from = values["from"].flatMap { CursorValue($0) }
    horizon = values["horizon"].flatMap { CursorValue($0) }
    reached = values["reached"].flatMap { CursorValue($0) }
    isFilled = filled
    holdsRows = values["holds"] == "true"
    self.started = Instant(milliseconds: started)
    for (name, path) in Self.counters {
      guard let count = values[name[...]].flatMap({ Int($0) }) else { throw Self.unreadable }
      counts[keyPath: path] = count
    }
    // Not written by earlier versions, nor for grants without a filter.
    if let filtered = values["filtered"] {
      guard let filtered = Int(filtered) else { throw Self.unreadable }
      counts.filtered = filtered
    }
    self.rules = rules
    self.sums = Sums(columns: sums.count)
    self.sums.columns = sums.map(\.1)
    self.sums.nulls = sums.map(\.0)
    self.sums.rows = rowSum
    self.sums.rowCount = rows
    // A grant whose items changed starts with new sums.
    if sums.count != columns { self.sums = Sums(columns: columns) }
  }

  // Key paths are not Sendable, and an array of them is made once a commit only.
  private static var counters: [(String, WritableKeyPath<Receipt.Counts, Int>)] {
    [
      ("read", \.read), ("delivered", \.delivered), ("unchanged", \.unchanged), ("quarantined", \.quarantined),
      ("stale", \.stale), ("removed", \.removed), ("without-cursor", \.withoutCursor), ("bytes", \.bytes),
    ]
  }

  private static var unreadable: ConnectorError {
    .contract("state", "接收方保存的位点无法识别。", "The offset kept in the target cannot be read.")
  }
}
