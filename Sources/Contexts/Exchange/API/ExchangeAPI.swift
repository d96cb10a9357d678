import Kernel
import NationalCrypto
import Sharing
import Transfer
import Web

/// Deliveries for programs: what the pages show, no more.
struct ExchangeAPI: Sendable {
  let exchange: Exchange

  var routes: [Route] {
    [
      .get(
        "/api/v1/deliveries", .permission(.exchangeRead),
        summary: Text("可见授权下的交换，新的在前", "Deliveries under the grants one sees, newest first")
      ) { request in
        let limit = try request.pageLimit(most: 200)
        let found = try await exchange.deliveries(
          for: request.visitor(), grant: try request.queryID("grant"), before: try request.queryID("before"),
          limit: limit + 1)
        return .json([
          "deliveries": .array(found.prefix(limit).map { .object(Self.members($0.0, $0.1)) }),
          "next": .optional(found.count > limit ? found[limit - 1].0.id.text : nil),
        ])
      }.widened(by: .sharingReview).described(
        gives: Schema.page("deliveries", Schema.object(Self.delivery)),
        query: [
          QueryParameter("grant", Text("授权标识", "the grant's id"), Schema.id), .cursor("before"), .limit(most: 200),
        ]),
      .get(
        "/api/v1/deliveries/{id}", .permission(.exchangeRead),
        summary: Text("一次交换的状态、计数和回执", "A delivery's state, counts and receipts")
      ) { request in
        let view = try await exchange.delivery(request.id(), for: request.visitor())
        let receipts = view.receipts.map { receipt -> JSON in
          [
            "side": .string(receipt.side), "digest": .string(receipt.digest), "body": .string(receipt.body),
            "signature": .optional(receipt.signature?.hex), "publicKey": .optional(receipt.key?.hex),
          ]
        }
        return .json(.object(Self.members(view.delivery, view.grant) + [("receipts", .array(receipts))]))
      }.widened(by: .sharingReview).described(
        gives: Schema.object(
          Self.delivery + [
            (
              "receipts",
              Schema.list(
                Schema.object([
                  ("side", Schema.choice(["provider", "consumer"])), ("digest", Schema.text), ("body", Schema.text),
                  ("signature", Schema.maybe(Schema.text)), ("publicKey", Schema.maybe(Schema.text)),
                ]))
            )
          ])),
    ]
  }

  private static let delivery: [(String, JSON)] = [
    ("id", Schema.id), ("grant", Schema.text), ("grantId", Schema.id),
    ("mode", Schema.choice(DeliveryPlan.Mode.self)), ("state", Schema.choice(DeliveryRecord.State.self)),
    ("open", Schema.flag), ("read", Schema.whole), ("delivered", Schema.whole), ("unchanged", Schema.whole),
    ("filtered", Schema.whole), ("removed", Schema.whole),
    ("quarantined", Schema.whole), ("stale", Schema.whole), ("sourceAt", Schema.maybe(Schema.moment)),
    ("writtenAt", Schema.maybe(Schema.moment)), ("since", Schema.maybe(Schema.day)),
    ("reason", Schema.maybe(Schema.text)), ("receiptsAgree", Schema.maybe(Schema.flag)),
    ("createdAt", Schema.moment), ("startedAt", Schema.maybe(Schema.moment)),
    ("finishedAt", Schema.maybe(Schema.moment)),
  ]

  private static func members(_ delivery: DeliveryRecord, _ grant: Grant) -> [(String, JSON)] {
    [
      ("id", .string(delivery.id.text)), ("grant", .string(grant.number)), ("grantId", .string(grant.id.text)),
      ("mode", .string(delivery.mode.rawValue)), ("state", .string(delivery.state.rawValue)),
      ("open", JSON(delivery.state.isOpen)), ("read", JSON(delivery.read)), ("delivered", JSON(delivery.delivered)),
      ("unchanged", JSON(delivery.unchanged)), ("quarantined", JSON(delivery.quarantined)),
      ("filtered", JSON(delivery.filtered)), ("removed", JSON(delivery.removed)),
      ("stale", JSON(delivery.stale)), ("sourceAt", .optional(delivery.sourceAt?.description)),
      ("writtenAt", .optional(delivery.writtenAt?.description)), ("since", .optional(delivery.since.map { "\($0)" })),
      ("reason", .optional(delivery.reason?.chinese)), ("receiptsAgree", delivery.agrees.map { .bool($0) } ?? .null),
      ("createdAt", .string(delivery.createdAt.description)),
      ("startedAt", .optional(delivery.startedAt?.description)),
      ("finishedAt", .optional(delivery.finishedAt?.description)),
    ]
  }
}
