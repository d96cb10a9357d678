import Connecting
import Kernel

/// The target's tables: made when missing, checked when there.
struct ODBCTarget {
  let plan: WritePlan
  let connection: ODBCConnection
  private(set) var columns: [ODBCTable.Column] = []

  init(_ plan: WritePlan, _ connection: ODBCConnection) {
    self.plan = plan
    self.connection = connection
  }

  private var dialect: ODBCDialect { connection.dialect }
  private func beside(_ name: String) -> String { connection.quoted(TableName(schema: plan.table.schema, name)) }
  var table: String { connection.quoted(plan.table) }
  var offsets: String { beside(WritePlan.offsetTable) }
  var batches: String { beside(WritePlan.batchTable) }
  var stage: String { stage("stage") }
  var keyStage: String { stage("key") }
  var columnNames: [String] { plan.columns.map { connection.quoted($0.name) } }
  var keyNames: [String] { plan.key.map { columnNames[$0] } }
  func own(_ name: String) -> String { connection.quoted(name) }

  private func stage(_ name: String) -> String {
    switch dialect {
    case .postgresql, .sqlite, .generic: return connection.quoted("sj_\(name)")
    case .sqlserver: return connection.quoted("#sj_\(name)")
    case .oracle, .dm:
      // Tables for all sessions, each with rows of its own: one pair for each target.
      var hash: UInt32 = 2_166_136_261
      for byte in plan.table.description.utf8 { hash = (hash ^ UInt32(byte)) &* 16_777_619 }
      return beside("sj_\(name)_\(String(hash, radix: 16))")
    }
  }

  /// Each statement here is a transaction of its own, before the first one of rows. Two first deliveries at once into one
  /// database both make its tables: the later one finds them made.
  mutating func prepare() throws(ConnectorError) {
    guard dialect.canWrite else {
      throw .contract(
        "read-only", "通用（generic）ODBC 连接只能作来源，不能作为接收方。",
        "An ODBC connection of the generic dialect only reads; it cannot receive.")
    }
    let types = dialect.recordTypes
    let optional = dialect == .oracle ? "" : " NOT NULL"
    try make(
      WritePlan.offsetTable,
      """
      CREATE TABLE \(offsets) (\(own("stream")) \(types.short) NOT NULL PRIMARY KEY, \(own("target")) \(types.short) NOT NULL UNIQUE,
        \(own("fence")) \(types.number) NOT NULL, \(own("run")) \(types.short) NOT NULL,
        \(own("batch")) \(types.number) NOT NULL, \(own("state")) \(types.long)\(optional), \(own("updated")) \(types.time) NOT NULL)
      """)
    try make(
      WritePlan.batchTable,
      """
      CREATE TABLE \(batches) (\(own("stream")) \(types.short) NOT NULL, \(own("batch")) \(types.number) NOT NULL,
        \(own("run")) \(types.short) NOT NULL, \(own("delivered")) \(types.number) NOT NULL,
        \(own("quarantined")) \(types.number) NOT NULL, \(own("bytes")) \(types.number) NOT NULL,
        \(own("digest")) \(types.short) NOT NULL, PRIMARY KEY (\(own("stream")), \(own("batch"))))
      """)
    let found: ODBCTable
    if let there = try ODBCTable.find(plan.table, connection) {
      found = there
    } else {
      try make(plan.table.name, creation)
      found = try ODBCTable.read(plan.table, connection)
      try comment()
    }
    try checkShape(found)
    columns = plan.columns.compactMap { found.column($0.name) }
    try createStages()
  }

  private func make(_ name: String, _ sql: String) throws(ConnectorError) {
    let name = TableName(schema: plan.table.schema, name)
    guard try ODBCTable.find(name, connection) == nil else { return }
    do {
      try connection.run(sql)
    } catch {
      guard error.kind != .retryable, try ODBCTable.find(name, connection) != nil else { throw error }
    }
  }

  private var creation: String {
    var lines = plan.columns.indices.map {
      "\(columnNames[$0]) \(dialect.definition(plan.columns[$0], isKey: plan.key.contains($0)))"
    }
    let types = dialect.recordTypes
    lines.append("\(own(WritePlan.batchColumn)) \(types.number) NOT NULL")
    lines.append("\(own(WritePlan.staleBatchColumn)) \(types.number)")
    lines.append("\(own(WritePlan.staleSinceColumn)) \(dialect == .sqlite ? "TIMESTAMP" : types.time)")
    if plan.marksDeletes {
      lines.append("\(own(WritePlan.deletedSinceColumn)) \(dialect == .sqlite ? "TIMESTAMP" : types.time)")
    }
    lines.append("PRIMARY KEY (\(keyNames.joined(separator: ", ")))")
    return "CREATE TABLE \(table) (\(lines.joined(separator: ", ")))"
  }

  private func comment() throws(ConnectorError) {
    guard [.postgresql, .oracle, .dm].contains(dialect) else { return }
    for (name, column) in zip(columnNames, plan.columns) {
      guard let comment = column.comment else { continue }
      // No parameter may stand here.
      let literal = "'\(comment.replacing("'", with: "''").replacing("\\", with: "＼").filter { $0 != "\0" })'"
      try connection.run("COMMENT ON COLUMN \(table).\(name) IS \(literal)")
    }
  }

  /// Whole rows, and keys alone.
  private func createStages() throws(ConnectorError) {
    let all = zip(columnNames, plan.columns).enumerated().map { index, column in
      "\(column.0) \(dialect.definition(column.1, isKey: plan.key.contains(index)))"
    }
    for (name, lines) in [(stage, all), (keyStage, plan.key.map { all[$0] })] {
      if dialect == .oracle || dialect == .dm { _ = try? connection.run("DROP TABLE \(name)") }
      let number = "\(own("sj_row")) \(dialect.recordTypes.number) NOT NULL PRIMARY KEY"
      try connection.run(dialect.createStage(name, (lines + [number]).joined(separator: ", ")))
    }
  }

