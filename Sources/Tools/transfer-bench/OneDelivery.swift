import Connecting
import ConnectorFiles
import ConnectorMariaDB
import ConnectorPostgreSQL
import Foundation
import Kernel
import Synchronization
import Transfer

/// `one KIND SOURCE TARGET STYLE`: one delivery of the sample into PostgreSQL in a process of its own, as peers are run.
/// KIND is `postgresql`, `mariadb` or `csv`; STYLE is `masked` or `plain`, with `-committed` behind it where it ends with the last
/// commit, before the target is read back for the consumer's receipt. Prints what must be so of it.
enum OneDelivery {
  static func run(_ arguments: [String]) async throws {
    guard arguments.count == 4 else { throw ConnectorError(.permanent, "bench.usage", Text(same: "one …")) }
    let source: any Connector
    switch arguments[0] {
    case "mariadb":
      let parts = arguments[1].split(separator: "|").map(String.init)
      source = MariaDBConnector(
        MariaDBAddress(
          host: "127.0.0.1", port: Int(parts[0]) ?? 0, database: parts[1], user: "bench", password: "bench", zone: 0))
    case "csv": source = FilesConnector(.local(arguments[1]), FilesOptions(format: .csv))
    default: source = PostgreSQLConnector(PostgreSQLAddress(address: arguments[1]))
    }
    let target = PostgreSQLConnector(PostgreSQLAddress(address: arguments[2]))
    let isWhole = !arguments[3].hasSuffix("-committed")
    let last = Mutex<DeliveryProgress?>(nil)
    do {
      let run = try await EngineRun.measure(
        source, isWhole ? target : DelayedConnector(near: target, readsBack: false),
        table: try source.tables().first { $0.name.name.hasPrefix("legal_person") }?.name.name ?? "", into: "copy",
        plain: arguments[3].hasPrefix("plain"), hasCursor: arguments[0] != "csv"
      ) { progress in last.withLock { $0 = progress } }
      let counts = run.outcome.provider.counts
      print(
        "delivered \(counts.delivered) quarantined \(counts.quarantined) agrees \(run.outcome.disagreement == nil && run.outcome.consumer != nil)"
      )
    } catch let error as ConnectorError where error == DelayedConnector.committed {
      guard let last = last.withLock(\.self) else { return }
      print("delivered \(last.delivered) quarantined \(last.quarantined) agrees unasked")
    }
  }
}
