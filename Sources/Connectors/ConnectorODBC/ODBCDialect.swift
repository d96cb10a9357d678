import Connecting
import Kernel

/// Whose SQL is spoken. PostgreSQL and SQLite are tried against databases here; the others are written by their makers'
/// manuals and looked at as text only.
enum ODBCDialect: String, Sendable, CaseIterable {
  case sqlserver, oracle, dm, postgresql, sqlite
  /// SQL-92 and what ODBC itself promises.
  case generic

  /// By what the driver says of its database (SQL_DBMS_NAME).
  init(product: String) {
    let name = product.lowercased()
    self =
      if name.contains("sql server") || name.contains("azure sql") {
        .sqlserver
      } else if name.hasPrefix("oracle") {
        .oracle
      } else if name == "dm" || name.hasPrefix("dm ") || name.hasPrefix("dm8") || name.hasPrefix("dm7")
        || name.contains("dameng")
      {
        .dm
      } else if ["postgresql", "kingbase", "opengauss", "gaussdb", "vastbase", "highgo"].contains(where: {
        name.contains($0)
      }) {
        .postgresql
      } else if name.hasPrefix("sqlite") {
        .sqlite
      } else {
        .generic
      }
  }

  var port: Int? {
    switch self {
    case .sqlserver: 1433
    case .oracle: 1521
    case .dm: 5236
    case .postgresql: 5432
    case .sqlite, .generic: nil
    }
  }

  /// Schemas that are the database's own.
  var ownSchemas: Set<String> {
    switch self {
    case .sqlserver: ["sys", "information_schema"]
    case .oracle:
      [
        "sys", "system", "xdb", "mdsys", "ctxsys", "wmsys", "outln", "dbsnmp", "ordsys", "orddata", "olapsys",
        "lbacsys",
        "dvsys", "gsmadmin_internal", "appqossys", "audsys", "ojvmsys", "apex_public_user", "ordplugins",
        "si_informtn_schema",
      ]
    case .dm: ["sys", "sysauditor", "syssso", "sysdbo", "ctisys", "sysjob", "sysdba_own"]
    case .postgresql: ["pg_catalog", "information_schema", "pg_toast", "sys", "sys_catalog"]
    case .sqlite: []
    case .generic: ["information_schema", "sys", "mysql", "performance_schema", "sysibm", "syscat"]
    }
  }

  /// Each run by itself once connected. What reads gets every digit, in one spelling; what writes lets nothing be bent to fit.
  func session(_ purpose: ODBCConnection.Purpose) -> [String] {
    var limit: Int64 = 0
    if case .looking(let duration) = purpose { limit = max(1, duration.inMilliseconds) }
    switch self {
    case .postgresql:
      var list = [
        "SET search_path = pg_catalog", "SET TimeZone = 'UTC'", "SET DateStyle = ISO", "SET extra_float_digits = 1",
        "SET statement_timeout = \(limit)", "SET lock_timeout = '60s'", "SET idle_in_transaction_session_timeout = 0",
        "SET synchronize_seqscans = off",
      ]
      // A stage has no statistics: for a few thousand keys the planner would read the whole target.
      if case .writing = purpose { list += ["SET enable_hashjoin = off", "SET enable_mergejoin = off"] }
      return list
    case .sqlserver:
      return [
        "SET LOCK_TIMEOUT 60000", "SET XACT_ABORT ON", "SET QUOTED_IDENTIFIER ON", "SET ANSI_NULLS ON",
        "SET ANSI_PADDING ON", "SET ANSI_WARNINGS ON", "SET ARITHABORT ON", "SET DATEFORMAT ymd", "SET TEXTSIZE -1",
      ]
    case .oracle:
      return [
        "ALTER SESSION SET NLS_NUMERIC_CHARACTERS = '.,' NLS_SORT = BINARY NLS_COMP = BINARY TIME_ZONE = '+00:00'"
      ]
    case .sqlite: return ["PRAGMA cache_size = -8192", "PRAGMA wal_autocheckpoint = 8192"]
    case .dm, .generic: return []
    }
  }

  /// First in the transaction of a reader, so that all its statements see one state. SQLite's transaction is that by itself.
  var snapshot: [String] {
    switch self {
    case .postgresql: ["SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"]
    case .oracle: ["SET TRANSACTION READ ONLY"]
    case .dm: ["SET TRANSACTION ISOLATION LEVEL SERIALIZABLE"]
    case .sqlserver, .sqlite, .generic: []
    }
  }

