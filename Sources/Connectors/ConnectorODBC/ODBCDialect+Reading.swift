import CODBC
import Connecting

/// In what form a value comes from the driver.
enum ODBCForm: Hashable {
  /// ASCII of at most so many characters: numbers and times as they are written.
  case narrow(Int)
  /// Text of at most so many characters; nil where nothing says how many.
  case text(Int?)
  case bytes(Int?)
  case double
  /// SQLite's: a letter for the storage class, then the value's own bytes.
  case classed
}

/// What is selected so that all of a value comes, in one spelling.
struct ODBCSpelling: Hashable {
  var sql: String
  var form: ODBCForm
  /// The time is an instant already.
  var isInstant = false
}

extension ODBCDialect {
  /// `value` is an expression of the column's type. Dates and times come as the server writes them when told how: drivers
  /// differ in what they make of years before 1900, of fractions and of zones.
  func spelled(_ column: ODBCTable.Column, _ value: String) -> ODBCSpelling {
    switch self {
    case .postgresql: postgreSQL(column, value)
    case .sqlserver: sqlServer(column, value)
    case .oracle, .dm: oracle(column, value)
    case .sqlite:
      ODBCSpelling(
        sql: """
          CAST(substr(typeof(\(value)), 1, 1) || CASE typeof(\(value)) WHEN 'real' THEN printf('%!.20g', \(value)) \
          ELSE \(value) END AS BLOB)
          """, form: .classed)
    case .generic: plain(column, value)
    }
  }

  private func plain(_ column: ODBCTable.Column, _ value: String) -> ODBCSpelling {
    let form: ODBCForm =
      switch column.description.type {
      case .text, nil: .text(column.description.length)
      case .bytes: .bytes(nil)
      case .double: .double
      case .integer: .narrow(24)
      default: .narrow(48)
      }
    return ODBCSpelling(sql: value, form: form)
  }

  private func postgreSQL(_ column: ODBCTable.Column, _ value: String) -> ODBCSpelling {
    let written = "\(value)::text"
    switch column.base {
    case "int2", "int4", "int8": return ODBCSpelling(sql: value, form: .narrow(24))
    case "bool": return ODBCSpelling(sql: written, form: .narrow(8))
    case "bytea": return ODBCSpelling(sql: value, form: .bytes(nil))
    case "numeric":
      // Without a declared precision it may have 130,000 digits.
      let isDeclared = column.description.nativeType.contains("(")
      return ODBCSpelling(sql: written, form: isDeclared ? .narrow(1100) : .text(nil))
    case "timestamptz": return ODBCSpelling(sql: written, form: .narrow(48), isInstant: true)
    case "float4": return ODBCSpelling(sql: "\(value)::float8::text", form: .narrow(48))
    case "float8", "date", "timestamp": return ODBCSpelling(sql: written, form: .narrow(48))
    case "text", "varchar": return ODBCSpelling(sql: value, form: .text(column.description.length))
    default: return ODBCSpelling(sql: written, form: .text(column.description.length))
    }
  }

  private func sqlServer(_ column: ODBCTable.Column, _ value: String) -> ODBCSpelling {
    switch column.base {
    case "char", "nchar": ODBCSpelling(sql: "RTRIM(\(value))", form: .text(column.description.length))
    case "uniqueidentifier": ODBCSpelling(sql: "CONVERT(varchar(36), \(value))", form: .text(36))
    case "time": ODBCSpelling(sql: "CONVERT(varchar(16), \(value))", form: .text(16))
    case "xml": ODBCSpelling(sql: "CONVERT(nvarchar(max), \(value))", form: .text(nil))
    case "money", "smallmoney": ODBCSpelling(sql: "CONVERT(varchar(40), \(value), 2)", form: .narrow(48))
    case "real": ODBCSpelling(sql: "CAST(\(value) AS float)", form: .double)
    case "date": ODBCSpelling(sql: "CONVERT(varchar(10), \(value), 23)", form: .narrow(48))
    case "datetime", "smalldatetime": ODBCSpelling(sql: "CONVERT(varchar(23), \(value), 121)", form: .narrow(48))
    // The seventh digit, a tenth of a microsecond, is cut: every value of SYSDATETIME() has one.
    case "datetime2": ODBCSpelling(sql: "LEFT(CONVERT(varchar(27), \(value), 121), 26)", form: .narrow(48))
    case "datetimeoffset":
      ODBCSpelling(
        sql: "LEFT(CONVERT(varchar(34), SWITCHOFFSET(\(value), '+00:00'), 121), 26)", form: .narrow(48), isInstant: true
      )
    default: plain(column, value)
    }
  }

  private func oracle(_ column: ODBCTable.Column, _ value: String) -> ODBCSpelling {
    let isOracle = self == .oracle
    switch column.base {
    case "char", "nchar", "character":
      return ODBCSpelling(sql: "RTRIM(\(value))", form: .text(column.description.length))
    case "number", "decimal", "numeric", "integer", "smallint", "float", "dec":
      return isOracle ? ODBCSpelling(sql: "TO_CHAR(\(value), 'TM9')", form: .narrow(120)) : plain(column, value)
    case "date" where isOracle:
      return ODBCSpelling(sql: "TO_CHAR(\(value), 'SYYYY-MM-DD HH24:MI:SS')", form: .narrow(48))
    case "date": return ODBCSpelling(sql: "TO_CHAR(\(value), 'YYYY-MM-DD')", form: .narrow(48))
    case "time": return ODBCSpelling(sql: "TO_CHAR(\(value))", form: .text(32))
    case _ where column.base.hasPrefix("timestamp") || column.base.hasPrefix("datetime"):
      let year = isOracle ? "SYYYY" : "YYYY"
      if column.base.contains("time zone") {
        return ODBCSpelling(
          sql: "TO_CHAR(SYS_EXTRACT_UTC(\(value)), '\(year)-MM-DD HH24:MI:SS.FF6')", form: .narrow(48), isInstant: true)
      }
      return ODBCSpelling(sql: "TO_CHAR(\(value), '\(year)-MM-DD HH24:MI:SS.FF6')", form: .narrow(48))
    default: return plain(column, value)
    }
  }

