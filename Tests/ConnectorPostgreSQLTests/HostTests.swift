import Connecting
import Foundation
import Kernel
import TestKit
import Testing

@testable import ConnectorPostgreSQL

/// Databases that the platform makes for departments.
@Suite struct HostTests {
  private let server: PostgresServer
  private let admin: PostgreSQLAddress
  private var host: PostgreSQLHost { PostgreSQLHost(address: admin) }

  init() throws {
    server = try PostgresServer.shared.get()
    admin = PostgreSQLAddress(address: server.address(of: "postgres"))
  }

  private static func name() -> String { "qz" + UUID().uuidString.lowercased().filter { $0 != "-" }.suffix(16) }

  private func connect(_ name: String) throws -> PostgreSQLConnection {
    try PostgreSQLConnection(PostgreSQLAddress(address: PostgreSQLAddress.moved(admin.address, to: name)))
  }

  @Test func `a database is made for its holder alone, closed, opened again and erased`() throws {
    let database = HostedDatabase(name: Self.name(), holder: "019a-1")
    try host.make(database, password: "Aa1-first")
    // Killed before it was written down: everything is asked for again.
    try host.make(database, password: "Aa1-second")
    let own = try connect(database.name)
    #expect(try own.run("SELECT current_user, current_database()")[0] == [database.name, database.name])
    try own.run("CREATE SCHEMA kept; CREATE TABLE kept.t (a int); INSERT INTO kept.t VALUES (1)")
    let rights = try own.run(
      "SELECT rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication FROM pg_roles WHERE rolname = current_user")
    #expect(rights[0][0] == "f")
    let used = try host.measure([database.name, "nobody"])
    #expect(used.count == 1 && used[database.name]?.connections == 1 && (used[database.name]?.bytes ?? 0) > 1_000_000)

    try host.close(database)
    #expect(throws: ConnectorError.self) { try own.run("SELECT 1") }
    #expect(throws: ConnectorError.self) { try connect(database.name) }
    try host.make(database, password: "Aa1-third")
    #expect(try connect(database.name).run("SELECT a FROM kept.t")[0] == ["1"])

    try host.erase(database)
    try host.erase(database)
    // It is not there: who believes that it is must hear it, and nothing is made by asking for a password.
    #expect(throws: database.gone()) { try host.close(database) }
    #expect(throws: database.gone()) { try host.renew(database, password: "x") }
    let left = try PostgreSQLConnection(admin).run(
      "SELECT (SELECT count(*) FROM pg_roles WHERE rolname = $1), (SELECT count(*) FROM pg_database WHERE datname = $1)",
      [database.name])
    #expect(left[0] == ["0", "0"])
  }

  @Test func `the password that was given is the one that opens it, and no statement bears it`() throws {
    let database = HostedDatabase(name: Self.name(), holder: "019a-2")
    defer { try? host.erase(database) }
    try host.make(database, password: "Aa1-secret")
    let kept =
      try PostgreSQLConnection(admin).run(
        "SELECT rolpassword FROM pg_authid WHERE rolname = $1", [database.name])[0][0] ?? ""
    #expect(kept.hasPrefix("SCRAM-SHA-256$") && !kept.contains("Aa1-secret"))
    let before = kept
    try host.make(database, password: "Aa1-another")
    let after =
      try PostgreSQLConnection(admin).run(
        "SELECT rolpassword FROM pg_authid WHERE rolname = $1", [database.name])[0][0] ?? ""
    #expect(after != before)
  }

