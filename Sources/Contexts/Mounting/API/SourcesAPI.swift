import Catalog
import Connecting
import Inventory
import Kernel
import Storage
import Web

/// A department's sources by program: their tables, drafts of them, and what changed in them.
enum SourcesAPI {
  static func routes(_ mounting: Mounting) -> [Route] { reading(mounting) + drafting(mounting) + changing(mounting) }

  private static func reading(_ mounting: Mounting) -> [Route] {
    [
      Route.get(
        "/api/v1/mounting/sources", .anyPermission([.manageMounting, .compileCatalog]),
        summary: Text("本单位各信息系统的数据源", "The sources of one's office's systems")
      ) { request in
        let found = try await mounting.sources(request.visitor())
        return .json([
          "sources": .array(
            found.map { source in
              [
                "id": .string(source.id.text), "system": .string(source.system.text), "name": .string(source.name),
                "kind": .string(source.kind), "holdsFiles": JSON(source.settings["folder"] != nil),
              ]
            })
        ])
      }.described(
        gives: Schema.object([
          (
            "sources",
            Schema.list(
              Schema.object([
                ("id", Schema.id), ("system", Schema.id), ("name", Schema.text), ("kind", Schema.text),
                ("holdsFiles", Schema.flag),
              ]))
          )
        ])),
      Route.get(
        "/api/v1/mounting/sources/{id}/tables", .anyPermission([.manageMounting, .compileCatalog]),
        summary: Text(
          "本单位一个数据源的表，按名称逐页，及各自的目录；从未读取的先读取",
          "The tables of a source of one's office by name, page by page, and their entries; read first where it never was"
        )
      ) { request in
        let limit = try request.pageLimit(most: 1000, usual: 200)
        let list = try await mounting.tables(request.visitor(), request.id())
        let view = try request.queryChoice("view", of: TableView.self) ?? .all
        let after = request.query["after"] ?? ""
        let found = list.tables.filter { view.shows($0, list) }.map { (place: $0.name.description, table: $0) }
          .sorted { $0.place < $1.place }.filter { $0.place > after }.prefix(limit + 1)
        return .json([
          "readAt": .string(list.survey.readAt.description),
          "fault": .optional(list.survey.fault.map { request.language($0) }), "openChanges": JSON(list.openChanges),
          "lastBatch": .optional(list.lastBatch?.id.text),
          "tables": .array(found.prefix(limit).map { json($0.table, list) }),
          "next": .optional(found.count > limit ? found.prefix(limit).last?.place : nil),
        ])
      }.described(
        gives: Schema.object([
          ("readAt", Schema.moment), ("fault", Schema.maybe(Schema.text)), ("openChanges", Schema.whole),
          ("lastBatch", Schema.maybe(Schema.id)),
          (
            "tables",
            Schema.list(
              Schema.object([
                ("schema", Schema.maybe(Schema.text)), ("table", Schema.text), ("comment", Schema.text),
                ("columns", Schema.whole), ("estimatedRows", Schema.maybe(Schema.whole)), ("isView", Schema.flag),
                ("isReceived", Schema.flag), ("goneAt", Schema.maybe(Schema.moment)),
                ("resource", Schema.maybe(Schema.id)),
              ]))
          ), ("next", Schema.maybe(Schema.text)),
        ]),
        query: [
          QueryParameter(
            "view", Text("未编目、已编目、平台送达、已删除、全部（缺省）", "not catalogued, catalogued, received, dropped, or all (default)"),
            Schema.choice(TableView.self)), .cursor("after", Schema.text), .limit(most: 1000, usual: 200),
        ]),
      Route.post(
        "/api/v1/mounting/sources/{id}/read", .permission(.manageMounting),
        summary: Text("立即重新读取本单位一个数据源的表结构", "Read the schema of a source of one's office again, now")
      ) { request in
        .json(["changed": JSON(try await mounting.survey(request.visitor(), request.id()))])
      }.described(gives: Schema.object([("changed", Schema.whole)])),
    ]
  }

  private static func drafting(_ mounting: Mounting) -> [Route] {
    [
      Route.post(
        "/api/v1/mounting/sources/{id}/drafts", .permission(.compileCatalog), bodyLimit: 2 << 20,
        summary: Text(
          "由表生成目录草稿：列出的表，或不列则全部未编目的表；后台逐表进行，以所答的批次查看",
          "Make drafts of tables: those listed, or all not catalogued where none is; made one after the other, and followed by the batch that is answered"
        )
      ) { request in
        let body = try request.members("tables")
        let tables = try body.objects("tables", of: ["schema", "table"], most: Mounting.mostTables)
        let batch = try await mounting.draft(
          request.visitor(), from: request.id(), tables: try tables.map { try $0.map(table) })
        return .json(json(batch, request.language), status: 202)
      }.described(
        takes: Schema.taken(
          [],
          [
            (
              "tables",
              Schema.maybe(
                Schema.list(Schema.taken(["table"], [("schema", Schema.maybe(Schema.text)), ("table", Schema.text)])))
            )
          ]), gives: batch, status: 202),
      Route.get(
        "/api/v1/mounting/batches/{id}", .permission(.compileCatalog),
        summary: Text(
          "由表生成草稿的一个批次：各表的草稿或未生成的原因", "Drafts of tables asked for together: each one's draft, or why there is none")
      ) { request in
        .json(json(try await mounting.batch(request.visitor(), request.id()), request.language))
      }.described(gives: batch),
    ]
  }

