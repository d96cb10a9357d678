package import Connecting
import JSONBytes
import Kernel
import Remote

extension HTTPConnector {
  package static let kind = ConnectorKind(
    name: "http", title: Text("HTTP 接口（JSON）", "HTTP API (JSON)"),
    settings: [
      .init("address", Text("地址", "Address"), example: "https://api.example.gov.cn/v1/enterprises"),
      .init(
        "headers", Text("请求头（每行一个）", "Headers (one a line)"), secret: true, required: false,
        example: "Authorization: Bearer …"
      ).long,
      .init(
        "list", Text("列表在应答中的位置（JSON 指针）", "Where the list stands (JSON pointer)"), required: false,
        example: "/data/list"),
      .init("paging", Text("翻页", "Paging")).choosing([
        ("none", Text("不翻页", "None")), ("page", Text("按页码", "By page number")), ("offset", Text("按偏移", "By offset")),
        ("cursor", Text("按游标", "By cursor")), ("link", Text("按 Link 响应头", "By the Link header")),
        ("next", Text("按应答中的下一页地址", "By the next address in the answer")),
      ]),
    ]
      + ConnectorKind.Setting.part(
        Text("翻页的参数", "Parameters of paging"),
        [
          .init(
            "parameter", Text("页码、偏移或游标的参数名", "Parameter of page, offset or cursor"), required: false, example: "page"),
          .init("first", Text("首页页码", "Number of the first page"), required: false, example: "1"),
          .init("sizeparameter", Text("每页行数的参数名", "Parameter of the page's size"), required: false, example: "size"),
          .init("size", Text("每页行数", "Rows a page"), required: false, example: "500"),
          .init(
            "pointer", Text("游标或下一页地址的位置（JSON 指针）", "Where the cursor or next address stands (JSON pointer)"),
            required: false, example: "/data/next"),
          .init(
            "total", Text("总数在应答中的位置（JSON 指针）", "Where the total stands (JSON pointer)"), required: false,
            example: "/data/total"),
        ])
      + ConnectorKind.Setting.part(
        Text("表和列", "Tables and columns"),
        [
          .init(
            "tables",
            Text(
              "各表的名称和路径（逗号分隔；不填则地址本身是一张表）", "Names and paths of tables (parted by commas; empty: the address is one)"),
            required: false, example: "enterprises=/v1/enterprises, permits=/v1/permits"),
          .init(
            "fields",
            Text("列及其位置（逗号分隔；不填则取每行的各字段）", "Columns and where they stand (parted by commas; empty: a row's members)"),
            required: false, example: "code=/id, city=/address/city"),
          .init("zone", Text("无时区时间的时区", "Zone of times without one"), required: false, example: "+08:00"),
        ]),
    guarantee: guarantee,
    check: { HTTPSettings($0).faults },
    open: { settings throws(ConnectorError) in
      let read = HTTPSettings(settings)
      guard let source = read.source else {
        let fault = read.faults.first
        throw ConnectorError(
          .permanent, "http.\(fault?.setting ?? "settings")", fault?.message ?? Text("设置有误。", "The settings are wrong.")
        )
      }
      return HTTPConnector(source)
    })

  /// Which machine these settings lead to; nil for an address that is none.
  package static func machine(_ settings: [String: String]) -> (host: String, port: Int)? {
    (try? RemoteAddress(settings["address"] ?? "")).map { ($0.host, $0.port) }
  }
}

/// The settings of the kind `http`, judged by its own grammar.
struct HTTPSettings {
  private(set) var faults: [(setting: String, message: Text)] = []
  /// Nil when something is wrong.
  private(set) var source: HTTPSource?
  private let settings: [String: String]

  init(_ settings: [String: String]) {
    self.settings = settings
    let tables = readTables()
    let headers = readHeaders()
    let list = readPointer("list") ?? JSONPointer("")!
    let total = self["total"].isEmpty ? nil : readPointer("total")
    let size = readNumber("size", 1...100_000, or: 100)
    let paging = readPaging()
    let fields = readFields()
    let zone = WrittenTime.zone(self["zone"].isEmpty ? "+08:00" : self["zone"])
    if zone == nil { note("zone", "时区应写作 +08:00。", "Write the zone as +08:00.") }
    guard faults.isEmpty, let paging, let zone else { return }
    var source = HTTPSource(
      tables: tables, headers: headers, list: list, total: total, paging: paging, size: size, zone: zone)
    source.fields = fields
    self.source = source
  }

  private subscript(_ name: String) -> String { settings[name] ?? "" }

