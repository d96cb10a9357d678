import Deadlines
import Kernel
import Web

/// The census for programs: what the pages show, and a return's numbers.
struct CensusAPI: Sendable {
  let census: Census

  var routes: [Route] {
    [
      Route.get(
        "/api/v1/census/campaigns", .permission(.readCensus),
        summary: Text("普查批次，新的在前", "Census campaigns, newest first")
      ) { request in
        let limit = try request.pageLimit(most: 200)
        let found = try await census.campaigns(
          request.visitor(), before: try request.queryID("before"), limit: limit + 1)
        return .json([
          "campaigns": .array(found.prefix(limit).map { Self.json($0.campaign) }),
          "next": .optional(found.count > limit ? found[limit - 1].campaign.id.text : nil),
        ])
      }.widened(by: .runCensus).described(
        gives: Schema.page("campaigns", Self.campaign), query: [.cursor("before"), .limit(most: 200)]),
      Route.get(
        "/api/v1/census/campaigns/{id}", .permission(.readCensus),
        summary: Text("一批普查的合计：按单位、按分类", "What a campaign adds up to, by organisation and by class")
      ) { request in
        let totals = try await census.totals(request.visitor(), request.id())
        return .json([
          "campaign": Self.json(totals.campaign), "total": Self.json(totals.total.numbers),
          "before": totals.before.map(Self.json) ?? .null,
          "returns": .array(totals.returns.map(Self.json)),
          "classes": .array(
            totals.categories.map { category, sum in
              [
                "class": .string(category), "lines": JSON(sum.lines), "entered": JSON(sum.entered),
                "numbers": Self.json(sum.numbers),
              ]
            }),
        ])
      }.widened(by: .runCensus).described(
        gives: Schema.object([
          ("campaign", Self.campaign), ("total", Self.six), ("before", Schema.maybe(Self.six)),
          ("returns", Schema.list(Self.owner)),
          (
            "classes",
            Schema.list(
              Schema.object([
                ("class", Schema.text), ("lines", Schema.whole), ("entered", Schema.whole), ("numbers", Self.six),
              ]))
          ),
        ])),
      Route.get(
        "/api/v1/census/returns/{id}", .permission(.readCensus),
        summary: Text("一个单位的填报及逐项资源，按代码逐页", "An organisation's return, its lines by code, page by page")
      ) { request in
        let limit = try request.pageLimit(most: 1000, usual: 100)
        let principal = try request.visitor()
        let (campaign, owner, _) = try await census.view(principal, request.id())
        let found = try await census.lines(
          principal,
          .init(
            campaign: campaign.id, owner: owner.id, origin: try request.queryChoice("origin"),
            after: request.query["after"].map { String($0.prefix(64)) }, limit: limit))
        let answer: JSON = [
          "return": Self.json(owner), "lines": .array(found.lines.map(Self.json)), "next": .optional(found.next),
        ]
        // The numbers of what was handed in stay: its state tells all. While it is filled in, only the whole answer does.
        return .json(answer.bytes, etag: owner.state.isOwing ? nil : owner.tag)
      }.widened(by: .runCensus).described(
        gives: Schema.object([
          ("return", Self.owner), ("lines", Schema.list(Self.line)), ("next", Schema.maybe(Schema.text)),
        ]),
        query: [
          QueryParameter("origin", Text("数字的来源", "where the numbers come from"), Schema.choice(LineOrigin.self)),
          .cursor("after", Schema.text), .limit(most: 1000, usual: 100),
        ]),
      Route(
        .put, "/api/v1/census/returns/{id}", .permission(.fillCensus), bodyLimit: 1 << 20,
        summary: Text(
          "填写若干资源的六项数量：全部保存或全部不保存；重发结果相同",
          "Enter the six quantities of some resources, all or none; sent again it comes to the same")
      ) { request in
        let entries = try Self.entries(request.members("lines"))
        do {
          return .json(["saved": JSON(try await census.save(request.visitor(), request.id(), entries))])
        } catch let refusal as Refusal where !refusal.faults.isEmpty {
          throw Refusal.invalid(refusal.code, refusal.faults.map { .init(Self.pointer($0.field), $0.message) })
        }
      }.described(
        takes: Schema.taken(
          ["lines"],
          [
            (
              "lines",
              Schema.list(
                Schema.taken(
                  ["code"] + Self.names.map(\.name),
                  [("code", Schema.text), ("revision", Schema.maybe(Schema.whole))]
                    + Self.names.map { ($0.name, Schema.number(0...SixQuantities.most)) }))
            )
          ]), gives: Schema.object([("saved", Schema.whole)])),
    ] + steps
  }

  // MARK: What is taken

