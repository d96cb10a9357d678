import Audit
import Catalog
import Connecting
import Deadlines
import Inbox
import Inventory
package import Kernel
import NationalCrypto
import Storage

// What happens to a request, step by step. Each is one transaction of rule, store, inbox and audit.

extension Sharing {
  /// The resource, if it was published and is offline now, and since when: it cannot be asked for.
  func offline(_ id: ResourceID, for principal: Principal) async throws -> (resource: Resource, since: Instant?)? {
    try principal.require(.sharingRequest)
    return try await database.read { tx in
      guard try !CatalogStore.isInForce(id, in: tx), let resource = try CatalogStore.issued(id, in: tx) else {
        return nil
      }
      return (resource, try CatalogStore.onlineSince(id, in: tx))
    }
  }

  /// Submits a request to the own department's leader.
  package func submit(_ draft: RequestDraft, by principal: Principal) async throws -> ShareRequest {
    try principal.require(.sharingRequest)
    guard let person = principal.person, let consumer = principal.organisation else {
      throw Refusal.forbidden(.sharingRequest)
    }
    let now = clock.now()
    if let key = draft.formKey, key.isEmpty || key.utf8.count > Self.limits.formKey {
      throw Refusal.invalid(
        "sharing.request.form", "form", Text("表单已损坏，请刷新页面。", "The form is damaged; reload the page."))
    }
    try check(draft, today: now.dateInChina)
    return try await database.write { tx in
      if let key = draft.formKey, let sent = try RequestStore.find(formKey: key, of: person, in: tx) {
        guard sent.isWhat(draft) else {
          throw Refusal(
            .conflict, "sharing.request.sent",
            Text(
              "这张表单已提交为申请 \(sent.number)，后来的修改没有保存；如需修改，请撤回该申请后重新填写。",
              "This form was submitted as request \(sent.number); what was changed since is not kept. To change it, withdraw that request and fill in a new one."
            ))
        }
        return sent
      }
      guard let resource = try CatalogStore.published(draft.resource, in: tx) else {
        guard let offline = try CatalogStore.issued(draft.resource, in: tx) else {
          throw Refusal.notFound(Text("资源", "resource"))
        }
        throw Refusal(
          .conflict, "sharing.request.offline",
          Text(
            "“\(offline.metadata.name)”已下架，下架期间不能申请。", "“\(offline.metadata.name)” is offline and cannot be asked for.")
        )
      }
      try check(draft, against: resource, consumer: consumer, in: tx)
      guard let target = try InventoryStore.openSource(draft.targetSource, of: consumer, in: tx) else {
        throw Refusal.invalid(
          "sharing.request.target", "target",
          Text("接收库应为本单位登记的数据源。", "The target is a data source of your own organisation."))
      }
      try check(draft, of: resource, into: target, in: tx)
      let wanted = Set(draft.items)
      let rules = RuleSet.inForce(on: now.dateInChina, of: self.rules)
      let year = now.dateInChina.year
      var request = ShareRequest(
        id: .make(at: now), number: "青数申〔\(year)〕\(sixDigits(try RequestStore.next("request/\(year)", in: tx)))",
        resource: resource.id, resourceVersion: resource.version, resourceName: resource.metadata.name,
        sharingType: draft.items.contains { resource.item($0).map { resource.sharingType(of: $0) } == "2" }
          ? "2" : resource.metadata.sharingType,
        provider: resource.provider, providerName: resource.providerName,
        consumer: consumer, consumerName: principal.organisationName, askedBy: person, askedByName: principal.name,
        askedFor: principal.onBehalfOf, askedForName: principal.onBehalfOfName, purpose: draft.purpose,
        legalBasis: draft.legalBasis, scene: draft.scene,
        mode: draft.mode, frequency: draft.frequency,
        firstDay: draft.firstDay, lastDay: draft.lastDay, targetSource: draft.targetSource,
        targetTable: draft.targetTable, goneRows: draft.goneRows,
        items: resource.items.filter { wanted.contains($0.id) }.map {
          RequestedItem(item: $0.id, name: $0.name, column: $0.column, isKey: $0.isKey)
        }, state: .ownPending, supplementAsked: false, rules: rules.version, due: nil, version: 1, createdAt: now)
      request.due = try nextDue(of: request, at: now, in: tx)
      try RequestStore.insert(request, formKey: draft.formKey, in: tx)
      try RequestStore.record(.submit, of: request, by: principal, words: nil, at: now, in: tx)
      if let task = task(for: request, at: now) { try Inbox.post(task, in: tx) }
      try record("sharing.request.submit", request, by: principal, words: nil, at: now, in: tx)
      return request
    }
  }

