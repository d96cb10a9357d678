import Connecting
import Foundation
import Kernel
import Synchronization
import TestKit
import Testing

@testable import ConnectorMariaDB
@testable import ConnectorPostgreSQL
@testable import ConnectorSQLite
@testable import Transfer

/// The databases every connector test runs on.
enum Product: String, CaseIterable, CustomTestStringConvertible {
  case postgresql, sqlite, mariadb
  var testDescription: String { rawValue }
}

/// From and to.
struct Way: CustomTestStringConvertible, Sendable {
  var from: Product
  var to: Product
  var testDescription: String { "\(from) → \(to)" }

  static let all = Product.allCases.flatMap { from in Product.allCases.map { Way(from: from, to: $0) } }
}

/// One database of a department's, with SQL by hand.
final class Stand: @unchecked Sendable {
  let product: Product
  let connector: any Connector
  private let postgres: PostgreSQLAddress?
  private let maria: MariaDBAddress?
  private let file: String?

  /// `followed`: on a server whose changes can be followed.
  init(_ product: Product, followed: Bool = false) throws {
    self.product = product
    switch product {
    case .postgresql:
      let server = try PostgresServer.shared.get()
      let address = PostgreSQLAddress(address: server.address(of: try server.makeDatabase()))
      (postgres, maria, file) = (address, nil, nil)
      connector = PostgreSQLConnector(address)
    case .sqlite:
      let path = NSTemporaryDirectory() + "sanjiang-\(UUID().uuidString).db"
      (postgres, maria, file) = (nil, nil, path)
      connector = SQLiteConnector(path: path)
    case .mariadb:
      let server = try (followed ? MariaDBServer.logging : MariaDBServer.shared).get()
      // Times are written in UTC here, as in the other two.
      let address = MariaDBAddress(
        host: "", database: try server.makeDatabase(), user: "root", zone: 0, socket: server.socket)
      (postgres, maria, file) = (nil, address, nil)
      connector = MariaDBConnector(address)
    }
  }

  deinit {
    guard let file else { return }
    for suffix in ["", "-wal", "-shm", "-journal"] { try? FileManager.default.removeItem(atPath: file + suffix) }
  }

  /// For a process of its own.
  var place: String { postgres?.address ?? maria.map { "\($0.socket ?? "")|\($0.database)" } ?? file ?? "" }

  func run(_ sql: String) throws {
    if let postgres {
      try PostgreSQLConnection(postgres).run("SET search_path = public; " + sql)
    } else if let maria {
      let connection = try MariaDBConnection(maria)
      // The connector sends one statement at a time.
      for statement in sql.replacing("+00'", with: "'").split(separator: ";")
      where statement.contains(where: { !$0.isWhitespace }) {
        try connection.run(String(statement))
      }
    } else if let file {
      try SQLiteConnection(file, writes: true).run(sql)
    }
  }

  func rows(_ sql: String) throws -> [[String?]] {
    if let postgres {
      let connection = try PostgreSQLConnection(postgres)
      try connection.run("SET search_path = public")
      return try connection.run(sql)
    }
    if let maria { return try MariaDBConnection(maria).run(sql) }
    return try SQLiteConnection(file ?? "", writes: true).rows(sql)
  }

  func value(_ sql: String) throws -> String? { try rows(sql)[0][0] }

  /// The type's name here.
  func type(_ type: ValueType, _ length: Int? = nil) -> String {
    let column = WritePlan.Column("x", type, length: length)
    return switch product {
    case .postgresql: PostgreSQLTarget.type(column)
    case .sqlite: SQLiteWriter.type(column)
    case .mariadb: MariaDBTargetTypes.type(column)
    }
  }

  /// A source table of persons: id, name, capital, born, changed (the cursor), secret (never granted).
  func makePersons(key: String = "PRIMARY KEY") throws {
    try run(
      """
      CREATE TABLE person (id \(type(.integer)) \(key), name \(type(.text)), capital \(type(.decimal(precision: 18, scale: 2))),
        born \(type(.date)), changed \(type(.timestamp)), secret \(type(.text)) DEFAULT 'do not deliver')
      """)
  }

  /// `(1, '张三', …)` …, in one statement a thousand rows.
  func insert(_ rows: [Person]) throws {
    for start in stride(from: 0, to: rows.count, by: 1000) {
      let values = rows[start..<min(start + 1000, rows.count)].map(\.sql)
      try run("INSERT INTO person (id, name, capital, born, changed) VALUES \(values.joined(separator: ", "))")
    }
  }

