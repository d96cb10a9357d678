internal import Kernel
internal import Web

extension CatalogRoutes {
  /// The department's own desk.
  static func working(_ cataloguing: Cataloguing) -> [Route] {
    [
      .get("/catalog/work", .permission(.compileCatalog)) { request in
        let filter = try workFilter(request)
        return .page(workPage(request, try await cataloguing.work(request.visitor(), filter), filter))
      },
      .post("/catalog/work", .permission(.compileCatalog)) { request in
        let (principal, filter) = (try request.visitor(), try workFilter(request))
        let picked = request.form.all("pick")
        do {
          let picks =
            request.form["what"] == "first"
            ? try await cataloguing.submittable(principal, filter)
            : try picked.map { text in
              guard let pick = ReviewPick(text) else { throw Cataloguing.unknown }
              return pick
            }
          return .page(
            outcomePage(
              request, try await cataloguing.submit(principal, picks), done: Text("已提交", "Submitted"),
              back: (Text("在编目录", "Entries being written"), CatalogLink.work(filter))))
        } catch let refusal as Refusal where refusal.kind == .invalid {
          return .page(
            workPage(
              request, try await cataloguing.work(principal, filter), filter, picked: Set(picked), refusal: refusal))
        }
      }.answeringOnce(),
    ]
  }

  private static func workFilter(_ request: Request) throws -> WorkFilter {
    WorkFilter(
      view: try request.queryChoice("view") ?? .all, name: String((request.query["q"] ?? "").prefix(100)),
      after: try request.queryPlace("after") { QueuePlace($0) })
  }
}
