import CODBC
import Connecting
import Kernel

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// One blocking connection through a driver. Errors carry the SQLSTATE and never a row's values.
final class ODBCConnection {
  enum Purpose {
    case reading
    case writing
    /// Nothing on it takes longer.
    case looking(within: Duration)
  }

  let address: ODBCAddress
  let driver: ODBCDriver
  private(set) var dialect: ODBCDialect
  private(set) var handle: SQLHDBC?
  /// What the database calls itself, with its version.
  private(set) var product = ""
  private(set) var schema: String?
  private(set) var quotes: (open: String, close: String) = ("\"", "\"")
  /// Values beyond the room bound for them can be fetched again from the middle of a block.
  private(set) var repairsBlocks = false
  private var interruption: Interruption?
  private let blocked = Monitor(Blocked())

  /// What a thread waits in, for the thread that ends it.
  private struct Blocked {
    var statement: UInt?
    /// How many calls were made, so that one can be told from the next.
    var calls = 0
    var isEnded = false
    var socket: ODBCSocket?

    func cancel() {
      if let statement = statement.flatMap({ SQLHSTMT(bitPattern: $0) }) { SQLCancel(statement) }
    }
  }

  init(_ address: ODBCAddress, _ purpose: Purpose = .reading) throws(ConnectorError) {
    self.address = address
    driver = try ODBCDriver.named(address.driver)
    dialect = address.dialect ?? driver.dialect
    let creates = if case .writing = purpose { true } else { false }
    let string = try address.connectionString(driver, dialect, creates: creates)
    guard let environment = ODBCEnvironment.shared else { throw ODBCEnvironment.missing }
    var handle: SQLHANDLE?
    guard SQLAllocHandle(SQLSMALLINT(SQL_HANDLE_DBC), environment, &handle) & ~1 == 0, let handle else {
      throw ODBCEnvironment.missing
    }
    self.handle = handle
    let before = ODBCSocket.all()
    try connect(handle, string)
    do {
      try learn()
      findSocket(before)
      try prepareSession(purpose)
    } catch {
      close()
      throw error
    }
  }

  deinit { close() }

  /// Rolls back what is open. Safe to call twice.
  func close() {
    guard let handle else { return }
    interruption?.forget()
    SQLEndTran(SQLSMALLINT(SQL_HANDLE_DBC), handle, SQLSMALLINT(SQL_ROLLBACK))
    SQLDisconnect(handle)
    SQLFreeHandle(SQLSMALLINT(SQL_HANDLE_DBC), handle)
    self.handle = nil
  }

  // MARK: Connecting

  private func connect(_ handle: SQLHDBC, _ string: String) throws(ConnectorError) {
    // Also for a server that accepts and then says nothing, where the driver heeds it.
    _ = sj_odbc_connection(handle, SQLINTEGER(SQL_ATTR_LOGIN_TIMEOUT), 10)
    let result: SQLRETURN
    if driver.isWide {
      // Ended by a zero, here as in statements: there are drivers that heed no length.
      var text = Array(string.utf16) + [0]
      result = SQLDriverConnectW(
        handle, nil, &text, SQLSMALLINT(text.count - 1), nil, 0, nil, SQLUSMALLINT(SQL_DRIVER_NOPROMPT))
    } else {
      var text = Array(string.utf8) + [0]
      result = SQLDriverConnect(
        handle, nil, &text, SQLSMALLINT(text.count - 1), nil, 0, nil, SQLUSMALLINT(SQL_DRIVER_NOPROMPT))
    }
    guard result & ~1 == 0 else {
      let found = ODBCDiagnosis.read(SQL_HANDLE_DBC, handle, isWide: driver.isWide)
      SQLFreeHandle(SQLSMALLINT(SQL_HANDLE_DBC), handle)
      self.handle = nil
      throw ODBCError.refusedConnection(found, dialect, password: address.password)
    }
  }

