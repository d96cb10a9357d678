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
      ("inventory.source.probe", Text("测试连接", "Connection tested")),
      ("inventory.source.sample", Text("抽样识别字段", "Columns sampled")),
    ],
    subjects: [("system", Text("信息系统", "System")), ("source", Text("数据源", "Source"))],
    details: [
      ("number", Text("编号", "Number")), ("changed", Text("变更的字段", "Fields changed")),
      ("answered", Text("对方应答", "Answered")), ("table", Text("数据表", "Table")), ("rows", Text("行数", "Rows")),
      ("kind", Text("类型", "Kind")),
    ])
}
