import CMariaDB
import Connecting
import Kernel

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// One blocking connection. Errors carry the server's number and never a row's values.
final class MariaDBConnection {
  enum Purpose {
    case reading
    case writing
    /// Nothing on it takes longer.
    case looking(within: Duration)
    /// The server's log is sent on it, a sign of life every few seconds: longer silence is a broken connection.
    case following
  }

  /// How often the server is to say that it is still there, and after what silence it is given up.
  static let heartbeat = 5
  private static let longestSilence: UInt32 = 120

  private(set) var handle: UnsafeMutablePointer<MYSQL>?
  let address: MariaDBAddress
  private var interruption: Interruption?
  private(set) var product = MariaDBProduct(version: "", comment: "")
  /// Bytes of the longest message that the server takes.
  private(set) var longestPacket = 1 << 20
  /// The server writes all tables' names in small letters, whatever they were made as.
  private(set) var foldsNames = false

  /// The library sets itself up when it is first used, and that is not safe from two threads at once.
  private static let library = mysql_server_init(0, nil, nil)

  init(_ address: MariaDBAddress, _ purpose: Purpose = .reading) throws(ConnectorError) {
    self.address = address
    _ = Self.library
    guard let handle = mysql_init(nil) else {
      throw ConnectorError(.retryable, "mariadb.memory", Text("内存不足。", "Out of memory."))
    }
    self.handle = handle
    try connect(handle, purpose)
    do {
      try prepareSession(purpose)
    } catch {
      close()
      throw error
    }
  }

  deinit { close() }

  func close() {
    guard let handle else { return }
    interruption?.forget()
    mysql_close(handle)
    self.handle = nil
  }

  var interrupter: @Sendable () -> Void {
    { [interruption] in interruption?.interrupt() }
  }

  // MARK: Connecting

  private func connect(_ handle: UnsafeMutablePointer<MYSQL>, _ purpose: Purpose) throws(ConnectorError) {
    // Also for a server that accepts and then says nothing.
    set(MYSQL_OPT_CONNECT_TIMEOUT, 10)
    // A statement may take its time. What is set here holds for the whole connection, whatever is set later.
    set(MYSQL_OPT_WRITE_TIMEOUT, 600)
    if case .looking(let limit) = purpose {
      set(MYSQL_OPT_READ_TIMEOUT, UInt32(clamping: limit.inMilliseconds / 1000 + 3))
    }
    if case .following = purpose { set(MYSQL_OPT_READ_TIMEOUT, Self.longestSilence) }
    mysql_options(handle, MYSQL_SET_CHARSET_NAME, "utf8mb4")
    // Nothing that would send the password as it is to whoever asks.
    mysql_options(
      handle, MARIADB_OPT_RESTRICTED_AUTH,
      "mysql_native_password,caching_sha2_password,sha256_password,client_ed25519")
    sj_mysql_refuse_files(handle)
    _ = sj_mysql_attribute(handle, "program_name", "sanjiang")
    set(MYSQL_OPT_PROTOCOL, (address.socket == nil ? MYSQL_PROTOCOL_TCP : MYSQL_PROTOCOL_SOCKET).rawValue)
    let authority = try prepareEncryption(handle)
    defer { if let authority { unlink(authority) } }
    let isOpen =
      mysql_real_connect(
        handle, address.socket == nil ? address.host : nil, address.user, address.password, address.database,
        UInt32(address.port), address.socket, UInt(CLIENT_FOUND_ROWS)) != nil
    guard isOpen else {
      let failure = MariaDBError.refusedConnection(
        mysql_errno(handle), state: String(cString: mysql_sqlstate(handle)), said: String(cString: mysql_error(handle)))
      close()
      throw failure
    }
    interruption = Interruption(socket: mysql_get_socket(handle))
    if address.usedEncryption != .off, !isEncrypted {
      close()
      throw ConnectorError(
        .permanent, "mariadb.not-encrypted",
        Text(
          "对方服务器不支持加密连接；确需明文传输时，请把加密设为 off。",
          "The server does not encrypt; set encryption to off if plain text is really meant."))
    }
    keepAlive()
  }

  private func set(_ option: mysql_option, _ value: UInt32) {
    var value = value
    mysql_options(handle, option, &value)
  }

