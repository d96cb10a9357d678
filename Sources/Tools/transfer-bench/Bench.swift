import Connecting
import ConnectorMariaDB
import ConnectorPostgreSQL
import ConnectorSQLite
import Foundation
import Kernel
import Reshaping
import Synchronization
import TestKit
import Transfer

/// Wall time, own CPU and peak memory of this process.
struct Usage {
  var wall: Double
  var cpu: Double
  var peakMiB: Int

  static func now() -> Usage {
    var usage = rusage()
    getrusage(0 /* RUSAGE_SELF, whose C type differs between libraries */, &usage)
    func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Usage(
      wall: Double(time.tv_sec) + Double(time.tv_nsec) / 1e9, cpu: seconds(usage.ru_utime) + seconds(usage.ru_stime),
      peakMiB: usage.ru_maxrss / 1024)
  }

  static func - (a: Usage, b: Usage) -> Usage { Usage(wall: a.wall - b.wall, cpu: a.cpu - b.cpu, peakMiB: a.peakMiB) }
}

func shell(_ command: String) throws {
  guard system(command) == 0 else { throw ConnectorError(.permanent, "bench.shell", Text(same: command)) }
}

/// In a process of its own: what making the sample needs is not the engine's memory.
func sample(_ rows: Int, _ file: String) throws { try shell("'\(CommandLine.arguments[0])' sample \(rows) '\(file)'") }

/// One delivery through the whole engine: validate, mask a column, sums, digests, offsets in the target's transactions.
struct EngineRun {
  var write: Usage
  var verify: Usage
  var outcome: DeliveryOutcome

  /// `reshaped`: with a filter, two expressions, three tokens, a generalised date and four rules on the way. `plain`:
  /// nothing checked but types, lengths and keys, nothing masked.
  static func measure(
    _ source: any Connector, _ target: any Connector, table: String, into: String, reshaped: Bool = false,
    plain: Bool = false, hasCursor: Bool = true, told: @escaping @Sendable (DeliveryProgress) -> Void = { _ in }
  ) async throws -> EngineRun {
    var plan = plan(table: table, into: into)
    if !hasCursor { plan.cursor = nil }
    if reshaped { try reshape(&plan) }
    if plain {
      for index in plan.items.indices { (plan.items[index].check, plan.items[index].mask) = (.none, .none) }
    }
    let last = Mutex(Usage.now())
    let control = DeliveryControl(
      progress: { progress in
        last.withLock { $0 = .now() }
        told(progress)
      }, quarantine: { _ in })
    let start = Usage.now()
    let outcome = try await Delivery(plan, control: control).run(from: source, to: target)
    let end = Usage.now()
    let written = last.withLock { $0 }
    return EngineRun(write: written - start, verify: end - written, outcome: outcome)
  }

  /// The sample's grant: a credit code checked, a person's name masked.
  static func plan(table: String, into: String) -> DeliveryPlan {
    DeliveryPlan(
      grant: "bench", run: "bench", fence: 1, mode: .full, source: TableName(table), target: TableName(into),
      items: [
        ItemContract("id", .integer), ItemContract("uscc", .text, length: 18, check: .creditCode),
        ItemContract("name", .text, length: 60),
        ItemContract("legal_person", .text, length: 20, mask: .keepHeadTail(1, 0)),
        ItemContract("capital", .decimal(precision: 18, scale: 2)), ItemContract("established", .date),
        ItemContract("address", .text, length: 120), ItemContract("industry", .text, length: 40),
        ItemContract("status", .text, length: 8), ItemContract("phone", .text, length: 20),
        ItemContract("staff", .integer),
        ItemContract("changed", .timestamp),
      ], key: ["id"], cursor: .init("changed", .timestamp), secret: Array("0123456789abcdef".utf8),
      providerKey: Array("0123456789abcdef".utf8))
  }

