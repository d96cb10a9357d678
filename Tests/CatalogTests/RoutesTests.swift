import Catalog
import Connecting
import Foundation
import Identity
import Inventory
import Kernel
import Storage
import TestKit
import Testing
import Web

/// Walks the routes as the server would, without a server.
struct Visitor {
  let offices: Offices
  var principal: Principal
  var language = Language.chinese

  var routes: [Route] { InventoryRoutes.routes(offices.register) + CatalogRoutes.routes(offices.cataloguing) }

  func get(_ address: String) async throws -> Response { try await ask(.get, address, Fields()) }
  func post(_ address: String, _ form: [String: String] = [:], also: [(String, String)] = []) async throws -> Response {
    try await ask(.post, address, Fields(form.sorted { $0.key < $1.key }.map { ($0.key, $0.value) } + also))
  }

  func page(_ address: String) async throws -> String {
    guard case .page(let page) = try await get(address) else { throw Refusal.notFound(Text("页", "page")) }
    #expect(page.status == 200, "\(address)")
    return page.body.text
  }

  /// Where a form leads; a page instead is a failure, shown with its faults.
  func follow(_ address: String, _ form: [String: String] = [:], also: [(String, String)] = []) async throws -> String {
    switch try await post(address, form, also: also) {
    case .redirect(let address, flash: _): return address
    case .page(let page):
      Issue.record("\(address) answered \(page.status): \(page.body.text.prefix(800))")
      return ""
    default: return ""
    }
  }

  private func ask(_ method: Web.Method, _ address: String, _ form: Fields) async throws -> Response {
    let address = address.split(separator: "#")[0]
    let parts = address.split(separator: "?", maxSplits: 1)
    var request = Request(method: method, path: String(parts[0]), now: Offices.start)
    request.principal = principal
    request.language = language
    request.form = form
    if parts.count == 2 {
      request.query = Fields(
        parts[1].split(separator: "&").map { pair in
          let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
          return (sides[0], sides.count > 1 ? sides[1].removingPercentEncoding ?? "" : "")
        })
    }
    let segments = parts[0].split(separator: "/")
    // A literal segment wins over one in braces, as in the server's router.
    let found = routes.compactMap { route -> (Route, [String: String])? in
      let pattern = route.path.split(separator: "/")
      guard route.method == method, pattern.count == segments.count else { return nil }
      var parameters: [String: String] = [:]
      for (wanted, given) in zip(pattern, segments) {
        if wanted.hasPrefix("{") {
          parameters[String(wanted.dropFirst().dropLast())] = String(given)
        } else if wanted != given {
          return nil
        }
      }
      return (route, parameters)
    }.min { $0.1.count < $1.1.count }
    let (route, parameters) = try #require(found, "no route for \(method) \(address)")
    request.parameters = parameters
    return try await route.answer(request)
  }
}

@Suite struct `The pages of systems and catalogue` {
  @Test(arguments: Language.allCases)
  func `the whole journey goes through forms`(language: Language) async throws {
    try await Offices.with(.sqlite) { offices in
      let officer = Visitor(offices: offices, principal: Offices.officer, language: language)
      let reviewer = Visitor(offices: offices, principal: Offices.operatorOfPlatform, language: language)
      let clerk = Visitor(offices: offices, principal: Offices.clerk, language: language)

      let system = try await officer.follow(
        "/systems",
        [
          "name": "企业登记系统", "function": "登记", "scope": "2", "frequency": "1", "approvedBy": "省发展改革委",
          "approvedOn": "2015-03-02", "fundSource": "财政资金", "network": "2", "stage": "4",
        ])
      _ = try await officer.follow(system + "/sources", ["source": "登记库 <b>", "kind": "made-up"])
      let shown = try await officer.page(system)
      #expect(shown.contains("Made up 1.0"))
      #expect(shown.contains("登记库 &lt;b&gt;"))
      let source = try #require(shown.firstMatch(of: /\/sources\/([0-9a-f-]{36})\/tables/)).1
      #expect(
        try await officer.page("/catalog/new?source=\(source)&schema=&table=legal_person").contains("VARCHAR(20)"))
      let edit = try await officer.follow("/catalog/drafts", ["source": String(source), "table": "legal_person"])
      let draft = edit.replacing("/edit", with: "")
      let form = try await officer.page(edit)
      #expect(form.contains(language("请选择共享类型。", "Choose how it is shared.")))

      // Submitting now shows the form again, with what is missing linked.
      guard case .page(let refused) = try await officer.post(draft + "/submit") else {
        throw Refusal.notFound(Text("", ""))
      }
      #expect(refused.status == 422)
      #expect(refused.body.text.contains("href=\"#sharingType\""))

      let done = try await officer.follow(
        edit,
        [
          "name": "企业法人登记信息", "classes": "3070120302 207", "abstract": "全省企业法人的登记事项，来自企业登记系统。", "format": "0311",
          "system": String(system.split(separator: "/").last!), "sharingType": "2", "sharingCondition": "核对企业身份。",
          "methodClass": "1", "methodType": "1", "openType": "3", "cycle": "7", "secrecy": "0", "level": "2",
          "revision": "1", "next": "items",
        ])
      #expect(done == draft + "/items", "what was typed is saved on the way to the items")
      let items = try await officer.page(draft + "/items")
      #expect(items.contains(language("抽样 100 个值，99 个校验位正确", "99 of 100 sampled values have the right check digit")))
      #expect(
        try await officer.follow(
          draft + "/items",
          [
            "item.1.name": "企业名称", "item.1.dataType": "C", "item.1.length": "100", "item.1.grade": "1",
            "cursor": "updated_at", "revision": "2",
          ],
          also: [("keys", "uscc")]) == draft + "/items")
      _ = try await officer.follow(draft + "/submit")
      #expect(try await officer.page("/catalog/work").contains("企业法人登记信息"))

