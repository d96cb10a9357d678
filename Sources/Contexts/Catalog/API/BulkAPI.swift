internal import Connecting
internal import Kernel
internal import NationalCrypto
internal import Web

/// Entries in bulk: a department's own system keeps its catalogue here by one call a day.
enum BulkAPI {
  /// Of one call.
  static let most = (entries: 10_000, bytes: 64 << 20)
  /// Findings in one answer; more are counted.
  private static let mostFindings = (ofOne: 50, inAll: 20_000)

  static func routes(_ cataloguing: Cataloguing) -> [Route] {
    [
      Route.post(
        "/api/v1/catalog/resources", .permission(.compileCatalog), bodyLimit: most.bytes,
        summary: Text(
          "批量写入本单位目录：JSON 数组或每行一条的 NDJSON，至多 \(most.entries) 条、64 MiB；按 reference、id、code 或名称认定同一条；通过核验的成为草稿，其余逐条说明",
          "Write entries of one's department in bulk: a JSON array or NDJSON, at most \(most.entries) entries and 64 MiB; known by reference, id, code or name; what passes the rules becomes drafts, the rest is told why"
        )
      ) { request in
        let principal = try request.visitor()
        let mode = try request.queryChoice("mode", of: TakingMode.self) ?? .update
        let submits = try request.queryFlag("submit") ?? false
        let change = try commonChange(request)
        guard submits || change == nil else {
          throw Refusal.invalid(
            "web.query", "changeKind",
            Text(
              "changeKind 等参数只在 submit=1 时有用；否则请逐条写 change。",
              "changeKind and its like go with submit=1; otherwise write change in each entry."))
        }
        let (body, now) = (request.body, request.now)
        async let digest = BlockingThread.run { SM3.hash(body).hex }
        let given = try await readAlongside(body, at: now)
        let taken = try await cataloguing.take(
          principal, given, mode, from: TakingOrigin(name: "POST /api/v1/catalog/resources", digest: try await digest))
        return answer(
          given, try await submits ? submitted(taken, given, change, principal, cataloguing) : taken, request.language)
      }.taking("application/x-ndjson").described(
        takes: Schema.list(EntryReading.schema), gives: given,
        query: [
          QueryParameter(
            "mode",
            Text("add 只新建；update（缺省）也更新已有的", "add makes new ones only; update, the default, changes those there too"),
            Schema.choice(TakingMode.self)),
          QueryParameter(
            "submit",
            Text(
              "1 通过核验的同时提交审核；后续版本的变更原因取该条的 change，没有的取下列参数",
              "1 submits what passed for review as well; a later version gives the reason of its change, or that of these parameters"
            ), Schema.choice(["1", "0"])),
          QueryParameter(
            "changeKind", Text("各条共同的变更原因（对应 change.kind）", "why all of them changed, as change.kind"),
            Schema.choice(VersionChange.Kind.self)),
          QueryParameter("changeWords", Text("各条共同的变更说明（对应 change.words）", "the same in words, as change.words")),
          QueryParameter(
            "changeTrigger", Text("触发变更的日期（对应 change.trigger）", "the day of what made it necessary, as change.trigger"),
            Schema.day),
        ])
    ]
  }

  /// Every entry of a body. One that is no JSON makes the whole of it doubtful, and is refused as a whole.
  static func read(_ body: [UInt8], at now: Instant) throws -> [GivenEntry] {
    var given: [GivenEntry] = []
    try split(body) { given += $0.map { EntryReading.entry($0, at: now) } }
    return given
  }

  /// The same, where a thread parses ahead while what it has parsed is read: half the time of a large body.
  private static func readAlongside(_ body: [UInt8], at now: Instant) async throws -> [GivenEntry] {
    let (parts, part) = AsyncThrowingStream.makeStream(of: [JSON].self, throwing: (any Error).self)
    BlockingThread.start {
      do {
        try split(body) { part.yield($0) }
        part.finish()
      } catch { part.finish(throwing: error) }
    }
    var given: [GivenEntry] = []
    for try await part in parts { given += part.map { EntryReading.entry($0, at: now) } }
    // The stream ends early, as if that were all, when nobody waits for the answer any more.
    try Task.checkCancellation()
    return given
  }

