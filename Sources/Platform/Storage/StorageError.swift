/// What can go wrong between us and our own database.
///
/// The description names the operation and the constraint, never a value: values are other people's data.
package struct StorageError: Error, Sendable {
  package enum Code: String, Sendable {
    /// A UNIQUE or PRIMARY KEY constraint. Prefer `ON CONFLICT` for insert-if-absent.
    case unique
    /// A FOREIGN KEY constraint.
    case foreignKey
    /// A CHECK or NOT NULL constraint, or a trigger that refuses.
    case check
    /// Still in conflict after all retries.
    case conflict
    /// The server or the file cannot be reached, or the connection broke. The transaction is undone, but when it broke
    /// during the commit: then `mayHold` says that nobody knows.
    case unavailable
    /// No space on the disk. Nothing was written.
    case diskFull
    /// The statement is wrong: a defect of ours.
    case statement
    /// A row did not have what the code expected: a defect of ours.
    case decoding
    /// A migration that was shipped has changed, or the database is newer than this program.
    case migration
    /// Waited too long for a connection or for another writer.
    case timeout
  }

  package var code: Code
  /// For the log; safe to show to an operator.
  package var message: String
  /// The connection broke during the commit: nobody knows whether the transaction holds. Otherwise it is undone.
  package var mayHold = false

  package init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  static func decoding(column: String, wanted: String) -> StorageError {
    StorageError(.decoding, "column \(column): expected \(wanted)")
  }
}

extension StorageError: CustomStringConvertible {
  package var description: String { "storage: \(code.rawValue): \(message)" }
}
