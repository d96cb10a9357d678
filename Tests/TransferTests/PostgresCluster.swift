import Foundation

@testable import ConnectorPostgreSQL

/// A private cluster in a temporary folder, started once and stopped when the tests end. Tests that stop the server on
/// purpose make their own.
final class PostgresCluster: @unchecked Sendable {
  static let shared = try! PostgresCluster()

  let folder: String
  let port = 5432
  private static let bin = "/usr/lib/postgresql/15/bin"

  init() throws {
    var template = Array("/tmp/sanjiang-transfer-XXXXXX".utf8CString)
    folder = String(cString: mkdtemp(&template))
    try Self.shell("chown postgres \(folder); chmod 755 \(folder)")
    try asPostgres("\(Self.bin)/initdb -D \(folder)/data -E UTF8 --locale=C.UTF-8 -A trust --no-sync")
    try start()
    let path = folder
    PostgresClusters.remember(path)
  }

  func start() throws {
    try asPostgres(
      """
      \(Self.bin)/pg_ctl -D \(folder)/data -w -l \(folder)/log -o "-c listen_addresses='' -k \(folder) -p \(port) \
      -c fsync=off -c max_connections=50" start
      """)
  }

  func stop(_ mode: String) throws { try asPostgres("\(Self.bin)/pg_ctl -D \(folder)/data -m \(mode) -w stop") }

  func remove() {
    try? stop("immediate")
    try? FileManager.default.removeItem(atPath: folder)
  }

  private func asPostgres(_ command: String) throws {
    try Self.shell(geteuid() == 0 ? "runuser -u postgres -- sh -c '\(command.replacing("'", with: "'\\''"))'" : command)
  }

  /// Not Foundation's Process: it waits for a descriptor that the server inherits and keeps open.
  private static func shell(_ command: String) throws {
    guard system("cd /; (\(command)) >/dev/null 2>&1 </dev/null") == 0 else { throw Failure(command: command) }
  }

  struct Failure: Error { var command: String }

  func address(_ database: String = "postgres") -> PostgreSQLAddress {
    PostgreSQLAddress(address: "host=\(folder) port=\(port) user=postgres dbname=\(database)")
  }

  /// A fresh database.
  func database() throws -> PostgreSQLAddress {
    let name = "t" + UUID().uuidString.replacing("-", with: "").lowercased()
    try PostgreSQLConnection(address()).run("CREATE DATABASE \(name)")
    return address(name)
  }
}

/// Stops what is still running when the process ends.
enum PostgresClusters {
  nonisolated(unsafe) private static var folders: [String] = []

  static func remember(_ folder: String) {
    if folders.isEmpty {
      atexit {
        for folder in PostgresClusters.folders {
          let command =
            "cd /; \(geteuid() == 0 ? "runuser -u postgres -- " : "")/usr/lib/postgresql/15/bin/pg_ctl -D \(folder)/data -m immediate stop >/dev/null 2>&1; rm -rf \(folder)"
          _ = system(command)
        }
      }
    }
    folders.append(folder)
  }
}
