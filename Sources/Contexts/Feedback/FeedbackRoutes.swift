package import Catalog
import Deadlines
import Storage
import Kernel
package import Web

/// What readers say of entries, as pages.
package struct FeedbackRoutes: Sendable {
  let feedback: Feedback

  package static func routes(_ feedback: Feedback) -> [Route] {
    let site = FeedbackRoutes(feedback: feedback)
    return site.objections + site.entries + SavedSearchRoutes(feedback: feedback).routes
      + FeedbackAPI(feedback: feedback).routes
  }

  /// What an entry's own page shows of it.
  package static func section(_ feedback: Feedback) -> CatalogRoutes.Section {
    { request, resource in
      guard let principal = request.principal, principal.may(.readCatalog), resource.state != .draft else {
        return .nothing
      }
      let view = try await feedback.entryView(of: resource, for: principal, threads: 2, ratings: 0)
      return EntryPage.section(request, view, lists: feedback.lists)
    }
  }

  /// What the search page offers: keeping the search.
  package static let tool: CatalogRoutes.Tool = { request, query in
    let t = request.language
    guard !query.encoded.isEmpty, !query.isUnsearchable else { return .nothing }
    return buttonLink(t("收藏这个检索", "Save this search"), href: address("/catalog/saved/new", [("query", query.encoded)]))
  }

  // MARK: - Objections

  private var objections: [Route] {
    [
      .get(FeedbackLink.objections, .permission(.readCatalog)) { request in
        let principal = try request.visitor()
        let side: Feedback.Side =
          try request.queryChoice("side")
          ?? (principal.may(.feedbackCoordinate) ? .all : principal.may(.feedbackAnswer) ? .received : .raised)
        let state: ObjectionState? = try request.queryChoice("state")
        let found = try await feedback.objections(
          for: principal, side: side, state: state, before: try request.queryID("before"), limit: 51)
        return .page(
          ObjectionPages.list(
            request, Array(found.prefix(50)), side: side, state: state, lists: feedback.lists,
            next: found.count > 50 ? found[49].id : nil))
      },
      .get(FeedbackLink.late, .permission(.feedbackCoordinate)) { request in
        let found = try await feedback.lateObjections(
          for: request.visitor(), after: try request.queryPlace("after", Self.latePlace), limit: 51)
        let next = found.count > 50 ? Self.latePlace(of: found[49]) : nil
        return .page(ObjectionPages.late(request, Array(found.prefix(50)), lists: feedback.lists, next: next))
      },
      .get("/feedback/objections/new", .permission(.feedbackRaise)) { request in
        let about = ItemID(request.query["item"] ?? "").map { "item:\($0)" } ?? "entry"
        return try await newPage(request, request.query["resource"], Fields([("about", about)]), nil)
      },
      .post(FeedbackLink.objections, .permission(.feedbackRaise)) { request in
        do {
          let made = try await feedback.raise(try draft(request.form), by: request.visitor())
          return .redirect(
            FeedbackLink.objection(made.id), flash: Text("已送提供部门答复。", "Sent to the provider."))
        } catch let refusal as Refusal where [.invalid, .conflict, .tooMany].contains(refusal.kind) {
          return try await newPage(request, request.form["resource"], request.form, refusal)
        }
      },
      .get("/feedback/objections/{id}", .permission(.readCatalog)) { request in try await page(request) },
      .post(
        "/feedback/objections/{id}", .anyPermission([.feedbackRaise, .feedbackAnswer, .feedbackCoordinate])
      ) { request in
        let id: ObjectionID = try request.id()
        do {
          guard let event = ObjectionEvent(rawValue: request.form["event"] ?? "") else {
            throw Refusal.invalid("feedback.event", "event", Text("请选择要办理的事项。", "Choose what to do."))
          }
          let step = ObjectionStep(
            event, words: request.form["words"] ?? "", correctedBy: request.form["correctedBy"].flatMap { Int($0) })
          _ = try await feedback.act(
            on: id, step, version: Int(request.form["version"] ?? "") ?? 0, by: request.visitor())
          return .redirect(FeedbackLink.objection(id), flash: Text("已办理。", "Done."))
        } catch let refusal as Refusal where refusal.kind == .invalid || refusal.kind == .conflict {
          return try await page(request, entered: request.form, refusal: refusal)
        }
      },
    ]
  }

  /// Where a page of late ones ended.
  static func latePlace(of objection: Objection) -> String? { objection.due.map { "\($0.date)~\(objection.id)" } }

  static func latePlace(_ text: String) -> (due: CalendarDate, id: ObjectionID)? {
    let parts = text.split(separator: "~")
    guard parts.count == 2, let due = CalendarDate(parts[0]), let id = ObjectionID(parts[1]) else { return nil }
    return (due, id)
  }

  private func newPage(_ request: Request, _ id: String?, _ entered: Fields, _ refusal: Refusal?) async throws
    -> Response
  {
    guard let id = ResourceID(id ?? "") else { throw Refusal.notFound(Text("目录", "catalogue entry")) }
    let resource = try await feedback.entry(id, for: request.visitor())
    return .page(
      ObjectionPages.new(
        request, resource, lists: feedback.lists, reply: feedback.rule(ObjectionState.raised.rule), entered: entered,
        refusal: refusal))
  }

  private func draft(_ form: Fields) throws -> ObjectionDraft {
    guard let resource = ResourceID(form["resource"] ?? "") else {
      throw Refusal.notFound(Text("目录", "catalogue entry"))
    }
    guard let about = ObjectionDraft.About(form["about"] ?? "entry") else {
      throw Refusal.invalid("feedback.objection", "about", Text("请选择目录中的一项内容。", "Choose a part of the entry."))
    }
    return ObjectionDraft(
      resource: resource, kind: form["kind"] ?? "", about: about, words: form["words"] ?? "",
      evidence: form["evidence"] ?? "", formKey: form["form"])
  }

  private func page(_ request: Request, entered: Fields = Fields(), refusal: Refusal? = nil) async throws -> Response {
    let (item, events) = try await feedback.objection(request.id(), for: request.visitor())
    let correction = try await feedback.correction(of: item)
    return .page(
      ObjectionPage.render(
        request, item, events, correction: correction, lists: feedback.lists, entered: entered, refusal: refusal))
  }

  // MARK: - Entries: ratings and questions

  private var entries: [Route] {
    [
      .get("/feedback/resources/{id}", .permission(.readCatalog)) { request in
        try await entryPage(request, request.id())
      },
      .post("/feedback/resources/{id}/rating", .permission(.feedbackSpeak)) { request in
        let id: ResourceID = try request.id()
        do {
          try await feedback.rate(
            id, score: Int(request.form["score"] ?? "") ?? 0, words: request.form["words"] ?? "", by: request.visitor())
          return .redirect(FeedbackLink.entry(id, "ratings"), flash: Text("已评分。", "Rated."))
        } catch let refusal as Refusal where [.invalid, .conflict, .tooMany].contains(refusal.kind) {
          return try await entryPage(request, id, entered: request.form, refusal: refusal)
        }
      },
      .post("/feedback/resources/{id}/questions", .permission(.feedbackSpeak)) { request in
        let id: ResourceID = try request.id()
        do {
          let follows = try request.form["follows"].map { text in
            guard let root = QuestionID(text) else { throw Refusal.notFound(Text("咨询", "question")) }
            return root
          }
          let asked = try await feedback.ask(
            request.form["words"] ?? "", about: id, follows: follows, formKey: request.form["form"],
            by: request.visitor())
          return .redirect(asked.link, flash: Text("已送提供部门答复。", "Sent to the provider."))
        } catch let refusal as Refusal where [.invalid, .conflict, .tooMany].contains(refusal.kind) {
          return try await entryPage(request, id, entered: request.form, refusal: refusal)
        }
      },
      .post("/feedback/questions/{id}/answer", .permission(.feedbackAnswer)) { request in
        let id: QuestionID = try request.id()
        do {
          let answered = try await feedback.answer(id, request.form["answer"] ?? "", by: request.visitor())
          return .redirect(answered.link, flash: Text("已答复。", "Answered."))
        } catch let refusal as Refusal where refusal.kind == .invalid || refusal.kind == .conflict {
          let question = try await feedback.question(id, for: request.visitor())
          return try await entryPage(request, question.resource, entered: request.form, refusal: refusal)
        }
      },
    ]
  }

  private func entryPage(
    _ request: Request, _ id: ResourceID, entered: Fields = Fields(), refusal: Refusal? = nil
  ) async throws -> Response {
    let principal = try request.visitor()
    let resource = try await feedback.entry(id, for: principal)
    let view = try await feedback.entryView(
      of: resource, for: principal, threads: 20, ratings: 50, beforeThread: try request.queryID("before"),
      afterRating: try request.queryID("ratings"))
    return .page(EntryPage.render(request, view, lists: feedback.lists, entered: entered, refusal: refusal))
  }
}

