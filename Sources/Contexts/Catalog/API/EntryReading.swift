internal import Kernel
internal import Web

/// Reads an entry as programs write it: the names of what `GET /api/v1/catalog/resources/{id}` answers, so that what was
/// read can be sent back. What only the platform says is passed over; a name nobody knows is a fault, since what it was meant
/// for would be lost unseen.
struct EntryReading {
  private let json: JSON
  /// For the findings: empty for the entry itself, `item.3.` for an item.
  private let prefix: String
  private(set) var faults: [Finding] = []

  private init(_ json: JSON, _ prefix: String = "") {
    self.json = json
    self.prefix = prefix
  }

  static func entry(_ json: JSON, at now: Instant) -> GivenEntry {
    var reading = EntryReading(json)
    guard json.members != nil else {
      return GivenEntry(
        metadata: Metadata(), faults: [fault("", "type", Text("一条目录应是一个 JSON 对象。", "An entry is a JSON object."))],
        isUnread: true)
    }
    reading.refuseUnknown(entryNames + keyNames + providerNames, passing: toldByPlatform)
    var given = GivenEntry(metadata: reading.metadata())
    given.reference = reading.text("reference")
    given.code = reading.text("code")
    let id = reading.text("id")
    given.id = ResourceID(id)
    if !id.isEmpty, given.id == nil { reading.note("id", "id", Text("不是目录的标识。", "This is no entry's id.")) }
    given.providers = providerNames.map { ($0, reading.text($0)) }
    given.system = reading.text("system")
    if json["secrecy"] == nil {
      reading.note("secrecy", "secrecy", Text("请写明涉密属性（secrecy）。", "Say whether it is secret (secrecy)."))
    }
    given.change = reading.change()
    let items = reading.list("items")
    // How many there may be is a rule's business; what is far beyond it is not even read.
    for (index, value) in items.prefix(Metadata.limits.items * 2).enumerated() {
      given.items.append(reading.item(value, index, at: now))
    }
    given.faults = reading.faults
    return given
  }

  /// The JSON Schema of what `entry` takes: what a GET answered can be sent back as it is.
  static let schema: JSON = .object([
    ("type", "object"), ("required", ["secrecy"]), ("additionalProperties", false),
    (
      "properties",
      .object(
        (keyNames + providerNames + entryNames).map { name in
          switch name {
          case "classes", "related": (name, Schema.maybe(Schema.list(Schema.text)))
          case "items": (name, Schema.maybe(Schema.list(itemSchema)))
          case "change": (name, Schema.maybe(VersionChange.schema(mayBeEmpty: false)))
          default: (name, Schema.maybe(Schema.text))
          }
        } + toldByPlatform.sorted().map { ($0, passedOver) })
    ),
  ])

  private static let itemSchema: JSON = [
    "type": "object", "additionalProperties": false,
    "properties": .object(
      itemNames.map { name in
        switch name {
        case "length", "scale": (name, Schema.maybe(Schema.number(0...1_000_000_000)))
        case "isNullable", "isKey": (name, Schema.maybe(Schema.flag))
        default: (name, Schema.maybe(Schema.text))
        }
      } + [("id", passedOver)]),
  ]

  /// Anything: the platform says it, and what is sent of it is passed over.
  private static let passedOver: JSON = ["readOnly": true]

  // MARK: Names

  private static let keyNames = ["reference", "id", "code", "change"]
  /// Said by the platform, and read: what is another office's is refused.
  private static let providerNames = ["provider", "providerName", "providerCode"]
  private static let entryNames = [
    "name", "classes", "abstract", "format", "sharingType", "sharingCondition", "methodClass", "methodType", "openType",
    "openCondition", "cycle", "related", "secrecy", "level", "system", "items",
  ]
  private static let itemNames = [
    "name", "column", "dataType", "length", "scale", "isNullable", "isKey", "semantic", "description", "sharingType",
    "sharingCondition", "grade",
  ]
  private static let toldByPlatform: Set<String> = [
    "version", "state", "online", "publishedOn", "isMounted", "declaresMount", "freshness",
    "deliversIncrementally",
    "schemaDigest", "findings", "returned",
  ]

  private static let toldOfItems: Set<String> = ["id"]

  // MARK: Parts

  private mutating func metadata() -> Metadata {
    Metadata(
      name: text("name"), classes: texts("classes"), abstract: text("abstract"), format: text("format"),
      sharingType: text("sharingType"), sharingCondition: text("sharingCondition"), methodClass: text("methodClass"),
      methodType: text("methodType"), openType: text("openType"), openCondition: text("openCondition"),
      cycle: text("cycle"), related: texts("related"), secrecy: text("secrecy"), level: text("level"))
  }

