import Foundation

/// How one worker ended.
struct Attempt {
  enum End: Equatable {
    case finished
    /// The engine's word for it: `retryable postgresql.08006`.
    case failed(String)
    case killed
  }

  var end: End
  var said: String

  init(_ ending: Child.Ending) throws {
    said = ending.said
    if ending.signal == SIGKILL {
      end = .killed
    } else if ending.status == 0 {
      end = .finished
    } else if let line = said.split(separator: "\n").last(where: { $0.hasPrefix("error ") }) {
      end = .failed(String(line.dropFirst(6)))
    } else {
      throw Failure(
        "a worker ended by itself (status \(ending.status), signal \(ending.signal ?? 0)): \(said.suffix(600))")
    }
  }

  func failed(_ kinds: String...) -> Bool {
    guard case .failed(let why) = end else { return false }
    return kinds.contains { why.hasPrefix($0) }
  }

  /// A line of the provider's receipt.
  func number(_ name: String) -> Int {
    said.split(separator: "\n").first { $0.hasPrefix(name + " ") }.flatMap { Int($0.dropFirst(name.count + 1)) } ?? -1
  }

  var batches: (first: Int64, last: Int64) {
    let words = said.split(separator: "\n").first { $0.hasPrefix("batches ") }?.split(separator: " ") ?? []
    return words.count == 4 ? (Int64(words[1]) ?? 0, Int64(words[2]) ?? -1) : (0, -1)
  }

  /// What must be the same when the same outcome is asked for again.
  var essence: [Substring] {
    said.split(separator: "\n").filter { !$0.hasPrefix("finished ") && !$0.hasPrefix("commit ") }
  }

  func finished(in story: Story) throws -> Attempt {
    guard end == .finished else { throw Failure("a quiet delivery did not finish: \(end)") }
    try story.expectAgreement(self)
    return self
  }
}

extension Story {
  private static let program = CommandLine.arguments[0]

  /// Starts a worker with the next fence, which has the lease from now on.
  func start(_ mode: String, from: String? = nil, to: String? = nil, _ extra: [String] = []) throws -> Child {
    fence += 1
    guard try QuarantineFolder(path: keeper, lease: lease).lease(to: Int64(fence), patience: 5000) else {
      throw Failure("a worker that was not stopped holds the keeper's lock")
    }
    return try launch(mode, from: from, to: to, extra)
  }

  private func launch(_ mode: String, from: String?, to: String?, _ extra: [String]) throws -> Child {
    count(\.attempts)
    var options =
      ["--grant", name, "--table", name, "--note", "2000", "--heard", heard, "--lease", lease] + asked + extra
    if chances.percent(30) {
      options += [
        "--clock", "\([-400 * 86_400, -3600, -1, 30, 7200, 900 * 86_400].randomElement(using: &chances) ?? 0)",
      ]
    }
    return try Child(
      [
        Self.program, "deliver", source.product.rawValue, from ?? source.place, target.product.rawValue,
        to ?? target.place, mode, "r\(runID)", "\(fence)", keeper,
      ] + options)
  }

  /// Undisturbed.
  func attempt(_ mode: String, _ extra: [String] = []) throws -> Attempt {
    let started = now()
    let attempt = try wait(for: start(mode, extra))
    if attempt.end == .finished {
      let commits = attempt.said.split(separator: "\n").count { $0.hasPrefix("commit ") }
      if commits > 1 { aim = (commits, now() - started) }
    }
    return attempt
  }

  func wait(for child: Child) throws -> Attempt {
    guard let ending = child.end(within: 100) else { throw Failure("a worker has been still for 100 seconds") }
    let attempt = try Attempt(ending)
    say("fence \(fence) r\(runID): \(attempt.end)")
    return attempt
  }

