import CODBC
import Connecting

// What a column of a database holds in our types, by its own name for the type.

extension ODBCDialect {
  /// Nil when no connector type carries it without loss. `code` is ODBC's own for the type.
  func type(_ base: String, code: Int, size: Int?, scale: Int?) -> ValueType? {
    switch self {
    case .postgresql: postgreSQL(base, size, scale)
    case .sqlserver: sqlServer(base, size, scale)
    case .oracle: oracle(base, size, scale)
    case .dm: dm(base, size, scale)
    case .sqlite: sqlite(base, size, scale)
    case .generic: generic(code, size, scale)
    }
  }

  static func decimal(_ size: Int?, _ scale: Int?) -> ValueType? {
    guard let size, let scale, ValueType.precisions.contains(size), (0...size).contains(scale) else { return nil }
    return .decimal(precision: size, scale: scale)
  }

  private func postgreSQL(_ base: String, _ size: Int?, _ scale: Int?) -> ValueType? {
    switch base {
    case "int2", "int4", "int8", "smallint", "integer", "bigint", "serial", "bigserial": .integer
    case "float4", "float8", "real", "double precision": .double
    case "bool", "boolean": .boolean
    case "date": .date
    case "timestamp", "timestamptz", "timestamp without time zone", "timestamp with time zone": .timestamp
    case "bytea": .bytes
    case "text", "varchar", "bpchar", "uuid", "json", "jsonb", "name", "character", "character varying": .text
    // Without a declared precision: what fits 38 digits with 10 decimals passes, other rows are reported one by one.
    case "numeric": size == nil ? .decimal(precision: 38, scale: 10) : Self.decimal(size, scale)
    default: nil
    }
  }

  private func sqlServer(_ base: String, _ size: Int?, _ scale: Int?) -> ValueType? {
    switch base {
    case "tinyint", "smallint", "int", "bigint": .integer
    case "bit": .boolean
    case "real", "float": .double
    case "decimal", "numeric": Self.decimal(size, scale)
    case "money": .decimal(precision: 19, scale: 4)
    case "smallmoney": .decimal(precision: 10, scale: 4)
    case "date": .date
    case "datetime", "datetime2", "smalldatetime", "datetimeoffset": .timestamp
    case "char", "varchar", "nchar", "nvarchar", "text", "ntext", "uniqueidentifier", "xml", "time", "sysname": .text
    case "binary", "varbinary", "image", "timestamp", "rowversion": .bytes
    default: nil
    }
  }

  private func oracle(_ base: String, _ size: Int?, _ scale: Int?) -> ValueType? {
    switch base {
    case "number", "decimal", "numeric", "integer", "smallint":
      // NUMBER without a precision holds any; with neither point nor more than 18 digits it is a whole number.
      guard let size, size > 0, size <= 38 else { return .decimal(precision: 38, scale: 10) }
      let places = scale ?? 0
      if places == 0, size <= 18 { return .integer }
      return places < 0 ? .decimal(precision: 38, scale: 0) : Self.decimal(max(size, places), places)
    case "float", "binary_float", "binary_double", "double precision", "real": return .double
    case "date": return .timestamp
    case _ where base.hasPrefix("timestamp"): return .timestamp
    case "char", "varchar2", "nchar", "nvarchar2", "clob", "nclob", "rowid", "varchar": return .text
    case "raw", "blob": return .bytes
    default: return nil
    }
  }

  private func dm(_ base: String, _ size: Int?, _ scale: Int?) -> ValueType? {
    switch base {
    case "tinyint", "byte", "smallint", "int", "integer", "bigint", "pls_integer": .integer
    case "bit", "bool", "boolean": .boolean
    case "float", "double", "real", "double precision": .double
    case "numeric", "decimal", "dec", "number":
      size == nil || size == 0 ? .decimal(precision: 38, scale: 10) : Self.decimal(size, scale ?? 0)
    case "date": .date
    case _ where base.hasPrefix("timestamp") || base.hasPrefix("datetime"): .timestamp
    case "char", "character", "varchar", "varchar2", "nchar", "nvarchar", "nvarchar2", "text", "clob", "longvarchar",
      "time":
      .text
    case "binary", "varbinary", "raw", "blob", "image", "longvarbinary": .bytes
    default: nil
    }
  }

  /// As SQLite itself takes declared types apart, so that a column reads alike through either connector.
  private func sqlite(_ base: String, _ size: Int?, _ scale: Int?) -> ValueType? {
    switch base {
    case "decimal", "numeric", "decimal_text", "number", "money":
      return Self.decimal(size, scale ?? 0) ?? .decimal(precision: 38, scale: 10)
    case _ where base.contains("bool"): return .boolean
    case _ where base.contains("datetime") || base.contains("timestamp"): return .timestamp
    case _ where base.contains("date"): return .date
    case _ where base.contains("int"): return .integer
    case _ where base.contains("char") || base.contains("clob") || base.contains("text"): return .text
    case _ where base.contains("blob"): return .bytes
    case _ where base.contains("real") || base.contains("floa") || base.contains("doub"): return .double
    default: return nil
    }
  }

  private func generic(_ code: Int, _ size: Int?, _ scale: Int?) -> ValueType? {
    switch Int32(code) {
    case SQL_TINYINT, SQL_SMALLINT, SQL_INTEGER, SQL_BIGINT: .integer
    case SQL_BIT: .boolean
    case SQL_REAL, SQL_FLOAT, SQL_DOUBLE: .double
    case SQL_DECIMAL, SQL_NUMERIC: Self.decimal(size, scale ?? 0)
    case SQL_TYPE_DATE, SQL_DATE: .date
    case SQL_TYPE_TIMESTAMP, SQL_TIMESTAMP: .timestamp
    case SQL_CHAR, SQL_VARCHAR, SQL_LONGVARCHAR, SQL_WCHAR, SQL_WVARCHAR, SQL_WLONGVARCHAR, SQL_GUID, SQL_TYPE_TIME:
      .text
    case SQL_BINARY, SQL_VARBINARY, SQL_LONGVARBINARY: .bytes
    default: nil
    }
  }
}
