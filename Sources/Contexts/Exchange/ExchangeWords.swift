package import Audit
import Kernel

extension Exchange {
  /// What this context writes into the log, in words.
  package static let words = AuditVocabulary(
    area: ("exchange", Text("数据交换", "Exchange")),
    actions: [
      ("exchange.delivery.ask", Text("发起交换", "Delivery asked for")),
      ("exchange.delivery.start", Text("开始交换", "Delivery started")),
      ("exchange.delivery.deliver", Text("交换完成", "Delivered")),
      ("exchange.delivery.stop", Text("交换中止", "Delivery stopped")),
      ("exchange.delivery.fail", Text("交换失败", "Delivery failed")),
      ("exchange.delivery.cancel", Text("取消交换", "Delivery cancelled")),
      ("exchange.delivery.refill", Text("改为全量交换", "Delivery made a full one")),
      ("exchange.task.change", Text("修改交换任务", "Task changed")),
      ("exchange.task.pause", Text("暂停交换任务", "Task paused")),
      ("exchange.task.resume", Text("恢复交换任务", "Task resumed")),
      ("exchange.task.freeze", Text("冻结交换任务", "Task frozen")),
      ("exchange.compare.ask", Text("发起对账", "Comparison asked for")),
      ("exchange.compare.end", Text("对账结束", "Sides compared")),
      ("exchange.compare.open", Text("查看差异所在", "Differences looked at")),
      ("exchange.compare.repair", Text("按对账结果修复", "Differences mended")),
      ("exchange.source.limit", Text("设置数据源限流", "Source limited")),
      ("exchange.quarantine.hand-back", Text("退回问题行", "Bad rows handed back")),
      ("exchange.quarantine.answer", Text("更正后重新读取", "Read again after correction")),
      ("exchange.quarantine.open", Text("查看隔离的原始行", "Quarantined row opened")),
    ],
    subjects: [("delivery", Text("交换", "Delivery")), ("task", Text("交换任务", "Task"))],
    details: [
      ("mode", Text("方式", "Mode")), ("trigger", Text("由谁触发", "Set off by")), ("read", Text("读取行数", "Rows read")),
      ("delivered", Text("交付行数", "Rows delivered")), ("unchanged", Text("未变行数", "Rows unchanged")),
      ("quarantined", Text("隔离行数", "Rows quarantined")), ("stale", Text("过期行数", "Rows stale")),
      ("provider", Text("提供方回执摘要", "Digest of the provider's receipt")),
      ("consumer", Text("使用方回执摘要", "Digest of the consumer's receipt")),
      ("agrees", Text("两方回执一致", "Receipts agree")), ("disagreement", Text("不一致之处", "Disagreement")),
      ("filtered", Text("不在行范围的行数", "Rows not for this grant")), ("removed", Text("移除行数", "Rows removed")),
      ("drift", Text("结构变化时", "When the table changes")), ("start", Text("启动方式", "Started by")),
      ("window", Text("允许的时段", "Window")), ("priority", Text("优先级", "Priority")),
      ("stop", Text("停止条件", "Stops")), ("rule", Text("质量规则", "Quality rule")),
      ("column", Text("派生列", "Computed column")), ("expression", Text("表达式", "Expression")),
      ("dictionary", Text("字典", "Dictionary")),
      ("severity", Text("不合格时", "When broken")), ("item", Text("信息项", "Item")), ("fault", Text("原因", "Fault")),
      ("words", Text("意见", "Words")), ("comparing", Text("定期对账", "Compared")),
      ("parts", Text("首次全量分段数", "Parts of a first full delivery")),
      ("sourceRows", Text("来源行数", "Rows of the source")), ("targetRows", Text("目标行数", "Rows of the target")),
      ("missing", Text("缺少行数", "Rows missing")), ("extra", Text("多余行数", "Rows too many")),
      ("different", Text("不同行数", "Rows different")), ("sourceSum", Text("来源校验和", "Sum of the source")),
      ("targetSum", Text("目标校验和", "Sum of the target")),
      ("deliveries", Text("同时进行的交换数", "Deliveries at once")),
      ("rowsPerSecond", Text("每秒行数", "Rows a second")), ("bytesPerSecond", Text("每秒字节数", "Bytes a second")),
      ("reason", Text("原因", "Reason")), ("batch", Text("批次", "Batch")), ("position", Text("行序", "Row")),
    ],
    value: { detail, value in
      receiptValues["\(detail) \(value)"] ?? receiptLines["\(detail == "disagreement" ? value : "")"]
    }
  )

  /// What the lines of a receipt's canonical text are called.
  static let receiptLines: [String: Text] = [
    "sanjiang-receipt": Text("回执格式版本", "Format of the receipt"), "side": Text("出具方", "Given by"),
    "grant": Text("授权（内部编号）", "Grant (internal id)"), "run": Text("交换任务（内部编号）", "Delivery (internal id)"),
    "mode": Text("方式", "Mode"), "schema": Text("表结构摘要", "Digest of the schema"),
    "from": Text("增量起点", "Changes from"), "through": Text("增量终点", "Changes through"),
    "batches": Text("批次", "Batches"), "read": Text("读取行数", "Rows read"), "delivered": Text("送达行数", "Rows delivered"),
    "rows": Text("送达行数", "Rows delivered"), "unchanged": Text("未变行数", "Rows unchanged"),
    "quarantined": Text("隔离行数", "Rows quarantined"), "stale": Text("保留旧值的行数", "Rows kept stale"),
    "removed": Text("源中已无、从目标清除的行数", "Rows gone from the source and removed"),
    "filtered": Text("不在行范围的行数", "Rows not for this grant"),
    "without-cursor": Text("无增量标记的行数", "Rows without a change cursor"), "bytes": Text("送达字节数", "Bytes delivered"),
    "row-sum": Text("整行校验和", "Sum over the rows"), "batch-root": Text("各批总摘要", "Digest over the batches"),
    "started": Text("开始时间", "Started"), "finished": Text("结束时间", "Finished"),
  ]

  /// What codes in receipts and in the log stand for, by the line's name and the code.
  static let receiptValues: [String: Text] = [
    "side provider": Text("提供方", "Provider"), "side consumer": Text("使用方", "Consumer"),
    "mode full": Text("全量", "Full"), "mode incremental": Text("增量", "Incremental"),
    "mode changes": Text("变更捕获", "Change capture"), "trigger after": Text("前置任务完成", "Others were done"),
    "drift freeze": Text("冻结", "Freeze"), "drift retry": Text("到时再试", "Try again"),
    "severity reject": Text("隔离该行", "Quarantined"), "severity warn": Text("照常送达，计数", "Delivered and counted"),
    "removed true": Text("是", "Yes"),
    "trigger person": Text("人员", "A person"), "trigger schedule": Text("按频率自动", "Its frequency"),
    "trigger command": Text("命令行", "The command line"), "agrees true": Text("一致", "They agree"),
    "agrees false": Text("不一致", "They differ"), "comparing weekly": ComparisonRhythm.weekly.title,
    "comparing monthly": ComparisonRhythm.monthly.title, "comparing never": ComparisonRhythm.never.title,
  ]
}
