import Foundation
import Synchronization

/// A MariaDB server of a test's own: its data in a temporary folder, reached by a socket there, ended by its pid.
///
/// A small shell watches this process and ends the server and its folder when the process is gone, however it went.
package final class MariaDBServer: Sendable {
  package struct Failure: Error, CustomStringConvertible {
    package var description: String
  }

  package enum StopMode: Sendable {
    case fast
    /// As after a power cut.
    case kill
  }

  /// One for all tests of a process, made when first asked for.
  package static let shared = Result { try MariaDBServer(durable: false) }

  /// Another, which keeps the log that changes are followed by.
  package static let logging = Result { try MariaDBServer(durable: false, settings: ["--skip-networking"] + logs) }

  /// What a server needs before its changes can be followed.
  package static let logs = [
    "--log-bin=binlog", "--server-id=7", "--binlog-format=ROW", "--binlog-row-image=FULL", "--binlog-row-metadata=FULL",
  ]

  package let folder: String
  private let settings: [String]
  private let process = Mutex<Int32?>(nil)

  /// `settings` as on the command line: `--port=…` with `--bind-address=127.0.0.1` for a test of TCP.
  package init(durable: Bool = true, settings extra: [String] = ["--skip-networking"]) throws {
    let folder = "/tmp/sanjiang-my-" + String(UUID().uuidString.prefix(8)).lowercased()
    self.folder = folder
    let own = geteuid() == 0 ? ["--user=root"] : []
    settings =
      [
        "--no-defaults", "--datadir=\(folder)/data", "--socket=\(folder)/socket", "--pid-file=\(folder)/pid",
        "--skip-log-bin", "--max-connections=1000", "--innodb-buffer-pool-size=64M", "--character-set-server=utf8mb4",
        "--skip-name-resolve", "--log-error=\(folder)/errors",
        // A server that starts removes every temporary file of any server in its folder for them.
        "--tmpdir=\(folder)",
      ] + own + extra
      + (durable
        ? []
        : [
          "--innodb-flush-log-at-trx-commit=0", "--innodb-flush-method=nosync", "--skip-innodb-doublewrite",
          "--debug-no-sync",
        ])
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    // Removes what this process left behind, and first ends the server that still runs in it.
    afterThisProcess(removing: folder, "[ -e \"$1/pid\" ] && kill -KILL $(cat \"$1/pid\") 2>/dev/null; sleep 1")
    try Tool.run(
      try Self.tool("mariadb-install-db"),
      ["--no-defaults", "--datadir=\(folder)/data", "--auth-root-authentication-method=normal", "--skip-test-db"] + own
        + ["--debug-no-sync", "--innodb-log-file-size=16M", "--tmpdir=\(folder)"])
    try start()
  }

  package func start() throws {
    let server = Process()
    server.executableURL = URL(fileURLWithPath: try Self.tool("mariadbd"))
    server.arguments = settings
    server.standardOutput = FileHandle.nullDevice
    server.standardError = FileHandle.nullDevice
    server.standardInput = FileHandle.nullDevice
    try server.run()
    for _ in 0..<600 {
      if (try? query("SELECT 1", on: "mysql")) != nil {
        process.withLock { $0 = server.processIdentifier }
        return
      }
      usleep(50_000)
    }
    let said = (try? String(contentsOfFile: folder + "/errors", encoding: .utf8)) ?? ""
    throw Failure(description: "MariaDB did not start in \(folder): \(said.suffix(500))")
  }

  package func stop(_ mode: StopMode = .fast) {
    guard
      let pid = process.withLock({ pid in
        defer { pid = nil }
        return pid
      })
    else { return }
    kill(pid, mode == .kill ? SIGKILL : SIGTERM)
    for _ in 0..<1200 {
      if kill(pid, 0) != 0 { break }
      usleep(25_000)
    }
    if mode == .kill { for name in ["pid", "socket"] { unlink(folder + "/" + name) } }
  }

  /// Lets it take connections and answer nothing, until `thaw`.
  package func freeze() { process.withLock { if let pid = $0 { kill(pid, SIGSTOP) } } }
  package func thaw() { process.withLock { if let pid = $0 { kill(pid, SIGCONT) } } }

  package func remove() {
    thaw()
    stop(.kill)
    try? FileManager.default.removeItem(atPath: folder)
  }

  /// Where it listens; its user `root` needs no password.
  package var socket: String { folder + "/socket" }

  /// Makes an empty database with the server's own character set and answers its name.
  package func makeDatabase() throws -> String {
    let name = "t" + UUID().uuidString.replacingOccurrences(of: "-", with: "").lowercased().prefix(16)
    try query("CREATE DATABASE \(name) CHARACTER SET utf8mb4", on: "mysql")
    return String(name)
  }

  package func dropDatabase(_ name: String) throws { try query("DROP DATABASE IF EXISTS \(name)", on: "mysql") }

  /// Runs SQL through its own client and answers what it printed, columns parted by tabs.
  @discardableResult
  package func query(_ sql: String, on database: String) throws -> String {
    try Tool.run(
      try Self.tool("mariadb"),
      [
        "--no-defaults", "--socket=\(socket)", "--user=root", "--default-character-set=utf8mb4", "-N", "-B", "-e", sql,
        database,
      ])
  }

  private static func tool(_ name: String) throws -> String {
    for folder in ["/usr/sbin", "/usr/bin", "/usr/local/bin"] {
      let path = "\(folder)/\(name)"
      if FileManager.default.isExecutableFile(atPath: path) { return path }
    }
    throw Failure(description: "\(name) is not installed; scripts/install-packages test installs it")
  }
}

/// Runs a test with a server of its own, which it may stop, kill and start again.
package func withMariaDBServer<T>(
  durable: Bool = true, settings: [String] = ["--skip-networking"], isolation: isolated (any Actor)? = #isolation,
  _ body: (MariaDBServer) async throws -> T
) async throws -> T {
  let server = try MariaDBServer(durable: durable, settings: settings)
  defer { server.remove() }
  return try await body(server)
}
