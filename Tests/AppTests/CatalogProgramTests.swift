import Catalog
import Foundation
import Kernel
import Storage
import TestKit
import Testing
import Web

@testable import App

/// A department's system that keeps its catalogue here by program, through the real site.
@Suite struct CatalogProgramTests {
  private func client(_ login: String, _ base: String) async throws -> InterfaceClient {
    try await InterfaceClient(login, base, "/api/v1/catalog/")
  }

  private func outcomes(_ json: JSON) -> [String] {
    (json["entries"]?.array ?? []).compactMap { $0["outcome"]?.string }
  }
  private func codes(_ json: JSON, _ index: Int) -> [String] {
    (json["entries"]?.array?[index]["findings"]?.array ?? []).compactMap { $0["code"]?.string }
  }

  @Test(arguments: Engine.allCases)
  func `entries are kept by their own reference: created, unchanged, updated, and refused with reasons`(engine: Engine)
    async throws
  {
    try await withNode(engine) { node, _, _, _ in
      try await withSite(node) { base in
        let officer = try await client("ma.officer", base)
        let lines = [
          entryBody("市场主体年报信息", ",\"reference\":\"A-1\""), entryBody("市场主体注销信息", ",\"reference\":\"A-2\""),
          entryBody("部分", ",\"reference\":\"A-3\",\"sharingCondition2\":1"), "7",
        ].joined(separator: "\n")
        let first = try await officer.send("POST", "resources", lines, type: "application/x-ndjson")
        #expect(first.status == 200, "\(first.json.text)")
        #expect(outcomes(first.json) == ["created", "created", "refused", "refused"])
        #expect(codes(first.json, 2).contains("entry.unknown-name") && codes(first.json, 3) == ["entry.type"])

        // Renamed under its own reference: the same entry; the other is as it was.
        let array =
          "[\(entryBody("市场主体年度报告信息", ",\"reference\":\"A-1\"")),\(entryBody("市场主体注销信息", ",\"reference\":\"A-2\""))]"
        let second = try await officer.send("POST", "resources", array)
        #expect(outcomes(second.json) == ["updated", "unchanged"])
        #expect(second.json["entries"]?.array?[0]["id"] == first.json["entries"]?.array?[0]["id"])
        // Without a reference the name says which it is; twice in one call is once too often.
        let third = try await officer.send(
          "POST", "resources",
          "[\(entryBody("市场主体注销信息")),\(entryBody("市场主体注销信息")),\(entryBody("新信息", ",\"code\":\"3070120302/000001\""))]"
        )
        #expect(outcomes(third.json) == ["unchanged", "refused", "refused"])
        #expect(codes(third.json, 1) == ["entry.repeated"] && codes(third.json, 2) == ["key.code"])
        let added = try await officer.send(
          "POST", "resources?mode=add", entryBody("市场主体注销信息", ",\"related\":[\"1/000001\"]"))
        #expect(outcomes(added.json) == ["refused"] && codes(added.json, 0).contains("name.taken"))
        // What is no JSON leaves nothing, whatever came before it.
        let broken = try await officer.send(
          "POST", "resources", entryBody("未完信息") + "\n{\"name\":\"半", type: "application/x-ndjson")
        #expect(broken.status == 422)
        let count = try await node.database.read { try $0.int("SELECT COUNT(*) FROM catalog_resource") }
        #expect(count == 2)
        let log = try await node.database.read {
          try $0.int("SELECT COUNT(*) FROM audit_record WHERE action = 'catalog.import'")
        }
        #expect(log == 4, "each batch is one record")
      }
    }
  }

  @Test(arguments: Engine.allCases)
  func `an entry goes from draft to offline and back by program, and the feed tells of it`(engine: Engine) async throws
  {
    try await withNode(engine) { node, _, _, _ in
      try await withSite(node) { base in
        let (officer, chief) = (try await client("ma.officer", base), try await client("zhang.operator", base))
        let made = try await officer.send(
          "POST", "resources?submit=1", entryBody("市场主体年报信息", ",\"reference\":\"A-1\""))
        let entry = try #require(made.json["entries"]?.array?.first)
        #expect(entry["state"]?.string == "submitted")
        let id = try #require(entry["id"]?.string)
        let closed = try await officer.send(
          "POST", "resources", entryBody("市场主体年度报告信息", ",\"reference\":\"A-1\""))
        #expect(codes(closed.json, 0) == ["entry.state"], "\(closed.json.text)")
        func seen() async throws -> [String: String] {
          let answer = try await chief.visitor.get("/api/v1/catalog/resources/\(id)/draft")
          return ["If-Match": try #require(answer.headers["etag"])]
        }
        let back = try await chief.send(
          "POST", "resources/\(id)/review", "{\"decision\":\"return\",\"reasons\":\"请补充\"}", await seen())
        #expect(back.json["state"]?.string == "returned")
        let draft = try JSONParser.parse(
          Array(try await officer.visitor.get("/api/v1/catalog/resources/\(id)/draft").body))
        #expect(draft["returned"]?["reasons"]?.string == "请补充" && draft["returned"]?["notes"] == [])
        #expect(try await officer.send("POST", "resources/\(id)/submit", "").json["state"]?.string == "submitted")
        #expect(try await officer.send("POST", "resources/\(id)/recall", "").json["state"]?.string == "draft")
        #expect(try await officer.send("POST", "resources/\(id)/submit", "").status == 200)
        let decided = try await chief.send("POST", "resources/\(id)/review", "{\"decision\":\"approve\"}", await seen())
        #expect(decided.json["state"]?.string == "approved" && decided.json["code"]?.string != nil)
        #expect(try await chief.send("POST", "resources/\(id)/publish", "").json["state"]?.string == "published")

        // What was read can be sent back and changes nothing; with another cycle it is the next version.
        let read = try await officer.visitor.get("/api/v1/catalog/resources/\(id)")
        #expect(outcomes(try await officer.send("POST", "resources", read.text).json) == ["unchanged"])
        let changed = read.text.replacingOccurrences(of: "\"cycle\":\"4\"", with: "\"cycle\":\"7\"")
        let next = try await officer.send("POST", "resources", changed)
        #expect(outcomes(next.json) == ["updated"] && next.json["entries"]?.array?[0]["version"]?.integer == 2)
        #expect(try await officer.send("POST", "resources/\(id)/change", "").status == 409)
        #expect(try await officer.send("POST", "resources/\(id)/discard", "").json["state"]?.string == "discarded")
        let gone = try await chief.send("POST", "resources/\(id)/offline", "{\"reason\":\"职能调整\"}")
        #expect(gone.json["state"]?.string == "published" && gone.json["online"]?.string == "offline")
        let asked = try await officer.send("POST", "resources/\(id)/online", "{\"reason\":\"恢复职能\"}")
        #expect(asked.json["online"]?.string == "up-auditing")
        let returned = try await chief.send("POST", "resources/\(id)/online", "{\"reason\":\"同意\"}")
        #expect(returned.json["online"]?.string == "online")

        let feed = try JSONParser.parse(Array(try await chief.visitor.get("/api/v1/catalog/changes?after=0").body))
        let events = (feed["changes"]?.array ?? []).compactMap { $0["event"]?.string }
        #expect(events == ["registered", "published", "withdrawn", "published"] && feed["last"]?.integer == 4)
      }
    }
  }

  /// Its reviewer decides on what he read: not unseen, and not on what was written since.
  @Test(arguments: Engine.allCases)
  func `a decision names the state that was read, and is taken for no other`(engine: Engine) async throws {
    try await withNode(engine) { node, _, _, _ in
      try await withSite(node) { base in
        let (officer, chief) = (try await client("ma.officer", base), try await client("zhang.operator", base))
        let made = try await officer.send("POST", "resources?submit=1", entryBody("市场主体年报信息"))
        let id = try #require(made.json["entries"]?.array?.first?["id"]?.string)
        let path = "/api/v1/catalog/resources/\(id)/draft"
        let read = try #require(try await chief.visitor.get(path).headers["etag"])
        let approve = "{\"decision\":\"approve\",\"publish\":true}"
        #expect(try await chief.send("POST", "resources/\(id)/review", approve).status == 428)
        _ = try await officer.send("POST", "resources/\(id)/recall", "")
        let draft = try #require(try await officer.visitor.get(path).headers["etag"])
        let other = try await officer.send(
          "PUT", "resources/\(id)/draft", entryBody("从未审过的信息"), ["If-Match": draft])
        let stale = try await officer.send("POST", "resources/\(id)/submit", "{}", ["If-Match": draft])
        #expect(stale.status == 412)
        let sent = try await officer.send(
          "POST", "resources/\(id)/submit", "{}", ["If-Match": other.headers["etag"] ?? ""])
        #expect(sent.json["state"]?.string == "submitted")
        let unread = try await chief.send("POST", "resources/\(id)/review", approve, ["If-Match": read])
        #expect(unread.status == 412)
        let stands = try JSONParser.parse(Array(try await officer.visitor.get(path).body))
        #expect(stands["state"]?.string == "submitted")
        let again = ["If-Match": sent.headers["etag"] ?? ""]
        let wrong = try await chief.send(
          "POST", "resources/\(id)/review", "{\"decision\":\"approve\",\"publish\":\"yes\"}", again)
        #expect(wrong.status == 422 && wrong.json["errors"]?.array?.first?["pointer"]?.string == "/publish")
        let misspelt = try await chief.send(
          "POST", "resources/\(id)/review", "{\"decision\":\"approve\",\"publsh\":true}", again)
        #expect(misspelt.status == 422 && misspelt.json["errors"]?.array?.first?["pointer"]?.string == "/publsh")
        let done = try await chief.send("POST", "resources/\(id)/review", approve, again)
        #expect(done.json["state"]?.string == "published")
        // What is in force is told with what was measured of it; either tag names it.
        let whole = try #require(
          try await chief.visitor.get("/api/v1/catalog/resources/\(id)").headers["etag"])
        let reason = "{\"reason\":\"职能调整\"}"
        #expect(try await chief.send("POST", "resources/\(id)/offline", reason, again).status == 412)
        #expect(try await chief.send("POST", "resources/\(id)/offline", reason, ["If-Match": whole]).status == 200)
      }
    }
  }

  @Test(arguments: Engine.allCases)
  func `a change of what is published is submitted in bulk, with its own reason or that of the call`(engine: Engine)
    async throws
  {
    try await withNode(engine) { node, _, _, _ in
      try await withSite(node) { base in
        let (officer, chief) = (try await client("ma.officer", base), try await client("zhang.operator", base))
        func entries(_ cycle: String, _ more: [String]) -> String {
          more.enumerated().map { index, more in
            entryBody("第\(index)信息", ",\"reference\":\"A-\(index)\"" + more)
              .replacingOccurrences(of: "\"cycle\":\"4\"", with: "\"cycle\":\"\(cycle)\"")
          }.joined(separator: "\n")
        }
        let made = try await officer.send("POST", "resources?submit=1", entries("4", ["", ""]))
        for entry in made.json["entries"]?.array ?? [] {
          let decided = try await chief.send(
            "POST", "resources/\(entry["id"]?.string ?? "")/review", "{\"decision\":\"approve\",\"publish\":true}",
            ["If-Match": entry["etag"]?.string ?? ""])
          #expect(decided.json["state"]?.string == "published", "\(decided.json.text)")
        }
        func states(_ json: JSON) -> [String] {
          (json["entries"]?.array ?? []).compactMap { $0["state"]?.string }
        }
        let own = ",\"change\":{\"kind\":\"law\",\"words\":\"按新规定\",\"trigger\":\"2026-01-05\"}"
        let without = try await officer.send("POST", "resources?submit=1", entries("5", [own, ""]))
        #expect(states(without.json) == ["submitted", "draft"], "\(without.json.text)")
        #expect(codes(without.json, 1).contains("catalog.change.reason"))
        let common = "resources?submit=1&changeKind=correction&changeWords=%E6%9B%B4%E6%AD%A3&changeTrigger=2026-01-06"
        let with = try await officer.send("POST", common, entries("6", ["", ""]))
        #expect(states(with.json) == ["submitted", "submitted"], "\(with.json.text)")
        let kept = try await node.database.read { tx in
          try tx.rows("SELECT change_kind, change_words FROM catalog_version WHERE version = 2 ORDER BY name").map {
            [try $0.text("change_kind"), try $0.text("change_words")]
          }
        }
        #expect(kept == [["law", "按新规定"], ["correction", "更正"]])
        let broken = try await officer.send(
          "POST", "resources?submit=1", entryBody("第三信息", ",\"change\":{\"kind\":\"law\",\"trigger\":20260301}"))
        #expect(outcomes(broken.json) == ["refused"] && codes(broken.json, 0) == ["entry.change"])
        #expect(
          broken.json["entries"]?.array?[0]["findings"]?.array?.first?["pointer"]?.string == "/change/trigger")
        for query in ["mod=add", "submit=1&changeWords=x", "changeKind=law"] {
          let answer = try await officer.send("POST", "resources?" + query, entryBody("第四信息"))
          #expect(answer.status == 422, "\(query)")
        }
        let listed = try JSONParser.parse(
          Array(try await officer.visitor.get("/api/v1/catalog/drafts?state=submitted&limit=1").body))
        let rest = try JSONParser.parse(
          Array(
            try await officer.visitor.get(
              "/api/v1/catalog/drafts?state=submitted&limit=1&after=\(listed["next"]?.string ?? "")"
            ).body))
        #expect(listed["drafts"]?.array?.count == 1 && rest["drafts"]?.array?.count == 1 && rest["next"] == .null)
      }
    }
  }

  /// A NUL is in no text that a database keeps: it is refused with its place, wherever it is sent.
  @Test(arguments: Engine.allCases)
  func `a NUL is refused with its place, and what fails before anything is written leaves its key`(engine: Engine)
    async throws
  {
    try await withNode(engine) { node, _, _, _ in
      try await withSite(node) { base in
        let officer = try await client("ma.officer", base)
        for (path, body) in [
          ("resources", entryBody("好的信息") + "\n" + entryBody("坏\\u0000信息")), ("drafts", entryBody("坏\\u0000信息")),
          ("resources", entryBody("好的信息", ",\"related\":[\"\\u0000\"]")),
        ] {
          let answer = try await officer.send("POST", path, body, type: "application/json")
          #expect(
            answer.status == 422 && answer.json["detail"]?.string?.contains("U+0000") == true, "\(answer.json.text)")
        }
        #expect(try await node.database.read { try $0.int("SELECT COUNT(*) FROM catalog_resource") } == 0)

        // A defect, while the same request is sent three times.
        let key = ["Idempotency-Key": "broken-1"]
        try await node.database.write { try $0.run("ALTER TABLE catalog_version RENAME TO catalog_version_away") }
        for _ in 0..<2 {
          let failed = try await officer.send("POST", "drafts", entryBody("甲信息"), key)
          #expect(failed.status == 500, "\(failed.json.text)")
        }
        try await node.database.write { try $0.run("ALTER TABLE catalog_version_away RENAME TO catalog_version") }
        #expect(try await officer.send("POST", "drafts", entryBody("乙信息"), key).status == 201)

        // One that fails after something was written is not done twice: only a look can tell.
        let chief = try await client("zhang.operator", base)
        let made = try await officer.send("POST", "resources?submit=1", entryBody("丙信息"))
        let entry = try #require(made.json["entries"]?.array?.first)
        let id = entry["id"]?.string ?? ""
        let back = try await chief.send(
          "POST", "resources/\(id)/review", "{\"decision\":\"return\",\"reasons\":\"请补充\"}",
          ["If-Match": entry["etag"]?.string ?? ""])
        #expect(back.status == 200)
        try await node.database.write { try $0.run("ALTER TABLE catalog_note RENAME TO catalog_note_away") }
        let statuses = [
          try await officer.send("POST", "resources/\(id)/discard", "", ["Idempotency-Key": "broken-2"]),
          try await officer.send("POST", "resources/\(id)/discard", "", ["Idempotency-Key": "broken-2"]),
        ].map { "\($0.status) \($0.json["type"]?.string ?? "")" }
        #expect(statuses == ["500 urn:sanjiang:problem:internal", "409 urn:sanjiang:problem:idempotency.unknown"])
        try await node.database.write { try $0.run("ALTER TABLE catalog_note_away RENAME TO catalog_note") }
      }
    }
  }

  @Test(arguments: Engine.allCases)
  func `two who write one draft cannot undo each other's work`(engine: Engine) async throws {
    try await withNode(engine) { node, _, _, _ in
      try await withSite(node) { base in
        let officer = try await client("ma.officer", base)
        let made = try await officer.send("POST", "drafts", entryBody("市场主体年报信息"))
        #expect(made.status == 201)
        let (id, tag) = (try #require(made.json["id"]?.string), try #require(made.headers["etag"]))
        let path = "resources/\(id)/draft"
        #expect(try await officer.visitor.get("/api/v1/catalog/" + path).headers["etag"] == tag)
        #expect(try await officer.send("PUT", path, entryBody("甲信息")).status == 428)
        let one = try await officer.send("PUT", path, entryBody("甲信息"), ["If-Match": tag])
        #expect(one.status == 200 && one.headers["etag"] != tag)
        let two = try await officer.send("PUT", path, entryBody("乙信息"), ["If-Match": tag])
        #expect(two.status == 412 && two.json["detail"]?.string?.contains("没有保存") == true)
        let item = one.json["items"]?.array?.first?["id"]
        let three = try await officer.send("PUT", path, entryBody("乙信息"), ["If-Match": one.headers["etag"] ?? ""])
        #expect(three.json["name"]?.string == "乙信息" && three.json["items"]?.array?.first?["id"] == item)
        let foreign = try await client("han.officer", base)
        #expect(try await foreign.send("PUT", path, entryBody("丙信息"), ["If-Match": "*"]).status == 404)
        // A form of the older state is refused on the page as well.
        await #expect(throws: Refusal.self) {
          _ = try await node.cataloguing.edit(
            DemoCast.make(on: node).officer, ResourceID(id)!, from: 1, .init(metadata: Metadata(name: "丁")))
        }
      }
    }
  }

  /// Between the look and the write somebody gives the version up and begins another: it is another state, whatever its
  /// number of changes, for the interface as for a form.
  @Test(arguments: Engine.allCases)
  func `a draft given up and begun anew is not the one that was read`(engine: Engine) async throws {
    try await withNode(engine) { node, cast, _, _ in
      try await withSite(node) { base in
        let officer = try await client("ma.officer", base)
        let made = try await officer.send(
          "POST", "resources?submit=1", entryBody("市场主体年报信息", ",\"reference\":\"A-1\""))
        let id = try #require(made.json["entries"]?.array?.first?["id"]?.string)
        _ = try await node.cataloguing.decide(cast.operatorInChief, ResourceID(id)!, .approve(publish: true))
        let first = try await node.cataloguing.beginChange(cast.officer, ResourceID(id)!)
        let path = "resources/\(id)/draft"
        let tag = try #require(try await officer.visitor.get("/api/v1/catalog/" + path).headers["etag"])
        try await node.cataloguing.discard(cast.officer, ResourceID(id)!)
        let second = try await node.cataloguing.beginChange(cast.officer, ResourceID(id)!)
        #expect(second.version == first.version + 1 && second.revision > first.revision)
        let stale = try await officer.send("PUT", path, entryBody("乙信息"), ["If-Match": tag])
        #expect(stale.status == 412)
        await #expect(throws: Refusal.self) {
          _ = try await node.cataloguing.edit(
            cast.officer, ResourceID(id)!, from: first.revision, .init(metadata: Metadata(name: "丁")))
        }
        let name = try await node.cataloguing.resource(cast.officer, ResourceID(id)!).metadata.name
        #expect(name == "市场主体年报信息")
        // Judged and written in one: what is true when it is judged is still true when it is written, however many write.
        let answers = try await withThrowingTaskGroup(of: Int.self) { group in
          let now = try #require(try await officer.visitor.get("/api/v1/catalog/" + path).headers["etag"])
          for index in 0..<8 {
            group.addTask {
              try await client("ma.officer", base).send(
                "PUT", path, entryBody("第\(index)信息"), ["If-Match": now]
              ).status
            }
          }
          return try await group.reduce(into: []) { $0.append($1) }.sorted()
        }
        #expect(answers == [200] + Array(repeating: 412, count: 7))
      }
    }
  }

  @Test(arguments: Engine.allCases)
  func `the same key and request are answered once, another request under it is refused`(engine: Engine) async throws {
    try await withNode(engine) { node, _, _, _ in
      try await withSite(node) { base in
        let officer = try await client("ma.officer", base)
        let key = ["Idempotency-Key": "7d4f-1"]
        let first = try await officer.send("POST", "drafts", entryBody("市场主体年报信息"), key)
        let again = try await officer.send("POST", "drafts", entryBody("市场主体年报信息"), key)
        #expect(first.status == 201 && again.status == 201 && first.json == again.json)
        #expect(again.headers["idempotency-replayed"] == "true" && again.headers["etag"] == first.headers["etag"])
        let other = try await officer.send("POST", "drafts", entryBody("另一信息"), key)
        #expect(other.status == 422 && other.json["type"]?.string == "urn:sanjiang:problem:idempotency.other-request")
        #expect(
          try await officer.send("POST", "drafts", "{}", ["Idempotency-Key": String(repeating: "k", count: 201)]).status
            == 400)
        // A refusal changes nothing, and the key stays free for what is right.
        #expect(try await officer.send("POST", "drafts", "{\"name\":1}", ["Idempotency-Key": "2"]).status == 422)
        #expect(try await officer.send("POST", "drafts", entryBody("乙信息"), ["Idempotency-Key": "2"]).status == 201)
        let others = try await client("han.officer", base)
        #expect(try await others.send("POST", "drafts", entryBody("丙信息"), key).status == 201)
        let count = try await node.database.read { try $0.int("SELECT COUNT(*) FROM catalog_resource") }
        #expect(count == 3)
      }
    }
  }

  @Test func `without the token, as another role, too much or of another type, nothing is taken`() async throws {
    try await withNode(.sqlite) { node, _, _, _ in
      try await withSite(node) { base in
        let officer = try await client("ma.officer", base)
        let body = entryBody("市场主体年报信息")
        let forged = try await officer.send("POST", "resources", body, ["X-CSRF-Token": "guess"])
        #expect(forged.status == 403)
        #expect(try await officer.send("POST", "resources", body, type: "text/csv").status == 415)
        let clerk = try await client("li.clerk", base)
        #expect(try await clerk.send("POST", "resources", body).status == 403)
        #expect(try await officer.send("POST", "resources", "[]").status == 422)
        let many = "[" + Array(repeating: "0", count: 10_001).joined(separator: ",") + "]"
        #expect(try await officer.send("POST", "resources", many).status == 413)
        let count = try await node.database.read { try $0.int("SELECT COUNT(*) FROM catalog_resource") }
        #expect(count == 0)
      }
    }
  }

  @Test(arguments: Engine.allCases)
  func `an entry is written by no other's keys and for no other office, and as it was read it can be sent`(
    engine: Engine
  ) async throws {
    try await withStage(engine) { stage in
      let id = stage.resource.id
      try await withSite(stage.node) { base in
        let (officer, other) = (try await client("ma.officer", base), try await client("han.officer", base))
        let read = try await officer.get("resources/\(id)")
        let back = try await officer.send("POST", "resources", read.json.text)
        #expect(outcomes(back.json) == ["unchanged"], "\(back.json.text)")
        let code = read.json["providerCode"]?.string ?? ""
        let taken = try await other.send("POST", "resources", entryBody("别处信息", ",\"providerCode\":\"\(code)\""))
        #expect(outcomes(taken.json) == ["refused"] && codes(taken.json, 0) == ["provider.other"])
        let name = ",\"providerName\":\(read.json["providerName"]?.text ?? "")"
        let draft = try await other.send("POST", "drafts", entryBody("别处信息", name))
        #expect(draft.status == 422 && draft.pointers == ["/providerName"], "\(draft.json.text)")
        for both in ["version=1&on=2026-01-01"] {
          let answer = try await officer.get("resources/\(id)?" + both)
          #expect(answer.status == 422 && answer.pointers == ["/on"], "\(answer.json.text)")
        }

        let mine = try await officer.send("POST", "drafts", entryBody("本处信息"))
        let path = "resources/\(mine.json["id"]?.string ?? "")"
        for (more, pointer) in [
          (",\"id\":\"\(id)\"", "/id"), (",\"code\":\"3070120302/000001\"", "/code"),
          (",\"reference\":\"A-1\"", "/reference"), (",\"providerCode\":\"11630000MB1234567X\"", "/providerCode"),
          (",\"change\":{\"kind\":\"law\",\"words\":\"按新规定\"}", "/change"),
        ] {
          let answer = try await officer.send(
            "PUT", path + "/draft", entryBody("本处信息", more), ["If-Match": mine.etag])
          #expect(answer.status == 422 && answer.pointers == [pointer], "\(more): \(answer.json.text)")
        }
        let seen = try await officer.get(path + "/draft")
        let whole = try await officer.send("PUT", path + "/draft", seen.json.text, ["If-Match": seen.etag])
        #expect(whole.status == 200, "\(whole.json.text)")
        let silent = try await officer.send("POST", path + "/move-class", "{}")
        #expect(silent.status == 422 && silent.pointers == ["/class"])
      }
    }
  }
}
