import CSQLite
import Connecting
import Kernel

/// One connection of the sqlite3 C API. Used by one thread.
final class SQLiteConnection {
  private(set) var handle: OpaquePointer?
  private var interruption: Interruption?
  /// Until when a statement may run, where `interrupts` set it; outlives the handle.
  let deadline = UnsafeMutablePointer<ContinuousClock.Instant>.allocate(capacity: 1)

  init(_ path: String, writes: Bool) throws(ConnectorError) {
    let flags = (writes ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY) | SQLITE_OPEN_NOMUTEX
    let code = sqlite3_open_v2(path, &handle, flags, nil)
    guard code == SQLITE_OK else {
      let failure = error(code)
      close()
      throw failure
    }
    let place = UInt(bitPattern: handle)
    interruption = Interruption { sqlite3_interrupt(OpaquePointer(bitPattern: place)) }
    sqlite3_extended_result_codes(handle, 1)
    sqlite3_busy_timeout(handle, 30_000)
    try run("PRAGMA cache_size = -8192")
    guard writes else { return }
    // A file of our own making gets the journal that lets readers go on while it is written, and commits with one sync;
    // one that was there keeps what its owner chose.
    if try rows("PRAGMA schema_version")[0][0] == "0" { try run("PRAGMA journal_mode = WAL") }
    try run("PRAGMA wal_autocheckpoint = 8192")
    // A commit that a power cut can undo would make the offset a lie.
    try run("PRAGMA synchronous = FULL")
  }

  deinit {
    close()
    deadline.deallocate()
  }

  func close() {
    guard let handle else { return }
    interruption?.forget()
    sqlite3_close_v2(handle)
    self.handle = nil
  }

  var interrupter: @Sendable () -> Void {
    { [interruption] in interruption?.interrupt() }
  }

  func prepare(_ sql: String) throws(ConnectorError) -> SQLiteStatement { try SQLiteStatement(self, sql) }

  func run(_ sql: String) throws(ConnectorError) {
    let code = sqlite3_exec(handle, sql, nil, nil, nil)
    guard code == SQLITE_OK else { throw error(code) }
  }

  /// Rows as text, for small answers.
  func rows(_ sql: String, _ values: [String] = []) throws(ConnectorError) -> [[String?]] {
    let statement = try prepare(sql)
    defer { statement.finalize() }
    for (index, value) in values.enumerated() { try statement.bind(Array(value.utf8), at: index, asText: true) }
    var rows: [[String?]] = []
    while try statement.step() {
      rows.append((0..<statement.columnCount).map { statement.isNull($0) ? nil : statement.text($0) })
    }
    return rows
  }

  /// How a table's column compares its texts, in capitals; nil for a view's, and for what is not there.
  func collation(of column: String, in table: String) -> String? {
    var name: UnsafePointer<CChar>?
    guard sqlite3_table_column_metadata(handle, nil, table, column, nil, &name, nil, nil, nil) == SQLITE_OK else {
      return nil
    }
    return name.map { String(cString: $0).uppercased() }
  }

  var changes: Int { Int(sqlite3_changes(handle)) }

  /// SQLite's own words name tables and columns, never a row's values.
  func error(_ code: Int32) -> ConnectorError {
    let said = handle.map { String(cString: sqlite3_errmsg($0)) } ?? String(cString: sqlite3_errstr(code))
    let kind: ConnectorError.Kind =
      switch code & 0xFF {
      case SQLITE_BUSY, SQLITE_LOCKED, SQLITE_FULL, SQLITE_IOERR, SQLITE_NOMEM, SQLITE_PROTOCOL, SQLITE_INTERRUPT:
        .retryable
      case SQLITE_ERROR, SQLITE_SCHEMA: .contract
      case SQLITE_CONSTRAINT, SQLITE_MISMATCH, SQLITE_TOOBIG, SQLITE_CORRUPT, SQLITE_NOTADB: .data
      default: .permanent
      }
    let words =
      switch code & 0xFF {
      case SQLITE_CANTOPEN:
        Text(
          "打不开数据库文件：没有这个文件，或者平台无权读取。请核对文件路径和权限。",
          "The database file cannot be opened: it is not there, or the platform may not read it. Check its path and rights."
        )
      case SQLITE_NOTADB:
        Text("这个文件不是 SQLite 数据库。请核对文件路径。", "The file is no SQLite database. Check its path.")
      default: Text("SQLite 报错 \(code)：\(said)", "SQLite reports \(code): \(said)")
      }
    return ConnectorError(kind, "sqlite.\(code)", words)
  }
}

