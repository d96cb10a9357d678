package import Connecting
import Kernel
import Remote

/// A receiving office's own system, told of rows and changes by messages over HTTP (`docs/messages.md`). It is only written
/// to: what it does with a row is its own affair.
package struct MessagesConnector: Connector {
  let target: MessagesTarget

  init(_ target: MessagesTarget) { self.target = target }

  package static let guarantee = ConnectorGuarantee(
    promise: Text(
      "每条消息是一次提交：接收系统在自己的一个事务里执行全部变更并保存位点，则每行恰好一次；否则至少一次，重复的消息编号不变，可据以去重。",
      "A message is a commit: each row arrives exactly once where the receiving system carries out a message and keeps its offset in one transaction of its own; otherwise at least once, and a message that comes again bears the same number."
    ),
    overlap: .zero,
    limits: [
      Text(
        "只能写入，不能作为数据源；不能与数据源对账，以回执为准。",
        "Written to only: it is no source of data and cannot be compared with one; receipts say what arrived."),
      Text(
        "回执中接收方一侧：全量和增量由接收系统交还的消息重新计算，实时变更由写出的消息解码计算；接收系统对每条消息都答复摘要，与写出的不符即停止。",
        "The consumer's side of a receipt: in full and incremental runs from the messages that the system gives back, in followed changes from each message as it was written; the system answers every message with its digest, and another one stops the run."
      ),
      Text(
        "行一经提交即生效；全量交付结束时才删除本次没有写入的旧行。",
        "Rows are in force as they are committed; what a full delivery did not write is removed at its end."),
      Text(
        "增量写出游标时段内的全部行，含重叠时段内未变的行；不能保留并标明删除的行，不能分段交付。",
        "Increments bear every row of the cursor's window, the unchanged ones of the overlap too; rows that go cannot be kept with a mark, and a delivery is not split."
      ),
      Text(
        "跟踪 PostgreSQL 的变更须设置 REPLICA IDENTITY FULL：日志没有的字段无处补全。",
        "Changes of a PostgreSQL table are followed with REPLICA IDENTITY FULL only: nobody could fill in what its log leaves out."
      ),
      Text("不跟随重定向，不使用代理。", "Redirects are not followed, and no proxy is used."),
    ],
    readsIncrementally: false, writes: true, merges: false, countsAtOnce: true, reads: false)

  package var guarantee: ConnectorGuarantee {
    var guarantee = Self.guarantee
    // As JSON, with its names, a row takes some three times its bytes.
    guarantee.largestBatch = target.messageBytes / 4
    return guarantee
  }

  package var declaresTypes: Bool { false }

  package func probe() throws(ConnectorError) -> ConnectorProbe {
    try MessageClient(target, RemoteCancellation()).greet()
    return ConnectorProbe(
      product: MessageFormat.name, isProtected: target.address.scheme == .https || target.address.isLoopback,
      isReadOnly: false)
  }

  package func openWriter(_ plan: WritePlan) throws(ConnectorError) -> any RowWriter {
    guard plan.table.schema == nil, MessagesTarget.tableFault(plan.table.name) == nil else {
      let fault = MessagesTarget.tableFault(plan.table.name)
      throw .contract(
        "table-name", fault?.chinese ?? "表名不带模式名。", fault?.english ?? "A table's name here has no schema.")
    }
    return MessagesWriter(plan, target, RemoteCancellation())
  }

  // MARK: What a system that only receives cannot do

  private static let writeOnly = ConnectorError.contract(
    "write-only", "该数据源只接收消息，不能读取；它有哪些表由接收系统决定。",
    "This source only receives messages and cannot be read; which tables it takes, its own system decides.")

  package func tables() throws(ConnectorError) -> [TableSummary] { throw Self.writeOnly }
  package func describe(_ table: TableName) throws(ConnectorError) -> TableDescription { throw Self.writeOnly }
  package func survey() throws(ConnectorError) -> [TableDescription] { throw Self.writeOnly }
  package func peek(
    _ table: TableName, _ columns: [ReadPlan.Column], rows: Int, within limit: Duration
  ) throws(ConnectorError) -> [[String?]] { throw Self.writeOnly }
  package func examine(
    _ table: TableName, columns: [String], cursor: String?, within limit: Duration
  ) throws(ConnectorError) -> TableExamination { throw Self.writeOnly }
  package func openReader(_ plan: ReadPlan) throws(ConnectorError) -> any RowReader { throw Self.writeOnly }
}
