internal import Foundation
internal import GRDB
internal import Storage

/// A GRDB connection inside a transaction, seen through `Storage`.
final class SQLiteTransaction: Storage.Transaction {
  let engine = Engine.sqlite
  private let database: GRDB.Database
  /// Of a read; a write has none.
  private let limit: ReadLimits.Limit?
  /// The first statement that failed dooms the transaction, as it does on PostgreSQL.
  private var failure: StorageError?
  private(set) var ranScript = false
  /// Texts of statements whose rows are being walked: the cache's one copy of each is taken.
  private var walking: Set<String> = []

  init(_ database: GRDB.Database, limit: ReadLimits.Limit? = nil) {
    self.database = database
    self.limit = limit
  }

  func throwIfDoomed() throws { if let failure { throw failure } }

  func rows(_ sql: Storage.SQL) throws -> [Storage.Row] {
    var rows: [Storage.Row] = []
    try walk(sql) { row in
      rows.append(row)
      return true
    }
    return rows
  }

  func forEach(_ sql: Storage.SQL, _ body: (Storage.Row) throws -> Bool) throws { try walk(sql, body) }

  func run(_ sql: Storage.SQL) throws -> Int {
    let (text, values) = try translated { try sql.rendered { _ in "?" } }
    return try translated {
      let before = database.totalChangesCount
      try prepared(text).execute(arguments: StatementArguments(values.map(\.databaseValue)))
      // What the last change changed says nothing about a statement that changed nothing.
      return database.totalChangesCount == before ? 0 : database.changesCount
    }
  }

  func script(_ text: String) throws {
    ranScript = true
    try translated { try database.execute(sql: text) }
  }

  private func walk(_ sql: Storage.SQL, _ body: (Storage.Row) throws -> Bool) throws {
    let (text, values) = try translated { try sql.rendered { _ in "?" } }
    let statement = try translated { () throws -> Statement in try prepared(text) }
    let cursor = try translated { () throws -> RowCursor in
      try GRDB.Row.fetchCursor(statement, arguments: StatementArguments(values.map(\.databaseValue)))
    }
    let shape = Storage.Row.Shape(statement.columnNames)
    let isFirst = walking.insert(text).inserted
    defer { if isFirst { walking.remove(text) } }
    while let row: GRDB.Row = try translated({ () throws -> GRDB.Row? in try cursor.next() }) {
      let values = (0..<shape.names.count).map { SQLValue(row[$0] as DatabaseValue) }
      guard try body(Storage.Row(shape: shape, values: values)) else { return }
      if limit?.check() ?? false { try translated { throw DatabaseError(resultCode: .SQLITE_INTERRUPT) } }
    }
  }

  private func prepared(_ text: String) throws -> Statement {
    try walking.contains(text) ? database.makeStatement(sql: text) : database.cachedStatement(sql: text)
  }

  private func translated<T>(_ body: () throws -> T) throws -> T {
    try throwIfDoomed()
    do {
      return try body()
    } catch {
      if error is CancellationError { throw error }
      var translation = StorageError(translating: error)
      if limit != nil {
        if limit?.isReached ?? false {
          translation = StorageError(.timeout, "the read took longer than it may")
        } else if (error as? DatabaseError)?.resultCode == .SQLITE_READONLY {
          translation.code = .statement
        } else if (error as? DatabaseError)?.resultCode == .SQLITE_INTERRUPT {
          throw CancellationError()
        }
      }
      failure = translation
      throw translation
    }
  }
}

extension SQLValue {
  fileprivate init(_ value: DatabaseValue) {
    self =
      switch value.storage {
      case .null: .null
      case .int64(let number): .integer(number)
      case .double(let number): .real(number)
      case .string(let text): .text(text)
      case .blob(let data): .blob([UInt8](data))
      }
  }

  fileprivate var databaseValue: DatabaseValue {
    switch self {
    case .null: .null
    case .integer(let number): number.databaseValue
    case .real(let number): number.databaseValue
    case .text(let text): text.databaseValue
    case .blob(let bytes): Data(bytes).databaseValue
    }
  }
}

extension StorageError {
  init(translating error: any Error) {
    guard let error = error as? GRDB.DatabaseError else {
      self = (error as? StorageError) ?? StorageError(.unavailable, "\(type(of: error))")
      return
    }
    let code: Code =
      switch error.extendedResultCode {
      case .SQLITE_CONSTRAINT_UNIQUE, .SQLITE_CONSTRAINT_PRIMARYKEY: .unique
      case .SQLITE_CONSTRAINT_FOREIGNKEY: .foreignKey
      default:
        switch error.resultCode {
        case .SQLITE_CONSTRAINT: .check
        case .SQLITE_FULL: .diskFull
        case .SQLITE_BUSY, .SQLITE_LOCKED: .timeout
        case .SQLITE_CANTOPEN, .SQLITE_IOERR, .SQLITE_NOTADB, .SQLITE_CORRUPT, .SQLITE_READONLY, .SQLITE_INTERRUPT,
          .SQLITE_MISUSE, .SQLITE_NOMEM, .SQLITE_PERM, .SQLITE_AUTH:
          .unavailable
        default: .statement
        }
      }
    var message = error.message ?? "SQLite error"
    // These repeat what was searched for or parsed.
    if message.hasPrefix("fts5:") || message.hasPrefix("unterminated") || message.hasPrefix("malformed") {
      message = String(message.prefix { $0 != "\"" && $0 != ":" })
    }
    self.init(code, "\(message) (\(error.extendedResultCode.rawValue))")
  }
}
