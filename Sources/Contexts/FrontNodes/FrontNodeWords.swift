package import Audit
import Kernel

extension FrontNodes {
  /// What this context writes into the log, in words.
  package static let words = AuditVocabulary(
    area: ("frontnode", Text("前置节点", "Front-end nodes")),
    actions: [("frontnode.node.ask", Text("申请前置节点", "Node asked for"))]
      + FrontNodeEvent.allCases.map {
        ("frontnode.node.\($0.rawValue)", Text("前置节点：\($0.title.chinese)", "Node: \($0.title.english.lowercased())"))
      } + [
        ("frontnode.node.renew-password", Text("更换前置库口令", "Node's password renewed")),
        ("frontnode.server.add", Text("登记前置库服务器", "Server of nodes added")),
        ("frontnode.server.edit", Text("修改前置库服务器", "Server of nodes edited")),
      ],
    subjects: [
      ("frontnode", Text("前置节点", "Front-end node")), ("frontserver", Text("前置库服务器", "Server of front-end databases")),
    ],
    details: [
      ("form", Text("形式", "Form")), ("system", Text("信息系统", "System")), ("place", Text("地址", "Place")),
      ("words", Text("意见", "Words")), ("kind", Text("类型", "Kind")),
    ],
    value: { detail, value in
      detail == "form" ? FrontNode.Form(rawValue: value)?.title : nil
    })
}
