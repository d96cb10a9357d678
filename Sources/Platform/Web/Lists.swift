package import Kernel

// Long lists: pages by key, tabs, filters with counts.

/// An address with its query, percent-encoded; pairs without a value are left out.
package func address(_ path: String, _ query: [(String, String?)]) -> String {
  let pairs = query.compactMap { name, value in value.map { "\(percentEncoded(name))=\(percentEncoded($0))" } }
  return pairs.isEmpty ? path : path + "?" + pairs.joined(separator: "&")
}

/// A decoded path as it may stand in an address again.
package func encodedPath(_ path: String) -> String {
  path.split(separator: "/", omittingEmptySubsequences: false).map { percentEncoded(String($0)) }.joined(separator: "/")
}

/// Everything but letters, digits and `-._~` as `%XX`.
package func percentEncoded(_ text: String) -> String {
  let digits: StaticString = "0123456789ABCDEF"
  var bytes: [UInt8] = []
  for byte in text.utf8 {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"),
      UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"):
      bytes.append(byte)
    default: bytes += [UInt8(ascii: "%"), digits.utf8Start[Int(byte >> 4)], digits.utf8Start[Int(byte & 15)]]
    }
  }
  return String(decoding: bytes, as: UTF8.self)
}

/// Leads through a list that pages by key: there is a next page or there is not, and no count is needed to know.
package func pager(_ language: Language, previous: String?, next: String?, summary: String? = nil) -> HTML {
  if previous == nil, next == nil, summary == nil { return .nothing }
  return """
    <nav class="pager" aria-label="\(language("翻页", "Pages"))">\
    \(previous.map { "<a rel=\"prev\" href=\"\($0)\">← \(language("上一页", "Previous"))</a>" as HTML })\
    \(summary.map { "<span>\($0)</span>" as HTML })\
    \(next.map { "<a rel=\"next\" href=\"\($0)\">\(language("下一页", "Next")) →</a>" as HTML })</nav>
    """
}

/// One view of the same thing, at an address of its own.
package struct Tab: Sendable {
  package var label: String
  package var href: String
  package var count: Int?
  package var current: Bool

  package init(_ label: String, href: String, count: Int? = nil, current: Bool = false) {
    self.label = label
    self.href = href
    self.count = count
    self.current = current
  }
}

package func tabs(label: String, _ tabs: [Tab]) -> HTML {
  """
  <nav class="tabs" aria-label="\(label)"><ul>\(tabs, { tab in
    """
    <li><a href="\(tab.href)"\(when: tab.current, " aria-current=\"page\"")>\(tab.label)\
    \(tab.count.map { " <span class=\"count\">\(grouped($0))</span>" as HTML })</a></li>
    """
  })</ul></nav>
  """
}

/// One question that narrows a list, with its answers and how many rows each would leave.
package struct Facet: Sendable {
  package struct Choice: Sendable {
    package var label: String
    package var count: Int?
    /// Chosen already, this is the address without it.
    package var href: String
    package var chosen: Bool

    package init(_ label: String, count: Int? = nil, href: String, chosen: Bool = false) {
      self.label = label
      self.count = count
      self.href = href
      self.chosen = chosen
    }
  }

  package var title: String
  package var choices: [Choice]

  package init(_ title: String, _ choices: [Choice]) {
    self.title = title
    self.choices = choices
  }
}

/// Facets beside a list; on a narrow screen they fold away.
package func filters(_ language: Language, _ facets: [Facet]) -> HTML {
  let chosen = facets.flatMap(\.choices).filter(\.chosen).count
  return """
    <details class="filters"\(when: chosen > 0, " open")><summary>\(language("筛选", "Filter"))\
    \(when: chosen > 0, " <span class=\"count\">\(chosen)</span>")</summary>\
    <div class="facets">\(facets.filter { !$0.choices.isEmpty }, { facet in
      """
      <div><h2>\(facet.title)</h2><ul>\(facet.choices, { choice in
        """
        <li><a href="\(choice.href)"\(when: choice.chosen, " aria-current=\"true\"")>\
        <span>\(when: choice.chosen, "<span aria-hidden=\"true\">✓ </span>")\(choice.label)\
        \(when: choice.chosen, "<span class=\"unseen\">\(language("（取消）", " (remove)"))</span>")</span>\
        \(choice.count.map { " <span class=\"count\">\(grouped($0))</span>" as HTML })</a></li>
        """
      })</ul></div>
      """
    })</div></details>
    """
}

/// A text with the words that were looked for marked in it; letters match whatever their case.
package func searchHighlight(_ text: String, _ words: [String]) -> HTML {
  let wanted = words.map { Array($0.lowercased()) }.filter { !$0.isEmpty }
  guard !wanted.isEmpty else { return "\(text)" }
  let original = Array(text)
  let folded = original.map { Character(String($0).lowercased().first.map(String.init) ?? " ") }
  var html: HTML = ""
  var position = 0
  var plain = ""
  while position < original.count {
    let length = wanted.filter { folded[position...].starts(with: $0) }.map(\.count).max()
    if let length {
      html += "\(plain)<mark>\(String(original[position..<position + length]))</mark>"
      plain = ""
      position += length
    } else {
      plain.append(original[position])
      position += 1
    }
  }
  return "\(html)\(plain)"
}
