import CSQLite
import Connecting

/// A position: the key's stored values, each as its class and its bytes.
enum SQLitePlace {
  /// Of the statement's row, before the next step takes it away; into the same memory for every row.
  static func keep(_ columns: [Int], of statement: SQLiteStatement, in place: inout [UInt8]) {
    place.removeAll(keepingCapacity: true)
    for column in columns {
      let type = statement.type(column)
      place.append(UInt8(type))
      switch type {
      case SQLITE_INTEGER: keep(UInt64(bitPattern: statement.int64(column)), in: &place)
      case SQLITE_FLOAT: keep(statement.double(column).bitPattern, in: &place)
      default:
        let value = statement.bytes(column)
        withUnsafeBytes(of: Int32(value.count).bigEndian) { place.append(contentsOf: $0) }
        place.append(contentsOf: value)
      }
    }
  }

  private static func keep(_ word: UInt64, in place: inout [UInt8]) {
    withUnsafeBytes(of: Int32(8).bigEndian) { place.append(contentsOf: $0) }
    withUnsafeBytes(of: word.bigEndian) { place.append(contentsOf: $0) }
  }

  /// The values as parameters from `first` on.
  static func bind(
    _ place: [UInt8], to statement: SQLiteStatement, from first: Int = 0, count: Int
  ) throws(ConnectorError) {
    var (at, index) = (0, 0)
    while at + 5 <= place.count, index < count {
      let type = Int32(place[at])
      let length = place[at + 1..<at + 5].reduce(0) { $0 << 8 | Int($1) }
      at += 5
      guard at + length <= place.count else { break }
      let value = Array(place[at..<at + length])
      at += length
      let word = value.count == 8 ? value.reduce(UInt64(0)) { $0 << 8 | UInt64($1) } : 0
      switch type {
      case SQLITE_INTEGER: statement.bind(Int64(bitPattern: word), at: first + index)
      case SQLITE_FLOAT: statement.bind(Double(bitPattern: word), at: first + index)
      default: try statement.bind(value, at: first + index, asText: type == SQLITE_TEXT)
      }
      index += 1
    }
    guard at == place.count, index == count else {
      throw .contract("position", "存储的读取位点无效。", "The stored reading position is not valid.")
    }
  }
}