  private static func reshape(_ plan: inout DeliveryPlan) throws {
    plan.onTheWay.filter = "status = '存续' AND capital >= 0"
    plan.items[1].mask = .reshaped(.token(.creditCode))
    plan.items[2].source = .expression("TRIM(name) || '（' || LEFT(uscc, 2) || '）'")
    plan.items[2].rules = [
      QualityRule("length", .length(least: 4, most: 60)), QualityRule("form", .format("青海\\h+.*"), .warn),
    ]
    plan.items[3].mask = .reshaped(.token(.text))
    plan.items[4].source = .expression("ROUND(capital / 10000, 2)")
    plan.items[4].rules = [QualityRule("capital", .number(least: "0", most: nil))]
    plan.items[5].mask = .reshaped(.period(.year))
    plan.items[9].mask = .reshaped(.token(.mobile))
    plan.onTheWay.rules = [QualityRule("staff", .holds("staff >= 0"), .warn)]
    plan.onTheWay.consulted = [
      .init("name", .text), .init("capital", .decimal(precision: 18, scale: 2)),
    ]
  }

  /// `limited`: the figures that have limits; with SQLite the database's own work is ours too, so they have none.
  func report(_ rows: Int, peer: String, _ peerSeconds: Double, limited: Bool) {
    let million = Double(rows) / 1e6
    func line(_ title: String, _ value: String) {
      print(title.padding(toLength: 42, withPad: " ", startingAt: 0) + value)
    }
    func fixed(_ value: Double, _ places: Int = 2) -> String { String(format: "%.\(places)f", value) }
    line(
      "rows, quarantined, receipts agree",
      "\(rows), \(outcome.provider.counts.quarantined), \(outcome.disagreement == nil)")
    line(peer, "\(fixed(peerSeconds)) s, \(Int(Double(rows) / peerSeconds / 1000))k rows/s")
    line("engine, delivered and committed", "\(fixed(write.wall)) s, \(Int(Double(rows) / write.wall / 1000))k rows/s")
    line("ratio engine/peer in rows/s" + (limited ? " (limit 0.80)" : ""), fixed(peerSeconds / write.wall))
    line("own CPU delivering, s/million" + (limited ? " (limit 1.50)" : ""), fixed(write.cpu / million))
    line("own CPU reading back, s/million", fixed(verify.cpu / million) + ", wall \(fixed(verify.wall)) s")
    line("peak memory, MiB (limit 96)", "\(verify.peakMiB)")
  }
}

struct PostgresBench {
  var rows: Int
  var reshaped = false

  func run() async throws {
    let server = try PostgresServer()
    defer { server.remove() }
    let target = try server.makeDatabase()
    let source = try Sample.database(rows, on: server)
    try server.query("CREATE INDEX ON legal_person (changed)", on: source)
    try server.query("VACUUM ANALYZE legal_person", on: source)
    try server.query("CREATE TABLE peer (\(Sample.definition))", on: target)
    try server.query("CHECKPOINT", on: target)
    var peer: [Double] = []
    for _ in 0..<3 {
      try server.query("TRUNCATE peer", on: target)
      try server.query("CHECKPOINT", on: target)
      let start = Usage.now()
      try shell(
        "psql -q -X -d '\(server.address(of: source))' -c 'COPY legal_person TO STDOUT' | psql -q -X -d '\(server.address(of: target))' -c 'COPY peer FROM STDIN'"
      )
      peer.append((Usage.now() - start).wall)
      try server.query("DROP TABLE IF EXISTS copy, sj_offset, sj_batch", on: target)
      try server.query("CHECKPOINT", on: target)
      let run = try await EngineRun.measure(
        PostgreSQLConnector(PostgreSQLAddress(address: server.address(of: source))),
        PostgreSQLConnector(PostgreSQLAddress(address: server.address(of: target))), table: "legal_person",
        into: "copy",
        reshaped: reshaped)
      run.report(rows, peer: "psql COPY TO | psql COPY FROM (text)", peer.last ?? 0, limited: true)
      print("")
    }
  }
}

struct MariaDBBench {
  var rows: Int

