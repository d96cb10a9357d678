import Catalog
import Kernel
import Storage
import TestKit
import Testing

/// What followers of the catalogue are told.
@Suite struct `The feed of changes` {
  private static func drafts(_ count: Int, on offices: Offices) async throws -> [ResourceID] {
    var made: [ResourceID] = []
    for number in 0..<count {
      let metadata = complete(
        Metadata(classes: ["3070120302"], format: "0203", methodClass: "1", methodType: "2"), "第 \(number) 类登记信息")
      let item = Item(id: .make(at: Offices.start), name: "名称", column: "name", dataType: "C", length: 20)
      let draft = try await offices.cataloguing.draft(
        Offices.officer, system: nil, metadata: metadata, items: [item])
      _ = try await offices.cataloguing.submit(Offices.officer, draft.id)
      made.append(draft.id)
    }
    return made
  }

  private static func all(_ offices: Offices, as principal: Principal) async throws -> [CatalogChange] {
    try await offices.cataloguing.changes(principal, after: 0, limit: 1000).changes
  }

  @Test(arguments: Engine.allCases)
  func `tells of registration, publication, the next version and withdrawal, in this order`(engine: Engine) async throws
  {
    try await Offices.with(engine) { offices in
      let (cataloguing, id) = (offices.cataloguing, try await Self.drafts(1, on: offices)[0])
      _ = try await cataloguing.decide(Offices.operatorOfPlatform, id, .approve(publish: false))
      _ = try await cataloguing.publish(Offices.operatorOfPlatform, id)
      _ = try await cataloguing.beginChange(Offices.officer, id)
      _ = try await cataloguing.submit(Offices.officer, id, because: VersionChange(.duty, words: "职能调整"))
      _ = try await cataloguing.decide(Offices.operatorOfPlatform, id, .approve(publish: true))
      _ = try await cataloguing.online(Offices.operatorOfPlatform, id, .takeDown, reason: "职能调整")

      let told = try await Self.all(offices, as: Offices.operatorOfPlatform)
      #expect(told.map(\.event) == [.registered, .published, .registered, .published, .withdrawn])
      #expect(told.map(\.version) == [1, 1, 2, 2, 2] && told.map(\.seq) == Array(1...5))
      let resource = try await cataloguing.resource(Offices.clerk, id, version: 2)
      #expect(told.allSatisfy { $0.resource == id && $0.code == resource.code?.description })
      #expect(try await Self.all(offices, as: Offices.officer).count == 5, "its own department sees its registrations")
      let others = try await Self.all(offices, as: Offices.clerk)
      #expect(others.map(\.seq) == [2, 4, 5], "what is not in force yet is not for every reader")
      let foreign = try await Self.all(offices, as: Offices.otherOfficer)
      #expect(foreign == others)
    }
  }

  @Test(arguments: Engine.allCases)
  func `a follower who keeps the last number misses nothing while many write at once`(engine: Engine) async throws {
    try await Offices.with(engine) { offices in
      let ids = try await Self.drafts(24, on: offices)
      let cataloguing = offices.cataloguing
      let followed = try await withThrowingTaskGroup(of: Void.self) { group in
        for writer in 0..<6 {
          group.addTask {
            for id in ids.enumerated().filter({ $0.offset % 6 == writer }).map(\.element) {
              _ = try await cataloguing.decide(Offices.operatorOfPlatform, id, .approve(publish: true))
            }
          }
        }
        var (seen, last) = ([CatalogChange](), 0)
        while seen.count < ids.count * 2 {
          let page = try await cataloguing.changes(Offices.operatorOfPlatform, after: last, limit: 3)
          #expect(page.changes.count <= 3 && page.last >= last)
          if let first = page.changes.first { #expect(first.seq == last + 1, "a number was passed over") }
          seen += page.changes
          last = page.last
        }
        try await group.waitForAll()
        return seen
      }
      #expect(followed.map(\.seq) == Array(1...48))
      #expect(Set(followed.filter { $0.event == .published }.map(\.resource)) == Set(ids))
      #expect(try await Self.all(offices, as: Offices.operatorOfPlatform) == followed)
    }
  }

  @Test(arguments: Engine.allCases)
  func `what was in force before there was a feed is in it from the beginning`(engine: Engine) async throws {
    try await Offices.with(engine) { offices in
      for id in try await Self.drafts(3, on: offices) {
        offices.time.move(.seconds(60))
        _ = try await offices.cataloguing.decide(Offices.operatorOfPlatform, id, .approve(publish: true))
      }
      let before = try await Self.all(offices, as: Offices.operatorOfPlatform)
      offices.time.move(.seconds(60))
      _ = try await offices.cataloguing.online(
        Offices.operatorOfPlatform, before[0].resource, .takeDown, reason: "职能调整")
      let told = try await Self.all(offices, as: Offices.operatorOfPlatform)
      #expect(told.count == 7)
      try await offices.db.write { tx in
        try tx.script(
          """
          DROP TABLE catalog_change; DROP TABLE catalog_reference; DELETE FROM catalog_sequence WHERE name = 'change';
          DELETE FROM storage_migration WHERE context = 'catalog' AND name = '005 changes and references';
          UPDATE catalog_event SET event = 'withdraw' WHERE event = 'online.take-down'
          """)
      }
      let applied = try await offices.db.migrate(Offices.migrations)
      #expect(applied == ["catalog/005 changes and references"])
      #expect(try await Self.all(offices, as: Offices.operatorOfPlatform) == told)
      offices.time.move(.seconds(60))
      _ = try await offices.cataloguing.online(
        Offices.operatorOfPlatform, before[2].resource, .takeDown, reason: "职能调整")
      #expect(try await Self.all(offices, as: Offices.operatorOfPlatform).map(\.seq) == Array(1...8))
    }
  }

  @Test func `whoever is further than the node learns that it was put back`() async throws {
    try await Offices.with(.sqlite) { offices in
      let empty = try await offices.cataloguing.changes(Offices.clerk, after: 0)
      #expect(empty.changes.isEmpty && empty.last == 0 && !empty.hasMore)
      await #expect {
        _ = try await offices.cataloguing.changes(Offices.clerk, after: 7)
      } throws: { ($0 as? Refusal)?.code == "catalog.changes.ahead" }
    }
  }
}
