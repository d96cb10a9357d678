internal import Inventory
internal import Kernel
internal import Storage
internal import Web

/// One entry by program: written, submitted, decided, published, taken offline, by the same use cases as the pages.
enum DraftsAPI {
  static func routes(_ cataloguing: Cataloguing) -> [Route] {
    writing(cataloguing) + steps(cataloguing) + reviewing(cataloguing)
  }

  /// Of one entry, in bytes.
  private static let entryLimit = 2 << 20

  private static func writing(_ cataloguing: Cataloguing) -> [Route] {
    [
      Route.get(
        "/api/v1/catalog/drafts", .permission(.compileCatalog),
        summary: Text(
          "本单位正在编制、送审、被退回和待发布的版本", "One's office's versions that are written, reviewed, returned or not yet published")
      ) { request in
        let limit = try request.pageLimit(most: 200)
        let found = try await cataloguing.openVersions(
          request.visitor(),
          in: try request.queryChoice("state", of: OpenState.self).map { [$0] } ?? OpenState.allCases,
          name: String((request.query["q"] ?? "").prefix(100)), after: try request.queryID("after"), limit: limit + 1)
        return .json([
          "drafts": .array(
            found.prefix(limit).map { line in
              [
                "id": .string(line.id.text), "version": JSON(line.version), "state": .string(line.state.rawValue),
                "etag": .string(line.tag), "code": .optional(line.code), "name": .string(line.name),
                "changedAt": .string(line.changedAt.description),
                "submittedAt": .optional(line.submittedAt?.description),
              ]
            }),
          "next": .optional(found.count > limit ? found[limit - 1].id.text : nil),
        ])
      }.described(
        gives: Schema.page(
          "drafts",
          Schema.object([
            ("id", Schema.id), ("version", Schema.whole), ("state", Schema.choice(OpenState.self)),
            ("etag", Schema.text), ("code", Schema.maybe(Schema.text)), ("name", Schema.text),
            ("changedAt", Schema.moment),
            ("submittedAt", Schema.maybe(Schema.moment)),
          ])),
        query: [
          QueryParameter("state", Text("状态", "where it stands"), Schema.choice(OpenState.self)),
          QueryParameter("q", Text("名称的一部分", "any part of the name")), .cursor("after"), .limit(most: 200),
        ]),
      Route.post(
        "/api/v1/catalog/drafts", .permission(.compileCatalog), bodyLimit: entryLimit,
        summary: Text("新建一条草稿，可以不完整", "Begin an entry; it may be incomplete")
      ) { request in
        let principal = try request.visitor()
        let given = try read(request)
        guard given.change == nil else {
          throw Refusal.invalid(
            "catalog.draft.change", "change",
            Text("首次编目没有变更原因（change）。", "A first version has no reason of change."))
        }
        guard given.id == nil, given.code.isEmpty, given.reference.isEmpty else {
          throw Refusal.invalid(
            "catalog.draft.key", "id",
            Text(
              "新草稿没有 id、code；按自有标识（reference）写入请用 POST /api/v1/catalog/resources。",
              "A new draft has no id or code; to write by a reference of your own use POST /api/v1/catalog/resources."))
        }
        let system = try await cataloguing.db.read { tx in
          if let office = principal.organisation { try cataloguing.checkProvider(of: given, office, in: tx) }
          return try Self.system(given, of: principal, in: tx)
        }
        let items = given.items.map { $0.plain(in: given.metadata.sharingType) }
        let draft = try await cataloguing.draft(principal, system: system, metadata: given.metadata, items: items)
        return try await answer(draft.id, principal, cataloguing, request.language, status: 201)
      }.described(takes: EntryReading.schema, gives: CatalogAPI.judged, status: 201),
      Route.get(
        "/api/v1/catalog/resources/{id}/draft", .anyPermission([.compileCatalog, .reviewCatalog]),
        summary: Text(
          "正在编制或送审的版本，附核验结果、退回意见和 ETag；本单位和审核人可见",
          "The version being written or reviewed, with findings, the reasons of its return and its ETag; for its department and the reviewer"
        )
      ) { request in
        let draft = try await cataloguing.judged(request.visitor(), request.id(), nil)
        guard OpenState(rawValue: draft.resource.state.rawValue) != nil else { throw Cataloguing.unknown }
        return .json(CatalogAPI.json(draft, request.language).bytes, etag: draft.resource.tag)
      }.described(gives: CatalogAPI.judged),
      Route(
        .put, "/api/v1/catalog/resources/{id}/draft", .permission(.compileCatalog), bodyLimit: entryLimit,
        summary: Text(
          "整条改写草稿；If-Match 给出所依据版本的 ETag", "Write a draft anew, whole; If-Match names the state it starts from")
      ) { request in
        let principal = try request.visitor()
        let id: ResourceID = try request.id()
        let given = try read(request)
        // Compared and written in one transaction: what is compared outside of it may be another state when it is written.
        let (resource, findings) = try await cataloguing.edit(principal, id) { [request] current, tx in
          try request.requireMatch(current.tag)
          try check(given, is: current)
          if let change = given.change,
            try !change.saysTheSame(as: CatalogStore.change(of: id, version: current.version, in: tx))
          {
            throw Refusal.invalid(
              "catalog.draft.change", "change",
              Text("变更原因（change）请在提交审核（…/submit）时给出。", "Give the reason of change when it is submitted (…/submit)."))
          }
          try cataloguing.checkProvider(of: given, current.provider, in: tx)
          let next = current.taking(given, system: try Self.system(given, of: principal, in: tx))
          return .init(metadata: next.metadata, system: .some(next.system), items: next.items)
        }
        return .json(CatalogAPI.json(resource, findings, request.language).bytes, etag: resource.tag)
      }.minding(.required).described(takes: EntryReading.schema, gives: CatalogAPI.draft),
    ]
  }

