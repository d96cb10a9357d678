import CODBC
import Connecting

/// How a value of a batch is handed to the driver.
enum ODBCBinding: Hashable {
  /// Text, in the driver's own encoding.
  case text
  case integer, double, bytes
  /// Decimals, dates and times, as ASCII.
  case written
}

// A target's SQL.

extension ODBCDialect {
  var canWrite: Bool { self != .generic }

  /// The column's type in a target, as the database's own catalogue writes it. PostgreSQL's and SQLite's are those of their
  /// own connectors, so that a target may be reached either way.
  func type(_ column: WritePlan.Column) -> String {
    switch self {
    case .postgresql:
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
    case .sqlite, .generic:
      switch column.type {
      case .text: column.length.map { "VARCHAR(\($0))" } ?? "TEXT"
      case .integer: "INTEGER"
      case .decimal(let precision, let scale): "DECIMAL_TEXT(\(precision),\(scale))"
      case .double: "REAL"
      case .boolean: "BOOLEAN"
      case .date: "DATE"
      case .timestamp: "TIMESTAMP"
      case .bytes: "BLOB"
      }
    case .sqlserver:
      switch column.type {
      // A character beyond U+FFFF takes two places.
      case .text: column.length.flatMap { $0 <= 2000 ? "nvarchar(\($0 * 2))" : nil } ?? "nvarchar(max)"
      case .integer: "bigint"
      case .decimal(let precision, let scale): "decimal(\(precision),\(scale))"
      case .double: "float"
      case .boolean: "bit"
      case .date: "date"
      case .timestamp: "datetime2(6)"
      case .bytes: "varbinary(max)"
      }
    case .oracle:
      switch column.type {
      case .text: column.length.flatMap { $0 <= 1000 ? "VARCHAR2(\($0) CHAR)" : nil } ?? "CLOB"
      case .integer: "NUMBER(19)"
      case .decimal(let precision, let scale): "NUMBER(\(precision),\(scale))"
      case .double: "BINARY_DOUBLE"
      case .boolean: "NUMBER(1)"
      case .date: "DATE"
      case .timestamp: "TIMESTAMP(6)"
      case .bytes: "BLOB"
      }
    case .dm:
      switch column.type {
      case .text: column.length.flatMap { $0 <= 2000 ? "VARCHAR(\($0 * 4))" : nil } ?? "CLOB"
      case .integer: "BIGINT"
      case .decimal(let precision, let scale): "DECIMAL(\(precision),\(scale))"
      case .double: "DOUBLE"
      case .boolean: "BIT"
      case .date: "DATE"
      case .timestamp: "TIMESTAMP(6)"
      case .bytes: "BLOB"
      }
    }
  }

  /// As it stands in CREATE TABLE: keys are compared by every byte, and have a length where the database wants one.
  func definition(_ column: WritePlan.Column, isKey: Bool) -> String {
    var column = column
    if isKey, column.type == .text, column.length == nil, self != .postgresql, self != .sqlite { column.length = 200 }
    if isKey, column.type == .bytes {
      switch self {
      case .sqlserver: return "varbinary(800) NOT NULL"
      case .oracle: return "RAW(800) NOT NULL"
      case .dm: return "VARBINARY(800) NOT NULL"
      default: break
      }
    }
    let collation = self == .sqlserver && column.type == .text ? " COLLATE Latin1_General_100_BIN2" : ""
    // Our own connector's tables of SQLite say nothing of NULL.
    return type(column) + collation + (isKey && self != .sqlite ? " NOT NULL" : "")
  }

  /// Whether a column that is there is the one that would be made.
  func isSame(_ found: ODBCTable.Column, _ column: WritePlan.Column, isKey: Bool) -> Bool {
    switch self {
    case .postgresql, .sqlite:
      return found.description.nativeType.lowercased() == type(column).lowercased()
    default:
      let (base, arguments) = ODBCTable.parts(type(column))
      guard found.base == base || found.base == "varbinary" && isKey || found.base == "raw" && isKey else {
        return false
      }
      switch column.type {
      case .decimal(let precision, let scale):
        return found.description.type == .decimal(precision: precision, scale: scale)
          || scale == 0 && precision <= 18 && found.description.type == .integer
      case .text:
        return arguments.isEmpty || column.length == nil || (found.description.length ?? .max) >= (column.length ?? 0)
      default: return true
      }
    }
  }

  // MARK: Values

  func binding(_ type: ValueType) -> ODBCBinding {
    switch type {
    case .text: .text
    case .integer: .integer
    case .boolean: self == .postgresql ? .written : .integer
    case .bytes: .bytes
    // As digits where the driver would write a binary number with too few of them.
    case .double: self == .postgresql || self == .oracle ? .written : .double
    case .decimal, .date, .timestamp: .written
    }
  }

  /// What stands for a value in VALUES: written forms are said to be of their type, so that no driver guesses.
  func marker(_ type: ValueType) -> String {
    switch self {
    case .postgresql:
      switch type {
      case .text: "?"
      case .integer: "CAST(? AS bigint)"
      case .decimal: "CAST(? AS numeric)"
      case .double: "CAST(? AS double precision)"
      case .boolean: "CAST(? AS boolean)"
      case .date: "CAST(? AS date)"
      case .timestamp: "CAST(? AS timestamptz)"
      case .bytes: "?"
      }
    case .sqlite, .generic: "?"
    case .sqlserver:
      switch type {
      case .decimal(let precision, let scale): "CAST(? AS decimal(\(precision),\(scale)))"
      case .date: "CAST(? AS date)"
      case .timestamp: "CAST(? AS datetime2(6))"
      default: "?"
      }
    case .oracle, .dm:
      switch type {
      case .decimal: self == .oracle ? "TO_NUMBER(?)" : "?"
      case .double: self == .oracle ? "TO_BINARY_DOUBLE(?)" : "?"
      case .date: "TO_DATE(?, 'YYYY-MM-DD')"
      case .timestamp: "TO_TIMESTAMP(?, 'YYYY-MM-DD HH24:MI:SS.FF6')"
      default: "?"
      }
    }
  }

