import Foundation
import Inventory
import Jobs
import Kernel
import Sharing
import Storage
import Supervision
import TestKit
import Testing
import Web

@testable import App

/// The leader's view on a whole node: counted by the worker, opened on the site, printed by the command line.
@Suite struct SupervisionPageTests {
  @Test(arguments: Engine.allCases)
  func `the worker counts by itself, the operator opens a number, a leader sees the own department`(engine: Engine)
    async throws
  {
    try await withStage(engine) { stage in
      let node = stage.node
      let grant = try await stage.grant(stage.draft)
      _ = try await node.deliverNow(grant.id)
      let runner = node.runner()
      try await runner.turn()
      _ = try await runner.drain()
      try await withSite(node) { base in
        let op = try await enter(base, as: "zhang.operator")
        let matrix = try await op.get("/supervision")
        #expect(matrix.text.contains("青海省市场监督管理局") && matrix.text.contains("青海省民政厅"))
        let link = try #require(
          Self.link(in: matrix.text, starting: "/supervision/rows?what=systemsWithoutEntries&amp;office="))
        let rows = try await op.get(link)
        #expect(rows.status == 200 && rows.text.contains("核对系统"))
        let home = try await op.get("/")
        #expect(home.text.contains("未编目的信息系统"))

        let leader = try await enter(base, as: "wang.leader")
        let own = try await leader.get("/supervision?empty=1&sort=entries")
        #expect(own.text.contains("青海省民政厅") && !own.text.contains("青海省市场监督管理局"))
        let everyones = try await leader.get("/supervision/rows?what=entries")
        #expect(everyones.status == 200 && !everyones.text.contains("企业法人登记信息"))
        let provider = try #require(stage.cast.officer.organisation)
        for path in ["/supervision/rows?what=entries&office=\(provider)", "/supervision/trend?office=\(provider)"] {
          let answer = try await leader.get(path)
          #expect(answer.status == 404, "\(path)")
        }
        let officer = try await enter(base, as: "ma.officer")
        let home2 = try await officer.get("/")
        #expect(!home2.text.contains("/supervision/rows"), "the headlines are a leader's")
      }
    }
  }

  private static func link(in html: String, starting prefix: String) -> String? {
    guard let start = html.range(of: "href=\"" + prefix) else { return nil }
    let address = prefix + html[start.upperBound...].prefix { $0 != "\"" }
    return address.replacingOccurrences(of: "&amp;", with: "&")
  }

  @Test(arguments: Engine.allCases)
  func `the file of rows holds the same rows, and nothing in it runs`(engine: Engine) async throws {
    try await withNode(engine) { node, cast, _, _ in
      let name = "=cmd|' /C calc'!A0,\"系统\""
      _ = try await node.register.register(
        cast.officer,
        SystemFacts(
          name: name, function: "核对", scope: "2", frequency: "1", approvedBy: "青海省发展和改革委员会",
          approvedOn: CalendarDate("2016-03-11"), fundSource: "省级财政", network: "2", stage: "4"))
      try await node.supervision.refresh()
      try await withSite(node) { base in
        let visitor = try await enter(base, as: "zhang.operator")
        let file = try await visitor.get("/supervision/rows.csv?what=systemsWithoutEntries")
        #expect(file.headers["content-type"] == "text/csv; charset=utf-8")
        #expect(Array(file.body.prefix(3)) == [0xEF, 0xBB, 0xBF])
        let records = try CSV.parse(file.text)
        #expect(records.count == 2 && records[1][2] == "'" + name)
        #expect(records[1][0] == "青海省市场监督管理局" && records[1][4] == "2026-03-02")
      }
    }
  }

  @Test func `before anything was counted the page says so, and so does the command line`() async throws {
    try await withNode(.sqlite) { node, _, _, _ in
      try await withSite(node) { base in
        let visitor = try await enter(base, as: "zhang.operator")
        let page = try await visitor.get("/supervision")
        #expect(page.status == 200 && page.text.contains("还没有统计"))
        let trend = try await visitor.get("/supervision/trend")
        #expect(trend.status == 200 && trend.text.contains("还没有按月的数字"))
      }
      let matrix = try await node.supervision.matrix(MatrixQuery(), for: .system())
      #expect(MatrixText.lines(matrix, node.supervision.measures, .english).count == 1)
    }
  }
}