  private static func steps(_ cataloguing: Cataloguing) -> [Route] {
    func step(
      _ verb: String, _ summary: Text, status: Int = 200,
      _ body: @escaping @Sendable (Principal, ResourceID) async throws -> Void
    ) -> Route {
      Route.post("/api/v1/catalog/resources/{id}/\(verb)", .permission(.compileCatalog), summary: summary) { request in
        let (principal, id) = (try request.visitor(), try request.id(of: Resource.self))
        try await body(principal, id)
        return try await answer(id, principal, cataloguing, request.language, status: status)
      }.described(gives: CatalogAPI.judged, status: status)
    }
    return [
      step("change", Text("由在用版本起草下一版本", "Begin the next version of what is in force"), status: 201) {
        _ = try await cataloguing.beginChange($0, $1)
      },
      Route.post(
        "/api/v1/catalog/resources/{id}/submit", .permission(.compileCatalog),
        summary: Text("提交审核；后续版本须说明变更原因", "Submit for review; a later version says why it was written")
      ) { request in
        let (principal, id) = (try request.visitor(), try request.id(of: Resource.self))
        let body = request.body.isEmpty ? JSON.object([JSON.Member]()) : try request.json()
        let change = body.members?.isEmpty == true ? nil : try VersionChange(json: body)
        _ = try await cataloguing.submit(principal, id, because: change) { try request.honourMatch($0.tag) }
        return try await answer(id, principal, cataloguing, request.language)
      }.minding(.honoured).described(
        takes: VersionChange.schema(mayBeEmpty: true), mayBeEmpty: true, gives: CatalogAPI.judged),
      Route.post(
        "/api/v1/catalog/resources/{id}/move-class", .permission(.compileCatalog),
        summary: Text(
          "把目录由停用的分类移到其后继：改在草稿中，核对后提交", "Put an entry of a retired class into its successor, in a draft to be submitted"
        )
      ) { request in
        let (principal, id) = (try request.visitor(), try request.id(of: Resource.self))
        let body = try request.members("class")
        guard let code = try body.text("class") else {
          throw body.refusal("catalog.class", "class", Text("请给出停用的分类 class。", "Say which retired class: class."))
        }
        _ = try await cataloguing.moveToSuccessor(principal, id, from: code)
        return try await answer(id, principal, cataloguing, request.language)
      }.described(
        takes: Schema.taken(["class"], [("class", Schema.text)]), gives: CatalogAPI.judged),
      step("recall", Text("审核前撤回", "Recall before it is decided")) { try await cataloguing.recall($0, $1) },
      Route.post(
        "/api/v1/catalog/resources/{id}/discard", .permission(.compileCatalog), summary: Text("放弃草稿", "Discard a draft")
      ) { request in
        let (principal, id) = (try request.visitor(), try request.id(of: Resource.self))
        try await cataloguing.discard(principal, id) { try request.honourMatch($0.tag) }
        return try await answer(id, principal, cataloguing, request.language)
      }.minding(.honoured).described(gives: CatalogAPI.judged),
    ]
  }

