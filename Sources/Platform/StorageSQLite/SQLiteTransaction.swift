internal import Foundation
internal import GRDB
internal import Storage

/// A GRDB connection inside a transaction, seen through `Storage`.
struct SQLiteTransaction: Storage.Transaction {
  let database: GRDB.Database
  let engine = Engine.sqlite

  func rows(_ sql: Storage.SQL) throws -> [Storage.Row] {
    var rows: [Storage.Row] = []
    try forEach(sql) { row in
      rows.append(row)
      return true
    }
    return rows
  }

  func forEach(_ sql: Storage.SQL, _ body: (Storage.Row) throws -> Bool) throws {
    try translated {
      let statement = try prepared(sql)
      let shape = Storage.Row.Shape(statement.columnNames)
      let cursor = try GRDB.Row.fetchCursor(statement)
      while let row = try cursor.next() {
        let values = (0..<shape.names.count).map { SQLValue(row[$0] as DatabaseValue) }
        guard try body(Storage.Row(shape: shape, values: values)) else { return }
      }
    }
  }

  func run(_ sql: Storage.SQL) throws -> Int {
    try translated {
      try prepared(sql).execute()
      return database.changesCount
    }
  }

  func script(_ text: String) throws { try translated { try database.execute(sql: text) } }

  private func prepared(_ sql: Storage.SQL) throws -> Statement {
    let (text, values) = sql.rendered { _ in "?" }
    let statement = try database.cachedStatement(sql: text)
    statement.setUncheckedArguments(StatementArguments(values.map(\.databaseValue)))
    return statement
  }

  private func translated<T>(_ body: () throws -> T) throws -> T {
    do { return try body() } catch let error as GRDB.DatabaseError { throw StorageError(translating: error) }
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
        case .SQLITE_CANTOPEN, .SQLITE_IOERR, .SQLITE_NOTADB, .SQLITE_CORRUPT, .SQLITE_READONLY, .SQLITE_INTERRUPT:
          .unavailable
        default: .statement
        }
      }
    self.init(code, "\(error.message ?? "SQLite error") (\(error.extendedResultCode.rawValue))")
  }
}