  /// A text that comes back as it was only where the driver carries Unicode.
  var echo: (sql: String, answer: String)? {
    switch self {
    case .sqlserver: ("SELECT N'中é😀'", "中é😀")
    case .postgresql, .sqlite: ("SELECT '中é😀'", "中é😀")
    // Databases of GBK have no place for more.
    case .oracle, .dm: ("SELECT '中' FROM DUAL", "中")
    case .generic: nil
    }
  }

  /// The schema in which a table without one is looked for.
  var defaultSchema: String? {
    switch self {
    case .postgresql: "SELECT 'public'"
    case .sqlserver: "SELECT SCHEMA_NAME()"
    case .oracle, .dm: "SELECT SYS_CONTEXT('USERENV', 'CURRENT_SCHEMA') FROM DUAL"
    case .sqlite, .generic: nil
    }
  }

  /// The server's clock in UTC, as `YYYY-MM-DD HH:MM:SS.ffffff`; nil where there is no common way to ask.
  var clock: String? {
    switch self {
    case .postgresql: "SELECT (clock_timestamp() AT TIME ZONE 'UTC')::text"
    case .sqlserver: "SELECT LEFT(CONVERT(varchar(27), SYSUTCDATETIME(), 121), 26)"
    case .oracle, .dm: "SELECT TO_CHAR(SYS_EXTRACT_UTC(SYSTIMESTAMP), 'YYYY-MM-DD HH24:MI:SS.FF6') FROM DUAL"
    case .sqlite: "SELECT strftime('%Y-%m-%d %H:%M:%f', 'now')"
    case .generic: nil
    }
  }

  /// Whether the account cannot write, as `1`; nil where nothing tells.
  var readOnly: String? {
    switch self {
    case .postgresql:
      """
      SELECT CASE WHEN (current_setting('default_transaction_read_only') = 'on') OR pg_is_in_recovery() OR NOT (
        (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
        OR has_database_privilege(current_database(), 'CREATE')
        OR EXISTS (SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
          WHERE c.relkind IN ('r', 'p') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
          AND has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE'))) THEN '1' ELSE '0' END
      """
    case .sqlserver:
      """
      SELECT CASE WHEN COALESCE(HAS_PERMS_BY_NAME(DB_NAME(), 'DATABASE', 'INSERT'), 1) = 0
        AND COALESCE(HAS_PERMS_BY_NAME(DB_NAME(), 'DATABASE', 'UPDATE'), 1) = 0
        AND COALESCE(HAS_PERMS_BY_NAME(DB_NAME(), 'DATABASE', 'DELETE'), 1) = 0
        AND COALESCE(HAS_PERMS_BY_NAME(DB_NAME(), 'DATABASE', 'CREATE TABLE'), 1) = 0 THEN '1' ELSE '0' END
      """
    case .oracle, .dm, .sqlite, .generic: nil
    }
  }

  /// Whether the way to the server is encrypted, as `1`.
  var encrypted: String? {
    switch self {
    case .postgresql: "SELECT CASE WHEN ssl THEN '1' ELSE '0' END FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
    case .sqlserver:
      "SELECT CASE encrypt_option WHEN 'TRUE' THEN '1' ELSE '0' END FROM sys.dm_exec_connections WHERE session_id = @@SPID"
    case .oracle: "SELECT CASE SYS_CONTEXT('USERENV', 'NETWORK_PROTOCOL') WHEN 'tcps' THEN '1' ELSE '0' END FROM DUAL"
    case .dm, .sqlite, .generic: nil
    }
  }

  /// One statement with at most `count` rows; `rest` begins at FROM.
  func select(_ list: String, _ rest: String, atMost count: Int?) -> String {
    guard let count else { return "SELECT \(list) \(rest)" }
    switch self {
    case .sqlserver, .dm: return "SELECT TOP \(self == .dm ? "\(count)" : "(\(count))") \(list) \(rest)"
    case .postgresql, .sqlite: return "SELECT \(list) \(rest) LIMIT \(count)"
    // Known to every version; the order is made inside.
    case .oracle: return "SELECT * FROM (SELECT \(list) \(rest)) WHERE ROWNUM <= \(count)"
    case .generic: return "SELECT \(list) \(rest) FETCH FIRST \(count) ROWS ONLY"
    }
  }

  /// Rows of one statement while reading: nil where the driver hands rows on as they come. An unknown one may well take
  /// all of a result into memory first.
  var pageRows: Int? { self == .generic ? 20_000 : nil }

  /// Behind a SELECT of one row that is about to be changed.
  var lockClause: (behindTable: String, atEnd: String) {
    switch self {
    case .postgresql, .oracle, .dm: ("", " FOR UPDATE")
    case .sqlserver: (" WITH (UPDLOCK, HOLDLOCK)", "")
    case .sqlite, .generic: ("", "")
    }
  }
}
