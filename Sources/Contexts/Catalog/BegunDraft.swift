internal import Kernel
internal import NationalCrypto
internal import Storage

/// Which draft a form began, so that the form begins one however often it is sent. A form is known by the key that it was
/// given when it was shown, and by what it asked for: changed and sent again, it begins another.
struct BegunDraft: Sendable {
  let person: PersonID
  let form: String

  /// Nil where there is nothing to know it by.
  init?(_ principal: Principal, key: String?, asks content: [String]) {
    guard let person = principal.person, let key, !key.isEmpty else { return nil }
    self.person = person
    form = SM3.hash(([key] + content).joined(separator: "\u{0}")).hex
  }

  /// How long a form is remembered.
  static let kept: Duration = .seconds(10 * 86_400)

  /// What it began already, unless that was given up.
  func find(in tx: any Transaction) throws -> Resource? {
    let id: ResourceID? = try tx.row(
      "SELECT resource FROM catalog_begun WHERE person = \(person) AND form = \(form)"
    ).map { try $0.id("resource") }
    guard let id, let resource = try CatalogStore.latest(id, in: tx), resource.state != .discarded else { return nil }
    return resource
  }

  func note(_ resource: ResourceID, at now: Instant, in tx: any Transaction) throws {
    try tx.run("DELETE FROM catalog_begun WHERE person = \(person) AND (form = \(form) OR at <= \(now - Self.kept))")
    try tx.run(
      "INSERT INTO catalog_begun (person, form, resource, at) VALUES (\(person), \(form), \(resource), \(now))")
  }
}
