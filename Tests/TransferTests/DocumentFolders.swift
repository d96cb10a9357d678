import Connecting
import Foundation
import Kernel
import Remote
import TestKit
import Testing

@testable import ConnectorFiles
@testable import Transfer

/// A folder of files as a person sees it: what is hidden is not there.
struct FolderContent: Equatable, CustomStringConvertible {
  struct File: Equatable {
    var bytes: Data
    /// In microseconds, as rows have it.
    var modified: Int64?
  }

  /// By the bytes of their names: to Swift two spellings of an accent are one text.
  private var files: [[UInt8]: File] = [:]

  subscript(name: String) -> File? {
    get { files[Array(name.utf8)] }
    set { files[Array(name.utf8)] = newValue }
  }

  var count: Int { files.count }
  var names: [String] { files.keys.map { String(decoding: $0, as: UTF8.self) }.sorted() }

  init(_ path: String, times: Bool = true) throws {
    for case let name as String in FileManager.default.enumerator(atPath: path) ?? .init() {
      if name.split(separator: "/").contains(where: { $0.hasPrefix(".") }) { continue }
      var status = stat()
      guard lstat(path + "/" + name, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { continue }
      files[Array(name.utf8)] = File(
        bytes: try Data(contentsOf: URL(fileURLWithPath: path + "/" + name)),
        modified: times
          ? DocumentTime.microseconds(seconds: status.st_mtim.tv_sec, nanoseconds: status.st_mtim.tv_nsec) : nil)
    }
  }

  /// Names, sizes and the first bytes: megabytes are not to be printed.
  var description: String {
    files.map { name, file in
      "\(String(decoding: name, as: UTF8.self)) \(file.bytes.count) \(file.modified ?? 0) \(Array(file.bytes.prefix(8)))"
    }.sorted().joined(separator: "; ")
  }
}

/// A folder of a test's own with `in` and `out`, the table `t` in each.
struct DocumentFolders {
  let path: String

  init(_ path: String) throws {
    self.path = path
    for name in ["in/t", "out", "keeper"] {
      try FileManager.default.createDirectory(atPath: path + "/" + name, withIntermediateDirectories: true)
    }
  }

  var source: DocumentsConnector { DocumentsConnector(.local(path + "/in"), leastAge: .zero) }
  var target: DocumentsConnector { target(bytes: 3 << 20) }

  /// `bytes`: after how many a commit reaches the folder.
  func target(bytes: Int) -> DocumentsConnector {
    DocumentsConnector(.local(path + "/out"), leastAge: .zero, writing: WrittenDocuments(bytes: bytes, files: 20))
  }

  /// `modified` in seconds since 1970.
  func write(_ name: String, _ bytes: [UInt8], modified: Double? = nil) throws {
    let file = path + "/in/t/" + name
    try FileManager.default.createDirectory(
      atPath: (file as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    try Data(bytes).write(to: URL(fileURLWithPath: file))
    guard let modified else { return }
    var times = [timespec(), timespec()]
    for index in times.indices {
      times[index].tv_sec = Int(modified.rounded(.down))
      times[index].tv_nsec = Int((modified - modified.rounded(.down)) * 1e9)
    }
    try #require(utimensat(AT_FDCWD, file, times, 0) == 0)
  }

  func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: path + "/in/t/" + name) }

  /// The same for the same seed, and nothing in it comes again within a file.
  static func bytes(_ count: Int, _ seed: UInt8 = 1) -> [UInt8] {
    var (piece, state) = ([UInt8](repeating: 0, count: 1009), UInt32(seed) &* 2_654_435_761 | 1)
    for index in piece.indices {
      state ^= state << 13
      state ^= state >> 17
      state ^= state << 5
      piece[index] = UInt8(truncatingIfNeeded: state)
    }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count + piece.count)
    while bytes.count < count {
      withUnsafeBytes(of: bytes.count) { bytes.append(contentsOf: $0) }
      bytes.append(contentsOf: piece)
    }
    return Array(bytes.prefix(count))
  }

  /// Files of every sort that has its own way through the code.
  func fill(large: Int = 5 << 20) throws {
    try write("空.txt", [])
    try write("一个字节", [7], modified: 1_000_000_000.123457)
    try write("正好 一段.bin", Self.bytes(DocumentParts.bytes))
    try write("一段多 一字节.bin", Self.bytes(DocumentParts.bytes + 1))
    try write("深/更深/很 深/最深/年报（2025）.pdf", Self.bytes(100_000, 3), modified: -5_000.5)
    try write("深.txt", Self.bytes(10, 4))
    try write("深-前.txt", Self.bytes(11, 5))
    try write("e\u{301}.txt", [1])
    try write("\u{E9}.txt", [2])
    try write("large.iso", Self.bytes(large, 6))
  }

  var sent: FolderContent { get throws { try FolderContent(path + "/in/t") } }
  var received: FolderContent { get throws { try FolderContent(path + "/out/t") } }
  var hidden: [String] {
    get throws { try FileManager.default.contentsOfDirectory(atPath: path + "/out/t/.sanjiang") }
  }

  static var grant: Grant {
    var grant = Grant()
    grant.items = [
      ItemContract("path", .text), ItemContract("part", .integer), ItemContract("size", .integer),
      ItemContract("modified", .timestamp), ItemContract("content", .bytes),
    ]
    grant.key = ["path", "part"]
    grant.cursor = .init("modified", .timestamp)
    (grant.source, grant.target) = ("t", "t")
    return grant
  }
}

extension Grant {
  @discardableResult
  func carry(
    _ mode: DeliveryPlan.Mode, run: String, fence: Int64 = 1, from source: any Connector, to target: any Connector,
    progress: @escaping @Sendable (DeliveryProgress) -> Void = { _ in }
  ) async throws -> DeliveryOutcome {
    let keeper = self.keeper
    return try await Delivery(
      plan(mode, run: run, fence: fence), control: DeliveryControl(progress: progress, quarantine: { keeper.take($0) })
    ).run(from: source, to: target)
  }
}

/// A folder that receives documents, whose worker can be ended or held up at any step.
struct SteppedDocuments: Connector {
  let inner: DocumentsConnector
  let folder: String
  let step: @Sendable (TargetStep) throws(ConnectorError) -> Void

  var guarantee: ConnectorGuarantee { inner.guarantee }
  func probe() throws(ConnectorError) -> ConnectorProbe { try inner.probe() }
  func tables() throws(ConnectorError) -> [TableSummary] { try inner.tables() }
  func describe(_ table: TableName) throws(ConnectorError) -> TableDescription { try inner.describe(table) }
  func openReader(_ plan: ReadPlan) throws(ConnectorError) -> any RowReader { try inner.openReader(plan) }
  func openWriter(_ plan: WritePlan) throws(ConnectorError) -> any RowWriter {
    try DocumentsWriter(
      plan, LocalDocumentTarget(plan.table.name, in: folder, patience: .milliseconds(300), step: step), place: folder,
      bounds: inner.writing)
  }
}
