package import Deadlines
package import Catalog
package import Kernel
package import Storage

package typealias QuestionID = ID<Question>

/// A question to an entry's department (目录咨询), with its answer once there is one. Neither is edited: who wants to know
/// more asks again below it.
package struct Question: Hashable, Sendable {
  package var id: QuestionID
  /// The question it follows up; its own id for a first one.
  package var root: QuestionID
  package var resource: ResourceID
  package var resourceName: String
  package var provider: OrganisationID
  package var providerName: String
  package var asker: OrganisationID
  package var askerName: String
  package var askedBy: PersonID
  package var askedByName: String
  package var words: String
  package var due: DueDate?
  package var createdAt: Instant
  package var answer: Answer?

  package struct Answer: Hashable, Sendable {
    package var words: String
    package var by: String
    package var at: Instant
  }
}

/// The only SQL of questions.
package enum QuestionStore {
  package static func find(_ id: QuestionID, in tx: any Transaction) throws -> Question? {
    try tx.row("\(select) WHERE id = \(id)").map(question)
  }

  static func find(formKey: String, of person: PersonID, in tx: any Transaction) throws -> Question? {
    try tx.row("\(select) WHERE asked_by = \(person) AND form_key = \(formKey)").map(question)
  }

  /// What this person asked of this entry in these words, in this thread or none, and nobody answered yet.
  static func open(
    _ words: String, of resource: ResourceID, follows: QuestionID?, by person: PersonID, in tx: any Transaction
  ) throws -> Question? {
    try tx.rows(
      "\(select) WHERE resource = \(resource) AND asked_by = \(person) AND words = \(words) AND answer IS NULL"
    )
    .map(question).first { $0.root == follows ?? $0.id }
  }

  /// Threads of an entry, the newest first, each in its order; `before` is the root of the last thread before.
  static func threads(
    of resource: ResourceID, before: QuestionID? = nil, limit: Int, in tx: any Transaction
  ) throws -> [[Question]] {
    var conditions: [SQL] = ["resource = \(resource)"]
    if let before { conditions.append("root < \(before)") }
    let roots = try tx.rows(
      """
      SELECT DISTINCT root FROM feedback_question WHERE \(SQL.all(conditions)) ORDER BY root DESC LIMIT \(limit)
      """
    ).map { try $0.text("root") }
    let lines = try tx.rows(
      """
      \(select) WHERE resource = \(resource) AND root IN (\(each: roots)) ORDER BY root DESC, id LIMIT \(limit * mostInAThread)
      """
    ).map(question)
    return roots.map { root in lines.filter { $0.root.text == root } }
  }

  /// So long a thread becomes, with its follow-ups.
  static let mostInAThread = 20

  static func length(ofThread root: QuestionID, of resource: ResourceID, in tx: any Transaction) throws -> Int {
    try tx.int("SELECT COUNT(*) FROM feedback_question WHERE resource = \(resource) AND root = \(root)") ?? 0
  }

  static func count(by person: PersonID, since: Instant, most: Int, in tx: any Transaction) throws -> Int {
    try tx.int(
      """
      SELECT COUNT(*) FROM (SELECT id FROM feedback_question WHERE asked_by = \(person) AND created_at > \(since)
        LIMIT \(most)) q
      """) ?? 0
  }

  static func insert(_ q: Question, formKey: String?, in tx: any Transaction) throws {
    try tx.run(
      """
      INSERT INTO feedback_question (id, root, resource, resource_name, provider, provider_name, asker, asker_name,
        asked_by, asked_by_name, form_key, words, due, due_date, created_at)
      VALUES (\(q.id), \(q.root), \(q.resource), \(q.resourceName), \(q.provider), \(q.providerName), \(q.asker),
        \(q.askerName), \(q.askedBy), \(q.askedByName), \(formKey), \(q.words), \(q.due?.encoded), \(q.due?.date),
        \(q.createdAt))
      """)
  }

  /// False when somebody has answered before.
  static func answer(
    _ id: QuestionID, _ words: String, by name: String, at now: Instant, in tx: any Transaction
  ) throws -> Bool {
    try tx.run(
      """
      UPDATE feedback_question SET answer = \(words), answered_by_name = \(name), answered_at = \(now)
      WHERE id = \(id) AND answered_at IS NULL
      """) == 1
  }

  /// Unanswered ones due before a day of which no more than `told` was said, most urgent first.
  static func due(
    before day: CalendarDate, told: Told, limit: Int, in tx: any Transaction
  ) throws -> [Question] {
    try tx.rows(
      """
      \(select) WHERE answered_at IS NULL AND told = \(told.rawValue) AND due_date < \(day)
      ORDER BY due_date, id LIMIT \(limit)
      """
    ).map(question)
  }

  static func setTold(_ told: Told, of id: QuestionID, in tx: any Transaction) throws {
    try tx.run("UPDATE feedback_question SET told = \(told.rawValue) WHERE id = \(id)")
  }

  /// Unanswered ones with a due date, by id.
  static func openDueDates(after: QuestionID?, limit: Int, in tx: any Transaction) throws -> [Question] {
    try tx.rows(
      """
      \(select) WHERE answered_at IS NULL AND due_date IS NOT NULL AND id > \(after?.text ?? "") ORDER BY id LIMIT \(limit)
      """
    ).map(question)
  }

  /// A new day has not been told of.
  static func setDue(_ due: DueDate, of id: QuestionID, in tx: any Transaction) throws {
    try tx.run(
      "UPDATE feedback_question SET due = \(due.encoded), due_date = \(due.date), told = 'nothing' WHERE id = \(id)")
  }

  private static let select: SQL = """
    SELECT id, root, resource, resource_name, provider, provider_name, asker, asker_name, asked_by, asked_by_name, words,
      due, created_at, answer, answered_by_name, answered_at
    FROM feedback_question
    """

  private static func question(_ row: Row) throws -> Question {
    Question(
      id: try row.id("id"), root: try row.id("root"), resource: try row.id("resource"),
      resourceName: try row.text("resource_name"), provider: try row.id("provider"),
      providerName: try row.text("provider_name"), asker: try row.id("asker"), askerName: try row.text("asker_name"),
      askedBy: try row.id("asked_by"), askedByName: try row.text("asked_by_name"), words: try row.text("words"),
      due: try row.textOrNil("due").flatMap(DueDate.init(encoded:)), createdAt: try row.instant("created_at"),
      answer: try row.textOrNil("answer").map {
        Question.Answer(words: $0, by: try row.text("answered_by_name"), at: try row.instant("answered_at"))
      })
  }
}
