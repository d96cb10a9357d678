package import Kernel

// What people fill in and send. Everything works without a script; the scripts only save steps.

/// Fields that go with a form which was kept when its session had ended; no route sees them.
package enum KeptFormField {
  /// Names the kept form that is sent again.
  package static let id = "kept-form"
  /// The page of ours that it was written on, kept with it where the browser said so.
  package static let page = "kept-page"
}

/// Where a form points and what protects it. Every form that changes something goes through here. A kept form that was
/// refused is still the kept form when it is shown again.
package func form(
  _ request: Request, action: String, upload: Bool = false, confirm: Text? = nil, _ body: HTML
) -> HTML {
  """
  <form method="post" action="\(action)"\(when: upload, " enctype=\"multipart/form-data\"")\
  \(confirm.map { " data-confirm=\"\(request.language($0))\"" as HTML })>\
  <input type="hidden" name="csrf" value="\(request.csrf)">\(again(request, action))\(body)</form>
  """
}

private func again(_ request: Request, _ action: String) -> HTML {
  guard let kept = request.keptForm, action.prefix(while: { $0 != "?" }) == request.path else { return .nothing }
  return "<input type=\"hidden\" name=\"\(KeptFormField.id)\" value=\"\(kept)\">"
}

/// A form's own key, made when it is first shown, so that it makes one thing however often it is sent; `entered` is what came
/// back of it.
package func formKey(_ request: Request, _ entered: Fields) -> HTML {
  "<input type=\"hidden\" name=\"form\" value=\"\(entered["form"] ?? uuidVersion7(at: request.now))\">"
}

/// What one input of a form looks like. `name` ties it to a fault of a `Refusal`; `id` is another where a page has several
/// forms with a field of this name.
package struct Field: Sendable {
  package enum Kind: Sendable {
    case text(maxLength: Int)
    case password
    /// A password being set, of oneself or of another's database: no password that a browser keeps is filled in.
    case newPassword
    /// The six digits of a second factor.
    case oneTimeCode
    case area(maxLength: Int)
    case date
    case number(ClosedRange<Int>)
    /// value, label
    case choice([(String, String)])
    /// A few choices that are read side by side: value, label.
    case radio([(String, String)])
    /// Several may be ticked: value, label.
    case ticks([(String, String)])
    case file
  }

  package var name: String
  package var id: String
  package var label: Text
  package var hint: Text?
  package var kind: Kind
  package var required: Bool
  /// Whether a field that may stay empty says so; not where none has to be filled, as in a filter.
  package var saysOptional: Bool
  /// When a field that may otherwise stay empty has to be filled; said in place of its being optional.
  package var needed: Text?

  package init(
    _ name: String, _ label: Text, _ kind: Kind = .text(maxLength: 200), required: Bool = true, hint: Text? = nil,
    id: String? = nil, saysOptional: Bool = true, needed: Text? = nil
  ) {
    self.name = name
    self.id = id ?? name
    self.label = label
    self.kind = kind
    self.required = required
    self.saysOptional = saysOptional
    self.needed = needed
    self.hint = hint
  }
}

