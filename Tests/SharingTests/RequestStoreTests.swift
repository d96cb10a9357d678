import Catalog
import Deadlines
import Kernel
import Storage
import TestKit
import Testing

@testable import Sharing

private struct Abandoned: Error {}

/// Requests as they are kept, on both engines.
@Suite struct RequestStoreTests {
  @Test(arguments: Engine.allCases)
  func `a request comes back as it was put in, its items in their order and its clock whole`(engine: Engine)
    async throws
  {
    try await Papers.with(engine) { db, papers in
      var request = papers.request("青数申〔2026〕000001")
      request.due = WorkCalendar.embedded.due(from: CalendarDate("2026-09-28")!, workingDays: 10)
      let sent = request
      let found = try await db.write { tx in
        try RequestStore.insert(sent, formKey: nil, in: tx)
        return try RequestStore.find(sent.id, in: tx)
      }
      #expect(found == sent)
      let unknown = try await db.read { try RequestStore.find(.make(at: Papers.now), in: $0) }
      #expect(unknown == nil)
    }
  }

  @Test(arguments: Engine.allCases)
  func `what changes is written once, and not over somebody who was faster`(engine: Engine) async throws {
    try await Papers.with(engine) { db, papers in
      let request = papers.request("1")
      try await db.write { try RequestStore.insert(request, formKey: nil, in: $0) }
      var decided = request
      decided.state = .granted
      decided.supplementAsked = true
      decided.purpose = "改过的用途"
      decided.items[0].approved = true
      decided.items[0].mask = .pseudonym
      decided.items[1].approved = false
      decided.items[1].reason = "与用途无关"
      let sent = decided
      let later = Papers.now + .seconds(60)
      let (first, second) = try await db.write { tx in
        (
          try RequestStore.update(sent, from: 1, at: later, in: tx),
          try RequestStore.update(request, from: 1, at: later, in: tx)
        )
      }
      #expect(first && !second)
      decided.version = 2
      let found = try await db.read { try RequestStore.find(request.id, in: $0) }
      #expect(found == decided)
    }
  }

  @Test(arguments: Engine.allCases)
  func `each side finds its requests and no other's, newest first, page by page`(engine: Engine) async throws {
    try await Papers.with(engine) { db, papers in
      let requests = (0..<7).map { index in
        papers.request(
          "\(index)", to: index == 3 ? papers.elsewhere : nil, at: Papers.now + .seconds(Int64(index)))
      }
      try await db.write { tx in for one in requests { try RequestStore.insert(one, formKey: nil, in: tx) } }
      func list(
        _ office: OrganisationID?, state: RequestState? = nil, before: ShareRequestID? = nil, limit: Int = 50
      ) async throws -> [String] {
        try await db.read { tx in
          try RequestStore.list(organisation: office, state: state, before: before, limit: limit, in: tx)
            .map(\.number)
        }
      }
      let (consumer, provider, other, all) = (
        try await list(papers.consumer), try await list(papers.provider), try await list(papers.elsewhere),
        try await list(nil)
      )
      #expect(consumer == ["6", "5", "4", "3", "2", "1", "0"] && all == consumer)
      #expect(provider == ["6", "5", "4", "2", "1", "0"] && other == ["3"])
      let (page, next, last) = (
        try await list(papers.provider, limit: 2),
        try await list(papers.provider, before: requests[5].id, limit: 3),
        try await list(papers.provider, before: requests[0].id)
      )
      #expect(page == ["6", "5"] && next == ["4", "2", "1"] && last == [])

      var withdrawn = requests[4]
      withdrawn.state = .withdrawn
      let sent = withdrawn
      let changed = try await db.write { try RequestStore.update(sent, from: 1, at: Papers.now, in: $0) }
      let (open, closed) = (
        try await list(papers.consumer, state: .ownPending, before: requests[6].id, limit: 2),
        try await list(papers.provider, state: .withdrawn)
      )
      #expect(changed && open == ["5", "3"] && closed == ["4"])
    }
  }

