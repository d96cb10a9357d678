package import Connecting
import Kernel

/// MariaDB 10.2 and MySQL 5.7 or later, and what speaks their language and catalogue (TiDB, OceanBase in MySQL mode).
package struct MariaDBConnector: Connector {
  package let address: MariaDBAddress

  package init(_ address: MariaDBAddress) { self.address = address }

  package static let guarantee = ConnectorGuarantee(
    promise: Text(
      "每个合格行恰好送达一次：行、位点、计数和摘要在接收方的同一个 InnoDB 事务中提交。",
      "Every good row arrives exactly once: rows, offset, counts and digest are one InnoDB transaction of the target."),
    overlap: .seconds(600),
    limits: [
      Text(
        "增量按游标列：提交晚于其游标时间 10 分钟以上的行、被删除的行，只有下一次全量才会体现。",
        "Incremental runs follow the cursor column: a row committed more than 10 minutes after its cursor's time, and a deleted row, show only in the next full run."
      ),
      Text(
        "整数游标回看 10,000 个号码；自增号并发取号后迟提交超过这个范围的行同上。",
        "An integer cursor looks back 10,000 numbers; a row that commits later than that after taking its number is missed likewise."
      ),
      Text(
        "游标为空或为零日期（0000-00-00）的行每次增量都会重读。",
        "Rows whose cursor is NULL or a zero date (0000-00-00) are read again in every incremental run."),
      Text(
        "DATETIME 没有时区，按“DATETIME 的时区”读写（默认 +08:00）；TIMESTAMP 按其自身的时刻读取。",
        "DATETIME has no zone: it is read and written by the zone that was set (+08:00 by default). TIMESTAMP is read as the instant it is."
      ),
      Text(
        "跟踪变更按提交顺序，含删除；需要 MariaDB 10.5 以上、log_bin、binlog_format = ROW、binlog_row_image = FULL、binlog_row_metadata = FULL，账号有 REPLICATION SLAVE 和 BINLOG MONITOR；MySQL 不能跟踪。",
        "Following changes keeps the order of commits and carries deletes; it needs MariaDB 10.5 or later with log_bin, binlog_format = ROW, binlog_row_image = FULL and binlog_row_metadata = FULL, and an account with REPLICATION SLAVE and BINLOG MONITOR. MySQL cannot be followed."
      ),
      Text(
        "MariaDB 不为跟踪保留日志：日志按服务器自己的期限（binlog_expire_logs_seconds）清除，停读超过期限即重读全表。有级联外键、保存历史版本的表和非 InnoDB 表不能跟踪。",
        "MariaDB keeps no log for a stream: it expires by the server's own term (binlog_expire_logs_seconds), and a stream that was not read for longer reads the whole table again. Tables with cascading foreign keys or SYSTEM VERSIONING, and those not of InnoDB, cannot be followed."
      ),
      Text(
        "没有事务的表（MyISAM 等）可以读取，但同一次读取的各条语句之间没有统一快照；接收表必须是 InnoDB。",
        "Tables without transactions (MyISAM …) can be read, but no snapshot holds the statements of one read together; a target must be InnoDB."
      ),
      Text(
        "作为接收方，主键各列合计最长 768 字节；接收表除主键外不能有其他唯一索引。",
        "As a target: a key has 768 bytes at most, and the table no unique index besides its primary key."),
      Text(
        "服务器设置 innodb_flush_log_at_trx_commit 不为 1 时，断电可能丢失最后一秒的提交（行与位点一起丢失，下次重新送达）。",
        "Where innodb_flush_log_at_trx_commit is not 1, a power cut may lose the last second's commits: rows and offset together, and they are delivered again."
      ),
      Text(
        "空间类型等没有无损形式的列在登记时指出，不能授权；超过 38 位的 DECIMAL 值逐行隔离。",
        "Column types without a lossless form (geometry …) are named at registration and cannot be granted; DECIMAL values beyond 38 digits are set apart row by row."
      ),
      ConnectorGuarantee.longestRow,
    ],
    readsIncrementally: true, writes: true, followsChanges: true, longestKey: 768)

  package var guarantee: ConnectorGuarantee { Self.guarantee }

  package static let kind = ConnectorKind(
    name: "mariadb", title: Text(same: "MariaDB / MySQL"), settings: MariaDBAddress.settings, guarantee: guarantee,
    hosting: MariaDBAddress.hosting,
    check: { MariaDBAddress.faults(in: $0) }, nameFault: { MariaDBAddress.fault(inName: $0) },
    open: { settings throws(ConnectorError) in MariaDBConnector(try MariaDBAddress(settings)) })

  package func probe() throws(ConnectorError) -> ConnectorProbe {
    let connection = try MariaDBConnection(address)
    let isReplica = try connection.run("SELECT @@global.read_only")[0][0] == "1"
    let grants = try connection.run("SHOW GRANTS").compactMap { $0.first ?? nil }
    return ConnectorProbe(
      product: "\(connection.product.name) \(connection.product.version)",
      isProtected: connection.isEncrypted || address.isLocal,
      isReadOnly: MariaDBGrants.onlyRead(grants, onReplica: isReplica))
  }

  package func tables() throws(ConnectorError) -> [TableSummary] {
    try survey().map {
      TableSummary(name: $0.name, comment: $0.comment, estimatedRows: $0.estimatedRows, isView: $0.isView)
    }
  }

  package func survey() throws(ConnectorError) -> [TableDescription] {
    let connection = try MariaDBConnection(address)
    let database = MariaDBQuote.text(address.database)
    let tables = try MariaDBTable.read(connection, "TABLE_SCHEMA = \(database)", schema: nil)
    // A table or view of which no column can be seen is one that may not be read.
    return tables.filter { !$0.columns.isEmpty }.map(\.description).sorted { $0.name.name < $1.name.name }
  }

  package func peek(
    _ table: TableName, _ columns: [ReadPlan.Column], rows: Int, within limit: Duration
  ) throws(ConnectorError) -> [[String?]] {
    try MariaDBLook(table, address, within: limit).rows(columns, atMost: rows)
  }

  package func examine(
    _ table: TableName, columns: [String], cursor: String?, within limit: Duration
  ) throws(ConnectorError) -> TableExamination {
    try MariaDBLook(table, address, within: limit).examination(columns, cursor: cursor)
  }

  package func describe(_ table: TableName) throws(ConnectorError) -> TableDescription {
    try MariaDBTable.read(table, MariaDBConnection(address)).description
  }

  package func openReader(_ plan: ReadPlan) throws(ConnectorError) -> any RowReader {
    try plan.requireNoView()
    return try MariaDBReader(plan, address)
  }

  package func cut(_ plan: ReadPlan, into count: Int) throws(ConnectorError) -> [[UInt8]] {
    try MariaDBCuts(plan, address).into(count)
  }

  package func openWriter(_ plan: WritePlan) throws(ConnectorError) -> any RowWriter {
    try MariaDBWriter(plan, address)
  }

  package func openChanges(_ plan: ChangePlan, after position: [UInt8]?) throws(ConnectorError) -> any ChangeReader {
    try MariaDBChangeReader(plan, after: position, address)
  }

  package func openBatchReader(_ plan: WritePlan) throws(ConnectorError) -> (any BatchReader)? {
    try MariaDBBatchReader(plan, address)
  }
}

