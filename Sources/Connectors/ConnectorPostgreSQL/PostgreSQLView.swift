import Connecting
import Kernel

/// A REPEATABLE READ transaction whose snapshot others take over (`pg_export_snapshot`), kept open for them.
final class PostgreSQLView: SourceView {
  let name: String
  private struct Held: @unchecked Sendable {
    var connection: PostgreSQLConnection?
  }
  /// Used by one thread at a time.
  private let held: Monitor<Held>

  /// Nil where the server gives none: what only speaks its protocol may not.
  static func open(_ address: PostgreSQLAddress) throws(ConnectorError) -> PostgreSQLView? {
    let connection = try PostgreSQLConnection(address)
    do {
      try connection.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
      guard let name = try connection.run("SELECT pg_export_snapshot()")[0][0], isName(name) else { return nil }
      return PostgreSQLView(name, connection)
    } catch  where ["42883", "0A000", "55000", "42501"].contains(error.code.dropFirst("postgresql.".count)) {
      return nil
    }
  }

  private init(_ name: String, _ connection: PostgreSQLConnection) {
    self.name = name
    held = Monitor(Held(connection: connection))
  }

  private static func isName(_ name: String) -> Bool {
    (1...200).contains(name.utf8.count)
      && name.utf8.allSatisfy { ($0 | 0x20) >= 0x61 && ($0 | 0x20) <= 0x7A || $0 >= 0x30 && $0 <= 0x39 || $0 == 0x2D }
  }

  func check() throws(ConnectorError) {
    let result = held.change { held -> Result<Void, ConnectorError> in
      guard let connection = held.connection else { return .failure(.viewLost) }
      do throws(ConnectorError) {
        try connection.run("SELECT 1")
        return .success(())
      } catch { return .failure(error) }
    }
    try result.get()
  }

  func close() {
    held.change { held in
      held.connection?.close()
      held.connection = nil
    }
  }

  /// In a transaction that has done nothing yet: its reader sees the source as `name` does.
  static func enter(_ name: String, _ connection: PostgreSQLConnection) throws(ConnectorError) {
    guard isName(name) else { throw .viewLost }
    do throws(ConnectorError) {
      try connection.run("SET TRANSACTION SNAPSHOT '\(name)'")
    } catch  where ["22023", "42704", "55000"].contains(error.code.dropFirst("postgresql.".count)) {
      // The one that kept it is gone, and with it what names it.
      throw .viewLost
    }
  }
}
