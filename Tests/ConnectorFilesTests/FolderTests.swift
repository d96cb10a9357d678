import Connecting
import ConnectorFiles
import Foundation
import Kernel
import TestKit
import Testing

private func connector(_ folder: TemporaryFolder, tables: [String] = [], format: FileFormat = .csv) -> FilesConnector {
  FilesConnector(.local(folder.path), FilesOptions(format: format, tables: tables))
}

@Suite struct `Files of a folder as tables` {
  @Test func `are one each, or those of a pattern together`() throws {
    let folder = TemporaryFolder()
    folder.write("orders-2026-01.csv", "k,v\n1,a\n,空\n")
    folder.write("orders-2026-02.csv", "v,k\n青,2\n", .gb18030)
    folder.write("orders-2026-03.csv", "k,v\n")
    folder.write("refunds.csv", "k\n9\n")
    folder.write("orders.xlsx", "not asked for")
    symlink("/etc/passwd", folder.path + "/orders-link.csv")
    #expect(
      try connector(folder).tables().map(\.name.name) == [
        "orders-2026-01.csv", "orders-2026-02.csv", "orders-2026-03.csv", "refunds.csv",
      ])
    let joined = connector(folder, tables: ["orders-*.csv", "refunds.csv", "none-*.csv"])
    #expect(try joined.tables().map(\.name.name) == ["orders", "refunds"])
    let read = try readAll(joined, textPlan("orders", ["k", "v"]))
    #expect(read.keyed == [[field("1"), field("a")], [field("2"), field("青")]])
    #expect(read.keyless == [[.null, field("空")]])
    let described = try joined.describe(TableName("orders"))
    #expect(described.estimatedRows == 3 && described.columns.map(\.name) == ["k", "v"])
    #expect(try joined.survey().map { $0.columns.map(\.name) } == [["k", "v"], ["k"]])
    #expect(error { _ = try joined.openReader(textPlan("none", ["k"])) }?.code == "contract.table-missing")
    #expect(
      error { _ = try joined.openReader(textPlan("orders-2026-01.csv", ["k"])) }?.code == "contract.table-missing")
  }

  @Test func `with other columns are no one table`() {
    let folder = TemporaryFolder()
    folder.write("o-1.csv", "k,v\n1,a\n")
    folder.write("o-2.csv", "k,w\n1,a\n")
    let refused = error { _ = try connector(folder, tables: ["o-*.csv"]).openReader(textPlan("o", ["k"])) }
    #expect(refused?.code == "contract.files-differ")
    #expect(refused?.message.chinese.contains("“o-2.csv”") == true && refused?.message.chinese.contains("“w”") == true)
  }

  @Test func `deliver nothing when the last of them is torn, and say which`() {
    let folder = TemporaryFolder()
    folder.write("o-1.csv", "k,v\n1,a\n")
    folder.write("o-2.csv", "k,v\n1,a\n2\n")
    let refused = error { _ = try connector(folder, tables: ["o-*.csv"]).openReader(textPlan("o", ["k"])) }
    #expect(refused?.code == "csv.field-count" && refused?.message.english.contains("“o-2.csv”: At line 3") == true)
  }

  @Test(arguments: [FileFormat.csv, .jsonl])
  func `go on from every place in any of them, and notice any that changed`(format: FileFormat) throws {
    let folder = TemporaryFolder()
    func write(_ file: Int, _ mark: String) {
      let rows = (0..<3000).map { row in
        let key = row % 700 == 5 ? "" : "\(file)-\(row)"
        if format == .csv { return "\(key),\(mark)\n" }
        return key.isEmpty ? "{\"v\":\"\(mark)\"}\n" : "{\"k\":\"\(key)\",\"v\":\"\(mark)\"}\n"
      }
      folder.write("o-\(file).\(format.rawValue)", (format == .csv ? "k,v\n" : "") + rows.joined())
    }
    for file in 1...3 { write(file, "v") }
    let connector = connector(folder, tables: ["o-*.\(format.rawValue)"], format: format)
    let all = try readAll(connector, textPlan("o", ["k", "v"]), capacity: 64 << 10)
    #expect(all.keyed.count == 8985 && all.keyless.count == 15)
    for place in all.positions {
      let rest = try readAll(connector, textPlan("o", ["k", "v"], after: place), capacity: 64 << 10)
      #expect(rest.keyed == Array(all.keyed.suffix(rest.keyed.count)) && rest.keyless == all.keyless)
    }
    let reader = try connector.openReader(textPlan("o", ["k", "v"]))
    let batch = RowBatch(capacity: 64 << 10)
    #expect(try reader.read(into: batch) == .rows)
    // The first file, which was read long ago, and the last, which was only surveyed.
    write(1, "w")
    let noticed = error { while try reader.read(into: batch) != .end {} }
    #expect(noticed?.code == "files.changed-while-read" && noticed?.kind == .retryable)
    let other = error { _ = try connector.openReader(textPlan("o", ["k", "v"], after: all.positions[0])) }
    #expect(other?.code == "files.changed" && other?.kind == .contract)
    write(1, "v")
    folder.write("o-4.\(format.rawValue)", format == .csv ? "k,v\nx,y\n" : "{\"k\":\"x\",\"v\":\"y\"}\n")
    #expect(
      error { _ = try connector.openReader(textPlan("o", ["k", "v"], after: all.positions[0])) }?.code
        == "files.changed")
  }

  @Test func `of two hundred megabytes are read in bounded memory`() throws {
    let folder = TemporaryFolder()
    let block = (0..<1000).map { "{\"k\":\"\(1_000_000 + $0)\",\"v\":\"\(String(repeating: "青海湖", count: 90))\"}\n" }
      .joined()
    let size = block.utf8.count
    let descriptor = open(folder.path + "/t.jsonl", O_WRONLY | O_CREAT, 0o644)
    let bytes = Array(block.utf8)
    var blocks = 0
    while blocks * size < 200 << 20 {
      #expect(bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress!, $0.count) } == size)
      blocks += 1
    }
    close(descriptor)
    let before = Memory.peak
    let reader = try connector(folder, format: .jsonl).openReader(textPlan("t.jsonl", ["k", "v"]))
    let batch = RowBatch()
    var rows = 0
    let begun = ContinuousClock.now
    while try reader.read(into: batch) != .end { rows += batch.rowCount }
    print(
      "200 MB of JSON lines: \(rows) rows in \(ContinuousClock.now - begun), \((Memory.peak - before) >> 20) MiB more at most"
    )
    #expect(rows == blocks * 1000)
    #expect(Memory.peak - before < 64 << 20)
  }

  @Test func `are opened by settings that are judged before`() throws {
    let folder = TemporaryFolder()
    folder.write("o-1.jsonl", "{\"k\":\"1\"}\n")
    let kind = FilesConnector.kind
    let good = ["format": "jsonl", "place": "local", "folder": folder.path, "tables": "o-*.jsonl"]
    #expect(kind.check(good).isEmpty)
    let opened = try ConnectorCatalog([kind]).open("files", good)
    #expect(try readAll(opened, textPlan("o", ["k"])).keyed == [[field("1")]])
    let sftp = [
      "format": "csv", "place": "sftp", "address": "sftp://10.1.2.3/out", "user": "u", "password": "p",
      "fingerprint": "SHA256:" + String(repeating: "A", count: 43),
    ]
    #expect(kind.check(sftp).isEmpty)
    #expect(FilesConnector.machine(sftp)?.host == "10.1.2.3" && FilesConnector.machine(sftp)?.port == 22)
    let changes: [([String: String], String)] = [
      (["format": "xls"], "format"), (["place": "ftp"], "place"), (["address": "sftp://u:p@10.1.2.3/"], "address"),
      (["address": "https://10.1.2.3/"], "address"), (["fingerprint": ""], "fingerprint"), (["key": "k"], "password"),
      (["password": ""], "password"), (["tables": "a/b.csv"], "tables"), (["tables": "o-*.csv,o_*.csv"], "tables"),
      (["zone": "east"], "zone"), (["encoding": "Latin-1"], "encoding"), (["user": ""], "user"),
    ]
    for (change, setting) in changes {
      #expect(kind.check(sftp.merging(change) { $1 }).map(\.setting) == [setting], "\(change)")
    }
    let s3 = [
      "format": "csv", "place": "s3", "address": "https://s3.example", "region": "r", "bucket": "b", "access": "a",
      "secret": "s",
    ]
    #expect(kind.check(s3).isEmpty)
    #expect(kind.check(s3.merging(["address": "http://10.1.2.3"]) { $1 }).map(\.setting) == ["address"])
    #expect(kind.check(s3.merging(["secret": ""]) { $1 }).map(\.setting) == ["secret"])
  }
}