  /// Times are kept as instants (or as text with a Z), not in the target's zone.
  var keepsInstants: Bool { self == .postgresql || self == .sqlite }

  /// Rows of one INSERT with many of them: a driver that takes arrays well needs none, and PostgreSQL's would send each row
  /// of an array by itself. SQLite's mixes up the lengths of bytes in an array.
  func rowsOfInsert(columns: Int) -> Int {
    switch self {
    case .postgresql: max(1, min(100, 30_000 / columns))
    case .sqlite: max(1, min(50, 900 / columns))
    case .sqlserver, .dm, .oracle, .generic: 1
    }
  }

  var takesArrays: Bool { self == .sqlserver || self == .oracle || self == .dm || self == .postgresql }

  // MARK: Merging

  /// Whether two values of a column are the same, NULLs too, and text by its bytes.
  func same(_ a: String, _ b: String, _ type: ValueType) -> String {
    switch self {
    case .postgresql: return "\(a) IS NOT DISTINCT FROM \(b)"
    case .sqlite, .generic: return "\(a) IS \(b)"
    case .sqlserver:
      let (a, b) = type == .text ? ("CAST(\(a) AS varbinary(max))", "CAST(\(b) AS varbinary(max))") : (a, b)
      return "EXISTS (SELECT \(a) INTERSECT SELECT \(b))"
    case .oracle, .dm:
      let isLong = type == .bytes || type == .text
      let equal = isLong && self == .oracle ? "DBMS_LOB.COMPARE(TO_CLOB(\(a)), TO_CLOB(\(b))) = 0" : "\(a) = \(b)"
      let blobs = type == .bytes ? "DBMS_LOB.COMPARE(\(a), \(b)) = 0" : equal
      return "(\(a) IS NULL AND \(b) IS NULL OR \(blobs))"
    }
  }

  /// Every row of the stage into the target, in one statement. `names` are quoted; the first `keys` of them are the key's.
  func merge(
    into table: String, from stage: String, names: [String], keys: [String], batchColumn own: String, batch: Int64,
    clearing stale: [String]
  ) -> String {
    let rest = names.filter { !keys.contains($0) }
    let list = (names + [own]).joined(separator: ", ")
    switch self {
    case .postgresql, .sqlite, .generic:
      let sets = (rest + [own]).map { "\($0) = EXCLUDED.\($0)" } + stale.map { "\($0) = NULL" }
      return """
        INSERT INTO \(table) (\(list)) SELECT \(names.joined(separator: ", ")), \(batch) FROM \(stage) WHERE 1 = 1
        ON CONFLICT (\(keys.joined(separator: ", "))) DO UPDATE SET \(sets.joined(separator: ", "))
        """
    case .sqlserver, .oracle, .dm:
      let same = keys.map { "s.\($0) = t.\($0)" }.joined(separator: " AND ")
      let sets = rest.map { "t.\($0) = s.\($0)" } + ["t.\(own) = \(batch)"] + stale.map { "t.\($0) = NULL" }
      let values = (names.map { "s.\($0)" } + ["\(batch)"]).joined(separator: ", ")
      let head =
        self == .sqlserver ? "\(table) WITH (HOLDLOCK) AS t USING \(stage) AS s" : "\(table) t USING \(stage) s"
      return """
        MERGE INTO \(head) ON (\(same)) WHEN MATCHED THEN UPDATE SET \(sets.joined(separator: ", "))
        WHEN NOT MATCHED THEN INSERT (\(list)) VALUES (\(values))\(self == .sqlserver ? ";" : "")
        """
    }
  }

  /// A stage lives as long as the session, or at least its rows do no longer than a transaction: what was deleted would
  /// else stay in it.
  func createStage(_ name: String, _ columns: String) -> String {
    switch self {
    case .postgresql: "CREATE TEMPORARY TABLE \(name) (\(columns)) ON COMMIT DELETE ROWS"
    case .sqlite, .generic: "CREATE TEMPORARY TABLE \(name) (\(columns))"
    case .sqlserver: "CREATE TABLE \(name) (\(columns))"
    case .oracle, .dm: "CREATE GLOBAL TEMPORARY TABLE \(name) (\(columns)) ON COMMIT DELETE ROWS"
    }
  }

  /// Text of a length that an index takes; a number; text of any length; a time. For the offsets and the batches.
  var recordTypes: (short: String, number: String, long: String, time: String) {
    switch self {
    case .postgresql: ("text", "bigint", "text", "timestamptz")
    case .sqlite, .generic: ("TEXT", "INTEGER", "TEXT", "TEXT")
    case .sqlserver:
      ("nvarchar(191) COLLATE Latin1_General_100_BIN2", "bigint", "nvarchar(max)", "datetime2(6)")
    case .oracle: ("VARCHAR2(191 CHAR)", "NUMBER(19)", "CLOB", "TIMESTAMP(6)")
    case .dm: ("VARCHAR(764)", "BIGINT", "CLOB", "TIMESTAMP(6)")
    }
  }

  var now: String {
    switch self {
    case .postgresql: "now()"
    case .sqlite, .generic: "datetime('now')"
    case .sqlserver: "SYSUTCDATETIME()"
    case .oracle, .dm: "SYS_EXTRACT_UTC(SYSTIMESTAMP)"
    }
  }
}
