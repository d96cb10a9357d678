#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif
import Kernel
package import Web

enum InventoryAPI {
  static func systems(_ register: SystemRegister) -> Route {
    .get(
      "/api/v1/systems", .permission(.readInventory),
      summary: Text(
        "信息系统清单；参数 q、owner、after、limit（最多 200）", "Information systems; parameters q, owner, after, limit (at most 200)")
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
      return .json(
        try json(Page(systems: listing.systems.map { System($0, register.lists) }, next: listing.next)))
    }
  }

  private struct Page: Encodable {
    var systems: [System]
    var next: String?
  }

  private struct System: Encodable {
    var id: String
    var number: String
    var name: String
    var function: String
    var owner: String
    var ownerName: String
    var scope: String
    var frequency: String
    var network: String
    var stage: String
    var stageName: String
    var approvedBy: String
    var approvedOn: String?
    var fundSource: String
    var changedAt: String

    init(_ system: InformationSystem, _ lists: CodeLists) {
      id = system.id.text
      number = system.number
      name = system.facts.name
      function = system.facts.function
      owner = system.owner.text
      ownerName = system.ownerName
      scope = system.facts.scope
      frequency = system.facts.frequency
      network = system.facts.network
      stage = system.facts.stage
      stageName = lists.stages.text(system.facts.stage).chinese
      approvedBy = system.facts.approvedBy
      approvedOn = system.facts.approvedOn?.description
      fundSource = system.facts.fundSource
      changedAt = system.changedAt.description
    }
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

/// JSON with keys in order, so that equal values have equal texts.
package func json(_ value: some Encodable) throws -> [UInt8] {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
  return Array(try encoder.encode(value))
}
