import Audit
import Demo
import Foundation
import Identity
import Jobs
import Kernel
import Storage
import TestKit
import Testing

@testable import App

/// The main job as people do it in the site, without scripts: every step is a form of a page, filled in and sent.
@Suite struct JourneyTests {
  private static let id = "[0-9a-f-]{36}"

  @Test(arguments: Engine.allCases)
  func `from a system's entry to a revoked grant, by the forms of the site alone`(engine: Engine) async throws {
    try await withNode(engine) { node, _, clock, folder in
      let databases = DemoDatabases(folder: folder + "/sources", generator: LegalPersonGenerator(count: 2000))
      try databases.make()
      try await withSite(node) { base in
        func visitor(_ login: String) async throws -> Visitor {
          let visitor = Visitor(base: base)
          var form = try await visitor.form("/sign-in", at: "/sign-in")
          try form.enter("login", login)
          try form.enter("password", DemoCast.password)
          #expect(try await visitor.submit(form) == "/")
          return visitor
        }
        let (officer, clerk, leader) = (
          try await visitor("ma.officer"), try await visitor("li.clerk"), try await visitor("wang.leader")
        )
        let (receiver, operatorOfPlatform, auditor) = (
          try await visitor("han.officer"), try await visitor("zhang.operator"), try await visitor("audit.demo")
        )
        let mount = try await register("企业登记业务系统", path: databases.providerPath, by: officer)
        _ = try await register("居民家庭经济状况核对系统", path: databases.consumerPath, by: receiver)
        let resource = try await publish(mount, officer, operatorOfPlatform)
        let request = try await ask(resource, clerk)
        let grant = try await decide(request, clerk, leader, operatorOfPlatform, officer)
        let delivery = try await deliver(grant, node, clerk, databases)
        try await quarantine(delivery, clerk, officer, databases)
        try await receipts(delivery, clerk, folder)
        try await audit(grant, auditor, folder, node, clock)
        try await revoke(grant, officer, clerk)
      }
    }
  }

  /// The system, its source, and the answer of the source; the address of the table's draft.
  private func register(_ name: String, path: String, by visitor: Visitor) async throws -> String {
    var form = try await visitor.form("/systems", at: "/systems/new")
    for (field, value) in [
      ("name", name), ("function", "办理业务"), ("approvedBy", "青海省发展和改革委员会"), ("approvedOn", "2015-06-18"),
      ("fundSource", "省级财政"), ("scope", "2"), ("frequency", "1"), ("network", "2"), ("stage", "4"),
    ] { try form.enter(field, value) }
    let system = try await visitor.submit(form)
    let new = try await visitor.link("\(system)/sources/new\\?kind=sqlite", at: system + "/sources/new")
    var source = try await visitor.form("/sources", at: new)
    try source.enter("source", "业务库")
    try source.enter("setting.path", "/etc/passwd")
    let refused = try await visitor.send(source)
    #expect(refused.status == 422 && refused.text.contains("/etc/passwd") && refused.text.contains("本单位在本节点的目录"))
    try source.enter("setting.path", path)
    _ = try await visitor.submit(source)
    _ = try await visitor.submit(visitor.form("/probe", at: system))
    let page = try await visitor.get(system)
    #expect(page.text.contains("SQLite 3"), "what answered stands in the page")
    return try await visitor.link("\(system)/sources/\(Self.id)/tables", at: system)
  }

  /// Draft from the table, its metadata, review with one return, publication; the resource's address.
  private func publish(_ tables: String, _ officer: Visitor, _ reviewer: Visitor) async throws -> String {
    let new = try await officer.link("/catalog/new[^\"]*legal_person", at: tables)
    let resource = try await officer.submit(officer.form("/catalog/drafts", at: new))
    let address = resource.replacing("/edit", with: "")
    let edit = address + "/edit"
    var form = try await officer.form("/edit", at: edit)
    for (field, value) in [
      ("name", "企业法人登记信息"), ("abstract", "全省企业、个体工商户、农民专业合作社的登记信息。"), ("sharingCondition", "因履职需要核验法人身份的部门可按信息项申请。"),
      ("format", "0311"), ("sharingType", "2"), ("methodClass", "1"), ("methodType", "1"), ("openType", "3"),
      ("cycle", "7"),
    ] {
      if form.fields.contains(where: { $0.name == field }) {
        try form.enter(field, value)
      } else {
        try form.tick(field, [value])
      }
    }
    _ = try await officer.submit(form)
    _ = try await officer.submit(officer.form("/submit", at: address))
    let review = try await reviewer.link("/catalog/review/\(Self.id)", at: "/catalog/review")
    var decision = try await reviewer.form(review, at: review)
    // Sent back once, with the reason where the provider looks.
    try decision.enter("reasons", "请补充更新说明")
    _ = try await reviewer.submit(decision.pressing("decision", "return"))
    let back = try await officer.get(address)
    #expect(back.text.contains("请补充更新说明"))
    _ = try await officer.submit(officer.form("/submit", at: address))
    decision = try await reviewer.form(review, at: review)
    _ = try await reviewer.submit(decision.pressing("decision", "approve-publish"))
    let page = try await officer.get(address)
    #expect(page.text.contains("3070120302/"), "it has its code")
    return address
  }