  /// Returns at some moment of a worker's life.
  func aim(at child: Child) {
    let each = aim.seconds / Double(max(1, aim.commits))
    guard chances.percent(75) else {
      usleep(UInt32(chances.number(0...Int(aim.seconds * 1.2e6))))
      return
    }
    let commits = chances.number(0...max(1, aim.commits))
    let most = chances.pick([(0.0, 20), (0.1, 30), (1.0, 35), (3.0, 15)]) * each
    let pause = chances.number(0...Int(most * 1e6))
    guard child.waitFor(commits, "commit ", within: 60) else { return }
    say("after \(commits) commits and \(pause) µs")
    if pause > 0 { usleep(UInt32(pause)) }
  }

  // MARK: Trouble

  func trouble(_ mode: String) throws -> Attempt {
    switch theme {
    case .worker, .positions: return try killed(mode)
    case .server: return try serverKilled(mode)
    case .pause: return try paused(mode)
    case .twice: return try doubled(mode)
    case .cut: return try torn(mode)
    case .disk: return try full(mode)
    case .shape: return try reshaped(mode)
    case .touch: return try touched(mode)
    case .slot:
      let attempt = try killed(mode)
      if chances.percent(50) {
        count(\.slots)
        _ = try source.run(
          """
          SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = 'sj_\(name)' AND active;
          SELECT pg_sleep(0.1);
          SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = 'sj_\(name)';
          """)
        say("slot dropped")
      }
      return attempt
    }
  }

  private func killed(_ mode: String) throws -> Attempt {
    let child = try start(mode)
    aim(at: child)
    child.signal(SIGKILL)
    let attempt = try wait(for: child)
    if attempt.end == .killed { count(\.kills) }
    return attempt
  }

  private func serverKilled(_ mode: String) throws -> Attempt {
    let sides = [rig.server(of: source.product, .source), rig.server(of: target.product, .target)].compactMap { $0 }
    guard let server = sides.randomElement(using: &chances) else { return try killed(mode) }
    let child = try start(mode)
    aim(at: child)
    if chances.percent(20), rig.killBackend(server, &chances) {
      count(\.backends)
      say("backend of \(server) killed")
      let attempt = try wait(for: child)
      try rig.waitFor(server)
      return try refuse(attempt, unless: "retryable")
    }
    rig.kill(server, &chances)
    count(\.servers)
    say("\(server) killed")
    let attempt = try refuse(wait(for: child), unless: "retryable")
    if chances.percent(25) { _ = try refuse(wait(for: start(mode)), unless: "retryable") }
    try rig.start(server)
    return attempt
  }

  private func paused(_ mode: String) throws -> Attempt {
    let first = try start(mode)
    aim(at: first)
    let mark = "\(rig.folder)/stopped/\(first.process)"
    _ = FileManager.default.createFile(atPath: mark, contents: nil)
    defer { unlink(mark) }
    first.signal(SIGSTOP)
    guard first.isAlive else { return try wait(for: first) }
    count(\.pauses)
    fence += 1
    guard try QuarantineFolder(path: keeper, lease: lease).lease(to: Int64(fence), patience: 300) else {
      // It was stopped while it kept bad rows: nobody takes over before that ends.
      fence -= 1
      first.signal(SIGCONT)
      return try wait(for: first)
    }
    let second = try launch(mode, from: nil, to: nil, [])
    let isFree = second.end(within: aim.seconds * 4 + 0.6) != nil
    let before = isFree ? try photograph() : []
    if !isFree { count(\.waited) }
    first.signal(SIGCONT)
    let old = try refuse(wait(for: first), unless: "fenced", "lease", "retryable")
    if old.failed("fenced") { count(\.fenced) }
    let attempt = try wait(for: second)
    if isFree, try photograph() != before { throw Failure("a worker wrote after another had taken over") }
    return attempt
  }

  private func doubled(_ mode: String) throws -> Attempt {
    let first = try start(mode)
    usleep(UInt32(chances.number(0...Int(aim.seconds * 1e6))))
    let second = try start(mode)
    let old = try refuse(wait(for: first), unless: "fenced", "lease", "retryable")
    if old.failed("fenced") { count(\.fenced) }
    return try wait(for: second)
  }

