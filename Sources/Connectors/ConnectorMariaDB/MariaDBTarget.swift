import Connecting
import Kernel

/// The target's tables: made when missing, checked when there.
struct MariaDBTarget {
  let plan: WritePlan
  let connection: MariaDBConnection

  private var schema: String { plan.table.schema ?? connection.address.database }
  var table: String { quoted(plan.table.name) }
  var offsets: String { quoted(WritePlan.offsetTable) }
  var batches: String { quoted(WritePlan.batchTable) }
  var stage: String { quoted("sj_stage") }
  var keyStage: String { quoted("sj_key") }
  var columnNames: [String] { plan.columns.map { MariaDBQuote.name($0.name) } }
  var keyNames: [String] { plan.key.map { columnNames[$0] } }

  private func quoted(_ name: String) -> String { "\(MariaDBQuote.name(schema)).\(MariaDBQuote.name(name))" }

  /// Every statement here that makes something commits by itself, so it all stands before the first transaction, under a
  /// lock of the server's: two first deliveries into one database must not make the same tables at once.
  func prepare() throws(ConnectorError) {
    let lock = MariaDBQuote.text(String("sanjiang " + schema).prefix(64).description)
    guard try connection.run("SELECT GET_LOCK(\(lock), 60)")[0][0] == "1" else {
      throw ConnectorError(
        .retryable, "mariadb.1205", Text("另一个任务正在准备接收库，请稍后再试。", "Another delivery is preparing the target; try later."))
    }
    do {
      try make()
    } catch {
      _ = try? connection.run("DO RELEASE_LOCK(\(lock))")
      throw error
    }
    try connection.run("DO RELEASE_LOCK(\(lock))")
  }

  private func make() throws(ConnectorError) {
    let collation = try self.collation()
    let name = "varchar(191) CHARACTER SET utf8mb4 COLLATE \(collation) NOT NULL"
    try connection.run(
      """
      CREATE TABLE IF NOT EXISTS \(offsets) (stream \(name) PRIMARY KEY, target \(name) UNIQUE, fence bigint NOT NULL,
        run \(name), batch bigint NOT NULL, state longtext CHARACTER SET utf8mb4 NOT NULL, updated datetime(6) NOT NULL)
      ENGINE = InnoDB
      """)
    try connection.run(
      """
      CREATE TABLE IF NOT EXISTS \(batches) (stream \(name), batch bigint NOT NULL, run \(name),
        delivered bigint NOT NULL, quarantined bigint NOT NULL, bytes bigint NOT NULL, digest varchar(64) NOT NULL,
        PRIMARY KEY (stream, batch)) ENGINE = InnoDB
      """)
    let types = try MariaDBTargetTypes(plan, collation: collation, product: connection.product)
    if let found = try MariaDBTable.find(plan.table, connection) {
      try checkShape(found, types)
    } else {
      try create(types)
    }
  }

  private func create(_ types: MariaDBTargetTypes) throws(ConnectorError) {
    var lines = zip(plan.columns, zip(columnNames, types.definitions)).map { column, made in
      let comment = column.comment.map { " COMMENT \(MariaDBQuote.text(String($0.prefix(1000))))" } ?? ""
      return "\(made.0) \(made.1)\(comment)"
    }
    lines.append("\(WritePlan.batchColumn) bigint NOT NULL")
    lines.append("\(WritePlan.staleBatchColumn) bigint")
    lines.append("\(WritePlan.staleSinceColumn) datetime(6)")
    if plan.marksDeletes { lines.append("\(WritePlan.deletedSinceColumn) datetime(6)") }
    lines.append("PRIMARY KEY (\(keyNames.joined(separator: ", ")))")
    lines.append("KEY \(WritePlan.batchColumn) (\(WritePlan.batchColumn))")
    try connection.run(
      "CREATE TABLE \(table) (\(lines.joined(separator: ", "))) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4")
  }

  /// Both live as long as the session: whole rows, and keys alone. Making them commits nothing, which holds for temporary
  /// tables only.
  func createStages() throws(ConnectorError) {
    let types = try MariaDBTargetTypes(plan, collation: try collation(), product: connection.product)
    let all = zip(columnNames, types.definitions).map { "\($0) \($1)" }
    for (name, lines) in [(stage, all), (keyStage, plan.key.map { all[$0] })] {
      try connection.run(
        """
        CREATE TEMPORARY TABLE IF NOT EXISTS \(name) (\(lines.joined(separator: ", ")), sj_row int NOT NULL PRIMARY KEY)
        ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4
        """)
    }
  }

