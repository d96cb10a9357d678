import Connecting
import Kernel

/// What a table's folder holds: the manifest of the highest number, and nothing else, says which files count.
struct FileSet: Hashable, NumberedManifest {
  enum Mode: String, Hashable { case full, incremental }

  enum Content: String, Hashable {
    /// Every line a row.
    case rows
    /// Every line what became of a row, in the order in which it did: `FileOperation`.
    case operations
  }

  struct Column: Hashable {
    var name: String
    var type: ValueType
    var length: Int?
  }

  struct DataFile: Hashable {
    var name: String
    var mode: Mode
    var content: Content
    var run: String
    var fence: Int64
    /// Lines that bear a row.
    var rows = 0
    var deleted = 0
    var stale = 0
    var bytes: Int
    /// SM3 of the whole file.
    var digest: String
    var firstBatch: Int64
    /// Lines of each batch from the first on, in the file's order.
    var batchLines: [Int]
    var longestLine: Int

    var lastBatch: Int64 { firstBatch + Int64(batchLines.count) - 1 }
    var lines: Int { rows + deleted + stale }
  }

  /// A run that is not complete: its files do not count yet.
  struct Pending: Hashable {
    var run: String
    var started: Instant
    var mode: Mode
    /// Complete, it takes the place of all that was there.
    var replaces: Bool
    var columns: [Column]
    var key: [String]
    var state = ""
    var files: [DataFile] = []
    var batches: [BatchRecord] = []
  }

  /// A file that no manifest will name again, and since when: removed when readers of earlier manifests had their time.
  struct Dropped: Hashable {
    var name: String
    var since: Instant
  }

  /// Of one set: more files ask for a new full one.
  static let mostFiles = 2000

  var number = 0
  var commit = ""
  var written = Instant(milliseconds: 0)
  var table: String
  var stream: String
  var fence: Int64
  var lastBatch: Int64 = 0
  /// Of the last run that is complete, with its batches and the engine's state.
  var run = ""
  var state = ""
  var columns: [Column] = []
  var key: [String] = []
  var files: [DataFile] = []
  var batches: [BatchRecord] = []
  var pending: Pending?
  var dropped: [Dropped] = []

  init(table: String, stream: String, fence: Int64) {
    self.table = table
    self.stream = stream
    self.fence = fence
  }

  /// As the engine may go on: from the run under way where there is one.
  var offset: StoredOffset? {
    let state = pending.flatMap { $0.state.isEmpty ? nil : $0 }
    let text = state?.state ?? self.state
    return text.isEmpty ? nil : StoredOffset(fence: fence, run: state?.run ?? run, batch: lastBatch, state: text)
  }

  var holdsRows: Bool { files.contains { $0.rows > 0 } }

  /// The run's files now count.
  mutating func complete(at now: Instant) {
    guard let run = pending else { return }
    if run.replaces {
      dropped += files.map { Dropped(name: $0.name, since: now) }
      files = []
    }
    files += run.files
    (columns, key) = (run.columns, run.key)
    batches = (self.run == run.run ? batches : []) + run.batches
    (self.run, state) = (run.run, run.state)
    pending = nil
  }

  /// The run under way is given up.
  mutating func dropPending(at now: Instant) {
    dropped += (pending?.files ?? []).map { Dropped(name: $0.name, since: now) }
    pending = nil
  }

  /// Leaves to be removed what killed runs of lower fences left and no manifest names. None of it can count any more: a
  /// manifest that names it would have to be of its own fence.
  mutating func dropLeftovers(among names: [String], at now: Instant) {
    let known = Set(files.map(\.name) + (pending?.files ?? []).map(\.name) + dropped.map(\.name))
    for name in names where !known.contains(name) {
      if let found = FileSetNames.fence(of: name, table: table), found < fence {
        dropped.append(Dropped(name: name, since: now))
      }
    }
  }
}

/// What a line of a file of operations says of the row under its key.
enum FileOperation: String {
  /// It is this.
  case upsert
  /// It is gone, or no longer part of the grant.
  case delete
  /// The source's row cannot be delivered: whatever version there is, is no longer up to date.
  case stale

  static let column = "sj_operation"

