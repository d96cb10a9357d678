import CMariaDB
import Connecting
import Kernel

/// Puts a batch's rows into a table, a column more behind each: `tail`, or the row's number where that is nil.
protocol MariaDBRowSender: AnyObject {
  func send(_ rows: RowBatch, tail: Int64?) throws(ConnectorError)
}

/// MariaDB's arrays of parameters: a prepared INSERT and a thousand rows of values in one message, half the server's time
/// of INSERTs as text, and as fast as LOAD DATA, which a client may not be allowed and which makes warnings of errors.
final class MariaDBArraySender: MariaDBRowSender {
  private static let most = 1000

  private let connection: MariaDBConnection
  private let columns: [MariaDBArrayColumn]
  private let binds: UnsafeMutablePointer<MYSQL_BIND>
  private var statement: UnsafeMutablePointer<MYSQL_STMT>?
  private var written: MariaDBWrittenValue
  private var filled = 0
  private var bytes = 0

  init(
    _ wanted: [WritePlan.Column], _ table: String, _ tail: String, _ connection: MariaDBConnection
  ) throws(ConnectorError) {
    self.connection = connection
    written = MariaDBWrittenValue(zone: connection.address.zone)
    columns = (wanted.map(\.type) + [.integer]).map { MariaDBArrayColumn($0, rows: Self.most) }
    binds = .allocate(capacity: columns.count)
    for (index, column) in columns.enumerated() { (binds + index).initialize(to: column.bind) }
    let names = (wanted.map { MariaDBQuote.name($0.name) } + [tail]).joined(separator: ", ")
    let marks = columns.map { _ in "?" }.joined(separator: ", ")
    let sql = "INSERT INTO \(table) (\(names)) VALUES (\(marks))"
    guard let statement = mysql_stmt_init(connection.handle) else { throw MariaDBConnection.broken }
    self.statement = statement
    guard mysql_stmt_prepare(statement, sql, UInt(sql.utf8.count)) == 0 else { throw failure(statement) }
  }

  deinit {
    // A statement outlives its connection in the library, and knows that it did.
    if let statement { mysql_stmt_close(statement) }
    binds.deallocate()
  }

  func send(_ rows: RowBatch, tail: Int64?) throws(ConnectorError) {
    let packet = connection.longestPacket
    let limit = min(packet / 2, 1 << 20)
    filled = 0
    bytes = 0
    for index in 0..<rows.rowCount {
      let row = rows.row(index)
      let size = row.count + columns.count * 32
      guard size < packet else { throw MariaDBWrittenValue.outsideOfPacket }
      if filled == Self.most || (filled > 0 && bytes + size > limit) { try flush() }
      try add(row, tail ?? Int64(index))
      bytes += size
    }
    try flush()
  }

  private func add(_ row: UnsafeRawBufferPointer, _ tail: Int64) throws(ConnectorError) {
    var at = 2
    for index in 0..<columns.count - 1 {
      let length = Int(Int32(bigEndian: row.loadUnaligned(fromByteOffset: at, as: Int32.self)))
      at += 4
      let column = columns[index]
      guard length >= 0 else {
        column.setNull(filled)
        continue
      }
      let value = UnsafeRawBufferPointer(rebasing: row[at..<at + length])
      at += length
      switch column.form {
      case .lying: column.point(filled, value)
      case .number: column.set(filled, Int64(bigEndian: value.loadUnaligned(as: Int64.self)))
      case .flag: column.set(filled, Int64(value[0]))
      case .written:
        column.copy(filled, try written.text(value, as: column.type))
      }
    }
    columns[columns.count - 1].set(filled, tail)
    filled += 1
  }

  private func flush() throws(ConnectorError) {
    guard filled > 0, let statement else { return }
    var count = UInt32(filled)
    filled = 0
    bytes = 0
    guard mysql_stmt_attr_set(statement, STMT_ATTR_ARRAY_SIZE, &count) == 0,
      mysql_stmt_bind_param(statement, binds) == 0, mysql_stmt_execute(statement) == 0
    else { throw failure(statement) }
  }

  private func failure(_ statement: UnsafeMutablePointer<MYSQL_STMT>) -> ConnectorError {
    MariaDBConnection.error(
      mysql_stmt_errno(statement), state: String(cString: mysql_stmt_sqlstate(statement)),
      said: String(cString: mysql_stmt_error(statement)))
  }
}

/// One column's values of up to so many rows.
final class MariaDBArrayColumn {
  enum Form {
    /// Text and bytes: pointed to where they lie in the batch.
    case lying
    case number, flag
    /// Written into memory of this column's own.
    case written
  }

  let type: ValueType
  let form: Form
  private static let width = 64
  private let pointers: UnsafeMutablePointer<UnsafeRawPointer?>
  private let lengths: UnsafeMutablePointer<UInt>
  private let indicators: UnsafeMutablePointer<CChar>
  private let values: UnsafeMutablePointer<Int64>
  private let texts: UnsafeMutableRawPointer
  private let empty: UnsafeMutableRawPointer

  init(_ type: ValueType, rows: Int) {
    self.type = type
    form =
      switch type {
      case .text, .bytes: .lying
      case .integer, .double: .number
      case .boolean: .flag
      case .decimal, .date, .timestamp: .written
      }
    pointers = .allocate(capacity: rows)
    lengths = .allocate(capacity: rows)
    indicators = .allocate(capacity: rows)
    values = .allocate(capacity: rows)
    texts = .allocate(byteCount: form == .written ? rows * Self.width : 1, alignment: 8)
    empty = .allocate(byteCount: 8, alignment: 8)
    pointers.initialize(repeating: nil, count: rows)
    lengths.initialize(repeating: 0, count: rows)
    indicators.initialize(repeating: 0, count: rows)
    values.initialize(repeating: 0, count: rows)
  }

