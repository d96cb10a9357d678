import Connecting
import Foundation
import Kernel
import Testing

@testable import ConnectorFiles

/// A folder as a target that knows what it holds: what the engine asks of every such target.
@Suite struct `A folder that receives documents` {
  private func writer(_ folder: TemporaryFolder, fence: Int64 = 1) throws -> any RowWriter {
    let plan = WritePlan(
      table: TableName("t"), columns: DocumentColumn.allCases.map { .init($0.rawValue, $0.type) }, key: [0, 1],
      stream: "s", run: "r\(fence)", fence: fence)
    let writer = try DocumentsConnector(.local(folder.path), leastAge: .zero).openWriter(plan)
    _ = try writer.open()
    return writer
  }

  private typealias Row = (path: String, part: Int, size: Int, fill: UInt8)

  /// `modified`: the time of all of them; by their fill otherwise.
  private func batch(_ rows: [Row], modified: Int64? = nil) -> RowBatch {
    let batch = RowBatch()
    for row in rows {
      batch.beginRow(fields: 5)
      Array(row.path.utf8).withUnsafeBytes { batch.append($0) }
      batch.append(Int64(row.part))
      batch.append(Int64(row.size))
      batch.append((modified ?? Int64(row.fill)) * 1_000_000)
      [UInt8](repeating: row.fill, count: DocumentParts.length(of: row.part, in: row.size)).withUnsafeBytes {
        batch.append($0)
      }
      batch.endRow()
    }
    return batch
  }

  private func keys(_ keys: [(path: String, part: Int)]) -> RowBatch {
    let batch = RowBatch()
    for key in keys {
      batch.beginRow(fields: 2)
      Array(key.path.utf8).withUnsafeBytes { batch.append($0) }
      batch.append(Int64(key.part))
      batch.endRow()
    }
    return batch
  }

  private func commit(_ writer: any RowWriter, _ batch: Int64, _ rows: Int) throws {
    let record = BatchRecord(batch: batch, run: "r", delivered: rows, quarantined: 0, bytes: 0, digest: "d\(batch)")
    try writer.commit(record, state: "state \(batch)", durable: true)
  }

  private func text(_ folder: TemporaryFolder, _ name: String) -> [UInt8]? {
    (try? Data(contentsOf: URL(fileURLWithPath: folder.path + "/t/" + name))).map { Array($0) }
  }

  private let long = DocumentParts.bytes + 3

  @Test func `writes what differs, names what comes twice, and unflags what is good again`() throws {
    let folder = TemporaryFolder()
    let first = try writer(folder)
    let rows: [Row] = [("a", 0, 1, 1), ("b", 0, long, 2), ("b", 1, long, 2), ("c", 0, 1, 3)]
    let outcome = try first.write(batch(rows), batch: 1, mode: .merge(rewriteFrom: 1, ownFrom: 1))
    #expect(outcome.inserted == 4 && outcome.written == [0, 1, 2, 3])
    try commit(first, 1, 4)
    first.close()

    let next = try writer(folder, fence: 2)
    defer { next.close() }
    #expect(try next.markStale(keys([("a", 0), ("nobody", 0)]), batch: 2, at: Clock.system.now()) == 1)
    try commit(next, 2, 0)
    #expect(try next.countStale(2...2) == 1)
    let later = try next.write(
      batch([("a", 0, 1, 1), ("b", 0, long, 2), ("b", 1, long, 2), ("c", 0, 2, 9), ("d", 0, 0, 4)]), batch: 3,
      mode: .merge(rewriteFrom: 3, ownFrom: 3))
    #expect(later.written == [3, 4] && later.updated == 1 && later.inserted == 1)
    #expect(try next.countStale(1...3) == 0)
    try commit(next, 3, 2)
    #expect(text(folder, "c") == [9, 9] && text(folder, "d") == [])
    let twice = try next.write(batch([("c", 0, 1, 7)]), batch: 4, mode: .merge(rewriteFrom: 3, ownFrom: 3))
    #expect(twice.duplicates == [0] && twice.written == [])
    // Of an interrupted run's rows also the equal ones are written again.
    let again = try next.write(
      batch([("a", 0, 1, 1), ("c", 0, 2, 9)]), batch: 4, mode: .merge(rewriteFrom: 3, ownFrom: 4))
    #expect(again.written == [1])
    try commit(next, 4, 1)
    let back = try next.readBack(4...4)
    defer { back.close() }
    let found = RowBatch()
    #expect(try back.read(into: found) == .rows)
    #expect(found.rowCount == 1 && found.fields(0)[0] == field("c") && found.fields(0)[4] == .value([9, 9]))
  }

  @Test func `what is rolled back leaves nothing, and what somebody took away is written again`() throws {
    let folder = TemporaryFolder()
    let one = try writer(folder)
    _ = try one.write(batch([("a", 0, 1, 1)]), batch: 1, mode: .append)
    try commit(one, 1, 1)
    _ = try one.write(batch([("a", 0, 1, 2), ("x", 0, 1, 2)]), batch: 2, mode: .merge(rewriteFrom: 2, ownFrom: 2))
    _ = try one.deleteOlder(than: 2, at: Clock.system.now())
    one.rollback()
    try commit(one, 2, 0)
    #expect(text(folder, "a") == [1] && text(folder, "x") == nil)
    one.close()
    try FileManager.default.removeItem(atPath: folder.path + "/t/a")
    let next = try writer(folder, fence: 2)
    defer { next.close() }
    let outcome = try next.write(batch([("a", 0, 1, 1)]), batch: 3, mode: .merge(rewriteFrom: 3, ownFrom: 3))
    #expect(outcome.written == [0])
    try commit(next, 3, 1)
    #expect(text(folder, "a") == [1])
  }

