internal import Deadlines
internal import Kernel
internal import Web

extension CatalogRoutes {
  /// Submitting, comparing, and taking offline and back.
  static func versions(_ cataloguing: Cataloguing) -> [Route] {
    [
      .get("/catalog/resources/{id}/submit", .permission(.compileCatalog)) { request in
        .page(try await submitPage(request, cataloguing, values: Fields(), refusal: nil))
      },
      .post("/catalog/resources/{id}/submit", .permission(.compileCatalog)) { request in
        let id: ResourceID = try request.id()
        do {
          let resource = try await cataloguing.submit(request.visitor(), id, because: change(request.form))
          return .redirect(
            CatalogLink.resource(id, version: resource.version), flash: Text("已提交审核。", "Submitted for review."))
        } catch let refusal as Refusal where refusal.code == "catalog.findings" {
          let draft = try await cataloguing.draftView(request.visitor(), id)
          return .page(
            metadataForm(
              request, draft, values: metadataValues(draft.resource), refusal: refusal, lists: cataloguing.lists,
              classification: cataloguing.classification))
        } catch let refusal as Refusal where refusal.kind == .invalid {
          return .page(try await submitPage(request, cataloguing, values: request.form, refusal: refusal))
        }
      },
      .get("/catalog/resources/{id}/compare", .anyPermission([.readCatalog, .compileCatalog, .reviewCatalog])) {
        request in
        let (old, new, versions) = try await cataloguing.compare(
          request.visitor(), request.id(), from: try CatalogRoutes.version(request, "from"),
          to: try CatalogRoutes.version(request, "to"))
        return .page(
          comparePage(
            request, old: old, new: new, versions: versions, lists: cataloguing.lists,
            classification: cataloguing.classification))
      },
      .get("/catalog/resources/{id}/offline", .anyPermission([.compileCatalog, .reviewCatalog])) { request in
        .page(try await onlinePage(request, cataloguing, down: true, values: Fields(), refusal: nil))
      },
      .post("/catalog/resources/{id}/offline", .anyPermission([.compileCatalog, .reviewCatalog])) { request in
        try await turn(request, cataloguing, down: true)
      },
      .get("/catalog/resources/{id}/online", .anyPermission([.compileCatalog, .reviewCatalog])) { request in
        .page(try await onlinePage(request, cataloguing, down: false, values: Fields(), refusal: nil))
      },
      .post("/catalog/resources/{id}/online", .anyPermission([.compileCatalog, .reviewCatalog])) { request in
        try await turn(request, cataloguing, down: false)
      },
      .post("/catalog/resources/{id}/online/recall", .permission(.compileCatalog)) { request in
        let id: ResourceID = try request.id()
        let state = try await cataloguing.online(request.visitor(), id, .recall)
        return .redirect(CatalogLink.resource(id), flash: state.title)
      },
    ]
  }

  /// The operator does it, a department asks for it.
  private static func event(_ principal: Principal, down: Bool) -> OnlineEvent {
    principal.may(.reviewCatalog) ? (down ? .takeDown : .bringUp) : (down ? .requestDown : .requestUp)
  }

  private static func turn(_ request: Request, _ cataloguing: Cataloguing, down: Bool) async throws -> Response {
    let (principal, id) = (try request.visitor(), try request.id() as ResourceID)
    do {
      let state = try await cataloguing.online(
        principal, id, event(principal, down: down), reason: request.form["reason"] ?? "")
      return .redirect(CatalogLink.resource(id), flash: state.title)
    } catch let refusal as Refusal where refusal.kind == .invalid {
      return .page(try await onlinePage(request, cataloguing, down: down, values: request.form, refusal: refusal))
    }
  }

  private static func onlinePage(
    _ request: Request, _ cataloguing: Cataloguing, down: Bool, values: Fields, refusal: Refusal?
  ) async throws -> Page {
    let principal = try request.visitor()
    let resource = try await cataloguing.resource(principal, request.id())
    let event = event(principal, down: down)
    _ = try resource.online.applying(event)
    let touches =
      down
      ? try await cataloguing.dependents(principal, resource.id, after: CatalogRoutes.dependentsPlace(request)) : .none
    return Catalog.onlinePage(
      request, resource, event: event, touches: touches, values: values, refusal: refusal)
  }

  /// Where a page of what hangs on a resource begins.
  static func dependentsPlace(_ request: Request) -> String? { request.query["after"].map { String($0.prefix(64)) } }

  private static func submitPage(
    _ request: Request, _ cataloguing: Cataloguing, values: Fields, refusal: Refusal?
  ) async throws -> Page {
    let principal = try request.visitor()
    let draft = try await cataloguing.draftView(principal, request.id()).resource
    _ = try draft.state.applying(.submit)
    let before = draft.version > 1 ? try await cataloguing.resource(principal, draft.id) : nil
    let rules = RuleSet.inForce(on: request.now.dateInChina, of: cataloguing.rules)
    return Catalog.submitPage(
      request, draft, before: before,
      rules: ["catalogue.update", "catalogue.update.extension"].compactMap { rules[$0] }, values: values,
      refusal: refusal, lists: cataloguing.lists, classification: cataloguing.classification)
  }

  /// Nil when no reason was chosen: then a later version is refused, and a first one needs none.
  private static func change(_ form: Fields) throws -> VersionChange? {
    guard let kind = form["kind"].flatMap({ VersionChange.Kind(rawValue: $0) }) else { return nil }
    let trigger = try form["trigger"].map { text in
      guard let day = CalendarDate(text) else {
        throw Refusal.invalid(
          "catalog.change.reason", "trigger", Text("日期应如 2026-03-01。", "A day is written as 2026-03-01."))
      }
      return day
    }
    return VersionChange(kind, words: form["words"] ?? "", trigger: trigger)
  }
}
