import Connecting
import Kernel

/// The columns of a folder of documents: a file is its parts, each a row.
enum DocumentColumn: String, CaseIterable {
  /// Relative to the table's folder, with slashes, byte by byte as the store has it.
  case path
  /// From 0.
  case part
  /// Of the whole file, in bytes.
  case size
  /// Of the whole file.
  case modified
  case content

  var type: ValueType {
    switch self {
    case .path: .text
    case .part, .size: .integer
    case .modified: .timestamp
    case .content: .bytes
    }
  }

  static let key: [DocumentColumn] = [.path, .part]

  static func description(
    of table: TableName, remark: String? = nil, files: Int? = nil
  ) -> TableDescription {
    TableDescription(
      name: table, remark: remark, estimatedRows: files,
      columns: allCases.map { column in
        ColumnDescription(
          name: column.rawValue, nativeType: "file", type: column.type, isNullable: false,
          keyPosition: key.firstIndex(of: column).map { $0 + 1 })
      })
  }

  /// The column of that name and type, which must be the plan's.
  static func find(_ name: String, _ type: ValueType, in table: TableName) throws(ConnectorError) -> DocumentColumn {
    guard let column = DocumentColumn(rawValue: name) else {
      throw .contract("column-missing", "“\(table)”没有“\(name)”列。", "“\(table)” has no column “\(name)”.")
    }
    guard column.type == type else {
      throw .contract(
        "type-changed", "“\(table)”的“\(name)”列是\(column.type.title.chinese)，约定的是\(type.title.chinese)。",
        "The column “\(name)” of “\(table)” is \(column.type.title.english), not \(type.title.english) as agreed.")
    }
    return column
  }
}

/// How a file is cut. The same on both sides and for ever: receipts count parts.
enum DocumentParts {
  /// Bytes of a part; the last one may have fewer.
  static let bytes = 512 << 10

  /// An empty file has one part, which is empty.
  static func count(of size: Int) -> Int { max(1, size / bytes + (size % bytes > 0 ? 1 : 0)) }

  static func length(of part: Int, in size: Int) -> Int { min(bytes, size - part * bytes) }
}

/// What a file's parts must agree in to be of one version of it.
struct DocumentVersion: Hashable {
  var size: Int
  /// Microseconds since 2000-01-01T00:00:00Z.
  var modified: Int64
}
