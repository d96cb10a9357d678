import Catalog
import Inventory
import Kernel
import Web

/// Objections, questions, ratings and saved searches for programs: what the pages show and do, no more.
struct FeedbackAPI: Sendable {
  let feedback: Feedback

  var routes: [Route] { objections + questions + ratings + searches }

  // MARK: - Objections

  private var objections: [Route] {
    [
      Route.get(
        "/api/v1/feedback/objections", .permission(.readCatalog),
        summary: Text(
          "目录异议，新的在前；各部门只见本单位的，主管部门可见全部", "Objections, newest first: one's office's, or all for the authority")
      ) { request in
        let limit = try request.pageLimit(most: 200)
        let found = try await feedback.objections(
          for: request.visitor(), side: try request.queryChoice("side") ?? .received,
          state: try request.queryChoice("state"), before: try request.queryID("before"), limit: limit + 1)
        return .json([
          "objections": .array(found.prefix(limit).map(Self.json)),
          "next": .optional(found.count > limit ? found[limit - 1].id.text : nil),
        ])
      }.described(
        gives: Schema.page("objections", Self.objection),
        query: [
          QueryParameter(
            "side", Text("raised 本单位提出，received 对本单位（默认），all 全部", "raised by us, received by us (default), or all"),
            Schema.choice(Feedback.Side.self)),
          QueryParameter("state", Text("状态", "where it stands"), Schema.choice(ObjectionState.self)),
          .cursor("before"), .limit(most: 200),
        ]),
      Route.post(
        "/api/v1/feedback/objections", .permission(.feedbackRaise),
        summary: Text("为本单位提出异议", "Raise an objection for one's office")
      ) { request in
        let body = try request.members("resource", "kind", "about", "words", "evidence")
        guard let resource = ResourceID(try body.text("resource") ?? "") else {
          throw Refusal.notFound(Text("目录", "catalogue entry"))
        }
        guard let about = ObjectionDraft.About(try body.text("about") ?? "entry") else {
          throw Refusal.invalid(
            "feedback.objection", "about",
            Text("应为 entry、element:… 或 item:…。", "It is entry, element:… or item:…."))
        }
        let made = try await feedback.raise(
          ObjectionDraft(
            resource: resource, kind: try body.text("kind") ?? "", about: about, words: try body.text("words") ?? "",
            evidence: try body.text("evidence") ?? "", formKey: request.headers["idempotency-key"]),
          by: request.visitor())
        return .json(Self.json(made))
      }.described(
        takes: Self.takes(
          ["resource", "kind", "words"],
          [
            ("resource", Schema.id),
            ("kind", Schema.choice(feedback.lists["objection-kind"].entries.map(\.code))), ("about", Schema.text),
            ("words", Schema.text), ("evidence", Schema.text),
          ]), gives: Self.objection),
      Route.get(
        "/api/v1/feedback/objections/late", .permission(.feedbackCoordinate),
        summary: Text("逾期未办的异议，逾期最久的在前", "Objections past their due date, the longest first")
      ) { request in
        let limit = try request.pageLimit(most: 200)
        let found = try await feedback.lateObjections(
          for: request.visitor(), after: try request.queryPlace("after", FeedbackRoutes.latePlace), limit: limit + 1)
        return .json([
          "objections": .array(found.prefix(limit).map(Self.json)),
          "next": .optional(found.count > limit ? FeedbackRoutes.latePlace(of: found[limit - 1]) : nil),
        ])
      }.described(
        gives: Schema.page("objections", Self.objection), query: [.cursor("after", Schema.text), .limit(most: 200)]),
      Route.get(
        "/api/v1/feedback/objections/{id}", .permission(.readCatalog),
        summary: Text("一件异议及其办理经过", "One objection with what happened to it")
      ) { request in
        let (item, events) = try await feedback.objection(request.id(), for: request.visitor())
        return .json(Self.json(item, events))
      }.described(gives: Self.objectionWithEvents),
      Route.post(
        "/api/v1/feedback/objections/{id}", .anyPermission([.feedbackRaise, .feedbackAnswer, .feedbackCoordinate]),
        summary: Text("办理异议的一步", "Take one step of an objection")
      ) { request in
        let body = try request.members("event", "version", "words", "correctedBy")
        guard let event = ObjectionEvent(rawValue: try body.text("event") ?? "") else {
          throw Refusal.invalid("feedback.event", "event", Text("没有这种办理事项。", "There is no such step."))
        }
        let item = try await feedback.act(
          on: request.id(),
          ObjectionStep(
            event, words: try body.text("words") ?? "", correctedBy: try body.whole("correctedBy")),
          version: try body.whole("version") ?? 0, by: request.visitor())
        return .json(Self.json(item))
      }.described(
        takes: Self.takes(
          ["event", "version"],
          [
            ("event", Schema.choice(ObjectionEvent.self)), ("version", Schema.whole), ("words", Schema.text),
            ("correctedBy", Schema.maybe(Schema.whole)),
          ]), gives: Self.objection),
    ]
  }