  @Test func `an older file stays while a newer one is not whole, and goes with its last part`() throws {
    let folder = TemporaryFolder()
    let now = Clock.system.now()
    let one = try writer(folder)
    _ = try one.write(batch([("b", 0, long, 1), ("b", 1, long, 1), ("gone", 0, 1, 1)]), batch: 1, mode: .append)
    try commit(one, 1, 3)
    let old = text(folder, "b")
    #expect(old?.count == long)
    // The newer one's second part is bad.
    _ = try one.write(batch([("b", 0, long, 2)]), batch: 2, mode: .merge(rewriteFrom: 0, ownFrom: 2))
    #expect(try one.markStale(keys([("b", 1)]), batch: 2, at: now) == 1)
    #expect(try one.deleteOlder(than: 2, at: now) == 1)
    try commit(one, 2, 1)
    #expect(text(folder, "b") == old && text(folder, "gone") == nil)
    one.close()
    // What was gathered is there for the next worker, whose reading finds it.
    let next = try writer(folder, fence: 2)
    defer { next.close() }
    let back = try next.readBack(1...2)
    let found = RowBatch()
    #expect(try back.read(into: found) == .rows)
    #expect(
      (0..<found.rowCount).map { found.fields($0)[4] }.contains(
        .value([UInt8](repeating: 2, count: DocumentParts.bytes))))
    _ = try next.write(batch([("b", 1, long, 2)]), batch: 3, mode: .merge(rewriteFrom: 3, ownFrom: 3))
    try commit(next, 3, 1)
    #expect(text(folder, "b") == [UInt8](repeating: 2, count: long))
    #expect(try next.deleteKeys(keys([("b", 0)]), writtenBefore: 4, at: now) == 1)
    try commit(next, 4, 0)
    #expect(text(folder, "b")?.count == long)
    #expect(try next.deleteKeys(keys([("b", 0), ("b", 1)]), writtenBefore: 4, at: now) == 1)
    try commit(next, 5, 0)
    #expect(text(folder, "b") == nil)
    #expect(try next.isEmpty())
    #expect(next.batchesHeld == [1, 2, 3, 4, 5])
  }

  @Test func `a file of equal length and time and other bytes is never mixed with the older one`() throws {
    let folder = TemporaryFolder()
    let one = try writer(folder)
    defer { one.close() }
    let size = 2 * DocumentParts.bytes + 3
    func file(_ fills: [UInt8]) -> [UInt8] {
      fills.enumerated().flatMap { part, fill in
        [UInt8](repeating: fill, count: DocumentParts.length(of: part, in: size))
      }
    }
    var last: Int64 = 0
    for fills: [UInt8] in [[1, 1, 1], [2, 2, 2], [2, 3, 3], [4, 3, 4], [4, 3, 5]] {
      let before = text(folder, "b")
      let first = last + 1
      // A commit reaches the folder behind each part.
      for (part, fill) in fills.enumerated() {
        last += 1
        _ = try one.write(
          batch([("b", part, size, fill)], modified: 7), batch: last,
          mode: .merge(rewriteFrom: first, ownFrom: first))
        try commit(one, last, 1)
        #expect(text(folder, "b") == before || text(folder, "b") == file(fills), "part \(part) of \(fills)")
      }
      #expect(text(folder, "b") == file(fills), "\(fills)")
    }
  }

  @Test func `a list that was damaged is refused with what to do`() throws {
    let folder = TemporaryFolder()
    let one = try writer(folder)
    _ = try one.write(batch([("a", 0, 1, 1)]), batch: 1, mode: .append)
    try commit(one, 1, 1)
    one.close()
    let hidden = folder.path + "/t/.sanjiang"
    let list = try #require(try FileManager.default.contentsOfDirectory(atPath: hidden).first { $0.hasPrefix("list-") })
    let bytes = Array(try Data(contentsOf: URL(fileURLWithPath: hidden + "/" + list)))
    folder.write("t/.sanjiang/" + list, bytes.map { $0 == UInt8(ascii: "a") ? UInt8(ascii: "b") : $0 })
    let refused = error { _ = try writer(folder, fence: 2) }
    #expect(refused?.code == "contract.manifest" && refused?.message.english.contains("empty the folder") == true)
    for name in ["", ".", "..", "a/b", ".t", "x.tmp"] {
      let plan = WritePlan(
        table: TableName(name), columns: DocumentColumn.allCases.map { .init($0.rawValue, $0.type) }, key: [0, 1],
        stream: "s", run: "r", fence: 1)
      let fault = error { _ = try DocumentsConnector(.local(folder.path)).openWriter(plan) }
      #expect(fault?.code == "contract.target-name", "\(name)")
    }
  }
}

extension RowWriter {
  fileprivate var batchesHeld: [Int64] { ((try? batches(1...100)) ?? []).map(\.batch) }
}
