import Audit
package import Calendars
package import Connecting
import Catalog
package import Deadlines
package import Identity
import Inbox
import Inventory
package import Kernel
import NationalCrypto
package import Storage

extension Permission {
  package static let sharingRead = Permission("sharing.read")
  package static let sharingRequest = Permission("sharing.request")
  package static let sharingApproveOwn = Permission("sharing.approve-own")
  package static let sharingReview = Permission("sharing.review")
  package static let sharingDecide = Permission("sharing.decide")
  package static let sharingRevoke = Permission("sharing.revoke")
}

/// Requests and grants: the law's part of sharing.
package struct Sharing: Sendable {
  package let database: any Database
  package let clock: Clock
  let calendars: Calendars
  let rules: [RuleSet]
  let sealingKey: [UInt8]
  /// What a new grant sets in motion above this context, in the grant's own transaction; filled in by App.
  let granted: @Sendable (Grant, Instant, any Transaction) throws -> Void
  /// What sources of a kind can do, and which names they take.
  let kind: @Sendable (_ name: String) -> ConnectorKind?
  /// What a grant's order sets in motion above this context, in the order's own transaction; filled in by App.
  let ordered: @Sendable (GrantOrder, Grant, Instant, any Transaction) throws -> Void

  package init(
    database: any Database, clock: Clock, calendars: Calendars = .embedded, rules: [RuleSet] = RuleSet.embedded,
    sealingKey: [UInt8], kind: @escaping @Sendable (_ name: String) -> ConnectorKind? = { _ in nil },
    ordered: @escaping @Sendable (GrantOrder, Grant, Instant, any Transaction) throws -> Void = { _, _, _, _ in },
    granted: @escaping @Sendable (Grant, Instant, any Transaction) throws -> Void = { _, _, _ in }
  ) {
    self.kind = kind
    self.ordered = ordered
    self.granted = granted
    self.database = database
    self.clock = clock
    self.calendars = calendars
    self.rules = rules
    self.sealingKey = sealingKey
  }

  package static let authority: [Permission: Set<Role>] = [
    .sharingRead: [.clerk, .leader, .dataOfficer, .platformOperator],
    .sharingRequest: [.clerk, .dataOfficer],
    .sharingApproveOwn: [.leader],
    .sharingReview: [.platformOperator],
    .sharingDecide: [.dataOfficer],
    .sharingRevoke: [.dataOfficer, .platformOperator],
  ]

  static let limits = (purpose: 1000, legalBasis: 1000, scene: 500, words: 1000, table: 60, days: 366 * 3, formKey: 64)

  // MARK: - Seeing

  /// The platform's operator sees all; a department what it asked for or was asked.
  package func requests(
    for principal: Principal, state: RequestState? = nil, before: ShareRequestID? = nil, limit: Int = 50
  ) async throws -> [ShareRequest] {
    try principal.require(.sharingRead)
    let organisation = principal.may(.sharingReview) ? nil : principal.organisation
    guard organisation != nil || principal.may(.sharingReview) else { return [] }
    return try await database.read {
      try RequestStore.list(organisation: organisation, state: state, before: before, limit: limit, in: $0)
    }
  }

  package func request(_ id: ShareRequestID, for principal: Principal) async throws -> (
    ShareRequest, [RequestStore.Event], Grant?
  ) {
    try principal.require(.sharingRead)
    return try await database.read { tx in
      guard let request = try RequestStore.find(id, in: tx), Self.sees(request, principal) else { throw Self.noRequest }
      return (request, try RequestStore.events(of: id, in: tx), try GrantStore.find(request: id, in: tx))
    }
  }

  package func grants(for principal: Principal, before: GrantID? = nil, limit: Int = 50) async throws -> [Grant] {
    try principal.require(.sharingRead)
    let organisation = principal.may(.sharingReview) ? nil : principal.organisation
    guard organisation != nil || principal.may(.sharingReview) else { return [] }
    return try await database.read {
      try GrantStore.list(organisation: organisation, before: before, limit: limit, in: $0)
    }
  }

  package func grant(_ id: GrantID, for principal: Principal) async throws -> Grant {
    try principal.require(.sharingRead)
    return try await database.read { tx in
      guard let grant = try GrantStore.find(id, in: tx), Self.sees(grant, principal) else { throw Self.noGrant }
      return grant
    }
  }

  package static func sees(_ grant: Grant, _ principal: Principal) -> Bool {
    principal.may(.sharingReview) || grant.consumer == principal.organisation
      || grant.provider == principal.organisation
  }

  static func sees(_ request: ShareRequest, _ principal: Principal) -> Bool {
    principal.may(.sharingReview) || request.consumer == principal.organisation
      || request.provider == principal.organisation
  }

  static let noRequest = Refusal.notFound(Text("申请", "request"))
  static let noGrant = Refusal.notFound(Text("授权", "grant"))

  // MARK: - The secret of a grant

  /// 32 bytes from which the engine derives the grant's keys.
  package func secret(of id: GrantID, in tx: any Transaction) throws -> [UInt8] {
    try Sealed.open(GrantStore.sealedSecret(of: id, in: tx), key: sealingKey, context: "grant \(id)")
  }

  // MARK: - Pieces of the use cases

  /// The clock of a step under the request's own rules; nil where no rule sets one.
  func due(_ key: String, rules version: String, from now: Instant, in tx: any Transaction) throws -> DueDate? {
    let set = rules.first { $0.version == version } ?? RuleSet.inForce(on: now.dateInChina, of: rules)
    guard let rule = set[key], rule.unit == .workingDays else { return nil }
    return try calendars.inForce(tx).due(from: now.dateInChina, workingDays: rule.value, rule: rule.reference)
  }

  /// Carries one event out: rule, store, inbox, audit, in the caller's transaction.
  func apply(
    _ event: RequestEvent, to request: inout ShareRequest, by principal: Principal, words: String?, at now: Instant,
    changesGrounds: Bool = false, in tx: any Transaction
  ) throws {
    if let words { try checkWords(words) }
    let before = request.version
    var terms = request.terms
    terms.changesGrounds = changesGrounds
    request.state = try request.state.applying(event, terms)
    if event == .askSupplement { request.supplementAsked = true }
    request.due = try nextDue(of: request, at: now, in: tx)
    guard try RequestStore.update(request, from: before, at: now, in: tx) else { throw Self.changed }
    request.version += 1
    try RequestStore.record(event, of: request, by: principal, words: words, at: now, in: tx)
    try Inbox.close(subject: "request", request.id.text, by: principal, at: now, in: tx)
    if let task = task(for: request, at: now) { try Inbox.post(task, in: tx) }
    try record("sharing.request.\(event.rawValue)", request, by: principal, words: words, at: now, in: tx)
  }

  func nextDue(of request: ShareRequest, at now: Instant, in tx: any Transaction) throws -> DueDate? {
    switch request.state {
    case .ownPending: try due("share.ownApproval", rules: request.rules, from: now, in: tx)
    case .reviewPending: try due("share.conditional.platformReview", rules: request.rules, from: now, in: tx)
    case .providerPending: try due("share.conditional.reply", rules: request.rules, from: now, in: tx)
    // Once everything is there the provider's clock begins anew (一次性告知 restarts it).
    case .supplementPending, .granted, .refused, .withdrawn: nil
    }
  }

  func task(for request: ShareRequest, at now: Instant) -> InboxTask? {
    let name = request.resourceName
    let (kind, title, waiting): (String, Text, InboxTask.Waiting)
    switch request.state {
    case .ownPending:
      (kind, title, waiting) = (
        "request.approve-own", Text("审批本部门的申请：\(name)", "Approve your department's request: \(name)"),
        .office(request.consumer, .sharingApproveOwn)
      )
    case .reviewPending:
      (kind, title, waiting) = (
        "request.review", Text("审查申请：\(name)", "Review a request: \(name)"), .holders(.sharingReview)
      )
    case .providerPending:
      (kind, title, waiting) = (
        "request.decide",
        Text("审批共享申请：\(request.consumerName) · \(name)", "Decide a request: \(request.consumerName) · \(name)"),
        .office(request.provider, .sharingDecide)
      )
    case .supplementPending:
      (kind, title, waiting) = (
        "request.supplement", Text("补正申请：\(name)", "Supplement a request: \(name)"),
        .office(request.consumer, .sharingRequest)
      )
    case .granted, .refused, .withdrawn: return nil
    }
    return InboxTask(
      kind: kind, title: title, link: "/requests/\(request.id)", for: waiting, subject: ("request", request.id.text),
      due: request.due?.date, isProvisional: request.due?.provisional ?? false, at: now)
  }

  func record(
    _ action: String, _ request: ShareRequest, by principal: Principal, words: String?, at now: Instant,
    in tx: any Transaction
  ) throws {
    var detail: [(name: String, value: String)] = [
      ("number", request.number), ("state", request.state.rawValue), ("resource", request.resourceName),
    ]
    if let due = request.due { detail.append(("due", "\(due.date)")) }
    if action.hasSuffix(".submit") || action.hasSuffix(".supplement") { detail += Self.grounds(of: request) }
    if let words { detail.append(("words", words)) }
    try AuditLog.record(
      AuditEntry(
        at: now, actor: principal, action: action, subjectKind: "request", subject: request.id.text,
        subjectName: request.resourceName, detail: detail), in: tx)
  }

  /// What the data is asked for: the log keeps it as it stood when it was asked, changed and granted.
  static func grounds(of request: ShareRequest) -> [(name: String, value: String)] {
    [("purpose", request.purpose), ("legalBasis", request.legalBasis), ("scene", request.scene)]
  }

  static let changed = Refusal(
    .conflict, "sharing.changed", Text("这件事刚有人办过，请刷新后再看。", "Somebody has just dealt with this; reload and look again."))
}
