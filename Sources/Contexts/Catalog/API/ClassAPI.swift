import Identity
import Kernel
import Web

/// The classification for programs: by level, by words, one node.
enum ClassAPI {
  static func routes(_ cataloguing: Cataloguing) -> [Route] {
    [
      Route.get(
        "/api/v1/catalog/classes", .permission(.readCatalog),
        summary: Text("分类树的一层，或按名称、代码查找", "One level of the classification, or what is found by name or code")
      ) { request in
        let words = String((request.query["q"] ?? "").prefix(50))
        let view = try await cataloguing.classView(request.visitor(), under: request.query["under"], words: words)
        return .json([
          "version": .string(view.tree.version), "countsAreExact": JSON(view.isExact),
          "classes": .array(
            view.listed.map { json($0, view.tree, words.isEmpty ? .optional(view.counts[$0.code] ?? 0) : .null) }),
        ])
      }.described(
        gives: Schema.object([
          ("version", Schema.text), ("countsAreExact", Schema.flag), ("classes", Schema.list(Schema.object(node))),
        ]),
        query: [
          QueryParameter("under", Text("上级分类代码；缺省为第一层", "code of the class above; the first level by default")),
          QueryParameter(
            "q", Text("名称中的词或代码开头，最多 50 个", "words of the name or the beginning of the code; at most 50 are found")),
        ]),
      Route.get(
        "/api/v1/catalog/classes/{code}", .permission(.readCatalog),
        summary: Text("一个分类：路径、沿革、对应、现在的单位", "One class: path, history, mapping, the office of today")
      ) { request in
        let view = try await cataloguing.classView(request.visitor(), under: request.parameters["code"] ?? "")
        guard let found = view.node, case .object(let members) = json(found, view.tree, JSON(view.total)) else {
          throw Cataloguing.unknownClass
        }
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
        return .json(.object(members + more.map { JSON.Member($0.0, $0.1) }))
      }.described(
        gives: Schema.object(
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
          ])),
    ]
  }

  private static let node: [(String, JSON)] = [
    ("code", Schema.text), ("parent", Schema.maybe(Schema.text)), ("name", Schema.text), ("isLocal", Schema.flag),
    ("national", Schema.maybe(Schema.text)), ("standing", Schema.choice(["in-force", "future", "retired"])),
    ("since", Schema.maybe(Schema.day)), ("successor", Schema.maybe(Schema.text)), ("below", Schema.whole),
    ("entries", Schema.maybe(Schema.whole)),
  ]

  private static func json(_ node: Classification.Node, _ tree: Classification, _ entries: JSON) -> JSON {
    let (standing, since): (String, CalendarDate?) =
      switch node.standing {
      case .inForce: ("in-force", node.period?.validFrom)
      case .future(let day): ("future", day)
      case .retired(let day): ("retired", day)
      }
    return [
      "code": .string(node.code), "parent": .optional(node.parent), "name": .string(node.name),
      "isLocal": JSON(node.isLocal), "national": .optional(tree.national(of: node.code)),
      "standing": .string(standing), "since": .optional(since?.description), "successor": .optional(node.successor),
      "below": JSON(tree.children(of: node.code).count), "entries": entries,
    ]
  }
}
