internal import Identity
internal import Kernel
internal import NationalCrypto
internal import Web

/// The classification for programs: whole, by level, by words, one node.
enum ClassAPI {
  static func routes(_ cataloguing: Cataloguing) -> [Route] {
    [
      Route.get(
        "/api/v1/catalog/classification", .permission(.readCatalog),
        summary: Text(
          "整个分类树，国家的和本地的，含已停用的，按代码逐页；同一天 version 不变则内容不变",
          "The whole classification, national and local, retired classes too, by code and page by page; on one day, the same version is the same tree"
        )
      ) { request in
        let (limit, today) = (try request.pageLimit(most: 2000, usual: 1000), request.now.dateInChina)
        let (tree, nodes) = try await cataloguing.classes(
          request.visitor(), after: request.query["after"].map { String($0.prefix(ClassPeriod.limits.code)) },
          limit: limit + 1)
        return .json([
          "version": .string(tree.version),
          "classes": .array(nodes.prefix(limit).map { json($0, tree, [:], on: today) }),
          "next": .optional(nodes.count > limit ? nodes[limit - 1].code : nil),
        ])
      }.described(
        gives: Schema.object([
          ("version", Schema.text), ("classes", Schema.list(Schema.object(node))), ("next", Schema.maybe(Schema.text)),
        ]), query: [.cursor("after", Schema.text), .limit(most: 2000, usual: 1000)]),
      Route.get(
        "/api/v1/catalog/classes", .permission(.readCatalog),
        summary: Text("分类树的一层，或按名称、代码查找", "One level of the classification, or what is found by name or code")
      ) { request in
        let (words, today) = (String((request.query["q"] ?? "").prefix(50)), request.now.dateInChina)
        let view = try await cataloguing.classView(request.visitor(), under: request.query["under"], words: words)
        return .json([
          "version": .string(view.tree.version), "countsAreExact": JSON(view.isExact),
          "classes": .array(
            view.listed.map {
              json($0, view.tree, words.isEmpty ? [$0.code: view.counts[$0.code] ?? 0] : [:], on: today)
            }),
        ])
      }.described(
        gives: Schema.object([
          ("version", Schema.text), ("countsAreExact", Schema.flag), ("classes", Schema.list(Schema.object(node))),
        ]),
        query: [
          QueryParameter(
            "under",
            Text(
              "上级分类代码；缺省为第一层，查找时为全部", "code of the class above; the first level by default, all when looking for words")
          ),
          QueryParameter(
            "q", Text("名称中的词或代码开头，最多 50 个", "words of the name or the beginning of the code; at most 50 are found")),
        ]),
      Route.get(
        "/api/v1/catalog/classes/{code}", .permission(.readCatalog),
        summary: Text("一个分类：路径、沿革、对应、现在的单位", "One class: path, history, mapping, the office of today")
      ) { request in
        try await answer(request, cataloguing, request.parameters["code"] ?? "")
      }.described(gives: one),
    ] + keeping(cataloguing)
  }

