import Kernel
import Storage
import Synchronization
import TestKit
import Testing

@testable import Supervision

/// What a page asks of the contexts below is answered from indexes, however many entries there are.
@Suite struct PlanTests {
  @Test(arguments: Engine.allCases)
  func `no page walks a table of the contexts below`(engine: Engine) async throws {
    try await Province.with(engine, offices: 3, entries: 40) { province in
      try await province.supervision.refresh()
      let watched = WatchedDatabase(inner: province.db)
      let supervision = Supervision(database: watched, clock: province.clock.clock)
      for measure in supervision.measures {
        for office in [nil, province.offices[1]] {
          let first = try await supervision.rows(behind: measure, of: office, limit: 1, for: .system())
          _ = try await supervision.rows(behind: measure, of: office, after: first.next, limit: 1, for: .system())
        }
      }
      _ = try await supervision.matrix(MatrixQuery(), for: .system())
      _ = try await supervision.trend(of: nil, for: .system())
      let asked = watched.asked
      #expect(asked.count > 100)
      var (seen, plans): (Set<String>, [String]) = ([], [])
      for sql in asked where seen.insert(try sql.rendered { "$\($0)" }.0).inserted {
        let plan = try await province.db.read { try Self.plan(of: sql, in: $0) }
        #expect(!plan.isEmpty)
        let scans = plan.filter { line in Self.below.contains { line.contains("\(Self.walk(engine)) \($0)") } }
        #expect(scans == [], "\(sql.parts)")
        plans += plan
      }
      // SQLite chooses without knowing how many rows there are; PostgreSQL knows, and here there are few.
      if engine == .sqlite {
        for index in Self.indexes { #expect(plans.contains { $0.contains(index) }, "\(index) is of no use") }
        #expect(!plans.contains { $0.contains("catalog_version_by_state") }, "all that is published is walked")
      }
      #expect(seen.count > 10)
      let walk = try await province.db.read {
        try Self.plan(of: "SELECT COUNT(*) FROM catalog_resource WHERE made_at > ''", in: $0)
      }
      #expect(walk.contains { $0.contains("\(Self.walk(engine)) catalog_resource") }, "a walk would be found")
    }
  }

  private static let below = ["inventory_", "catalog_", "sharing_", "exchange_", "v", "r", "d", "p"]

  /// What was made for these pages.
  private static let indexes = [
    "catalog_version_mounted", "catalog_version_without_mount", "catalog_entry_without_items",
    "catalog_version_by_system",
    "catalog_version_without_system", "catalog_version_without_condition", "exchange_delivery_arrived_under",
  ]

  /// How a plan says that a table is read from end to end.
  private static func walk(_ engine: Engine) -> String { engine == .sqlite ? "SCAN" : "Seq Scan on" }

  private static func plan(of sql: SQL, in tx: any Transaction) throws -> [String] {
    guard tx.engine == .postgres else { return try tx.rows("EXPLAIN QUERY PLAN \(sql)").map { try $0.text("detail") } }
    // A table of some rows is walked for want of rows: what is asked is whether there is another way.
    try tx.run("SET LOCAL enable_seqscan = off")
    return try tx.rows("EXPLAIN \(sql)").map { try $0.text("QUERY PLAN") }
  }
}

/// Passes everything on and remembers what was asked.
private final class WatchedDatabase: Database {
  let inner: any Database
  private let log = Mutex<[SQL]>([])

  init(inner: any Database) { self.inner = inner }

  var engine: Engine { inner.engine }
  var asked: [SQL] { log.withLock { $0 } }

  func read<T: Sendable>(_ body: @escaping @Sendable (any Transaction) throws -> T) async throws -> T {
    try await inner.read { tx in try body(WatchedTransaction(inner: tx) { sql in self.log.withLock { $0.append(sql) } })
    }
  }

  func write<T: Sendable>(
    _ isolation: Isolation, _ body: @escaping @Sendable (any Transaction) throws -> T
  ) async throws -> T { try await inner.write(isolation, body) }

  func close() async { await inner.close() }
}

private struct WatchedTransaction: Transaction {
  let inner: any Transaction
  let note: (SQL) -> Void

  var engine: Engine { inner.engine }

  func rows(_ sql: SQL) throws -> [Row] {
    note(sql)
    return try inner.rows(sql)
  }
  func forEach(_ sql: SQL, _ body: (Row) throws -> Bool) throws {
    note(sql)
    try inner.forEach(sql, body)
  }
  func run(_ sql: SQL) throws -> Int { try inner.run(sql) }
  func script(_ text: String) throws { try inner.script(text) }
}
