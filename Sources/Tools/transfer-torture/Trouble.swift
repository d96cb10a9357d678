import Foundation

// What happens to deliveries of rows.
extension Story {
  func trouble(_ mode: String) throws -> Attempt {
    switch theme {
    case .worker, .positions: return try killed(mode)
    case .server:
      if let receiver, source.product == .sqlite || chances.percent(75) { return try receiverKilled(receiver, mode) }
      return try serverKilled(mode)
    case .pause: return try paused(mode)
    case .twice: return try doubled(mode)
    case .cut:
      if let receiver, source.product == .sqlite || chances.percent(75) { return try wayTorn(receiver, mode) }
      return try torn(mode)
    case .busy: return try receiver.map { try receiverBusy($0, mode) } ?? killed(mode)
    case .disk:
      if receiver != nil, let disk = rig.disk { return try receiverFull(disk, mode) }
      return try full(mode)
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
    if receiver == nil, target.product == .sqlite {
      let there = Int((try? FileManager.default.attributesOfItem(atPath: target.place)[.size] as? Int) ?? 0)
      let limit = there / 2 + chances.number(40_000...size + 60_000)
      return try ranOut(try self.attempt(mode, ["--file-limit", "\(limit)"]))
    }
    guard let disk = rig.disk else {
      count(\.skipped)
      return try self.attempt(mode)
    }
    return try self.attempt(mode, on: disk, leaving: chances.number(0...size))
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
}