  /// The asking department's leader decides first.
  package func decideOwn(_ id: ShareRequestID, approve: Bool, words: String, version: Int, by principal: Principal)
    async throws -> ShareRequest
  {
    try principal.require(.sharingApproveOwn)
    if !approve { try requireWords(words, Text("请写明不同意的理由。", "State why it is not approved.")) }
    return try await act(id, version, principal) { request, now, tx in
      try principal.require(.sharingApproveOwn, in: request.consumer)
      guard !request.isAsked(by: principal) else {
        throw Refusal(
          .forbidden, "sharing.request.oneself", Text("申请人不能审批自己的申请。", "Nobody approves his own request."))
      }
      if approve, request.terms.isUnconditional {
        for index in request.items.indices {
          request.items[index].approved = true
          request.items[index].mask = Mask.none
        }
      }
      try apply(approve ? .approveOwn : .refuseOwn, to: &request, by: principal, words: words, at: now, in: tx)
      if request.state == .granted { try makeGrant(for: request, by: principal, at: now, in: tx) }
    }
  }

  /// The platform's review of form: complete and in order.
  package func review(_ id: ShareRequestID, pass: Bool, words: String, version: Int, by principal: Principal)
    async throws -> ShareRequest
  {
    try principal.require(.sharingReview)
    if !pass { try requireWords(words, Text("请写明不通过的理由。", "State why it does not pass.")) }
    return try await act(id, version, principal) { request, now, tx in
      try apply(pass ? .passReview : .refuseReview, to: &request, by: principal, words: words, at: now, in: tx)
    }
  }

  /// The provider asks once for what is missing; its own clock stops meanwhile.
  package func askSupplement(_ id: ShareRequestID, words: String, version: Int, by principal: Principal) async throws
    -> ShareRequest
  {
    try principal.require(.sharingDecide)
    try requireWords(words, Text("请一次性写明需要补正的全部内容。", "State everything that is missing, once and completely."))
    return try await act(id, version, principal) { request, now, tx in
      try principal.require(.sharingDecide, in: request.provider)
      try apply(.askSupplement, to: &request, by: principal, words: words, at: now, in: tx)
    }
  }

  /// The asker adds what was missing; the provider's clock begins anew. Where that changes the purpose or the legal basis,
  /// the own leader approves first, as of any request.
  package func supplement(
    _ id: ShareRequestID, purpose: String, legalBasis: String, words: String, version: Int, by principal: Principal
  ) async throws -> ShareRequest {
    try principal.require(.sharingRequest)
    var faults: [Refusal.Fault] = []
    checkText(purpose, "purpose", Self.limits.purpose, &faults)
    checkText(legalBasis, "legalBasis", Self.limits.legalBasis, &faults)
    checkText(words, "words", Self.limits.words, &faults)
    guard faults.isEmpty else { throw Refusal.invalid("sharing.request", faults) }
    return try await act(id, version, principal) { request, now, tx in
      try principal.require(.sharingRequest, in: request.consumer)
      let changes = request.purpose != purpose || request.legalBasis != legalBasis
      request.purpose = purpose
      request.legalBasis = legalBasis
      try apply(
        .supplement, to: &request, by: principal, words: words, at: now, changesGrounds: changes, in: tx)
    }
  }

