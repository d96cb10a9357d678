import Kernel
package import Web

enum InventoryAPI {
  static func systems(_ register: SystemRegister) -> Route {
    Route.get(
      "/api/v1/systems", .permission(.readInventory),
      summary: Text("信息系统清单，按名称逐页", "Information systems by name, page by page")
    ) { request in
      let owner = try request.query["owner"].map { text in
        guard let id = OrganisationID(text) else {
          throw Refusal.invalid("inventory.owner", "owner", Text("owner 不是单位标识。", "owner is no organisation's id."))
        }
        return id
      }
      let listing = try await register.list(
        request.visitor(), words: request.query["q"] ?? "", owner: owner, after: request.query["after"],
        limit: try pageLimit(request, most: 200))
      return .json([
        "systems": .array(listing.systems.map { json($0, register.lists) }), "next": .optional(listing.next),
      ])
    }.described(query: [
      ("q", Text("名称、编号、功能或单位中的词", "words of name, number, function or owner")),
      ("owner", Text("所属单位标识", "the owning organisation's id")),
      ("after", Text("上一页的 next", "next of the page before")),
      ("limit", Text("每页条数，最多 200", "at most 200 a page")),
    ])
  }

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

/// `limit` of a list, refused when it is no number in its range.
package func pageLimit(_ request: Request, most: Int, usual: Int = 50) throws -> Int {
  guard let text = request.query["limit"] else { return usual }
  guard let limit = Int(text), (1...most).contains(limit) else {
    throw Refusal.invalid(
      "page.limit", "limit", Text("limit 应为 1 到 \(most) 的整数。", "limit must be a whole number from 1 to \(most)."))
  }
  return limit
}
