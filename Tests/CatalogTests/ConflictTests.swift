import Foundation
import Kernel
import Storage
import TestKit
import Testing
import Web

@testable import Catalog

@Suite struct `Two clerks and one entry` {
  private static let second = Offices.person(of: Offices.civilAffairs, "周八", .compileCatalog, .readCatalog)

  /// The values of a form as a browser would send them, from the page's HTML.
  private func form(_ page: String) -> [(String, String)] {
    var fields: [(String, String)] = []
    for match in page.matches(of: /<input ([^>]*)>/) {
      let attributes = String(match.1)
      guard let name = attributes.firstMatch(of: /name="([^"]*)"/)?.1, name != "csrf" else { continue }
      let isTick = attributes.contains("type=\"checkbox\"")
      if isTick, !attributes.contains(" checked") { continue }
      fields.append((String(name), unescaped(attributes.firstMatch(of: /value="([^"]*)"/).map { String($0.1) } ?? "")))
    }
    for match in page.matches(of: /<textarea [^>]*name="([^"]*)"[^>]*>\n([^<]*)<\/textarea>/) {
      fields.append((String(match.1), unescaped(String(match.2)).replacing("\n", with: "\r\n")))
    }
    for match in page.matches(of: /<select [^>]*name="([^"]*)"[^>]*>(.*?)<\/select>/) {
      let chosen = String(match.2).firstMatch(of: /value="([^"]*)" selected/)?.1
      fields.append((String(match.1), chosen.map(String.init) ?? ""))
    }
    return fields
  }

  private func unescaped(_ text: String) -> String {
    text.replacing("&lt;", with: "<").replacing("&quot;", with: "\"").replacing("&#39;", with: "'")
      .replacing("&amp;", with: "&")
  }

  private func with(_ fields: [(String, String)], _ changes: [String: String]) -> [(String, String)] {
    fields.map { name, value in (name, changes[name] ?? value) }
  }

  private func value(_ name: String, in page: String) -> String? { form(page).first { $0.0 == name }?.1 }

  @Test(arguments: Engine.allCases)
  func `the second to save sees what the other changed and keeps what was typed`(engine: Engine) async throws {
    try await Offices.with(engine) { offices in
      let draft = try await offices.draft()
      let address = "/catalog/resources/\(draft.id)/edit"
      let (one, two) = (
        Visitor(offices: offices, principal: Offices.otherOfficer), Visitor(offices: offices, principal: Self.second)
      )
      let opened = form(try await one.page(address))
      let openedToo = form(try await two.page(address))
      _ = try await two.follow(
        address, also: with(openedToo, ["abstract": "对方写的摘要，全省范围，每月更新。", "cycle": "4", "name": "低保对象名录"]))
      let mine = with(opened, ["name": "低保对象台账", "sharingCondition": "我写的条件：用于救助核对。"])
      guard case .page(let page) = try await one.post(address, also: mine) else {
        throw Refusal.notFound(Text("", ""))
      }
      #expect(page.status == 409)
      let shown = page.body.text
      #expect(shown.contains("周八"))
      // Only theirs: taken. Only mine: kept. Both: mine, with theirs beside it.
      #expect(value("abstract", in: shown) == "对方写的摘要，全省范围，每月更新。")
      #expect(value("cycle", in: shown) == "4")
      #expect(value("sharingCondition", in: shown) == "我写的条件：用于救助核对。")
      #expect(value("name", in: shown) == "低保对象台账")
      #expect(shown.contains("<td>低保对象名录</td>") || shown.contains(">低保对象名录</td>"))
      #expect(!shown.contains(">我写的条件：用于救助核对。</td>"))
      // Nothing was saved so far; the form that was shown saves.
      #expect(try await offices.cataloguing.resource(Offices.otherOfficer, draft.id).metadata.name == "低保对象名录")
      _ = try await one.follow(address, also: form(shown))
      let saved = try await offices.cataloguing.resource(Offices.otherOfficer, draft.id).metadata
      #expect(saved.name == "低保对象台账" && saved.cycle == "4" && saved.abstract.hasPrefix("对方写的"))
      #expect(saved.sharingCondition == "我写的条件：用于救助核对。")
    }
  }

  @Test(arguments: Engine.allCases)
  func `items follow where the other moved them, and what was written for one taken out is shown`(engine: Engine)
    async throws
  {
    try await Offices.with(engine) { offices in
      let draft = try await offices.draft(items: ["甲项", "乙项", "丙项", "丁项"])
      let address = "/catalog/resources/\(draft.id)/items"
      let (one, two) = (
        Visitor(offices: offices, principal: Offices.otherOfficer), Visitor(offices: offices, principal: Self.second)
      )
      let opened = form(try await one.page(address))
      // The other takes the first out and changes the third.
      _ = try await two.follow(
        address,
        also: with(form(try await two.page(address)), ["item.2.length": "20"]) + [("item.0.remove", "yes")])
      guard
        case .page(let page) = try await one.post(
          address,
          also: with(
            opened,
            ["item.0.name": "甲项改名", "item.1.name": "乙项改名", "item.2.description": "丙的说明", "item.0.semantic": "mobile"]))
      else { throw Refusal.notFound(Text("", "")) }
      #expect(page.status == 409)
      let shown = page.body.text
      #expect(shown.contains("<li>甲项改名：技术名称 c0、数据类型 字符型、长度 50、语义 手机号码、分级 "))
      #expect(value("item.0.name", in: shown) == "乙项改名")
      #expect(value("item.1.length", in: shown) == "20")
      #expect(value("item.1.description", in: shown) == "丙的说明")
      _ = try await one.follow(address, also: form(shown))
      let items = try await offices.cataloguing.resource(Offices.otherOfficer, draft.id).items
      #expect(items.map(\.name) == ["乙项改名", "丙项", "丁项"])
      #expect(items.map(\.id) == Array(draft.items.map(\.id).dropFirst()))
      #expect(items[1].length == 20 && items[1].description == "丙的说明")
    }
  }

  @Test func `a field says when it has to be filled, and an item's summary has no empty part`() async throws {
    try await Offices.with(.sqlite) { offices in
      var bare = Offices.spreadsheet("没有共享类型的名单")
      bare.sharingType = ""
      var item = Offices.items(["电话项"])[0]
      item.semantic = "mobile"
      item.grade = "3"
      let draft = try await offices.cataloguing.draft(
        Offices.otherOfficer, system: nil, metadata: bare, items: [item])
      for (language, length, system, method, between) in [
        (Language.chinese, "长度<span class=\"optional\">（字符型、数值型必填）", "（数据库类资源必填）", "（不予共享以外必填）", "手机号码 · 三级"),
        (
          Language.english, "Length<span class=\"optional\"> (needed for text, number)", " (needed for databases)",
          " (needed unless it is not shared)", " · "
        ),
      ] {
        let clerk = Visitor(offices: offices, principal: Offices.otherOfficer, language: language)
        let items = try await clerk.page("/catalog/resources/\(draft.id)/items")
        #expect(items.contains(length))
        #expect(items.contains(between) && !items.contains("· ·"))
        let form = try await clerk.page("/catalog/resources/\(draft.id)/edit")
        #expect(form.contains(system) && form.contains(method))
      }
    }
  }

  @Test(arguments: Engine.allCases)
  func `a next version that is already begun, and a day before the first, lead on`(engine: Engine) async throws {
    try await Offices.with(engine) { offices in
      let entry = try await offices.inForce()
      let page = "/catalog/resources/\(entry.id)"
      let officer = Visitor(offices: offices, principal: Offices.otherOfficer)
      _ = try await officer.follow(page + "/change")
      let begun = await #expect(throws: Refusal.self) { try await officer.post(page + "/change") }
      #expect(begun?.way?.address == page + "?version=2")
      let early = await #expect(throws: Refusal.self) { try await officer.get(page + "?on=2001-01-01") }
      #expect(early?.kind == .notFound && early?.way?.address == page)
      let wrong = await #expect(throws: Refusal.self) { try await officer.get(page + "?on=someday") }
      #expect(wrong?.said.map(\.chinese) == ["链接中的筛选条件无效。"] && wrong?.way?.address == page)
      #expect(try await officer.page(page + "?on=").contains("低保对象信息"))
    }
  }

  @Test func `what was typed stays when the other handed the entry in`() async throws {
    try await Offices.with(.sqlite) { offices in
      let draft = try await offices.draft()
      let address = "/catalog/resources/\(draft.id)/edit"
      let one = Visitor(offices: offices, principal: Offices.otherOfficer)
      let opened = form(try await one.page(address))
      _ = try await offices.cataloguing.submit(Self.second, draft.id)
      guard case .page(let page) = try await one.post(address, also: with(opened, ["abstract": "写了很久的摘要。"])) else {
        throw Refusal.notFound(Text("", ""))
      }
      #expect(page.status == 409 && page.body.text.contains("写了很久的摘要。"))
      #expect(page.body.text.contains("待审核"))
    }
  }

  @Test func `an item is added beside what somebody else wrote meanwhile`() async throws {
    try await Offices.with(.sqlite) { offices in
      let draft = try await offices.draft(items: ["甲项"])
      let one = Visitor(offices: offices, principal: Offices.otherOfficer)
      _ = try await offices.cataloguing.edit(
        Self.second, draft.id, from: draft.revision, .init(items: draft.items + Offices.items(["乙项"])))
      _ = try await one.follow(
        "/catalog/resources/\(draft.id)/items",
        ["new.name": "丙项", "new.column": "c9", "new.dataType": "C", "new.length": "10", "revision": "1"])
      let items = try await offices.cataloguing.resource(Offices.otherOfficer, draft.id).items
      #expect(items.map(\.name) == ["甲项", "乙项", "丙项"])
    }
  }

  @Test
  func `an item is added with what else was changed in the form, once, and what is wrong with it keeps the typing`()
    async throws
  {
    try await Offices.with(.sqlite) { offices in
      let draft = try await offices.draft(items: ["甲项"])
      let one = Visitor(offices: offices, principal: Offices.otherOfficer)
      let address = "/catalog/resources/\(draft.id)/items"
      func form(_ more: [String: String]) -> [String: String] {
        [
          "revision": "1", "item.0.id": draft.items[0].id.text, "item.0.name": "甲项改", "item.0.column": "c0",
          "item.0.dataType": "C", "item.0.length": "10", "item.0.grade": "2", "new.name": "乙项", "new.column": "c9",
          "new.dataType": "C",
        ].merging(more) { $1 }
      }
      for (field, value) in [("new.length", "abc"), ("new.name", String(repeating: "长", count: 200))] {
        guard case .page(let page) = try await one.post(address, form([field: value])) else {
          Issue.record("\(field) was taken")
          continue
        }
        #expect(page.status == 422)
        #expect(page.body.text.contains("value=\"甲项改\"") && page.body.text.contains("value=\"\(value)\""))
        #expect(page.body.text.contains("href=\"#\(field)\""), "\(field) is not marked")
      }
      _ = try await one.follow(address, form(["new.length": "20"]))
      func names() async throws -> [String] {
        try await offices.cataloguing.resource(Offices.otherOfficer, draft.id).items.map(\.name)
      }
      #expect(try await names() == ["甲项改", "乙项"])
      // Back, and sent again.
      guard case .page(let again) = try await one.post(address, form(["new.length": "20"])) else {
        Issue.record("added twice")
        return
      }
      #expect(again.status == 422)
      #expect(try await names() == ["甲项改", "乙项"])
    }
  }

  @Test func `who changed what is told by what each form was made from`() {
    let base = DraftMerge.digests(of: ["a": "1", "b": "1", "c": "1", "d": "x\ny"], in: ["a", "b", "c", "d"])
    let merge = DraftMerge(
      fields: ["a", "b", "c", "d"], base: base, theirs: ["a": "2", "b": "1", "c": "2", "d": "x\ny"],
      mine: ["a": "1", "b": "3", "c": "3", "d": "x\r\ny"])
    #expect(merge.values.map(\.value) == ["2", "3", "3", "x\ny"])
    #expect(merge.changes.map(\.field) == ["a", "c"])
    #expect(merge.changes.map(\.isConflict) == [false, true])
    // A form of an older program carries no digests: then one's own is kept, and all that differs is shown.
    let unknown = DraftMerge(fields: ["a"], base: "", theirs: ["a": "2"], mine: ["a": "1"])
    #expect(unknown.values.map(\.value) == ["1"] && unknown.changes.count == 1)
  }
}