  private func learn() throws(ConnectorError) {
    let name = information(SQL_DBMS_NAME)
    if address.dialect == nil {
      let found = ODBCDialect(product: name)
      if found != .generic || driver.dialect == .generic { dialect = found }
    }
    let version = information(SQL_DBMS_VER).split(separator: " ").first.map(String.init) ?? ""
    product = version.isEmpty ? name : "\(name) \(version)"
    if dialect == .sqlserver {
      quotes = ("[", "]")
    } else if dialect == .generic {
      let quote = information(SQL_IDENTIFIER_QUOTE_CHAR)
      guard quote.count == 1, quote != " " else {
        throw ConnectorError(
          .permanent, "odbc.no-quotes",
          Text("该驱动不支持给名称加引号，不能安全地使用。", "This driver has no quotes for names; it cannot be used safely."))
      }
      quotes = (quote, quote)
    }
    var extensions: SQLUINTEGER = 0
    SQLGetInfo(handle, SQLUSMALLINT(SQL_GETDATA_EXTENSIONS), &extensions, 4, nil)
    let needed = SQLUINTEGER(SQL_GD_ANY_COLUMN | SQL_GD_BLOCK | SQL_GD_BOUND)
    // Read back row by row otherwise: of drivers that were not tried here not even the promise is taken.
    repairsBlocks = dialect == .postgresql && extensions & needed == needed
  }

  /// A short answer of the driver's, in ASCII.
  private func information(_ what: Int32) -> String {
    var text = [SQLCHAR](repeating: 0, count: 256)
    var length: SQLSMALLINT = 0
    guard SQLGetInfo(handle, SQLUSMALLINT(what), &text, 256, &length) & ~1 == 0 else { return "" }
    return String(decoding: text.prefix { $0 != 0 }, as: UTF8.self)
  }

  private func findSocket(_ before: [UInt64: Int32]) {
    let port = address.port ?? dialect.port
    let socket = port.flatMap { port in
      ODBCSocket.find(since: before, port: port) {
        guard dialect == .postgresql else { return nil }
        return (try? run("SELECT inet_client_port()"))?.first?.first?.flatMap { Int($0) }
      }
    }
    socket?.keepAlive()
    blocked.change { $0.socket = socket }
    let isFile = driver.readsFiles
    interruption = Interruption { [blocked] in
      let begun = blocked.change { blocked in
        blocked.isEnded = true
        // The connection is cut and not asked, where it can be.
        if let socket = blocked.socket {
          socket.cut()
        } else if !isFile {
          blocked.cancel()
        }
        return blocked.calls
      }
      // sqliteodbc closes a statement that it is told to cancel before its call has begun: only one that has long begun
      // is cancelled, and a short one ends by itself.
      guard isFile else { return }
      usleep(100_000)
      blocked.change { if $0.calls == begun { $0.cancel() } }
    }
  }

  private func prepareSession(_ purpose: Purpose) throws(ConnectorError) {
    // Each statement by itself, until a transaction is begun.
    _ = sj_odbc_connection(handle, SQLINTEGER(SQL_ATTR_AUTOCOMMIT), SQLULEN(SQL_AUTOCOMMIT_ON))
    for statement in dialect.session(purpose) { try run(statement) }
    if let echo = dialect.echo, try run(echo.sql).first?.first != echo.answer {
      throw ConnectorError(
        .permanent, "odbc.unicode",
        Text(
          "该驱动不能正确传送中文，请换用其 Unicode 版本或调整其字符集设置。",
          "This driver does not carry Chinese text; use its Unicode version or set its character set."))
    }
    try refuseNode()
    if let asks = dialect.defaultSchema { schema = try run(asks).first?.first ?? nil }
    guard dialect == .sqlite, case .writing = purpose else { return }
    // A file of our own making gets the journal that lets readers go on while it is written.
    if try run("PRAGMA schema_version").first?.first == "0" { try run("PRAGMA journal_mode = WAL") }
  }