  /// The provider's decision on each item; what is approved becomes a grant. `rowFilter` is empty for every row, or says
  /// of which rows (`docs/expressions.md`).
  package func decide(
    _ id: ShareRequestID, _ decisions: [ItemDecision], rowFilter: String = "", words: String, version: Int,
    by principal: Principal
  ) async throws -> (ShareRequest, Grant) {
    try principal.require(.sharingDecide)
    let request = try await act(id, version, principal) { request, now, tx in
      try principal.require(.sharingDecide, in: request.provider)
      guard let resource = try CatalogStore.find(request.resource, version: request.resourceVersion, in: tx) else {
        throw Refusal.notFound(Text("资源", "resource"))
      }
      guard try CatalogStore.isInForce(request.resource, in: tx) else {
        throw Refusal(
          .conflict, "sharing.decide.offline",
          Text(
            "资源已下架，下架期间不能授权；可等它重新上线，或选“不同意”。",
            "The resource is offline and cannot be granted meanwhile; wait until it is back, or refuse the request."))
      }
      if let taken = try GrantStore.writing(request.targetSource, request.targetTable, in: tx) {
        throw Refusal(
          .conflict, "sharing.decide.target", Self.isTaken(request.targetTable, taken))
      }
      try request.take(decisions, of: resource)
      let rowFilter = try RowFilter.checked(rowFilter, of: resource)
      try apply(.grant, to: &request, by: principal, words: words.isEmpty ? nil : words, at: now, in: tx)
      try makeGrant(for: request, rowFilter: rowFilter, by: principal, at: now, in: tx)
    }
    let grant = try await database.read { try GrantStore.find(request: id, in: $0) }
    guard let grant else { throw Self.noGrant }
    return (request, grant)
  }

  /// The provider refuses the whole request, on one of the configured grounds.
  package func refuse(
    _ id: ShareRequestID, ground: RefusalGround, basis: String, words: String, version: Int, by principal: Principal
  ) async throws -> ShareRequest {
    try principal.require(.sharingDecide)
    try requireWords(words, Text("请写明不同意的理由。", "State the reasons."))
    var faults: [Refusal.Fault] = []
    if ground == .law || !basis.isEmpty { checkText(basis, "basis", Self.limits.legalBasis, &faults) }
    guard faults.isEmpty else { throw Refusal.invalid("sharing.refuse.basis", faults) }
    return try await act(id, version, principal) { request, now, tx in
      try principal.require(.sharingDecide, in: request.provider)
      request.ground = ground.rawValue
      request.groundBasis = basis.isEmpty ? nil : basis
      try apply(.refuse, to: &request, by: principal, words: words, at: now, in: tx)
    }
  }

  package func withdraw(_ id: ShareRequestID, words: String, version: Int, by principal: Principal) async throws
    -> ShareRequest
  {
    try principal.require(.sharingRequest)
    return try await act(id, version, principal) { request, now, tx in
      try principal.require(.sharingRequest, in: request.consumer)
      try apply(.withdraw, to: &request, by: principal, words: words.isEmpty ? nil : words, at: now, in: tx)
    }
  }

  // MARK: - Parts

  private func act(
    _ id: ShareRequestID, _ version: Int, _ principal: Principal,
    _ body: @escaping @Sendable (inout ShareRequest, Instant, any Transaction) throws -> Void
  ) async throws -> ShareRequest {
    let now = clock.now()
    return try await database.write { tx in
      guard var request = try RequestStore.find(id, in: tx), Self.sees(request, principal) else { throw Self.noRequest }
      guard request.version == version else { throw Self.changed }
      try body(&request, now, tx)
      return request
    }
  }

