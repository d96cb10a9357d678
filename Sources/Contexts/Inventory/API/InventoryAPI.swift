import Kernel
import Web

enum InventoryAPI {
  static func systems(_ register: SystemRegister) -> Route {
    Route.get(
      "/api/v1/systems", .permission(.readInventory),
      summary: Text("信息系统清单，按名称逐页", "Information systems by name, page by page")
    ) { request in
      let listing = try await register.list(
        request.visitor(), words: request.query["q"] ?? "", owner: try request.queryID("owner"),
        after: request.query["after"], limit: try request.pageLimit(most: 200))
      return .json([
        "systems": .array(listing.systems.map { json($0, register.lists) }), "next": .optional(listing.next),
      ])
    }.described(
      gives: Schema.page("systems", system),
      query: [
        QueryParameter("q", Text("名称、编号、功能或单位中的词", "words of name, number, function or owner")),
        QueryParameter("owner", Text("所属单位标识", "the owning organisation's id"), Schema.id),
        .cursor("after", Schema.text), .limit(most: 200),
      ])
  }

  private static let system = Schema.object([
    ("id", Schema.id), ("number", Schema.text), ("name", Schema.text), ("function", Schema.text),
    ("owner", Schema.id), ("ownerName", Schema.text), ("scope", Schema.text), ("frequency", Schema.text),
    ("network", Schema.text), ("stage", Schema.text), ("stageName", Schema.text), ("approvedBy", Schema.text),
    ("approvedOn", Schema.maybe(Schema.day)), ("fundSource", Schema.text), ("registeredAt", Schema.moment),
    ("changedAt", Schema.moment),
  ])

  private static func json(_ system: InformationSystem, _ lists: CodeLists) -> JSON {
    let facts = system.facts
    return [
      "id": .string(system.id.text), "number": .string(system.number), "name": .string(facts.name),
      "function": .string(facts.function), "owner": .string(system.owner.text), "ownerName": .string(system.ownerName),
      "scope": .string(facts.scope), "frequency": .string(facts.frequency), "network": .string(facts.network),
      "stage": .string(facts.stage), "stageName": .string(lists.stages.text(facts.stage).chinese),
      "approvedBy": .string(facts.approvedBy), "approvedOn": .optional(facts.approvedOn?.description),
      "fundSource": .string(facts.fundSource), "registeredAt": .string(system.registeredAt.description),
      "changedAt": .string(system.changedAt.description),
    ]
  }
}
