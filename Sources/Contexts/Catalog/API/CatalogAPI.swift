import Inventory
import Kernel
import Web

enum CatalogAPI {
  static func routes(_ cataloguing: Cataloguing) -> [Route] {
    [
      Route.get(
        "/api/v1/catalog/resources", .permission(.readCatalog),
        summary: Text("查找已发布的信息资源，附分面计数", "Find published resources, with counts by facet")
      ) { request in
        let hits = try await cataloguing.search(
          request.visitor(), cataloguing.known(CatalogRoutes.query(request)))
        return .json([
          "total": JSON(hits.total), "totalIsExact": JSON(hits.isTotalExact), "next": .optional(hits.next),
          "resources": .array(hits.entries.map(json)),
          "facets": [
            "class": counts(hits.classes, request.language), "provider": counts(hits.providers, request.language),
            "sharing": counts(hits.sharingTypes, request.language),
            "format": counts(hits.formats, request.language), "cycle": counts(hits.cycles, request.language),
            "mounted": counts(hits.mounted, request.language), "fresh": counts(hits.freshness, request.language),
          ],
        ])
      }.described(
        gives: found,
        query: [
          QueryParameter(
            "q", Text("名称、摘要、信息项、提供方或代码中的词", "words of name, abstract, items, provider or code")),
          QueryParameter("class", Text("分类节点，含其下级", "a node of the classification, with what lies below")),
          QueryParameter("provider", Text("提供方标识", "the provider's id"), Schema.id),
          QueryParameter("sharing", Text("共享类型 1、2、3", "sharing type 1, 2 or 3")),
          QueryParameter("format", Text("格式分类 01–06", "class of format, 01 to 06")),
          QueryParameter("cycle", Text("更新周期代码", "code of the update cycle")),
          QueryParameter(
            "mounted", Text("1 最近检测通过的挂接，0 没有可用的挂接", "1 a mount whose last test passed, 0 none that works"),
            Schema.choice(["1", "0"])),
          QueryParameter(
            "fresh", Text("更新情况：按期、逾期、未知", "whether it keeps its update cycle"),
            Schema.choice(Freshness.allCases.map(\.rawValue))),
          .cursor("after", Schema.text), .limit(most: 100, usual: 20),
        ]),
      Route.get(
        "/api/v1/catalog/resources/{id}", .permission(.readCatalog),
        summary: Text("一个信息资源的核心元数据和信息项", "One resource with its core metadata and items")
      ) { request in
        let (version, day) = (try CatalogRoutes.version(request), try request.queryDay("on"))
        guard version == nil || day == nil else {
          throw Refusal.invalid(
            "web.query", "on", Text("version 和 on 只能给出一个。", "Give version or on, not both."))
        }
        let (resource, condition) = try await cataloguing.measured(
          request.visitor(), request.id(), version: version, on: day)
        return .json(json(resource, condition).bytes, etag: resource.tag(condition))
      }.described(
        gives: whole,
        query: [
          QueryParameter(
            "version", Text("版本号；缺省为在用版本", "a version's number; the one in force by default"),
            Schema.number(1...1_000_000)),
          QueryParameter(
            "on",
            Text("某日在用的版本；不与 version 同时给出", "the version that was in force on that day; not together with version"),
            Schema.day),
        ]),
    ]
  }

  // MARK: What is answered

  private static let count = Schema.list(
    Schema.object([("value", Schema.text), ("name", Schema.text), ("count", Schema.whole)]))

  private static let found = Schema.object([
    ("total", Schema.whole), ("totalIsExact", Schema.flag), ("next", Schema.maybe(Schema.text)),
    (
      "resources",
      Schema.list(
        Schema.object([
          ("id", Schema.id), ("version", Schema.whole), ("code", Schema.text), ("name", Schema.text),
          ("abstract", Schema.text), ("provider", Schema.id), ("providerName", Schema.text),
          ("classes", Schema.list(Schema.text)), ("sharingType", Schema.text), ("format", Schema.text),
          ("cycle", Schema.text), ("isMounted", Schema.flag),
          ("freshness", Schema.choice(Freshness.self)), ("itemCount", Schema.whole), ("publishedOn", Schema.day),
        ]))
    ),
    (
      "facets",
      Schema.object([
        ("class", count), ("provider", count), ("sharing", count), ("format", count), ("cycle", count),
        ("mounted", count), ("fresh", count),
      ])
    ),
  ])

  /// What a change answers: the version that is being worked on, with what the rules say of it.
  static let draft = Schema.object(wholeMembers + [("findings", Schema.list(Finding.schema))])