  private func torn(_ mode: String) throws -> Attempt {
    let isTarget = target.product != .sqlite && (source.product == .sqlite || chances.percent(60))
    let (database, side) = isTarget ? (target, Rig.Server.target) : (source, .source)
    // By order, or in the middle of whatever goes by.
    let byBytes = chances.percent(60)
    let bytes = byBytes ? chances.number(0...model.source.count * (note / 3 + 60) + 20_000) : Int.max
    let way = try rig.proxied(database, side, bytes: bytes)
    defer { way.proxy.remove() }
    let child = try start(mode, from: isTarget ? nil : way.place, to: isTarget ? way.place : nil)
    if !byBytes {
      aim(at: child)
      way.proxy.cut()
    }
    let attempt = try refuse(wait(for: child), unless: "retryable")
    if attempt.end != .finished { count(\.cuts) }
    return attempt
  }

  private func full(_ mode: String) throws -> Attempt {
    let size = model.source.count * (note / 3 + 80)
    let attempt: Attempt
    if target.product == .sqlite {
      let there = Int((try? FileManager.default.attributesOfItem(atPath: target.place)[.size] as? Int) ?? 0)
      attempt = try self.attempt(mode, ["--file-limit", "\(there / 2 + chances.number(40_000...size + 60_000))"])
    } else if let disk = rig.disk {
      try disk.fill(leaving: chances.number(0...size))
      attempt = try self.attempt(mode)
      disk.makeRoom()
    } else {
      count(\.skipped)
      return try self.attempt(mode)
    }
    if attempt.end != .finished { count(\.fullDisks) }
    return try refuse(attempt, unless: "retryable")
  }

  private func reshaped(_ mode: String) throws -> Attempt {
    let attempt = try killed(mode)
    guard attempt.end != .finished else { return attempt }
    count(\.breaches)
    if chances.percent(30) {
      // What is not granted may come and go.
      try source.run(
        "ALTER TABLE \(name) ADD COLUMN more\(fence) \(source.product == .mariadb ? "int" : "integer") DEFAULT 7;")
      say("an ungranted column more")
      return attempt
    }
    try source.run("ALTER TABLE \(name) RENAME COLUMN note TO remark;")
    say("a granted column gone")
    // A stream of changes meets another shape with the next change.
    if mode == "changes" { try source.run("UPDATE \(name) SET secret = 'x' WHERE id = (SELECT max(id) FROM \(name));") }
    let refused = try self.attempt(mode)
    // A run that had committed its end has nothing left to read.
    let wasComplete = refused.end == .finished && !refused.said.hasPrefix("commit ")
    guard refused.failed("contract") || wasComplete else {
      throw Failure("delivered from a table of another shape: \(refused.end)")
    }
    try source.run("ALTER TABLE \(name) RENAME COLUMN remark TO note;")
    if mode == "changes" {
      // The log bears the other shape for ever: the department has the stream begin anew.
      try source.run(
        "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = 'sj_\(name)' AND NOT active;"
      )
    }
    return refused
  }

  private func touched(_ mode: String) throws -> Attempt {
    let child = try start(mode)
    aim(at: child)
    try touch()
    if chances.percent(40) {
      aim(at: child)
      child.signal(SIGKILL)
    }
    let attempt = try wait(for: child)
    if attempt.end == .killed { count(\.kills) }
    return attempt
  }

  /// A worker that failed in another way than it should.
  private func refuse(_ attempt: Attempt, unless kinds: String...) throws -> Attempt {
    if case .failed(let why) = attempt.end, !kinds.contains(where: { why.hasPrefix($0) }) {
      throw Failure("a worker ended with “\(why)”; it should be \(kinds.joined(separator: " or "))")
    }
    return attempt
  }
}
