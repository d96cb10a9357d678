import CLibPQ
import Foundation
import Storage

/// One libpq connection. Used by one thread.
final class PostgresConnection {
  private let handle: OpaquePointer
  /// Names of what was prepared here, by text.
  private var prepared: [String: String] = [:]
  private(set) var isBroken = false

  init(_ address: String) throws {
    guard let handle = PQconnectdb(address) else { throw StorageError(.unavailable, "libpq gave no connection") }
    self.handle = handle
    guard PQstatus(handle) == CONNECTION_OK else {
      let reason = Self.firstLine(PQerrorMessage(handle))
      PQfinish(handle)
      throw StorageError(.unavailable, reason)
    }
    PQsetNoticeProcessor(handle, { _, _ in }, nil)
    try script(
      """
      SET application_name = 'sanjiang'; SET TIME ZONE 'UTC'; SET client_encoding = 'UTF8'; SET datestyle = 'ISO';
      SET bytea_output = 'hex'; SET lock_timeout = '30s'; SET idle_in_transaction_session_timeout = '120s'
      """)
  }

  deinit { PQfinish(handle) }

  func transaction<T>(_ begin: String, _ body: (any Storage.Transaction) throws -> T) throws -> T {
    try script(begin)
    do {
      let value = try body(PostgresTransaction(connection: self))
      try script("COMMIT")
      return value
    } catch {
      if PQstatus(handle) != CONNECTION_OK {
        isBroken = true
      } else if PQtransactionStatus(handle) != PQTRANS_IDLE {
        do { try script("ROLLBACK") } catch { isBroken = true }
      }
      throw error
    }
  }

  func script(_ text: String) throws {
    let result = PQexec(handle, text)
    defer { PQclear(result) }
    try check(result)
  }

  func rows(_ sql: SQL) throws -> [Row] {
    let result = try execute(sql)
    defer { PQclear(result) }
    let reader = ResultReader(result)
    return (0..<Int(PQntuples(result))).map { reader.row($0) }
  }

  func run(_ sql: SQL) throws -> Int {
    let result = try execute(sql)
    defer { PQclear(result) }
    return Int(String(cString: PQcmdTuples(result))) ?? 0
  }

  /// Row by row, in libpq's single-row mode; what follows a stop is read and thrown away.
  func forEach(_ sql: SQL, _ body: (Row) throws -> Bool) throws {
    let (text, values) = sql.rendered { "$\($0)" }
    let name = try prepare(text)
    try withParameters(values) { pointers, lengths, formats in
      guard PQsendQueryPrepared(handle, name, Int32(values.count), pointers, lengths, formats, 0) == 1,
        PQsetSingleRowMode(handle) == 1
      else { throw failure(nil) }
    }
    var wanted = true
    var thrown: (any Error)?
    var reader: ResultReader?
    while let result = PQgetResult(handle) {
      defer { PQclear(result) }
      switch PQresultStatus(result) {
      case PGRES_SINGLE_TUPLE where wanted:
        do {
          let shaped = reader?.of(result) ?? ResultReader(result)
          reader = shaped
          wanted = try body(shaped.row(0))
        } catch {
          thrown = error
          wanted = false
        }
      case PGRES_SINGLE_TUPLE, PGRES_TUPLES_OK, PGRES_COMMAND_OK: break
      default: thrown = thrown ?? failure(result)
      }
    }
    if let thrown { throw thrown }
  }

  private func execute(_ sql: SQL) throws -> OpaquePointer? {
    let (text, values) = sql.rendered { "$\($0)" }
    let name = try prepare(text)
    let result = try withParameters(values) { pointers, lengths, formats in
      PQexecPrepared(handle, name, Int32(values.count), pointers, lengths, formats, 0)
    }
    do { try check(result) } catch {
      PQclear(result)
      throw error
    }
    return result
  }

  private func prepare(_ text: String) throws -> String {
    if let name = prepared[text] { return name }
    if prepared.count >= 400 {
      try script("DEALLOCATE ALL")
      prepared.removeAll()
    }
    let name = "s\(prepared.count)"
    let result = PQprepare(handle, name, text, 0, nil)
    defer { PQclear(result) }
    try check(result)
    prepared[text] = name
    return name
  }