  /// Two characters find it; its page leads to the form; the form sent twice is one request.
  private func ask(_ resource: String, _ clerk: Visitor) async throws -> String {
    let found = try await clerk.link("/catalog/resources/\(Self.id)[^\"]*", at: "/catalog?q=%E6%B3%95%E4%BA%BA")
    #expect(found.hasPrefix(resource))
    let id = resource.split(separator: "/").last ?? ""
    var form = try await clerk.form("/requests/new", at: "/requests/new?resource=\(id)")
    let page = try await clerk.get("/requests/new?resource=\(id)").text
    let wanted = ["统一社会信用代码", "企业名称", "登记状态", "法定代表人", "联系电话", "uscc", "name", "status", "phone", "representative_id"]
    let boxes = page.matches(of: /name="items" value="([^"]+)"[^>]*> ([^<]+)/)
      .filter { box in wanted.contains { box.output.2.hasPrefix($0) } }.map { String($0.output.1) }
    #expect(boxes.count >= 4)
    try form.tick("items", boxes)
    for (field, value) in [
      ("legalBasis", "《社会救助暂行办法》第五十八条"), ("scene", "低保审核"), ("targetTable", "legal_person_check"),
      ("frequency", "daily"),
      ("purpose", String(repeating: "核", count: 1001)),
    ] { try form.enter(field, value) }
    let long = try await clerk.send(form)
    #expect(long.status == 422 && Visitor.faults(long.text).contains { $0.contains("1000") })
    #expect(long.text.contains("《社会救助暂行办法》第五十八条"), "what was entered is still there")
    form = try #require(WebForm.all(in: long.text).first { $0.action == "/requests/new" })
    try form.enter("purpose", "核对低保申请家庭成员是否为企业法定代表人。")
    let request = try await clerk.submit(form)
    let again = try await clerk.submit(form)
    #expect(again == request, "a double click is one request")
    return request
  }

  private func decide(
    _ request: String, _ clerk: Visitor, _ leader: Visitor, _ reviewer: Visitor, _ officer: Visitor
  ) async throws -> String {
    let inbox = try await leader.get("/inbox")
    #expect(inbox.text.contains(request), "it waits for the leader")
    for (visitor, step) in [(leader, "/own"), (reviewer, "/review")] {
      var form = try await visitor.form(step, at: request)
      try form.enter("words", "同意")
      form = try form.pressing("answer", "yes")
      _ = try await visitor.submit(form)
      let stale = try await visitor.send(form)
      #expect(stale.status == 409, "the same page once more is too late: \(stale.status)")
    }
    let page = try await officer.get(request).text
    #expect(page.contains("个工作日") || page.contains("工作日"), "the due day explains itself")
    var form = try await officer.form("/decide", at: request)
    let items = form.fields.filter { $0.name.hasPrefix("approve-") }.map { String($0.name.dropFirst("approve-".count)) }
    let all = page.matches(of: /name="approve-([0-9a-f-]+)"/).map { String($0.output.1) }
    #expect(all.count >= 4)
    // One is masked, the last is not given.
    for item in all.dropLast() { try form.tick("approve-\(item)", ["yes"]) }
    try form.tick("approve-\(all[all.count - 1])", [])
    let withoutReason = try await officer.send(form)
    #expect(withoutReason.status == 422, "\(items.count)")
    try form.enter("reason-\(all[all.count - 1])", "与用途无关")
    try form.enter("mask-\(all[1])", "keep(1,0)")
    _ = try await officer.submit(form)
    let grant = try await clerk.link("/grants/\(Self.id)", at: request)
    let granted = try await clerk.get(grant).text
    #expect(granted.contains("只保留第 1 位") && !granted.contains("与用途无关"))
    return grant
  }

  private func deliver(_ grant: String, _ node: Node, _ clerk: Visitor, _ databases: DemoDatabases) async throws
    -> String
  {
    let form = try await clerk.form("/deliver", at: grant)
    let delivery = try await clerk.submit(form)
    #expect(try await clerk.submit(form) == delivery, "asked for twice, one delivery")
    _ = try await node.runner().drain()
    let page = try await clerk.get(delivery).text
    let good = databases.generator.count - databases.generator.flawCount
    #expect(page.contains("已送达") || page.contains("已交付") || page.contains("完成"))
    #expect(page.contains("\(good / 1000),\(String(format: "%03d", good % 1000))") || page.contains("\(good)"))
    return delivery
  }

  /// The consumer sees that rows were set apart and why; only the provider's officer opens one.
  private func quarantine(_ delivery: String, _ clerk: Visitor, _ officer: Visitor, _ databases: DemoDatabases)
    async throws
  {
    let list = try await clerk.link("\(delivery)/quarantine[^\"]*", at: delivery)
    let seen = try await clerk.get(list).text
    for index in 0..<databases.generator.count where databases.generator.flaw(of: index) != nil {
      let row = databases.generator.row(index)
      #expect(!seen.contains(row.address) && !seen.contains(row.name))
    }
    #expect(WebForm.all(in: seen).allSatisfy { !$0.action.contains("quarantine") }, "nothing to open for the consumer")
    let open = try #require(
      WebForm.all(in: try await officer.get(list).text).first { $0.action.contains("quarantine") })
    let shown = try await officer.send(open)
    #expect(shown.status == 200 || shown.status == 303)
    let denied = try await clerk.post(open.action, open.fields.filter { $0.name != "csrf" }, from: list)
    #expect(denied.status == 403)
  }

  /// What anyone can check who has the answer of the interface, and what a forged one comes to.
  private func receipts(_ delivery: String, _ clerk: Visitor, _ folder: String) async throws {
    let answer = try await clerk.get("/api/v1" + delivery).text
    let checker = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("scripts/verify_proof.py").path
    func check(_ text: String) throws -> String {
      let file = folder + "/delivery.json"
      try text.write(toFile: file, atomically: true, encoding: .utf8)
      return try Tool.run("/usr/bin/env", ["sh", "-c", "python3 '\(checker)' '\(file)' || true"])
    }
    #expect(try check(answer).contains("2 receipts"))
    #expect(try !check(answer).contains("DO NOT HOLD"))
    let forged = answer.replacing("delivered ", with: "delivered 9")
    #expect(try forged != answer && check(forged).contains("DO NOT HOLD"))
  }

  private func audit(_ grant: String, _ auditor: Visitor, _ folder: String, _ node: Node, _ clock: DemoClock)
    async throws
  {
    try await node.sequencer.sequenceAll()
    let byName = try await auditor.get("/audit?actor=%E9%A9%AC%E6%95%B0%E6%8D%AE").text
    #expect(byName.contains("逐项审批并授权") && !byName.contains("title=\"sharing.request.submit\""))
    let id = grant.split(separator: "/").last ?? ""
    let byGrant = try await auditor.get("/audit?grant=\(id)&from=2026-03-01&to=2026-12-31").text
    #expect(byGrant.contains("交换完成") && byGrant.contains("签发授权"))
    let record = try await auditor.link("/audit/records/\(Self.id)", at: "/audit?grant=\(id)")
    let proof = try await auditor.get(record + "/proof.json")
    #expect(proof.status == 200)
    let file = folder + "/proof.json"
    try proof.body.write(to: URL(fileURLWithPath: file))
    let checker = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("scripts/verify_proof.py").path
    _ = try Tool.run("/usr/bin/env", ["python3", checker, file])
  }

  private func revoke(_ grant: String, _ officer: Visitor, _ clerk: Visitor) async throws {
    var form = try await officer.form("/order", at: grant)
    try form.enter("words", "改由接口核验")
    _ = try await officer.submit(form.pressing("order", "revoke"))
    let page = try await clerk.get(grant).text
    #expect(page.contains("改由接口核验"))
    #expect(!WebForm.all(in: page).contains { $0.action.hasSuffix("/deliver") }, "no button that could not work")
  }
}
