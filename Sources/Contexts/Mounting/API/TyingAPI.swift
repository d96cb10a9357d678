import Catalog
import Connecting
import Inventory
import Kernel
import Web

/// Tying an entry to what really holds it, by program.
enum TyingAPI {
  static func routes(_ mounting: Mounting) -> [Route] {
    [
      Route.get(
        "/api/v1/mounting/resources/{id}/table", .allPermissions([.manageMounting, .compileCatalog]),
        summary: Text(
          "比对一张表与目录的信息项：各项对应的列和不符之处，附草稿的 ETag",
          "A table beside an entry's items: which column each is and what does not fit, with the draft's ETag")
      ) { request in
        guard let source: SourceID = try request.queryID("source") else {
          throw Refusal.invalid("web.query", "source", Text("请指明数据源 source。", "Say which source: source."))
        }
        let table = try SourcesAPI.table(request.query["schema"], request.query["table"])
        let fitting = try await mounting.fitting(request.visitor(), request.id(), source: source, table: table)
        return .json(json(fitting, request.language).bytes, etag: fitting.resource.tag)
      }.described(
        gives: fit,
        query: [
          QueryParameter("source", Text("数据源标识", "the source's id"), Schema.id),
          QueryParameter("schema", Text("模式名，没有的不写", "the schema's name, where there is one")),
          QueryParameter("table", Text("表名", "the table's name")),
        ]),
      Route.post(
        "/api/v1/mounting/resources/{id}/table", .allPermissions([.manageMounting, .compileCatalog]),
        summary: Text(
          "把草稿挂接到一张表：信息项取所选的列；If-Match 给出草稿的 ETag",
          "Tie a draft to a table, its items to the columns chosen for them; If-Match names the draft's state")
      ) { request in
        let (principal, id) = (try request.visitor(), try request.id(of: Resource.self))
        let body = try request.members("source", "schema", "table", "columns", "cursor")
        let (source, table) = (try source(body), try SourcesAPI.table(body))
        let chosen = try columns(body)
        let columns = Dictionary(uniqueKeysWithValues: chosen.map { ($0.item, $0.column) })
        // The draft is read and named by its revision: what is written over is what If-Match names.
        let draft = try await mounting.cataloguing.latest(principal, id)
        try request.requireMatch(draft.tag)
        let tied: Resource
        do {
          tied = try await mounting.tie(
            principal, id, from: draft.revision, source: source, table: table, columns: columns,
            cursor: body.text("cursor"))
        } catch let refusal as Refusal where !refusal.faults.isEmpty {
          throw Refusal.invalid(
            refusal.code, refusal.faults.map { .init(field($0.field, among: chosen.map { $0.item }), $0.message) })
        }
        let answer: JSON = [
          "resource": .string(tied.id.text), "version": JSON(tied.version), "state": .string(tied.state.rawValue),
        ]
        return .json(answer.bytes, etag: tied.tag)
      }.minding(.required).described(
        takes: Schema.taken(
          ["source", "table", "columns"],
          [
            ("source", Schema.id), ("schema", Schema.maybe(Schema.text)), ("table", Schema.text),
            (
              "columns",
              [
                "type": "array", "minItems": 1,
                "items": Schema.taken(["item", "column"], [("item", Schema.id), ("column", Schema.text)]),
              ]
            ), ("cursor", Schema.maybe(Schema.text)),
          ]),
        gives: Schema.object([
          ("resource", Schema.id), ("version", Schema.whole), ("state", Schema.choice(VersionState.self)),
        ])),
      Route.post(
        "/api/v1/mounting/resources/{id}/files", .allPermissions([.manageMounting, .compileCatalog]),
        summary: Text("把目录挂接到文件夹中的文件，或改挂", "Tie an entry to files of a folder, or to others")
      ) { request in
        let body = try request.members("source", "pattern")
        return try await tied(request, mounting, .files(source(body), pattern: body.text("pattern") ?? ""))
      }.described(
        takes: Schema.taken(["source", "pattern"], [("source", Schema.id), ("pattern", Schema.text)]),
        gives: Schema.object(MountingAPI.tie)),
      Route.post(
        "/api/v1/mounting/resources/{id}/api", .allPermissions([.manageMounting, .compileCatalog]),
        summary: Text("把目录挂接到服务接口，或改挂", "Tie an entry to a service, or to another")
      ) { request in
        let body = try request.members("url", "status", "expectsJSON")
        return try await tied(
          request, mounting,
          .api(
            url: body.text("url") ?? "", status: body.whole("status") ?? 200,
            isJSON: body.flag("expectsJSON") ?? true))
      }.described(
        takes: Schema.taken(
          ["url"],
          [
            ("url", Schema.text), ("status", Schema.maybe(Schema.number(100...599))),
            ("expectsJSON", Schema.maybe(Schema.flag)),
          ]), gives: Schema.object(MountingAPI.tie)),
    ]
  }

