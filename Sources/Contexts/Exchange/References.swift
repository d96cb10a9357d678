import Catalog
import Connecting
import Identity
import Inventory
import Kernel
import Reshaping
import Sharing
import Storage
import Transfer

/// What a rule refers to: the key of another resource of the same provider, read before the rows are.
struct Reference: Sendable {
  /// The resource's code, by which the rule names it.
  var name: String
  var source: SourceAddress
  var keys: ReferenceKeys
}

extension Exchange {
  /// What the rules of these items refer to. A provider's rule may only ask the provider's own resources: of others' it would tell
  /// which keys there are.
  func references(of items: [ItemContract], _ grant: Grant, in tx: any Transaction) throws -> [Reference] {
    var found: [String: Reference] = [:]
    for item in items {
      for rule in item.rules {
        guard case .reference(let code) = rule.kind else { continue }
        let reference = try reference(to: code, as: item.type, grant, in: tx)
        guard let other = found[code] else {
          found[code] = reference
          continue
        }
        guard other.keys == reference.keys else { throw Self.wrongReference(code) }
      }
    }
    return found.values.sorted { $0.name < $1.name }
  }

  /// The key of the resource of this code; throws what keeps a rule from asking it.
  func reference(
    to code: String, as type: ValueType, _ grant: Grant, in tx: any Transaction
  ) throws -> Reference {
    guard let resource = try ResourceCode(code).flatMap({ try CatalogStore.published(code: $0, in: tx) }),
      resource.provider == grant.provider, let mount = resource.mount
    else { throw Self.wrongReference(code) }
    let keys = resource.items.filter(\.isKey)
    guard keys.count == 1, keys[0].type == type else {
      throw Refusal.invalid(
        "exchange.rule", "argument",
        Text(
          "资源 \(code) 的主键不是与该信息项同类型的单独一列。",
          "The key of resource \(code) is not one column of this item's type."))
    }
    guard let source = try InventoryStore.address(of: mount.source, seal: seal, in: tx),
      source.source.owner == grant.provider
    else { throw Self.wrongReference(code) }
    try admission.check(source.source, source.address, owner: OrganisationStore.find(source.source.owner, in: tx))
    return Reference(
      name: code, source: source.address,
      keys: ReferenceKeys(table: mount.table, column: keys[0].column, type: type))
  }

  private static func wrongReference(_ code: String) -> Refusal {
    Refusal.invalid(
      "exchange.rule", "argument",
      Text(
        "提供部门没有代码为 \(code)、已发布并挂接数据表的资源。",
        "The provider has no published resource of the code \(code) that is tied to a table."))
  }

  /// Reads the keys that the plan's rules ask for.
  func reading(_ references: [Reference], _ pulse: DeliveryPulse) async throws -> [String: KeySet] {
    var sets: [String: KeySet] = [:]
    for one in references {
      sets[one.name] = try await one.keys.read(
        from: connectors.open(one.source.kind, one.source.settings), pulse)
    }
    return sets
  }
}
