import Connecting

/// What one pass over a whole file found before anything of it is delivered: its encoding, that it is whole, its columns,
/// and a digest that tells whether it is still the same file later.
struct CSVStructure {
  var encoding: CSVEncoding
  /// Between fields.
  var separator: UInt8
  var columns: [String]
  /// Rows under the header; blank lines at the end are none.
  var rows: Int
  var digest: [UInt8]
  /// The same of everything from the place on from which a reader goes on.
  var tailDigest: [UInt8]

  /// Throws the file's first fault. `declared` overrules what the bytes look like, never a byte-order mark.
  init(_ file: SourceFile, declared: CSVEncoding? = nil, tailFrom: Int = 0) throws(ConnectorError) {
    let marked = try Self.mark(of: file)
    let known = marked ?? declared
    separator = Self.separator(of: file, known ?? .utf8)
    let rows = CSVRows(
      file, known ?? .utf8, separator: separator, watchesUTF8: known == nil || known == .utf8, tailFrom: tailFrom)
    var torn: ConnectorError?
    var shape = Shape()
    do { try shape.read(rows) } catch { torn = error }
    if known == nil || known == .utf8 {
      // A torn structure may only be another encoding's; then that is what to say.
      var watch = rows.utf8
      if torn != nil { watch = try Self.utf8(of: file) }
      if let bad = watch.bad {
        let place = try file.place(bad, in: .utf8)
        if known == .utf8 { throw CSVFault.invalidUTF8(place).error }
        if let other = try Self.firstBadGB18030(file) {
          throw CSVFault.unknownEncoding(utf8: place, gb18030: try file.place(other, in: .gb18030)).error
        }
        // What is mixed would all be read as GB18030, and most of it as other characters than were written.
        guard try !Self.evidence(file).isMeantAsUTF8 else { throw CSVFault.mixedEncodings(place).error }
        encoding = .gb18030
      } else {
        encoding = .utf8
      }
    } else {
      encoding = known ?? .utf8
      if encoding == .gb18030, let bad = try Self.firstBadGB18030(file) {
        throw CSVFault.invalidGB18030(try file.place(bad, in: .gb18030)).error
      }
    }
    if let torn { throw torn }
    guard shape.width > 0 else { throw CSVFault.noHeader.error }
    self.rows = shape.rows
    digest = rows.digest.bytes
    tailDigest = rows.tail.bytes
    columns = try Self.columns(file, encoding, separator)
    try file.verify()
  }

  /// Counts rows and holds every one to the header's number of fields.
  private struct Shape {
    var width = 0
    var rows = 0

    mutating func read(_ source: CSVRows) throws(ConnectorError) {
      var blank: FilePlace?
      while try source.next() {
        if width == 0 {
          width = source.fields.count
          continue
        }
        let place = FilePlace(byte: source.rowOffset, line: source.line)
        if source.isBlank, width > 1 {
          blank = blank ?? place
          continue
        }
        if let blank { throw CSVFault.fieldCount(blank, expected: width, found: 1).error }
        guard source.fields.count == width else {
          throw CSVFault.fieldCount(place, expected: width, found: source.fields.count).error
        }
        rows += 1
      }
    }
  }

  private static func mark(of file: SourceFile) throws(ConnectorError) -> CSVEncoding? {
    let head = UnsafeMutableRawPointer.allocate(byteCount: 4, alignment: 4)
    defer { head.deallocate() }
    var count = 0
    while count < 4 {
      let got = try file.read(into: head + count, 4 - count, at: count)
      if got == 0 { break }
      count += got
    }
    return CSVEncoding.mark(UnsafeRawBufferPointer(start: head, count: count))?.encoding
  }

  /// The one by which the header has several fields; a comma where none does. No byte of a character of several bytes is one.
  private static func separator(of file: SourceFile, _ encoding: CSVEncoding) -> UInt8 {
    for separator in CSVRows.separators {
      // What is wrong with the file is said when it is read.
      let rows = CSVRows(file, encoding, separator: separator)
      if (try? rows.next()) ?? false, rows.fields.count > 1 { return separator }
    }
    return CSVRows.comma
  }

  private static func columns(
    _ file: SourceFile, _ encoding: CSVEncoding, _ separator: UInt8
  ) throws(ConnectorError) -> [String] {
    let rows = CSVRows(file, encoding, separator: separator)
    let text = try FieldText(encoding)
    guard try rows.next() else { throw CSVFault.noHeader.error }
    var names: [String] = []
    for (index, field) in rows.fields.enumerated() {
      let name = trimmed(String(decoding: try text.bytes(of: field, in: rows), as: UTF8.self))
      guard !name.isEmpty else { throw CSVFault.emptyColumnName(number: index + 1).error }
      guard name.unicodeScalars.count <= 128 else { throw CSVFault.columnNameTooLong(number: index + 1).error }
      guard !names.contains(name) else { throw CSVFault.repeatedColumn(name).error }
      names.append(name)
    }
    return names
  }

  private static func trimmed(_ name: String) -> String {
    let isBlank = { (character: Character) in character == " " || character == "\t" }
    return String(name.drop(while: isBlank).reversed().drop(while: isBlank).reversed())
  }

  /// The whole file's bytes in pieces.
  private static func pieces(
    of file: SourceFile, _ body: (UnsafeRawBufferPointer, _ offset: Int) throws(ConnectorError) -> Int?
  ) throws(ConnectorError) {
    let room = 1 << 20
    let buffer = UnsafeMutableRawPointer.allocate(byteCount: room, alignment: 16)
    defer { buffer.deallocate() }
    var (offset, kept) = (0, 0)
    while true {
      let got = try file.read(into: buffer + kept, room - kept, at: offset + kept)
      // The body says how much of the piece it has used; the rest comes again before the next.
      let bytes = UnsafeRawBufferPointer(start: buffer, count: kept + got)
      guard let used = try body(bytes, offset) else { return }
      if got == 0 { return }
      kept = bytes.count - used
      buffer.copyMemory(from: buffer + used, byteCount: kept)
      offset += used
    }
  }

  private static func utf8(of file: SourceFile) throws(ConnectorError) -> UTF8Stream {
    var stream = UTF8Stream()
    try pieces(of: file) { bytes, _ throws(ConnectorError) in
      stream.add(bytes)
      return stream.bad == nil ? bytes.count : nil
    }
    stream.finish()
    return stream
  }

  private static func evidence(_ file: SourceFile) throws(ConnectorError) -> UTF8Evidence {
    var evidence = UTF8Evidence()
    try pieces(of: file) { bytes, _ throws(ConnectorError) in
      evidence.add(bytes)
      return bytes.count
    }
    evidence.finish()
    return evidence
  }

  /// Where the file stops being GB18030; nil when all of it is.
  private static func firstBadGB18030(_ file: SourceFile) throws(ConnectorError) -> Int? {
    let decoder = try GB18030Decoder()
    let target = UnsafeMutableRawPointer.allocate(byteCount: 2 << 20, alignment: 16)
    defer { target.deallocate() }
    var bad: Int?
    try pieces(of: file) { bytes, offset throws(ConnectorError) in
      switch decoder.decode(bytes, into: target).0 {
      case .done: return bytes.count
      case .incomplete(let at):
        if offset + bytes.count == file.size {
          bad = offset + at
          return nil
        }
        return at
      case .bad(let at):
        bad = offset + at
        return nil
      }
    }
    return bad
  }
}
