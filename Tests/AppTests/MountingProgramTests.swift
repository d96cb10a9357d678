import Catalog
import Foundation
import Inventory
import Kernel
import Mounting
import Storage
import TestKit
import Testing
import Web

@testable import App

/// Tying entries to what holds them, and following sources, by program through the real site.
@Suite struct MountingProgramTests {
  @Test(arguments: Engine.allCases)
  func `an entry is tied to files, tested, told with its history, and untied`(engine: Engine) async throws {
    try await withMountStage(engine) { stage in
      let id = stage.resource.id
      try await withSite(stage.node) { base in
        let officer = try await InterfaceClient("ma.officer", base)
        let chief = try await InterfaceClient("zhang.operator", base)
        let other = try await InterfaceClient("han.officer", base)
        let sources = try await officer.get("mounting/sources")
        #expect(try await officer.faults(sources, "get", "mounting/sources") == [])
        #expect((sources.json["sources"]?.array ?? []).map { $0["id"]?.string } == [stage.source.text])
        #expect(try await other.get("mounting/sources").json["sources"] == [])

        let body = "{\"source\":\"\(stage.source)\",\"pattern\":\"list-*.csv\"}"
        #expect(try await other.send("POST", "mounting/resources/\(id)/files", body).status == 403)
        for (wrong, pointer) in [
          ("{\"source\":\"\(stage.source)\",\"pattern\":\"../*\"}", "/pattern"),
          ("{\"source\":\"\(stage.source)\",\"patern\":\"*\"}", "/patern"), ("{\"source\":7}", "/source"),
        ] {
          let answer = try await officer.send("POST", "mounting/resources/\(id)/files", wrong)
          #expect(answer.status == 422 && answer.pointers == [pointer], "\(wrong): \(answer.json.text)")
        }
        let tied = try await officer.send("POST", "mounting/resources/\(id)/files", body)
        #expect(try await officer.faults(tied, "post", "mounting/resources/{id}/files") == [])
        #expect(tied.json["state"]?.string == "declared")
        let tie = tied.json["id"]?.string ?? ""
        let failing = try await officer.send("POST", "mounting/ties/\(tie)/test")
        #expect(failing.json["state"]?.string == "failing" && failing.json["fault"]?.string == "mounting.no-file")
        try stage.write("list-1.csv", "a,b\n1,2\n", at: stage.clock.clock.now())
        let passed = try await chief.send("POST", "mounting/ties/\(tie)/test")
        #expect(passed.json["state"]?.string == "mounted" && passed.json["fault"] == .null)

        let told = try await chief.get("mounting/ties/\(tie)")
        #expect(try await chief.faults(told, "get", "mounting/ties/{id}") == [])
        #expect((told.json["tests"]?.array ?? []).map { $0["passed"]?.bool } == [true, false])
        #expect(told.json["target"]?["pattern"]?.string == "list-*.csv")
        chief.visitor.language = "en"
        let english = try await chief.get("mounting/ties/\(tie)").json["tests"]?.array?.last?["faultWords"]?.string
        #expect(english?.unicodeScalars.allSatisfy { $0.value < 0x3000 } == true, "\(english ?? "")")
        #expect(try await other.get("mounting/ties/\(tie)").status == 404)
        #expect(try await other.get("mounting/resources/\(id)").status == 403)
        #expect(
          try await officer.get("mounting/resources/\(ResourceID.make(at: stage.clock.clock.now()))").status == 404)
        let all = try await officer.get("mounting/resources/\(id)")
        #expect((all.json["ties"]?.array ?? []).map { $0["id"]?.string } == [tie])
        let listed = try await officer.get("mounting/ties?state=mounted")
        #expect(listed.json["counts"]?["mounted"]?.integer == 1 && listed.json["ties"]?.array?.count == 1)

        let host = try await officer.send(
          "POST", "mounting/resources/\(id)/api", "{\"url\":\"http://api.example/x\"}")
        #expect(host.status == 422 && host.pointers == ["/url"], "\(host.json.text)")
        #expect(try await other.send("DELETE", "mounting/ties/\(tie)").status == 404)
        #expect(try await officer.send("DELETE", "mounting/ties/\(tie)").status == 200)
        #expect(try await officer.get("mounting/resources/\(id)").json["ties"] == [])
        #expect(try await officer.get("mounting/ties/\(tie)").status == 404)
      }
    }
  }

  @Test(arguments: Engine.allCases)
  func `drafts are made of a source's tables, one is tied to another table, and changes are followed`(engine: Engine)
    async throws
  {
    try await withMountStage(engine) { stage in
      let (node, now) = (stage.node, stage.clock.clock.now())
      try stage.write("company.csv", "uscc,name,updated_at\n1,2,2026-01-01\n", at: now)
      try stage.write("branch.csv", "code,title\n1,2\n", at: now)
      try await withSite(node) { base in
        let officer = try await InterfaceClient("ma.officer", base)
        let source = "mounting/sources/\(stage.source)"
        let tables = try await officer.get(source + "/tables?view=uncatalogued&limit=1")
        #expect(try await officer.faults(tables, "get", "mounting/sources/{id}/tables") == [])
        #expect((tables.json["tables"]?.array ?? []).map { $0["table"]?.string } == ["branch.csv"])
        let rest = try await officer.get(
          source + "/tables?view=uncatalogued&limit=1&after=\(tables.json["next"]?.string ?? "")")
        #expect((rest.json["tables"]?.array ?? []).map { $0["table"]?.string } == ["company.csv"])
        #expect(rest.json["next"] == .null)

        let unknown = try await officer.send("POST", source + "/drafts", "{\"tables\":[{\"tabel\":\"x\"}]}")
        #expect(unknown.status == 422 && unknown.pointers == ["/tables/0/tabel"])
        let none = try await officer.send("POST", source + "/drafts", "{\"tables\":[{\"table\":\"nope.csv\"}]}")
        #expect(none.status == 422 && none.pointers == ["/tables"], "\(none.json.text)")
        let asked = try await officer.send(
          "POST", source + "/drafts", "{\"tables\":[{\"table\":\"nope.csv\"},{\"table\":\"company.csv\"}]}")
        #expect(asked.status == 202, "\(asked.json.text)")
        #expect(try await officer.faults(asked, "post", "mounting/sources/{id}/drafts") == [])
        let batch = asked.json["id"]?.string ?? ""
        try await node.mounting.make(try #require(DraftBatchID(batch)))
        let made = try await officer.get("mounting/batches/\(batch)")
        #expect(made.json["done"]?.integer == 2 && made.json["endedAt"] != .null)
        let left = made.json["tables"]?.array?.last
        #expect(left?["table"]?.string == "nope.csv" && left?["refusal"]?.string != nil, "\(made.json.text)")
        let id = made.json["tables"]?.array?.first?["resource"]?.string ?? ""
        let draft = try await officer.get("catalog/resources/\(id)/draft")
        #expect(draft.json["items"]?.array?.count == 3)

        let table = "mounting/resources/\(id)/table"
        let fitting = try await officer.get(table + "?source=\(stage.source)&table=branch.csv")
        #expect(fitting.etag == draft.etag && fitting.json["left"]?.array?.count == 2)
        #expect((fitting.json["items"]?.array ?? []).allSatisfy { $0["doubt"]?.string != nil })
        let item = draft.json["items"]?.array?[0]["id"]?.string ?? ""
        func tie(_ columns: String) -> String {
          "{\"source\":\"\(stage.source)\",\"table\":\"branch.csv\",\"columns\":[\(columns)]}"
        }
        let one = "{\"item\":\"\(item)\",\"column\":\"code\"}"
        #expect(try await officer.send("POST", table, tie(one)).status == 428)
        let twice = try await officer.send("POST", table, tie("\(one),\(one)"), ["If-Match": draft.etag])
        #expect(twice.status == 422 && twice.pointers == ["/columns/1/item"])
        let (nowhere, nobody) = (
          "{\"item\":\"\(item)\",\"column\":\"nope\"}", "{\"item\":\"\(stage.source)\",\"column\":\"title\"}"
        )
        for (columns, more, pointers) in [
          (one + "," + nobody, "", ["/columns/1/item"]), (nowhere, "", ["/columns/0/column"]), ("", "", ["/columns"]),
          (one, ",\"cursor\":\"nope\"", ["/cursor"]),
        ] {
          let body = tie(columns).dropLast() + more + "}"
          let refused = try await officer.send("POST", table, String(body), ["If-Match": draft.etag])
          #expect(refused.status == 422 && refused.pointers == pointers, "\(body): \(refused.json.text)")
        }
        let tied = try await officer.send("POST", table, tie(one), ["If-Match": draft.etag])
        #expect(tied.status == 200, "\(tied.json.text)")
        #expect(try await officer.faults(tied, "post", "mounting/resources/{id}/table") == [])
        #expect(try await officer.send("POST", table, tie(one), ["If-Match": draft.etag]).status == 412)
        let after = try await officer.get("catalog/resources/\(id)/draft")
        #expect(after.etag == tied.etag && after.json["items"]?.array?[0]["column"]?.string == "code")

        try stage.write("branch.csv", "code,title,address\n1,2,3\n", at: now + .seconds(60))
        let read = try await officer.send("POST", source + "/read")
        #expect(read.json["changed"]?.integer == 1, "\(read.json.text)")
        let waiting = try await officer.get("inbox").json["tasks"]?.array ?? []
        #expect(waiting.contains { $0["kind"]?.string == "mounting.schema" })
        let changes = try await officer.get(source + "/changes")
        let change = try #require(changes.json["changes"]?.array?.first)
        #expect(change["state"]?.string == "open" && change["resource"]?.string == id, "\(change.text)")
        let path = "mounting/changes/\(change["id"]?.string ?? "")"
        #expect(try await officer.send("POST", path + "/dismiss", "{}").pointers == ["/reason"])
        let taken = try await officer.send("POST", path + "/take")
        #expect(try await officer.faults(taken, "post", "mounting/changes/{id}/take") == [])
        let columns = try await officer.get("catalog/resources/\(id)/draft").json["items"]?.array ?? []
        #expect(columns.contains { $0["column"]?.string == "address" })
        #expect(try await officer.send("POST", path + "/dismiss", "{\"reason\":\"无关\"}").status == 409)
        let settled = try await officer.get("inbox").json["tasks"]?.array ?? []
        #expect(!settled.contains { $0["kind"]?.string == "mounting.schema" })
        let other = try await InterfaceClient("han.officer", base)
        #expect(try await other.get(source + "/tables").status == 404)
        #expect(try await other.get(source + "/changes").status == 404)
        #expect(try await other.get("mounting/batches/\(batch)").status == 404)
      }
    }
  }

  @Test(arguments: Engine.allCases)
  func `a token of no more than the documented scopes reads tables, drafts them and ties entries to them`(
    engine: Engine
  )
    async throws
  {
    try await withMountStage(engine) { stage in
      let now = stage.clock.clock.now()
      try stage.write("company.csv", "uscc,name\n1,2\n", at: now)
      try stage.write("branch.csv", "code,title\n1,2\n", at: now)
      try await withSite(stage.node) { base in
        let officer = try await InterfaceClient("ma.officer", base)
        let document = try await officer.get("openapi.json").json
        /// Asks with a token that has just the scopes of one of the documented ways, for each of these.
        func ask(
          _ method: String, _ path: String, as documented: String, _ body: String? = nil,
          _ headers: [String: String] = [:]
        ) async throws -> [(status: Int, json: JSON, etag: String)] {
          let ways = document["paths"]?["/api/v1/" + documented]?[method.lowercased()]?["security"]?.array ?? []
          let scopes = ways.compactMap { $0["token"] }
          #expect(!scopes.isEmpty, "\(documented)")
          var answers: [(status: Int, json: JSON, etag: String)] = []
          for one in scopes {
            let name = "\(answers.count)：\(method) \(documented.suffix(30))"
            let made = try await officer.send("POST", "tokens", "{\"name\":\"\(name)\",\"scopes\":\(one.text)}")
            let secret = try #require(made.json["secret"]?.string, "\(made.json.text)")
            let answer = try await Visitor(base: base).send(
              method, "/api/v1/" + path, body: body.map { Data($0.utf8) }, type: body == nil ? nil : "application/json",
              headers: ["Authorization": "Bearer \(secret)"].merging(headers) { $1 })
            #expect(answer.status < 300, "\(one.text) \(path): \(String(decoding: answer.body, as: UTF8.self))")
            answers.append(
              (answer.status, try JSONParser.parse(Array(answer.body)), answer.headers["etag"] ?? ""))
          }
          return answers
        }
        let source = "mounting/sources/\(stage.source)"
        #expect(try await ask("GET", source + "/tables", as: "mounting/sources/{id}/tables").count == 2)
        _ = try await ask("POST", source + "/read", as: "mounting/sources/{id}/read")
        let asked = try await ask(
          "POST", source + "/drafts", as: "mounting/sources/{id}/drafts", "{\"tables\":[{\"table\":\"company.csv\"}]}")
        try await stage.node.mounting.make(try #require(DraftBatchID(asked.first?.json["id"]?.string ?? "")))
        let batch = try await officer.get("mounting/batches/\(asked.first?.json["id"]?.string ?? "")").json
        let id = batch["tables"]?.array?.first?["resource"]?.string ?? ""
        #expect(!id.isEmpty, "\(batch.text)")
        let (path, documented) = ("mounting/resources/\(id)/table", "mounting/resources/{id}/table")
        let fitting = try #require(
          try await ask("GET", path + "?source=\(stage.source)&table=branch.csv", as: documented).first)
        let item = fitting.json["items"]?.array?.first?["item"]?.string ?? ""
        _ = try await ask(
          "POST", path, as: documented,
          "{\"source\":\"\(stage.source)\",\"table\":\"branch.csv\",\"columns\":[{\"item\":\"\(item)\",\"column\":\"code\"}]}",
          ["If-Match": fitting.etag])
        // Changing a source is its keeper's alone.
        let reader = Principal(
          person: stage.cast.officer.person, name: "程序", organisation: stage.cast.officer.organisation,
          organisationName: stage.cast.officer.organisationName, permissions: [.manageMounting, .compileCatalog])
        let refusal = await #expect(throws: Refusal.self) { try await stage.node.register.probe(reader, stage.source) }
        #expect(refusal?.kind == .forbidden)
      }
    }
  }
}
