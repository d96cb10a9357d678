internal import Connecting
internal import Foundation
internal import Kernel
package import Web

/// Compiling by a workbook: the template, the upload, what came of it.
package enum CatalogImportRoutes {
  static let workbookType = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

  package static func routes(_ cataloguing: Cataloguing, desk: ImportDesk) -> [Route] {
    [
      .get("/catalog/import", .permission(.compileCatalog)) { request in
        .page(importPage(request, refusal: nil))
      },
      .get("/catalog/template.xlsx", .permission(.compileCatalog)) { request in
        let (t, now) = (request.language, request.now)
        let workbook = CatalogWorkbook(lists: cataloguing.lists, on: now.dateInChina)
        let bytes = try await BlockingThread.run { try template(workbook, t) }
        return .download(bytes, type: workbookType, name: t("资源目录填报模板.xlsx", "catalogue-template.xlsx"))
      },
      .post(
        "/catalog/import", .permission(.compileCatalog),
        // The form's own parts around the file.
        bodyLimit: CatalogWorkbook.mostBytes + 64 * 1024
      ) { request in
        do {
          guard let file = request.files.first(where: { $0.field == "workbook" }) else {
            throw Refusal.invalid(
              "catalog.import.file", "workbook", Text("请选择填好的 .xlsx 或 .csv 文件。", "Choose the .xlsx or .csv file."))
          }
          // Shown at an address of its own: neither reload nor back imports twice.
          let key = try await desk.take(
            file.path, named: file.name, bytes: file.size, by: request.visitor(), cataloguing, request.language)
          return .redirect(CatalogLink.result(key))
        } catch let refusal as Refusal where [.invalid, .tooLarge].contains(refusal.kind) {
          return .page(importPage(request, refusal: refusal))
        }
      },
      .get("/catalog/import/results/{key}", .permission(.compileCatalog)) { request in
        let key = request.parameters["key"] ?? ""
        let summary = try desk.result(key, of: request.visitor())
        return .page(importedPage(request, summary, rejected: summary.hasRejected ? key : nil))
      },
      .get("/catalog/import/rejected/{key}", .permission(.compileCatalog)) { request in
        let bytes = try desk.rejected(request.parameters["key"] ?? "", of: request.visitor())
        return .download(bytes, type: workbookType, name: request.language("未导入的目录.xlsx", "not-imported.xlsx"))
      },
    ]
  }

  private static func template(_ workbook: CatalogWorkbook, _ language: Language) throws -> [UInt8] {
    let path = NSTemporaryDirectory() + "/sanjiang-template-\(UUID().uuidString).xlsx"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try workbook.writeTemplate(to: path, language)
    return Array(try Data(contentsOf: URL(fileURLWithPath: path)))
  }
}