  /// What compares every byte, trailing spaces too. MySQL 5.7 has none; there a key that ends in a space is refused.
  func collation() throws(ConnectorError) -> String {
    let known = try connection.run(
      """
      SELECT COLLATION_NAME FROM information_schema.COLLATIONS
      WHERE COLLATION_NAME IN ('utf8mb4_nopad_bin', 'utf8mb4_0900_bin')
      """
    ).compactMap { $0[0] }
    return known.first ?? Self.paddedCollation
  }

  static let paddedCollation = "utf8mb4_bin"

  private func checkShape(_ found: MariaDBTable, _ types: MariaDBTargetTypes) throws(ConnectorError) {
    guard !found.isView, let storage = found.storage, ["innodb", "oceanbase"].contains(storage.lowercased()) else {
      throw .contract(
        "target-engine", "接收表“\(plan.table)”的存储引擎是 \(found.storage ?? "视图")，必须是有事务的 InnoDB。",
        "The target table “\(plan.table)” is of \(found.storage ?? "no engine (a view)"); it must be InnoDB, which has transactions."
      )
    }
    let wanted =
      zip(plan.columns, types.plain).map { ($0.name, $1) } + [
        (WritePlan.batchColumn, "bigint"), (WritePlan.staleBatchColumn, "bigint"),
        (WritePlan.staleSinceColumn, "datetime(6)"),
      ] + (plan.marksDeletes ? [(WritePlan.deletedSinceColumn, "datetime(6)")] : [])
    for (name, type) in wanted {
      guard let column = found.column(name) else {
        throw .contract(
          "target-column-missing", "接收表“\(plan.table)”缺少列“\(name)”。",
          "The target table “\(plan.table)” lacks the column “\(name)”.")
      }
      let native =
        column.base == "bigint" && !column.description.nativeType.contains("unsigned")
        ? "bigint" : column.description.nativeType
      guard native == type else {
        throw .contract(
          "target-column-type", "接收表的列“\(name)”是 \(native)，应为 \(type)。",
          "The target's column “\(name)” is \(native); it must be \(type).")
      }
    }
    for (index, column) in plan.columns.enumerated() where column.type == .text {
      guard let there = found.column(column.name) else { continue }
      let isGood =
        plan.key.contains(index) ? there.collation == types.collation : there.characterSet == "utf8mb4"
      guard isGood else {
        let needed = plan.key.contains(index) ? types.collation : "utf8mb4"
        throw .contract(
          "target-column-collation", "接收表的列“\(column.name)”的字符集或排序规则是 \(there.collation ?? "")，应为 \(needed)。",
          "The target's column “\(column.name)” has \(there.collation ?? "no collation"); it must have \(needed).")
      }
    }
    let names = Set(wanted.map(\.0))
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
    // A row that met another unique index would be written over a row of another key.
    if let other = found.uniqueKeys.first(where: { $0.name != "PRIMARY" }) {
      throw .contract(
        "target-unique", "接收表除主键外还有唯一索引“\(other.name)”，须先去掉。",
        "The target has a unique index besides its primary key, “\(other.name)”; it must go first.")
    }
  }

  // MARK: By batch

  /// Both commit whatever is under way: called between transactions only.
  func indexBatches() throws(ConnectorError) {
    for column in [WritePlan.batchColumn, WritePlan.staleBatchColumn] {
      let found = try connection.run(
        """
        SELECT 1 FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = \(MariaDBQuote.text(schema))
          AND TABLE_NAME = \(MariaDBQuote.text(plan.table.name)) AND INDEX_NAME = '\(column)'
        """)
      if found.isEmpty { try connection.run("ALTER TABLE \(table) ADD INDEX \(column) (\(column))") }
    }
  }

  /// Through the index, in which a batch's rows stand in the order of their keys: to ask for that order spares a sort.
  func readBack(_ range: ClosedRange<Int64>) throws(ConnectorError) -> MariaDBBackReader {
    let own = WritePlan.batchColumn
    let condition =
      range.count == 1 ? "= \(range.lowerBound)" : "BETWEEN \(range.lowerBound) AND \(range.upperBound)"
    let order = ([own] + keyNames).joined(separator: ", ")
    return try readBack(from: "\(table) t FORCE INDEX (\(own)) WHERE \(own) \(condition) ORDER BY \(order)")
  }

