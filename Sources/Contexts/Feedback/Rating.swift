import Audit
package import Catalog
import Inbox
package import Kernel
package import Storage

/// What one office thinks of an entry, 1 to 5: one voice per office, so that a big one does not outvote the others. It may
/// be changed, and says to which version it was given.
package struct Rating: Hashable, Sendable {
  package var office: OrganisationID
  package var officeName: String
  package var version: Int
  package var score: Int
  package var words: String
  package var by: String
  package var at: Instant
}

/// All ratings of an entry together.
package struct RatingSummary: Hashable, Sendable {
  /// How many offices gave 1, 2, 3, 4 and 5.
  package var counts: [Int]

  package init(counts: [Int] = [0, 0, 0, 0, 0]) { self.counts = counts }

  package var count: Int { counts.reduce(0, +) }

  /// To one decimal, rounded half up: `4.3`; nil while nobody has rated.
  package var mean: String? {
    guard count > 0 else { return nil }
    let sum = counts.enumerated().reduce(0) { $0 + ($1.offset + 1) * $1.element }
    let tenths = (sum * 20 + count) / (count * 2)
    return "\(tenths / 10).\(tenths % 10)"
  }
}

/// The only SQL of ratings.
package enum RatingStore {
  package static func summary(of resource: ResourceID, in tx: any Transaction) throws -> RatingSummary {
    var summary = RatingSummary()
    for row in try tx.rows(
      "SELECT score, COUNT(*) AS offices FROM feedback_rating WHERE resource = \(resource) GROUP BY score")
    {
      summary.counts[try row.int("score") - 1] = try row.int("offices")
    }
    return summary
  }

  static func find(_ resource: ResourceID, of office: OrganisationID, in tx: any Transaction) throws -> Rating? {
    try tx.row("\(select) WHERE resource = \(resource) AND organisation = \(office)").map(rating)
  }

  /// By office; `after` is the last one's id of the page before.
  static func list(
    of resource: ResourceID, after: OrganisationID? = nil, limit: Int, in tx: any Transaction
  ) throws -> [Rating] {
    try tx.rows(
      """
      \(select) WHERE resource = \(resource) AND organisation > \(after?.text ?? "") ORDER BY organisation LIMIT \(limit)
      """
    ).map(rating)
  }

  static func count(by person: PersonID, since: Instant, most: Int, in tx: any Transaction) throws -> Int {
    try tx.int(
      """
      SELECT COUNT(*) FROM (SELECT resource FROM feedback_rating WHERE given_by = \(person) AND given_at > \(since)
        LIMIT \(most)) r
      """) ?? 0
  }

  static func put(_ r: Rating, of resource: ResourceID, person: PersonID, in tx: any Transaction) throws {
    try tx.run(
      """
      INSERT INTO feedback_rating (resource, organisation, organisation_name, resource_version, score, words, given_by,
        given_by_name, changes, given_at)
      VALUES (\(resource), \(r.office), \(r.officeName), \(r.version), \(r.score), \(r.words), \(person), \(r.by), 0,
        \(r.at))
      ON CONFLICT (resource, organisation) DO UPDATE SET organisation_name = excluded.organisation_name,
        resource_version = excluded.resource_version, score = excluded.score, words = excluded.words,
        given_by = excluded.given_by, given_by_name = excluded.given_by_name, changes = feedback_rating.changes + 1,
        given_at = excluded.given_at
      """)
  }

  private static let select: SQL = """
    SELECT organisation, organisation_name, resource_version, score, words, given_by_name, given_at FROM feedback_rating
    """

  private static func rating(_ row: Row) throws -> Rating {
    Rating(
      office: try row.id("organisation"), officeName: try row.text("organisation_name"),
      version: try row.int("resource_version"), score: try row.int("score"), words: try row.text("words"),
      by: try row.text("given_by_name"), at: try row.instant("given_at"))
  }
}

extension Feedback {
  /// At or below it, a rating with words is told to the provider.
  static let lowScore = 2

  /// Gives or changes the own office's rating of the version in force.
  package func rate(_ resource: ResourceID, score: Int, words: String, by principal: Principal) async throws {
    let (person, office) = try speaker(principal, .feedbackSpeak)
    let now = clock.now()
    var faults: [Refusal.Fault] = []
    if !(1...5).contains(score) { faults.append(.init("score", Text("请给 1 到 5 分。", "Give 1 to 5."))) }
    Self.checkText(words, "words", Self.limits.words, required: false, &faults)
    guard faults.isEmpty else { throw Refusal.invalid("feedback.rating", faults) }
    try await database.write { tx in
      let entry = try entry(resource, for: office, in: tx)
      let given = try RatingStore.count(by: person, since: Self.dayBefore(now), most: Self.limits.ratingsADay, in: tx)
      try Self.checkRate(given, most: Self.limits.ratingsADay)
      let before = try RatingStore.find(resource, of: office, in: tx)
      let rating = Rating(
        office: office, officeName: principal.organisationName, version: entry.version, score: score, words: words,
        by: principal.name, at: now)
      if let before, before.score == score, before.words == words, before.version == entry.version { return }
      try RatingStore.put(rating, of: resource, person: person, in: tx)
      if score <= Self.lowScore, !words.isEmpty {
        try Inbox.notify(
          Notice(
            kind: "rating.low",
            title: Text(
              "\(rating.officeName)给《\(entry.metadata.name)》打了 \(score) 分，并说明了原因",
              "\(rating.officeName) rated “\(entry.metadata.name)” \(score) and says why"),
            link: "/feedback/resources/\(resource)#ratings", for: .office(entry.provider, .feedbackAnswer),
            subject: ("resource", resource.text), at: now), in: tx)
      }
      var detail = [(name: "score", value: String(score)), (name: "version", value: String(entry.version))]
      if let before { detail.append(("before", String(before.score))) }
      if !words.isEmpty { detail.append(("words", words)) }
      try AuditLog.record(
        AuditEntry(
          at: now, actor: principal, action: "feedback.rating.give", subjectKind: "resource", subject: resource.text,
          subjectName: entry.metadata.name, detail: detail), in: tx)
    }
  }

  package func ratings(
    of resource: ResourceID, after: OrganisationID? = nil, limit: Int, for principal: Principal
  ) async throws -> (summary: RatingSummary, ratings: [Rating]) {
    try principal.require(.readCatalog)
    return try await database.read { tx in
      (
        try RatingStore.summary(of: resource, in: tx),
        try RatingStore.list(of: resource, after: after, limit: limit, in: tx)
      )
    }
  }
}