/// A prepared statement.
final class SQLiteStatement {
  private let connection: SQLiteConnection
  private var handle: OpaquePointer?

  init(_ connection: SQLiteConnection, _ sql: String) throws(ConnectorError) {
    self.connection = connection
    let code = sqlite3_prepare_v2(connection.handle, sql, -1, &handle, nil)
    guard code == SQLITE_OK else { throw connection.error(code) }
  }

  deinit { finalize() }

  func finalize() {
    sqlite3_finalize(handle)
    handle = nil
  }

  /// True while there is a row.
  @inline(__always)
  func step() throws(ConnectorError) -> Bool {
    switch sqlite3_step(handle) {
    case SQLITE_ROW: return true
    case SQLITE_DONE: return false
    case let code: throw connection.error(code)
    }
  }

  /// Steps to the end and makes the statement ready to run again.
  func run() throws(ConnectorError) {
    defer { sqlite3_reset(handle) }
    while try step() {}
  }

  func reset() { sqlite3_reset(handle) }

  // MARK: Binding, from 0. Bytes must live until the statement is reset.

  func bindNull(at index: Int) { sqlite3_bind_null(handle, Int32(index + 1)) }
  func bind(_ value: Int64, at index: Int) { sqlite3_bind_int64(handle, Int32(index + 1), value) }
  func bind(_ value: Double, at index: Int) { sqlite3_bind_double(handle, Int32(index + 1), value) }

  func bindText(_ bytes: UnsafeRawBufferPointer, at index: Int, copy: Bool = false) {
    // A null pointer would bind NULL: an empty text needs an address.
    let start = bytes.baseAddress ?? UnsafeRawPointer(Self.empty)
    sqlite3_bind_text(
      handle, Int32(index + 1), start.assumingMemoryBound(to: CChar.self), Int32(bytes.count),
      copy ? Self.transient : nil)
  }

  func bindBlob(_ bytes: UnsafeRawBufferPointer, at index: Int, copy: Bool = false) {
    sqlite3_bind_blob(
      handle, Int32(index + 1), bytes.baseAddress ?? UnsafeRawPointer(Self.empty), Int32(bytes.count),
      copy ? Self.transient : nil)
  }

  func bind(_ bytes: [UInt8], at index: Int, asText: Bool) throws(ConnectorError) {
    bytes.withUnsafeBytes { asText ? bindText($0, at: index, copy: true) : bindBlob($0, at: index, copy: true) }
  }

  func bind(_ text: String, at index: Int) throws(ConnectorError) {
    try bind(Array(text.utf8), at: index, asText: true)
  }

  private static let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
  nonisolated(unsafe) private static let empty = UnsafeMutableRawPointer.allocate(byteCount: 8, alignment: 8)

  // MARK: Columns

  var columnCount: Int { Int(sqlite3_column_count(handle)) }
  @inline(__always) func type(_ column: Int) -> Int32 { sqlite3_column_type(handle, Int32(column)) }
  @inline(__always) func int64(_ column: Int) -> Int64 { sqlite3_column_int64(handle, Int32(column)) }
  @inline(__always) func double(_ column: Int) -> Double { sqlite3_column_double(handle, Int32(column)) }
  func isNull(_ column: Int) -> Bool { type(column) == SQLITE_NULL }

  /// Text or blob; valid until the next step.
  @inline(__always)
  func bytes(_ column: Int) -> UnsafeRawBufferPointer {
    let isText = type(column) == SQLITE_TEXT
    let start =
      isText
      ? sqlite3_column_text(handle, Int32(column)).map(UnsafeRawPointer.init)
      : sqlite3_column_blob(handle, Int32(column))
    return UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(handle, Int32(column))))
  }

  func text(_ column: Int) -> String {
    sqlite3_column_text(handle, Int32(column)).map { String(cString: $0) } ?? ""
  }
}

enum SQLiteQuote {
  static func name(_ name: String) -> String { "\"" + name.replacing("\"", with: "\"\"") + "\"" }
}
