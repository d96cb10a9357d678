internal import Inventory
internal import Kernel
internal import Web

/// What a program must know before it writes an entry: what each element takes; and the versions there were. The classes are
/// `ClassAPI`'s.
enum ReferenceAPI {
  static func routes(_ cataloguing: Cataloguing) -> [Route] {
    [
      Route.get(
        "/api/v1/catalog/template", .permission(.compileCatalog),
        summary: Text("一条目录各字段的含义、必填与可选值（今日有效）", "What the members of an entry mean and take today")
      ) { request in
        let workbook = CatalogWorkbook(lists: cataloguing.lists, on: request.now.dateInChina)
        return .json([
          "lists": .string(cataloguing.lists.version),
          "entry": .array(workbook.resourceColumns.map { json($0, request.language) }),
          // The first tells whose item it is; here it stands in its entry.
          "item": .array(workbook.itemColumns.dropFirst().map { json($0, request.language) }),
        ])
      }.described(
        gives: Schema.object([("lists", Schema.text), ("entry", Schema.list(member)), ("item", Schema.list(member))])),
      Route.get(
        "/api/v1/catalog/resources/{id}/versions", .permission(.readCatalog),
        summary: Text("一个信息资源的各版本", "The versions of a resource")
      ) { request in
        let view = try await cataloguing.view(request.visitor(), request.id(), version: nil)
        return .json([
          "versions": .array(
            view.versions.map { line in
              [
                "version": JSON(line.version), "state": .string(line.state.rawValue), "name": .string(line.name),
                "changedAt": .string(line.changedAt.description),
              ]
            })
        ])
      }.described(
        gives: Schema.object([
          (
            "versions",
            Schema.list(
              Schema.object([
                ("version", Schema.whole), ("state", Schema.choice(VersionState.self)), ("name", Schema.text),
                ("changedAt", Schema.moment),
              ]))
          )
        ])),
    ]
  }

  private static func json(_ column: WorkbookColumn, _ language: Language) -> JSON {
    var choices: [JSON] = []
    if case .code(let all) = column.content {
      choices = all.offered.map { ["code": .string($0.code), "name": .string(language($0.name))] }
    }
    return [
      "name": .string(column.field), "title": .string(language(column.title)), "hint": .string(language(column.hint)),
      "isRequired": JSON(column.isRequired), "choices": .array(choices),
    ]
  }

  private static let member = Schema.object([
    ("name", Schema.text), ("title", Schema.text), ("hint", Schema.text), ("isRequired", Schema.flag),
    ("choices", Schema.list(Schema.object([("code", Schema.text), ("name", Schema.text)]))),
  ])
}
