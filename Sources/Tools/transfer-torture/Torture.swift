import Connecting
import Foundation
import Synchronization

/// Many runs on a few lanes, each lane with servers of its own.
struct Torture {
  var seed: UInt64
  var runs: Int
  var lanes: Int
  /// Start no more runs after so many minutes.
  var minutes: Double
  /// A single run, by the seed that its failure named.
  var only: UInt64?
  /// Only runs of this kind, one of `kinds`.
  var kind: String?
  /// When time is up, what was done is enough.
  var isShort = false
  /// Tell of each run what was done.
  var isLoud = false

  static let kinds = ["tables", "messages", "documents"]

  private struct Shared {
    var next = 0
    var tally = Tally()
    var failures = 0
    /// That each run took, by its kind.
    var seconds: [String: [Double]] = [:]
  }

  /// Answers whether everything held.
  func run() async throws -> Bool {
    let began = now()
    let again = "SEED=\(seed) RUNS=\(runs)\(kind.map { " KIND=" + $0 } ?? "") make torture"
    print("seed \(seed), \(runs) runs on \(lanes) lanes; \(again) repeats their choices")
    let shared = Monitor(Shared())
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<lanes { group.addTask { try await BlockingThread.run { try lane(shared, began) } } }
      try await group.waitForAll()
    }
    let end = shared.change { $0 }
    for (kind, seconds) in end.seconds.sorted(by: { $0.key < $1.key }) {
      let sorted = seconds.sorted()
      let (middle, most) = (sorted[sorted.count / 2], sorted[sorted.count - 1])
      print("\(sorted.count) of \(kind): " + String(format: "%.1f s the middle one, %.1f s the longest", middle, most))
    }
    return report(end.tally, end.failures, now() - began)
  }

  private func lane(_ shared: Monitor<Shared>, _ began: Double) throws {
    let rig = try Rig()
    defer { rig.remove() }
    while true {
      let index = shared.change { shared in
        defer { shared.next += 1 }
        return shared.next
      }
      guard index < runs, now() - began < minutes * 60, shared.change({ $0.failures }) < 10 else { return }
      var chances = Chances(seed &+ UInt64(index) &* 0x5851_F42D_4C95_7F2D)
      var own = only ?? chances.next() >> 16
      while let kind, Self.kind(own) != kind { own = chances.next() >> 16 }
      try rig.startAll()
      let (story, started, kind) = (try Self.run(own, rig), now(), Self.kind(own))
      var failure: String?
      do {
        try story.run()
      } catch {
        failure =
          """
          FAILED run \(index) of seed \(seed): \(story.title)
            \(error)
            again: RUN=\(String(own, radix: 16)) make torture
            \(story.log.joined(separator: "\n  "))
          """
      }
      let done = shared.change { shared in
        shared.tally += story.tally
        shared.seconds[kind, default: []].append(now() - started)
        if failure != nil { shared.failures += 1 }
        return shared.tally.runs.values.reduce(0, +)
      }
      if let failure { print(failure) }
      if isLoud {
        print(
          "\(String(own, radix: 16)) \(story.title): \(Int((now() - started) * 1000)) ms\n  \(story.log.joined(separator: "\n  "))"
        )
      }
      if done.isMultiple(of: 50) { print("\(done) runs, \(Int(now() - began)) s") }
      fflush(nil)
    }
  }

  /// What a run is about, by its seed: of a hundred, 12 deliver to a receiver of messages and 8 files as they are.
  private static func kind(_ seed: UInt64) -> String {
    var chances = Chances(seed ^ 0xD0C5)
    return switch chances.number(0...99) {
    case 0..<12: "messages"
    case 12..<20: "documents"
    default: "tables"
    }
  }

  private static func run(_ seed: UInt64, _ rig: Rig) throws -> any TortureRun {
    let kind = kind(seed)
    return kind == "documents" ? try DocumentStory(seed, rig) : try Story(seed, rig, messages: kind == "messages")
  }

  private func report(_ tally: Tally, _ failures: Int, _ seconds: Double) -> Bool {
    let done = tally.runs.values.reduce(0, +)
    print("\nruns by what happened to them:")
    for (name, count) in tally.runs.sorted(by: { $0.key < $1.key }) { line(name, count) }
    print("what happened:")
    line("workers started", tally.attempts)
    line("workers killed while they were alive", tally.kills)
    line("database servers killed", tally.servers)
    line("single connections' processes killed in a server", tally.backends)
    line("connections torn", tally.cuts)
    line("disks full", tally.fullDisks)
    line("workers stopped while another took over", tally.pauses)
    line("  of them held rows, so that the other waited", tally.waited)
    line("workers refused by the target's fence", tally.fenced)
    line("sources that changed their shape", tally.breaches)
    line("sources that changed their rows meanwhile", tally.touches)
    line("replication slots dropped", tally.slots)
    line("deliveries in parts that were gathered", tally.gathered)
    line("receivers of messages killed", tally.receivers)
    line("requests to receivers torn", tally.requestsTorn)
    line("answers of receivers torn", tally.answersTorn)
    line("requests answered “in trouble”", tally.busy)
    line("messages taken, each once and in order", tally.messages)
    line("folders of files delivered", tally.folders)
    line("  files in them, found whole in the end", tally.documents)
    line("  files changed while a worker was under way", tally.rewritten)
    line("looks at the target and receipts compared", tally.checks)
    if tally.skipped > 0 { line("full disks not tried: nothing may be mounted here", tally.skipped) }
    print("\(done) runs in \(Int(seconds)) s, \(failures) failed, seed \(seed)")
    if done < runs { print("only \(done) of \(runs) runs were made: time was up, or too much failed") }
    let enough = only != nil || kind != nil || runs < 1000 || (done >= 1000 && tally.servers >= 100)
    if !enough { print("not enough: 1,000 runs and 100 killed servers are asked for") }
    return failures == 0 && enough && (done == runs || isShort && done > 0)
  }

  private func line(_ title: String, _ count: Int) {
    print("  " + title.padding(toLength: 56, withPad: " ", startingAt: 0) + "\(count)")
  }
}
