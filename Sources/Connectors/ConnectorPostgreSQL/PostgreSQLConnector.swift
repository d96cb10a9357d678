package import Connecting
import Kernel

/// Where a PostgreSQL database is: a `postgres://` address or libpq's `host=… dbname=…`, several hosts allowed.
package struct PostgreSQLAddress: Hashable, Sendable {
  package var address: String
  package var password: String?
  /// What a `timestamp without time zone` means, in seconds east of UTC.
  package var zone: Int

  package init(address: String, password: String? = nil, zone: Int = SettingRules.usualZone) {
    self.address = address
    self.password = password
    self.zone = zone
  }
}

/// PostgreSQL 12 or later (and what speaks its protocol and catalogue), read and written by binary COPY.
package struct PostgreSQLConnector: Connector {
  package let address: PostgreSQLAddress

  package init(_ address: PostgreSQLAddress) { self.address = address }

  package static let guarantee = ConnectorGuarantee(
    promise: Text(
      "每个合格行恰好送达一次：行、位点、计数和摘要在接收方的同一个事务中提交。",
      "Every good row arrives exactly once: rows, offset, counts and digest are one transaction of the target."),
    overlap: .seconds(600),
    limits: [
      Text(
        "增量按游标列：提交晚于其游标时间 10 分钟以上的行、被删除的行，只有下一次全量才会体现。",
        "Incremental runs follow the cursor column: a row committed more than 10 minutes after its cursor's time, and a deleted row, show only in the next full run."
      ),
      Text(
        "整数游标回看 10,000 个号码；序列号并发取号后迟提交超过这个范围的行同上。",
        "An integer cursor looks back 10,000 numbers; a row that commits later than that after taking its number is missed likewise."
      ),
      Text(
        "跟踪变更按提交顺序，含删除；需要 wal_level = logical、REPLICATION 权限和表的所有权，源数据库为此保留日志，超过上限即放弃并重读全表。",
        "Following changes keeps the order of commits and carries deletes; it needs wal_level = logical, REPLICATION and ownership of the table. The source keeps its log for it; beyond a cap the stream is given up and the table read again."
      ),
      Text("游标为空的行每次增量都会重读。", "Rows without a cursor value are read again in every incremental run."),
      Text(
        "不支持的列类型（数组、区间、几何等）在登记时指出，不能授权。",
        "Column types without a lossless form (arrays, ranges, geometry …) are named at registration and cannot be granted."
      ),
      ConnectorGuarantee.longestRow,
    ],
    readsIncrementally: true, writes: true, followsChanges: true, longestKey: 2_600)

  package var guarantee: ConnectorGuarantee { Self.guarantee }

  package static let kind = ConnectorKind(
    name: "postgresql", title: Text(same: "PostgreSQL"),
    settings: [
      .init("address", Text("地址", "address"), example: "postgres://reader@10.1.2.3:5432/registry?sslmode=verify-full"),
      .init("password", Text("口令", "password"), secret: true, required: false),
      .init("zone", Text("无时区时间的时区", "zone of times without one"), required: false, example: "+08:00"),
    ],
    guarantee: guarantee,
    hosting: PostgreSQLAddress.hosting,
    check: { settings in
      PostgreSQLAddress.fault(in: settings["address"] ?? "").map { [("address", $0)] } ?? []
    },
    nameFault: { PostgreSQLAddress.fault(inName: $0) },
    open: { settings throws(ConnectorError) in
      var zone = SettingRules.usualZone
      if let written = settings["zone"], !written.isEmpty {
        guard let read = WrittenTime.zone(written) else {
          throw ConnectorError(
            .permanent, "postgresql.zone", Text("时区应写作 +08:00。", "Write the zone as +08:00."))
        }
        zone = read
      }
      let password = settings["password"].flatMap { $0.isEmpty ? nil : $0 }
      return PostgreSQLConnector(
        PostgreSQLAddress(address: settings["address"] ?? "", password: password, zone: zone))
    })

  package func openView() throws(ConnectorError) -> (any SourceView)? { try PostgreSQLView.open(address) }

  package func probe() throws(ConnectorError) -> ConnectorProbe {
    let connection = try PostgreSQLConnection(address)
    let version = try connection.run("SELECT current_setting('server_version')")[0][0] ?? ""
    let rights = try connection.run(
      """
      SELECT (current_setting('default_transaction_read_only') = 'on') OR pg_is_in_recovery() OR NOT (
        (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
        OR has_database_privilege(current_database(), 'CREATE')
        OR EXISTS (SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
          WHERE c.relkind IN ('r', 'p') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
          AND has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')))
      """)[0][0]
    return ConnectorProbe(
      product: "PostgreSQL \(version.split(separator: " ").first ?? "")",
      isProtected: connection.isEncrypted || connection.isLocal, isReadOnly: rights == "t")
  }

  package func tables() throws(ConnectorError) -> [TableSummary] {
    let connection = try PostgreSQLConnection(address)
    return try connection.run("SELECT \(PostgreSQLSurvey.head) \(PostgreSQLSurvey.readable)").map {
      PostgreSQLSurvey.summary(from: $0)
    }
  }

  package func survey() throws(ConnectorError) -> [TableDescription] {
    try PostgreSQLSurvey.read(try PostgreSQLConnection(address))
  }

  package func peek(
    _ table: TableName, _ columns: [ReadPlan.Column], rows: Int, within limit: Duration
  ) throws(ConnectorError) -> [[String?]] {
    try PostgreSQLLook(table, address, within: limit).rows(columns, atMost: rows)
  }

  package func examine(
    _ table: TableName, columns: [String], cursor: String?, within limit: Duration
  ) throws(ConnectorError) -> TableExamination {
    try PostgreSQLLook(table, address, within: limit).examination(columns, cursor: cursor)
  }

  package func describe(_ table: TableName) throws(ConnectorError) -> TableDescription {
    let connection = try PostgreSQLConnection(address)
    return try PostgreSQLTable.read(table, connection).description
  }

  package func openReader(_ plan: ReadPlan) throws(ConnectorError) -> any RowReader {
    try PostgreSQLReader(plan, address)
  }

  package func cut(_ plan: ReadPlan, into count: Int) throws(ConnectorError) -> [[UInt8]] {
    try PostgreSQLCuts(plan, address).into(count)
  }

  package func openWriter(_ plan: WritePlan) throws(ConnectorError) -> any RowWriter {
    try PostgreSQLWriter(plan, address)
  }

  package func openChanges(_ plan: ChangePlan, after position: [UInt8]?) throws(ConnectorError) -> any ChangeReader {
    try PostgreSQLChangeReader(plan, after: position, address)
  }

  package func changeBacklog(_ stream: String) throws(ConnectorError) -> ChangeBacklog? {
    try PostgreSQLSlot(stream: stream).backlog(try PostgreSQLConnection(address))
  }

  package func endChanges(_ stream: String) throws(ConnectorError) {
    try PostgreSQLSlot(stream: stream).drop(try PostgreSQLConnection(address))
  }

  package func openBatchReader(_ plan: WritePlan) throws(ConnectorError) -> (any BatchReader)? {
    try PostgreSQLBatchReader(plan, address)
  }
}
