package import Kernel
import Storage

/// The matrix as somebody sees it.
package struct Matrix: Sendable {
  /// Nil before anything was counted.
  package var asOf: Instant?
  /// One row for a department alone.
  package var rows: [OfficeTally]
  /// The sums of all rows that there are, on this page or not.
  package var total: Tally
  /// How many departments there are in all.
  package var count: Int
  /// The last department of this page, when there are more.
  package var next: OrganisationID?
  /// Whether it shows all departments and not the visitor's own alone.
  package var isWhole: Bool
}

/// What of the matrix is asked for.
package struct MatrixQuery: Hashable, Sendable {
  package enum Order: String, Sendable, CaseIterable {
    case descending = "desc"
    case ascending = "asc"
  }

  /// Departments of one level of government only.
  package var level: Division.Level?
  /// By which number, within each level; nil for the order of divisions and names.
  package var sort: Measure?
  package var order = Order.descending
  /// Also departments that have nothing.
  package var withEmpty = false
  package var after: OrganisationID?
  package var limit = 100

  package init() {}
}

extension OfficeTally {
  /// By its division's code: two digits are a province's, four a prefecture's, six a county's.
  package var level: Division.Level {
    switch division.utf8.count {
    case ...2: .province
    case ...4: .prefecture
    case ...6: .county
    default: .township
    }
  }
}

extension Supervision {
  package func matrix(_ query: MatrixQuery, for principal: Principal) async throws -> Matrix {
    try await database.read { tx in
      let asOf = try TallyStore.asOf(in: tx)
      switch try reach(of: principal, in: tx) {
      case .office(let id):
        let row = try TallyStore.office(id, in: tx)
        return Matrix(
          asOf: asOf, rows: row.map { [$0] } ?? [], total: row?.tally ?? Tally(), count: row == nil ? 0 : 1,
          isWhole: false)
      case .all:
        let rows = Self.sorted(
          try TallyStore.offices(in: tx).filter {
            (query.level == nil || $0.level == query.level) && (query.withEmpty || !$0.tally.isEmpty)
          }, by: query)
        var total = Tally()
        for row in rows { total += row.tally }
        var rest = rows[...]
        if let after = query.after {
          guard let place = rows.firstIndex(where: { $0.office == after }) else {
            throw Refusal.invalid(
              "web.query", "after", Text("after 不是上一页给出的位置。", "after is no place that a page before gave."))
          }
          rest = rows[(place + 1)...]
        }
        let page = Array(rest.prefix(query.limit))
        return Matrix(
          asOf: asOf, rows: page, total: total, count: rows.count,
          next: rest.count > query.limit ? page.last?.office : nil, isWhole: true)
      }
    }
  }

  /// By level, then by the number asked for, then as the divisions come.
  private static func sorted(_ rows: [OfficeTally], by query: MatrixQuery) -> [OfficeTally] {
    let places = rows.enumerated().map { (place: $0.offset, row: $0.element) }
    return places.sorted { a, b in
      if a.row.level != b.row.level { return a.row.level < b.row.level }
      if let sort = query.sort, a.row.tally[sort] != b.row.tally[sort] {
        return (a.row.tally[sort] > b.row.tally[sort]) == (query.order == .descending)
      }
      return a.place < b.place
    }.map(\.row)
  }

  /// The sums that the matrix ends with, without reading it; nil before anything was counted.
  package func total(for principal: Principal) async throws -> (office: OrganisationID?, tally: Tally)? {
    try await database.read { tx in
      switch try reach(of: principal, in: tx) {
      case .office(let id): try TallyStore.office(id, in: tx).map { (id, $0.tally) }
      case .all: try TallyStore.months(of: TallyStore.everyone, last: 1, in: tx).last.map { (nil, $0.1) }
      }
    }
  }

  /// So many months are shown.
  package static let monthsShown = 24

  /// The numbers by month, oldest first: of one department, or of all whom the visitor sees. Throws `.notFound` for
  /// another's department.
  package func trend(
    of office: OrganisationID?, for principal: Principal
  ) async throws -> (office: OfficeTally?, isWhole: Bool, months: [(CalendarMonth, Tally)]) {
    try await database.read { tx in
      let (office, isWhole) = try seen(office, by: principal, in: tx)
      let key = office?.text ?? TallyStore.everyone
      return (
        try office.flatMap { try TallyStore.office($0, in: tx) }, isWhole,
        try TallyStore.months(of: key, last: Self.monthsShown, in: tx)
      )
    }
  }

  /// Which department is meant: the one asked for, if the visitor may see it; nil for all of them.
  func seen(
    _ office: OrganisationID?, by principal: Principal, in tx: any Transaction
  ) throws -> (office: OrganisationID?, isWhole: Bool) {
    switch try reach(of: principal, in: tx) {
    case .all: return (office, true)
    case .office(let own):
      guard office == nil || office == own else { throw Refusal.notFound(Text("单位", "organisation")) }
      return (own, false)
    }
  }
}
