import CODBC
import Connecting
import Kernel

/// What a driver, or the database behind it, reported first.
struct ODBCDiagnosis {
  var state = ""
  var native: Int = 0
  var said = ""

  /// The first record of a handle. Drivers that take UTF-16 speak it here too.
  static func read(_ kind: Int32, _ handle: SQLHANDLE?, isWide: Bool) -> ODBCDiagnosis {
    var found = ODBCDiagnosis()
    guard let handle else { return found }
    var (native, length): (SQLINTEGER, SQLSMALLINT) = (0, 0)
    if isWide {
      var state = [SQLWCHAR](repeating: 0, count: 6)
      var words = [SQLWCHAR](repeating: 0, count: 1024)
      guard SQLGetDiagRecW(SQLSMALLINT(kind), handle, 1, &state, &native, &words, 1024, &length) & ~1 == 0 else {
        return found
      }
      found.state = String(decoding: state.prefix { $0 != 0 }, as: UTF16.self)
      found.said = String(decoding: words.prefix { $0 != 0 }, as: UTF16.self)
    } else {
      var state = [SQLCHAR](repeating: 0, count: 6)
      var words = [SQLCHAR](repeating: 0, count: 1024)
      guard SQLGetDiagRec(SQLSMALLINT(kind), handle, 1, &state, &native, &words, 1024, &length) & ~1 == 0 else {
        return found
      }
      found.state = String(decoding: state.prefix { $0 != 0 }, as: UTF8.self)
      found.said = String(decoding: words.prefix { $0 != 0 }, as: UTF8.self)
    }
    found.native = Int(native)
    return found
  }

  /// Its first line, without the names in brackets that every layer puts in front.
  var line: String {
    var text = said.split(whereSeparator: { $0 == "\n" || $0 == "\r" }).first.map(String.init) ?? ""
    while text.hasPrefix("["), let end = text.firstIndex(of: "]") { text = String(text[text.index(after: end)...]) }
    while text.hasSuffix(";") || text.hasSuffix(" ") { text.removeLast() }
    return text.drop { $0 == " " }.description
  }
}

/// What a SQLSTATE means for a delivery.
enum ODBCError {
  static func error(_ found: ODBCDiagnosis, _ dialect: ODBCDialect) -> ConnectorError {
    if isBroken(found) { return broken }
    let words = mayQuote(found, dialect) ? found.line : ""
    return ConnectorError(
      kind(found, dialect), code(found, dialect),
      Text(
        "数据库报错 \(found.state)（\(found.native)）\(words.isEmpty ? "" : "：" + words)",
        "The database reports \(found.state) (\(found.native))\(words.isEmpty ? "" : ": " + words)"))
  }

  /// Drivers name host, user and database here; one that repeats the password says nothing.
  static func refusedConnection(
    _ found: ODBCDiagnosis, _ dialect: ODBCDialect, password: String?
  ) -> ConnectorError {
    let isSecret = password.map { !$0.isEmpty && found.said.contains($0) } ?? false
    let words = isSecret || found.said.contains("PWD=") ? "" : found.line
    let isFinal =
      ["28", "3D", "IM", "42"].contains(String(found.state.prefix(2)))
      || refusals.contains { found.said.lowercased().contains($0) } || isRefusedLogin(found, dialect)
    return ConnectorError(
      isFinal ? .permanent : .retryable, "odbc.connect",
      Text(
        "无法连接数据库（\(found.state)）\(words.isEmpty ? "" : "：" + words)",
        "Cannot connect to the database (\(found.state))\(words.isEmpty ? "" : ": " + words)"))
  }

  private static let refusals = [
    "authentication failed", "does not exist", "no pg_hba.conf entry", "no password supplied", "login failed",
    "certificate", "invalid username",
  ]

  private static func isRefusedLogin(_ found: ODBCDiagnosis, _ dialect: ODBCDialect) -> Bool {
    switch dialect {
    case .oracle: [1017, 1005, 28000, 28001, 12505, 12514].contains(found.native)
    case .sqlserver: [18456, 18470, 18487, 18488, 4060].contains(found.native)
    default: false
    }
  }