  private static func reviewing(_ cataloguing: Cataloguing) -> [Route] {
    [
      Route.post(
        "/api/v1/catalog/resources/{id}/review", .permission(.reviewCatalog),
        summary: Text(
          "审核：通过（可同时发布）或退回并说明理由；If-Match 给出所审版本的 ETag",
          "Decide a review: approve, and publish at once or not, or return with reasons; If-Match names the state that was read"
        )
      ) { request in
        let (principal, id) = (try request.visitor(), try request.id(of: Resource.self))
        let body = try request.members("decision", "publish", "reasons", "notes")
        let notes = try body.objects("notes", of: ["pointer", "words"], most: ReviewNote.limits.notes) ?? []
        let resource = notes.isEmpty ? nil : try await cataloguing.judged(principal, id, nil).resource
        let decision = try ReviewAPI.decision(body, notes: try ReviewNote.each(notes, in: resource))
        // Items are known by their place in what was read: by If-Match, that is what is decided.
        _ = try await cataloguing.decide(principal, id, decision) { try request.requireMatch($0.tag) }
        return try await answer(id, principal, cataloguing, request.language)
      }.minding(.required).described(
        takes: Schema.taken(
          ["decision"],
          [
            ("decision", Schema.choice(["approve", "return"])), ("publish", Schema.maybe(Schema.flag)),
            ("reasons", Schema.maybe(Schema.text)),
            (
              "notes",
              Schema.maybe(
                Schema.list(
                  Schema.taken(["pointer", "words"], [("pointer", Schema.text), ("words", Schema.text)])))
            ),
          ]), gives: CatalogAPI.judged),
      Route.post(
        "/api/v1/catalog/resources/{id}/publish", .permission(.reviewCatalog),
        summary: Text("发布已通过审核的版本", "Put an approved version in force")
      ) { request in
        let (principal, id) = (try request.visitor(), try request.id(of: Resource.self))
        _ = try await cataloguing.decide(principal, id, .publish) { try request.honourMatch($0.tag) }
        return try await answer(id, principal, cataloguing, request.language)
      }.minding(.honoured).described(gives: CatalogAPI.judged),
      Route.post(
        "/api/v1/catalog/resources/{id}/offline", .anyPermission([.compileCatalog, .reviewCatalog]),
        summary: Text("下架：平台直接下架，部门提出申请", "Take offline: the operator does, a department asks for it")
      ) { request in
        try await turn(request, cataloguing, reason: request.members("reason").text("reason")) { _ in
          try request.visitor().may(.reviewCatalog) ? .takeDown : .requestDown
        }
      }.minding(.honoured).described(takes: reasoned, gives: CatalogAPI.judged),
      Route.post(
        "/api/v1/catalog/resources/{id}/online", .anyPermission([.compileCatalog, .reviewCatalog]),
        summary: Text("重新上线：平台直接上线，部门提出申请", "Bring back: the operator does, a department asks for it")
      ) { request in
        try await turn(request, cataloguing, reason: request.members("reason").text("reason")) { _ in
          try request.visitor().may(.reviewCatalog) ? .bringUp : .requestUp
        }
      }.minding(.honoured).described(takes: reasoned, gives: CatalogAPI.judged),
    ]
  }

  private static let reasoned = Schema.taken(["reason"], [("reason", Schema.text)])

  /// Lets one thing happen to whether a resource is offered; `event` tells which by the version that counts now.
  static func turn(
    _ request: Request, _ cataloguing: Cataloguing, reason: String?, mustMatch: Bool = false,
    _ event: (Resource) throws -> OnlineEvent
  ) async throws -> Response {
    let (principal, id) = (try request.visitor(), try request.id(of: Resource.self))
    let before = try await cataloguing.resource(principal, id)
    _ = try await cataloguing.online(principal, id, event(before), reason: trimmed(reason ?? "")) { resource, tx in
      // As a change answered it, or as it is read, with what was measured of it.
      let condition = try CatalogSearch.condition(of: id, version: resource.version, in: tx)
      let tags = (resource.tag, resource.tag(condition))
      try mustMatch ? request.requireMatch(tags.0, tags.1) : request.honourMatch(tags.0, tags.1)
    }
    return try await answer(id, principal, cataloguing, request.language, version: before.version)
  }

