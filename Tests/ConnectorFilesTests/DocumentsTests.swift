import Connecting
import Foundation
import Kernel
import Testing

@testable import ConnectorFiles

/// Folders of files as tables, as the engine reads them.
@Suite struct `Folders of documents` {
  private func plan(_ range: ReadPlan.Range = .full(after: nil), table: String = "t") -> ReadPlan {
    ReadPlan(
      table: TableName(table), columns: DocumentColumn.allCases.map { .init($0.rawValue, $0.type) }, key: [0, 1],
      cursor: 3, range: range)
  }

  private func connector(_ folder: TemporaryFolder, age: Duration = .zero) -> DocumentsConnector {
    DocumentsConnector(.local(folder.path), leastAge: age)
  }

  private func make(_ folder: TemporaryFolder, _ name: String, _ bytes: [UInt8] = [1]) throws {
    try FileManager.default.createDirectory(
      atPath: ("\(folder.path)/\(name)" as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    folder.write(name, bytes)
  }

  private func text(_ field: RowField) -> String? {
    guard case .value(let bytes) = field else { return nil }
    return String(decoding: bytes, as: UTF8.self)
  }

  private func number(_ field: RowField) -> Int? {
    guard case .value(let bytes) = field, bytes.count == 8 else { return nil }
    return Int(bytes.reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
  }

  private func now() -> Int64 { DocumentTime.microseconds(Clock.system.now()) }

  @Test func `come in the order of their paths' bytes, without what is hidden, under way or a link`() throws {
    let folder = TemporaryFolder()
    for name in [
      "t/a/x", "t/a.txt", "t/a-b", "t/a0", "t/é", "t/西宁/报 告.pdf", "t/.hidden", "t/.git/config", "t/x.tmp", "t/y.PART",
      "other/z",
    ] { try make(folder, name) }
    try FileManager.default.createSymbolicLink(atPath: folder.path + "/t/out", withDestinationPath: "/etc")
    try FileManager.default.createSymbolicLink(atPath: folder.path + "/t/passwd", withDestinationPath: "/etc/passwd")
    try FileManager.default.createSymbolicLink(atPath: folder.path + "/linked", withDestinationPath: "/etc")
    mkfifo(folder.path + "/t/pipe", 0o644)
    let read = try readAll(connector(folder), plan())
    let names = read.keyed.compactMap { text($0[0]) }
    #expect(names == ["a-b", "a.txt", "a/x", "a0", "é", "西宁/报 告.pdf"])
    #expect(read.keyed.allSatisfy { number($0[1]) == 0 && number($0[2]) == 1 && $0[4] == .value([1]) })
    #expect(try connector(folder).tables().map(\.name.name) == [".", "other", "t"])
    let whole = try readAll(connector(folder), plan(table: "."))
    #expect(whole.keyed.compactMap { text($0[0]) } == ["other/z"] + names.map { "t/" + $0 })
    let described = try connector(folder).describe(TableName("t"))
    #expect(
      described.comment == nil && described.remark == "6 files, 6 B, 2 links left out"
        && described.key.map(\.name) == ["path", "part"])
    let columns = DocumentColumn.allCases.map { ReadPlan.Column($0.rawValue, $0.type) }
    let peeked = try connector(folder).peek(TableName("t"), columns, rows: 2, within: .seconds(5))
    #expect(peeked.map { $0[0] } == ["a-b", "a.txt"] && peeked[0][1...2] == ["0", "1"] && peeked[0][4] == nil)
    for name in ["linked", "..", "t/a", "nothing", ".git"] {
      #expect(
        error { _ = try readAll(connector(folder), plan(table: name)) }?.code == "contract.table-missing", "\(name)")
    }
  }

  @Test func `whose names cannot be carried are bad rows, and the others come`() throws {
    let folder = TemporaryFolder()
    try make(folder, "t/good")
    for name: [UInt8] in [[0xFF, 0x61], Array("a\\..\\b".utf8), Array("line\nend".utf8)] {
      let path = Array((folder.path + "/t/").utf8) + name + [0]
      let file = path.withUnsafeBufferPointer { bytes in
        bytes.withMemoryRebound(to: CChar.self) { open($0.baseAddress!, O_WRONLY | O_CREAT, 0o644) }
      }
      #expect(file >= 0)
      close(file)
    }
    let deep = (0..<6).map { _ in String(repeating: "层", count: 60) }.joined(separator: "/")
    try make(folder, "t/\(deep)/f")
    let rows = try readAll(connector(folder), plan()).keyed
    #expect(rows.count == 5 && rows.compactMap { text($0[0]) } == ["good"])
    let faults = rows.compactMap { row -> RowFault? in
      if case .malformed(let fault, _) = row[0] { return fault }
      return nil
    }
    #expect(Set(faults) == [.invalidText, .wrongFormat, .tooLong] && faults.count == 4)
    for path in ["../x", "/etc/passwd", "a//b", "a/./b", "a/../../b", "", "a/", "a\u{0}b"] {
      #expect(DocumentPath.judge(path.utf8) == .fault(path.contains("\0") ? .containsNUL : .wrongFormat), "\(path)")
    }
  }

  @Test func `are cut into parts, and a read goes on behind any of them`() throws {
    let folder = TemporaryFolder()
    let part = DocumentParts.bytes
    for (name, size) in [("empty", 0), ("one", part), ("over", part + 1), ("three", 3 * part), ("z", 5)] {
      try make(folder, "t/" + name, [UInt8](repeating: UInt8(size % 251), count: size))
    }
    let all = try readAll(connector(folder), plan(), capacity: RowBatch.smallest)
    #expect(
      all.keyed.map { "\(text($0[0]) ?? "") \(number($0[1]) ?? -1)" } == [
        "empty 0", "one 0", "over 0", "over 1", "three 0", "three 1", "three 2", "z 0",
      ])
    #expect(all.keyed[0][4] == .value([]) && all.keyed[3][4] == .value([UInt8((part + 1) % 251)]))
    var given = 0
    let reader = try connector(folder).openReader(plan())
    defer { reader.close() }
    let batch = RowBatch(capacity: RowBatch.smallest)
    while try reader.read(into: batch) != .end {
      given += batch.rowCount
      let rest = try readAll(connector(folder), plan(.full(after: reader.position)))
      #expect(rest.keyed == Array(all.keyed[given...]))
    }
    #expect(given == 8)
  }

