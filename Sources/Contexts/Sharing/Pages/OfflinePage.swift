import Catalog
import Kernel
import Web

/// Instead of the form to ask for a resource that is offline: since when, what that means, and whom to ask.
enum OfflinePage {
  static func render(_ request: Request, _ resource: Resource, since: Instant?, entered: Fields) -> Page {
    let t = request.language
    let name = resource.metadata.name
    // What was typed before it went offline is not to be lost.
    let typed = [
      ("purpose", Text("使用目的", "Purpose")), ("legalBasis", Text("法律依据", "Legal basis")),
      ("scene", Text("办事场景", "Scene")),
    ].compactMap { field, title in entered[field].map { (t(title), "\($0)" as HTML) } }
    return Page(
      Text("已下架，不能申请", "Offline: it cannot be asked for"), section: .requests, status: 409,
      trail: [RequestPages.section],
      body: """
        <h1>\(name)\(t.colon)\(t("已下架，不能申请", "offline, it cannot be asked for"))</h1>\
        \(note(.soon, "<p>\(t("下架期间不能申请，已有的申请和授权保留；重新上线后可以申请。", "While it is offline nobody can ask for it; requests and grants that are there stay. It can be asked for when it is back."))</p>"))\
        \(facts([
          (t("下架时间", "Offline since"), since.map { time($0) } ?? "—"),
          (t("提供部门", "Provider"), link(resource.providerName, "/organisations/\(resource.provider)")),
          (t("向谁询问", "Whom to ask"), "\(t("\(resource.providerName)的数据管理员", "The data officer of \(resource.providerName)"))"),
        ]))\
        \(when: !typed.isEmpty, panel(t("您填写的内容没有提交", "What you wrote was not sent"), facts(typed)))\
        \(buttons(
          buttonLink(t("查看目录", "Show the entry"), href: "/catalog/resources/\(resource.id)", .primary),
          buttonLink(t("查找别的资源", "Find another resource"), href: "/catalog")))
        """)
  }
}
