package import Connecting
import Kernel

extension DocumentsConnector {
  package static let kind = ConnectorKind(
    name: "documents", title: Text("文件（原样）", "Files as they are"),
    settings: FilesSettings.place
      + ConnectorKind.Setting.part(
        Text("怎样读文件", "How files are read"),
        [
          .init(
            "age", Text("文件最后变动后至少多少秒才读取（不填为 60）", "Seconds since a file's last change before it is read (empty: 60)"),
            required: false, example: "60")
        ]),
    guarantee: guarantee,
    check: { DocumentsSettings($0).faults },
    nameFault: { FileSetNames.columnFault($0) },
    open: { settings throws(ConnectorError) in
      let read = DocumentsSettings(settings)
      if let fault = read.faults.first { throw ConnectorError(.permanent, "documents.\(fault.setting)", fault.message) }
      return DocumentsConnector(try FilesSettings(settings).home(), leastAge: .seconds(read.age))
    })

  package static let guarantee = ConnectorGuarantee(
    promise: Text(
      "文件逐个生效：一个文件的全部内容到齐并核对后才以其名称出现，替换旧版本；任何时候都不会有写到一半的文件。读取期间变化的文件留待下次，不会新旧混杂。",
      "Files appear one by one: each stands under its name only when all of it is there and checked, in the place of its older version; nothing half-written is ever under a name. A file that changes while it is read is left to the next run, never delivered half old, half new."
    ),
    overlap: .seconds(900),
    limits: [
      Text(
        "每个一级子文件夹是一张表，“.”是整个文件夹；文件按 512 KiB 分段成行，最大 16 GiB（SFTP、S3 上 8 GiB；S3 整对象复制不超过存储的上限）。",
        "Each sub-folder of the first level is a table, “.” the folder with all below it. A file is rows of 512 KiB parts and has at most 16 GiB (on SFTP and S3 8 GiB, and what the store copies at once)."
      ),
      Text(
        "不读：隐藏文件和文件夹、*.tmp、*.part、链接（不跟随）；最近变动的文件留待下次（默认 60 秒）。名称不是 UTF-8、含控制字符或反斜杠、路径超过 1024 字节的文件按坏行处理。",
        "Not read: hidden files and folders, *.tmp, *.part, links (never followed); files that changed just now are left to the next run (60 seconds unless said otherwise). Names that are not UTF-8 or hold control characters or a backslash, and paths beyond 1,024 bytes, are bad rows."
      ),
      Text(
        "增量按文件的变动时间；本机文件夹还按状态时间，移入的旧文件也会带上；整个移入的文件夹里的旧文件、删除的文件须待全量交付。SFTP 的变化按长度和秒级时间发现；SFTP、S3 与本机的时钟相差不得超过 15 分钟。",
        "Increments go by the time of a file's change, in a folder of this machine also by its status, so that older files that are moved in come too. Older files within a folder that is moved in as a whole, and files that are gone, wait for a full delivery. On SFTP changes show by length and by time to the second; the clocks of SFTP and S3 may be off by 15 minutes at most."
      ),
      Text(
        "作为接收方：表对应一个空文件夹，由平台独占，“\(DocumentNames.hidden)”是平台自用的位置；不跟踪变更，不保留已删除的行；一次交付的信息项须正好是 path、part、size、modified、content。",
        "As a target: a table is a folder that is empty at first and the platform's alone; “\(DocumentNames.hidden)” in it is the platform's own place. No changes are followed, no rows kept that are gone; the granted items are path, part, size, modified and content, no more and no less."
      ),
      Text(
        "本机文件夹：写临时文件、落盘、改名，修改时间照原样；被接管的任务在锁内核对后拒绝。S3：先存后由存储内部复制到位，须支持 If-None-Match，修改时间是存储自己的。SFTP：替换旧文件时它会短暂缺失，何时落盘由对方服务器决定，修改时间不保留。",
        "A folder of this machine: written aside, brought to the disk, renamed, with its modification time; a worker that was replaced is refused under a lock. S3: stored aside and copied into place by the store, only with If-None-Match; times are the store's. SFTP: while an older file is replaced there is none for a moment, when bytes reach the disk is up to that server, and times are not kept."
      ),
    ],
    readsIncrementally: true, writes: true, isFolder: true)
}

/// The settings of the kind `documents`, judged by its own grammar.
struct DocumentsSettings {
  private let settings: [String: String]

  init(_ settings: [String: String]) { self.settings = settings }

  private var written: String { settings["age"] ?? "" }

  /// Seconds.
  var age: Int { Int(written) ?? Int(DocumentsConnector.usualAge.components.seconds) }

  var faults: [(setting: String, message: Text)] {
    var faults = FilesSettings(settings).placeFaults
    if !written.isEmpty, Int(written).map({ (0...86_400).contains($0) }) != true {
      faults.append(("age", Text("应为 0 至 86400 的整数秒。", "It is a whole number of seconds from 0 to 86400.")))
    }
    return faults
  }
}
