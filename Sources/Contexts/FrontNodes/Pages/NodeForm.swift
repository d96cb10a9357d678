import Connecting
import Inventory
import Kernel
import Web

/// What an office enters to ask for a node.
enum NodeForm {
  static func render(
    _ request: Request, _ systems: [InformationSystem], _ kinds: [ConnectorKind], values: Fields, refusal: Refusal?
  ) -> Page {
    let t = request.language
    let faults = refusal?.faults ?? []
    func part(_ fields: [Field]) -> HTML { fields.map { field(t, $0, value: values, faults: faults) }.joined() }
    let none = ("", t("请选择", "Choose"))
    let what = [
      Field(
        "kind", Text("形式", "Form"), .radio(FrontNode.Form.allCases.map { ($0.rawValue, t($0.title)) }),
        hint: Text(
          "前置库由平台直接建立；前置机由运维人员准备。", "A database is made by the platform at once; a machine is prepared by the operator."
        )),
      Field(
        "system", Text("对接的信息系统", "System that works with it"),
        .choice([none] + systems.map { ($0.id.text, $0.facts.name) })),
      Field(
        "product", Text("数据库类型", "Kind of database"), .choice([none] + kinds.map { ($0.name, t($0.title)) }),
        required: false, needed: Text("申请前置库时必填", "needed for a database")),
      Field(
        "machine", Text("机器配置", "Machine"), .area(maxLength: FrontNode.Wish.machineLimit), required: false,
        hint: Text("操作系统、处理器、内存等。", "System, processors, memory."), needed: Text("申请前置机时必填", "needed for a machine")),
      Field("room", Text("业务数据空间（GB）", "Room for data (GB)"), .number(1...FrontNode.Wish.mostRoom)),
      Field(
        "area", Text("部署区域", "Area"), .choice([none] + FrontNode.Area.allCases.map { ($0.rawValue, t($0.title)) })),
      Field(
        "grade", Text("信息系统保护级别", "Protection grade of the system"),
        .choice([none] + (1...5).map { (String($0), t("第\(["一", "二", "三", "四", "五"][$0 - 1])级", "Grade \($0)")) })),
      Field("reason", Text("申请理由", "Reason"), .area(maxLength: FrontNode.Wish.reasonLimit)),
      Field(
        "until", Text("使用到", "Needed until"), .date, required: false,
        hint: Text("长期使用则不填。", "Empty where it is to stay.")),
    ]
    let who = [
      Field("contact", Text("联系人", "Contact"), .text(maxLength: FrontNode.Wish.nameLimit)),
      Field("contactPhone", Text("联系电话", "Contact's phone"), .text(maxLength: FrontNode.Wish.phoneLimit)),
      Field("technician", Text("技术负责人", "Technically responsible"), .text(maxLength: FrontNode.Wish.nameLimit)),
      Field("technicianPhone", Text("技术负责人电话", "Their phone"), .text(maxLength: FrontNode.Wish.phoneLimit)),
    ]
    let title = Text("申请前置机或前置库", "Ask for a front-end node")
    return Page(
      title, section: .systems, status: refusal?.status ?? 200, trail: [NodeListPage.section],
      body: """
        <h1>\(t(title))</h1>\(faultSummary(t, refusal))\
        \(systems.isEmpty
          ? emptyState(
            t("请先登记要对接的信息系统。", "Register the system that is to work with it first."),
            action: buttonLink(t("登记信息系统", "Register a system"), href: "/systems/new"))
          : form(request, action: FrontNodeLink.list, """
            \(formKey(request, values))\(part(what))<h2>\(t("联系方式", "Whom to ask"))</h2>\(part(who))\
            \(buttons(button(t("提交申请", "Ask")), buttonLink(t("返回", "Back"), href: FrontNodeLink.list)))
            """))
        """)
  }

  static func wish(_ form: Fields) throws -> FrontNode.Wish {
    var faults: [Refusal.Fault] = []
    guard let system = SystemID(form["system"] ?? "") else {
      throw Refusal.invalid(
        "frontnode.invalid", "system", Text("请选择对接的信息系统。", "Choose the system that works with it."))
    }
    let kind = FrontNode.Form(rawValue: form["kind"] ?? "")
    if kind == nil { faults.append(.init("kind", Text("请选择形式。", "Choose the form."))) }
    let area = FrontNode.Area(rawValue: form["area"] ?? "")
    if area == nil { faults.append(.init("area", Text("请选择部署区域。", "Choose the area."))) }
    let until = (form["until"] ?? "").isEmpty ? nil : CalendarDate(form["until"] ?? "")
    if until == nil, !(form["until"] ?? "").isEmpty {
      faults.append(.init("until", Text("日期应如 2026-12-31。", "A day is written 2026-12-31.")))
    }
    guard faults.isEmpty, let kind, let area else { throw Refusal.invalid("frontnode.invalid", faults) }
    return FrontNode.Wish(
      form: kind, area: area, system: system, reason: form["reason"] ?? "", grade: Int(form["grade"] ?? "") ?? 0,
      product: kind == .database ? form["product"] : nil, machine: kind == .machine ? form["machine"] ?? "" : nil,
      room: Int(form["room"] ?? "") ?? 0, contact: form["contact"] ?? "", contactPhone: form["contactPhone"] ?? "",
      technician: form["technician"] ?? "", technicianPhone: form["technicianPhone"] ?? "", until: until)
  }
}
