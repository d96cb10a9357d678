internal import Inventory
internal import Kernel
internal import Storage
internal import Web

/// One entry by program: written, submitted, decided, published, taken offline, by the same use cases as the pages.
enum DraftsAPI {
  static func routes(_ cataloguing: Cataloguing) -> [Route] {
    writing(cataloguing) + steps(cataloguing) + reviewing(cataloguing)
  }

  private static func writing(_ cataloguing: Cataloguing) -> [Route] {
    [
      Route.post(
        "/api/v1/catalog/drafts", .permission(.compileCatalog),
        summary: Text("新建一条草稿，可以不完整", "Begin an entry; it may be incomplete")
      ) { request in
        let principal = try request.visitor()
        let given = try read(request)
        guard given.id == nil, given.code.isEmpty, given.reference.isEmpty else {
          throw Refusal.invalid(
            "catalog.draft.key", "id",
            Text(
              "新草稿没有 id、code；按自有标识（reference）写入请用 POST /api/v1/catalog/resources。",
              "A new draft has no id or code; to write by a reference of your own use POST /api/v1/catalog/resources."))
        }
        let system = try await cataloguing.db.read { try Self.system(given, of: principal, in: $0) }
        let items = given.items.map { $0.plain(in: given.metadata.sharingType) }
        let draft = try await cataloguing.draft(principal, system: system, metadata: given.metadata, items: items)
        return try await answer(draft.id, principal, cataloguing, request.language, status: 201)
      }.described(takes: EntryReading.schema, gives: CatalogAPI.draft),
      Route.get(
        "/api/v1/catalog/resources/{id}/draft", .permission(.compileCatalog),
        summary: Text("本单位正在编制或送审的版本，附核验结果和 ETag", "The version being written or reviewed, with findings and its ETag")
      ) { request in
        let draft = try await cataloguing.draftView(request.visitor(), request.id())
        let (resource, findings) = (draft.resource, draft.findings)
        guard [.draft, .returned, .submitted, .approved].contains(resource.state) else { throw Cataloguing.unknown }
        return .json(CatalogAPI.json(resource, findings, request.language).bytes, etag: resource.tag)
      }.described(gives: CatalogAPI.draft),
      Route(
        .put, "/api/v1/catalog/resources/{id}/draft", .permission(.compileCatalog), bodyLimit: 2 << 20,
        summary: Text(
          "整条改写草稿；If-Match 给出所依据版本的 ETag", "Write a draft anew, whole; If-Match names the state it starts from")
      ) { request in
        let principal = try request.visitor()
        let id: ResourceID = try request.id()
        let given = try read(request)
        // Compared and written in one transaction: what is compared outside of it may be another state when it is written.
        let (resource, findings) = try await cataloguing.edit(principal, id) { [request] current, tx in
          try request.requireMatch(current.tag)
          let next = current.taking(given, system: try Self.system(given, of: principal, in: tx))
          return .init(metadata: next.metadata, system: .some(next.system), items: next.items)
        }
        return .json(CatalogAPI.json(resource, findings, request.language).bytes, etag: resource.tag)
      }.described(takes: EntryReading.schema, gives: CatalogAPI.draft),
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
      }.described(gives: CatalogAPI.draft)
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
        let change = request.body.isEmpty ? nil : try VersionChange(json: request.json())
        _ = try await cataloguing.submit(principal, id, because: change)
        return try await answer(id, principal, cataloguing, request.language)
      }.described(takes: VersionChange.schema, gives: CatalogAPI.draft),
      step("recall", Text("审核前撤回", "Recall before it is decided")) { try await cataloguing.recall($0, $1) },
      step("discard", Text("放弃草稿", "Discard a draft")) { try await cataloguing.discard($0, $1) },
    ]
  }

  private static func reviewing(_ cataloguing: Cataloguing) -> [Route] {
    [
      Route.post(
        "/api/v1/catalog/resources/{id}/review", .permission(.reviewCatalog),
        summary: Text(
          "审核：通过（可同时发布）或退回并说明理由", "Decide a review: approve, and publish at once or not, or return with reasons")
      ) { request in
        let (principal, id) = (try request.visitor(), try request.id(of: Resource.self))
        let body = try request.json()
        let decision: ReviewDecision
        switch body["decision"]?.string {
        case "approve": decision = .approve(publish: body["publish"]?.bool ?? false)
        case "return": decision = .sendBack(reasons: trimmed(body["reasons"]?.string ?? ""))
        default:
          throw Refusal.invalid(
            "catalog.review.decision", "decision",
            Text("decision 应为 approve 或 return。", "decision is approve or return."))
        }
        _ = try await cataloguing.decide(principal, id, decision)
        return try await answer(id, principal, cataloguing, request.language)
      }.described(
        takes: [
          "type": "object", "required": ["decision"],
          "properties": [
            "decision": Schema.choice(["approve", "return"]), "publish": Schema.flag, "reasons": Schema.text,
          ],
        ], gives: CatalogAPI.draft),
      Route.post(
        "/api/v1/catalog/resources/{id}/publish", .permission(.reviewCatalog),
        summary: Text("发布已通过审核的版本", "Put an approved version in force")
      ) { request in
        let (principal, id) = (try request.visitor(), try request.id(of: Resource.self))
        _ = try await cataloguing.publish(principal, id)
        return try await answer(id, principal, cataloguing, request.language)
      }.described(gives: CatalogAPI.draft),
      Route.post(
        "/api/v1/catalog/resources/{id}/offline", .anyPermission([.compileCatalog, .reviewCatalog]),
        summary: Text("下架：平台直接下架，部门提出申请", "Take offline: the operator does, a department asks for it")
      ) { request in
        try await turn(request, cataloguing, operators: .takeDown, departments: .requestDown)
      }.described(takes: reasoned, gives: CatalogAPI.draft),
      Route.post(
        "/api/v1/catalog/resources/{id}/online", .anyPermission([.compileCatalog, .reviewCatalog]),
        summary: Text("重新上线：平台直接上线，部门提出申请", "Bring back: the operator does, a department asks for it")
      ) { request in
        try await turn(request, cataloguing, operators: .bringUp, departments: .requestUp)
      }.described(takes: reasoned, gives: CatalogAPI.draft),
    ]
  }

  private static let reasoned: JSON = [
    "type": "object", "required": ["reason"], "properties": ["reason": Schema.text],
  ]

  private static func turn(
    _ request: Request, _ cataloguing: Cataloguing, operators: OnlineEvent, departments: OnlineEvent
  ) async throws -> Response {
    let (principal, id) = (try request.visitor(), try request.id(of: Resource.self))
    let reason = trimmed(try request.json()["reason"]?.string ?? "")
    let version = try await cataloguing.resource(principal, id).version
    let event = principal.may(.reviewCatalog) ? operators : departments
    _ = try await cataloguing.online(principal, id, event, reason: reason)
    return try await answer(id, principal, cataloguing, request.language, version: version)
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
    let (resource, findings) = try await cataloguing.judged(principal, id, version)
    return .json(CatalogAPI.json(resource, findings, language).bytes, status: status, etag: resource.tag)
  }
}

extension Cataloguing {
  /// A version, the one of the greatest number without one, as the principal may see it, with what the rules say of it.
  fileprivate func judged(
    _ principal: Principal, _ id: ResourceID, _ version: Int?
  ) async throws -> (resource: Resource, findings: [Finding]) {
    try await db.read { tx in
      let number = try version ?? CatalogStore.latest(id, in: tx)?.version
      let resource = try visible(principal, id, version: number, in: tx)
      return (resource, try findings(of: resource, in: tx))
    }
  }
}