  // MARK: Parts

  /// One whole entry; what cannot be read of it is refused with the place.
  private static func read(_ request: Request) throws -> GivenEntry {
    let given = EntryReading.entry(try request.json(), at: request.now)
    guard given.faults.isEmpty else {
      throw Refusal.invalid("catalog.entry", given.faults.map { Refusal.Fault($0.pointer, $0.message) })
    }
    return given
  }

  /// A draft that is written anew is the one of the address: another's keys are no part of it, nor is a reference, which is
  /// kept by writing with it.
  private static func check(_ given: GivenEntry, is current: Resource) throws {
    var faults: [Refusal.Fault] = []
    if let id = given.id, id != current.id {
      faults.append(.init("id", Text("这是另一条目录的 id。", "This is the id of another entry.")))
    }
    if !given.code.isEmpty, given.code != current.code?.description {
      faults.append(.init("code", Text("这不是本条目录的代码。", "This is not the entry's code.")))
    }
    if !given.reference.isEmpty {
      faults.append(
        .init(
          "reference",
          Text(
            "按自有标识（reference）写入请用 POST /api/v1/catalog/resources。",
            "To write by a reference of your own use POST /api/v1/catalog/resources.")))
    }
    if !faults.isEmpty { throw Refusal.invalid("catalog.draft.key", faults) }
  }

  private static func system(
    _ given: GivenEntry, of principal: Principal, in tx: any Transaction
  ) throws -> SystemID? {
    guard !given.system.isEmpty, let office = principal.organisation else { return nil }
    let systems = SystemNames(try InventoryStore.systems(of: office, in: tx))
    guard let found = systems.find(given.system) else {
      throw Refusal.invalid(
        "catalog.system", "system", Text("请选择本单位登记的信息系统。", "Choose a system your organisation registered."))
    }
    return found
  }

  /// A version as it stands now, the latest without a number, with what the rules say of it.
  private static func answer(
    _ id: ResourceID, _ principal: Principal, _ cataloguing: Cataloguing, _ language: Language, version: Int? = nil,
    status: Int = 200
  ) async throws -> Response {
    let judged = try await cataloguing.judged(principal, id, version)
    return .json(CatalogAPI.json(judged, language).bytes, status: status, etag: judged.resource.tag)
  }
}

/// What a version is while it is worked on.
enum OpenState: String, Sendable, CaseIterable {
  case draft, returned, submitted, approved
}

/// A version with what the rules say of it, and what the reviewer said when it was sent back.
struct JudgedVersion: Sendable {
  var resource: Resource
  var findings: [Finding]
  /// The reviewer's sending this version back, unless it was submitted again since.
  var sentBack: CatalogStore.Event?
  /// What he said then at single elements.
  var notes: [ReviewNote]
  /// Why it was written, of a later version.
  var change: VersionChange?
}

extension Cataloguing {
  /// The office's versions that are worked on, by the ids of their entries.
  fileprivate func openVersions(
    _ principal: Principal, in states: [OpenState], name: String, after: ResourceID?, limit: Int
  ) async throws -> [CatalogStore.Line] {
    try principal.require(.compileCatalog)
    guard let office = principal.organisation else { return [] }
    return try await db.read { tx in
      try CatalogStore.open(of: office, in: states.map(\.rawValue), name: name, after: after, limit: limit, in: tx)
    }
  }

  /// A version, the one of the greatest number without one, as the principal may see it.
  fileprivate func judged(_ principal: Principal, _ id: ResourceID, _ version: Int?) async throws -> JudgedVersion {
    try await db.read { tx in
      let number = try version ?? CatalogStore.latest(id, in: tx)?.version
      let resource = try visible(principal, id, version: number, in: tx)
      let isInsider = principal.may(.reviewCatalog) || principal.organisation == resource.provider
      let sentBack = isInsider ? try CatalogStore.sentBack(resource, in: tx) : nil
      return JudgedVersion(
        resource: resource, findings: try findings(of: resource, in: tx), sentBack: sentBack,
        notes: sentBack == nil ? [] : try CatalogStore.notes(of: id, version: resource.version, in: tx),
        change: try CatalogStore.change(of: id, version: resource.version, in: tx))
    }
  }
}
