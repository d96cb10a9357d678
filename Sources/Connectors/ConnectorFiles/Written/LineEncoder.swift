import Connecting
import JSONBytes

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
      (index == 0 ? [] : [UInt8(ascii: ",")]) + WrittenJSON.quoted(column.name) + [UInt8(ascii: ":")]
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
          try bytes.withUnsafeBufferPointer { (value) throws(ConnectorError) in
            try append(UnsafeRawBufferPointer(value), types[index], isJSON, out)
          }
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
        try append(UnsafeRawBufferPointer(rebasing: row[at..<at + length]), types[index], isJSON, out)
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
  ) throws(ConnectorError) {
    switch type {
    case .text:
      if isJSON {
        out.advance(WrittenJSON.quote(value, to: out.reserve(WrittenJSON.room(value.count))))
      } else {
        Self.appendField(value, out)
      }
    case .integer:
      let number = Int64(bigEndian: value.loadUnaligned(as: Int64.self))
      out.advance(WrittenJSON.write(number, to: out.reserve(WrittenJSON.longestInteger)))
    case .double:
      let number = Double(bitPattern: UInt64(bigEndian: value.loadUnaligned(as: UInt64.self)))
      guard number.isFinite else { throw .outsideOfContract(type) }
      out.append(Array("\(number)".utf8))
    case .boolean: if value[0] == 0 { out.append("false") } else { out.append("true") }
    case .decimal, .date, .timestamp:
      scratch.removeAll()
      let text = try scratch.append(value, as: type)
      if isJSON { out.append(UInt8(ascii: "\"")) }
      out.append(text)
      if isJSON { out.append(UInt8(ascii: "\"")) }
    case .bytes:
      let isQuoted = isJSON || value.isEmpty
      if isQuoted { out.append(UInt8(ascii: "\"")) }
      let count = Base64.room(value.count)
      Base64.encode(value, to: out.reserve(count))
      out.advance(count)
      if isQuoted { out.append(UInt8(ascii: "\"")) }
    }
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
}
