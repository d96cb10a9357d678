import Audit
import Catalog
import Census
import Connecting
import Exchange
import Foundation
import FrontNodes
import Identity
import Kernel
import Mounting
import Sharing
import Storage
import Supervision
import TestKit
import Testing
import Web

@testable import App

/// The programming interface: its document is true, its lists page by key, and what it does not understand it refuses.
@Suite struct InterfaceTests {
  private func json(_ visitor: Visitor, _ path: String) async throws -> JSON {
    let answer = try await visitor.get(path)
    #expect(answer.status == 200, "\(path): \(answer.status) \(answer.text.prefix(300))")
    return try JSONParser.parse(Array(answer.body))
  }

  @Test(arguments: Engine.allCases)
  func `every answer is what the document says it is, and every address is in it`(engine: Engine) async throws {
    try await withStage(engine) { stage in
      let node = stage.node
      let grant = try await stage.grant(stage.draft)
      let delivery = try await node.deliverNow(grant.id)
      try await node.exchange.add(
        TaskRule(column: "name", kind: .notNull), to: grant.id, version: 0, by: stage.cast.officer)
      try await node.exchange.add(
        TaskColumn(name: "origin", type: .text, expression: "'青海'"), to: grant.id, version: 1, by: stage.cast.officer)
      // Mounted is what was tested.
      _ = try await node.mounting.sweep()
      var second = stage.draft
      second.targetTable = "other"
      _ = try await node.sharing.submit(second, by: stage.cast.clerk)
      try await node.supervision.refresh()
      let census = try await node.openCensus(asking: stage.resource.provider, by: stage.cast.operatorInChief)
      try await node.sequencer.sequenceAll()
      let record = try await node.database.read {
        try $0.row("SELECT record FROM audit_leaf ORDER BY leaf_index LIMIT 1")?.text("record")
      }
      let said = try await Said.about(stage)
      let scene = try await InterfaceScene.prepare(stage)
      let front = try await stage.usedMachine()
      let month = "\(stage.clock.clock.now().dateInChina)".prefix(7)
      // Long enough for what was raised and not answered to be late.
      stage.clock.advance(by: .seconds(60 * 86_400))
      _ = try await node.tokens.issue(.init(name: "同步", scopes: [.readCatalog]), by: stage.cast.operatorInChief)
      try await withSite(node) { base in
        let visitor = try await enter(base, as: "zhang.operator")
        let auditor = try await enter(base, as: "audit.demo")
        let clerk = try await enter(base, as: "li.clerk")
        let officer = try await enter(base, as: "ma.officer")
        let change = try await node.cataloguing.beginChange(stage.cast.officer, stage.resource.id)
        var metadata = change.metadata
        metadata.abstract += "含历史名称。"
        _ = try await node.cataloguing.edit(
          stage.cast.officer, change.id, from: change.revision, .init(metadata: metadata))
        let document = try await json(visitor, "/api/v1/openapi.json")
        let addresses: [(path: String, asked: String, by: Visitor)] = [
          ("/api/v1/me", "/api/v1/me", visitor),
          ("/api/v1/tokens", "/api/v1/tokens", visitor),
          ("/api/v1/inbox", "/api/v1/inbox", visitor),
          ("/api/v1/inbox/notices", "/api/v1/inbox/notices", officer),
          ("/api/v1/organisations", "/api/v1/organisations?limit=3", visitor),
          ("/api/v1/systems", "/api/v1/systems", visitor),
          ("/api/v1/front-nodes", "/api/v1/front-nodes", visitor),
          ("/api/v1/front-nodes/{id}", "/api/v1/front-nodes/\(front.id)", visitor),
          ("/api/v1/catalog/classes", "/api/v1/catalog/classes?under=30701203", visitor),
          ("/api/v1/catalog/classes/{code}", "/api/v1/catalog/classes/3070120337", visitor),
          ("/api/v1/catalog/classification", "/api/v1/catalog/classification?after=cj&limit=1", visitor),
          ("/api/v1/catalog/retired-classes", "/api/v1/catalog/retired-classes", officer),
          ("/api/v1/catalog/lists", "/api/v1/catalog/lists", clerk),
          ("/api/v1/catalog/review", "/api/v1/catalog/review?due=late", visitor),
          ("/api/v1/catalog/review/online", "/api/v1/catalog/review/online", visitor),
          ("/api/v1/catalog/work", "/api/v1/catalog/work", officer),
          ("/api/v1/catalog/offline", "/api/v1/catalog/offline", officer),
          ("/api/v1/catalog/moving-in", "/api/v1/catalog/moving-in", visitor),
          ("/api/v1/catalog/moving-in/{id}", "/api/v1/catalog/moving-in/\(scene.moved)", visitor),
          ("/api/v1/catalog/moved", "/api/v1/catalog/moved", officer),
          (
            "/api/v1/catalog/resources/{id}/attachments",
            "/api/v1/catalog/resources/\(scene.waiting.id)/attachments?version=1", visitor
          ),
          (
            "/api/v1/catalog/resources/{id}/attachments/{file}",
            "/api/v1/catalog/resources/\(scene.waiting.id)/attachments/\(scene.attached)?version=1", officer
          ),
          ("/api/v1/catalog/resources/{id}/alike", "/api/v1/catalog/resources/\(scene.waiting.id)/alike", visitor),
          ("/api/v1/catalog/resources/{id}/compare", "/api/v1/catalog/resources/\(stage.resource.id)/compare", officer),
          (
            "/api/v1/catalog/resources/{id}/dependents", "/api/v1/catalog/resources/\(stage.resource.id)/dependents",
            officer
          ),
          ("/api/v1/catalog/resources", "/api/v1/catalog/resources?mounted=1", visitor),
          ("/api/v1/catalog/resources/{id}", "/api/v1/catalog/resources/\(stage.resource.id)", visitor),
          ("/api/v1/census/campaigns", "/api/v1/census/campaigns", visitor),
          ("/api/v1/census/campaigns/{id}", "/api/v1/census/campaigns/\(census.campaign)", visitor),
          ("/api/v1/census/returns/{id}", "/api/v1/census/returns/\(census.id)", visitor),
          ("/api/v1/mounting/ties", "/api/v1/mounting/ties", visitor),
          ("/api/v1/mounting/ties/{id}", "/api/v1/mounting/ties/\(scene.tie)", visitor),
          ("/api/v1/mounting/resources/{id}", "/api/v1/mounting/resources/\(stage.resource.id)", officer),
          (
            "/api/v1/mounting/resources/{id}/table",
            "/api/v1/mounting/resources/\(stage.resource.id)/table?source=\(scene.source)&table=branches.csv", officer
          ),
          ("/api/v1/mounting/sources", "/api/v1/mounting/sources", officer),
          ("/api/v1/mounting/sources/{id}/tables", "/api/v1/mounting/sources/\(scene.source)/tables", officer),
          ("/api/v1/mounting/sources/{id}/changes", "/api/v1/mounting/sources/\(scene.source)/changes", officer),
          ("/api/v1/mounting/batches/{id}", "/api/v1/mounting/batches/\(scene.batch)", officer),
          ("/api/v1/catalog/changes", "/api/v1/catalog/changes", visitor),
          ("/api/v1/catalog/drafts", "/api/v1/catalog/drafts", officer),
          ("/api/v1/catalog/template", "/api/v1/catalog/template", officer),
          (
            "/api/v1/catalog/resources/{id}/versions", "/api/v1/catalog/resources/\(stage.resource.id)/versions",
            visitor
          ),
          ("/api/v1/catalog/resources/{id}/draft", "/api/v1/catalog/resources/\(stage.resource.id)/draft", officer),
          ("/api/v1/requests", "/api/v1/requests", visitor),
          ("/api/v1/requests/{id}", "/api/v1/requests/\(grant.request)", visitor),
          ("/api/v1/grants", "/api/v1/grants", visitor),
          ("/api/v1/grants/{id}", "/api/v1/grants/\(grant.id)", visitor),
          ("/api/v1/deliveries", "/api/v1/deliveries?grant=\(grant.id)", visitor),
          ("/api/v1/deliveries/{id}", "/api/v1/deliveries/\(delivery.id)", visitor),
          ("/api/v1/tasks", "/api/v1/tasks", visitor), ("/api/v1/tasks/{id}", "/api/v1/tasks/\(grant.id)", visitor),
          ("/api/v1/metrics", "/api/v1/metrics", visitor),
          ("/api/v1/supervision/matrix", "/api/v1/supervision/matrix?sort=entries&limit=3", visitor),
          ("/api/v1/supervision/rows", "/api/v1/supervision/rows?what=deliveries&month=\(month)", visitor),
          ("/api/v1/supervision/trend", "/api/v1/supervision/trend", visitor),
          ("/api/v1/feedback/objections", "/api/v1/feedback/objections?side=all", visitor),
          ("/api/v1/feedback/objections/late", "/api/v1/feedback/objections/late", visitor),
          ("/api/v1/feedback/objections/{id}", "/api/v1/feedback/objections/\(said.objection)", visitor),
          ("/api/v1/feedback/questions", "/api/v1/feedback/questions?resource=\(stage.resource.id)", visitor),
          ("/api/v1/feedback/questions/{id}", "/api/v1/feedback/questions/\(said.question)", visitor),
          ("/api/v1/feedback/ratings", "/api/v1/feedback/ratings?resource=\(stage.resource.id)", visitor),
          ("/api/v1/feedback/searches", "/api/v1/feedback/searches", clerk),
          ("/api/v1/feedback/searches/{id}", "/api/v1/feedback/searches/\(said.search)", clerk),
          ("/api/v1/audit/records", "/api/v1/audit/records?limit=200", auditor),
          ("/api/v1/audit/records/{id}/proof", "/api/v1/audit/records/\(record ?? "")/proof", auditor),
          ("/api/v1/audit/checkpoints/latest", "/api/v1/audit/checkpoints/latest", auditor),
        ]
        let read = document["paths"]?.members?.filter { $0.value["get"] != nil }.map(\.name)
        #expect(read == addresses.map(\.path).sorted())
        for path in document["paths"]?.members ?? [] {
          for operation in path.value.members ?? [] {
            let answers = operation.value["responses"]?.members?.first { $0.name.hasPrefix("2") }
            let content = answers?.value["content"]?.members?.first
            #expect(content?.value["schema"] != nil, "\(operation.name) \(path.name) does not say what it answers")
          }
        }
        for (path, asked, by) in addresses {
          let content = document["paths"]?[path]?["get"]?["responses"]?["200"]?["content"]?.members?.first
          let schema = try #require(content?.value["schema"], "\(path) does not say what it answers")
          let answer = try await by.get(asked)
          #expect(answer.status == 200, "\(asked): \(answer.status)")
          #expect(answer.headers["content-type"] == content?.name, "\(path)")
          if content?.name == "application/json" {
            let value = try JSONParser.parse(Array(answer.body))
            #expect(Self.faults(value, schema, at: path) == [])
            // A resource may well have no related ones, a national class no periods of its own, nothing be wrong, nothing be
            // withdrawn, and no column tell of changes; a list with nothing in it would have shown nothing here.
            for list in value.members ?? []
            where list.value.array != nil
              && !["related", "periods", "findings", "withdrawn", "cursors"].contains(list.name)
            {
              #expect(list.value.array?.isEmpty == false, "\(asked): an empty \(list.name) shows nothing")
            }
          }
        }
      }
    }
  }

