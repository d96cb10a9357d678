import Audit
import Catalog
import Connecting
package import Kernel
import NationalCrypto
package import Sharing
import Storage
package import Transfer

/// A delivery with what a page or a program shows of it.
package struct DeliveryView: Sendable {
  package var delivery: DeliveryRecord
  package var grant: Grant
  package var receipts: [SignedReceipt]
  package var quarantine: [QuarantineSummary]
}

extension Exchange {
  /// Of the grants that the principal sees, newest first.
  package func deliveries(
    for principal: Principal, grant: GrantID? = nil, before: DeliveryID? = nil, limit: Int = 50
  ) async throws -> [(DeliveryRecord, Grant)] {
    try principal.require(.exchangeRead)
    if let grant { _ = try await sharing.grant(grant, for: principal) }
    let visible = grant == nil ? try await sharing.grants(for: principal, limit: 500) : []
    return try await database.read { tx in
      try DeliveryStore.list(
        grant: grant, grants: grant == nil ? visible.map(\.id) : nil, before: before, limit: limit, in: tx
      ).compactMap { delivery in try GrantStore.find(delivery.grant, in: tx).map { (delivery, $0) } }
    }
  }

  package func delivery(_ id: DeliveryID, for principal: Principal) async throws -> DeliveryView {
    try principal.require(.exchangeRead)
    return try await database.read { tx in
      guard let delivery = try DeliveryStore.find(id, in: tx), let grant = try GrantStore.find(delivery.grant, in: tx),
        Sharing.sees(grant, principal)
      else { throw Refusal.notFound(Text("交换任务", "delivery")) }
      return DeliveryView(
        delivery: delivery, grant: grant, receipts: try DeliveryStore.receipts(of: id, in: tx),
        quarantine: try DeliveryStore.quarantineSummary(of: id, in: tx))
    }
  }

  /// Bad rows as everyone concerned may see them: key digest, column, reason.
  package func quarantine(
    _ id: DeliveryID, item: String? = nil, fault: String? = nil,
    after: (batch: Int, part: Int, position: Int)? = nil, for principal: Principal
  ) async throws -> (DeliveryView, [QuarantineLine]) {
    let view = try await delivery(id, for: principal)
    let lines = try await database.read {
      try DeliveryStore.quarantine(of: id, item: item, fault: fault, after: after, in: $0)
    }
    return (view, lines)
  }

  /// The raw bad row, for the provider's data officer alone; that it was opened stands in the log.
  package func openBadRow(
    _ id: DeliveryID, batch: Int, part: Int, position: Int, by principal: Principal
  ) async throws -> [(name: String, value: String)] {
    try principal.require(.quarantineOpen)
    let view = try await delivery(id, for: principal)
    try principal.require(.quarantineOpen, in: view.grant.provider)
    let (key, now, grant) = (providerKey(of: view.grant.provider), clock.now(), view.grant)
    return try await database.write { tx in
      guard let sealed = try DeliveryStore.sealedRow(of: id, batch: batch, part: part, position: position, in: tx)
      else {
        throw Refusal.notFound(Text("隔离行", "quarantined row"))
      }
      let opened = try SealedRow.open(sealed, key: key, grant: grant.id.text)
      let resource = try CatalogStore.find(grant.resource, version: grant.resourceVersion, in: tx)
      let types = Dictionary(
        (resource?.items ?? []).map { ($0.column, $0.type) }, uniquingKeysWith: { first, _ in first })
      let fields = zip(opened.items, opened.fields).map { (name: $0, value: Self.readable($1, as: types[$0] ?? nil)) }
      try record(
        "exchange.quarantine.open", view.delivery, by: principal,
        [("batch", "\(batch)"), ("position", "\(position)")], at: now, in: tx)
      return fields
    }
  }

  /// A field as its owner can read it: as its item's type is written, text where it is text, else its bytes.
  private static func readable(_ field: RowField, as type: ValueType?) -> String {
    switch field {
    case .null: return "NULL"
    case .value(let bytes) where type != nil && type != .text && type != .bytes:
      if let type, let text = bytes.withUnsafeBytes({ CanonicalText.text(of: $0, as: type) }) { return text }
      return type.flatMap { UnfitText.text(of: bytes, as: $0) } ?? "0x" + bytes.hex
    case .value(let bytes), .malformed(_, let bytes):
      guard let text = String(validating: bytes, as: UTF8.self), !text.unicodeScalars.contains(where: { $0.value < 32 })
      else {
        return "0x" + bytes.hex
      }
      return text
    }
  }
}

extension Receipt {
  /// SM3 of what it says.
  package var digest: String { SM3.hash(canonicalText).hex }
}