  /// What the consumer's table holds, without the engine's own columns.
  func persons(_ table: String = "person") throws -> [Person] {
    try rows(
      "SELECT id, name, CAST(capital AS \(product == .mariadb ? "char" : "text")), born FROM \(table) ORDER BY id"
    ).map { row in
      Person(id: row[0].flatMap { Int($0) }, name: row[1], capital: row[2], born: row[3], changed: nil)
    }
  }
}

struct Person: Hashable, Sendable {
  var id: Int?
  var name: String? = "张三"
  var capital: String? = "12.50"
  var born: String? = "1980-02-29"
  var changed: String? = "2026-08-22 09:00:00+00"

  var sql: String {
    func quoted(_ text: String?) -> String { text.map { "'\($0)'" } ?? "NULL" }
    return
      "(\(id.map(String.init) ?? "NULL"), \(quoted(name)), \(capital.map { "'\($0)'" } ?? "NULL"), \(quoted(born)), \(quoted(changed)))"
  }

  /// As the target holds it.
  var delivered: Person {
    var copy = self
    copy.changed = nil
    return copy
  }

  static func many(_ range: some Sequence<Int>, changed: String? = "2026-08-22 09:00:00+00") -> [Person] {
    range.map { id in
      Person(
        id: id, name: id % 11 == 0 ? nil : "青海\(id)公司", capital: "\(id % 7).\(10 + id % 90)",
        born: id % 13 == 0 ? nil : "19\(10 + id % 90)-0\(1 + id % 9)-15", changed: changed)
    }
  }
}

/// What the quarantine's keeper holds, by the rule of `QuarantinedRows`.
final class Keeper: Sendable {
  private let kept = Mutex<[Int64: [Int: [BadRow]]]>([:])

  func take(_ rows: QuarantinedRows) {
    kept.withLock { kept in
      if rows.part == 0 {
        kept = kept.filter { $0.key < rows.batch || $0.key > rows.lastOwn }
        kept[rows.batch] = [:]
      }
      kept[rows.batch, default: [:]][rows.part] = rows.rows
    }
  }

  /// All that lies there, of batches that never happened as well.
  var count: Int { kept.withLock { $0.values.reduce(0) { $0 + $1.values.reduce(0) { $0 + $1.count } } } }

  /// What counts for a receipt.
  func rows(_ receipt: Receipt) -> [BadRow] {
    kept.withLock { kept in
      kept.filter { $0.key >= receipt.firstBatch && $0.key <= receipt.lastBatch }.sorted { $0.key < $1.key }
        .flatMap { $0.value.sorted { $0.key < $1.key }.flatMap(\.value) }
    }
  }
}

/// A grant on the persons.
struct Grant {
  static let secret = Array("0123456789abcdef-secret".utf8)
  static let providerKey = Array("fedcba9876543210-provider".utf8)

  var items = [
    ItemContract("id", .integer), ItemContract("name", .text, length: 12),
    ItemContract("capital", .decimal(precision: 18, scale: 2)), ItemContract("born", .date),
  ]
  var key = ["id"]
  var cursor: DeliveryPlan.Cursor? = .init("changed", .timestamp)
  var source = "person"
  var target = "person"
  var name = "grant-1"
  var batchBytes = RowBatch.smallest
  var heard: String?
  var onTheWay = DeliveryPlan.OnTheWay()
  let keeper = Keeper()

  func plan(_ mode: DeliveryPlan.Mode, run: String, fence: Int64 = 1) -> DeliveryPlan {
    var plan = DeliveryPlan(
      grant: name, run: run, fence: fence, mode: mode, source: TableName(source), target: TableName(target),
      items: items,
      key: key, cursor: cursor, overlap: .seconds(600), secret: Self.secret, providerKey: Self.providerKey,
      batchBytes: batchBytes)
    plan.heard = heard
    plan.onTheWay = onTheWay
    return plan
  }

  @discardableResult
  func deliver(
    _ mode: DeliveryPlan.Mode, run: String, fence: Int64 = 1, from source: Stand, to target: Stand,
    check: @escaping @Sendable () async throws -> Void = {}
  ) async throws -> DeliveryOutcome {
    let keeper = self.keeper
    let control = DeliveryControl(check: check, quarantine: { keeper.take($0) })
    return try await Delivery(plan(mode, run: run, fence: fence), control: control)
      .run(from: source.connector, to: target.connector)
  }
}
