import CODBC
import Connecting
import Kernel

/// Puts a batch's rows into a table, a number more behind each: many rows in one INSERT where that is what the database
/// takes fastest, else arrays of parameters, else one by one. All three read the same memory: a slot for each value.
final class ODBCSender {
  /// Rows of an array.
  private static let most = 500
  /// A value beyond it goes by itself.
  private static let widest = 32 << 10
  private static let blockBytes = 4 << 20

  private final class Slots {
    let type: ValueType
    let binding: ODBCBinding
    var width: Int
    var values: UnsafeMutableRawPointer
    let lengths: UnsafeMutablePointer<SQLLEN>

    init(_ type: ValueType, _ binding: ODBCBinding, rows: Int) {
      self.type = type
      self.binding = binding
      width =
        switch binding {
        case .text, .bytes: 64
        case .written: WrittenBytes.longest
        case .integer, .double: 8
        }
      values = .allocate(byteCount: width * rows, alignment: 8)
      lengths = .allocate(capacity: rows)
      lengths.initialize(repeating: 0, count: rows)
    }

    deinit {
      values.deallocate()
      lengths.deallocate()
    }
  }

  private let connection: ODBCConnection
  private let slots: [Slots]
  private let capacity: Int
  private let head: String
  private let marks: String
  private var many: ODBCStatement?
  private var single: ODBCStatement?
  private var isBound = false
  private var filled = 0
  private var written: ODBCWrittenValue
  private let states: UnsafeMutablePointer<SQLUSMALLINT>
  private let processed = UnsafeMutablePointer<SQLULEN>.allocate(capacity: 1)

  init(_ wanted: [WritePlan.Column], _ table: String, _ tail: String, _ connection: ODBCConnection) {
    self.connection = connection
    let dialect = connection.dialect
    let types = wanted.map(\.type) + [.integer]
    let rows = dialect.rowsOfInsert(columns: types.count)
    capacity = rows > 1 ? rows : dialect.takesArrays ? Self.most : 1
    slots = types.map { [capacity] in Slots($0, dialect.binding($0), rows: capacity) }
    written = ODBCWrittenValue(zone: dialect.keepsInstants ? nil : connection.address.zone)
    let names = (wanted.map { connection.quoted($0.name) } + [tail]).joined(separator: ", ")
    head = "INSERT INTO \(table) (\(names)) VALUES "
    marks = "(\(types.map { dialect.marker($0) }.joined(separator: ", ")))"
    states = .allocate(capacity: Self.most)
    states.initialize(repeating: 0, count: Self.most)
    processed.initialize(to: 0)
  }

  deinit {
    close()
    states.deallocate()
    processed.deallocate()
  }

  func close() {
    many?.close()
    single?.close()
    (many, single) = (nil, nil)
  }

  /// `tail`, or the row's number where that is nil, is what stands behind each row.
  func send(_ rows: RowBatch, tail: Int64?) throws(ConnectorError) {
    filled = 0
    for index in 0..<rows.rowCount {
      let row = rows.row(index)
      if filled == capacity || filled > 0 && filled * slots.reduce(0, { $0 + $1.width }) > Self.blockBytes {
        try flush()
      }
      if try widen(row) {
        try add(row, tail ?? Int64(index))
      } else {
        try flush()
        try sendAlone(row, tail ?? Int64(index))
      }
    }
    try flush()
  }

  private var unit: Int { connection.driver.isWide ? 2 : 1 }

  /// Makes every slot as wide as this row needs it. False for a row that is too wide for that.
  private func widen(_ row: UnsafeRawBufferPointer) throws(ConnectorError) -> Bool {
    var at = 2
    for index in 0..<slots.count - 1 {
      let length = max(0, Int(Int32(bigEndian: row.loadUnaligned(fromByteOffset: at, as: Int32.self))))
      at += 4 + length
      let slot = slots[index]
      guard slot.binding == .text || slot.binding == .bytes else { continue }
      let need = slot.binding == .text ? length * unit + 2 : length
      if need <= slot.width { continue }
      if need > Self.widest { return false }
      try flush()
      var width = slot.width
      while width < need { width *= 2 }
      slot.values.deallocate()
      slot.width = width
      slot.values = .allocate(byteCount: width * capacity, alignment: 8)
      isBound = false
    }
    return true
  }

  private func add(_ row: UnsafeRawBufferPointer, _ tail: Int64) throws(ConnectorError) {
    var at = 2
    for index in 0..<slots.count - 1 {
      let length = Int(Int32(bigEndian: row.loadUnaligned(fromByteOffset: at, as: Int32.self)))
      at += 4
      let slot = slots[index]
      guard length >= 0 else {
        slot.lengths[filled] = SQLLEN(SQL_NULL_DATA)
        continue
      }
      let value = UnsafeRawBufferPointer(rebasing: row[at..<at + length])
      at += length
      let room = slot.values + filled * slot.width
      switch slot.binding {
      case .text where unit == 2:
        slot.lengths[filled] = SQLLEN(ODBCText.utf16(value, into: room.assumingMemoryBound(to: UInt16.self)) * 2)
      case .text, .bytes:
        if let base = value.baseAddress { room.copyMemory(from: base, byteCount: length) }
        slot.lengths[filled] = SQLLEN(length)
      case .integer:
        let number = slot.type == .boolean ? Int64(value[0]) : Int64(bigEndian: value.loadUnaligned(as: Int64.self))
        room.storeBytes(of: number, as: Int64.self)
        slot.lengths[filled] = 8
      case .double:
        room.storeBytes(of: UInt64(bigEndian: value.loadUnaligned(as: UInt64.self)), as: UInt64.self)
        slot.lengths[filled] = 8
      case .written:
        let text = try written.text(value, as: slot.type)
        if let base = text.baseAddress { room.copyMemory(from: base, byteCount: min(text.count, slot.width)) }
        slot.lengths[filled] = SQLLEN(text.count)
      }
    }
    let last = slots[slots.count - 1]
    (last.values + filled * 8).storeBytes(of: tail, as: Int64.self)
    last.lengths[filled] = 8
    filled += 1
  }