  static var broken: ConnectorError {
    ConnectorError(
      .retryable, "odbc.connection", Text("与数据库的连接中断。", "The connection to the database broke."))
  }

  private static func isBroken(_ found: ODBCDiagnosis) -> Bool {
    found.state.hasPrefix("08") || found.state == "57P01" || found.state == "57P02"
      || ["connection to the server", "server closed the connection", "no connection", "connection dead"].contains {
        found.said.lowercased().contains($0)
      }
  }

  private static func code(_ found: ODBCDiagnosis, _ dialect: ODBCDialect) -> String {
    // Where the state says nothing, the database's own number does.
    found.state == "HY000" && found.native != 0
      ? "odbc.\(dialect.rawValue)-\(abs(found.native))" : "odbc.\(found.state)"
  }

  static func kind(_ found: ODBCDiagnosis, _ dialect: ODBCDialect) -> ConnectorError.Kind {
    if let kind = kind(native: found.native, dialect) { return kind }
    switch (found.state, found.state.prefix(2)) {
    case ("55P03", _), ("25P03", _), ("55006", _), ("HYT00", _), ("HYT01", _), ("HY008", _), ("HY001", _),
      ("HY117", _), (_, "08"), (_, "40"), (_, "53"), (_, "57"), (_, "58"):
      return .retryable
    case ("42501", _): return .permanent
    // No such table or column, or another than was agreed.
    case (_, "42"), ("S0002", _), ("S0022", _): return .contract
    case (_, "22"), (_, "23"): return .data
    default: return .permanent
    }
  }

  /// The database's own numbers, where they say more than the state that its driver makes of them.
  private static func kind(native number: Int, _ dialect: ODBCDialect) -> ConnectorError.Kind? {
    switch (dialect, abs(number)) {
    // SQL Server: deadlock, lock not free, out of room, snapshot met another write, time ran out.
    case (.sqlserver, 1205), (.sqlserver, 1222), (.sqlserver, 1105), (.sqlserver, 9002), (.sqlserver, 3960),
      (.sqlserver, 10928), (.sqlserver, 40501), (.sqlserver, 40613):
      .retryable
    case (.sqlserver, 229), (.sqlserver, 230), (.sqlserver, 262): .permanent
    case (.sqlserver, 207), (.sqlserver, 208): .contract
    case (.sqlserver, 2627), (.sqlserver, 2601), (.sqlserver, 515), (.sqlserver, 8152), (.sqlserver, 2628): .data
    // Oracle: resource busy, deadlock, snapshot too old, cannot serialise, no room, and the ways a connection ends.
    case (.oracle, 54), (.oracle, 60), (.oracle, 1555), (.oracle, 8177), (.oracle, 1013), (.oracle, 1652...1654),
      (.oracle, 3113...3114), (.oracle, 12150...12170), (.oracle, 12535...12547), (.oracle, 1033...1034),
      (.oracle, 1089...1092):
      .retryable
    case (.oracle, 942), (.oracle, 904): .contract
    case (.oracle, 1031): .permanent
    case (.oracle, 1), (.oracle, 1400), (.oracle, 1438), (.oracle, 12899): .data
    // SQLite: busy, locked, no memory, interrupted, no room, a protocol of locks that failed.
    case (.sqlite, 5...7), (.sqlite, 9...10), (.sqlite, 13), (.sqlite, 15): .retryable
    case (.sqlite, 1), (.sqlite, 17): .contract
    case (.sqlite, 11), (.sqlite, 18...20), (.sqlite, 26): .data
    default: nil
    }
  }

  /// Servers put values into many of their messages. These classes name accounts, tables and columns only; SQLite's words
  /// never hold a value.
  private static func mayQuote(_ found: ODBCDiagnosis, _ dialect: ODBCDialect) -> Bool {
    if dialect == .sqlite { return found.state != "22001" }
    return ["08", "25", "28", "3D", "3F", "40", "53", "54", "55", "57", "58", "IM"].contains(found.state.prefix(2))
      || found.state.hasPrefix("HYT") || dialect == .postgresql && found.state.hasPrefix("42")
  }
}
