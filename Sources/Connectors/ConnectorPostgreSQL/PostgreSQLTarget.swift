import Connecting
import Kernel

/// The target's tables: made when missing, checked when there.
struct PostgreSQLTarget {
  let plan: WritePlan
  let connection: PostgreSQLConnection

  private var schema: String { PostgreSQLQuote.name(plan.table.schema ?? "public") }
  var table: String { PostgreSQLQuote.table(plan.table) }
  var offsets: String { "\(schema).\(WritePlan.offsetTable)" }
  var batches: String { "\(schema).\(WritePlan.batchTable)" }
  var columnNames: [String] { plan.columns.map { PostgreSQLQuote.name($0.name) } }
  var keyNames: [String] { plan.key.map { PostgreSQLQuote.name(plan.columns[$0].name) } }

  func prepare() throws(ConnectorError) {
    try connection.run("BEGIN")
    // Two first deliveries into one database must not create the same tables at once.
    try connection.run("SELECT pg_advisory_xact_lock(7309453216)")
    try connection.run("SET LOCAL client_min_messages = warning")
    try connection.run(
      """
      CREATE TABLE IF NOT EXISTS \(offsets) (stream text PRIMARY KEY, target text NOT NULL UNIQUE, fence bigint NOT NULL,
        run text NOT NULL, batch bigint NOT NULL, state text NOT NULL, updated timestamptz NOT NULL);
      CREATE TABLE IF NOT EXISTS \(batches) (stream text NOT NULL, batch bigint NOT NULL, run text NOT NULL,
        delivered bigint NOT NULL, quarantined bigint NOT NULL, bytes bigint NOT NULL, digest text NOT NULL,
        PRIMARY KEY (stream, batch))
      """)
    if let found = try PostgreSQLTable.find(plan.table, connection) {
      try checkShape(found)
    } else {
      try create()
    }
    try connection.run("COMMIT")
  }

  private func create() throws(ConnectorError) {
    var lines = plan.columns.map { "\(PostgreSQLQuote.name($0.name)) \(Self.type($0))" }
    lines.append("\(WritePlan.batchColumn) bigint NOT NULL")
    lines.append("\(WritePlan.staleBatchColumn) bigint")
    lines.append("\(WritePlan.staleSinceColumn) timestamptz")
    if plan.marksDeletes { lines.append("\(WritePlan.deletedSinceColumn) timestamptz") }
    lines.append("PRIMARY KEY (\(keyNames.joined(separator: ", ")))")
    try connection.run("CREATE TABLE \(table) (\(lines.joined(separator: ", ")))")
    for column in plan.columns {
      guard let comment = column.comment else { continue }
      try connection.run(
        "COMMENT ON COLUMN \(table).\(PostgreSQLQuote.name(column.name)) IS \(PostgreSQLQuote.text(comment))")
    }
  }

  /// Reading a run back goes by batch; in the order rows were written it costs one scan. The few rows that are flagged
  /// stale have an index of their own.
  func indexBatches() throws(ConnectorError) {
    for (column, condition) in [
      (WritePlan.batchColumn, ""), (WritePlan.staleBatchColumn, " WHERE \(WritePlan.staleBatchColumn) IS NOT NULL"),
    ] {
      let found = try connection.run(
        """
        SELECT 1 FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
        WHERE i.indrelid = $1::regclass AND a.attname = $2
        """, [table, column])
      if found.isEmpty { try connection.run("CREATE INDEX ON \(table) (\(column))\(condition)") }
    }
  }

  private func checkShape(_ found: PostgreSQLTable) throws(ConnectorError) {
    let wanted =
      plan.columns.map { ($0.name, Self.type($0)) } + [
        (WritePlan.batchColumn, "bigint"), (WritePlan.staleBatchColumn, "bigint"),
        (WritePlan.staleSinceColumn, "timestamp with time zone"),
      ] + (plan.marksDeletes ? [(WritePlan.deletedSinceColumn, "timestamp with time zone")] : [])
    for (name, type) in wanted {
      guard let column = found.column(name) else {
        throw .contract(
          "target-column-missing", "接收表“\(plan.table)”缺少列“\(name)”。",
          "The target table “\(plan.table)” lacks the column “\(name)”.")
      }
      guard column.description.nativeType == type else {
        throw .contract(
          "target-column-type", "接收表的列“\(name)”是 \(column.description.nativeType)，应为 \(type)。",
          "The target's column “\(name)” is \(column.description.nativeType); it must be \(type).")
      }
    }
    // Else rows whose keys differ would be one there.
    for index in plan.key where found.column(plan.columns[index].name)?.takesForEqual ?? false {
      let name = plan.columns[index].name
      throw .contract(
        "target-column-collation", "接收表的主键列“\(name)”的排序规则（不区分型，deterministic = false）会把不同的主键当作相同，须改为默认排序规则。",
        "The target's key column “\(name)” has a nondeterministic collation, which takes different keys for the same; it must have the default one."
      )
    }
    let names = Set(wanted.map(\.0))
    if let extra = found.columns.first(where: { !names.contains($0.description.name) }) {
      throw .contract(
        "target-column-extra", "接收表有授权之外的列“\(extra.description.name)”。",
        "The target has a column that the grant does not list: “\(extra.description.name)”.")
    }
    guard found.key == plan.key.map({ plan.columns[$0].name }) else {
      throw .contract(
        "target-key", "接收表的主键应为（\(keyNames.joined(separator: ", "))）。",
        "The target's primary key must be (\(keyNames.joined(separator: ", "))).")
    }
  }

  /// As `format_type` spells it.
  static func type(_ column: WritePlan.Column) -> String {
    switch column.type {
    case .text: column.length.map { "character varying(\($0))" } ?? "text"
    case .integer: "bigint"
    case .decimal(let precision, let scale): "numeric(\(precision),\(scale))"
    case .double: "double precision"
    case .boolean: "boolean"
    case .date: "date"
    case .timestamp: "timestamp with time zone"
    case .bytes: "bytea"
    }
  }
}