      let id = draft.split(separator: "/").last!
      #expect(try await reviewer.page("/catalog/review").contains("企业法人登记信息"))
      #expect(try await reviewer.page("/catalog/review/\(id)").contains("approve-publish"))
      #expect(try await reviewer.follow("/catalog/review/\(id)", ["decision": "approve-publish"]) == draft)

      let found = try await clerk.page("/catalog?q=\(percentEncoded("企业"))")
      #expect(found.contains(draft))
      #expect(found.contains("3070120302/000001"))
      let resource = try await clerk.page(draft)
      #expect(resource.contains("action=\"/requests/new\""))
      #expect(resource.contains("(100)"))
      // Where the table stands is its department's business.
      #expect(!resource.contains("登记库"))
      #expect(!resource.contains(draft + "/offline"))
      #expect(try await clerk.page("/catalog/classes?under=3").contains("307"))

      guard
        case .json(let bytes, 200, _) = try await clerk.get(
          "/api/v1/catalog/resources?q=\(percentEncoded("法人"))&limit=1"),
        case .json(let whole, 200, let etag) = try await clerk.get("/api/v1/catalog/resources/\(id)")
      else { throw Refusal.notFound(Text("", "")) }
      let hits = try #require(try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any])
      #expect(hits["total"] as? Int == 1)
      let one = try #require(try JSONSerialization.jsonObject(with: Data(whole)) as? [String: Any])
      #expect((one["items"] as? [[String: Any]])?.count == 8)
      #expect((one["schemaDigest"] as? String)?.count == 64)
      #expect(etag?.contains(id) == true)
      guard
        case .json(let list, 200, _) = try await clerkOfInventory(offices).get(
          "/api/v1/systems?q=\(percentEncoded("登记"))")
      else { throw Refusal.notFound(Text("", "")) }
      #expect(String(decoding: list, as: UTF8.self).contains("XT63-000001"))

