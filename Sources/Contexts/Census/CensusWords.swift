package import Audit
import Kernel

extension Census {
  /// What this context writes into the log, in words.
  package static let words = AuditVocabulary(
    area: ("census", Text("六项普查", "Census")),
    actions: [
      ("census.campaign.open", Text("发起普查", "Campaign opened")),
      ("census.campaign.close", Text("结束普查", "Campaign closed")),
      ("census.campaign.recount", Text("按新日历重新计算普查期限", "Campaign's due date counted anew")),
      ("census.return.fill", Text("填写普查数据", "Numbers entered")),
      ("census.return.submit", Text("提交普查填报", "Return submitted")),
      ("census.return.recall", Text("撤回普查填报", "Return taken back")),
      ("census.return.return", Text("退回普查填报", "Return sent back")),
      ("census.return.accept", Text("验收普查填报", "Return accepted")),
    ],
    subjects: [
      ("census.campaign", Text("普查批次", "Census campaign")), ("census.return", Text("普查填报", "Census return")),
    ],
    details: [
      ("reference", Text("基准日", "Reference day")), ("due", Text("填报期限", "Due")), ("before", Text("原期限", "Due before")),
      ("calendar", Text("工作日历", "Calendar")), ("offices", Text("单位数", "Organisations")),
      ("accepted", Text("已验收", "Accepted")), ("lines", Text("行数", "Lines")),
      ("entered", Text("已填行数", "Lines entered")), ("words", Text("意见", "Words")), ("file", Text("文件", "File")),
    ])
}
