package import Kernel

/// A value as both engines keep it.
package enum SQLValue: Hashable, Sendable {
  case null
  case integer(Int64)
  case real(Double)
  case text(String)
  case blob([UInt8])
}

extension SQLValue {
  /// SQLite would cut a text at NUL and turn NaN into NULL; PostgreSQL refuses the first and keeps the second.
  fileprivate func check() throws(StorageError) {
    switch self {
    case .text(let text):
      // In the bytes as they lie: every text passes here.
      let holdsNUL = text.utf8.withContiguousStorageIfAvailable { $0.contains(0) } ?? text.utf8.contains(0)
      if holdsNUL { throw StorageError(.statement, "a text with a NUL character cannot be stored") }
    case .real(let number):
      if number.isNaN { throw StorageError(.statement, "a number that is not a number cannot be stored") }
    case .null, .integer, .blob: break
    }
  }
}

/// Anything that can stand in an interpolation of `SQL`.
package protocol SQLBindable {
  var sqlValue: SQLValue { get }
}

extension SQLValue: SQLBindable { package var sqlValue: SQLValue { self } }
extension String: SQLBindable { package var sqlValue: SQLValue { .text(self) } }
extension Int: SQLBindable { package var sqlValue: SQLValue { .integer(Int64(self)) } }
extension Int64: SQLBindable { package var sqlValue: SQLValue { .integer(self) } }
extension Double: SQLBindable { package var sqlValue: SQLValue { .real(self) } }
extension Bool: SQLBindable { package var sqlValue: SQLValue { .integer(self ? 1 : 0) } }
extension [UInt8]: SQLBindable { package var sqlValue: SQLValue { .blob(self) } }
extension Instant: SQLBindable { package var sqlValue: SQLValue { .text(description) } }
extension CalendarDate: SQLBindable { package var sqlValue: SQLValue { .text(description) } }
extension ID: SQLBindable { package var sqlValue: SQLValue { .text(text) } }

/// A statement with its values kept apart from its text. Interpolated values are bound, never pasted:
/// `"SELECT name FROM identity_person WHERE id = \(id)"`. Interpolating another `SQL` splices it.
///
/// Write the common subset of SQLite 3.39 and PostgreSQL 14. Booleans are stored as `BOOLEAN` and compared as
/// `column = TRUE`, or bound: a bound `Bool` fits a BOOLEAN column on both engines. `LIKE` minds the case on both; give
/// it an `ESCAPE`, whose default differs. Say `NULLS FIRST` or `LAST` where a sorted column may be NULL. Refused as
/// values on both: a text with a NUL character, and NaN.
package struct SQL: Sendable, ExpressibleByStringInterpolation {
  package enum Part: Sendable {
    case text(String)
    case value(SQLValue)
  }

  package var parts: [Part]

  package init(stringLiteral value: String) { parts = [.text(value)] }
  package init(stringInterpolation: StringInterpolation) { parts = stringInterpolation.parts }
  package init(parts: [Part]) { self.parts = parts }

  package struct StringInterpolation: StringInterpolationProtocol {
    var parts: [Part] = []

    package init(literalCapacity: Int, interpolationCount: Int) { parts.reserveCapacity(interpolationCount * 2 + 1) }
    package mutating func appendLiteral(_ literal: String) { if !literal.isEmpty { parts.append(.text(literal)) } }
    package mutating func appendInterpolation(_ value: some SQLBindable) { parts.append(.value(value.sqlValue)) }
    package mutating func appendInterpolation(_ value: (some SQLBindable)?) {
      parts.append(.value(value?.sqlValue ?? .null))
    }
    package mutating func appendInterpolation<R: RawRepresentable>(_ value: R) where R.RawValue: SQLBindable {
      parts.append(.value(value.rawValue.sqlValue))
    }
    package mutating func appendInterpolation<R: RawRepresentable>(_ value: R?) where R.RawValue: SQLBindable {
      parts.append(.value(value?.rawValue.sqlValue ?? .null))
    }
    package mutating func appendInterpolation(_ fragment: SQL) { parts.append(contentsOf: fragment.parts) }
    /// `(\(each: ids))` for an IN list; an empty list becomes `NULL`, which nothing equals. The last value is repeated
    /// up to a power of two, so that lists of all lengths make a few statements to keep prepared and not hundreds.
    package mutating func appendInterpolation(each values: some Collection<some SQLBindable>) {
      guard !values.isEmpty else { return parts.append(.text("NULL")) }
      var last = SQLValue.null
      for (index, value) in values.enumerated() {
        if index > 0 { parts.append(.text(", ")) }
        last = value.sqlValue
        parts.append(.value(last))
      }
      var count = values.count
      while count & (count - 1) != 0 {
        parts.append(.text(", "))
        parts.append(.value(last))
        count += 1
      }
    }
  }

  package static func + (a: SQL, b: SQL) -> SQL { SQL(parts: a.parts + b.parts) }
  package static func += (a: inout SQL, b: SQL) { a.parts.append(contentsOf: b.parts) }

  /// Conditions joined by AND; `TRUE` when there are none.
  package static func all(_ conditions: [SQL]) -> SQL {
    guard var joined = conditions.first.map({ "(" + $0 + ")" }) else { return "TRUE" }
    for condition in conditions.dropFirst() { joined += " AND (" + condition + ")" }
    return joined
  }

  /// Conditions joined by OR; `FALSE` when there are none.
  package static func any(_ conditions: [SQL]) -> SQL {
    guard var joined = conditions.first.map({ "(" + $0 + ")" }) else { return "FALSE" }
    for condition in conditions.dropFirst() { joined += " OR (" + condition + ")" }
    return joined
  }

  /// The text with each value's place marked by `placeholder(n)`, n from 1, and the values in that order. Throws
  /// `.statement` for a value that one of the engines could not keep as it is.
  package func rendered(_ placeholder: (Int) -> String) throws(StorageError) -> (text: String, values: [SQLValue]) {
    if parts.count == 1, case .text(let literal) = parts[0] { return (literal, []) }
    var text = ""
    var values: [SQLValue] = []
    values.reserveCapacity(parts.count / 2 + 1)
    text.reserveCapacity(parts.count * 24)
    for part in parts {
      switch part {
      case .text(let literal): text += literal
      case .value(let value):
        try value.check()
        values.append(value)
        text += placeholder(values.count)
      }
    }
    return (text, values)
  }
}
