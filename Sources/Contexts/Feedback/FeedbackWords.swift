package import Audit
import Inventory
import Kernel

extension Feedback {
  /// What this context writes into the log, in words.
  package static let words = AuditVocabulary(
    area: ("feedback", Text("目录反馈", "Feedback on the catalogue")),
    actions: ObjectionEvent.allCases.map { ("feedback.objection.\($0.rawValue)", $0.title) }
      + [
        ("feedback.objection.late", Text("异议办理逾期", "Objection late")),
        ("feedback.objection.recount", Text("按新日历重新计算时限", "Due date counted anew by a new calendar")),
        ("feedback.question.ask", Text("提出咨询", "Question asked")),
        ("feedback.question.answer", Text("答复咨询", "Question answered")),
        ("feedback.question.late", Text("咨询逾期未答复", "Question unanswered in time")),
        ("feedback.question.recount", Text("按新日历重新计算时限", "Due date counted anew by a new calendar")),
        ("feedback.rating.give", Text("目录评分", "Entry rated")),
      ],
    subjects: [("objection", Text("目录异议", "Objection")), ("question", Text("目录咨询", "Question"))],
    details: [
      ("number", Text("编号", "Number")), ("state", Text("状态", "State")), ("resource", Text("信息资源", "Resource")),
      ("kind", Text("异议类型", "Kind")), ("due", Text("办理时限", "Due")), ("words", Text("内容", "Words")),
      ("version", Text("版本", "Version")), ("score", Text("评分", "Score")), ("before", Text("原为", "Before")),
      ("calendar", Text("工作日历", "Calendar")),
    ],
    value: { detail, value in
      switch detail {
      case "state": ObjectionState(rawValue: value)?.title
      case "kind": CodeLists.embedded["objection-kind"].text(value)
      case "version" where value == "withdrawn": Text("已下架", "withdrawn")
      default: nil
      }
    })
}
