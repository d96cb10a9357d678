import Connecting
import ConnectorPostgreSQL
import Foundation
import Kernel
import TestKit

/// The engine beside what else moves tables, all in one run on one machine: PostgreSQL, MariaDB and CSV to PostgreSQL.
///
/// Everybody goes over TCP on the loopback to the same servers. Each line is a program of its own, measured from its start
/// to its end: wall time, its CPU with that of whatever it started (wait4), its largest process, and the servers' CPU
/// (/proc/PID/stat: the first process, its living children, and those that ended). Rows in the target are counted after
/// each run: who delivers fewer than all is shown as failed, not as fast. No process shows less memory than this program has
/// when it starts it (about 30 MiB): the kernel counts that as its own.
struct ExchangeBench {
  private let rows: Int
  private let runs: Int
  /// How often who takes more than three times as long as ours is measured: what is so far off needs no five runs.
  private let slowRuns: Int
  private let peers: Peers

  init(_ arguments: [String]) {
    rows = arguments.first.flatMap { Int($0) } ?? 5_000_000
    runs = arguments.dropFirst().first.flatMap { Int($0) } ?? 5
    peers = Peers(arguments.dropFirst(2).first ?? "var/peers")
    slowRuns = min(runs, arguments.dropFirst(3).first.flatMap { Int($0) } ?? runs)
  }

  func run() async throws {
    let port = try Self.freePort()
    // Its socket is named by its port: whoever looks for it there must know.
    setenv("PGPORT", "\(port)", 1)
    let server = try PostgresServer(port: port)
    defer { server.remove() }
    let myPort = try Self.freePort()
    let mariadb = try MariaDBServer(settings: [
      "--bind-address=127.0.0.1", "--port=\(myPort)", "--local-infile=1", "--innodb-log-file-size=512M",
    ])
    defer { mariadb.remove() }
    let bench = try Bench(rows, server, port, mariadb, myPort)
    defer { bench.remove() }
    let slow = slowRuns < runs ? " (\(slowRuns) for who takes over three times as long as ours)" : ""
    print("\(rows) rows × 12 columns, medians of \(runs)\(slow), \(ProcessInfo.processInfo.activeProcessorCount) cores")
    for line in peers.versions { print("  " + line) }
    for group in [bench.fromPostgres(peers), bench.fromMariaDB(peers), bench.fromCSV(peers)] {
      try report(group, try measure(group, bench))
    }
  }

  /// Round after round, so that what changes on the machine meets all alike.
  private func measure(_ group: Bench.Group, _ bench: Bench) throws -> [String: [Measured]] {
    var found: [String: [Measured]] = [:]
    for round in 0..<runs {
      for line in group.lines {
        guard let command = line.command else { continue }
        if round >= slowRuns, let ours = group.lines.first.flatMap({ found[$0.title]?.first?.wall }),
          let own = found[line.title]?.first?.wall, own > 3 * ours
        {
          continue
        }
        try bench.prepare(line)
        var measured = try Measured.run(command, servers: bench.processes, scratch: bench.folder)
        let fault =
          measured.status != 0 ? "ended with state \(measured.status)" : bench.fault(line, measured.said)
        if let fault {
          measured.status = -1
          print("  \(line.title) FAILED: \(fault)\n    \(measured.said.suffix(600).replacing("\n", with: "\n    "))")
        }
        found[line.title, default: []].append(measured)
      }
    }
    return found
  }

  private func report(_ group: Bench.Group, _ found: [String: [Measured]]) throws {
    print("\n== \(group.title)")
    print(row(["", "rows/s", "wall s", "own CPU s/M", "servers' CPU s/M", "peak MiB", "ours is"]))
    let million = Double(rows) / 1e6
    func median(_ title: String, _ path: KeyPath<Measured, Double>) -> Double? {
      let all = found[title] ?? []
      let good = all.filter { $0.status == 0 }.map { $0[keyPath: path] }.sorted()
      return good.isEmpty || good.count < all.count ? nil : good[good.count / 2]
    }
    guard let ours = group.lines.first?.title else { return }
    for line in group.lines {
      guard line.command != nil else {
        print(row([line.title, "missing: \(line.missing)"]))
        continue
      }
      guard let wall = median(line.title, \.wall), let cpu = median(line.title, \.cpu),
        let servers = median(line.title, \.serverCPU)
      else {
        print(row([line.title, "failed"]))
        continue
      }
      let peak = (found[line.title] ?? []).map(\.peakMiB).max() ?? 0
      var verdict = ""
      if let floor = line.floor, let own = median(line.against ?? ours, \.wall) {
        let ratio = wall / own
        verdict =
          floor == 0
          ? String(format: "%.2f×", ratio)
          : String(format: "%.2f× (floor %.1f: %@)", ratio, floor, ratio >= floor ? "met" : "MISSED")
      }
      print(
        row([
          line.title, "\(Int(Double(rows) / wall / 1000))k", String(format: "%.2f", wall),
          String(format: "%.2f", cpu / million), String(format: "%.2f", servers / million), "\(peak)", verdict,
        ]))
      if line.isLimited {
        let cost = cpu / million
        print(
          String(
            format: "    our CPU %.2f s/M (limit 1.2: %@), our memory %d MiB (limit 96: %@)", cost,
            cost <= 1.2 ? "met" : "MISSED", peak, peak <= 96 ? "met" : "MISSED"))
      }
    }
  }

  private func row(_ fields: [String]) -> String {
    zip(fields, [60, 10, 9, 13, 18, 10, 0]).map { $0.padding(toLength: max($1, $0.count), withPad: " ", startingAt: 0) }
      .joined()
  }

  private static func freePort() throws -> Int {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(listener) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(listener, $0, length) == 0 && getsockname(listener, $0, &length) == 0
      }
    }
    guard isBound else { throw ConnectorError(.permanent, "bench.port", Text(same: "no free port")) }
    return Int(UInt16(bigEndian: address.sin_port))
  }
}

/// The other programs: where they lie and which they are. What is not there is named as missing.
struct Peers {
  let sling: String?
  let pgloader: String?
  let dlt: String?
  let psql: String
  private(set) var versions: [String] = []

  init(_ folder: String) {
    func said(_ command: String) -> String? {
      let answer = try? Measured.run(command, servers: [], scratch: "/tmp")
      guard let answer, answer.status == 0 else { return nil }
      return answer.said.split(separator: "\n").first.map(String.init)
    }
    let found = said("ls \(folder)/lib/python3*/site-packages/sling_linux_amd64/bin/sling-linux-amd64")
    sling = found
    pgloader = said("command -v pgloader")
    psql = said("ls -v /usr/lib/postgresql/*/bin/psql | tail -1") ?? "psql"
    let python = folder + "/bin/python"
    dlt = said("\(python) -c 'import dlt, psycopg2, pyarrow'  && echo yes") == nil ? nil : python
    versions = [
      "psql: " + (said("\(psql) --version") ?? "missing"),
      "sling: " + (found.flatMap { said("\($0) --version") } ?? "missing (\(folder) has no sling-linux-amd64)"),
      "pgloader: " + (said("pgloader --version 2>&1") ?? "missing (no Debian package pgloader)"),
      "dlt: "
        + (dlt.flatMap { said("\($0) -c 'import dlt; print(dlt.__version__)'") } ?? "missing (\(folder) has no dlt)"),
    ]
  }
}
