import Catalog
import Connecting
import Kernel
import Storage
import Synchronization
import TestKit
import Testing

@testable import Inventory
@testable import Mounting

/// One source's trouble is a finding of its own ties, and nobody else waits for it.
@Suite struct SweepTests {
  /// Sources as `examine` says, counting who was asked how often.
  private func probe(
    _ asked: Asked, _ examine: @escaping @Sendable (SourceAddress, TableName) async throws -> Void
  ) -> SourceProbe {
    var probe = SourceProbe.through(ConnectorCatalog([]))
    probe.examine = { address, table, _, _ in
      asked.note(table.name)
      try await examine(address, table)
      let column = ColumnDescription(name: "uscc", nativeType: "text", type: .text)
      let found = TableDescription(name: table, comment: nil, estimatedRows: nil, columns: [column])
      return .init(examination: TableExamination(table: found, mark: nil), declaresTypes: true)
    }
    return probe
  }

  private final class Asked: Sendable {
    private let tables = Mutex<[String]>([])
    func note(_ table: String) { tables.withLock { $0.append(table) } }
    var all: [String] { tables.withLock { $0 } }
  }

  private func tied(_ desk: Desk, _ count: Int) async throws {
    try await desk.publish((1...count).map { desk.entry($0, mount: desk.mount($0)) })
    try await desk.mounting().tieOlder()
  }

  @Test(arguments: Engine.allCases)
  func `of a source that nobody reaches one tie is asked, the others learn of it`(engine: Engine) async throws {
    try await Desk.with(engine) { desk in
      try await tied(desk, 40)
      let asked = Asked()
      let probe = probe(asked) { _, table in
        // The first source's tables: t4, t8, t12 …
        if Int(table.name.dropFirst())! % 4 == 0 {
          throw ConnectorError(.retryable, SourceProbe.silent, Text("没有应答", "silent"))
        }
      }
      #expect(try await desk.mounting(probe).sweep() == 40)
      #expect(asked.all.count == 31)
      let ties = try await desk.ties()
      let silent = ties.filter { $0.target.source == desk.sources[0] }
      #expect(silent.count == 10 && silent.allSatisfy { $0.fault?.code == SourceProbe.silent && $0.failures == 1 })
      #expect(ties.filter { $0.state == .mounted }.count == 30)
    }
  }

  @Test func `while one source is waited for, all others are tested`() async throws {
    try await Desk.with(.sqlite) { desk in
      try await tied(desk, 8)
      let (gate, open) = AsyncStream.makeStream(of: Void.self)
      let asked = Asked()
      let probe = probe(asked) { _, table in
        if Int(table.name.dropFirst())! % 4 == 0 { for await _ in gate { break } }
      }
      let sweep = Task { try await desk.mounting(probe).sweep() }
      var mounted = 0
      for _ in 0..<200 where mounted < 6 {
        try await Task.sleep(for: .milliseconds(25))
        mounted = try await desk.ties().count { $0.state == .mounted }
      }
      #expect(mounted == 6 && asked.all.filter { ["t4", "t8"].contains($0) }.count == 1)
      open.yield()
      open.yield()
      #expect(try await sweep.value == 8)
    }
  }

  @Test func `what cannot be opened with the node's key is a finding of that source`() async throws {
    try await Desk.with(.sqlite) { desk in
      try await tied(desk, 8)
      let broken = desk.sources[1]
      try await desk.db.write { tx in
        try tx.run(
          """
          INSERT INTO inventory_source_setting (source, name, sealed) VALUES (\(broken), 'password', \([1, 2, 3] as [UInt8]))
          """)
      }
      #expect(try await desk.mounting(probe(Asked()) { _, _ in }).sweep() == 8)
      let ties = try await desk.ties()
      for tie in ties {
        #expect(tie.fault?.code == (tie.target.source == broken ? "inventory.source.sealed" : nil))
      }
    }
  }

  @Test func `whoever waits longest is asked first, and a host's services are one party`() async throws {
    try await Desk.with(.sqlite) { desk in
      let entries = try await desk.publish((1...5).map { desk.entry($0, mount: nil) })
      let now = desk.hand.now
      try await desk.db.write { tx in
        for (entry, (url, age)) in zip(
          entries,
          [
            ("http://B.example/1", 1), ("http://a.example:8080/x?y=/", 5), ("https://b.example/2", 9),
            ("http://a.example/", 3), ("http://late.example/", -1),
          ])
        {
          try TieStore.insert(
            Tie(entry, .api(url: url, status: 200, isJSON: true), isInForce: true, at: now - .seconds(age)), in: tx)
        }
      }
      let parties = try await desk.db.read { try TieStore.partiesDue(at: now, limit: 10, in: $0) }
      #expect(parties == ["b.example", "a.example:8080", "a.example"])
      #expect(try await desk.db.read { try TieStore.due(of: "b.example", at: now, limit: 10, in: $0) }.count == 2)
      #expect(try await desk.db.read { try TieStore.partiesDue(at: now, limit: 1, in: $0) } == ["b.example"])
    }
  }
}
