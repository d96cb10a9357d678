import Jobs
import Deadlines
import Audit
import Catalog
import Census
import Connecting
import Demo
import Exchange
import Foundation
import Identity
import Inventory
import Kernel
import Sharing
import Storage

/// The main job from start to end, by the same use cases that the site calls.
struct DemoJourney {
  struct Outcome {
    var rows = 0
    var flaws = 0
    var resourceCode = ""
    var requestNumber = ""
    var grantNumber = ""
    var grant: GrantID?
    var approved = 0
    var asked = 0
    var providerDue: CalendarDate?
    var full: DeliveryRecord?
    var changes = DemoDatabases.Changes()
    var incremental: DeliveryRecord?
    var revocation: Text?
    var stopped: DeliveryRecord?
    var audit: AuditVerifier.Result?

    var receiptsAgree: Bool { full?.agrees == true && incremental?.agrees == true }
    /// Everything came out as the generator says it must.
    var isRight: Bool {
      full?.state == .delivered && full?.delivered == rows - flaws && full?.quarantined == flaws
        && incremental?.state == .delivered && incremental?.delivered == changes.deliverable
        && incremental?.stale == changes.turnedBad && receiptsAgree && audit?.holds == true && revocation != nil
    }
  }

  let node: Node
  let cast: DemoCast
  let databases: DemoDatabases
  let clock: DemoClock
  let tell: @Sendable (Text) -> Void

  func run() async throws -> Outcome {
    var outcome = Outcome()
    let (resource, grant) = try await reachGrant(&outcome)
    try await deliver(grant, &outcome)
    try await revoke(grant, &outcome)
    try await askAgain(resource, grant)
    try await beginCensus()
    try await node.sequencer.sequenceAll()
    let verifier = AuditVerifier(database: node.database, key: node.keys.signer.publicKey)
    outcome.audit = try await verifier.verify()
    tell(Text("审计日志已重新计算并核对签名。", "The audit log was recomputed and its signatures checked."))
    return outcome
  }

  /// Everything up to the grant.
  func reachGrant(_ outcome: inout Outcome) async throws -> (Resource, Grant) {
    outcome.rows = databases.generator.count
    outcome.flaws = databases.generator.flawCount
    let resource = try await catalogue(&outcome)
    return (resource, try await request(resource, &outcome))
  }

  // MARK: - Catalogue

  func catalogue(_ outcome: inout Outcome) async throws -> Resource {
    let system = try await node.register.register(
      cast.officer,
      SystemFacts(
        name: "企业登记业务系统", function: "办理企业、个体工商户和农民专业合作社的设立、变更、注销登记。", scope: "2", frequency: "1",
        approvedBy: "青海省发展和改革委员会", approvedOn: CalendarDate("2015-06-18"), fundSource: "省级财政", network: "2", stage: "4")
    )
    let source = try await node.register.addSource(
      cast.officer, system.id, SourceDraft(name: "登记库", kind: "sqlite", settings: ["path": databases.providerPath]))
    _ = try await node.register.probe(cast.officer, source.id)
    tell(Text("登记系统 \(system.number) 已建档，数据源已连通。", "System \(system.number) is registered, its source answers."))

    var draft = try await node.cataloguing.draft(cast.officer, from: source.id, table: TableName("legal_person"))
    draft = try await describe(draft)
    draft = try await node.cataloguing.submit(cast.officer, draft.id)
    clock.advance(by: .seconds(3 * 3600))
    let published = try await node.cataloguing.decide(cast.operatorInChief, draft.id, .approve(publish: true))
    outcome.resourceCode = published.code.map { "\($0)" } ?? ""
    tell(
      Text(
        "资源“\(published.metadata.name)”已编目、审核、发布，代码 \(outcome.resourceCode)，\(published.items.count) 个信息项。",
        "Resource “\(published.metadata.name)” is compiled, reviewed and published as \(outcome.resourceCode) with \(published.items.count) items."
      ))
    return published
  }

