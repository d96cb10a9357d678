import Connecting
import Kernel

/// Where a database is that is reached through an ODBC driver. No text of a person's becomes a part of the connection
/// string unless it was taken apart and judged before.
package struct ODBCAddress: Hashable, Sendable {
  package struct Attribute: Hashable, Sendable {
    package var name: String
    package var value: String

    package init(_ name: String, _ value: String) {
      self.name = name
      self.value = value
    }
  }

  /// One of the drivers that the operator installed, by its name.
  package var driver: String
  package var server: String?
  package var port: Int?
  /// A database, Oracle's service, or for a driver that reads files an absolute path.
  package var database: String?
  package var user: String?
  package var password: String?
  package var attributes: [Attribute]
  /// Nil: as the database says.
  var dialect: ODBCDialect?
  /// What a date and time without a zone means, in seconds east of UTC. Read and written by it.
  package var zone: Int
  /// Rows of one statement while reading; nil for what suits the dialect.
  var pageRows: Int?

  package init(
    driver: String, server: String? = nil, port: Int? = nil, database: String? = nil, user: String? = nil,
    password: String? = nil, attributes: [Attribute] = [], zone: Int = SettingRules.usualZone
  ) {
    self.driver = driver
    self.server = server
    self.port = port
    self.database = database
    self.user = user
    self.password = password
    self.attributes = attributes
    self.zone = zone
  }

  var isLocal: Bool {
    guard let server else { return true }
    return server.hasPrefix("/") || ["localhost", "127.0.0.1", "::1"].contains(server)
  }
}

extension ODBCAddress {
  static let settings: [ConnectorKind.Setting] = [
    .init(
      "driver", Text("驱动（运维人员在本节点安装的 ODBC 驱动名称）", "driver: the name of an ODBC driver that the operator installed"),
      example: "ODBC Driver 18 for SQL Server"),
    .init("server", Text("主机", "host"), required: false, example: "10.1.2.3"),
    .init("port", Text("端口", "port"), required: false, example: "1433"),
    .init(
      "database",
      Text("库名（Oracle 填服务名；SQLite 填文件的绝对路径）", "database; Oracle: the service; SQLite: the file's whole path"),
      required: false, example: "registry"),
    .init("user", Text("用户", "user"), required: false, example: "reader"),
    .init("password", Text("口令", "password"), secret: true, required: false),
    .init(
      "attributes", Text("驱动的其他参数（名称=值，以分号分隔）", "other parameters of the driver: name=value, parted by semicolons"),
      required: false, example: "Encrypt=yes;TrustServerCertificate=no"),
    .init("dialect", Text("数据库类型（不指定则自动识别）", "kind of database; found out where it is not said"), required: false)
      .choosing([
        ("sqlserver", Text(same: "SQL Server")), ("oracle", Text(same: "Oracle")), ("dm", Text("达梦", "DM8")),
        ("postgresql", Text(same: "PostgreSQL")), ("sqlite", Text(same: "SQLite")),
        ("generic", Text("其他（只能作为来源）", "Another (as a source only)")),
      ]),
    .init("zone", Text("无时区时间的时区", "zone of times without one"), required: false, example: "+08:00"),
  ]

  /// What is wrong with settings, found without connecting.
  static func faults(in settings: [String: String]) -> [(setting: String, message: Text)] {
    var faults: [(String, Text)] = []
    func written(_ name: String) -> String? { settings[name].flatMap { $0.isEmpty ? nil : $0 } }
    if let driver = written("driver"), !isDriverName(driver) {
      faults.append(
        (
          "driver",
          Text(
            "驱动只能写运维人员安装时起的名称（如 DM8 ODBC DRIVER），不能写文件路径。",
            "A driver is the name that the operator gave it (such as DM8 ODBC DRIVER), never a path.")
        ))
    }
    if let server = written("server"), !SettingRules.isHost(server) {
      faults.append(
        ("server", Text("主机只能写一个域名或 IP 地址，如 10.1.2.3。", "A host is one name or address, such as 10.1.2.3.")))
    }
    if let port = written("port"), !(Int(port).map { (1...65_535).contains($0) } ?? false) {
      faults.append(("port", Text("端口应为 1 到 65535 的整数。", "A port is a whole number from 1 to 65535.")))
    }
    if let database = written("database"), let fault = fault(inDatabase: database) {
      faults.append(("database", fault))
    }
    for name in ["user", "password"] {
      if let text = written(name), text.unicodeScalars.count > 128 || text.unicodeScalars.contains(where: isControl) {
        faults.append((name, Text("最多 128 个字符，不能含控制字符。", "At most 128 characters, no control characters.")))
      }
    }
    if let text = written("attributes") {
      if case .failure(let fault) = attributes(text) { faults.append(("attributes", fault.message)) }
    }
    if let dialect = written("dialect"), ODBCDialect(rawValue: dialect) == nil {
      faults.append(
        (
          "dialect",
          Text(
            "数据库类型应写作 sqlserver、oracle、dm、postgresql、sqlite 或 generic。",
            "Write sqlserver, oracle, dm, postgresql, sqlite or generic.")
        ))
    }
    if let fault = SettingRules.zoneFault(written("zone") ?? "") { faults.append(("zone", fault)) }
    return faults
  }

