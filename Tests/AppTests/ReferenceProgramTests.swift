import Catalog
import Foundation
import Identity
import Kernel
import Sharing
import Storage
import TestKit
import Testing
import Web

@testable import App

/// What a follower of the catalogue reads beside the entries, and who keeps it by program.
@Suite struct ReferenceProgramTests {
  @Test(arguments: Engine.allCases)
  func `the classification is read whole, page by page, and kept by the operator`(engine: Engine) async throws {
    try await withNode(engine) { node, cast, clock, _ in
      let today = clock.clock.now().dateInChina
      try await withSite(node) { base in
        let chief = try await InterfaceClient("zhang.operator", base)
        var officer = try await InterfaceClient("ma.officer", base)
        let clerk = try await InterfaceClient("li.clerk", base)
        func whole() async throws -> (version: String?, codes: [String]) {
          var (codes, next, version): ([String], String?, String?) = ([], nil, nil)
          repeat {
            let page = try await clerk.get(
              "catalog/classification" + address("", [("limit", "2000"), ("after", next)]))
            codes += (page.json["classes"]?.array ?? []).compactMap { $0["code"]?.string }
            (next, version) = (page.json["next"]?.string, page.json["version"]?.string)
          } while next != nil
          return (version, codes)
        }
        let before = try await whole()
        #expect(before.codes.count == 6505 && before.codes == before.codes.sorted())
        let unchanged = try await clerk.get("catalog/classification?limit=1")
        let cached = try await clerk.get("catalog/classification?limit=1", ["If-None-Match": unchanged.etag])
        #expect(cached.status == 304)

        let tree = "{\"code\":\"cj\",\"name\":\"场景应用\",\"from\":\"\(today + -3)\"}"
        #expect(try await officer.send("POST", "catalog/classes", tree).status == 403)
        let root = try await chief.send("POST", "catalog/classes", tree)
        #expect(root.status == 201 && root.json["isLocal"] == true, "\(root.json.text)")
        #expect(try await chief.faults(root, "post", "catalog/classes") == [])
        #expect(try await chief.send("POST", "catalog/classes", tree).pointers == ["/code"], "none is used twice")
        let child = """
          {"code":"cj01","parent":"cj","name":"企业开办","from":"\(today + -3)","national":"203","usedBy":"division:63"}
          """
        let made = try await chief.send("POST", "catalog/classes", child)
        #expect(made.json["national"]?.string == "203" && made.json["usedBy"]?.string == "division:63")
        for (body, pointer) in [
          ("{\"code\":\"cj02\",\"parent\":\"cj\",\"name\":\"甲\",\"from\":\"soon\"}", "/from"),
          ("{\"code\":\"cj02\",\"parent\":\"cj\",\"name\":\"甲\"}", "/from"),
          ("{\"code\":\"cj02\",\"parent\":\"cj\",\"name\":\"甲\",\"from\":\"\(today)\",\"usedBy\":\"me\"}", "/usedBy"),
          ("{\"code\":\"cj02\",\"parent\":\"ck\",\"name\":\"甲\",\"from\":\"\(today)\"}", "/parent"),
          ("{\"code\":\"cj02\",\"parents\":\"cj\"}", "/parents"),
        ] {
          let wrong = try await chief.send("POST", "catalog/classes", body)
          #expect(wrong.status == 422 && wrong.pointers == [pointer], "\(body): \(wrong.json.text)")
        }
        let after = try await whole()
        #expect(after.codes.count == 6507 && after.version != before.version)

        // Changed and retired as it was read, by nobody's eyes but the last reader's.
        let renamed = "{\"name\":\"企业开办一件事\",\"from\":\"\(today)\",\"national\":\"203\"}"
        #expect(try await chief.send("PUT", "catalog/classes/cj01", renamed).status == 428)
        let changed = try await chief.send("PUT", "catalog/classes/cj01", renamed, ["If-Match": made.etag])
        #expect(changed.status == 200 && changed.json["name"]?.string == "企业开办一件事")
        #expect(changed.json["periods"]?.array?.count == 2 && changed.json["usedBy"]?.string == "")
        let late = try await chief.send("PUT", "catalog/classes/cj01", renamed, ["If-Match": made.etag])
        #expect(late.status == 412)
        #expect(try await chief.get("catalog/classes/cj01").etag == changed.etag)
        let national = try await chief.get("catalog/classes/203").etag
        let kept = try await chief.send("PUT", "catalog/classes/203", renamed, ["If-Match": national])
        #expect(kept.status == 409 && kept.code == "catalog.class.national")

        // With an entry in it, which its department moves.
        _ = try await officer.send(
          "POST", "catalog/resources?submit=1",
          entryBody("企业名单").replacingOccurrences(of: "\"3070120302\"", with: "\"cj01\""))
        let queue = try await chief.get("catalog/review").json["entries"]?.array?.first
        let (id, tag) = (queue?["id"]?.string ?? "", queue?["etag"] ?? .null)
        let decided = try await chief.send(
          "POST", "catalog/review",
          "{\"decision\":\"approve\",\"publish\":true,\"entries\":[{\"id\":\"\(id)\",\"etag\":\(tag.text)}]}")
        #expect(decided.json["done"]?.integer == 1, "\(decided.json.text)")
        let alone = try await chief.send(
          "POST", "catalog/classes/cj01/retire", "{\"on\":\"\(today + 1)\"}",
          ["If-Match": try await chief.get("catalog/classes/cj01").etag])
        #expect(alone.status == 422 && alone.pointers == ["/leaves"], "\(alone.json.text)")
        #expect(alone.json["detail"]?.string?.contains("leaves") == true)
        let retiring = "{\"on\":\"\(today + 1)\",\"successor\":\"203\"}"
        let stale = try await chief.send("POST", "catalog/classes/cj01/retire", retiring, ["If-Match": changed.etag])
        #expect(stale.status == 412, "there is an entry in it by now")
        let read = try await chief.get("catalog/classes/cj01").etag
        let retired = try await chief.send("POST", "catalog/classes/cj01/retire", retiring, ["If-Match": read])
        #expect(retired.json["until"]?.string == "\(today + 1)" && retired.json["successor"]?.string == "203")
        #expect(retired.json["heir"]?.string == "203")
        clock.advance(by: .seconds(86_400))
        officer = try await InterfaceClient("ma.officer", base)
        let gone = try await officer.get("catalog/retired-classes")
        #expect(try await officer.faults(gone, "get", "catalog/retired-classes") == [])
        let left = gone.json["classes"]?.array?.first
        #expect(left?["code"]?.string == "cj01" && left?["entries"]?.array?.first?["id"]?.string == id)
        let moved = try await officer.send("POST", "catalog/resources/\(id)/move-class", "{\"class\":\"cj01\"}")
        #expect(moved.json["classes"] == ["203"] && moved.json["version"]?.integer == 2, "\(moved.json.text)")
        let twice = try await officer.send("POST", "catalog/resources/\(id)/move-class", "{\"class\":\"cj01\"}")
        #expect(twice.status == 409)
      }
    }
  }