  @Test(arguments: Engine.allCases)
  func `one form of one person is one request, and a number is given once`(engine: Engine) async throws {
    try await Papers.with(engine) { db, papers in
      let request = papers.request("1")
      try await db.write { try RequestStore.insert(request, formKey: "form-1", in: $0) }
      let (same, other, stranger) = try await db.read { tx in
        (
          try RequestStore.find(formKey: "form-1", of: papers.clerk, in: tx)?.id,
          try RequestStore.find(formKey: "form-2", of: papers.clerk, in: tx)?.id,
          try RequestStore.find(formKey: "form-1", of: .make(at: Papers.now), in: tx)?.id
        )
      }
      #expect(same == request.id && other == nil && stranger == nil)
      let twice = await #expect(throws: StorageError.self) {
        try await db.write { try RequestStore.insert(papers.request("2"), formKey: "form-1", in: $0) }
      }
      let taken = await #expect(throws: StorageError.self) {
        try await db.write { try RequestStore.insert(papers.request("1"), formKey: "form-2", in: $0) }
      }
      #expect(twice?.code == .unique && taken?.code == .unique)
      // Without a form's key, as programs send them, any number may be sent.
      try await db.write { tx in
        for number in ["3", "4"] { try RequestStore.insert(papers.request(number), formKey: nil, in: tx) }
      }
      let kept = try await db.read { try $0.int("SELECT COUNT(*) FROM sharing_request") }
      #expect(kept == 3)
    }
  }

  @Test(arguments: Engine.allCases)
  func `numbers go up by one in each series, by many hands, and what was rolled back leaves no gap`(engine: Engine)
    async throws
  {
    try await Papers.with(engine) { db, _ in
      let numbers = try await withThrowingTaskGroup(of: Int.self) { group in
        for _ in 0..<20 { group.addTask { try await db.write { try RequestStore.next("request/2026", in: $0) } } }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      #expect(numbers.sorted() == Array(1...20))
      await #expect(throws: Abandoned.self) {
        try await db.write { tx -> Void in
          _ = try RequestStore.next("request/2026", in: tx)
          throw Abandoned()
        }
      }
      let (next, other) = try await db.write { tx in
        (try RequestStore.next("request/2026", in: tx), try RequestStore.next("request/2027", in: tx))
      }
      #expect(next == 21 && other == 1)
    }
  }

  @Test(arguments: Engine.allCases)
  func `a request for what is not there, or that ends before it begins, is not kept`(engine: Engine) async throws {
    try await Papers.with(engine) { db, papers in
      var lost = papers.request("1")
      lost.resource = .make(at: Papers.now)
      var backwards = papers.request("2")
      backwards.lastDay = backwards.firstDay + -1
      for (request, code) in [(lost, StorageError.Code.foreignKey), (backwards, .check)] {
        let error = await #expect(throws: StorageError.self) {
          try await db.write { try RequestStore.insert(request, formKey: nil, in: $0) }
        }
        #expect(error?.code == code)
      }
      let items = try await db.read { try $0.int("SELECT COUNT(*) FROM sharing_request_item") }
      #expect(items == 0)
    }
  }

  @Test(arguments: Engine.allCases)
  func `what happened to a request is told in its order, with the clock of each step`(engine: Engine) async throws {
    try await Papers.with(engine) { db, papers in
      var request = papers.request("1")
      request.due = WorkCalendar.embedded.due(from: CalendarDate("2026-03-02")!, workingDays: 3)
      let sent = request
      let clerk = Principal(
        person: papers.clerk, name: "李经办", organisation: papers.consumer, organisationName: "单位1", permissions: [])
      let events = try await db.write { tx in
        try RequestStore.insert(sent, formKey: nil, in: tx)
        for (event, words) in [(RequestEvent.submit, nil), (.approveOwn, "同意"), (.withdraw, "不再需要")] {
          try RequestStore.record(event, of: sent, by: clerk, words: words, at: Papers.now, in: tx)
        }
        return try RequestStore.events(of: sent.id, in: tx)
      }
      #expect(events.map(\.event) == [.submit, .approveOwn, .withdraw])
      #expect(events.map(\.words) == [nil, "同意", "不再需要"])
      #expect(events.allSatisfy { $0.due == sent.due && $0.actor == "李经办" && $0.organisation == "单位1" })
    }
  }
}
