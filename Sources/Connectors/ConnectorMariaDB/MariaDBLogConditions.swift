import Connecting
import Kernel

/// What a server and a table must be for the table's changes to be followed, looked at whenever a stream is opened and
/// whenever its table is altered.
struct MariaDBLogConditions {
  let plan: ChangePlan
  let connection: MariaDBConnection

  /// The table as it is now.
  @discardableResult
  func check() throws(ConnectorError) -> MariaDBTable {
    try checkServer()
    try checkFilters()
    return try checkTable()
  }

  // MARK: The server

  private func checkServer() throws(ConnectorError) {
    guard connection.product.isMariaDB, connection.product.isAtLeast(10, 5) else {
      throw .contract(
        "changes-product", "只能跟踪 MariaDB 10.5 及以上版本的变更。",
        "Changes can be followed in MariaDB 10.5 and later only.")
    }
    let settings = try connection.run(
      """
      SELECT @@log_bin, @@global.binlog_format, @@global.binlog_row_image, @@global.binlog_row_metadata, \
      @@log_slave_updates, @@global.gtid_slave_pos
      """)[0]
    let wanted = [
      ("log_bin", "1", "ON"), ("binlog_format", "ROW", "ROW"), ("binlog_row_image", "FULL", "FULL"),
      ("binlog_row_metadata", "FULL", "FULL"),
    ]
    for (place, (name, value, written)) in wanted.enumerated() where settings[place] != value {
      throw .contract(
        "changes-\(name.replacing("_", with: "-"))", "源数据库须设置 \(name) = \(written) 才能跟踪变更。",
        "The source must be set to \(name) = \(written) before its changes can be followed.")
    }
    let isCluster = try connection.run("SHOW VARIABLES LIKE 'wsrep_on'").first?[1] == "ON"
    guard settings[4] == "1" || (settings[5] == "" && !isCluster) else {
      throw .contract(
        "changes-log-slave-updates", "源数据库是从库或集群节点，须设置 log_slave_updates = ON，日志才含复制来的变更。",
        "The source is a replica or a cluster's node: its log bears what it receives only with log_slave_updates = ON.")
    }
  }

  /// Databases that the log leaves out.
  private func checkFilters() throws(ConnectorError) {
    guard let status = try Self.status(connection).first, status.count >= 4 else { return }
    func names(_ list: String?) -> [Substring] { (list ?? "").split(separator: ",") }
    let (taken, left) = (names(status[2]), names(status[3]))
    let database = plan.table.schema ?? connection.address.database
    guard taken.isEmpty || taken.contains(database[...]), !left.contains(database[...]) else {
      throw .contract(
        "changes-filtered", "库“\(database)”被 binlog_do_db / binlog_ignore_db 排除在变更日志之外。",
        "The database “\(database)” is kept out of the log by binlog_do_db or binlog_ignore_db.")
    }
  }

  static var rightMissing: ConnectorError {
    .contract(
      "changes-right", "账号无权跟踪变更：需要 REPLICATION SLAVE 和 BINLOG MONITOR 权限。",
      "The account may not follow changes: it needs REPLICATION SLAVE and BINLOG MONITOR.")
  }

  private static func status(_ connection: MariaDBConnection) throws(ConnectorError) -> [[String?]] {
    do {
      return try connection.run("SHOW MASTER STATUS")
    } catch  where error.code == "mariadb.1227" {
      throw rightMissing
    }
  }

  /// Where the log ends now.
  static func end(_ connection: MariaDBConnection) throws(ConnectorError) -> MariaDBSpot {
    guard let row = try status(connection).first, let file = row[0], let offset = row[1].flatMap({ UInt64($0) }) else {
      throw MariaDBLogEvent.unreadable
    }
    return MariaDBSpot(file: file, offset: offset)
  }

