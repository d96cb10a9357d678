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
    /// Of the values, with room for tomorrow's.
    package var roomyLength: Int
  }

  package var encoding: CSVEncoding
  package var rows: Int
  package var bytes: Int
  /// 32 hexadecimal digits that change with the content.
  package var digest: String
  /// When the file was last written, as its file system says.
  package var modified: Instant
  package var columns: [Column]

  init(_ file: SourceFile, _ options: CSVOptions) throws(ConnectorError) {
    let structure: CSVStructure
    do { structure = try CSVStructure(file, declared: options.encoding) } catch { throw error.naming(file.name) }
    let looks = try Self.looks(file, structure, options)
    encoding = structure.encoding
    rows = structure.rows
    bytes = file.size
    modified = Instant(milliseconds: Int64(file.identity.modified / 1_000_000))
    digest = structure.digest.map { String(UInt16($0) + 256, radix: 16).dropFirst() }.joined()
    columns = zip(structure.columns, looks).map { name, look in
      Column(
        name: name, suggested: look.suggested, longest: look.longest, nulls: look.nulls, roomyLength: look.roomyLength)
    }
  }

  /// What each column's values look like, in one more pass over a file whose structure is known.
  static func looks(
    _ file: SourceFile, _ structure: CSVStructure, _ options: CSVOptions
  ) throws(ConnectorError) -> [ColumnLook] {
    var looks = [ColumnLook](repeating: ColumnLook(), count: structure.columns.count)
    let nullText = Array(options.nullText.utf8)
    let text = try FieldText(structure.encoding)
    let rows = CSVRows(file, structure.encoding, separator: structure.separator)
    _ = try rows.next()
    while try rows.next() {
      if rows.isBlank, looks.count > 1 { continue }
      guard rows.fields.count == looks.count else { throw .changedWhileRead(file) }
      for (index, field) in rows.fields.enumerated() {
        let bytes = try text.bytes(of: field, in: rows)
        if bytes.isEmpty && !field.isQuoted || !nullText.isEmpty && bytes.elementsEqual(nullText) {
          looks[index].nulls += 1
        } else {
          looks[index].add(bytes)
        }
      }
    }
    guard rows.digest.bytes == structure.digest else { throw .changedWhileRead(file) }
    try file.verify()
    return looks
  }
}