  private func makeGrant(
    for request: ShareRequest, rowFilter: String? = nil, by principal: Principal, at now: Instant,
    in tx: any Transaction
  ) throws {
    let year = now.dateInChina.year
    let grant = Grant(
      id: .make(at: now), number: "青数授〔\(year)〕\(sixDigits(try RequestStore.next("grant/\(year)", in: tx)))",
      request: request.id, resource: request.resource, resourceVersion: request.resourceVersion,
      resourceName: request.resourceName, provider: request.provider, providerName: request.providerName,
      consumer: request.consumer, consumerName: request.consumerName, purpose: request.purpose,
      legalBasis: request.legalBasis, scene: request.scene, mode: request.mode, frequency: request.frequency,
      firstDay: request.firstDay,
      lastDay: request.lastDay, targetSource: request.targetSource, targetTable: request.targetTable,
      goneRows: request.goneRows,
      items: request.items.filter { $0.approved == true }.map {
        Grant.Item(item: $0.item, name: $0.name, column: $0.column, isKey: $0.isKey, mask: $0.mask ?? .none)
      }, rowFilter: rowFilter, state: .active, version: 1, createdAt: now)
    let secret = Sealed.seal(SecureRandom.bytes(32), key: sealingKey, context: "grant \(grant.id)")
    try GrantStore.insert(grant, sealedSecret: secret, in: tx)
    try granted(grant, now, tx)
    try AuditLog.record(
      AuditEntry(
        at: now, actor: principal, action: "sharing.grant.make", subjectKind: "grant", subject: grant.id.text,
        subjectName: grant.number, grant: grant.id.text,
        detail: [
          ("resource", grant.resourceName), ("consumer", grant.consumerName), ("mode", grant.mode.rawValue),
          ("from", "\(grant.firstDay)"),
          ("to", "\(grant.lastDay)"), ("purpose", grant.purpose), ("legalBasis", grant.legalBasis),
          ("scene", grant.scene),
          ("items", grant.items.map { "\($0.column):\($0.mask.encoded)" }.joined(separator: ",")),
        ] + (grant.rowFilter.map { [("rowFilter", $0)] } ?? [])), in: tx)
  }

  private func check(_ draft: RequestDraft, today: CalendarDate) throws {
    var faults: [Refusal.Fault] = []
    checkText(draft.purpose, "purpose", Self.limits.purpose, &faults)
    checkText(draft.legalBasis, "legalBasis", Self.limits.legalBasis, &faults)
    checkText(draft.scene, "scene", Self.limits.scene, &faults)
    if draft.firstDay < today {
      faults.append(.init("firstDay", Text("起始日不能早于今天。", "The first day is not before today.")))
    }
    if draft.lastDay < draft.firstDay {
      faults.append(.init("lastDay", Text("结束日不能早于起始日。", "The last day is not before the first.")))
    }
    if draft.lastDay - draft.firstDay > Self.limits.days {
      faults.append(.init("lastDay", Text("期限最长三年，到期可续。", "Three years at the most; it can be renewed.")))
    }
    if draft.items.isEmpty { faults.append(.init("items", Text("请至少选择一个信息项。", "Choose at least one item."))) }
    let table = draft.targetTable
    let isName =
      (1...Self.limits.table).contains(table.utf8.count)
      && table.utf8.allSatisfy { ($0 >= 97 && $0 <= 122) || ($0 >= 48 && $0 <= 57) || $0 == 95 }
      && !table.hasPrefix("sj_") && !(48...57).contains(table.utf8.first ?? 48)
    if !isName {
      faults.append(
        .init(
          "targetTable",
          Text(
            "目标表名为小写字母开头的字母、数字、下划线，且不以 sj_ 开头。",
            "Letters, digits and underscores, starting with a letter and not with sj_.")))
    }
    guard faults.isEmpty else { throw Refusal.invalid("sharing.request", faults) }
  }

