import Foundation
import TestKit

/// The servers of one lane of runs, which it may kill, with the databases that all its runs share.
final class Rig {
  enum Server: String, CaseIterable {
    case source, target, mariadb
  }

  let folder: String
  private let postgres: [Server: PostgresServer]
  private let mariadb: MariaDBServer
  private let databases: [String: String]
  private var down: Set<Server> = []
  /// A disk of its own that is soon full; nil where this process may not mount one.
  let disk: SmallDisk?

  init() throws {
    folder = "/tmp/sanjiang-torture-" + UUID().uuidString.prefix(8).lowercased()
    try FileManager.default.createDirectory(atPath: folder + "/stopped", withIntermediateDirectories: true)
    chmod(folder, 0o755)
    // Whatever becomes of this process: no worker stays stopped, nothing stays mounted, nothing is left.
    _ = try Child([
      "/usr/bin/setsid", "-f", "/bin/sh", "-c",
      """
      exec >/dev/null 2>&1; while [ -d "$1" ] && kill -0 \(getpid()) 2>/dev/null; do sleep 1; done
      for worker in "$1"/stopped/*; do kill -KILL "${worker##*/}"; done
      umount "$1/disk"; rm -rf "$1"
      """, "sh", folder,
    ]).abandoned()
    let receiving = try PostgresServer()
    postgres = [.source: try PostgresServer(), .target: receiving]
    // What a killed process has written to its files is the kernel's: waiting for the disk would only take time.
    for server in postgres.values {
      for statement in ["ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()"] {
        try server.query(statement, on: "postgres")
      }
    }
    mariadb = try MariaDBServer(settings: [
      "--skip-networking", "--innodb-log-file-size=48M", "--innodb-flush-log-at-trx-commit=2", "--debug-no-sync",
      "--innodb-flush-method=nosync",
    ])
    var databases: [String: String] = [:]
    for (server, postgres) in postgres { databases[server.rawValue] = try postgres.makeDatabase() }
    for side in ["source", "target"] { databases["mariadb-" + side] = try mariadb.makeDatabase() }
    disk = try SmallDisk(at: folder + "/disk", receiving)
    self.databases = databases
  }

  func remove() {
    disk?.remove()
    for server in postgres.values { server.remove() }
    mariadb.remove()
    try? FileManager.default.removeItem(atPath: folder)
  }

  // MARK: Databases

  /// `own`: for what has a file of its own, its name.
  func database(_ product: Database.Product, _ side: Server, own: String) -> Database {
    let place =
      switch product {
      case .postgresql: postgres[side]?.address(of: databases[side.rawValue] ?? "") ?? ""
      case .sqlite: "\(folder)/\(own)-\(side.rawValue).db"
      case .mariadb: "\(mariadb.socket)|\(databases["mariadb-" + side.rawValue] ?? "")"
      }
    return Database(product: product, place: place, scratch: folder)
  }

  func server(of product: Database.Product, _ side: Server) -> Server? {
    switch product {
    case .postgresql: side
    case .sqlite: nil
    case .mariadb: .mariadb
    }
  }

  /// The same database through a proxy, which tears the way there.
  func proxied(_ database: Database, _ side: Server, bytes: Int) throws -> (place: String, proxy: Proxy) {
    let name = folder + "/way-" + UUID().uuidString.prefix(6).lowercased()
    try FileManager.default.createDirectory(atPath: name, withIntermediateDirectories: true)
    if database.product == .mariadb {
      let path = name + "/socket"
      let parts = database.place.split(separator: "|").map(String.init)
      return ("\(path)|\(parts[1])", try Proxy(.path(path), to: .path(parts[0]), tears: [.init(nil, bytes)]))
    }
    let server = postgres[side]?.folder ?? ""
    let proxy = try Proxy(
      .path(name + "/.s.PGSQL.5432"), to: .path(server + "/.s.PGSQL.5432"), tears: [.init(nil, bytes)])
    return (database.place.replacing("host=\(server)", with: "host=\(name)"), proxy)
  }

  // MARK: Killing

  /// SIGKILL, as the kernel does when memory runs out: with all its processes, or its first one alone and the others a
  /// moment later.
  func kill(_ server: Server, _ chances: inout Chances) {
    down.insert(server)
    guard let postgres = postgres[server] else { return mariadb.stop(.kill) }
    let file = (try? String(contentsOfFile: postgres.folder + "/data/postmaster.pid", encoding: .utf8)) ?? ""
    guard let first = file.split(separator: "\n").first.flatMap({ pid_t($0) }) else { return }
    let others = Self.children(of: first)
    Glibc.kill(first, SIGKILL)
    if chances.percent(40) { usleep(UInt32(chances.number(0...4000))) }
    for process in others { Glibc.kill(process, SIGKILL) }
    postgres.stop(.kill)
    for process in others { while Self.isRunning(process) { usleep(500) } }
  }

  func start(_ server: Server) throws {
    if let postgres = postgres[server] { try postgres.start() } else { try mariadb.start() }
    down.remove(server)
  }

  /// After a run that failed in the middle of it all.
  func startAll() throws {
    for server in down { try start(server) }
    disk?.makeRoom()
  }

  /// One connection's process is killed: the server ends all others and recovers by itself.
  func killBackend(_ server: Server, _ chances: inout Chances) -> Bool {
    guard let postgres = postgres[server] else { return false }
    let file = (try? String(contentsOfFile: postgres.folder + "/data/postmaster.pid", encoding: .utf8)) ?? ""
    guard let first = file.split(separator: "\n").first.flatMap({ pid_t($0) }) else { return false }
    let backends = Self.children(of: first).filter { Self.title($0).contains("postgres: postgres") }
    guard let chosen = backends.randomElement(using: &chances) else { return false }
    Glibc.kill(chosen, SIGKILL)
    return true
  }

  /// Waits until it takes connections again.
  func waitFor(_ server: Server) throws {
    guard let postgres = postgres[server] else { return }
    let deadline = now() + 30
    while now() < deadline {
      if let answer = try? Child([Database.psql, "-X", "-q", "-d", postgres.address(of: "postgres"), "-c", "SELECT 1"])
        .end(within: 10),
        answer.status == 0
      {
        return
      }
      usleep(20_000)
    }
    throw Failure("\(server.rawValue) did not come back")
  }

  private static func children(of parent: pid_t) -> [pid_t] {
    let all = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return all.compactMap { pid_t($0) }.filter { stat($0)?.parent == parent }
  }

  private static func isRunning(_ process: pid_t) -> Bool { stat(process).map { $0.state != "Z" } ?? false }

  private static func stat(_ process: pid_t) -> (state: Substring, parent: pid_t)? {
    guard let text = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8),
      let end = text.lastIndex(of: ")")
    else { return nil }
    let fields = text[text.index(after: end)...].split(separator: " ")
    return fields.count > 1 ? pid_t(fields[1]).map { (fields[0], $0) } : nil
  }

  private static func title(_ process: pid_t) -> String {
    (try? String(contentsOfFile: "/proc/\(process)/cmdline", encoding: .utf8)) ?? ""
  }
}

extension Child {
  /// For a program that goes into the background by itself.
  func abandoned() -> Ending? { end(within: 5) }
}
