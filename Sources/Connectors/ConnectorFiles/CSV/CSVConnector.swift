package import Connecting
import Kernel

/// How the files of one folder are to be read.
package struct CSVOptions: Hashable, Sendable {
  /// What a date and time without a zone means, in seconds east of UTC.
  package var zone: Int
  /// What stands for NULL besides an empty field, such as `N/A`; empty for nothing.
  package var nullText: String
  /// For files without a byte-order mark; nil to find out.
  package var encoding: CSVEncoding?

  package init(zone: Int = SettingRules.usualZone, nullText: String = "", encoding: CSVEncoding? = nil) {
    self.zone = zone
    self.nullText = nullText
    self.encoding = encoding
  }
}

/// CSV files (RFC 4180, with a header) of one folder, each a table. Reads only whole files, and writes each table into a
/// folder of its own.
package struct CSVConnector: Connector {
  package let folder: String
  package let options: CSVOptions
  package let writing: WrittenFiles

  package init(folder: String, options: CSVOptions = CSVOptions(), writing: WrittenFiles = WrittenFiles()) {
    self.folder = folder
    self.options = options
    self.writing = writing
  }

  package static let guarantee = ConnectorGuarantee(
    promise: Text(
      "文件整体检查后才送出第一行：编码、引号或字段数有误的文件整体拒绝，并指出行和字节；读取期间的任何变化都会被发现。",
      "A file is checked whole before its first row leaves: a wrong encoding, quote or number of fields refuses all of it and names line and byte; any change while it is read is noticed."
    ),
    overlap: .zero,
    limits: [
      Text("只能全量读取，不能增量。", "Read in full only, never incrementally."),
      Text(
        "UTF-8、GB18030，或带 BOM 的 UTF-16；同时是有效 UTF-8 和 GB18030 的文件按 UTF-8 读取。",
        "UTF-8, GB18030, or UTF-16 with a byte-order mark; a file that is valid as both UTF-8 and GB18030 is read as UTF-8."
      ),
      Text(
        "字段之间是逗号、制表符或分号，按第一行识别。",
        "Fields stand between commas, tabs or semicolons, as the first line shows."),
      Text("一行不超过 1 MiB，不超过 1000 列。", "A row has at most 1 MiB, a table at most 1000 columns."),
      Text(
        "不加引号的空字段是空值，加引号的空字段（\"\"）是空文本。",
        "An empty field is NULL; an empty one in quotes (\"\") is an empty text."),
    ] + WrittenFiles.limits,
    readsIncrementally: false, writes: true, merges: false, isFolder: true)

  package var guarantee: ConnectorGuarantee { Self.guarantee }

  package static let kind = ConnectorKind(
    name: "csv", title: Text("CSV 文件夹", "Folder of CSV files"),
    settings: [
      .init("folder", Text("文件夹", "folder"), example: "/srv/exchange/registry"),
      .init("null", Text("空值的写法", "spelling of NULL"), required: false, example: "N/A"),
      .init("zone", Text("无时区时间的时区", "zone of times without one"), required: false, example: "+08:00"),
      .init("encoding", Text("编码（一般不填）", "encoding (normally empty)"), required: false, example: "GB18030"),
    ] + WrittenFiles.settings,
    guarantee: guarantee,
    check: { WrittenFiles.faults(of: $0) },
    nameFault: { FileSetNames.columnFault($0) },
    open: { settings throws(ConnectorError) in
      CSVConnector(
        folder: settings["folder"] ?? "", options: try CSVOptions(settings), writing: try WrittenFiles(settings))
    })

  package func probe() throws(ConnectorError) -> ConnectorProbe {
    _ = try SourceFolder.tables(in: folder)
    return ConnectorProbe(product: "CSV (RFC 4180)", isProtected: true, isReadOnly: true)
  }

  package func tables() throws(ConnectorError) -> [TableSummary] {
    try SourceFolder.tables(in: folder).map { TableSummary(name: TableName($0)) }
  }

  /// Reads the whole file: types and lengths are suggestions from its values.
  package func describe(_ table: TableName) throws(ConnectorError) -> TableDescription {
    if let received = try received(table) { return received.set.description }
    return description(of: table, try discover(table))
  }

  package var declaresTypes: Bool { false }

  /// The columns only, whatever the files hold today: a survey is compared with later ones, and guesses would differ.
  package func survey() throws(ConnectorError) -> [TableDescription] {
    var tables: [TableDescription] = []
    for name in try SourceFolder.tables(in: folder) {
      let structure = try? CSVStructure(try SourceFile(folder: folder, name: name), declared: options.encoding)
      tables.append(
        TableDescription(
          name: TableName(name), estimatedRows: structure?.rows,
          columns: (structure?.columns ?? []).map { ColumnDescription(name: $0, nativeType: "text", type: .text) }))
    }
    return tables
  }

  /// A file is its own change mark: content and time.
  package func examine(
    _ table: TableName, columns: [String], cursor: String?, within limit: Duration
  ) throws(ConnectorError) -> TableExamination {
    if let received = try received(table) { return received.set.examination }
    let found = try discover(table)
    return TableExamination(
      table: description(of: table, found), mark: ChangeMark(.file, own: found.digest, at: found.modified))
  }

  private func description(of table: TableName, _ found: CSVDiscovery) -> TableDescription {
    TableDescription(
      name: table, remark: "\(found.encoding.name), \(found.bytes) B", estimatedRows: found.rows,
      columns: found.columns.map { column in
        ColumnDescription(
          name: column.name, nativeType: "text", type: column.suggested,
          length: column.suggested == .text ? column.roomyLength : nil, isNullable: column.nulls > 0)
      })
  }

  package func discover(_ table: TableName) throws(ConnectorError) -> CSVDiscovery {
    guard table.schema == nil else { throw .file("csv", table.description, "不存在", "does not exist") }
    return try CSVDiscovery(try SourceFile(folder: folder, name: table.name), options)
  }

  package func openReader(_ plan: ReadPlan) throws(ConnectorError) -> any RowReader {
    if let (set, folder) = try received(plan.table) { return try FileSetReader(plan, set, folder) }
    return try CSVReader(plan, folder, options)
  }

  package func openWriter(_ plan: WritePlan) throws(ConnectorError) -> any RowWriter {
    try FilesHome.local(folder).writer(plan, .csv, writing)
  }

  /// A file is called with its ending, a folder of ours without.
  private func received(_ table: TableName) throws(ConnectorError) -> (set: FileSet, folder: any TargetFolder)? {
    SourceFolder.isTableName(table.name) ? nil : try FilesHome.local(folder).received(table)
  }
}

extension CSVOptions {
  init(_ settings: [String: String]) throws(ConnectorError) {
    self.init(nullText: settings["null"] ?? "")
    if let written = settings["zone"], !written.isEmpty {
      guard let zone = WrittenTime.zone(written) else {
        throw ConnectorError(.permanent, "csv.zone", Text("时区应写作 +08:00。", "Write the zone as +08:00."))
      }
      self.zone = zone
    }
    if let written = settings["encoding"], !written.isEmpty {
      guard let encoding = CSVEncoding.allCases.first(where: { $0.name == written.uppercased() }) else {
        throw ConnectorError(
          .permanent, "csv.encoding-name",
          Text("编码应为 UTF-8、GB18030、UTF-16LE 或 UTF-16BE。", "The encoding is UTF-8, GB18030, UTF-16LE or UTF-16BE."))
      }
      self.encoding = encoding
    }
  }
}