  private static func entries(_ body: JSONMembers) throws -> [LineEntry] {
    let lines = try body.objects("lines", of: ["code", "revision"] + names.map(\.name), most: Census.mostLines)
    guard let lines else {
      throw body.refusal("census.lines", "lines", Text("应为数组 lines。", "A list “lines” is expected."))
    }
    return try lines.map { line in
      guard let code = try line.text("code"), !code.isEmpty else {
        throw line.refusal("census.lines", "code", Text("缺少 code。", "“code” is missing."))
      }
      var numbers = SixQuantities.zero
      for (name, quantity) in names {
        guard let value = try line.whole(name), (0...SixQuantities.most).contains(value) else {
          throw line.refusal(
            "census.numbers", name,
            Text(
              "\(name) 应为 0 到 \(SixQuantities.most) 的整数。",
              "\(name) is a whole number from 0 to \(SixQuantities.most)."))
        }
        numbers[quantity] = value
      }
      return LineEntry(code: code, revision: try line.whole("revision"), numbers: numbers)
    }
  }

  /// Where a form's field (`lines.3.storage`) is in the body that was sent.
  private static func pointer(_ field: String) -> String {
    let parts = field.split(separator: ".").map(String.init)
    guard let last = parts.last.flatMap({ Quantity(rawValue: $0) }) else { return "/" + parts.joined(separator: "/") }
    return "/" + (parts.dropLast() + [name(of: last)]).joined(separator: "/")
  }

  // MARK: What is answered

  /// Storage is in KB of 1,000 bytes, so that programs need no fractions.
  private static func name(of quantity: Quantity) -> String {
    quantity.isStorage ? quantity.rawValue + "KB" : quantity.rawValue
  }
  private static let names = Quantity.allCases.map { (name: name(of: $0), quantity: $0) }
  private static let six = Schema.object(names.map { ($0.name, Schema.whole) })

  static let campaign = Schema.object([
    ("id", Schema.id), ("name", Schema.text), ("state", Schema.choice(CampaignState.self)),
    ("referenceDay", Schema.day), ("due", Schema.day), ("dueIsProvisional", Schema.flag),
    ("previous", Schema.maybe(Schema.id)), ("openedAt", Schema.moment), ("closedAt", Schema.maybe(Schema.moment)),
  ])
  static let owner = Schema.object([
    ("id", Schema.id), ("etag", Schema.text), ("campaign", Schema.id), ("organisation", Schema.id),
    ("organisationName", Schema.text),
    ("state", Schema.choice(ReturnState.self)), ("lines", Schema.whole), ("entered", Schema.whole), ("numbers", six),
    ("submittedAt", Schema.maybe(Schema.moment)), ("decidedAt", Schema.maybe(Schema.moment)), ("words", Schema.text),
  ])
  private static let line = Schema.object([
    ("code", Schema.text), ("name", Schema.text), ("resource", Schema.id), ("class", Schema.text),
    ("origin", Schema.choice(LineOrigin.self)), ("numbers", six), ("estimatedRecords", Schema.maybe(Schema.whole)),
    ("deliveredRecords", Schema.maybe(Schema.whole)), ("revision", Schema.whole),
  ])

  private static func json(_ numbers: SixQuantities) -> JSON {
    .object(names.map { ($0.name, JSON(numbers[$0.quantity])) })
  }
  static func json(_ c: Campaign) -> JSON {
    [
      "id": .string(c.id.text), "name": .string(c.name), "state": .string(c.state.rawValue),
      "referenceDay": .string(c.referenceDay.description), "due": .string(c.due.date.description),
      "dueIsProvisional": JSON(c.due.provisional), "previous": .optional(c.previous?.text),
      "openedAt": .string(c.openedAt.description), "closedAt": .optional(c.closedAt?.description),
    ]
  }
  static func json(_ r: CensusReturn) -> JSON {
    [
      "id": .string(r.id.text), "etag": .string(r.tag), "campaign": .string(r.campaign.text),
      "organisation": .string(r.office.text),
      "organisationName": .string(r.officeName), "state": .string(r.state.rawValue), "lines": JSON(r.lines),
      "entered": JSON(r.entered), "numbers": json(r.sums), "submittedAt": .optional(r.submittedAt?.description),
      "decidedAt": .optional(r.decidedAt?.description), "words": .string(r.words),
    ]
  }
  private static func json(_ l: CensusLine) -> JSON {
    [
      "code": .string(l.code), "name": .string(l.name), "resource": .string(l.resource.text),
      "class": .string(l.category), "origin": .string(l.origin.rawValue), "numbers": json(l.numbers),
      "estimatedRecords": .optional(l.measured.records), "deliveredRecords": .optional(l.measured.sharedRecords),
      "revision": JSON(l.revision),
    ]
  }
}

extension CensusReturn {
  /// Tells where it stands, and since which submission, for `If-Match`: the numbers of what was submitted stay as they are.
  var tag: String { "\"\(id)-\(state.rawValue)-\(submittedAt?.milliseconds ?? 0)\"" }
}
