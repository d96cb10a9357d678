package import Kernel

// The pieces that pages are made of. Those that say something themselves take the language first.

/// A state as words plus colour.
package enum Tone: String, Sendable {
  case neutral, active, good, soon, late
}

package func badge(_ text: String, _ tone: Tone = .neutral) -> HTML {
  "<span class=\"badge \(tone.rawValue)\">\(text)</span>"
}

package func link(_ text: String, _ href: String) -> HTML { "<a href=\"\(href)\">\(text)</a>" }

/// A column of a table: its title, and how to sort by it where that is possible.
package struct Column: Sendable {
  package var title: String
  /// Numbers are set to the right, in figures of one width.
  package var numeric: Bool
  package var sort: Sort?

  package struct Sort: Sendable {
    /// The address that shows the table sorted by this column (or, sorted by it already, the other way round).
    package var href: String
    /// Nil when the table is sorted by something else.
    package var descending: Bool?

    package init(href: String, descending: Bool? = nil) {
      self.href = href
      self.descending = descending
    }
  }

  package init(_ title: String, numeric: Bool = false, sort: Sort? = nil) {
    self.title = title
    self.numeric = numeric
    self.sort = sort
  }
}

/// A table with a caption; `head` are the column titles, `rows` complete `<tr>` elements.
package func table(caption: String, head: [String], rows: HTML, empty: HTML) -> HTML {
  table(caption: caption, columns: head.map { Column($0) }, rows: rows, empty: empty)
}

/// The same with columns that sort. Cells of numeric columns carry `class="number"` (see `numberCell`). On a narrow screen
/// each row is a card: its first cell heads it, the others stand under each other, each beside its column's title.
package func table(caption: String, columns: [Column], rows: HTML, empty: HTML) -> HTML {
  if rows.isEmpty { return "<div class=\"empty\">\(empty)</div>" }
  return """
    <div class="scroll" tabindex="0" role="region" aria-label="\(caption)"><table><caption>\(caption)</caption><thead><tr>\
    \(columns, headCell)</tr></thead><tbody>\(labelled(rows, columns))</tbody></table></div>
    """
}

/// Gives each cell the title of its column. What was interpolated is escaped, so that a `<td` can only be a cell.
private func labelled(_ rows: HTML, _ columns: [Column]) -> HTML {
  let labels = columns.map { $0.title.isEmpty ? "" : (" data-label=\"\($0.title)\"" as HTML).text }
  let bytes = Array(rows.text.utf8)
  var out: [UInt8] = []
  out.reserveCapacity(bytes.count * 5 / 4)
  var (place, column) = (0, 0)
  while place < bytes.count {
    defer { place += 1 }
    out.append(bytes[place])
    guard bytes[place] == UInt8(ascii: "<"), place + 3 < bytes.count, bytes[place + 1] == UInt8(ascii: "t"),
      [UInt8(ascii: ">"), UInt8(ascii: " ")].contains(bytes[place + 3])
    else { continue }
    switch bytes[place + 2] {
    case UInt8(ascii: "r"): column = 0
    case UInt8(ascii: "d"), UInt8(ascii: "h"):
      out += bytes[place + 1...place + 2]
      if labels.indices.contains(column) { out += labels[column].utf8 }
      column += 1
      place += 2
    default: break
    }
  }
  return HTML(safe: String(decoding: out, as: UTF8.self))
}

private func headCell(_ column: Column) -> HTML {
  let place: HTML = "\(when: column.numeric, " class=\"number\"")"
  guard let sort = column.sort else { return "<th scope=\"col\"\(place)>\(column.title)</th>" }
  let state: HTML =
    switch sort.descending {
    case true: " aria-sort=\"descending\""
    case false: " aria-sort=\"ascending\""
    case nil: .nothing
    }
  let arrow = sort.descending.map { $0 ? "↓" : "↑" } ?? "↕"
  return """
    <th scope="col"\(place)\(state)><a class="sort" href="\(sort.href)">\(column.title)\
    <span aria-hidden="true"> \(arrow)</span></a></th>
    """
}

/// A cell of a numeric column: `1,234,567`, linked to the rows behind it when there are any to show.
package func numberCell(_ number: Int, href: String? = nil) -> HTML {
  "<td class=\"number\">\(href.map { link(grouped(number), $0) } ?? "\(grouped(number))")</td>"
}

