import Connecting
import Kernel

/// A MariaDB server (10.5 or later) on which databases are made for departments. Whose a database is stands in a table of
/// the platform's.
struct MariaDBHost: DatabaseHost {
  let address: MariaDBAddress

  func probe() throws(ConnectorError) -> ConnectorProbe {
    let connection = try connect()
    let grants = try connection.run("SHOW GRANTS").compactMap { $0.first ?? nil }
    let mayAll = grants.contains { grant in
      guard let on = grant.firstRange(of: " ON *.* ") else { return false }
      let rights = grant[..<on.lowerBound]
      return grant.contains("WITH GRANT OPTION")
        && (rights.contains("ALL PRIVILEGES") || ["CREATE USER", "CREATE", "DROP"].allSatisfy { rights.contains($0) })
    }
    guard mayAll else {
      throw ConnectorError(
        .permanent, "host.no-right",
        Text(
          "该账号不能建库和建账号（需要在 *.* 上的 CREATE、DROP、CREATE USER 等权限和 WITH GRANT OPTION）。",
          "This account may not make databases and accounts (it needs CREATE, DROP, CREATE USER and what it passes on, on *.*, WITH GRANT OPTION)."
        ))
    }
    return ConnectorProbe(
      product: "\(connection.product.name) \(connection.product.version)",
      isProtected: connection.isEncrypted || address.isLocal, isReadOnly: false)
  }

  func make(_ database: HostedDatabase, password: String) throws(ConnectorError) {
    let connection = try connect()
    let name = database.name
    try connection.run("CREATE DATABASE IF NOT EXISTS \(Self.own)")
    try connection.run(
      "CREATE TABLE IF NOT EXISTS \(Self.holders) (name varchar(64) PRIMARY KEY, holder varchar(100) NOT NULL) ENGINE = InnoDB"
    )
    switch try mark(of: name, connection) {
    case nil:
      guard try !exists(name, connection), try !hasAccount(name, connection) else { throw database.taken() }
      try connection.run(
        "INSERT INTO \(Self.holders) VALUES (\(MariaDBQuote.text(name)), \(MariaDBQuote.text(database.mark)))")
    case database.mark: break
    default: throw database.taken()
    }
    try connection.run("CREATE DATABASE IF NOT EXISTS `\(name)` CHARACTER SET utf8mb4")
    let account = "'\(name)'@'%'"
    try connection.run("CREATE USER IF NOT EXISTS \(account) IDENTIFIED BY \(MariaDBQuote.text(password))")
    try set(password, of: name, connection)
    try connection.run("GRANT ALL PRIVILEGES ON `\(name)`.* TO \(account)")
  }

  func renew(_ database: HostedDatabase, password: String) throws(ConnectorError) {
    let connection = try connect()
    guard try isOurs(database, connection), try hasAccount(database.name, connection) else { throw database.gone() }
    try set(password, of: database.name, connection)
    try end(database, connection)
  }

  private func set(_ password: String, of name: String, _ connection: MariaDBConnection) throws(ConnectorError) {
    try connection.run(
      "ALTER USER '\(name)'@'%' IDENTIFIED BY \(MariaDBQuote.text(password)) ACCOUNT UNLOCK")
  }

  func close(_ database: HostedDatabase) throws(ConnectorError) {
    let connection = try connect()
    guard try isOurs(database, connection), try hasAccount(database.name, connection) else { throw database.gone() }
    try connection.run("ALTER USER '\(database.name)'@'%' ACCOUNT LOCK")
    try end(database, connection)
  }

  /// An account that is locked, or has another password, stays signed in.
  private func end(_ database: HostedDatabase, _ connection: MariaDBConnection) throws(ConnectorError) {
    try connection.run("KILL CONNECTION USER '\(database.name)'@'%'")
  }