  private static func changing(_ mounting: Mounting) -> [Route] {
    [
      Route.get(
        "/api/v1/mounting/sources/{id}/changes", .permission(.manageMounting),
        summary: Text("本单位一个数据源表结构的变化，新的在前", "What changed in the schema of a source of one's office, newest first")
      ) { request in
        let found = try await mounting.changes(
          request.visitor(), of: request.id(), before: try request.queryID("before"),
          limit: try request.pageLimit(most: 200))
        return .json([
          "changes": .array(found.changes.map { json($0, request.language) }), "next": .optional(found.next?.text),
        ])
      }.described(gives: Schema.page("changes", change), query: [.cursor("before"), .limit(most: 200)]),
      Route.post(
        "/api/v1/mounting/changes/{id}/take", .allPermissions([.manageMounting, .compileCatalog]),
        summary: Text("把表结构的一处变化纳入目录的草稿", "Take a change of a table over into a draft of its entry")
      ) { request in
        let draft = try await mounting.takeOver(request.visitor(), request.id())
        let answer: JSON = [
          "resource": .string(draft.id.text), "version": JSON(draft.version), "state": .string(draft.state.rawValue),
        ]
        return .json(answer.bytes, etag: draft.tag)
      }.described(
        gives: Schema.object([
          ("resource", Schema.id), ("version", Schema.whole), ("state", Schema.choice(VersionState.self)),
        ])),
      Route.post(
        "/api/v1/mounting/changes/{id}/dismiss", .permission(.manageMounting),
        summary: Text(
          "确认表结构的一处变化不影响目录，并说明理由", "Find a change of a table to be of no matter for its entry, with the reason")
      ) { request in
        let reason = try request.members("reason").text("reason") ?? ""
        return .json(
          json(try await mounting.dismiss(request.visitor(), request.id(), reason: reason), request.language))
      }.described(takes: Schema.taken(["reason"], [("reason", Schema.text)]), gives: change),
    ]
  }

  // MARK: What is taken

  static func table(_ body: JSONMembers) throws -> TableName { try table(body.text("schema"), body.text("table")) }

  static func table(_ schema: String?, _ name: String?) throws -> TableName {
    guard let name, (1...256).contains(name.utf8.count), (schema ?? "").utf8.count <= 256 else {
      throw Refusal.invalid("mounting.table", "table", Text("请给出表名 table。", "Give the table's name: table."))
    }
    return TableName(schema: schema, name)
  }

  // MARK: What is answered

  private static func json(_ table: SurveyedTable, _ list: Mounting.TableList) -> JSON {
    [
      "schema": .optional(table.name.schema), "table": .string(table.name.name), "comment": .string(table.comment),
      "columns": JSON(table.columns), "estimatedRows": .optional(table.estimatedRows), "isView": JSON(table.isView),
      "isReceived": JSON(table.isReceived), "goneAt": .optional(table.goneAt?.description),
      "resource": .optional(list.entries[table.name]?.resource.text),
    ]
  }

  private static let batch = Schema.object([
    ("id", Schema.id), ("source", Schema.id), ("askedAt", Schema.moment), ("endedAt", Schema.maybe(Schema.moment)),
    ("done", Schema.whole),
    (
      "tables",
      Schema.list(
        Schema.object([
          ("schema", Schema.maybe(Schema.text)), ("table", Schema.text), ("resource", Schema.maybe(Schema.id)),
          ("refusal", Schema.maybe(Schema.text)),
        ]))
    ),
  ])

  private static func json(_ batch: DraftBatch, _ language: Language) -> JSON {
    [
      "id": .string(batch.id.text), "source": .string(batch.source.text), "askedAt": .string(batch.askedAt.description),
      "endedAt": .optional(batch.endedAt?.description), "done": JSON(batch.done),
      "tables": .array(
        batch.tables.map { table in
          [
            "schema": .optional(table.name.schema), "table": .string(table.name.name),
            "resource": .optional(table.resource?.text), "refusal": .optional(table.refusal.map { language($0) }),
          ]
        }),
    ]
  }

  private static let change = Schema.object([
    ("id", Schema.id), ("schema", Schema.maybe(Schema.text)), ("table", Schema.text),
    ("state", Schema.choice(SchemaChange.State.self)), ("resource", Schema.maybe(Schema.id)),
    ("foundAt", Schema.moment), ("decidedAt", Schema.maybe(Schema.moment)), ("decidedBy", Schema.maybe(Schema.text)),
    ("reason", Schema.maybe(Schema.text)), ("differences", Schema.list(Schema.text)),
  ])

  private static func json(_ change: SchemaChange, _ language: Language) -> JSON {
    [
      "id": .string(change.id.text), "schema": .optional(change.table.schema), "table": .string(change.table.name),
      "state": .string(change.state.rawValue), "resource": .optional(change.resource?.text),
      "foundAt": .string(change.foundAt.description), "decidedAt": .optional(change.decidedAt?.description),
      "decidedBy": .optional(change.decidedBy), "reason": .optional(change.reason),
      "differences": .array(change.differences.prefix(100).map { .string(language($0.words)) }),
    ]
  }
}

extension Mounting {
  /// The sources of the principal's office, system by system.
  fileprivate func sources(_ principal: Principal) async throws -> [DataSource] {
    if !principal.may(.compileCatalog) { try principal.require(.manageMounting) }
    guard let office = principal.organisation else { return [] }
    return try await db.read { tx in
      try InventoryStore.systems(of: office, in: tx).flatMap { try InventoryStore.sources(of: $0.id, in: tx) }
    }
  }
}
