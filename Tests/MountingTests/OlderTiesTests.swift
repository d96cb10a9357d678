import Jobs
import Kernel
import Storage
import TestKit
import Testing

@testable import Catalog
@testable import Mounting

@Suite struct `Entries published before there were ties` {
  @Test(arguments: Engine.allCases)
  func `get theirs once, however often the work is interrupted`(engine: Engine) async throws {
    try await Desk.with(engine) { desk in
      let entries = (1...250).map { desk.entry($0, mount: $0 % 10 == 0 ? nil : desk.mount($0)) }
      try await desk.publish(entries)
      let mounted = entries.filter { $0.mount != nil }
      // One was published again since, and heard of; one is no longer in force.
      let now = desk.hand.now
      let (again, gone) = (mounted[3], mounted[220])
      try await desk.db.write { tx in
        try Mounting.heard(try #require(try CatalogStore.published(again.id, in: tx)), at: now, in: tx)
        let online = try #require(try CatalogStore.published(gone.id, in: tx))
        try CatalogStore.setOnline(.offline, of: online, at: now, due: nil, in: tx)
      }
      #expect(try await desk.mounting().tieSomeOlder() == 199)
      // The worker is gone; the next one goes on.
      var heard: [Int] = []
      let rest = try await desk.mounting().tieOlder { heard.append($0) }
      #expect(rest == 24)
      #expect(heard == [24])
      #expect(try await desk.mounting().tieOlder() == 0)
      let ties = try await desk.ties()
      #expect(Set(ties.map(\.resource)) == Set(mounted.map(\.id)).subtracting([gone.id]))
      #expect(ties.count == 224)
      for tie in ties {
        let entry = try #require(mounted.first { $0.id == tie.resource })
        let mount = try #require(entry.mount)
        #expect(tie.isInForce && tie.state == .declared && tie.dueAt <= now && tie.version == 1)
        #expect(tie.target == .table(mount.source, mount.table, cursor: nil))
        #expect(tie.name == entry.metadata.name && tie.provider == entry.provider)
      }
    }
  }

  @Test(arguments: Engine.allCases)
  func `are worked through by one job, asked for at each start until it is done`(engine: Engine) async throws {
    try await Desk.with(engine) { desk in
      try await desk.publish((1...3).map { desk.entry($0, mount: desk.mount($0)) })
      func jobs() async throws -> Int {
        try await desk.db.read { tx in
          try tx.int("SELECT COUNT(*) FROM jobs_job WHERE kind = \(Mounting.olderJob)") ?? 0
        }
      }
      try await desk.mounting().keepSchedules()
      try await desk.mounting().keepSchedules()
      #expect(try await jobs() == 1)
      try await desk.mounting().tieOlder()
      #expect(try await desk.ties().count == 3)
      try await desk.mounting().keepSchedules()
      #expect(try await jobs() == 1)
      // Somebody who gives one up later does not get it back.
      let tie = try #require(try await desk.ties().first)
      try await desk.db.write { try TieStore.remove(tie.id, in: $0) }
      #expect(try await desk.mounting().tieOlder() == 0)
      #expect(try await desk.ties().count == 2)
    }
  }
}
