import Catalog
import Connecting
import Identity
import Inventory
import Kernel
import NationalCrypto
import Sharing
import Storage
import Transfer

/// Everything that a grant, its resource and its sources say, turned into what the engine needs.
struct PlannedDelivery: Sendable {
  var plan: DeliveryPlan
  var grant: Grant
  var source: SourceAddress
  var target: SourceAddress
}

extension Exchange {
  /// The catalogue's items are the contract: what the grant lists, in the types and lengths of the version it was given for.
  func plan(
    _ grant: Grant, run: DeliveryID, mode: DeliveryPlan.Mode, fence: Int64, in tx: any Transaction
  ) throws -> PlannedDelivery {
    guard let resource = try CatalogStore.find(grant.resource, version: grant.resourceVersion, in: tx),
      let mount = resource.mount
    else { throw Refusal(.conflict, "exchange.not-mounted", Text("资源没有挂接数据表。", "The resource is not mounted.")) }
    guard let source = try InventoryStore.address(of: mount.source, seal: seal, in: tx),
      let target = try InventoryStore.address(of: grant.targetSource, seal: seal, in: tx)
    else { throw Refusal(.conflict, "exchange.no-source", Text("数据源已不存在。", "A data source is gone.")) }
    guard source.source.owner == grant.provider, target.source.owner == grant.consumer else {
      throw Refusal(
        .forbidden, "exchange.owner", Text("数据源不属于授权的双方。", "A data source belongs to neither side of the grant."))
    }
    for side in [source, target] {
      try admission.check(side.source, side.address, owner: OrganisationStore.find(side.source.owner, in: tx))
    }
    let items = try grant.items.map { granted -> ItemContract in
      guard let item = resource.item(granted.item), let type = item.type else {
        throw Refusal(
          .conflict, "exchange.contract",
          Text("授权的信息项“\(granted.name)”不在目录中。", "Item “\(granted.name)” is not in the catalogue."))
      }
      return ItemContract(
        granted.column, type, length: type == .text ? item.length : nil, isNullable: item.isNullable && !item.isKey,
        check: check(item.semantic), mask: mask(granted.mask), comment: granted.name)
    }
    var cursor: DeliveryPlan.Cursor?
    if let column = mount.cursorColumn {
      cursor = .init(column, resource.items.first { $0.column == column }?.type == .integer ? .integer : .timestamp)
    }
    let secret = try sharing.secret(of: grant.id, in: tx)
    let plan = DeliveryPlan(
      grant: grant.id.text, run: run.text, fence: fence, mode: cursor == nil ? .full : mode, source: mount.table,
      target: TableName(grant.targetTable), items: items, key: grant.items.filter(\.isKey).map(\.column),
      cursor: cursor,
      overlap: .seconds(0), secret: secret, providerKey: providerKey(of: grant.provider))
    return PlannedDelivery(plan: plan, grant: grant, source: source.address, target: target.address)
  }

  /// The key that seals bad rows for their provider, derived from the node's own.
  func providerKey(of organisation: OrganisationID) -> [UInt8] {
    deriveKey(from: nodeKey, use: "quarantine of \(organisation)")
  }

  private func check(_ semantic: String?) -> ItemContract.Check {
    switch semantic {
    case "uscc": .creditCode
    case "citizen-id": .citizenID
    case "organisation-code": .organisationCode
    default: .none
    }
  }

  private func mask(_ mask: Mask) -> ItemContract.Mask {
    switch mask {
    case .none: .none
    case .keepHeadTail(let head, let tail): .keepHeadTail(head, tail)
    case .pseudonym: .pseudonym
    }
  }
}
