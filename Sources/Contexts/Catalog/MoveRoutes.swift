internal import Foundation
internal import Kernel
package import Web

/// Moving in from another catalogue system: sending its export, the reports, and what each department has to mend.
package enum MoveRoutes {
  package static func routes(_ cataloguing: Cataloguing, desk: ImportDesk) -> [Route] {
    reports(cataloguing) + sending(cataloguing, desk) + MovingInAPI.routes(cataloguing, desk)
  }

  private static func reports(_ cataloguing: Cataloguing) -> [Route] {
    [
      .get(CatalogPath.runs, .permission(.reviewCatalog)) { request in
        .page(moveRunsPage(request, try await cataloguing.moveRuns(request.visitor())))
      },
      .get("/catalog/moving-in/{id}", .permission(.reviewCatalog)) { request in
        let after = try request.queryPlace("after") { Int($0).flatMap { $0 >= 0 ? $0 : nil } } ?? 0
        let (run, findings) = try await cataloguing.moveRun(request.visitor(), request.id(), after: after)
        return .page(moveRunPage(request, run, findings, after: after))
      },
      .get(CatalogPath.moved, .permission(.compileCatalog)) { request in
        .page(movedPage(request, try await cataloguing.movedOpen(request.visitor(), after: request.queryID("after"))))
      },
      .post("/catalog/moved/done", .permission(.compileCatalog)) { request in
        try await cataloguing.movedDone(request.visitor())
        return .redirect(CatalogPath.moved, flash: Text("已办结。", "Ended."))
      },
    ]
  }

  private static func sending(_ cataloguing: Cataloguing, _ desk: ImportDesk) -> [Route] {
    [
      .get(CatalogPath.sendExport, .permission(.reviewCatalog)) { request in
        .page(try sendExportPage(request, values: Fields([("preset", MoveMapping.presets[0])]), refusal: nil))
      },
      .post(
        CatalogPath.sendExport, .permission(.reviewCatalog),
        // The form's own parts around the files.
        bodyLimit: ImportDesk.mostExportBytes + ImportDesk.mostMappingBytes + 64 * 1024
      ) { request in
        do {
          guard let file = request.files.first(where: { $0.field == "export" }) else {
            throw Refusal.invalid(
              "catalog.move.file", "export", Text("请选择导出的 .zip 或 .xlsx 文件。", "Choose the export, a .zip or .xlsx."))
          }
          // Shown at an address of its own: neither reload nor back moves in twice.
          let key = try await desk.moveIn(
            file.path, named: file.name, bytes: file.size, by: mapping(request),
            isTrial: request.form["trial"] == "1", principal: request.visitor(), cataloguing, request.language)
          return .redirect(CatalogPath.sent(key))
        } catch let refusal as Refusal where [.invalid, .tooLarge].contains(refusal.kind) {
          return .page(try sendExportPage(request, values: request.form, refusal: refusal))
        }
      },
      .get("/catalog/moving-in/sent/{key}", .permission(.reviewCatalog)) { request in
        let key = request.parameters["key"] ?? ""
        return .page(sentExportPage(request, try desk.moved(key, of: request.visitor()), key))
      },
      .get("/catalog/moving-in/sent/{key}/report.xlsx", .permission(.reviewCatalog)) { request in
        let bytes = try desk.rejected(request.parameters["key"] ?? "", of: request.visitor())
        return .download(
          bytes, type: CatalogImportRoutes.workbookType, name: request.language("迁入报告.xlsx", "moving-in.xlsx"))
      },
      .get("/catalog/moving-in/mappings/{name}", .permission(.reviewCatalog)) { request in
        guard let name = request.parameters["name"], let mapping = try MoveMapping.preset(name) else {
          throw Refusal.notFound(Text("对应关系", "mapping"))
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return .download(Array(try encoder.encode(mapping)), type: "application/json", name: "\(name).json")
      },
    ]
  }

  /// The mapping that was sent with the export, else the known system's that was chosen.
  private static func mapping(_ request: Request) throws -> MoveMapping {
    if let file = request.files.first(where: { $0.field == "mapping" }), file.size > 0 {
      guard file.size <= ImportDesk.mostMappingBytes, let data = FileManager.default.contents(atPath: file.path) else {
        throw Refusal.invalid(
          "catalog.move.mapping", "mapping",
          Text("对应关系文件最大 \(ImportDesk.mostMappingBytes >> 20) MiB。", "The mapping has 1 MiB at most."))
      }
      return try MoveMapping(json: String(decoding: data, as: UTF8.self))
    }
    guard let preset = try MoveMapping.preset(request.form["preset"] ?? "") else {
      throw Refusal.invalid("catalog.move.preset", "preset", Text("请选择原系统。", "Choose the former system."))
    }
    return preset
  }
}
