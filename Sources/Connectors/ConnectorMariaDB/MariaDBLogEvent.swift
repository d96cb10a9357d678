import CMariaDB
import Connecting
import Kernel

/// One event of the server's log, with nothing of the library's left in it.
struct MariaDBLogEvent: Sendable {
  enum Kind: Sendable {
    /// What follows stands in this file.
    case file(String)
    /// A transaction, or a single statement, begins.
    case begin(MariaDBTransactionHead)
    case statement(database: String, text: String)
    case commit
    /// The transaction is complete and waits for its commit (XA).
    case prepared
    /// Describes the table of the row events that follow.
    case table([UInt8])
    case rows(MariaDBLoggedRows)
    case other
  }

  var kind: Kind
  /// Seconds since 1970, by the server's clock.
  var time: UInt32
  /// Where the event ends in its file; 0 for what stands in no file.
  var end: UInt64
  var length: UInt64
  var byteCount: Int
}

struct MariaDBTransactionHead: Sendable {
  var transaction: MariaDBGTID
  /// One statement, and nothing that would end it.
  var isStatement: Bool
  var isPrepared: Bool
  var isCompleted: Bool
  /// Of a transaction prepared or completed: a digest of its own name.
  var name: UInt64
}

struct MariaDBLoggedRows: Sendable {
  enum Change: Sendable { case insert, update, delete }

  var change: Change
  var table: UInt64
  var columnCount: Int
  /// A bit a column: whether the row (before an update) has it, and whether the row after an update has.
  var present: [UInt8]
  var presentAfter: [UInt8]
  var data: [UInt8]
}

extension MariaDBLogEvent {
  static var unreadable: ConnectorError {
    ConnectorError(
      .permanent, "mariadb.change-log", Text("源数据库的变更日志格式无法识别。", "The source's change log cannot be read."))
  }

  private static let header = 19

