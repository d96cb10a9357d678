package import Audit
import Kernel

extension SystemRegister {
  /// What this context writes into the log, in words.
  package static let words = AuditVocabulary(
    area: ("inventory", Text("信息系统", "Information systems")),
    actions: [
      ("inventory.system.register", Text("登记信息系统", "System registered")),
      ("inventory.system.edit", Text("修改信息系统", "System edited")),
      ("inventory.source.add", Text("添加数据源", "Source added")),
      ("inventory.source.edit", Text("修改数据源", "Source edited")),
      ("inventory.source.close", Text("关闭数据源", "Source closed")),
      ("inventory.source.probe", Text("测试连接", "Connection tested")),
      ("inventory.source.sample", Text("抽样识别字段", "Columns sampled")),
    ],
    subjects: [("system", Text("信息系统", "System")), ("source", Text("数据源", "Source"))],
    details: [
      ("number", Text("编号", "Number")), ("changed", Text("变更的字段", "Fields changed")),
      ("answered", Text("对方应答", "Answered")), ("table", Text("数据表", "Table")), ("rows", Text("行数", "Rows")),
      ("kind", Text("类型", "Kind")),
    ],
    value: { detail, value in
      switch detail {
      case "answered": value == "no" ? Text("没有应答", "It did not") : nil
      case "changed":
        Text(
          value.split(separator: " ").map { fields[String($0)]?.chinese ?? String($0) }.joined(separator: "、"),
          value.split(separator: " ").map { fields[String($0)]?.english ?? String($0) }.joined(separator: ", "))
      default: nil
      }
    })

  private static let fields: [String: Text] = [
    "name": Text("系统名称", "Name"), "function": Text("主要功能", "Function"), "scope": Text("使用范围", "Scope of use"),
    "frequency": Text("使用频度", "Frequency of use"), "approvedBy": Text("审批部门", "Approved by"),
    "approvedOn": Text("审批时间", "Approved on"), "fundSource": Text("经费来源", "Source of funds"),
    "network": Text("承载网络", "Network"), "stage": Text("系统阶段", "Stage"),
  ]
}
