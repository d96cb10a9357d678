import CLibPQ
import Foundation
import Storage

/// One libpq connection. Used by one thread.
final class PostgresConnection {
  private let handle: OpaquePointer
  /// What was asked here, by text.
  private var prepared: [String: Prepared] = [:]
  private var cursors = 0
  private var isReading = false
  private(set) var isBroken = false

  private struct Prepared {
    /// Nil of one that is planned anew each time.
    var name: String?
    /// Known once it has answered: the first answer comes as text and says the types.
    var isBinary = false
  }

  init(_ address: PostgresAddress) throws {
    guard let handle = address.connect() else { throw StorageError(.unavailable, "libpq gave no connection") }
    self.handle = handle
    try settle()
  }

  deinit { PQfinish(handle) }

  /// Sets up the session of a fresh connection.
  private func settle() throws {
    guard PQstatus(handle) == CONNECTION_OK else {
      // libpq quotes a setting that it finds wrong, and a mangled address can put a password there.
      let reason = Self.firstLine(PQerrorMessage(handle))
      let isSafe = reason.hasPrefix("connection to server") || reason.hasPrefix("could not")
      throw StorageError(.unavailable, isSafe ? reason : "a setting in the database's address is wrong")
    }
    prepared.removeAll()
    isBroken = false
    PQsetNoticeProcessor(handle, { _, _ in }, nil)
    // An administrator's stronger synchronous_commit (remote_apply) stays; `off` would break what `write` promises.
    try script(
      """
      SET TIME ZONE 'UTC'; SET datestyle = 'ISO'; SET bytea_output = 'hex'; SET standard_conforming_strings = on;
      SET lock_timeout = '30s'; SET idle_in_transaction_session_timeout = '120s'; SET cursor_tuple_fraction = 1;
      SET jit = off; SELECT set_config('synchronous_commit', 'on', false)
        WHERE current_setting('synchronous_commit') IN ('off', 'local')
      """)
  }

  func transaction<T>(
    _ begin: String, isReading: Bool = false, _ body: (any Storage.Transaction) throws -> T
  ) throws -> T {
    self.isReading = isReading
    do { try script(begin) } catch {
      // A connection that went stale while idle: nothing was begun, so a new one may begin it.
      guard isBroken else {
        try? script("ROLLBACK")
        throw error
      }
      PQreset(handle)
      try settle()
      try script(begin)
    }
    let transaction = PostgresTransaction(self)
    do {
      let value = try body(transaction)
      try transaction.throwIfDoomed()
      try commit()
      return value
    } catch {
      if PQstatus(handle) != CONNECTION_OK {
        isBroken = true
      } else if PQtransactionStatus(handle) != PQTRANS_IDLE {
        do { try script("ROLLBACK") } catch { isBroken = true }
      }
      // What the closure made of a conflict does not matter: the conflict is what happened.
      if transaction.failure?.code == .conflict { try transaction.throwIfDoomed() }
      throw error
    }
  }

