import Catalog
import Kernel
import Storage
import TestKit
import Testing

@testable import Sharing

/// Grants as they are kept, on both engines.
@Suite struct GrantStoreTests {
  private static let secret: [UInt8] = (0..<48).map { UInt8($0 * 5) }

  /// A grant for each number, of a request of its own, a second apart.
  private func issue(
    _ numbers: [String], on db: any Database, _ papers: Papers, to other: OrganisationID? = nil, from second: Int64 = 0
  ) async throws -> [Grant] {
    let made = numbers.enumerated().map { index, number -> (ShareRequest, Grant) in
      let now = Papers.now + .seconds(second + Int64(index))
      let request = papers.request("r\(number)", to: other, at: now)
      return (request, papers.grant(number, of: request, at: now))
    }
    try await db.write { tx in
      for (request, grant) in made {
        try RequestStore.insert(request, formKey: nil, in: tx)
        try GrantStore.insert(grant, sealedSecret: Self.secret, in: tx)
      }
    }
    return made.map(\.1)
  }

  @Test(arguments: Engine.allCases)
  func `a grant comes back as it was made, by id, by number and by its request, and its secret by itself`(
    engine: Engine
  ) async throws {
    try await Papers.with(engine) { db, papers in
      let grant = try await issue(["青数授〔2026〕000001"], on: db, papers)[0]
      let (byID, byNumber, byRequest, secret) = try await db.read { tx in
        (
          try GrantStore.find(grant.id, in: tx), try GrantStore.find(number: grant.number, in: tx),
          try GrantStore.find(request: grant.request, in: tx), try GrantStore.sealedSecret(of: grant.id, in: tx)
        )
      }
      #expect(byID == grant && byNumber == grant && byRequest == grant && secret == Self.secret)
      let nothing = try await db.read { try GrantStore.find(number: "青数授〔2026〕000002", in: $0) }
      #expect(nothing == nil)
      let refusal = await #expect(throws: Refusal.self) {
        try await db.read { try GrantStore.sealedSecret(of: .make(at: Papers.now), in: $0) }
      }
      #expect(refusal?.kind == .notFound)
    }
  }

  @Test(arguments: Engine.allCases)
  func `giver and user find their grants, newest first, page by page, and a third office none`(engine: Engine)
    async throws
  {
    try await Papers.with(engine) { db, papers in
      let grants = try await issue(["0", "1", "2", "3", "4"], on: db, papers)
      _ = try await issue(["5"], on: db, papers, to: papers.elsewhere, from: 10)
      func list(_ office: OrganisationID?, before: GrantID? = nil, limit: Int = 50) async throws -> [String] {
        try await db.read {
          try GrantStore.list(organisation: office, before: before, limit: limit, in: $0).map(\.number)
        }
      }
      let (consumer, provider, elsewhere, nobody) = (
        try await list(papers.consumer), try await list(papers.provider), try await list(papers.elsewhere),
        try await list(.make(at: Papers.now))
      )
      #expect(consumer == ["5", "4", "3", "2", "1", "0"] && provider == ["4", "3", "2", "1", "0"])
      #expect(elsewhere == ["5"] && nobody == [])
      let (page, next) = (
        try await list(papers.provider, limit: 2), try await list(papers.provider, before: grants[3].id, limit: 2)
      )
      #expect(page == ["4", "3"] && next == ["2", "1"])
    }
  }

  @Test(arguments: Engine.allCases)
  func `an order is written once, and not over another that was faster`(engine: Engine) async throws {
    try await Papers.with(engine) { db, papers in
      let grant = try await issue(["1"], on: db, papers)[0]
      let now = Papers.now + .seconds(60)
      let (first, stale) = try await db.write { tx in
        (
          try GrantStore.setState(
            .revoked, of: grant.id, version: 1, by: "单位0 马数据", why: "用途已结束", at: now, in: tx),
          try GrantStore.setState(.suspended, of: grant.id, version: 1, by: "单位1", why: "x", at: now, in: tx)
        )
      }
      #expect(first && !stale)
      let found = try #require(try await db.read { try GrantStore.find(grant.id, in: $0) })
      #expect(found.state == .revoked && found.version == 2 && found.endedAt == now)
      #expect(found.endedBy == "单位0 马数据" && found.endedWhy == "用途已结束" && found.items == grant.items)
    }
  }

  @Test(arguments: Engine.allCases)
  func `what hangs on a resource is what was not revoked`(engine: Engine) async throws {
    try await Papers.with(engine) { db, papers in
      let grants = try await issue(["1", "2", "3"], on: db, papers)
      let (open, elsewhere) = try await db.write { tx in
        for (grant, state) in [(grants[0], Grant.State.revoked), (grants[1], .suspended)] {
          _ = try GrantStore.setState(state, of: grant.id, version: 1, by: "x", why: "x", at: Papers.now, in: tx)
        }
        return (
          try GrantStore.open.list(on: papers.resource, after: nil, limit: 10, in: tx).map(\.number),
          try GrantStore.open.count(on: .make(at: Papers.now), most: 10, in: tx)
        )
      }
      #expect(open == ["2", "3"] && elsewhere == 0)
    }
  }

  @Test(arguments: Engine.allCases)
  func `one request becomes one grant, a number is given once, and a grant has a state that exists`(engine: Engine)
    async throws
  {
    try await Papers.with(engine) { db, papers in
      let request = papers.request("r")
      let grant = papers.grant("1", of: request)
      try await db.write { tx in
        try RequestStore.insert(request, formKey: nil, in: tx)
        try GrantStore.insert(grant, sealedSecret: Self.secret, in: tx)
      }
      let second = await #expect(throws: StorageError.self) {
        try await db.write { try GrantStore.insert(papers.grant("2", of: request), sealedSecret: [1], in: $0) }
      }
      let other = papers.request("other")
      let taken = await #expect(throws: StorageError.self) {
        try await db.write { tx in
          try RequestStore.insert(other, formKey: nil, in: tx)
          try GrantStore.insert(papers.grant("1", of: other), sealedSecret: [1], in: tx)
        }
      }
      let odd = await #expect(throws: StorageError.self) {
        try await db.write { try $0.run("UPDATE sharing_grant SET state = 'forgotten'") }
      }
      #expect(second?.code == .unique && taken?.code == .unique && odd?.code == .check)
      let kept = try await db.read { try $0.int("SELECT COUNT(*) FROM sharing_request") }
      #expect(kept == 1, "the request of the refused grant went with it")
    }
  }
}
