import Connecting
import Foundation
import Kernel
import TestKit
import Testing

@testable import ConnectorMariaDB

/// Databases that the platform makes for departments.
@Suite struct HostTests {
  private let server: MariaDBServer
  private let admin: MariaDBAddress
  private var host: MariaDBHost { MariaDBHost(address: admin) }

  init() throws {
    server = try MariaDBServer.shared.get()
    admin = MariaDBAddress(host: "", database: "information_schema", user: "root", socket: server.socket)
  }

  private static func name() -> String { "qz" + UUID().uuidString.lowercased().filter { $0 != "-" }.suffix(16) }

  private func connect(_ name: String, _ password: String) throws -> MariaDBConnection {
    try MariaDBConnection(
      MariaDBAddress(host: "", database: name, user: name, password: password, socket: server.socket))
  }

  @Test func `a database is made for its holder alone, closed, opened again and erased`() throws {
    let database = HostedDatabase(name: Self.name(), holder: "019a-1")
    try host.make(database, password: "Aa1-first")
    try host.make(database, password: "Aa1-second")
    #expect(throws: ConnectorError.self) { try connect(database.name, "Aa1-first") }
    let own = try connect(database.name, "Aa1-second")
    _ = try own.run("CREATE TABLE kept (a INT PRIMARY KEY) ENGINE=InnoDB")
    _ = try own.run("INSERT INTO kept VALUES (1)")
    #expect(throws: ConnectorError.self) { try own.run("SELECT * FROM mysql.user") }
    #expect(throws: ConnectorError.self) { try own.run("CREATE DATABASE \(database.name)x") }
    let used = try host.measure([database.name, "nobody"])
    #expect(used.count == 1 && used[database.name]?.connections == 1 && (used[database.name]?.bytes ?? 0) > 0)

    try host.close(database)
    #expect(throws: ConnectorError.self) { try own.run("SELECT 1") }
    #expect(throws: ConnectorError.self) { try connect(database.name, "Aa1-second") }
    try host.make(database, password: "Aa1-third")
    #expect(try connect(database.name, "Aa1-third").run("SELECT a FROM kept")[0] == ["1"])

    // Its holder may drop and make the database anew: it is still the platform's to close.
    try server.query("DROP DATABASE \(database.name); CREATE DATABASE \(database.name)", on: "mysql")
    try host.renew(database, password: "Aa1-fourth")
    #expect(throws: ConnectorError.self) { try connect(database.name, "Aa1-third") }
    try host.close(database)
    try host.erase(database)
    try host.erase(database)
    #expect(throws: database.gone()) { try host.close(database) }
    #expect(throws: database.gone()) { try host.renew(database, password: "x") }
    #expect(try host.measure([database.name]).isEmpty)
    #expect(throws: ConnectorError.self) { try connect(database.name, "Aa1-third") }
  }

  @Test func `nobody else's account or database is touched`() throws {
    let name = Self.name()
    try server.query("CREATE USER '\(name)'@'%'", on: "mysql")
    defer { _ = try? server.query("DROP USER '\(name)'@'%'", on: "mysql") }
    let stranger = HostedDatabase(name: name, holder: "019a-4")
    #expect(throws: stranger.taken()) { try host.make(stranger, password: "x") }
    #expect(throws: stranger.taken()) { try host.close(stranger) }
    #expect(throws: stranger.taken()) { try host.erase(stranger) }
    let lone = try server.makeDatabase()
    let wanted = HostedDatabase(name: Self.name(), holder: "019a-6")
    try host.make(wanted, password: "x")
    defer { try? host.erase(wanted) }
    let other = HostedDatabase(name: wanted.name, holder: "019a-5")
    #expect(throws: other.taken()) { try host.make(other, password: "x") }
    #expect(throws: other.taken()) { try host.erase(other) }
    if HostedDatabase.isName(lone) {
      let theirs = HostedDatabase(name: lone, holder: "019a-7")
      #expect(throws: theirs.taken()) { try host.make(theirs, password: "x") }
    }
    #expect(try connect(wanted.name, "x").run("SELECT 1")[0] == ["1"])
  }

  @Test func `an account without the rights is refused at once`() throws {
    let name = Self.name()
    try server.query("CREATE USER '\(name)'@'%' IDENTIFIED BY 'x'", on: "mysql")
    defer { _ = try? server.query("DROP USER '\(name)'@'%'", on: "mysql") }
    var weak = admin
    (weak.user, weak.password) = (name, "x")
    #expect { try MariaDBHost(address: weak).probe() } throws: { ($0 as? ConnectorError)?.code == "host.no-right" }
    #expect(try host.probe().product.hasPrefix("MariaDB"))
  }
}
