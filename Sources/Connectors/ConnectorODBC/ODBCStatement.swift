import CODBC
import Connecting

/// A value that stands for one `?`.
enum ODBCValue: Hashable {
  case null
  /// UTF-8; `type` is ODBC's of what it is compared with, where that is not text.
  case text([UInt8], type: Int32? = nil)
  case bytes([UInt8])
  case integer(Int64)
  case double(Double)

  static func text(_ text: String) -> ODBCValue { .text(Array(text.utf8)) }
}

/// One statement handle. Used by the connection's thread.
final class ODBCStatement {
  let connection: ODBCConnection
  private(set) var handle: SQLHSTMT?
  /// The values of the current run lie here.
  private var rooms: [UnsafeMutableRawPointer] = []

  init(_ connection: ODBCConnection) throws(ConnectorError) {
    self.connection = connection
    var handle: SQLHANDLE?
    guard let owner = connection.handle,
      SQLAllocHandle(SQLSMALLINT(SQL_HANDLE_STMT), owner, &handle) & ~1 == 0
    else { throw ODBCError.broken }
    self.handle = handle
  }

  deinit { close() }

  func close() {
    // A connection that is gone took its statements along.
    if let handle, connection.handle != nil { SQLFreeHandle(SQLSMALLINT(SQL_HANDLE_STMT), handle) }
    handle = nil
    freeRooms()
  }

  private func freeRooms() {
    for room in rooms { room.deallocate() }
    rooms.removeAll()
  }

  func run(_ sql: String, _ values: [ODBCValue] = []) throws(ConnectorError) {
    freeRooms()
    for (index, value) in values.enumerated() { try bind(value, at: index + 1) }
    try check(connection.blocking(handle) { directly(sql) })
  }

  private func directly(_ sql: String) -> SQLRETURN {
    if connection.driver.isWide {
      var text = Array(sql.utf16) + [0]
      return SQLExecDirectW(handle, &text, SQLINTEGER(text.count - 1))
    }
    var text = Array(sql.utf8) + [0]
    return SQLExecDirect(handle, &text, SQLINTEGER(text.count - 1))
  }

  func prepare(_ sql: String) throws(ConnectorError) {
    let isWide = connection.driver.isWide
    try check(
      connection.blocking(handle) {
        if isWide {
          var text = Array(sql.utf16) + [0]
          return SQLPrepareW(handle, &text, SQLINTEGER(text.count - 1))
        }
        var text = Array(sql.utf8) + [0]
        return SQLPrepare(handle, &text, SQLINTEGER(text.count - 1))
      })
  }

  func execute() throws(ConnectorError) {
    try check(connection.blocking(handle) { SQLExecute(handle) })
  }

  /// Success, also with warnings, and no data at all (a DELETE that found nothing) are no failures.
  func check(_ result: SQLRETURN) throws(ConnectorError) {
    guard result & ~1 != 0, result != SQLRETURN(SQL_NO_DATA) else { return }
    throw error
  }

  var error: ConnectorError {
    guard let handle, connection.handle != nil, !connection.isEnded else { return ODBCError.broken }
    return ODBCError.error(.read(SQL_HANDLE_STMT, handle, isWide: connection.driver.isWide), connection.dialect)
  }

  var rowCount: Int {
    var count: SQLLEN = 0
    return SQLRowCount(handle, &count) & ~1 == 0 ? Int(count) : 0
  }

  func set(_ name: Int32, _ value: Int) { _ = sj_odbc_statement(handle, SQLINTEGER(name), SQLULEN(value)) }

  func set(_ name: Int32, at place: UnsafeMutableRawPointer?) {
    _ = sj_odbc_statement_place(handle, SQLINTEGER(name), place)
  }

  // MARK: Parameters of a run

  private func bind(_ value: ODBCValue, at place: Int) throws(ConnectorError) {
    let isWide = connection.driver.isWide
    switch value {
    case .null: try bind(place, SQL_C_CHAR, SQL_VARCHAR, 1, [0], SQLLEN(SQL_NULL_DATA))
    case .integer(let number):
      try bind(place, SQL_C_SBIGINT, SQL_BIGINT, 19, withUnsafeBytes(of: number) { [UInt8]($0) }, 8)
    case .double(let number):
      try bind(place, SQL_C_DOUBLE, SQL_DOUBLE, 53, withUnsafeBytes(of: number) { [UInt8]($0) }, 8)
    case .bytes(let bytes):
      try bind(place, SQL_C_BINARY, SQL_VARBINARY, max(1, bytes.count), bytes, SQLLEN(bytes.count))
    case .text(let text, let type):
      guard isWide, type == nil else {
        return try bind(place, SQL_C_CHAR, type ?? SQL_VARCHAR, max(1, text.count), text, SQLLEN(text.count))
      }
      let units = [UInt16](unsafeUninitializedCapacity: text.count + 1) { buffer, used in
        used = text.withUnsafeBytes { bytes in buffer.baseAddress.map { ODBCText.utf16(bytes, into: $0) } ?? 0 }
      }
      try bind(
        place, SQL_C_WCHAR, units.count > 4000 ? SQL_WLONGVARCHAR : SQL_WVARCHAR, max(1, units.count),
        units.withUnsafeBytes { [UInt8]($0) }, SQLLEN(units.count * 2))
    }
  }

