import Foundation

/// A database of a run's, asked in its own words through its own client, so that what is found owes nothing to the engine.
struct Database {
  enum Product: String, CaseIterable {
    case postgresql, sqlite, mariadb
  }

  let product: Product
  /// As `deliver` takes it.
  let place: String
  /// For statements that are too long for a command line.
  let scratch: String

  /// The program itself: what Debian puts on the path is a script that takes ten times as long to find it.
  static let psql: String = {
    let home = "/usr/lib/postgresql"
    let versions = (try? FileManager.default.contentsOfDirectory(atPath: home)) ?? []
    let newest = versions.compactMap { Int($0) }.max().map { "\(home)/\($0)/bin/psql" }
    return newest.flatMap { FileManager.default.isExecutableFile(atPath: $0) ? $0 : nil } ?? "psql"
  }()

  /// The end of a line, as this database spells it.
  var newline: String {
    switch product {
    case .postgresql: "chr(10)"
    case .sqlite, .mariadb: "char(10)"
    }
  }

  /// Rows as their fields' text; NULL is `NULL`.
  @discardableResult
  func run(_ sql: String) throws -> [[Substring]] {
    let file = scratch + "/statement-" + UUID().uuidString
    try sql.write(toFile: file, atomically: false, encoding: .utf8)
    defer { unlink(file) }
    let command: [String]
    switch product {
    case .postgresql:
      command = [
        Self.psql, "-X", "-q", "-A", "-t", "-F", "\t", "-P", "null=NULL", "-v", "ON_ERROR_STOP=1", "-d", place, "-f",
        file,
      ]
    case .sqlite:
      command = [
        "sqlite3", "-batch", "-bail", "-separator", "\t", "-nullvalue", "NULL", "-cmd", ".timeout 30000", place,
      ]
    case .mariadb:
      let parts = place.split(separator: "|").map(String.init)
      command = [
        "mariadb", "--no-defaults", "--socket=\(parts[0])", "--user=root", "--default-character-set=utf8mb4", "-N",
        "-B",
        parts[1],
      ]
    }
    let child = try Child(command, input: product == .postgresql ? "/dev/null" : file)
    guard let ending = child.end(within: 60) else { throw Failure("\(product.rawValue) did not answer in a minute") }
    guard ending.status == 0 else { throw Failure("\(product.rawValue): \(ending.said.suffix(500))") }
    return ending.said.split(separator: "\n").map { $0.split(separator: "\t", omittingEmptySubsequences: false) }
  }

  /// Several questions of one moment.
  func ask(_ questions: [String]) throws -> [[Substring]] {
    let begin =
      switch product {
      case .postgresql: "BEGIN ISOLATION LEVEL REPEATABLE READ"
      case .sqlite: "BEGIN"
      case .mariadb: "START TRANSACTION WITH CONSISTENT SNAPSHOT"
      }
    return try run(([begin] + questions + ["COMMIT"]).joined(separator: ";\n") + ";\n")
  }

  /// A day and time, as this database takes it: always UTC.
  func time(_ seconds: Int?) -> String {
    guard let seconds else { return "NULL" }
    var (time, parts) = (time_t(seconds), tm())
    gmtime_r(&time, &parts)
    let text = String(
      format: "%04d-%02d-%02d %02d:%02d:%02d", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday, parts.tm_hour,
      parts.tm_min, parts.tm_sec)
    return "'\(text)\(product == .mariadb ? "" : "+00")'"
  }

  /// A source table: `changed` is the cursor, `secret` is never granted. `key`: with a primary key.
  func makeTable(_ name: String, key: Bool) throws {
    let types =
      switch product {
      case .postgresql: ("bigint", "text", "numeric(18,2)", "date", "timestamptz")
      case .sqlite: ("INTEGER", "TEXT", "DECIMAL_TEXT(18,2)", "DATE", "TIMESTAMP")
      case .mariadb: ("bigint", "varchar(200)", "decimal(18,2)", "date", "datetime(6)")
      }
    try run(
      """
      CREATE TABLE \(name) (id \(types.0) \(key ? "PRIMARY KEY" : ""), name \(types.1), capital \(types.2), born \(types.3),
        note \(product == .mariadb ? "varchar(2000)" : types.1), changed \(types.4),
        secret \(types.1) DEFAULT 'do not deliver');
      """)
  }
}
