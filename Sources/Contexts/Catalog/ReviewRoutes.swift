internal import Kernel
internal import Web

extension CatalogRoutes {
  /// The reviewer's queue and decisions.
  static func reviewing(_ cataloguing: Cataloguing) -> [Route] {
    [
      .get("/catalog/review", .permission(.reviewCatalog)) { request in
        let filter = try queueFilter(request)
        return .page(queuePage(request, try await cataloguing.queue(request.visitor(), filter), filter))
      },
      .post("/catalog/review", .permission(.reviewCatalog)) { request in
        let filter = try queueFilter(request)
        let picked = request.form.all("pick")
        do {
          guard let (decision, done) = bulk(request.form) else { throw noDecision }
          try checkSent(request.form)
          let picks = try picked.map { text in
            guard let pick = ReviewPick(text) else { throw Cataloguing.unknown }
            return pick
          }
          return .page(
            outcomePage(
              request, try await cataloguing.decide(request.visitor(), picks, decision), done: done,
              words: request.form["reasons"]))
        } catch let refusal as Refusal where refusal.kind == .invalid {
          return .page(
            queuePage(
              request, try await cataloguing.queue(request.visitor(), filter), filter, picked: Set(picked),
              values: request.form, refusal: refusal))
        }
      }.answeringOnce(),
      .get("/catalog/review/{id}", .permission(.reviewCatalog)) { request in
        let view = try await cataloguing.reviewView(request.visitor(), request.id())
        return .page(
          reviewPage(
            request, view, values: Fields(), refusal: nil, lists: cataloguing.lists,
            classification: cataloguing.classification))
      },
      .post("/catalog/review/{id}", .permission(.reviewCatalog)) { request in
        let id: ResourceID = try request.id()
        let seen = request.form["revision"].flatMap { Int($0) }
        do {
          try checkSent(request.form)
          switch request.form["decision"] {
          case "return":
            _ = try await cataloguing.decide(
              request.visitor(), id,
              .sendBack(reasons: request.form["reasons"] ?? "", notes: typedNotes(request.form)), seen: seen)
            return .redirect(CatalogLink.queue, flash: Text("已退回。", "Returned."))
          case "approve":
            let resource = try await cataloguing.decide(request.visitor(), id, .approve(publish: false), seen: seen)
            return .redirect(CatalogLink.queue, flash: registered(resource))
          case "approve-publish":
            let resource = try await cataloguing.decide(request.visitor(), id, .approve(publish: true), seen: seen)
            return .redirect(CatalogLink.resource(id), flash: registered(resource))
          case "publish":
            _ = try await cataloguing.decide(request.visitor(), id, .publish, seen: seen)
            return .redirect(CatalogLink.resource(id), flash: Text("已发布。", "Published."))
          default: throw noDecision
          }
        } catch let refusal as Refusal where keepsTyping(refusal) {
          let view = try await cataloguing.reviewView(request.visitor(), id)
          let isChanged = seen.map { $0 != view.resource.revision } ?? false
          return .page(
            reviewPage(
              request, view, values: request.form, refusal: isChanged ? changed(view.resource) : refusal,
              lists: cataloguing.lists, classification: cataloguing.classification))
        }
      },
      .get("/catalog/review/{id}/online", .permission(.reviewCatalog)) { request in
        .page(try await onlineRequest(request, cataloguing, values: Fields(), refusal: nil))
      },
      .post("/catalog/review/{id}/online", .permission(.reviewCatalog)) { request in
        let id: ResourceID = try request.id()
        do {
          let resource = try await cataloguing.resource(request.visitor(), id)
          let isUp = resource.online == .upAuditing
          let event: OnlineEvent
          switch request.form["decision"] {
          case "approve": event = isUp ? .approveUp : .approveDown
          case "reject": event = isUp ? .rejectUp : .rejectDown
          default: throw noDecision
          }
          let state = try await cataloguing.online(
            request.visitor(), id, event, reason: request.form["reason"] ?? "",
            since: request.form["since"].flatMap { Instant($0) })
          return .redirect(CatalogLink.resource(id), flash: state.title)
        } catch let refusal as Refusal where keepsTyping(refusal) {
          let told = refusal.code == CatalogStore.changedMeanwhile.code ? askedAnew : refusal
          return .page(try await onlineRequest(request, cataloguing, values: request.form, refusal: told))
        }
      },
    ]
  }

  private static func onlineRequest(
    _ request: Request, _ cataloguing: Cataloguing, values: Fields, refusal: Refusal?
  ) async throws -> Page {
    let (principal, id) = (try request.visitor(), try request.id() as ResourceID)
    let view = try await cataloguing.view(principal, id, version: nil)
    return onlineRequestPage(
      request, view,
      touches: try await cataloguing.dependents(principal, id, after: dependentsPlace(request)), values: values,
      refusal: refusal)
  }

  private static let noDecision = Refusal.invalid(
    "catalog.decision", "reasons", Text("请选择通过或退回。", "Choose approval or return."))

  /// What is wrong with a decision, or came too late for it, is said beside what was typed.
  private static func keepsTyping(_ refusal: Refusal) -> Bool { [.invalid, .conflict].contains(refusal.kind) }

  /// Refuses words beside a decision that sends none.
  private static func checkSent(_ form: Fields) throws {
    guard let decision = form["decision"], decision != "return" else { return }
    let typed = (form["reasons"] == nil ? [] : ["reasons"]) + typedNotes(form).map { "note.\($0.field)" }
    guard typed.isEmpty else {
      throw Refusal(
        .invalid, "catalog.review.words", ReviewDecision.wordsUnsent,
        faults: typed.map { Refusal.Fault($0, ReviewDecision.wordsUnsent) })
    }
  }

  private static let askedAnew = Refusal(
    .conflict, CatalogStore.changedMeanwhile.code,
    Text(
      "您审核期间这项申请有了变动，您的决定没有办理；请核对现在的情况再决定。",
      "This request changed while you read it. Your decision was not taken: check what it says now, then decide."))

  /// The reviewer decided on what is no longer so.
  private static func changed(_ now: Resource) -> Refusal {
    Refusal(
      .conflict, CatalogStore.changedMeanwhile.code,
      Text(
        "您审核期间这条目录有了变动，现在第 \(now.version) 版的状态是“\(now.state.title.chinese)”，您的决定没有办理。",
        "This entry changed while you reviewed it: version \(now.version) is now “\(now.state.title.english)”. Your decision was not taken."
      ))
  }

  private static func bulk(_ form: Fields) -> (ReviewDecision, done: Text)? {
    switch form["decision"] {
    case "return": (.sendBack(reasons: form["reasons"] ?? ""), Text("已退回", "Returned"))
    case "approve": (.approve(publish: false), Text("已登记", "Registered"))
    case "approve-publish": (.approve(publish: true), Text("已登记并发布", "Registered and published"))
    case "publish": (.publish, Text("已发布", "Published"))
    default: nil
    }
  }

  private static func queueFilter(_ request: Request) throws -> QueueFilter {
    QueueFilter(
      view: try request.queryChoice("view") ?? .submitted, provider: try request.queryID("provider"),
      waitingSince: try request.queryDay("since"), due: try request.queryChoice("due"),
      found: try request.queryChoice("found"), after: try request.queryPlace("after") { QueuePlace($0) })
  }

  private static func registered(_ resource: Resource) -> Text {
    let code = resource.code?.description ?? ""
    return resource.state == .published
      ? Text("已登记并发布，代码 \(code)。", "Registered as \(code) and published.")
      : Text("已登记，代码 \(code)，待发布。", "Registered as \(code), to be published.")
  }
}
