import CMariaDB
import Connecting

/// Takes the log's events apart. The library could, but it loses its way where a log is compressed and bears no checksums,
/// cuts the names of files short where checksums begin or end, and ends at rows of 16 MiB.
struct MariaDBLogFormat {
  /// Four bytes of checksum stand behind every event, as the last description of the format says.
  private var hasChecksums = false
  private var isDescribed = false

  private static let header = 19

  /// Of one event as it was sent.
  mutating func event(_ bytes: UnsafeRawBufferPointer) throws(ConnectorError) -> MariaDBLogEvent {
    guard bytes.count >= Self.header else { throw MariaDBLogEvent.unreadable }
    let type = mariadb_rpl_event(rawValue: UInt32(bytes[4]))
    let flags = UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: 17, as: UInt16.self))
    let isArtificial = flags & UInt16(LOG_EVENT_ARTIFICIAL_F) != 0
    let end = try self.end(of: bytes, type)
    let body = LoggedBytes(UnsafeRawBufferPointer(rebasing: bytes[Self.header..<end]))
    return MariaDBLogEvent(
      kind: try kind(type, body, server: Self.word(bytes, 5), isIgnorable: flags & UInt16(LOG_EVENT_IGNORABLE_F) != 0),
      time: Self.word(bytes, 0), end: isArtificial ? 0 : UInt64(Self.word(bytes, 13)),
      length: UInt64(Self.word(bytes, 9)),
      byteCount: bytes.count)
  }

  /// Where the event's own bytes end. What a disk or the way has changed is not read on.
  private mutating func end(of bytes: UnsafeRawBufferPointer, _ type: mariadb_rpl_event) throws(ConnectorError) -> Int {
    switch type {
    case FORMAT_DESCRIPTION_EVENT:
      guard bytes.count > Self.header + 57 + 5 else { throw MariaDBLogEvent.unreadable }
      hasChecksums = bytes[bytes.count - 5] != 0
      isDescribed = true
      guard !hasChecksums || Self.isSound(bytes) else { throw MariaDBLogEvent.unreadable }
      return bytes.count - 5
    case ROTATE_EVENT:
      // Sent ahead of the description of its file, so nothing says whether a checksum stands there.
      return Self.isSound(bytes) ? bytes.count - 4 : bytes.count
    default:
      guard isDescribed else { throw MariaDBLogEvent.unreadable }
      guard hasChecksums else { return bytes.count }
      guard Self.isSound(bytes) else { throw MariaDBLogEvent.unreadable }
      return bytes.count - 4
    }
  }

  private static func isSound(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard bytes.count >= header + 4 else { return false }
    let sum = crc32_z(0, bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), bytes.count - 4)
    return sum == UInt(word(bytes, bytes.count - 4))
  }

  private static func word(_ bytes: UnsafeRawBufferPointer, _ at: Int) -> UInt32 {
    UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt32.self))
  }

  // MARK: Kinds

  private func kind(
    _ type: mariadb_rpl_event, _ body: LoggedBytes, server: UInt32, isIgnorable: Bool
  ) throws(ConnectorError) -> MariaDBLogEvent.Kind {
    var body = body
    switch type {
    case FORMAT_DESCRIPTION_EVENT:
      try Self.checkLengths(&body)
      return .other
    case ROTATE_EVENT:
      try body.skip(8)
      let name = body.text()
      guard MariaDBSpot.number(of: name) != nil, name.utf8.count <= 512, !name.contains("\n") else {
        throw MariaDBLogEvent.unreadable
      }
      return .file(name)
    case GTID_EVENT: return .begin(try Self.head(&body, server))
    case QUERY_EVENT, QUERY_COMPRESSED_EVENT, EXECUTE_LOAD_QUERY_EVENT:
      try body.skip(8)
      let database = try body.number(1)
      try body.skip(2)
      let status = try body.number(2)
      try body.skip((type == EXECUTE_LOAD_QUERY_EVENT ? 13 : 0) + status)
      let current = String(decoding: try body.take(database), as: UTF8.self)
      try body.skip(1)
      if type == QUERY_COMPRESSED_EVENT { body = try body.inflated() }
      return .statement(database: current, text: body.text())
    case XID_EVENT: return .commit
    case XA_PREPARE_LOG_EVENT: return .prepared
    case TABLE_MAP_EVENT: return .table([UInt8](body.rest))
    case WRITE_ROWS_EVENT_V1: return .rows(try Self.rows(.insert, &body))
    case UPDATE_ROWS_EVENT_V1: return .rows(try Self.rows(.update, &body))
    case DELETE_ROWS_EVENT_V1: return .rows(try Self.rows(.delete, &body))
    case WRITE_ROWS_COMPRESSED_EVENT_V1: return .rows(try Self.rows(.insert, &body, isCompressed: true))
    case UPDATE_ROWS_COMPRESSED_EVENT_V1: return .rows(try Self.rows(.update, &body, isCompressed: true))
    case DELETE_ROWS_COMPRESSED_EVENT_V1: return .rows(try Self.rows(.delete, &body, isCompressed: true))
    case STOP_EVENT, INTVAR_EVENT, RAND_EVENT, USER_VAR_EVENT, BEGIN_LOAD_QUERY_EVENT, APPEND_BLOCK_EVENT,
      DELETE_FILE_EVENT, HEARTBEAT_LOG_EVENT, ANNOTATE_ROWS_EVENT, BINLOG_CHECKPOINT_EVENT, GTID_LIST_EVENT,
      START_ENCRYPTION_EVENT:
      return .other
    // Something was not logged.
    case INCIDENT_EVENT: throw .changesLost
    default:
      guard isIgnorable else { throw MariaDBLogEvent.unreadable }
      return .other
    }
  }

  /// Events begin with as many bytes as are expected here.
  private static func checkLengths(_ body: inout LoggedBytes) throws(ConnectorError) {
    let version = try body.number(2)
    try body.skip(54)
    guard version == 4, try body.number(1) == header, body.rest.count >= Int(GTID_EVENT.rawValue) else {
      throw MariaDBLogEvent.unreadable
    }
    let lengths = [UInt8](body.rest)
    let expected: [(mariadb_rpl_event, UInt8)] = [
      (QUERY_EVENT, 13), (EXECUTE_LOAD_QUERY_EVENT, 26), (TABLE_MAP_EVENT, 8), (WRITE_ROWS_EVENT_V1, 8),
      (UPDATE_ROWS_EVENT_V1, 8), (DELETE_ROWS_EVENT_V1, 8), (GTID_EVENT, 19),
    ]
    for (type, length) in expected where lengths[Int(type.rawValue) - 1] != length { throw MariaDBLogEvent.unreadable }
  }

  private static func head(_ body: inout LoggedBytes, _ server: UInt32) throws(ConnectorError) -> MariaDBTransactionHead
  {
    let (sequence, domain, flags) = (try body.word(8), try body.word(4), try body.number(1))
    let transaction = MariaDBGTID(domain: UInt32(truncatingIfNeeded: domain), server: server, sequence: sequence)
    let (isPrepared, isCompleted) = (flags & Int(FL_PREPARED_XA) != 0, flags & Int(FL_COMPLETED_XA) != 0)
    var name: UInt64 = 0
    if isPrepared || isCompleted {
      if flags & Int(FL_GROUP_COMMIT_ID) != 0 { try body.skip(8) }
      // The name's form, its two lengths and its bytes.
      let head = [UInt8](try body.take(6))
      name = 0xCBF2_9CE4_8422_2325
      for byte in head + (try body.take(Int(head[4]) + Int(head[5]))) {
        name = (name ^ UInt64(byte)) &* 0x100_0000_01B3
      }
    }
    return MariaDBTransactionHead(
      transaction: transaction, isStatement: flags & Int(FL_STANDALONE) != 0, isPrepared: isPrepared,
      isCompleted: isCompleted, name: name)
  }

  private static func rows(
    _ change: MariaDBLoggedRows.Change, _ body: inout LoggedBytes, isCompressed: Bool = false
  ) throws(ConnectorError) -> MariaDBLoggedRows {
    let table = try body.word(6)
    try body.skip(2)
    let columns = try body.length()
    guard columns <= 4096 else { throw MariaDBLogEvent.unreadable }
    let bits = (columns + 7) / 8
    let present = [UInt8](try body.take(bits))
    let after = change == .update ? [UInt8](try body.take(bits)) : []
    if isCompressed { body = try body.inflated() }
    return MariaDBLoggedRows(
      change: change, table: table, columnCount: columns, present: present, presentAfter: after,
      data: [UInt8](body.rest))
  }
}