  /// What a clerk adds to a draft that was made from a table: names, abstract, terms.
  private func describe(_ draft: Resource) async throws -> Resource {
    var metadata = draft.metadata
    metadata.name = "企业法人登记信息"
    metadata.abstract = "全省企业、个体工商户、农民专业合作社的登记信息：统一社会信用代码、名称、类型、法定代表人、注册资本、成立日期、登记状态、住所等。"
    metadata.format = "0311"
    metadata.sharingType = "2"
    metadata.sharingCondition = "因履行职责需要核验法人身份和经营状态的政务部门，可按信息项申请，用于行政依据和数据校核。"
    metadata.methodClass = "1"
    metadata.methodType = "1"
    metadata.openType = "3"
    metadata.cycle = "7"
    let names: [String: String] = [
      "uscc": "统一社会信用代码", "name": "企业名称", "kind": "企业类型", "representative": "法定代表人姓名",
      "representative_id": "法定代表人证件号码", "capital": "注册资本（万元）", "established": "成立日期", "status": "登记状态",
      "industry": "行业代码", "division": "登记机关行政区划", "address": "住所", "phone": "联系电话", "updated_at": "更新时间",
    ]
    var items = draft.items
    for index in items.indices { items[index].name = names[items[index].column] ?? items[index].name }
    return try await node.cataloguing.edit(
      cast.officer, draft.id, from: draft.revision, .init(metadata: metadata, items: items)
    ).resource
  }

  // MARK: - Request and grant

  private func request(_ resource: Resource, _ outcome: inout Outcome) async throws -> Grant {
    let system = try await node.register.register(
      cast.consumerOfficer,
      SystemFacts(
        name: "居民家庭经济状况核对系统", function: "核对最低生活保障申请家庭成员的任职和经营情况。", scope: "2", frequency: "1",
        approvedBy: "青海省发展和改革委员会", approvedOn: CalendarDate("2016-03-11"), fundSource: "省级财政", network: "2", stage: "4")
    )
    let target = try await node.register.addSource(
      cast.consumerOfficer, system.id,
      SourceDraft(name: "核对库", kind: "sqlite", settings: ["path": databases.consumerPath]))
    let hits = try await node.cataloguing.search(cast.clerk, CatalogQuery(text: "法人"))
    guard hits.entries.contains(where: { $0.id == resource.id }) else {
      throw Refusal.notFound(Text("搜索结果", "search hit"))
    }
    tell(Text("民政厅以“法人”二字搜到 \(hits.total) 条目录。", "Civil affairs finds \(hits.total) entry by the two characters 法人."))

    let wanted = [
      "uscc", "name", "kind", "representative", "representative_id", "capital", "established", "status", "address",
      "phone",
    ]
    let today = node.clock.now().dateInChina
    var request = try await node.sharing.submit(
      RequestDraft(
        resource: resource.id, items: resource.items.filter { wanted.contains($0.column) }.map(\.id),
        purpose: "核对最低生活保障申请家庭成员是否为企业法定代表人及企业经营状态。",
        legalBasis: "《社会救助暂行办法》第五十八条：民政部门可请有关部门、单位核查申请家庭的收入和财产状况。",
        scene: "最低生活保障申请审核确认", mode: .table, frequency: .daily, firstDay: today, lastDay: today + 365,
        targetSource: target.id,
        targetTable: "legal_person_check"), by: cast.clerk)
    outcome.requestNumber = request.number
    outcome.asked = request.items.count
    tell(
      Text(
        "申请 \(request.number) 已提交，要 \(request.items.count) 个信息项。",
        "Request \(request.number) asks for \(request.items.count) items."))
    clock.advance(by: .seconds(2 * 3600))
    request = try await node.sharing.decideOwn(
      request.id, approve: true, words: "同意", version: request.version, by: cast.leader)
    clock.advance(by: .seconds(86_400))
    request = try await node.sharing.review(
      request.id, pass: true, words: "材料齐全", version: request.version, by: cast.operatorInChief)
    outcome.providerDue = request.due?.date
    clock.advance(by: .seconds(2 * 86_400))
    let decided = try await node.sharing.decide(
      request.id, request.items.map(decision), words: "", version: request.version, by: cast.officer)
    outcome.grant = decided.1.id
    outcome.grantNumber = decided.1.number
    outcome.approved = decided.1.items.count
    tell(
      Text(
        "市场监管局逐项审批：同意 \(outcome.approved) 项（证件号码保留前 6 后 4），答复期限 \(outcome.providerDue?.description ?? "")；授权 \(outcome.grantNumber)。",
        "Market regulation approves \(outcome.approved) items (the ID number masked), due \(outcome.providerDue?.description ?? ""): grant \(outcome.grantNumber)."
      ))
    return decided.1
  }

