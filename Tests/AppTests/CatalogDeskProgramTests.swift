import Catalog
import Foundation
import Kernel
import Storage
import TestKit
import Testing
import Web

@testable import App

/// The reviewer's queue and a department's desk by program, through the real site.
@Suite struct CatalogDeskProgramTests {
  /// Submits entries of these names; answers what is said of each.
  private func submitted(_ names: [String], _ officer: InterfaceClient) async throws -> [(id: String, etag: String)] {
    let body = names.map { entryBody($0) }.joined(separator: "\n")
    let made = try await officer.send("POST", "catalog/resources?submit=1", body, type: "application/x-ndjson")
    return try (made.json["entries"]?.array ?? []).map {
      (try #require($0["id"]?.string), try #require($0["etag"]?.string))
    }
  }

  private func entries(_ picks: [(id: String, etag: String)]) -> String {
    JSON.array(picks.map { ["id": .string($0.id), "etag": .string($0.etag)] }).text
  }

  private func problems(_ answer: InterfaceClient.Answer) -> [String?] {
    (answer.json["entries"]?.array ?? []).map { one in
      one["problem"]?["type"]?.string.map { String($0.dropFirst("urn:sanjiang:problem:".count)) }
    }
  }

  @Test(arguments: Engine.allCases)
  func `the reviewer reads the queue with its findings and decides on many, each as it was read`(engine: Engine)
    async throws
  {
    try await withNode(engine) { node, _, _, _ in
      try await withSite(node) { base in
        let officer = try await InterfaceClient("ma.officer", base)
        let chief = try await InterfaceClient("zhang.operator", base)
        var sent = try await submitted((1...5).map { "全省农村危房改造补助对象名单\($0)" }, officer)

        var (listed, next): ([JSON], String?) = ([], nil)
        repeat {
          let page = try await chief.get(
            "catalog/review" + address("", [("limit", "2"), ("found", "alike"), ("after", next)]))
          #expect(try await chief.faults(page, "get", "catalog/review") == [])
          #expect(page.json["offices"]?.array?.count == 1)
          listed += page.json["entries"]?.array ?? []
          next = page.json["next"]?.string
        } while next != nil
        #expect(listed.map { $0["id"]?.string } == sent.map(\.id))
        #expect(listed.map { $0["etag"]?.string } == sent.map(\.etag))
        #expect(listed.allSatisfy { $0["errors"]?.integer == 0 && $0["due"]?.string != nil })
        let warned = listed.compactMap { $0["findings"]?.array?.first?["severity"]?.string }
        #expect(warned.allSatisfy { $0 == "warning" })
        let none = try await chief.get("catalog/review?due=late")
        #expect(none.json["entries"] == [])

        // One is written anew after it was read, one is taken back, and one is not there.
        let path = "catalog/resources/\(sent[2].id)"
        _ = try await officer.send("POST", path + "/recall")
        let draft = try await officer.get(path + "/draft").etag
        _ = try await officer.send("PUT", path + "/draft", entryBody("从未审过的名单"), ["If-Match": draft])
        #expect(try await officer.send("POST", path + "/submit", "{}").status == 200)
        _ = try await officer.send("POST", "catalog/resources/\(sent[3].id)/recall")
        sent.append(("019cc1bb-4a4c-7001-afeb-e075049b064e", "\"x\""))
        let body = "{\"decision\":\"approve\",\"publish\":true,\"entries\":\(entries(sent))}"
        let done = try await chief.send("POST", "catalog/review", body, ["Idempotency-Key": "many"])
        #expect(done.status == 200 && done.json["done"]?.integer == 3 && done.json["refused"]?.integer == 3)
        #expect(try await chief.faults(done, "post", "catalog/review") == [])
        #expect(problems(done) == [nil, nil, "catalog.changed", "catalog.changed", nil, "not-found"])
        let again = try await chief.send("POST", "catalog/review", body, ["Idempotency-Key": "many"])
        #expect(again.json == done.json, "asked again with the same key")
        let states = (done.json["entries"]?.array ?? []).map { $0["state"]?.string }
        #expect(states == ["published", "published", nil, nil, "published", nil])
        let stands = try await chief.get(path + "/draft")
        #expect(stands.json["state"]?.string == "submitted" && stands.json["name"]?.string == "从未审过的名单")

        let left = "[{\"id\":\"\(sent[2].id)\",\"etag\":\(JSON.string(stands.etag).text)}]"
        let refused: [(body: String, pointer: String)] = [
          ("{\"decision\":\"return\",\"entries\":\(left)}", "/reasons"),
          ("{\"decision\":\"return\",\"publish\":true,\"entries\":\(left)}", "/publish"),
          ("{\"decision\":\"approve\",\"reasons\":\"请写明范围\",\"entries\":\(left)}", "/reasons"),
          ("{\"decision\":\"maybe\",\"entries\":\(left)}", "/decision"), ("{\"decision\":\"approve\"}", "/entries"),
          ("{\"decision\":\"approve\",\"entries\":[]}", "/entries"),
          ("{\"decision\":\"approve\",\"entries\":\(entries(Array(repeating: sent[0], count: 201)))}", "/entries"),
          ("{\"decision\":\"approve\",\"entries\":[{\"id\":\"\(sent[2].id)\"}]}", "/entries/0/etag"),
          ("{\"decision\":\"approve\",\"entries\":[{\"id\":7,\"etag\":\"x\"}]}", "/entries/0/id"),
          ("{\"decision\":\"approve\",\"entries\":[{\"idd\":\"7\"}]}", "/entries/0/idd"),
          ("{\"decision\":\"approve\",\"entries\":{}}", "/entries"),
        ]
        for (body, pointer) in refused {
          let answer = try await chief.send("POST", "catalog/review", body)
          #expect(answer.status == 422 && answer.pointers == [pointer], "\(body): \(answer.json.text)")
        }
        let returned = try await chief.send(
          "POST", "catalog/review", "{\"decision\":\"return\",\"reasons\":\"请写明范围\",\"entries\":\(left)}")
        #expect(returned.json["entries"]?.array?.first?["state"]?.string == "returned")
        #expect(try await officer.send("POST", "catalog/review", body).status == 403)
        #expect(try await officer.get("catalog/review").status == 403)
      }
    }
  }

  @Test(arguments: Engine.allCases)
  func `a department counts its work and submits many drafts, later versions with their reason`(engine: Engine)
    async throws
  {
    try await withNode(engine) { node, _, _, _ in
      try await withSite(node) { base in
        let officer = try await InterfaceClient("ma.officer", base)
        let chief = try await InterfaceClient("zhang.operator", base)
        let other = try await InterfaceClient("han.officer", base)
        let sent = try await submitted(["企业名单", "机构名单"], officer)
        let published = try await chief.send(
          "POST", "catalog/review", "{\"decision\":\"approve\",\"entries\":\(entries(sent))}")
        #expect(published.json["done"]?.integer == 2)
        let waiting = try await chief.get("catalog/review?state=approved")
        let approved = (waiting.json["entries"]?.array ?? []).map { ($0["id"]?.string ?? "", $0["etag"]?.string ?? "") }
        let issued = try await chief.send(
          "POST", "catalog/review", "{\"decision\":\"publish\",\"entries\":\(entries(approved))}")
        #expect(issued.json["done"]?.integer == 2, "\(issued.json.text)")

        _ = try await officer.send("POST", "catalog/resources/\(sent[0].id)/change")
        let fresh = try await officer.send("POST", "catalog/drafts", entryBody("个体名单"))
        #expect(fresh.status == 201)
        _ = try await other.send("POST", "catalog/drafts", entryBody("别处名单"))
        let foreign = try await other.get("catalog/drafts")
        let counts = try await officer.get("catalog/work")
        #expect(try await officer.faults(counts, "get", "catalog/work") == [])
        #expect(counts.json["draft"]?.integer == 2 && counts.json["all"]?.integer == 2)
        let found = try await officer.get("catalog/drafts" + address("", [("q", "个体")]))
        #expect((found.json["drafts"]?.array ?? []).map { $0["name"]?.string } == ["个体名单"])

        func picks(_ answer: InterfaceClient.Answer) -> [(id: String, etag: String)] {
          (answer.json["drafts"]?.array ?? []).map { ($0["id"]?.string ?? "", $0["etag"]?.string ?? "") }
        }
        let all = picks(try await officer.get("catalog/drafts")) + picks(foreign)
        let without = try await officer.send("POST", "catalog/drafts/submit", "{\"entries\":\(entries(all))}")
        #expect(try await officer.faults(without, "post", "catalog/drafts/submit") == [])
        #expect(problems(without) == ["catalog.change.reason", nil, "not-found"], "\(without.json.text)")
        let place = without.json["entries"]?.array?.first?["problem"]?["errors"]?.array?.first?["pointer"]
        #expect(place?.string == "/change/kind", "\(without.json.text)")
        #expect(without.json["entries"]?.array?.last?["name"] == .null, "others' names are not told")
        let wrong = try await officer.send(
          "POST", "catalog/drafts/submit", "{\"entries\":\(entries(all)),\"change\":{\"kind\":\"mood\"}}")
        #expect(wrong.status == 422 && wrong.pointers == ["/change/kind"])
        let with = try await officer.send(
          "POST", "catalog/drafts/submit",
          "{\"entries\":\(entries([all[0]])),\"change\":{\"kind\":\"law\",\"words\":\"按新规定\"}}")
        #expect(with.json["entries"]?.array?.first?["state"]?.string == "submitted", "\(with.json.text)")
        // The reviewer reads why, and so does whoever asks for the versions.
        let path = "catalog/resources/\(all[0].id)"
        let why: JSON = ["kind": "law", "words": "按新规定", "trigger": .null]
        for (address, document) in [
          (path + "/draft", "catalog/resources/{id}/draft"), (path + "/versions", "catalog/resources/{id}/versions"),
          ("catalog/review", "catalog/review"),
        ] {
          let answer = try await chief.get(address)
          #expect(try await chief.faults(answer, "get", document) == [])
          let lines = answer.json["versions"]?.array ?? answer.json["entries"]?.array ?? [answer.json]
          #expect(lines.compactMap { $0["change"] }.filter { $0 != .null } == [why], "\(answer.json.text)")
        }
        let after = try await officer.get("catalog/work")
        #expect(after.json["submitted"]?.integer == 2 && after.json["draft"]?.integer == 0)

        let gone = try await chief.send(
          "POST", "catalog/resources/\(sent[1].id)/offline", "{\"reason\":\"职能调整\"}")
        #expect(gone.status == 200)
        for (who, count) in [(officer, 1), (chief, 1), (other, 0)] {
          let offline = try await who.get("catalog/offline")
          #expect(offline.json["entries"]?.array?.count == count)
        }
        #expect(try await officer.get("catalog/work").json["offline"]?.integer == 1)
      }
    }
  }

  @Test(arguments: Engine.allCases)
  func `what a department asks about an entry in the catalogue is decided as it was read, or taken back`(
    engine: Engine
  ) async throws {
    try await withStage(engine) { stage in
      _ = try await stage.grant(stage.draft)
      try await withSite(stage.node) { base in
        let officer = try await InterfaceClient("ma.officer", base)
        let chief = try await InterfaceClient("zhang.operator", base)
        let path = "catalog/resources/\(stage.resource.id)"
        let touched = try await officer.get(path + "/dependents")
        #expect(try await officer.faults(touched, "get", "catalog/resources/{id}/dependents") == [])
        #expect(touched.json["dependents"]?.array?.isEmpty == false)
        func ask() async throws {
          let asked = try await officer.send("POST", path + "/offline", "{\"reason\":\"停止更新\"}")
          #expect(asked.json["online"]?.string == "down-auditing")
        }
        try await ask()
        let listed = try await chief.get("catalog/review/online")
        #expect(try await chief.faults(listed, "get", "catalog/review/online") == [])
        #expect(listed.json["requests"]?.array?.first?["online"]?.string == "down-auditing")
        let recalled = try await officer.send("POST", path + "/online/recall")
        #expect(recalled.json["online"]?.string == "online")
        #expect(try await officer.send("POST", path + "/online/recall").status == 409)

        try await ask()
        let read = ["If-Match": try await chief.get(path).etag]
        let review = path + "/online/review"
        #expect(try await chief.send("POST", review, "{\"decision\":\"approve\"}").status == 428)
        let silent = try await chief.send("POST", review, "{\"decision\":\"reject\"}", read)
        #expect(silent.status == 422 && silent.pointers == ["/reason"])
        let rejected = try await chief.send("POST", review, "{\"decision\":\"reject\",\"reason\":\"仍有授权\"}", read)
        #expect(rejected.json["online"]?.string == "down-rejected", "\(rejected.json.text)")
        #expect(try await chief.faults(rejected, "post", "catalog/resources/{id}/online/review") == [])
        try await ask()
        #expect(try await chief.send("POST", review, "{\"decision\":\"approve\"}", ["If-Match": "\"x\""]).status == 412)
        let now = ["If-Match": try await chief.get(path).etag]
        let approved = try await chief.send("POST", review, "{\"decision\":\"approve\"}", now)
        #expect(approved.json["online"]?.string == "offline")
        #expect(try await chief.send("POST", review, "{\"decision\":\"approve\"}", ["If-Match": "*"]).status == 409)
        #expect(try await officer.send("POST", review, "{\"decision\":\"approve\"}", now).status == 403)
        let history = try await officer.get(path + "/versions")
        let events = (history.json["events"]?.array ?? []).compactMap { $0["event"]?.string }
        #expect(
          events.prefix(3) == ["online.approve-down", "online.request-down", "online.reject-down"], "\(events)")
      }
    }
  }

