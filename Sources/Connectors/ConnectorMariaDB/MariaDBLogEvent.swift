import Connecting
import Kernel

/// One event of the server's log, with nothing of the library's left in it.
struct MariaDBLogEvent: Sendable {
  enum Kind: Sendable {
    /// What follows stands in this file.
    case file(String)
    /// A transaction, or a single statement, begins.
    case begin(MariaDBTransactionHead)
    case statement(database: String, text: String)
    case commit
    /// The transaction is complete and waits for its commit (XA).
    case prepared
    /// Describes the table of the row events that follow.
    case table([UInt8])
    case rows(MariaDBLoggedRows)
    case other
  }

  var kind: Kind
  /// Seconds since 1970, by the server's clock.
  var time: UInt32
  /// Where the event ends in its file; 0 for what stands in no file.
  var end: UInt64
  var length: UInt64
  var byteCount: Int
}

struct MariaDBTransactionHead: Sendable {
  var transaction: MariaDBGTID
  /// One statement, and nothing that would end it.
  var isStatement: Bool
  var isPrepared: Bool
  var isCompleted: Bool
  /// Of a transaction prepared or completed: a digest of its own name.
  var name: UInt64
}

struct MariaDBLoggedRows: Sendable {
  enum Change: Sendable { case insert, update, delete }

  var change: Change
  var table: UInt64
  var columnCount: Int
  /// A bit a column: whether the row (before an update) has it, and whether the row after an update has.
  var present: [UInt8]
  var presentAfter: [UInt8]
  var data: [UInt8]
}

extension MariaDBLogEvent {
  static var unreadable: ConnectorError {
    ConnectorError(
      .permanent, "mariadb.change-log", Text("源数据库的变更日志格式无法识别。", "The source's change log cannot be read."))
  }
}
