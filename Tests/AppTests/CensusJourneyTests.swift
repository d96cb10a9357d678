import Catalog
import Census
import Exchange
import Foundation
import Identity
import Jobs
import Kernel
import Sharing
import Storage
import TestKit
import Testing
import Web

@testable import App

extension Node {
  /// A campaign that asks one office, its lines laid out.
  func openCensus(asking office: OrganisationID, by chief: Principal) async throws -> CensusReturn {
    let campaign = try await census.open(
      chief, CampaignDraft(name: "普查", referenceDay: clock.today, offices: [office]))
    _ = try await runner().drain()
    let totals = try await census.totals(chief, campaign.id)
    return try #require(totals.returns.first)
  }
}

/// The census by the site's forms and by the programming interface, and an entry's attachments with its printed form.
@Suite struct CensusJourneyTests {
  @Test(arguments: Engine.allCases)
  func `an office fills in its return on the site, the operator accepts and closes`(engine: Engine) async throws {
    try await withStage(engine) { stage in
      let node = stage.node
      let grant = try await stage.grant(stage.draft)
      let delivery = try await node.deliverNow(grant.id)
      try await withSite(node) { base in
        let (chief, officer) = (try await enter(base, as: "zhang.operator"), try await enter(base, as: "ma.officer"))
        let opened = try await chief.post(
          "/census",
          [
            ("name", "2026 年普查"), ("referenceDay", "\(node.clock.today)"), ("workingDays", "15"),
            ("office", stage.resource.provider.text),
          ], from: "/census/new")
        let campaign = try #require(opened.location)
        #expect(opened.status == 303 && campaign.hasPrefix("/census/campaigns/"))
        _ = try await node.runner().drain()
        let inbox = try await officer.get("/inbox").text
        let link = try #require(inbox.firstMatch(of: /\/census\/returns\/[0-9a-f-]{36}/)?.output)
        let page = try await officer.get(String(link)).text
        #expect(page.contains("交换曾交付 \(delivery.delivered) 行"), "an estimate is marked as one")
        let code = try #require(stage.resource.code?.description)
        func fields(_ shared: String) -> [(String, String)] {
          [
            ("lines.0.code", code), ("lines.0.revision", "1"), ("lines.0.storage", "1.25"),
            ("lines.0.records", "1,000"),
            ("lines.0.sharedStorage", shared), ("lines.0.sharedRecords", "900"), ("lines.0.openStorage", ""),
            ("lines.0.openRecords", ""), ("then", "stay"),
          ]
        }
        let wrong = try await officer.post(String(link), fields("2"), from: String(link))
        #expect(
          wrong.status == 422 && wrong.text.contains("#lines.0.sharedStorage") && wrong.text.contains("value=\"1.25\""))
        let unread = try await officer.post(String(link), fields("约 1G"), from: String(link))
        #expect(unread.status == 422 && unread.text.contains("value=\"约 1G\""))
        #expect(
          page.contains("挂接表估计 1000 行") && page.contains("value=\"1000\""),
          "rows are prefilled from what the test of the mount found")
        // Submitted with what was typed and never saved: nothing of it is lost, and what cannot be kept submits nothing.
        let typed = fields("1").dropLast() + [("then", "submit")]
        let wrongly = try await officer.post(
          String(link), fields("2").dropLast() + [("then", "submit")], from: String(link))
        #expect(wrongly.status == 422)
        let submitted = try await officer.post(String(link), Array(typed), from: String(link))
        #expect(submitted.status == 303)
        #expect(try await officer.get(String(link)).text.contains("待验收"))
        let accepted = try await chief.post(String(link) + "/decide", [("decision", "accept")], from: String(link))
        #expect(accepted.status == 303)
        let totals = try await chief.get(campaign).text
        #expect(totals.contains("1.25") && totals.contains("已验收"))
        for file in ["totals.csv", "totals.xlsx", "lines"] {
          #expect(try await chief.get(campaign + "/" + file).status == 200, "\(file)")
        }
        for file in ["lines.csv", "lines.xlsx", "print"] {
          #expect(try await officer.get(String(link) + "/" + file).status == 200, "\(file)")
        }
        #expect(try await chief.post(campaign + "/close", [], from: campaign + "/close").status == 303)
        let late = try await officer.post(String(link), fields("0"), from: "/account")
        #expect(late.status == 409)
      }
    }
  }

  @Test(arguments: Engine.allCases)
  func `a program enters numbers, and is told where they are wrong`(engine: Engine) async throws {
    try await withStage(engine) { stage in
      let owner = try await stage.node.openCensus(asking: stage.resource.provider, by: stage.cast.operatorInChief)
      try await withSite(stage.node) { base in
        let officer = try await enter(base, as: "ma.officer")
        let token = try #require(Visitor.token(in: try await officer.get("/account").text))
        let code = try #require(stage.resource.code?.description)
        func put(_ numbers: String, code: String = code) async throws -> Visitor.Answer {
          try await officer.send(
            "PUT", "/api/v1/census/returns/\(owner.id)",
            body: Data("{\"lines\":[{\"code\":\"\(code)\",\(numbers)}]}".utf8), type: "application/json",
            headers: ["X-CSRF-Token": token, "Origin": base])
        }
        let rest = "\"openStorageKB\":0,\"openRecords\":0"
        let good = "\"storageKB\":1250000,\"records\":9,\"sharedStorageKB\":0,\"sharedRecords\":9,\(rest)"
        #expect(try await put(good).status == 200)
        #expect(try await put(good).status == 200, "sent again it comes to the same")
        let more = try await put("\"storageKB\":1,\"records\":9,\"sharedStorageKB\":2,\"sharedRecords\":9,\(rest)")
        #expect(more.status == 422 && more.text.contains("/lines/0/sharedStorageKB"))
        for wrong in ["\"storageKB\":1", good.replacing("9", with: "9.5"), good.replacing(":9", with: ":-9")] {
          #expect(try await put(wrong).status == 422, "\(wrong)")
        }
        #expect(try await put(good, code: "3999/000001").status == 422)
        let after = try JSONParser.parse(Array(try await officer.get("/api/v1/census/returns/\(owner.id)").body))
        #expect(after["return"]?["numbers"]?["storageKB"]?.integer == 1_250_000)
        #expect(after["return"]?["entered"]?.integer == 1)
      }
    }
  }

  // MARK: Attachments

  private func multipart(_ token: String, _ name: String, _ bytes: [UInt8], note: String) -> Data {
    var body = Data()
    for (field, value) in [("csrf", token), ("note", note)] {
      body += Data("--line\r\nContent-Disposition: form-data; name=\"\(field)\"\r\n\r\n\(value)\r\n".utf8)
    }
    body += Data(
      "--line\r\nContent-Disposition: form-data; name=\"file\"; filename=\"\(name)\"\r\nContent-Type: x/y\r\n\r\n".utf8)
    return body + Data(bytes) + Data("\r\n--line--\r\n".utf8)
  }

  @Test(arguments: Engine.allCases)
  func `an entry's attachments go with its form, its next version, its bundle and the backup`(engine: Engine)
    async throws
  {
    try await withStage(engine) { stage in
      let (node, id) = (stage.node, stage.resource.id)
      try await withSite(node) { base in
        let (officer, clerk) = (try await enter(base, as: "ma.officer"), try await enter(base, as: "li.clerk"))
        let page = "/catalog/resources/\(id)"
        func attach(_ name: String, _ bytes: [UInt8], note: String = "") async throws -> Visitor.Answer {
          let token = try #require(Visitor.token(in: try await officer.get("/account").text))
          return try await officer.send(
            "POST", page + "/attachments", body: multipart(token, name, bytes, note: note),
            type: "multipart/form-data; boundary=line", headers: ["Origin": base])
        }
        let text = Array("第一条 不予共享的依据。<script>alert(1)</script>".utf8)
        #expect(try await attach("依据.txt", text).status == 409, "what is in force is not changed")
        #expect(try await officer.post(page + "/change", [], from: page).status == 303)
        #expect(try await attach("依据.txt", text, note: "法律依据").status == 303)
        let wrong = try await attach("程序.pdf", Array("MZ\u{0}".utf8))
        #expect(wrong.status == 422 && wrong.text.contains("可接受"))
        #expect(try await attach("空.txt", []).status == 422)
        #expect(try await clerk.get(page + "?version=2").status == 404, "a draft's attachments are its department's")

        let shown = try await officer.get(page + "?version=2").text
        let link = try #require(
          shown.firstMatch(of: /\/catalog\/resources\/[0-9a-f-]{36}\/attachments\/[0-9a-f-]{36}/)?.output)
        let file = try await officer.get(String(link) + "?version=2")
        #expect(Array(file.body) == text)
        #expect(file.headers["content-type"] == "text/plain; charset=utf-8")
        #expect(file.headers["content-disposition"]?.contains("filename*=UTF-8''%E4%BE%9D%E6%8D%AE.txt") == true)
        #expect(file.headers["x-content-type-options"] == "nosniff")
        #expect(file.headers["content-security-policy"] == "default-src 'none'; sandbox")
        #expect(try await clerk.get(String(link) + "?version=2").status == 404)
        #expect(try await officer.get(String(link)).status == 404, "it belongs to version 2 alone")

        let printed = try await officer.get(page + "/print?version=2").text
        #expect(printed.contains("第一条 不予共享的依据。&lt;script&gt;") && printed.contains("（盖章）"))
        let bundle = try await officer.get(page + "/bundle.zip?version=2")
        #expect(bundle.headers["content-type"] == "application/zip" && bundle.body.starts(with: Data("PK".utf8)))
        #expect(bundle.body.range(of: Data("attachments/1-依据.txt".utf8)) != nil)

        // Backed up and put back, it is there.
        let copy = node.settings.data + "/../copy-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: copy) }
        let report = try Backup.make(of: node.settings, at: copy, clock: .system)
        #expect(report.files.contains { $0.name.hasPrefix("attachments/") })
        var settings = node.settings
        settings.data = node.settings.data + "/restored"
        settings.database = "sqlite:\(settings.data)/node.sqlite"
        if engine == .sqlite {
          _ = try await Restore.run(from: copy, to: settings)
          let below = try Files.below(settings.attachments)
          #expect(below == (try Files.below(node.settings.attachments)))
        }

        // A damaged file is told.
        let place = try #require(try Files.below(node.settings.attachments).first { !$0.hasPrefix("incoming") })
        try Data("x".utf8).write(to: URL(fileURLWithPath: node.settings.attachments + "/" + place))
        let damaged = try await officer.get(String(link) + "?version=2")
        #expect(damaged.status == 503 && damaged.text.contains("摘要"))
        #expect(try await officer.get(page + "/print?version=2").text.contains("摘要不符"))

        let key = try #require(link.split(separator: "/").last)
        #expect(
          try await officer.post(page + "/attachments/remove", [("attachment", String(key))], from: "/account").status
            == 303)
        #expect(try await officer.get(String(link) + "?version=2").status == 404)
      }
    }
  }
}