  /// The path of a file that holds the authority's certificate while connecting.
  private func prepareEncryption(_ handle: UnsafeMutablePointer<MYSQL>) throws(ConnectorError) -> String? {
    var (yes, verifies): (my_bool, my_bool) = (1, address.usedEncryption == .verify ? 1 : 0)
    guard address.usedEncryption != .off else { return nil }
    mysql_options(handle, MYSQL_OPT_SSL_ENFORCE, &yes)
    mysql_options(handle, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verifies)
    guard let authority = address.authority else { return nil }
    var path = Array("/tmp/sanjiang-authority-XXXXXX".utf8CString)
    let file = mkstemp(&path)
    let bytes = Array(authority.utf8)
    let isWritten = file >= 0 && Glibc.write(file, bytes, bytes.count) == bytes.count
    if file >= 0 { Glibc.close(file) }
    let name = path.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "" }
    guard isWritten else {
      unlink(name)
      throw ConnectorError(
        .retryable, "mariadb.authority", Text("无法写入临时文件。", "A temporary file could not be written."))
    }
    mysql_options(handle, MYSQL_OPT_SSL_CA, name)
    return name
  }

  /// A peer that is gone is noticed within a minute or two, however long a statement may take.
  private func keepAlive() {
    #if canImport(Glibc)
      let socket = mysql_get_socket(handle)
      for (option, value) in [(TCP_KEEPIDLE, Int32(30)), (TCP_KEEPINTVL, 10), (TCP_USER_TIMEOUT, 60_000)] {
        var value = value
        setsockopt(socket, Int32(IPPROTO_TCP), option, &value, socklen_t(MemoryLayout<Int32>.size))
      }
    #endif
  }

  private func prepareSession(_ purpose: Purpose) throws(ConnectorError) {
    let row = try run("SELECT version(), @@version_comment, @@max_allowed_packet, @@lower_case_table_names")[0]
    product = MariaDBProduct(version: row[0] ?? "", comment: row[1] ?? "")
    longestPacket = max(1024, row[2].flatMap { Int($0) } ?? 0)
    foldsNames = row[3] == "1"
    // Reading takes what is there, impossible dates and all; writing lets nothing be bent to fit.
    let mode =
      if case .writing = purpose {
        "STRICT_ALL_TABLES,STRICT_TRANS_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION,NO_BACKSLASH_ESCAPES"
      } else {
        "ALLOW_INVALID_DATES,NO_ENGINE_SUBSTITUTION,NO_BACKSLASH_ESCAPES"
      }
    try run(
      """
      SET SESSION sql_mode = '\(mode)', time_zone = '+00:00', autocommit = 1, sql_auto_is_null = 0, \
      net_write_timeout = 3600, net_read_timeout = 3600, wait_timeout = 28800, innodb_lock_wait_timeout = 60
      """)
    // What only some products and versions know.
    var optional = ["sql_select_limit = 18446744073709551615", "lock_wait_timeout = 60", "max_sort_length = 8192"]
    if case .looking(let limit) = purpose {
      let milliseconds = max(1, limit.inMilliseconds)
      optional.append(
        product.isMariaDB
          ? "max_statement_time = \(Double(milliseconds) / 1000)"
          : product.isOceanBase ? "ob_query_timeout = \(milliseconds * 1000)" : "max_execution_time = \(milliseconds)")
    } else if product.isOceanBase {
      optional += [
        "ob_query_timeout = 86400000000", "ob_trx_timeout = 86400000000", "ob_trx_idle_timeout = 3600000000",
      ]
    } else {
      optional.append(product.isMariaDB ? "max_statement_time = 0" : "max_execution_time = 0")
    }
    for setting in optional {
      do {
        try run("SET SESSION \(setting)")
      } catch {
        guard error.code != "mariadb.connection", error.kind != .retryable else { throw error }
      }
    }
    var level = "REPEATABLE READ"
    if case .writing = purpose {
      // A binary log of statements forbids less than repeatable reads.
      let log = try? run("SELECT @@binlog_format")[0][0]
      if log != "STATEMENT" { level = "READ COMMITTED" }
    }
    try run("SET SESSION TRANSACTION ISOLATION LEVEL \(level)")
  }

  var isEncrypted: Bool { handle.flatMap { mysql_get_ssl_cipher($0) } != nil }
  var takesArrays: Bool { handle.map { sj_mysql_takes_arrays($0) != 0 } ?? false }

  // MARK: Statements

  /// Runs one statement and gives its rows as text.
  @discardableResult
  func run(_ sql: String) throws(ConnectorError) -> [[String?]] {
    try send(sql)
    guard let result = mysql_store_result(handle) else {
      // A connection that breaks while rows come has forgotten that there were to be any.
      if mysql_field_count(handle) != 0 || mysql_errno(handle) != 0 { throw error }
      return []
    }
    defer { mysql_free_result(result) }
    let count = Int(mysql_num_fields(result))
    var rows: [[String?]] = []
    while let row = mysql_fetch_row(result), let lengths = mysql_fetch_lengths(result) {
      rows.append(
        (0..<count).map { index in
          row[index].map {
            String(decoding: UnsafeRawBufferPointer(start: $0, count: Int(lengths[index])), as: UTF8.self)
          }
        })
    }
    return rows
  }

  /// How many rows a statement found to touch.
  @discardableResult
  func change(_ sql: String) throws(ConnectorError) -> Int {
    try run(sql)
    return Int(truncatingIfNeeded: mysql_affected_rows(handle))
  }

  func send(_ sql: String) throws(ConnectorError) {
    var sql = sql
    let failure = sql.withUTF8 { text -> ConnectorError? in send(UnsafeRawBufferPointer(text)) }
    if let failure { throw failure }
  }

  /// Nil when it went well: typed errors do not pass through closures.
  func send(_ sql: UnsafeRawBufferPointer) -> ConnectorError? {
    guard let handle else { return Self.broken }
    let text = sql.baseAddress?.assumingMemoryBound(to: CChar.self)
    return mysql_real_query(handle, text, UInt(sql.count)) == 0 ? nil : error
  }

  var error: ConnectorError {
    guard let handle else { return Self.broken }
    return Self.error(
      mysql_errno(handle), state: String(cString: mysql_sqlstate(handle)), said: String(cString: mysql_error(handle)))
  }

  static func error(_ number: UInt32, state: String, said: String) -> ConnectorError {
    switch number {
    case 0, 2006, 2013, 2055: broken
    case 1153, 2020:
      ConnectorError(
        .permanent, "mariadb.packet",
        Text(
          "一行数据超过服务器的 max_allowed_packet，请对方调大该设置。",
          "A row is larger than the server's max_allowed_packet; it must be raised there."))
    default: MariaDBError.error(number, state: state, said: said)
    }
  }

  static var broken: ConnectorError {
    ConnectorError(
      .retryable, "mariadb.connection", Text("与数据库的连接中断。", "The connection to the database broke."))
  }
}

