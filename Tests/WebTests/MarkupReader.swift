/// Reads a document the way a strict reader would, and lists what is wrong with it.
struct MarkupReader {
  private static let void: Set<String> = [
    "meta", "link", "input", "br", "img", "hr", "rect", "path", "polyline", "circle", "line",
  ]

  private var faults: [String] = []
  private var open: [String] = []
  private var ids: Set<String> = []
  private var labelled: Set<String> = []
  private var inputs: [(id: String?, named: Bool)] = []
  private var anchors: [String] = []

  static func faults(_ document: String) -> [String] {
    var reader = MarkupReader()
    reader.read(document)
    return reader.faults
  }

  private mutating func read(_ document: String) {
    var rest = document[...]
    if rest.hasPrefix("<!DOCTYPE html>") { rest.removeFirst(15) } else { faults.append("no doctype") }
    while let start = rest.firstIndex(of: "<") {
      check(text: rest[..<start])
      guard let end = rest[start...].firstIndex(of: ">") else { return faults.append("a tag does not end") }
      tag(rest[rest.index(after: start)..<end])
      rest = rest[rest.index(after: end)...]
    }
    if !open.isEmpty { faults.append("left open: \(open)") }
    for input in inputs where !input.named && !(input.id.map { labelled.contains($0) } ?? false) {
      faults.append("an input without a label: \(input.id ?? "?")")
    }
    for label in labelled where !ids.contains(label) { faults.append("a label for nothing: \(label)") }
    for anchor in anchors where !ids.contains(anchor) && anchor.count > 1 {
      faults.append("a link to nothing: #\(anchor)")
    }
  }

  private mutating func tag(_ text: Substring) {
    if text.first == "/" {
      let name = String(text.dropFirst())
      if open.popLast() != name { faults.append("</\(name)> closes nothing; open: \(open.suffix(3))") }
      return
    }
    let closesItself = text.last == "/"
    let name = String(text.prefix { $0 != " " && $0 != "/" })
    let attributes = self.attributes(text.dropFirst(name.count).drop { $0 == " " })
    if let id = attributes["id"], !ids.insert(id).inserted { faults.append("id twice: \(id)") }
    if let label = attributes["for"] { labelled.insert(label) }
    for banned in ["style", "onclick", "onload", "onsubmit"] where attributes[banned] != nil {
      faults.append("inline \(banned)")
    }
    if ["input", "select", "textarea"].contains(name), attributes["type"] != "hidden" {
      inputs.append((attributes["id"], attributes["aria-label"] != nil || open.contains("label")))
    }
    if name == "a", let href = attributes["href"], href.first == "#" { anchors.append(String(href.dropFirst())) }
    if name == "a", attributes["href"] ?? "" == "" { faults.append("a link without an address") }
    if name == "script", attributes["src"] == nil { faults.append("an inline script") }
    if !closesItself, !Self.void.contains(name) { open.append(name) }
  }

  private mutating func attributes(_ text: Substring) -> [String: String] {
    var rest = text
    var found: [String: String] = [:]
    while let first = rest.first, first != "/" {
      let name = String(rest.prefix { $0 != "=" && $0 != " " && $0 != "/" })
      rest = rest.dropFirst(name.count)
      var value = ""
      if rest.hasPrefix("=\"") {
        let inside = rest.dropFirst(2).prefix { $0 != "\"" }
        value = String(inside)
        if inside.contains("<") { faults.append("an unescaped < in \(name)") }
        rest = rest.dropFirst(3 + value.count)
      } else if rest.hasPrefix("=") {
        faults.append("an attribute without quotes: \(name)")
        return found
      }
      if found.updateValue(value, forKey: name) != nil { faults.append("\(name) twice in one tag") }
      rest = rest.drop { $0 == " " || $0 == "\n" }
    }
    return found
  }

  private mutating func check(text: Substring) {
    var rest = text
    while let ampersand = rest.firstIndex(of: "&") {
      rest = rest[rest.index(after: ampersand)...]
      if !["amp;", "lt;", "gt;", "quot;", "#39;"].contains(where: rest.hasPrefix) {
        faults.append("a bare & in \(text.prefix(40))")
      }
    }
  }
}