  @Test(arguments: Engine.allCases)
  func `every code of an entry is explained in both languages by the lists`(engine: Engine) async throws {
    try await withStage(engine) { stage in
      try await withSite(stage.node) { base in
        let clerk = try await InterfaceClient("li.clerk", base)
        let lists = try await clerk.get("catalog/lists").json["lists"]?.array ?? []
        let entry = try await clerk.get("catalog/resources/\(stage.resource.id)").json
        func explained(_ code: String?, _ name: String) -> Bool {
          let list = lists.first { $0["name"]?.string == name }
          let found = list?["codes"]?.array?.first { $0["code"]?.string == code }
          return found?["chinese"]?.string?.isEmpty == false && found?["english"]?.string?.isEmpty == false
        }
        for (member, list) in [
          ("format", "format"), ("sharingType", "sharing-type"), ("methodClass", "method-class"),
          ("methodType", "method-type"), ("openType", "open-type"), ("cycle", "cycle"), ("secrecy", "secrecy"),
          ("level", "level"),
        ] {
          #expect(explained(entry[member]?.string, list), "\(member) \(entry[member]?.text ?? "")")
        }
        for item in entry["items"]?.array ?? [] {
          #expect(explained(item["dataType"]?.string, "item-type") && explained(item["grade"]?.string, "grade"))
        }
      }
    }
  }

