package import Kernel

/// What a column holds, in the few types every connector can carry without loss.
///
/// A value travels as its *canonical bytes*, which are PostgreSQL's binary COPY field format, so that a value has one
/// spelling only, digests agree on both sides, and PostgreSQL to PostgreSQL needs no conversion:
///
/// | type | bytes |
/// |---|---|
/// | text | UTF-8 without NUL |
/// | integer | 8, two's complement, big-endian |
/// | decimal | `numeric`: digits to the base 10,000, `dscale` always the type's scale; no NaN, no infinity |
/// | double | 8, IEEE 754, big-endian; NaN and infinities are refused, -0 is written as 0 |
/// | boolean | 1: 0 or 1 |
/// | date | 4: days since 2000-01-01; years 0001 to 9999 |
/// | timestamp | 8: microseconds since 2000-01-01T00:00:00Z; years 0001 to 9999 |
/// | bytes | as they are |
package enum ValueType: Hashable, Sendable {
  case text
  case integer
  /// At most 38 digits in all, `scale` of them after the point.
  case decimal(precision: Int, scale: Int)
  case double
  case boolean
  case date
  /// UTC, to the microsecond.
  case timestamp
  case bytes
}

extension ValueType: CustomStringConvertible {
  /// `decimal(18,2)`; `init(_:)` reads it back. Part of a schema's digest, so it never changes.
  package var description: String {
    switch self {
    case .text: "text"
    case .integer: "integer"
    case .decimal(let precision, let scale): "decimal(\(precision),\(scale))"
    case .double: "double"
    case .boolean: "boolean"
    case .date: "date"
    case .timestamp: "timestamp"
    case .bytes: "bytes"
    }
  }

  package init?(_ text: some StringProtocol) {
    switch text {
    case "text": self = .text
    case "integer": self = .integer
    case "double": self = .double
    case "boolean": self = .boolean
    case "date": self = .date
    case "timestamp": self = .timestamp
    case "bytes": self = .bytes
    default:
      guard text.hasPrefix("decimal("), text.hasSuffix(")") else { return nil }
      let numbers = text.dropFirst(8).dropLast().split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
      guard numbers.count == 2, let precision = numbers[0], let scale = numbers[1],
        Self.precisions.contains(precision), (0...precision).contains(scale)
      else { return nil }
      self = .decimal(precision: precision, scale: scale)
    }
  }

  package static let precisions = 1...38

  /// The type's name for people.
  package var title: Text {
    switch self {
    case .text: Text("文本", "text")
    case .integer: Text("整数", "integer")
    case .decimal: Text("小数", "decimal")
    case .double: Text("浮点数", "floating point")
    case .boolean: Text("布尔", "boolean")
    case .date: Text("日期", "date")
    case .timestamp: Text("日期时间", "date and time")
    case .bytes: Text("二进制", "bytes")
    }
  }
}
