package import Audit
import Kernel

extension Cataloguing {
  /// What this context writes into the log, in words.
  package static let words = AuditVocabulary(
    area: ("catalog", Text("资源目录", "Catalogue")),
    actions: [
      ("catalog.draft.begin", Text("新建目录条目", "Entry begun")), ("catalog.draft.edit", Text("编制目录条目", "Entry edited")),
      ("catalog.version.begin", Text("新建版本", "Version begun")),
      ("catalog.version.submit", Text("提交审核", "Submitted for review")),
      ("catalog.version.recall", Text("撤回送审", "Recalled")), ("catalog.version.return", Text("退回修改", "Returned")),
      ("catalog.version.approve", Text("审核通过", "Approved")), ("catalog.version.publish", Text("发布", "Published")),
      ("catalog.version.supersede", Text("被新版本取代", "Superseded")),
      ("catalog.version.withdraw", Text("下架", "Withdrawn")),
      ("catalog.version.discard", Text("放弃草稿", "Discarded")),
      ("catalog.attachment.add", Text("添加附件", "File attached")),
      ("catalog.attachment.remove", Text("移除附件", "Attachment removed")),
      ("catalog.import", Text("批量导入目录", "Entries imported")),
      ("catalog.version.recount", Text("按新日历重新计算时限", "Due date counted anew by a new calendar")),
      ("catalog.class.add", Text("新增本地分类", "Local class added")),
      ("catalog.class.change", Text("变更本地分类", "Local class changed")),
      ("catalog.class.retire", Text("停用分类", "Class retired")),
      ("catalog.move.entry", Text("迁入目录条目", "Entry moved in")),
      ("catalog.move.run", Text("迁入原目录系统", "Catalogue moved in")),
    ] + OnlineEvent.allCases.map { ("catalog.\($0.rawValue)", $0.title) },
    subjects: [
      ("resource", Text("信息资源", "Resource")), ("import", Text("导入的文件或批次（摘要）", "File or batch imported (its digest)")),
      ("class", Text("资源分类", "Class")), ("catalog-move", Text("目录迁入", "Moving in")),
    ],
    details: [
      ("after", Text("现名称", "Name now")), ("from", Text("自", "From")), ("national", Text("对应国家分类", "National class")),
      ("use", Text("使用范围", "For")), ("successor", Text("后继分类", "Successor")), ("source", Text("原系统", "Source system")),
      ("old", Text("原编号", "Old id")), ("moved", Text("迁入", "Moved in")), ("changed", Text("更新", "Changed")),
      ("findings", Text("问题", "Findings")),
      ("version", Text("版本", "Version")), ("code", Text("资源代码", "Code")), ("words", Text("意见", "Words")),
      ("due", Text("办理时限", "Due")), ("before", Text("原时限", "Due before")), ("calendar", Text("工作日历", "Calendar")),
      ("import", Text("导入自", "Imported from")), ("change", Text("变更原因", "Why it changed")),
      ("trigger", Text("触发日期", "Day of what made it necessary")), ("notes", Text("逐项意见", "Notes at elements")),
      ("file", Text("文件", "File")),
      ("digest", Text("摘要（SM3）", "Digest (SM3)")),
      ("bytes", Text("字节数", "Bytes")),
      ("created", Text("新建", "Created")),
      ("updated", Text("更新", "Updated")), ("unchanged", Text("未变", "Unchanged")), ("refused", Text("未导入", "Refused")),
    ])
}