  /// JSON Schema 2020-12 knows a type's name, or a list of names; no list within a list.
  @Test func `every type in the document is a name or a list of names`() async throws {
    try await withStage(.sqlite) { stage in
      try await withSite(stage.node) { base in
        let officer = try await enter(base, as: "ma.officer")
        var (names, wrong): (Int, [String]) = (0, [])
        func walk(_ json: JSON, at place: String, isNamed: Bool = false) {
          for (index, value) in (json.array ?? []).enumerated() { walk(value, at: "\(place)/\(index)") }
          for member in json.members ?? [] {
            let here = place + "/" + member.name
            if member.name == "type", !isNamed {
              names += 1
              let types = member.value.array ?? [member.value]
              if types.isEmpty || !types.allSatisfy({ $0.string != nil }) { wrong.append(here) }
            } else {
              walk(member.value, at: here, isNamed: !isNamed && member.name == "properties")
            }
          }
        }
        walk(try await json(officer, "/api/v1/openapi.json"), at: "")
        #expect(wrong == [] && names > 500)
      }
    }
  }

  @Test func `what an entry answers can be sent back by the document, and what is made answers 201`() async throws {
    try await withStage(.sqlite) { stage in
      _ = try await stage.node.cataloguing.beginChange(stage.cast.officer, stage.resource.id)
      try await withSite(stage.node) { base in
        let officer = try await enter(base, as: "ma.officer")
        let document = try await json(officer, "/api/v1/openapi.json")
        func operation(_ method: String, _ path: String) throws -> JSON {
          try #require(document["paths"]?["/api/v1/" + path]?[method])
        }
        let put = try operation("put", "catalog/resources/{id}/draft")
        let schema = try #require(put["requestBody"]?["content"]?["application/json"]?["schema"])
        for path in ["", "/draft"] {
          let answer = try await json(officer, "/api/v1/catalog/resources/\(stage.resource.id)\(path)")
          #expect(Self.faults(answer, schema, at: path) == [])
        }
        for path in ["catalog/drafts", "catalog/resources/{id}/change", "tokens"] {
          #expect(try operation("post", path)["responses"]?.members?.map(\.name) == ["201", "default"], "\(path)")
        }
        #expect(
          try operation("post", "catalog/resources/{id}/submit")["requestBody"]?["required"] == false)
        let conditions = try ["review", "publish", "submit", "offline", "online", "recall"].map { step in
          try operation("post", "catalog/resources/{id}/\(step)")["parameters"]?.array?
            .first { $0["name"] == "If-Match" }?["required"]?.bool
        }
        #expect(conditions == [true, false, false, false, false, nil])
        #expect(try operation("post", "feedback/searches")["description"] == nil)
        #expect(try operation("get", "supervision/matrix")["description"]?.string?.contains("supervision.all") == true)
      }
    }
  }

  /// Whatever a body says that an address does not know is refused by its name, never left out.
  @Test func `a member of another type or name is refused by its name`() async throws {
    try await withStage(.sqlite) { stage in
      try await withSite(stage.node) { base in
        let officer = try await enter(base, as: "ma.officer")
        let token = try await json(officer, "/api/v1/me")["csrfToken"]?.string ?? ""
        let resource = stage.resource.id
        let sent: [(path: String, body: String, pointer: String)] = [
          ("feedback/searches", "{\"name\":\"企业\",\"q\":\"企业\",\"frsh\":\"late\"}", "/frsh"),
          ("feedback/searches", "{\"name\":\"企业\",\"q\":\"企业\",\"sharing\":2}", "/sharing"),
          ("feedback/searches", "{\"name\":\"企业\",\"fresh\":\"often\"}", "/fresh"),
          ("feedback/objections", "{\"resource\":\"\(resource)\",\"kind\":\"outdated\",\"words\":7}", "/words"),
          ("feedback/questions", "{\"resource\":\"\(resource)\",\"word\":\"多久更新？\"}", "/word"),
          ("feedback/ratings", "{\"resource\":\"\(resource)\",\"score\":\"5\"}", "/score"),
          ("catalog/resources/\(resource)/offline", "{\"reason\":\"职能调整\",\"why\":1}", "/why"),
          (
            "catalog/resources/\(resource)/submit", "{\"kind\":\"law\",\"words\":\"按新规定\",\"trigger\":20260301}",
            "/trigger"
          ),
          ("catalog/resources/\(resource)/submit", "[]", ""),
          ("tokens", "{\"name\":\"同步\",\"scopes\":[\"catalog.read\"],\"days\":\"90\"}", "/days"),
          ("feedback/searches?submit=1", "{\"name\":\"企业\",\"q\":\"企业\"}", "/submit"),
        ]
        for (path, body, pointer) in sent {
          let answer = try await officer.send(
            "POST", "/api/v1/" + path, body: Data(body.utf8), type: "application/json",
            headers: ["X-CSRF-Token": token])
          let told = try JSONParser.parse(Array(answer.body))["errors"]?.array?.map { $0["pointer"]?.string }
          #expect(answer.status == 422 && told == [pointer], "\(path) \(body): \(answer.status) \(answer.text)")
        }
        let kept = try await officer.send(
          "POST", "/api/v1/feedback/searches", body: Data("{\"name\":\"逾期\",\"fresh\":\"late\"}".utf8),
          type: "application/json", headers: ["X-CSRF-Token": token])
        #expect(try JSONParser.parse(Array(kept.body))["address"]?.string == "/catalog?fresh=late", "\(kept.text)")
        #expect(try await json(officer, "/api/v1/feedback/searches")["searches"]?.array?.count == 1)
      }
    }
  }

  @Test func `names are told in the language that was asked for`() async throws {
    try await withStage(.sqlite) { stage in
      try await withSite(stage.node) { base in
        let officer = try await enter(base, as: "ma.officer")
        officer.language = "en"
        let facets = try await json(officer, "/api/v1/catalog/resources")["facets"]
        for name in ["sharing", "mounted", "cycle"] {
          let names = facets?[name]?.array?.compactMap { $0["name"]?.string } ?? []
          #expect(!names.isEmpty && names.allSatisfy { $0.allSatisfy(\.isASCII) }, "\(name): \(names)")
        }
      }
    }
  }

  @Test(arguments: Engine.allCases)
  func `lists go on where the page before ended, to the last`(engine: Engine) async throws {
    try await withStage(engine) { stage in
      var made: [String] = []
      for table in ["one", "two", "three"] {
        var draft = stage.draft
        draft.targetTable = table
        let grant = try await stage.grant(draft)
        _ = try await stage.node.deliverNow(grant.id)
        made.insert(grant.number, at: 0)
      }
      try await withSite(stage.node) { base in
        let clerk = try await enter(base, as: "li.clerk")
        func walk(_ path: String, _ list: String, _ name: String, _ cursor: String, limit: Int) async throws -> [String]
        {
          var (found, next): ([String], String?) = ([], nil)
          repeat {
            let page = try await json(
              clerk, address(path, [("limit", "\(limit)"), (cursor, next)]))
            let names = (page[list]?.array ?? []).compactMap { $0[name]?.string }
            #expect(names.count <= limit && !names.isEmpty)
            found += names
            next = page["next"]?.string
          } while next != nil
          return found
        }
        let grants = try await walk("/api/v1/grants", "grants", "number", "before", limit: 2)
        let exact = try await walk("/api/v1/grants", "grants", "number", "before", limit: 3)
        let deliveries = try await walk("/api/v1/deliveries", "deliveries", "grant", "before", limit: 1)
        let requests = try await walk("/api/v1/requests", "requests", "number", "before", limit: 2)
        #expect(grants == made && exact == made && deliveries == made && requests.count == 3)
        let offices = try await walk("/api/v1/organisations", "organisations", "id", "after", limit: 20)
        let all = try await json(clerk, "/api/v1/organisations?limit=500")["organisations"]?.array?
          .compactMap { $0["id"]?.string }
        #expect(offices == all && Set(offices).count == offices.count && offices.count > 50)
        let granted = try await json(clerk, "/api/v1/requests?state=granted")["requests"]?.array?.count
        let refused = try await json(clerk, "/api/v1/requests?state=refused")["requests"]?.array?.count
        #expect(granted == 3 && refused == 0)
      }
    }
  }

  @Test(arguments: Engine.allCases)
  func `a filter or a place that is not understood is refused by its name, never left out`(engine: Engine)
    async throws
  {
    try await withNode(engine) { node, _, _, _ in
      try await withSite(node) { base in
        let visitor = try await enter(base, as: "zhang.operator")
        let auditor = try await enter(base, as: "audit.demo")
        let id = "019cc1bb-4a4c-7001-afeb-e075049b064e"
        let interface: [(path: String, name: String, by: Visitor)] = [
          ("/api/v1/requests?state=lost", "state", visitor), ("/api/v1/requests?before=7", "before", visitor),
          ("/api/v1/requests?limit=0", "limit", visitor), ("/api/v1/requests?limit=201", "limit", visitor),
          ("/api/v1/grants?before=\(id)x", "before", visitor), ("/api/v1/grants?limit=many", "limit", visitor),
          ("/api/v1/deliveries?grant=7", "grant", visitor), ("/api/v1/deliveries?before=7", "before", visitor),
          ("/api/v1/tokens?before=7", "before", visitor), ("/api/v1/organisations?after=7", "after", visitor),
          ("/api/v1/organisations?after=\(id)", "after", visitor),
          ("/api/v1/organisations?on=today", "on", visitor), ("/api/v1/systems?owner=7", "owner", visitor),
          ("/api/v1/systems?after=7", "after", visitor), ("/api/v1/catalog/resources?mounted=yes", "mounted", visitor),
          ("/api/v1/catalog/resources?fresh=yes", "fresh", visitor),
          ("/api/v1/catalog/resources?provider=7", "provider", visitor),
          ("/api/v1/catalog/resources?after=x", "after", visitor),
          ("/api/v1/supervision/matrix?sort=size", "sort", visitor),
          ("/api/v1/supervision/matrix?after=\(id)", "after", visitor),
          ("/api/v1/supervision/rows?what=all", "what", visitor),
          ("/api/v1/supervision/rows?after=7", "after", visitor),
          ("/api/v1/supervision/trend?office=7", "office", visitor),
          ("/api/v1/audit/records?before=7", "before", auditor), ("/api/v1/audit/records?from=7", "from", auditor),
          ("/api/v1/audit/records?limit=1000", "limit", auditor),
        ]
        for (path, name, by) in interface {
          let answer = try await by.get(path)
          #expect(answer.status == 422, "\(path): \(answer.status)")
          let pointers = try JSONParser.parse(Array(answer.body))["errors"]?.array?.map { $0["pointer"]?.string }
          #expect(pointers == ["/\(name)"], "\(path)")
        }
        let security = try await enter(base, as: "security.demo")
        let pages: [(path: String, name: String, by: Visitor)] = [
          ("/requests?state=lost", "state", visitor), ("/requests?before=7", "before", visitor),
          ("/grants?before=7", "before", visitor), ("/inbox?after=7", "after", visitor),
          ("/deliveries?grant=7", "grant", visitor), ("/deliveries?before=7", "before", visitor),
          ("/catalog?mounted=yes", "mounted", visitor), ("/catalog?provider=7", "provider", visitor),
          ("/people?role=king", "role", security), ("/people?organisation=7", "organisation", security),
          ("/people?after=A%20B", "after", security), ("/audit/checkpoints?before=-1", "before", auditor),
        ]
        for (path, name, by) in pages {
          let answer = try await by.get(path)
          #expect(answer.status == 422 && answer.text.contains(name), "\(path): \(answer.status)")
        }
        // A field that a form sent empty asks for nothing.
        for path in ["/requests?state=&before=", "/catalog?mounted=", "/people?role=&q="] {
          let answer = try await (path.hasPrefix("/people") ? security : visitor).get(path)
          #expect(answer.status == 200, "\(path): \(answer.status)")
        }
      }
    }
  }

  /// Where a value is not what the schema says: the part of JSON Schema that our schemas use.
  static func faults(_ value: JSON, _ schema: JSON, at place: String) -> [String] {
    // Passed over when it is sent.
    if schema["readOnly"] == true { return [] }
    let types = schema["type"]?.array?.compactMap(\.string) ?? [schema["type"]?.string ?? ""]
    let type =
      switch value {
      case .null: "null"
      case .bool: "boolean"
      case .integer: "integer"
      case .decimal: "number"
      case .string: "string"
      case .array: "array"
      case .object: "object"
      }
    guard types.contains(type) else { return ["\(place) is \(type), not \(types)"] }
    var found: [String] = []
    if let choices = schema["enum"]?.array, !choices.contains(value) { found.append("\(place): \(value.text)") }
    if let text = value.string {
      switch schema["format"]?.string {
      case "uuid": if ID<Int>(text) == nil { found.append("\(place) is no id: \(text)") }
      case "date": if CalendarDate(text) == nil { found.append("\(place) is no day: \(text)") }
      case "date-time": if Instant(text) == nil { found.append("\(place) is no time: \(text)") }
      default: break
      }
    }
    for (index, item) in (value.array ?? []).enumerated() {
      found += faults(item, schema["items"] ?? [:], at: "\(place)/\(index)")
    }
    if let members = value.members {
      let properties = schema["properties"]
      for name in schema["required"]?.array?.compactMap(\.string) ?? [] where value[name] == nil {
        found.append("\(place) lacks \(name)")
      }
      for member in members {
        if let inner = properties?[member.name] ?? schema["additionalProperties"] {
          found += faults(member.value, inner, at: "\(place)/\(member.name)")
        } else {
          found.append("\(place)/\(member.name) is not documented")
        }
      }
    }
    return found
  }
}
