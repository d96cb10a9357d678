import Catalog
import Feedback
import Foundation
import Identity
import Inbox
import Jobs
import Kernel
import Storage
import TestKit
import Testing
import Web

@testable import App

/// Something of every kind that is said of the stage's entry, with news in a saved search.
struct Said {
  let objection: ObjectionID
  let question: QuestionID
  let search: SavedSearchID

  static func about(_ stage: Stage) async throws -> Said {
    let (node, cast) = (stage.node, stage.cast)
    let objection = try await node.feedback.raise(
      ObjectionDraft(resource: stage.resource.id, kind: "content", words: "摘要与实际不符"), by: cast.clerk)
    let question = try await node.feedback.ask("含不含个体工商户？", about: stage.resource.id, by: cast.clerk)
    _ = try await node.feedback.answer(question.id, "含。", by: cast.officer)
    try await node.feedback.rate(stage.resource.id, score: 2, words: "更新慢", by: cast.clerk)
    let search = try await node.feedback.save(CatalogQuery(text: "企业"), as: "企业", by: cast.clerk)
    let change = try await node.cataloguing.beginChange(cast.officer, stage.resource.id)
    _ = try await node.cataloguing.submit(cast.officer, change.id)
    _ = try await node.cataloguing.decide(cast.operatorInChief, change.id, .approve(publish: true))
    return Said(objection: objection.id, question: question.id, search: search.id)
  }
}

/// What readers say of an entry, through the site's forms and the running worker.
@Suite struct FeedbackSiteTests {
  private func enter(_ base: String, as login: String) async throws -> Visitor {
    let visitor = Visitor(base: base)
    let answer = try await visitor.post(
      "/sign-in", [("login", login), ("password", DemoCast.password), ("next", "/")], from: "/sign-in")
    #expect(answer.status == 303)
    return visitor
  }

