package import Connecting
package import Kernel
import Remote

/// Files as they are: a folder's sub-folders as tables whose rows are the parts of files, from a folder to a folder.
package struct DocumentsConnector: Connector {
  package let home: FilesHome
  /// Files that changed less than so long ago may still be being written.
  package let leastAge: Duration
  package let writing: WrittenDocuments
  private let clock: Clock

  package static let usualAge = Duration.seconds(60)

  package init(
    _ home: FilesHome, leastAge: Duration = usualAge, writing: WrittenDocuments = WrittenDocuments(),
    clock: Clock = .system
  ) {
    self.home = home
    self.writing = writing
    self.leastAge = leastAge
    self.clock = clock
  }

  package var guarantee: ConnectorGuarantee {
    var guarantee = Self.guarantee
    // The clock of a folder here is ours; stores elsewhere refuse who is further off.
    if case .local = home { guarantee.overlap = .seconds(10) }
    return guarantee
  }

  /// Stands for the folder itself with everything below it, as in any file system.
  package static let wholeFolder = "."

  package func probe() throws(ConnectorError) -> ConnectorProbe {
    _ = try folders()
    guard case .remote(let store) = home else {
      return ConnectorProbe(product: "Files", isProtected: true, isReadOnly: true)
    }
    let scheme = store.address.scheme
    return ConnectorProbe(
      product: "Files, \(scheme == .sftp ? "SFTP" : "S3")", isProtected: scheme != .http, isReadOnly: true)
  }

  /// Those in which files can lie that are carried.
  private func folders() throws(ConnectorError) -> [String] {
    let names: [String]
    switch home {
    case .local(let folder): names = try SourceFolder.folders(in: folder)
    case .remote(let store): names = try store.folders(nil)
    }
    return names.filter { DocumentPath.judge($0.utf8) == .good }.sorted()
  }

  package func tables() throws(ConnectorError) -> [TableSummary] {
    ([Self.wholeFolder] + (try folders())).map { TableSummary(name: TableName($0)) }
  }

  package func survey() throws(ConnectorError) -> [TableDescription] {
    try tables().map { DocumentColumn.description(of: $0.name) }
  }

  /// Counts files, where that is cheap: at most `counted` of them.
  package func describe(_ table: TableName) throws(ConnectorError) -> TableDescription {
    let walk = try walk(table, from: [], RemoteCancellation())
    var (files, bytes, isWhole) = (0, 0, true)
    while let found = try walk.next() {
      guard files < Self.counted else {
        isWhole = false
        break
      }
      files += 1
      bytes += found.size
    }
    let links = walk.links > 0 ? ", \(walk.links) links left out" : ""
    return DocumentColumn.description(
      of: table, remark: isWhole ? "\(files) files, \(bytes) B\(links)" : "more than \(files) files\(links)",
      files: isWhole ? files : nil)
  }

  private static let counted = 2000

  /// The first part of each file by its name, without its content: to look at a table, no file is opened.
  package func peek(
    _ table: TableName, _ columns: [ReadPlan.Column], rows: Int, within limit: Duration
  ) throws(ConnectorError) -> [[String?]] {
    let end = ContinuousClock.now + limit
    let walk = try walk(table, from: [], RemoteCancellation(after: limit))
    var found: [[String?]] = []
    while found.count < rows, ContinuousClock.now < end, let file = try walk.next() {
      guard file.fault == nil else { continue }
      found.append(
        columns.map { column in
          switch DocumentColumn(rawValue: column.name) {
          case .path: String(String(decoding: file.path, as: UTF8.self).prefix(ReadPlan.peekedText))
          case .part: "0"
          case .size: String(file.size)
          case .modified: WrittenTime.text(microseconds: file.modified)
          case .content, nil: nil
          }
        })
    }
    return found
  }

  /// Names, sizes and times of all files: what changes one changes the mark.
  package func examine(
    _ table: TableName, columns: [String], cursor: String?, within limit: Duration
  ) throws(ConnectorError) -> TableExamination {
    let cancellation = RemoteCancellation(after: limit)
    let walk = try walk(table, from: [], cancellation)
    var digest = ContentDigest()
    var (files, latest): (Int, Int64?) = (0, nil)
    while let found = try walk.next() {
      guard !cancellation.isCancelled else {
        return TableExamination(table: DocumentColumn.description(of: table), mark: nil)
      }
      files += 1
      latest = max(latest ?? found.changed, found.changed)
      (found.path + [0x09] + found.mark + [0x0A]).withUnsafeBytes { digest.add($0) }
    }
    return TableExamination(
      table: DocumentColumn.description(of: table, files: files),
      mark: ChangeMark(
        .file, own: digest.bytes.map { String(UInt16($0) + 256, radix: 16).dropFirst() }.joined(),
        at: latest.map { Instant(milliseconds: $0 / 1000 + Int64(DocumentTime.epoch) * 1000) }))
  }

  // MARK: Reading and writing

  private func walk(
    _ table: TableName, from path: [UInt8], _ cancellation: RemoteCancellation
  ) throws(ConnectorError) -> any DocumentWalk {
    let isWhole = table.name == Self.wholeFolder
    guard table.schema == nil, isWhole || isFolder(table.name) else { throw Self.missing(table) }
    switch home {
    case .local(let folder): return try LocalDocumentWalk(folder, isWhole ? nil : table.name, from: path)
    case .remote(let store):
      do throws(ConnectorError) {
        return try RemoteDocumentWalk(isWhole ? store : store.folder(table.name), from: path, cancellation)
      } catch {
        throw error.code == "remote.missing" && !isWhole ? Self.missing(table) : error
      }
    }
  }

  private static func missing(_ table: TableName) -> ConnectorError {
    .contract("table-missing", "没有文件夹“\(table)”。", "There is no folder “\(table)”.")
  }

  private func isFolder(_ name: String) -> Bool {
    DocumentPath.judge(name.utf8) == .good && !name.utf8.contains(UInt8(ascii: "/"))
  }

  package func openReader(_ plan: ReadPlan) throws(ConnectorError) -> any RowReader {
    try plan.requireNoEnd()
    let cancellation = RemoteCancellation()
    return try DocumentsReader(
      plan, now: DocumentTime.microseconds(clock.now()), leastAge: leastAge.inMilliseconds * 1000,
      ours: try received(plan, cancellation), cancellation
    ) { (from) throws(ConnectorError) in try walk(plan.table, from: from, cancellation) }
  }

  /// What we remember of a folder that we wrote ourselves; nil for others'.
  private func received(
    _ plan: ReadPlan, _ cancellation: RemoteCancellation
  ) throws(ConnectorError) -> DocumentStaleParts? {
    guard plan.table.schema == nil, isFolder(plan.table.name) else { return nil }
    let log = ManifestLog<DocumentSet>(target(plan.table, cancellation).hidden)
    guard let set = try log.read().set else { return nil }
    guard plan.columns.contains(where: { $0.name == WritePlan.staleBatchColumn }) else {
      return DocumentStaleParts([:])
    }
    // Lists that a writer replaces meanwhile are gone with their manifest.
    var failure: ConnectorError?
    for _ in 0..<5 {
      let set = try log.read().set ?? set
      var index = DocumentIndex()
      do throws(ConnectorError) {
        for listing in set.listings { try index.load(listing, from: log.folder) }
        return DocumentStaleParts(
          index.entries.compactMapValues { entry in
            let flagged = entry.rows.filter { $0.stale > 0 }
            return flagged.isEmpty ? nil : Dictionary(uniqueKeysWithValues: flagged.map { ($0.part, $0.stale) })
          })
      } catch { failure = error }
    }
    if let failure { throw failure }
    return nil
  }

  private func target(_ table: TableName, _ cancellation: RemoteCancellation) -> any DocumentTarget {
    switch home {
    case .local(let folder): LocalDocumentTarget(table.name, in: folder)
    case .remote(let store): RemoteDocumentTarget(store.folder(table.name), cancellation)
    }
  }

  package func openWriter(_ plan: WritePlan) throws(ConnectorError) -> any RowWriter {
    if plan.table.schema != nil {
      throw .contract("target-name", "文件夹没有模式名。", "A folder has no schema.")
    }
    if let fault = FileSetNames.fault(plan.table.name) {
      throw ConnectorError(.contract, "contract.target-name", fault)
    }
    guard isFolder(plan.table.name) else {
      throw .contract(
        "target-name", "“\(plan.table.name)”不能作为接收文件夹的名称。", "“\(plan.table.name)” cannot be a receiving folder's name.")
    }
    let cancellation = RemoteCancellation()
    return try DocumentsWriter(
      plan, target(plan.table, cancellation), place: home.place, bounds: writing, cancellation: cancellation,
      clock: clock)
  }
}
