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
    said.split(separator: "\n").filter { line in
      !["finished ", "commit ", "grown "].contains { line.hasPrefix($0) }
    }
  }

  func finished(in run: some TortureRun) throws -> Attempt {
    guard end == .finished else { throw Failure("a quiet delivery did not finish: \(end)") }
    try run.expectAgreement(self)
    return self
  }
}

extension TortureRun {
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
    var options = ["--grant", name, "--heard", heard, "--lease", lease] + self.options() + asked + extra
    if chances.percent(30) {
      options += [
        "--clock", "\([-400 * 86_400, -3600, -1, 30, 7200, 900 * 86_400].randomElement(using: &chances) ?? 0)",
      ]
    }
    return try Child(
      [
        CommandLine.arguments[0], "deliver", sides.source.kind, from ?? sides.source.place, sides.target.kind,
        to ?? sides.target.place, mode, "r\(runID)", "\(fence)", keeper,
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

  /// While so many bytes are free on the disk that the target's data lie on.
  func attempt(_ mode: String, on disk: SmallDisk, leaving bytes: Int) throws -> Attempt {
    try disk.fill(leaving: bytes)
    let attempt = try self.attempt(mode)
    disk.makeRoom()
    return try ranOut(attempt)
  }

  /// An attempt that room may have run out for.
  func ranOut(_ attempt: Attempt) throws -> Attempt {
    if attempt.end != .finished { count(\.fullDisks) }
    return try refuse(attempt, unless: "retryable")
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

  // MARK: Trouble that any target may have

  func killed(_ mode: String) throws -> Attempt {
    let child = try start(mode)
    aim(at: child)
    child.signal(SIGKILL)
    let attempt = try wait(for: child)
    if attempt.end == .killed { count(\.kills) }
    return attempt
  }

  func paused(_ mode: String) throws -> Attempt {
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

  func doubled(_ mode: String) throws -> Attempt {
    let first = try start(mode)
    usleep(UInt32(chances.number(0...Int(aim.seconds * 1e6))))
    let second = try start(mode)
    let old = try refuse(wait(for: first), unless: "fenced", "lease", "retryable")
    if old.failed("fenced") { count(\.fenced) }
    return try wait(for: second)
  }

  /// A worker that failed in another way than it should.
  func refuse(_ attempt: Attempt, unless kinds: String...) throws -> Attempt {
    if case .failed(let why) = attempt.end, !kinds.contains(where: { why.hasPrefix($0) }) {
      throw Failure("a worker ended with “\(why)”; it should be \(kinds.joined(separator: " or "))")
    }
    return attempt
  }
}