  private mutating func note(_ setting: String, _ chinese: String, _ english: String) {
    faults.append((setting, Text(chinese, english)))
  }

  /// `name=place` pairs, parted by commas or lines; nil where one is none.
  private func pairs(_ setting: String) -> [(name: String, place: String)]? {
    var pairs: [(name: String, place: String)] = []
    for part in self[setting].split(whereSeparator: { $0 == "," || $0 == "，" || $0.isNewline }) {
      let halves = part.split(separator: "=", maxSplits: 1).map(trimmed)
      if halves == [""] || halves.isEmpty { continue }
      guard halves.count == 2, !halves[0].isEmpty, halves[0].unicodeScalars.count <= 128 else { return nil }
      pairs.append((halves[0], halves[1]))
    }
    return Set(pairs.map(\.name)).count == pairs.count ? pairs : nil
  }

  private func trimmed(_ text: Substring) -> String {
    String(text.drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
  }

  private mutating func readTables() -> [HTTPSource.Table] {
    let base: RemoteAddress
    do throws(RemoteAddress.Fault) { base = try RemoteAddress(self["address"]) } catch {
      faults.append(("address", error.message))
      return []
    }
    guard base.scheme != .sftp else {
      note("address", "地址应以 https:// 开头。", "The address begins with https://.")
      return []
    }
    if trimmed(self["tables"][...]).isEmpty {
      let last = base.path.split(separator: "/").last.map(String.init) ?? "items"
      return [HTTPSource.Table(name: last, address: base)]
    }
    let tables = (pairs("tables") ?? []).compactMap { pair -> HTTPSource.Table? in
      guard let address = try? base.resolve(pair.place), address.hasOrigin(of: base) else { return nil }
      return HTTPSource.Table(name: pair.name, address: address)
    }
    if tables.isEmpty || tables.count != pairs("tables")?.count {
      note(
        "tables", "应写作 名称=/路径，用逗号分隔，名称不重复，路径在同一主机。",
        "Write name=/path, parted by commas, each name once, all on the same host.")
    }
    return tables
  }

  private mutating func readHeaders() -> [String] {
    guard let lines = SettingRules.headers(self["headers"]) else {
      faults.append(("headers", SettingRules.headersFault))
      return []
    }
    return lines
  }

  private mutating func readPointer(_ setting: String) -> JSONPointer? {
    let found = JSONPointer(self[setting])
    if found == nil { note(setting, "JSON 指针应写作 /data/list。", "Write a JSON pointer as /data/list.") }
    return found
  }

  private mutating func readNumber(_ setting: String, _ range: ClosedRange<Int>, or usual: Int) -> Int {
    if self[setting].isEmpty { return usual }
    if let number = Int(self[setting]), range.contains(number) { return number }
    note(setting, "应为 \(range.lowerBound) 至 \(range.upperBound)。", "It is \(range.lowerBound) to \(range.upperBound).")
    return usual
  }

  private mutating func readPaging() -> HTTPSource.Paging? {
    func name(_ setting: String, _ usual: String) -> String { self[setting].isEmpty ? usual : self[setting] }
    let first = readNumber("first", 0...1_000_000, or: 1)
    switch self["paging"] {
    case "none": return HTTPSource.Paging.none
    case "page":
      return .page(parameter: name("parameter", "page"), sizeParameter: name("sizeparameter", "size"), first: first)
    case "offset": return .offset(parameter: name("parameter", "offset"), sizeParameter: name("sizeparameter", "limit"))
    case "link": return .link
    case "cursor", "next":
      guard !self["pointer"].isEmpty, let pointer = readPointer("pointer") else {
        if self["pointer"].isEmpty { note("pointer", "请填写其位置（JSON 指针）。", "Say where it stands (a JSON pointer).") }
        return nil
      }
      return self["paging"] == "next"
        ? .next(pointer: pointer) : .cursor(pointer: pointer, parameter: name("parameter", "cursor"))
    default:
      note(
        "paging", "翻页方式应为 none、page、offset、cursor、link 或 next。",
        "The paging is none, page, offset, cursor, link or next.")
      return nil
    }
  }

  private mutating func readFields() -> [(name: String, pointer: JSONPointer)] {
    let pairs = pairs("fields")
    let fields = (pairs ?? []).compactMap { pair in
      JSONPointer(pair.place).flatMap { $0.tokens.isEmpty ? nil : (pair.name, $0) }
    }
    if pairs == nil || fields.count != pairs?.count {
      note("fields", "应写作 列名=/位置，用逗号分隔，列名不重复。", "Write column=/place, parted by commas, each column once.")
    }
    return fields
  }
}
