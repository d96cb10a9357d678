import Foundation
import Synchronization

/// A PostgreSQL server of a test's own: its data in a temporary folder, reached by a socket there, ended by its pid.
///
/// PostgreSQL refuses root, so as root its tools run as the user `postgres`. A small shell watches this process and ends
/// the server and its folder when the process is gone, however it went.
package final class PostgresServer: Sendable {
  package struct Failure: Error, CustomStringConvertible {
    package var description: String
  }

  package enum StopMode: String, Sendable {
    case fast = "INT"
    /// As after a power cut.
    case immediate = "QUIT"
    case kill = "KILL"
  }

  /// One for all tests of a process, made when first asked for; `SANJIANG_TEST_POSTGRES` names a running one instead.
  package static let shared = Result {
    if let address = ProcessInfo.processInfo.environment["SANJIANG_TEST_POSTGRES"] {
      return PostgresServer(running: address)
    }
    return try PostgresServer(durable: false)
  }

  package let folder: String
  private let settings: [String]
  package let port: Int?
  /// The address of a server that is not ours to stop.
  private let elsewhere: String?
  private let process = Mutex<Int32?>(nil)

  /// `port`: also listens there on 127.0.0.1, for what has no sockets in folders. `settings` as on the command line.
  package init(durable: Bool = true, port: Int? = nil, settings extra: [String] = []) throws {
    elsewhere = nil
    self.port = port
    let folder = "/tmp/sanjiang-pg-" + String(UUID().uuidString.prefix(8)).lowercased()
    self.folder = folder
    settings =
      [
        "-c", "listen_addresses=\(port == nil ? "" : "127.0.0.1")", "-c", "port=\(port ?? 5432)",
        "-c", "unix_socket_directories=\(folder)", "-c", "max_connections=1000",
        "-c", "wal_level=logical", "-c", "max_replication_slots=100", "-c", "max_wal_senders=100",
      ]
      + extra + (durable ? [] : ["-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"])
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    // Removes what this process left behind, and first ends the server that still runs in it.
    afterThisProcess(
      removing: folder,
      "[ -e \"$1/data/postmaster.pid\" ] && kill -QUIT $(head -1 \"$1/data/postmaster.pid\") 2>/dev/null; sleep 1")
    if geteuid() == 0 { try Tool.run("/bin/chown", ["postgres", folder]) }
    try Self.asPostgres([
      try Self.tool("initdb"), "-D", folder + "/data", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C",
      "--no-sync",
    ])
    try start()
  }

  private init(running address: String) {
    elsewhere = address
    port = nil
    folder = ""
    settings = []
  }

  /// The address of one of its databases.
  package func address(of database: String) -> String {
    guard let elsewhere else { return "host=\(folder) port=\(port ?? 5432) user=postgres dbname=\(database)" }
    guard var parts = URLComponents(string: elsewhere), parts.scheme != nil else {
      return "\(elsewhere) dbname=\(database)"
    }
    parts.path = "/" + database
    return parts.string ?? elsewhere
  }

  package func start() throws {
    var server = try launch()
    for _ in 0..<300 {
      // Children of a server that was killed hold its memory for a moment, and a new one does not start beside them.
      if !server.isRunning { server = try launch() }
      if let pid = postmaster,
        (try? Tool.run(try Self.tool("pg_isready"), ["-q", "-h", folder, "-p", "\(port ?? 5432)"])) != nil
      {
        process.withLock { $0 = pid }
        return
      }
      usleep(50_000)
    }
    throw Failure(description: "PostgreSQL did not start in \(folder)")
  }

  private func launch() throws -> Process {
    let command = [try Self.tool("postgres"), "-D", folder + "/data"] + settings
    let server = Process()
    (server.executableURL, server.arguments) = Self.wrapped(command)
    server.standardOutput = FileHandle.nullDevice
    server.standardError = FileHandle(forWritingAtPath: "/dev/null")
    server.standardInput = FileHandle.nullDevice
    try server.run()
    return server
  }

  package func stop(_ mode: StopMode = .fast) {
    guard
      let pid = process.withLock({ pid in
        defer { pid = nil }; return pid
      })
    else { return }
    let signal: Int32 = mode == .fast ? SIGINT : mode == .immediate ? SIGQUIT : SIGKILL
    kill(pid, signal)
    for _ in 0..<400 {
      if kill(pid, 0) != 0 { break }
      usleep(25_000)
    }
    if mode == .kill { try? FileManager.default.removeItem(atPath: folder + "/data/postmaster.pid") }
  }

  /// Lets it take connections and answer nothing, until `thaw`.
  package func freeze() { process.withLock { if let pid = $0 { kill(pid, SIGSTOP) } } }
  package func thaw() { process.withLock { if let pid = $0 { kill(pid, SIGCONT) } } }

  package func remove() {
    thaw()
    stop(.immediate)
    try? FileManager.default.removeItem(atPath: folder)
  }

  /// Makes an empty database, UTF-8 with the C collation, and answers its name.
  package func makeDatabase() throws -> String {
    let name = "t" + UUID().uuidString.replacingOccurrences(of: "-", with: "").lowercased().prefix(16)
    try query("CREATE DATABASE \(name) TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'", on: "postgres")
    return String(name)
  }

  package func dropDatabase(_ name: String) throws {
    try query("DROP DATABASE IF EXISTS \(name) WITH (FORCE)", on: "postgres")
  }

  /// Runs SQL through psql and answers what it printed, columns parted by `|`.
  @discardableResult
  package func query(_ sql: String, on database: String) throws -> String {
    try Tool.run(
      try Self.tool("psql"), ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", address(of: database), "-c", sql])
  }

  private var postmaster: Int32? {
    (try? String(contentsOfFile: folder + "/data/postmaster.pid", encoding: .utf8))?.split(separator: "\n").first
      .flatMap {
        Int32($0)
      }
  }

  // MARK: - Tools

  private static func tool(_ name: String) throws -> String {
    let versions = (try? FileManager.default.contentsOfDirectory(atPath: "/usr/lib/postgresql")) ?? []
    for version in versions.sorted(by: { (Int($0) ?? 0) > (Int($1) ?? 0) }) {
      let path = "/usr/lib/postgresql/\(version)/bin/\(name)"
      if FileManager.default.isExecutableFile(atPath: path) { return path }
    }
    throw Failure(description: "\(name) is not installed; scripts/install-packages test installs it")
  }

  private static func wrapped(_ command: [String]) -> (URL, [String]) {
    geteuid() == 0
      ? (URL(fileURLWithPath: "/usr/sbin/runuser"), ["-u", "postgres", "--"] + command)
      : (URL(fileURLWithPath: command[0]), Array(command.dropFirst()))
  }

  private static func asPostgres(_ command: [String]) throws {
    let (tool, arguments) = wrapped(command)
    try Tool.run(tool.path, arguments)
  }
}

/// Runs a test with a server of its own, which it may stop, kill and start again.
package func withPostgresServer<T>(
  durable: Bool = true, port: Int? = nil, isolation: isolated (any Actor)? = #isolation,
  _ body: (PostgresServer) async throws -> T
) async throws -> T {
  let server = try PostgresServer(durable: durable, port: port)
  defer { server.remove() }
  return try await body(server)
}
