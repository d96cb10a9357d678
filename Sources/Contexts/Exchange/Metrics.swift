import Jobs
package import Kernel
import Sharing
import Storage

/// What runs and how it goes, as Prometheus reads it (text exposition format 0.0.4).
struct Metrics: Sendable {
  struct Sample: Sendable {
    var labels: [(name: String, value: String)]
    var value: Double

    func text(_ name: String) -> String {
      let inner = labels.map { "\($0.name)=\"\(Self.escaped($0.value))\"" }.joined(separator: ",")
      let number = value == value.rounded() && abs(value) < 1e15 ? "\(Int(value))" : "\(value)"
      return name + (inner.isEmpty ? "" : "{\(inner)}") + " " + number
    }

    private static func escaped(_ text: String) -> String {
      var escaped = ""
      for character in text {
        switch character {
        case "\\": escaped += "\\\\"
        case "\"": escaped += "\\\""
        case "\n": escaped += "\\n"
        default: escaped.append(character)
        }
      }
      return escaped
    }
  }

  struct Family: Sendable {
    var name: String
    var help: String
    var samples: [Sample]
  }

  var families: [Family] = []

  mutating func add(_ name: String, _ help: String, _ samples: [Sample]) {
    families.append(Family(name: "sanjiang_\(name)", help: help, samples: samples))
  }

  mutating func add(_ name: String, _ help: String, _ value: Int) {
    add(name, help, [Sample(labels: [], value: Double(value))])
  }

  var text: String {
    families.map { family in
      "# HELP \(family.name) \(family.help)\n# TYPE \(family.name) gauge\n"
        + family.samples.map { $0.text(family.name) + "\n" }.joined()
    }.joined()
  }
}

extension Exchange {
  /// Of the grants that one sees; at most 2,000 of them are told one by one.
  package func metrics(for principal: Principal) async throws -> String {
    try principal.require(.exchangeRead)
    let grants = try await sharing.grants(for: principal, limit: 2_000).filter { $0.state == .active }
    let now = clock.now()
    let day = now - .seconds(86_400)
    return try await database.read { tx in
      var metrics = Metrics()
      metrics.add("grants_active", "Grants in force or yet to begin.", grants.count)
      var (states, rows, quarantined, removed) = ([DeliveryRecord.State: Int](), 0, 0, 0)
      var (paused, frozen, differing) = (0, 0, 0)
      var (arrived, sources): ([Metrics.Sample], [Metrics.Sample]) = ([], [])
      for part in stride(from: 0, to: grants.count, by: 200) {
        let some = Array(grants[part..<min(part + 200, grants.count)])
        let ids = some.map(\.id)
        for line in try DeliveryStore.sums(of: ids, since: day, in: tx) {
          states[line.state, default: 0] += line.deliveries
          rows += line.delivered
          quarantined += line.quarantined
          removed += line.removed
        }
        differing += try ComparisonStore.differing(among: ids, in: tx)
        for task in try TaskStore.find(among: ids, in: tx).values {
          if let pause = task.pause { if pause.isFrozen { frozen += 1 } else { paused += 1 } }
        }
        let last = try DeliveryCounts.last(among: ids, in: tx)
        let newest = try DeliveryStore.last(of: ids, in: tx)
        for grant in some {
          let labels = [("grant", grant.number), ("provider", grant.providerName), ("consumer", grant.consumerName)]
          if let at = last[grant.id] {
            arrived.append(Metrics.Sample(labels: labels, value: Double((now - at).inMilliseconds) / 1000))
          }
          if let at = newest[grant.id]?.sourceAt {
            sources.append(Metrics.Sample(labels: labels, value: Double((now - at).inMilliseconds) / 1000))
          }
        }
      }
      metrics.add(
        "deliveries", "Deliveries open, or begun within a day, by state.",
        DeliveryRecord.State.allCases.map {
          Metrics.Sample(labels: [("state", $0.rawValue)], value: Double(states[$0] ?? 0))
        })
      metrics.add("rows_delivered_day", "Rows delivered by them.", rows)
      metrics.add("rows_removed_day", "Rows taken out of targets by them.", removed)
      metrics.add("rows_quarantined_day", "Rows set apart by them.", quarantined)
      metrics.add("tasks_paused", "Tasks that a person has paused.", paused)
      metrics.add("tasks_frozen", "Tasks frozen because a table is not what was agreed.", frozen)
      metrics.add("grants_differing", "Grants whose two sides differed when they were compared last.", differing)
      metrics.add("delivery_age_seconds", "Since the last delivery arrived.", arrived)
      metrics.add("source_age_seconds", "How old, by the source's time, what the consumer has is.", sources)
      let open = try [Self.job, Self.follow].map { kind in
        (kind, try JobQueue.list(state: .queued, kind: kind, limit: 1_000, in: tx).count)
      }
      metrics.add(
        "jobs_queued", "Deliveries that wait for a worker, to a thousand.",
        open.map { Metrics.Sample(labels: [("kind", $0.0)], value: Double($0.1)) })
      return metrics.text
    }
  }
}