  // MARK: - Questions and ratings

  private var questions: [Route] {
    [
      Route.get(
        "/api/v1/feedback/questions", .permission(.readCatalog),
        summary: Text("对一条目录的咨询和答复，新的话题在前", "Questions to an entry's department, the newest thread first")
      ) { request in
        let limit = try request.pageLimit(most: 50, usual: 20)
        let threads = try await feedback.questions(
          about: try Self.resource(request), before: try request.queryID("before"), limit: limit + 1,
          for: request.visitor())
        return .json([
          "questions": .array(threads.prefix(limit).flatMap { $0 }.map(Self.json)),
          "next": .optional(threads.count > limit ? threads[limit - 1].first?.root.text : nil),
        ])
      }.described(
        gives: Schema.page("questions", Self.question),
        query: [Self.resourceParameter, .cursor("before"), .limit(most: 50, usual: 20)]),
      Route.post(
        "/api/v1/feedback/questions", .permission(.feedbackSpeak), summary: Text("提问或追问", "Ask, or ask more")
      ) { request in
        let body = try request.members("resource", "words", "follows")
        guard let resource = ResourceID(try body.text("resource") ?? "") else {
          throw Refusal.notFound(Text("目录", "catalogue entry"))
        }
        let follows = try body.text("follows").map { text in
          guard let id = QuestionID(text) else { throw Refusal.notFound(Text("咨询", "question")) }
          return id
        }
        let asked = try await feedback.ask(
          try body.text("words") ?? "", about: resource, follows: follows, formKey: request.headers["idempotency-key"],
          by: request.visitor())
        return .json(Self.json(asked))
      }.described(
        takes: Self.takes(
          ["resource", "words"],
          [("resource", Schema.id), ("words", Schema.text), ("follows", Schema.maybe(Schema.id))]),
        gives: Self.question),
      Route.get(
        "/api/v1/feedback/questions/{id}", .permission(.readCatalog), summary: Text("一个咨询", "One question")
      ) { request in
        .json(Self.json(try await feedback.question(request.id(), for: request.visitor())))
      }.described(gives: Self.question),
      Route.post(
        "/api/v1/feedback/questions/{id}", .permission(.feedbackAnswer),
        summary: Text("答复咨询（一次，不能修改）", "Answer a question, once")
      ) { request in
        let words = try request.members("answer").text("answer") ?? ""
        return .json(Self.json(try await feedback.answer(request.id(), words, by: request.visitor())))
      }.described(takes: Self.takes(["answer"], [("answer", Schema.text)]), gives: Self.question),
    ]
  }

  private var ratings: [Route] {
    [
      Route.get(
        "/api/v1/feedback/ratings", .permission(.readCatalog),
        summary: Text("一条目录的评分：均值、分布和各部门的评分", "Ratings of an entry: mean, distribution, and each office's")
      ) { request in
        let limit = try request.pageLimit(most: 200)
        let (summary, found) = try await feedback.ratings(
          of: try Self.resource(request), after: try request.queryID("after"), limit: limit + 1,
          for: request.visitor())
        return .json([
          "mean": .optional(summary.mean), "count": JSON(summary.count),
          "distribution": .array(summary.counts.map { JSON($0) }),
          "ratings": .array(
            found.prefix(limit).map { one in
              [
                "organisation": .string(one.office.text), "organisationName": .string(one.officeName),
                "version": JSON(one.version), "score": JSON(one.score), "words": .string(one.words),
                "at": .string(one.at.description),
              ]
            }),
          "next": .optional(found.count > limit ? found[limit - 1].office.text : nil),
        ])
      }.described(
        gives: Schema.object([
          ("mean", Schema.maybe(Schema.text)), ("count", Schema.whole), ("distribution", Schema.list(Schema.whole)),
          (
            "ratings",
            Schema.list(
              Schema.object([
                ("organisation", Schema.id), ("organisationName", Schema.text), ("version", Schema.whole),
                ("score", Schema.number(1...5)), ("words", Schema.text), ("at", Schema.moment),
              ]))
          ), ("next", Schema.maybe(Schema.text)),
        ]), query: [Self.resourceParameter, .cursor("after"), .limit(most: 200)]),
      Route.post(
        "/api/v1/feedback/ratings", .permission(.feedbackSpeak),
        summary: Text("给出或修改本单位的评分", "Give or change one's office's rating")
      ) { request in
        let body = try request.members("resource", "score", "words")
        guard let resource = ResourceID(try body.text("resource") ?? "") else {
          throw Refusal.notFound(Text("目录", "catalogue entry"))
        }
        try await feedback.rate(
          resource, score: try body.whole("score") ?? 0, words: try body.text("words") ?? "", by: request.visitor())
        return .json(["rated": true])
      }.described(
        takes: Self.takes(
          ["resource", "score"], [("resource", Schema.id), ("score", Schema.number(1...5)), ("words", Schema.text)]),
        gives: Schema.object([("rated", Schema.flag)])),
    ]
  }
}
