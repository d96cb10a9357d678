internal import Identity
internal import Kernel
internal import Web

/// The classification: browsing it, keeping it, and moving entries out of what was retired.
enum ClassRoutes {
  static func routes(_ cataloguing: Cataloguing) -> [Route] {
    browsing(cataloguing) + keeping(cataloguing) + moving(cataloguing) + ClassAPI.routes(cataloguing)
  }

  private static func browsing(_ cataloguing: Cataloguing) -> [Route] {
    [
      .get("/catalog/classes", .permission(.readCatalog)) { request in
        let principal = try request.visitor()
        let words = String((request.query["q"] ?? "").prefix(50))
        let view = try await cataloguing.classView(principal, under: request.query["under"], words: words)
        return .page(classesPage(request, view, words: words, mayKeep: principal.may(.reviewCatalog)))
      }
    ]
  }

  private static func keeping(_ cataloguing: Cataloguing) -> [Route] {
    [
      .get("/catalog/classes/new", .permission(.reviewCatalog)) { request in
        let view = try await cataloguing.classView(request.visitor(), under: request.query["parent"])
        let values = Fields([
          ("parent", view.node?.code ?? ""), ("code", view.node?.code ?? ""), ("from", "\(request.now.dateInChina)"),
        ])
        return .page(newClassPage(request, view, try await choices(request, cataloguing), values: values, refusal: nil))
      },
      .post("/catalog/classes/new", .permission(.reviewCatalog)) { request in
        let principal = try request.visitor()
        do {
          let draft = try draft(request, code: request.form["code"] ?? "", parent: request.form["parent"])
          try await cataloguing.addClass(principal, draft)
          return .redirect(
            CatalogLink.classes(under: draft.code), flash: Text("已新增“\(draft.name)”。", "“\(draft.name)” added."))
        } catch let refusal as Refusal where [.invalid, .conflict].contains(refusal.kind) {
          let parent = request.form["parent"].flatMap { cataloguing.classification[$0]?.code }
          let view = try await cataloguing.classView(principal, under: parent)
          return .page(
            newClassPage(request, view, try await choices(request, cataloguing), values: request.form, refusal: refusal)
          )
        }
      },
      .get("/catalog/classes/{code}/edit", .permission(.reviewCatalog)) { request in
        let view = try await cataloguing.classView(request.visitor(), under: code(request))
        return .page(
          editClassPage(
            request, view, try await choices(request, cataloguing), values: values(view, request.now.dateInChina),
            refusal: nil))
      },
      .post("/catalog/classes/{code}/change", .permission(.reviewCatalog)) { request in
        try await answering(request, cataloguing) { principal, code in
          try await cataloguing.changeClass(principal, try draft(request, code: code, parent: nil))
          return Text("已变更。", "Changed.")
        }
      },
      .post("/catalog/classes/{code}/retire", .permission(.reviewCatalog)) { request in
        try await answering(request, cataloguing) { principal, code in
          try await cataloguing.retireClass(
            principal, code, on: try day(request, "on"), successor: request.form["successor"],
            leavesEntries: request.form["leaves"] == "1")
          return Text("已停用；有目录的单位已收到待办。", "Retired; departments with entries in it have a task.")
        }
      },
    ]
  }

  private static func moving(_ cataloguing: Cataloguing) -> [Route] {
    [
      .get("/catalog/retired-classes", .anyPermission([.compileCatalog, .reviewCatalog])) { request in
        let principal = try request.visitor()
        return .page(
          retiredClassesPage(
            request, try await cataloguing.retiredClasses(principal), mayMove: principal.may(.compileCatalog)))
      },
      .post("/catalog/resources/{id}/move-class", .permission(.compileCatalog)) { request in
        let draft = try await cataloguing.moveToSuccessor(
          request.visitor(), request.id(), from: request.form["class"] ?? "")
        return .redirect(
          CatalogLink.resource(draft.id, version: draft.version),
          flash: Text(
            "第 \(draft.version) 版草稿已改用后继分类，核对后提交审核。",
            "The draft of version \(draft.version) is in the successor; check and submit it."))
      },
    ]
  }

  private static func choices(_ request: Request, _ cataloguing: Cataloguing) async throws -> ClassUseChoices {
    try await cataloguing.classUseChoices(request.visitor())
  }

  // MARK: What requests carry

  /// A code that no class can have is answered like one that none has.
  private static func code(_ request: Request) throws -> String {
    guard let code = request.parameters["code"], code.utf8.count <= ClassPeriod.limits.code else {
      throw Cataloguing.unknownClass
    }
    return code
  }

  private static func answering(
    _ request: Request, _ cataloguing: Cataloguing, _ body: (Principal, String) async throws -> Text
  ) async throws -> Response {
    let (principal, code) = (try request.visitor(), try code(request))
    do {
      let done = try await body(principal, code)
      return .redirect(CatalogLink.classes(under: code), flash: done)
    } catch let refusal as Refusal where [.invalid, .conflict].contains(refusal.kind) {
      let view = try await cataloguing.classView(principal, under: code)
      return .page(
        editClassPage(request, view, try await choices(request, cataloguing), values: request.form, refusal: refusal))
    }
  }

  private static func draft(_ request: Request, code: String, parent: String?) throws -> ClassDraft {
    let form = request.form
    guard let use = ClassUse(text: form["usedBy"] ?? "") else {
      throw Refusal.invalid(
        "catalog.class.use", "usedBy",
        Text("请从列表中选择使用范围。", "Choose from the list for whom it is."))
    }
    return ClassDraft(
      code: code, parent: parent, name: form["name"] ?? "", from: try day(request, "from"), national: form["national"],
      usedBy: use)
  }

  private static func day(_ request: Request, _ name: String) throws -> CalendarDate {
    guard let day = CalendarDate(request.form[name] ?? "") else {
      throw Refusal.invalid("catalog.class.day", name, Text("请填写日期，如 2026-09-01。", "Enter a day such as 2026-09-01."))
    }
    return day
  }

  private static func values(_ view: ClassView, _ today: CalendarDate) -> Fields {
    let period = view.node?.period
    return Fields([
      ("name", view.node?.name ?? ""), ("from", "\(today)"), ("national", period?.national ?? ""),
      ("usedBy", period?.usedBy.text ?? ""), ("on", period?.validTo.map { "\($0)" } ?? "\(today)"),
      ("successor", period?.successor ?? ""),
    ])
  }
}