  /// `source` names the table `t`.
  func readBack(from source: String) throws(ConnectorError) -> MariaDBBackReader {
    let list = zip(plan.columns, columnNames).map { $0.type == .boolean ? "t.\($1) + 0" : "t.\($1)" }
    let names = (list + ["t.\(WritePlan.batchColumn)"]).joined(separator: ", ")
    let zone = connection.address.zone
    let rows = try MariaDBRows("SELECT \(names) FROM \(source)", connection)
    return MariaDBBackReader(rows, (plan.columns.map(\.type) + [.integer]).map { MariaDBField($0, zone: zone) })
  }
}

/// The columns' types in a target.
struct MariaDBTargetTypes {
  /// As the catalogue spells them.
  private(set) var plain: [String] = []
  /// With character set and collation.
  private(set) var definitions: [String] = []
  let collation: String

  /// What one index entry holds at most in InnoDB's pages of 16 KiB, four bytes a character.
  private static let keyBytes = 3072
  /// A row's columns that may not leave its page, and all that are no large objects.
  private static let (pageBytes, rowBytes) = (6500, 48_000)

  init(_ plan: WritePlan, collation: String, product: MariaDBProduct) throws(ConnectorError) {
    self.collation = collation
    let open = plan.key.filter { [.text, .bytes].contains(plan.columns[$0].type) && plan.columns[$0].length == nil }
    let used = plan.key.filter { !open.contains($0) }.reduce(0) { $0 + Self.keyBytes(plan.columns[$1]) }
    let share = open.isEmpty ? 0 : (Self.keyBytes - used) / open.count
    guard used <= Self.keyBytes, open.isEmpty || share >= 256 else {
      throw .contract(
        "target-key-long", "主键各列合计超过 InnoDB 索引的 \(Self.keyBytes) 字节（每字符按 4 字节计）。",
        "The key's columns have more than the \(Self.keyBytes) bytes of an InnoDB index (four a character).")
    }
    var (onPage, inRow) = (0, 0)
    for (index, column) in plan.columns.enumerated() {
      let isKey = plan.key.contains(index)
      var type = try Self.type(column, product)
      if isKey, column.type == .text { type = "varchar(\(column.length ?? min(768, share / 4)))" }
      if isKey, column.type == .bytes { type = "varbinary(\(column.length ?? min(768, share)))" }
      if !isKey, column.type == .text, let length = column.length, type != "longtext" {
        // Short columns stay on the row's page, and a page takes 8 KB of them: then they are made so wide that they need not.
        let width = length * 4 <= 255 && onPage + length * 4 > Self.pageBytes ? 64 : length
        onPage += width * 4 <= 255 ? width * 4 : 40
        inRow += width * 4 + 2
        type = inRow > Self.rowBytes ? "longtext" : "varchar(\(width))"
      }
      plain.append(type)
      let collated = isKey ? " CHARACTER SET utf8mb4 COLLATE \(collation)" : " CHARACTER SET utf8mb4"
      definitions.append(type + (column.type == .text ? collated : "") + (isKey ? " NOT NULL" : ""))
    }
  }

  private static func keyBytes(_ column: WritePlan.Column) -> Int {
    switch column.type {
    case .text: (column.length ?? 0) * 4
    case .bytes: column.length ?? 0
    case .decimal: 17
    default: 8
    }
  }

  /// Of a column that stands alone.
  static func type(_ column: WritePlan.Column, _ product: MariaDBProduct) throws(ConnectorError) -> String {
    if case .decimal(_, let scale) = column.type, scale > (product.isMariaDB ? 38 : 30) {
      throw .contract(
        "target-scale", "列“\(column.name)”有 \(scale) 位小数，\(product.name) 最多 30 位。",
        "The column “\(column.name)” has \(scale) decimals; \(product.name) has 30 at most.")
    }
    return type(column)
  }

  static func type(_ column: WritePlan.Column) -> String {
    switch column.type {
    case .text: column.length.flatMap { $0 <= 2000 ? "varchar(\($0))" : nil } ?? "longtext"
    case .integer: "bigint"
    case .decimal(let precision, let scale): "decimal(\(precision),\(scale))"
    case .double: "double"
    case .boolean: "bit(1)"
    case .date: "date"
    case .timestamp: "datetime(6)"
    case .bytes: "longblob"
    }
  }
}