  // MARK: Keys: how they are put in order, how a place in that order is written down, and how it is said again

  /// `isUnique`: the database itself holds the key apart, so that its own order serves, and its index. Where it does not,
  /// values that only it takes for equal would come in any order: then bytes decide.
  func order(_ column: ODBCTable.Column, _ value: String, isUnique: Bool) -> String {
    switch self {
    case .sqlite: "\(value) COLLATE BINARY"
    case .postgresql where !isUnique && isText(column): "\(value) COLLATE \"C\""
    case .sqlserver where !isUnique && isText(column): "CAST(\(value) AS varbinary(8000))"
    default: value
    }
  }

  /// What of a key is kept as the place, to its last digit: what the value's own spelling cuts would come twice.
  func place(_ column: ODBCTable.Column, _ value: String) -> ODBCSpelling {
    switch (self, column.base) {
    case (.sqlserver, "datetime2"): ODBCSpelling(sql: "CONVERT(varchar(27), \(value), 121)", form: .narrow(48))
    case (.sqlserver, "datetimeoffset"): ODBCSpelling(sql: "CONVERT(varchar(34), \(value), 121)", form: .narrow(48))
    case (.oracle, _) where column.base.hasPrefix("timestamp") && !column.base.contains("time zone"):
      ODBCSpelling(sql: "TO_CHAR(\(value), 'SYYYY-MM-DD HH24:MI:SS.FF9')", form: .narrow(48))
    default: spelled(column, value)
    }
  }

  /// The expression that is again the place, in the column's own type, so that its index serves.
  func parameter(
    _ column: ODBCTable.Column, _ place: [UInt8], isUnique: Bool
  ) throws(ConnectorError) -> (sql: String, value: ODBCValue) {
    let text = ODBCValue.text(place)
    switch self {
    case .postgresql:
      return column.base == "bytea" ? ("?", .bytes(place)) : ("CAST(? AS \(column.base))", text)
    case .sqlite:
      let value = Array(place.dropFirst())
      switch place.first {
      case UInt8(ascii: "i"): return ("CAST(? AS INTEGER)", .bytes(value))
      case UInt8(ascii: "t"): return ("CAST(? AS TEXT)", .bytes(value))
      case UInt8(ascii: "b"): return ("?", .bytes(value))
      case UInt8(ascii: "r"): return ("?", .double(Double(String(decoding: value, as: UTF8.self)) ?? 0))
      default: throw Self.invalidPosition
      }
    case .sqlserver:
      switch column.base {
      case "char", "varchar", "text":
        return (isUnique ? "CAST(? AS varchar(8000))" : "CAST(CAST(? AS varchar(8000)) AS varbinary(8000))", text)
      case "nchar", "nvarchar", "sysname":
        return (isUnique ? "CAST(? AS nvarchar(4000))" : "CAST(CAST(? AS nvarchar(4000)) AS varbinary(8000))", text)
      case "datetime": return ("CAST(CAST(? AS datetime2(3)) AS datetime)", text)
      case "datetime2", "datetimeoffset": return ("CAST(? AS \(column.base)(7))", text)
      case "decimal", "numeric": return ("CAST(? AS decimal(38, \(scale(column))))", text)
      case "float", "real": return ("?", .double(Double(String(decoding: place, as: UTF8.self)) ?? 0))
      case "binary", "varbinary", "timestamp", "rowversion": return ("?", .bytes(place))
      default: return ("CAST(? AS \(column.base))", text)
      }
    case .oracle, .dm:
      switch column.base {
      case "number", "integer", "decimal", "numeric", "smallint", "float", "dec", "int", "bigint", "tinyint", "byte":
        return ("CAST(? AS \(self == .oracle ? "NUMBER" : "DECIMAL(38, \(scale(column)))"))", text)
      case "date":
        return ("TO_DATE(?, '\(self == .oracle ? "SYYYY-MM-DD HH24:MI:SS" : "YYYY-MM-DD")')", text)
      case _ where column.base.hasPrefix("timestamp") || column.base.hasPrefix("datetime"):
        let format = self == .oracle ? "SYYYY-MM-DD HH24:MI:SS.FF9" : "YYYY-MM-DD HH24:MI:SS.FF6"
        return column.base.contains("time zone")
          ? ("FROM_TZ(TO_TIMESTAMP(?, '\(format)'), '+00:00')", text) : ("TO_TIMESTAMP(?, '\(format)')", text)
      case "raw", "binary", "varbinary": return ("?", .bytes(place))
      default: return (self == .oracle && column.base.hasPrefix("n") ? "?" : "CAST(? AS VARCHAR(4000))", text)
      }
    case .generic:
      if case .bytes = column.description.type { return ("?", .bytes(place)) }
      if isText(column) { return ("?", text) }
      return ("?", .text(place, type: Int32(column.code)))
    }
  }

  func isText(_ column: ODBCTable.Column) -> Bool { column.description.type == .text }

  private func scale(_ column: ODBCTable.Column) -> Int {
    if case .decimal(_, let scale) = column.description.type { return scale }
    return 0
  }

  static let invalidPosition = ConnectorError.contract(
    "position", "存储的读取位点无效。", "The stored reading position is not valid.")
}
