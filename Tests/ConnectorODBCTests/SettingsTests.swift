import Connecting
import Kernel
import Testing

@testable import ConnectorODBC

@Suite struct SettingsTests {
  @Test(arguments: [
    ("driver", "ODBC Driver 18 for SQL Server", true), ("driver", "DM8 ODBC DRIVER", true),
    ("driver", "/tmp/evil.so", false), ("driver", "evil};Trace=yes;{", false), ("driver", "..", false),
    ("server", "10.1.2.3", true), ("server", "db.qh.gov.cn", true), ("server", "fe80::1", true),
    ("server", "a,b", false),
    ("server", "h;TRACE=1", false), ("server", "/run/s", false), ("server", "np:\\\\pipe", false),
    ("port", "1433", true), ("port", "0", false), ("port", "x", false), ("port", "", true),
    ("database", "registry", true), ("database", "户籍库", true), ("database", "/srv/sources/x.db", true),
    ("database", "../x.db", false), ("database", "a/b", false), ("database", "a;DRIVER=x", false),
    ("database", "x}{", false), ("database", "a\\b", false),
    ("user", "reader", true), ("user", "r\nx", false), ("dialect", "dm", true), ("dialect", "db2", false),
    ("zone", "+08:00", true), ("zone", "Peking", false),
    ("attributes", "Encrypt=yes; TrustServerCertificate=no", true), ("attributes", "sslmode=verify-full", true),
    ("attributes", "ApplicationIntent=ReadOnly;", true), ("attributes", "Encrypt", false), ("attributes", "=x", false),
    ("attributes", "Encrypt=yes;encrypt=no", false), ("attributes", "En crypt=yes", false),
    ("attributes", "Encrypt={yes};DRIVER=/x", false), ("attributes", "Encrypt=a/b", false),
  ])
  func `settings name the other side and nothing of this machine`(name: String, value: String, isGood: Bool) {
    var settings = ["driver": "d", "server": "h", "database": "d", "user": "u"]
    settings[name] = value
    let faults = ODBCConnector.kind.check(settings)
    #expect(faults.isEmpty == isGood, "\(faults)")
    #expect(faults.allSatisfy { $0.setting == name && !$0.message.chinese.isEmpty && !$0.message.english.isEmpty })
    if !isGood { #expect(throws: ConnectorError.self) { try ODBCConnector.kind.open(settings) } }
  }

  /// Parameters by which a driver opens files, loads libraries, runs statements, or goes elsewhere.
  @Test(arguments: [
    "DRIVER", "dsn", "FileDSN", "SaveFile", "Trace", "TraceFile", "TRACEDLL", "LogFile", "QueryLog_On", "CommLog",
    "Debug",
    "UID", "pwd", "Password", "Server", "Servername", "Port", "Database", "DBQ", "pqopt", "ConnSettings", "InitStmt",
    "LoadExt", "AttachDBFilename", "TranslationDLL", "SSLKEY", "ClientCertificate", "KeystoreLocation", "Plugin_Dir",
    "Trusted_Connection", "Authentication", "UseDeclareFetch", "LFConversion", "StepAPI", "SyncPragma", "A6", "Wallet",
    "ServerSPN", "tnsnames", "Translate", "Protocol", "Fetch", "DefaultTablespacePath", "AccessToken", "NewPassword",
  ])
  func `an attribute that is the operator's is refused, however it is written`(name: String) {
    for written in [name, name.uppercased(), name.lowercased()] {
      #expect(throws: ODBCAttributeFault.self) { try ODBCAddress.attributes("Encrypt=yes; \(written) = x").get() }
    }
  }

  @Test func `nothing in a value ends it`() throws {
    var address = ODBCAddress(
      driver: "D", server: "h", database: "d", user: "u;Trace=1", password: "}p;Driver=x{", attributes: [])
    let driver = ODBCDriver(name: "D", library: "libd.so", isWide: true)
    let string = try address.connectionString(driver, .generic)
    #expect(string == "Driver={D};Server=h;Database=d;UID={u;Trace=1};PWD={}}p;Driver=x{};")
    address.password = "plain"
    #expect(try address.connectionString(driver, .generic).hasSuffix("PWD=plain;"))
  }

  @Test func `each product is given what its driver calls a server`() throws {
    let address = ODBCAddress(driver: "D", server: "10.1.2.3", port: 1500, database: "reg", user: "u", password: "p")
    func string(_ library: String) throws -> String {
      let driver = ODBCDriver(name: "D", library: library, isWide: true)
      return try address.connectionString(driver, driver.dialect)
    }
    #expect(
      try string("/opt/microsoft/msodbcsql18/lib64/libmsodbcsql-18.3.so.2.1").hasPrefix(
        "Driver={D};Server={10.1.2.3,1500};Database=reg;APP=sanjiang;UID=u;PWD=p"))
    #expect(try string("libtdsodbc.so").contains("Server=10.1.2.3;Port=1500;TDS_Version=7.4;ClientCharset=UTF-8;"))
    #expect(try string("libsqora.so.19.1").contains("DBQ=//10.1.2.3:1500/reg;"))
    #expect(try string("/opt/dmdbms/bin/libdodbc.so").contains("Server=10.1.2.3;TCP_PORT=1500;"))
  }

