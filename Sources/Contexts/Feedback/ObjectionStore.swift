package import Catalog
package import Deadlines
package import Kernel
package import Storage

/// The only SQL of objections.
package enum ObjectionStore {
  package static func find(_ id: ObjectionID, in tx: any Transaction) throws -> Objection? {
    try tx.row("\(select) WHERE id = \(id)").map(objection)
  }

  static func find(formKey: String, of person: PersonID, in tx: any Transaction) throws -> Objection? {
    try tx.row("\(select) WHERE raised_by = \(person) AND form_key = \(formKey)").map(objection)
  }

  /// Which objections a list shows; every combination walks one index.
  package enum Filter: Hashable, Sendable {
    case all
    case raised(OrganisationID)
    case received(OrganisationID)

    fileprivate var condition: SQL? {
      switch self {
      case .all: nil
      case .raised(let office): "raiser = \(office)"
      case .received(let office): "provider = \(office)"
      }
    }
  }

  /// Newest first.
  package static func list(
    _ filter: Filter, state: ObjectionState? = nil, before: ObjectionID? = nil, limit: Int, in tx: any Transaction
  ) throws -> [Objection] {
    var conditions = [filter.condition].compactMap { $0 }
    if let state { conditions.append("state = \(state)") }
    if let before { conditions.append("id < \(before)") }
    return try tx.rows("\(select) WHERE \(SQL.all(conditions)) ORDER BY id DESC LIMIT \(limit)").map(objection)
  }

  /// Those whose days were over before a day, longest late first.
  package static func late(
    on today: CalendarDate, after: (due: CalendarDate, id: ObjectionID)? = nil, limit: Int, in tx: any Transaction
  ) throws -> [Objection] {
    var conditions: [SQL] = ["closed_at IS NULL", "due_date < \(today)"]
    if let after { conditions.append("(due_date, id) > (\(after.due), \(after.id))") }
    return try tx.rows("\(select) WHERE \(SQL.all(conditions)) ORDER BY due_date, id LIMIT \(limit)").map(objection)
  }

  /// Those open against an entry, oldest first; at most `limit`.
  package static func open(on resource: ResourceID, limit: Int, in tx: any Transaction) throws -> [Objection] {
    try tx.rows("\(select) WHERE resource = \(resource) AND closed_at IS NULL ORDER BY id LIMIT \(limit)").map(
      objection)
  }

  /// Those of one person that are open against an entry, oldest first.
  static func open(on resource: ResourceID, by person: PersonID, in tx: any Transaction) throws -> [Objection] {
    try tx.rows(
      "\(select) WHERE resource = \(resource) AND raised_by = \(person) AND closed_at IS NULL ORDER BY id"
    ).map(objection)
  }

  /// How many one person has raised since a moment; counts no further than `most`.
  static func count(by person: PersonID, since: Instant, most: Int, in tx: any Transaction) throws -> Int {
    try tx.int(
      """
      SELECT COUNT(*) FROM (SELECT id FROM feedback_objection WHERE raised_by = \(person) AND created_at > \(since)
        LIMIT \(most)) o
      """) ?? 0
  }

  // MARK: - Writing

  static func insert(_ o: Objection, formKey: String?, in tx: any Transaction) throws {
    var (element, item, itemName): (String?, ItemID?, String?) = (nil, nil, nil)
    switch o.about {
    case .entry: break
    case .element(let code): element = code
    case .item(let id, let name): (item, itemName) = (id, name)
    }
    try tx.run(
      """
      INSERT INTO feedback_objection (id, number, resource, resource_version, resource_name, provider, provider_name,
        raiser, raiser_name, raised_by, raised_by_name, form_key, kind, element, item, item_name, words, evidence, state,
        supplement_asked, was_reopened, rules, clock, due, due_date, told, version, created_at, changed_at)
      VALUES (\(o.id), \(o.number), \(o.resource), \(o.resourceVersion), \(o.resourceName), \(o.provider),
        \(o.providerName), \(o.raiser), \(o.raiserName), \(o.raisedBy), \(o.raisedByName), \(formKey), \(o.kind),
        \(element), \(item), \(itemName), \(o.words), \(o.evidence), \(o.state), \(o.supplementAsked), \(o.wasReopened),
        \(o.rules), \(o.clock?.encoded), \(o.due?.encoded), \(o.due?.date), 'nothing', \(o.version), \(o.createdAt),
        \(o.changedAt))
      """)
  }

  /// Writes what a step changes; false when somebody was faster.
  static func update(_ o: Objection, from version: Int, at now: Instant, in tx: any Transaction) throws -> Bool {
    try tx.run(
      """
      UPDATE feedback_objection SET state = \(o.state), supplement_asked = \(o.supplementAsked),
        was_reopened = \(o.wasReopened), corrected_by = \(o.correctedBy), clock = \(o.clock?.encoded),
        paused_clock = \(o.pausedClock?.encoded), due = \(o.due?.encoded), due_date = \(o.due?.date), told = 'nothing',
        version = version + 1, changed_at = \(now), closed_at = \(o.state.isOpen ? nil : now)
      WHERE id = \(o.id) AND version = \(version)
      """) == 1
  }

  // MARK: - What happened

  package struct Event: Hashable, Sendable {
    package var at: Instant
    package var actor: String
    package var organisation: String
    package var event: ObjectionEvent
    package var words: String?
    /// The due date that this step set for the next.
    package var due: DueDate?
  }

  static func record(
    _ event: ObjectionEvent, of objection: Objection, by principal: Principal, words: String?, at now: Instant,
    in tx: any Transaction
  ) throws {
    try tx.run(
      """
      INSERT INTO feedback_objection_event (objection, position, at, actor, organisation, event, words, due)
      VALUES (\(objection.id), \(objection.version), \(now), \(principal.name), \(principal.organisationName), \(event),
        \(words), \(objection.due?.encoded))
      """)
  }

  /// Oldest first.
  static func events(of id: ObjectionID, in tx: any Transaction) throws -> [Event] {
    try tx.rows(
      """
      SELECT at, actor, organisation, event, words, due FROM feedback_objection_event WHERE objection = \(id)
      ORDER BY position LIMIT 200
      """
    ).map(event)
  }

  static func lastEvent(of id: ObjectionID, in tx: any Transaction) throws -> Event? {
    try tx.row(
      """
      SELECT at, actor, organisation, event, words, due FROM feedback_objection_event WHERE objection = \(id)
      ORDER BY position DESC LIMIT 1
      """
    ).map(event)
  }

  private static func event(_ row: Row) throws -> Event {
    Event(
      at: try row.instant("at"), actor: try row.text("actor"), organisation: try row.text("organisation"),
      event: try row.choice("event"), words: try row.textOrNil("words"),
      due: try row.textOrNil("due").flatMap(DueDate.init(encoded:)))
  }

  // MARK: - Clocks

  /// Open objections due before a day of which no more than `told` was said, most urgent first.
  static func due(
    before day: CalendarDate, told: Told, limit: Int, in tx: any Transaction
  ) throws -> [Objection] {
    try tx.rows(
      """
      \(select) WHERE closed_at IS NULL AND told = \(told.rawValue) AND due_date < \(day)
      ORDER BY due_date, id LIMIT \(limit)
      """
    ).map(objection)
  }

  static func setTold(_ told: Told, of id: ObjectionID, in tx: any Transaction) throws {
    try tx.run("UPDATE feedback_objection SET told = \(told.rawValue) WHERE id = \(id)")
  }

  /// Open objections with a due date, by id.
  static func openDueDates(after: ObjectionID?, limit: Int, in tx: any Transaction) throws -> [Objection] {
    try tx.rows(
      """
      \(select) WHERE closed_at IS NULL AND due_date IS NOT NULL AND id > \(after?.text ?? "") ORDER BY id LIMIT \(limit)
      """
    ).map(objection)
  }

  /// Moves a due date that another calendar counts; the objection keeps its version.
  static func setDue(_ due: DueDate, of id: ObjectionID, in tx: any Transaction) throws {
    try tx.run(
      """
      UPDATE feedback_objection SET due = \(due.encoded), due_date = \(due.date), told = 'nothing' WHERE id = \(id)
      """)
  }

  // MARK: - Rows

  private static let select: SQL = """
    SELECT id, number, resource, resource_version, resource_name, provider, provider_name, raiser, raiser_name, raised_by,
      raised_by_name, kind, element, item, item_name, words, evidence, state, supplement_asked, was_reopened,
      corrected_by, rules, clock, paused_clock, due, version, created_at, changed_at
    FROM feedback_objection
    """

  private static func objection(_ row: Row) throws -> Objection {
    let about: Objection.Subject =
      if let item: ItemID = try row.idOrNil("item") {
        .item(item, name: try row.text("item_name"))
      } else if let element = try row.textOrNil("element") {
        .element(element)
      } else {
        .entry
      }
    return Objection(
      id: try row.id("id"), number: try row.text("number"), resource: try row.id("resource"),
      resourceVersion: try row.int("resource_version"), resourceName: try row.text("resource_name"),
      provider: try row.id("provider"), providerName: try row.text("provider_name"), raiser: try row.id("raiser"),
      raiserName: try row.text("raiser_name"), raisedBy: try row.id("raised_by"),
      raisedByName: try row.text("raised_by_name"), kind: try row.text("kind"), about: about,
      words: try row.text("words"), evidence: try row.text("evidence"), state: try row.choice("state"),
      supplementAsked: try row.bool("supplement_asked"), wasReopened: try row.bool("was_reopened"),
      correctedBy: try row.intOrNil("corrected_by"), rules: try row.text("rules"),
      clock: try row.textOrNil("clock").flatMap(ClockState.init(encoded:)),
      pausedClock: try row.textOrNil("paused_clock").flatMap(ClockState.init(encoded:)),
      due: try row.textOrNil("due").flatMap(DueDate.init(encoded:)), version: try row.int("version"),
      createdAt: try row.instant("created_at"), changedAt: try row.instant("changed_at"))
  }
}
