package import Kernel

// The pieces that every page is made of. Each takes the language first, because each says something.

/// A state as words plus colour.
package enum Tone: String, Sendable {
  case neutral, active, good, soon, late
}

package func badge(_ text: String, _ tone: Tone = .neutral) -> HTML {
  "<span class=\"badge \(tone.rawValue)\">\(text)</span>"
}

/// Where a form points and what protects it. Every form that changes something goes through here.
package func form(
  _ request: Request, action: String, upload: Bool = false, _ body: HTML
) -> HTML {
  """
  <form method="post" action="\(action)"\(when: upload, " enctype=\"multipart/form-data\"")>\
  <input type="hidden" name="csrf" value="\(request.session?.csrfToken ?? "")">\(body)</form>
  """
}

/// What one input of a form looks like. `name` ties it to a fault of a `Refusal`.
package struct Field: Sendable {
  package enum Kind: Sendable {
    case text(maxLength: Int)
    case password
    case area(maxLength: Int)
    case date
    case number(ClosedRange<Int>)
    /// value, label
    case choice([(String, String)])
    /// Several may be ticked: value, label.
    case ticks([(String, String)])
    case file
  }

  package var name: String
  package var label: Text
  package var hint: Text?
  package var kind: Kind
  package var required: Bool

  package init(
    _ name: String, _ label: Text, _ kind: Kind = .text(maxLength: 200), required: Bool = true, hint: Text? = nil
  ) {
    self.name = name
    self.label = label
    self.kind = kind
    self.required = required
    self.hint = hint
  }
}

/// A labelled input with its hint, what was entered, and its fault linked from the summary on top.
package func field(_ language: Language, _ field: Field, value: Fields, faults: [Refusal.Fault] = []) -> HTML {
  let entered = value[field.name] ?? ""
  let fault = faults.first { $0.field == field.name }
  let described: HTML =
    "\(when: field.hint != nil, " aria-describedby=\"\(field.name)-hint\"")\(when: fault != nil, " aria-invalid=\"true\" aria-errormessage=\"\(field.name)-fault\"")\(when: field.required, " required")"
  let input: HTML =
    switch field.kind {
    case .text(let limit):
      "<input id=\"\(field.name)\" name=\"\(field.name)\" value=\"\(entered)\" maxlength=\"\(limit)\"\(described)>"
    case .password:
      "<input id=\"\(field.name)\" name=\"\(field.name)\" type=\"password\" autocomplete=\"current-password\"\(described)>"
    case .area(let limit):
      "<textarea id=\"\(field.name)\" name=\"\(field.name)\" rows=\"3\" maxlength=\"\(limit)\"\(described)>\(entered)</textarea>"
    case .date: "<input id=\"\(field.name)\" name=\"\(field.name)\" type=\"date\" value=\"\(entered)\"\(described)>"
    case .number(let range):
      "<input id=\"\(field.name)\" name=\"\(field.name)\" type=\"number\" min=\"\(range.lowerBound)\" max=\"\(range.upperBound)\" value=\"\(entered)\"\(described)>"
    case .choice(let options):
      """
      <select id="\(field.name)" name="\(field.name)"\(described)>\
      \(options, { "<option value=\"\($0.0)\"\(when: $0.0 == entered, " selected")>\($0.1)</option>" })</select>
      """
    case .ticks(let options):
      """
      <span class="ticks">\(options, { option in
        "<label><input type=\"checkbox\" name=\"\(field.name)\" value=\"\(option.0)\"\(when: value.all(field.name).contains(option.0), " checked")> \(option.1)</label>"
      })</span>
      """
    case .file: "<input id=\"\(field.name)\" name=\"\(field.name)\" type=\"file\"\(described)>"
    }
  return """
    <div class="field\(when: fault != nil, " wrong")"><label for="\(field.name)">\(language(field.label))\
    \(when: !field.required, "<span class=\"optional\"> \(language("（选填）", "(optional)"))</span>")</label>\
    \(field.hint.map { "<p class=\"hint\" id=\"\(field.name)-hint\">\(language($0))</p>" as HTML })\
    \(fault.map { "<p class=\"fault\" id=\"\(field.name)-fault\">\(language($0.message))</p>" as HTML })\(input)</div>
    """
}

/// What was wrong with a form, on top of it, each line a link to its field.
package func faultSummary(_ language: Language, _ refusal: Refusal?) -> HTML {
  guard let refusal else { return .nothing }
  return """
    <div class="faults" role="alert" tabindex="-1"><h2>\(language("请先更正", "Please correct"))</h2><p>\(language(refusal.message))</p>\
    <ul>\(refusal.faults, { "<li><a href=\"#\($0.field)\">\(language($0.message))</a></li>" })</ul></div>
    """
}

/// A table with a caption; `head` are the column titles, `rows` complete `<tr>` elements.
package func table(caption: String, head: [String], rows: HTML, empty: HTML) -> HTML {
  if rows.isEmpty { return "<div class=\"empty\">\(empty)</div>" }
  return """
    <div class="scroll" tabindex="0" role="region" aria-label="\(caption)"><table><caption>\(caption)</caption><thead><tr>\
    \(head, { "<th scope=\"col\">\($0)</th>" })</tr></thead><tbody>\(rows)</tbody></table></div>
    """
}

/// Names and values, side by side.
package func facts(_ pairs: [(String, HTML)]) -> HTML {
  "<dl class=\"facts\">\(pairs, { "<div><dt>\($0.0)</dt><dd>\($0.1)</dd></div>" })</dl>"
}
