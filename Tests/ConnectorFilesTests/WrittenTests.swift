import Connecting
import Foundation
import Kernel
import Remote
import Testing

@testable import ConnectorFiles

/// What is received, looked at from within.
@Suite struct `Received files` {
  private static let columns: [WritePlan.Column] = [.init("k", .integer), .init("v", .text, length: 20)]

  private func plan(fence: Int64 = 1, run: String = "r1") -> WritePlan {
    WritePlan(table: TableName("t"), columns: Self.columns, key: [0], stream: "s", run: run, fence: fence)
  }

  private func writer(
    _ folder: TemporaryFolder, fence: Int64 = 1, run: String = "r1", mark: Bool = false,
    grace: Duration = .seconds(86_400),
    at now: Instant = Instant(milliseconds: 1_790_000_000_000)
  ) -> FileSetWriter {
    FileSetWriter(
      plan(fence: fence, run: run), LocalTargetFolder("t", in: folder.path), .csv,
      WrittenFiles(mark: mark, grace: grace), place: folder.path, clock: Clock { now })
  }

  private func rows(_ rows: [(Int64, String?)]) -> RowBatch {
    let batch = RowBatch()
    for (key, value) in rows {
      batch.beginRow(fields: 2)
      batch.append(key)
      if let value { Array(value.utf8).withUnsafeBytes { batch.append($0) } } else { batch.appendNull() }
      batch.endRow()
    }
    return batch
  }

  private func keys(_ keys: [Int64]) -> RowBatch {
    let batch = RowBatch()
    for key in keys {
      batch.beginRow(fields: 1)
      batch.append(key)
      batch.endRow()
    }
    return batch
  }

