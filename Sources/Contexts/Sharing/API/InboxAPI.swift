import Inbox
import Kernel
import Storage
import Web

/// What waits for the asker, and what he is told, for programs.
struct InboxAPI: Sendable {
  let sharing: Sharing

  var routes: [Route] {
    [
      Route.get(
        "/api/v1/inbox", .signedIn,
        summary: Text("待办，最急的在前；凭令牌时限于其范围", "What waits for one, most urgent first; with a token, within its scopes")
      ) { request in
        let (principal, limit) = (try request.visitor(), try request.pageLimit(most: 200))
        let after = try request.queryPlace("after", Inbox.Place.init)
        let (tasks, count) = try await sharing.database.read { tx in
          (
            try Inbox.waiting(for: principal, after: after, limit: limit + 1, in: tx),
            try Inbox.count(for: principal, in: tx)
          )
        }
        return .json([
          "count": JSON(count), "tasks": .array(tasks.prefix(limit).map { Self.json($0, request) }),
          "next": .optional(tasks.count > limit ? Inbox.Place(tasks[limit - 1]).text : nil),
        ])
      }.described(
        gives: Schema.object([
          ("count", Schema.whole),
          (
            "tasks",
            Schema.list(
              Schema.object([
                ("id", Schema.id), ("kind", Schema.text), ("title", Schema.text), ("link", Schema.text),
                ("subjectKind", Schema.text), ("subject", Schema.text), ("due", Schema.maybe(Schema.day)),
                ("dueIsProvisional", Schema.flag), ("urgency", Schema.choice(InboxTask.Urgency.self)),
                ("createdAt", Schema.moment),
              ]))
          ), ("next", Schema.maybe(Schema.text)),
        ]), query: [.cursor("after", Schema.text), .limit(most: 200)]),
      Route.get(
        "/api/v1/inbox/notices", .signedIn,
        summary: Text("尚未收起的通知，新的在前", "Notices that were not put away, newest first")
      ) { request in
        let (principal, limit) = (try request.visitor(), try request.pageLimit(most: 200))
        let before: NoticeID? = try request.queryID("before")
        let found = try await sharing.database.read {
          try Inbox.notices(for: principal, before: before, limit: limit + 1, in: $0)
        }
        return .json([
          "notices": .array(
            found.prefix(limit).map { one in
              [
                "id": .string(one.id.text), "kind": .string(one.kind), "title": .string(request.language(one.title)),
                "link": .string(one.link), "subjectKind": .string(one.subjectKind), "subject": .string(one.subject),
                "createdAt": .string(one.createdAt.description),
              ]
            }), "next": .optional(found.count > limit ? found[limit - 1].id.text : nil),
        ])
      }.described(
        gives: Schema.page(
          "notices",
          Schema.object([
            ("id", Schema.id), ("kind", Schema.text), ("title", Schema.text), ("link", Schema.text),
            ("subjectKind", Schema.text), ("subject", Schema.text), ("createdAt", Schema.moment),
          ])), query: [.cursor("before"), .limit(most: 200)]),
      Route.post(
        "/api/v1/inbox/notices/{id}", .signedIn, summary: Text("收起一条通知", "Put a notice away")
      ) { request in
        let (principal, id) = (try request.visitor(), try request.id(of: Notice.self))
        let now = sharing.clock.now()
        try await sharing.database.write { tx in
          guard try Inbox.dismiss(id, by: principal, at: now, in: tx) else {
            throw Refusal.notFound(Text("通知", "notice"))
          }
        }
        return .json(["dismissed": true])
      }.described(gives: Schema.object([("dismissed", Schema.flag)])),
    ]
  }

  private static func json(_ task: InboxTask, _ request: Request) -> JSON {
    [
      "id": .string(task.id.text), "kind": .string(task.kind), "title": .string(request.language(task.title)),
      "link": .string(task.link), "subjectKind": .string(task.subjectKind), "subject": .string(task.subject),
      "due": .optional(task.due?.description), "dueIsProvisional": JSON(task.isProvisional),
      "urgency": .string(task.urgency(on: request.now.dateInChina).rawValue),
      "createdAt": .string(task.createdAt.description),
    ]
  }
}
