import Kernel
package import NationalCrypto
package import Storage
package import Web

/// Searching the log, proofs, checkpoints.
package struct AuditRoutes: Sendable {
  let database: any Database
  let key: SM2.PublicKey
  let words: AuditWords
  let grants: AuditGrants

  package static func routes(
    database: any Database, publicKey: SM2.PublicKey, words: AuditWords, grants: AuditGrants
  ) -> [Route] {
    let site = AuditRoutes(database: database, key: publicKey, words: words, grants: grants)
    return site.pages + site.interface
  }

  private static let door = Access.anyPermission([.auditRead, .auditReadOwn])

  private var pages: [Route] {
    [
      .get("/audit", Self.door) { request in
        let principal = try request.visitor()
        var refusal: Refusal?
        var search = AuditSearch()
        do { search = try await read(request.query) } catch let found as Refusal { refusal = found }
        search.limit = 51
        let (asked, failed) = (search, refusal != nil)
        let (records, names, health) = try await database.read { tx in
          let records = failed ? [] : try asked.records(for: principal, grants: grants, in: tx)
          return (records, try words.names(in: records, tx), try AuditHealth.now(in: tx))
        }
        return .page(
          AuditPages.search(
            request, words, Array(records.prefix(50)), names: names, entered: request.query, health: health,
            next: records.count > 50 ? records[49].id : nil, refusal: refusal))
      },
      .get("/audit/records/{id}", Self.door) { request in
        let (record, proof) = try await find(request)
        let (names, number) = try await database.read { tx in
          (try words.names(in: [record], tx), try record.grant.flatMap { try words.number($0, tx) })
        }
        return .page(AuditPages.record(request, words, record, names: names, grant: number, proof))
      },
      .get("/audit/records/{id}/proof.json", Self.door) { request in
        let (_, proof) = try await find(request)
        guard let proof else { throw Refusal.notFound(Text("证明", "proof")) }
        return .download(Self.json(proof).bytes, type: "application/json", name: "proof-\(proof.index).json")
      },
      .get("/audit/checkpoints", Self.door) { request in
        let before = try request.queryPlace("before") { Int($0).flatMap { $0 > 0 ? $0 : nil } }
        let kept = try await database.read { try AuditCheckpoints.list(before: before, limit: 51, in: $0) }
        let shown = kept.prefix(50).map { ($0, Checkpoint(note: $0.note, signedBy: key)?.root == $0.root) }
        return .page(AuditPages.checkpoints(request, shown, key: key, next: kept.count > 50 ? kept[49].size : nil))
      },
    ]
  }

  private var interface: [Route] {
    [
      .get("/api/v1/audit/records", Self.door, summary: Text("查询审计记录", "Search the log")) { request in
        let (principal, limit) = (try request.visitor(), try request.pageLimit(most: 200))
        var search = try await read(request.query)
        search.limit = limit + 1
        let asked = search
        let records = try await database.read { try asked.records(for: principal, grants: grants, in: $0) }
        return .json([
          "records": .array(records.prefix(limit).map(Self.json)),
          "next": .optional(records.count > limit ? records[limit - 1].id.text : nil),
        ])
      }.described(
        gives: Schema.page("records", Self.record),
        query: [
          QueryParameter("actor", Text("人员的标识、姓名或登录名", "a person's id, name or sign-in name")),
          QueryParameter("organisation", Text("单位标识", "an organisation's id"), Schema.id),
          QueryParameter("action", Text("动作代码或其开头", "an action's code or its beginning")),
          QueryParameter("kind", Text("对象的种类", "the kind of subject")),
          QueryParameter("subject", Text("对象的标识", "the subject's id")),
          QueryParameter("grant", Text("授权的标识或编号", "a grant's id or number")),
          QueryParameter("from", Text("起始日，含", "the first day"), Schema.day),
          QueryParameter("to", Text("结束日，含", "the last day"), Schema.day),
          .cursor("before"), .limit(most: 200),
        ]),
      .get("/api/v1/audit/records/{id}/proof", Self.door, summary: Text("一条记录的包含证明", "A record's proof of inclusion")) {
        request in
        let (_, proof) = try await find(request)
        guard let proof else { throw Refusal.notFound(Text("证明", "proof")) }
        return .json(Self.json(proof).bytes)
      }.described(
        gives: Schema.object([
          ("record", Schema.id), ("fields", Self.provenFields), ("digest", Schema.text), ("leafIndex", Schema.whole),
          ("treeSize", Schema.whole),
          ("path", Schema.list(Schema.text)), ("root", Schema.text), ("checkpoint", Schema.text),
        ])),
      .get("/api/v1/audit/checkpoints/latest", Self.door, summary: Text("最新的签名检查点", "The latest signed checkpoint")) {
        _ in
        guard let last = try await database.read({ try AuditCheckpoints.latest(in: $0) }) else {
          throw Refusal.notFound(Text("检查点", "checkpoint"))
        }
        return .plain(last.note)
      }.described(gives: Schema.text, as: "text/plain; charset=utf-8"),
    ]
  }

  private func find(_ request: Request) async throws -> (AuditRecord, AuditProof?) {
    let (id, principal): (AuditRecordID, Principal) = (try request.id(), try request.visitor())
    return try await database.read { tx in
      (try AuditStore.find(id, for: principal, grants: grants, in: tx), try AuditProof.of(id, in: tx))
    }
  }

  /// A person may be given by id, name or sign-in name; a grant by id or number.
  private func read(_ query: Fields) async throws -> AuditSearch {
    var search = AuditSearch()
    func id<T>(_ name: String) throws -> ID<T>? {
      guard let text = query[name] else { return nil }
      guard let id = ID<T>(text) else {
        throw Refusal.invalid("audit.search", name, Text("这不是编号。", "This is not an id."))
      }
      return id
    }
    func day(_ name: String) throws -> CalendarDate? {
      guard let text = query[name] else { return nil }
      guard let day = CalendarDate(text) else {
        throw Refusal.invalid("audit.search", name, Text("这不是日期。", "This is not a date."))
      }
      return day
    }
    if let name = query["actor"] {
      if let id = PersonID(name) {
        search.actors = [id]
      } else {
        let (bounded, words) = (String(name.prefix(60)), words)
        let found = try await database.read { try words.people(bounded, $0) }
        guard !found.isEmpty else {
          throw Refusal.invalid("audit.search", "actor", Text("没有这个人员。", "There is nobody of this name."))
        }
        search.actors = found
      }
    }
    search.organisation = try id("organisation")
    search.before = try id("before")
    search.action = query["action"].map { String($0.prefix(80)) }
    search.subjectKind = query["kind"].map { String($0.prefix(40)) }
    search.subject = query["subject"].map { String($0.prefix(60)) }
    if let given = query["grant"].map({ String($0.prefix(60)) }) {
      let words = words
      search.grant = try await database.read { try words.grant(given, $0) } ?? given
    }
    (search.from, search.to) = (try day("from"), try day("to"))
    return search
  }

  /// What the digest is made of, besides the record's id.
  private static let provenFields = Schema.object([
    ("at", Schema.moment), ("actor", Schema.maybe(Schema.id)), ("organisation", Schema.maybe(Schema.id)),
    ("action", Schema.text), ("subjectKind", Schema.text), ("subject", Schema.text),
    ("grant", Schema.maybe(Schema.text)),
    ("payloadDigest", Schema.text),
  ])

  private static let record = Schema.object([
    ("id", Schema.id), ("at", Schema.moment), ("actor", Schema.maybe(Schema.id)),
    ("actorName", Schema.maybe(Schema.text)), ("organisation", Schema.maybe(Schema.id)), ("action", Schema.text),
    ("subjectKind", Schema.text), ("subject", Schema.text), ("grant", Schema.maybe(Schema.text)),
    ("digest", Schema.text), ("leaf", Schema.maybe(Schema.whole)), ("detail", Schema.texts),
  ])

  private static func json(_ record: AuditRecord) -> JSON {
    .object([
      ("id", .string(record.id.text)), ("at", .string(record.at.description)), ("actor", .optional(record.actor?.text)),
      ("actorName", .optional(record.payload?.actorName)), ("organisation", .optional(record.organisation?.text)),
      ("action", .string(record.action)), ("subjectKind", .string(record.subjectKind)),
      ("subject", .string(record.subject)),
      ("grant", .optional(record.grant)), ("digest", .string(record.digest.hex)), ("leaf", .optional(record.leaf)),
      ("detail", .object((record.payload?.detail ?? []).map { ($0.name, .string($0.value)) })),
    ])
  }

  static func json(_ proof: AuditProof) -> JSON {
    .object([
      ("record", .string(proof.record.text)),
      (
        "fields",
        .object([
          ("at", .string(proof.fields.at.description)), ("actor", .optional(proof.fields.actor?.text)),
          ("organisation", .optional(proof.fields.organisation?.text)), ("action", .string(proof.fields.action)),
          ("subjectKind", .string(proof.fields.subjectKind)), ("subject", .string(proof.fields.subject)),
          ("grant", .optional(proof.fields.grant)), ("payloadDigest", .string(proof.fields.payloadDigest.hex)),
        ])
      ),
      ("digest", .string(proof.digest.hex)),
      ("leafIndex", .integer(Int64(proof.index))),
      ("treeSize", .integer(Int64(proof.size))), ("path", .array(proof.path.map { .string($0.hex) })),
      ("root", .string(proof.root.hex)), ("checkpoint", .string(proof.note)),
    ])
  }
}
