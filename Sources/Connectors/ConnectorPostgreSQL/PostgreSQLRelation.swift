import Connecting

/// A table as pgoutput describes it in front of its first change, and again whenever its shape may have changed: as it
/// was when the changes behind it were made.
struct PostgreSQLRelation {
  struct Column {
    var name: String
    var type: TypeKey
  }

  /// A type with its modifier, as `pg_attribute` has both.
  struct TypeKey: Hashable {
    var number: UInt32
    var modifier: Int32
  }

  let number: UInt32
  let name: TableName
  let columns: [Column]

  /// `message` begins with its letter, R.
  init(_ message: UnsafeRawBufferPointer) throws(ConnectorError) {
    var at = 5
    func word() -> String {
      let start = at
      while at < message.count, message[at] != 0 { at += 1 }
      defer { at += 1 }
      return String(decoding: message[start..<min(at, message.count)], as: UTF8.self)
    }
    func integer<T: FixedWidthInteger>(_: T.Type) throws(ConnectorError) -> T {
      guard at + MemoryLayout<T>.size <= message.count else { throw PostgreSQLChangeDecoder.unreadable }
      defer { at += MemoryLayout<T>.size }
      return T(bigEndian: message.loadUnaligned(fromByteOffset: at, as: T.self))
    }
    at = 1
    number = try integer(UInt32.self)
    let schema = word()
    // `pg_catalog` is sent as an empty name.
    name = TableName(schema: schema.isEmpty ? "pg_catalog" : schema, word())
    // How its rows are told apart.
    at += 1
    let count = try integer(Int16.self)
    var columns: [Column] = []
    for _ in 0..<max(0, count) {
      // Whether the column is part of the key.
      at += 1
      let column = word()
      let (type, modifier) = (try integer(UInt32.self), try integer(Int32.self))
      columns.append(Column(name: column, type: TypeKey(number: type, modifier: modifier)))
    }
    self.columns = columns
  }
}

/// What a relation's types are, asked of the server once each. By their numbers and not by the table's columns: those may
/// be of other types by now.
struct PostgreSQLTypes {
  struct Known {
    /// The base type's name in pg_catalog, a domain's by what it stands on; empty for what is none.
    var base: String
    /// With its modifier, as the server writes it: `character varying(20)`.
    var written: String
  }

  private var known: [PostgreSQLRelation.TypeKey: Known] = [:]

  mutating func of(
    _ key: PostgreSQLRelation.TypeKey, _ connection: PostgreSQLConnection
  ) throws(ConnectorError) -> Known {
    if let found = known[key] { return found }
    let rows = try connection.run(
      """
      SELECT CASE WHEN n.nspname = 'pg_catalog' THEN b.typname ELSE '' END, format_type(t.oid, $2::int4)
      FROM pg_type t JOIN pg_type b ON b.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END
        JOIN pg_namespace n ON n.oid = b.typnamespace
      WHERE t.oid = $1::oid
      """, ["\(key.number)", "\(key.modifier)"])
    // A type that was dropped since has only its number left.
    let found = Known(
      base: rows.first?[0] ?? "", written: rows.first?[1] ?? "type \(key.number)")
    known[key] = found
    return found
  }
}
