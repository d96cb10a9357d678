import Connecting
import Kernel

/// What a stream keeps in its source: a publication of the table, and a replication slot that keeps the log. Both bear the grant's name, so that whoever looks at the server sees whose they are.
struct PostgreSQLSlot {
  let name: String

  init(stream: String) {
    let letters = stream.lowercased().map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" }
    name = String(("sj_" + letters).prefix(63))
  }

  /// Makes both anew.
  func create(_ plan: ChangePlan, _ connection: PostgreSQLConnection) throws(ConnectorError) {
    try checkServer(connection)
    try checkIdentity(plan, connection)
    let table = PostgreSQLQuote.table(plan.table)
    // Without a list of columns. With one, the server refuses its owner's UPDATE and DELETE as soon as the table's REPLICA
    // IDENTITY is not within the list, and always where it is FULL: a stream must never stop its source's own work. What
    // is not granted reaches this process, and no further.
    try drop(connection)
    do {
      try connection.run(
        "CREATE PUBLICATION \(PostgreSQLQuote.name(name)) FOR TABLE \(table) WITH (publish_via_partition_root = true)"
      )
      // The server first waits for every transaction that is open, in whichever database.
      try connection.run("SET lock_timeout = '5min'")
      try connection.run("SELECT pg_create_logical_replication_slot($1, 'pgoutput')", [name])
      try connection.run("SET lock_timeout = '60s'")
    } catch  where error.code == "postgresql.55P03" {
      throw ConnectorError(
        .retryable, "changes-waiting",
        Text(
          "来源服务器上有长时间未结束的事务，结束之前不能开始跟踪变更；稍后自动重试。",
          "A transaction has been open on the source's server for long: changes cannot be followed before it ends. Tried again by itself."
        ))
    } catch  where Self.meetsAnother.contains(error.code) {
      throw Self.begunTwice
    } catch  where error.code == "postgresql.42501" {
      throw .contract(
        "changes-right",
        "账号无权跟踪变更：需要 REPLICATION 权限和表“\(plan.table)”的所有权（用于创建发布）。",
        "The account may not follow changes: it needs the REPLICATION attribute and to own the table “\(plan.table)” (for a publication)."
      )
    }
  }

  /// What the server says when two workers make the same names at once: there already, by its look or by its index.
  private static let meetsAnother: Set<String> = ["postgresql.42710", "postgresql.23505"]

  /// And when two drop them: gone already, by its look or in the middle of it.
  private static let isGone: Set<String> = ["postgresql.42704", "postgresql.XX000"]

  static let begunTwice = ConnectorError(
    .retryable, "changes-twice",
    Text(
      "另一个工作进程正在为同一授权建立跟踪；稍后自动重试。",
      "Another worker is just beginning to follow for the same grant; it is tried again by itself."))

  private func checkServer(_ connection: PostgreSQLConnection) throws(ConnectorError) {
    guard try connection.run("SELECT current_setting('wal_level')")[0][0] == "logical" else {
      throw .contract(
        "changes-wal-level", "源数据库须设置 wal_level = logical 才能跟踪变更。",
        "The source must be set to wal_level = logical before its changes can be followed.")
    }
  }

  /// The columns that identify a row in the log. The key must be among them: otherwise nobody knows which row was deleted.
  private func checkIdentity(
    _ plan: ChangePlan, _ connection: PostgreSQLConnection
  ) throws(ConnectorError) {
    let table = PostgreSQLQuote.table(plan.table)
    let identity = try connection.run(
      "SELECT relreplident FROM pg_class WHERE oid = to_regclass($1) AND relkind IN ('r', 'p')", [table])
    guard let kind = identity.first?[0] else {
      throw .contract(
        "changes-table", "“\(plan.table)”不是可以跟踪变更的表。", "“\(plan.table)” is no table whose changes can be followed.")
    }
    // Their rows are read with the table's, and their changes come under their own names.
    let heirs = try connection.run(
      """
      SELECT 1 FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhparent
      WHERE c.oid = to_regclass($1) AND c.relkind = 'r' LIMIT 1
      """, [table])
    guard heirs.isEmpty else {
      throw .contract(
        "changes-inherited", "有其他表继承（INHERITS）自“\(plan.table)”，不能跟踪变更；请改用全量或增量，或改为分区表。",
        "Other tables inherit from “\(plan.table)” (INHERITS): its changes cannot be followed. Deliver in full or incrementally, or make it a partitioned table."
      )
    }
    let columns = try PostgreSQLTable.read(plan.table, connection).columns.map(\.description)
    if let loose = plan.key.first(where: { index in
      columns.first { $0.name == plan.columns[index].name }?.isNullable ?? true
    }) {
      throw .contract(
        "changes-key", "主键列“\(plan.columns[loose].name)”允许为空，不能跟踪变更。",
        "The key's column “\(plan.columns[loose].name)” may be NULL: its changes cannot be followed.")
    }
    if kind == "f" { return }
    guard !plan.needsWholeRows else {
      throw .contract(
        "changes-whole",
        "有按表达式计算或筛选的信息项，或接收方不能补全未变的字段：表“\(plan.table)”须设置 REPLICA IDENTITY FULL，日志才含这些字段。",
        "Items are computed or filtered, or the target cannot fill in what did not change: “\(plan.table)” needs REPLICA IDENTITY FULL, so that its log bears those fields."
      )
    }
    let identifying = try connection.run(
      """
      SELECT a.attname FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
      WHERE i.indrelid = to_regclass($1) AND \(kind == "i" ? "i.indisreplident" : kind == "d" ? "i.indisprimary" : "false")
      """, [table]
    ).compactMap { $0[0] }
    guard plan.key.allSatisfy({ identifying.contains(plan.columns[$0].name) }) else {
      throw .contract(
        "changes-identity",
        "表“\(plan.table)”的复制标识（REPLICA IDENTITY）不含主键，删除的行无法识别。",
        "The REPLICA IDENTITY of “\(plan.table)” does not hold its key: deleted rows could not be told.")
    }
  }

