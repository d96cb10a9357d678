import Catalog
import Foundation
import Kernel
import Mounting
import Storage
import Supervision
import TestKit
import Testing
import Web

@testable import App

/// What people and programs are shown of mounts is what was measured.
@Suite struct MountedPagesTests {
  private func signedIn(
    _ login: String, _ base: String, _ language: String = "zh-CN", isolation: isolated (any Actor)? = #isolation
  ) async throws -> Visitor {
    let visitor = Visitor(base: base)
    visitor.language = language
    let answer = try await visitor.post(
      "/sign-in", [("login", login), ("password", DemoCast.password), ("next", "/")], from: "/sign-in")
    #expect(answer.status == 303 && answer.location == "/")
    return visitor
  }

  /// The line of badges under an entry's name.
  private func badges(_ visitor: Visitor, _ path: String, isolation: isolated (any Actor)? = #isolation) async throws
    -> String
  {
    let page = try await visitor.get(path)
    #expect(page.status == 200)
    let line = page.text.components(separatedBy: "<p class=\"badges\">").dropFirst().first ?? ""
    return line.components(separatedBy: "</p>").first ?? ""
  }

  @Test(arguments: Engine.allCases)
  func `the entry's page, the list and the interface tell the same, and only insiders the error`(
    engine: Engine
  ) async throws {
    let server = try TalkingServer()
    try await withMountStage(engine, hosts: "127.0.0.1:\(server.port)") { stage in
      try await withSite(stage.node) { base in
        let officer = try await signedIn("ma.officer", base)
        let english = try await signedIn("ma.officer", base, "en")
        let clerk = try await signedIn("li.clerk", base)
        let (page, api) = (
          "/catalog/resources/\(stage.resource.id)", "/api/v1/catalog/resources/\(stage.resource.id)"
        )
        func told() async throws -> (isMounted: Bool?, tag: String?) {
          let answer = try await clerk.get(api)
          let json = try JSONSerialization.jsonObject(with: answer.body) as? [String: Any]
          #expect(json?["declaresMount"] as? Bool == false)
          return (json?["isMounted"] as? Bool, answer.headers["etag"])
        }
        func agrees(_ isMounted: Bool) async throws {
          let word = isMounted ? "已挂接" : "无可用挂接"
          #expect(try await badges(clerk, "/catalog").contains(word))
          #expect(try await clerk.get("/catalog?mounted=\(isMounted ? 1 : 0)").text.contains("企业失信名单"))
          #expect(try await !clerk.get("/catalog?mounted=\(isMounted ? 0 : 1)").text.contains("企业失信名单"))
        }
        #expect(try await badges(clerk, page).contains("未挂接"))
        let untied = try await told()
        #expect(untied.isMounted == false)

        _ = try await stage.node.mounting.tie(
          stage.cast.officer, stage.resource.id, to: .api(url: server.base + "/", status: 200, isJSON: true))
        #expect(try await badges(clerk, page).contains("挂接待检测"))
        #expect(try await badges(english, page).contains("Mount not tested yet"))
        try await agrees(false)

        server["/"] = .json("{}")
        let mounted = try #require(try await stage.test())
        for visitor in [officer, clerk] {
          let line = try await badges(visitor, page)
          #expect(line.contains("已挂接") && line.contains(mounted.since.minuteInChina))
        }
        try await agrees(true)
        let known = try await told()
        #expect(known.isMounted == true && known.tag != untied.tag)

        server["/"] = .answer(503, type: "text/plain", body: "")
        stage.clock.advance(by: .seconds(600))
        let failing = try #require(try await stage.test())
        let error = try #require(failing.fault?.words)
        let seen = try await badges(officer, page)
        #expect(seen.contains("挂接失效") && seen.contains(failing.since.minuteInChina) && seen.contains(error.chinese))
        #expect(try await badges(english, page).contains(error.english))
        let outside = try await badges(clerk, page)
        #expect(outside.contains("挂接失效") && outside.contains(failing.since.minuteInChina))
        let whole = try await clerk.get(page).text
        #expect(!outside.contains("503") && !whole.contains(server.base))
        try await agrees(false)
        #expect(try await told().isMounted == false)
      }
    }
  }

  @Test(arguments: Engine.allCases)
  func `a draft and an earlier version do not boast of what the version in force has`(engine: Engine) async throws {
    try await withMountStage(engine) { stage in
      let (node, officer, id) = (stage.node, stage.cast.officer, stage.resource.id)
      _ = try await node.mounting.tie(officer, id, to: .files(stage.source, pattern: "*.csv"))
      try stage.write("a.csv", "甲\n", at: node.clock.now())
      #expect(try await stage.test()?.state == .mounted)
      let draft = try await node.cataloguing.beginChange(officer, id)
      #expect(try await node.mounting.standing(of: draft, for: officer) == nil)
      _ = try await node.cataloguing.submit(officer, id, because: VersionChange(.correction, words: "更正。"))
      let second = try await node.cataloguing.decide(stage.cast.operatorInChief, id, .approve(publish: true))
      let version = try await stage.tie()?.version
      #expect(second.version == 2 && version == 2)
      guard case .mounted = try await node.mounting.standing(of: second, for: officer) else {
        Issue.record("the new version is about the same files")
        return
      }
      #expect(try await node.mounting.standing(of: stage.resource, for: officer) == nil)
    }
  }

  @Test(arguments: Engine.allCases)
  func `the matrix counts what fails and opens to it`(engine: Engine) async throws {
    try await withMountStage(engine) { stage in
      let (node, leader) = (stage.node, stage.cast.operatorInChief)
      #expect(node.supervision.measures.contains(.mountsFailing))
      func failing() async throws -> [String] {
        try await node.supervision.refresh()
        let list = try await node.supervision.rows(behind: .mountsFailing, of: nil, limit: 10, for: leader)
        #expect(list.counted == list.rows.count)
        return list.rows.map(\.link)
      }
      /// The entries that the matrix has as mounted and as not, which must be what its numbers say.
      func mounted() async throws -> (with: [String], without: [String]) {
        var found: [[String]] = []
        for measure in [Measure.mounts, .entriesWithoutMount] {
          let list = try await node.supervision.rows(behind: measure, of: nil, limit: 100, for: leader)
          #expect(list.counted == list.rows.count, "\(measure)")
          found.append(list.rows.map(\.link))
        }
        return (found[0], found[1])
      }
      #expect(try await failing() == [])
      let entry = "/catalog/resources/\(stage.resource.id)"
      let before = try await mounted()
      #expect(!before.with.contains(entry) && before.without.contains(entry))
      _ = try await node.mounting.tie(
        stage.cast.officer, stage.resource.id, to: .files(stage.source, pattern: "*.csv"))
      #expect(try await failing() == [], "not tested is not failing")
      let after = try await mounted()
      #expect(after.with.contains(entry) && !after.without.contains(entry), "files are a mount as a table is")
      #expect(after.with.count == before.with.count + 1 && after.without.count == before.without.count - 1)
      #expect(try await stage.test()?.state == .failing)
      #expect(try await failing() == ["/catalog/resources/\(stage.resource.id)"])
      try stage.write("a.csv", "甲\n", at: node.clock.now())
      #expect(try await stage.test()?.state == .mounted)
      #expect(try await failing() == [])
    }
  }
}
