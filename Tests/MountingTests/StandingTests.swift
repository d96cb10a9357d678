import Catalog
import Kernel
import Storage
import TestKit
import Testing

@testable import Mounting

@Suite struct StandingTests {
  private func tie(_ state: Tie.State, since: String, fault: String? = nil) -> Tie {
    let at = Instant(since + "T01:00:00Z")!
    return Tie(
      id: .make(), resource: .make(), provider: .make(), providerName: "", name: "", version: 1, isInForce: true,
      cycle: "7", target: .api(url: "http://a/", status: 200, isJSON: true), state: state, since: at, measuredAt: at,
      fault: fault.map { Tie.Fault("x", Text(same: $0)) }, failures: 0, dueAt: at, watch: ChangeWatch(),
      timeliness: .unknown, timelyUntil: nil, estimatedRows: nil)
  }

  @Test func `one tie that works is enough, and none is mounted by being declared`() {
    func at(_ day: String) -> Instant { Instant(day + "T01:00:00Z")! }
    let (old, new) = (tie(.mounted, since: "2026-08-01"), tie(.mounted, since: "2026-08-09"))
    let (first, last) = (
      tie(.failing, since: "2026-08-02", fault: "a"), tie(.failing, since: "2026-08-05", fault: "b")
    )
    #expect(Standing([]) == .untied)
    #expect(Standing([tie(.declared, since: "2026-08-01")]) == .declared)
    #expect(Standing([new, first, old]) == .mounted(since: at("2026-08-01")))
    #expect(
      Standing([last, first, tie(.declared, since: "2026-08-09")])
        == .failing(since: at("2026-08-05"), fault: Text(same: "b")))
  }

  @Test(arguments: Engine.allCases)
  func `an entry fails for the leader when nothing of it works, and counts once`(engine: Engine) async throws {
    try await Desk.with(engine) { desk in
      let entries = try await desk.publish((1...8).map { desk.entry($0, mount: nil) })
      let now = desk.hand.now
      try await desk.db.write { tx in
        func put(_ entry: Resource, _ target: Tie.Target, _ state: Tie.State, isInForce: Bool = true) throws {
          var tie = Tie(entry, target, isInForce: isInForce, at: now)
          tie.state = state
          try TieStore.insert(tie, in: tx)
        }
        let api = Tie.Target.api(url: "http://api.example/", status: 200, isJSON: true)
        let files = Tie.Target.files(desk.sources[0], pattern: "*.csv")
        for place in [1, 3, 5] { try put(entries[place - 1], api, .failing) }
        try put(entries[0], files, .failing)
        try put(entries[2], files, .mounted)
        try put(entries[6], api, .failing, isInForce: false)
        try put(entries[7], api, .declared)
        try put(entries[1], api, .failing)
      }
      let (counts, odd, even, rest) = try await desk.db.read { tx in
        (
          try TieStore.failingByOffice(in: tx), try TieStore.failing(of: Desk.offices[1], limit: 10, in: tx),
          try TieStore.failing(of: Desk.offices[0], limit: 10, in: tx),
          try TieStore.failing(of: Desk.offices[1], after: min(entries[0].id, entries[4].id), limit: 10, in: tx)
        )
      }
      #expect(counts == [Desk.offices[1]: 2, Desk.offices[0]: 1])
      #expect(odd == [entries[0].id, entries[4].id].sorted() && even == [entries[1].id])
      #expect(rest == [max(entries[0].id, entries[4].id)])
      // What works or is not tested yet is tied as well; what is not in force is not counted.
      let tied = [0, 1, 2, 4, 7].map { entries[$0].id }
      let (all, listed, among) = try await desk.db.read { tx in
        var all: [[ResourceID]] = []
        try TieStore.untabled(by: 2, in: tx) { all.append($0) }
        var listed: [ResourceID] = []
        for office in Desk.offices.prefix(2) {
          let first = try TieStore.untabled(of: office, limit: 1, in: tx)
          listed += first + (try TieStore.untabled(of: office, after: first.first, limit: 10, in: tx))
        }
        return (all, listed, try TieStore.untabled(among: entries.map(\.id), in: tx))
      }
      #expect(all.map(\.count) == [2, 2, 1] && Set(all.joined()) == Set(tied))
      #expect(listed.count == tied.count && Set(listed) == Set(tied) && among == Set(tied))
    }
  }
}