  /// A node keeps grants, people and the log in a database that may well be reached by a driver, too.
  private func refuseNode() throws(ConnectorError) {
    let own = "'audit_sequencer', 'identity_person', 'sharing_grant'"
    let asks: String
    switch dialect {
    case .postgresql:
      asks = "SELECT count(DISTINCT relname) FROM pg_class WHERE relkind = 'r' AND relname IN (\(own))"
    case .sqlite: asks = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name IN (\(own))"
    default: return
    }
    guard try run(asks).first?.first == "3" else { return }
    throw ConnectorError(
      .permanent, "odbc.node",
      Text("这是数据共享平台自己的数据库，不能作为数据源。", "This is a platform node's own database; it cannot be a source."))
  }

  var isProtected: Bool {
    if address.isLocal { return true }
    return dialect.encrypted.flatMap { (try? run($0))?.first?.first ?? nil } == "1"
  }

  // MARK: Names

  func quoted(_ name: String) -> String {
    quotes.open + name.replacing(quotes.close, with: quotes.close + quotes.close) + quotes.close
  }

  func quoted(_ table: TableName) -> String {
    (table.schema ?? schema).map { "\(quoted($0)).\(quoted(table.name))" } ?? quoted(table.name)
  }

  // MARK: Statements

  /// Runs one statement and gives its rows as text.
  @discardableResult
  func run(_ sql: String, _ values: [ODBCValue] = []) throws(ConnectorError) -> [[String?]] {
    let statement = try ODBCStatement(self)
    defer { statement.close() }
    try statement.run(sql, values)
    return try statement.texts()
  }

  /// How many rows a statement touched.
  @discardableResult
  func change(_ sql: String, _ values: [ODBCValue] = []) throws(ConnectorError) -> Int {
    let statement = try ODBCStatement(self)
    defer { statement.close() }
    try statement.run(sql, values)
    return max(0, statement.rowCount)
  }

  // MARK: Transactions

  /// From now on one transaction, until `end`.
  func begin() throws(ConnectorError) {
    guard sj_odbc_connection(handle, SQLINTEGER(SQL_ATTR_AUTOCOMMIT), SQLULEN(SQL_AUTOCOMMIT_OFF)) & ~1 == 0 else {
      throw error
    }
  }

  func end(commits: Bool) throws(ConnectorError) {
    let result = blocking(nil) {
      SQLEndTran(SQLSMALLINT(SQL_HANDLE_DBC), handle, SQLSMALLINT(commits ? SQL_COMMIT : SQL_ROLLBACK))
    }
    guard result & ~1 == 0 else { throw error }
    guard sj_odbc_connection(handle, SQLINTEGER(SQL_ATTR_AUTOCOMMIT), SQLULEN(SQL_AUTOCOMMIT_ON)) & ~1 == 0 else {
      throw error
    }
  }

  private var error: ConnectorError {
    guard let handle else { return ODBCError.broken }
    return ODBCError.error(.read(SQL_HANDLE_DBC, handle, isWide: driver.isWide), dialect)
  }

  // MARK: Ending what blocks

  var interrupter: @Sendable () -> Void {
    { [interruption] in interruption?.interrupt() }
  }

  /// Runs a call of the driver's so that another thread can end it; nothing is called any more once it was, and what was
  /// called has failed.
  @inline(__always)
  func blocking(_ statement: SQLHSTMT?, _ body: () -> SQLRETURN) -> SQLRETURN {
    let isEnded = blocked.change { blocked in
      blocked.statement = statement.map { UInt(bitPattern: $0) }
      blocked.calls += 1
      return blocked.isEnded
    }
    if isEnded { return SQLRETURN(SQL_ERROR) }
    let result = body()
    return blocked.change { blocked in
      blocked.statement = nil
      // A driver may call what was cancelled the end of the rows.
      return blocked.isEnded ? SQLRETURN(SQL_ERROR) : result
    }
  }

  var isEnded: Bool { blocked.change { $0.isEnded } }
}
