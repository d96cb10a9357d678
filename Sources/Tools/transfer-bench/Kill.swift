import Connecting
import ConnectorMariaDB
import ConnectorPostgreSQL
import ConnectorSQLite
import Foundation
import Kernel
import Transfer

/// One delivery of the tests' table of persons in a process of its own, for tests that kill it:
/// `deliver KIND SOURCE KIND TARGET MODE RUN FENCE KEEPER [FILE-LIMIT]`.
///
/// MODE is `full`, `incremental`, or `changes:GRANT`, which follows until it has all that was committed when it began.
/// Bad rows go to the folder KEEPER, a file for each batch and part. Prints the provider's receipt and whether the
/// consumer's agrees. FILE-LIMIT bytes is where files stop growing, as on a full disk.
enum Kill {
  static func run(_ arguments: [String]) async throws {
    let words = arguments.count > 4 ? arguments[4].split(separator: ":").map(String.init) : []
    guard arguments.count >= 8, let mode = words.first.flatMap({ DeliveryPlan.Mode(rawValue: $0) }),
      let fence = Int64(arguments[6])
    else {
      print("deliver KIND SOURCE KIND TARGET MODE RUN FENCE KEEPER [FILE-LIMIT]")
      exit(2)
    }
    if arguments.count > 8, let limit = UInt(arguments[8]) {
      signal(SIGXFSZ, SIG_IGN)
      var limits = rlimit(rlim_cur: limit, rlim_max: limit)
      setrlimit(__rlimit_resource_t(1), &limits)
    }
    var plan = DeliveryPlan(
      grant: words.count > 1 ? words[1] : "grant-1", run: arguments[5], fence: fence, mode: mode,
      source: TableName("person"),
      target: TableName("person"),
      items: [
        ItemContract("id", .integer), ItemContract("name", .text, length: 12),
        ItemContract("capital", .decimal(precision: 18, scale: 2)), ItemContract("born", .date),
      ], key: ["id"], cursor: .init("changed", .timestamp), secret: Array("0123456789abcdef-secret".utf8),
      providerKey: Array("fedcba9876543210-provider".utf8), batchBytes: RowBatch.smallest)
    plan.changes.ending = .caughtUp
    let keeper = arguments[7]
    let control = DeliveryControl(quarantine: { rows in
      if rows.part == 0 {
        for old in try FileManager.default.contentsOfDirectory(atPath: keeper) where old.hasPrefix("\(rows.batch)-") {
          try FileManager.default.removeItem(atPath: "\(keeper)/\(old)")
        }
      }
      let lines = rows.rows.map { "\($0.fault.code) \($0.keyDigest ?? "-")\n" }.joined()
      try lines.write(toFile: "\(keeper)/\(rows.batch)-\(rows.part)", atomically: true, encoding: .utf8)
    })
    do {
      let outcome = try await Delivery(plan, control: control)
        .run(from: connector(arguments[0], arguments[1]), to: connector(arguments[2], arguments[3]))
      print(outcome.provider.canonicalText)
      print("agrees \(outcome.consumer != nil && outcome.disagreement == nil)")
    } catch let error as ConnectorError {
      print("error \(error.kind.rawValue) \(error.code)")
      exit(1)
    }
  }

  private static func connector(_ kind: String, _ place: String) -> any Connector {
    switch kind {
    case "sqlite": return SQLiteConnector(path: place)
    case "mariadb":
      // Socket and database; times in UTC, as the tests write them.
      let parts = place.split(separator: "|").map(String.init)
      return MariaDBConnector(
        MariaDBAddress(host: "", database: parts.last ?? "", user: "root", zone: 0, socket: parts.first))
    default: return PostgreSQLConnector(PostgreSQLAddress(address: place))
    }
  }
}
