import Connecting

/// Rows as lines of a file, in the two formats that are written. `WrittenRows` reads them back to the same bytes.
///
/// | type | CSV (RFC 4180) | JSON |
/// |---|---|---|
/// | NULL | nothing | null |
/// | text | as it is; in quotes where it is empty or holds a quote, a comma or a line's end | string |
/// | integer | digits | number |
/// | decimal | digits, all decimals of the type | string, since many a reader takes numbers for doubles |
/// | double | the shortest digits that give the same double | number |
/// | boolean | true, false | true, false |
/// | date | 2026-08-22 | string |
/// | timestamp | 2026-08-22 01:30:00.000000Z | string |
/// | bytes | base64 (RFC 4648), in quotes where there are none | string |
struct LineEncoder: ~Copyable {
  private let format: FileFormat
  private let types: [ValueType]
  /// In front of each value of a line of JSON.
  private let labels: [[UInt8]]
  private var scratch = WrittenBytes()

  init(_ columns: [FileSet.Column], _ format: FileFormat) {
    self.format = format
    types = columns.map(\.type)
    labels = columns.enumerated().map { index, column in
      (index == 0 ? [] : [UInt8(ascii: ",")]) + Self.quoted(column.name) + [UInt8(ascii: ":")]
    }
  }

  /// The line above the rows; nothing in JSON.
  static func header(_ columns: [FileSet.Column], _ format: FileFormat, _ content: FileSet.Content, mark: Bool)
    -> [UInt8]
  {
    guard format == .csv else { return [] }
    var names = columns.map(\.name)
    if content == .operations { names.insert(FileOperation.column, at: 0) }
    let line = names.map { name in
      name.utf8.contains { $0 == 0x22 || $0 == 0x2C || $0 == 0x0A || $0 == 0x0D }
        ? "\"" + name.replacing("\"", with: "\"\"") + "\"" : name
    }.joined(separator: ",")
    return (mark ? [0xEF, 0xBB, 0xBF] : []) + Array(line.utf8) + [0x0D, 0x0A]
  }

  /// `operation` is nil in files that hold rows alone. `key`: the row has the key's fields only, in the key's order.
  mutating func append(
    _ row: UnsafeRawBufferPointer, operation: FileOperation?, key: [Int]? = nil, to out: GatheredText
  ) throws(ConnectorError) {
    let isJSON = format == .jsonl
    if isJSON { out.append(UInt8(ascii: "{")) }
    if let operation {
      if isJSON {
        out.append("\"sj_operation\":\"")
        out.append(operation.text)
        out.append("\",")
      } else {
        out.append(operation.text)
        out.append(UInt8(ascii: ","))
      }
    }
    if let key {
      let fields = RowField.fields(of: row)
      for index in types.indices {
        begin(index, isJSON, out)
        if let place = key.firstIndex(of: index), place < fields.count, case .value(let bytes) = fields[place] {
          bytes.withUnsafeBytes { append($0, types[index], isJSON, out) }
        } else if isJSON {
          out.append("null")
        }
      }
    } else {
      var at = 2
      for index in types.indices {
        begin(index, isJSON, out)
        let length = Int(Int32(bigEndian: row.loadUnaligned(fromByteOffset: at, as: Int32.self)))
        at += 4
        guard length >= 0 else {
          if isJSON { out.append("null") }
          continue
        }
        append(UnsafeRawBufferPointer(rebasing: row[at..<at + length]), types[index], isJSON, out)
        at += length
      }
    }
    if isJSON { out.append(UInt8(ascii: "}")) } else { out.append(UInt8(ascii: "\r")) }
    out.append(UInt8(ascii: "\n"))
    try out.endLine()
  }

  @inline(__always) private func begin(_ index: Int, _ isJSON: Bool, _ out: GatheredText) {
    if isJSON { out.append(labels[index]) } else if index > 0 { out.append(UInt8(ascii: ",")) }
  }

  private mutating func append(
    _ value: UnsafeRawBufferPointer, _ type: ValueType, _ isJSON: Bool, _ out: GatheredText
  ) {
    switch type {
    case .text: if isJSON { Self.appendQuoted(value, out) } else { Self.appendField(value, out) }
    case .integer: Self.append(Int64(bigEndian: value.loadUnaligned(as: Int64.self)), out)
    case .double:
      let number = Double(bitPattern: UInt64(bigEndian: value.loadUnaligned(as: UInt64.self)))
      out.append(Array("\(number)".utf8))
    case .boolean: if value[0] == 0 { out.append("false") } else { out.append("true") }
    case .decimal, .date, .timestamp:
      scratch.removeAll()
      let text = scratch.append(value, as: type)
      if isJSON { out.append(UInt8(ascii: "\"")) }
      out.append(text)
      if isJSON { out.append(UInt8(ascii: "\"")) }
    case .bytes:
      let isQuoted = isJSON || value.isEmpty
      if isQuoted { out.append(UInt8(ascii: "\"")) }
      Base64.append(value, to: out)
      if isQuoted { out.append(UInt8(ascii: "\"")) }
    }
  }