  /// What the platform's operator does with local classes, and the end of national ones.
  private static func keeping(_ cataloguing: Cataloguing) -> [Route] {
    [
      Route.post(
        "/api/v1/catalog/classes", .permission(.reviewCatalog),
        summary: Text("新增一个本地分类", "Add a local class")
      ) { request in
        let body = try request.members("code", "parent", "name", "from", "national", "usedBy")
        let draft = try draft(body, code: body.text("code") ?? "", parent: body.text("parent"))
        try await cataloguing.addClass(request.visitor(), draft)
        return try await answer(request, cataloguing, draft.code, status: 201)
      }.described(
        takes: Schema.taken(
          ["code", "name", "from"], [("code", Schema.text), ("parent", Schema.maybe(Schema.text))] + described),
        gives: one, status: 201),
      Route(
        .put, "/api/v1/catalog/classes/{code}", .permission(.reviewCatalog),
        summary: Text(
          "变更一个本地分类自某日起的名称、对应和使用范围；If-Match 给出所依据状态的 ETag",
          "Name a local class, map it or give it to others from a day on; If-Match names the state it starts from")
      ) { request in
        let body = try request.members("name", "from", "national", "usedBy")
        let draft = try draft(body, code: request.parameters["code"] ?? "", parent: nil)
        try await cataloguing.changeClass(request.visitor(), draft) { tx in
          try request.requireMatch(tag(of: cataloguing.classView(of: draft.code, in: tx), on: request.now.dateInChina))
        }
        return try await answer(request, cataloguing, draft.code)
      }.minding(.required).described(takes: Schema.taken(["name", "from"], described), gives: one),
      Route.post(
        "/api/v1/catalog/classes/{code}/retire", .permission(.reviewCatalog),
        summary: Text(
          "自某日起停用一个分类，可指定后继；有在用目录而无后继的，要以 leaves 明示；If-Match 给出所依据状态的 ETag",
          "Retire a class from a day on, with or without a successor; `leaves` says that entries in it are meant to stay without one; If-Match names the state it starts from"
        )
      ) { request in
        let (body, code) = (try request.members("on", "successor", "leaves"), request.parameters["code"] ?? "")
        guard let day = try body.day("on") else {
          throw body.refusal("catalog.class.day", "on", noDay)
        }
        do {
          try await cataloguing.retireClass(
            request.visitor(), code, on: day, successor: body.text("successor"),
            leavesEntries: body.flag("leaves") ?? false
          ) { tx in
            try request.requireMatch(tag(of: cataloguing.classView(of: code, in: tx), on: request.now.dateInChina))
          }
        } catch let refusal as Refusal where refusal.code == Cataloguing.leavesEntries {
          throw body.refusal(refusal.code, "leaves", noHeir)
        }
        return try await answer(request, cataloguing, code)
      }.minding(.required).described(
        takes: Schema.taken(
          ["on"], [("on", Schema.day), ("successor", Schema.maybe(Schema.text)), ("leaves", Schema.maybe(Schema.flag))]),
        gives: one),
      Route.get(
        "/api/v1/catalog/retired-classes", .anyPermission([.compileCatalog, .reviewCatalog]),
        summary: Text(
          "已停用而仍有在用目录的分类：本单位的目录，平台可见全部",
          "Retired classes that entries are still in: one's office's, or all for the operator")
      ) { request in
        let found = try await cataloguing.retiredClasses(request.visitor())
        return .json([
          "classes": .array(
            found.map { one in
              [
                "code": .string(one.node.code), "name": .string(one.node.name),
                "successor": .optional(one.successor?.code), "total": JSON(one.total),
                "totalIsExact": JSON(one.isTotalExact),
                "entries": .array(
                  one.entries.map { entry in
                    [
                      "id": .string(entry.id.text), "version": JSON(entry.version), "code": .string(entry.code),
                      "name": .string(entry.name), "providerName": .string(entry.providerName),
                    ]
                  }),
              ]
            })
        ])
      }.widened(by: .reviewCatalog).described(
        gives: Schema.object([
          (
            "classes",
            Schema.list(
              Schema.object([
                ("code", Schema.text), ("name", Schema.text), ("successor", Schema.maybe(Schema.text)),
                ("total", Schema.whole), ("totalIsExact", Schema.flag),
                (
                  "entries",
                  Schema.list(
                    Schema.object([
                      ("id", Schema.id), ("version", Schema.whole), ("code", Schema.text), ("name", Schema.text),
                      ("providerName", Schema.text),
                    ]))
                ),
              ]))
          )
        ])),
    ]
  }

  // MARK: What is taken

  private static let noHeir = Text(
    "其中有在用目录：请给出后继分类 successor；确实没有的，以 leaves 为 true 明示。",
    "Entries in force are in it: name a successor, or say by leaves, true, that there is none.")
  private static let noDay = Text("请给出日期，如 2026-09-01。", "Give a day such as 2026-09-01.")

  private static func draft(_ body: JSONMembers, code: String, parent: String?) throws -> ClassDraft {
    guard let use = ClassUse(text: try body.text("usedBy") ?? "") else {
      throw body.refusal(
        "catalog.class.use", "usedBy",
        Text(
          "usedBy 应为空、division:区划代码 或 office:单位标识。",
          "usedBy is empty, division: and a division's code, or office: and an organisation's id."))
    }
    guard let day = try body.day("from") else { throw body.refusal("catalog.class.day", "from", noDay) }
    return ClassDraft(
      code: code, parent: parent, name: try body.text("name") ?? "", from: day, national: try body.text("national"),
      usedBy: use)
  }