/// A labelled input with its hint, what was entered, and its fault linked from the summary on top.
package func field(_ language: Language, _ field: Field, value: Fields, faults: [Refusal.Fault] = []) -> HTML {
  let fault = faults.first { $0.field == field.name }
  let (name, id) = (field.name, field.id)
  let mayStayEmpty =
    field.needed.map { Text("（\($0.chinese)）", " (\($0.english))") } ?? Text("（选填）", " (optional)")
  let label: HTML =
    "\(language(field.label))\(when: !field.required && field.saysOptional, "<span class=\"optional\">\(language(mayStayEmpty))</span>")"
  let notes: HTML = """
    \(field.hint.map { "<p class=\"hint\" id=\"\(id)-hint\">\(language($0))</p>" as HTML })\
    \(fault.map { "<p class=\"fault\" id=\"\(id)-fault\">\(language($0.message))</p>" as HTML })
    """
  let described = [field.hint.map { _ in "\(id)-hint" }, fault.map { _ in "\(id)-fault" }].compactMap { $0 }
  let attributes: HTML = """
    \(when: !described.isEmpty, " aria-describedby=\"\(described.joined(separator: " "))\"")\
    \(when: fault != nil, " aria-invalid=\"true\"")
    """
  let wrong: HTML = "\(when: fault != nil, " wrong")"
  switch field.kind {
  case .radio(let options), .ticks(let options):
    let isRadio = if case .radio = field.kind { true } else { false }
    let chosen = value.all(name)
    return """
      <fieldset class="field\(wrong)" id="\(id)" tabindex="-1"\(attributes)><legend>\(label)</legend>\(notes)\
      <div class="ticks">\(options, { option in
        """
        <label><input type="\(isRadio ? "radio" : "checkbox")" name="\(name)" value="\(option.0)"\
        \(when: chosen.contains(option.0), " checked")\(when: isRadio && field.required, " required")> \(option.1)</label>
        """
      })</div></fieldset>
      """
  default:
    let input = control(
      language, field, entered: value[name] ?? "", "\(attributes)\(when: field.required, " required")")
    return "<div class=\"field\(wrong)\"><label for=\"\(id)\">\(label)</label>\(notes)\(input)</div>"
  }
}

private func control(_ language: Language, _ field: Field, entered: String, _ attributes: HTML) -> HTML {
  let named: HTML = "id=\"\(field.id)\" name=\"\(field.name)\""
  return switch field.kind {
  case .text(let limit): "<input \(named) value=\"\(entered)\" maxlength=\"\(limit)\"\(attributes)>"
  case .password: "<input \(named) type=\"password\" autocomplete=\"current-password\" maxlength=\"200\"\(attributes)>"
  case .newPassword: "<input \(named) type=\"password\" autocomplete=\"new-password\" maxlength=\"200\"\(attributes)>"
  case .oneTimeCode:
    "<input \(named) inputmode=\"numeric\" autocomplete=\"one-time-code\" maxlength=\"8\" class=\"code\"\(attributes)>"
  case .area(let limit): "<textarea \(named) rows=\"3\" maxlength=\"\(limit)\"\(attributes)>\n\(entered)</textarea>"
  case .date: "<input \(named) type=\"date\" value=\"\(entered)\"\(attributes)>"
  case .number(let range):
    """
    <input \(named) type="number" inputmode="numeric" min="\(range.lowerBound)" max="\(range.upperBound)" \
    value="\(entered)"\(attributes)>
    """
  case .choice(let options):
    """
    <select \(named)\(when: options.count > 15, " data-filter=\"\(language("输入以筛选选项", "Type to narrow the choices"))\"")\
    \(attributes)>\(options, { "<option value=\"\($0.0)\"\(when: $0.0 == entered, " selected")>\($0.1)</option>" })</select>
    """
  case .file: "<input \(named) type=\"file\"\(attributes)>"
  case .radio, .ticks: .nothing
  }
}

/// What was wrong with a form, on top of it, each line a link to its field; nothing is said twice.
package func faultSummary(_ language: Language, _ refusal: Refusal?) -> HTML {
  guard let refusal else { return .nothing }
  return """
    <div class="faults" role="alert" tabindex="-1"><h2>\(refusal.kind == .conflict ? language("现在不能这样做", "Not possible now") : language("请先更正", "Please correct"))</h2>\
    \(when: !refusal.faults.contains { $0.message == refusal.message }, "<p>\(language(refusal.message))</p>")\
    \(when: !refusal.faults.isEmpty, """
      <ul>\(refusal.faults, { "<li><a href=\"#\($0.field)\">\(language($0.message))</a></li>" })</ul>
      """)</div>
    """
}

/// Why something was not done, each thing once, where no field is marked.
package func refusalWords(_ language: Language, _ refusal: Refusal) -> HTML {
  let said = refusal.said
  return said.count == 1 ? "\(language(said[0]))" : "<ul>\(said, { "<li>\(language($0))</li>" })</ul>"
}

/// The buttons at a form's end. The first is the usual one.
package func buttons(_ labels: HTML...) -> HTML { "<p class=\"buttons\">\(labels, { $0 })</p>" }

