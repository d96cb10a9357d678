import Kernel
import Web

/// What was written in a form whose session had ended: shown to its writer, who sends it again or not.
enum KeptFormPage {
  static func render(_ request: Request, _ kept: KeptForm, fields: Fields, actingFor: String?) -> Page {
    let t = request.language
    let title = Text("您刚才填写的内容还在", "What you wrote is still here")
    let written = written(fields)
    let origin = localAddress(fields[KeptFormField.page])
    return Page(
      title,
      body: """
        <p>\(t("提交时登录已过期，所以没有办理。下面的内容原样保留到 \(kept.until.minuteInChina)，只有您能看到。", "You were signed out when you sent it, and nothing was done. It is kept as it was until \(kept.until.minuteInChina), for you alone."))</p>\
        \(when: origin != "/", "<p>\(t("填写的页面", "The page"))\(t.colon)\(link(origin, origin))</p>")\
        \(when: !written.isEmpty, details(t("填写的内容", "What was written"), open: true, "<ul>\(written, { "<li>\($0)</li>" })</ul>"))\
        \(sending(request, kept, fields, actingFor))\
        \(form(request, action: "/account/kept/\(kept.id)/discard", buttons(button(t("不需要了，删除", "I do not need it: delete it"), .plain))))
        """)
  }

  /// One button that sends it as it was, in the name in which it was written; under another name that is changed first.
  private static func sending(_ request: Request, _ kept: KeptForm, _ fields: Fields, _ actingFor: String?) -> HTML {
    let t = request.language
    if request.principal?.onBehalfOf == kept.actingFor {
      return form(
        request, action: kept.address,
        """
        <input type="hidden" name="\(KeptFormField.id)" value="\(kept.id)">\
        \(fields.pairs, { "<input type=\"hidden\" name=\"\($0.name)\" value=\"\($0.value)\">" })\
        \(buttons(button(t("再次提交", "Send it again"))))
        """)
    }
    let (words, label) =
      if let actingFor {
        (
          Text(
            "这是您代理\(actingFor)时填写的，须先代理\(actingFor)再提交。",
            "You wrote this acting for \(actingFor): act for \(actingFor) first, then send it."),
          Text("代理\(actingFor)", "Act for \(actingFor)")
        )
      } else {
        (
          Text(
            "这是您以自己的名义填写的，须先停止代理再提交。", "You wrote this in your own name: stop acting for another first, then send it."),
          Text("停止代理", "Stop acting")
        )
      }
    return note(
      .soon,
      """
      <p>\(t(words))</p>\
      \(form(request, action: "/account/act", """
        <input type="hidden" name="for" value="\(kept.actingFor?.text ?? "")">\
        <input type="hidden" name="next" value="/account/kept/\(kept.id)">\(buttons(button(t(label), .plain)))
        """))
      """)
  }

  /// What a person wrote, by which he knows the form again, each thing once: not what the form carries for the program. At
  /// most 40, each cut to 300 characters.
  private static func written(_ fields: Fields) -> [String] {
    var seen: Set<String> = []
    return fields.pairs.filter { name, value in
      let own = String(name.split(separator: ".").last ?? "")
      return !unwritten.contains(own) && !isIdentifier(value) && value.contains { !$0.isWhitespace }
        && seen.insert(value).inserted
    }.prefix(40).map { $0.value.count > 300 ? $0.value.prefix(300) + "…" : $0.value }
  }

  /// Fields that nobody writes into, by the last part of their names: what a page knew when it was shown, which of its
  /// buttons was pressed and where it leads.
  private static let unwritten: Set<String> = [
    KeptFormField.page, "base", "revision", "version", "form", "id", "next", "seen", "event", "position", "part",
    "batch", "view", "schema", "answering", "follows", "active",
  ]

  /// `019c0000-0000-7000-8000-000000000000`, alone or in a list of them with what belongs to each.
  private static func isIdentifier(_ value: String) -> Bool {
    value.prefix(36).count == 36 && value.prefix(36).allSatisfy { $0.isHexDigit || $0 == "-" }
  }
}