/// A digest or another long code: its ends, and the whole of it on request.
package func shortened(_ code: String) -> HTML {
  guard code.count > 24 else { return "<code>\(code)</code>" }
  return """
    <details class="hash"><summary title="\(code)"><code>\(code.prefix(8))…\(code.suffix(6))</code></summary>\
    <code>\(code)</code></details>
    """
}

/// Two days, which a line does not break.
package func period(_ first: CalendarDate, _ last: CalendarDate) -> HTML {
  "<span class=\"unbroken\"><time datetime=\"\(first)\">\(first)</time> – <time datetime=\"\(last)\">\(last)</time></span>"
}

/// Names and values, side by side.
package func facts(_ pairs: [(String, HTML)]) -> HTML {
  "<dl class=\"facts\">\(pairs, { "<div><dt>\($0.0)</dt><dd>\($0.1)</dd></div>" })</dl>"
}

/// A part of a page under a heading, with what can be done there at its right.
package func panel(_ title: String, id: String? = nil, actions: HTML = .nothing, _ body: HTML) -> HTML {
  """
  <section class="panel"\(id.map { " id=\"\($0)\"" as HTML })><header><h2>\(title)</h2>\
  \(when: !actions.isEmpty, "<div class=\"actions\">\(actions)</div>")</header>\(body)</section>
  """
}

/// The head of a page whose heading carries a state and actions; the layout then adds no heading of its own.
package func heading(_ title: String, state: HTML = .nothing, actions: HTML = .nothing) -> HTML {
  """
  <div class="heading"><h1>\(title)</h1>\(state)\(when: !actions.isEmpty, "<div class=\"actions\">\(actions)</div>")</div>
  """
}

/// Something to know before reading on.
package func note(_ tone: Tone = .neutral, _ body: HTML) -> HTML {
  "<div class=\"note \(tone.rawValue)\">\(body)</div>"
}

/// What a list says when it is empty: why, and what to do first.
package func emptyState(_ message: String, action: HTML = .nothing) -> HTML {
  "<p class=\"nothing\">\(message)</p>\(when: !action.isEmpty, "<p class=\"buttons\">\(action)</p>")"
}

/// More of the same, folded away until wanted.
package func details(_ summary: String, open: Bool = false, _ body: HTML) -> HTML {
  "<details\(when: open, " open")><summary>\(summary)</summary>\(body)</details>"
}

/// A few numbers that say where things stand, each a link to the rows behind it.
package struct Figure: Sendable {
  package var label: String
  package var value: String
  package var href: String
  package var tone: Tone

  package init(_ label: String, _ value: Int, href: String, tone: Tone = .neutral) {
    self.init(label, text: grouped(value), href: href, tone: tone)
  }
  package init(_ label: String, text: String, href: String, tone: Tone = .neutral) {
    self.label = label
    value = text
    self.href = href
    self.tone = tone
  }
}

package func figures(_ figures: [Figure]) -> HTML {
  """
  <ul class="figures">\(figures, {
    "<li class=\"\($0.tone.rawValue)\"><a href=\"\($0.href)\"><strong>\($0.value)</strong><span>\($0.label)</span></a></li>"
  })</ul>
  """
}

/// Work under way as a bar and as words. With `poll`, the script asks that address again every two seconds and puts the
/// element with the same `id` in this one's place, until it comes without `poll`; without a script, give the page a
/// `refresh`.
package func progress(
  _ language: Language, id: String, label: String, done: Int, of total: Int?, unit: Text = Text("行", "rows"),
  poll: String? = nil
) -> HTML {
  let words: HTML =
    if let total {
      "\(grouped(done)) / \(grouped(total)) \(language(unit)) (\(total == 0 ? 100 : min(100, done * 100 / total))%)"
    } else {
      "\(grouped(done)) \(language(unit))"
    }
  return """
    <div class="progress" id="\(id)"\(poll.map { " data-poll=\"\($0)\"" as HTML })><label for="\(id)-bar">\(label)</label>\
    <progress id="\(id)-bar"\(total.map { " max=\"\(max(1, $0))\" value=\"\($0 == 0 ? 1 : min(done, $0))\"" as HTML })></progress>\
    <span class="words" role="status">\(words)</span></div>
    """
}

/// Wraps what the script keeps fresh: see `progress`.
package func live(id: String, poll: String?, _ body: HTML) -> HTML {
  "<div id=\"\(id)\"\(poll.map { " data-poll=\"\($0)\"" as HTML })>\(body)</div>"
}
