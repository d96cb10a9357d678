import Connecting
import Kernel

/// What a target knows of its rows: for each path the parts that it has, which batch wrote them, and where their bytes are.
struct DocumentIndex {
  /// Where the bytes of a part are.
  enum Place: Hashable {
    /// In the file that stands at its path.
    case file
    /// With other parts in a file of the hidden place.
    case parts(String, offset: Int)
    /// On this machine, not yet in the folder.
    case gathered(offset: Int)
  }

  struct Row: Hashable {
    var part: Int
    var version: DocumentVersion
    var batch: Int64
    /// Which batch flagged it; 0 for none.
    var stale: Int64 = 0
    /// `ContentDigest` of its bytes.
    var digest: [UInt8]
    var place: Place
  }

  struct Entry: Hashable {
    /// Of the file that stands at the path; nil where none does.
    var file: DocumentVersion?
    /// Ascending by part.
    var rows: [Row] = []

    func position(of part: Int) -> (index: Int, isThere: Bool) {
      // Mostly all parts from 0 on are there.
      if part < rows.count, rows[part].part == part { return (part, true) }
      if let last = rows.last, last.part < part { return (rows.count, false) }
      let index = rows.firstIndex { $0.part >= part } ?? rows.count
      return (index, index < rows.count && rows[index].part == part)
    }

    func row(_ part: Int) -> Row? {
      let (index, isThere) = position(of: part)
      return isThere ? rows[index] : nil
    }

    mutating func set(_ row: Row) {
      let (index, isThere) = position(of: row.part)
      if isThere { rows[index] = row } else { rows.insert(row, at: index) }
    }

    /// The version of which all parts are there and which does not stand at the path yet.
    var complete: DocumentVersion? {
      guard let first = rows.first, first.part == 0 else { return nil }
      let count = DocumentParts.count(of: first.version.size)
      guard rows.count >= count else { return nil }
      var isNew = file != first.version
      for index in 0..<count {
        guard rows[index].part == index, rows[index].version == first.version else { return nil }
        if rows[index].place != .file { isNew = true }
      }
      return isNew ? first.version : nil
    }
  }

  /// Files of one target: their list is kept in memory.
  static let most = 500_000

  private(set) var entries: [[UInt8]: Entry] = [:]
  /// As they were before the open transaction.
  private var before: [[UInt8]: Entry?] = [:]
  /// What changed since the folder last heard of it, and the file that stood there then.
  private(set) var changed: [[UInt8]: DocumentVersion?] = [:]

  subscript(path: [UInt8]) -> Entry? { entries[path] }

  /// An entry without rows goes.
  mutating func update(_ path: [UInt8], _ change: (inout Entry) -> Void) throws(ConnectorError) {
    let old = entries.removeValue(forKey: path)
    if before[path] == nil { before[path] = .some(old) }
    if changed[path] == nil { changed[path] = .some(old?.file) }
    var entry = old ?? Entry()
    change(&entry)
    if !entry.rows.isEmpty { entries[path] = entry }
    guard entries.count <= Self.most else {
      throw ConnectorError(
        .permanent, "documents.too-many",
        Text(
          "接收的文件超过 \(Self.most) 个；请按子文件夹拆成几张表交付。",
          "More than \(Self.most) files would be received: deliver sub-folders as tables of their own."))
    }
  }

  mutating func keep() { before.removeAll(keepingCapacity: true) }

  mutating func takeBack() {
    for (path, entry) in before { entries[path] = entry }
    before = [:]
  }

  /// The folder has heard of all; these are the entries as it has them.
  mutating func settle(_ settled: [[UInt8]: Entry]) {
    for (path, entry) in settled { entries[path] = entry }
    changed = [:]
  }

  /// From a list that was written before.
  mutating func load(_ path: [UInt8], _ entry: Entry?) { entries[path] = entry }

  /// Where rows are kept besides their files.
  var partNames: Set<String> {
    var names: Set<String> = []
    for entry in entries.values {
      for row in entry.rows { if case .parts(let name, _) = row.place { names.insert(name) } }
    }
    return names
  }
}