  /// Hands over the values of a body, some at a time.
  private static func split(_ body: [UInt8], _ take: ([JSON]) -> Void) throws {
    var (part, count): ([JSON], Int) = ([], 0)
    try JSONParser.each(in: body, maxValues: 20_000) { value in
      guard count < most.entries else {
        throw Refusal(
          .tooLarge, "catalog.bulk.many",
          Text(
            "一次最多 \(most.entries) 条，请分批提交。", "At most \(most.entries) entries at a time; send them in parts."))
      }
      count += 1
      part.append(value)
      if part.count == 128 {
        take(part)
        part = []
      }
    }
    guard count > 0 else {
      throw Refusal.invalid("catalog.bulk.empty", "", Text("没有任何目录。", "There is no entry in it."))
    }
    take(part)
  }

  // MARK: Parts

  /// The reason that holds for every entry of a call that gives none of its own.
  private static func commonChange(_ request: Request) throws -> VersionChange? {
    let (words, trigger) = (request.query["changeWords"], try request.queryDay("changeTrigger"))
    guard let kind = try request.queryChoice("changeKind", of: VersionChange.Kind.self) else {
      guard words == nil, trigger == nil else {
        throw Refusal.invalid(
          "web.query", "changeKind", Text("请同时给出变更原因 changeKind。", "Give changeKind, the reason, as well."))
      }
      return nil
    }
    return VersionChange(kind, words: words ?? "", trigger: trigger)
  }

  /// Submits what can be, each by itself: one that the reviewer cannot have yet stays the draft it is, and says why.
  private static func submitted(
    _ taken: [TakenEntry], _ given: [GivenEntry], _ change: VersionChange?, _ principal: Principal,
    _ cataloguing: Cataloguing
  ) async throws -> [TakenEntry] {
    let drafts = taken.indices.filter { index in
      taken[index].outcome != .refused && taken[index].resource?.state.isEditable == true
    }
    let answers = try await cataloguing.submit(
      principal, drafts.compactMap { index in taken[index].resource.map { ($0.id, given[index].change ?? change) } })
    var done = taken
    for (index, answer) in zip(drafts, answers) {
      switch answer {
      case .success(let resource): done[index].resource = resource
      case .failure(let refusal):
        done[index].findings.append(
          Finding(.error, refusal.code, "", refusal.message, source: RuleSource.platform))
      }
    }
    return done
  }

  private static func answer(_ given: [GivenEntry], _ taken: [TakenEntry], _ language: Language) -> Response {
    var left = mostFindings.inAll
    var leftOut = 0
    let entries = zip(given, taken).enumerated().map { index, pair -> JSON in
      let (entry, done) = pair
      let told = done.findings.filter { $0.severity != .hint }
      let shown = told.prefix(min(left, mostFindings.ofOne))
      left -= shown.count
      leftOut += told.count - shown.count
      return [
        "index": JSON(index), "reference": .optional(entry.reference.isEmpty ? nil : entry.reference),
        "outcome": .string(done.outcome.rawValue), "id": .optional(done.resource?.id.text),
        "version": .optional(done.resource?.version), "state": .optional(done.resource?.state.rawValue),
        "code": .optional(done.resource?.code?.description), "etag": .optional(done.resource?.tag),
        "findings": .array(shown.map { $0.json(language) }),
      ]
    }
    var members: [(String, JSON)] = EntryOutcome.allCases.map { outcome in
      (outcome.rawValue, JSON(taken.count { $0.outcome == outcome }))
    }
    members.append(("findingsLeftOut", JSON(leftOut)))
    members.append(("entries", .array(entries)))
    return .json(.object(members))
  }

  private static let given = Schema.object(
    EntryOutcome.allCases.map { ($0.rawValue, Schema.whole) } + [
      ("findingsLeftOut", Schema.whole),
      (
        "entries",
        Schema.list(
          Schema.object([
            ("index", Schema.whole), ("reference", Schema.maybe(Schema.text)),
            ("outcome", Schema.choice(EntryOutcome.self)), ("id", Schema.maybe(Schema.id)),
            ("version", Schema.maybe(Schema.whole)), ("state", Schema.maybe(Schema.choice(VersionState.self))),
            ("code", Schema.maybe(Schema.text)), ("etag", Schema.maybe(Schema.text)),
            ("findings", Schema.list(Finding.schema)),
          ]))
      ),
    ])
}
