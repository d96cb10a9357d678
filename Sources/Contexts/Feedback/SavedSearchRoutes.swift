import Catalog
import Kernel
import Web

/// The searches a person keeps.
struct SavedSearchRoutes: Sendable {
  let feedback: Feedback

  var routes: [Route] {
    [
      .get(FeedbackLink.saved, .permission(.readCatalog)) { request in
        let kept = try await feedback.savedSearches(of: request.visitor())
        return .page(SavedPages.list(request, kept) { words(request, $0.search.query, $0.providerName) })
      },
      .get("/catalog/saved/new", .permission(.readCatalog)) { request in
        try await newPage(request, query(request.query["query"]), Fields(), nil)
      },
      .post(FeedbackLink.saved, .permission(.readCatalog)) { request in
        let query = query(request.form["query"])
        do {
          let kept = try await feedback.save(query, as: request.form["name"] ?? "", by: request.visitor())
          return .redirect(
            FeedbackLink.saved(kept.id), flash: Text("已收藏，有新变化时提醒您。", "Saved; you will hear of news."))
        } catch let refusal as Refusal where refusal.kind == .invalid || refusal.kind == .conflict {
          return try await newPage(request, query, request.form, refusal)
        }
      },
      .get("/catalog/saved/{id}", .permission(.readCatalog)) { request in try await page(request) },
      .post("/catalog/saved/{id}", .permission(.readCatalog)) { request in
        let id: SavedSearchID = try request.id()
        do {
          let step = try Self.step(
            request.form["step"], name: request.form["name"], to: request.form["to"].flatMap { Int($0) })
          try await feedback.change(id, step, by: request.visitor())
          return step == .delete
            ? .redirect(FeedbackLink.saved, flash: Text("已删除。", "Deleted."))
            : .redirect(FeedbackLink.saved(id), flash: Text("已办理。", "Done."))
        } catch let refusal as Refusal where refusal.kind == .invalid || refusal.kind == .conflict {
          return try await page(request, entered: request.form, refusal: refusal)
        }
      },
    ]
  }

  static func step(_ step: String?, name: String?, to place: Int?) throws -> Feedback.SearchStep {
    switch step {
    case "seen": return .seen(to: place ?? 0)
    case "pause": return .pause
    case "resume": return .resume
    case "delete": return .delete
    case "rename": return .rename(name ?? "")
    default: throw Refusal.invalid("feedback.search.step", "step", Text("请选择要做的事。", "Choose what to do."))
    }
  }

  private func query(_ encoded: String?) -> CatalogQuery { CatalogQuery(encoded: String((encoded ?? "").prefix(2000))) }

  private func newPage(
    _ request: Request, _ query: CatalogQuery, _ entered: Fields, _ refusal: Refusal?
  ) async throws -> Response {
    var entered = entered
    if entered["name"] == nil, !query.text.isEmpty { entered.pairs.append(("name", query.text)) }
    let provider = try await feedback.officeName(query.provider)
    return .page(
      SavedPages.new(request, query, words: words(request, query, provider), entered: entered, refusal: refusal))
  }

  private func page(_ request: Request, entered: Fields = Fields(), refusal: Refusal? = nil) async throws -> Response {
    let news = try await feedback.savedSearch(request.id(), of: request.visitor())
    return .page(
      SavedPages.one(
        request, news, words: words(request, news.search.query, news.providerName), entered: entered, refusal: refusal))
  }

  private func words(_ request: Request, _ query: CatalogQuery, _ provider: String?) -> String {
    SavedPages.words(
      request.language, query, provider: provider, lists: feedback.lists,
      classification: feedback.cataloguing.classification)
  }
}
