import CLibPQ
import Connecting
import Kernel

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// A PostgreSQL server on which databases are made for departments. A database is its role's own, and nobody else may connect to
/// it; whose it is stands in the comment of the role.
struct PostgreSQLHost: DatabaseHost {
  let address: PostgreSQLAddress

  func probe() throws(ConnectorError) -> ConnectorProbe {
    let connection = try PostgreSQLConnection(address)
    let rights = try connection.run(
      """
      SELECT rolsuper OR (rolcreatedb AND rolcreaterole), current_setting('server_version')
      FROM pg_roles WHERE rolname = current_user
      """)[0]
    guard rights[0] == "t" else {
      throw ConnectorError(
        .permanent, "host.no-right",
        Text(
          "该账号不能建库和建账号（需要 CREATEDB 和 CREATEROLE）。",
          "This account may not make databases and accounts (it needs CREATEDB and CREATEROLE)."))
    }
    return ConnectorProbe(
      product: "PostgreSQL \(rights[1]?.split(separator: " ").first ?? "")",
      isProtected: connection.isEncrypted || connection.isLocal, isReadOnly: false)
  }

  func make(_ database: HostedDatabase, password: String) throws(ConnectorError) {
    let connection = try PostgreSQLConnection(address)
    let (name, kept) = (database.name, try connection.encrypted(password, for: database.name))
    switch try holder(of: name, connection) {
    case nil:
      // A database of that name without our account is somebody's.
      guard try !exists(name, connection) else { throw database.taken() }
      try connection.run(
        """
        BEGIN; CREATE ROLE "\(name)" LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION PASSWORD '\(kept)'; \
        COMMENT ON ROLE "\(name)" IS '\(database.mark)'; COMMIT
        """)
    case database.mark: try connection.run("ALTER ROLE \"\(name)\" LOGIN PASSWORD '\(kept)'")
    default: throw database.taken()
    }
    // Who is no superuser may only make a database for a role that it is a member of.
    try connection.run("GRANT \"\(name)\" TO CURRENT_USER")
    if try !exists(name, connection) {
      try connection.run("CREATE DATABASE \"\(name)\" OWNER \"\(name)\" TEMPLATE template0 ENCODING 'UTF8'")
    }
    try connection.run("REVOKE ALL ON DATABASE \"\(name)\" FROM PUBLIC")
  }

  func renew(_ database: HostedDatabase, password: String) throws(ConnectorError) {
    let connection = try PostgreSQLConnection(address)
    guard try isOurs(database, connection) else { throw database.gone() }
    let kept = try connection.encrypted(password, for: database.name)
    try connection.run("ALTER ROLE \"\(database.name)\" LOGIN PASSWORD '\(kept)'")
    try end(database, connection)
  }

  func close(_ database: HostedDatabase) throws(ConnectorError) {
    let connection = try PostgreSQLConnection(address)
    guard try isOurs(database, connection) else { throw database.gone() }
    try connection.run("ALTER ROLE \"\(database.name)\" NOLOGIN")
    try end(database, connection)
  }

  /// Cuts off whoever is signed in with the account, or to the database.
  private func end(_ database: HostedDatabase, _ connection: PostgreSQLConnection) throws(ConnectorError) {
    try connection.run(
      """
      SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE (usename = $1 OR datname = $1) AND pid <> pg_backend_pid()
      """, [database.name])
  }

  func erase(_ database: HostedDatabase) throws(ConnectorError) {
    let connection = try PostgreSQLConnection(address)
    guard try isOurs(database, connection) else { return }
    try close(database)
    let name = database.name
    // A slot that somebody left there would hold the database, and the server's log with it.
    try connection.run(
      "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = $1 AND NOT active", [name])
    try connection.run("DROP DATABASE IF EXISTS \"\(name)\"")
    // What its holder may have left in this database, where the server lets everybody in.
    try connection.run("DROP OWNED BY \"\(name)\"")
    try connection.run("DROP ROLE IF EXISTS \"\(name)\"")
  }