  private func bind(
    _ place: Int, _ form: Int32, _ type: Int32, _ size: Int, _ bytes: [UInt8], _ length: SQLLEN
  ) throws(ConnectorError) {
    let room = UnsafeMutableRawPointer.allocate(byteCount: 16 + bytes.count + 2, alignment: 16)
    rooms.append(room)
    room.storeBytes(of: length, as: SQLLEN.self)
    bytes.withUnsafeBytes { if let base = $0.baseAddress { (room + 16).copyMemory(from: base, byteCount: $0.count) } }
    try check(
      SQLBindParameter(
        handle, SQLUSMALLINT(place), SQLSMALLINT(SQL_PARAM_INPUT), SQLSMALLINT(form), SQLSMALLINT(type), SQLULEN(size),
        0, room + 16, SQLLEN(bytes.count), room.assumingMemoryBound(to: SQLLEN.self)))
  }

  // MARK: Small answers

  /// Every row as text, for answers of a few rows.
  func texts() throws(ConnectorError) -> [[String?]] {
    var count: SQLSMALLINT = 0
    SQLNumResultCols(handle, &count)
    guard count > 0 else { return [] }
    var rows: [[String?]] = []
    while try fetch() {
      var row: [String?] = []
      for column in 1...Int(count) {
        row.append(
          try long(column, connection.driver.isWide ? .wide : .narrow).map { String(decoding: $0, as: UTF8.self) })
      }
      rows.append(row)
    }
    return rows
  }

  /// True while there is a row, or a block of them.
  @inline(__always)
  func fetch() throws(ConnectorError) -> Bool {
    let result = connection.blocking(handle) { SQLFetchScroll(handle, SQLSMALLINT(SQL_FETCH_NEXT), 0) }
    if result & ~1 == 0 { return true }
    guard result == SQLRETURN(SQL_NO_DATA) else { throw error }
    return false
  }

  enum Long { case wide, narrow, binary }

  /// What a value may have, in bytes as they come from the driver.
  static let most = RowBatch.longestRow

  /// A value of any length in pieces, as UTF-8 or bytes; nil for NULL. Text that is none comes as replacement
  /// characters: for what people read.
  func long(_ column: Int, _ form: Long) throws(ConnectorError) -> [UInt8]? {
    guard let raw = try pieces(column, form) else { return nil }
    guard form == .wide else { return raw }
    let units = raw.withUnsafeBytes { bytes in
      (0..<bytes.count / 2).map { bytes.loadUnaligned(fromByteOffset: $0 * 2, as: UInt16.self) }
    }
    return Array(String(decoding: units, as: UTF16.self).utf8)
  }

  /// Longer than `most`, a value is cut behind that.
  func pieces(_ column: Int, _ form: Long) throws(ConnectorError) -> [UInt8]? {
    var found: [UInt8] = []
    var size = 4096
    let kind = form == .wide ? SQL_C_WCHAR : form == .narrow ? SQL_C_CHAR : SQL_C_BINARY
    let mark = form == .wide ? 2 : form == .narrow ? 1 : 0
    while true {
      var (length, result): (SQLLEN, SQLRETURN) = (0, 0)
      let piece = [UInt8](unsafeUninitializedCapacity: size) { buffer, used in
        // Of a file it does not wait, and must not be cancelled (see `findSocket`).
        result = connection.blocking(connection.driver.readsFiles ? nil : handle) {
          SQLGetData(handle, SQLUSMALLINT(column), SQLSMALLINT(kind), buffer.baseAddress, SQLLEN(size), &length)
        }
        let room = size - mark
        let isCut = length == SQLLEN(SQL_NO_TOTAL) || Int(length) > room
        used = result & ~1 == 0 && length != SQLLEN(SQL_NULL_DATA) ? (isCut ? room : max(0, Int(length))) : 0
      }
      if result == SQLRETURN(SQL_NO_DATA) { return found }
      guard result & ~1 == 0 else { throw error }
      if length == SQLLEN(SQL_NULL_DATA) { return nil }
      found += piece
      let isCut = length == SQLLEN(SQL_NO_TOTAL) || Int(length) > size - mark
      if !isCut || found.count > Self.most { return found }
      // As much as is left, where the driver tells how much that is.
      size = length == SQLLEN(SQL_NO_TOTAL) ? min(size * 2, 1 << 20) : min(Int(length) - piece.count + mark, Self.most)
    }
  }
}
