import Connecting
import Kernel
package import Remote

/// Where a connector's files are.
package enum FilesHome: Sendable {
  /// A folder of this machine that the operator allowed.
  case local(String)
  case remote(any FileStore)

  /// The folder's files of that format, in the order of their names.
  func files(of format: FileFormat, _ cancellation: RemoteCancellation? = nil) throws(ConnectorError) -> [StoredFile] {
    switch self {
    case .local(let folder):
      return try SourceFolder.tables(in: folder, endings: format.endings, origin: "files").map { StoredFile(name: $0) }
    case .remote(let store):
      return try store.list(cancellation).filter { file in
        format.endings.contains { SourceFolder.isTableName(file.name, ending: $0) }
      }
    }
  }
}

extension FilesHome {
  /// The folder of a table that is received here.
  func target(_ table: TableName, _ cancellation: RemoteCancellation) -> any TargetFolder {
    switch self {
    case .local(let folder): LocalTargetFolder(table.name, in: folder)
    case .remote(let store): RemoteTargetFolder(store.folder(table.name), cancellation)
    }
  }

  /// What was received under that name; nil where there is no such folder, or none of ours.
  func received(
    _ table: TableName, _ cancellation: RemoteCancellation = RemoteCancellation()
  ) throws(ConnectorError) -> (set: FileSet, folder: any TargetFolder)? {
    guard table.schema == nil, FileSetNames.fault(table.name) == nil else { return nil }
    let folder = target(table, cancellation)
    return try ManifestLog<FileSet>(folder).read().set.map { ($0, folder) }
  }

  /// How a person knows it.
  var place: String {
    switch self {
    case .local(let folder): folder
    case .remote(let store): store.address.host
    }
  }

  func writer(
    _ plan: WritePlan, _ format: FileFormat, _ options: WrittenFiles
  ) throws(ConnectorError) -> any RowWriter {
    guard format != .xlsx else {
      throw .contract(
        "read-only", "XLSX 只能读取，不能作为接收格式；请用 CSV 或 JSON 行。",
        "XLSX can only be read, not received: use CSV or JSON lines.")
    }
    if plan.table.schema != nil {
      throw .contract("target-name", "文件夹没有模式名。", "A folder has no schema.")
    }
    // With the column of operations in front.
    guard format != .csv || plan.columns.count < CSVRows.columnLimit else {
      throw .contract(
        "too-many-columns", "CSV 最多 \(CSVRows.columnLimit - 1) 个信息项。",
        "CSV takes at most \(CSVRows.columnLimit - 1) items.")
    }
    if let fault = FileSetNames.fault(plan.table.name) {
      throw ConnectorError(.contract, "contract.target-name", fault)
    }
    let cancellation = RemoteCancellation()
    return FileSetWriter(
      plan, target(plan.table, cancellation), format, options, place: place, cancellation: cancellation)
  }
}

/// A table as the files that make it up.
struct FileTable {
  /// Of one table.
  static let mostFiles = 4000

  var name: String
  /// In the order of their names.
  var files: [StoredFile]

  /// The tables that these files are.
  static func tables(of files: [StoredFile], _ patterns: [NamePattern]) -> [FileTable] {
    guard !patterns.isEmpty else { return files.map { FileTable(name: $0.name, files: [$0]) } }
    return patterns.compactMap { pattern in
      let fitting = files.filter { pattern.matches($0.name) }
      return fitting.isEmpty ? nil : FileTable(name: pattern.stem, files: fitting)
    }
  }

  static func find(
    _ table: TableName, in home: FilesHome, _ options: FilesOptions, _ cancellation: RemoteCancellation? = nil
  ) throws(ConnectorError) -> FileTable {
    let all = tables(of: try home.files(of: options.format, cancellation), options.patterns)
    guard table.schema == nil, let found = all.first(where: { $0.name == table.name }) else {
      throw .contract(
        "table-missing", "没有“\(table)”：目录中没有这样的文件。", "There is no “\(table)”: no such file is in the folder.")
    }
    guard found.files.count <= mostFiles else {
      throw ConnectorError(
        .permanent, "files.too-many",
        Text(
          "表“\(table)”由 \(found.files.count) 个文件组成，超过 \(mostFiles) 个；请归档旧文件。",
          "The table “\(table)” is made of \(found.files.count) files, more than \(mostFiles); put old ones away."))
    }
    return found
  }
}

/// A table's files at hand: opened here, or copied here from elsewhere.
struct FilesAtHand {
  let names: [String]
  private let home: FilesHome
  private let options: FilesOptions
  private let copies: (spool: SpoolFile, files: [FetchedFile])?

  init(
    _ table: FileTable, in home: FilesHome, _ options: FilesOptions, _ cancellation: RemoteCancellation? = nil
  ) throws(ConnectorError) {
    self.home = home
    self.options = options
    names = table.files.map(\.name)
    guard case .remote(let store) = home else {
      copies = nil
      return
    }
    let spool = try SpoolFile()
    copies = (spool, try store.fetch(table.files, into: spool, cancellation))
  }

  /// Opened anew each time: a table of many files would use up the process's descriptors.
  func open(_ index: Int) throws(ConnectorError) -> SourceFile {
    if let copies { return SourceFile(copies.files[index], in: copies.spool) }
    guard case .local(let folder) = home else { preconditionFailure("files from elsewhere are copied") }
    let name = names[index]
    let ending = options.format.endings.first { name.lowercased().hasSuffix($0) } ?? ""
    return try SourceFile(folder: folder, name: name, ending: ending, origin: "files")
  }

  /// Throws unless the files elsewhere are still those that were copied.
  func verify(_ cancellation: RemoteCancellation? = nil) throws(ConnectorError) {
    if let copies, case .remote(let store) = home { try store.verify(copies.files, cancellation) }
  }
}
