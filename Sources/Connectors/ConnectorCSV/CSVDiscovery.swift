package import Connecting
package import Kernel

/// What a file's values look like, column by column: the raw material of a catalogue entry. A suggestion, never a contract.
package struct CSVDiscovery: Hashable, Sendable {
  package struct Column: Hashable, Sendable {
    package var name: String
    package var suggested: ValueType
    /// Of the longest value, in Unicode scalars.
    package var longest: Int
    /// Fields that are NULL.
    package var nulls: Int
  }

  package var encoding: CSVEncoding
  package var rows: Int
  package var bytes: Int
  /// 32 hexadecimal digits that change with the content.
  package var digest: String
  /// When the file was last written, as its file system says.
  package var modified: Instant
  package var columns: [Column]

  init(_ file: CSVFile, _ options: CSVOptions) throws(ConnectorError) {
    let structure = try CSVStructure(file, declared: options.encoding)
    var looks = [ColumnLook](repeating: ColumnLook(), count: structure.columns.count)
    let nullText = Array(options.nullText.utf8)
    let text = try FieldText(structure.encoding)
    let rows = CSVRows(file, structure.encoding)
    _ = try rows.next()
    while try rows.next() {
      if rows.isBlank, looks.count > 1 { continue }
      guard rows.fields.count == looks.count else { throw .changedWhileRead(file.name) }
      for (index, field) in rows.fields.enumerated() {
        let bytes = try text.bytes(of: field, in: rows)
        if bytes.isEmpty && !field.isQuoted || !nullText.isEmpty && bytes.elementsEqual(nullText) {
          looks[index].nulls += 1
        } else {
          looks[index].add(bytes)
        }
      }
    }
    guard rows.digest.bytes == structure.digest else { throw .changedWhileRead(file.name) }
    try file.verify()
    encoding = structure.encoding
    self.rows = structure.rows
    bytes = file.size
    modified = Instant(milliseconds: Int64(file.identity.modified / 1_000_000))
    digest = structure.digest.map { String(UInt16($0) + 256, radix: 16).dropFirst() }.joined()
    columns = zip(structure.columns, looks).map { name, look in
      Column(name: name, suggested: look.suggested, longest: look.longest, nulls: look.nulls)
    }
  }
}

/// One column's values, as they go by.
struct ColumnLook {
  var nulls = 0
  private(set) var longest = 0
  private var values = 0
  private var shortestBytes = Int.max
  private var longestBytes = 0
  private var wholes = true
  private var decimals = true
  private var wholeDigits = 0
  private var scale = 0
  private var dates = true
  private var times = true
  private var booleans = true

  mutating func add(_ bytes: UnsafeRawBufferPointer) {
    values += 1
    longest = max(longest, UTF8Scan(bytes).characters)
    shortestBytes = min(shortestBytes, bytes.count)
    longestBytes = max(longestBytes, bytes.count)
    if wholes || decimals { look(atNumber: bytes) }
    // Eight digits alone are as likely a code as a day.
    dates = dates && WrittenTime.date(bytes)?.1 == bytes.count && bytes.contains { $0 &- 48 >= 10 }
    if times { times = bytes.count > 10 && WrittenTime.microseconds(bytes, zone: 0) != nil }
    if booleans { booleans = Self.booleanTexts.contains { bytes.elementsEqual($0.utf8) } }
  }

  private static let booleanTexts = ["是", "否", "true", "false", "TRUE", "FALSE"]

  /// `-12.50`: no leading noughts (those are codes), no plus, no exponent, no commas.
  private mutating func look(atNumber bytes: UnsafeRawBufferPointer) {
    var at = bytes.first == UInt8(ascii: "-") ? 1 : 0
    let start = at
    while at < bytes.count, bytes[at] &- 48 < 10 { at += 1 }
    let whole = at - start
    var places = 0
    if at < bytes.count, bytes[at] == UInt8(ascii: ".") {
      at += 1
      while at < bytes.count, bytes[at] &- 48 < 10 {
        at += 1
        places += 1
      }
      if places == 0 { decimals = false }
    }
    guard at == bytes.count, whole > 0, whole == 1 || bytes[start] != 48, decimals else {
      (wholes, decimals) = (false, false)
      return
    }
    if places > 0 { wholes = false }
    wholeDigits = max(wholeDigits, whole)
    scale = max(scale, places)
  }

  /// Text unless every value fits something narrower, and text for what looks like a code: numbers of six and more digits
  /// that are all of one length.
  var suggested: ValueType {
    guard values > 0 else { return .text }
    if booleans { return .boolean }
    if dates { return .date }
    if times { return .timestamp }
    if wholes, wholeDigits <= 15 { return shortestBytes == longestBytes && longestBytes >= 6 ? .text : .integer }
    if decimals, !wholes, wholeDigits + scale <= 38 {
      return .decimal(precision: wholeDigits + scale <= 18 ? 18 : 38, scale: scale)
    }
    return .text
  }
}
