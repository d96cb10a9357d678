import Connecting
import ConnectorFiles
import ConnectorPostgreSQL
import Foundation
import Kernel
import TestKit
import Transfer

/// PostgreSQL into files of a folder, beside `psql \copy`, which checks nothing, signs for nothing and does not wait for the
/// disk.
struct FilesBench {
  var rows: Int

  func run() async throws {
    let server = try PostgresServer()
    defer { server.remove() }
    let source = try Sample.database(rows, on: server)
    try server.query("VACUUM ANALYZE legal_person", on: source)
    try await withTemporaryFolder { folder in
      for format in [FileFormat.csv, .jsonl, .csv, .jsonl] {
        try shell("sync")
        let start = Usage.now()
        let (select, form) =
          format == .csv
          ? ("legal_person", "WITH (FORMAT csv, HEADER)") : ("(SELECT row_to_json(l) FROM legal_person l)", "")
        try shell(
          "psql -q -X -d '\(server.address(of: source))' -c \"\\copy \(select) TO '\(folder)/peer.\(format.rawValue)' \(form)\""
        )
        let peer = (Usage.now() - start).wall
        let run = try await EngineRun.measure(
          PostgreSQLConnector(PostgreSQLAddress(address: server.address(of: source))),
          FilesConnector(.local(folder), FilesOptions(format: format)), table: "legal_person", into: "copy-\(UUID())")
        print("\(format.rawValue)")
        run.report(rows, peer: "psql \\copy TO", peer, limited: true)
        print("")
      }
    }
  }
}
