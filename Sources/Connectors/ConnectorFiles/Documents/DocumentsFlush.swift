import Connecting
import Kernel
import NationalCrypto
import Remote

// How what was gathered comes into the folder: ready in the hidden place, committed, put in its place.

extension DocumentsWriter {
  /// How many lists there are before they become one.
  private static let mostListings = 16

  /// `ownFrom`: the first batch of the run under way; files that only earlier ones wrote make way for its own.
  func flush(ownFrom: Int64) throws(ConnectorError) {
    opened = nil
    var next = set
    (next.gone, next.ready) = ([], [])
    var settled: [[UInt8]: DocumentIndex.Entry] = [:]
    for (path, stood) in index.changed where index[path] == nil {
      if let stood { next.gone.append(gone(path, stood)) }
    }
    let loose = try SpoolFile()
    let looseName = newName(.parts)
    for path in index.changed.keys.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
      guard var entry = index[path] else { continue }
      try checkCancellation()
      if let version = entry.complete {
        let name = String(decoding: path, as: UTF8.self)
        try makeWay(for: path, ownFrom: ownFrom, &next)
        next.ready.append(DocumentSet.Ready(name: try gather(path, entry, version), path: name))
        entry.rows.removeAll { $0.version != version && $0.place == .file }
        for place in entry.rows.indices where entry.rows[place].version == version { entry.rows[place].place = .file }
        entry.file = version
      }
      for place in entry.rows.indices {
        guard case .gathered = entry.rows[place].place, let bytes = try bytes(of: entry.rows[place], path) else {
          continue
        }
        entry.rows[place].place = .parts(looseName, offset: loose.count)
        try append(bytes, to: loose)
      }
      settled[path] = entry
    }
    if loose.count > 0 { try make(loose, looseName) }
    try list(settled, &next)
    try log.commit(next, at: now)
    let replaced = Set(set.listings.map(\.name)).subtracting(next.listings.map(\.name))
    set = next
    index.settle(settled)
    gathered = nil
    try carryOut(set, isAgain: false)
    let (needed, made) = (index.partNames, partNames.union(loose.count > 0 ? [looseName] : []))
    for name in replaced.union(made.subtracting(needed)) { try? target.hidden.remove(name) }
    partNames = needed
  }

  private func gone(_ path: [UInt8], _ version: DocumentVersion) -> DocumentSet.Gone {
    DocumentSet.Gone(path: String(decoding: path, as: UTF8.self), version: version)
  }

  /// Files that stand where this one's folders have to be, or in what has to be a file, go when only earlier runs wrote
  /// them: the source cannot have both.
  private func makeWay(
    for path: [UInt8], ownFrom: Int64, _ next: inout DocumentSet
  ) throws(ConnectorError) {
    func isOlder(_ entry: DocumentIndex.Entry) -> Bool { entry.rows.allSatisfy { $0.batch < ownFrom } }
    for folder in DocumentPath.folders(of: path) {
      guard let entry = index[folder], let version = entry.file, isOlder(entry) else { continue }
      try index.update(folder) { $0.rows = [] }
      index.keep()
      next.gone.append(gone(folder, version))
    }
    do throws(ConnectorError) {
      try target.check(String(decoding: path, as: UTF8.self))
    } catch {
      guard error.code == "documents.clash" else { throw error }
      let within = index.entries.filter { $0.key.starts(with: path + [UInt8(ascii: "/")]) }
      let isTakenAway = next.gone.contains { gone in
        path.starts(with: Array(gone.path.utf8) + [UInt8(ascii: "/")])
          || gone.path.utf8.starts(with: path + [UInt8(ascii: "/")])
      }
      guard within.values.allSatisfy(isOlder), !within.isEmpty || isTakenAway else { throw error }
      for (inner, entry) in within {
        try index.update(inner) { $0.rows = [] }
        index.keep()
        if let version = entry.file { next.gone.append(gone(inner, version)) }
      }
    }
  }

  /// The whole file in the hidden place; answers its name there.
  private func gather(
    _ path: [UInt8], _ entry: DocumentIndex.Entry, _ version: DocumentVersion
  ) throws(ConnectorError) -> String {
    let content = try SpoolFile()
    for part in 0..<DocumentParts.count(of: version.size) {
      guard let row = entry.row(part), let bytes = try bytes(of: row, path) else { throw lost(path) }
      var digest = ContentDigest()
      bytes.withUnsafeBytes { digest.add($0) }
      guard digest.bytes == row.digest else { throw lost(path) }
      try append(bytes, to: content)
    }
    let name = newName(.ready)
    let temporary = FileSetNames.temporary(name, fence: plan.fence)
    if try !target.gather(content, as: name, through: temporary, modified: version.modified) {
      // Of an earlier try of this same worker, as its fence says.
      try target.hidden.remove(name)
      guard try target.gather(content, as: name, through: temporary, modified: version.modified) else {
        throw .takenOver
      }
    }
    return name
  }

  /// Somebody changed or removed what parts of a file lay in: a full delivery brings all of them again.
  private func lost(_ path: [UInt8]) -> ConnectorError {
    .contract(
      "target-lost", "接收文件夹中“\(String(decoding: path, as: UTF8.self))”已交付的部分被改动或删除，须重新全量交付。",
      "Delivered parts of “\(String(decoding: path, as: UTF8.self))” were changed or removed in the receiving folder: a new full delivery is needed."
    )
  }

  private func newName(_ kind: DocumentNames.Kind) -> String {
    made += 1
    return DocumentNames.name(kind, set.lastBatch, made, fence: plan.fence)
  }

  private func make(_ content: SpoolFile, _ name: String) throws(ConnectorError) {
    let temporary = FileSetNames.temporary(name, fence: plan.fence)
    if try target.hidden.create(content, as: name, through: temporary) { return }
    try target.hidden.remove(name)
    guard try target.hidden.create(content, as: name, through: temporary) else { throw .takenOver }
  }

  /// What changed, as a list of its own; or everything, when there are many.
  private func list(
    _ settled: [[UInt8]: DocumentIndex.Entry], _ next: inout DocumentSet
  ) throws(ConnectorError) {
    let isWhole = next.listings.count >= Self.mostListings
    var paths: [[UInt8]] = []
    if isWhole {
      paths = Array(Set(index.entries.keys).union(settled.keys))
    } else {
      paths = Array(index.changed.keys)
    }
    guard isWhole || !paths.isEmpty else { return }
    let content = try SpoolFile()
    var hash = SM3()
    var text: [UInt8] = []
    func put() throws(ConnectorError) {
      hash.update(text)
      try append(text, to: content)
      text.removeAll(keepingCapacity: true)
    }
    for path in paths {
      let entry = settled[path] ?? index[path]
      if isWhole, entry == nil { continue }
      DocumentListing.append(path, entry, to: &text)
      if text.count > 1 << 18 { try put() }
    }
    try put()
    let name = newName(.list)
    try make(content, name)
    let listing = DocumentSet.Listing(name: name, bytes: content.count, digest: hash.finish().hex)
    next.listings = isWhole ? [listing] : next.listings + [listing]
  }

  /// Removes and publishes what a manifest says. `isAgain`: it may have been done before, so that what stands at a path may
  /// be somebody's else.
  func carryOut(_ set: DocumentSet, isAgain: Bool) throws(ConnectorError) {
    guard !set.gone.isEmpty || !set.ready.isEmpty else { return }
    try target.alone { () throws(ConnectorError) in
      // Who was replaced meanwhile puts nothing in place any more.
      let last = try target.hidden.names().compactMap { FileSetNames.number(of: $0) }.max()
      guard last == log.current?.number else { throw .takenOver }
      for file in set.gone {
        if isAgain, try !target.mayHold(file.version, at: file.path) { continue }
        try target.remove(file.path)
      }
      for file in set.ready { try target.publish(file.name, as: file.path) }
      try target.settle()
    }
  }

  // MARK: Bytes

  /// Of a part, from wherever it is; nil where that is gone or shorter.
  func bytes(of row: DocumentIndex.Row, _ path: [UInt8]) throws(ConnectorError) -> [UInt8]? {
    let length = DocumentParts.length(of: row.part, in: row.version.size)
    var bytes = [UInt8](repeating: 0, count: length)
    switch row.place {
    case .gathered(let offset):
      guard let gathered else { return nil }
      return try Self.fill(
        &bytes,
        { (target, wanted, at) throws(ConnectorError) in
          try gathered.read(into: target, wanted, at: offset + at)
        }) ? bytes : nil
    case .parts(let name, let offset):
      guard let file = try hiddenFile(name) else { return nil }
      return try Self.fill(
        &bytes,
        { (target, wanted, at) throws(ConnectorError) in
          try file.read(into: target, wanted, at: offset + at)
        }) ? bytes : nil
    case .file:
      guard let content = try file(at: path) else { return nil }
      let start = row.part * DocumentParts.bytes
      return try Self.fill(
        &bytes,
        { (target, wanted, at) throws(ConnectorError) in
          try content.read(into: target, wanted, at: start + at)
        }) ? bytes : nil
    }
  }

  private static func fill(
    _ bytes: inout [UInt8],
    _ read: (UnsafeMutableRawPointer, _ wanted: Int, _ at: Int) throws(ConnectorError) -> Int
  ) throws(ConnectorError) -> Bool {
    var (at, failure): (Int, ConnectorError?) = (0, nil)
    bytes.withUnsafeMutableBytes { room in
      while at < room.count, let base = room.baseAddress {
        do throws(ConnectorError) {
          let got = try read(base + at, room.count - at, at)
          guard got > 0 else { return }
          at += got
        } catch {
          failure = error
          return
        }
      }
    }
    if let failure { throw failure }
    return at == bytes.count
  }

  /// What stands at a path, opened once for all of its parts that follow.
  func file(at path: [UInt8]) throws(ConnectorError) -> DocumentContent? {
    if let opened, opened.path == path { return opened.content }
    let content = try target.open(String(decoding: path, as: UTF8.self))
    opened = (path, content)
    return content
  }

  private func hiddenFile(_ name: String) throws(ConnectorError) -> DocumentContent? {
    // No path has an empty step in front.
    let key = Array("/\(name)".utf8)
    if let opened, opened.path == key { return opened.content }
    let content = try target.hidden.open(name).map { file in
      DocumentContent(size: file.size, modified: nil) { (target, wanted, at) throws(ConnectorError) in
        try file.read(into: target, wanted, at: at)
      }
    }
    opened = (key, content)
    return content
  }

  private func append(_ bytes: [UInt8], to spool: SpoolFile) throws(ConnectorError) {
    var failure: ConnectorError?
    bytes.withUnsafeBytes { bytes in
      do throws(ConnectorError) { try spool.append(bytes) } catch { failure = error }
    }
    if let failure { throw failure }
  }
}
