import Kernel
import Web

/// The matrix for programs: what the pages show, no more.
struct SupervisionAPI: Sendable {
  let supervision: Supervision

  var routes: [Route] { [matrix, rows, trend] }

  private var matrix: Route {
    .get(
      "/api/v1/supervision/matrix", .permission(.superviseOffice),
      summary: Text("各部门的系统、目录、挂接、授权与交换", "Systems, entries, mounts, grants and deliveries by department")
    ) { request in
      let query = try request.matrixQuery(limit: request.pageLimit(most: 500, usual: 100))
      return .json(Self.json(try await supervision.matrix(query, for: request.visitor()), supervision.measures))
    }.widened(by: .superviseAll, .superviseAsAuthority).described(
      gives: Schema.object([
        ("asOf", Schema.maybe(Schema.moment)), ("departments", Schema.list(Schema.object(Self.department))),
        ("total", Self.numbers), ("count", Schema.whole), ("next", Schema.maybe(Schema.id)),
      ]),
      query: [
        QueryParameter("level", Text("只看某一级的单位", "departments of one level only"), Schema.choice(Division.Level.self)),
        QueryParameter("sort", Text("各级之内按哪个数排列", "by which number, within each level"), Schema.choice(Measure.self)),
        QueryParameter("order", Text("大的在前，或小的在前", "largest or smallest first"), Schema.choice(MatrixQuery.Order.self)),
        QueryParameter(
          "empty", Text("1：也列出没有数据的单位", "1: departments without anything too"), Schema.choice(["0", "1"])),
        .cursor("after"), .limit(most: 500, usual: 100),
      ])
  }

  private var rows: Route {
    .get(
      "/api/v1/supervision/rows", .permission(.superviseOffice),
      summary: Text("一个数所数的那些行", "The rows behind one number")
    ) { request in
      let list = try await supervision.rows(
        behind: request.measure(), of: request.queryID("office"), in: request.month(),
        after: request.queryPlace("after", CountedRow.Place.init), limit: request.pageLimit(most: 500),
        for: request.visitor())
      return .json([
        "what": .string(list.measure.rawValue), "month": .optional(list.month?.description),
        "asOf": .optional(list.asOf?.description),
        "counted": JSON(list.counted), "rows": .array(list.rows.map(Self.json)), "next": .optional(list.next?.text),
      ])
    }.widened(by: .superviseAll, .superviseAsAuthority).described(
      gives: Schema.object([
        ("what", Schema.choice(Measure.self)), ("month", Schema.maybe(Schema.text)),
        ("asOf", Schema.maybe(Schema.moment)), ("counted", Schema.whole),
        ("rows", Schema.list(Self.row)), ("next", Schema.maybe(Schema.text)),
      ]),
      query: [
        QueryParameter(
          "what", Text("哪个数，默认 systemsWithoutEntries", "which number; systemsWithoutEntries by default"),
          Schema.choice(Measure.self)),
        QueryParameter("office", Text("单位标识，默认可见的全部", "a department's id; all that one sees by default"), Schema.id),
        QueryParameter(
          "month", Text("月份，如 2026-03；默认现在", "a month such as 2026-03; now by default"), Schema.text),
        .cursor("after", Schema.text), .limit(most: 500),
      ])
  }

  private var trend: Route {
    .get(
      "/api/v1/supervision/trend", .permission(.superviseOffice),
      summary: Text("各月末的数，先旧后新", "The numbers at each month's end, oldest first")
    ) { request in
      let found = try await supervision.trend(of: request.queryID("office"), for: request.visitor())
      return .json([
        "office": .optional(found.office?.office.text),
        "months": .array(
          found.months.map { month, tally in
            ["month": .string(month.description), "numbers": Self.json(tally, supervision.measures)]
          }),
      ])
    }.widened(by: .superviseAll, .superviseAsAuthority).described(
      gives: Schema.object([
        ("office", Schema.maybe(Schema.id)),
        ("months", Schema.list(Schema.object([("month", Schema.text), ("numbers", Self.numbers)]))),
      ]),
      query: [
        QueryParameter("office", Text("单位标识，默认可见的全部", "a department's id; all that one sees by default"), Schema.id)
      ])
  }

  /// Whole numbers by the name of what they count; `mountsFailing` only where mounts are measured.
  private static let numbers: JSON = ["type": "object", "additionalProperties": Schema.whole]

  private static let department: [(String, JSON)] = [
    ("office", Schema.id), ("name", Schema.text), ("division", Schema.text),
    ("level", Schema.choice(Division.Level.self)), ("standing", Schema.flag),
    ("lastDelivery", Schema.maybe(Schema.moment)), ("numbers", numbers),
  ]

  private static let row = Schema.object([
    ("office", Schema.id), ("officeName", Schema.text), ("number", Schema.text), ("name", Schema.text),
    ("counterpart", Schema.maybe(Schema.text)), ("on", Schema.maybe(Schema.day)), ("rows", Schema.maybe(Schema.whole)),
    ("link", Schema.text),
  ])

  /// Also what the command line prints.
  static func json(_ matrix: Matrix, _ measures: [Measure]) -> JSON {
    [
      "asOf": .optional(matrix.asOf?.description),
      "departments": .array(
        matrix.rows.map { row in
          [
            "office": .string(row.office.text), "name": .string(row.name), "division": .string(row.division),
            "level": .string(row.level.rawValue), "standing": JSON(row.isStanding),
            "lastDelivery": .optional(row.lastDelivery?.description), "numbers": json(row.tally, measures),
          ]
        }), "total": json(matrix.total, measures), "count": JSON(matrix.count),
      "next": .optional(matrix.next?.text),
    ]
  }

  private static func json(_ tally: Tally, _ measures: [Measure]) -> JSON {
    .object(measures.map { ($0.rawValue, JSON(tally[$0])) })
  }

  private static func json(_ row: CountedRow) -> JSON {
    [
      "office": .string(row.office.text), "officeName": .string(row.officeName), "number": .string(row.number),
      "name": .string(row.name), "counterpart": .optional(row.counterpart), "on": .optional(row.on?.description),
      "rows": .optional(row.rows), "link": .string(row.link),
    ]
  }
}