  // MARK: Sending

  private func flush() throws(ConnectorError) {
    guard filled > 0 else { return }
    let count = filled
    filled = 0
    if !isBound {
      close()
      isBound = true
    }
    if count == capacity, connection.dialect.rowsOfInsert(columns: slots.count) > 1 {
      if many == nil {
        many = try prepared(Array(repeating: marks, count: capacity).joined(separator: ", "), rows: capacity)
      }
      try many?.execute()
    } else if connection.dialect.takesArrays {
      try sendArray(count)
    } else {
      if single == nil { single = try prepared(marks, rows: 1) }
      guard let single else { return }
      for row in 0..<count {
        try bind(single, row: row, from: 0)
        try single.execute()
      }
    }
  }

  private func prepared(_ values: String, rows: Int) throws(ConnectorError) -> ODBCStatement {
    let statement = try ODBCStatement(connection)
    try statement.prepare(head + values)
    for row in 0..<rows { try bind(statement, row: row, from: row * slots.count) }
    return statement
  }

  private func bind(_ statement: ODBCStatement, row: Int, from first: Int) throws(ConnectorError) {
    for (index, slot) in slots.enumerated() {
      let (form, type, size) = forms(slot)
      try statement.check(
        SQLBindParameter(
          statement.handle, SQLUSMALLINT(first + index + 1), SQLSMALLINT(SQL_PARAM_INPUT), SQLSMALLINT(form),
          SQLSMALLINT(type), SQLULEN(size), 0, slot.values + row * slot.width, SQLLEN(slot.width), slot.lengths + row))
    }
  }

  private func forms(_ slot: Slots) -> (form: Int32, type: Int32, size: Int) {
    switch slot.binding {
    case .integer: (SQL_C_SBIGINT, SQL_BIGINT, 19)
    case .double: (SQL_C_DOUBLE, SQL_DOUBLE, 53)
    case .written: (SQL_C_CHAR, SQL_VARCHAR, slot.width)
    case .bytes: (SQL_C_BINARY, slot.width > 8000 ? SQL_LONGVARBINARY : SQL_VARBINARY, slot.width)
    case .text where unit == 2: (SQL_C_WCHAR, slot.width > 8000 ? SQL_WLONGVARCHAR : SQL_WVARCHAR, slot.width / 2)
    case .text: (SQL_C_CHAR, slot.width > 8000 ? SQL_LONGVARCHAR : SQL_VARCHAR, slot.width)
    }
  }

  /// Every row's own state is looked at: not every driver says of an array as a whole that one of its rows failed.
  private func sendArray(_ count: Int) throws(ConnectorError) {
    let statement: ODBCStatement
    if let single {
      statement = single
    } else {
      statement = try ODBCStatement(connection)
      statement.set(SQL_ATTR_PARAM_BIND_TYPE, Int(SQL_PARAM_BIND_BY_COLUMN))
      statement.set(SQL_ATTR_PARAM_STATUS_PTR, at: states)
      statement.set(SQL_ATTR_PARAMS_PROCESSED_PTR, at: processed)
      try statement.prepare(head + marks)
      try bind(statement, row: 0, from: 0)
      single = statement
    }
    statement.set(SQL_ATTR_PARAMSET_SIZE, count)
    processed.pointee = 0
    try statement.execute()
    let isWhole = (0..<count).allSatisfy {
      states[$0] == SQLUSMALLINT(SQL_PARAM_SUCCESS) || states[$0] == SQLUSMALLINT(SQL_PARAM_SUCCESS_WITH_INFO)
    }
    guard isWhole, Int(processed.pointee) == count else { throw statement.error }
  }

  /// A row with a value of tens of kilobytes: its own size and nobody else's.
  private func sendAlone(_ row: UnsafeRawBufferPointer, _ tail: Int64) throws(ConnectorError) {
    var values: [ODBCValue] = []
    var at = 2
    for slot in slots.dropLast() {
      let length = Int(Int32(bigEndian: row.loadUnaligned(fromByteOffset: at, as: Int32.self)))
      at += 4
      guard length >= 0 else {
        values.append(.null)
        continue
      }
      let value = UnsafeRawBufferPointer(rebasing: row[at..<at + length])
      at += length
      switch slot.binding {
      case .text: values.append(.text([UInt8](value)))
      case .bytes: values.append(.bytes([UInt8](value)))
      case .integer:
        values.append(
          .integer(slot.type == .boolean ? Int64(value[0]) : Int64(bigEndian: value.loadUnaligned(as: Int64.self))))
      case .double:
        values.append(.double(Double(bitPattern: UInt64(bigEndian: value.loadUnaligned(as: UInt64.self)))))
      case .written: values.append(.text([UInt8](try written.text(value, as: slot.type)), type: SQL_VARCHAR))
      }
    }
    try connection.change(head + marks, values + [.integer(tail)])
  }
}
