package import Jobs
import Identity
package import Kernel
import Storage

extension Supervision {
  /// The job that counts everything anew.
  package static let job = "supervision.refresh"
  /// How old a number on a page may be.
  package static let rhythm = Rhythm.every(.seconds(300))

  /// Sets the job's schedule where it is not set; a look and no write where it is.
  package func keepCounting() async throws {
    guard try await database.read({ try JobSchedule.next(Self.job, in: $0) }) == nil else { return }
    let now = clock.now()
    try await database.write {
      try JobSchedule.set(Self.job, kind: Self.job, Self.rhythm, first: now, at: now, in: $0)
    }
  }

  /// Counts everything anew and keeps what changed: each department's numbers, and those of the running month. The last
  /// time in a month leaves what is shown of that month ever after; what arrived between then and midnight is added by the
  /// first time in the next. Answers as of when the numbers are.
  @discardableResult
  package func refresh() async throws -> Instant {
    let (now, days, measured) = (clock.now(), unusedDays, measured)
    let before = try await database.read { tx in try TallyStore.asOf(in: tx) }
    let found = try await database.read { tx in
      var counting = Counting(at: now, unusedDays: days, measured: measured)
      try counting.count(in: tx)
      return try Found(counting, before: before, in: tx)
    }
    return try await database.write { tx in
      // Somebody else counted meanwhile, on a later view: theirs stands.
      if let kept = try TallyStore.asOf(in: tx), kept != before { return kept }
      for office in found.gone { try TallyStore.remove(office, in: tx) }
      for row in found.offices { try TallyStore.put(row, in: tx) }
      for (month, office, tally) in found.months { try TallyStore.put(tally, of: office, in: month, in: tx) }
      try TallyStore.setAsOf(now, in: tx)
      return now
    }
  }

  /// What there is to write: the rows that differ from those that are kept.
  private struct Found: Sendable {
    var offices: [OfficeTally] = []
    var gone: [OrganisationID] = []
    var months: [(CalendarMonth, String, Tally)] = []

    init(_ counting: Counting, before: Instant?, in tx: any Transaction) throws {
      let all = try Self.rows(of: counting, in: tx)
      let kept = Dictionary(uniqueKeysWithValues: try TallyStore.offices(in: tx).map { ($0.office, $0) })
      offices = all.filter { kept[$0.office] != $0 }
      let there = Set(all.map(\.office))
      gone = kept.keys.filter { !there.contains($0) }

      var sum = Tally()
      for row in all { sum += row.tally }
      let month = CalendarMonth(counting.now.dateInChina)
      let known = try TallyStore.month(month, in: tx)
      months = all.filter { !$0.tally.isEmpty || known[$0.office.text] != nil }.map {
        (month, $0.office.text, $0.tally)
      }
      months.append((month, TallyStore.everyone, sum))
      months.removeAll { known[$0.1] == $0.2 }

      if let last = before.map({ CalendarMonth($0.dateInChina) }), last < month {
        months += try Self.closed(last, by: counting, in: tx)
      }
    }

    /// The month before with all that arrived in it.
    private static func closed(
      _ month: CalendarMonth, by counting: Counting, in tx: any Transaction
    ) throws -> [(CalendarMonth, String, Tally)] {
      let known = try TallyStore.month(month, in: tx)
      var closed = known
      var sum = (deliveries: 0, rows: 0)
      for (office, arrived) in try counting.deliveries(of: month, in: tx) {
        closed[office.text, default: Tally()][.deliveries] = arrived.deliveries
        closed[office.text, default: Tally()][.rowsDelivered] = arrived.rows
        sum = (sum.deliveries + arrived.deliveries, sum.rows + arrived.rows)
      }
      closed[TallyStore.everyone, default: Tally()][.deliveries] = sum.deliveries
      closed[TallyStore.everyone, default: Tally()][.rowsDelivered] = sum.rows
      return closed.filter { known[$0.key] != $0.value }.map { (month, $0.key, $0.value) }
    }

    /// Every department that stands, and those that do not and still hold something.
    private static func rows(of counting: Counting, in tx: any Transaction) throws -> [OfficeTally] {
      let day = counting.now.dateInChina
      var rows: [OfficeTally] = []
      func add(_ office: Organisation, isStanding: Bool) {
        rows.append(
          OfficeTally(
            office: office.id, name: office.name, division: office.division, isStanding: isStanding,
            lastDelivery: counting.lastDelivery[office.id], tally: counting.tallies[office.id] ?? Tally()))
      }
      var after: Organisation?
      repeat {
        let page = try OrganisationStore.list(on: day, after: after, limit: 500, in: tx)
        for office in page { add(office, isStanding: true) }
        after = page.count == 500 ? page.last : nil
      } while after != nil
      let standing = Set(rows.map(\.office))
      for id in counting.tallies.keys where !standing.contains(id) {
        guard let office = try OrganisationStore.find(id, in: tx), counting.tallies[id]?.isEmpty == false else {
          continue
        }
        add(office, isStanding: false)
      }
      return rows
    }
  }
}
