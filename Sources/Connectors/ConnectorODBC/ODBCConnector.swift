package import Connecting
package import Kernel

/// A database with an ODBC driver: SQL Server, Oracle, 达梦 (DM8), and others that have no client of their own here.
package struct ODBCConnector: Connector {
  package let address: ODBCAddress

  package init(_ address: ODBCAddress) { self.address = address }

  package static let guarantee = ConnectorGuarantee(
    promise: Text(
      "每个合格行恰好送达一次：行、位点、计数和摘要在接收方的同一个事务中提交。",
      "Every good row arrives exactly once: rows, offset, counts and digest are one transaction of the target."),
    overlap: .seconds(600),
    limits: [
      Text(
        "已用真实数据库验证：PostgreSQL（psqlodbc）和 SQLite（libsqliteodbc）。SQL Server、Oracle、达梦（DM8）按其手册编写，尚未在真实服务器上验证，启用前请先试运行并核对回执。",
        "Tried against real databases: PostgreSQL (psqlodbc) and SQLite (libsqliteodbc). SQL Server, Oracle and DM8 are written by their manuals and not tried against a server yet: try a delivery and compare its receipts first."
      ),
      Text(
        "统一快照：PostgreSQL、Oracle、达梦、SQLite，以及开启了 SNAPSHOT 隔离的 SQL Server。其他情况下，读取期间提交的修改可能部分可见；generic 类型按 20,000 行分页读取，各页之间没有统一快照。",
        "One snapshot: PostgreSQL, Oracle, DM8, SQLite, and SQL Server where SNAPSHOT isolation is enabled. Elsewhere changes committed while a table is read may show in part; the generic dialect reads pages of 20,000 rows, each with its own state."
      ),
      Text(
        "增量按游标列：提交晚于其游标时间 10 分钟以上的行、被删除的行，只有下一次全量才会体现；游标为空的行每次增量都会重读。",
        "Incremental runs follow the cursor column: a row committed more than 10 minutes after its cursor's time, and a deleted row, show only in the next full run; rows without a cursor are read again every time."
      ),
      Text(
        "没有时区的时间按“无时区时间的时区”读写（默认 +08:00）；SQL Server datetime2 的第七位小数（0.1 微秒）截去。",
        "Times without a zone are read and written by the zone that was set (+08:00 by default); the seventh decimal of SQL Server's datetime2 (a tenth of a microsecond) is cut."
      ),
      Text(
        "没有无损形式的列类型在登记时指出，不能授权。",
        "Column types without a lossless form are named at registration and cannot be granted."
      ),
      Text(
        "作为接收方：主键各列合计最长 800 字节；Oracle 不区分空文本与空值，含空文本的行不能写入；SQL Server 的主键值不能以空格结尾；generic 类型只能作来源。",
        "As a target: a key has 800 bytes at most; Oracle takes empty text for NULL, so rows with one are refused; a key on SQL Server cannot end in a space; the generic dialect is a source only."
      ),
      ConnectorGuarantee.longestRow,
    ],
    readsIncrementally: true, writes: true, longestKey: 800)

  package var guarantee: ConnectorGuarantee { Self.guarantee }

  package static let kind = ConnectorKind(
    name: "odbc", title: Text("ODBC（达梦、Oracle 等）", "ODBC (DM8, Oracle …)"),
    settings: ODBCAddress.settings, guarantee: guarantee, check: { ODBCAddress.faults(in: $0) },
    nameFault: { ODBCAddress.fault(inName: $0) },
    open: { settings throws(ConnectorError) in ODBCConnector(try ODBCAddress(settings)) })

  package func probe() throws(ConnectorError) -> ConnectorProbe {
    let connection = try ODBCConnection(address)
    let rights = connection.dialect.readOnly.flatMap { (try? connection.run($0))?.first?.first ?? nil }
    return ConnectorProbe(
      product: connection.product, isProtected: connection.isProtected, isReadOnly: rights == "1")
  }

  package func tables() throws(ConnectorError) -> [TableSummary] {
    let connection = try ODBCConnection(address)
    var heads: [TableName: ODBCDetail.Head] = [:]
    for head in try ODBCDetail.tables(connection, schema: nil, table: nil) { heads[head.table] = head }
    return try ODBCTable.list(connection, schema: nil, table: nil).map { table in
      var table = table
      heads[table.name]?.apply(to: &table)
      return TableSummary(
        name: table.name, comment: table.comment, estimatedRows: table.estimatedRows, isView: table.isView)
    }
  }

  package func survey() throws(ConnectorError) -> [TableDescription] {
    try ODBCTable.survey(try ODBCConnection(address)).map(\.description)
  }

  package func describe(_ table: TableName) throws(ConnectorError) -> TableDescription {
    try ODBCTable.read(table, try ODBCConnection(address)).description
  }

  package func peek(
    _ table: TableName, _ columns: [ReadPlan.Column], rows: Int, within limit: Duration
  ) throws(ConnectorError) -> [[String?]] {
    try ODBCLook(table, address, within: limit).rows(columns, atMost: rows)
  }

  package func examine(
    _ table: TableName, columns: [String], cursor: String?, within limit: Duration
  ) throws(ConnectorError) -> TableExamination {
    try ODBCLook(table, address, within: limit).examination(columns, cursor: cursor)
  }

  package func openReader(_ plan: ReadPlan) throws(ConnectorError) -> any RowReader {
    try plan.requireNoEnd()
    return try ODBCReader(plan, address)
  }

  package func openWriter(_ plan: WritePlan) throws(ConnectorError) -> any RowWriter { try ODBCWriter(plan, address) }
}

extension ODBCAddress {
  /// Why a table or column of this name cannot be made, whichever database stands behind the driver.
  package static func fault(inName name: String) -> Text? {
    if name.utf8.count > 63 {
      return Text(
        "“\(name)”超过 63 字节（约 21 个汉字），不是每种数据库都能使用。",
        "“\(name)” is longer than 63 bytes (about 21 Chinese characters), which not every database takes.")
    }
    let isOdd = name.unicodeScalars.contains {
      $0.value < 0x20 || $0.value > 0xFFFF || "\"[]`?{}".unicodeScalars.contains($0)
    }
    if name.isEmpty || name.hasSuffix(" ") || isOdd {
      return Text(
        "“\(name)”不能作为名称：不能为空，不能以空格结尾，不能含引号、方括号、花括号、问号、控制字符和四字节字符。",
        "“\(name)” cannot be a name: not empty, no space at its end, no quotes, brackets, braces, question marks, control characters or characters beyond U+FFFF."
      )
    }
    return nil
  }
}
