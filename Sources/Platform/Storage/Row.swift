package import Kernel

/// One row of an answer. Columns are found by name; a missing column or a value of another kind is a programming
/// error, reported as `StorageError.decoding` with the column's name and never the value.
package struct Row: Sendable {
  /// Shared by all rows of an answer.
  package final class Shape: Sendable {
    package let names: [String]

    package init(_ names: [String]) { self.names = names }

    /// A walk along a few short names costs less than hashing one.
    func position(of name: String) -> Int? { names.firstIndex(of: name) }
  }

  package let shape: Shape
  package let values: [SQLValue]

  package init(shape: Shape, values: [SQLValue]) {
    self.shape = shape
    self.values = values
  }

  package func value(_ column: String) throws -> SQLValue {
    guard let position = shape.position(of: column) else {
      throw StorageError.decoding(column: column, wanted: "a column")
    }
    return values[position]
  }

  package func text(_ column: String) throws -> String { try textOrNil(column).orThrow(column, "text") }
  package func textOrNil(_ column: String) throws -> String? { try Self.text(try value(column), column) }
  private static func text(_ value: SQLValue, _ column: String) throws -> String? {
    switch value {
    case .null: nil
    case .text(let text): text
    default: throw StorageError.decoding(column: column, wanted: "text")
    }
  }

  package func int(_ column: String) throws -> Int { try intOrNil(column).orThrow(column, "an integer") }
  package func intOrNil(_ column: String) throws -> Int? { try Self.int(try value(column), column) }
  private static func int(_ value: SQLValue, _ column: String) throws -> Int? {
    switch value {
    case .null: nil
    case .integer(let number): Int(number)
    default: throw StorageError.decoding(column: column, wanted: "an integer")
    }
  }

  package func double(_ column: String) throws -> Double { try doubleOrNil(column).orThrow(column, "a number") }
  package func doubleOrNil(_ column: String) throws -> Double? {
    switch try value(column) {
    case .null: nil
    case .real(let number): number
    case .integer(let number): Double(number)
    default: throw StorageError.decoding(column: column, wanted: "a number")
    }
  }

  package func bool(_ column: String) throws -> Bool { try int(column) != 0 }
  package func boolOrNil(_ column: String) throws -> Bool? { try intOrNil(column).map { $0 != 0 } }

  package func blob(_ column: String) throws -> [UInt8] { try blobOrNil(column).orThrow(column, "bytes") }
  package func blobOrNil(_ column: String) throws -> [UInt8]? {
    switch try value(column) {
    case .null: nil
    case .blob(let bytes): bytes
    default: throw StorageError.decoding(column: column, wanted: "bytes")
    }
  }

  package func instant(_ column: String) throws -> Instant { try instantOrNil(column).orThrow(column, "a time") }
  package func instantOrNil(_ column: String) throws -> Instant? {
    guard let text = try textOrNil(column) else { return nil }
    return try Instant(text).orThrow(column, "a time")
  }

  package func date(_ column: String) throws -> CalendarDate { try dateOrNil(column).orThrow(column, "a date") }
  package func dateOrNil(_ column: String) throws -> CalendarDate? {
    guard let text = try textOrNil(column) else { return nil }
    return try CalendarDate(text).orThrow(column, "a date")
  }

  package func id<T>(_ column: String) throws -> ID<T> { ID(trusted: try text(column)) }
  package func idOrNil<T>(_ column: String) throws -> ID<T>? { try textOrNil(column).map(ID.init(trusted:)) }

  /// A raw-valued enum kept as text; a value it does not know is a decoding error.
  package func choice<E: RawRepresentable>(_ column: String, _ type: E.Type = E.self) throws -> E
  where E.RawValue == String {
    try E(rawValue: text(column)).orThrow(column, "\(E.self)")
  }

  package func intOrNil(at position: Int) throws -> Int? { try Self.int(values[position], shape.names[position]) }
  package func textOrNil(at position: Int) throws -> String? { try Self.text(values[position], shape.names[position]) }
}

extension Optional {
  fileprivate func orThrow(_ column: String, _ wanted: String) throws -> Wrapped {
    guard let value = self else { throw StorageError.decoding(column: column, wanted: wanted) }
    return value
  }
}
