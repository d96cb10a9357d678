import Connecting
import Identity
import Audit
package import Catalog
import Inbox
import Inventory
package import Kernel
import Storage
package import Web

/// Requests, grants, home and inbox.
package struct SharingRoutes: Sendable {
  let sharing: Sharing
  let attaching: RequestAttaching
  let cataloguing: Cataloguing
  let headlines: Headlines

  /// The numbers that a visitor's home page begins with; filled in by App from the context that counts them.
  package typealias Headlines = @Sendable (Principal, Language) async throws -> [Figure]

  package static func routes(
    sharing: Sharing, attaching: RequestAttaching, cataloguing: Cataloguing,
    headlines: @escaping Headlines = { _, _ in [] }
  ) -> [Route] {
    let site = SharingRoutes(
      sharing: sharing, attaching: attaching, cataloguing: cataloguing, headlines: headlines)
    return site.home + site.requests + site.steps + site.material + site.grants + SharingAPI(sharing: sharing).routes
      + InboxAPI(sharing: sharing).routes
  }

  // MARK: - Home

  private var home: [Route] {
    [
      .get("/", .anyone) { request in
        guard let principal = request.principal else { return .page(HomePage.welcome(request)) }
        let (tasks, count) = try await waiting(principal, nil, 10)
        return .page(
          HomePage.home(
            request, principal, tasks: tasks, count: count, shortcuts: shortcuts(principal),
            headlines: try await headlines(principal, request.language)))
      },
      .get("/inbox", .signedIn) { request in
        let (tasks, count) = try await waiting(request.visitor(), request.queryPlace("after", Inbox.Place.init), 51)
        let next = tasks.count > 50 ? Inbox.Place(tasks[49]).text : nil
        let principal = try request.visitor()
        let notices = try await sharing.database.read { try Inbox.notices(for: principal, limit: 50, in: $0) }
        return .page(
          HomePage.inbox(request, tasks: Array(tasks.prefix(50)), count: count, next: next, notices: notices))
      },
      .post("/inbox/notices/{id}", .signedIn) { request in
        let (id, principal): (NoticeID, Principal) = (try request.id(), try request.visitor())
        let now = sharing.clock.now()
        try await sharing.database.write { tx in
          guard try Inbox.dismiss(id, by: principal, at: now, in: tx) else {
            throw Refusal.notFound(Text("通知", "notice"))
          }
        }
        return .redirect("/inbox")
      },
    ]
  }

  private func waiting(_ principal: Principal, _ after: Inbox.Place?, _ limit: Int) async throws -> ([InboxTask], Int) {
    try await sharing.database.read { tx in
      (try Inbox.waiting(for: principal, after: after, limit: limit, in: tx), try Inbox.count(for: principal, in: tx))
    }
  }

  private func shortcuts(_ principal: Principal) -> [(Text, String)] {
    var links: [(Text, String)] = []
    if principal.may(.readCatalog) { links.append((Text("查找数据资源", "Find a data resource"), "/catalog")) }
    if principal.may(.manageInventory) { links.append((Text("登记信息系统", "Register a system"), "/systems")) }
    if principal.may(.reviewCatalog) { links.append((Text("审核目录", "Review entries"), "/catalog/review")) }
    if principal.may(.sharingRead) { links.append((Text("共享申请", "Requests"), "/requests")) }
    if principal.may(.sharingRead) { links.append((Text("授权", "Grants"), "/grants")) }
    if principal.may(.auditRead) { links.append((Text("审计日志", "The log"), "/audit")) }
    if principal.may(.peopleRead) {
      links.append((Text("人员与角色", "People and roles"), "/people"))
    }
    return links
  }

  // MARK: - Requests

  private var requests: [Route] {
    [
      .get("/requests", .permission(.sharingRead)) { request in
        let state: RequestState? = try request.queryChoice("state")
        let before: ShareRequestID? = try request.queryID("before")
        let found = try await sharing.requests(for: request.visitor(), state: state, before: before, limit: 51)
        return .page(
          RequestPages.list(request, Array(found.prefix(50)), state: state, next: found.count > 50 ? found[49].id : nil)
        )
      },
      .get("/requests/new", .permission(.sharingRequest)) { request in
        let today = request.now.dateInChina
        // The items that were ticked on the resource's page come along.
        let ticked = request.query.all("item").map { (name: "items", value: $0) }
        let entered = Fields(
          [
            ("mode", SharingMode.table.rawValue), ("frequency", "daily"), ("goneRows", "removed"),
            ("firstDay", "\(today)"),
            ("lastDay", "\(today + 365)"),
            ("form", uuidVersion7(at: request.now)),
          ] + ticked)
        return try await newForm(request, request.query["resource"], entered, nil)
      },
      .post("/requests/new", .permission(.sharingRequest)) { request in
        do {
          let made = try await sharing.submit(try draft(request.form), by: request.visitor())
          return .redirect("/requests/\(made.id)", flash: Text("已提交给本部门负责人。", "Submitted to your leader."))
        } catch let refusal as Refusal where refusal.kind == .invalid || refusal.kind == .conflict {
          return try await newForm(request, request.form["resource"], request.form, refusal)
        }
      },
      .get("/requests/{id}", .permission(.sharingRead)) { try await page($0) },
      .get("/requests/{id}/print", .permission(.sharingRead)) { request in
        let (item, events, grant) = try await sharing.request(request.id(), for: request.visitor())
        let files = try await attaching.list(item.id, for: request.visitor())
        return .page(RequestPrint.page(request, item, events, grant, files))
      },
    ]
  }

  private func newForm(_ request: Request, _ id: String?, _ entered: Fields, _ refusal: Refusal?) async throws
    -> Response
  {
    guard let id = ResourceID(id ?? "") else { throw Refusal.notFound(Text("资源", "resource")) }
    let principal = try request.visitor()
    if let offline = try await sharing.offline(id, for: principal) {
      return .page(OfflinePage.render(request, offline.resource, since: offline.since, entered: entered))
    }
    let (resource, targets) = try await sharing.database.read { tx -> (Resource, [(DataSource, String)]) in
      guard let resource = try CatalogStore.published(id, in: tx) else {
        throw Refusal.notFound(Text("资源", "resource"))
      }
      let systems = try principal.organisation.map { try InventoryStore.systems(of: $0, in: tx) } ?? []
      let targets = try systems.flatMap { system in
        try InventoryStore.sources(of: system.id, in: tx).filter {
          sharing.kind($0.kind)?.guarantee.writes ?? false
        }.map {
          ($0, system.facts.name)
        }
      }
      return (resource, targets)
    }
    return .page(RequestPages.new(request, resource, targets: targets, entered: entered, refusal: refusal))
  }

  private func draft(_ form: Fields) throws -> RequestDraft {
    guard let resource = ResourceID(form["resource"] ?? "") else { throw Refusal.notFound(Text("资源", "resource")) }
    var faults: [Refusal.Fault] = []
    func day(_ name: String) -> CalendarDate {
      if let day = CalendarDate(form[name] ?? "") { return day }
      faults.append(.init(name, Text("请填写日期，如 2026-03-02。", "Enter a date, such as 2026-03-02.")))
      return CalendarDate(daysSince1970: 0)
    }
    let (first, last) = (day("firstDay"), day("lastDay"))
    let target = SourceID(form["target"] ?? "")
    if target == nil { faults.append(.init("target", Text("请选择接收库。", "Choose a receiving source."))) }
    let frequency = Frequency(rawValue: form["frequency"] ?? "")
    if frequency == nil { faults.append(.init("frequency", Text("请选择频率。", "Choose a frequency."))) }
    let mode = SharingMode(rawValue: form["mode"] ?? "")
    if mode == nil { faults.append(.init("mode", Text("请选择共享方式。", "Choose the mode."))) }
    guard let target, let mode, let frequency, faults.isEmpty else { throw Refusal.invalid("sharing.request", faults) }
    var draft = RequestDraft(
      resource: resource, items: form.all("items").compactMap { ItemID($0) }, purpose: form["purpose"] ?? "",
      legalBasis: form["legalBasis"] ?? "", scene: form["scene"] ?? "", mode: mode, frequency: frequency,
      firstDay: first,
      lastDay: last,
      targetSource: target, targetTable: form["targetTable"] ?? "", formKey: form["form"])
    draft.goneRows = GoneRows(rawValue: form["goneRows"] ?? "") ?? .removed
    return draft
  }

  // MARK: - Steps

  private var steps: [Route] {
    [
      step("own", .sharingApproveOwn) { id, form, version, principal in
        _ = try await sharing.decideOwn(
          id, approve: try isYes(form), words: form["words"] ?? "", version: version, by: principal)
      },
      step("review", .sharingReview) { id, form, version, principal in
        _ = try await sharing.review(
          id, pass: try isYes(form), words: form["words"] ?? "", version: version, by: principal)
      },
      step("decide", .sharingDecide) { id, form, version, principal in
        let (item, _, _) = try await sharing.request(id, for: principal)
        let decisions = try item.items.map { line in
          guard let mask = form["mask-\(line.item)"].flatMap({ Mask($0) }) else {
            throw Refusal.invalid(
              "sharing.decide.mask", "mask-\(line.item)", Text("没有这种交付方式。", "There is no such mask."))
          }
          return ItemDecision(
            item: line.item, approve: form["approve-\(line.item)"] == "yes", mask: mask,
            reason: form["reason-\(line.item)"] ?? "")
        }
        _ = try await sharing.decide(
          id, decisions, rowFilter: form["rowFilter"] ?? "", words: form["words"] ?? "", version: version, by: principal
        )
      },
      step("refuse", .sharingDecide) { id, form, version, principal in
        guard let ground = RefusalGround(rawValue: form["ground"] ?? "") else {
          throw Refusal.invalid("sharing.refuse.ground", "ground", Text("请选择理由类别。", "Choose a ground."))
        }
        _ = try await sharing.refuse(
          id, ground: ground, basis: form["basis"] ?? "", words: form["words"] ?? "", version: version, by: principal)
      },
      step("ask", .sharingDecide) { id, form, version, principal in
        _ = try await sharing.askSupplement(id, words: form["words"] ?? "", version: version, by: principal)
      },
      step("supplement", .sharingRequest) { id, form, version, principal in
        _ = try await sharing.supplement(
          id, purpose: form["purpose"] ?? "", legalBasis: form["legalBasis"] ?? "", words: form["words"] ?? "",
          version: version, by: principal)
      },
      step("withdraw", .sharingRequest) { id, form, version, principal in
        _ = try await sharing.withdraw(id, words: form["words"] ?? "", version: version, by: principal)
      },
    ]
  }

  /// An answer that did not come is no answer.
  private func isYes(_ form: Fields) throws -> Bool {
    switch form["answer"] {
    case "yes": return true
    case "no": return false
    default: throw Refusal.invalid("sharing.answer", "answer", Text("请选择同意或不同意。", "Approve or do not."))
    }
  }

  private func step(
    _ name: String, _ permission: Permission,
    _ body: @escaping @Sendable (ShareRequestID, Fields, Int, Principal) async throws -> Void
  ) -> Route {
    .post("/requests/{id}/\(name)", .permission(permission)) { request in
      let id: ShareRequestID = try request.id()
      do {
        try await body(id, request.form, Int(request.form["version"] ?? "") ?? 0, request.visitor())
        return .redirect("/requests/\(id)", flash: Text("已办理。", "Done."))
      } catch let refusal as Refusal where refusal.kind == .invalid || refusal.kind == .conflict {
        return try await page(request, entered: request.form, refusal: refusal)
      }
    }
  }

  func page(_ request: Request, entered: Fields = Fields(), refusal: Refusal? = nil) async throws -> Response {
    let (item, events, grant) = try await sharing.request(request.id(), for: request.visitor())
    let material = MaterialPart(
      files: try await attaching.list(item.id, for: request.visitor()), attachments: attaching.attachments)
    let resource = try await sharing.database.read {
      try CatalogStore.find(item.resource, version: item.resourceVersion, in: $0)
    }
    return .page(
      RequestPage.render(request, item, resource, events, grant, material, entered: entered, refusal: refusal))
  }

  // MARK: - Grants

  private var grants: [Route] {
    [
      .get("/grants", .permission(.sharingRead)) { request in
        let before: GrantID? = try request.queryID("before")
        let found = try await sharing.grants(for: request.visitor(), before: before, limit: 51)
        return .page(GrantPages.list(request, Array(found.prefix(50)), next: found.count > 50 ? found[49].id : nil))
      },
      .get("/grants/{id}", .permission(.sharingRead)) { request in
        .page(GrantPages.grant(request, try await sharing.grant(request.id(), for: request.visitor())))
      },
      .get("/grants/{id}/print", .permission(.sharingRead)) { request in
        .page(GrantPrint.page(request, try await sharing.grant(request.id(), for: request.visitor())))
      },
      .post("/grants/{id}/order", .permission(.sharingRevoke)) { request in
        let id: GrantID = try request.id()
        do {
          guard let order = GrantOrder(rawValue: request.form["order"] ?? "") else {
            throw Refusal.invalid("sharing.grant.order", "order", Text("请选择暂停、恢复或撤销。", "Suspend, resume or revoke."))
          }
          _ = try await sharing.order(
            order, id, why: request.form["words"] ?? "", version: Int(request.form["version"] ?? "") ?? 0,
            by: request.visitor())
          return .redirect("/grants/\(id)", flash: Text("已办理。", "Done."))
        } catch let refusal as Refusal where refusal.kind == .invalid || refusal.kind == .conflict {
          let grant = try await sharing.grant(id, for: request.visitor())
          return .page(GrantPages.grant(request, grant, refusal: refusal))
        }
      },
    ]
  }
}
