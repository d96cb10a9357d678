import Inbox
import Kernel
import Storage
import TestKit
import Testing

@Suite struct InboxTests {
  private static let start = Instant("2026-03-02T01:00:00.000Z")!
  private static let decide = Permission("sharing.decide")
  private static let watch = Permission("audit.watch")
  private static let (bureau, ministry) = (OrganisationID.make(at: start), OrganisationID.make(at: start))
  private static let (an, bo) = (PersonID.make(at: start), PersonID.make(at: start))

  private func person(_ id: PersonID?, in office: OrganisationID?, _ permissions: Permission...) -> Principal {
    Principal(person: id, name: "某人", organisation: office, organisationName: "某局", permissions: Set(permissions))
  }

  private func task(
    _ kind: String = "request.decide", for waiting: InboxTask.Waiting, subject: String = "r1", due: String? = nil,
    provisional: Bool = false, after seconds: Int = 0
  ) -> InboxTask {
    InboxTask(
      kind: kind, title: Text("办理申请", "Decide a request"), link: "/requests/\(subject)", for: waiting,
      subject: ("request", subject), due: due.flatMap { CalendarDate($0) }, isProvisional: provisional,
      at: Self.start + .seconds(seconds))
  }

  private func waiting(_ db: any Database, _ principal: Principal) async throws -> [InboxTask] {
    try await db.read { try Inbox.waiting(for: principal, in: $0) }
  }

  @Test(arguments: Engine.allCases)
  func `what waits is seen by those it waits for and by nobody else`(engine: Engine) async throws {
    try await withDatabase(engine, [InboxSchema.migrations]) { db in
      let (office, holders, own) = (
        task(for: .office(Self.bureau, Self.decide), due: "2026-03-10", provisional: true),
        task(for: .holders(Self.watch), subject: "r2", due: "2026-03-11"),
        task(for: .person(Self.an), subject: "r3", due: "2026-03-12")
      )
      try await db.write { tx in for task in [office, holders, own] { try Inbox.post(task, in: tx) } }
      let seen: [(Principal, [InboxTask])] = [
        (person(Self.an, in: Self.bureau, Self.decide), [office, own]),
        (person(Self.bo, in: Self.bureau, Self.decide, Self.watch), [office, holders]),
        (person(Self.bo, in: Self.bureau), []),
        (person(Self.bo, in: Self.ministry, Self.decide), []),
        (person(Self.bo, in: Self.ministry, Self.watch), [holders]),
        (person(Self.bo, in: nil, Self.decide, Self.watch), [holders]),
        (person(Self.an, in: nil), [own]),
        (person(nil, in: nil), []),
      ]
      for (principal, tasks) in seen {
        #expect(try await waiting(db, principal) == tasks)
        #expect(try await db.read { try Inbox.count(for: principal, in: $0) } == tasks.count)
      }
    }
  }