  /// The same with why it was written, and with the reviewer's reasons, where it was returned and not submitted since.
  static let judged = Schema.object(
    wholeMembers + [
      ("findings", Schema.list(Finding.schema)), ("change", VersionChange.answer),
      (
        "returned",
        Schema.maybe(
          Schema.object([
            ("at", Schema.moment), ("organisation", Schema.text), ("reasons", Schema.text),
            ("notes", Schema.list(Schema.object([("pointer", Schema.text), ("words", Schema.text)]))),
          ]))
      ),
    ])

  static func json(_ judged: JudgedVersion, _ language: Language) -> JSON {
    let returned: JSON =
      judged.sentBack.map { event in
        [
          "at": .string(event.at.description), "organisation": .string(event.organisation),
          "reasons": .string(event.words),
          "notes": .array(
            judged.notes.map { note in
              ["pointer": .string(note.pointer(in: judged.resource)), "words": .string(note.words)]
            }),
        ]
      } ?? .null
    return .object(
      (json(judged.resource, judged.findings, language).members ?? []) + [
        JSON.Member("change", judged.change?.json ?? .null), JSON.Member("returned", returned),
      ])
  }

  static func json(_ resource: Resource, _ findings: [Finding], _ language: Language) -> JSON {
    .object((json(resource).members ?? []) + [JSON.Member("findings", .array(findings.map { $0.json(language) }))])
  }

  /// `isMounted` and `freshness` are what the last test of a mount found; null for a version that is not in force.
  private static let whole = Schema.object(
    wholeMembers + [
      ("isMounted", Schema.maybe(Schema.flag)), ("freshness", Schema.maybe(Schema.choice(Freshness.self))),
    ])

  private static let wholeMembers: [(String, JSON)] = [
    ("id", Schema.id), ("version", Schema.whole), ("state", Schema.choice(VersionState.self)),
    ("online", Schema.choice(OnlineState.self)),
    ("code", Schema.maybe(Schema.text)), ("name", Schema.text), ("abstract", Schema.text),
    ("classes", Schema.list(Schema.text)), ("provider", Schema.id), ("providerName", Schema.text),
    ("providerCode", Schema.text), ("system", Schema.maybe(Schema.id)), ("format", Schema.text),
    ("sharingType", Schema.text), ("sharingCondition", Schema.text), ("methodClass", Schema.text),
    ("methodType", Schema.text), ("openType", Schema.text), ("openCondition", Schema.text), ("cycle", Schema.text),
    ("related", Schema.list(Schema.text)), ("secrecy", Schema.text), ("level", Schema.text),
    ("publishedOn", Schema.maybe(Schema.day)), ("declaresMount", Schema.flag), ("deliversIncrementally", Schema.flag),
    ("schemaDigest", Schema.text),
    (
      "items",
      Schema.list(
        Schema.object([
          ("id", Schema.id), ("name", Schema.text), ("column", Schema.text), ("dataType", Schema.text),
          ("length", Schema.maybe(Schema.whole)), ("scale", Schema.maybe(Schema.whole)), ("isNullable", Schema.flag),
          ("isKey", Schema.flag), ("semantic", Schema.maybe(Schema.text)), ("description", Schema.text),
          ("sharingType", Schema.text), ("sharingCondition", Schema.text), ("grade", Schema.text),
        ]))
    ),
  ]

  private static func counts(_ counts: [CatalogHits.Count], _ language: Language) -> JSON {
    .array(
      counts.map { count in
        ["value": .string(count.value), "name": .string(language(count.name)), "count": JSON(count.count)]
      })
  }

  private static func strings(_ texts: [String]) -> JSON { .array(texts.map { .string($0) }) }

  private static func json(_ entry: CatalogEntry) -> JSON {
    [
      "id": .string(entry.id.text), "version": JSON(entry.version), "code": .string(entry.code),
      "name": .string(entry.name), "abstract": .string(entry.abstract), "provider": .string(entry.provider.text),
      "providerName": .string(entry.providerName), "classes": strings(entry.classes),
      "sharingType": .string(entry.sharingType), "format": .string(entry.format), "cycle": .string(entry.cycle),
      "isMounted": JSON(entry.isMounted), "freshness": .string(entry.freshness.rawValue),
      "itemCount": JSON(entry.itemCount),
      "publishedOn": .string(entry.publishedOn.description),
    ]
  }

  /// A version with what was measured of it.
  private static func json(_ resource: Resource, _ condition: CatalogSearch.Condition?) -> JSON {
    .object(
      (json(resource).members ?? []) + [
        JSON.Member("isMounted", condition.map { JSON($0.isMounted) } ?? .null),
        JSON.Member("freshness", .optional(condition?.freshness.rawValue)),
      ])
  }

