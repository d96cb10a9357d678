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
    let source = try server.makeDatabase()
    let file = server.folder + "/sample.tsv"
    try sample(rows, file)
    let columns =
      "id bigint PRIMARY KEY, uscc varchar(18), name varchar(60), legal_person varchar(20), capital numeric(18,2), established date, address varchar(120), industry varchar(40), status varchar(8), phone varchar(20), staff bigint, changed timestamptz"
    try server.query("CREATE TABLE legal_person (\(columns))", on: source)
    try shell("psql -q -X -d '\(server.address(of: source))' -c \"\\copy legal_person FROM '\(file)'\"")
    try server.query("VACUUM ANALYZE legal_person", on: source)
    unlink(file)
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