  func erase(_ database: HostedDatabase) throws(ConnectorError) {
    let connection = try connect()
    guard try isOurs(database, connection) else { return }
    if try hasAccount(database.name, connection) { try close(database) }
    try connection.run("DROP USER IF EXISTS '\(database.name)'@'%'")
    try connection.run("DROP DATABASE IF EXISTS `\(database.name)`")
    // Last of all: by it the rest is known as ours when this is asked for again.
    try connection.run("DELETE FROM \(Self.holders) WHERE name = \(MariaDBQuote.text(database.name))")
  }

  func measure(_ names: [String]) throws(ConnectorError) -> [String: HostedUse] {
    guard !names.isEmpty else { return [:] }
    let connection = try connect()
    let list = names.map(MariaDBQuote.text).joined(separator: ", ")
    return HostedUse.named(
      try connection.run(
        """
        SELECT s.SCHEMA_NAME,
          (SELECT CAST(COALESCE(SUM(t.DATA_LENGTH + t.INDEX_LENGTH), 0) AS UNSIGNED) FROM information_schema.TABLES t
            WHERE t.TABLE_SCHEMA = s.SCHEMA_NAME),
          (SELECT COUNT(*) FROM information_schema.PROCESSLIST p WHERE p.DB = s.SCHEMA_NAME)
        FROM information_schema.SCHEMATA s WHERE s.SCHEMA_NAME IN (\(list))
        """))
  }

  private func connect() throws(ConnectorError) -> MariaDBConnection {
    let connection = try MariaDBConnection(address)
    guard connection.product.locksAccounts else {
      throw ConnectorError(
        .permanent, "host.product",
        Text(
          "前置库服务器须为 MariaDB 10.5 以上（当前为 \(connection.product.name) \(connection.product.version)）。",
          "A server of front-end databases must be MariaDB 10.5 or later (this is \(connection.product.name) \(connection.product.version))."
        ))
    }
    return connection
  }

  /// Whose each database is, where no holder can write it: a database's own comment its holder may change.
  private static let own = "`sanjiang_hosting`"
  private static let holders = own + ".`holder`"

  /// Nil where the platform made nothing of this name.
  private func mark(of name: String, _ connection: MariaDBConnection) throws(ConnectorError) -> String? {
    guard try exists("sanjiang_hosting", connection) else { return nil }
    let rows = try connection.run("SELECT holder FROM \(Self.holders) WHERE name = \(MariaDBQuote.text(name))")
    return rows.first?[0]
  }

  private func exists(_ name: String, _ connection: MariaDBConnection) throws(ConnectorError) -> Bool {
    try !connection.run(
      "SELECT 1 FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = \(MariaDBQuote.text(name))"
    ).isEmpty
  }

  private func hasAccount(_ name: String, _ connection: MariaDBConnection) throws(ConnectorError) -> Bool {
    try !connection.run(
      "SELECT 1 FROM information_schema.USER_PRIVILEGES WHERE GRANTEE = \(MariaDBQuote.text("'\(name)'@'%'")) LIMIT 1"
    ).isEmpty
  }

  private func isOurs(_ database: HostedDatabase, _ connection: MariaDBConnection) throws(ConnectorError) -> Bool {
    guard let mark = try mark(of: database.name, connection) else {
      if try exists(database.name, connection) { throw database.taken() }
      if try hasAccount(database.name, connection) { throw database.taken() }
      return false
    }
    if mark != database.mark { throw database.taken() }
    return true
  }
}

extension MariaDBAddress {
  static let hosting = DatabaseHosting(
    serverSettings: settings.filter { !["database", "zone"].contains($0.name) },
    check: { faults(in: $0) },
    open: { settings throws(ConnectorError) in
      var address = try MariaDBAddress(settings)
      address.database = "information_schema"
      return MariaDBHost(address: address)
    },
    settings: { server, name, password throws(ConnectorError) in
      var settings = server
      settings["database"] = name
      settings["user"] = name
      settings["password"] = password
      return settings
    },
    place: { server in
      server["host"].map { "\($0):\(server["port"].flatMap { $0.isEmpty ? nil : $0 } ?? "3306")" }
    })
}
