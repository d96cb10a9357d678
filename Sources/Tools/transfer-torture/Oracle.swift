import Foundation

// What must hold: after every attempt, and when a delivery has come to its end.
extension Story {
  func conclude(_ attempt: Attempt, _ mode: String, wasTouched: Bool) throws {
    try expectAgreement(attempt)
    let last = try hearAgain(attempt, mode)
    if mode == "changes" {
      if wasTouched {
        runID += 1
        _ = try self.attempt(mode).finished(in: self)
      }
      model.follow()
      return try expectContent()
    }
    guard isExact else { return }
    let expected = mode == "full" ? model.refresh() : model.catchUp()
    let found = (last.number("delivered"), last.number("quarantined"), last.number("stale"))
    // A receiver of messages is told of every bad key, whether it has a row under it or not.
    let stale = expected.stale...(model.merges ? expected.stale : expected.quarantined)
    guard found.0 == expected.delivered, found.1 == expected.quarantined, stale.contains(found.2) else {
      throw Failure("delivered, quarantined, stale are \(found), not \(expected)")
    }
    try expectContent()
  }

  /// The target is, row by row and flag by flag, what the source and the rules say.
  func expectContent() throws {
    count(\.checks)
    let (found, expected) = (try content(), model.lines)
    guard found != expected else { return }
    let (more, less) = (Set(found).subtracting(expected).sorted(), Set(expected).subtracting(found).sorted())
    func show(_ lines: [String]) -> String {
      lines.prefix(4).map { String($0.prefix(120)) }.joined(separator: "\n    ")
    }
    throw Failure(
      """
      the target holds \(found.count) rows (\(Set(found).count) different), not \(expected.count)
        found and not expected, \(more.count):
          \(show(more))
        expected and not found, \(less.count):
          \(show(less))
      """)
  }

  private func content() throws -> [String] { try target.run(look.content).map { $0.joined(separator: "\t") } }

  func photograph() throws -> [String] {
    (try? target.ask(look.photograph))?.map { $0.joined(separator: "\t") } ?? []
  }

  /// The offset is never ahead of its rows, nor behind them: in one look at the target, rows, records and state say the
  /// same.
  func checkRecord() throws {
    if let receiver { tally.messages = try receiver.checkSequence(name, fence: fence) }
    // Of a run whose parts were given up, what stands there is still how it was cut.
    guard let rows = try? target.ask(look.record), let offset = rows.first(where: { $0[0] == "offset" }),
      offset.count >= 3, !offset[2].isEmpty, !offset[2].hasPrefix("sanjiang-split")
    else { return }
    count(\.checks)
    func number(_ text: Substring) -> Int { Int(text) ?? -1 }
    let committed = number(offset[1])
    var state: [Substring: Substring] = [:]
    for line in offset[2].split(separator: ";") {
      let parts = line.split(separator: " ", maxSplits: 1)
      if parts.count == 2, state[parts[0]] == nil { state[parts[0]] = parts[1] }
    }
    let first = state["first"].map(number) ?? 1
    var (records, held): ([Int: Int], [Int: Int]) = ([:], [:])
    var (delivered, quarantined) = (0, 0)
    for row in rows where row[0] == "record" {
      records[number(row[1])] = number(row[2])
      if number(row[1]) >= first {
        delivered += number(row[2])
        quarantined += number(row[3])
      }
    }
    for row in rows where row[0] == "rows" { held[number(row[1])] = number(row[2]) }
    if let ahead = (Array(records.keys) + Array(held.keys)).max(), ahead > committed {
      throw Failure("the target holds batch \(ahead), its offset says \(committed)")
    }
    guard delivered == state["delivered"].map(number), quarantined == state["quarantined"].map(number) else {
      throw Failure(
        "batches from \(first) on record \(delivered) rows and \(quarantined) bad ones, the state says \(state["delivered"] ?? "") and \(state["quarantined"] ?? "")"
      )
    }
    for (batch, rows) in held where batch >= first {
      let recorded = records[batch] ?? 0
      // A row that changes again leaves an earlier batch of a stream of changes.
      guard mode == .changes ? rows <= recorded : rows == recorded else {
        throw Failure("batch \(batch) recorded \(recorded) rows, the target has \(rows)")
      }
    }
    if mode != .changes, let missing = records.first(where: { $0.key >= first && $0.value > 0 && held[$0.key] == nil })
    {
      throw Failure("batch \(missing.key) recorded \(missing.value) rows, the target has none")
    }
  }

  // MARK: Positions

  /// Batch `n` has its one bad row at position `n`, so that every position has had one.
  func positions() throws {
    model.grow(3600, note: note, changed: { _ in Int(time(nil)) - 86_400 * 2 }, &chances)
    try model.flush()
    _ = try attempt("full").finished(in: self)
    _ = model.refresh()
    let most = try target.run("SELECT max(delivered) FROM sj_batch WHERE stream = '\(name)';").first?.first ?? ""
    guard let rows = Int(most), rows > 5 else { throw Failure("no batch to count the positions of") }
    let ids = model.ids.sorted()
    let bad = (0...rows).map { $0 * rows + $0 }.filter { $0 < ids.count }.map { ids[$0] }
    model.spoil(bad, changed: Int(time(nil)) - 86_400)
    try model.flush()
    try deliver(mode == .full ? "full" : "incremental", abandons: false)
    model.rename(1...(ids.last ?? 1), changed: Int(time(nil)) - 3600 * 20)
    try model.flush()
    try deliver(mode == .full ? "full" : "incremental", abandons: false)
  }
}
