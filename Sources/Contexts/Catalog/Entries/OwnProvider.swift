internal import Identity
internal import Kernel
internal import Storage

// Whose an entry is by what was sent or imported of it.

extension Cataloguing {
  /// Whether that is what the office is or was called, its id, or that of an office whose duties it has.
  func isOffice(_ provider: String, _ office: Organisation, in tx: any Transaction) throws -> Bool {
    if [office.name, office.creditCode, office.id.text, ""].contains(provider) { return true }
    // No office is called so, and PostgreSQL could not even be asked.
    if provider.utf8.contains(0) { return false }
    let named = try providers.named(provider, tx)
    let others = try [
      providers.coded(provider, tx), OrganisationID(provider).flatMap { try providers.organisation($0, tx) },
    ]
    return try (named + others.compactMap { $0 }).contains { other in
      try other.id == office.id
        || providers.today(of: other, on: clock.today, in: tx).contains { $0.office.id == office.id }
    }
  }

  func otherOffice(_ provider: String, _ office: Organisation, _ field: String) -> Finding {
    Finding(
      .error, "provider.other", field,
      Text(
        "这是“\(provider.prefix(60))”的目录；“\(office.name)”只能写入自己的目录。",
        "This is an entry of “\(provider.prefix(60))”; “\(office.name)” can only write its own."),
      source: RuleSource.platform)
  }

  /// Throws for an entry that names another office as its provider.
  func checkProvider(of given: GivenEntry, _ id: OrganisationID, in tx: any Transaction) throws {
    guard let office = try providers.organisation(id, tx) else { throw Refusal.forbidden(.compileCatalog) }
    for (field, text) in given.providers where try !isOffice(text, office, in: tx) {
      let finding = otherOffice(text, office, field)
      throw Refusal.invalid(finding.code, field, finding.message)
    }
  }
}