extension Feedback {
  /// The version in force as this principal may read it; where none is, the last one.
  func entry(_ id: ResourceID, for principal: Principal) async throws -> Resource {
    try principal.require(.readCatalog)
    return try await cataloguing.resource(principal, id)
  }

  func entryView(
    of resource: Resource, for principal: Principal, threads: Int, ratings: Int, beforeThread: QuestionID? = nil,
    afterRating: OrganisationID? = nil
  ) async throws -> EntryView {
    try principal.require(.readCatalog)
    return try await database.read { tx in
      let found = try QuestionStore.threads(of: resource.id, before: beforeThread, limit: threads + 1, in: tx)
      let given =
        ratings == 0 ? [] : try RatingStore.list(of: resource.id, after: afterRating, limit: ratings + 1, in: tx)
      return EntryView(
        resource: resource, objections: try ObjectionStore.open(on: resource.id, limit: 50, in: tx),
        summary: try RatingStore.summary(of: resource.id, in: tx), ratings: Array(given.prefix(ratings)),
        moreRatings: given.count > ratings && ratings > 0 ? given[ratings - 1].office : nil,
        own: try principal.organisation.flatMap { try RatingStore.find(resource.id, of: $0, in: tx) },
        threads: Array(found.prefix(threads)),
        moreThreads: found.count > threads ? found[threads - 1].first?.root : nil)
    }
  }
}
