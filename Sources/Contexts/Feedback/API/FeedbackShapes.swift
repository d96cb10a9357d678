import Catalog
import Deadlines
import Kernel
import Web

// What the interface takes and answers.

extension FeedbackAPI {
  static func takes(_ required: [String], _ members: [(String, JSON)]) -> JSON {
    Schema.taken(required, members.map { ($0.0, required.contains($0.0) ? $0.1 : Schema.maybe($0.1)) })
  }

  static let resourceParameter = QueryParameter("resource", Text("目录标识", "the entry's id"), Schema.id)

  static func resource(_ request: Request) throws -> ResourceID {
    guard let id: ResourceID = try request.queryID("resource") else {
      throw Refusal.invalid("web.query", "resource", Text("请指明目录 resource。", "Say which entry: resource."))
    }
    return id
  }

  private static let objectionMembers: [(String, JSON)] = [
    ("id", Schema.id), ("number", Schema.text), ("version", Schema.whole),
    ("state", Schema.choice(ObjectionState.self)),
    ("since", Schema.moment), ("resource", Schema.id), ("resourceVersion", Schema.whole), ("resourceName", Schema.text),
    ("provider", Schema.text), ("raiser", Schema.text), ("kind", Schema.text), ("about", Schema.text),
    ("words", Schema.text), ("evidence", Schema.text), ("correctedBy", Schema.maybe(Schema.whole)),
    ("due", Schema.maybe(Schema.day)), ("dueIsProvisional", Schema.flag), ("raisedAt", Schema.moment),
  ]

  static let objection = Schema.object(objectionMembers)
  static let objectionWithEvents = Schema.object(
    objectionMembers + [
      (
        "events",
        Schema.list(
          Schema.object([
            ("at", Schema.moment), ("event", Schema.choice(ObjectionEvent.self)), ("organisation", Schema.text),
            ("words", Schema.maybe(Schema.text)), ("due", Schema.maybe(Schema.day)),
          ]))
      )
    ])

  static func json(_ item: Objection) -> JSON { .object(members(item)) }

  static func json(_ item: Objection, _ events: [ObjectionStore.Event]) -> JSON {
    .object(
      members(item) + [
        (
          "events",
          .array(
            events.map { event in
              [
                "at": .string(event.at.description), "event": .string(event.event.rawValue),
                "organisation": .string(event.organisation), "words": .optional(event.words),
                "due": .optional(event.due.map { "\($0.date)" }),
              ]
            })
        )
      ])
  }

  private static func members(_ item: Objection) -> [(String, JSON)] {
    [
      ("id", .string(item.id.text)), ("number", .string(item.number)), ("version", JSON(item.version)),
      ("state", .string(item.state.rawValue)), ("since", .string(item.changedAt.description)),
      ("resource", .string(item.resource.text)), ("resourceVersion", JSON(item.resourceVersion)),
      ("resourceName", .string(item.resourceName)), ("provider", .string(item.providerName)),
      ("raiser", .string(item.raiserName)), ("kind", .string(item.kind)), ("about", .string(item.about.draft.text)),
      ("words", .string(item.words)), ("evidence", .string(item.evidence)),
      ("correctedBy", .optional(item.correctedBy)), ("due", .optional(item.due.map { "\($0.date)" })),
      ("dueIsProvisional", .bool(item.due?.provisional ?? false)), ("raisedAt", .string(item.createdAt.description)),
    ]
  }

  static let question = Schema.object([
    ("id", Schema.id), ("thread", Schema.id), ("resource", Schema.id), ("resourceName", Schema.text),
    ("provider", Schema.text), ("asker", Schema.text), ("words", Schema.text), ("askedAt", Schema.moment),
    ("due", Schema.maybe(Schema.day)), ("answer", Schema.maybe(Schema.text)),
    ("answeredAt", Schema.maybe(Schema.moment)),
  ])

  static func json(_ one: Question) -> JSON {
    [
      "id": .string(one.id.text), "thread": .string(one.root.text), "resource": .string(one.resource.text),
      "resourceName": .string(one.resourceName), "provider": .string(one.providerName),
      "asker": .string(one.askerName), "words": .string(one.words), "askedAt": .string(one.createdAt.description),
      "due": .optional(one.due.map { "\($0.date)" }), "answer": .optional(one.answer?.words),
      "answeredAt": .optional(one.answer?.at.description),
    ]
  }

  static let search = Schema.object([
    ("id", Schema.id), ("name", Schema.text), ("address", Schema.text), ("isPaused", Schema.flag),
    ("new", Schema.whole), ("hasMore", Schema.flag), ("head", Schema.whole),
  ])

  static func json(_ news: SearchNews) -> JSON {
    let search = news.search
    return [
      "id": .string(search.id.text), "name": .string(search.name),
      "address": .string(CatalogRoutes.address(of: search.query)), "isPaused": .bool(search.isPaused),
      "new": JSON(news.count), "hasMore": .bool(news.hasMore), "head": JSON(news.head),
    ]
  }
}