  /// Values in libpq's form: text, but for bytes, which go as they are. All in one buffer that lives through `body`.
  private func withParameters<T>(
    _ values: [SQLValue],
    _ body: (UnsafePointer<UnsafePointer<CChar>?>, UnsafePointer<Int32>, UnsafePointer<Int32>) throws -> T
  ) throws -> T {
    var bytes: [UInt8] = []
    var starts = [Int?](repeating: nil, count: values.count)
    var lengths = [Int32](repeating: 0, count: values.count + 1)
    var formats = [Int32](repeating: 0, count: values.count + 1)
    for (index, value) in values.enumerated() {
      if case .null = value { continue }
      starts[index] = bytes.count
      switch value {
      case .null: break
      case .integer(let number): bytes.append(contentsOf: String(number).utf8)
      case .real(let number): bytes.append(contentsOf: number.description.utf8)
      case .text(let text):
        guard !text.utf8.contains(0) else { throw StorageError(.statement, "a text with NUL cannot be stored") }
        bytes.append(contentsOf: text.utf8)
      case .blob(let blob):
        bytes.append(contentsOf: blob)
        formats[index] = 1
        lengths[index] = Int32(blob.count)
      }
      bytes.append(0)
    }
    bytes.append(0)
    return try bytes.withUnsafeBufferPointer { buffer in
      let base = UnsafeRawPointer(buffer.baseAddress!).assumingMemoryBound(to: CChar.self)
      var pointers: [UnsafePointer<CChar>?] = starts.map { $0.map { base + $0 } }
      pointers.append(nil)
      return try body(&pointers, lengths, formats)
    }
  }

  // MARK: - What went wrong

  private func check(_ result: OpaquePointer?) throws {
    switch PQresultStatus(result) {
    case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY, PGRES_SINGLE_TUPLE: return
    default: throw failure(result)
    }
  }

  private func failure(_ result: OpaquePointer?) -> StorageError {
    let state = result.flatMap { PQresultErrorField($0, 67 /* PG_DIAG_SQLSTATE */) }.map { String(cString: $0) } ?? ""
    // The primary message names tables and constraints; the detail would name values, and is left out.
    let primary = result.flatMap { PQresultErrorField($0, 77 /* PG_DIAG_MESSAGE_PRIMARY */) }.map {
      String(cString: $0)
    }
    if PQstatus(handle) != CONNECTION_OK {
      isBroken = true
      return StorageError(.unavailable, primary ?? Self.firstLine(PQerrorMessage(handle)))
    }
    let code: StorageError.Code =
      switch state {
      case "40001", "40P01": .conflict
      case "23505": .unique
      case "23503": .foreignKey
      case "23502", "23514", "P0001": .check
      case "53100": .diskFull
      case "55P03", "57014": .timeout
      case "57P01", "57P02", "57P03", "53300": .unavailable
      case let state where state.hasPrefix("08"): .unavailable
      case let state where state.hasPrefix("58"): .unavailable
      default: .statement
      }
    // A value may stand in the message of these classes ("invalid input syntax for type bigint: …").
    let isSafe = !state.hasPrefix("22")
    return StorageError(
      code, isSafe ? "\(primary ?? "PostgreSQL error") (\(state))" : "a value does not fit its column (\(state))")
  }

  private static func firstLine(_ message: UnsafePointer<CChar>?) -> String {
    message.map { String(cString: $0) }?.split(separator: "\n").first.map(String.init) ?? "no answer"
  }
}

/// A connection inside a transaction, seen through `Storage`.
struct PostgresTransaction: Storage.Transaction {
  let connection: PostgresConnection
  let engine = Engine.postgres

  func rows(_ sql: SQL) throws -> [Row] { try connection.rows(sql) }
  func forEach(_ sql: SQL, _ body: (Row) throws -> Bool) throws { try connection.forEach(sql, body) }
  func run(_ sql: SQL) throws -> Int { try connection.run(sql) }
  func script(_ text: String) throws { try connection.script(text) }
}
