import Connecting
package import Kernel

/// Where a database of MariaDB's or MySQL's kind is, and how it is reached.
package struct MariaDBAddress: Hashable, Sendable {
  package enum Encryption: String, Sendable, CaseIterable {
    /// Encrypted, and the server proves who it is.
    case verify
    /// Encrypted, but whoever answers is believed.
    case encrypt
    case off
  }

  package var host: String
  package var port: Int
  package var database: String
  package var user: String
  package var password: String?
  /// Nil: `verify`, except on this machine, where nothing is encrypted.
  package var encryption: Encryption?
  /// The certificate that signed the server's, as PEM; nil for what this machine trusts anyway.
  package var authority: String?
  /// What a DATETIME means, which has no zone, in seconds east of UTC. Read and written by it.
  package var zone: Int
  /// A socket of this machine instead of host and port. Never filled in by a person: it would be a door to whatever
  /// listens here.
  package var socket: String?
  /// False to do without arrays of parameters, as servers do that have none: for tests.
  var usesArrays = true

  package init(
    host: String, port: Int = 3306, database: String, user: String, password: String? = nil,
    encryption: Encryption? = nil, authority: String? = nil, zone: Int = SettingRules.usualZone, socket: String? = nil
  ) {
    self.host = host
    self.port = port
    self.database = database
    self.user = user
    self.password = password
    self.encryption = encryption
    self.authority = authority
    self.zone = zone
    self.socket = socket
  }

  package var isLocal: Bool { socket != nil || ["localhost", "127.0.0.1", "::1"].contains(host) }

  var usedEncryption: Encryption { encryption ?? (isLocal ? .off : .verify) }
}

extension MariaDBAddress {
  static let settings: [ConnectorKind.Setting] = [
    .init("host", Text("主机", "host"), example: "10.1.2.3"),
    .init("port", Text("端口", "port"), required: false, example: "3306"),
    .init("database", Text("库名", "database"), example: "registry"),
    .init("user", Text("用户", "user"), example: "reader"),
    .init("password", Text("口令", "password"), secret: true, required: false),
    .init("tls", Text("加密", "encryption"), required: false).choosing([
      ("verify", Text("加密并验证对方", "Encrypted, the server verified")), ("encrypt", Text("只加密", "Encrypted only")),
      ("off", Text("不加密", "Not encrypted")),
    ]),
    .init(
      "authority", Text("签发对方证书的 CA 证书（PEM）", "certificate (PEM) of the authority that signed the server's"),
      required: false
    ).long,
    .init("zone", Text("DATETIME 的时区", "zone of DATETIME values"), required: false, example: "+08:00"),
  ]

  /// The server's own databases hold its accounts: they are nobody's source.
  static let ownDatabases: Set<String> = ["mysql", "information_schema", "performance_schema", "sys", "oceanbase"]

  /// What is wrong with settings, found without connecting.
  static func faults(in settings: [String: String]) -> [(setting: String, message: Text)] {
    var faults: [(String, Text)] = []
    func written(_ name: String) -> String? { settings[name].flatMap { $0.isEmpty ? nil : $0 } }
    if let host = written("host"), !SettingRules.isHost(host) {
      faults.append(
        ("host", Text("主机只能写一个域名或 IP 地址，如 10.1.2.3。", "A host is one name or address, such as 10.1.2.3.")))
    }
    if let port = written("port"), !(Int(port).map { (1...65_535).contains($0) } ?? false) {
      faults.append(("port", Text("端口应为 1 到 65535 的整数。", "A port is a whole number from 1 to 65535.")))
    }
    if let database = written("database") {
      if ownDatabases.contains(database.lowercased()) {
        faults.append(
          (
            "database",
            Text("“\(database)”是数据库系统自己的库，不能登记。", "“\(database)” is the server's own database; it cannot be a source.")
          ))
      } else if let fault = fault(inName: database) {
        faults.append(("database", fault))
      }
    }
    if let user = written("user"), user.unicodeScalars.count > 128 || user.contains("\0") {
      faults.append(("user", Text("用户名最多 128 个字符。", "A user's name has at most 128 characters.")))
    }
    if let tls = written("tls"), Encryption(rawValue: tls) == nil {
      faults.append(("tls", Text("加密应写作 verify、encrypt 或 off。", "Write verify, encrypt or off.")))
    }
    if let authority = written("authority"), pem(authority) == nil {
      faults.append(
        (
          "authority",
          Text(
            "应为 PEM 格式的证书（-----BEGIN CERTIFICATE----- 开头）。",
            "This must be a certificate in PEM form (-----BEGIN CERTIFICATE-----).")
        ))
    }
    if let fault = SettingRules.zoneFault(written("zone") ?? "") { faults.append(("zone", fault)) }
    return faults
  }

  init(_ settings: [String: String]) throws(ConnectorError) {
    if let fault = Self.faults(in: settings).first {
      throw ConnectorError(.permanent, "mariadb.setting", fault.message)
    }
    func written(_ name: String) -> String? { settings[name].flatMap { $0.isEmpty ? nil : $0 } }
    self.init(
      host: written("host") ?? "", port: written("port").flatMap { Int($0) } ?? 3306,
      database: written("database") ?? "", user: written("user") ?? "", password: written("password"),
      encryption: written("tls").flatMap { Encryption(rawValue: $0) },
      authority: written("authority").flatMap { Self.pem($0) },
      zone: written("zone").flatMap { WrittenTime.zone($0) } ?? SettingRules.usualZone)
  }

  /// Certificates as they stand in a file, also when a form has made spaces of their line ends; nil where there is none.
  static func pem(_ text: String) -> String? {
    let (begin, end) = ("-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----")
    var found = ""
    var rest = text[...]
    while let start = rest.firstRange(of: begin) {
      rest = rest[start.upperBound...]
      guard let stop = rest.firstRange(of: end) else { return nil }
      let body = rest[..<stop.lowerBound].filter { !$0.isWhitespace }
      let isBase64 = body.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "/"), UInt8(ascii: "="):
          true
        default: false
        }
      }
      guard isBase64, !body.isEmpty else { return nil }
      found += begin + "\n"
      var line = body[...]
      while !line.isEmpty {
        found += line.prefix(64) + "\n"
        line = line.dropFirst(64)
      }
      found += end + "\n"
      rest = rest[stop.upperBound...]
    }
    return found.isEmpty ? nil : found
  }

  /// Why a table or column of this name cannot be made there.
  package static func fault(inName name: String) -> Text? {
    if name.unicodeScalars.count > 64 {
      return Text(
        "“\(name)”超过 MariaDB/MySQL 允许的 64 个字符。",
        "“\(name)” is longer than the 64 characters that MariaDB and MySQL allow.")
    }
    if name.isEmpty || name.hasSuffix(" ")
      || name.unicodeScalars.contains(where: { $0.value == 0 || $0.value > 0xFFFF })
    {
      return Text(
        "“\(name)”不能作为 MariaDB/MySQL 的名称：不能为空，不能以空格结尾，不能含四字节字符。",
        "“\(name)” cannot be a name in MariaDB or MySQL: not empty, no space at its end, no character beyond U+FFFF.")
    }
    return nil
  }
}
