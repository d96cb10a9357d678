import CLibPQ
import Connecting
import Kernel

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// One blocking libpq connection. Errors carry the server's SQLSTATE and never a row's values.
final class PostgreSQLConnection {
  // Asked for with every row.
  @exclusivity(unchecked) private(set) var handle: OpaquePointer?
  private var interruption: Interruption?

  /// `replicates`: a connection that can also stream the log.
  init(_ address: PostgreSQLAddress, replicates: Bool = false) throws(ConnectorError) {
    // What the address says wins over the first group; the last group holds whatever it says.
    var pairs: [(String, String)] = [
      ("connect_timeout", "10"), ("keepalives_idle", "30"), ("tcp_user_timeout", "60000"), ("dbname", address.address),
    ]
    if let password = address.password { pairs.append(("password", password)) }
    pairs += [("client_encoding", "UTF8"), ("application_name", "sanjiang")]
    if replicates { pairs.append(("replication", "database")) }
    var keys = pairs.map { UnsafePointer<CChar>(strdup($0.0)) } + [nil]
    var values = pairs.map { UnsafePointer<CChar>(strdup($0.1)) } + [nil]
    defer { (keys + values).forEach { free(UnsafeMutablePointer(mutating: $0)) } }
    handle = PQconnectdbParams(&keys, &values, 1)
    guard PQstatus(handle) == CONNECTION_OK else {
      let said = handle.map { String(cString: PQerrorMessage($0)) } ?? ""
      close()
      throw Self.refusedConnection(said)
    }
    interruption = Interruption(socket: PQsocket(handle))
    PQsetNoticeProcessor(handle, { _, _ in }, nil)
    try run(
      """
      SET search_path = pg_catalog; SET DateStyle = ISO; SET statement_timeout = 0; SET lock_timeout = '60s'; \
      SET idle_in_transaction_session_timeout = 0; SET synchronize_seqscans = off; SET extra_float_digits = 1
      """)
    // A reader that waits for its target is not gone.
    if replicates { try run("SET wal_sender_timeout = 0") }
    try refuseNode()
  }

  /// A node keeps grants, people and the log in a database that may well be on the same server. Whoever fills in a source
  /// must not reach it with the platform's own rights, under whatever name or address.
  private func refuseNode() throws(ConnectorError) {
    let own = "'audit_sequencer', 'identity_person', 'sharing_grant'"
    let found = try run(
      "SELECT count(DISTINCT relname) FROM pg_class WHERE relkind = 'r' AND relpersistence = 'p' AND relname IN (\(own))"
    )
    guard found[0][0] == "3" else { return }
    close()
    throw ConnectorError(
      .permanent, "postgresql.node",
      Text("这是数据共享平台自己的数据库，不能作为数据源。", "This is a platform node's own database; it cannot be a source."))
  }

  deinit { close() }

  func close() {
    guard let handle else { return }
    interruption?.forget()
    PQfinish(handle)
    self.handle = nil
  }

  var interrupter: @Sendable () -> Void {
    { [interruption] in interruption?.interrupt() }
  }

  var serverVersion: Int { Int(PQserverVersion(handle)) }
  var isEncrypted: Bool { PQsslInUse(handle) == 1 }
  var isLocal: Bool {
    let host = PQhost(handle).map { String(cString: $0) } ?? ""
    return host.isEmpty || host.hasPrefix("/") || host.hasPrefix("@") || host == "localhost" || host == "127.0.0.1"
      || host == "::1"
  }

  /// Runs one statement (or several without parameters) and gives its rows as text.
  @discardableResult
  func run(_ sql: String, _ parameters: [String?] = []) throws(ConnectorError) -> [[String?]] {
    let result = try execute(sql, parameters)
    defer { PQclear(result) }
    return (0..<PQntuples(result)).map { row in
      (0..<PQnfields(result)).map { column in
        PQgetisnull(result, row, column) == 1 ? nil : String(cString: PQgetvalue(result, row, column))
      }
    }
  }

  /// How many rows a statement touched.
  @discardableResult
  func change(_ sql: String, _ parameters: [String?] = []) throws(ConnectorError) -> Int {
    let result = try execute(sql, parameters)
    defer { PQclear(result) }
    return Int(String(cString: PQcmdTuples(result))) ?? 0
  }

