import CLibPQ
import Storage

/// Turns a result of libpq (text format) into rows.
struct ResultReader {
  private let result: OpaquePointer?
  private let shape: Row.Shape
  private let kinds: [Kind]

  private enum Kind {
    case integer, real, numeric, boolean, bytes, text
  }

  init(_ result: OpaquePointer?) {
    self.result = result
    let columns = 0..<PQnfields(result)
    shape = Row.Shape(columns.map { String(cString: PQfname(result, $0)) })
    kinds = columns.map { column in
      switch PQftype(result, column) {
      case 20, 21, 23, 26: .integer
      case 700, 701: .real
      case 1700: .numeric
      case 16: .boolean
      case 17: .bytes
      default: .text
      }
    }
  }

  private init(_ result: OpaquePointer?, like other: ResultReader) {
    self.result = result
    shape = other.shape
    kinds = other.kinds
  }

  /// The same columns in another result of the same statement.
  func of(_ result: OpaquePointer?) -> ResultReader { ResultReader(result, like: self) }

  func row(_ index: Int) -> Row {
    Row(shape: shape, values: kinds.indices.map { value(Int32(index), Int32($0), kinds[$0]) })
  }

  private func value(_ row: Int32, _ column: Int32, _ kind: Kind) -> SQLValue {
    guard PQgetisnull(result, row, column) == 0, let start = PQgetvalue(result, row, column) else { return .null }
    let length = Int(PQgetlength(result, row, column))
    let bytes = UnsafeRawBufferPointer(start: start, count: length)
    switch kind {
    case .integer: return .integer(integer(bytes))
    case .boolean: return .integer(bytes.first == UInt8(ascii: "t") ? 1 : 0)
    case .bytes: return .blob(hexadecimal(bytes))
    case .real: return .real(Double(String(decoding: bytes, as: UTF8.self)) ?? .nan)
    case .numeric:
      let text = String(decoding: bytes, as: UTF8.self)
      return Int64(text).map { .integer($0) } ?? .real(Double(text) ?? .nan)
    case .text: return .text(String(decoding: bytes, as: UTF8.self))
    }
  }

  private func integer(_ bytes: UnsafeRawBufferPointer) -> Int64 {
    var value: Int64 = 0
    var rest = bytes[...]
    let isNegative = rest.first == UInt8(ascii: "-")
    if isNegative { rest = rest.dropFirst() }
    // Counted downwards, so that the smallest number fits.
    for byte in rest { value = value &* 10 &- Int64(byte &- 48) }
    return isNegative ? value : 0 &- value
  }

  /// `\x0a1b`
  private func hexadecimal(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
    guard bytes.count >= 2 else { return [] }
    func nibble(_ byte: UInt8) -> UInt8 { byte < 58 ? byte &- 48 : byte &- 87 }
    return stride(from: 2, to: bytes.count - 1, by: 2).map { nibble(bytes[$0]) << 4 | nibble(bytes[$0 + 1]) }
  }
}
