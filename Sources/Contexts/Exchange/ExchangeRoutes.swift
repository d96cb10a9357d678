import Kernel
import Sharing
import Transfer
package import Web

/// Deliveries, their receipts and quarantine.
package struct ExchangeRoutes: Sendable {
  let exchange: Exchange

  package static func routes(exchange: Exchange) -> [Route] {
    let site = ExchangeRoutes(exchange: exchange)
    return site.pages + site.interface
  }

  private var pages: [Route] {
    [
      .get("/deliveries", .permission(.exchangeRead)) { request in
        let grant = request.query["grant"].flatMap { GrantID($0) }
        let before = request.query["before"].flatMap { DeliveryID($0) }
        let found = try await exchange.deliveries(for: request.visitor(), grant: grant, before: before, limit: 51)
        return .page(
          DeliveryPages.list(
            request, Array(found.prefix(50)), grant: grant, next: found.count > 50 ? found[49].0.id : nil))
      },
      .post("/grants/{id}/deliver", .permission(.exchangeRun)) { request in
        let id: GrantID = try request.id()
        let delivery = try await exchange.ask(id, isFull: request.form["full"] == "yes", by: request.visitor())
        return .redirect("/deliveries/\(delivery.id)", flash: Text("已排队。", "Queued."))
      },
      .get("/deliveries/{id}", .permission(.exchangeRead)) { request in
        .page(DeliveryPages.delivery(request, try await exchange.delivery(request.id(), for: request.visitor())))
      },
      .post("/deliveries/{id}/cancel", .permission(.exchangeRun)) { request in
        let id: DeliveryID = try request.id()
        try await exchange.cancel(id, by: request.visitor())
        return .redirect("/deliveries/\(id)", flash: Text("已取消。", "Cancelled."))
      },
      .get("/deliveries/{id}/quarantine", .permission(.exchangeRead)) { request in
        let after = request.query["after"].flatMap(place)
        let (view, lines) = try await exchange.quarantine(request.id(), after: after, for: request.visitor())
        return .page(DeliveryPages.quarantine(request, view, lines, next: next(lines)))
      },
      .post("/deliveries/{id}/quarantine", .permission(.quarantineOpen)) { request in
        guard let batch = Int(request.form["batch"] ?? ""), let part = Int(request.form["part"] ?? ""),
          let position = Int(request.form["position"] ?? "")
        else { throw Refusal.notFound(Text("隔离行", "quarantined row")) }
        let id: DeliveryID = try request.id()
        let fields = try await exchange.openBadRow(
          id, batch: batch, part: part, position: position, by: request.visitor())
        let (view, lines) = try await exchange.quarantine(id, for: request.visitor())
        return .page(DeliveryPages.quarantine(request, view, lines, opened: fields, next: next(lines)))
      },
    ]
  }

  private func place(_ text: String) -> (batch: Int, part: Int, position: Int)? {
    let parts = text.split(separator: "-").compactMap { Int($0) }
    return parts.count == 3 ? (parts[0], parts[1], parts[2]) : nil
  }

  private func next(_ lines: [QuarantineLine]) -> String? {
    lines.count < 100 ? nil : lines.last.map { "\($0.batch)-\($0.part)-\($0.position)" }
  }

  private var interface: [Route] {
    [
      .get(
        "/api/v1/deliveries/{id}", .permission(.exchangeRead),
        summary: Text("一次交换的状态、计数和回执", "A delivery's state, counts and receipts")
      ) { request in
        let view = try await exchange.delivery(request.id(), for: request.visitor())
        return .json(Self.json(view).bytes)
      }
    ]
  }

  private static func json(_ view: DeliveryView) -> JSON {
    let delivery = view.delivery
    return [
      "id": .string(delivery.id.text), "grant": .string(view.grant.number), "mode": .string(delivery.mode.rawValue),
      "state": .string(delivery.state.rawValue), "open": .bool(delivery.state.isOpen),
      "read": .integer(Int64(delivery.read)),
      "delivered": .integer(Int64(delivery.delivered)), "unchanged": .integer(Int64(delivery.unchanged)),
      "quarantined": .integer(Int64(delivery.quarantined)),
      "stale": .integer(Int64(delivery.stale)), "receiptsAgree": delivery.agrees.map { .bool($0) } ?? .null,
      "receipts": .array(
        view.receipts.map { ["side": .string($0.side), "digest": .string($0.digest), "body": .string($0.body)] }),
    ]
  }
}
