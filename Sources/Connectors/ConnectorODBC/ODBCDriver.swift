import CODBC
import Connecting
import Kernel

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// A driver that the operator installed (`odbcinst.ini`). A department picks one by name; where its library lies is no
/// business of theirs.
struct ODBCDriver: Hashable, Sendable {
  /// As `odbcinst -q -d` lists it: `PostgreSQL Unicode`.
  var name: String
  /// The library as the operator wrote it.
  var library: String
  /// It takes UTF-16. One that does not is spoken to in UTF-8: the driver manager's own conversion knows neither Chinese
  /// without the right locale nor characters of four bytes with it.
  var isWide: Bool

  /// What is used before the database has said what it is.
  var dialect: ODBCDialect {
    let file = library.split(separator: "/").last.map { $0.lowercased() } ?? ""
    let known: [(String, ODBCDialect)] = [
      ("psqlodbc", .postgresql), ("kdbodbc", .postgresql), ("gsqlodbc", .postgresql), ("sqliteodbc", .sqlite),
      ("sqlite3odbc", .sqlite), ("msodbcsql", .sqlserver), ("tdsodbc", .sqlserver), ("sqora", .oracle),
      ("dodbc", .dm),
    ]
    return known.first { file.contains($0.0) }?.1 ?? .generic
  }

  var isFreeTDS: Bool { library.lowercased().contains("tdsodbc") }

  /// Its databases are files of this machine.
  var readsFiles: Bool {
    dialect == .sqlite || ["mdbodbc", "duckdb", "libmdb"].contains { library.lowercased().contains($0) }
  }

  /// All there are, by name.
  static func installed() throws(ConnectorError) -> [ODBCDriver] {
    guard let environment = ODBCEnvironment.shared else { throw ODBCEnvironment.missing }
    var found: [ODBCDriver] = []
    var (name, about) = ([SQLCHAR](repeating: 0, count: 256), [SQLCHAR](repeating: 0, count: 4096))
    var (nameLength, aboutLength): (SQLSMALLINT, SQLSMALLINT) = (0, 0)
    var direction = SQLUSMALLINT(SQL_FETCH_FIRST)
    // The manager keeps its place in the list in the environment, which all threads share.
    ODBCEnvironment.listing.change { _ in
      while SQLDrivers(environment, direction, &name, 256, &nameLength, &about, 4096, &aboutLength) & ~1 == 0 {
        direction = SQLUSMALLINT(SQL_FETCH_NEXT)
        let pairs = about.prefix(Int(max(0, aboutLength))).split(separator: 0).map {
          String(decoding: $0, as: UTF8.self)
        }
        let library = pairs.first { $0.lowercased().hasPrefix("driver=") }.map { String($0.dropFirst(7)) } ?? ""
        found.append(
          ODBCDriver(name: String(decoding: name.prefix { $0 != 0 }, as: UTF8.self), library: library, isWide: true))
      }
    }
    return found.sorted { $0.name < $1.name }
  }

  static func named(_ name: String) throws(ConnectorError) -> ODBCDriver {
    let all = try installed()
    guard
      var found = all.first(where: { $0.name == name })
        ?? all.first(where: { $0.name.lowercased() == name.lowercased() })
    else {
      let list = all.map(\.name).joined(separator: "、")
      throw ConnectorError(
        .permanent, "odbc.driver-missing",
        Text(
          "本节点没有安装名为“\(name)”的 ODBC 驱动，请联系平台运维人员安装。已安装：\(list.isEmpty ? "无" : list)。",
          "No ODBC driver named “\(name)” is installed on this node; the operator installs it. Installed: \(list.isEmpty ? "none" : all.map(\.name).joined(separator: ", "))."
        ))
    }
    found.isWide = takesUTF16(found.library)
    return found
  }

  /// Also keeps the library in memory for good: the manager takes it out with the last connection, and drivers leave
  /// threads and handlers behind that would then point nowhere.
  private static func takesUTF16(_ library: String) -> Bool {
    let folders =
      library.contains("/")
      ? [""]
      : ["", "/usr/lib/x86_64-linux-gnu/odbc/", "/usr/lib/aarch64-linux-gnu/odbc/", "/usr/lib/odbc/", "/usr/lib64/"]
    for folder in folders {
      #if canImport(Glibc)
        guard let handle = dlopen(folder + library, RTLD_NOW | RTLD_NODELETE) else { continue }
      #else
        guard let handle = dlopen(folder + library, RTLD_NOW) else { continue }
      #endif
      return dlsym(handle, "SQLDriverConnectW") != nil
    }
    return true
  }
}

/// The driver manager, once for the process.
enum ODBCEnvironment {
  nonisolated(unsafe) static let shared: SQLHENV? = {
    var handle: SQLHANDLE?
    guard SQLAllocHandle(SQLSMALLINT(SQL_HANDLE_ENV), nil, &handle) & ~1 == 0 else { return nil }
    SQLSetEnvAttr(handle, SQLINTEGER(SQL_ATTR_ODBC_VERSION), SQLPOINTER(bitPattern: UInt(SQL_OV_ODBC3)), 0)
    return handle
  }()

  static let listing = Monitor(())

  static let missing = ConnectorError(
    .retryable, "odbc.memory", Text("无法启动 ODBC 驱动管理器。", "The ODBC driver manager cannot be started."))
}
