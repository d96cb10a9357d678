package import Kernel
package import Storage

/// When work comes round again.
package enum Rhythm: Sendable, Hashable {
  case every(Duration)
  /// At a time of day in China, 0:00 to 23:59.
  case daily(hour: Int, minute: Int)
  case cron(CronExpression)
  /// By a rule that the runner knows by this name, for what only a calendar can tell: the next working day.
  case calendar(String)

  /// Answers the next turn after a moment, always later than it; nil for never again.
  package typealias Rule = @Sendable (Instant) -> Instant?

  var text: String {
    switch self {
    case .every(let duration): "every \(max(1, duration.inMilliseconds / 1000))"
    case .daily(let hour, let minute): "daily \(hour * 60 + minute)"
    case .cron(let expression): "cron \(expression.text)"
    case .calendar(let name): "calendar \(name)"
    }
  }

  init?(text: String) {
    let parts = text.split(separator: " ", maxSplits: 1)
    guard parts.count == 2 else { return nil }
    switch (parts[0], Int(parts[1])) {
    case ("every", let seconds?) where seconds > 0: self = .every(.seconds(seconds))
    case ("daily", let minutes?) where (0..<1440).contains(minutes):
      self = .daily(hour: minutes / 60, minute: minutes % 60)
    case ("cron", _):
      guard let expression = try? CronExpression(parsing: String(parts[1])) else { return nil }
      self = .cron(expression)
    case ("calendar", _): self = .calendar(String(parts[1]))
    default: return nil
    }
  }

  /// The first turn after `now`; turns of an interval are counted from `last`.
  func next(after now: Instant, last: Instant, rules: [String: Rule]) -> Instant? {
    switch self {
    case .every(let duration):
      let step = max(1000, duration.inMilliseconds)
      guard now >= last else { return last }
      return last + .milliseconds(((now - last).inMilliseconds / step + 1) * step)
    case .daily(let hour, let minute):
      let today = now.dateInChina.startInChina + .seconds((hour * 60 + minute) * 60)
      return today > now ? today : today + .seconds(86_400)
    case .cron(let expression): return expression.next(after: now)
    case .calendar(let name):
      guard let next = rules[name]?(now), next > now else { return nil }
      return next
    }
  }
}

/// Work that comes round again. Kept once, made due once, however many workers look.
package enum JobSchedule {
  /// Sets a schedule; without `first` the rhythm gives the first turn. One that stands already with the same rhythm
  /// keeps its next turn, so setting it at every start does not put it off.
  package static func set(
    _ name: String, kind: String, payload: String = "", _ rhythm: Rhythm, first: Instant? = nil,
    rules: [String: Rhythm.Rule] = [:], at now: Instant, in tx: any Transaction
  ) throws {
    guard let next = first ?? rhythm.next(after: now, last: now, rules: rules) else {
      throw StorageError(.statement, "schedule \(name): its rhythm has no first turn")
    }
    try tx.run(
      """
      INSERT INTO jobs_schedule (name, kind, payload, rhythm, next_at)
      VALUES (\(name), \(kind), \(payload), \(rhythm.text), \(next))
      ON CONFLICT (name) DO UPDATE SET kind = excluded.kind, payload = excluded.payload, rhythm = excluded.rhythm,
        next_at = CASE WHEN jobs_schedule.rhythm = excluded.rhythm THEN jobs_schedule.next_at ELSE excluded.next_at END
      """)
  }

  /// Sets a schedule by an interval whose first turn comes at `first`.
  package static func set(
    _ name: String, kind: String, payload: String = "", every: Duration, first: Instant, in tx: any Transaction
  ) throws {
    try set(name, kind: kind, payload: payload, .every(every), first: first, at: first, in: tx)
  }

  package static func remove(_ name: String, in tx: any Transaction) throws {
    try tx.run("DELETE FROM jobs_schedule WHERE name = \(name)")
  }

  /// The next turn of a schedule; nil when there is no such one.
  package static func next(_ name: String, in tx: any Transaction) throws -> Instant? {
    try tx.row("SELECT next_at FROM jobs_schedule WHERE name = \(name)")?.instant("next_at")
  }

  /// The next turns of those of these schedules that there are.
  package static func next(among names: [String], in tx: any Transaction) throws -> [String: Instant] {
    guard !names.isEmpty else { return [:] }
    return Dictionary(
      uniqueKeysWithValues: try tx.rows("SELECT name, next_at FROM jobs_schedule WHERE name IN (\(each: names))").map {
        (try $0.text("name"), try $0.instant("next_at"))
      })
  }

  /// Whether `turn` would find something: a look that does not write.
  package static func isDue(at now: Instant, in tx: any Transaction) throws -> Bool {
    try tx.row("SELECT name FROM jobs_schedule WHERE next_at <= \(now) LIMIT 1") != nil
  }

  /// Enqueues a job for each schedule whose turn has come and moves it on; answers how many it enqueued. Turns that were
  /// missed while nothing ran are not made up for: one job stands for them all. One whose calendar rule is not known
  /// here waits for a worker that knows it.
  @discardableResult
  package static func turn(
    at now: Instant, rules: [String: Rhythm.Rule] = [:], in tx: any Transaction
  ) throws -> Int {
    let due = try tx.rows(
      "SELECT name, kind, payload, rhythm, next_at FROM jobs_schedule WHERE next_at <= \(now) ORDER BY next_at, name LIMIT 100"
    )
    var turned = 0
    for row in due {
      let (name, last) = (try row.text("name"), try row.instant("next_at"))
      guard let rhythm = Rhythm(text: try row.text("rhythm")),
        let next = rhythm.next(after: now, last: last, rules: rules)
      else { continue }
      // Under READ COMMITTED another worker may have turned it meanwhile; then it is that worker's.
      guard try tx.run("UPDATE jobs_schedule SET next_at = \(next) WHERE name = \(name) AND next_at = \(last)") == 1
      else { continue }
      try JobQueue.enqueue(
        try row.text("kind"), payload: try row.text("payload"), dedupe: "schedule:\(name)", at: now, in: tx)
      turned += 1
    }
    return turned
  }
}