package enum ButtonKind: String, Sendable {
  case primary, plain, danger
}

/// A button that sends its form; `name` and `value` tell several of one form apart. `confirm` is asked once more before,
/// where a script can ask.
package func button(
  _ label: String, _ kind: ButtonKind = .primary, name: String? = nil, value: String? = nil, confirm: String? = nil
) -> HTML {
  """
  <button class="\(kind.rawValue)"\(name.map { " name=\"\($0)\"" as HTML })\(value.map { " value=\"\($0)\"" as HTML })\
  \(confirm.map { " data-confirm=\"\($0)\"" as HTML })>\(label)</button>
  """
}

/// A link that looks like a button: it leads to a form and changes nothing by itself.
package func buttonLink(_ label: String, href: String, _ kind: ButtonKind = .plain) -> HTML {
  "<a class=\"button \(kind.rawValue)\" href=\"\(href)\">\(label)</a>"
}

/// One decision in a table's row: radio buttons side by side, named for the row by `label` (which only screen readers
/// read, the row shows it). `options` are value, label.
package func rowChoice(name: String, label: String, options: [(String, String)], value: String?, wrong: Bool = false)
  -> HTML
{
  """
  <fieldset class="choice\(when: wrong, " wrong")" id="\(name)" tabindex="-1"><legend class="unseen">\(label)</legend>\
  \(options, { option in
    """
    <label><input type="radio" name="\(name)" value="\(option.0)"\(when: option.0 == value, " checked")>\
    <span>\(option.1)</span></label>
    """
  })</fieldset>
  """
}

/// A short list to choose from in a table's row.
package func rowSelect(name: String, label: String, options: [(String, String)], value: String?, wrong: Bool = false)
  -> HTML
{
  """
  <select id="\(name)" name="\(name)" aria-label="\(label)"\(when: wrong, " aria-invalid=\"true\"")>\
  \(options, { "<option value=\"\($0.0)\"\(when: $0.0 == value, " selected")>\($0.1)</option>" })</select>
  """
}

/// A short text in a table's row.
package func rowText(name: String, label: String, value: String?, maxLength: Int = 200, wrong: Bool = false) -> HTML {
  """
  <input id="\(name)" name="\(name)" value="\(value ?? "")" maxlength="\(maxLength)" aria-label="\(label)"\
  \(when: wrong, " aria-invalid=\"true\"")>
  """
}

/// A tick in a table's row; a column of them gets a tick for all from the script. `name` may repeat, `value` tells.
package func rowTick(name: String, value: String, label: String, checked: Bool = false, disabled: Bool = false) -> HTML
{
  """
  <input type="checkbox" name="\(name)" value="\(value)" aria-label="\(label)"\(when: checked, " checked")\
  \(when: disabled, " disabled")>
  """
}

/// The last page before something that cannot be undone: it names what will be touched, and only then offers the
/// button. `fields` may ask for a reason.
package func confirmForm(
  _ request: Request, action: String, question: Text, touches: [HTML], fields: HTML = .nothing, button label: Text,
  cancel: String
) -> HTML {
  let t = request.language
  return """
    <section class="confirm"><h2>\(t(question))</h2>\(when: !touches.isEmpty, """
      <p>\(t("这一步会涉及：", "This will touch:"))</p><ul>\(touches, { "<li>\($0)</li>" })</ul>
      """)\(form(request, action: action, "\(fields)\(buttons(button(t(label), .danger), buttonLink(t("不，返回", "No, go back"), href: cancel)))"))</section>
    """
}

/// A form that only looks something up: its address can be kept and sent on.
package func searchForm(
  _ language: Language, action: String, query: String?, label: Text, keeping: [(String, String)] = []
) -> HTML {
  """
  <form class="search" role="search" action="\(action)"><label class="unseen" for="search-\(action)">\(language(label))</label>\
  <input id="search-\(action)" type="search" name="q" value="\(query ?? "")" maxlength="200" placeholder="\(language(label))">\
  \(keeping, { "<input type=\"hidden\" name=\"\($0.0)\" value=\"\($0.1)\">" })\
  <button>\(language("搜索", "Search"))</button></form>
  """
}
