/// A table's name as its database spells it, case and all. `schema` is nil where the database has none.
package struct TableName: Hashable, Sendable {
  package var schema: String?
  package var name: String

  package init(schema: String? = nil, _ name: String) {
    self.schema = schema
    self.name = name
  }
}

extension TableName: CustomStringConvertible {
  package var description: String { schema.map { "\($0).\(name)" } ?? name }
}

/// A line of the list of tables: cheap to get, shown before anyone chooses.
package struct TableSummary: Hashable, Sendable {
  package var name: TableName
  package var comment: String?
  /// From the database's statistics; nil when it keeps none.
  package var estimatedRows: Int?
  package var isView: Bool

  package init(name: TableName, comment: String? = nil, estimatedRows: Int? = nil, isView: Bool = false) {
    self.name = name
    self.comment = comment
    self.estimatedRows = estimatedRows
    self.isView = isView
  }
}

/// A table as its own database describes it: the raw material of a catalogue entry and of a contract.
package struct TableDescription: Hashable, Sendable {
  package var name: TableName
  /// What its owner calls it.
  package var comment: String?
  /// What the connector has to say of it: `GB18030, 93 B`. Never a name.
  package var remark: String?
  package var estimatedRows: Int?
  package var isView: Bool
  package var columns: [ColumnDescription]

  package init(
    name: TableName, comment: String? = nil, remark: String? = nil, estimatedRows: Int? = nil, isView: Bool = false,
    columns: [ColumnDescription]
  ) {
    self.name = name
    self.comment = comment
    self.remark = remark
    self.estimatedRows = estimatedRows
    self.isView = isView
    self.columns = columns
  }

  /// The declared key's columns in the key's order; empty where the table declares none.
  package var key: [ColumnDescription] {
    columns.filter { $0.keyPosition != nil }.sorted { ($0.keyPosition ?? 0) < ($1.keyPosition ?? 0) }
  }

  package func column(_ name: String) -> ColumnDescription? { columns.first { $0.name == name } }
}

/// One column.
package struct ColumnDescription: Hashable, Sendable {
  package var name: String
  /// As the database writes it: `character varying(60)`.
  package var nativeType: String
  /// Nil when no connector type can carry it without loss; such a column is shown but cannot be granted.
  package var type: ValueType?
  /// Characters at most, for text that has a limit.
  package var length: Int?
  package var isNullable: Bool
  /// Place in the primary key, from 1.
  package var keyPosition: Int?
  package var comment: String?

  package init(
    name: String, nativeType: String, type: ValueType?, length: Int? = nil, isNullable: Bool = true,
    keyPosition: Int? = nil, comment: String? = nil
  ) {
    self.name = name
    self.nativeType = nativeType
    self.type = type
    self.length = length
    self.isNullable = isNullable
    self.keyPosition = keyPosition
    self.comment = comment
  }
}