  @Test func `nobody else's account or database is touched`() throws {
    let (name, owner) = (Self.name(), HostedDatabase(name: Self.name(), holder: "019a-3"))
    _ = try server.query("CREATE ROLE \(name) LOGIN", on: "postgres")
    defer { _ = try? server.query("DROP ROLE \(name)", on: "postgres") }
    let stranger = HostedDatabase(name: name, holder: "019a-4")
    #expect(throws: stranger.taken()) { try host.make(stranger, password: "x") }
    #expect(throws: stranger.taken()) { try host.close(stranger) }
    #expect(throws: stranger.taken()) { try host.erase(stranger) }
    try host.make(owner, password: "x")
    defer { try? host.erase(owner) }
    let other = HostedDatabase(name: owner.name, holder: "019a-5")
    #expect(throws: other.taken()) { try host.make(other, password: "x") }
    #expect(throws: other.taken()) { try host.erase(other) }
    #expect(try connect(owner.name).run("SELECT 1")[0] == ["1"])
    // A database without our account is somebody's, too.
    let lone = Self.name()
    _ = try server.query("CREATE DATABASE \(lone)", on: "postgres")
    defer { try? server.dropDatabase(lone) }
    let wanted = HostedDatabase(name: lone, holder: "019a-6")
    #expect(throws: wanted.taken()) { try host.make(wanted, password: "x") }
    #expect(throws: wanted.taken()) { try host.erase(wanted) }
  }

  @Test func `one department's account does not open another's database`() throws {
    let (mine, theirs) = (
      HostedDatabase(name: Self.name(), holder: "019a-7"), HostedDatabase(name: Self.name(), holder: "019a-8")
    )
    defer { for one in [mine, theirs] { try? host.erase(one) } }
    for one in [mine, theirs] { try host.make(one, password: "x") }
    let address = try PostgreSQLAddress.moved(admin.address, to: mine.name)
      .replacing("dbname='\(mine.name)'", with: "dbname='\(theirs.name)'")
    #expect(throws: ConnectorError.self) { try PostgreSQLConnection(PostgreSQLAddress(address: address)) }
  }

  @Test func `an account without the rights is refused at once, one that is no superuser makes and erases`() throws {
    let (weak, strong) = (Self.name(), Self.name())
    _ = try server.query(
      "CREATE ROLE \(weak) LOGIN; CREATE ROLE \(strong) LOGIN CREATEDB CREATEROLE", on: "postgres")
    defer { _ = try? server.query("DROP ROLE \(weak); DROP ROLE \(strong)", on: "postgres") }
    func host(of user: String) throws -> PostgreSQLHost {
      let address = try PostgreSQLAddress.moved(admin.address, to: user)
        .replacing("dbname='\(user)'", with: "dbname='postgres'")
      return PostgreSQLHost(address: PostgreSQLAddress(address: address))
    }
    #expect { try host(of: weak).probe() } throws: { ($0 as? ConnectorError)?.code == "host.no-right" }
    #expect(try host(of: strong).probe().product.hasPrefix("PostgreSQL"))
    let database = HostedDatabase(name: Self.name(), holder: "019a-9")
    try host(of: strong).make(database, password: "x")
    #expect(try connect(database.name).run("SELECT 1")[0] == ["1"])
    try host(of: strong).close(database)
    try host(of: strong).erase(database)
    #expect(try host(of: strong).measure([database.name]).isEmpty)
  }

  @Test func `the settings of a hosted database lead to the same server`() throws {
    let settings = try PostgreSQLAddress.hosting.settings(
      ["address": "postgres://boss@[fe80::1]:5433/postgres?sslmode=verify-full", "password": "boss"], "qz1", "its own")
    #expect(settings["password"] == "its own")
    let address = settings["address"] ?? ""
    for part in ["dbname='qz1'", "user='qz1'", "host='fe80::1'", "port='5433'", "sslmode='verify-full'"] {
      #expect(address.contains(part), "\(address)")
    }
    #expect(PostgreSQLAddress.fault(in: address) == nil)
    #expect(PostgreSQLAddress.hosting.place(["address": "host=10.1.2.3 user=a"]) == "10.1.2.3:5432")
    #expect(HostedDatabase.isName("qz202600001") && !HostedDatabase.isName("1a") && !HostedDatabase.isName("a\"b"))
  }
}
