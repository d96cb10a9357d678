import Kernel
import Web

/// Moving in from another catalogue system by program: the export is the body, its report the answer.
enum MovingInAPI {
  static func routes(_ cataloguing: Cataloguing, _ desk: ImportDesk) -> [Route] {
    [sending(cataloguing, desk)] + reading(cataloguing)
  }

  private static let mostFindings = 500

  private static func sending(_ cataloguing: Cataloguing, _ desk: ImportDesk) -> Route {
    Route.post(
      "/api/v1/catalog/moving-in", .permission(.reviewCatalog), bodyLimit: ImportDesk.mostExportBytes,
      summary: Text(
        "迁入原目录系统的导出：正文为 .zip，内为 CSV 或 .xlsx，文件名即表名；再送一次不会重复",
        "Move in another catalogue system's export: the body is a .zip of CSV or .xlsx named like their tables; sent again it changes nothing"
      )
    ) { request in
      let mapping = try request.query["preset"].map { name in
        guard let preset = try MoveMapping.preset(name) else {
          let all = MoveMapping.presets.joined(separator: ", ")
          throw Refusal.invalid(
            "web.query", "preset", Text("preset 应为下列之一：\(all)。", "preset is one of: \(all)."))
        }
        return preset
      }
      let isTrial = try request.queryFlag("trial") ?? false
      let language = request.language
      let kept = try await desk.moveIn(
        request.body, by: mapping, isTrial: isTrial, principal: request.visitor(), cataloguing, language)
      func counts(_ counts: [KeptMove.Count]) -> JSON {
        .array(counts.map { ["what": .string(language($0.words)), "number": JSON($0.number)] })
      }
      return .json([
        "source": .string(kept.title), "trial": .bool(isTrial), "run": .optional(kept.run),
        "counts": counts(kept.counts), "reasons": counts(kept.reasons),
      ])
    }.taking(only: "application/zip").described(
      takes: ["type": "string", "format": "binary"],
      gives: Schema.object([
        ("source", Schema.text), ("trial", Schema.flag), ("run", Schema.maybe(Schema.id)), ("counts", counted),
        ("reasons", counted),
      ]),
      query: [
        QueryParameter(
          "preset",
          Text(
            "原系统；缺省时以 .zip 中的 mapping.json 为对应关系",
            "the former system; without it mapping.json in the .zip says what is what"),
          Schema.choice(MoveMapping.presets)),
        QueryParameter(
          "trial", Text("1 试运行：只出报告，不保留", "1 tries it: a report, of which nothing is kept"), Schema.choice(["1", "0"])),
      ])
  }

  private static func reading(_ cataloguing: Cataloguing) -> [Route] {
    [
      Route.get(
        "/api/v1/catalog/moving-in", .permission(.reviewCatalog), summary: Text("历次迁入", "The movings in, latest first")
      ) { request in
        .json(["runs": .array(try await cataloguing.moveRuns(request.visitor()).map(json))])
      }.described(gives: Schema.object([("runs", Schema.list(run))])),
      Route.get(
        "/api/v1/catalog/moving-in/{id}", .permission(.reviewCatalog),
        summary: Text("一次迁入和未照搬之处", "A moving in with what did not fit")
      ) { request in
        let after = try request.queryPlace("after") { Int($0).flatMap { $0 >= 0 ? $0 : nil } } ?? 0
        let limit = try request.pageLimit(most: mostFindings)
        let (found, findings) = try await cataloguing.moveRun(
          request.visitor(), request.id(), after: after, limit: limit + 1)
        return .json([
          "run": json(found),
          "findings": .array(findings.prefix(limit).map { json($0.finding, request.language) }),
          "next": .optional(findings.count > limit ? "\(findings[limit - 1].position)" : nil),
        ])
      }.described(
        gives: Schema.object([
          ("run", run), ("findings", Schema.list(finding)), ("next", Schema.maybe(Schema.text)),
        ]), query: [.cursor("after", Schema.text), .limit(most: mostFindings)]),
      Route.get(
        "/api/v1/catalog/moved", .permission(.compileCatalog),
        summary: Text("本单位迁入后尚待整改的目录", "One's office's entries that stand as they were moved in, with what to mend")
      ) { request in
        let found = try await cataloguing.movedOpen(request.visitor(), after: request.queryID("after"))
        let page = found.prefix(Cataloguing.movePage)
        return .json([
          "entries": .array(
            page.map { entry in
              [
                "id": .string(entry.id.text), "version": JSON(entry.version), "code": .optional(entry.code),
                "name": .string(entry.name), "state": .string(entry.state.rawValue),
                "findings": .array(entry.findings.map { json($0, request.language) }),
              ]
            }),
          "next": .optional(found.count > page.count ? page.last?.id.text : nil),
        ])
      }.described(
        gives: Schema.page(
          "entries",
          Schema.object([
            ("id", Schema.id), ("version", Schema.whole), ("code", Schema.maybe(Schema.text)), ("name", Schema.text),
            ("state", Schema.choice(VersionState.self)), ("findings", Schema.list(finding)),
          ])), query: [.cursor("after")]),
    ]
  }

  private static func json(_ run: MoveStore.Run) -> JSON {
    [
      "id": .string(run.id.text), "source": .string(run.source), "export": .string(run.folder),
      "by": .string(run.person), "startedAt": .string(run.startedAt.description),
      "endedAt": .optional(run.endedAt?.description), "read": JSON(run.read), "moved": JSON(run.moved),
      "changed": JSON(run.changed), "same": JSON(run.same), "leftOut": JSON(run.leftOut),
      "findings": JSON(run.findings),
    ]
  }

  private static func json(_ finding: MoveFinding, _ language: Language) -> JSON {
    [
      "file": .string(finding.file), "line": JSON(finding.line), "column": .string(finding.column),
      "element": .string(finding.element), "value": .string(finding.value), "code": .string(finding.code),
      "reason": .string(language(finding.reason)), "action": .string(finding.action.rawValue),
      "resource": .optional(finding.resource?.text),
    ]
  }

  private static let counted = Schema.list(Schema.object([("what", Schema.text), ("number", Schema.whole)]))
  private static let run = Schema.object([
    ("id", Schema.id), ("source", Schema.text), ("export", Schema.text), ("by", Schema.text),
    ("startedAt", Schema.moment), ("endedAt", Schema.maybe(Schema.moment)), ("read", Schema.whole),
    ("moved", Schema.whole), ("changed", Schema.whole), ("same", Schema.whole), ("leftOut", Schema.whole),
    ("findings", Schema.whole),
  ])
  private static let finding = Schema.object([
    ("file", Schema.text), ("line", Schema.whole), ("column", Schema.text), ("element", Schema.text),
    ("value", Schema.text), ("code", Schema.text), ("reason", Schema.text),
    ("action", Schema.choice(MoveFinding.Action.self)), ("resource", Schema.maybe(Schema.id)),
  ])
}
