package import Kernel

extension Tie.Fault {
  /// What a kind of fault is called, for the log, which keeps codes; the words of one fault say what exactly was wrong. Nil
  /// for a code that no test of a tie ends with.
  package static func title(of code: String) -> Text? {
    if let title = titles[code] { return title }
    let parts = code.split(separator: ".", maxSplits: 1)
    guard parts.count == 2, let origin = origins[String(parts[0])] else { return nil }
    return parts[1] == "connect"
      ? Text("连接不上\(origin.chinese)", "No connection to \(origin.english)")
      : Text("\(origin.chinese)报告错误（\(parts[1])）", "An error of \(origin.english) (\(parts[1]))")
  }

  /// The first part of a code: who reported it.
  private static let origins: [String: Text] = [
    "api": Text("服务", "the service"), "postgresql": Text("数据库", "the database"),
    "mariadb": Text("数据库", "the database"), "odbc": Text("数据库", "the database"),
    "sqlite": Text("数据库", "the database"), "csv": Text("文件数据源", "the folder of files"),
    "files": Text("文件数据源", "the folder of files"), "documents": Text("文件数据源", "the folder of files"),
    "spreadsheet": Text("工作簿", "the workbook"), "http": Text("接口", "the API"),
    "messages": Text("接收系统", "the receiving system"), "remote": Text("远端服务器", "the server elsewhere"),
    "spool": Text("本节点的临时存储", "this node's temporary storage"),
    "connector": Text("数据源", "the source"), "source": Text("数据源", "the source"),
    "contract": Text("数据源", "the source"),
  ]

  private static let titles: [String: Text] = [
    "api.name": Text("找不到服务的主机", "The service's host is not known"),
    "api.timeout": Text("服务没有及时应答", "The service did not answer in time"),
    "api.tls": Text("与服务的加密连接不成立", "No secure connection to the service"),
    "api.cut": Text("服务的应答中断", "The service's answer was cut off"),
    "api.protocol": Text("服务的应答不符合 HTTP", "The service's answer is no HTTP"),
    "api.address": Text("服务的地址不正确", "The service's address is wrong"),
    "api.host": Text("服务的主机没有登记", "The service's host is not declared"),
    "api.address-refused": Text("服务的网络地址不许访问", "The service's network address may not be asked"),
    "source.silent": Text("数据源没有及时应答", "The source did not answer in time"),
    "contract.table-missing": Text("找不到数据表", "The table is not there"),
    "contract.column-missing": Text("缺少列", "A column is missing"),
    "mounting.host": Text("服务的主机没有登记", "The service's host is not declared"),
    "mounting.api-status": Text("应答状态不符", "Answered with another status"),
    "mounting.api-json": Text("应答不是 JSON", "The answer is no JSON"),
    "mounting.no-folder": Text("数据源不是文件夹", "The source is no folder of files"),
    "mounting.folder": Text("文件夹打不开", "The folder cannot be opened"),
    "mounting.file": Text("文件无权读取", "A file may not be read"),
    "mounting.files-many": Text("符合的文件过多", "Too many files fit"),
    "mounting.no-file": Text("没有符合的文件", "No file fits"),
    "mounting.column-missing": Text("缺少列", "A column is missing"),
    "mounting.column-type": Text("列的类型不符", "A column has another type"),
    "mounting.column-length": Text("列的长度不符", "A column has another length"),
    "mounting.column-uncarried": Text("列不能无损传送", "A column cannot be carried without loss"),
  ]
}
