import Foundation
import Testing

/// A form as it stands in a page: what a browser without scripts would send.
struct WebForm {
  let action: String
  private(set) var fields: [(name: String, value: String)] = []
  /// Boxes that are not ticked, and what else of a select can be chosen.
  private var boxes: [(name: String, value: String)] = []
  private var buttons: [(name: String, value: String)] = []

  /// The forms of a page whose address begins with `action`.
  static func all(in html: String) -> [WebForm] {
    html.matches(of: /<form ([^>]*)>(.*?)<\/form>/.dotMatchesNewlines()).compactMap { match in
      let head = String(match.output.1)
      guard head.contains("method=\"post\"") else { return nil }
      return WebForm(action: Self.attribute("action", head) ?? "", String(match.output.2))
    }
  }

  private init(action: String, _ body: String) {
    self.action = action
    for match in body.matches(of: /<(input|textarea|select|button)([^>]*)>/) {
      let rest = body[match.range.upperBound...]
      let attributes = String(match.output.2)
      guard let name = Self.attribute("name", attributes) else { continue }
      switch match.output.1 {
      case "button": buttons.append((name, Self.attribute("value", attributes) ?? ""))
      case "textarea": fields.append((name, Self.plain(String(rest.prefix { $0 != "<" }.drop { $0 == "\n" }))))
      case "select":
        let inside = rest.range(of: "</select>").map { rest[..<$0.lowerBound] } ?? rest
        let options = String(inside).matches(of: /<option ([^>]*)>/).map { String($0.output.1) }
        let chosen = options.first { $0.contains(" selected") } ?? options.first
        if let value = chosen.flatMap({ Self.attribute("value", $0) }) { fields.append((name, value)) }
      default:
        let value = Self.attribute("value", attributes) ?? ""
        if attributes.contains("type=\"checkbox\"") || attributes.contains("type=\"radio\"") {
          if attributes.contains(" checked") { fields.append((name, value)) } else { boxes.append((name, value)) }
        } else {
          fields.append((name, value))
        }
      }
    }
  }

  /// Enters a value; only into a field that is there.
  mutating func enter(_ name: String, _ value: String) throws {
    let index = try #require(fields.firstIndex { $0.name == name }, "no field \(name) in \(action)")
    fields[index].value = value
  }

  /// Ticks the boxes of this name with these values, and no others.
  mutating func tick(_ name: String, _ values: [String]) throws {
    let known = (fields + boxes).filter { $0.name == name }.map(\.value)
    for value in values { try #require(known.contains(value), "no box \(name)=\(value) in \(action)") }
    boxes += fields.filter { $0.name == name }
    fields.removeAll { $0.name == name }
    fields += values.map { (name, $0) }
  }

  /// The form as the button of this name and value would send it.
  func pressing(_ name: String, _ value: String) throws -> WebForm {
    try #require(buttons.contains { $0.name == name && $0.value == value }, "no button \(name)=\(value) in \(action)")
    var form = self
    form.fields.append((name, value))
    return form
  }

  private static func attribute(_ name: String, _ text: String) -> String? {
    guard let start = text.range(of: "\(name)=\"") else { return nil }
    return plain(String(text[start.upperBound...].prefix { $0 != "\"" }))
  }

  static func plain(_ text: String) -> String {
    [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")]
      .reduce(text) { $0.replacing($1.0, with: $1.1) }
  }
}

extension Visitor {
  /// A page's form by the end of its address, and the page.
  func form(_ end: String, at path: String) async throws -> WebForm {
    let page = try await get(path)
    #expect(page.status == 200, "\(path): \(page.status)")
    return try #require(
      WebForm.all(in: page.text).first { $0.action.hasSuffix(end) }, "\(path) has no form that ends with \(end)")
  }

  func send(_ form: WebForm) async throws -> Answer { try await post(form.action, form.fields) }

  /// Sends and expects to be led to another page; answers its address.
  func submit(_ form: WebForm) async throws -> String {
    let answer = try await send(form)
    #expect(answer.status == 303, "\(form.action): \(answer.status) \(Self.faults(answer.text))")
    return answer.location ?? ""
  }

  /// Begins an entry by hand; answers where it is written on.
  func beginDraft(_ name: String) async throws -> String {
    var new = try await form("/catalog/drafts", at: "/catalog/new")
    try new.enter("name", name)
    return try await submit(new)
  }

  static func faults(_ html: String) -> [String] {
    html.matches(of: /<p class="fault"[^>]*>([^<]*)</).map { String($0.output.1) }
  }

  /// The first link of a page that fits.
  func link(_ pattern: String, at path: String) async throws -> String {
    let page = try await get(path).text
    let match = try page.firstMatch(of: Regex("href=\"(\(pattern))\""))
    return WebForm.plain(String(try #require(match?.output[1].substring, "\(path) has no link \(pattern)")))
  }
}