/// Who answered.
struct MariaDBProduct: Hashable {
  var name: String
  var version: String

  var isMariaDB: Bool { name == "MariaDB" }
  var isOceanBase: Bool { name == "OceanBase" }

  /// MariaDB since 10.4.2; 10.5 is asked for.
  var locksAccounts: Bool {
    let numbers = version.split(separator: ".").prefix(2).compactMap { Int($0) }
    return isMariaDB && numbers.count == 2 && (numbers[0], numbers[1]) >= (10, 5)
  }

  /// From `version()`: `10.11.6-MariaDB-log`, `5.5.5-10.2.8-MariaDB`, `8.0.36`, `8.0.11-TiDB-v7.5.1`,
  /// `5.7.25-OceanBase-v4.2.1.0`.
  init(version written: String, comment: String) {
    let parts = written.split(separator: "-").map(String.init)
    func numbers(_ text: String) -> String { String(text.drop { $0 == "v" || $0 == "V" }) }
    func after(_ name: String) -> String {
      parts.firstIndex { $0.lowercased() == name.lowercased() }.flatMap {
        $0 + 1 < parts.count ? numbers(parts[$0 + 1]) : nil
      }
        ?? ""
    }
    if let place = parts.firstIndex(where: { $0.lowercased() == "mariadb" }) {
      (name, version) = ("MariaDB", place > 0 ? parts[place - 1] : "")
    } else if written.lowercased().contains("tidb") {
      (name, version) = ("TiDB", after("TiDB"))
    } else if written.lowercased().contains("oceanbase") || comment.lowercased().contains("oceanbase") {
      (name, version) = ("OceanBase", after("OceanBase"))
    } else {
      (name, version) = (comment.lowercased().contains("mariadb") ? "MariaDB" : "MySQL", parts.first ?? "")
    }
  }
}