  private mutating func change() -> VersionChange? {
    guard let json = json["change"], json != .null else { return nil }
    do throws(Refusal) {
      let change = try VersionChange(json: json, at: "change.")
      guard (1...Cataloguing.reasonLimit).contains(change.words.count) else {
        note(
          "change.words", "change",
          Text(
            "请用 1 至 \(Cataloguing.reasonLimit) 字说明变更了什么、为什么。",
            "Say in 1 to \(Cataloguing.reasonLimit) characters what changed and why."))
        return nil
      }
      return change
    } catch {
      note(error.faults.first?.field ?? "change", "change", error.message)
      return nil
    }
  }

  private mutating func item(_ value: JSON, _ index: Int, at now: Instant) -> Item {
    var reading = EntryReading(value, "item.\(index).")
    defer { faults += reading.faults }
    guard value.members != nil else {
      reading.note("", "type", Text("一个信息项应是一个 JSON 对象。", "An item is a JSON object."))
      return Item(id: .make(at: now), name: "", column: "", dataType: "")
    }
    reading.refuseUnknown(Self.itemNames, passing: Self.toldOfItems)
    let (sharing, semantic) = (reading.text("sharingType"), reading.text("semantic"))
    return Item(
      id: .make(at: now), name: reading.text("name"), column: reading.text("column"),
      dataType: reading.text("dataType"), length: reading.number("length"), scale: reading.number("scale"),
      isNullable: reading.flag("isNullable", else: true), isKey: reading.flag("isKey", else: false),
      semantic: semantic.isEmpty ? nil : semantic, description: reading.text("description"),
      sharingType: sharing.isEmpty ? nil : sharing, sharingCondition: reading.text("sharingCondition"),
      grade: reading.text("grade"))
  }

  private mutating func refuseUnknown(_ names: [String], passing: Set<String>) {
    for member in json.members ?? [] where !names.contains(member.name) && !passing.contains(member.name) {
      note(
        String(member.name.prefix(40)), "unknown-name",
        Text("没有“\(member.name.prefix(40))”这个字段。", "There is no member “\(member.name.prefix(40))”."))
    }
  }

  private mutating func text(_ name: String) -> String {
    switch json[name] {
    case nil, .null: return ""
    case .string(let text): return trimmed(text)
    default:
      note(name, "type", Text("应为字符串。", "This should be a string."))
      return ""
    }
  }

  private mutating func texts(_ name: String) -> [String] {
    let values = list(name)
    let texts = values.prefix(Metadata.limits.related).compactMap(\.string).map(trimmed)
    if texts.count < min(values.count, Metadata.limits.related) {
      note(name, "type", Text("应为字符串的数组。", "This should be an array of strings."))
    }
    return texts
  }

  private mutating func list(_ name: String) -> [JSON] {
    switch json[name] {
    case nil, .null: return []
    case .array(let values): return values
    default:
      note(name, "type", Text("应为数组。", "This should be an array."))
      return []
    }
  }

  private mutating func number(_ name: String) -> Int? {
    switch json[name] {
    case nil, .null: return nil
    case .integer(let number) where (0...1_000_000_000).contains(number): return Int(number)
    default:
      note(name, "type", Text("应为 0 以上的整数。", "This should be a whole number from 0."))
      return nil
    }
  }

  private mutating func flag(_ name: String, else usual: Bool) -> Bool {
    switch json[name] {
    case nil, .null: return usual
    case .bool(let flag): return flag
    default:
      note(name, "type", Text("应为 true 或 false。", "This should be true or false."))
      return usual
    }
  }

  private mutating func note(_ name: String, _ code: String, _ message: Text) {
    let field = name.isEmpty ? String(prefix.dropLast()) : prefix + name
    faults.append(Self.fault(field, code, message))
  }

  private static func fault(_ field: String, _ code: String, _ message: Text) -> Finding {
    Finding(.error, "entry.\(code)", field, message, source: RuleSource.platform)
  }
}

extension Finding {
  /// Where it is in the body that was sent (RFC 6901): `item.3.length` → `/items/3/length`.
  var pointer: String {
    if field.isEmpty { return "" }
    let parts = field.split(separator: ".")
    guard parts.first == "item" else { return "/" + parts.joined(separator: "/") }
    return "/items/" + parts.dropFirst().joined(separator: "/")
  }

  /// As programs are told.
  func json(_ language: Language) -> JSON {
    [
      "severity": .string(severity.rawValue), "code": .string(code), "pointer": .string(pointer),
      "message": .string(language(message)), "rule": .string(language(source)),
    ]
  }

  static let schema = Schema.object([
    ("severity", Schema.choice(Severity.self)), ("code", Schema.text), ("pointer", Schema.text),
    ("message", Schema.text), ("rule", Schema.text),
  ])
}
