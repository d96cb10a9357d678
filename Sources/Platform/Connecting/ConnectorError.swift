package import Kernel

/// What went wrong with another's database, without any value of its rows.
///
/// The class decides what happens next: `retryable` is tried again with backoff, the others stop the run and tell a
/// person. `code` is stable (`postgresql.08006`, `sqlite.full`, `contract.column-missing`).
package struct ConnectorError: Error, Hashable, Sendable {
  package enum Kind: String, Sendable {
    /// The connection broke, the server restarts, the disk is full, a lock was not free: later it may work.
    case retryable
    /// Wrong password, no right, no such table: someone must change something first.
    case permanent
    /// The table is not what was agreed (column gone, other type, other key): the provider and the catalogue must meet.
    case contract
    /// The source as a whole cannot be read as what it says it is (an unknown encoding, a torn file).
    case data
    /// Another, newer run owns this target: stop at once.
    case fenced
  }

  package var kind: Kind
  package var code: String
  package var message: Text

  package init(_ kind: Kind, _ code: String, _ message: Text) {
    self.kind = kind
    self.code = code
    self.message = message
  }

  package static func contract(_ code: String, _ chinese: String, _ english: String) -> ConnectorError {
    ConnectorError(.contract, "contract.\(code)", Text(chinese, english))
  }
}

extension ConnectorError {
  /// A writer was given what the agreed type does not have. Nothing of it is written.
  package static func outsideOfContract(_ type: ValueType) -> ConnectorError {
    ConnectorError(
      .data, "value.outside-of-contract",
      Text(
        "有一个值超出约定的类型（\(type)）所能表示的范围，接收方没有写入；这样的行本应先被隔离，请联系平台管理员。",
        "A value lies outside of what the agreed type (\(type)) can say and was not written. Its row should have been set apart before: tell the platform's administrator."
      ))
  }

  /// As it is answered to a person: its words are for people and hold no values.
  package var refusal: Refusal { Refusal(kind == .retryable ? .unavailable : .conflict, code, message) }
}

extension ConnectorError: CustomStringConvertible {
  package var description: String { "\(kind.rawValue) \(code): \(message.english)" }
}
