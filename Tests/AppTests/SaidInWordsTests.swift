import Catalog
import Census
import Demo
import Foundation
import Jobs
import Kernel
import Mounting
import Sharing
import Storage
import Supervision
import TestKit
import Testing
import Web

@testable import App

/// Where something cannot be done, the page says why, what stands in the way and where to go, and shows no codes.
@Suite struct SaidInWordsTests {
  @Test func `a census while one is running leads to the one that runs`() async throws {
    try await withStage(.sqlite) { stage in
      let node = stage.node
      try await withSite(node) { base in
        let chief = try await enter(base, as: "zhang.operator")
        let form = try await chief.form("/census", at: "/census/new")
        var first = form
        try first.enter("name", "2026 年普查")
        let campaign = try await chief.submit(first)
        let second = try await chief.send(first)
        #expect(second.status == 409)
        let before = try await chief.get("/census/new")
        #expect(before.status == 200)
        for page in [second, before] {
          #expect(page.text.contains("已有普查在进行") && page.text.contains("2026 年普查"))
          #expect(page.text.contains("href=\"\(campaign)\"") && page.text.contains("href=\"\(campaign)/close\""))
          #expect(!WebForm.all(in: page.text).contains { $0.action == "/census" })
        }
        _ = try await node.runner().drain()
        _ = try await chief.submit(try await chief.form("/close", at: campaign + "/close"))
        #expect(try await chief.form("/census", at: "/census/new").fields.count > 1)
      }
    }
  }

  @Test(arguments: Engine.allCases)
  func `a conflict at an entry leads back to it, and to the version that is being written`(engine: Engine) async throws
  {
    try await withStage(engine) { stage in
      try await withSite(stage.node) { base in
        let officer = try await enter(base, as: "ma.officer")
        let entry = "/catalog/resources/\(stage.resource.id)"
        let back = "<a class=\"button\" href=\"\(entry)\">"
        let closed = try await officer.get(entry + "/edit")
        #expect(closed.status == 409 && closed.text.contains(back))
        let early = try await officer.get(entry + "?on=2001-01-01")
        #expect(early.status == 404 && early.text.contains(back))
        let wrong = try await officer.get(entry + "?on=someday")
        #expect(wrong.status == 422 && wrong.text.contains(back))
        #expect(wrong.text.split(separator: "链接中的筛选条件无效。").count == 2)
        #expect(try await officer.get(entry + "/attachments").text.contains("action=\"\(entry)/change\""))
        #expect(try await officer.post(entry + "/change", [], from: entry).status == 303)
        let twice = try await officer.post(entry + "/change", [], from: entry)
        #expect(twice.status == 409 && twice.text.contains("href=\"\(entry)?version=2\">"))
      }
    }
  }