  init(_ settings: [String: String]) throws(ConnectorError) {
    if let fault = Self.faults(in: settings).first {
      throw ConnectorError(.permanent, "odbc.setting", fault.message)
    }
    func written(_ name: String) -> String? { settings[name].flatMap { $0.isEmpty ? nil : $0 } }
    self.init(
      driver: written("driver") ?? "", server: written("server"), port: written("port").flatMap { Int($0) },
      database: written("database"), user: written("user"), password: written("password"),
      attributes: (try? Self.attributes(written("attributes") ?? "").get()) ?? [],
      zone: written("zone").flatMap { WrittenTime.zone($0) } ?? SettingRules.usualZone)
    dialect = written("dialect").flatMap { ODBCDialect(rawValue: $0) }
  }

  private static func isDriverName(_ name: String) -> Bool {
    name.utf8.count <= 100 && !name.contains("/") && !name.contains("\\") && !name.hasPrefix(".")
      && !name.unicodeScalars.contains { isControl($0) || "{};=[]".unicodeScalars.contains($0) }
  }

  /// A path may only be a whole one, so that it can be judged where it leads; anything else is no path at all.
  private static func fault(inDatabase name: String) -> Text? {
    if name.unicodeScalars.count > 500
      || name.unicodeScalars.contains(where: { isControl($0) || ";{}".unicodeScalars.contains($0) })
    {
      return Text(
        "库名最多 500 个字符，不能含分号、花括号和控制字符。", "At most 500 characters, without semicolons, braces and control characters.")
    }
    if name.contains("\\") || name.hasPrefix(".") || !name.hasPrefix("/") && name.contains("/") {
      return Text(
        "库名不能含斜杠；SQLite 等文件型数据库须写文件的绝对路径。",
        "A database's name has no slashes; a database that is a file is named by its whole path.")
    }
    return nil
  }

  private static func isControl(_ scalar: Unicode.Scalar) -> Bool { scalar.value < 0x20 || scalar.value == 0x7F }

  // MARK: The connection string

  /// `Server=…;Port=…`, every value so quoted that nothing in it ends it.
  /// `creates`: a file that is not there is made, as a target's.
  func connectionString(
    _ driver: ODBCDriver, _ dialect: ODBCDialect, creates: Bool = false
  ) throws(ConnectorError) -> String {
    try check(driver)
    var pairs: [(String, String)] = [("Driver", "{\(driver.name)}")]
    func add(_ name: String, _ value: String?) { if let value { pairs.append((name, Self.quoted(value))) } }
    switch dialect {
    case .sqlserver:
      add("Server", driver.isFreeTDS ? server : server.map { $0 + (port.map { ",\($0)" } ?? "") })
      if driver.isFreeTDS {
        add("Port", port.map { "\($0)" } ?? "1433")
        pairs += [("TDS_Version", "7.4"), ("ClientCharset", "UTF-8")]
      }
      add("Database", database)
      pairs.append(("APP", "sanjiang"))
    case .oracle: add("DBQ", "//\(server ?? ""):\(port ?? 1521)/\(database ?? "")")
    case .dm:
      add("Server", server)
      add("TCP_PORT", "\(port ?? 5236)")
    case .postgresql:
      add("Server", server)
      add("Port", "\(port ?? 5432)")
      add("Database", database)
      // Rows come from a cursor and are not all kept; line ends stay as they are; an error undoes no more than we do.
      pairs += [
        ("UseDeclareFetch", "1"), ("Fetch", "200"), ("LFConversion", "0"), ("Protocol", "7.4-0"),
        ("UseServerSidePrepare", "1"), ("ByteaAsLongVarBinary", "1"), ("BoolsAsChar", "0"), ("CommLog", "0"),
        ("Debug", "0"),
      ]
    case .sqlite:
      add("Database", database)
      // One row at a time from the file, whole words to the disk, and no library beside the driver's own.
      pairs += [
        ("StepAPI", "1"), ("Timeout", "30000"), ("SyncPragma", "FULL"), ("NoWCHAR", "1"), ("LongNames", "0"),
        ("LoadExt", ""), ("Tracefile", ""), ("NoCreat", creates ? "0" : "1"),
      ]
    case .generic:
      add("Server", server)
      add("Port", port.map { "\($0)" })
      add("Database", database)
    }
    if dialect != .sqlite {
      add("UID", user)
      add("PWD", password)
    }
    for attribute in attributes { add(attribute.name, attribute.value) }
    return pairs.map { "\($0.0)=\($0.1)" }.joined(separator: ";") + ";"
  }

  /// A file is named by its whole path, so that whoever admits sources can judge it; anything else has no slash.
  private func check(_ driver: ODBCDriver) throws(ConnectorError) {
    let isPath = database?.hasPrefix("/") ?? false
    guard driver.readsFiles || server != nil else {
      throw ConnectorError(
        .permanent, "odbc.setting", Text("请填写主机。", "A host is needed."))
    }
    guard driver.readsFiles == isPath else {
      throw ConnectorError(
        .permanent, "odbc.setting",
        driver.readsFiles
          ? Text("该驱动读取文件：库名须写文件的绝对路径。", "This driver reads files: name the file by its whole path.")
          : Text("库名不能是文件路径。", "A database's name is no path."))
    }
  }

  /// Only where it must be: not every driver knows braces.
  static func quoted(_ value: String) -> String {
    let isPlain =
      value.unicodeScalars.allSatisfy { !"[]{}(),;?*=!@ ".unicodeScalars.contains($0) } || value.hasPrefix("/")
    return isPlain ? value : "{" + value.replacing("}", with: "}}") + "}"
  }
}