  /// Runs what `prepare` prepared; parameters in binary form.
  func change(prepared name: String, binary parameters: [[UInt8]]) throws(ConnectorError) -> Int {
    let lengths = parameters.map { Int32($0.count) }
    let formats = [Int32](repeating: 1, count: parameters.count)
    // One stretch for all parameters keeps every pointer good during the call.
    let result = Array(parameters.map { $0 + [0] }.joined()).withUnsafeBytes { bytes in
      var at = 0
      let values = parameters.map { parameter in
        defer { at += parameter.count + 1 }
        return (bytes.baseAddress.map { $0 + at })?.assumingMemoryBound(to: CChar.self)
      }
      return PQexecPrepared(handle, name, Int32(parameters.count), values, lengths, formats, 0)
    }
    defer { PQclear(result) }
    try check(result)
    return Int(String(cString: PQcmdTuples(result))) ?? 0
  }

  func prepare(_ name: String, _ sql: String) throws(ConnectorError) {
    let result = PQprepare(handle, name, sql, 0, nil)
    defer { PQclear(result) }
    try check(result)
  }

  private func execute(_ sql: String, _ parameters: [String?]) throws(ConnectorError) -> OpaquePointer? {
    let result: OpaquePointer?
    if parameters.isEmpty {
      result = PQexec(handle, sql)
    } else {
      var values = parameters.map { $0.map { UnsafePointer<CChar>(strdup($0)) } ?? nil }
      defer { values.forEach { free(UnsafeMutablePointer(mutating: $0)) } }
      result = PQexecParams(handle, sql, Int32(parameters.count), nil, &values, nil, nil, 0)
    }
    do {
      try check(result)
    } catch {
      PQclear(result)
      throw error
    }
    return result
  }

  // MARK: COPY

  func startCopy(_ sql: String) throws(ConnectorError) {
    let result = PQexec(handle, sql)
    defer { PQclear(result) }
    let status = PQresultStatus(result)
    guard [PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH].contains(status) else { throw error(of: result) }
  }

  /// libpq receives into 16 KiB until one message needs more, and keeps what it grew to: one long answer, and a table comes in an
  /// eighth of the calls.
  func widen() throws(ConnectorError) { try run("SELECT repeat(' ', \(100 << 10))") }

  /// The next message of a COPY OUT; nil at its end. Free it with `PQfreemem`.
  @inline(__always)
  func nextCopied() throws(ConnectorError) -> UnsafeRawBufferPointer? {
    var message: UnsafeMutablePointer<CChar>?
    var waits = 0
    while true {
      let count = PQgetCopyData(handle, &message, 1)
      if count > 0 { return UnsafeRawBufferPointer(start: message, count: Int(count)) }
      guard count == 0 else {
        guard count == -1 else { throw brokenConnection() }
        try finishResults()
        return nil
      }
      try receive(after: waits)
      waits += 1
    }
  }

  /// Takes what has come. When nothing has, lets it gather for a moment: a server sends 8 KiB at a time, and to be woken
  /// for each would cost a third of the whole delivery's processor time.
  private func receive(after waits: Int) throws(ConnectorError) {
    if waits > 0 {
      if waits < 20 {
        usleep(250)
      } else {
        var socket = pollfd(fd: PQsocket(handle), events: Int16(POLLIN), revents: 0)
        poll(&socket, 1, -1)
      }
    }
    guard PQconsumeInput(handle) == 1 else { throw brokenConnection() }
  }

  // MARK: Streaming the log

  /// The next message of a stream that is there already; nil when none is. Free it with `PQfreemem`.
  func nextStreamed() throws(ConnectorError) -> UnsafeRawBufferPointer? {
    var message: UnsafeMutablePointer<CChar>?
    for isSecond in [false, true] {
      let count = PQgetCopyData(handle, &message, 1)
      if count > 0 { return UnsafeRawBufferPointer(start: message, count: Int(count)) }
      guard count == 0 else {
        try finishResults()
        throw brokenConnection()
      }
      if isSecond { break }
      guard PQconsumeInput(handle) == 1 else { throw brokenConnection() }
    }
    return nil
  }

