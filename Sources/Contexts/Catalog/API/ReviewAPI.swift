internal import Deadlines
internal import Inventory
internal import Kernel
internal import Web

/// The reviewer's queue for programs, and decisions on many entries at once: by the same use cases as the pages.
enum ReviewAPI {
  static func routes(_ cataloguing: Cataloguing) -> [Route] {
    queue(cataloguing) + online(cataloguing)
  }

  private static func queue(_ cataloguing: Cataloguing) -> [Route] {
    [
      Route.get(
        "/api/v1/catalog/review", .permission(.reviewCatalog),
        summary: Text(
          "待审核或待发布的版本及其核验结果，等待最久的在前",
          "Versions that wait for a decision, with what the rules say; longest waiting first")
      ) { request in
        let filter = QueueFilter(
          view: (try request.queryChoice("state", of: Waiting.self) ?? .submitted).view,
          provider: try request.queryID("provider"), waitingSince: try request.queryDay("since"),
          due: try request.queryChoice("due"), found: try request.queryChoice("found"),
          after: try request.queryPlace("after") { QueuePlace($0) }, limit: try request.pageLimit(most: 200))
        let page = try await cataloguing.queue(request.visitor(), filter)
        return .json([
          "entries": .array(page.entries.map { json($0, request.language) }), "next": .optional(page.next?.text),
          "offices": .array(page.offices.map { ["id": .string($0.id.text), "name": .string($0.name)] }),
        ])
      }.described(
        gives: Schema.object([
          ("entries", Schema.list(entry)), ("next", Schema.maybe(Schema.text)),
          ("offices", Schema.list(Schema.object([("id", Schema.id), ("name", Schema.text)]))),
        ]),
        query: [
          QueryParameter(
            "state",
            Text("submitted 待审核（缺省），approved 待发布", "submitted, the default, or approved and not yet published"),
            Schema.choice(Waiting.self)),
          QueryParameter("provider", Text("提供方标识", "the provider's id"), Schema.id),
          QueryParameter("since", Text("这一天或之前提交的", "submitted on this day or before it"), Schema.day),
          QueryParameter(
            "due", Text("办理期限：逾期、今天、以后", "until when it must be decided"), Schema.choice(QueueFilter.Due.self)),
          QueryParameter(
            "found", Text("提交时的核验：没有提示、有请核对、有相近目录", "what was found when it was submitted"),
            Schema.choice(QueueFilter.Found.self)),
          .cursor("after", Schema.text), .limit(most: 200),
        ]),
      Route.post(
        "/api/v1/catalog/review", .permission(.reviewCatalog),
        summary: Text(
          "一次审核多条，至多 \(ReviewPick.limit) 条：各条分别办理，并给出所审版本的 etag；已变动的不办",
          "Decide on many, at most \(ReviewPick.limit), each by itself; each names the etag of what was read, and one that changed since is not decided"
        )
      ) { request in
        let body = try request.members("decision", "publish", "reasons", "entries")
        let outcomes = try await cataloguing.decide(
          request.visitor(), picks(body), decision(body, orPublish: true))
        return answer(outcomes, request.language)
      }.described(
        takes: [
          "type": "object", "required": ["decision", "entries"], "additionalProperties": false,
          "properties": [
            "decision": Schema.choice(["approve", "return", "publish"]), "publish": Schema.maybe(Schema.flag),
            "reasons": Schema.maybe(Schema.text), "entries": Self.picked,
          ],
        ], gives: outcomes),
      Route.get(
        "/api/v1/catalog/resources/{id}/alike", .permission(.reviewCatalog),
        summary: Text("与最新版本相近的目录，最相近的在前", "Entries that come nearest to the latest version, the nearest first")
      ) { request in
        let view = try await cataloguing.reviewView(request.visitor(), request.id())
        return .json([
          "entries": .array(
            view.nearest.map { near in
              [
                "id": .string(near.resource.id.text), "version": JSON(near.resource.version),
                "code": .optional(near.resource.code?.description), "name": .string(near.resource.metadata.name),
                "provider": .string(near.resource.provider.text), "providerName": .string(near.resource.providerName),
                "isUnderReview": JSON(near.isUnderReview), "sharedItems": JSON(near.likeness.shared),
                "itemCount": JSON(near.likeness.other), "nameInPercent": JSON(near.likeness.name),
              ]
            })
        ])
      }.described(
        gives: Schema.object([
          (
            "entries",
            Schema.list(
              Schema.object([
                ("id", Schema.id), ("version", Schema.whole), ("code", Schema.maybe(Schema.text)),
                ("name", Schema.text), ("provider", Schema.id), ("providerName", Schema.text),
                ("isUnderReview", Schema.flag), ("sharedItems", Schema.whole), ("itemCount", Schema.whole),
                ("nameInPercent", Schema.number(0...100)),
              ]))
          )
        ])),
    ]
  }

