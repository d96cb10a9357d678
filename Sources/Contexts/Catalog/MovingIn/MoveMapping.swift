internal import CEmbedded
internal import Foundation
internal import Kernel

/// How another catalogue system's export is read: which table and column each of our elements is in, and what its codes
/// are here. Kept as a file (JSON, or YAML at the command line), so that a system nobody knew is moved in without a new
/// program; two that are known come with it.
package struct MoveMapping: Codable, Sendable {
  /// A table and the columns of it that are read: our name → theirs. `a+b` takes both, joined by `+`.
  package struct Table: Codable, Sendable {
    package var table: String
    package var columns: [String: String]
    /// Rows that the other system holds for deleted: their column → value.
    package var deletedWhen: [String: String]?
    /// The export may come without it. Else one that lacks it is refused as a whole.
    package var optional: Bool?
  }

  /// One table of what happened to entries. `event` names ours (`VersionEvent`, `OnlineEvent`), or `events` says which by the value of `kind`.
  package struct History: Codable, Sendable {
    package var table: String
    package var columns: [String: String]
    package var event: String?
    package var events: [String: String]?
    /// As a table's.
    package var optional: Bool?
  }

  /// Two to eight small letters: names the system in the log, and the root of the classes that are its own.
  package var source: String
  package var title: String
  package var entries: Table
  package var items: Table
  /// Formats apart from their entries.
  package var formats: Table?
  package var classes: Table?
  /// Which entry is in which classes, with code and state where those stand there.
  package var entryClasses: Table?
  package var offices: Table?
  package var systems: Table?
  package var people: Table?
  package var history: [History]?
  /// Field → their code → ours; `*` stands for any. What is in none of them is reported.
  package var codes: [String: [String: String]]

  package static let presets = ["bjxc", "dsg"]

  /// A mapping that comes with the program; nil for another name.
  package static func preset(_ name: String) throws -> MoveMapping? {
    switch name {
    case "bjxc": try MoveMapping(json: embeddedText(sj_moving_in_bjxc_json(), sj_moving_in_bjxc_json_length))
    case "dsg": try MoveMapping(json: embeddedText(sj_moving_in_dsg_json(), sj_moving_in_dsg_json_length))
    default: nil
    }
  }

  /// What a source is called: a known system by its title, another as its mapping names it.
  static func title(of source: String) -> String { titles[source] ?? source }

  private static let titles = Dictionary(
    presets.compactMap { try? preset($0) }.map { ($0.source, $0.title) }, uniquingKeysWith: { first, _ in first })

  /// The one that an unpacked export brings as `mapping.json`; blocks while it reads.
  init(in folder: String) throws {
    guard let handle = FileHandle(forReadingAtPath: "\(folder)/mapping.json") else {
      throw Self.wrong(
        Text(
          "没有指明原系统，.zip 中也没有 mapping.json。", "Neither is the former system named, nor is mapping.json in the .zip."))
    }
    let bytes = try handle.read(upToCount: ImportDesk.mostMappingBytes + 1) ?? Data()
    guard bytes.count <= ImportDesk.mostMappingBytes else {
      throw Self.wrong(Text("最大 \(ImportDesk.mostMappingBytes >> 20) MiB。", "It has 1 MiB at most."))
    }
    try self.init(json: String(decoding: bytes, as: UTF8.self))
  }

  package init(json: String) throws {
    do { self = try JSONDecoder().decode(MoveMapping.self, from: Data(json.utf8)) } catch {
      throw Self.wrong(Self.reason(error))
    }
    try check()
  }

  private static func wrong(_ why: Text) -> Refusal {
    Refusal.invalid(
      "catalog.move.mapping", "mapping", Text("对应关系文件：\(why.chinese)", "The mapping: \(why.english)"))
  }

  /// Which key of it is missing or holds something else than it should.
  private static func reason(_ error: any Error) -> Text {
    func place(_ path: [any CodingKey], _ last: (any CodingKey)? = nil) -> String {
      // In a list a key is `Index 0`; a code that is a number is a name like any other.
      (path + (last.map { [$0] } ?? [])).map { key in
        guard let index = key.intValue, key.stringValue == "Index \(index)" else { return "." + key.stringValue }
        return "[\(index + 1)]"
      }.joined().trimmingCharacters(in: ["."])
    }
    switch error as? DecodingError {
    case .keyNotFound(let key, let context):
      let missing = place(context.codingPath, key)
      return Text("缺少 \(missing)。", "\(missing) is missing.")
    case .typeMismatch(let type, let context), .valueNotFound(let type, let context):
      let (key, kind) = (place(context.codingPath), Self.words(for: type))
      guard !key.isEmpty else { return Text("整体应为一个\(kind.chinese)。", "As a whole it is \(kind.english).") }
      return Text("\(key) 应为\(kind.chinese)。", "\(key) is to be \(kind.english).")
    case .dataCorrupted(let context) where !context.codingPath.isEmpty:
      let key = place(context.codingPath)
      return Text("\(key) 的值不对。", "\(key) holds a wrong value.")
    default:
      return Text(
        "不是 JSON。请以平台自带的对应关系为样本修改。", "It is no JSON. Change one of those that come with the platform.")
    }
  }

  private static func words(for type: any Any.Type) -> Text {
    if type == String.self { return Text("一段文字（加引号）", "text in quotation marks") }
    if type == Bool.self { return Text(" true 或 false", "true or false") }
    if type is any RangeReplaceableCollection.Type { return Text("列表（方括号）", "a list in brackets") }
    return Text("对象（花括号）", "an object in braces")
  }

  /// What decoding cannot see: names that stand for nothing.
  package func check() throws {
    func wrong(_ chinese: String, _ english: String) -> Refusal { Self.wrong(Text(chinese, english)) }
    guard ClassPeriod.wrongCode(source, under: nil) == nil else {
      throw wrong("source 应为 2 到 8 个小写字母。", "source is 2 to 8 small letters.")
    }
    let tables: [(String, Table?, Set<String>)] = [
      ("entries", entries, Self.entryFields), ("items", items, Self.itemFields),
      ("formats", formats, ["entry", "format", "formatClass"]),
      ("classes", classes, ["id", "code", "name", "parent", "national"]),
      ("entryClasses", entryClasses, ["id", "entry", "class", "code", "state"]),
      ("offices", offices, ["id", "name", "creditCode"]), ("systems", systems, ["id", "name"]),
      ("people", people, ["id", "name"]),
    ]
    guard entries.optional != true else {
      throw wrong("entries 不能是 optional。", "entries cannot be optional.")
    }
    for (name, table, known) in tables {
      guard let table else { continue }
      let needed = Self.needed[name] ?? []
      let given = Set(table.columns.keys)
      if let missing = needed.subtracting(given).sorted().first {
        throw wrong("\(name) 缺少 \(missing)。", "\(name) lacks \(missing).")
      }
      if let strange = given.subtracting(known).sorted().first {
        throw wrong("\(name) 不认识 \(strange)。", "\(name) knows no \(strange).")
      }
    }
    for one in history ?? [] {
      let events = (one.event.map { [$0] } ?? []) + (one.events.map { Array($0.values) } ?? [])
      if let strange = events.first(where: { VersionEvent(rawValue: $0) == nil && OnlineEvent(rawValue: $0) == nil }) {
        throw wrong("\(one.table) 的事件 \(strange) 不认识。", "\(one.table): there is no event \(strange).")
      }
      guard one.columns["entry"] != nil || one.columns["entryClass"] != nil, one.columns["at"] != nil else {
        throw wrong("\(one.table) 缺少 entry 或 at。", "\(one.table) lacks entry or at.")
      }
    }
    if let states = codes["state"], let strange = states.values.first(where: { MoveState(rawValue: $0) == nil }) {
      throw wrong("状态 \(strange) 不认识。", "there is no state \(strange).")
    }
  }

  /// What each table must say, in the mapping and in the export.
  static let needed: [String: Set<String>] = [
    "entries": ["id", "name"], "items": ["entry", "name"], "formats": ["entry"], "classes": ["id", "name"],
    "entryClasses": ["entry", "class"], "offices": ["id"], "systems": ["id", "name"], "people": ["id", "name"],
  ]

  private static let entryFields: Set<String> = [
    "id", "code", "name", "office", "officeName", "officeCode", "abstract", "sharingType", "sharingCondition",
    "methodClass", "methodType", "openType", "openCondition", "cycle", "related", "secrecy", "level", "format",
    "formatClass", "state", "publishedOn", "previous", "system",
  ]
  private static let itemFields: Set<String> = [
    "entry", "name", "column", "description", "dataType", "length", "scale", "isKey", "isNullable", "sharingType",
    "sharingCondition", "secrecy", "grade", "system", "order",
  ]

  /// Ours for one of their codes: by its own line, else by one with `*` in the place of a part.
  func ours(_ field: String, _ theirs: String) -> String? {
    guard let lines = codes[field] else { return nil }
    if let exact = lines[theirs] { return exact }
    let parts = theirs.split(separator: "+", omittingEmptySubsequences: false)
    if parts.count == 2 {
      if let last = lines["*+\(parts[1])"] { return last }
      if let first = lines["\(parts[0])+*"] { return first }
    }
    return theirs.isEmpty ? nil : lines["*"]
  }
}

/// How an entry stood in the system it comes from.
enum MoveState: String, Sendable {
  case draft
  /// Waited for a reviewer there.
  case submitted
  case returned
  case approved
  case published
  case withdrawn
}