  private func checkShape(_ found: ODBCTable) throws(ConnectorError) {
    guard !found.isView else {
      throw .contract(
        "target-view", "接收方“\(plan.table)”是视图，必须是表。", "The target “\(plan.table)” is a view; it must be a table.")
    }
    let number = WritePlan.Column(WritePlan.batchColumn, .integer)
    let since = WritePlan.Column(WritePlan.staleSinceColumn, .timestamp)
    let marked = plan.marksDeletes ? [WritePlan.Column(WritePlan.deletedSinceColumn, .timestamp)] : []
    let wanted = plan.columns + [number, WritePlan.Column(WritePlan.staleBatchColumn, .integer), since] + marked
    for (index, column) in wanted.enumerated() {
      guard let there = found.column(column.name) else {
        throw .contract(
          "target-column-missing", "接收表“\(plan.table)”缺少列“\(column.name)”。",
          "The target table “\(plan.table)” lacks the column “\(column.name)”.")
      }
      guard dialect.isSame(there, column, isKey: plan.key.contains(index)) else {
        throw .contract(
          "target-column-type", "接收表的列“\(column.name)”是 \(there.description.nativeType)，应为 \(dialect.type(column))。",
          "The target's column “\(column.name)” is \(there.description.nativeType); it must be \(dialect.type(column))."
        )
      }
    }
    let names = Set(wanted.map(\.name))
    if let extra = found.columns.first(where: { !names.contains($0.description.name) }) {
      throw .contract(
        "target-column-extra", "接收表有授权之外的列“\(extra.description.name)”。",
        "The target has a column that the grant does not list: “\(extra.description.name)”.")
    }
    guard found.description.key.map(\.name) == plan.key.map({ plan.columns[$0].name }) else {
      throw .contract(
        "target-key", "接收表的主键应为（\(keyNames.joined(separator: ", "))）。",
        "The target's primary key must be (\(keyNames.joined(separator: ", "))).")
    }
    guard try !ODBCTable.keyTakesForEqual(plan.key.map { plan.columns[$0].name }, found.name, connection) else {
      throw .contract(
        "target-column-collation",
        "接收表主键（\(keyNames.joined(separator: ", "))）的排序规则会把不同的主键当作相同，须改为\(dialect == .sqlite ? " BINARY" : "默认排序规则")。",
        "The collation of the target's primary key (\(keyNames.joined(separator: ", "))) takes different keys for the same; it must be \(dialect == .sqlite ? "BINARY" : "the default one")."
      )
    }
  }

  // MARK: By batch

  /// Called between transactions only: with most databases these commit.
  func indexBatches() throws(ConnectorError) {
    var columns = [WritePlan.batchColumn]
    if dialect != .sqlite { columns.append(WritePlan.staleBatchColumn) }
    for column in columns {
      let isThere: Bool
      let name = dialect == .sqlite ? "\(plan.table.name)_\(column)" : indexName(column)
      switch dialect {
      case .postgresql:
        isThere = try !connection.run(
          """
          SELECT 1 FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
          WHERE i.indrelid = CAST(? AS regclass) AND a.attname = ?
          """, [.text(table), .text(column)]
        ).isEmpty
      case .sqlite:
        isThere = try !connection.run("SELECT 1 FROM sqlite_master WHERE type = 'index' AND name = ?", [.text(name)])
          .isEmpty
      case .sqlserver:
        isThere = try !connection.run(
          "SELECT 1 FROM sys.indexes WHERE object_id = OBJECT_ID(?) AND name = ?", [.text(table), .text(name)]
        ).isEmpty
      case .oracle, .dm, .generic:
        isThere = try !connection.run("SELECT 1 FROM ALL_INDEXES WHERE INDEX_NAME = ?", [.text(name)]).isEmpty
      }
      if isThere { continue }
      let quoted = dialect == .oracle || dialect == .dm ? beside(name) : connection.quoted(name)
      try connection.run("CREATE INDEX \(quoted) ON \(table) (\(connection.quoted(column)))")
    }
  }

  /// Of a length that every database takes, and no other table's.
  private func indexName(_ column: String) -> String {
    var hash: UInt32 = 2_166_136_261
    for byte in "\(plan.table.description).\(column)".utf8 { hash = (hash ^ UInt32(byte)) &* 16_777_619 }
    return "sj_\(String(hash, radix: 16))_\(column)"
  }

  /// `source` names the table `t`; the plan's columns, then the batch.
  func readBack(from source: String) throws(ConnectorError) -> ODBCBackReader {
    let number = ODBCTable.Column(
      description: ColumnDescription(name: WritePlan.batchColumn, nativeType: "", type: .integer), base: batchBase,
      code: 0)
    let all = columns + [number]
    let spellings = all.map { dialect.spelled($0, "t.\(connection.quoted($0.description.name))") }
    let zone = dialect.keepsInstants ? 0 : connection.address.zone
    let fields = zip(plan.columns.map(\.type) + [.integer], spellings).map {
      ODBCField($0, zone: $1.isInstant ? 0 : zone)
    }
    return ODBCBackReader(try ODBCRows(spellings, connection, []) { "SELECT \($0) FROM \(source)" }, fields)
  }

  private var batchBase: String { dialect == .oracle ? "number" : dialect == .postgresql ? "int8" : "bigint" }
}
