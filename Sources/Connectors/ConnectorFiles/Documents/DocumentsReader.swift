import Connecting
import Kernel
import Remote

/// Reads a folder's files as rows, part by part.
///
/// A file that was written to within the least age, or that changes while it is read, is left to the next run: in a full
/// read one bad row says so, which keeps the receiver's older version.
final class DocumentsReader: RowReader {
  let horizon: CursorValue?
  let isKeyOrdered: Bool
  let checksText = true
  private(set) var position: [UInt8]

  /// A file under way to its rows.
  private struct Current {
    var found: FoundDocument
    /// Nil where no content is asked for.
    var content: DocumentContent?
    var part: Int
    let count: Int
  }

  private let walk: any DocumentWalk
  private let columns: [DocumentColumn?]
  private let stale: (column: Int, batches: DocumentStaleParts)?
  private let above: Int64?
  /// Nothing that was written to later is delivered, in microseconds since 2000; nil where that does not matter.
  private let limit: Int64?
  private let cancellation: RemoteCancellation
  private var resumed: DocumentsPosition?
  private var current: Current?
  private let scratch = UnsafeMutableRawPointer.allocate(byteCount: DocumentParts.bytes, alignment: 4096)

  /// `now` in microseconds since 2000, `leastAge` in microseconds.
  init(
    _ plan: ReadPlan, now: Int64, leastAge: Int64, ours: DocumentStaleParts?, _ cancellation: RemoteCancellation,
    walk: (_ from: [UInt8]) throws(ConnectorError) -> any DocumentWalk
  ) throws(ConnectorError) {
    var columns: [DocumentColumn?] = []
    var staleColumn: Int?
    for (index, column) in plan.columns.enumerated() {
      if column.name == WritePlan.staleBatchColumn, ours != nil {
        staleColumn = index
        columns.append(nil)
      } else {
        columns.append(try DocumentColumn.find(column.name, column.type, in: plan.table))
      }
    }
    self.columns = columns
    stale = staleColumn.flatMap { column in ours.map { (column, $0) } }
    // Our own folder's files were put there whole.
    limit = ours == nil && leastAge > 0 ? now - leastAge : nil
    isKeyOrdered = plan.key.map { columns[$0] } == DocumentColumn.key
    if let cursor = plan.cursor, stale == nil {
      guard columns[cursor] == .modified else {
        throw .contract("no-increment", "文件只能按 modified 列增量读取。", "Files are read incrementally by “modified” only.")
      }
      // What is younger is looked at again.
      horizon = .timestamp(now - leastAge)
    } else {
      horizon = nil
    }
    position = []
    switch plan.range {
    case .incremental(let from):
      guard case .timestamp(let time) = from, plan.cursor != nil else {
        throw .contract("no-increment", "文件只能按 modified 列增量读取。", "Files are read incrementally by “modified” only.")
      }
      above = time
    case .full(let after):
      above = nil
      if let after {
        guard let place = DocumentsPosition(after) else {
          throw .contract("position", "断点无法识别。", "The place to go on from cannot be read.")
        }
        resumed = place
        position = after
      }
    }
    self.cancellation = cancellation
    self.walk = try walk(resumed?.path ?? [])
  }

  deinit { scratch.deallocate() }

  func read(into batch: RowBatch) throws(ConnectorError) -> ReadOutcome {
    batch.removeAll()
    while !batch.isFull {
      guard !cancellation.isCancelled else {
        throw ConnectorError(.retryable, "files.cancelled", Text("读取已取消。", "The reading was cancelled."))
      }
      if current != nil {
        try appendPart(to: batch)
      } else if let found = try walk.next() {
        try begin(found, batch)
      } else {
        break
      }
    }
    return batch.isEmpty ? .end : .rows
  }

  private func begin(_ found: FoundDocument, _ batch: RowBatch) throws(ConnectorError) {
    if let above, found.changed <= above { return }
    var first = 0
    if let place = resumed {
      resumed = nil
      if place.path == found.path {
        if place.isLast { return }
        first = place.part + 1
        // Its first parts are delivered; the rest would be another version's.
        guard place.mark == found.mark else { return leave(found, first, batch) }
      }
    }
    if let fault = found.fault { return leave(found, 0, batch, fault) }
    if let limit, found.written > limit {
      // The next incremental run brings it by itself.
      if above == nil { leave(found, first, batch) }
      return
    }
    let count = DocumentParts.count(of: found.size)
    guard first < count else { return }
    guard columns.contains(.content) else {
      current = Current(found: found, content: nil, part: first, count: count)
      return
    }
    guard let content = try walk.open(found) else { return leave(found, first, batch) }
    current = Current(found: found, content: content, part: first, count: count)
  }

