internal import Kernel
internal import Web

/// Reports of what was moved in: the operator's, and each department's own.
enum MoveRoutes {
  static func routes(_ cataloguing: Cataloguing) -> [Route] {
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
}
