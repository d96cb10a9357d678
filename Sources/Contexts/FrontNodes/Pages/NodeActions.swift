import Kernel
import Web

/// What the visitor may do to a node now.
enum NodeActions {
  /// `isNext` where the node waits for just that; otherwise it stands at the page's end.
  static func html(
    _ request: Request, _ view: FrontNodes.View, entered: Fields, faults: [Refusal.Fault]
  ) -> (html: HTML, isNext: Bool) {
    let isNext: Bool =
      switch view.node.state {
      case .asked, .approved, .allotted, .returning: true
      case .refused, .withdrawn, .used, .reclaimed, .erased: false
      }
    return (all(request, view, entered, faults), isNext)
  }

  private static func all(
    _ request: Request, _ view: FrontNodes.View, _ entered: Fields, _ faults: [Refusal.Fault]
  ) -> HTML {
    let (t, node) = (request.language, view.node)
    let manages = request.principal?.may(.frontNodesManage) ?? false
    let isOwn = request.principal.map { $0.may(.frontNodesAsk) && $0.organisation == node.owner } ?? false
    func step(_ event: String, _ body: HTML, confirm: Text? = nil) -> HTML {
      form(
        request, action: "\(FrontNodeLink.node(node.id))/\(event)", confirm: confirm,
        "<input type=\"hidden\" name=\"version\" value=\"\(node.version)\">\(body)")
    }
    func words(_ label: Text, required: Bool, id: String) -> HTML {
      field(t, Field("words", label, .text(maxLength: 500), required: required, id: id), value: entered, faults: faults)
    }
    switch node.state {
    case .asked where manages:
      return panel(
        t("审核", "Review"),
        step(
          "decide",
          """
          \(words(Text("意见", "Words"), required: false, id: "words"))\
          \(buttons(button(t("通过", "Approve"), name: "decision", value: "approve"), button(t("不通过", "Refuse"), .danger, name: "decision", value: "refuse")))
          """))
    case .asked where isOwn, .approved where isOwn && node.allotment == nil:
      return step(
        "withdraw", buttons(button(t("撤回申请", "Withdraw"), .plain)), confirm: Text("撤回这份申请？", "Withdraw this request?"))
    case .approved where manages: return panel(t("分配", "Allot"), allotting(request, view, step, entered, faults))
    case .allotted where isOwn:
      return panel(
        t("签收", "Sign for it"),
        """
        <p>\(t("签收后显示一次口令，请准备好保管的地方。", "The password is shown once after signing; have a place ready for it."))</p>\
        \(step("sign", buttons(button(t("签收并显示口令", "Sign and show the password")))))
        """)
    case .used where isOwn:
      return details(
        t("退回或更换口令", "Give back, or renew the password"),
        """
        \(when: node.source != nil, step("renew-password", "<p>\(t("口令遗失时更换：旧口令立即失效，新口令显示一次，平台的数据源同时更新。", "Where the password was lost: the old one ends at once, the new one is shown once, and the platform's data source follows."))</p>\(buttons(button(t("更换口令", "Renew the password"), .plain)))", confirm: Text("更换口令？旧口令立即失效。", "Renew the password? The old one ends at once.")))\
        \(step("give-back", "\(words(Text("退回原因", "Why it is given back"), required: true, id: "words"))\(buttons(button(t("申请退回", "Give back"), .danger)))"))
        """)
    case .allotted where manages, .used where manages, .returning where manages:
      let body = step(
        "reclaim",
        """
        <p>\(node.allotment?.server == nil ? t("请先在机器或服务器上停用账号，再登记回收。", "Close the account on the machine or server first, then enter it here.") : t("账号立即停用，部门的数据源关闭，数据保留 \(FrontNodes.keptDays) 天。", "The account ends at once, the office's data source is closed, the data is kept for \(FrontNodes.keptDays) days."))</p>\
        \(words(Text("说明", "Words"), required: node.state == .used, id: "words"))\(buttons(button(t("回收", "Take back"), .danger)))
        """, confirm: Text("回收这个前置节点？", "Take this node back?"))
      return node.state == .returning ? panel(t("回收", "Take back"), body) : details(t("回收", "Take back"), body)
    case .reclaimed where manages:
      return details(
        t("清除数据", "Erase the data"),
        step(
          "erase",
          """
          <p>\(node.allotment?.server == nil ? t("请先在机器或服务器上清除数据，再登记。", "Erase the data on the machine or server first, then enter it here.") : t("库和账号从服务器上删除，不能恢复。", "Database and account are removed from the server for good."))</p>\
          \(words(Text("提前清除的原因", "Why before its time"), required: false, id: "words"))\(buttons(button(t("清除", "Erase"), .danger)))
          """, confirm: Text("清除后不能恢复。继续？", "This cannot be undone. Go on?")))
    default: return .nothing
    }
  }

  static func check(_ request: Request, _ node: FrontNode) -> HTML {
    form(
      request, action: "\(FrontNodeLink.node(node.id))/check",
      button(request.language("立即检查", "Check now"), .plain))
  }

  /// On a server of the platform's, or by hand.
  private static func allotting(
    _ request: Request, _ view: FrontNodes.View, _ step: (String, HTML, Text?) -> HTML, _ entered: Fields,
    _ faults: [Refusal.Fault]
  ) -> HTML {
    let (t, node) = (request.language, view.node)
    let begun = node.allotment?.server
    let choices = view.servers.map { server in
      (
        server.id.text,
        t(
          "\(server.name)（\(server.area.title.chinese)，\(server.nodes) 个库）",
          "\(server.name) (\(server.area.title.english), \(server.nodes) databases)")
      )
    }
    var values = entered
    if let begun { values.pairs.append(("server", begun.text)) }
    let made: HTML =
      choices.isEmpty
      ? "<p>\(t("没有可以自动建库的服务器。", "No server is registered that can host it."))</p>"
      : step(
        "allot",
        """
        \(field(t, Field("server", Text("服务器", "Server"), .choice([("", t("请选择", "Choose"))] + choices), hint: Text("平台在其上建库、建账号，口令自动生成，没有人看到。", "The platform makes database and account there, with a password that nobody sees.")), value: values, faults: faults))\
        \(buttons(button(begun == nil ? t("建库并分配", "Make and allot") : t("继续分配", "Go on allotting"))))
        """, nil)
    let isMachine = node.wish.form == .machine
    let hand = [
      Field(
        "place", Text("地址", "Place"), .text(maxLength: 260),
        hint: Text("主机:端口，如 10.1.2.3:5432", "host:port, such as 10.1.2.3:5432")),
      Field("database", Text("库名", "Database"), .text(maxLength: 64), required: false),
      Field("account", Text("账号", "Account"), .text(maxLength: 64)),
      Field(
        "password", Text("口令", "Password"), .newPassword,
        hint: Text("加密保存，签收时显示一次。", "Kept sealed; shown once when it is signed for.")),
    ].filter { !isMachine || $0.name != "database" }
    let byHand = step(
      "allot-by-hand",
      "\(hand.map { field(t, $0, value: entered, faults: faults) }.joined())\(buttons(button(t("登记并分配", "Enter and allot"))))",
      nil)
    guard !isMachine else { return byHand }
    return
      "\(made)\(when: begun == nil, details(t("改为登记已建好的库", "Enter one that was made by hand"), open: !(entered["place"] ?? "").isEmpty, byHand))"
  }
}