  /// `isChecked`: four bytes of checksum, which the library has looked at, stand behind every event.
  init(_ event: UnsafeMutablePointer<MARIADB_RPL_EVENT>, isChecked: Bool) throws(ConnectorError) {
    let read = event.pointee
    let start = Int(read.raw_data_ofs)
    guard let raw = read.raw_data, Int(read.raw_data_size) >= start + Self.header else { throw Self.unreadable }
    let bytes = UnsafeRawBufferPointer(start: raw + start, count: Int(read.raw_data_size) - start)
    let type = bytes[4]
    let flags = UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: 17, as: UInt16.self))
    time = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 0, as: UInt32.self))
    length = UInt64(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 9, as: UInt32.self)))
    let next = UInt64(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 13, as: UInt32.self)))
    end = flags & UInt16(LOG_EVENT_ARTIFICIAL_F) == 0 ? next : 0
    byteCount = bytes.count
    let tail = bytes.count - (isChecked ? 4 : 0)
    guard tail >= Self.header else { throw Self.unreadable }
    let body = UnsafeRawBufferPointer(rebasing: bytes[Self.header..<tail])
    let server = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 5, as: UInt32.self))
    switch UInt32(type) {
    case ROTATE_EVENT.rawValue:
      kind = .file(try Self.file(bytes))
    case GTID_EVENT.rawValue: kind = .begin(try Self.head(body, server))
    case QUERY_EVENT.rawValue, QUERY_COMPRESSED_EVENT.rawValue:
      kind = .statement(
        database: Self.text(read.event.query.database), text: Self.text(read.event.query.statement))
    case EXECUTE_LOAD_QUERY_EVENT.rawValue:
      kind = .statement(
        database: Self.text(read.event.execute_load_query.schema),
        text: Self.text(read.event.execute_load_query.statement))
    case XID_EVENT.rawValue: kind = .commit
    case XA_PREPARE_LOG_EVENT.rawValue: kind = .prepared
    case TABLE_MAP_EVENT.rawValue: kind = .table([UInt8](body))
    case WRITE_ROWS_EVENT_V1.rawValue, WRITE_ROWS_COMPRESSED_EVENT_V1.rawValue, WRITE_ROWS_EVENT.rawValue:
      kind = .rows(try Self.rows(.insert, read.event.rows))
    case UPDATE_ROWS_EVENT_V1.rawValue, UPDATE_ROWS_COMPRESSED_EVENT_V1.rawValue:
      kind = .rows(try Self.rows(.update, read.event.rows))
    case DELETE_ROWS_EVENT_V1.rawValue, DELETE_ROWS_COMPRESSED_EVENT_V1.rawValue, DELETE_ROWS_EVENT.rawValue:
      kind = .rows(try Self.rows(.delete, read.event.rows))
    case FORMAT_DESCRIPTION_EVENT.rawValue, STOP_EVENT.rawValue, INTVAR_EVENT.rawValue, RAND_EVENT.rawValue,
      USER_VAR_EVENT.rawValue, BEGIN_LOAD_QUERY_EVENT.rawValue, APPEND_BLOCK_EVENT.rawValue, DELETE_FILE_EVENT.rawValue,
      HEARTBEAT_LOG_EVENT.rawValue, ANNOTATE_ROWS_EVENT.rawValue, BINLOG_CHECKPOINT_EVENT.rawValue,
      GTID_LIST_EVENT.rawValue, START_ENCRYPTION_EVENT.rawValue:
      kind = .other
    default:
      // What the server itself says may be passed over.
      guard flags & UInt16(LOG_EVENT_IGNORABLE_F) != 0 else { throw Self.unreadable }
      kind = .other
    }
  }

  private static func text(_ found: MARIADB_STRING) -> String {
    guard let start = found.str, found.length > 0 else { return "" }
    return String(decoding: UnsafeRawBufferPointer(start: start, count: Int(found.length)), as: UTF8.self)
  }

  /// The name of the file that follows. The library does not know of every such event whether a checksum stands behind
  /// it, and cuts names short: so it is looked at here.
  private static func file(_ event: UnsafeRawBufferPointer) throws(ConnectorError) -> String {
    let start = header + 8
    guard event.count > start + 4 else { throw unreadable }
    let sum = UInt32(littleEndian: event.loadUnaligned(fromByteOffset: event.count - 4, as: UInt32.self))
    let hasSum = checksum(UnsafeRawBufferPointer(rebasing: event.dropLast(4))) == sum
    let name = String(decoding: event[start..<event.count - (hasSum ? 4 : 0)], as: UTF8.self)
    guard MariaDBSpot.number(of: name) != nil, name.utf8.count <= 512 else { throw unreadable }
    return name
  }

  /// CRC-32 as of zlib and Ethernet.
  static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    var sum = UInt32.max
    for byte in bytes {
      sum ^= UInt32(byte)
      for _ in 0..<8 { sum = sum & 1 == 0 ? sum >> 1 : sum >> 1 ^ 0xEDB8_8320 }
    }
    return ~sum
  }

  private static func head(
    _ body: UnsafeRawBufferPointer, _ server: UInt32
  ) throws(ConnectorError) -> MariaDBTransactionHead {
    guard body.count >= 13 else { throw unreadable }
    let transaction = MariaDBGTID(
      domain: UInt32(littleEndian: body.loadUnaligned(fromByteOffset: 8, as: UInt32.self)), server: server,
      sequence: UInt64(littleEndian: body.loadUnaligned(fromByteOffset: 0, as: UInt64.self)))
    let flags = body[12]
    let (isPrepared, isCompleted) = (flags & UInt8(FL_PREPARED_XA) != 0, flags & UInt8(FL_COMPLETED_XA) != 0)
    var name: UInt64 = 0
    if isPrepared || isCompleted {
      // A group's number, then the name's form, its two lengths and its bytes.
      let at = flags & UInt8(FL_GROUP_COMMIT_ID) != 0 ? 21 : 13
      guard at + 6 <= body.count, at + 6 + Int(body[at + 4]) + Int(body[at + 5]) <= body.count else { throw unreadable }
      name = 0xCBF2_9CE4_8422_2325
      for byte in body[at..<at + 6 + Int(body[at + 4]) + Int(body[at + 5])] {
        name = (name ^ UInt64(byte)) &* 0x100_0000_01B3
      }
    }
    return MariaDBTransactionHead(
      transaction: transaction, isStatement: flags & UInt8(FL_STANDALONE) != 0, isPrepared: isPrepared,
      isCompleted: isCompleted, name: name)
  }

  private static func rows(
    _ change: MariaDBLoggedRows.Change, _ event: st_mariadb_rpl_rows_event
  ) throws(ConnectorError) -> MariaDBLoggedRows {
    let columns = Int(event.column_count)
    let bits = (columns + 7) / 8
    guard (1...4096).contains(columns), let before = event.column_bitmap else { throw unreadable }
    var after: [UInt8] = []
    if change == .update {
      guard let bitmap = event.column_update_bitmap else { throw unreadable }
      after = [UInt8](UnsafeRawBufferPointer(start: bitmap, count: bits))
    }
    var data: [UInt8] = []
    if let start = event.row_data, event.row_data_size > 0 {
      data = [UInt8](UnsafeRawBufferPointer(start: start, count: Int(event.row_data_size)))
    }
    return MariaDBLoggedRows(
      change: change, table: event.table_id, columnCount: columns,
      present: [UInt8](UnsafeRawBufferPointer(start: before, count: bits)), presentAfter: after, data: data)
  }
}
