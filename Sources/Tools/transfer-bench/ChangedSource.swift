import Connecting
import ConnectorMariaDB
import ConnectorPostgreSQL
import Foundation
import TestKit

/// A database whose table `person` is changed while it is followed.
protocol ChangedSource: Sendable {
  var title: String { get }
  /// Their first processes.
  var servers: [pid_t] { get }
  /// A command that answers each line with a line.
  var client: String { get }
  func connector() throws -> any Connector
  func run(_ statement: String) throws
  func query(_ sql: String) throws -> String
  /// New rows of these numbers, of now. Ends with a semicolon.
  func insert(_ first: Int, _ count: Int) -> String
  /// Changes these rows, of now. Ends with a semicolon.
  func update(_ first: Int, _ count: Int) -> String
}

struct PostgreSQLSource: ChangedSource {
  let title = "PostgreSQL"
  private let server: PostgresServer
  private let database: String

  init(_ server: PostgresServer) throws {
    self.server = server
    database = try server.makeDatabase()
    try server.query(
      "CREATE TABLE person (id bigint PRIMARY KEY, uscc varchar(18), name varchar(60), address varchar(120), capital numeric(18,2), established date, staff bigint, changed timestamptz)",
      on: database)
  }

  // The target's server is the same.
  var servers: [pid_t] { [] }
  var client: String { "psql -X -q -A -t -d '\(server.address(of: database))'" }

  func connector() throws -> any Connector {
    PostgreSQLConnector(PostgreSQLAddress(address: server.address(of: database)))
  }

  func run(_ statement: String) throws { try server.query(statement + " ANALYZE person", on: database) }
  func query(_ sql: String) throws -> String { try server.query(sql, on: database) }

  func insert(_ first: Int, _ count: Int) -> String {
    "INSERT INTO person SELECT i, '9163' || lpad(i::text, 14, '0'), '青海三江源生态环境有限公司' || i, '青海省西宁市城中区长江路' || i || '号', (i % 100000) / 100.0, date '2000-01-01' + i % 9000, i % 500, clock_timestamp() FROM generate_series(\(first), \(first + count - 1)) i;"
  }

  func update(_ first: Int, _ count: Int) -> String {
    "UPDATE person SET staff = staff + 1, changed = clock_timestamp() WHERE id >= \(first) AND id < \(first + count);"
  }
}

struct MariaDBSource: ChangedSource {
  let title = "MariaDB"
  private let server: MariaDBServer
  private let database: String

  init() throws {
    server = try MariaDBServer(
      settings: ["--skip-networking", "--innodb-log-file-size=512M", "--innodb-buffer-pool-size=512M"]
        + MariaDBServer.logs)
    database = try server.makeDatabase()
    try server.query(
      "CREATE TABLE person (id bigint PRIMARY KEY, uscc varchar(18), name varchar(60), address varchar(120), capital decimal(18,2), established date, staff bigint, changed timestamp(6) NOT NULL DEFAULT '2001-01-01')",
      on: database)
  }

  func remove() { server.remove() }

  var servers: [pid_t] { server.pids }
  var client: String {
    "mariadb --no-defaults --socket='\(server.socket)' --user=root --skip-column-names --batch --unbuffered \(database)"
  }

  func connector() throws -> any Connector {
    MariaDBConnector(MariaDBAddress(host: "", database: database, user: "root", zone: 0, socket: server.socket))
  }

  func run(_ statement: String) throws { try server.query(statement, on: database) }
  func query(_ sql: String) throws -> String { try server.query(sql, on: database) }

  func insert(_ first: Int, _ count: Int) -> String {
    "INSERT INTO person SELECT seq, concat('9163', lpad(seq, 14, '0')), concat('青海三江源生态环境有限公司', seq), concat('青海省西宁市城中区长江路', seq, '号'), (seq % 100000) / 100.0, date_add('2000-01-01', INTERVAL seq % 9000 DAY), seq % 500, sysdate(6) FROM seq_\(first)_to_\(first + count - 1);"
  }

  func update(_ first: Int, _ count: Int) -> String {
    "UPDATE person SET staff = staff + 1, changed = sysdate(6) WHERE id >= \(first) AND id < \(first + count);"
  }
}
