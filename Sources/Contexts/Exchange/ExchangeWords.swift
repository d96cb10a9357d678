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
      ("exchange.quarantine.open", Text("查看隔离的原始行", "Quarantined row opened")),
    ],
    subjects: [("delivery", Text("交换任务", "Delivery"))],
    details: [
      ("mode", Text("方式", "Mode")), ("trigger", Text("由谁触发", "Set off by")), ("read", Text("读取行数", "Rows read")),
      ("delivered", Text("交付行数", "Rows delivered")), ("unchanged", Text("未变行数", "Rows unchanged")),
      ("quarantined", Text("隔离行数", "Rows quarantined")), ("stale", Text("过期行数", "Rows stale")),
      ("provider", Text("提供方回执摘要", "Digest of the provider's receipt")),
      ("consumer", Text("使用方回执摘要", "Digest of the consumer's receipt")),
      ("agrees", Text("两方回执一致", "Receipts agree")), ("disagreement", Text("不一致之处", "Disagreement")),
      ("reason", Text("原因", "Reason")), ("batch", Text("批次", "Batch")), ("position", Text("行序", "Row")),
    ])
}
