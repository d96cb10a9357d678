import Connecting
import Foundation
import Kernel
import TestKit

/// The data of the exchange bench, and who moves it by which command.
final class Bench {
  struct Line {
    var title: String
    /// Nil when who should run it is not here.
    var command: String?
    /// The table of the target where the rows end up.
    var table: String
    /// Made before each run: the target's table with its primary key, for those who make none.
    var makesTable = false
    var isOurs = false
    /// Ours, with limits for its own processor time and memory.
    var isLimited = false
    /// How often as fast as this ours must be; 0 to show it only.
    var floor: Double?
    /// Which of ours is compared; the first line otherwise.
    var against: String?
    var missing = ""
  }

  struct Group {
    var title: String
    var lines: [Line]
  }

  let folder: String
  private let rows: Int
  private let server: PostgresServer
  private let mariadb: MariaDBServer
  private let port: Int
  private let myPort: Int
  private let (source, target): (String, String)
  private let mySource: String

  init(_ rows: Int, _ server: PostgresServer, _ port: Int, _ mariadb: MariaDBServer, _ myPort: Int) throws {
    (self.rows, self.server, self.port, self.mariadb, self.myPort) = (rows, server, port, mariadb, myPort)
    folder = "/tmp/sanjiang-exchange-" + UUID().uuidString.prefix(8).lowercased()
    try FileManager.default.createDirectory(atPath: folder + "/csv", withIntermediateDirectories: true)
    (source, target, mySource) = (try server.makeDatabase(), try server.makeDatabase(), try mariadb.makeDatabase())
    let file = folder + "/sample.tsv"
    try sample(rows, file)
    try query("CREATE TABLE legal_person (\(Sample.definition))", source)
    try shell("psql -q -X -d '\(address(source))' -c \"\\copy legal_person FROM '\(file)'\"")
    try query("VACUUM ANALYZE legal_person", source)
    // No value of the sample holds a comma, a quote or a line's end.
    try shell(
      "(echo id,uscc,name,legal_person,capital,established,address,industry,status,phone,staff,changed; tr '\\t' , < '\(file)') > '\(folder)/csv/legal_person.csv'"
    )
    try shell("sed -i 's/+00$//' '\(file)'")
    try mariadb.query(
      "CREATE TABLE legal_person (\(Sample.definition.replacing("numeric", with: "decimal").replacing("timestamptz", with: "datetime(6)")))",
      on: mySource)
    try shell(
      "mariadb --no-defaults --socket='\(mariadb.socket)' --user=root --default-character-set=utf8mb4 --local-infile \(mySource) -e \"LOAD DATA LOCAL INFILE '\(file)' INTO TABLE legal_person\""
    )
    try mariadb.query(
      "CREATE USER bench@'127.0.0.1' IDENTIFIED BY 'bench'; CREATE USER bench@localhost IDENTIFIED BY 'bench'; GRANT ALL ON *.* TO bench@'127.0.0.1'; GRANT ALL ON *.* TO bench@localhost",
      on: "mysql")
    unlink(file)
  }

  func remove() { try? FileManager.default.removeItem(atPath: folder) }

  /// Of the servers' first processes.
  var processes: [pid_t] { server.pids + mariadb.pids }

  private func address(_ database: String) -> String { "host=127.0.0.1 port=\(port) user=postgres dbname=\(database)" }
  private func url(_ database: String, scheme: String = "postgresql") -> String {
    "\(scheme)://postgres:x@127.0.0.1:\(port)/\(database)"
  }

  private func query(_ sql: String, _ database: String) throws {
    try shell("psql -q -X -v ON_ERROR_STOP=1 -d '\(address(database))' -c \"\(sql)\"")
  }

  func prepare(_ line: Line) throws {
    try query(
      "SET client_min_messages = warning; DROP TABLE IF EXISTS copy, peer, legal_person, sj_offset, sj_batch; DROP SCHEMA IF EXISTS dlt CASCADE; DROP SCHEMA IF EXISTS dlt_staging CASCADE; DROP SCHEMA IF EXISTS \(mySource) CASCADE",
      target)
    if line.makesTable { try query("CREATE TABLE \(line.table) (\(Sample.definition))", target) }
    try query("CHECKPOINT", target)
  }

