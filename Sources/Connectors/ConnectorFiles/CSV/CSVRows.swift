import Connecting
import Glibc

/// The rows of a file, one after the other, as stretches of a window of memory.
///
/// UTF-8 and GB18030 are cut as they are: no byte of a GB18030 character of several bytes can be a quote, a separator or a
/// line's end. UTF-16 is cut after it became UTF-8. The window holds at least one whole row.
final class CSVRows {
  /// Bytes of one row (after decoding, for UTF-16), its line's end included, unless it is known that there are longer ones.
  static let rowLimit = 1 << 20
  static let columnLimit = 1000
  static let pieceSize = 1 << 18
  static let comma: UInt8 = 0x2C
  /// Those a file may have, the usual one first: comma, tab, semicolon.
  static let separators: [UInt8] = [comma, 0x09, 0x3B]

  struct Field {
    var start: Int
    var count: Int
    var isQuoted: Bool
    /// Holds doubled quotes.
    var isEscaped: Bool
  }

  let file: SourceFile
  let encoding: CSVEncoding
  private let separator: UInt8
  /// Of the bytes read so far, the mark included when reading began at the front.
  private(set) var digest = ContentDigest()
  /// The same from the byte on that `tailFrom` names.
  private(set) var tail = ContentDigest()
  private let tailFrom: Int
  /// Watches the bytes when nobody knows yet whether they are UTF-8.
  private(set) var utf8 = UTF8Stream()
  private let watchesUTF8: Bool

  /// The fields of the current row; `start` counts from `base`, and both hold until the next row.
  // Each access to these would otherwise be entered in a run-time table, several times for each field.
  @exclusivity(unchecked) private(set) var fields: [Field] = []
  @exclusivity(unchecked) private(set) var base: UnsafeMutableRawPointer
  /// Of the current row, in the file's own bytes.
  @exclusivity(unchecked) private(set) var rowOffset = 0
  @exclusivity(unchecked) private(set) var nextOffset: Int
  @exclusivity(unchecked) private(set) var line: Int
  @exclusivity(unchecked) private(set) var nextLine: Int

  private let rowLimit: Int
  @exclusivity(unchecked) private var room: Int
  @exclusivity(unchecked) private var low = 0
  @exclusivity(unchecked) private var high = 0
  @exclusivity(unchecked) private var fileOffset: Int
  @exclusivity(unchecked) private var isAtEnd = false
  private let piece: UnsafeMutableRawPointer
  private var utf16: UTF16Stream

  /// Reads from that byte on, which begins a row (or, for 0, the mark).
  init(
    _ file: SourceFile, _ encoding: CSVEncoding, separator: UInt8 = CSVRows.comma, from offset: Int = 0, line: Int = 1,
    watchesUTF8: Bool = false, tailFrom: Int = 0, rowLimit: Int = CSVRows.rowLimit
  ) {
    self.file = file
    self.separator = separator
    self.rowLimit = rowLimit
    self.encoding = encoding
    self.watchesUTF8 = watchesUTF8
    self.tailFrom = tailFrom
    fileOffset = offset
    nextOffset = offset
    self.line = line
    nextLine = line
    room = rowLimit + 2 * Self.pieceSize + 16
    base = .allocate(byteCount: room, alignment: 16)
    piece = .allocate(byteCount: Self.pieceSize, alignment: 16)
    utf16 = UTF16Stream(encoding)
    fields.reserveCapacity(64)
  }

  deinit {
    base.deallocate()
    piece.deallocate()
  }

  /// Skips the mark and goes to the next row; false at the end.
  func next() throws(ConnectorError) -> Bool {
    while true {
      if low < high || isAtEnd {
        guard low < high else { return false }
        fields.removeAll(keepingCapacity: true)
        if let end = try cut() {
          guard end - low <= rowLimit else { throw try fault(low) { .rowTooLong($0) } }
          rowOffset = nextOffset
          line = nextLine
          nextOffset += rawLength(low, end)
          nextLine += lines
          low = end
          return true
        }
        guard high - low <= rowLimit else { throw try fault(low) { .rowTooLong($0) } }
      }
      try fill()
    }
  }

  /// Whether the current row is a line with nothing on it.
  var isBlank: Bool { fields.count == 1 && fields[0].count == 0 && !fields[0].isQuoted }

  // MARK: - Bytes