  /// Up to where the log's transactions can be seen in the tables. The server writes and sends a transaction before
  /// others can see it: for a moment its log is ahead of its tables.
  static func visible(_ connection: MariaDBConnection) throws(ConnectorError) -> MariaDBSpot {
    try connection.run("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
    let rows = try connection.run("SHOW STATUS LIKE 'binlog_snapshot_%'")
    try connection.run("COMMIT")
    func value(_ name: String) -> String? { rows.first { $0[0]?.lowercased() == name }?[1] }
    guard let file = value("binlog_snapshot_file"), MariaDBSpot.number(of: file) != nil,
      let offset = value("binlog_snapshot_position").flatMap({ UInt64($0) })
    else { throw MariaDBLogEvent.unreadable }
    return MariaDBSpot(file: file, offset: offset)
  }

  /// The transactions up to a spot; nil where the log has no such spot.
  static func state(at spot: MariaDBSpot, _ connection: MariaDBConnection) throws(ConnectorError) -> MariaDBGTIDState? {
    let written = try connection.run("SELECT BINLOG_GTID_POS(\(MariaDBQuote.text(spot.file)), \(spot.offset))")[0][0]
    return written.flatMap { MariaDBGTIDState($0) }
  }

  // MARK: The table

  private func checkTable() throws(ConnectorError) -> MariaDBTable {
    let table = try MariaDBTable.read(plan.table, connection)
    guard !table.isView, table.storage?.lowercased() == "innodb" else {
      throw .contract(
        "changes-table", "“\(plan.table)”不是 InnoDB 表，不能跟踪变更。",
        "“\(plan.table)” is no table of InnoDB's: its changes cannot be followed.")
    }
    for wanted in plan.columns {
      let column = try table.column(wanted)
      let isCompressed = column.description.nativeType.uppercased().contains("COMPRESSED")
      if isCompressed || ["uuid", "inet4", "inet6"].contains(column.base) {
        throw MariaDBChangeDecoder.unsupported(wanted.name)
      }
    }
    if let loose = plan.key.first(where: { table.column(plan.columns[$0].name)?.description.isNullable ?? true }) {
      throw .contract(
        "changes-key", "主键列“\(plan.columns[loose].name)”允许为空，不能跟踪变更。",
        "The key's column “\(plan.columns[loose].name)” may be NULL: its changes cannot be followed.")
    }
    let key = Set(plan.key.map { plan.columns[$0].name })
    guard table.uniqueKeys.contains(where: { $0.columns.isSubset(of: key) }) else {
      throw .contract(
        "changes-identity", "表“\(plan.table)”没有保证主键唯一的索引，删除的行无法识别。",
        "No unique index of “\(plan.table)” lies within its key: deleted rows could not be told.")
    }
    try checkDefinition(table)
    return table
  }

  /// What changes rows without a word in the log.
  private func checkDefinition(_ table: MariaDBTable) throws(ConnectorError) {
    let database = plan.table.schema ?? connection.address.database
    let definition =
      try connection.run(
        "SHOW CREATE TABLE \(MariaDBQuote.name(database)).\(MariaDBQuote.name(table.name.name))")[0][1] ?? ""
    let lines = definition.split(separator: "\n")
    let cascades = ["ON DELETE CASCADE", "ON DELETE SET NULL", "ON UPDATE CASCADE", "ON UPDATE SET NULL"]
    // A line of a foreign key; those of columns begin with their names.
    if lines.contains(where: { line in
      line.hasPrefix("  CONSTRAINT ") && line.contains(" FOREIGN KEY (") && cascades.contains { line.contains($0) }
    }) {
      throw .contract(
        "changes-cascade",
        "表“\(plan.table)”有级联外键（CASCADE / SET NULL）：级联造成的删改不写入 MariaDB 的变更日志，不能跟踪。",
        "“\(plan.table)” has a foreign key that cascades (CASCADE, SET NULL): what it deletes and updates is not in MariaDB's log."
      )
    }
    if lines.contains(where: { $0.hasPrefix(")") && $0.contains("WITH SYSTEM VERSIONING") }) {
      throw .contract(
        "changes-versioned", "表“\(plan.table)”保存历史版本（SYSTEM VERSIONING），不能跟踪变更。",
        "“\(plan.table)” keeps its rows' history (SYSTEM VERSIONING): its changes cannot be followed.")
    }
  }
}

extension MariaDBProduct {
  func isAtLeast(_ major: Int, _ minor: Int) -> Bool {
    let numbers = version.split(separator: ".").map { Int($0) ?? 0 }
    return (numbers.first ?? 0, numbers.dropFirst().first ?? 0) >= (major, minor)
  }
}