  func run() async throws {
    let server = try MariaDBServer(settings: ["--skip-networking", "--local-infile=1", "--innodb-log-file-size=512M"])
    defer { server.remove() }
    let (source, target) = (try server.makeDatabase(), try server.makeDatabase())
    let file = server.folder + "/sample.tsv"
    try sample(rows, file)
    // What this server takes for a time has no zone behind it.
    try shell("sed -i 's/+00$//' '\(file)'")
    let columns =
      "id bigint PRIMARY KEY, uscc varchar(18), name varchar(60), legal_person varchar(20), capital decimal(18,2), established date, address varchar(120), industry varchar(40), status varchar(8), phone varchar(20), staff bigint, changed datetime(6)"
    let client =
      "mariadb --no-defaults --socket='\(server.socket)' --user=root --default-character-set=utf8mb4 --local-infile"
    let load = "LOAD DATA LOCAL INFILE '%' INTO TABLE"
    try server.query("CREATE TABLE legal_person (\(columns), KEY (changed))", on: source)
    try shell("\(client) \(source) -e \"\(load.replacing("%", with: file)) legal_person\"")
    try server.query("CREATE TABLE peer (\(columns))", on: target)
    for _ in 0..<3 {
      try server.query("TRUNCATE peer", on: target)
      let start = Usage.now()
      try shell(
        "\(client) --quick -N -B \(source) -e 'SELECT * FROM legal_person ORDER BY id' | \(client) \(target) -e \"\(load.replacing("%", with: "/dev/stdin")) peer\""
      )
      let peer = (Usage.now() - start).wall
      try server.query("DROP TABLE IF EXISTS copy, sj_offset, sj_batch", on: target)
      func connector(_ database: String) -> MariaDBConnector {
        MariaDBConnector(MariaDBAddress(host: "", database: database, user: "root", zone: 0, socket: server.socket))
      }
      try reading(connector(source))
      let run = try await EngineRun.measure(connector(source), connector(target), table: "legal_person", into: "copy")
      run.report(rows, peer: "mariadb SELECT | LOAD DATA LOCAL", peer, limited: false)
      print("")
    }
  }

  /// The reader alone: what it costs to bring rows into canonical bytes.
  private func reading(_ source: MariaDBConnector) throws {
    let columns: [ReadPlan.Column] = zip(
      Sample.columns,
      [
        .integer, .text, .text, .text, .decimal(precision: 18, scale: 2), .date, .text, .text, .text, .text, .integer,
        .timestamp,
      ] as [ValueType]
    ).map { ReadPlan.Column($0, $1) }
    let start = Usage.now()
    let reader = try source.openReader(ReadPlan(table: TableName("legal_person"), columns: columns, key: [0]))
    defer { reader.close() }
    let batch = RowBatch()
    while try reader.read(into: batch) != .end {}
    let used = Usage.now() - start
    print(
      "reading alone".padding(toLength: 42, withPad: " ", startingAt: 0)
        + String(
          format: "%.2f s, %.0fk rows/s, own CPU %.2f s/million", used.wall, Double(rows) / used.wall / 1000,
          used.cpu / Double(rows) * 1e6))
  }
}

struct SQLiteBench {
  var rows: Int

  func run() async throws {
    try await withTemporaryFolder { folder in
      try sample(rows, folder + "/sample.tsv")
      let columns =
        "id INTEGER PRIMARY KEY, uscc VARCHAR(18), name VARCHAR(60), legal_person VARCHAR(20), capital DECIMAL_TEXT(18,2), established DATE, address VARCHAR(120), industry VARCHAR(40), status VARCHAR(8), phone VARCHAR(20), staff INTEGER, changed TIMESTAMP"
      try shell(
        "cd \(folder) && printf '%s\\n' 'CREATE TABLE legal_person (\(columns));' '.mode tabs' '.import sample.tsv legal_person' 'CREATE INDEX c ON legal_person (changed);' | sqlite3 source.db"
      )
      for _ in 0..<3 {
        try shell("rm -f \(folder)/peer.db \(folder)/copy.db; sync")
        let start = Usage.now()
        try shell(
          "cd \(folder) && sqlite3 peer.db \"PRAGMA synchronous=FULL; CREATE TABLE legal_person (\(columns)); ATTACH 'source.db' AS s; INSERT INTO legal_person SELECT * FROM s.legal_person ORDER BY id\""
        )
        let peer = (Usage.now() - start).wall
        let run = try await EngineRun.measure(
          SQLiteConnector(path: folder + "/source.db"), SQLiteConnector(path: folder + "/copy.db"),
          table: "legal_person",
          into: "copy")
        run.report(rows, peer: "sqlite3 ATTACH + INSERT SELECT", peer, limited: false)
        print("")
      }
    }
  }
}