  @Test(arguments: Engine.allCases)
  func `a source that does not answer is said to be saved and why it failed, and leads to where it is mended`(
    engine: Engine
  ) async throws {
    let words = [
      "zh-CN": ("数据源已保存，但连接测试没有通过", "打不开数据库文件", "连接测试通过"),
      "en": ("The source is saved, but its test failed", "The database file cannot be opened", "its test passed"),
    ]
    try await withStage(engine) { stage in
      try await withSite(stage.node) { base in
        for (language, (saved, why, good)) in words {
          let officer = try await enter(base, as: "ma.officer", in: language)
          let system = try await officer.link("/systems/[0-9a-f-]{36}", at: "/systems")
          var form = try await officer.form("/sources", at: system + "/sources/new?kind=sqlite")
          try form.enter("source", "没有的库 \(language)")
          try form.enter("setting.path", stage.databases.providerPath + ".none")
          _ = try await officer.submit(form)
          let page = try await officer.get(system).text
          let flash = try #require(page.firstMatch(of: /<div class="flash"[^>]*>([^<]*)</)).output.1
          #expect(flash.contains(saved) && flash.contains(why))
          let row = try #require(page.components(separatedBy: "<tr>").first { $0.contains("没有的库 \(language)") })
          #expect(row.contains(why) && !row.contains("unable to open") && !row.contains("permanent"))
          let source = try #require(row.firstMatch(of: /\/systems\/[0-9a-f-]+\/sources\/[0-9a-f-]{36}/)).output
          let tables = try await officer.get(source + "/tables")
          #expect(tables.status == 409 && tables.text.contains(why))
          let edit = try #require(tables.text.firstMatch(of: /class="button primary" href="([^"]*)"/)).output.1
          #expect(edit == source + "/edit")
          var mended = try await officer.form(String(source), at: String(edit))
          try mended.enter("setting.path", stage.databases.providerPath)
          _ = try await officer.submit(mended)
          #expect(try await officer.get(system).text.contains(good))
          #expect(try await officer.get(source + "/tables").status == 200)
        }
        let officer = try await enter(base, as: "ma.officer")
        let system = try await officer.link("/systems/[0-9a-f-]{36}", at: "/systems")
        let secret = try await officer.get(system + "/sources/new?kind=postgresql").text
        #expect(
          secret.contains("type=\"password\" autocomplete=\"new-password\"") && !secret.contains("current-password"))
        #expect(secret.contains("连接 PostgreSQL"))
      }
    }
  }

  @Test(arguments: Engine.allCases)
  func `the pages of a draft stand below the desk in the menu, those of what is published below the search`(
    engine: Engine
  ) async throws {
    try await withStage(engine) { stage in
      try await withSite(stage.node) { base in
        let officer = try await enter(base, as: "ma.officer")
        let edit = try await officer.beginDraft("宗教活动场所名录")
        let entry = String(edit.dropLast("/edit".count))
        func current(_ path: String) async throws -> [String] {
          let page = try await officer.get(path)
          #expect(page.status == 200, "\(path)")
          let menu = try #require(page.text.components(separatedBy: "<nav class=\"within\"").last)
          return (menu.components(separatedBy: "</nav>").first ?? "").matches(
            of: /href="([^"]*)" aria-current="(?:true|page)"/
          ).map { String($0.output.1) }
        }
        for path in [edit, entry, entry + "/items", entry + "/attachments", "/catalog/new", "/catalog/work"] {
          #expect(try await current(path) == ["/catalog/work"], "\(path)")
        }
        #expect(try await current("/catalog/resources/\(stage.resource.id)") == ["/catalog"])
        #expect(try await officer.get("/catalog").text.contains("<time datetime=\"2"), "days that no line breaks")
      }
    }
  }

  @Test(arguments: Engine.allCases)
  func `a page of what became of many says the same when it is loaded again`(engine: Engine) async throws {
    try await withStage(engine) { stage in
      try await withSite(stage.node) { base in
        let officer = try await enter(base, as: "ma.officer")
        _ = try await officer.beginDraft("宗教活动场所名录")
        let page = try await officer.get("/catalog/work?q=%E5%9C%BA%E6%89%80")
        #expect(page.text.contains("提交名称含“场所”的全部 1 条草稿"))
        let batch = try await officer.form("/catalog/work", at: "/catalog/work").pressing("what", "first")
        let first = try await officer.send(batch)
        let again = try await officer.send(batch)
        #expect(first.status == 200 && again.status == 200 && first.text.contains("批量办理结果"))
        func said(_ answer: Visitor.Answer) -> Substring? { answer.text.components(separatedBy: "<main").last?[...] }
        #expect(said(first) == said(again))
      }
    }
  }

  @Test(arguments: Engine.allCases)
  func `asking for what is offline says since when and whom to ask`(engine: Engine) async throws {
    try await withStage(engine) { stage in
      let (node, id) = (stage.node, stage.resource.id)
      try await withSite(node) { base in
        let clerk = try await enter(base, as: "li.clerk")
        let path = "/requests/new?resource=\(id)"
        var form = try await clerk.form("/requests/new", at: path)
        try form.enter("purpose", "核对低保申请家庭成员")
        for (name, value) in [("legalBasis", "《社会救助暂行办法》"), ("scene", "低保"), ("targetTable", "checked")] {
          try form.enter(name, value)
        }
        _ = try await node.cataloguing.online(
          stage.cast.operatorInChief, id, .takeDown, reason: "数据有误，暂停提供。")
        let since = try #require(try await node.database.read { try CatalogStore.onlineSince(id, in: $0) })
        let page = try await clerk.get(path)
        let sent = try await clerk.send(form)
        for answer in [page, sent] {
          #expect(answer.status == 409, "\(answer.status)")
          #expect(answer.text.contains("已下架") && answer.text.contains(since.minuteInChina))
          #expect(answer.text.contains("\(stage.resource.providerName)的数据管理员"))
          #expect(answer.text.contains("href=\"/catalog/resources/\(id)\""))
        }
        #expect(sent.text.contains("您填写的内容没有提交") && sent.text.contains("核对低保申请家庭成员"))
        let unknown = try await clerk.get("/requests/new?resource=019cc1bb-4a4c-7001-afeb-e075049b064e")
        #expect(unknown.status == 404)
        _ = try await node.cataloguing.online(stage.cast.operatorInChief, id, .bringUp, reason: "已更正。")
        #expect(try await clerk.get(path).status == 200)
      }
    }
  }

  @Test func `a door that stays shut says what it takes to open it`() async throws {
    try await withNode(.sqlite) { node, _, _, _ in
      try await withSite(node) { base in
        for (language, words) in [
          ("zh-CN", "须有“审核和发布目录”的权限"), ("en", "needs the authority “Review and publish entries”"),
        ] {
          let clerk = try await enter(base, as: "li.clerk", in: language)
          let answer = try await clerk.get("/catalog/review")
          #expect(answer.status == 403 && answer.text.contains(words))
          #expect(!answer.text.contains(Permission.reviewCatalog.name))
        }
        // Programs go on reading the permission's own name.
        let clerk = try await enter(base, as: "li.clerk")
        let told = try await clerk.get("/api/v1/catalog/resources/019cc1bb-4a4c-7001-afeb-e075049b064e/draft")
        #expect(told.status == 403 && told.text.contains(Permission.compileCatalog.name))
      }
    }
  }

  @Test func `what cannot be searched is not offered to be saved`() async throws {
    try await withNode(.sqlite) { node, _, _, _ in
      try await withSite(node) { base in
        let clerk = try await enter(base, as: "li.clerk")
        let tool = "/catalog/saved/new"
        #expect(try await clerk.get("/catalog?q=%E4%BC%81%E4%B8%9A").text.contains(tool))
        for query in ["%EF%BC%81%EF%BC%9F", "---", "%E3%80%82&mounted=1"] {
          #expect(try await !clerk.get("/catalog?q=\(query)").text.contains(tool), "\(query)")
        }
        let kept = try await clerk.post(
          "/catalog/saved", [("query", CatalogQuery(text: "！？").encoded), ("name", "标点")], from: "/catalog/saved")
        #expect(kept.status == 422 && kept.text.contains("没有可以检索的文字或数字"))
      }
    }
  }

  @Test func `a file's name may be as long as systems let it, and a longer one hears the bound`() async throws {
    try await withStage(.sqlite) { stage in
      let node = stage.node
      try await withSite(node) { base in
        let officer = try await enter(base, as: "ma.officer")
        let page = "/catalog/resources/\(stage.resource.id)"
        #expect(try await officer.post(page + "/change", [], from: page).status == 303)
        let token = try #require(Visitor.token(in: try await officer.get("/account").text))
        func attach(_ name: String) async throws -> Visitor.Answer {
          let parts = [
            "--x", "Content-Disposition: form-data; name=\"csrf\"", "", token,
            "--x", "Content-Disposition: form-data; name=\"file\"; filename=\"\(name)\"", "Content-Type: text/plain",
            "",
            "依据 \(name.count)", "--x--", "",
          ]
          return try await officer.send(
            "POST", page + "/attachments", body: Data(parts.joined(separator: "\r\n").utf8),
            type: "multipart/form-data; boundary=x", headers: ["Origin": base])
        }
        let fits = try await attach(String(repeating: "据", count: 200) + ".txt")
        #expect(fits.status == 303, "\(fits.status)")
        let shown = try await officer.get(page + "/attachments").text
        #expect(shown.contains(String(repeating: "据", count: 116) + ".txt"), "cut to what is kept, its ending with it")
        let long = try await attach(String(repeating: "据", count: 400) + ".txt")
        #expect(long.status == 400 && long.text.contains("文件名超过 1024 字节（约 341 个汉字）"))
      }
    }
  }

  @Test func `a mount that fails says so in words alone`() async throws {
    try await withMountStage(.sqlite) { stage in
      _ = try await stage.node.mounting.tie(
        stage.cast.officer, stage.resource.id, to: .files(stage.source, pattern: "名单-*.csv"))
      let tie = try #require(try await stage.test())
      #expect(tie.fault?.code == "mounting.no-file")
      try await withSite(stage.node) { base in
        let officer = try await enter(base, as: "ma.officer")
        for path in ["/mounting/ties/\(tie.id)", "/catalog/resources/\(stage.resource.id)"] {
          let page = try await officer.get(path).text
          #expect(page.contains("没有符合“名单-*.csv”的文件。") && !page.contains("mounting.no-file"), "\(path)")
        }
      }
    }
  }
}