  private func names(_ folder: TemporaryFolder) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.path + "/t").sorted()
  }

  private func content(_ folder: TemporaryFolder) throws -> [[RowField]] {
    let plan = ReadPlan(
      table: TableName("t"),
      columns: [.init("k", .integer), .init("v", .text), .init(WritePlan.staleBatchColumn, .integer)], key: [0])
    let reader = try folder.connector().openReader(plan)
    defer { reader.close() }
    let batch = RowBatch()
    var all: [[RowField]] = []
    while try reader.read(into: batch) != .end { all += (0..<batch.rowCount).map { batch.fields($0) } }
    return all
  }

  @Test func `are called by their run's start, their first batch and the fence, and are CSV as it is written`() throws {
    let folder = TemporaryFolder()
    let writer = writer(folder, fence: 7, mark: true)
    _ = try writer.open()
    try writer.begin(.whole(goesOn: false))
    _ = try writer.write(
      rows([(1, nil), (2, ""), (3, "a,b"), (4, "q\"q"), (5, "l\r\nl"), (6, "=1+1"), (7, " x ")]), batch: 1,
      mode: .append)
    try writer.complete()
    try writer.commit(nil, state: "s", durable: true)
    let name = "t-20260921T141320Z-00000001-f7.csv"
    #expect(try names(folder).filter { $0.hasSuffix(".csv") } == [name])
    let text = try Data(contentsOf: URL(fileURLWithPath: folder.path + "/t/" + name))
    #expect(
      Array(text)
        == Array("\u{FEFF}k,v\r\n1,\r\n2,\"\"\r\n3,\"a,b\"\r\n4,\"q\"\"q\"\r\n5,\"l\r\nl\"\r\n6,=1+1\r\n7, x \r\n".utf8)
    )
    #expect(FileSetNames.fence(of: name, table: "t") == 7)
    #expect(FileSetNames.fence(of: FileSetNames.temporary(name, fence: 7), table: "t") == 7)
    #expect(FileSetNames.fence(of: "t-changes.csv", table: "t") == nil)
    #expect(FileSetNames.fence(of: "other.csv", table: "t") == nil)
  }

  @Test func `are read with the last word on each key`() throws {
    let folder = TemporaryFolder()
    let writer = writer(folder)
    _ = try writer.open()
    try writer.begin(.whole(goesOn: false))
    _ = try writer.write(rows((1...6).map { ($0, "v\($0)") }), batch: 1, mode: .append)
    try writer.complete()
    try writer.commit(nil, state: "s", durable: true)
    try writer.begin(.changes)
    _ = try writer.write(rows([(2, "new")]), batch: 2, mode: .merge(rewriteFrom: 0, ownFrom: 2))
    _ = try writer.markStale(keys([2, 3, 9]), batch: 2, at: Instant(milliseconds: 0))
    #expect(
      try writer.deleteKeys(keys([2, 4]), writtenBefore: 2, at: Instant(milliseconds: 0)) == 1,
      "a row of this run is signed for and stays")
    try writer.commit(nil, state: "s", durable: true)
    #expect(try content(folder).count == 6, "what is not complete does not count")
    try writer.complete()
    try writer.commit(nil, state: "s", durable: true)
    try writer.begin(.changes)
    // Bad, and good again in the same run.
    _ = try writer.markStale(keys([5]), batch: 3, at: Instant(milliseconds: 0))
    _ = try writer.write(rows([(5, "good"), (4, "back")]), batch: 3, mode: .merge(rewriteFrom: 0, ownFrom: 3))
    try writer.complete()
    try writer.commit(nil, state: "s", durable: true)
    var found: [Int64: (String, Bool)] = [:]
    for row in try content(folder) {
      guard case .value(let key) = row[0], case .value(let value) = row[1] else { return #expect(Bool(false)) }
      found[key.reduce(0) { $0 << 8 | Int64($1) }] = (String(decoding: value, as: UTF8.self), row[2] != .null)
    }
    #expect(found.mapValues(\.0) == [1: "v1", 2: "new", 3: "v3", 4: "back", 5: "good", 6: "v6"])
    #expect(Set(found.filter(\.value.1).map(\.key)) == [2, 3])
  }

  @Test func `are taken over although the one who is replaced is first at the number`() throws {
    let folder = TemporaryFolder()
    let old = writer(folder)
    _ = try old.open()
    try old.begin(.whole(goesOn: false))
    _ = try old.write(rows([(1, "old")]), batch: 1, mode: .append)
    var isFirst = true
    let new = FileSetWriter(
      plan(fence: 2),
      LocalTargetFolder("t", in: folder.path) { step throws(ConnectorError) in
        guard case .gathered(let name) = step, name.hasPrefix("manifest-"), isFirst else { return }
        isFirst = false
        try old.commit(nil, state: "of the old one", durable: true)
      }, .csv, WrittenFiles(), place: "x")
    #expect(try new.open()?.state == "of the old one")
    #expect(error { try old.commit(nil, state: "later", durable: true) }?.kind == .fenced)
    #expect(error { _ = try writer(folder).open() }?.kind == .fenced)
    try new.begin(.whole(goesOn: true))
    try new.complete()
    try new.commit(nil, state: "s", durable: true)
    #expect(try content(folder).map { $0[1] } == [field("old")])
  }

  @Test func `that no longer count stay for a while, and those of killed workers go as well`() throws {
    let folder = TemporaryFolder()
    let day = Duration.seconds(86_400)
    let begun = Instant(milliseconds: 1_790_000_000_000)
    func deliver(_ run: String, _ fence: Int64, _ now: Instant, grace: Duration = day) throws {
      let writer = writer(folder, fence: fence, run: run, grace: grace, at: now)
      _ = try writer.open()
      try writer.begin(.whole(goesOn: false))
      _ = try writer.write(rows([(1, run)]), batch: fence, mode: .append)
      try writer.complete()
      try writer.commit(nil, state: "s", durable: true)
    }
    func files() throws -> [String] { try names(folder).filter { !$0.hasPrefix("manifest-") } }
    try deliver("r1", 1, begun)
    let first = try files()
    // Of a worker that was killed before its manifest, and a stranger's file.
    folder.write("t/t-20260101T000000Z-00000009-f1.csv", "k,v\n")
    folder.write("t/t-20260101T000000Z-00000010-f1.csv-f1.part", "k,")
    folder.write("t/读我.txt", "")
    folder.write("t/t-own.csv", "")
    try deliver("r2", 2, begun + .seconds(60))
    #expect(try files().count == 6 && Set(files()).isSuperset(of: first))
    #expect(try content(folder).map { $0[1] } == [field("r2")])
    try deliver("r3", 3, begun + day - .seconds(1))
    #expect(try files().count == 7)
    try deliver("r4", 4, begun + day + .seconds(120))
    let left = try files()
    #expect(
      left.count == 5 && left.contains("读我.txt") && left.contains("t-own.csv") && !left.contains(first[0]), "\(left)")
    // Without grace there is only what counts.
    try deliver("r5", 5, begun + day + .seconds(240), grace: .zero)
    #expect(try files().count == 3)
  }

  @Test func `are refused where a name is no name, a stranger's folder stands, or names are written over`() throws {
    let folder = TemporaryFolder()
    for name in ["", ".t", "a/b", "a\\b", "t.csv", "T.XLSX", "a\nb", "a:b", " a", String(repeating: "名", count: 41)] {
      let plan = WritePlan(
        table: TableName(name), columns: Self.columns, key: [0], stream: "s", run: "r", fence: 1)
      #expect(error { _ = try folder.connector().openWriter(plan) }?.code == "contract.target-name", "\(name)")
    }
    for kind in [CSVConnector.kind, FilesConnector.kind] {
      #expect(kind.nameFault("a\nb") != nil && kind.nameFault("sj_x") != nil && kind.nameFault("金额/元") == nil)
    }
    let books = FilesConnector(.local(folder.path), FilesOptions(format: .xlsx))
    #expect(error { _ = try books.openWriter(plan()) }?.code == "contract.read-only")
    // Another grant's folder, a damaged manifest, a link out of the folder.
    _ = try writer(folder).open()
    let other = WritePlan(table: TableName("t"), columns: Self.columns, key: [0], stream: "other", run: "r", fence: 9)
    let taken = try folder.connector().openWriter(other)
    #expect(error { _ = try taken.open() }?.code == "contract.target-taken")
    folder.write("t/manifest-00000099.json", "{\"format\": \"sanjiang-files/1\"}")
    #expect(error { _ = try writer(folder, fence: 3).open() }?.code == "contract.manifest")
    let elsewhere = TemporaryFolder()
    try FileManager.default.createSymbolicLink(atPath: folder.path + "/u", withDestinationPath: elsewhere.path)
    let linked = WritePlan(table: TableName("u"), columns: Self.columns, key: [0], stream: "s", run: "r", fence: 1)
    #expect(error { _ = try folder.connector().openWriter(linked).open() }?.code == "files.folder")
    #expect(try FileManager.default.contentsOfDirectory(atPath: elsewhere.path).isEmpty)
    final class Overwriting: TargetFolder {
      var content: Set<String> = []
      func prepare() throws(ConnectorError) {}
      func names() throws(ConnectorError) -> [String] { Array(content) }
      func create(_ spool: SpoolFile, as name: String, through temporary: String) throws(ConnectorError) -> Bool {
        content.insert(name)
        return true
      }
      func open(_ name: String) throws(ConnectorError) -> SourceFile? { nil }
      func remove(_ name: String) throws(ConnectorError) { content.remove(name) }
    }
    let overwriting = Overwriting()
    let refused = FileSetWriter(plan(), overwriting, .csv, WrittenFiles(), place: "x")
    #expect(error { _ = try refused.open() }?.code == "files.no-exclusive-names")
    #expect(overwriting.content.isEmpty)
  }

  @Test func `have manifests that are read as they were written, whatever stands in them`() throws {
    var set = FileSet(table: "表 \"一\"\\\u{1}", stream: "s\n", fence: 3)
    (set.number, set.commit, set.written, set.lastBatch) = (5, "c", Instant(milliseconds: 1_790_000_000_123), 9)
    (set.run, set.state) = ("r", "sanjiang-delivery 1\nphase idle\t𠀀")
    set.columns = [
      .init(name: "k", type: .integer), .init(name: "金额", type: .decimal(precision: 38, scale: 4), length: 3),
    ]
    set.key = ["k"]
    set.files = [
      .init(
        name: "t.csv", mode: .full, content: .operations, run: "r", fence: 2, rows: 3, deleted: 1, stale: 2, bytes: 77,
        digest: "ab", firstBatch: 4, batchLines: [1, 0, 5], longestLine: 9)
    ]
    set.batches = [BatchRecord(batch: 4, run: "r", delivered: 3, quarantined: 1, bytes: 70, digest: "cd")]
    set.dropped = [.init(name: "old", since: Instant(milliseconds: 1_780_000_000_000))]
    #expect(Array(set.text.utf8).withUnsafeBytes { FileSet($0) } == set)
    set.pending = .init(
      run: "r2", started: Instant(milliseconds: 1_790_000_001_000), mode: .incremental, replaces: false,
      columns: set.columns, key: ["k"], state: "x", files: set.files, batches: set.batches)
    #expect(Array(set.text.utf8).withUnsafeBytes { FileSet($0) } == set)
    let object = try JSONSerialization.jsonObject(with: Data(set.text.utf8)) as? [String: Any]
    #expect(object?["table"] as? String == set.table)
    for broken in [
      "", "{}", "[]", set.text.replacing("sanjiang-files/1", with: "sanjiang-files/2"), String(set.text.dropLast(3)),
    ] {
      #expect(Array(broken.utf8).withUnsafeBytes { FileSet($0) } == nil)
    }
  }

  @Test func `are set up by settings, of which wrong ones are named`() throws {
    let folder = TemporaryFolder()
    let good = ["folder": folder.path, "mark": "yes", "keep": "0"]
    let connector = try ConnectorCatalog([CSVConnector.kind]).open("csv", good)
    #expect((connector as? CSVConnector)?.writing == WrittenFiles(mark: true, grace: .zero))
    let kinds = [
      (CSVConnector.kind, good), (FilesConnector.kind, good.merging(["format": "csv", "place": "local"]) { $1 }),
    ]
    for (kind, good) in kinds {
      #expect(kind.guarantee.writes && !kind.guarantee.merges && !kind.guarantee.followsChanges)
      #expect(kind.check(good).isEmpty)
      #expect(kind.check(good.merging(["keep": "-1"]) { $1 }).map(\.setting) == ["keep"])
      #expect(kind.check(good.merging(["keep": "viel", "mark": "x"]) { $1 }).map(\.setting) == ["mark", "keep"])
    }
    #expect(
      error { _ = try ConnectorCatalog([CSVConnector.kind]).open("csv", ["folder": "/", "keep": "x"]) }?.code
        == "files.keep")
  }

  @Test(arguments: [FileFormat.csv, .jsonl])
  func `a key outside of every contract ends the write and not the process`(format: FileFormat) throws {
    let values: [([UInt8], ValueType)] = [
      ([0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], .timestamp), ([0x7F, 0xFF, 0xFF, 0xFF], .date),
      ([0, 0, 0, 0, 0xC0, 0, 0, 0], .decimal(precision: 18, scale: 2)), ([0xFF, 0xF8, 0, 0, 0, 0, 0, 0], .double),
    ]
    for (value, type) in values {
      let folder = TemporaryFolder()
      let plan = WritePlan(
        table: TableName("t"), columns: [.init("k", type), .init("v", .integer)], key: [0], stream: "s", run: "r1",
        fence: 1)
      let writer = FileSetWriter(
        plan, LocalTargetFolder("t", in: folder.path), format, WrittenFiles(), place: folder.path)
      defer { writer.close() }
      _ = try writer.open()
      let rows = RowBatch()
      rows.beginRow(fields: 2)
      value.withUnsafeBytes { rows.append($0) }
      rows.append(Int64(1))
      rows.endRow()
      let refused = error { _ = try writer.write(rows, batch: 1, mode: .append) }
      #expect(refused == .outsideOfContract(type))
    }
  }
}