  @Test(arguments: Engine.allCases)
  func `a reviewer's words at single elements and items reach the department at their place`(engine: Engine)
    async throws
  {
    try await withNode(engine) { node, _, _, _ in
      try await withSite(node) { base in
        let officer = try await InterfaceClient("ma.officer", base)
        let chief = try await InterfaceClient("zhang.operator", base)
        let sent = try await submitted(["企业名单", "企业名册"], officer)
        let path = "catalog/resources/\(sent[0].id)"
        let alike = try await chief.get(path + "/alike")
        #expect((alike.json["entries"]?.array ?? []).map { $0["id"]?.string } == [sent[1].id], "\(alike.json.text)")
        let read = ["If-Match": try await chief.get(path + "/draft").etag]
        for (pointer, words) in [("/items/1", "不清楚"), ("/nothing", "不清楚"), ("/name", "")] {
          let wrong = try await chief.send(
            "POST", path + "/review",
            "{\"decision\":\"return\",\"notes\":[{\"pointer\":\"\(pointer)\",\"words\":\"\(words)\"}]}", read)
          #expect(
            wrong.status == 422 && wrong.pointers == ["/notes/0/" + (words.isEmpty ? "words" : "pointer")],
            "\(wrong.json.text)")
        }
        for (words, pointer) in [
          ("\"reasons\":\"写明范围\"", "/reasons"),
          ("\"notes\":[{\"pointer\":\"/abstract\",\"words\":\"写明范围\"}]", "/notes"),
        ] {
          let lost = try await chief.send("POST", path + "/review", "{\"decision\":\"approve\",\(words)}", read)
          #expect(lost.status == 422 && lost.pointers == [pointer], "\(lost.json.text)")
        }
        let long = String(repeating: "长", count: 301)
        for (notes, pointer) in [
          ("{\"pointer\":\"/name\",\"words\":\"一\"},{\"pointer\":\"/name\",\"words\":\"二\"}", "/notes/1/pointer"),
          ("{\"pointer\":\"/name\",\"words\":\"\(long)\"}", "/notes/0/words"),
        ] {
          let wrong = try await chief.send(
            "POST", path + "/review", "{\"decision\":\"return\",\"notes\":[\(notes)]}", read)
          #expect(wrong.status == 422 && wrong.pointers == [pointer], "\(wrong.json.text)")
        }
        let back = try await chief.send(
          "POST", path + "/review",
          """
          {"decision":"return","notes":[{"pointer":"/items/0","words":"写明含义"},{"pointer":"/abstract","words":"写明范围"}]}
          """, read)
        #expect(back.json["state"]?.string == "returned", "\(back.json.text)")
        let notes = try await officer.get(path + "/draft").json["returned"]?["notes"]?.array ?? []
        let said = notes.map { "\($0["pointer"]?.string ?? "") \($0["words"]?.string ?? "")" }
        #expect(said.sorted() == ["/abstract 写明范围", "/items/0 写明含义"])
      }
    }
  }

  @Test(arguments: Engine.allCases)
  func `two versions are compared item by item, and each day tells what was in force then`(engine: Engine)
    async throws
  {
    try await withStage(engine) { stage in
      let (node, cast, id) = (stage.node, stage.cast, stage.resource.id)
      let first = stage.clock.clock.now().dateInChina
      stage.clock.advance(by: .seconds(5 * 86_400))
      let change = try await node.cataloguing.beginChange(cast.officer, id)
      var (metadata, items) = (change.metadata, change.items)
      metadata.cycle = "4"
      items[1].name += "（全称）"
      let held = Set(change.mount.map { $0.keyColumns + [$0.cursorColumn].compactMap { $0 } } ?? [])
      let place = try #require(items.lastIndex { !held.contains($0.column) && $0.id != items[1].id })
      let left = items.remove(at: place)
      _ = try await node.cataloguing.edit(
        cast.officer, id, from: change.revision, .init(metadata: metadata, items: items))
      try await withSite(node) { base in
        let officer = try await InterfaceClient("ma.officer", base)
        let clerk = try await InterfaceClient("li.clerk", base)
        let path = "catalog/resources/\(id)"
        let mine = try await officer.get(path + "/compare")
        #expect(mine.json["from"]?.integer == 1 && mine.json["to"]?.integer == 2)
        #expect(try await officer.faults(mine, "get", "catalog/resources/{id}/compare") == [])
        let theirs = try await clerk.get(path + "/compare")
        #expect(theirs.json["versions"] == [1], "a draft is its department's")
        #expect(try await clerk.get(path + "/compare?from=1&to=2").status == 404)

        _ = try await node.cataloguing.submit(
          cast.officer, id, because: VersionChange(.correction, words: "按实际更正。"))
        _ = try await node.cataloguing.decide(cast.operatorInChief, id, .approve(publish: true))
        let shown = try await clerk.get(path + "/compare?from=1&to=2")
        let elements = (shown.json["elements"]?.array ?? []).map { $0["name"]?.string }
        #expect(elements == ["cycle"], "\(shown.json["elements"]?.text ?? "")")
        let listed = shown.json["items"]?.array ?? []
        let kinds = listed.map { $0["change"]?.string }
        #expect(kinds.filter { $0 == "changed" }.count == 1 && kinds.last == "removed")
        #expect(listed.last?["id"]?.string == left.id.text)
        let renamed = listed.first { $0["change"]?.string == "changed" }?["properties"]?.array ?? []
        #expect(renamed.map { $0["name"]?.string } == ["name"] && renamed[0]["new"]?.string == items[1].name)
        let turned = try await clerk.get(path + "/compare?from=2&to=1")
        let back = (turned.json["items"]?.array ?? []).filter { $0["change"]?.string == "added" }
        #expect(back.map { $0["id"]?.string } == [left.id.text])

        let today = stage.clock.clock.now().dateInChina
        for (day, version) in [(first + -1, nil), (first, 1), (today + -1, 1), (today, 2)] as [(CalendarDate, Int64?)] {
          let then = try await clerk.get(path + "?on=\(day)")
          #expect(then.json["version"]?.integer == version, "on \(day): \(then.json.text.prefix(200))")
          #expect(then.status == (version == nil ? 404 : 200))
        }
        let periods = try await clerk.get(path + "/versions").json["inForce"]?.array ?? []
        #expect(periods.map { $0["version"]?.integer } == [2, 1] && periods[1]["until"] == periods[0]["from"])
      }
    }
  }
}
