import CODBC
import Connecting
import Kernel

/// The rows of one statement in blocks: each column has room for as many values as a block has rows. What has no declared
/// length and is longer than its room is fetched again by itself, so that a text of megabytes costs its own size and not
/// that of a block.
final class ODBCRows {
  /// Of a value whose length nothing tells, in characters or bytes.
  private static let openRoom = 1000
  private static let mostRows = 500
  private static let blockBytes = 1 << 20

  private final class Column {
    let form: ODBCForm
    let number: Int
    let kind: Int32
    /// Bytes of one value; 0 where it is not bound and fetched by itself.
    let width: Int
    var values: UnsafeMutableRawPointer
    let lengths: UnsafeMutablePointer<SQLLEN>
    /// Of the current row, where it was longer than its room or has none.
    var long: [UInt8]?

    init(_ form: ODBCForm, _ number: Int, isWide: Bool, isBound: Bool) {
      self.form = form
      self.number = number
      var room: Int
      switch form {
      case .narrow(let characters): (kind, room) = (SQL_C_CHAR, characters + 1)
      case .text(let characters):
        let most = characters ?? ODBCRows.openRoom
        (kind, room) = isWide ? (SQL_C_WCHAR, most * 4 + 2) : (SQL_C_CHAR, most * 4 + 1)
      case .bytes(let bytes): (kind, room) = (SQL_C_BINARY, bytes ?? ODBCRows.openRoom)
      case .classed: (kind, room) = (SQL_C_BINARY, 0)
      case .double: (kind, room) = (SQL_C_DOUBLE, 8)
      }
      if !isBound { room = 0 }
      width = room
      values = .allocate(byteCount: 1, alignment: 8)
      lengths = .allocate(capacity: ODBCRows.mostRows)
      lengths.initialize(repeating: 0, count: ODBCRows.mostRows)
    }

    var way: ODBCStatement.Long {
      kind == SQL_C_WCHAR ? .wide : kind == SQL_C_CHAR ? .narrow : .binary
    }

    /// Ended by one zero character in text, which a driver writes also behind what it cut.
    var mark: Int { kind == SQL_C_WCHAR ? 2 : kind == SQL_C_CHAR ? 1 : 0 }

    deinit {
      values.deallocate()
      lengths.deallocate()
    }
  }

  private let statement: ODBCStatement
  /// In the order in which they were asked for.
  private let columns: [Column]
  private var loose: [Column] = []
  private let size: Int
  private let fetched = UnsafeMutablePointer<SQLULEN>.allocate(capacity: 1)
  private let states: UnsafeMutablePointer<SQLUSMALLINT>
  private var row = -1
  private var isOver = false

  /// `make` writes the statement from the list that is selected: what is fetched by itself stands at its end, as drivers want it.
  init(
    _ spellings: [ODBCSpelling], _ connection: ODBCConnection, _ values: [ODBCValue],
    _ make: (_ list: String) -> String
  ) throws(ConnectorError) {
    let isWide = connection.driver.isWide
    func isBound(_ form: ODBCForm) -> Bool {
      switch form {
      case .narrow, .double: true
      case .text(let length): length.map { $0 <= 2000 } ?? connection.repairsBlocks
      case .bytes(let length): length.map { $0 <= 8000 } ?? connection.repairsBlocks
      case .classed: false
      }
    }
    let order =
      spellings.indices.filter { isBound(spellings[$0].form) }
      + spellings.indices.filter { !isBound(spellings[$0].form) }
    var columns: [Column?] = Array(repeating: nil, count: spellings.count)
    for (place, index) in order.enumerated() {
      columns[index] = Column(spellings[index].form, place + 1, isWide: isWide, isBound: isBound(spellings[index].form))
    }
    self.columns = columns.compactMap { $0 }
    statement = try ODBCStatement(connection)
    states = .allocate(capacity: Self.mostRows)
    states.initialize(repeating: 0, count: Self.mostRows)
    fetched.initialize(to: 0)
    let width = self.columns.reduce(0) { $0 + $1.width + 8 }
    loose = self.columns.filter { $0.width == 0 }.sorted { $0.number < $1.number }
    // What is fetched by itself is only found in a block of one row.
    size = loose.isEmpty ? max(1, min(Self.mostRows, Self.blockBytes / max(1, width))) : 1
    try start(make(order.map { spellings[$0].sql }.joined(separator: ", ")), values)
  }

  deinit {
    statement.close()
    fetched.deallocate()
    states.deallocate()
  }

