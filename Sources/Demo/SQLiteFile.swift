internal import CSQLite

/// Just enough of SQLite to fill a department's database.
final class SQLiteFile {
  struct Failure: Error, CustomStringConvertible {
    var description: String
  }

  private let handle: OpaquePointer

  init(_ path: String) throws {
    var opened: OpaquePointer?
    guard sqlite3_open(path, &opened) == SQLITE_OK, let opened else {
      throw Failure(description: "cannot open \(path)")
    }
    handle = opened
    sqlite3_busy_timeout(handle, 10_000)
  }

  deinit { sqlite3_close_v2(handle) }

  func execute(_ sql: String) throws {
    guard sqlite3_exec(handle, sql, nil, nil, nil) == SQLITE_OK else {
      throw Failure(description: String(cString: sqlite3_errmsg(handle)))
    }
  }

  func prepare(_ sql: String) throws -> Prepared {
    var statement: OpaquePointer?
    guard sqlite3_prepare_v2(handle, sql, -1, &statement, nil) == SQLITE_OK, let statement else {
      throw Failure(description: String(cString: sqlite3_errmsg(handle)))
    }
    return Prepared(statement: statement, file: self)
  }

  final class Prepared {
    private let statement: OpaquePointer
    private let file: SQLiteFile

    init(statement: OpaquePointer, file: SQLiteFile) {
      self.statement = statement
      self.file = file
    }

    deinit { sqlite3_finalize(statement) }

    /// Texts, or NULL, bound in order.
    func run(_ values: [String?]) throws {
      let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
      for (index, value) in values.enumerated() {
        if let value {
          sqlite3_bind_text(statement, Int32(index + 1), value, -1, transient)
        } else {
          sqlite3_bind_null(statement, Int32(index + 1))
        }
      }
      defer { sqlite3_reset(statement) }
      guard sqlite3_step(statement) == SQLITE_DONE else {
        throw Failure(description: String(cString: sqlite3_errmsg(file.handle)))
      }
    }
  }
}
