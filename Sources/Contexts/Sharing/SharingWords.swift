package import Audit
import Kernel

extension Sharing {
  /// What this context writes into the log, in words: the titles of its own events.
  package static let words = AuditVocabulary(
    area: ("sharing", Text("共享申请与授权", "Requests and grants")),
    actions: RequestEvent.allCases.map { ("sharing.request.\($0.rawValue)", $0.title) }
      + [
        ("sharing.request.recount", Text("按新日历重新计算时限", "Due date counted anew by a new calendar")),
        ("sharing.attachment.add", Text("添加申请材料", "Material added")),
        ("sharing.attachment.remove", Text("移除申请材料", "Material removed")),
        ("sharing.grant.make", Text("签发授权", "Grant made")),
      ]
      + GrantOrder.allCases.map {
        ("sharing.grant.\($0.rawValue)", Text("\($0.title.chinese)授权", "Grant: \($0.title.english)"))
      },
    subjects: [("request", Text("共享申请", "Request")), ("grant", Text("授权", "Grant"))],
    details: [
      ("number", Text("编号", "Number")), ("state", Text("状态", "State")), ("resource", Text("信息资源", "Resource")),
      ("due", Text("办理时限", "Due")), ("words", Text("意见", "Words")), ("consumer", Text("使用部门", "Consumer")),
      ("from", Text("自", "From")), ("to", Text("至", "To")), ("items", Text("信息项", "Items")),
      ("rowFilter", Text("行范围", "Rows")),
      ("why", Text("理由", "Why")), ("purpose", Text("使用目的", "Purpose")), ("legalBasis", Text("法律依据", "Legal basis")),
      ("scene", Text("办事场景", "Scene")), ("mode", Text("共享方式", "Mode")),
      ("file", Text("文件", "File")), ("digest", Text("摘要（SM3）", "Digest (SM3)")), ("bytes", Text("字节数", "Bytes")),
      ("before", Text("原时限", "Due before")), ("calendar", Text("工作日历", "Calendar")),
    ],
    value: { detail, value in
      switch detail {
      case "state": RequestState(rawValue: value)?.title
      case "mode": SharingMode(rawValue: value)?.title
      case "items": masks(value)
      default: nil
      }
    })

  /// `uscc:none,id:keep(6,4)` in words.
  private static func masks(_ value: String) -> Text? {
    let items = value.matches(of: /([^:,]+):([^,(]+(?:\([0-9,]+\))?),?/).map { match in
      (String(match.output.1), Mask(String(match.output.2))?.title ?? Text(same: String(match.output.2)))
    }
    if items.isEmpty { return nil }
    return Text(
      items.map { "\($0.0)（\($0.1.chinese)）" }.joined(separator: "、"),
      items.map { "\($0.0) (\($0.1.english))" }.joined(separator: ", "))
  }
}
