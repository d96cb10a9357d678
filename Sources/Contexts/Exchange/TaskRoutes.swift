import Inventory
import Kernel
import Sharing
import Web

/// Tasks, the map of flows, and what sources may be asked for.
struct TaskRoutes: Sendable {
  let exchange: Exchange

  var routes: [Route] {
    [
      .get("/tasks", .permission(.exchangeRead)) { request in
        let before: GrantID? = try request.queryID("before")
        let found = try await exchange.tasks(for: request.visitor(), before: before, limit: 51)
        return .page(
          TaskPages.list(request, Array(found.prefix(50)), next: found.count > 50 ? found[49].grant.id : nil))
      },
      .get("/tasks/flows", .permission(.exchangeRead)) { request in
        .page(FlowPage.render(request, try await exchange.flows(for: request.visitor())))
      },
      .get("/tasks/failures", .permission(.exchangeRead)) { request in
        .page(FailurePage.render(request, try await exchange.failures(for: request.visitor())))
      },
      .get("/tasks/sources", .permission(.exchangeRead)) { request in
        .page(SourcePages.list(request, try await exchange.sources(for: request.visitor())))
      },
      .post("/tasks/sources", .permission(.exchangeManage)) { request in
        do {
          try await exchange.set(try limit(request.form), by: request.visitor())
          return .redirect("/tasks/sources", flash: Text("已保存。", "Saved."))
        } catch let refusal as Refusal where refusal.kind == .invalid || refusal.kind == .conflict {
          let found = try await exchange.sources(for: request.visitor())
          return .page(SourcePages.list(request, found, entered: request.form, refusal: refusal))
        }
      },
      .get("/tasks/{id}", .permission(.exchangeRead)) { request in
        .page(TaskPages.task(request, try await exchange.task(request.id(), for: request.visitor())))
      },
      .post("/tasks/{id}/compare", .permission(.exchangeRun)) { request in
        let id: GrantID = try request.id()
        _ = try await exchange.compare(id, by: request.visitor())
        return .redirect("/tasks/\(id)#comparison", flash: Text("已排队。", "Queued."))
      },
      .post("/comparisons/{id}", .permission(.exchangeRun)) { request in
        let found = try await exchange.differences(request.id(), by: request.visitor())
        let view = try await exchange.task(found.comparison.grant, for: request.visitor())
        return .page(TaskPages.task(request, view, differences: found.ranges))
      },
      .post("/comparisons/{id}/repair", .permission(.exchangeRun)) { request in
        let delivery = try await exchange.repair(request.id(), by: request.visitor())
        return .redirect("/deliveries/\(delivery.id)", flash: Text("已排队。", "Queued."))
      },
      step("settings") { id, form, version, principal in
        let (task, after) = try TaskForm.settings(form, of: id, version: version)
        try await exchange.set(task, after: after, by: principal)
      },
      step("rules") { id, form, version, principal in
        try await exchange.add(try TaskForm.rule(form), to: id, version: version, by: principal)
      },
      step("rules/remove") { id, form, version, principal in
        try await exchange.removeRule(form["name"] ?? "", from: id, version: version, by: principal)
      },
      step("columns") { id, form, version, principal in
        try await exchange.add(try ColumnPart.column(form), to: id, version: version, by: principal)
      },
      step("columns/remove") { id, form, version, principal in
        try await exchange.removeColumn(form["name"] ?? "", from: id, version: version, by: principal)
      },
      step("dictionaries") { id, form, version, principal in
        try await exchange.set(try ColumnPart.dictionary(form), of: id, version: version, by: principal)
      },
      step("dictionaries/remove") { id, form, version, principal in
        try await exchange.removeDictionary(form["name"] ?? "", from: id, version: version, by: principal)
      },
      step("pause") { id, form, _, principal in
        try await exchange.pause(id, why: form["why"] ?? "", by: principal)
      },
      step("resume") { id, _, _, principal in try await exchange.resume(id, by: principal) },
    ]
  }

  private func step(
    _ name: String, _ body: @escaping @Sendable (GrantID, Fields, Int, Principal) async throws -> Void
  ) -> Route {
    .post("/tasks/{id}/\(name)", .permission(.exchangeManage)) { request in
      let id: GrantID = try request.id()
      do {
        try await body(id, request.form, Int(request.form["version"] ?? "") ?? -1, request.visitor())
        return .redirect("/tasks/\(id)", flash: Text("已保存。", "Saved."))
      } catch let refusal as Refusal where refusal.kind == .invalid || refusal.kind == .conflict {
        let view = try await exchange.task(id, for: request.visitor())
        return .page(TaskPages.task(request, view, entered: request.form, refusal: refusal))
      }
    }
  }

  private func limit(_ form: Fields) throws -> SourceLimit {
    guard let source = SourceID(form["source"] ?? "") else { throw Refusal.notFound(Text("数据源", "source")) }
    var faults: [Refusal.Fault] = []
    func number(_ name: String) -> Int? {
      let text = (form[name] ?? "").trimmingBlanks
      guard !text.isEmpty else { return nil }
      if let number = Int(text), number > 0 { return number }
      faults.append(.init(name, Text("应为大于 0 的整数，不限则留空。", "A whole number above 0; empty for no limit.")))
      return nil
    }
    var limit = SourceLimit(source: source)
    limit.deliveries = number("deliveries")
    limit.rowsPerSecond = number("rows")
    limit.bytesPerSecond = number("bytes")
    limit.version = Int(form["version"] ?? "") ?? -1
    guard faults.isEmpty else { throw Refusal.invalid("exchange.limit", faults) }
    return limit
  }
}
