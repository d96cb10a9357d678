import Connecting
import Inventory
import Kernel
import Storage
import TestKit
import Testing

@testable import Catalog
@testable import Mounting

extension ListeningTransaction {
  /// The lines of a plan that walk a whole table or a whole index of this context.
  fileprivate func scans() throws -> [String] {
    try scans { line, text in
      // What is counted is a sub-query of that name.
      engine == .sqlite
        ? ["SCAN mounting_", "SCAN t", "SCAN f", "SCAN w"].contains { line.hasPrefix($0) }
          && !(line == "SCAN t" && text.hasPrefix("SELECT COUNT(*) FROM (SELECT 1 FROM mounting_tie"))
        : line.contains("Seq Scan on mounting_") && !line.contains("mounting_older")
    }
  }
}

@Suite struct `Plans of the statements about mounts` {
  /// Six thousand ties of two offices and forty parties, of every state, some due, each with its tests.
  private func fill(_ desk: Desk) async throws {
    let entries = try await desk.publish((1...6000).map { desk.entry($0, mount: nil) })
    let now = desk.hand.now
    try await desk.db.write { tx in
      for (place, entry) in entries.enumerated() {
        let target: Tie.Target =
          place % 10 == 0
          ? .api(url: "http://h\(place % 400).example/\(place)", status: 200, isJSON: true)
          : .table(desk.sources[place % 4], TableName("t\(place)"), cursor: nil)
        var tie = Tie(entry, target, isInForce: place % 50 != 0, at: now)
        tie.state = place % 30 == 7 ? .failing : place % 100 == 3 ? .declared : .mounted
        tie.timeliness = place % 40 == 9 ? .late : place % 9 == 0 ? .unknown : .timely
        tie.dueAt = now + .seconds(place % 61 == 5 ? -60 : 60 * (place % 200 + 1))
        try TieStore.insert(tie, in: tx)
        try TieStore.keep(Measurement(at: now), of: tie.id, in: tx)
      }
      try tx.script("ANALYZE")
    }
  }

  @Test(arguments: Engine.allCases)
  func `neither the sweep, nor a test, nor the desk's lists read a whole table`(engine: Engine) async throws {
    try await Desk.with(engine) { desk in
      try await fill(desk)
      let now = desk.hand.now
      let ties = try await desk.ties()
      let (first, middle) = (try #require(ties.first), ties[ties.count / 2])
      func scans(_ body: @escaping @Sendable (any Storage.Transaction) throws -> Void) async throws -> [String] {
        try await desk.db.write { tx in
          let listener = ListeningTransaction(tx)
          try body(listener)
          #expect(!listener.asked.isEmpty)
          return try listener.scans()
        }
      }
      let sweeping = try await scans { tx in
        let parties = try TieStore.partiesDue(at: now, limit: 1000, in: tx)
        #expect(parties.count > 4)
        #expect(try !TieStore.due(of: parties[0], at: now, limit: 50, in: tx).isEmpty)
      }
      #expect(sweeping == [])
      let testing = try await scans { tx in
        let tie = try #require(try TieStore.find(middle.id, in: tx))
        _ = try TieStore.ties(of: tie.resource, in: tx)
        try TieStore.update(tie, in: tx)
        try TieStore.keep(Measurement(at: now), of: tie.id, in: tx)
        try TieStore.keep(Measurement(at: now, fault: .init("x", Text(same: "x"))), of: tie.id, in: tx)
        _ = try TieStore.runs(of: tie.id, in: tx)
      }
      #expect(testing == [])
      for provider in [nil, Desk.offices[0]] {
        for state in [nil] + Tie.State.allCases.map(Optional.init) {
          for timeliness in [nil, Timeliness.State.late] {
            let filter = TieStore.Filter(provider: provider, state: state, timeliness: timeliness)
            let listing = try await scans { tx in
              _ = try TieStore.page(filter, after: nil, limit: 51, in: tx)
              _ = try TieStore.page(filter, after: middle.id, limit: 51, in: tx)
              // Of what most ties are, any rows are the first ten thousand: counting stops there, wherever it begins.
              if state != .mounted, state != nil || timeliness != nil { _ = try TieStore.count(filter, in: tx) }
            }
            #expect(listing == [], "\(filter)")
          }
        }
      }
      let leading = try await scans { tx in
        #expect(try TieStore.failing(of: Desk.offices[0], limit: 51, in: tx).count == 51)
        _ = try TieStore.failing(of: Desk.offices[0], after: first.resource, limit: 51, in: tx)
        _ = try TieStore.untabled(of: Desk.offices[0], after: first.resource, limit: 51, in: tx)
        _ = try TieStore.untabled(among: [first.resource], in: tx)
      }
      #expect(leading == [])
      // One that has to be found, so that the test can fail.
      let walking = try await scans { tx in _ = try tx.int("SELECT COUNT(*) FROM mounting_tie WHERE fault = 'x'") }
      #expect(walking.count == 1)
    }
  }

  @Test(arguments: Engine.allCases)
  func `nor do a source's tables, changes and drafts`(engine: Engine) async throws {
    try await Desk.with(engine) { desk in
      let now = desk.hand.now
      try await desk.db.write { tx in
        for source in desk.sources {
          try SurveyStore.put(
            Survey(
              source: source, provider: Desk.offices[0], firstAt: now, readAt: now, tables: 0, triedAt: now, fault: nil,
              failures: 0), dueAt: now + .seconds(60), in: tx)
          for number in 0..<1000 {
            let table = TableDescription(
              name: TableName("t\(number)"), comment: nil, estimatedRows: 1,
              columns: [ColumnDescription(name: "c", nativeType: "text", type: .text)])
            try SurveyStore.put(table, TableSnapshot(table), of: source, at: now, in: tx)
            try SurveyStore.put(
              SchemaChange(
                id: .make(at: now), source: source, provider: Desk.offices[0], table: table.name,
                before: TableSnapshot(content: ""), after: TableSnapshot(table), foundAt: now,
                state: number % 50 == 0 ? .open : .noted, resource: nil), in: tx)
          }
        }
        try tx.script("ANALYZE")
      }
      let found = try await desk.db.write { tx in
        let listener = ListeningTransaction(tx)
        let (source, table) = (desk.sources[1], TableName("t50"))
        _ = try SurveyStore.find(source, in: listener)
        _ = try SurveyStore.snapshot(table, of: source, in: listener)
        _ = try SurveyStore.open(table, of: source, in: listener)
        _ = try SurveyStore.openCount(of: source, in: listener)
        let changes = try SurveyStore.changes(of: source, before: nil, limit: 51, in: listener)
        _ = try SurveyStore.changes(of: source, before: changes.last?.id, limit: 51, in: listener)
        _ = try SurveyStore.change(changes[0].id, in: listener)
        try SurveyStore.setGone(table, of: source, at: now, in: listener)
        return try listener.scans().filter { !$0.contains("mounting_survey ") }
      }
      #expect(found == [])
    }
  }
}