  private static func tied(_ request: Request, _ mounting: Mounting, _ target: Tie.Target) async throws -> Response {
    .json(MountingAPI.json(try await mounting.tie(request.visitor(), request.id(), to: target), request.language))
  }

  private static func source(_ body: JSONMembers) throws -> SourceID {
    guard let id = try body.id("source", of: DataSource.self) else { throw SystemRegister.unknownSource }
    return id
  }

  /// Where the page's `item.` and `column.` with an item's id are in the body.
  private static func field(_ field: String, among items: [ItemID]) -> String {
    let parts = field.split(separator: ".").map(String.init)
    guard parts.count == 2, let index = items.firstIndex(where: { $0.text == parts[1] }) else { return field }
    return "/columns/\(index)/\(parts[0])"
  }

  private static func columns(_ body: JSONMembers) throws -> [(item: ItemID, column: String)] {
    var columns: [(item: ItemID, column: String)] = []
    for one in try body.objects("columns", of: ["item", "column"], most: Metadata.limits.items) ?? [] {
      guard let item = try one.id("item", of: Item.self), let column = try one.text("column"),
        !columns.contains(where: { $0.item == item })
      else {
        throw one.refusal(
          "mounting.columns", "item",
          Text("每个信息项写一次 item 和 column。", "Give item and column, once for each item."))
      }
      columns.append((item, column))
    }
    return columns
  }

  private static let fit = Schema.object([
    ("resource", Schema.id), ("version", Schema.whole), ("source", Schema.id), ("sourceName", Schema.text),
    ("schema", Schema.maybe(Schema.text)), ("table", Schema.text),
    (
      "items",
      Schema.list(
        Schema.object([
          ("item", Schema.id), ("name", Schema.text), ("column", Schema.maybe(Schema.text)),
          ("doubt", Schema.maybe(Schema.text)),
        ]))
    ), ("left", Schema.list(Schema.text)), ("cursors", Schema.list(Schema.text)),
  ])

  /// `left` are columns that no item describes, `cursors` those that may tell what changed since.
  private static func json(_ fitting: Mounting.Fitting, _ language: Language) -> JSON {
    [
      "resource": .string(fitting.resource.id.text), "version": JSON(fitting.resource.version),
      "source": .string(fitting.source.id.text), "sourceName": .string(fitting.source.name),
      "schema": .optional(fitting.table.name.schema), "table": .string(fitting.table.name.name),
      "items": .array(
        fitting.resource.items.map { item in
          [
            "item": .string(item.id.text), "name": .string(item.name), "column": .optional(fitting.columns[item.id]),
            "doubt": .optional(fitting.misfits[item.id].map { language($0) }),
          ]
        }), "left": .array(fitting.left.map { .string($0) }),
      "cursors": .array(
        fitting.table.columns.filter { $0.type == .timestamp || $0.type == .integer }.map { .string($0.name) }),
    ]
  }
}
