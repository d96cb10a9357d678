import Audit
package import Calendars
package import Catalog
package import Deadlines
package import Identity
import Inventory
package import Kernel
package import Storage

extension Permission {
  /// Raises objections for the own office, and carries them on.
  package static let feedbackRaise = Permission("feedback.raise")
  /// Asks and rates.
  package static let feedbackSpeak = Permission("feedback.speak")
  /// Answers what is said of the own office's entries.
  package static let feedbackAnswer = Permission("feedback.answer")
  /// Decides between raiser and provider, and sees every objection.
  package static let feedbackCoordinate = Permission("feedback.coordinate")
}

/// What readers say of a catalogue entry, and what they want to hear: objections with their clocks, questions, ratings,
/// saved searches.
package struct Feedback: Sendable {
  package static let authority: [Permission: Set<Role>] = [
    .feedbackRaise: [.clerk, .dataOfficer],
    .feedbackSpeak: [.clerk, .dataOfficer, .leader],
    .feedbackAnswer: [.dataOfficer],
    .feedbackCoordinate: [.platformOperator],
  ]

  package let database: any Database
  package let clock: Clock
  let cataloguing: Cataloguing
  let calendars: Calendars
  let rules: [RuleSet]
  var lists: CodeLists { cataloguing.lists }

  package init(
    database: any Database, clock: Clock, cataloguing: Cataloguing, calendars: Calendars = .embedded,
    rules: [RuleSet] = RuleSet.embedded
  ) {
    self.database = database
    self.clock = clock
    self.cataloguing = cataloguing
    self.calendars = calendars
    self.rules = rules
  }

  /// Lengths in Unicode scalars, and how much one person may send in 24 hours.
  static let limits = (
    words: 1000, evidence: 1000, formKey: 64, objectionsADay: 20, questionsADay: 20, ratingsADay: 50, searchName: 60,
    searches: 50
  )

  // MARK: - Parts of the use cases

  static let changed = Refusal(
    .conflict, "feedback.changed", Text("这件事刚有人办过，请刷新后再看。", "Somebody has just dealt with this; reload and look again.")
  )

  static let own = Refusal(
    .conflict, "feedback.own",
    Text("这是本单位的目录：请直接编制新版本更正。", "This is your own office's entry: write a new version instead."))

  /// The person and office that speak; the platform itself says nothing of entries.
  func speaker(_ principal: Principal, _ permission: Permission) throws -> (person: PersonID, office: OrganisationID) {
    try principal.require(permission)
    guard let person = principal.person, let office = principal.organisation else {
      throw Refusal.forbidden(permission)
    }
    return (person, office)
  }

  /// The entry in force, of another office than the speaker's.
  func entry(_ id: ResourceID, for office: OrganisationID, in tx: any Transaction) throws -> Resource {
    guard let resource = try CatalogStore.published(id, in: tx) else {
      throw Refusal.notFound(Text("目录", "catalogue entry"))
    }
    guard resource.provider != office else { throw Self.own }
    return resource
  }

  /// Refuses when somebody has sent that many within the last 24 hours.
  static func checkRate(_ sent: Int, most: Int) throws {
    guard sent >= most else { return }
    throw Refusal(
      .tooMany, "feedback.too-many",
      Text("24 小时内最多提交 \(most) 件，请稍后再提。", "At most \(most) in 24 hours; come back later."))
  }

  static func dayBefore(_ now: Instant) -> Instant { now - .seconds(86_400) }

  func ruleSet(_ version: String, on day: CalendarDate) -> RuleSet {
    rules.first { $0.version == version } ?? RuleSet.inForce(on: day, of: rules)
  }

  /// A rule as it is in force today; nil where it is not configured.
  func rule(_ key: String?) -> Rule? { key.flatMap { RuleSet.inForce(on: clock.today, of: rules)[$0] } }

  static func checkFormKey(_ key: String?) throws {
    guard let key, key.isEmpty || key.utf8.count > limits.formKey else { return }
    throw Refusal.invalid(
      "feedback.form", "form", Text("表单已损坏，请刷新页面。", "The form is damaged; reload the page."))
  }

  /// A fault unless the text is there and within its limit.
  static func checkText(
    _ text: String, _ field: String, _ most: Int, required: Bool = true, _ faults: inout [Refusal.Fault]
  ) {
    let missing = required ? Text("请填写这一项。", "Fill this in.") : nil
    if let wrong = PlainText.wrongWords(text, most: most, missing: missing) { faults.append(.init(field, wrong)) }
  }

  /// The next number of a series, from 1, without gaps among what is committed.
  static func next(_ series: String, in tx: any Transaction) throws -> Int {
    try tx.int(
      """
      INSERT INTO feedback_number (series, last) VALUES (\(series), 1)
      ON CONFLICT (series) DO UPDATE SET last = feedback_number.last + 1 RETURNING last
      """) ?? 1
  }
}