/// Bytes of an event, from the front.
struct LoggedBytes {
  private(set) var rest: ArraySlice<UInt8>

  init(_ bytes: UnsafeRawBufferPointer) { rest = [UInt8](bytes)[...] }
  init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

  mutating func take(_ count: Int) throws(ConnectorError) -> ArraySlice<UInt8> {
    guard count >= 0, count <= rest.count else { throw MariaDBLogEvent.unreadable }
    defer { rest = rest.dropFirst(count) }
    return rest.prefix(count)
  }

  mutating func skip(_ count: Int) throws(ConnectorError) { _ = try take(count) }

  /// The lowest byte first.
  mutating func word(_ count: Int) throws(ConnectorError) -> UInt64 {
    try take(count).reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }

  mutating func number(_ count: Int) throws(ConnectorError) -> Int { Int(try word(count)) }

  /// A number of one byte, or of two or three behind a mark.
  mutating func length() throws(ConnectorError) -> Int {
    let first = try number(1)
    guard first > 250 else { return first }
    guard first == 252 || first == 253 else { throw MariaDBLogEvent.unreadable }
    return try number(first - 250)
  }

  func text() -> String { String(decoding: rest, as: UTF8.self) }

  /// What was compressed: a byte says how (zlib is the only way) and how many bytes of length follow, the highest first.
  func inflated() throws(ConnectorError) -> LoggedBytes {
    var bytes = self
    let mark = try bytes.number(1)
    guard mark & 0xF0 == 0x80, (1...4).contains(mark & 7) else { throw MariaDBLogEvent.unreadable }
    let count = try bytes.take(mark & 7).reduce(0) { $0 << 8 | Int($1) }
    // The server's own longest message.
    guard count <= 1 << 30 else { throw MariaDBLogEvent.unreadable }
    let packed = bytes.rest
    var length = UInt(count)
    let inflated = [UInt8](unsafeUninitializedCapacity: count) { target, used in
      let isSound = packed.withUnsafeBufferPointer {
        uncompress(target.baseAddress, &length, $0.baseAddress, UInt($0.count)) == Z_OK
      }
      used = isSound ? Int(length) : 0
    }
    guard inflated.count == count else { throw MariaDBLogEvent.unreadable }
    return LoggedBytes(inflated[...])
  }
}