  /// What the receiving side could not keep is said now, not after everybody approved.
  private func check(
    _ draft: RequestDraft, of resource: Resource, into target: DataSource, in tx: any Transaction
  ) throws {
    var faults: [Refusal.Fault] = []
    if let fault = kind(target.kind)?.nameFault(draft.targetTable) { faults.append(.init("targetTable", fault)) }
    if let able = kind(target.kind)?.guarantee, let fault = Self.fault(draft, into: able) { faults.append(fault) }
    for id in draft.items {
      if let item = resource.item(id), let fault = kind(target.kind)?.nameFault(item.column) {
        faults.append(.init("items", fault))
      }
    }
    if let taken = try GrantStore.writing(target.id, draft.targetTable, in: tx) {
      faults.append(.init("targetTable", Self.isTaken(draft.targetTable, taken)))
    } else if let open = try RequestStore.asking(target.id, draft.targetTable, in: tx) {
      faults.append(
        .init(
          "targetTable",
          Text(
            "申请 \(open) 已要写入“\(draft.targetTable)”，请换一个表名。",
            "Request \(open) already asks to write “\(draft.targetTable)”; choose another name.")))
    }
    guard faults.isEmpty else { throw Refusal.invalid("sharing.request", faults) }
  }

  /// What the kind of receiving source cannot do.
  private static func fault(_ draft: RequestDraft, into able: ConnectorGuarantee) -> Refusal.Fault? {
    guard able.writes else {
      return .init("target", Text("这种数据源不能接收数据。", "Sources of this kind cannot receive."))
    }
    if !able.receivesChanges, draft.frequency == .continuous {
      return .init(
        "frequency",
        Text(
          "文件不能实时接收变更，请选其他频率，如每小时。",
          "Files cannot receive changes as they happen; choose another frequency, such as hourly."))
    }
    if !able.keepsMarks, draft.goneRows == .marked {
      return .init(
        "goneRows",
        Text("文件和消息接收方不能保留并标明删除的行。", "Files and receivers of messages cannot keep rows that are gone."))
    }
    return nil
  }

  private static func isTaken(_ table: String, _ grant: String) -> Text {
    Text(
      "表“\(table)”属于授权 \(grant)，请换一个表名。",
      "The table “\(table)” belongs to grant \(grant); choose another name.")
  }

  private func check(
    _ draft: RequestDraft, against resource: Resource, consumer: OrganisationID, in tx: any Transaction
  ) throws {
    guard resource.metadata.sharingType != "3" else {
      throw Refusal(
        .conflict, "sharing.request.not-shared",
        Text(
          "该资源不予共享：\(resource.metadata.sharingCondition)",
          "This resource is not shared: \(resource.metadata.sharingCondition)"))
    }
    guard resource.provider != consumer else {
      throw Refusal.invalid(
        "sharing.request.own", "resource", Text("这是本部门自己的资源。", "This is your own department's resource."))
    }
    guard let mount = resource.mount else {
      throw Refusal(.conflict, "sharing.request.not-mounted", Text("该资源还没有挂接数据。", "This resource is not mounted yet."))
    }
    if draft.frequency == .continuous {
      guard let source = try InventoryStore.source(mount.source, in: tx),
        kind(source.kind)?.guarantee.followsChanges ?? false
      else {
        throw Refusal.invalid(
          "sharing.request.frequency", "frequency",
          Text(
            "该资源所在的数据库不能捕获变更，请选其他频率，如每小时。",
            "The database of this resource cannot be followed as it changes; choose another frequency, such as hourly.")
        )
      }
    }
    guard Set(draft.items).count == draft.items.count, draft.items.allSatisfy({ resource.item($0) != nil }) else {
      throw Refusal.invalid("sharing.request.items", "items", Text("所选信息项不在该资源中。", "An item is not of this resource."))
    }
    for id in draft.items {
      guard let item = resource.item(id) else { continue }
      if resource.sharingType(of: item) == "3" {
        throw Refusal.invalid(
          "sharing.request.item", "items", Text("信息项“\(item.name)”不予共享。", "Item “\(item.name)” is not shared."))
      }
      if item.type == nil {
        throw Refusal.invalid(
          "sharing.request.item", "items",
          Text("信息项“\(item.name)”的类型不能交换。", "Item “\(item.name)” has a type that cannot be exchanged."))
      }
    }
    if let missing = resource.items.first(where: { $0.isKey && !draft.items.contains($0.id) }) {
      throw Refusal.invalid(
        "sharing.request.key", "items",
        Text(
          "主键“\(missing.name)”必须申请：没有它无法更新（提供部门可改给假名）。",
          "The key “\(missing.name)” must be asked for: nothing could be updated without it (the provider may give a pseudonym)."
        ))
    }
  }
}