  /// What departments ask about entries in the catalogue: taking offline, bringing back.
  private static func online(_ cataloguing: Cataloguing) -> [Route] {
    [
      Route.get(
        "/api/v1/catalog/review/online", .permission(.reviewCatalog),
        summary: Text("等待审核的上下架申请，等待最久的在前", "Requests to take offline or bring back, longest waiting first")
      ) { request in
        let page = try await cataloguing.queue(
          request.visitor(),
          QueueFilter(
            view: .online, after: try request.queryPlace("after") { QueuePlace($0) },
            limit: try request.pageLimit(most: 200)))
        return .json([
          "requests": .array(
            page.requests.map { asked in
              let due = asked.due.flatMap { DueDate(encoded: $0) }
              return [
                "id": .string(asked.id.text), "version": JSON(asked.version), "online": .string(asked.state.rawValue),
                "name": .string(asked.name), "provider": .string(asked.provider.text),
                "providerName": .string(asked.providerName), "askedAt": .string(asked.at.description),
                "due": .optional(due?.date.description), "dueIsProvisional": JSON(due?.provisional ?? false),
              ]
            }), "next": .optional(page.next?.text),
        ])
      }.described(
        gives: Schema.page(
          "requests",
          Schema.object([
            ("id", Schema.id), ("version", Schema.whole), ("online", Schema.choice(OnlineState.self)),
            ("name", Schema.text), ("provider", Schema.id), ("providerName", Schema.text), ("askedAt", Schema.moment),
            ("due", Schema.maybe(Schema.day)), ("dueIsProvisional", Schema.flag),
          ])), query: [.cursor("after", Schema.text), .limit(most: 200)]),
      Route.post(
        "/api/v1/catalog/resources/{id}/online/review", .permission(.reviewCatalog),
        summary: Text(
          "审核上下架申请；If-Match 给出所审目录的 ETag",
          "Decide on a request to take offline or bring back; If-Match names the state that was read")
      ) { request in
        let body = try request.members("decision", "reason")
        let approves: Bool
        switch try body.text("decision") {
        case "approve": approves = true
        case "reject": approves = false
        default:
          throw body.refusal(
            "catalog.online.decision", "decision",
            Text("decision 应为 approve 或 reject。", "decision is approve or reject."))
        }
        return try await DraftsAPI.turn(request, cataloguing, reason: body.text("reason"), mustMatch: true) {
          // What is asked for is told by the state that was read; If-Match sees to it that it is still the same.
          $0.online == .upAuditing
            ? (approves ? .approveUp : .rejectUp) : (approves ? .approveDown : .rejectDown)
        }
      }.minding(.required).described(
        takes: [
          "type": "object", "required": ["decision"], "additionalProperties": false,
          "properties": [
            "decision": Schema.choice(["approve", "reject"]), "reason": Schema.maybe(Schema.text),
          ],
        ], gives: CatalogAPI.judged),
      Route.post(
        "/api/v1/catalog/resources/{id}/online/recall", .permission(.compileCatalog),
        summary: Text("撤回上下架申请", "Take a request to take offline or bring back back")
      ) { request in
        try await DraftsAPI.turn(request, cataloguing, reason: nil, mustMatch: false) { _ in .recall }
      }.minding(.honoured).described(gives: CatalogAPI.judged),
    ]
  }

  // MARK: What is taken

  /// Of the queue's views those that list versions.
  private enum Waiting: String, CaseIterable {
    case submitted, approved

    var view: QueueFilter.View { self == .submitted ? .submitted : .approved }
  }

  /// What is decided, by the members `decision`, `publish` and `reasons`; `publish` alone is a decision where many are put
  /// in force that were approved before.
  static func decision(
    _ body: JSONMembers, orPublish: Bool = false, notes: [ReviewNote] = []
  ) throws -> ReviewDecision {
    let (publish, reasons) = (try body.flag("publish"), trimmed(try body.text("reasons") ?? ""))
    let choice = try body.text("decision")
    // Words go out only with a return: elsewhere they would be lost.
    if choice == "approve" || choice == "publish",
      let idle = !reasons.isEmpty ? "reasons" : !notes.isEmpty ? "notes" : nil
    {
      throw body.refusal("catalog.review.words", idle, ReviewDecision.wordsUnsent)
    }
    switch choice {
    case "approve": return .approve(publish: publish ?? false)
    case "publish" where orPublish: return .publish
    case "return":
      guard publish != true else {
        throw body.refusal(
          "catalog.review.decision", "publish",
          Text("退回的版本不能同时发布。", "What is returned cannot be published."))
      }
      return .sendBack(reasons: reasons, notes: notes)
    default:
      let names = orPublish ? ["approve", "return", "publish"] : ["approve", "return"]
      throw body.refusal(
        "catalog.review.decision", "decision",
        Text(
          "decision 应为下列之一：\(names.joined(separator: "、"))。",
          "decision is one of: \(names.joined(separator: ", "))."))
    }
  }