  private static func append(_ number: Int64, _ out: GatheredText) {
    let start = out.reserve(20)
    var rest = number.magnitude
    var at = 20
    repeat {
      at -= 1
      start.storeBytes(of: UInt8(truncatingIfNeeded: 48 + rest % 10), toByteOffset: at, as: UInt8.self)
      rest /= 10
    } while rest > 0
    if number < 0 {
      at -= 1
      start.storeBytes(of: UInt8(ascii: "-"), toByteOffset: at, as: UInt8.self)
    }
    start.copyMemory(from: start + at, byteCount: 20 - at)
    out.advance(20 - at)
  }

  /// Values are data and stay what they are: also one that begins like a formula.
  private static func appendField(_ text: UnsafeRawBufferPointer, _ out: GatheredText) {
    var needsQuotes = text.isEmpty
    var quotes = 0
    for byte in text where byte <= 0x2C {
      if byte == 0x22 { quotes += 1 }
      if byte == 0x22 || byte == 0x2C || byte == 0x0A || byte == 0x0D { needsQuotes = true }
    }
    guard needsQuotes else { return out.append(text) }
    let target = out.reserve(text.count + quotes + 2).assumingMemoryBound(to: UInt8.self)
    target[0] = 0x22
    var at = 1
    for byte in text {
      if byte == 0x22 {
        target[at] = 0x22
        at += 1
      }
      target[at] = byte
      at += 1
    }
    target[at] = 0x22
    out.advance(at + 1)
  }

  private static func appendQuoted(_ text: UnsafeRawBufferPointer, _ out: GatheredText) {
    // The longest escape has six bytes.
    let target = out.reserve(text.count * 6 + 2).assumingMemoryBound(to: UInt8.self)
    target[0] = 0x22
    var at = 1
    func put(_ byte: UInt8) {
      target[at] = byte
      at += 1
    }
    for byte in text {
      switch byte {
      case 0x22, 0x5C:
        put(0x5C)
        put(byte)
      case 0x0A:
        put(0x5C)
        put(UInt8(ascii: "n"))
      case 0x0D:
        put(0x5C)
        put(UInt8(ascii: "r"))
      case 0x09:
        put(0x5C)
        put(UInt8(ascii: "t"))
      case 0..<0x20:
        for byte in [0x5C, UInt8(ascii: "u"), 0x30, 0x30] { put(byte) }
        put(byte >> 4 + 0x30)
        put(byte & 15 < 10 ? byte & 15 + 0x30 : byte & 15 + 87)
      default: put(byte)
      }
    }
    put(0x22)
    out.advance(at)
  }

  private static func quoted(_ text: String) -> [UInt8] {
    var result: [UInt8] = [0x22]
    for byte in text.utf8 {
      if byte == 0x22 || byte == 0x5C { result.append(0x5C) }
      result.append(byte)
    }
    return result + [0x22]
  }
}

/// Bytes as text (RFC 4648, with padding).
enum Base64 {
  private static let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  static func append(_ bytes: UnsafeRawBufferPointer, to out: GatheredText) {
    let count = (bytes.count + 2) / 3 * 4
    let target = out.reserve(count).assumingMemoryBound(to: UInt8.self)
    var at = 0
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let left = bytes.count - start
      let group =
        UInt32(bytes[start]) << 16 | (left > 1 ? UInt32(bytes[start + 1]) << 8 : 0)
        | (left > 2 ? UInt32(bytes[start + 2]) : 0)
      target[at] = letters[Int(group >> 18)]
      target[at + 1] = letters[Int(group >> 12 & 63)]
      target[at + 2] = left > 1 ? letters[Int(group >> 6 & 63)] : UInt8(ascii: "=")
      target[at + 3] = left > 2 ? letters[Int(group & 63)] : UInt8(ascii: "=")
      at += 4
    }
    out.advance(count)
  }

  /// Nil for what `append` does not write.
  static func decode(_ text: UnsafeRawBufferPointer) -> [UInt8]? {
    guard text.count % 4 == 0 else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.count / 4 * 3)
    for start in stride(from: 0, to: text.count, by: 4) {
      var group: UInt32 = 0
      var pad = 0
      for index in start..<start + 4 {
        let byte = text[index]
        if byte == UInt8(ascii: "="), index >= text.count - 2 {
          pad += 1
          group <<= 6
          continue
        }
        guard pad == 0, let value = value(byte) else { return nil }
        group = group << 6 | value
      }
      bytes.append(UInt8(truncatingIfNeeded: group >> 16))
      if pad < 2 { bytes.append(UInt8(truncatingIfNeeded: group >> 8)) }
      if pad < 1 { bytes.append(UInt8(truncatingIfNeeded: group)) }
    }
    return bytes
  }

  private static func value(_ letter: UInt8) -> UInt32? {
    switch letter {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(letter - 65)
    case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(letter - 71)
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(letter + 4)
    case UInt8(ascii: "+"): 62
    case UInt8(ascii: "/"): 63
    default: nil
    }
  }
}