  @Test(arguments: Engine.allCases)
  func `an objection goes from the entry's page to a confirmed correction, by forms alone`(engine: Engine) async throws
  {
    try await withStage(engine) { stage in
      let node = stage.node
      try await withSite(node) { base in
        let (clerk, officer) = (try await enter(base, as: "li.clerk"), try await enter(base, as: "ma.officer"))
        let (other, leader) = (try await enter(base, as: "zhang.operator"), try await enter(base, as: "wang.leader"))
        let entry = "/catalog/resources/\(stage.resource.id)"
        let new = try await clerk.link("/feedback/objections/new[^\"]*", at: entry)
        var form = try await clerk.form("/feedback/objections", at: new)
        let empty = try await clerk.send(form)
        #expect(
          empty.status == 422 && empty.text.contains("id=\"kind-fault\"") && empty.text.contains("id=\"words-fault\""))
        try form.enter("kind", "condition")
        try form.enter("about", "element:sharing-condition")
        try form.enter("words", "<b>擅自增设条件</b>")
        let objection = try await clerk.submit(form)
        #expect(try await clerk.submit(form) == objection, "sent twice, it is one")

        for reader in [leader, other, officer] {
          let page = try await reader.get(entry)
          #expect(page.text.contains("校核中"), "every reader sees that it is being corrected")
          #expect(!page.text.contains("&lt;b&gt;"), "its words are not on the entry's page")
        }
        let shown = try await officer.get(objection)
        #expect(shown.text.contains("&lt;b&gt;擅自增设条件"))
        let waiting = try await officer.get("/inbox")
        #expect(waiting.text.contains("答复目录异议"))

        var accept = try #require(
          WebForm.all(in: shown.text).first { $0.fields.contains { $0.name == "event" && $0.value == "accept" } })
        try accept.enter("words", "下周更正")
        #expect(try await officer.submit(accept) == objection)
        let stale = try await officer.send(accept)
        #expect(stale.status == 409 && stale.text.contains("采纳异议"))
        #expect(try await officer.get(objection).text.contains("先发布更正的新版本"))

        let change = try await node.cataloguing.beginChange(stage.cast.officer, stage.resource.id)
        _ = try await node.cataloguing.submit(stage.cast.officer, change.id)
        _ = try await node.cataloguing.decide(stage.cast.operatorInChief, change.id, .approve(publish: true))
        _ = try await officer.submit(
          try #require(
            WebForm.all(in: try await officer.get(objection).text).first { form in
              form.fields.contains { $0.name == "correctedBy" && $0.value == "2" }
            }))
        let confirm = try #require(
          WebForm.all(in: try await clerk.get(objection).text).first { form in
            form.fields.contains { $0.name == "event" && $0.value == "confirm" }
          })
        _ = try await clerk.submit(confirm)
        #expect(try await clerk.get(objection).text.contains("已确认更正"))
        #expect(try await leader.get(entry).text.contains("校核中") == false)
        let notice = try await officer.form("/inbox/notices/", at: "/inbox", containing: true)
        #expect(try await officer.submit(notice) == "/inbox")
      }
    }
  }

  @Test(arguments: Engine.allCases)
  func `questions, ratings and a saved search work by forms, and the worker brings the news`(engine: Engine)
    async throws
  {
    try await withStage(engine) { stage in
      let node = stage.node
      try await withSite(node) { base in
        let (clerk, officer) = (try await enter(base, as: "li.clerk"), try await enter(base, as: "ma.officer"))
        let page = "/feedback/resources/\(stage.resource.id)"
        var ask = try await clerk.form("/questions", at: page)
        try ask.enter("words", "多久更新一次？")
        let thread = try await clerk.submit(ask)
        var answer = try await officer.form("/answer", at: page)
        try answer.enter("answer", "每个工作日。")
        #expect(try await officer.submit(answer) == thread)
        let again = try await officer.send(answer)
        #expect(again.status == 409 && again.text.contains("已经答复过"))
        #expect(try await clerk.get(page).text.contains("每个工作日。"))

        var rate = try await clerk.form("/rating", at: page)
        try rate.tick("score", ["2"])
        try rate.enter("words", "字段说明太少")
        _ = try await clerk.submit(rate)
        #expect(try await officer.get("/inbox").text.contains("打了 2 分"))

        let save = try await clerk.link("/catalog/saved/new[^\"]*", at: "/catalog?q=%E4%BC%81%E4%B8%9A")
        var keep = try await clerk.form("/catalog/saved", at: save)
        try keep.enter("name", "企业登记")
        let kept = try await clerk.submit(keep)
        #expect(try await clerk.get(kept).text.contains("没有新的变化"))
        let change = try await node.cataloguing.beginChange(stage.cast.officer, stage.resource.id)
        _ = try await node.cataloguing.submit(stage.cast.officer, change.id)
        _ = try await node.cataloguing.decide(stage.cast.operatorInChief, change.id, .approve(publish: true))
        stage.clock.advance(by: .seconds(1000))
        _ = try await node.database.write { try JobSchedule.turn(at: node.clock.now(), in: $0) }
        _ = try await node.runner().drain()
        // So long away, one signs in again.
        let back = try await enter(base, as: "li.clerk")
        #expect(try await back.get("/inbox").text.contains("企业登记"))
        #expect(try await back.get(kept).text.contains("变更至第 2 版"))
        let seen = try #require(
          WebForm.all(in: try await back.get(kept).text).first { form in form.fields.contains { $0.name == "to" } })
        _ = try await back.submit(seen.pressing("step", "seen"))
        #expect(try await back.get(kept).text.contains("没有新的变化"))
        #expect(try await back.get("/inbox").text.contains("企业登记") == false)
      }
    }
  }

  @Test(arguments: Engine.allCases)
  func `a program raises, answers and is told of a conflict`(engine: Engine) async throws {
    try await withStage(engine) { stage in
      try await withSite(stage.node) { base in
        let (clerk, officer) = (try await enter(base, as: "li.clerk"), try await enter(base, as: "ma.officer"))
        func post(_ visitor: Visitor, _ path: String, _ body: JSON, key: String? = nil) async throws -> (Int, JSON) {
          let token = Visitor.token(in: try await visitor.get("/account").text) ?? ""
          var headers = ["X-CSRF-Token": token, "Origin": base]
          if let key { headers["Idempotency-Key"] = key }
          let answer = try await visitor.send(
            "POST", path, body: Data(body.bytes), type: "application/json", headers: headers)
          return (answer.status, try JSONParser.parse(Array(answer.body)))
        }
        let draft: JSON = [
          "resource": .string(stage.resource.id.text), "kind": "outdated", "words": "数据停在去年", "about": "element:cycle",
        ]
        let (status, made) = try await post(clerk, "/api/v1/feedback/objections", draft, key: "a-key")
        let (_, twice) = try await post(clerk, "/api/v1/feedback/objections", draft, key: "a-key")
        #expect(status == 200 && made["id"] == twice["id"] && made["state"]?.string == "raised")
        let one = "/api/v1/feedback/objections/\(made["id"]?.string ?? "")"
        let refusal: JSON = ["event": "refuse", "version": 1, "words": "并非如此"]
        let (done, refused) = try await post(officer, one, refusal)
        #expect(done == 200 && refused["state"]?.string == "refused" && refused["version"]?.integer == 2)
        let (late, problem) = try await post(officer, one, refusal)
        #expect(late == 409 && problem["type"]?.string == "urn:sanjiang:problem:feedback.changed")
        let (foreign, _) = try await post(officer, one, ["event": "concede", "version": 2])
        #expect(foreign == 403)
        let (wrong, faults) = try await post(clerk, one, ["event": "escalate", "version": 2])
        #expect(wrong == 422 && faults["errors"]?.array?.first?["pointer"]?.string == "/words")
        let (kept, search) = try await post(
          clerk, "/api/v1/feedback/searches", ["name": "企业", "q": "企业", "sharing": "2"])
        #expect(kept == 200 && search["address"]?.string == "/catalog?q=%E4%BC%81%E4%B8%9A&sharing=2")
      }
    }
  }
}

extension Visitor {
  /// A page's first form whose address has this part.
  fileprivate func form(_ part: String, at path: String, containing: Bool) async throws -> WebForm {
    let page = try await get(path)
    return try #require(WebForm.all(in: page.text).first { $0.action.contains(part) }, "\(path) has no form \(part)")
  }
}
