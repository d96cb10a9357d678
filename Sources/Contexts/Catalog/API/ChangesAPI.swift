internal import Kernel
internal import Web

/// The feed by which other systems keep a copy of the catalogue.
enum ChangesAPI {
  static func routes(_ cataloguing: Cataloguing) -> [Route] {
    [
      Route.get(
        "/api/v1/catalog/changes", .permission(.readCatalog),
        summary: Text(
          "目录变更流：登记、发布（含新版本）、下架，按序号；记住 last 即不会遗漏",
          "The catalogue's changes: registrations, publications (new versions with them), withdrawals, by number; who keeps last misses nothing"
        )
      ) { request in
        let after = try request.queryPlace("after") { text in Int(text).flatMap { $0 >= 0 ? $0 : nil } }
        let page = try await cataloguing.changes(
          request.visitor(), after: after ?? 0, limit: try request.pageLimit(most: Cataloguing.mostChanges, usual: 100))
        return .json([
          "changes": .array(page.changes.map(json)), "last": JSON(page.last), "hasMore": JSON(page.hasMore),
        ])
      }.described(
        gives: Schema.object([
          (
            "changes",
            Schema.list(
              Schema.object([
                ("seq", Schema.whole), ("event", Schema.choice(CatalogChange.Event.self)), ("id", Schema.id),
                ("version", Schema.whole), ("code", Schema.text), ("provider", Schema.id), ("at", Schema.moment),
              ]))
          ),
          ("last", Schema.whole), ("hasMore", Schema.flag),
        ]),
        query: [
          QueryParameter(
            "after", Text("上次得到的 last；从头开始为 0", "last of the page before; 0 from the beginning"),
            Schema.number(0...Int(Int32.max))),
          .limit(most: Cataloguing.mostChanges, usual: 100),
        ])
    ]
  }

  private static func json(_ change: CatalogChange) -> JSON {
    [
      "seq": JSON(change.seq), "event": .string(change.event.rawValue), "id": .string(change.resource.text),
      "version": JSON(change.version), "code": .string(change.code), "provider": .string(change.provider.text),
      "at": .string(change.at.description),
    ]
  }
}