  @Test func `the document is told in the language that was asked for, with the same addresses`() async throws {
    try await withNode(.sqlite) { node, _, _, _ in
      try await withSite(node) { base in
        let visitor = Visitor(base: base)
        func document(_ language: String, _ query: String = "") async throws -> JSON {
          visitor.language = language
          let answer = try await visitor.get("/api/v1/openapi.json" + query)
          #expect(answer.status == 200)
          return try JSONParser.parse(Array(answer.body), maxValues: 1_000_000)
        }
        let (chinese, english) = (try await document("zh-CN"), try await document("en"))
        #expect(try await document("en", "?lang=zh") == chinese)
        #expect(chinese["info"]?["title"]?.string?.contains("三江") == true)
        #expect(chinese["paths"]?.members?.map(\.name) == english["paths"]?.members?.map(\.name))
        for path in chinese["paths"]?.members ?? [] {
          for operation in path.value.members ?? [] {
            let here = "\(operation.name) \(path.name)"
            let other = english["paths"]?[path.name]?[operation.name]
            #expect(operation.value["summary"]?.string?.allSatisfy(\.isASCII) == false, "\(here)")
            #expect(other?["summary"]?.string?.unicodeScalars.allSatisfy { $0.value < 0x3000 } == true, "\(here)")
            #expect(operation.value["requestBody"] == other?["requestBody"], "\(here)")
            #expect(operation.value["responses"] == other?["responses"], "\(here)")
          }
        }
      }
    }
  }

  @Test(arguments: Engine.allCases)
  func `a program reads what waits for it, within its scopes`(engine: Engine) async throws {
    try await withStage(engine) { stage in
      let (node, cast) = (stage.node, stage.cast)
      _ = try await node.cataloguing.online(cast.officer, stage.resource.id, .requestDown, reason: "停止更新")
      _ = try await node.sharing.submit(stage.draft, by: cast.clerk)
      let secret = try await node.tokens.issue(
        .init(name: "目录", scopes: [.readCatalog]), by: cast.operatorInChief
      ).secret
      try await withSite(node) { base in
        let chief = try await InterfaceClient("zhang.operator", base)
        let waiting = try await chief.get("inbox?limit=1")
        #expect(try await chief.faults(waiting, "get", "inbox") == [])
        #expect(waiting.json["tasks"]?.array?.first?["kind"]?.string == "catalog.online", "\(waiting.json.text)")
        #expect(waiting.json["tasks"]?.array?.first?["subject"]?.string == stage.resource.id.text)
        let program = Visitor(base: base)
        let limited = try await program.get("/api/v1/inbox", headers: ["Authorization": "Bearer \(secret)"])
        #expect(try JSONParser.parse(Array(limited.body))["count"]?.integer == 0, "reviewing is not in its scopes")

        _ = try await node.cataloguing.online(
          cast.operatorInChief, stage.resource.id, .rejectDown, reason: "仍有申请")
        let officer = try await InterfaceClient("ma.officer", base)
        let told = try await officer.get("inbox/notices")
        let notice = try #require(told.json["notices"]?.array?.first)
        #expect(notice["kind"]?.string == "catalog.online")
        let path = "inbox/notices/\(notice["id"]?.string ?? "")"
        #expect(try await chief.send("POST", path).status == 404, "it is not his")
        #expect(try await officer.send("POST", path).json["dismissed"] == true)
        #expect(try await officer.get("inbox/notices").json["notices"] == [])
      }
    }
  }
}
