import Connecting
import ConnectorFiles
import Foundation
import Kernel
import TestKit
import Testing

/// The kind `files` as a person sets it up, over real servers.
enum Place: CaseIterable {
  case sftp, s3

  func with<T>(_ body: (_ settings: [String: String], _ folder: TemporaryFolder, _ end: () -> Void) throws -> T) throws
    -> T
  {
    let folder = TemporaryFolder()
    switch self {
    case .sftp:
      let server = try SSHServer()
      defer { server.remove() }
      return try body(
        [
          "place": "sftp", "address": "sftp://127.0.0.1:\(server.port)\(folder.path)", "user": server.user,
          "key": server.key,
          "fingerprint": server.fingerprint,
        ], folder, server.kill)
    case .s3:
      try FileManager.default.createDirectory(atPath: folder.path + "/b", withIntermediateDirectories: true)
      let server = try ObjectStore.start(in: folder.path)
      defer { server.kill() }
      return try body(
        [
          "place": "s3", "address": server.base, "region": ObjectStore.region, "bucket": "b",
          "access": ObjectStore.accessKey,
          "secret": ObjectStore.secret,
        ], folder, server.kill)
    }
  }

  /// Where its files lie in the folder.
  var prefix: String { self == .s3 ? "b/" : "" }
}

func open(_ settings: [String: String], _ more: [String: String]) throws -> any Connector {
  try ConnectorCatalog([FilesConnector.kind]).open("files", settings.merging(more) { $1 })
}

@Suite struct `Tables of files elsewhere` {
  @Test(arguments: Place.allCases)
  func `are the same as of files here, whatever their format`(place: Place) throws {
    try place.with { settings, folder, _ in
      folder.write(place.prefix + "o-1.csv", "k,v\n1,青\n,空\n", .gb18030)
      folder.write(place.prefix + "o-2.csv", "v,k\n海,2\n")
      folder.write(place.prefix + "o-3.jsonl", "{\"k\":\"3\",\"v\":\"湖\"}\nbroken\n")
      for name in ["a", "b"] {
        try Workbooks.write(
          "\(folder.path)/\(place.prefix)\(name).xlsx",
          [("s", [Workbooks.text("k") + Workbooks.text("v"), Workbooks.text(name) + Workbooks.text("值")])])
      }
      let csv = try open(settings, ["format": "csv", "tables": "o-*.csv"])
      #expect(try csv.tables().map(\.name.name) == ["o"])
      let read = try readAll(csv, textPlan("o", ["k", "v"]))
      #expect(
        read.keyed == [[field("1"), field("青")], [field("2"), field("海")]] && read.keyless == [[.null, field("空")]])
      #expect(try readAll(csv, textPlan("o", ["k", "v"], after: read.positions[0])).keyed == [read.keyed[1]])
      let lines = try open(settings, ["format": "jsonl"])
      #expect(try readAll(lines, textPlan("o-3.jsonl", ["k", "v"])).keyed.count == 2)
      // Two workbooks one behind the other in one spool.
      let books = try open(settings, ["format": "xlsx", "tables": "?.xlsx"])
      let name = try books.tables()[0].name.name
      #expect(
        try readAll(books, textPlan(name, ["k", "v"])).keyed == [[field("a"), field("值")], [field("b"), field("值")]])
      #expect(try books.describe(TableName(name)).estimatedRows == 2)
      let examined = try csv.examine(TableName("o"), columns: ["k"], cursor: nil, within: .seconds(20))
      folder.write(place.prefix + "o-2.csv", "v,k\n海海,2\n")
      let again = try csv.examine(TableName("o"), columns: ["k"], cursor: nil, within: .seconds(20))
      #expect(examined.mark?.own != nil && examined.mark?.own != again.mark?.own)
      #expect(try csv.probe().isReadOnly)
    }
  }

  @Test(arguments: Place.allCases)
  func `that change while they are read are noticed, and a server that is gone is tried again`(place: Place)
    throws
  {
    try place.with { settings, folder, end in
      folder.write(place.prefix + "t.csv", "k\n" + (0..<20_000).map { "\($0)\n" }.joined())
      let connector = try open(settings, ["format": "csv"])
      let batch = RowBatch(capacity: 64 << 10)
      let reader = try connector.openReader(textPlan("t.csv", ["k"]))
      #expect(try reader.read(into: batch) == .rows)
      folder.write(place.prefix + "t.csv", "k\n" + (0..<20_001).map { "\($0)\n" }.joined())
      let noticed = error { while try reader.read(into: batch) != .end {} }
      #expect(noticed?.code == "remote.changed" && noticed?.kind == .retryable)
      let other = try connector.openReader(textPlan("t.csv", ["k"]))
      #expect(try other.read(into: batch) == .rows)
      end()
      let gone = error { while try other.read(into: batch) != .end {} }
      #expect(gone?.kind == .retryable, "\(String(describing: gone))")
      #expect(error { _ = try connector.tables() }?.kind == .retryable)
    }
  }
}
