import CMariaDB
import Connecting

/// The rows of one statement as they come from the server, none kept.
final class MariaDBRows {
  private let connection: MariaDBConnection
  private var result: UnsafeMutablePointer<MYSQL_RES>?
  private var row: MYSQL_ROW?
  private var lengths: UnsafeMutablePointer<UInt>?

  init(_ sql: String, _ connection: MariaDBConnection) throws(ConnectorError) {
    self.connection = connection
    try connection.send(sql)
    guard let result = mysql_use_result(connection.handle) else { throw connection.error }
    self.result = result
  }

  deinit { close() }

  @inline(__always)
  func next() throws(ConnectorError) -> Bool {
    guard let result else { return false }
    guard let row = mysql_fetch_row(result) else {
      guard mysql_errno(connection.handle) == 0 else { throw connection.error }
      close()
      return false
    }
    self.row = row
    lengths = mysql_fetch_lengths(result)
    return true
  }

  /// Nil for NULL. Good until the next row.
  @inline(__always)
  func bytes(_ column: Int) -> UnsafeRawBufferPointer? {
    guard let row, let lengths, let start = row[column] else { return nil }
    return UnsafeRawBufferPointer(start: start, count: Int(lengths[column]))
  }

  /// With rows left, the connection goes too: to take them all from the server first could take hours.
  func close() {
    guard let result else { return }
    self.result = nil
    if result.pointee.eof == 0, result.pointee.handle != nil {
      connection.close()
      result.pointee.handle = nil
    }
    mysql_free_result(result)
  }
}
