import Connecting
import Kernel
import Remote

/// A file as a walk meets it.
struct FoundDocument {
  var path: [UInt8]
  var size: Int
  /// Microseconds since 2000-01-01T00:00:00Z.
  var modified: Int64
  /// When it last changed, by whatever its store tells of that: what an incremental read goes by.
  var changed: Int64
  /// When it was last written to, by the store's own clock, which nobody sets.
  var written: Int64
  /// Another one proves that it is not the file it was.
  var mark: [UInt8]
  /// Why it cannot be carried under its name.
  var fault: RowFault?

  var version: DocumentVersion { DocumentVersion(size: size, modified: modified) }
}

/// The files of a table's folder and of all folders within it, in the order of their paths' bytes. Used by one thread.
protocol DocumentWalk: AnyObject {
  /// Links met so far. They are never followed: they may lead out of the folder.
  var links: Int { get }
  /// Without what `DocumentPath` leaves out. Nil behind the last.
  func next() throws(ConnectorError) -> FoundDocument?
  /// Only of the file that `next` gave last. Nil where it is another one by now, or none.
  func open(_ found: FoundDocument) throws(ConnectorError) -> DocumentContent?
}

/// The bytes of one file: of a folder here, or as they were copied. Gone with the last reference.
final class DocumentContent {
  let size: Int
  /// Where the store tells and keeps it.
  let modified: Int64?
  private let bytes: (UnsafeMutableRawPointer, _ wanted: Int, _ offset: Int) throws(ConnectorError) -> Int
  private let verify: () -> Bool

  /// `verify`: whether this still is the file, where it was not copied.
  init(
    size: Int, modified: Int64?,
    bytes: @escaping (UnsafeMutableRawPointer, _ wanted: Int, _ offset: Int) throws(ConnectorError) -> Int,
    verify: @escaping () -> Bool = { true }
  ) {
    self.size = size
    self.modified = modified
    self.bytes = bytes
    self.verify = verify
  }

  convenience init(_ spool: SpoolFile, _ range: Range<Int>, modified: Int64?) {
    self.init(size: range.count, modified: modified) { (target, wanted, offset) throws(ConnectorError) in
      try spool.read(into: target, min(wanted, range.count - offset), at: range.lowerBound + offset)
    }
  }

  var isUnchanged: Bool { verify() }

  /// Fills `target` from `offset` on; answers how many bytes there were.
  func read(into target: UnsafeMutableRawPointer, _ count: Int, at offset: Int) throws(ConnectorError) -> Int {
    var at = 0
    while at < count, offset + at < size {
      let got = try bytes(target + at, min(count - at, size - offset - at), offset + at)
      guard got > 0 else { break }
      at += got
    }
    return at
  }
}

/// Of a store elsewhere: each file is copied here before any of it is delivered.
final class RemoteDocumentWalk: DocumentWalk {
  let links = 0
  private let store: any FileStore
  private let walk: any FileWalk
  private let cancellation: RemoteCancellation
  private var current: StoredFile?

  init(_ store: any FileStore, from path: [UInt8], _ cancellation: RemoteCancellation) throws(ConnectorError) {
    self.store = store
    self.cancellation = cancellation
    walk = try store.walk(from: String(decoding: path, as: UTF8.self), cancellation)
  }

  func next() throws(ConnectorError) -> FoundDocument? {
    while let file = try walk.next() {
      var judgement = DocumentPath.judge(file.name.utf8)
      if judgement == .leftOut { continue }
      // What was no UTF-8 cannot be asked for.
      if file.name.unicodeScalars.contains("\u{FFFD}") { judgement = .fault(.invalidText) }
      current = file
      let modified = DocumentTime.microseconds(file.modified ?? Instant(milliseconds: 0))
      var found = FoundDocument(
        path: Array(file.name.utf8), size: file.size ?? 0, modified: modified, changed: modified,
        written: modified, mark: Array("\(file.mark ?? "") \(file.size ?? 0) \(modified)".utf8))
      if case .fault(let fault) = judgement { found.fault = fault }
      return found
    }
    return nil
  }

  func open(_ found: FoundDocument) throws(ConnectorError) -> DocumentContent? {
    guard let current else { return nil }
    let spool = try SpoolFile()
    do throws(ConnectorError) {
      guard let copy = try store.fetch([current], into: spool, cancellation).first, copy.range.count == found.size,
        copy.modified.map({ DocumentTime.microseconds($0) == found.modified }) ?? true
      else { return nil }
      return DocumentContent(spool, copy.range, modified: found.modified)
    } catch {
      guard ["remote.changed", "remote.missing"].contains(error.code) else { throw error }
      return nil
    }
  }
}

/// Times as rows have them.
enum DocumentTime {
  /// Seconds from 1970 to 2000.
  static let epoch = 946_684_800

  static func microseconds(_ moment: Instant) -> Int64 { (moment.milliseconds - Int64(epoch) * 1000) * 1000 }

  static func microseconds(seconds: Int, nanoseconds: Int) -> Int64 {
    Int64(seconds &- epoch) &* 1_000_000 &+ Int64(nanoseconds / 1000)
  }

  /// A file system may keep times less exactly than we do.
  static func isSame(_ a: Int64, _ b: Int64) -> Bool { abs(a - b) < 2_000_000 }
}
