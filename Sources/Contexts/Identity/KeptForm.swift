package import Kernel
import Storage

package enum KeptFormTag: Sendable {}
package typealias KeptFormID = ID<KeptFormTag>

/// What somebody wrote in a form whose session was over when it was sent. It waits for that person alone, who may send it
/// again once he has signed in; nothing of it is carried out before.
package struct KeptForm: Sendable, Hashable {
  package var id: KeptFormID
  package var person: PersonID
  /// In whose name it was written; it is sent in no other.
  package var actingFor: PersonID?
  /// Path and query that it was sent to.
  package var address: String
  /// Its fields as browsers encode them (`a=1&b=2`), without the session's token; `KeptFormField.page` first where it is
  /// known on which page of ours they were written.
  package var fields: String
  package var keptAt: Instant

  package var until: Instant { keptAt + KeptFormStore.kept }
}

extension SignIn {
  /// Keeps a form for the person in whose session it was written, which its token names; nil where no session of the last
  /// days had that token, where it was not `person`'s (when one is given), or where he may not come in any more. One of the
  /// same writer that it was before is forgotten.
  package func keep(
    csrf: String, of person: PersonID?, address: String, fields: String, insteadOf old: KeptFormID? = nil
  ) async throws -> KeptFormID? {
    let now = clock.now()
    return try await database.write { tx in
      guard let session = try SessionStore.find(csrf: csrf, at: now, in: tx),
        person == nil || person == session.person,
        try PersonStore.find(session.person, in: tx)?.isActive == true
      else { return nil }
      let form = KeptForm(
        id: .make(at: now), person: session.person, actingFor: session.actingFor, address: address, fields: fields,
        keptAt: now)
      try KeptFormStore.insert(form, in: tx)
      if let old { try KeptFormStore.remove(old, of: session.person, in: tx) }
      return form.id
    }
  }

  /// The form that waits for this person under the id, and the name of whom he acted for when he wrote it.
  package func keptForm(_ id: KeptFormID, of person: PersonID) async throws -> (form: KeptForm, actingFor: String?)? {
    let now = clock.now()
    return try await database.read { tx in
      guard let form = try KeptFormStore.find(id, of: person, at: now, in: tx) else { return nil }
      return (form, try form.actingFor.flatMap { try PersonStore.find($0, in: tx)?.name })
    }
  }

  /// Forgets a kept form that its writer does not want any more.
  package func forget(_ id: KeptFormID, of person: PersonID) async throws {
    try await database.write { try KeptFormStore.remove(id, of: person, in: $0) }
  }
}

/// The only SQL of kept forms.
enum KeptFormStore {
  /// As long as the session it was written in is remembered.
  static let kept = SessionStore.remembered
  /// The newest of one person.
  static let most = 20

  static func insert(_ form: KeptForm, in tx: any Transaction) throws {
    try tx.run(
      """
      INSERT INTO identity_kept_form (id, person, acting_for, address, fields, kept_at)
      VALUES (\(form.id), \(form.person), \(form.actingFor), \(form.address), \(form.fields), \(form.keptAt))
      """)
    try tx.run(
      """
      DELETE FROM identity_kept_form WHERE person = \(form.person) AND id NOT IN (
        SELECT id FROM identity_kept_form WHERE person = \(form.person) ORDER BY id DESC LIMIT \(most))
      """)
  }

  static func find(_ id: KeptFormID, of person: PersonID, at now: Instant, in tx: any Transaction) throws -> KeptForm? {
    try tx.row("\(select) WHERE id = \(id) AND person = \(person) AND kept_at > \(now - kept)").map(form)
  }

  /// What waits for a person, the latest first.
  static func list(of person: PersonID, at now: Instant, in tx: any Transaction) throws -> [KeptForm] {
    try tx.rows("\(select) WHERE person = \(person) AND kept_at > \(now - kept) ORDER BY id DESC LIMIT \(most)").map(
      form)
  }

  private static let select: SQL = "SELECT id, person, acting_for, address, fields, kept_at FROM identity_kept_form"

  private static func form(_ row: Row) throws -> KeptForm {
    KeptForm(
      id: try row.id("id"), person: try row.id("person"), actingFor: try row.idOrNil("acting_for"),
      address: try row.text("address"), fields: try row.text("fields"), keptAt: try row.instant("kept_at"))
  }

  static func remove(_ id: KeptFormID, of person: PersonID, in tx: any Transaction) throws {
    try tx.run("DELETE FROM identity_kept_form WHERE id = \(id) AND person = \(person)")
  }

  static func sweep(at now: Instant, in tx: any Transaction) throws {
    try tx.run("DELETE FROM identity_kept_form WHERE kept_at <= \(now - kept)")
  }
}
