package import Connecting
import Kernel
import Remote

extension FilesConnector {
  package static let kind = ConnectorKind(
    name: "files", title: Text("文件（CSV、XLSX、JSON 行）", "Files (CSV, XLSX, JSON)"),
    settings: [
      .init("format", Text("格式", "Format")).choosing([
        ("csv", Text(same: "CSV")), ("xlsx", Text(same: "XLSX")), ("jsonl", Text("JSON 行", "JSON lines")),
      ])
    ]
      + FilesSettings.place
      + ConnectorKind.Setting.part(
        Text("怎样读文件", "How files are read"),
        [
          .init(
            "tables",
            Text(
              "哪些文件合为一张表（逗号分隔；不填则每个文件一张表）", "Which files make one table (parted by commas; empty: each file is one)"),
            required: false, example: "orders-*.csv, refunds-*.csv"),
          .init("sheet", Text("工作表（XLSX；不填为第一张）", "Sheet (XLSX; empty: the first)"), required: false, example: "企业名录"),
          .init(
            "encoding", Text("CSV 编码（一般不填）", "Encoding of CSV (normally empty)"), required: false, example: "GB18030"),
          .init("null", Text("空值的写法", "Spelling of NULL"), required: false, example: "N/A"),
          .init("zone", Text("无时区时间的时区", "Zone of times without one"), required: false, example: "+08:00"),
        ]) + WrittenFiles.settings,
    guarantee: guarantee,
    check: { FilesSettings($0).faults },
    nameFault: { FileSetNames.columnFault($0) },
    open: { settings throws(ConnectorError) in
      let read = FilesSettings(settings)
      if let fault = read.faults.first { throw ConnectorError(.permanent, "files.\(fault.setting)", fault.message) }
      return FilesConnector(try read.home(), try read.options(), writing: try WrittenFiles(settings))
    })

  /// Which machine these settings lead to; nil for this one, and for an address that is none.
  package static func machine(_ settings: [String: String]) -> (host: String, port: Int)? {
    guard ["sftp", "s3"].contains(settings["place"] ?? ""), let address = try? RemoteAddress(settings["address"] ?? "")
    else { return nil }
    return (address.host, address.port)
  }
}

/// The settings of the kind `files`, judged by its own grammar; those of its place are other kinds' too.
struct FilesSettings {
  /// Where files are, and how to get there.
  static let place: [ConnectorKind.Setting] =
    [
      .init("place", Text("位置", "Place")).choosing([
        ("local", Text("本机文件夹", "A folder of this machine")), ("sftp", Text(same: "SFTP")), ("s3", Text(same: "S3")),
      ]),
      .init("folder", Text("本机文件夹", "Folder of this machine"), required: false, example: "/srv/exchange/registry"),
      .init(
        "address", Text("地址（SFTP、S3）", "Address (SFTP, S3)"), required: false,
        example: "sftp://10.1.2.3:22/outbox/registry"),
    ]
    + ConnectorKind.Setting.part(
      Text("SFTP 登录", "Signing in by SFTP"),
      [
        .init(
          "fingerprint", Text("主机密钥指纹", "Host key's fingerprint"), required: false,
          example: "SHA256:uNiVztksCsDhcc0u9e8BrpN9…"),
        .init("user", Text("账号", "User"), required: false, example: "exchange"),
        .init("password", Text("口令", "Password"), secret: true, required: false),
        .init(
          "key", Text("私钥全文（替代口令）", "Private key's text (instead of a password)"), secret: true, required: false
        ).long,
      ])
    + ConnectorKind.Setting.part(
      Text("S3 存储", "S3 store"),
      [
        .init("bucket", Text("存储桶", "Bucket"), required: false, example: "exchange"),
        .init("prefix", Text("对象前缀", "Prefix of objects"), required: false, example: "registry/"),
        .init("region", Text("区域", "Region"), required: false, example: "us-east-1"),
        .init("access", Text("访问密钥标识", "Access key id"), required: false),
        .init("secret", Text("访问密钥", "Secret access key"), secret: true, required: false),
      ])

  private let settings: [String: String]

  init(_ settings: [String: String]) { self.settings = settings }

  private subscript(_ name: String) -> String { settings[name] ?? "" }

