package import Kernel
package import Storage

/// Reading organisations; what every context above needs.
package enum OrganisationStore {
  package static func find(_ id: OrganisationID, in tx: any Transaction) throws -> Organisation? {
    try tx.row("SELECT \(columns) FROM identity_organisation WHERE id = \(id)").map(organisation)
  }

  /// Those of these that there are, asked for with one statement; at most 512.
  package static func find(
    _ ids: [OrganisationID], in tx: any Transaction
  ) throws -> [OrganisationID: Organisation] {
    let found = try tx.rows("SELECT \(columns) FROM identity_organisation WHERE id IN (\(each: ids))").map(organisation)
    return Dictionary(found.map { ($0.id, $0) }) { first, _ in first }
  }

  /// Throws `.notFound` for an id that is none.
  package static func get(_ id: OrganisationID, in tx: any Transaction) throws -> Organisation {
    guard let found = try find(id, in: tx) else { throw Refusal.notFound(Text("单位", "organisation")) }
    return found
  }

  /// The one of that name standing on that day.
  package static func named(_ name: String, on day: CalendarDate, in tx: any Transaction) throws -> Organisation? {
    try tx.row(
      """
      SELECT \(columns) FROM identity_organisation
      WHERE (name = \(name) OR short_name = \(name)) AND valid_from <= \(day) AND (valid_to IS NULL OR valid_to > \(day))
      ORDER BY CASE WHEN name = \(name) THEN 0 ELSE 1 END, name LIMIT 1
      """
    ).map(organisation)
  }

  /// Those standing on a day, by division and name; with `search`, those whose name contains it; from behind one on.
  package static func list(
    on day: CalendarDate, search: String? = nil, after: Organisation? = nil, limit: Int = 500, in tx: any Transaction
  ) throws -> [Organisation] {
    var conditions: [SQL] = ["valid_from <= \(day)", "valid_to IS NULL OR valid_to > \(day)"]
    if let search {
      let text = search.lowercased()
      conditions.append(.any([.contains("lower(name)", text), .contains("lower(short_name)", text)]))
    }
    if let after { conditions.append("(division, name, id) > (\(after.division), \(after.name), \(after.id))") }
    return try tx.rows(
      """
      SELECT \(columns) FROM identity_organisation WHERE \(SQL.all(conditions))
      ORDER BY division, name, id LIMIT \(limit)
      """
    ).map(organisation)
  }

  package static func predecessors(of id: OrganisationID, in tx: any Transaction) throws -> [Organisation] {
    try tx.rows(
      """
      SELECT \(columns) FROM identity_organisation
      WHERE id IN (SELECT predecessor FROM identity_succession WHERE successor = \(id)) ORDER BY name
      """
    ).map(organisation)
  }

  package static func successors(of id: OrganisationID, in tx: any Transaction) throws -> [Organisation] {
    try tx.rows(
      """
      SELECT \(columns) FROM identity_organisation
      WHERE id IN (SELECT successor FROM identity_succession WHERE predecessor = \(id)) ORDER BY name
      """
    ).map(organisation)
  }

  /// Those whose own node of the classification it is, standing or not, the latest first; at most 50.
  package static func holding(node: String, in tx: any Transaction) throws -> [Organisation] {
    try tx.rows(
      """
      SELECT \(columns) FROM identity_organisation WHERE classification_node = \(node)
      ORDER BY valid_from DESC, name LIMIT 50
      """
    ).map(organisation)
  }

  /// The one of that credit code, standing or not.
  package static func coded(_ creditCode: String, in tx: any Transaction) throws -> Organisation? {
    try tx.row("SELECT \(columns) FROM identity_organisation WHERE credit_code = \(creditCode)").map(organisation)
  }

  /// Those that ever bore the full name, the latest first; at most 20.
  package static func everNamed(_ name: String, in tx: any Transaction) throws -> [Organisation] {
    try tx.rows(
      "SELECT \(columns) FROM identity_organisation WHERE name = \(name) ORDER BY valid_from DESC LIMIT 20"
    ).map(organisation)
  }

  /// Its own node of the national tree, or its predecessors' first one: the tree is of 2017, and a body of the 2018 reform
  /// goes on under the node of what it came from.
  package static func classificationNode(of organisation: Organisation, in tx: any Transaction) throws -> String? {
    if let node = organisation.classificationNode { return node }
    for predecessor in try predecessors(of: organisation.id, in: tx) {
      if let node = try classificationNode(of: predecessor, in: tx) { return node }
    }
    return nil
  }

  /// One that is there already with the same code, or with the same name on some of the same days.
  static func clash(with new: Organisation, in tx: any Transaction) throws -> Organisation? {
    try tx.rows(
      "SELECT \(columns) FROM identity_organisation WHERE credit_code = \(new.creditCode) OR name = \(new.name)"
    ).map(organisation).first { $0.creditCode == new.creditCode || $0.overlaps(new) }
  }

  static func insert(_ organisation: Organisation, fileKey: String?, in tx: any Transaction) throws {
    try tx.run(
      """
      INSERT INTO identity_organisation (id, file_key, name, short_name, credit_code, division, classification_node,
        valid_from, valid_to)
      VALUES (\(organisation.id), \(fileKey), \(organisation.name), \(organisation.shortName), \(organisation.creditCode),
        \(organisation.division), \(organisation.classificationNode), \(organisation.validFrom), \(organisation.validTo))
      """)
  }

  static func setNode(_ code: String, of id: OrganisationID, in tx: any Transaction) throws {
    try tx.run("UPDATE identity_organisation SET classification_node = \(code) WHERE id = \(id)")
  }

  static func link(_ predecessor: OrganisationID, _ successor: OrganisationID, in tx: any Transaction) throws {
    try tx.run(
      "INSERT INTO identity_succession (predecessor, successor) VALUES (\(predecessor), \(successor)) ON CONFLICT DO NOTHING"
    )
  }

  static let columns: SQL =
    "id, name, short_name, credit_code, division, classification_node, valid_from, valid_to"

  static func organisation(_ row: Row) throws -> Organisation {
    Organisation(
      id: try row.id("id"), name: try row.text("name"), shortName: try row.text("short_name"),
      creditCode: try row.text("credit_code"), division: try row.text("division"),
      classificationNode: try row.textOrNil("classification_node"), validFrom: try row.date("valid_from"),
      validTo: try row.dateOrNil("valid_to"))
  }
}
