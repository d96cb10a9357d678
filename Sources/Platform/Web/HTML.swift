package import Kernel

/// A piece of a page. What is interpolated is escaped; another `HTML` is spliced.
///
/// Right for text and for attributes in double quotes, and nowhere else: links come from route types, there is no
/// inline script or style, and names of elements and attributes are literals.
package struct HTML: Sendable, Hashable, ExpressibleByStringInterpolation {
  package var text: String

  package init(stringLiteral value: String) { text = value }
  package init(stringInterpolation: StringInterpolation) { text = stringInterpolation.text }
  package init(safe text: String) { self.text = text }

  package static let nothing: HTML = ""

  package var isEmpty: Bool { text.isEmpty }

  package struct StringInterpolation: StringInterpolationProtocol {
    var text = ""

    package init(literalCapacity: Int, interpolationCount: Int) {
      text.reserveCapacity(literalCapacity + interpolationCount * 24)
    }
    package mutating func appendLiteral(_ literal: String) { text += literal }
    package mutating func appendInterpolation(_ value: String) { escape(value, into: &text) }
    package mutating func appendInterpolation(_ value: Substring) { escape(value, into: &text) }
    package mutating func appendInterpolation(_ value: Int) { text += String(value) }
    package mutating func appendInterpolation(_ value: Int64) { text += String(value) }
    package mutating func appendInterpolation<T>(_ value: ID<T>) { escape(value.text, into: &text) }
    package mutating func appendInterpolation(_ value: CalendarDate) { text += value.description }
    package mutating func appendInterpolation(_ value: HTML) { text += value.text }
    package mutating func appendInterpolation(_ value: HTML?) { if let value { text += value.text } }
    /// `\(rows, { "<tr>…</tr>" })`
    package mutating func appendInterpolation<C: Collection>(_ items: C, _ each: (C.Element) throws -> HTML) rethrows {
      for item in items { text += try each(item).text }
    }
    /// `\(when: list.isEmpty, "<p>…</p>")`
    package mutating func appendInterpolation(when condition: Bool, _ html: @autoclosure () -> HTML) {
      if condition { text += html().text }
    }
    /// Text that is known to be markup already.
    package mutating func appendInterpolation(safe markup: String) { text += markup }
  }

  package static func + (a: HTML, b: HTML) -> HTML { HTML(safe: a.text + b.text) }
  package static func += (a: inout HTML, b: HTML) { a.text += b.text }
}

extension Sequence<HTML> {
  package func joined(_ separator: HTML = "") -> HTML { HTML(safe: map(\.text).joined(separator: separator.text)) }
}

private func escape(_ value: some StringProtocol, into text: inout String) {
  for character in value.unicodeScalars {
    switch character {
    case "&": text += "&amp;"
    case "<": text += "&lt;"
    case ">": text += "&gt;"
    case "\"": text += "&quot;"
    case "'": text += "&#39;"
    default: text.unicodeScalars.append(character)
    }
  }
}
