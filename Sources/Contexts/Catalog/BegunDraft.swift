internal import Kernel
internal import NationalCrypto
internal import Storage

/// Which draft a form began, so that the form begins one however often it is sent. A form is known by the key that it was
/// given when it was shown, and by what it asked for: changed and sent again, it begins another.
struct BegunDraft: Sendable {
  let person: PersonID
  let form: String
  /// What it asked for, whichever form it was written in.
  let content: String

  /// Nil where there is nothing to know it by.
  init?(_ principal: Principal, key: String?, asks content: [String]) {
    guard let person = principal.person, let key, !key.isEmpty else { return nil }
    self.person = person
    form = Self.hash([key] + content)
    self.content = Self.hash(content)
  }

  /// How long a form is remembered.
  static let kept: Duration = .seconds(10 * 86_400)

  /// How long another form that asks for the same is taken for the same one: a browser that goes back shows the form anew.
  static let again: Duration = .seconds(600)

  /// What it began already, unless that was given up. Of another form that asked for the same just now it is that form's
  /// draft, so long as nothing was written in it.
  func find(at now: Instant, in tx: any Transaction) throws -> Resource? {
    if let resource = try begun(form, since: now - Self.kept, in: tx) { return resource }
    guard let resource = try begun(content, since: now - Self.again, in: tx), resource.version == 1,
      resource.revision == 1, resource.state == .draft
    else { return nil }
    return resource
  }

  func note(_ resource: ResourceID, at now: Instant, in tx: any Transaction) throws {
    try tx.run(
      """
      DELETE FROM catalog_begun
      WHERE person = \(person) AND (form = \(form) OR form = \(content) OR at <= \(now - Self.kept))
      """)
    for form in [form, content] {
      try tx.run(
        "INSERT INTO catalog_begun (person, form, resource, at) VALUES (\(person), \(form), \(resource), \(now))")
    }
  }

  private func begun(_ form: String, since: Instant, in tx: any Transaction) throws -> Resource? {
    let id: ResourceID? = try tx.row(
      "SELECT resource FROM catalog_begun WHERE person = \(person) AND form = \(form) AND at > \(since)"
    ).map { try $0.id("resource") }
    guard let id, let resource = try CatalogStore.latest(id, in: tx), resource.state != .discarded else { return nil }
    return resource
  }

  private static func hash(_ parts: [String]) -> String { SM3.hash(parts.joined(separator: "\u{0}")).hex }
}
