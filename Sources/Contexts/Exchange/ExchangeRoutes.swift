import Kernel
import Sharing
import Transfer
package import Web

/// Deliveries, their receipts and quarantine.
package struct ExchangeRoutes: Sendable {
  let exchange: Exchange

  package static func routes(exchange: Exchange) -> [Route] {
    let site = ExchangeRoutes(exchange: exchange)
    return site.pages + TaskRoutes(exchange: exchange).routes + ExchangeAPI(exchange: exchange).routes
      + TaskAPI(exchange: exchange).routes
  }

  private var pages: [Route] {
    [
      .get("/deliveries", .permission(.exchangeRead)) { request in
        let grant: GrantID? = try request.queryID("grant")
        let before: DeliveryID? = try request.queryID("before")
        let found = try await exchange.deliveries(for: request.visitor(), grant: grant, before: before, limit: 51)
        return .page(
          DeliveryPages.list(
            request, Array(found.prefix(50)), grant: grant, next: found.count > 50 ? found[49].0.id : nil))
      },
      .post("/grants/{id}/deliver", .permission(.exchangeRun)) { request in
        let id: GrantID = try request.id()
        do {
          let delivery = try await exchange.ask(
            id, isFull: request.form["full"] == "yes", since: try day(request.form), by: request.visitor())
          return .redirect("/deliveries/\(delivery.id)", flash: Text("已排队。", "Queued."))
        } catch let refusal as Refusal where refusal.code == "exchange.since" {
          let view = try await exchange.task(id, for: request.visitor())
          return .page(TaskPages.task(request, view, entered: request.form, refusal: refusal))
        }
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
        .page(
          try await quarantine(
            request, request.id(), item: request.query["item"], fault: request.query["fault"],
            after: request.queryPlace("after", place)))
      },
      .post("/deliveries/{id}/hand-back", .permission(.exchangeRun)) { request in
        let id: DeliveryID = try request.id()
        let (item, fault) = (request.form["item"] ?? "", request.form["fault"] ?? "")
        do {
          try await exchange.handBack(
            id, item: item, fault: fault, words: request.form["words"] ?? "", by: request.visitor())
        } catch let refusal as Refusal where refusal.kind == .invalid {
          return .page(try await quarantine(request, id, item: item, fault: fault, refusal: refusal))
        }
        return .redirect(
          DeliveryPages.quarantine(id, item, fault), flash: Text("已退回提供部门。", "Handed back to the provider."))
      },
      .post("/hand-backs/{id}", .permission(.quarantineOpen)) { request in
        let delivery = try await exchange.answer(
          request.id(), since: try day(request.form), words: request.form["words"] ?? "", by: request.visitor())
        return .redirect("/deliveries/\(delivery.id)", flash: Text("已排队重新读取。", "Queued: the rows are read again."))
      },
      .post("/deliveries/{id}/quarantine", .permission(.quarantineOpen)) { request in
        guard let batch = Int(request.form["batch"] ?? ""), let part = Int(request.form["part"] ?? ""),
          let position = Int(request.form["position"] ?? "")
        else { throw Refusal.notFound(Text("隔离行", "quarantined row")) }
        let id: DeliveryID = try request.id()
        let fields = try await exchange.openBadRow(
          id, batch: batch, part: part, position: position, by: request.visitor())
        return .page(try await quarantine(request, id, opened: fields))
      },
    ]
  }

  /// The page of a delivery's bad rows: of all, or of one kind, from a place on.
  private func quarantine(
    _ request: Request, _ id: DeliveryID, item: String? = nil, fault: String? = nil,
    after: (batch: Int, part: Int, position: Int)? = nil, opened: [(name: String, value: String)]? = nil,
    refusal: Refusal? = nil
  ) async throws -> Page {
    let (view, lines) = try await exchange.quarantine(
      id, item: item, fault: fault, after: after, for: request.visitor())
    let given = try await exchange.handBacks(of: id, for: request.visitor())
    return DeliveryPages.quarantine(request, view, lines, given, opened: opened, next: next(lines), refusal: refusal)
  }

  /// The day to go back to; nil where none was entered.
  private func day(_ form: Fields) throws -> CalendarDate? {
    guard let text = form["since"], !text.isEmpty else { return nil }
    if let day = CalendarDate(text) { return day }
    throw Refusal.invalid("exchange.since", "since", Text("请填写日期，如 2026-03-02。", "Enter a date, such as 2026-03-02."))
  }

  private func place(_ text: String) -> (batch: Int, part: Int, position: Int)? {
    let parts = text.split(separator: "-").compactMap { Int($0) }
    return parts.count == 3 ? (parts[0], parts[1], parts[2]) : nil
  }

  private func next(_ lines: [QuarantineLine]) -> String? {
    lines.count < 100 ? nil : lines.last.map { "\($0.batch)-\($0.part)-\($0.position)" }
  }
}
