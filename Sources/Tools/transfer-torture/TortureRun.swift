import Foundation

/// What every run keeps, whatever it delivers.
class RunState {
  let rig: Rig
  var chances: Chances
  var tally = Tally()
  let theme: Theme
  let name: String
  let keeper: String
  /// What was done, for whoever must find out.
  private(set) var log: [String] = []

  var fence = 0
  var runID = 1
  /// The last run whose receipts were looked at.
  var heard = "-"
  /// What workers are asked for besides, and whose lease they have: a part's or the whole's.
  var asked: [String] = []
  var lease = "lease"
  /// Commits and seconds of the last attempt that got through: where to aim.
  var aim = (commits: 6, seconds: 0.15)
  private let began = now()

  init(_ rig: Rig, _ name: String, _ theme: Theme, _ chances: Chances) throws {
    (self.rig, self.name, self.theme, self.chances) = (rig, name, theme, chances)
    keeper = rig.folder + "/keeper-" + name
    try FileManager.default.createDirectory(atPath: keeper, withIntermediateDirectories: true)
  }

  func say(_ text: String) { log.append("\(Int((now() - began) * 1000)) ms: \(text)") }

  /// How often the source changed while a worker was under way.
  var touched: Int { tally.touches + tally.rewritten }

  func count(_ path: WritableKeyPath<Tally, Int>, _ number: Int = 1) { tally[keyPath: path] += number }
}

/// A side of a delivery, as `deliver` takes it.
struct Side {
  var kind: String
  var place: String
}

/// One run: a first delivery and later ones, each through some trouble, and what must hold meanwhile and in the end.
/// Everything but the moments comes from the seed.
protocol TortureRun: RunState {
  var title: String { get }
  var sides: (source: Side, target: Side) { get }
  /// How many attempts at a delivery are troubled: fewer where each takes long.
  var mostTroubles: Int { get }
  /// What a worker is told of them besides.
  func options() -> [String]
  func run() throws
  /// One attempt at a delivery, with the theme's trouble.
  func trouble(_ mode: String) throws -> Attempt
  /// Throws where the target as it is now cannot be, whatever happened to the last worker.
  func checkRecord() throws
  /// Looks at a delivery that came to its end. `wasTouched`: somebody changed the source meanwhile.
  func conclude(_ attempt: Attempt, _ mode: String, wasTouched: Bool) throws
  /// Everything that the stream has in the target, but for who holds it.
  func photograph() throws -> [String]
}

extension TortureRun {
  /// Brings one delivery to its end through whatever the theme brings.
  func deliver(_ mode: String, abandons: Bool) throws {
    runID += 1
    let touches = touched
    var troubles = chances.number(1...mostTroubles)
    var (attempts, quiet) = (0, 0)
    while true {
      attempts += 1
      let isQuiet = troubles <= 0
      troubles -= 1
      let attempt = isQuiet ? try self.attempt(mode) : try trouble(mode)
      try checkRecord()
      if attempt.end == .finished { return try conclude(attempt, mode, wasTouched: touched > touches) }
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

  /// Nobody heard of it, perhaps: then it is asked for again, and must give the same.
  func hearAgain(_ attempt: Attempt, _ mode: String) throws -> Attempt {
    guard chances.percent(20) else { return attempt }
    let last = try self.attempt(mode)
    guard last.end == .finished, last.essence == attempt.essence else {
      throw Failure("the same run gave another outcome when it was run again: \(last.end)")
    }
    try checkRecord()
    return last
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
}
