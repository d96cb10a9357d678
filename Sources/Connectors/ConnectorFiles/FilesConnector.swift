package import Connecting
import Kernel
import Remote

/// Files of one format in one place, as tables. Reads only whole files, and writes each table into a folder of its own.
package struct FilesConnector: Connector {
  package let home: FilesHome
  package let options: FilesOptions
  package let writing: WrittenFiles

  package init(_ home: FilesHome, _ options: FilesOptions, writing: WrittenFiles = WrittenFiles()) {
    self.home = home
    self.options = options
    self.writing = writing
  }

  package static let guarantee = ConnectorGuarantee(
    promise: Text(
      "一张表的全部文件先整体检查，再送出第一行；读取期间的任何变化都会被发现，并重新开始。",
      "All files of a table are checked whole before its first row leaves; any change while they are read is noticed, and the run begins again."
    ),
    overlap: .zero,
    limits: [
      Text("只能全量读取，不能增量。", "Read in full only, never incrementally."),
      Text(
        "CSV：分隔符（逗号、制表符或分号）按第一行识别；编码、引号或字段数有误的文件整体拒绝，并指出行和字节；一行不超过 1 MiB，不超过 1000 列。",
        "CSV: the first line shows the separator (comma, tab or semicolon); a wrong encoding, quote or number of fields refuses the file and names line and byte; a row has at most 1 MiB, a table at most 1000 columns."
      ),
      Text(
        "XLSX：第一行是列名；数据区不能有合并单元格；文件不超过 50 MiB；超过 15 位的号码若被存成数字，末位已丢失，该值按坏值处理。",
        "XLSX: the first row names the columns; the rows below hold no merged cells; a file has at most 50 MiB; a code of more than 15 digits saved as a number has lost its last ones and counts as malformed."
      ),
      Text(
        "JSON 行：UTF-8，每行一个对象；损坏或超过 1 MiB 的行只作坏行处理；缺少的字段是空值，但任何一行都没有的列按契约变更拒绝。",
        "JSON lines: UTF-8, one object a line; a broken line or one beyond 1 MiB is one bad row; a missing field is NULL, but a column that no line has is refused as a changed contract."
      ),
      Text(
        "SFTP 只能按长度和秒级修改时间发现变化；S3 按 ETag。文件先复制到本节点的临时存储（不超过 16 GiB）。",
        "On SFTP a change shows by length and by time to the second, on S3 by the ETag. Files are first copied to temporary storage of this node (at most 16 GiB)."
      ),
    ] + WrittenFiles.limits,
    readsIncrementally: false, writes: true, merges: false, isFolder: true)

  package var guarantee: ConnectorGuarantee { Self.guarantee }

  package var declaresTypes: Bool { false }

  package func probe() throws(ConnectorError) -> ConnectorProbe {
    _ = try home.files(of: options.format)
    guard case .remote(let store) = home else {
      return ConnectorProbe(product: options.format.product, isProtected: true, isReadOnly: true)
    }
    let scheme = store.address.scheme
    return ConnectorProbe(
      product: "\(options.format.product), \(scheme == .sftp ? "SFTP" : "S3")", isProtected: scheme != .http,
      isReadOnly: true)
  }

  package func tables() throws(ConnectorError) -> [TableSummary] {
    FileTable.tables(of: try home.files(of: options.format), options.patterns).map {
      TableSummary(name: TableName($0.name))
    }
  }

  /// Reads every file of the table: types and lengths are suggestions from its values.
  package func describe(_ table: TableName) throws(ConnectorError) -> TableDescription {
    try orReceived(table) { () throws(ConnectorError) in
      try look(table, nil).description
    } received: { set, _ in
      set.description
    }
  }

  /// The columns only, of the last file by name, whatever it holds today: a survey is compared with later ones, and
  /// guesses would differ.
  package func survey() throws(ConnectorError) -> [TableDescription] {
    var descriptions: [TableDescription] = []
    for table in FileTable.tables(of: try home.files(of: options.format), options.patterns) {
      var last = table
      last.files = table.files.suffix(1)
      let found = try? look(last, nil)
      descriptions.append(
        TableDescription(
          name: TableName(table.name), estimatedRows: table.files.count == 1 ? found?.description.estimatedRows : nil,
          columns: (found?.description.columns ?? []).map {
            ColumnDescription(name: $0.name, nativeType: $0.nativeType, type: .text)
          }))
    }
    return descriptions
  }

  /// Files are their own change mark: content and time.
  package func examine(
    _ table: TableName, columns: [String], cursor: String?, within limit: Duration
  ) throws(ConnectorError) -> TableExamination {
    let cancellation = RemoteCancellation(after: limit)
    return try orReceived(table, cancellation) { () throws(ConnectorError) in
      let found = try look(table, cancellation)
      return TableExamination(table: found.description, mark: ChangeMark(.file, own: found.digest, at: found.modified))
    } received: { set, _ in
      set.examination
    }
  }

  package func openReader(_ plan: ReadPlan) throws(ConnectorError) -> any RowReader {
    try plan.requireNoEnd()
    return try orReceived(plan.table) { () throws(ConnectorError) in
      try FilesReader(plan, home, options) as any RowReader
    } received: { set, folder throws(ConnectorError) in
      try FileSetReader(plan, set, folder)
    }
  }

  package func openWriter(_ plan: WritePlan) throws(ConnectorError) -> any RowWriter {
    try home.writer(plan, options.format, writing)
  }

  /// Files come first: only a name that no file bears may be a folder of ours.
  private func orReceived<T>(
    _ table: TableName, _ cancellation: RemoteCancellation = RemoteCancellation(),
    _ files: () throws(ConnectorError) -> T,
    received: (FileSet, any TargetFolder) throws(ConnectorError) -> T
  ) throws(ConnectorError) -> T {
    do throws(ConnectorError) { return try files() } catch {
      guard error.code == "contract.table-missing", let (set, folder) = try home.received(table, cancellation) else {
        throw error
      }
      return try received(set, folder)
    }
  }

  // MARK: Looking

  private struct Look {
    var description: TableDescription
    var digest: String
    var modified: Instant?
  }

  private func look(_ name: TableName, _ cancellation: RemoteCancellation?) throws(ConnectorError) -> Look {
    try look(try FileTable.find(name, in: home, options, cancellation), cancellation)
  }

  private func look(_ table: FileTable, _ cancellation: RemoteCancellation?) throws(ConnectorError) -> Look {
    let files = try FilesAtHand(table, in: home, options, cancellation)
    var look = TableLook()
    var digest = ContentDigest()
    var (bytes, modified) = (0, 0)
    var lacking: Set<String> = []
    for index in files.names.indices {
      let file = try files.open(index)
      do {
        let content: [UInt8]
        switch options.format {
        case .csv:
          let structure = try CSVStructure(file, declared: options.encoding)
          for (name, seen) in zip(structure.columns, try CSVDiscovery.looks(file, structure, options.csv)) {
            look.add(seen, to: name)
          }
          look.rows += structure.rows
          content = structure.digest
        case .xlsx: content = try WorkbookPart.look(file, options, into: &look)
        case .jsonl: content = try LinesPart.look(file, into: &look, lacking: &lacking)
        }
        Array(file.name.utf8).withUnsafeBytes { digest.add($0) }
        content.withUnsafeBytes { digest.add($0) }
      } catch { throw error.naming(file.name) }
      bytes += file.size
      modified = max(modified, file.identity.modified)
    }
    try files.verify(cancellation)
    let count = files.names.count
    let native = options.format == .jsonl ? "json" : options.format == .xlsx ? "cell" : "text"
    return Look(
      description: TableDescription(
        name: TableName(table.name),
        remark: "\(options.format.rawValue.uppercased()), \(count > 1 ? "\(count) files, " : "")\(bytes) B",
        estimatedRows: look.rows, columns: look.columns(nativeType: native, lacking: lacking)),
      digest: digest.bytes.map { String(UInt16($0) + 256, radix: 16).dropFirst() }.joined(),
      modified: modified > 0 ? Instant(milliseconds: Int64(modified / 1_000_000)) : nil)
  }
}