      _ = try await officer.follow(draft + "/change")
      #expect(try await officer.page(draft + "/edit").contains("企业法人登记信息"))
      #expect(try await officer.page(draft + "/discard").contains("<form"))
      _ = try await officer.follow(draft + "/discard")
      #expect(try await reviewer.page(draft + "/offline").contains("name=\"reason\""))
      _ = try await reviewer.follow(draft + "/offline", ["reason": "职能调整"])
      #expect(try await clerk.page("/catalog").contains(language("还没有已发布的目录", "Nothing is published yet")))
    }
  }

  private func clerkOfInventory(_ offices: Offices) -> Visitor {
    Visitor(offices: offices, principal: Offices.operatorOfPlatform)
  }

  @Test func `English pages hold no Chinese but what departments wrote`() async throws {
    try await Offices.with(.sqlite) { offices in
      let officer = Visitor(offices: offices, principal: Offices.officer, language: .english)
      let reviewer = Visitor(offices: offices, principal: Offices.operatorOfPlatform, language: .english)
      for (visitor, address) in [
        (officer, "/systems"), (officer, "/systems/new"), (officer, "/catalog"), (officer, "/catalog/work"),
        (officer, "/catalog/new"), (reviewer, "/catalog/review"), (officer, "/systems?q=x"), (officer, "/catalog?q=x"),
      ] {
        let text = try await visitor.page(address)
        let chinese = text.unicodeScalars.filter { $0.properties.isIdeographic }
        #expect(chinese.isEmpty, "\(address): \(String(String.UnicodeScalarView(chinese.prefix(20))))")
      }
    }
  }

  @Test func `forged ids and positions are answered like missing ones`() async throws {
    try await Offices.with(.sqlite) { offices in
      let officer = Visitor(offices: offices, principal: Offices.officer)
      let missing = ResourceID.make(at: Offices.start)
      for address in [
        "/systems/x", "/systems/\(missing)", "/catalog/resources/x", "/catalog/resources/\(missing)",
        "/catalog/resources/\(missing)/edit", "/catalog/resources/\(missing)/items", "/catalog/new?source=x&table=t",
        "/catalog/new?source=\(missing)&table=t", "/catalog/resources/\(missing)?version=x",
        "/api/v1/catalog/resources/\(missing)",
      ] {
        let refusal = await #expect(throws: Refusal.self, "\(address)") { try await officer.get(address) }
        #expect(refusal?.kind == .notFound, "\(address)")
      }
      for address in ["/catalog?limit=0", "/catalog?provider=x", "/catalog?after=x", "/api/v1/systems?owner=x"] {
        let refusal = await #expect(throws: Refusal.self, "\(address)") { try await officer.get(address) }
        #expect(refusal?.kind == .invalid, "\(address)")
      }
    }
  }

  @Test func `every route asks for an authority`() async throws {
    try await Offices.with(.sqlite) { offices in
      for route in Visitor(offices: offices, principal: Offices.clerk).routes {
        switch route.access {
        case .permission, .anyPermission, .allPermissions: break
        case .anyone, .signedIn: Issue.record("\(route.method) \(route.path) is open")
        }
        #expect(route.path.hasPrefix("/api/v1/") == (route.summary != nil))
      }
    }
  }

  @Test func `a wide table's items are edited page by page and the page stays light`() async throws {
    try await Offices.with(.sqlite) { offices in
      let officer = Visitor(offices: offices, principal: Offices.officer)
      let items = (0..<70).map { number in
        Item(
          id: .make(at: Offices.start), name: "信息项第\(number)号", column: "c\(number)", dataType: "C", length: 20,
          type: .text)
      }
      let draft = try await offices.cataloguing.draft(
        Offices.officer, system: nil, metadata: Metadata(name: "宽表"), items: items)
      let page = try await officer.page("/catalog/resources/\(draft.id)/items?from=60")
      #expect(page.utf8.count < 100_000)
      #expect(page.contains("item.69.name") && !page.contains("item.59.name"))
      _ = try await officer.follow(
        "/catalog/resources/\(draft.id)/items?from=60",
        ["item.69.name": "最后一项", "item.69.dataType": "C", "item.69.length": "5", "item.69.grade": "2", "revision": "1"])
      let after = try await offices.cataloguing.resource(Offices.officer, draft.id)
      #expect(after.items[69].name == "最后一项")
      #expect(after.items[69].length == 5)
      #expect(Array(after.items.prefix(69)) == Array(items.prefix(69)))
      guard
        case .page(let refused) = try await officer.post(
          "/catalog/resources/\(draft.id)/items",
          ["item.0.name": "甲", "item.0.dataType": "C", "item.0.length": "十", "item.0.grade": "2", "revision": "2"])
      else { throw Refusal.notFound(Text("", "")) }
      #expect(refused.status == 422)
      #expect(refused.body.text.contains("href=\"#item.0.length\""))
    }
  }

  @Test(arguments: Engine.allCases)
  func `for whom a local class is, is chosen from offices that stand and divisions`(engine: Engine) async throws {
    try await Offices.with(engine) { offices in
      let keeper = Visitor(offices: offices, principal: Offices.operatorOfPlatform)
      let form = try await keeper.page("/catalog/classes/new")
      #expect(form.contains("<select id=\"usedBy\"") && form.contains("value=\"division:6301\">地区：西宁市"))
      #expect(form.contains("单位：\(Offices.civilAffairs.name)") && !form.contains(Offices.commerce.name))
      #expect(!form.contains("office:单位标识"))
      let only = "office:\(Offices.civilAffairs.id)"
      let made = ["parent": "", "code": "cj", "name": "场景应用", "from": "2026-08-20", "usedBy": only]
      #expect(try await keeper.follow("/catalog/classes/new", made) == "/catalog/classes?under=cj")
      #expect(try await keeper.page("/catalog/classes?under=cj").contains(">\(Offices.civilAffairs.name)</a>"))
      #expect(try await keeper.page("/catalog/classes/cj/edit").contains("value=\"\(only)\" selected>"))
      let changed = ["name": "场景", "from": "2026-08-20", "usedBy": "division:6301"]
      #expect(try await keeper.follow("/catalog/classes/cj/change", changed) == "/catalog/classes?under=cj")
      // What was chosen once stays a choice when the office stands no more.
      try await offices.cataloguing.addClass(
        Offices.operatorOfPlatform,
        ClassDraft(
          code: "gs", parent: nil, name: "工商", from: Offices.start.dateInChina, usedBy: .office(Offices.commerce.id)))
      let kept = try await keeper.page("/catalog/classes/gs/edit")
      #expect(kept.contains("value=\"office:\(Offices.commerce.id)\" selected>\(Offices.commerce.name)"))
      guard case .page(let wrong) = try await keeper.post("/catalog/classes/cj/change", ["usedBy": "office:x"]) else {
        throw Refusal.notFound(Text("页", "page"))
      }
      #expect(wrong.status == 422)
    }
  }
}