  @Test func `a file is only named to a driver of files, and whole`() throws {
    let files = ODBCDriver(name: "SQLite3", library: "libsqlite3odbc.so", isWide: false)
    let server = ODBCDriver(name: "P", library: "psqlodbcw.so", isWide: true)
    func isGood(_ database: String?, _ driver: ODBCDriver, server: String? = "h") -> Bool {
      let address = ODBCAddress(driver: driver.name, server: server, database: database)
      return (try? address.connectionString(driver, driver.dialect)) != nil
    }
    #expect(isGood("/srv/x.db", files, server: nil) && !isGood("x.db", files) && !isGood(nil, files))
    #expect(isGood("x", server) && !isGood("/srv/x", server) && !isGood("x", server, server: nil))
  }

  @Test func `a driver that is not installed is named, with those that are`() throws {
    let connector = try ODBCConnector.kind.open(["driver": "Nirgends", "server": "h", "password": "geheim"])
    #expect { try connector.probe() } throws: { error in
      let error = error as? ConnectorError
      return error?.code == "odbc.driver-missing" && error?.kind == .permanent
        && error?.message.chinese.contains("Nirgends") == true
        && error?.message.english.contains("PostgreSQL Unicode") == true
        && !"\(error?.message.english ?? "")".contains("geheim")
    }
  }

  @Test(arguments: [
    ("Microsoft SQL Server", ODBCDialect.sqlserver), ("Oracle", .oracle), ("DM DBMS", .dm), ("DM8", .dm),
    ("PostgreSQL", .postgresql), ("KingbaseES", .postgresql), ("SQLite", .sqlite), ("MySQL", .generic), ("", .generic),
  ])
  func `a product is known by its name`(name: String, dialect: ODBCDialect) {
    #expect(ODBCDialect(product: name) == dialect)
  }

  @Test(arguments: [
    ("名称", true), (String(repeating: "名", count: 21), true), (String(repeating: "名", count: 22), false), ("a ", false),
    ("😀", false), ("", false), ("sj_row", false), ("a\"b", false), ("a?b", false), ("a]b", false),
  ])
  func `a name that cannot be made everywhere is refused`(name: String, isGood: Bool) {
    #expect((ODBCConnector.kind.nameFault(name) == nil) == isGood)
  }

  @Test(arguments: [
    ("08S01", 0, ODBCDialect.postgresql, ConnectorError.Kind.retryable), ("40001", 0, .postgresql, .retryable),
    ("40P01", 0, .postgresql, .retryable), ("HYT00", 0, .sqlserver, .retryable), ("53100", 0, .postgresql, .retryable),
    ("28000", 18456, .sqlserver, .permanent), ("42501", 0, .postgresql, .permanent),
    ("42S02", 208, .sqlserver, .contract),
    ("42P01", 0, .postgresql, .contract), ("42703", 0, .postgresql, .contract), ("22001", 0, .postgresql, .data),
    ("23505", 0, .postgresql, .data), ("23000", 2627, .sqlserver, .data), ("HY000", 1205, .sqlserver, .retryable),
    ("HY000", 60, .oracle, .retryable), ("HY000", 942, .oracle, .contract), ("HY000", 5, .sqlite, .retryable),
    ("HY000", 13, .sqlite, .retryable), ("HY000", 19, .sqlite, .data), ("IM003", 0, .generic, .permanent),
  ])
  func `a state says what happens next`(state: String, native: Int, dialect: ODBCDialect, kind: ConnectorError.Kind) {
    let found = ODBCDiagnosis(state: state, native: native, said: "geheim")
    #expect(ODBCError.error(found, dialect).kind == kind)
    if ["22", "23", "42"].contains(state.prefix(2)), dialect != .postgresql || state.prefix(2) != "42" {
      #expect(!"\(ODBCError.error(found, dialect))".contains("geheim"))
    }
  }
}