  @Test func `a file that changed between two attempts is left to the next run`() throws {
    let folder = TemporaryFolder()
    let size = 3 * DocumentParts.bytes
    try make(folder, "t/a", [UInt8](repeating: 1, count: size))
    try make(folder, "t/b")
    let reader = try connector(folder).openReader(plan())
    defer { reader.close() }
    let batch = RowBatch(capacity: RowBatch.smallest)
    #expect(try reader.read(into: batch) == .rows)
    #expect(batch.rowCount == 1)
    try make(folder, "t/a", [UInt8](repeating: 2, count: size))
    let rest = try readAll(connector(folder), plan(.full(after: reader.position))).keyed
    #expect(rest.count == 2 && rest[0][0] == field("a") && number(rest[0][1]) == 1)
    #expect(rest[0][4] == .malformed(.stillChanging, raw: []) && rest[1][0] == field("b"))
    // What was begun is a copy, so that it goes on as it was.
    var parts: [RowField] = []
    while try reader.read(into: batch) != .end { parts += (0..<batch.rowCount).map { batch.fields($0)[4] } }
    #expect(parts.prefix(2).allSatisfy { $0 == .value([UInt8](repeating: 1, count: DocumentParts.bytes)) })
  }

  @Test func `that are too young wait, and an increment brings what changed or was moved in`() throws {
    let folder = TemporaryFolder()
    try make(folder, "t/old")
    try make(folder, "aside/moved")
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSince1970: 1_000_000_000)], ofItemAtPath: folder.path + "/aside/moved")
    usleep(50_000)
    let moment = now()
    usleep(50_000)
    try make(folder, "t/new")
    try FileManager.default.moveItem(atPath: folder.path + "/aside/moved", toPath: folder.path + "/t/moved")
    let more = try readAll(connector(folder), plan(.incremental(above: .timestamp(moment))))
    #expect(more.keyed.map { $0[0] } == [field("moved"), field("new")])
    let young = connector(folder, age: .seconds(60))
    #expect(try readAll(young, plan(.incremental(above: .timestamp(0)))).keyed.isEmpty)
    let full = try readAll(young, plan()).keyed
    #expect(full.count == 3 && full.allSatisfy { $0[4] == .malformed(.stillChanging, raw: []) })
    let later = DocumentsConnector(.local(folder.path), clock: Clock { Clock.system.now() + .seconds(61) })
    #expect(try readAll(later, plan()).keyed.allSatisfy { $0[4] == .value([1]) })
    let reader = try later.openReader(plan())
    defer { reader.close() }
    guard case .timestamp(let horizon) = reader.horizon else {
      Issue.record("no horizon")
      return
    }
    #expect(abs(horizon - (now() + 1_000_000)) < 10_000_000)
    let (before, after) = (
      try later.examine(TableName("t"), columns: [], cursor: nil, within: .seconds(5)),
      try later.examine(TableName("t"), columns: [], cursor: nil, within: .seconds(5))
    )
    #expect(before.mark?.own != nil && before.mark == after.mark)
    try make(folder, "t/new", [2, 2])
    #expect(try later.examine(TableName("t"), columns: [], cursor: nil, within: .seconds(5)).mark != before.mark)
  }

  @Test func `are set up by a form that says what is wrong`() throws {
    let catalog = ConnectorCatalog([DocumentsConnector.kind])
    let folder = TemporaryFolder()
    try make(folder, "t/a")
    #expect(
      try catalog.open("documents", ["place": "local", "folder": folder.path, "age": "0"]).tables().count == 2)
    let kind = DocumentsConnector.kind
    #expect(kind.check(["place": "local", "folder": "/x", "age": "60"]).isEmpty)
    for (settings, wrong) in [
      (["place": "local"], "folder"), (["place": "local", "folder": "/x", "age": "-1"], "age"),
      (["place": "ftp"], "place"), (["place": "local", "folder": "/x", "age": "86401"], "age"),
    ] { #expect(kind.check(settings).map(\.setting) == [wrong]) }
    #expect(FilesConnector.kind.check(["place": "local", "folder": "/x"]).map(\.setting) == ["format"])
    // Every setting that is asked for is one that is read.
    #expect(kind.settings.map(\.name).contains("fingerprint") && !kind.settings.map(\.name).contains("format"))
  }
}
