import Identity
import Kernel
import Web

// A census run by program: opened and closed by the operator, handed in by its offices, decided on.

extension CensusAPI {
  var steps: [Route] {
    [
      Route.post(
        "/api/v1/census/campaigns", .permission(.runCensus),
        summary: Text(
          "发起一批普查：不列单位则为全部可填报的单位", "Open a campaign; without organisations it asks all that can be asked")
      ) { request in
        let principal = try request.visitor()
        let body = try request.members("name", "referenceDay", "workingDays", "organisations")
        let offices: [OrganisationID] =
          if let texts = try body.texts("organisations") {
            try texts.map { text in
              guard let id = OrganisationID(text) else {
                throw body.refusal(
                  "census.office", "organisations", Text("请给出现有单位的标识。", "Give ids of standing organisations."))
              }
              return id
            }
          } else { try await census.askable(principal).map(\.id) }
        let campaign = try await census.open(
          principal,
          CampaignDraft(
            name: try body.text("name") ?? "", referenceDay: try body.day("referenceDay"),
            workingDays: try body.whole("workingDays"), offices: offices))
        return .json(Self.json(campaign), status: 201)
      }.described(
        takes: Schema.taken(
          ["name", "referenceDay"],
          [
            ("name", Schema.text), ("referenceDay", Schema.day), ("workingDays", Schema.maybe(Schema.whole)),
            ("organisations", Schema.maybe(Schema.list(Schema.id))),
          ]), gives: Self.campaign, status: 201),
      Route.post(
        "/api/v1/census/campaigns/{id}/close", .permission(.runCensus),
        summary: Text("结束一批普查，数据冻结", "Close a campaign; its numbers are frozen")
      ) { request in
        let (principal, id) = (try request.visitor(), try request.id(of: Campaign.self))
        try await census.close(principal, id)
        return .json(Self.json(try await census.totals(principal, id).campaign))
      }.described(gives: Self.campaign),
      step("submit", .fillCensus, Text("提交本单位的填报", "Hand one's office's return in")) { request, id in
        try await census.submit(request.visitor(), id)
      }.described(gives: Self.owner),
      step("recall", .fillCensus, Text("验收前撤回填报", "Take a return back before it is decided")) { request, id in
        try await census.recall(request.visitor(), id)
      }.described(gives: Self.owner),
      step(
        "decide", .runCensus,
        Text(
          "验收或退回一个单位的填报；If-Match 给出填报的 etag", "Accept a return or send it back; If-Match names the return's etag")
      ) { request, id in
        let body = try request.members("decision", "reasons")
        let decision: Census.Decision
        switch try body.text("decision") {
        case "accept": decision = .accept
        case "return": decision = .sendBack(reasons: try body.text("reasons") ?? "")
        default:
          throw body.refusal(
            "census.decision", "decision", Text("decision 应为 accept 或 return。", "decision is accept or return."))
        }
        try await census.decide(request.visitor(), id, decision) { try request.requireMatch($0.tag) }
      }.minding(.required).described(
        takes: Schema.taken(
          ["decision"],
          [("decision", Schema.choice(["accept", "return"])), ("reasons", Schema.maybe(Schema.text))]),
        gives: Self.owner),
    ]
  }

  /// One step of a return, which is answered as it stands then.
  private func step(
    _ verb: String, _ permission: Permission, _ summary: Text,
    _ body: @escaping @Sendable (Request, CensusReturnID) async throws -> Void
  ) -> Route {
    Route.post("/api/v1/census/returns/{id}/\(verb)", .permission(permission), summary: summary) { request in
      let id: CensusReturnID = try request.id()
      try await body(request, id)
      return .json(Self.json(try await census.view(request.visitor(), id).1))
    }
  }
}
