internal import Kernel
internal import Web

/// A department's desk for programs: what it has to do, and many of its drafts submitted at once.
enum WorkAPI {
  static func routes(_ cataloguing: Cataloguing) -> [Route] {
    [
      Route.get(
        "/api/v1/catalog/work", .permission(.compileCatalog),
        summary: Text(
          "本单位各状态的版本数和已下架的目录数", "How many versions of one's office are in each state, and how many entries offline")
      ) { request in
        let counts = try await cataloguing.workCounts(request.visitor())
        return .json(.object(WorkFilter.View.allCases.map { ($0.rawValue, JSON(counts[$0] ?? 0)) }))
      }.described(gives: Schema.object(WorkFilter.View.allCases.map { ($0.rawValue, Schema.whole) })),
      Route.post(
        "/api/v1/catalog/drafts/submit", .permission(.compileCatalog),
        summary: Text(
          "一次提交多条草稿，至多 \(ReviewPick.limit) 条：各条分别办理，并给出其 etag；change 为其中后续版本的变更原因",
          "Submit many drafts, at most \(ReviewPick.limit), each by itself and named with its etag; change is why those were written that are later versions"
        )
      ) { request in
        let body = try request.members("entries", "change")
        let change = try body.object("change").map { try VersionChange(json: $0, at: "/change/") }
        let outcomes = try await cataloguing.submit(request.visitor(), ReviewAPI.picks(body), because: change)
        return ReviewAPI.answer(outcomes.map(placed), request.language)
      }.described(
        takes: Schema.taken(
          ["entries"],
          [("entries", ReviewAPI.picked), ("change", Schema.maybe(VersionChange.schema(mayBeEmpty: false)))]),
        gives: ReviewAPI.outcomes),
      Route.get(
        "/api/v1/catalog/offline", .anyPermission([.compileCatalog, .reviewCatalog]),
        summary: Text(
          "已下架的目录，最近下架的在前：本单位的，平台可见全部", "Entries offline, the last taken first: one's office's, or all for the operator"
        )
      ) { request in
        let limit = try request.pageLimit(most: 200)
        let found = try await cataloguing.offline(
          request.visitor(), after: try request.queryPlace("after") { QueuePlace($0) }, limit: limit + 1)
        return .json([
          "entries": .array(
            found.prefix(limit).map { line in
              [
                "id": .string(line.id.text), "version": JSON(line.version), "code": .string(line.code),
                "name": .string(line.name), "providerName": .string(line.providerName),
                "since": .optional(line.at?.description),
              ]
            }),
          "next": .optional(found.count > limit ? found[limit - 1].place?.text : nil),
        ])
      }.widened(by: .reviewCatalog).described(
        gives: Schema.page(
          "entries",
          Schema.object([
            ("id", Schema.id), ("version", Schema.whole), ("code", Schema.text), ("name", Schema.text),
            ("providerName", Schema.text), ("since", Schema.maybe(Schema.moment)),
          ])), query: [.cursor("after", Schema.text), .limit(most: 200)]),
      Route.get(
        "/api/v1/catalog/resources/{id}/dependents", .anyPermission([.compileCatalog, .reviewCatalog]),
        summary: Text(
          "下架一条目录会涉及什么：申请、授权及其后果，供提供方和平台",
          "What hangs on an entry and what becomes of it offline; for its department and the operator")
      ) { request in
        let page = try await cataloguing.dependents(
          request.visitor(), request.id(), after: request.query["after"].map { String($0.prefix(64)) })
        return .json([
          "counts": .array(
            page.counts.map { ["what": .string(request.language($0.what)), "number": JSON($0.number)] }),
          "dependents": .array(page.lines.map { .string(request.language($0)) }), "next": .optional(page.next),
        ])
      }.described(
        gives: Schema.object([
          ("counts", Schema.list(Schema.object([("what", Schema.text), ("number", Schema.whole)]))),
          ("dependents", Schema.list(Schema.text)), ("next", Schema.maybe(Schema.text)),
        ]), query: [.cursor("after", Schema.text)]),
    ]
  }

  /// What is wrong with the reason of change stands in the body's `change`.
  private static func placed(_ outcome: ReviewOutcome) -> ReviewOutcome {
    guard var refusal = outcome.refusal else { return outcome }
    refusal.faults = refusal.faults.map { fault in
      VersionChange.names.contains(fault.field) ? .init("/change/" + fault.field, fault.message) : fault
    }
    var outcome = outcome
    outcome.refusal = refusal
    return outcome
  }
}
