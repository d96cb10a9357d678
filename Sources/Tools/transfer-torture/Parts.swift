import Foundation

// A first delivery in parts, each through whatever the theme brings, some two at a time.
extension Story {
  func deliverInParts() throws {
    runID += 1
    let parts = try split()
    var given: [Int: Substring] = [:]
    var troubles = chances.number(1...5)
    while given.count < parts.count {
      let left = parts.indices.filter { given[$0] == nil }.shuffled(using: &chances)
      let isQuiet = troubles <= 0
      troubles -= 1
      if isQuiet, given.count < parts.count - 1, chances.percent(10) {
        // The caller gives up: one run takes the place of all of them.
        (asked, lease) = ([], "lease")
        say("the parts are given up for a whole run")
        return try deliver("full", abandons: false)
      }
      if left.count > 1, chances.percent(40) {
        for (part, attempt) in zip(left, try sideBySide(left[0], left[1], parts)) { given[part] = Self.given(attempt) }
      } else {
        ask(for: left[0], of: parts)
        let attempt = isQuiet ? try self.attempt("full") : try trouble("full")
        guard attempt.end == .finished || !isQuiet || attempt.failed("retryable") else {
          throw Failure("a quiet attempt at a part: \(attempt.end)")
        }
        given[left[0]] = Self.given(attempt)
      }
      try checkParts()
    }
    try gather(parts, given)
  }

  private func split() throws -> [Substring] {
    asked = ["--split", "\(chances.number(2...4))"]
    defer { asked = [] }
    if chances.percent(30) {
      let child = try start("full")
      usleep(UInt32(chances.number(0...60_000)))
      child.signal(SIGKILL)
      _ = try wait(for: child)
    }
    for _ in 0..<20 {
      let attempt = try self.attempt("full")
      let parts = attempt.said.split(separator: "\n").filter { $0.hasPrefix("part ") }.map { $0.dropFirst(5) }
      if attempt.end == .finished, parts.count > 1 { return parts }
      guard attempt.failed("retryable") else {
        throw Failure("a table was not split: \(attempt.end), \(parts.count) parts")
      }
      usleep(100_000)
    }
    throw Failure("a table was not split in twenty attempts")
  }

  private func ask(for part: Int, of parts: [Substring]) {
    asked = ["--part", String(parts[part])]
    lease = "lease-\(part)"
  }

  private static func given(_ attempt: Attempt) -> Substring? {
    attempt.said.split(separator: "\n").first { $0.hasPrefix("delivered-part ") }?.dropFirst(15)
  }

  /// Two workers with two parts; one of them may be killed.
  private func sideBySide(_ a: Int, _ b: Int, _ parts: [Substring]) throws -> [Attempt] {
    ask(for: a, of: parts)
    let first = try start("full")
    ask(for: b, of: parts)
    let second = try start("full")
    if chances.percent(60) {
      aim(at: second)
      (chances.percent(50) ? first : second).signal(SIGKILL)
    }
    return try [first, second].map { child in
      let attempt = try wait(for: child)
      if attempt.end == .killed { count(\.kills) }
      if case .failed(let why) = attempt.end, !why.hasPrefix("retryable") {
        throw Failure("a part beside another: \(why)")
      }
      return attempt
    }
  }

  private func gather(_ parts: [Substring], _ given: [Int: Substring]) throws {
    let file = rig.folder + "/given-" + name
    defer { unlink(file) }
    try given.values.shuffled(using: &chances).joined(separator: "\n").write(
      toFile: file, atomically: true, encoding: .utf8)
    (asked, lease) = (["--gather", file], "lease")
    defer { (asked, lease) = ([], "lease") }
    if chances.percent(40) {
      let child = try start("full")
      usleep(UInt32(chances.number(0...80_000)))
      child.signal(SIGKILL)
      if try wait(for: child).end == .killed { count(\.kills) }
    }
    var attempt = try self.attempt("full")
    for _ in 0..<20 where attempt.failed("retryable") {
      usleep(100_000)
      attempt = try self.attempt("full")
    }
    guard attempt.end == .finished else { throw Failure("the parts were not gathered: \(attempt.end)") }
    count(\.gathered)
    try checkRecord()
    if chances.percent(50) {
      // Of a run that was complete a part is asked for once more.
      let before = try photograph()
      ask(for: chances.number(0...parts.count - 1), of: parts)
      let late = try self.attempt("full")
      guard late.failed("fenced"), try photograph() == before else {
        throw Failure("a part after the gathering: \(late.end)")
      }
      asked = ["--gather", file]
      lease = "lease"
    }
    // The target alone gives the same outcome.
    if chances.percent(50) { asked = [] }
    try conclude(attempt, "full", wasTouched: false)
  }

  /// In one look at the target, each part's state, records and rows say the same, and no row is of no part.
  private func checkParts() throws {
    guard
      let rows = try? target.ask([
        "SELECT 'part', stream, batch, REPLACE(state, \(target.newline), ';') FROM sj_offset WHERE stream LIKE '\(name)#%'",
        "SELECT 'record', stream, batch, delivered, quarantined FROM sj_batch WHERE stream LIKE '\(name)#%'",
        "SELECT 'rows', sj_batch, COUNT(*) FROM \(name) GROUP BY sj_batch",
      ]), rows.contains(where: { $0[0] == "part" && $0.count == 4 && !$0[3].isEmpty })
    else { return }
    count(\.checks)
    var (held, recorded): ([Substring: Substring], [Substring: Substring]) = ([:], [:])
    for row in rows where row[0] == "rows" { held[row[1]] = row[2] }
    for row in rows where row[0] == "record" && row[3] != "0" { recorded[row[2]] = row[3] }
    guard held == recorded else { throw Failure("parts recorded \(recorded), the target has \(held)") }
    for part in rows where part[0] == "part" && part.count == 4 && !part[3].isEmpty {
      let records = rows.filter { $0[0] == "record" && $0[1] == part[1] }
      let delivered = records.reduce(0) { $0 + (Int($1[3]) ?? 0) }
      let bad = records.reduce(0) { $0 + (Int($1[4]) ?? 0) }
      guard part[3].contains(";delivered \(delivered);"), part[3].contains(";quarantined \(bad);"),
        records.allSatisfy({ Int($0[2]) ?? 0 <= Int(part[2]) ?? 0 })
      else { throw Failure("\(part[1]) recorded \(delivered) rows and \(bad) bad ones, its state says \(part[3])") }
    }
  }
}