extension ShareRequest {
  /// Whether this is what the draft asks for.
  func isWhat(_ draft: RequestDraft) -> Bool {
    resource == draft.resource && Set(items.map(\.item)) == Set(draft.items) && purpose == draft.purpose
      && legalBasis == draft.legalBasis && scene == draft.scene && mode == draft.mode && frequency == draft.frequency
      && firstDay == draft.firstDay && lastDay == draft.lastDay && targetSource == draft.targetSource
      && targetTable == draft.targetTable && goneRows == draft.goneRows
  }

  /// Takes the provider's word on every item that was asked for.
  mutating func take(_ decisions: [ItemDecision], of resource: Resource) throws {
    let byItem = Dictionary(decisions.map { ($0.item, $0) }, uniquingKeysWith: { first, _ in first })
    guard byItem.count == decisions.count, Set(byItem.keys) == Set(items.map(\.item)) else {
      throw Refusal.invalid(
        "sharing.decide.items", "items",
        Text("请对申请的每个信息项分别作出决定。", "Decide on each item that was asked for, and on no other."))
    }
    for index in items.indices {
      guard let decision = byItem[items[index].item] else { continue }
      let name = items[index].name
      let reason = decision.reason
      if !decision.approve, items[index].isKey {
        throw Refusal.invalid(
          "sharing.decide.key", "items",
          Text("主键“\(name)”不能不给，可以改给假名。", "The key “\(name)” cannot be left out; a pseudonym may stand for it."))
      }
      let missing =
        decision.approve ? nil : Text("不同意“\(name)”须写明理由。", "State why “\(name)” is not approved.")
      if let wrong = PlainText.wrongWords(reason, most: Sharing.limits.words, missing: missing) {
        throw Refusal.invalid("sharing.decide.reason", "reason-\(items[index].item)", wrong)
      }
      let item = resource.item(items[index].item)
      if decision.approve, let fault = item.flatMap({ decision.mask.fault(for: $0, isKey: items[index].isKey) }) {
        throw Refusal.invalid("sharing.decide.mask", "mask-\(items[index].item)", fault)
      }
      items[index].approved = decision.approve
      items[index].mask = decision.approve ? decision.mask : nil
      items[index].reason = reason.isEmpty ? nil : reason
    }
    guard items.contains(where: { $0.approved == true }) else {
      throw Refusal.invalid(
        "sharing.decide.none", "items", Text("一项都不同意时请用“不同意”。", "To approve none, refuse the request."))
    }
  }
}

func checkText(_ text: String, _ field: String, _ limit: Int, _ faults: inout [Refusal.Fault]) {
  if let wrong = PlainText.wrongWords(text, most: limit, missing: Text("必填。", "This is required.")) {
    faults.append(.init(field, wrong))
  }
}

func requireWords(_ words: String, _ missing: Text) throws {
  try checkWords(words, missing: missing)
}

/// Words may be left out; what is written has a limit.
func checkWords(_ words: String, missing: Text? = nil) throws {
  if let wrong = PlainText.wrongWords(words, most: Sharing.limits.words, missing: missing) {
    throw Refusal.invalid("sharing.words", "words", wrong)
  }
}

private func sixDigits(_ number: Int) -> String {
  let text = String(number)
  return String(repeating: "0", count: max(0, 6 - text.count)) + text
}
