import Audit
import Kernel
import NationalCrypto
package import Storage

extension People {
  /// A new node's first people with their one-time passwords, in the order of the drafts: all of them or none, and only
  /// where nobody is yet. A node with one of three administrators would have nobody to make the others.
  package func found(_ drafts: [Draft]) async throws -> [String] {
    var founders: [(draft: Draft, plain: String, hash: String)] = []
    for draft in drafts {
      let plain = PasswordPolicy.oneTime()
      founders.append((draft, plain, try await hasher.hash(plain)))
    }
    let (now, all) = (clock.now(), founders)
    try await database.write { tx in
      guard try !People.exist(in: tx) else {
        throw Refusal(
          .conflict, "identity.founded", Text("数据库里已有人员。", "There are people in the database already."))
      }
      for founder in all {
        let draft = founder.draft
        let person = Person(
          id: .make(at: now), login: draft.login, name: draft.name, organisation: draft.organisation,
          roles: draft.roles, isActive: true, mustChangePassword: true, hasSecondFactor: false, version: 1)
        try PersonStore.insert(person, password: founder.hash, at: now, in: tx)
        try AuditLog.record(
          AuditEntry(
            at: now, actor: .system(), action: "identity.person.create", subjectKind: "person", subject: person.id.text,
            subjectName: person.name,
            detail: [("roles", draft.roles.map(\.rawValue).sorted().joined(separator: ","))]), in: tx)
      }
    }
    return founders.map(\.plain)
  }

  package static func exist(in tx: any Transaction) throws -> Bool {
    try tx.row("SELECT id FROM identity_person LIMIT 1") != nil
  }
}
