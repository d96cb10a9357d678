import Catalog
import Connecting
import Identity
import Inventory
import Kernel
import NationalCrypto
import Reshaping
import Sharing
import Storage
import Transfer

/// Everything that a grant, its resource and its sources say, turned into what the engine needs.
struct PlannedDelivery: Sendable {
  var plan: DeliveryPlan
  var grant: Grant
  var task: ExchangeTask
  var sourceID: SourceID
  var targetID: SourceID
  var source: SourceAddress
  var target: SourceAddress
  /// Everything is to be brought again, also of a source that is followed.
  var beginsAnew = false
  var pace: Pace.Limit
  /// What its rules refer to, to be read before it begins.
  var references: [Reference] = []
}

/// The resource's table as a grant reaches it, and the consumer's source.
struct GrantedEnds {
  var resource: Resource
  var mount: Mount
  var source: (source: DataSource, address: SourceAddress)
  var target: (source: DataSource, address: SourceAddress)
}

extension Exchange {
  /// The sources at both ends of a grant, as far as there are any: for showing, whether they may be used now or not.
  func sources(of grant: Grant, in tx: any Transaction) throws -> [DataSource] {
    let mount = try CatalogStore.find(grant.resource, version: grant.resourceVersion, in: tx)?.mount
    return try [mount?.source, grant.targetSource].compactMap { $0 }.compactMap {
      try InventoryStore.source($0, in: tx)
    }
  }

  /// Where a grant's rows come from and go to; throws why there is no way now.
  func ends(of grant: Grant, in tx: any Transaction) throws -> GrantedEnds {
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
    return GrantedEnds(resource: resource, mount: mount, source: source, target: target)
  }

  /// The catalogue's items are the contract: what the grant lists, in the types and lengths of the version it was given for.
  func plan(
    _ grant: Grant, _ delivery: DeliveryRecord, fence: Int64, in tx: any Transaction
  ) throws -> PlannedDelivery {
    let ends = try ends(of: grant, in: tx)
    let task = try TaskStore.find(grant.id, in: tx)
    var items = try contracts(of: grant, ends.resource)
    var way = DeliveryPlan.OnTheWay()
    way.stopWhen = task.stopWhen
    for rule in task.rules {
      let made = try rule.qualityRule()
      if let column = rule.column {
        // A rule on an item that the grant does not list has nothing to look at.
        guard let place = items.firstIndex(where: { $0.name == column }) else { continue }
        items[place].rules.append(made)
      } else {
        way.rules.append(made)
      }
    }
    way.dictionaries = try tables(task)
    for column in task.columns {
      items.append(
        ItemContract(column.name, column.type, comment: column.comment, source: .expression(column.expression)))
    }
    if let filter = grant.rowFilter {
      way.filter = filter
      let granted = Set(items.map(\.name))
      way.consulted = RowFilter.columns(of: ends.resource).filter { !granted.contains($0.name) }.map {
        ReadPlan.Column($0.name, $0.type)
      }
    }
    var cursor: DeliveryPlan.Cursor?
    if let column = ends.mount.cursorColumn {
      let isNumber = ends.resource.items.first { $0.column == column }?.type == .integer
      cursor = .init(column, isNumber ? .integer : .timestamp)
    }
    let follows = grant.frequency == .continuous
    var plan = DeliveryPlan(
      grant: grant.id.text, run: delivery.id.text, fence: fence,
      mode: follows ? .changes : cursor == nil ? .full : delivery.mode, source: ends.mount.table,
      target: TableName(grant.targetTable), items: items, key: grant.items.filter(\.isKey).map(\.column),
      cursor: follows ? nil : cursor, overlap: .seconds(0), secret: try sharing.secret(of: grant.id, in: tx),
      providerKey: providerKey(of: grant.provider))
    plan.onTheWay = way
    plan.marksDeletes = grant.goneRows == .marked
    plan.heard = try DeliveryStore.lastHeard(grant.id, in: tx)?.text ?? ""
    plan.since = delivery.since.map { CursorValue.timestamp(($0.startInChina.milliseconds - 946_684_800_000) * 1000) }
    plan.changes.ending = delivery.trigger == "command" ? .caughtUp : .after(Self.followingRun)
    let limits = try [ends.source.source.id, ends.target.source.id].map { try SourceLimitStore.find($0, in: tx) }
    let (rows, bytes) = limits[0].stricter(than: limits[1])
    var planned = PlannedDelivery(
      plan: plan, grant: grant, task: task, sourceID: ends.source.source.id, targetID: ends.target.source.id,
      source: ends.source.address, target: ends.target.address,
      beginsAnew: follows && delivery.mode == .full, pace: Pace.Limit(rows: rows, bytes: bytes))
    planned.references = try references(of: items, grant, in: tx)
    return planned
  }

  private func contracts(of grant: Grant, _ resource: Resource) throws -> [ItemContract] {
    try grant.items.map { granted in
      guard let item = resource.item(granted.item), let type = item.type else {
        throw Refusal(
          .conflict, "exchange.contract",
          Text("授权的信息项“\(granted.name)”不在目录中。", "Item “\(granted.name)” is not in the catalogue."))
      }
      return ItemContract(
        granted.column, type, length: type == .text ? item.length : nil, isNullable: item.isNullable && !item.isKey,
        check: check(item.semantic), mask: mask(granted.mask), comment: granted.name)
    }
  }

  /// What rules may speak of: the granted items as they are before masking.
  func ruleColumns(of grant: Grant, in tx: any Transaction) throws -> [ExpressionColumn] {
    guard let resource = try CatalogStore.find(grant.resource, version: grant.resourceVersion, in: tx) else {
      throw Refusal.notFound(Text("资源", "resource"))
    }
    return try contracts(of: grant, resource).map { ExpressionColumn($0.name, $0.type) }
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
    case .reshaped(let mask): .reshaped(mask)
    }
  }
}