  private func fill() throws(ConnectorError) {
    if low > 0 {
      base.copyMemory(from: base + low, byteCount: high - low)
      high -= low
      low = 0
    }
    if !encoding.isUTF16 {
      let got = try file.read(into: base + high, min(Self.pieceSize, room - high), at: fileOffset)
      let bytes = UnsafeRawBufferPointer(start: base + high, count: got)
      note(bytes)
      if watchesUTF8 { utf8.add(bytes) }
      if let nul = bytes.firstIndex(of: 0) { throw try place(fileOffset + nul) { .nul($0) } }
      high += got
      fileOffset += got
      isAtEnd = got == 0
    } else {
      let got = try file.read(into: piece, Self.pieceSize, at: fileOffset)
      let bytes = UnsafeRawBufferPointer(start: piece, count: got)
      note(bytes)
      let pending = utf16.isIncomplete ? 2 : 0
      let (written, bad) = utf16.decode(UnsafeRawBufferPointer(rebasing: bytes.prefix(got & ~1)), into: base + high)
      if let bad { throw try place(fileOffset + bad) { .invalidUTF16($0) } }
      if let nul = UnsafeRawBufferPointer(start: base + high, count: written).firstIndex(of: 0) {
        throw try place(fileOffset + rawLength(high, high + nul) - pending) { .nul($0) }
      }
      if got & 1 == 1 || got == 0 && utf16.isIncomplete {
        throw try place(file.size - (got & 1 == 1 ? 1 : 2)) { .invalidUTF16($0) }
      }
      high += written
      fileOffset += got
      isAtEnd = got == 0
    }
    if isAtEnd, watchesUTF8 { utf8.finish() }
    skipMark()
  }

  private func note(_ bytes: UnsafeRawBufferPointer) {
    digest.add(bytes)
    let before = max(0, tailFrom - fileOffset)
    if before < bytes.count { tail.add(UnsafeRawBufferPointer(rebasing: bytes[before...])) }
  }

  /// The mark at the front of the file is no part of the first column's name.
  private func skipMark() {
    guard nextOffset == 0, low == 0 else { return }
    let head = UnsafeRawBufferPointer(start: base, count: high)
    switch encoding {
    case .utf8, .gb18030:
      guard let mark = CSVEncoding.mark(head), mark.encoding == encoding else { return }
      low = mark.length
      nextOffset = mark.length
    case .utf16LittleEndian, .utf16BigEndian:
      guard head.starts(with: [0xEF, 0xBB, 0xBF]) else { return }
      low = 3
      nextOffset = 2
    }
  }

  /// How many of the file's own bytes these bytes of the window are.
  private func rawLength(_ start: Int, _ end: Int) -> Int {
    guard encoding.isUTF16 else { return end - start }
    var units = 0
    for index in start..<end {
      let byte = base.load(fromByteOffset: index, as: UInt8.self)
      if byte & 0xC0 != 0x80 { units += byte >= 0xF0 ? 2 : 1 }
    }
    return units * 2
  }

  // MARK: - Cutting (RFC 4180)

  /// Line feeds in the row that was cut, its end included.
  @exclusivity(unchecked) private var lines = 0

  /// Cuts the row that begins at `low` into `fields`; where the next one begins, or nil when more bytes are needed.
  private func cut() throws(ConnectorError) -> Int? {
    let bytes = UnsafePointer(base.assumingMemoryBound(to: UInt8.self))
    let (end, separator) = (high, separator)
    // Of the bytes that end a field.
    let highest = max(separator, Self.comma)
    var at = low
    lines = 0
    while true {
      guard fields.count < Self.columnLimit else { throw try fault(at) { .tooManyColumns($0) } }
      if at < end, bytes[at] == 0x22 {
        let opened = at
        at += 1
        let start = at
        var escaped = false
        while true {
          while at < end, bytes[at] != 0x22 {
            if bytes[at] == 0x0A { lines += 1 }
            at += 1
          }
          if at == end {
            guard isAtEnd else { return nil }
            throw try fault(opened) { .unclosedQuote($0) }
          }
          // A quote at the window's end may be the first of two: the row is cut again when there are more bytes.
          guard at + 1 < end, bytes[at + 1] == 0x22 else { break }
          escaped = true
          at += 2
        }
        fields.append(Field(start: start, count: at - start, isQuoted: true, isEscaped: escaped))
        at += 1
        if at < end, bytes[at] != separator, bytes[at] != 0x0A, bytes[at] != 0x0D {
          throw try fault(at) { .textAfterQuote($0) }
        }
      } else {
        let start = at
        while at < end {
          let byte = bytes[at]
          if byte <= highest, byte == separator || byte == 0x0A || byte == 0x0D || byte == 0x22 { break }
          at += 1
        }
        fields.append(Field(start: start, count: at - start, isQuoted: false, isEscaped: false))
      }
      guard at < end else { return isAtEnd ? end : nil }
      switch bytes[at] {
      case separator: at += 1
      case 0x0A:
        lines += 1
        return at + 1
      case 0x0D:
        if at + 1 == end, !isAtEnd { return nil }
        guard at + 1 < end, bytes[at + 1] == 0x0A else { throw try fault(at) { .bareReturn($0) } }
        lines += 1
        return at + 2
      default: throw try fault(at) { .quoteInsideField($0) }
      }
    }
  }

  /// A fault at that byte of the window.
  private func fault(_ at: Int, _ make: (FilePlace) -> CSVFault) throws(ConnectorError) -> ConnectorError {
    try place(nextOffset + rawLength(low, at), make)
  }

  private func place(_ byte: Int, _ make: (FilePlace) -> CSVFault) throws(ConnectorError) -> ConnectorError {
    make(try file.place(byte, in: encoding)).error
  }
}
