package import Kernel

/// A form as it goes onto paper: its title and number repeated on each page, ruled tables as the standard's annexes have
/// them, a place for seal and signature, and what is attached. Shown as a page of the site and, with the stylesheet in
/// it, as a file of its own.
package struct PrintedForm: Sendable {
  package var title: Text
  /// The form's number or code, in the running head.
  package var number: String
  package var body: HTML
  /// Whose seals and signatures belong on it; empty for none.
  package var seals: [Text]

  /// Attachments printed in full, each on a page of its own behind the form.
  package var enclosed: HTML

  package init(title: Text, number: String, body: HTML, seals: [Text], enclosed: HTML = .nothing) {
    self.title = title
    self.number = number
    self.body = body
    self.seals = seals
    self.enclosed = enclosed
  }

  /// The form's markup. `printedBy` and the moment stand at its end, so that a paper says which state it shows.
  package func html(_ t: Language, at moment: Instant, printedBy: String) -> HTML {
    // A table's head is the one thing that every browser repeats on each page.
    """
    <table class="sheet" role="presentation"><thead><tr><td><span>\(t("三江", "Sanjiang")) · \(t(title))</span> \
    <span class="code">\(number)</span></td></tr></thead><tbody><tr><td><h1>\(t(title))</h1>\(body)\
    \(when: !seals.isEmpty, """
      <div class="seals">\(seals, { seal in
        "<div><span>\(t(seal))</span><span>\(t("（盖章）", "(seal)"))</span><span>\(t("签字：", "Signature: "))</span><span>\(t("年　　月　　日", "Date: "))</span></div>"
      })</div>
      """)\
    <p class="printed">\(t("打印于", "Printed")) \(moment.minuteInChina) · \(printedBy)</p>\(enclosed)</td></tr></tbody></table>
    """
  }

  /// The form as a page of the site. `tools` are what can be done with it besides printing it.
  package func page(
    _ request: Request, section: Section, trail: [(label: Text, href: String)], tools: HTML = .nothing
  ) -> Page {
    let t = request.language
    return Page(
      title, section: section, trail: trail,
      body: """
        <div class="actions screen">\(tools)<span class="muted">\(t("用浏览器的“打印”打印本表，或另存为 PDF。", "Print this form, or save it as PDF, with your browser's own “Print”."))</span></div>\
        \(html(t, at: request.now, printedBy: request.principal?.name ?? ""))
        """)
  }

  /// The form as an HTML file that needs nothing else but the files it names.
  package func document(_ t: Language, at moment: Instant, printedBy: String) -> [UInt8] {
    let style = Assets.site.find(Assets.site.address("site.css")).map { String(decoding: $0.bytes, as: UTF8.self) }
    let html: HTML = """
      <!DOCTYPE html>
      <html lang="\(t.rawValue)"><head><meta charset="utf-8"><title>\(t(title)) \(number)</title>\
      <style>\(safe: style ?? "")</style></head><body><main>\(self.html(t, at: moment, printedBy: printedBy))</main></body></html>
      """
    return Array(html.text.utf8)
  }
}

/// A ruled table of names and values: one or two pairs in a row.
package func ruledFacts(_ rows: [[(label: String, value: HTML)]]) -> HTML {
  """
  <table class="ruled" tabindex="0"><tbody>\(rows, { row in
    "<tr>\(row, { pair in "<th scope=\"row\">\(pair.label)</th><td\(when: row.count == 1, " colspan=\"3\"")>\(pair.value)</td>" })</tr>"
  })</tbody></table>
  """
}

/// A ruled list, its head repeated on each page. `rows` are complete `<tr>` elements.
package func ruledList(_ title: String, _ head: [String], _ rows: HTML, empty: String) -> HTML {
  """
  <h2>\(title)</h2>\(rows.isEmpty ? "<p>\(empty)</p>" : """
    <table class="ruled" tabindex="0"><thead><tr>\(head, { "<th scope=\"col\">\($0)</th>" })</tr></thead><tbody>\(rows)</tbody></table>
    """)
  """
}