  private var patterns: [String] {
    self["tables"].split(whereSeparator: { $0 == "," || $0 == "，" || $0.isNewline }).map {
      String($0.drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
    }.filter { !$0.isEmpty }
  }

  var faults: [(setting: String, message: Text)] {
    var faults: [(setting: String, message: Text)] = []
    func note(_ setting: String, _ chinese: String, _ english: String) {
      faults.append((setting, Text(chinese, english)))
    }
    if FileFormat(rawValue: self["format"]) == nil {
      note("format", "格式应为 csv、xlsx 或 jsonl。", "The format is csv, xlsx or jsonl.")
    }
    faults += placeFaults
    let read = patterns.map { NamePattern($0) }
    if read.contains(nil) {
      note("tables", "应为文件名或带 * 的文件名，用逗号分隔。", "Write file names, or names with a star, parted by commas.")
    }
    let stems = read.compactMap { $0?.stem }
    if Set(stems).count < stems.count {
      note(
        "tables", "两张表会同名：\(stems.joined(separator: "、"))。",
        "Two tables would have one name: \(stems.joined(separator: ", ")).")
    }
    if let fault = SettingRules.zoneFault(self["zone"]) { faults.append(("zone", fault)) }
    faults += WrittenFiles.faults(of: settings)
    if !self["encoding"].isEmpty, encoding == nil {
      note(
        "encoding", "编码应为 UTF-8、GB18030、UTF-16LE 或 UTF-16BE。", "The encoding is UTF-8, GB18030, UTF-16LE or UTF-16BE.")
    }
    return faults
  }

  var placeFaults: [(setting: String, message: Text)] {
    var faults: [(setting: String, message: Text)] = []
    func note(_ setting: String, _ chinese: String, _ english: String) {
      faults.append((setting, Text(chinese, english)))
    }
    func need(_ setting: String, _ chinese: String, _ english: String) {
      if self[setting].isEmpty { note(setting, "请填写\(chinese)。", "Enter the \(english).") }
    }
    switch self["place"] {
    case "local": need("folder", "文件夹", "folder")
    case "sftp":
      checkAddress(.sftp, &faults)
      need("user", "账号", "user")
      if self["password"].isEmpty == self["key"].isEmpty {
        note("password", "口令和私钥须填其一，且只填一个。", "Enter a password or a private key, and only one of them.")
      }
      if SFTPFolder.fingerprint(self["fingerprint"]) == nil {
        note(
          "fingerprint", "请填写主机密钥的 SHA-256 指纹（ssh-keygen -lf 的输出，如 SHA256:…）。",
          "Enter the SHA-256 fingerprint of the host's key, as ssh-keygen -lf prints it (SHA256:…).")
      }
    case "s3":
      checkAddress(.https, &faults)
      need("region", "区域", "region")
      need("bucket", "存储桶", "bucket")
      need("access", "访问密钥标识", "access key id")
      need("secret", "访问密钥", "secret access key")
      for name in ["region", "access"] where self[name].contains(where: { $0 == ":" || $0.isWhitespace }) {
        note(name, "不能含有冒号或空格。", "It holds no colon and no blank.")
      }
    default: note("place", "位置应为 local、sftp 或 s3。", "The place is local, sftp or s3.")
    }
    return faults
  }

  private func checkAddress(_ scheme: RemoteAddress.Scheme, _ faults: inout [(setting: String, message: Text)]) {
    do throws(RemoteAddress.Fault) {
      let address = try RemoteAddress(self["address"])
      let fits = scheme == .sftp ? address.scheme == .sftp : address.scheme != .sftp
      if !fits || address.query != nil {
        faults.append(
          (
            "address",
            Text(
              scheme == .sftp ? "地址应写作 sftp://主机:端口/目录。" : "地址应写作 https://主机:端口。",
              scheme == .sftp
                ? "Write the address as sftp://host:port/folder." : "Write the address as https://host:port.")
          ))
      }
    } catch { faults.append(("address", error.message)) }
  }

  private var encoding: CSVEncoding? { CSVEncoding.allCases.first { $0.name == self["encoding"].uppercased() } }

  func options() throws(ConnectorError) -> FilesOptions {
    FilesOptions(
      format: FileFormat(rawValue: self["format"]) ?? .csv,
      zone: WrittenTime.zone(self["zone"]) ?? SettingRules.usualZone,
      nullText: self["null"], encoding: encoding, sheet: self["sheet"], tables: patterns)
  }

  func home() throws(ConnectorError) -> FilesHome {
    if self["place"] == "local" { return .local(self["folder"]) }
    let address: RemoteAddress
    do throws(RemoteAddress.Fault) { address = try RemoteAddress(self["address"]) } catch {
      throw ConnectorError(.permanent, "files.address", error.message)
    }
    if self["place"] == "sftp" {
      return .remote(
        SFTPFolder(
          address: address, user: self["user"],
          secret: self["key"].isEmpty ? .password(self["password"]) : .key(self["key"]),
          fingerprint: SFTPFolder.fingerprint(self["fingerprint"]) ?? ""))
    }
    return .remote(
      S3Folder(
        endpoint: address, region: self["region"], bucket: self["bucket"], prefix: self["prefix"],
        accessKey: self["access"], secret: self["secret"]))
  }
}