  private func commit() throws {
    do { try script("COMMIT") } catch let error as StorageError where isBroken {
      var unsure = StorageError(
        .unavailable,
        "the connection broke during the commit, and it is not known whether the transaction holds (\(error.message))")
      unsure.mayHold = true
      throw unsure
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
    // A SELECT's count is of rows found, not changed.
    guard !String(cString: PQcmdStatus(result)).hasPrefix("SELECT") else { return 0 }
    return Int(String(cString: PQcmdTuples(result))) ?? 0
  }

  /// Sends statements without waiting for the answers of those before, in libpq's pipeline mode: while the server works on
  /// one, the next is made. Answers how many rows all of them changed.
  func run(all statements: some Sequence<SQL>) throws -> Int {
    var (changed, waiting) = (0, 0)
    var left = statements.makeIterator()
    guard let first = left.next() else { return 0 }
    guard let second = left.next() else { return try run(first) }
    do {
      var known = [second, first]
      while let sql = known.popLast() ?? left.next() {
        let (text, values) = try sql.rendered { "$\($0)" }
        // To prepare one is to wait for it; and answers that nobody takes must not fill the connection.
        if waiting == Self.mostWaiting || prepared[text] == nil { changed += try answers(&waiting) }
        let statement = try prepare(text, values: values.count)
        if waiting == 0, PQenterPipelineMode(handle) != 1 { throw failure(nil) }
        waiting += 1
        let isSent = try withParameters(values) { pointers, lengths, formats in
          if let name = statement.name {
            PQsendQueryPrepared(handle, name, Int32(values.count), pointers, lengths, formats, 0)
          } else {
            PQsendQueryParams(handle, text, Int32(values.count), nil, pointers, lengths, formats, 0)
          }
        }
        guard isSent == 1 else { throw failure(nil) }
      }
      return changed + (try answers(&waiting))
    } catch {
      // Out of the pipeline, or nothing could be asked any more, not even to roll back.
      if waiting > 0 { _ = try? answers(&waiting) }
      throw error
    }
  }

  /// So many are sent before their answers are taken.
  private static let mostWaiting = 64

  /// Waits for what was sent, leaves the pipeline and says how many rows were changed; throws the first failure.
  private func answers(_ waiting: inout Int) throws -> Int {
    guard waiting > 0 else { return 0 }
    waiting = 0
    var changed = 0
    var first: StorageError?
    if PQpipelineSync(handle) == 1 {
      // Each statement's answer ends with a NULL; the mark behind the last ends the pipeline.
      var isAtEnd = false
      while !isAtEnd, PQstatus(handle) == CONNECTION_OK {
        guard let result = PQgetResult(handle) else { continue }
        defer { PQclear(result) }
        switch PQresultStatus(result) {
        case PGRES_PIPELINE_SYNC: isAtEnd = true
        case PGRES_PIPELINE_ABORTED: break
        default:
          do { try check(result) } catch { first = first ?? error as? StorageError }
          changed += Int(String(cString: PQcmdTuples(result))) ?? 0
        }
      }
    }
    guard PQexitPipelineMode(handle) == 1, PQstatus(handle) == CONNECTION_OK else {
      isBroken = true
      throw first ?? failure(nil)
    }
    if let first { throw first }
    return changed
  }

  /// Through a cursor, some rows at a time: memory stays bounded and other statements may run in between.
  func forEach(_ sql: SQL, _ body: (Row) throws -> Bool) throws {
    cursors += 1
    let name = "walk\(cursors)"
    let (text, values) = try sql.rendered { "$\($0)" }
    let declared = try withParameters(values) { pointers, lengths, formats in
      PQexecParams(
        handle, "DECLARE \(name) NO SCROLL CURSOR FOR \(text)", Int32(values.count), nil, pointers, lengths, formats, 0)
    }
    defer { PQclear(declared) }
    try check(declared)
    var isWanted = true
    var isBinary = false
    while isWanted {
      let result = PQexecParams(
        handle, "FETCH \(Self.fetched) FROM \(name)", 0, nil, nil, nil, nil, isBinary ? 1 : 0)
      defer { PQclear(result) }
      try check(result)
      isBinary = ResultReader.canBeBinary(result)
      let reader = ResultReader(result)
      let count = Int(PQntuples(result))
      for index in 0..<count where isWanted { isWanted = try body(reader.row(index)) }
      if count < Self.fetched { isWanted = false }
    }
    try script("CLOSE \(name)")
  }

  /// Rows held at a time by `forEach`.
  private static let fetched = 500

  private func execute(_ sql: SQL) throws -> OpaquePointer? {
    let (text, values) = try sql.rendered { "$\($0)" }
    let statement = try prepare(text, values: values.count)
    let (count, answer) = (Int32(values.count), Int32(statement.isBinary ? 1 : 0))
    let result = try withParameters(values) { pointers, lengths, formats in
      if let name = statement.name {
        PQexecPrepared(handle, name, count, pointers, lengths, formats, answer)
      } else {
        PQexecParams(handle, text, count, nil, pointers, lengths, formats, answer)
      }
    }
    do { try check(result) } catch {
      PQclear(result)
      throw error
    }
    if !statement.isBinary, ResultReader.canBeBinary(result) { prepared[text]?.isBinary = true }
    return result
  }

  private static let mostPrepared = 500

  private func prepare(_ text: String, values: Int) throws -> Prepared {
    if let known = prepared[text] { return known }
    if prepared.count >= Self.mostPrepared {
      try script("DEALLOCATE ALL")
      prepared.removeAll()
    }
    // A plan for any values compares each row with the values of a list one after the other; one made for these hashes
    // them, or looks each up. With more than some tens of values that is worth planning each time, except where rows are given.
    guard values <= 64 || text.hasPrefix("INSERT") else {
      let statement = Prepared()
      prepared[text] = statement
      return statement
    }
    let name = "s\(prepared.count)"
    let result = PQprepare(handle, name, text, 0, nil)
    defer { PQclear(result) }
    try check(result)
    let statement = Prepared(name: name)
    prepared[text] = statement
    return statement
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
    // The server gives each of its errors a state. One without comes from libpq: the connection is lost, also where libpq
    // has not said so yet.
    if PQstatus(handle) != CONNECTION_OK || state.isEmpty {
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
      // A primary that became a standby: the next connection finds the new one.
      case "25006" where !isReading: .unavailable
      case let state where state.hasPrefix("08"): .unavailable
      case let state where state.hasPrefix("58"): .unavailable
      default: .statement
      }
    if code == .unavailable { isBroken = true }
    // A value may stand in the message of these classes ("invalid input syntax for type bigint: …").
    let isSafe = !state.hasPrefix("22")
    return StorageError(
      code, isSafe ? "\(primary ?? "PostgreSQL error") (\(state))" : "a value does not fit its column (\(state))")
  }

  private static func firstLine(_ message: UnsafePointer<CChar>?) -> String {
    message.map { String(cString: $0) }?.split(separator: "\n").first.map(String.init) ?? "no answer"
  }
}