  func measure(_ names: [String]) throws(ConnectorError) -> [String: HostedUse] {
    let connection = try PostgreSQLConnection(address)
    return HostedUse.named(
      try connection.run(
        """
        SELECT d.datname, pg_database_size(d.oid), (SELECT count(*) FROM pg_stat_activity a WHERE a.datid = d.oid)
        FROM pg_database d WHERE d.datname = ANY (string_to_array($1, ' '))
        """, [names.joined(separator: " ")]))
  }

  /// The comment of the role of this name, empty where it has none; nil without such a role.
  private func holder(of name: String, _ connection: PostgreSQLConnection) throws(ConnectorError) -> String? {
    let rows = try connection.run(
      "SELECT coalesce(shobj_description(oid, 'pg_authid'), '') FROM pg_roles WHERE rolname = $1", [name])
    return rows.first?[0]
  }

  private func exists(_ name: String, _ connection: PostgreSQLConnection) throws(ConnectorError) -> Bool {
    try !connection.run("SELECT 1 FROM pg_database WHERE datname = $1", [name]).isEmpty
  }

  /// False when nothing is there any more; throws where it is somebody else's.
  private func isOurs(_ database: HostedDatabase, _ connection: PostgreSQLConnection) throws(ConnectorError) -> Bool {
    guard let mark = try holder(of: database.name, connection) else {
      if try exists(database.name, connection) { throw database.taken() }
      return false
    }
    if mark != database.mark { throw database.taken() }
    return true
  }
}

extension PostgreSQLConnection {
  /// What the server keeps of a password: so that a server which logs its statements never has the password itself.
  fileprivate func encrypted(_ password: String, for user: String) throws(ConnectorError) -> String {
    guard let kept = PQencryptPasswordConn(handle, password, user, nil) else {
      throw ConnectorError(
        .permanent, "postgresql.password", Text("服务器不接受这种口令。", "The server takes no such password."))
    }
    defer { PQfreemem(kept) }
    return String(cString: kept)
  }
}

extension PostgreSQLAddress {
  static let hosting = DatabaseHosting(
    serverSettings: [
      .init(
        "address", Text("地址", "address"), example: "postgres://platform@10.1.2.3:5432/postgres?sslmode=verify-full"),
      .init("password", Text("口令", "password"), secret: true, required: false),
    ],
    check: { settings in fault(in: settings["address"] ?? "").map { [("address", $0)] } ?? [] },
    open: { settings throws(ConnectorError) in
      let password = settings["password"].flatMap { $0.isEmpty ? nil : $0 }
      return PostgreSQLHost(address: PostgreSQLAddress(address: settings["address"] ?? "", password: password))
    },
    settings: { server, name, password throws(ConnectorError) in
      ["address": try moved(server["address"] ?? "", to: name), "password": password]
    },
    place: { server in
      guard let parts = try? parts(of: server["address"] ?? ""), let host = parts["host"], !host.hasPrefix("/") else {
        return nil
      }
      return "\(host):\(parts["port"] ?? "5432")"
    })

  /// The same server, with another database and the user of its name.
  static func moved(_ address: String, to name: String) throws(ConnectorError) -> String {
    var parts = try parts(of: address)
    parts["dbname"] = name
    parts["user"] = name
    return parts.sorted { $0.key < $1.key }.map { key, value in
      let escaped = value.replacing("\\", with: "\\\\").replacing("'", with: "\\'")
      return "\(key)='\(escaped)'"
    }.joined(separator: " ")
  }

  private static func parts(of address: String) throws(ConnectorError) -> [String: String] {
    guard fault(in: address) == nil, let options = PQconninfoParse(address, nil) else {
      throw ConnectorError(.permanent, "postgresql.address", Text("地址写法不对。", "This is no address."))
    }
    defer { PQconninfoFree(options) }
    var parts: [String: String] = [:]
    var at = options
    while let keyword = at.pointee.keyword {
      if let value = at.pointee.val { parts[String(cString: keyword)] = String(cString: value) }
      at += 1
    }
    return parts
  }
}