  private static let described: [(String, JSON)] = [
    ("name", Schema.text), ("from", Schema.day), ("national", Schema.maybe(Schema.text)),
    ("usedBy", Schema.maybe(Schema.text)),
  ]

  // MARK: What is answered

  private static func answer(
    _ request: Request, _ cataloguing: Cataloguing, _ code: String, status: Int = 200
  ) async throws -> Response {
    let view = try await cataloguing.classView(request.visitor(), under: code)
    let today = request.now.dateInChina
    return .json(whole(view, on: today).bytes, status: status, etag: tag(of: view, on: today))
  }

  /// Tells one state of a class from every other, with what is in it and who holds it.
  private static func tag(of view: ClassView, on today: CalendarDate) -> String {
    "\"" + SM3.hash(whole(view, on: today).bytes).hex.prefix(32) + "\""
  }

  private static func whole(_ view: ClassView, on today: CalendarDate) -> JSON {
    guard let found = view.node else { return .null }
    let more: [(String, JSON)] = [
      ("path", .array(view.tree.path(to: found.code).map { .string($0.code) })),
      (
        "periods",
        .array(
          view.periods.map { period in
            [
              "name": .string(period.name), "validFrom": .string("\(period.validFrom)"),
              "validTo": .optional(period.validTo?.description), "national": .optional(period.national),
              "usedBy": .string(period.usedBy.text), "successor": .optional(period.successor),
            ]
          })
      ),
      (
        "heldBy",
        .array(
          view.holders.map { held in ["id": .string(held.office.id.text), "name": .string(held.office.name)] })
      ),
    ]
    let members = json(found, view.tree, [found.code: view.total], on: today).members ?? []
    return .object(members + more.map { JSON.Member($0.0, $0.1) })
  }

  private static let one = Schema.object(
    node + [
      ("path", Schema.list(Schema.text)),
      (
        "periods",
        Schema.list(
          Schema.object([
            ("name", Schema.text), ("validFrom", Schema.day), ("validTo", Schema.maybe(Schema.day)),
            ("national", Schema.maybe(Schema.text)), ("usedBy", Schema.text),
            ("successor", Schema.maybe(Schema.text)),
          ]))
      ), ("heldBy", Schema.list(Schema.object([("id", Schema.id), ("name", Schema.text)]))),
    ])

  private static let node: [(String, JSON)] = [
    ("code", Schema.text), ("parent", Schema.maybe(Schema.text)), ("name", Schema.text), ("isLocal", Schema.flag),
    ("national", Schema.maybe(Schema.text)), ("standing", Schema.choice(["in-force", "future", "retired"])),
    ("since", Schema.maybe(Schema.day)), ("until", Schema.maybe(Schema.day)), ("successor", Schema.maybe(Schema.text)),
    ("heir", Schema.maybe(Schema.text)), ("usedBy", Schema.text), ("below", Schema.whole),
    ("entries", Schema.maybe(Schema.whole)),
  ]

  /// `entries` by code; null of a class that was not counted. `successor` is what was settled when the class was ended,
  /// `heir` the class that its entries go to as things stand: where the successor is retired too, that one's.
  private static func json(
    _ node: Classification.Node, _ tree: Classification, _ entries: [String: Int], on today: CalendarDate
  ) -> JSON {
    let (standing, since): (String, CalendarDate?) =
      switch node.standing {
      case .inForce: ("in-force", node.period?.validFrom)
      case .future(let day): ("future", day)
      case .retired(let day): ("retired", day)
      }
    return [
      "code": .string(node.code), "parent": .optional(node.parent), "name": .string(node.name),
      "isLocal": JSON(node.isLocal), "national": .optional(tree.national(of: node.code)),
      "standing": .string(standing), "since": .optional(since?.description),
      "until": .optional(node.period?.validTo?.description), "successor": .optional(node.successor),
      "heir": .optional(tree.heir(of: node.code, on: max(today, node.period?.validTo ?? today))?.code),
      "usedBy": .string(node.period?.usedBy.text ?? ""), "below": JSON(tree.children(of: node.code).count),
      "entries": .optional(entries[node.code]),
    ]
  }
}