  var text: StaticString {
    switch self {
    case .upsert: "upsert"
    case .delete: "delete"
    case .stale: "stale"
    }
  }
}

/// How a folder's files are called.
enum FileSetNames {
  static func manifest(_ number: Int) -> String { "manifest-\(padded(number)).json" }

  /// The number of a manifest; nil for any other name.
  static func number(of name: String) -> Int? {
    guard name.hasPrefix("manifest-"), name.hasSuffix(".json") else { return nil }
    let digits = name.dropFirst(9).dropLast(5)
    guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(digits), number > 0 else {
      return nil
    }
    return number
  }

  static func temporary(_ name: String, fence: Int64) -> String { "\(name)-f\(fence).part" }

  /// The same for the same run, batch and fence. The fence is part of it, so that a worker that was paused can never put
  /// its file in the place of its successor's.
  static func data(
    _ table: String, _ run: FileSet.Pending, _ batch: Int64, _ part: Int, _ content: FileSet.Content, fence: Int64,
    format: FileFormat
  ) -> String {
    let day = run.started.description.prefix(19).filter { $0 != "-" && $0 != ":" }
    let what = content == .operations ? "-changes" : ""
    let number = padded(Int(batch)) + (part > 1 ? ".\(part)" : "")
    return "\(table)-\(day)Z-\(number)-f\(fence)\(what)\(format.endings[0])"
  }

  /// The fence in the name of a file that a worker made; nil for all other names.
  static func fence(of name: String, table: String) -> Int64? {
    guard name.hasPrefix(table + "-") || name.hasPrefix("manifest-") || name.hasPrefix("probe-") else { return nil }
    var rest = Substring(name)
    if name.hasPrefix("\(table)-") {
      for ending in [".part"] where rest.hasSuffix(ending) {
        rest = rest.dropLast(ending.count)
        // The temporary name bears the fence once more.
        if let mark = rest.range(of: "-f", last: true) { rest = rest[..<mark.lowerBound] }
      }
      guard let ending = [".csv", ".jsonl"].first(where: { rest.hasSuffix($0) }) else { return nil }
      rest = rest.dropLast(ending.count)
      if rest.hasSuffix("-changes") { rest = rest.dropLast(8) }
    } else {
      guard rest.hasSuffix(".part") else { return nil }
      rest = rest.dropLast(5)
    }
    guard let mark = rest.range(of: "-f", last: true) else { return nil }
    return Int64(rest[mark.upperBound...])
  }

  private static func padded(_ number: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, 8 - digits.count)) + digits
  }

  /// Why no column of a file can bear this name. A table's is judged when it is opened: more is wrong for a folder.
  static func columnFault(_ name: String) -> Text? {
    name.utf8.contains { $0 < 0x20 || $0 == 0x7F }
      ? Text("名称含有控制字符。", "The name holds control characters.") : nil
  }

  /// Why no folder of files can bear this table's name; nil when one can.
  static func fault(_ name: String) -> Text? {
    let bytes = name.utf8
    if bytes.count > 120 {
      return Text("文件名最多 120 字节，“\(name)”太长。", "A file's name has at most 120 bytes; “\(name)” is too long.")
    }
    if FileFormat.allCases.flatMap(\.endings).contains(where: { name.lowercased().hasSuffix($0) }) {
      return Text(
        "“\(name)”应为文件夹名，不带文件扩展名。", "“\(name)” is to be a folder's name, without a file's ending.")
    }
    let isPlain =
      !bytes.isEmpty && name.first != "." && name.first != " " && name.last != " " && name.last != "."
      && !bytes.contains { $0 < 0x20 || $0 == 0x7F || "/\\:*?\"<>|".utf8.contains($0) }
    return isPlain
      ? nil
      : Text(
        "“\(name)”含有文件名不能有的字符。", "“\(name)” holds characters that no file's name may have.")
  }
}

extension Substring {
  /// Where the last such stretch is.
  fileprivate func range(of text: String, last: Bool) -> Range<Index>? {
    var end = endIndex
    while let start = index(end, offsetBy: -text.count, limitedBy: startIndex) {
      if self[start..<end] == text { return start..<end }
      guard end > startIndex else { return nil }
      end = index(before: end)
    }
    return nil
  }
}