  /// Where a resource is mounted stays with its department: only that it says so, and how it can be delivered.
  static func json(_ resource: Resource) -> JSON {
    let m = resource.metadata
    return [
      "id": .string(resource.id.text), "version": JSON(resource.version), "state": .string(resource.state.rawValue),
      "online": .string(resource.online.rawValue),
      "code": .optional(resource.code?.description), "name": .string(m.name), "abstract": .string(m.abstract),
      "classes": strings(m.classes), "provider": .string(resource.provider.text),
      "providerName": .string(resource.providerName), "providerCode": .string(resource.providerCode),
      "system": .optional(resource.system?.text), "format": .string(m.format), "sharingType": .string(m.sharingType),
      "sharingCondition": .string(m.sharingCondition), "methodClass": .string(m.methodClass),
      "methodType": .string(m.methodType), "openType": .string(m.openType), "openCondition": .string(m.openCondition),
      "cycle": .string(m.cycle), "related": strings(m.related), "secrecy": .string(m.secrecy),
      "level": .string(m.level), "publishedOn": .optional(resource.publishedOn?.description),
      "declaresMount": JSON(resource.mount != nil), "deliversIncrementally": JSON(resource.mount?.cursorColumn != nil),
      "schemaDigest": .string(resource.items.schemaDigest), "items": .array(resource.items.map { json($0, resource) }),
    ]
  }

  private static func json(_ item: Item, _ resource: Resource) -> JSON {
    [
      "id": .string(item.id.text), "name": .string(item.name), "column": .string(item.column),
      "dataType": .string(item.dataType), "length": .optional(item.length), "scale": .optional(item.scale),
      "isNullable": JSON(item.isNullable), "isKey": JSON(item.isKey), "semantic": .optional(item.semantic),
      "description": .string(item.description), "sharingType": .string(resource.sharingType(of: item)),
      "sharingCondition": .string(item.sharingCondition), "grade": .string(item.grade),
    ]
  }
}

extension ReviewNote {
  /// What a program says at elements of the version that it read, one note at each.
  static func each(_ given: [JSONMembers], in resource: Resource?) throws -> [ReviewNote] {
    var noted: Set<String> = []
    return try given.map { json in
      let note = try ReviewNote(json, in: resource)
      guard note.words.count <= limits.words else { throw json.refusal("catalog.notes", "words", tooLong) }
      guard noted.insert(note.field).inserted else { throw json.refusal("catalog.notes", "pointer", twice) }
      return note
    }
  }

  private init(_ json: JSONMembers, in resource: Resource?) throws {
    let (pointer, words) = (try json.text("pointer") ?? "", trimmed(try json.text("words") ?? ""))
    guard !words.isEmpty else {
      throw json.refusal("catalog.notes", "words", Text("请写明意见。", "Say what is wrong."))
    }
    let parts = pointer.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    let items = resource?.items ?? []
    if parts.count == 2, parts[0].isEmpty, ElementGuide.fields.contains(parts[1]) {
      self.init(field: parts[1], words: words)
    } else if parts.count == 3, parts[0].isEmpty, parts[1] == "items", let index = Int(parts[2]),
      items.indices.contains(index)
    {
      self.init(field: Self.field(of: items[index]), words: words)
    } else {
      throw json.refusal(
        "catalog.notes", "pointer",
        Text(
          "pointer 应为 /items/0 之类的信息项，或：\(ElementGuide.fields.map { "/" + $0 }.joined(separator: "、"))。",
          "pointer names an item such as /items/0, or: \(ElementGuide.fields.map { "/" + $0 }.joined(separator: ", "))."
        ))
    }
  }

  /// The element it is about (RFC 6901): of an item that was removed since, all of them.
  fileprivate func pointer(in resource: Resource) -> String {
    guard field.hasPrefix("item:") else { return "/" + field }
    let index = resource.items.firstIndex { Self.field(of: $0) == field }
    return index.map { "/items/\($0)" } ?? "/items"
  }
}

extension Resource {
  /// Tells one state of a version from every other, for `ETag` and `If-Match`.
  package var tag: String { tag(nil) }

  /// The same of an answer that also tells what was measured; nothing is measured of what can be edited.
  func tag(_ condition: CatalogSearch.Condition?) -> String {
    let more = condition.map { "-\($0.isMounted)-\($0.freshness.rawValue)" } ?? ""
    return stateTag(id, version, revision, state, online, more)
  }
}

extension CatalogStore.Line {
  /// `Resource.tag` of the same version.
  var tag: String { stateTag(id, version, revision, state, online) }
}

private func stateTag(
  _ id: ResourceID, _ version: Int, _ revision: Int, _ state: VersionState, _ online: OnlineState, _ more: String = ""
) -> String {
  "\"\(id)-\(version)-\(revision)-\(state.rawValue)-\(online.rawValue)\(more)\""
}
