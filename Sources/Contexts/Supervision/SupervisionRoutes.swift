import Kernel
package import Web

/// The leader's view: the matrix, the rows behind each number, the trend.
package struct SupervisionRoutes: Sendable {
  let supervision: Supervision

  package static func routes(_ supervision: Supervision) -> [Route] {
    SupervisionRoutes(supervision: supervision).pages + SupervisionAPI(supervision: supervision).routes
  }

  private static let door = Access.permission(.superviseOffice)
  /// A file holds at most so many rows.
  static let fileLimit = 20_000

  private var pages: [Route] {
    [
      .get("/supervision", Self.door) { request in
        let isForPrint = try request.queryFlag("print") ?? false
        let query = try request.matrixQuery(limit: isForPrint ? 5000 : 100)
        let matrix = try await supervision.matrix(query, for: request.visitor())
        return .page(
          MatrixPage(
            request: request, matrix: matrix, query: query, measures: supervision.measures, isForPrint: isForPrint
          ).page)
      },
      .get("/supervision/rows", Self.door) { request in
        let place = try request.queryPlace("after", CountedRow.Place.init)
        let list = try await supervision.rows(
          behind: request.measure(), of: request.queryID("office"), in: request.month(), after: place, limit: 50,
          for: request.visitor())
        return .page(
          CountedRowsPage.page(
            request, list, definition: list.measure.definition(unusedDays: supervision.unusedDays), after: place))
      },
      .get("/supervision/rows.csv", Self.door) { request in
        let list = try await supervision.rows(
          behind: request.measure(), of: request.queryID("office"), in: request.month(), limit: Self.fileLimit,
          for: request.visitor())
        guard list.next == nil else {
          throw Refusal(
            .invalid, "supervision.rows.many",
            Text(
              "超过 \(grouped(Self.fileLimit)) 行，请按单位下载。",
              "More than \(grouped(Self.fileLimit)) rows: download them department by department."))
        }
        return .download(
          CountedRowsPage.csv(request.language, list.rows), type: "text/csv; charset=utf-8",
          name: "\(list.measure.rawValue)-\(list.month?.description ?? "\(request.now.dateInChina)").csv")
      },
      .get("/supervision/trend", Self.door) { request in
        let found = try await supervision.trend(of: request.queryID("office"), for: request.visitor())
        return .page(
          TrendPage(
            request, office: found.office, isWhole: found.isWhole, months: found.months,
            measures: supervision.measures
          ).page)
      },
    ]
  }
}

extension Request {
  /// What of the matrix the query asks for; what is not understood is refused by its name.
  func matrixQuery(limit: Int) throws -> MatrixQuery {
    var matrix = MatrixQuery()
    matrix.level = try queryChoice("level")
    matrix.sort = try queryChoice("sort")
    matrix.order = try queryChoice("order") ?? .descending
    matrix.withEmpty = try queryFlag("empty") ?? false
    matrix.after = try queryID("after")
    matrix.limit = limit
    return matrix
  }

  /// Of which month; nil where none is named. One that is not `2026-03`, or still to come, is refused.
  func month() throws -> CalendarMonth? {
    try query["month"].map { text in
      guard let month = CalendarMonth(text), month <= CalendarMonth(now.dateInChina) else {
        throw Refusal.invalid(
          "web.query", "month",
          Text("month 应为不晚于本月的月份，如 2026-03。", "month is a month such as 2026-03, this one at the latest."))
      }
      return month
    }
  }

  /// Which number is opened.
  func measure() throws -> Measure { try queryChoice("what") ?? .systemsWithoutEntries }
}
