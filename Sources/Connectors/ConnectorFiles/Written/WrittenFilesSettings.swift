import Connecting
import Kernel

// What a person fills in about files that are received, and what is promised of them.

extension WrittenFiles {
  static let settings = ConnectorKind.Setting.part(
    Text("接收时怎样写文件", "How received files are written"),
    [
      .init("mark", Text("CSV 开头写 BOM（供 Excel 识别）", "Byte-order mark in CSV (for Excel)"), required: false)
        .choosing([("", Text("不写", "No")), ("yes", Text("写", "Yes"))]),
      .init(
        "keep", Text("换下的文件保留几小时（不填为 24）", "Hours that replaced files stay (empty: 24)"), required: false,
        example: "24"),
    ])

  static let limits: [Text] = [
    Text(
      "作为接收方：每张表一个文件夹，编号最大的清单（manifest-…json）说明哪些文件有效；一次运行全部写完才一起生效，此前的文件不算数。",
      "As a target: a folder for each table, in which the manifest (manifest-….json) of the highest number says which files count; a run counts as a whole when it is complete, and nothing of it before."
    ),
    Text(
      "本机文件夹：文件和清单先写临时文件、落盘再命名，清单编号只能被一个任务取得，被接管的任务不能再写入；断电后以磁盘的承诺为限。S3：须支持 If-None-Match 条件写入，否则拒绝。",
      "A folder of this machine: files and manifests are written aside, brought to the disk and then named; a manifest's number can be taken by one worker only, so that one who was replaced writes no more; in a power cut as far as the disk keeps its word. S3: only with conditional writes (If-None-Match), else refused."
    ),
    Text(
      "SFTP：改名不得覆盖已有文件（打开时试验，否则拒绝）；何时落盘由对方服务器决定，对方断电可能丢失刚写的文件，读回时会发现。",
      "SFTP: only where renaming does not replace a file (tried at opening, else refused); when bytes reach its disk is up to that server, and its power cut may lose files just written, which reading back shows."
    ),
    Text(
      "增量写成操作文件（sj_operation 为 upsert、delete 或 stale），含重叠时段内未变的行，同一主键以最后一次为准；不比较对方已有内容，不能跟踪变更；XLSX 不能作为接收格式。",
      "Increments are files of operations (sj_operation is upsert, delete or stale) with the unchanged rows of the overlap; of one key the last counts. Nothing is compared with what is there, changes cannot be followed, and XLSX is not written."
    ),
    Text(
      "值原样写出，以 =、+、-、@ 开头的也不改写；用表格软件打开时应按文本导入。",
      "Values are written as they are, also those that begin with =, +, - or @: import them as text into a spreadsheet."
    ),
  ]

  static func faults(of settings: [String: String]) -> [(setting: String, message: Text)] {
    var faults: [(setting: String, message: Text)] = []
    if !["", "yes", "no"].contains(settings["mark"] ?? "") {
      faults.append(("mark", Text("应为 yes 或不填。", "It is yes, or empty.")))
    }
    let hours = settings["keep"] ?? ""
    if !hours.isEmpty, Int(hours).map({ (0...8760).contains($0) }) != true {
      faults.append(("keep", Text("应为 0 至 8760 的整数。", "It is a whole number from 0 to 8760.")))
    }
    return faults
  }

  init(_ settings: [String: String]) throws(ConnectorError) {
    if let fault = Self.faults(of: settings).first {
      throw ConnectorError(.permanent, "files.\(fault.setting)", fault.message)
    }
    self.init(
      mark: settings["mark"] == "yes",
      grace: (settings["keep"].flatMap { Int($0) }).map { .seconds($0 * 3600) } ?? Self.usualGrace)
  }
}

extension FileSet {
  var description: TableDescription {
    TableDescription(
      name: TableName(table), remark: "\(files.count) files, manifest \(number)",
      estimatedRows: files.contains { $0.content == .operations && $0.rows > 0 }
        ? nil : files.reduce(0) { $0 + $1.rows },
      columns: columns.map { column in
        ColumnDescription(
          name: column.name, nativeType: column.type.description, type: column.type, length: column.length,
          isNullable: !key.contains(column.name), keyPosition: key.firstIndex(of: column.name).map { $0 + 1 })
      })
  }

  /// What counts changes with every complete run, and with nothing else.
  var examination: TableExamination {
    var digest = ContentDigest()
    for file in files { Array((file.name + file.digest).utf8).withUnsafeBytes { digest.add($0) } }
    return TableExamination(
      table: description,
      mark: ChangeMark(
        .file, own: digest.bytes.map { String(UInt16($0) + 256, radix: 16).dropFirst() }.joined()))
  }
}
