package import Audit
import Kernel

extension Mounting {
  /// What this context writes into the log, in words.
  package static let words = AuditVocabulary(
    area: ("mounting", Text("挂接", "Mounting")),
    actions: [
      ("mounting.tie.make", Text("建立挂接", "Tied")), ("mounting.tie.end", Text("取消挂接", "Tie given up")),
      ("mounting.tie.work", Text("挂接检测通过", "Mount works")), ("mounting.tie.fail", Text("挂接失效", "Mount fails")),
      ("mounting.tie.late", Text("逾期未更新", "Update overdue")), ("mounting.tie.update", Text("恢复更新", "Updated again")),
      ("mounting.survey.read", Text("读取表结构", "Schema read")),
      ("mounting.survey.change", Text("表结构有变化", "Schema changed")),
      ("mounting.change.take", Text("变化已纳入新版本", "Change taken over")),
      ("mounting.change.dismiss", Text("变化不影响目录", "Change of no matter")),
      ("mounting.draft.ask", Text("批量生成草稿", "Drafts asked for")),
    ],
    subjects: [("tie", Text("挂接", "Mount"))],
    details: [
      ("kind", Text("方式", "Kind")), ("before", Text("原状态", "State before")), ("fault", Text("原因", "Fault")),
      ("until", Text("应更新日期", "Due")), ("tables", Text("表数", "Tables")), ("changed", Text("变化的表数", "Tables changed")),
      ("table", Text("表", "Table")), ("reason", Text("理由", "Reason")),
    ],
    value: { detail, value in
      switch detail {
      case "kind": Tie.Kind(rawValue: value)?.title
      case "before": Tie.State(rawValue: value)?.title
      case "fault": Tie.Fault.title(of: value)
      default: nil
      }
    })
}
