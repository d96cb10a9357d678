/// The tag of one state of an answer (RFC 9110 §8.8.3), quoted as a header wants it.
package struct EntityTag: Sendable, Hashable {
  /// As it is sent: `"abc"` or `W/"abc"`.
  package let text: String

  /// Takes a bare value and one that is quoted already; what a tag cannot hold is left out.
  package init(_ value: String) {
    let isWeak = value.hasPrefix("W/")
    let bare = (isWeak ? value.dropFirst(2) : value[...]).utf8.filter { $0 == 0x21 || (0x23...0x7E).contains($0) }
    text = (isWeak ? "W/\"" : "\"") + String(decoding: bare, as: UTF8.self) + "\""
  }

  private var opaque: Substring { text.hasPrefix("W/") ? text.dropFirst(2) : text[...] }

  /// Whether an `If-None-Match` names it: `*`, or a list of tags compared weakly, of which some may have a comma inside.
  package func isNamed(in header: String) -> Bool { isFound(in: header, allowingWeak: true) }

  /// Whether an `If-Match` names it: compared strongly, so that a weak tag on either side never matches.
  package func isMatched(by header: String) -> Bool {
    let isAny = header.drop { $0 == " " || $0 == "\t" }.first == "*"
    return isAny || !text.hasPrefix("W/") && isFound(in: header, allowingWeak: false)
  }

  private func isFound(in header: String, allowingWeak: Bool) -> Bool {
    var rest = header.drop { $0 == " " || $0 == "\t" }
    if rest.first == "*" { return true }
    while !rest.isEmpty {
      rest = rest.drop { $0 == " " || $0 == "\t" || $0 == "," }
      let isWeak = rest.hasPrefix("W/")
      if isWeak { rest = rest.dropFirst(2) }
      guard rest.first == "\"", let end = rest.dropFirst().firstIndex(of: "\"") else {
        // No tag: on to what stands behind the next comma.
        rest = rest.drop { $0 != "," }
        continue
      }
      if rest[...end] == opaque, allowingWeak || !isWeak { return true }
      rest = rest[rest.index(after: end)...]
    }
    return false
  }
}
