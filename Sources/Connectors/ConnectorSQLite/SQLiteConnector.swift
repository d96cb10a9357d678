package import Connecting
import Kernel

/// One SQLite database file.
package struct SQLiteConnector: Connector {
  package let path: String
  /// What a date and time without a zone means, in seconds east of UTC. SQLite's own functions write UTC.
  package let zone: Int

  package init(path: String, zone: Int = 0) {
    self.path = path
    self.zone = zone
  }

  package static let guarantee = ConnectorGuarantee(
    promise: Text(
      "每个合格行恰好送达一次：行、位点、计数和摘要在接收方的同一个事务中提交（synchronous=FULL）。",
      "Every good row arrives exactly once: rows, offset, counts and digest are one transaction of the target (synchronous=FULL)."
    ),
    overlap: .seconds(600),
    limits: [
      Text(
        "SQLite 不强制列类型：存储类别与约定类型不符的值逐行隔离。",
        "SQLite does not hold itself to declared types: a value of another class than agreed is quarantined row by row."
      ),
      Text(
        "增量按游标列：提交晚于其游标时间 10 分钟以上的行、被删除的行，只有下一次全量才会体现。",
        "Incremental runs follow the cursor column: a row committed more than 10 minutes after its cursor's time, and a deleted row, show only in the next full run."
      ),
      Text("非 WAL 模式的源库在读取期间不能写入。", "A source that is not in WAL mode cannot be written while it is read."),
      ConnectorGuarantee.longestRow,
    ],
    readsIncrementally: true, writes: true)

  package var guarantee: ConnectorGuarantee { Self.guarantee }

  package static let kind = ConnectorKind(
    name: "sqlite", title: Text(same: "SQLite"),
    settings: [
      .init("path", Text("文件路径", "file"), example: "/srv/data/registry.db"),
      .init("zone", Text("无时区时间的时区", "zone of times without one"), required: false, example: "+00:00"),
    ],
    guarantee: guarantee,
    nameFault: { name in
      name.lowercased().hasPrefix("sqlite_")
        ? Text("“\(name)”以 sqlite_ 开头，是 SQLite 保留的名称。", "“\(name)” begins with sqlite_, which SQLite keeps for itself.")
        : nil
    },
    open: { settings throws(ConnectorError) in
      var zone = 0
      if let written = settings["zone"], !written.isEmpty {
        guard let read = WrittenTime.zone(written) else {
          throw ConnectorError(.permanent, "sqlite.zone", Text("时区应写作 +08:00。", "Write the zone as +08:00."))
        }
        zone = read
      }
      return SQLiteConnector(path: settings["path"] ?? "", zone: zone)
    })

  package func probe() throws(ConnectorError) -> ConnectorProbe {
    let connection = try SQLiteConnection(path, writes: false)
    _ = try connection.rows("SELECT count(*) FROM sqlite_master")
    let version = try connection.rows("SELECT sqlite_version()")[0][0] ?? ""
    // Opened for reading only, whatever the file's rights are.
    return ConnectorProbe(product: "SQLite \(version)", isProtected: true, isReadOnly: true)
  }

  package func tables() throws(ConnectorError) -> [TableSummary] {
    let connection = try SQLiteConnection(path, writes: false)
    let estimates = try Self.estimates(connection)
    return try connection.rows(
      """
      SELECT name, type = 'view' FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
      ORDER BY name
      """
    ).map { row in
      let name = row[0] ?? ""
      return TableSummary(name: TableName(name), estimatedRows: estimates[name], isView: row[1] == "1")
    }
  }

  /// From ANALYZE, where someone ran it.
  static func estimates(_ connection: SQLiteConnection) throws(ConnectorError) -> [String: Int] {
    guard try !connection.rows("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_stat1'").isEmpty else { return [:] }
    var counts: [String: Int] = [:]
    for row in try connection.rows("SELECT tbl, stat FROM sqlite_stat1") {
      guard let table = row[0], let count = row[1]?.split(separator: " ").first.flatMap({ Int($0) }) else { continue }
      counts[table] = max(counts[table] ?? 0, count)
    }
    return counts
  }

  package func describe(_ table: TableName) throws(ConnectorError) -> TableDescription {
    try SQLiteTable.read(table, try SQLiteConnection(path, writes: false)).description
  }

  package func survey() throws(ConnectorError) -> [TableDescription] {
    try SQLiteSurvey.read(try SQLiteConnection(path, writes: false))
  }

  package func peek(
    _ table: TableName, _ columns: [ReadPlan.Column], rows: Int, within limit: Duration
  ) throws(ConnectorError) -> [[String?]] {
    try SQLiteLook(table, path: path, zone: zone, within: limit).rows(columns, atMost: rows)
  }

  package func examine(
    _ table: TableName, columns: [String], cursor: String?, within limit: Duration
  ) throws(ConnectorError) -> TableExamination {
    try SQLiteLook(table, path: path, zone: zone, within: limit).examination(columns, cursor: cursor)
  }

  package func openReader(_ plan: ReadPlan) throws(ConnectorError) -> any RowReader {
    try plan.requireNoView()
    return try SQLiteReader(plan, try SQLiteConnection(path, writes: false), zone: zone)
  }

  package func cut(_ plan: ReadPlan, into count: Int) throws(ConnectorError) -> [[UInt8]] {
    try SQLiteCuts(plan, try SQLiteConnection(path, writes: false)).into(count)
  }

  package func openWriter(_ plan: WritePlan) throws(ConnectorError) -> any RowWriter {
    try SQLiteWriter(plan, try SQLiteConnection(path, writes: true))
  }
}