  /// What is wrong with what a run left; nil when nothing is.
  func fault(_ line: Line, _ said: String) -> String? {
    let counted = try? Tool.run(
      "/usr/bin/psql", ["-X", "-A", "-t", "-d", address(target), "-c", "SELECT count(*) FROM \(line.table)"])
    guard let there = counted.flatMap({ Int($0.split(separator: "\n").first ?? "") }) else {
      return "no table \(line.table)"
    }
    guard line.isOurs else { return there == rows ? nil : "\(there) rows of \(rows)" }
    let words = said.split(whereSeparator: \.isWhitespace)
    guard words.count >= 6, let delivered = Int(words[1]), let bad = Int(words[3]) else { return "it said nothing" }
    guard words[5] == "true" || words[5] == "unasked" else { return "its receipts disagree" }
    return delivered == there && delivered + bad == rows
      ? nil : "\(there) rows, \(delivered) delivered, \(bad) bad, of \(rows)"
  }

  // MARK: Who moves what

  private func ours(_ title: String, _ kind: String, _ place: String, _ style: String) -> Line {
    Line(
      title: title, command: "'\(CommandLine.arguments[0])' one \(kind) '\(place)' '\(address(target))' \(style)",
      table: "copy", isOurs: true)
  }

  private static let masked = "ours: checks, mask, digest, batches"
  private static let whole = "ours: the first, and read back for the receipt"

  private func limited(_ line: Line) -> Line {
    var line = line
    line.isLimited = true
    return line
  }

  /// Shown beside the line that ends with the last commit, as all others do: nobody else proves what it has delivered.
  private func whole(_ line: Line, beside committed: String) -> Line {
    var line = line
    (line.floor, line.against) = (0, committed)
    return line
  }

  func fromPostgres(_ peers: Peers) -> Group {
    func pipe(_ title: String, _ form: String, _ floor: Double, _ against: String) -> Line {
      Line(
        title: title,
        command:
          "'\(peers.psql)' -q -X -d '\(address(source))' -c 'COPY legal_person TO STDOUT (FORMAT \(form))' | '\(peers.psql)' -q -X -d '\(address(target))' -c 'COPY peer FROM STDIN (FORMAT \(form))'",
        table: "peer", makesTable: true, floor: floor, against: against)
    }
    let plain = "ours: digest, batches"
    return Group(
      title: "PostgreSQL → PostgreSQL",
      lines: [
        limited(ours(Self.masked, "postgresql", address(source), "masked-committed")),
        limited(ours(plain, "postgresql", address(source), "plain-committed")),
        whole(ours(Self.whole, "postgresql", address(source), "masked"), beside: Self.masked),
        pipe("psql COPY | psql COPY, text", "text", 1.0, Self.masked),
        pipe("psql COPY | psql COPY, binary", "binary", 0.9, plain), sling(peers, url(source, scheme: "postgres"), 4),
        pgloader(
          peers, "pgsql://postgres@127.0.0.1:\(port)/\(source)",
          "ONLY TABLE NAMES MATCHING 'legal_person' IN SCHEMA 'public'", 4),
        dlt(peers, 4),
      ])
  }

  func fromMariaDB(_ peers: Peers) -> Group {
    let place = "\(myPort)|\(mySource)"
    return Group(
      title: "MariaDB → PostgreSQL",
      lines: [
        ours(Self.masked, "mariadb", place, "masked-committed"),
        whole(ours(Self.whole, "mariadb", place, "masked"), beside: Self.masked),
        sling(peers, "mysql://bench:bench@127.0.0.1:\(myPort)/\(mySource)", 3, stream: "\(mySource).legal_person"),
        pgloader(
          peers, "mysql://bench:bench@127.0.0.1:\(myPort)/\(mySource)", "ONLY TABLE NAMES MATCHING 'legal_person'", 3,
          table: "\(mySource).legal_person"),
      ])
  }

