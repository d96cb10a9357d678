import Foundation

// What must hold: after every attempt, and when a delivery has come to its end.
extension Story {
  /// Brings one delivery to its end through whatever the theme brings.
  func deliver(_ mode: String, abandons: Bool) throws {
    runID += 1
    let touches = tally.touches
    var troubles = theme == .server || theme == .pause ? chances.number(1...2) : chances.number(1...4)
    var (attempts, quiet) = (0, 0)
    while true {
      attempts += 1
      let isQuiet = troubles <= 0
      troubles -= 1
      let attempt = isQuiet ? try self.attempt(mode) : try trouble(mode)
      try checkRecord()
      if attempt.end == .finished {
        try conclude(attempt, mode, wasTouched: tally.touches > touches)
        return
      }
      if isQuiet {
        // What a killed worker left open may still be in the way for a moment.
        guard attempt.failed("retryable"), quiet < 12 else { throw Failure("a quiet attempt: \(attempt.end)") }
        quiet += 1
        usleep(100_000)
      }
      if abandons, attempts == 2 {
        say("the run is given up for another")
        runID += 1
      }
    }
  }

  func conclude(_ attempt: Attempt, _ mode: String, wasTouched: Bool) throws {
    try expectAgreement(attempt)
    var last = attempt
    if chances.percent(20) {
      // Nobody heard of it: it is asked for again.
      last = try self.attempt(mode)
      guard last.end == .finished, last.essence == attempt.essence else {
        throw Failure("the same run gave another outcome when it was run again: \(last.end)")
      }
      try checkRecord()
    }
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
    guard found == (expected.delivered, expected.quarantined, expected.stale) else {
      throw Failure("delivered, quarantined, stale are \(found), not \(expected)")
    }
    try expectContent()
  }

  /// Both sides' receipts, and the bad rows that lie in the receipt's batches.
  func expectAgreement(_ attempt: Attempt) throws {
    count(\.checks)
    guard attempt.said.contains("\nagrees true\n") else { throw Failure("the receipts disagree:\n\(attempt.said)") }
    let (first, last) = attempt.batches
    let kept = first <= last ? try QuarantineFolder(path: keeper).count(first...last) : 0
    guard kept == attempt.number("quarantined") else {
      throw Failure(
        "\(kept) bad rows are kept in batches \(first) to \(last), \(attempt.number("quarantined")) are counted")
    }
    heard = "r\(runID)"
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

  private func content() throws -> [String] {
    try target.run(
      """
      SELECT id, name, capital, born, note, CASE WHEN sj_stale_batch IS NULL THEN 0 ELSE 1 END FROM \(name) ORDER BY id;
      """
    ).map { $0.joined(separator: "\t") }
  }

  /// Everything that the stream has in the target, but for who holds it.
  func photograph() throws -> [String] {
    (try? target.ask([
      "SELECT 'offset', run, batch, REPLACE(state, \(newline), ';') FROM sj_offset WHERE stream = '\(name)'",
      "SELECT 'batch', batch, run, delivered, quarantined, digest FROM sj_batch WHERE stream = '\(name)' ORDER BY batch",
      "SELECT id, name, capital, born, note, sj_batch, sj_stale_batch FROM \(name) ORDER BY id",
    ]))?.map { $0.joined(separator: "\t") } ?? []
  }

  var newline: String {
    switch target.product {
    case .postgresql: "chr(10)"
    case .sqlite, .mariadb: "char(10)"
    }
  }

  /// The offset is never ahead of its rows, nor behind them: in one look at the target, rows, records and state say the
  /// same.
  func checkRecord() throws {
    guard
      let rows = try? target.ask([
        "SELECT 'offset', batch, REPLACE(state, \(newline), ';') FROM sj_offset WHERE stream = '\(name)'",
        "SELECT 'record', batch, delivered, quarantined FROM sj_batch WHERE stream = '\(name)'",
        "SELECT 'rows', sj_batch, COUNT(*) FROM \(name) GROUP BY sj_batch",
      ]), let offset = rows.first(where: { $0[0] == "offset" }), offset.count >= 3, !offset[2].isEmpty
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
