internal import Deadlines
internal import Inventory
internal import Kernel
internal import Web

/// The versions of an entry: which there were, when each was in force, what happened, and what differs between two.
enum VersionsAPI {
  static func routes(_ cataloguing: Cataloguing) -> [Route] {
    [
      Route.get(
        "/api/v1/catalog/resources/{id}/versions", .permission(.readCatalog),
        summary: Text(
          "一个信息资源的各版本、各自在用的时间和经过，新的在前",
          "The versions of a resource, when each was in force and what happened, newest first")
      ) { request in
        let view = try await cataloguing.view(request.visitor(), request.id(), version: nil)
        return .json([
          "versions": .array(
            view.versions.map { line in
              [
                "version": JSON(line.version), "state": .string(line.state.rawValue), "name": .string(line.name),
                "changedAt": .string(line.changedAt.description), "change": line.change?.json ?? .null,
              ]
            }),
          "inForce": .array(
            view.periods.reversed().map { period in
              [
                "version": JSON(period.version), "from": .string(period.from.description),
                "until": .optional(period.until?.description),
              ]
            }),
          "events": .array(
            view.events.map { event in
              [
                "at": .string(event.at.description), "version": JSON(event.version), "event": .string(event.event),
                "organisation": .string(event.organisation), "words": .string(event.words),
              ]
            }),
        ])
      }.described(
        gives: Schema.object([
          (
            "versions",
            Schema.list(
              Schema.object([
                ("version", Schema.whole), ("state", Schema.choice(VersionState.self)), ("name", Schema.text),
                ("changedAt", Schema.moment), ("change", VersionChange.answer),
              ]))
          ),
          (
            "inForce",
            Schema.list(
              Schema.object([
                ("version", Schema.whole), ("from", Schema.moment), ("until", Schema.maybe(Schema.moment)),
              ]))
          ),
          (
            "events",
            Schema.list(
              Schema.object([
                ("at", Schema.moment), ("version", Schema.whole),
                ("event", Schema.choice(VersionEvent.allCases.map(\.rawValue) + OnlineEvent.allCases.map(\.rawValue))),
                ("organisation", Schema.text), ("words", Schema.text),
              ]))
          ),
        ])),
      Route.get(
        "/api/v1/catalog/resources/{id}/compare", .permission(.readCatalog),
        summary: Text(
          "两个版本逐项比较：元数据和信息项；缺省为可见的最后两版",
          "What differs between two versions, element by element and item by item; by default the last two that one sees"
        )
      ) { request in
        let (old, new, versions) = try await cataloguing.compare(
          request.visitor(), request.id(), from: try CatalogRoutes.version(request, "from"),
          to: try CatalogRoutes.version(request, "to"))
        let difference = VersionDifference(
          from: old, to: new, lists: cataloguing.lists, classification: cataloguing.classification)
        return .json([
          "id": .string(new.id.text), "from": JSON(old.version), "to": JSON(new.version),
          "versions": .array(versions.map { JSON($0) }),
          "elements": .array(difference.metadata.map { json($0, request.language) }),
          "items": .array(difference.items.map { json($0, request.language) }),
        ])
      }.described(
        gives: Schema.object([
          ("id", Schema.id), ("from", Schema.whole), ("to", Schema.whole), ("versions", Schema.list(Schema.whole)),
          ("elements", Schema.list(change)),
          (
            "items",
            Schema.list(
              Schema.object([
                ("id", Schema.id), ("name", Schema.text), ("column", Schema.text),
                ("change", Schema.choice(VersionDifference.ItemChange.Kind.self)), ("properties", Schema.list(change)),
              ]))
          ),
        ]),
        query: [
          QueryParameter("from", Text("前一版的版本号", "number of the earlier version"), Schema.number(1...1_000_000)),
          QueryParameter("to", Text("后一版的版本号", "number of the later version"), Schema.number(1...1_000_000)),
        ]),
    ]
  }

  /// `name` is that of the member in an entry or an item; the two values are told in words.
  private static let change = Schema.object([
    ("name", Schema.text), ("title", Schema.text), ("old", Schema.text), ("new", Schema.text),
  ])

  private static func json(_ change: VersionDifference.Change, _ language: Language) -> JSON {
    [
      "name": .string(change.name), "title": .string(language(change.title)), "old": .string(language(change.old)),
      "new": .string(language(change.new)),
    ]
  }

  private static func json(_ change: VersionDifference.ItemChange, _ language: Language) -> JSON {
    [
      "id": .string(change.item.id.text), "name": .string(change.item.name), "column": .string(change.item.column),
      "change": .string(change.kind.rawValue), "properties": .array(change.changes.map { json($0, language) }),
    ]
  }
}
