import Kernel
import Testing
import Web

@Suite struct `Markup` {
  @Test func `escapes whatever is interpolated, so that it reads back as it was and opens nothing`() {
    var chance = SystemRandomNumberGenerator()
    let alphabet = Array("<>&\"'/= a三😀;#\u{0}\n-!").map(String.init)
    for _ in 0..<2000 {
      let text = (0..<Int.random(in: 0...12, using: &chance)).map { _ in alphabet.randomElement(using: &chance)! }
        .joined()
      let html: HTML = "<p title=\"\(text)\">\(text)</p>"
      let inside = html.text.dropFirst(10).dropLast(4)
      #expect(inside.filter { $0 == "<" || $0 == "\"" || $0 == "'" }.count == 1, "\(text)")
      #expect(unescaped(String(html.text.dropFirst(10).prefix { $0 != "\"" })) == text)
    }
  }

  @Test func `splices what is markup already, and nothing for nil and for what does not hold`() {
    let some: HTML? = "<b>x</b>"
    let none: HTML? = nil
    #expect(("\(some)\(none)\(when: false, "<i>")\(when: true, "<u>")" as HTML).text == "<b>x</b><u>")
    #expect(("\(["a", "<"], { "<li>\($0)</li>" })" as HTML).text == "<li>a</li><li>&lt;</li>")
  }

  private func unescaped(_ text: String) -> String {
    var out = text
    for (entity, plain) in [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")] {
      out = out.split(separator: entity, omittingEmptySubsequences: false).joined(separator: plain)
    }
    return out
  }
}

@Suite struct `Pieces` {
  static let today = CalendarDate("2026-08-22")!

  @Test(arguments: [
    (-2, "已逾期 2 天", "2 days late", "late"), (-1, "已逾期 1 天", "1 day late", "late"), (0, "今天到期", "due today", "soon"),
    (1, "明天到期", "due tomorrow", "soon"), (3, "还剩 3 天", "3 days left", "soon"), (4, "还剩 4 天", "4 days left", "neutral"),
  ])
  func `A due date says how near it is, in words and colour`(days: Int, chinese: String, english: String, tone: String)
  {
    for (language, words) in [(Language.chinese, chinese), (.english, english)] {
      let html = dueBadge(language, Due(Self.today + days), today: Self.today).text
      #expect(html.contains("<span class=\"badge \(tone)\">\(words)</span>"))
      #expect(!html.contains("<details"), "nothing to explain")
    }
  }

  @Test func `A due date explains itself and says when it may still move`() {
    let due = Due(Self.today, isProvisional: true, explanation: [Text("国庆节，不计入", "National Day, not counted")])
    #expect(dueBadge(.chinese, due, today: Self.today).text.contains("<li>国庆节，不计入</li>"))
    #expect(dueBadge(.english, due, today: Self.today).text.contains("provisional"))
  }

  @Test(arguments: [
    (0, "0"), (999, "999"), (1000, "1,000"), (-1_234_567, "-1,234,567"), (Int.max, "9,223,372,036,854,775,807"),
    (Int.min, "-9,223,372,036,854,775,808"),
  ])
  func `Numbers are grouped by threes`(number: Int, text: String) { #expect(grouped(number) == text) }

  @Test(
    arguments: [
      (0, "0 B"), (999, "999 B"), (1000, "1.0 KB"), (12_449, "12.4 KB"), (999_499, "999 KB"), (999_950, "1.0 MB"),
      (48_300_000, "48.3 MB"), (3_100_000_000, "3.1 GB"),
    ] as [(Int64, String)])
  func `Bytes are said in thousands`(bytes: Int64, text: String) { #expect(byteCount(bytes) == text) }

  @Test(arguments: [
    (-30, "刚刚", "just now"), (-120, "2 分钟前", "2 minutes ago"), (-3600, "1 小时前", "1 hour ago"),
    (-86400, "昨天", "yesterday"),
    (-3 * 86400, "3 天前", "3 days ago"), (86400, "明天", "tomorrow"), (5 * 86400, "5 天后", "in 5 days"),
    (400 * 86400, "2027-09-26", "2027-09-26"),
  ])
  func `A moment is said from here`(seconds: Int, chinese: String, english: String) {
    let now = Instant("2026-08-22T09:30:00Z")!
    #expect(relativeText(.chinese, now + .seconds(seconds), now: now) == chinese)
    #expect(relativeText(.english, now + .seconds(seconds), now: now) == english)
  }

  @Test(
    arguments: [
      ("企业法人登记", ["法人"], "企业<mark>法人</mark>登记"),
      ("Legal <b>", ["legal", "B"], "<mark>Legal</mark> &lt;<mark>b</mark>&gt;"),
      ("aaa", ["aa", "a"], "<mark>aa</mark><mark>a</mark>"), ("x", [], "x"), ("x", [""], "x"),
      ("İx", ["x"], "İ<mark>x</mark>"),
    ] as [(String, [String], String)])
  func `What was looked for is marked and the rest stays`(text: String, words: [String], html: String) {
    #expect(searchHighlight(text, words).text == html)
  }

  @Test func `An address carries its query encoded and leaves out what has no value`() {
    #expect(
      address("/catalog", [("q", "三&江 x"), ("after", nil), ("n", "")]) == "/catalog?q=%E4%B8%89%26%E6%B1%9F%20x&n=")
    #expect(address("/catalog", []) == "/catalog")
  }

  @Test func `A form carries the session's token, or the visitor's where there is no session`() {
    var request = Request(method: .get, path: "/", now: Instant("2026-08-22T09:30:00Z")!)
    request.csrf = "visitor"
    #expect(form(request, action: "/a", "").text.contains("name=\"csrf\" value=\"visitor\""))
    request.session = SessionView(csrfToken: "session", waiting: 0, startedAt: request.now)
    #expect(form(request, action: "/a", "").text.contains("name=\"csrf\" value=\"session\""))
  }

  @Test func `A refused field keeps what was entered and is tied to its fault`() {
    let html = field(
      .english, Field("name", Text("名称", "Name")), value: Fields([("name", "<x>")]),
      faults: [.init("name", Text("太短", "Too short"))]
    ).text
    #expect(
      html.contains("value=\"&lt;x&gt;\"") && html.contains("aria-describedby=\"name-fault\" aria-invalid=\"true\""))
    #expect(html.contains("id=\"name-fault\">Too short"))
  }

  @Test func `A table without rows says what to do instead`() {
    #expect(
      table(caption: "x", head: ["a"], rows: .nothing, empty: "<p>y</p>").text == "<div class=\"empty\"><p>y</p></div>")
  }

  @Test func `A sparkline stays inside its frame, whatever the numbers`() {
    for values in [[1, 2, 3], [5, 5], [Int.max / 4, 0], [-3, 7, -9]] {
      let points = sparkline(title: "x", values).text.split(separator: "points=\"")[1].prefix { $0 != "\"" }
      for point in points.split(separator: " ") {
        let pair = point.split(separator: ",").compactMap { Double($0) }
        #expect(pair.count == 2 && (0...120).contains(pair[0]) && (0...30).contains(pair[1]), "\(values): \(point)")
      }
    }
    #expect(sparkline(title: "x", [1]).isEmpty)
  }
}