  private func start(_ sql: String, _ values: [ODBCValue]) throws(ConnectorError) {
    statement.set(SQL_ATTR_CURSOR_TYPE, Int(SQL_CURSOR_FORWARD_ONLY))
    statement.set(SQL_ATTR_CONCURRENCY, Int(SQL_CONCUR_READ_ONLY))
    statement.set(SQL_ATTR_NOSCAN, Int(SQL_NOSCAN_ON))
    statement.set(SQL_ATTR_ROW_BIND_TYPE, Int(SQL_BIND_BY_COLUMN))
    statement.set(SQL_ATTR_ROW_ARRAY_SIZE, size)
    statement.set(SQL_ATTR_ROWS_FETCHED_PTR, at: fetched)
    statement.set(SQL_ATTR_ROW_STATUS_PTR, at: states)
    try statement.run(sql, values)
    for column in columns where column.width > 0 {
      column.values.deallocate()
      column.values = .allocate(byteCount: column.width * size, alignment: 8)
      try statement.check(
        SQLBindCol(
          statement.handle, SQLUSMALLINT(column.number), SQLSMALLINT(column.kind), column.values,
          SQLLEN(column.width), column.lengths))
    }
  }

  @inline(__always)
  func next() throws(ConnectorError) -> Bool {
    row += 1
    if row >= Int(fetched.pointee) {
      guard !isOver, try statement.fetch(), fetched.pointee > 0 else {
        isOver = true
        fetched.pointee = 0
        return false
      }
      row = 0
    }
    // A row that the driver could not give is no row that is not there.
    guard states[row] != SQLUSMALLINT(SQL_ROW_ERROR) else { throw statement.error }
    for column in loose { column.long = try statement.pieces(column.number, column.way) }
    return true
  }

  /// Appends one of the spelled values of this row.
  @inline(__always)
  func append(_ index: Int, _ field: ODBCField, to batch: RowBatch) throws(ConnectorError) {
    let column = columns[index]
    if column.width == 0 {
      guard let long = column.long else { return batch.appendNull() }
      return long.withUnsafeBytes { append($0, column, field, to: batch) }
    }
    let length = Int(column.lengths[row])
    guard length != Int(SQL_NULL_DATA) else { return batch.appendNull() }
    let value = column.values + row * column.width
    guard length >= 0, length <= column.width - column.mark else {
      let long = try repaired(column)
      return long.withUnsafeBytes { append($0, column, field, to: batch) }
    }
    append(UnsafeRawBufferPointer(start: value, count: length), column, field, to: batch)
  }

  @inline(__always)
  private func append(_ raw: UnsafeRawBufferPointer, _ column: Column, _ field: ODBCField, to batch: RowBatch) {
    guard raw.count <= ODBCStatement.most else { return batch.appendMalformed(.rowTooLarge, raw) }
    switch column.form {
    case .narrow: field.append(narrow: raw, to: batch)
    case .text:
      guard column.kind == SQL_C_WCHAR else { return field.append(plain: raw, to: batch) }
      if let base = raw.baseAddress {
        field.append(base.assumingMemoryBound(to: UInt16.self), raw.count / 2, to: batch)
      } else {
        batch.append(raw)
      }
    case .bytes: field.append(plain: raw, to: batch)
    case .classed: field.append(classed: raw, to: batch)
    case .double: batch.append(raw.loadUnaligned(as: Double.self))
    }
  }

  /// The whole of a value that was cut.
  private func repaired(_ column: Column) throws(ConnectorError) -> [UInt8] {
    guard statement.connection.repairsBlocks else {
      throw ConnectorError(
        .contract, "odbc.longer",
        Text(
          "有的值比驱动所说的列长度更长，不能完整读取。", "A value is longer than the driver says its column is; it cannot be read whole."))
    }
    let handle = statement.handle
    let moved = statement.connection.blocking(handle) {
      SQLSetPos(handle, SQLSETPOSIROW(row + 1), SQLUSMALLINT(SQL_POSITION), SQLUSMALLINT(SQL_LOCK_NO_CHANGE))
    }
    try statement.check(moved)
    return try statement.pieces(column.number, column.way) ?? []
  }

  /// The next row takes this one's memory.
  var isLastOfBlock: Bool { row + 1 >= Int(fetched.pointee) }

  /// The bytes of a spelled value of this row, as UTF-8 or as they are; nil for NULL.
  func bytes(_ index: Int) throws(ConnectorError) -> [UInt8]? {
    let column = columns[index]
    var found: [UInt8] = []
    let length = Int(column.lengths[row])
    if column.width == 0 || length > column.width - column.mark || length == Int(SQL_NO_TOTAL) {
      guard let long = column.width == 0 ? column.long : try repaired(column) else { return nil }
      long.withUnsafeBytes { put($0, column, &found) }
    } else {
      guard length >= 0 else { return nil }
      put(UnsafeRawBufferPointer(start: column.values + row * column.width, count: length), column, &found)
    }
    return found
  }

  private func put(_ raw: UnsafeRawBufferPointer, _ column: Column, _ target: inout [UInt8]) {
    switch column.kind {
    case SQL_C_WCHAR:
      guard let base = raw.baseAddress else { return }
      target += ODBCText.bytes(base.assumingMemoryBound(to: UInt16.self), raw.count / 2) ?? []
    case SQL_C_DOUBLE: target += "\(raw.loadUnaligned(as: Double.self))".utf8
    default: target.append(contentsOf: raw)
    }
  }

  func close() { statement.close() }
}
