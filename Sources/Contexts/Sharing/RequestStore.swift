import Inventory
import Catalog
package import Deadlines
package import Kernel
package import Storage

package enum RequestStore {
  package static func find(_ id: ShareRequestID, in tx: any Transaction) throws -> ShareRequest? {
    try tx.row("\(select) WHERE id = \(id)").map { try request($0, in: tx) }
  }

  /// What somebody has already sent from the form with this key.
  static func find(formKey: String, of person: PersonID, in tx: any Transaction) throws -> ShareRequest? {
    try tx.row("\(select) WHERE asked_by = \(person) AND form_key = \(formKey)").map { try request($0, in: tx) }
  }

  /// Those of or to an organisation (or all), newest first.
  package static func list(
    organisation: OrganisationID?, state: RequestState? = nil, before: ShareRequestID? = nil, limit: Int = 50,
    in tx: any Transaction
  ) throws -> [ShareRequest] {
    var conditions: [SQL] = []
    if let organisation { conditions.append("consumer = \(organisation) OR provider = \(organisation)") }
    if let state { conditions.append("state = \(state)") }
    if let before { conditions.append("id < \(before)") }
    return try tx.rows("\(select) WHERE \(SQL.all(conditions)) ORDER BY id DESC LIMIT \(limit)").map {
      try request($0, in: tx)
    }
  }

  /// The next number of a series, from 1, without gaps among what is committed.
  static func next(_ series: String, in tx: any Transaction) throws -> Int {
    try tx.run(
      """
      INSERT INTO sharing_number (series, last) VALUES (\(series), 1)
      ON CONFLICT (series) DO UPDATE SET last = sharing_number.last + 1
      """)
    return try tx.int("SELECT last FROM sharing_number WHERE series = \(series)") ?? 1
  }

  /// The condition that a request waits for somebody.
  static var isOpen: SQL { "state IN (\(each: RequestState.open.map(\.rawValue)))" }

  /// The number of an open request that asks to write this table.
  static func asking(_ source: SourceID, _ table: String, in tx: any Transaction) throws -> String? {
    try tx.text(
      """
      SELECT number FROM sharing_request WHERE target_source = \(source) AND target_table = \(table)
        AND \(isOpen) LIMIT 1
      """)
  }

  static func insert(_ request: ShareRequest, formKey: String?, in tx: any Transaction) throws {
    try tx.run(
      """
      INSERT INTO sharing_request (id, number, resource, resource_version, resource_name, sharing_type, provider,
        provider_name, consumer, consumer_name, asked_by, asked_by_name, asked_for, asked_for_name, form_key, purpose, legal_basis, scene, mode, frequency,
        first_day, last_day, target_source, target_table, gone_rows, state, supplement_asked, rules, due, due_date, version,
        created_at, changed_at)
      VALUES (\(request.id), \(request.number), \(request.resource), \(request.resourceVersion), \(request.resourceName),
        \(request.sharingType), \(request.provider), \(request.providerName), \(request.consumer),
        \(request.consumerName), \(request.askedBy), \(request.askedByName), \(request.askedFor), \(request.askedForName), \(formKey), \(request.purpose), \(request.legalBasis),
        \(request.scene), \(request.mode), \(request.frequency), \(request.firstDay), \(request.lastDay),
        \(request.targetSource), \(request.targetTable), \(request.goneRows), \(request.state), \(request.supplementAsked), \(request.rules),
        \(request.due?.encoded), \(request.due?.date), \(request.version), \(request.createdAt), \(request.createdAt))
      """)
    for (position, item) in request.items.enumerated() {
      try tx.run(
        """
        INSERT INTO sharing_request_item (request, position, item, name, column_name, is_key)
        VALUES (\(request.id), \(position), \(item.item), \(item.name), \(item.column), \(item.isKey))
        """)
    }
  }

  /// Writes state, clock, decision; false when somebody was faster.
  static func update(_ request: ShareRequest, from version: Int, at now: Instant, in tx: any Transaction) throws -> Bool
  {
    let changed = try tx.run(
      """
      UPDATE sharing_request SET state = \(request.state), supplement_asked = \(request.supplementAsked),
        purpose = \(request.purpose), legal_basis = \(request.legalBasis), scene = \(request.scene),
        due = \(request.due?.encoded), due_date = \(request.due?.date), ground = \(request.ground),
        ground_basis = \(request.groundBasis), version = version + 1, changed_at = \(now)
      WHERE id = \(request.id) AND version = \(version)
      """)
    guard changed == 1 else { return false }
    for item in request.items where item.approved != nil {
      try tx.run(
        """
        UPDATE sharing_request_item SET approved = \(item.approved), mask = \(item.mask?.encoded), reason = \(item.reason)
        WHERE request = \(request.id) AND item = \(item.item)
        """)
    }
    return true
  }

  /// What happened to a request, oldest first.
  package struct Event: Hashable, Sendable {
    package var at: Instant
    package var actor: String
    /// Whose deputy the actor was then; kept as a name, for an appointment ends.
    package var inNameOf: String?
    package var organisation: String
    package var event: RequestEvent
    package var words: String?
    package var due: DueDate?
  }

  static func record(
    _ event: RequestEvent, of request: ShareRequest, by principal: Principal, words: String?, at now: Instant,
    in tx: any Transaction
  ) throws {
    let position = try tx.int("SELECT COUNT(*) FROM sharing_request_event WHERE request = \(request.id)") ?? 0
    try tx.run(
      """
      INSERT INTO sharing_request_event (request, position, at, actor, in_name_of, organisation, event, words, due)
      VALUES (\(request.id), \(position), \(now), \(principal.name), \(principal.onBehalfOfName),
        \(principal.organisationName), \(event), \(words), \(request.due?.encoded))
      """)
  }

  static func events(of id: ShareRequestID, in tx: any Transaction) throws -> [Event] {
    try tx.rows(
      """
      SELECT at, actor, in_name_of, organisation, event, words, due FROM sharing_request_event WHERE request = \(id)
      ORDER BY position
      """
    ).map { row in
      Event(
        at: try row.instant("at"), actor: try row.text("actor"), inNameOf: try row.textOrNil("in_name_of"),
        organisation: try row.text("organisation"),
        event: try row.choice("event"), words: try row.textOrNil("words"),
        due: try row.textOrNil("due").flatMap(DueDate.init(encoded:)))
    }
  }

  private static let select: SQL = """
    SELECT id, number, resource, resource_version, resource_name, sharing_type, provider, provider_name, consumer,
      consumer_name, asked_by, asked_by_name, asked_for, asked_for_name, purpose, legal_basis, scene, mode, frequency, first_day,
      last_day, target_source,
      target_table, gone_rows, state, supplement_asked, rules, due, ground, ground_basis, version, created_at
    FROM sharing_request
    """

  private static func request(_ row: Row, in tx: any Transaction) throws -> ShareRequest {
    let id: ShareRequestID = try row.id("id")
    let items = try tx.rows(
      """
      SELECT item, name, column_name, is_key, approved, mask, reason FROM sharing_request_item WHERE request = \(id)
      ORDER BY position
      """
    ).map { row in
      RequestedItem(
        item: try row.id("item"), name: try row.text("name"), column: try row.text("column_name"),
        isKey: try row.bool("is_key"), approved: try row.intOrNil("approved").map { $0 != 0 },
        mask: try row.textOrNil("mask").flatMap { Mask($0) }, reason: try row.textOrNil("reason"))
    }
    return ShareRequest(
      id: id, number: try row.text("number"), resource: try row.id("resource"),
      resourceVersion: try row.int("resource_version"), resourceName: try row.text("resource_name"),
      sharingType: try row.text("sharing_type"), provider: try row.id("provider"),
      providerName: try row.text("provider_name"), consumer: try row.id("consumer"),
      consumerName: try row.text("consumer_name"), askedBy: try row.id("asked_by"),
      askedByName: try row.text("asked_by_name"), askedFor: try row.idOrNil("asked_for"),
      askedForName: try row.textOrNil("asked_for_name"),
      purpose: try row.text("purpose"),
      legalBasis: try row.text("legal_basis"), scene: try row.text("scene"), mode: try row.choice("mode"),
      frequency: try row.choice("frequency"),
      firstDay: try row.date("first_day"), lastDay: try row.date("last_day"), targetSource: try row.id("target_source"),
      targetTable: try row.text("target_table"),
      goneRows: try row.choice("gone_rows"), items: items, state: try row.choice("state"),
      supplementAsked: try row.bool("supplement_asked"), rules: try row.text("rules"),
      due: try row.textOrNil("due").flatMap(DueDate.init(encoded:)), ground: try row.textOrNil("ground"),
      groundBasis: try row.textOrNil("ground_basis"), version: try row.int("version"),
      createdAt: try row.instant("created_at"))
  }
}
