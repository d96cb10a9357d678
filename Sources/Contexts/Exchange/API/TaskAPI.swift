import Inventory
import Kernel
import Reshaping
import Sharing
import Web

/// Tasks for programs, and the measures that a monitor reads.
struct TaskAPI: Sendable {
  let exchange: Exchange

  var routes: [Route] {
    [
      .get(
        "/api/v1/tasks", .permission(.exchangeRead),
        summary: Text("可见授权的交换任务，新的在前", "Tasks of the grants one sees, newest first")
      ) { request in
        let limit = try request.pageLimit(most: 200)
        let found = try await exchange.tasks(
          for: request.visitor(), before: try request.queryID("before"), limit: limit + 1)
        return .json([
          "tasks": .array(found.prefix(limit).map { .object(Self.members($0.grant, $0.task, $0.last, $0.next)) }),
          "next": .optional(found.count > limit ? found[limit - 1].grant.id.text : nil),
        ])
      }.widened(by: .sharingReview).described(
        gives: Schema.page("tasks", Schema.object(Self.task)), query: [.cursor("before"), .limit(most: 200)]),
      .get(
        "/api/v1/tasks/{id}", .permission(.exchangeRead),
        summary: Text("一个交换任务：设置、规则、两端限流", "One task: its settings, its rules, the limits at both ends")
      ) { request in
        let view = try await exchange.task(request.id(), for: request.visitor())
        let rules = view.task.rules.map { rule -> JSON in
          [
            "name": .string(rule.name), "column": .optional(rule.column), "kind": .string(rule.kind.rawValue),
            "argument": .string(rule.argument), "severity": .string(rule.severity.rawValue),
          ]
        }
        let columns = view.task.columns.map { column -> JSON in
          [
            "name": .string(column.name), "type": .string("\(column.type)"), "expression": .string(column.expression),
          ]
        }
        let ends = view.ends.map { end -> JSON in
          [
            "source": .string(end.source.id.text), "running": JSON(end.running),
            "deliveries": end.limit.deliveries.map { JSON($0) } ?? .null,
            "rowsPerSecond": end.limit.rowsPerSecond.map { JSON($0) } ?? .null,
            "bytesPerSecond": end.limit.bytesPerSecond.map { JSON($0) } ?? .null,
          ]
        }
        return .json(
          .object(
            Self.members(view.grant, view.task, view.deliveries.first, view.nextTurn)
              + [
                ("rules", .array(rules)), ("columns", .array(columns)), ("ends", .array(ends)),
                ("comparing", .string(view.task.comparing.rawValue)), ("parts", JSON(view.task.parts)),
                ("comparison", view.comparison.map { .object(Self.members($0)) } ?? .null),
              ]))
      }.widened(by: .sharingReview).described(
        gives: Schema.object(
          Self.task + [
            (
              "rules",
              Schema.list(
                Schema.object([
                  ("name", Schema.text), ("column", Schema.maybe(Schema.text)),
                  ("kind", Schema.choice(TaskRule.Kind.self)), ("argument", Schema.text),
                  ("severity", Schema.choice(["reject", "warn"])),
                ]))
            ),
            (
              "columns",
              Schema.list(
                Schema.object([("name", Schema.text), ("type", Schema.text), ("expression", Schema.text)]))
            ),
            (
              "ends",
              Schema.list(
                Schema.object([
                  ("source", Schema.id), ("running", Schema.whole), ("deliveries", Schema.maybe(Schema.whole)),
                  ("rowsPerSecond", Schema.maybe(Schema.whole)), ("bytesPerSecond", Schema.maybe(Schema.whole)),
                ]))
            ),
            ("comparing", Schema.choice(ComparisonRhythm.self)), ("parts", Schema.whole),
            ("comparison", Schema.maybe(Schema.object(Self.comparison))),
          ])),
      .get(
        "/api/v1/metrics", .permission(.exchangeRead),
        summary: Text("交换的度量，供 Prometheus 抓取", "Measures of the exchange, for Prometheus")
      ) { request in
        .media(
          Array(try await exchange.metrics(for: request.visitor()).utf8),
          type: Self.exposition)
      }.widened(by: .sharingReview).described(gives: Schema.text, as: Self.exposition),
    ]
  }

  private static let exposition = "text/plain; version=0.0.4; charset=utf-8"

  private static let task: [(String, JSON)] = [
    ("grantId", Schema.id), ("grant", Schema.text), ("resourceName", Schema.text), ("start", Schema.text),
    ("onWorkingDays", Schema.flag), ("window", Schema.maybe(Schema.text)), ("priority", Schema.whole),
    ("drift", Schema.choice(ExchangeTask.Drift.self)), ("stallMinutes", Schema.whole),
    ("paused", Schema.flag), ("frozen", Schema.flag), ("pausedWhy", Schema.maybe(Schema.text)),
    ("next", Schema.maybe(Schema.moment)), ("lastDelivery", Schema.maybe(Schema.id)),
    ("lastState", Schema.maybe(Schema.choice(DeliveryRecord.State.self))),
  ]

  private static let comparison: [(String, JSON)] = [
    ("id", Schema.id), ("state", Schema.choice(Comparison.State.self)), ("createdAt", Schema.moment),
    ("finishedAt", Schema.maybe(Schema.moment)), ("sourceRows", Schema.whole), ("targetRows", Schema.whole),
    ("bad", Schema.whole), ("stale", Schema.whole), ("missing", Schema.whole), ("extra", Schema.whole),
    ("different", Schema.whole), ("complete", Schema.flag), ("reason", Schema.maybe(Schema.text)),
  ]

  private static func members(_ one: Comparison) -> [(String, JSON)] {
    [
      ("id", .string(one.id.text)), ("state", .string(one.state.rawValue)),
      ("createdAt", .string(one.createdAt.description)), ("finishedAt", .optional(one.finishedAt?.description)),
      ("sourceRows", JSON(one.counts.source)), ("targetRows", JSON(one.counts.target)), ("bad", JSON(one.counts.bad)),
      ("stale", JSON(one.counts.stale)), ("missing", JSON(one.counts.missing)), ("extra", JSON(one.counts.extra)),
      ("different", JSON(one.counts.different)), ("complete", JSON(one.isComplete)),
      ("reason", .optional(one.reason?.chinese)),
    ]
  }

  private static func members(
    _ grant: Grant, _ task: ExchangeTask, _ last: DeliveryRecord?, _ next: Instant?
  ) -> [(String, JSON)] {
    [
      ("grantId", .string(grant.id.text)), ("grant", .string(grant.number)),
      ("resourceName", .string(grant.resourceName)), ("start", .string(task.start.encoded)),
      ("onWorkingDays", JSON(task.onWorkingDays)), ("window", .optional(task.window?.text)),
      ("priority", JSON(task.priority.rawValue)), ("drift", .string(task.drift.rawValue)),
      ("stallMinutes", JSON(task.stallMinutes)), ("paused", JSON(task.pause != nil)),
      ("frozen", JSON(task.pause?.isFrozen ?? false)), ("pausedWhy", .optional(task.pause?.why.chinese)),
      ("next", .optional(next?.description)), ("lastDelivery", .optional(last?.id.text)),
      ("lastState", .optional(last?.state.rawValue)),
    ]
  }
}
