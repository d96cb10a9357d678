import Catalog
import Kernel
import Web

// Saved searches for programs.

extension FeedbackAPI {
  /// What a search may be kept by.
  private static let filters = ["q", "class", "provider", "sharing", "format", "cycle", "mounted", "fresh"]

  var searches: [Route] {
    [
      Route.get(
        "/api/v1/feedback/searches", .permission(.readCatalog),
        summary: Text("本人收藏的检索和新变化的条数", "One's saved searches with how much is new")
      ) { request in
        let kept = try await feedback.savedSearches(of: request.visitor())
        return .json(["searches": .array(kept.map { Self.json($0) })])
      }.described(gives: Schema.object([("searches", Schema.list(Self.search))])),
      Route.post(
        "/api/v1/feedback/searches", .permission(.readCatalog),
        summary: Text("收藏一个检索；字段同目录检索的参数", "Keep a search; members as the catalogue's query takes them")
      ) { request in
        let body = try JSONMembers(request.json(), ["name"] + Self.filters)
        // As the catalogue's own query is read, so that a filter it does not understand is refused here too.
        var asked = request
        asked.query = Fields(try Self.filters.compactMap { name in try body.text(name).map { (name, $0) } })
        let kept = try await feedback.save(
          feedback.cataloguing.known(CatalogRoutes.query(asked)), as: try body.text("name") ?? "", by: request.visitor()
        )
        return .json(Self.json(try await feedback.savedSearch(kept.id, of: request.visitor())))
      }.described(
        takes: Self.takes(["name"], [("name", Schema.text)] + Self.filters.map { ($0, Schema.text) }),
        gives: Self.search),
      Route.get(
        "/api/v1/feedback/searches/{id}", .permission(.readCatalog),
        summary: Text("一个收藏的检索里的新变化", "What is new in a saved search")
      ) { request in
        let news = try await feedback.savedSearch(request.id(), of: request.visitor())
        return .json([
          "search": Self.json(news),
          "entries": .array(
            news.entries.map { entry in
              [
                "id": .string(entry.id.text), "version": JSON(entry.version), "name": .string(entry.name),
                "providerName": .string(entry.providerName), "publishedOn": .string("\(entry.publishedOn)"),
              ]
            }),
          "withdrawn": .array(
            news.losses.map { loss in
              [
                "id": .string(loss.resource.text), "name": .string(loss.name), "at": .string(loss.at.description),
              ]
            }),
        ])
      }.described(
        gives: Schema.object([
          ("search", Self.search),
          (
            "entries",
            Schema.list(
              Schema.object([
                ("id", Schema.id), ("version", Schema.whole), ("name", Schema.text), ("providerName", Schema.text),
                ("publishedOn", Schema.day),
              ]))
          ),
          (
            "withdrawn",
            Schema.list(Schema.object([("id", Schema.id), ("name", Schema.text), ("at", Schema.moment)]))
          ),
        ])),
      Route.post(
        "/api/v1/feedback/searches/{id}", .permission(.readCatalog),
        summary: Text(
          "seen 看过（至 head）、pause、resume、rename、delete", "seen (up to head), pause, resume, rename or delete it")
      ) { request in
        let body = try request.members("step", "name", "to")
        let step = try SavedSearchRoutes.step(body.text("step"), name: body.text("name"), to: body.whole("to"))
        try await feedback.change(request.id(), step, by: request.visitor())
        return .json(["done": true])
      }.described(
        takes: Self.takes(
          ["step"],
          [
            ("step", Schema.choice(["seen", "pause", "resume", "rename", "delete"])), ("name", Schema.text),
            ("to", Schema.whole),
          ]), gives: Schema.object([("done", Schema.flag)])),
    ]
  }
}