  private func appendPart(to batch: RowBatch) throws(ConnectorError) {
    guard let at = current else { return }
    let length = DocumentParts.length(of: at.part, in: at.found.size)
    if let content = at.content {
      guard try content.read(into: scratch, length, at: at.part * DocumentParts.bytes) == length, content.isUnchanged
      else {
        current = nil
        return leave(at.found, at.part, batch)
      }
    }
    append(at.found, at.part, to: batch) { column in
      switch column {
      case .path: at.found.path.withUnsafeBytes { batch.append($0) }
      case .content: batch.append(UnsafeRawBufferPointer(start: scratch, count: length))
      case .modified: self.append(at.found.modified, to: batch)
      case .part: batch.append(Int64(at.part))
      case .size: batch.append(Int64(at.found.size))
      }
    }
    let isLast = at.part + 1 == at.count
    position = DocumentsPosition(path: at.found.path, part: at.part, isLast: isLast, mark: at.found.mark).bytes
    if isLast { current = nil } else { current?.part += 1 }
  }

  /// A row that says under its key that there is none now, and why.
  private func leave(_ found: FoundDocument, _ part: Int, _ batch: RowBatch, _ fault: RowFault = .stillChanging) {
    let bearer: DocumentColumn =
      fault != .stillChanging && columns.contains(.path) ? .path : columns.contains(.content) ? .content : .size
    guard columns.contains(bearer) else { return }
    append(found, part, to: batch) { column in
      switch column {
      case bearer: (bearer == .path ? found.path : []).withUnsafeBytes { batch.appendMalformed(fault, $0) }
      case .path: found.path.withUnsafeBytes { batch.append($0) }
      case .content: batch.append(UnsafeRawBufferPointer(start: scratch, count: 0))
      case .modified: self.append(found.modified, to: batch)
      case .part: batch.append(Int64(part))
      case .size: batch.append(Int64(found.size))
      }
    }
    position = DocumentsPosition(path: found.path, part: part, isLast: true, mark: found.mark).bytes
  }

  private func append(
    _ found: FoundDocument, _ part: Int, to batch: RowBatch, _ value: (DocumentColumn) -> Void
  ) {
    batch.beginRow(fields: columns.count)
    for column in columns {
      if let column {
        value(column)
      } else if let flagged = stale?.batches.batch(found.path, part) {
        batch.append(flagged)
      } else {
        batch.appendNull()
      }
    }
    batch.endRow()
  }

  private func append(_ time: Int64, to batch: RowBatch) {
    guard WrittenTime.microseconds.contains(time) else {
      return withUnsafeBytes(of: time.bigEndian) { batch.appendMalformed(.impossibleDate, $0) }
    }
    batch.append(time)
  }

  var interrupter: @Sendable () -> Void { { [cancellation] in cancellation.cancel() } }

  func close() { current = nil }
}

/// Where a full read goes on: behind which part of which version of which file.
struct DocumentsPosition: Hashable {
  private static let version: UInt8 = 3

  var path: [UInt8]
  var part: Int
  /// Nothing more comes of this file.
  var isLast: Bool
  var mark: [UInt8]

  init(path: [UInt8], part: Int, isLast: Bool, mark: [UInt8]) {
    self.path = path
    self.part = part
    self.isLast = isLast
    self.mark = mark
  }

  var bytes: [UInt8] {
    [Self.version, isLast ? 1 : 0] + withUnsafeBytes(of: UInt64(part).bigEndian) { [UInt8]($0) }
      + withUnsafeBytes(of: UInt32(path.count).bigEndian) { [UInt8]($0) } + path + mark
  }

  init?(_ bytes: [UInt8]) {
    guard bytes.count >= 14, bytes[0] == Self.version, bytes[1] <= 1 else { return nil }
    let part = bytes[2..<10].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    let length = bytes[10..<14].reduce(0) { $0 << 8 | Int($1) }
    guard part < UInt64(Int32.max), length <= bytes.count - 14 else { return nil }
    isLast = bytes[1] == 1
    self.part = Int(part)
    path = Array(bytes[14..<14 + length])
    mark = Array(bytes[(14 + length)...])
  }
}

/// Of a folder that we wrote: which parts are flagged because the source has no good version of them now.
struct DocumentStaleParts {
  private let batches: [[UInt8]: [Int: Int64]]

  init(_ batches: [[UInt8]: [Int: Int64]]) { self.batches = batches }

  func batch(_ path: [UInt8], _ part: Int) -> Int64? { batches[path]?[part] }
}