  func fromCSV(_ peers: Peers) -> Group {
    let file = folder + "/csv/legal_person.csv"
    let masked = "ours: looked at whole, then checks, mask, digest, batches"
    let names = Sample.columns.joined(separator: ", ")
    var loader = Line(
      title: "pgloader", table: "peer", makesTable: true, floor: 3, missing: "pgloader is not installed")
    if peers.pgloader != nil {
      loader.command = load(
        """
        LOAD CSV FROM '\(file)' (\(names)) INTO pgsql://postgres@127.0.0.1:\(port)/\(target)
        TARGET TABLE public.peer (\(names)) WITH skip header = 1, fields terminated by ',', prefetch rows = 5000;
        """)
    }
    return Group(
      title: "CSV of \(size(file)) MB → PostgreSQL",
      lines: [
        ours(masked, "csv", folder + "/csv", "masked-committed"),
        whole(ours(Self.whole, "csv", folder + "/csv", "masked"), beside: masked),
        sling(peers, "", 3, stream: "file://\(file)"), loader,
        Line(
          title: "psql \\copy, the limit",
          command:
            "'\(peers.psql)' -q -X -d '\(address(target))' -c \"\\copy peer FROM '\(file)' (FORMAT csv, HEADER)\"",
          table: "peer", makesTable: true, floor: 0),
      ])
  }

  private func size(_ file: String) -> Int {
    ((try? FileManager.default.attributesOfItem(atPath: file)[.size] as? Int) ?? 0) / 1_000_000
  }

  /// It makes its own table, without a key.
  private func sling(_ peers: Peers, _ from: String, _ floor: Double, stream: String = "public.legal_person") -> Line {
    var line = Line(title: "sling", table: "peer", floor: floor, missing: "sling-linux-amd64 is not installed")
    guard let sling = peers.sling else { return line }
    let connection = from.isEmpty ? "" : "--src-conn '\(from)\(from.hasPrefix("mysql") ? "" : "?sslmode=disable")'"
    line.command =
      "HOME='\(folder)' SLING_DISABLE_TELEMETRY=true '\(sling)' run \(connection) --src-stream '\(stream)' --tgt-conn '\(url(target, scheme: "postgres"))?sslmode=disable' --tgt-object public.peer --mode full-refresh"
    return line
  }

  private func pgloader(
    _ peers: Peers, _ from: String, _ including: String, _ floor: Double, table: String = "legal_person"
  ) -> Line {
    var line = Line(title: "pgloader", table: table, floor: floor, missing: "pgloader is not installed")
    guard peers.pgloader != nil else { return line }
    line.command = load(
      """
      LOAD DATABASE FROM \(from) INTO pgsql://postgres@127.0.0.1:\(port)/\(target)
      WITH include drop, create tables, create indexes, prefetch rows = 5000 INCLUDING \(including);
      """)
    return line
  }

  private func load(_ text: String) -> String {
    let file = folder + "/" + UUID().uuidString + ".load"
    try? text.write(toFile: file, atomically: true, encoding: .utf8)
    return "cd '\(folder)' && HOME='\(folder)' pgloader --on-error-stop --root-dir '\(folder)/pgloader' '\(file)'"
  }

  private func dlt(_ peers: Peers, _ floor: Double) -> Line {
    var line = Line(title: "dlt", table: "dlt.legal_person", floor: floor, missing: "dlt is not installed")
    guard let python = peers.dlt else { return line }
    let file = folder + "/load.py"
    let program = """
      import shutil, dlt
      from dlt.sources.sql_database import sql_table
      shutil.rmtree("\(folder)/pipelines", ignore_errors=True)
      pipeline = dlt.pipeline("bench", pipelines_dir="\(folder)/pipelines", dataset_name="dlt",
          destination=dlt.destinations.postgres("\(url(target))"))
      table = sql_table(credentials="\(url(source, scheme: "postgresql+psycopg2"))", table="legal_person",
          backend="pyarrow", reflection_level="full_with_precision", chunk_size=100000)
      print(pipeline.run(table, write_disposition="replace", loader_file_format="csv"))
      """
    try? program.write(toFile: file, atomically: true, encoding: .utf8)
    line.command = "cd '\(folder)' && HOME='\(folder)' RUNTIME__DLTHUB_TELEMETRY=false '\(python)' '\(file)'"
    return line
  }
}
