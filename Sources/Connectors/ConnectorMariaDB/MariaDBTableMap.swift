import Connecting

/// What the log says of a table ahead of its rows: with `binlog_row_metadata = FULL` all that is needed to read them, as
/// the table was when they were written.
struct MariaDBTableMap: Sendable {
  struct Column: Hashable, Sendable {
    var name: String
    var form: MariaDBLoggedForm
    var isUnsigned = false
    /// The number of the text's collation; 63 is bytes.
    var collation: Int?
    /// The words of an ENUM or SET, in its own characters.
    var words: [[UInt8]] = []
  }

  var id: UInt64
  var database: String
  var table: String
  var columns: [Column]

  /// Who it is of; cheaper than all of it.
  static func head(_ body: [UInt8]) throws(ConnectorError) -> (id: UInt64, database: String, table: String) {
    var bytes = LoggedBytes(body[...])
    let id = try bytes.word(6)
    try bytes.skip(2)
    return (id, try name(&bytes), try name(&bytes))
  }

  private static func name(_ bytes: inout LoggedBytes) throws(ConnectorError) -> String {
    let name = String(decoding: try bytes.take(try bytes.number(1)), as: UTF8.self)
    guard try bytes.number(1) == 0 else { throw MariaDBLogEvent.unreadable }
    return name
  }

  /// Nil when the event bears no names: `binlog_row_metadata` was not FULL when it was written.
  init?(_ body: [UInt8]) throws(ConnectorError) {
    (id, database, table) = try Self.head(body)
    var bytes = LoggedBytes(body[(8 + database.utf8.count + table.utf8.count + 4)...])
    let count = try bytes.length()
    let types = [UInt8](try bytes.take(count))
    var forms = LoggedBytes(try bytes.take(try bytes.length()))
    var found: [Column] = []
    for type in types {
      found.append(Column(name: "", form: try Self.form(type) { () throws(ConnectorError) in try forms.number(1) }))
    }
    columns = found
    try bytes.skip((count + 7) / 8)
    var hasNames = false
    while !bytes.rest.isEmpty {
      let kind = try bytes.number(1)
      var field = LoggedBytes(try bytes.take(try bytes.length()))
      switch kind {
      case 1: try takeSigns(&field, types)
      case 2: try takeCollations(&field, columns.indices.filter { columns[$0].form.hasCollation })
      case 3: try takeEachCollation(&field, columns.indices.filter { columns[$0].form.hasCollation })
      case 4:
        for index in columns.indices {
          columns[index].name = String(decoding: try field.take(try field.length()), as: UTF8.self)
        }
        hasNames = true
      case 5: try takeWords(&field, columns.indices.filter { columns[$0].form.isSet })
      case 6: try takeWords(&field, columns.indices.filter { columns[$0].form.isEnum })
      case 10: try takeCollations(&field, columns.indices.filter { columns[$0].form.isEnum || columns[$0].form.isSet })
      case 11:
        try takeEachCollation(&field, columns.indices.filter { columns[$0].form.isEnum || columns[$0].form.isSet })
      default: continue
      }
      guard field.rest.isEmpty else { throw MariaDBLogEvent.unreadable }
    }
    guard hasNames else { return nil }
  }

  private static func form(
    _ type: UInt8, _ byte: () throws(ConnectorError) -> Int
  ) throws(ConnectorError) -> MariaDBLoggedForm {
    switch type {
    case 1: return .integer(bytes: 1)
    case 2: return .integer(bytes: 2)
    case 9: return .integer(bytes: 3)
    case 3: return .integer(bytes: 4)
    case 8: return .integer(bytes: 8)
    case 4, 5: return .float(bytes: try byte())
    case 13: return .year
    case 10: return .date
    case 17: return .timestamp(decimals: try byte())
    case 18: return .datetime(decimals: try byte())
    case 19: return .time(decimals: try byte())
    case 246: return .decimal(precision: try byte(), scale: try byte())
    case 16:
      let bits = try byte()
      return .bit(bits: try byte() * 8 + bits)
    case 15, 253: return .varying(longest: try byte() + (try byte()) << 8)
    case 252: return .blob(lengthBytes: try byte())
    case 255: return .geometry(lengthBytes: try byte())
    case 254, 247, 248:
      let (real, length) = (try byte(), try byte())
      if real == 247 { return .enumeration(bytes: length) }
      if real == 248 { return .set(bytes: length) }
      // Two bits of the length hide in the type's byte, turned over.
      return .fixed(length: real & 0x30 == 0x30 ? length : length | (real & 0x30 ^ 0x30) << 4)
    // Compressed columns: they have to be passed over, and cannot be read.
    case 140: return .compressed(lengthBytes: try byte())
    case 141: return .compressed(lengthBytes: try byte() + (try byte()) << 8 > 255 ? 2 : 1)
    default: return .unknown(type)
    }
  }

  /// Of the numbers, the years among them and bits not.
  private mutating func takeSigns(_ field: inout LoggedBytes, _ types: [UInt8]) throws(ConnectorError) {
    let numbers = types.indices.filter { [1, 2, 9, 3, 8, 4, 5, 13, 246].contains(types[$0]) }
    let bits = [UInt8](try field.take((numbers.count + 7) / 8))
    for (place, index) in numbers.enumerated() {
      columns[index].isUnsigned = bits[place / 8] & (0x80 >> UInt8(place % 8)) != 0
    }
  }

  /// One for most, and those that differ by their place.
  private mutating func takeCollations(_ field: inout LoggedBytes, _ places: [Int]) throws(ConnectorError) {
    let usual = try field.length()
    for index in places { columns[index].collation = usual }
    while !field.rest.isEmpty {
      let place = try field.length()
      guard places.indices.contains(place) else { throw MariaDBLogEvent.unreadable }
      columns[places[place]].collation = try field.length()
    }
  }

  private mutating func takeEachCollation(_ field: inout LoggedBytes, _ places: [Int]) throws(ConnectorError) {
    for index in places { columns[index].collation = try field.length() }
  }

  private mutating func takeWords(_ field: inout LoggedBytes, _ places: [Int]) throws(ConnectorError) {
    for index in places {
      for _ in 0..<(try field.length()) { columns[index].words.append([UInt8](try field.take(try field.length()))) }
    }
  }
}