  /// The entries of a body, each as it was read.
  static func picks(_ body: JSONMembers) throws -> [ReviewPick] {
    guard let entries = try body.objects("entries", of: ["id", "etag"], most: ReviewPick.limit), !entries.isEmpty else {
      throw body.refusal(
        "catalog.picks", "entries", Text("请在 entries 中给出要办理的目录。", "Say in entries which are meant."))
    }
    return try entries.map { entry in
      guard let id = try entry.id("id", of: Resource.self) else {
        throw entry.refusal("catalog.picks", "id", Text("请给出目录标识 id。", "Say which entry: id."))
      }
      guard let tag = try entry.text("etag") else {
        throw entry.refusal(
          "catalog.picks", "etag",
          Text("请给出所依据版本的 etag（先读取，再办理）。", "Give the etag of the state you read: read first, then decide."))
      }
      return ReviewPick(id: id, tag: EntityTag(tag).text)
    }
  }

  static let picked: JSON = [
    "type": "array", "minItems": 1, "maxItems": JSON(ReviewPick.limit),
    "items": [
      "type": "object", "required": ["id", "etag"], "additionalProperties": false,
      "properties": ["id": Schema.id, "etag": Schema.text],
    ],
  ]

  // MARK: What is answered

  private static let entry = Schema.object([
    ("id", Schema.id), ("version", Schema.whole), ("state", Schema.choice(VersionState.self)), ("etag", Schema.text),
    ("code", Schema.maybe(Schema.text)), ("name", Schema.text), ("provider", Schema.id), ("providerName", Schema.text),
    ("submittedAt", Schema.maybe(Schema.moment)), ("due", Schema.maybe(Schema.day)), ("dueIsProvisional", Schema.flag),
    ("errors", Schema.whole), ("warnings", Schema.whole), ("alike", Schema.whole),
    ("findings", Schema.list(Finding.schema)), ("change", VersionChange.answer),
  ])

  private static func json(_ entry: QueueEntry, _ language: Language) -> JSON {
    let line = entry.line
    return [
      "id": .string(line.id.text), "version": JSON(line.version), "state": .string(line.state.rawValue),
      "etag": .string(line.tag), "code": .optional(line.code), "name": .string(line.name),
      "provider": .string(line.provider.text), "providerName": .string(line.providerName),
      "submittedAt": .optional(line.submittedAt?.description), "due": .optional(line.reviewDue?.date.description),
      "dueIsProvisional": JSON(line.reviewDue?.provisional ?? false), "errors": JSON(entry.errors),
      "warnings": JSON(entry.warnings), "alike": JSON(line.alike ?? 0),
      "findings": .array(entry.findings.filter { $0.severity != .hint }.map { $0.json(language) }),
      "change": line.change?.json ?? .null,
    ]
  }

  /// What became of each of several; `problem` says why one was left as it was.
  static let outcomes = Schema.object([
    ("done", Schema.whole), ("refused", Schema.whole),
    (
      "entries",
      Schema.list(
        Schema.object([
          ("id", Schema.id), ("isDone", Schema.flag), ("name", Schema.maybe(Schema.text)),
          ("version", Schema.maybe(Schema.whole)), ("state", Schema.maybe(Schema.choice(VersionState.self))),
          ("code", Schema.maybe(Schema.text)), ("etag", Schema.maybe(Schema.text)), ("problem", Schema.maybe(problem)),
        ]))
    ),
  ])

  private static let problem = Schema.object([
    ("type", Schema.text), ("title", Schema.text), ("status", Schema.whole), ("detail", Schema.text),
    ("errors", Schema.list(Schema.object([("pointer", Schema.text), ("detail", Schema.text)]))),
  ])

  static func answer(_ outcomes: [ReviewOutcome], _ language: Language) -> Response {
    let refused = outcomes.count { $0.refusal != nil }
    return .json([
      "done": JSON(outcomes.count - refused), "refused": JSON(refused),
      "entries": .array(
        outcomes.map { one in
          [
            "id": .string(one.pick.id.text), "isDone": JSON(one.refusal == nil), "name": .optional(one.name),
            "version": .optional(one.resource?.version), "state": .optional(one.resource?.state.rawValue),
            "code": .optional(one.resource?.code?.description), "etag": .optional(one.resource?.tag),
            "problem": one.refusal.map { refusal in
              let body = Problem(refusal, language: language).body
              let errors = JSON.Member("errors", .array([]))
              return .object((body.members ?? []) + (refusal.faults.isEmpty ? [errors] : []))
            } ?? .null,
          ]
        }),
    ])
  }
}