  @Test(arguments: Engine.allCases)
  func `closing a subject closes all of it or one kind, once, and says who did it`(engine: Engine) async throws {
    try await withDatabase(engine, [InboxSchema.migrations]) { db in
      let principal = person(Self.an, in: Self.bureau, Self.decide)
      let office = InboxTask.Waiting.office(Self.bureau, Self.decide)
      try await db.write { tx in
        try Inbox.post(task("request.decide", for: office), in: tx)
        try Inbox.post(task("request.object", for: office, after: 1), in: tx)
        try Inbox.post(task("request.decide", for: office, subject: "r2"), in: tx)
      }
      let now = Self.start + .seconds(60)
      let closed = try await db.write { tx in
        [
          try Inbox.close(subject: "request", "r1", kind: "request.decide", by: principal, at: now, in: tx),
          try Inbox.close(subject: "request", "r1", by: principal, at: now, in: tx),
          try Inbox.close(subject: "request", "r1", by: principal, at: now, in: tx),
          try Inbox.close(subject: "grant", "r2", by: principal, at: now, in: tx),
        ]
      }
      #expect(closed == [1, 1, 0, 0])
      #expect(try await waiting(db, principal).map(\.subject) == ["r2"])
      let history = try await db.read { tx in
        try Inbox.history(subject: "request", "r1", in: tx).map {
          [$0.task.kind, $0.closedAt?.description, $0.closedBy]
        }
      }
      #expect(
        history == [
          ["request.decide", now.description, "某人"], ["request.object", now.description, "某人"],
        ])
    }
  }

  @Test(arguments: Engine.allCases)
  func `a task posted in a transaction that fails waits for nobody`(engine: Engine) async throws {
    struct Stop: Error {}
    try await withDatabase(engine, [InboxSchema.migrations]) { db in
      await #expect(throws: Stop.self) {
        try await db.write { tx in
          try Inbox.post(task(for: .person(Self.an)), in: tx)
          throw Stop()
        }
      }
      let left = try await waiting(db, person(Self.an, in: nil))
      #expect(left.isEmpty)
    }
  }

  @Test(arguments: Engine.allCases)
  func `the most urgent comes first, what has no date last, and pages join without gap`(engine: Engine) async throws {
    try await withDatabase(engine, [InboxSchema.migrations]) { db in
      let principal = person(Self.an, in: nil)
      let dates = ["2026-03-20", nil, "2026-03-05", "2026-03-20", nil, "2026-02-27", "2026-03-05"]
      try await db.write { tx in
        for (index, due) in dates.enumerated() {
          try Inbox.post(task(for: .person(Self.an), subject: "\(index)", due: due, after: index), in: tx)
        }
      }
      var (pages, place): ([[String]], Inbox.Place?) = ([], nil)
      while true {
        let page = try await db.read { [place] in try Inbox.waiting(for: principal, after: place, limit: 2, in: $0) }
        guard let last = page.last else { break }
        pages.append(page.map(\.subject))
        // As it goes through an address.
        place = Inbox.Place(Inbox.Place(last).text)
      }
      #expect(pages == [["5", "2"], ["6", "0"], ["3", "1"], ["4"]])
    }
  }

  @Test(arguments: ["", "~", "2026-03-20", "2026-03-20~x", "x~y", "2026-02-30~\(PersonID.make(at: start))"])
  func `a forged place is none`(text: String) {
    #expect(Inbox.Place(text) == nil)
  }

  @Test(arguments: [
    (Optional("2026-03-05"), InboxTask.Urgency.late), ("2026-03-06", .soon), ("2026-03-08", .soon), ("2026-03-09", .ok),
    (nil, .ok),
  ])
  func `urgency is counted from the day one looks`(due: String?, urgency: InboxTask.Urgency) {
    #expect(task(for: .person(Self.an), due: due).urgency(on: CalendarDate("2026-03-06")!) == urgency)
  }

  @Test(arguments: Engine.allCases)
  func `a moved due date moves what still waits`(engine: Engine) async throws {
    try await withDatabase(engine, [InboxSchema.migrations]) { db in
      let principal = person(Self.an, in: nil)
      let due = CalendarDate("2027-01-08")!
      try await db.write { tx in
        try Inbox.post(task(for: .person(Self.an), due: "2026-03-10"), in: tx)
        try Inbox.post(task(for: .person(Self.an), subject: "r2", due: "2026-03-11"), in: tx)
        try Inbox.move(subject: "request", "r1", to: due, isProvisional: true, in: tx)
      }
      let tasks = try await waiting(db, principal)
      #expect(tasks.map(\.subject) == ["r2", "r1"])
      #expect(tasks.last?.due == due && tasks.last?.isProvisional == true)
    }
  }

  @Test(arguments: Engine.allCases)
  func `a notice stays until each reader puts it away for himself`(engine: Engine) async throws {
    try await withDatabase(engine, [InboxSchema.migrations]) { db in
      let (an, bo) = (person(Self.an, in: Self.bureau, Self.decide), person(Self.bo, in: Self.bureau, Self.decide))
      let stranger = person(PersonID.make(at: Self.start), in: Self.ministry, Self.decide)
      let targets: [InboxTask.Waiting] = [.office(Self.bureau, Self.decide), .person(Self.bo), .holders(Self.decide)]
      let notices = targets.enumerated().map { index, waiting in
        Notice(
          kind: "request.decided", title: Text("申请已办结", "Decided"), link: "/requests/r", for: waiting,
          subject: ("request", "r"), at: Self.start + .seconds(index))
      }
      try await db.write { tx in for notice in notices { try Inbox.notify(notice, in: tx) } }
      func seen(_ principal: Principal) async throws -> [Notice] {
        let list = try await db.read { try Inbox.notices(for: principal, in: $0) }
        #expect(try await db.read { try Inbox.noticeCount(for: principal, in: $0) } == list.count)
        return list
      }
      #expect(try await seen(an) == [notices[2], notices[0]])
      #expect(try await seen(bo) == [notices[2], notices[1], notices[0]])
      #expect(try await seen(stranger) == [notices[2]])
      #expect(try await seen(.system()).isEmpty)
      let page = try await db.read { try Inbox.notices(for: bo, before: notices[2].id, limit: 1, in: $0) }
      #expect(page == [notices[1]])

      let now = Self.start + .seconds(60)
      let put = try await db.write { tx in
        [
          try Inbox.dismiss(notices[0].id, by: an, at: now, in: tx),
          try Inbox.dismiss(notices[0].id, by: an, at: now, in: tx),
          try Inbox.dismiss(notices[1].id, by: an, at: now, in: tx),
          try Inbox.dismiss(NoticeID.make(at: now), by: an, at: now, in: tx),
        ]
      }
      #expect(put == [true, true, false, false])
      #expect(try await seen(an) == [notices[2]])
      #expect(try await seen(bo).count == 3)

      let pruned = try await db.write { try Inbox.prune(noticesBefore: Self.start + .seconds(2), in: $0) }
      #expect(pruned == 2)
      #expect(try await seen(bo) == [notices[2]])
    }
  }
}
