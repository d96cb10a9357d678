package import Kernel
import Storage

/// Somebody who can sign in.
package struct Person: Sendable, Hashable {
  package var id: PersonID
  package var login: String
  package var name: String
  package var organisation: OrganisationID
  package var roles: Set<Role>
  package var isActive: Bool
  package var mustChangePassword: Bool
  package var hasSecondFactor: Bool
  package var version: Int

  /// 2 to 64 of lower-case letters, digits, dots and hyphens.
  static func isLogin(_ text: String) -> Bool {
    (2...64).contains(text.utf8.count)
      && text.utf8.allSatisfy { ($0 >= 97 && $0 <= 122) || ($0 >= 48 && $0 <= 57) || $0 == 45 || $0 == 46 }
  }
}

enum PersonStore {
  static func find(_ id: PersonID, in tx: any Transaction) throws -> Person? {
    try tx.row("SELECT \(columns) FROM identity_person WHERE id = \(id)").map { try person($0, in: tx) }
  }

  static func find(login: String, in tx: any Transaction) throws -> Person? {
    try tx.row("SELECT \(columns) FROM identity_person WHERE login = \(login)").map { try person($0, in: tx) }
  }

  /// By login, after the given one; with `search`, those whose name or login contains it.
  static func list(
    search: String? = nil, organisation: OrganisationID? = nil, role: Role? = nil, after: String? = nil,
    limit: Int = 50, in tx: any Transaction
  ) throws -> [Person] {
    var conditions: [SQL] = []
    if let search {
      let text = search.lowercased()
      conditions.append(.any([.contains("login", text), .contains("lower(name)", text)]))
    }
    if let organisation { conditions.append("organisation = \(organisation)") }
    if let role { conditions.append("id IN (SELECT person FROM identity_role WHERE role = \(role))") }
    if let after { conditions.append("login > \(after)") }
    return try tx.rows(
      "SELECT \(columns) FROM identity_person WHERE \(SQL.all(conditions)) ORDER BY login LIMIT \(limit)"
    )
    .map { try person($0, in: tx) }
  }

  static func insert(_ person: Person, password: String?, at now: Instant, in tx: any Transaction) throws {
    try tx.run(
      """
      INSERT INTO identity_person (id, login, name, organisation, is_active, password, must_change, created_at, version)
      VALUES (\(person.id), \(person.login), \(person.name), \(person.organisation), \(person.isActive), \(password),
        \(person.mustChangePassword), \(now), 1)
      """)
    try setRoles(person.roles, of: person.id, in: tx)
  }

  static func setRoles(_ roles: Set<Role>, of id: PersonID, in tx: any Transaction) throws {
    try tx.run("DELETE FROM identity_role WHERE person = \(id)")
    for role in roles { try tx.run("INSERT INTO identity_role (person, role) VALUES (\(id), \(role))") }
    try tx.run("UPDATE identity_person SET version = version + 1 WHERE id = \(id)")
  }

  static func setPassword(_ hash: String, mustChange: Bool, of id: PersonID, in tx: any Transaction) throws {
    try tx.run("UPDATE identity_person SET password = \(hash), must_change = \(mustChange) WHERE id = \(id)")
  }

  private static let columns: SQL =
    "id, login, name, organisation, is_active, must_change, totp_secret IS NOT NULL AS has_totp, version"

  private static func person(_ row: Row, in tx: any Transaction) throws -> Person {
    let id: PersonID = try row.id("id")
    let roles = try tx.rows("SELECT role FROM identity_role WHERE person = \(id)").map {
      try $0.choice("role", Role.self)
    }
    return Person(
      id: id, login: try row.text("login"), name: try row.text("name"), organisation: try row.id("organisation"),
      roles: Set(roles), isActive: try row.bool("is_active"), mustChangePassword: try row.bool("must_change"),
      hasSecondFactor: try row.bool("has_totp"), version: try row.int("version"))
  }
}