  func drop(_ connection: PostgreSQLConnection) throws(ConnectorError) {
    // Somebody's connection may still hold it: one of an earlier run that was cut off.
    for _ in 0..<50 {
      let found = try connection.run(
        "SELECT active_pid FROM pg_replication_slots WHERE slot_name = $1 AND database = current_database()", [name])
      guard let slot = found.first else { break }
      if let process = slot[0] {
        try connection.run("SELECT pg_terminate_backend($1::int)", [process])
        try connection.run("SELECT pg_sleep(0.1)")
      } else {
        do {
          try connection.run(
            "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = $1 AND database = current_database() AND NOT active",
            [name])
        } catch  where Self.isGone.contains(error.code) {}
      }
    }
    if try !connection.run("SELECT 1 FROM pg_publication WHERE pubname = $1", [name]).isEmpty {
      do {
        try connection.run("DROP PUBLICATION \(PostgreSQLQuote.name(name))")
      } catch  where Self.isGone.contains(error.code) {}
    }
  }

  enum Published: Hashable {
    case followed(PostgreSQLFollowedTable)
    /// The table of this name is not in the publication: it was made anew, or took another's name.
    case other
    /// There is no table of this name.
    case missing
  }

  /// Whether what the publication names is what bears the table's name now. A publication keeps to the table and not to
  /// its name: one that is dropped leaves it, one that is renamed stays in it.
  func published(_ table: TableName, _ connection: PostgreSQLConnection) throws(ConnectorError) -> Published {
    let found = try connection.run(
      """
      SELECT t.number::oid::int8, EXISTS (SELECT 1 FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid
        WHERE p.pubname = $1 AND r.prrelid = t.number)
      FROM (SELECT to_regclass($2) AS number) t WHERE t.number IS NOT NULL
      """, [name, PostgreSQLQuote.table(table)])
    guard let row = found.first, let number = row[0].flatMap({ UInt32($0) }) else { return .missing }
    return row[1] == "t" ? .followed(PostgreSQLFollowedTable(number: number, name: table)) : .other
  }

  /// How far the source was told that it may forget; nil when there is no slot.
  func confirmed(_ connection: PostgreSQLConnection) throws(ConnectorError) -> PostgreSQLPlace? {
    let found = try connection.run(
      "SELECT confirmed_flush_lsn::text FROM pg_replication_slots WHERE slot_name = $1", [name])
    return found.first?[0].flatMap { PostgreSQLPlace(written: $0) }
  }

  func backlog(_ connection: PostgreSQLConnection) throws(ConnectorError) -> ChangeBacklog? {
    // `wal_status` came with version 13.
    let status = connection.serverVersion >= 13_00_00 ? "coalesce(wal_status, '') = 'lost'" : "false"
    let found = try connection.run(
      """
      SELECT coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn), 0)::int8, \(status) OR restart_lsn IS NULL
      FROM pg_replication_slots WHERE slot_name = $1 AND database = current_database()
      """, [name])
    return found.first.map { ChangeBacklog(retained: $0[0].flatMap { Int($0) } ?? 0, isLost: $0[1] == "t") }
  }
}

/// A table by its number, which no other ever has while the cluster lives, and by the name it is followed under.
struct PostgreSQLFollowedTable: Hashable {
  var number: UInt32
  var name: TableName
}

/// A place in PostgreSQL's log: after the transaction that ended at `end`, and after so many changes of the next.
struct PostgreSQLPlace: Hashable {
  var end: UInt64
  var changes: UInt64 = 0
  /// The number of the table that was followed; 0 where it was not kept.
  var table: UInt32 = 0

  var bytes: [UInt8] {
    withUnsafeBytes(of: end.bigEndian) { [UInt8]($0) } + withUnsafeBytes(of: changes.bigEndian) { [UInt8]($0) }
      + withUnsafeBytes(of: table.bigEndian) { [UInt8]($0) }
  }

  init(end: UInt64, changes: UInt64 = 0, table: UInt32 = 0) {
    self.end = end
    self.changes = changes
    self.table = table
  }

  /// Places that were kept before they named their table are shorter.
  init?(_ bytes: [UInt8]) {
    guard bytes.count == 16 || bytes.count == 20 else { return nil }
    end = bytes[..<8].reduce(0) { $0 << 8 | UInt64($1) }
    changes = bytes[8..<16].reduce(0) { $0 << 8 | UInt64($1) }
    table = bytes[16...].reduce(0) { $0 << 8 | UInt32($1) }
  }

  /// `16/B374D848`, as the server writes it.
  init?(written: String) {
    let parts = written.split(separator: "/").map { UInt64($0, radix: 16) }
    guard parts.count == 2, let high = parts[0], let low = parts[1] else { return nil }
    self.init(end: high << 32 | low)
  }

  var written: String {
    String(end >> 32, radix: 16, uppercase: true) + "/" + String(end & 0xFFFF_FFFF, radix: 16, uppercase: true)
  }
}
