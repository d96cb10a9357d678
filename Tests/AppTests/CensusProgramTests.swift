import Catalog
import Census
import Foundation
import Kernel
import Storage
import TestKit
import Testing
import Web

@testable import App

/// A census run by programs: opened, filled in, handed in, decided on and closed.
@Suite struct CensusProgramTests {
  @Test(arguments: Engine.allCases)
  func `a census goes from its opening to its end by program, and a decision names what was handed in`(engine: Engine)
    async throws
  {
    try await withStage(engine) { stage in
      let node = stage.node
      let day = stage.clock.clock.now().dateInChina
      try await withSite(node) { base in
        let chief = try await InterfaceClient("zhang.operator", base)
        let officer = try await InterfaceClient("ma.officer", base)
        let body = "{\"name\":\"2026 年普查\",\"referenceDay\":\"\(day + -1)\"}"
        #expect(try await officer.send("POST", "census/campaigns", body).status == 403)
        let wrong = try await chief.send("POST", "census/campaigns", "{\"name\":\"普查\",\"offices\":[]}")
        #expect(wrong.status == 422 && wrong.pointers == ["/offices"])
        let opened = try await chief.send("POST", "census/campaigns", body)
        #expect(opened.status == 201, "\(opened.json.text)")
        #expect(try await chief.faults(opened, "post", "census/campaigns") == [])
        #expect(try await chief.send("POST", "census/campaigns", body).status == 409, "one at a time")
        let campaign = opened.json["id"]?.string ?? ""
        try await node.census.prepare(try #require(CampaignID(campaign)))
        let returns = try await chief.get("census/campaigns/\(campaign)").json["returns"]?.array ?? []
        let owner = returns.first { $0["organisation"]?.string == stage.resource.provider.text }
        let path = "census/returns/\(owner?["id"]?.string ?? "")"

        let code = stage.resource.code?.description ?? ""
        func line(_ more: String) -> String {
          """
          {"lines":[{"code":"\(code)","storageKB":9,"records":9,"sharedStorageKB":0,"sharedRecords":0,"openStorageKB":0,\
          "openRecords":0\(more)}]}
          """
        }
        for (sent, pointer) in [
          (line(",\"recrods\":1"), "/lines/0/recrods"), (line(",\"revision\":\"1\""), "/lines/0/revision"),
          ("{\"lines\":[],\"line\":1}", "/line"), ("{\"lines\":7}", "/lines"), ("{}", "/lines"),
          (line("").replacingOccurrences(of: "\"records\":9,", with: ""), "/lines/0/records"),
        ] {
          let refused = try await officer.send("PUT", path, sent)
          #expect(refused.status == 422 && refused.pointers == [pointer], "\(sent): \(refused.json.text)")
        }
        #expect(try await officer.send("PUT", path, line("")).json["saved"]?.integer == 1)

        let handed = try await officer.send("POST", path + "/submit")
        #expect(handed.json["state"]?.string == "submitted", "\(handed.json.text)")
        #expect(try await officer.faults(handed, "post", "census/returns/{id}/submit") == [])
        #expect(try await officer.send("POST", path + "/recall").json["state"]?.string == "filling")
        stage.clock.advance(by: .seconds(60))
        let again = try await officer.send("POST", path + "/submit")
        let accept = "{\"decision\":\"accept\"}"
        #expect(try await chief.send("POST", path + "/decide", accept).status == 428)
        let seen = ["If-Match": handed.json["etag"]?.string ?? ""]
        #expect(try await chief.send("POST", path + "/decide", accept, seen).status == 412, "it was handed in anew")
        let now = ["If-Match": try await chief.get(path).etag]
        #expect(now["If-Match"] == again.json["etag"]?.string)
        let silent = try await chief.send("POST", path + "/decide", "{\"decision\":\"return\"}", now)
        #expect(silent.status == 422 && silent.pointers == ["/reasons"])
        let accepted = try await chief.send("POST", path + "/decide", accept, now)
        #expect(accepted.json["state"]?.string == "accepted", "\(accepted.json.text)")
        let closed = try await chief.send("POST", "census/campaigns/\(campaign)/close")
        #expect(closed.json["state"]?.string == "closed")
        #expect(try await officer.send("PUT", path, line("")).status == 409)
      }
    }
  }
}