  deinit {
    pointers.deallocate()
    lengths.deallocate()
    indicators.deallocate()
    values.deallocate()
    texts.deallocate()
    empty.deallocate()
  }

  var bind: MYSQL_BIND {
    var bind = MYSQL_BIND()
    bind.u.indicator = indicators
    switch form {
    case .lying, .written:
      bind.buffer_type = type == .bytes ? MYSQL_TYPE_LONG_BLOB : MYSQL_TYPE_STRING
      bind.buffer = UnsafeMutableRawPointer(pointers)
      bind.length = lengths
    case .number, .flag:
      bind.buffer_type = type == .double ? MYSQL_TYPE_DOUBLE : MYSQL_TYPE_LONGLONG
      bind.buffer = UnsafeMutableRawPointer(values)
    }
    return bind
  }

  @inline(__always)
  func setNull(_ row: Int) {
    indicators[row] = CChar(STMT_INDICATOR_NULL.rawValue)
    pointers[row] = UnsafeRawPointer(empty)
    lengths[row] = 0
  }

  @inline(__always)
  func set(_ row: Int, _ value: Int64) {
    indicators[row] = 0
    values[row] = value
  }

  @inline(__always)
  func point(_ row: Int, _ value: UnsafeRawBufferPointer) {
    indicators[row] = 0
    pointers[row] = value.baseAddress ?? UnsafeRawPointer(empty)
    lengths[row] = UInt(value.count)
  }

  @inline(__always)
  func copy(_ row: Int, _ value: UnsafeRawBufferPointer) {
    let room = texts + row * Self.width
    if let source = value.baseAddress { room.copyMemory(from: source, byteCount: min(value.count, Self.width)) }
    point(row, UnsafeRawBufferPointer(start: room, count: value.count))
  }
}

/// INSERTs of many rows, for servers that take no arrays (MySQL, TiDB, OceanBase).
final class MariaDBTextSender: MariaDBRowSender {
  private let connection: MariaDBConnection
  private let types: [ValueType]
  private let head: [UInt8]
  private var written: MariaDBWrittenValue
  private var sql: [UInt8] = []

  init(_ wanted: [WritePlan.Column], _ table: String, _ tail: String, _ connection: MariaDBConnection) {
    self.connection = connection
    written = MariaDBWrittenValue(zone: connection.address.zone)
    types = wanted.map(\.type)
    let names = (wanted.map { MariaDBQuote.name($0.name) } + [tail]).joined(separator: ", ")
    head = Array("INSERT INTO \(table) (\(names)) VALUES ".utf8)
  }

  func send(_ rows: RowBatch, tail: Int64?) throws(ConnectorError) {
    let packet = connection.longestPacket
    let limit = min(packet / 2, 256 << 10)
    sql.removeAll(keepingCapacity: true)
    for index in 0..<rows.rowCount {
      if sql.isEmpty { sql += head } else { sql.append(UInt8(ascii: ",")) }
      let start = sql.count
      try add(rows.row(index), tail ?? Int64(index))
      guard sql.count - start + head.count < packet else { throw MariaDBWrittenValue.outsideOfPacket }
      if sql.count > packet {
        // This row alone goes into the next statement.
        let last = Array(sql[start...])
        sql.removeLast(sql.count - start + 1)
        try flush()
        sql += head + last
      }
      if sql.count > limit { try flush() }
    }
    try flush()
  }

  private func flush() throws(ConnectorError) {
    guard !sql.isEmpty else { return }
    let failure = sql.withUnsafeBytes { connection.send($0) }
    sql.removeAll(keepingCapacity: true)
    if let failure { throw failure }
  }

  private func add(_ row: UnsafeRawBufferPointer, _ tail: Int64) throws(ConnectorError) {
    sql.append(UInt8(ascii: "("))
    var at = 2
    for type in types {
      let length = Int(Int32(bigEndian: row.loadUnaligned(fromByteOffset: at, as: Int32.self)))
      at += 4
      if length < 0 {
        sql += "NULL".utf8
      } else {
        try add(UnsafeRawBufferPointer(rebasing: row[at..<at + length]), as: type)
        at += length
      }
      sql.append(UInt8(ascii: ","))
    }
    sql += "\(tail))".utf8
  }

  private func add(_ value: UnsafeRawBufferPointer, as type: ValueType) throws(ConnectorError) {
    switch type {
    case .text:
      sql.append(UInt8(ascii: "'"))
      for byte in value {
        if byte == UInt8(ascii: "'") { sql.append(byte) }
        sql.append(byte)
      }
      sql.append(UInt8(ascii: "'"))
    case .bytes: sql += MariaDBQuote.hexadecimal(value).utf8
    case .integer: sql += "\(Int64(bigEndian: value.loadUnaligned(as: Int64.self)))".utf8
    case .boolean: sql.append(0x30 + value[0])
    case .double:
      let number = Double(bitPattern: UInt64(bigEndian: value.loadUnaligned(as: UInt64.self)))
      guard number.isFinite else { throw .outsideOfContract(type) }
      let text = "\(number)"
      // With an exponent it is no decimal, which would be rounded on its way.
      sql += (text.contains("e") ? text : text + "e0").utf8
    case .decimal, .date, .timestamp:
      let text = try written.text(value, as: type)
      sql.append(UInt8(ascii: "'"))
      sql += text
      sql.append(UInt8(ascii: "'"))
    }
  }
}
