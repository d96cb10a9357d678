import CLibPQ
import Storage

/// Turns a result of libpq into rows: of the server's text format or its binary one.
struct ResultReader {
  private let result: OpaquePointer?
  private let shape: Row.Shape
  private let kinds: [Kind]
  private let isBinary: Bool

  private enum Kind {
    case integer, oid, real, numeric, boolean, bytes, text, other

    init(type: Oid) {
      switch type {
      case 20, 21, 23: self = .integer
      case 26: self = .oid
      case 700, 701: self = .real
      case 1700: self = .numeric
      case 16: self = .boolean
      case 17: self = .bytes
      case 19, 25, 1042, 1043: self = .text
      default: self = .other
      }
    }
  }

  init(_ result: OpaquePointer?) {
    self.result = result
    let columns = 0..<PQnfields(result)
    shape = Row.Shape(columns.map { String(cString: PQfname(result, $0)) })
    kinds = columns.map { Kind(type: PQftype(result, $0)) }
    isBinary = !columns.isEmpty && PQfformat(result, 0) == 1
  }

  /// Whether the statement may be asked for the binary format next time, half as long for bytes and read without parsing.
  /// Columns of any other type come as text, which holds for all.
  static func canBeBinary(_ result: OpaquePointer?) -> Bool {
    let columns = 0..<PQnfields(result)
    return !columns.isEmpty
      && columns.allSatisfy {
        switch Kind(type: PQftype(result, $0)) {
        case .integer, .real, .boolean, .bytes, .text: true
        case .oid, .numeric, .other: false
        }
      }
  }

  func row(_ index: Int) -> Row {
    Row(shape: shape, values: kinds.indices.map { value(Int32(index), Int32($0), kinds[$0]) })
  }

  private func value(_ row: Int32, _ column: Int32, _ kind: Kind) -> SQLValue {
    guard PQgetisnull(result, row, column) == 0, let start = PQgetvalue(result, row, column) else { return .null }
    let length = Int(PQgetlength(result, row, column))
    let bytes = UnsafeRawBufferPointer(start: start, count: length)
    if isBinary { return binary(bytes, kind) }
    switch kind {
    case .integer, .oid: return .integer(integer(bytes))
    case .boolean: return .integer(bytes.first == UInt8(ascii: "t") ? 1 : 0)
    case .bytes: return .blob(hexadecimal(bytes))
    case .real: return .real(Double(String(decoding: bytes, as: UTF8.self)) ?? .nan)
    case .numeric:
      let text = String(decoding: bytes, as: UTF8.self)
      return Int64(text).map { .integer($0) } ?? .real(Double(text) ?? .nan)
    case .text, .other: return .text(String(decoding: bytes, as: UTF8.self))
    }
  }

  /// Numbers with their highest byte first; a type's length tells which it is.
  private func binary(_ bytes: UnsafeRawBufferPointer, _ kind: Kind) -> SQLValue {
    switch kind {
    case .integer where bytes.count == 8: .integer(Int64(bitPattern: bits(bytes)))
    case .integer where bytes.count == 4: .integer(Int64(Int32(truncatingIfNeeded: bits(bytes))))
    case .integer: .integer(Int64(Int16(truncatingIfNeeded: bits(bytes))))
    case .real where bytes.count == 8: .real(Double(bitPattern: bits(bytes)))
    case .real: .real(Double(Float(bitPattern: UInt32(truncatingIfNeeded: bits(bytes)))))
    case .boolean: .integer(bytes.first == 0 ? 0 : 1)
    case .bytes: .blob([UInt8](bytes))
    case .text, .oid, .numeric, .other: .text(String(decoding: bytes, as: UTF8.self))
    }
  }

  private func bits(_ bytes: UnsafeRawBufferPointer) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }

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