/// What `SHOW GRANTS` says of an account.
enum MariaDBGrants {
  private static let harmless: Set<String> = [
    "USAGE", "SELECT", "SHOW VIEW", "SHOW DATABASES", "PROCESS", "LOCK TABLES", "REPLICATION CLIENT",
    "REPLICATION SLAVE", "BINLOG MONITOR", "SLAVE MONITOR", "REPLICA MONITOR", "CREATE TEMPORARY TABLES",
  ]
  private static let aboveReplica: Set<String> = [
    "ALL PRIVILEGES", "ALL", "SUPER", "READ_ONLY ADMIN", "READ ONLY ADMIN", "CONNECTION_ADMIN",
  ]

  /// False where it is not certain: of a role's rights only the role's name may show.
  static func onlyRead(_ lines: [String], onReplica: Bool) -> Bool {
    var rights: Set<String> = []
    for line in lines {
      guard line.hasPrefix("GRANT "), let end = line.firstRange(of: " ON ") else {
        if line.hasPrefix("GRANT ") { rights.insert("a role") }
        continue
      }
      rights.formUnion(privileges(line[line.index(line.startIndex, offsetBy: 6)..<end.lowerBound]))
    }
    return onReplica ? rights.isDisjoint(with: aboveReplica) : rights.isSubset(of: harmless)
  }

  /// `SELECT (a, b), INSERT` without the columns.
  private static func privileges(_ list: Substring) -> [String] {
    var (names, name, depth) = ([String](), "", 0)
    for character in list {
      switch character {
      case "(": depth += 1
      case ")": depth -= 1
      case "," where depth == 0:
        names.append(name)
        name = ""
      default: if depth == 0 { name.append(character) }
      }
    }
    return (names + [name]).map { text in
      var text = text[...]
      while text.first == " " { text = text.dropFirst() }
      while text.last == " " { text = text.dropLast() }
      return text.uppercased()
    }
  }
}
