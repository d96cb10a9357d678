import Connecting
import Kernel

/// A MariaDB server (10.5 or later) on which databases are made for departments. Whose a database is stands in its comment.
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
    switch try comment(of: name, connection) {
    case nil:
      // An account of that name without our database is somebody's.
      guard try !hasAccount(name, connection) else { throw database.taken() }
      try connection.run("CREATE DATABASE `\(name)` CHARACTER SET utf8mb4 COMMENT '\(database.mark)'")
    case database.mark: break
    default: throw database.taken()
    }
    let account = "'\(name)'@'%'"
    let known = MariaDBQuote.text(password)
    try connection.run("CREATE USER IF NOT EXISTS \(account) IDENTIFIED BY \(known)")
    try connection.run("ALTER USER \(account) IDENTIFIED BY \(known) ACCOUNT UNLOCK")
    try connection.run("GRANT ALL PRIVILEGES ON `\(name)`.* TO \(account)")
  }

  func close(_ database: HostedDatabase) throws(ConnectorError) {
    let connection = try connect()
    guard try isOurs(database, connection), try hasAccount(database.name, connection) else { return }
    try connection.run("ALTER USER '\(database.name)'@'%' ACCOUNT LOCK")
    // An account that is locked stays signed in.
    try connection.run("KILL CONNECTION USER '\(database.name)'@'%'")
  }

  func erase(_ database: HostedDatabase) throws(ConnectorError) {
    try close(database)
    let connection = try connect()
    guard try isOurs(database, connection) else { return }
    // The account first: the mark of whose it is stands with the database.
    try connection.run("DROP USER IF EXISTS '\(database.name)'@'%'")
    try connection.run("DROP DATABASE `\(database.name)`")
  }

  func measure(_ names: [String]) throws(ConnectorError) -> [String: HostedUse] {
    guard !names.isEmpty else { return [:] }
    let connection = try connect()
    let list = names.map(MariaDBQuote.text).joined(separator: ", ")
    let rows = try connection.run(
      """
      SELECT s.SCHEMA_NAME,
        (SELECT CAST(COALESCE(SUM(t.DATA_LENGTH + t.INDEX_LENGTH), 0) AS UNSIGNED) FROM information_schema.TABLES t
          WHERE t.TABLE_SCHEMA = s.SCHEMA_NAME),
        (SELECT COUNT(*) FROM information_schema.PROCESSLIST p WHERE p.DB = s.SCHEMA_NAME)
      FROM information_schema.SCHEMATA s WHERE s.SCHEMA_NAME IN (\(list))
      """)
    var found: [String: HostedUse] = [:]
    for row in rows {
      guard let name = row[0], let bytes = row[1].flatMap({ Int64($0) }), let count = row[2].flatMap({ Int($0) }) else {
        continue
      }
      found[name] = HostedUse(bytes: bytes, connections: count)
    }
    return found
  }

  private func connect() throws(ConnectorError) -> MariaDBConnection {
    let connection = try MariaDBConnection(address)
    guard connection.product.commentsDatabases else {
      throw ConnectorError(
        .permanent, "host.product",
        Text(
          "前置库服务器须为 MariaDB 10.5 以上（当前为 \(connection.product.name) \(connection.product.version)）。",
          "A server of front-end databases must be MariaDB 10.5 or later (this is \(connection.product.name) \(connection.product.version))."
        ))
    }
    return connection
  }

  /// The comment of the database of this name; nil without such a database.
  private func comment(of name: String, _ connection: MariaDBConnection) throws(ConnectorError) -> String? {
    let rows = try connection.run(
      "SELECT SCHEMA_COMMENT FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = \(MariaDBQuote.text(name))")
    return rows.first.map { $0[0] ?? "" }
  }

  private func hasAccount(_ name: String, _ connection: MariaDBConnection) throws(ConnectorError) -> Bool {
    try !connection.run(
      "SELECT 1 FROM information_schema.USER_PRIVILEGES WHERE GRANTEE = \(MariaDBQuote.text("'\(name)'@'%'")) LIMIT 1"
    ).isEmpty
  }

  private func isOurs(_ database: HostedDatabase, _ connection: MariaDBConnection) throws(ConnectorError) -> Bool {
    guard let comment = try comment(of: database.name, connection) else {
      if try hasAccount(database.name, connection) { throw database.taken() }
      return false
    }
    if comment != database.mark { throw database.taken() }
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
