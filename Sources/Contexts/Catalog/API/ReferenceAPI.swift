internal import Inventory
internal import Kernel
internal import Web

/// What a program must know before it writes an entry, or reads one: what each element takes, and what codes mean. The classes
/// are `ClassAPI`'s.
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
        "/api/v1/catalog/lists", .permission(.readCatalog),
        summary: Text(
          "目录所用的各代码表：曾经有效的全部代码、中英文名称和有效期",
          "The code lists that entries use: every code that was ever valid, its names and validity")
      ) { _ in
        .json([
          "version": .string(cataloguing.lists.version),
          "lists": .array(
            cataloguing.lists.all.map { list in
              ["name": .string(list.name), "codes": .array(list.entries.map(json))]
            }),
        ])
      }.described(
        gives: Schema.object([
          ("version", Schema.text),
          (
            "lists",
            Schema.list(
              Schema.object([
                ("name", Schema.text),
                (
                  "codes",
                  Schema.list(
                    Schema.object([
                      ("code", Schema.text), ("chinese", Schema.text), ("english", Schema.text),
                      ("value", Schema.text), ("validFrom", Schema.day), ("validTo", Schema.maybe(Schema.day)),
                    ]))
                ),
              ]))
          ),
        ])),
    ]
  }

  /// Names in both languages: who follows the catalogue keeps them once.
  private static func json(_ code: CodeList.Entry) -> JSON {
    [
      "code": .string(code.code), "chinese": .string(code.name.chinese), "english": .string(code.name.english),
      "value": .string(code.value), "validFrom": .string(code.validFrom.description),
      "validTo": .optional(code.validTo?.description),
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