  private func decision(_ item: RequestedItem) -> ItemDecision {
    switch item.column {
    case "phone": ItemDecision(item: item.item, approve: false, reason: "核对经营状态不需要联系电话。")
    case "representative_id": ItemDecision(item: item.item, approve: true, mask: .keepHeadTail(6, 4))
    default: ItemDecision(item: item.item, approve: true)
    }
  }

  // MARK: - Deliveries

  private func deliver(_ grant: Grant, _ outcome: inout Outcome) async throws {
    let read = Clock.system.now()
    let full = try await node.deliverNow(grant.id)
    outcome.full = full
    tell(full.summary)
    outcome.changes = try databases.change(read: read, now: Clock.system.now())
    clock.advance(by: .seconds(86_400))
    let incremental = try await node.deliverNow(grant.id)
    outcome.incremental = incremental
    tell(incremental.summary)
  }

  /// Leaves something to decide for whoever opens the site afterwards: a smaller request that waits for the provider.
  private func askAgain(_ resource: Resource, _ grant: Grant) async throws {
    let today = node.clock.now().dateInChina
    let wanted = ["uscc", "name", "status", "phone"]
    var request = try await node.sharing.submit(
      RequestDraft(
        resource: resource.id, items: resource.items.filter { wanted.contains($0.column) }.map(\.id),
        purpose: "核对申请家庭成员所属企业是否存续，并在需要时联系企业。", legalBasis: grant.legalBasis, scene: grant.scene, mode: .table,
        frequency: .weekly,
        firstDay: today, lastDay: today + 180, targetSource: grant.targetSource, targetTable: "legal_person_status"),
      by: cast.clerk)
    request = try await node.sharing.decideOwn(
      request.id, approve: true, words: "同意", version: request.version, by: cast.leader)
    request = try await node.sharing.review(
      request.id, pass: true, words: "材料齐全", version: request.version, by: cast.operatorInChief)
    tell(
      Text(
        "民政厅重新申请（\(request.number)，\(request.items.count) 项），等市场监管局审批：您可以用 ma.officer 登录办理。",
        "Civil affairs asks again (\(request.number), \(request.items.count) items): sign in as ma.officer and decide.")
    )
  }

  /// Leaves a census under way, prefilled with what was measured.
  private func beginCensus() async throws {
    let offices = try await node.census.askable(cast.operatorInChief)
    let today = node.clock.now().dateInChina
    let campaign = try await node.census.open(
      cast.operatorInChief,
      CampaignDraft(name: "\(today.year) 年政务信息资源普查", referenceDay: today, offices: offices.map(\.id)))
    _ = try await node.runner().drain()
    tell(
      Text(
        "普查“\(campaign.name)”已发起，期限 \(campaign.due.date)：ma.officer 可以填报。",
        "A census is under way, due \(campaign.due.date): ma.officer has a return to fill in."))
  }

  private func revoke(_ grant: Grant, _ outcome: inout Outcome) async throws {
    let current = try await node.sharing.grant(grant.id, for: cast.officer)
    // A delivery is already queued when the grant is revoked: it must not move a row.
    let queued = try await node.exchange.queue(grant.id, trigger: "person", by: cast.clerk)
    _ = try await node.sharing.order(
      .revoke, grant.id, why: "核对工作调整，改由接口核验。", version: current.version, by: cast.officer)
    _ = try await node.runner().drain()
    outcome.stopped = try await node.database.read { try DeliveryStore.find(queued.id, in: $0) }
    if let stopped = outcome.stopped, stopped.state == .stopped, stopped.delivered == 0 {
      outcome.revocation = stopped.reason
    }
    tell(outcome.revocation ?? Text("撤销没有生效！", "The revocation did not take effect!"))
  }
}