  /// Blocks until something comes, a moment longer so that more gathers, or until the deadline.
  func waitForInput(until deadline: ContinuousClock.Instant) throws(ConnectorError) {
    let left = max(0, (deadline - ContinuousClock.now).inMilliseconds)
    var socket = pollfd(fd: PQsocket(handle), events: Int16(POLLIN), revents: 0)
    if poll(&socket, 1, Int32(min(left, 60_000))) > 0 { usleep(250) }
    guard PQconsumeInput(handle) == 1 else { throw brokenConnection() }
  }

  func flushOutput() throws(ConnectorError) {
    guard PQflush(handle) >= 0 else { throw brokenConnection() }
  }

  @inline(__always)
  func put(_ bytes: UnsafeRawBufferPointer) throws(ConnectorError) {
    guard
      PQputCopyData(handle, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(bytes.count)) == 1
    else { throw brokenConnection() }
  }

  func endPut() throws(ConnectorError) {
    guard PQputCopyEnd(handle, nil) == 1 else { throw brokenConnection() }
    try finishResults()
  }

  /// Reads every result that is left, throwing the first error among them.
  private func finishResults() throws(ConnectorError) {
    var failure: ConnectorError?
    while let result = PQgetResult(handle) {
      let status = PQresultStatus(result)
      if failure == nil, status != PGRES_COMMAND_OK, status != PGRES_TUPLES_OK { failure = error(of: result) }
      PQclear(result)
    }
    if let failure { throw failure }
    if PQstatus(handle) != CONNECTION_OK { throw brokenConnection() }
  }

  // MARK: Errors

  private func check(_ result: OpaquePointer?) throws(ConnectorError) {
    switch PQresultStatus(result) {
    case PGRES_COMMAND_OK, PGRES_TUPLES_OK: return
    default: throw error(of: result)
    }
  }

  private func error(of result: OpaquePointer?) -> ConnectorError {
    guard let result, let field = PQresultErrorField(result, Int32(UInt8(ascii: "C"))) else {
      return brokenConnection()
    }
    let primary = PQresultErrorField(result, Int32(UInt8(ascii: "M"))).map { String(cString: $0) } ?? ""
    return PostgreSQLError.error(state: String(cString: field), primary: primary)
  }

  private func brokenConnection() -> ConnectorError {
    ConnectorError(
      .retryable, "postgresql.connection",
      Text("与数据库的连接中断。", "The connection to the database broke."))
  }

  private static func refusedConnection(_ said: String) -> ConnectorError {
    // libpq gives no SQLSTATE here; its words name host, user and database, never the password.
    let isFinal = [
      "authentication failed", "does not exist", "no pg_hba.conf entry", "no password supplied", "invalid",
    ]
    .contains { said.contains($0) }
    let line = said.split(separator: "\n").last.map(String.init) ?? said
    return ConnectorError(
      isFinal ? .permanent : .retryable, "postgresql.connect",
      Text("无法连接数据库：\(line)", "Cannot connect to the database: \(line)"))
  }
}

enum PostgreSQLError {
  /// SQLSTATE by its class. A message is only passed on where the server cannot have put a value into it.
  static func error(state: String, primary: String) -> ConnectorError {
    let group = state.prefix(2)
    let kind: ConnectorError.Kind =
      switch group {
      case "08", "40", "53", "57", "58": .retryable
      case _ where state == "55P03" || state == "25P03" || state == "55006": .retryable
      case "42" where state != "42501": .contract
      case "22", "23": .data
      default: .permanent
      }
    let mayQuote = ["08", "25", "28", "3D", "3F", "40", "42", "53", "54", "55", "57", "58"].contains(group)
    let said = mayQuote ? primary : ""
    return ConnectorError(
      kind, "postgresql.\(state)",
      Text(
        "数据库报错 \(state)\(said.isEmpty ? "" : "：" + said)",
        "The database reports \(state)\(said.isEmpty ? "" : ": " + said)"))
  }
}

/// Names and values inside statements that take no parameters (COPY).
enum PostgreSQLQuote {
  static func name(_ name: String) -> String { "\"" + name.replacing("\"", with: "\"\"") + "\"" }

  static func table(_ table: TableName) -> String { "\(name(table.schema ?? "public")).\(name(table.name))" }

  /// `'…'`, with standard_conforming_strings in either position.
  static func text(_ text: String) -> String {
    let doubled = text.replacing("'", with: "''")
    return doubled.contains("\\") ? "E'" + doubled.replacing("\\", with: "\\\\") + "'" : "'" + doubled + "'"
  }
}
