internal import Connecting
internal import Inventory
internal import Kernel
package import Web

package enum CatalogRoutes {
  package static func routes(_ cataloguing: Cataloguing) -> [Route] {
    finding(cataloguing) + starting(cataloguing) + compiling(cataloguing) + steps(cataloguing) + reviewing(cataloguing)
      + CatalogAPI.routes(cataloguing) + ClassRoutes.routes(cataloguing) + MoveRoutes.routes(cataloguing)
  }

  private static func finding(_ cataloguing: Cataloguing) -> [Route] {
    [
      .get("/catalog", .permission(.readCatalog)) { request in
        let principal = try request.visitor()
        let query = try query(request)
        return .page(
          searchPage(
            request, query, try await cataloguing.search(principal, query), lists: cataloguing.lists,
            classification: cataloguing.classification, mayCompile: principal.may(.compileCatalog),
            mayReview: principal.may(.reviewCatalog)))
      },
      .get("/catalog/resources/{id}", .anyPermission([.readCatalog, .compileCatalog, .reviewCatalog])) { request in
        let principal = try request.visitor()
        let view = try await cataloguing.view(principal, request.id(), version: try version(request))
        return .page(
          resourcePage(
            request, view, lists: cataloguing.lists, classification: cataloguing.classification,
            mayReview: principal.may(.reviewCatalog)))
      },
    ]
  }

  private static func starting(_ cataloguing: Cataloguing) -> [Route] {
    [
      .get("/catalog/work", .permission(.compileCatalog)) { request in
        .page(workPage(request, try await cataloguing.work(request.visitor())))
      },
      .get("/catalog/new", .permission(.compileCatalog)) { request in
        let principal = try request.visitor()
        guard let source = request.query["source"] else {
          return .page(
            newPage(request, try await cataloguing.systems(principal), values: request.query, refusal: nil))
        }
        let (id, name) = (try sourceID(source), try table(request.query))
        return try await reading(request, cataloguing, id, name) {
          let found = try await cataloguing.register.describe(principal, id, name)
          return .page(newFromTablePage(request, found.source, found.table))
        }
      },
      .post("/catalog/drafts", .permission(.compileCatalog)) { request in
        let principal = try request.visitor()
        if let source = request.form["source"] {
          let (id, name) = (try sourceID(source), try table(request.form))
          return try await reading(request, cataloguing, id, name) {
            let draft = try await cataloguing.draft(principal, from: id, table: name)
            return .redirect(
              CatalogLink.edit(draft.id),
              flash: Text("已生成草稿，请补全标出的内容。", "A draft was made; complete what is marked."))
          }
        }
        do {
          guard let name = request.form["name"] else {
            throw Refusal.invalid("catalog.name", "name", Text("请填写信息资源名称。", "Enter the resource's name."))
          }
          let draft = try await cataloguing.draft(
            principal, system: try systemID(request.form["system"]), metadata: Metadata(name: name))
          return .redirect(CatalogLink.edit(draft.id))
        } catch let refusal as Refusal where refusal.kind == .invalid {
          return .page(
            newPage(request, try await cataloguing.systems(principal), values: request.form, refusal: refusal))
        }
      },
    ]
  }

  private static func compiling(_ cataloguing: Cataloguing) -> [Route] {
    [
      .get("/catalog/resources/{id}/edit", .permission(.compileCatalog)) { request in
        let (resource, findings, systems) = try await cataloguing.draftView(request.visitor(), request.id())
        _ = try resource.state.applying(.edit)
        return .page(
          metadataForm(
            request, resource, findings, systems, values: metadataValues(resource), refusal: nil,
            lists: cataloguing.lists, classification: cataloguing.classification))
      },
      .post("/catalog/resources/{id}/edit", .permission(.compileCatalog)) { request in
        let id: ResourceID = try request.id()
        do {
          let (resource, findings) = try await cataloguing.edit(
            request.visitor(), id, from: try revision(request),
            .init(metadata: metadata(from: request.form), system: .some(try systemID(request.form["system"]))))
          return .redirect(
            findings.hasErrors ? CatalogLink.edit(id) : CatalogLink.resource(id, version: resource.version),
            flash: findings.hasErrors
              ? Text("已保存，仍有须更正的内容。", "Saved; some things still must be corrected.")
              : Text("已保存，可以提交审核。", "Saved; it can be submitted."))
        } catch let refusal as Refusal where refusal.kind == .invalid || refusal.code == "catalog.changed" {
          let (resource, findings, systems) = try await cataloguing.draftView(request.visitor(), id)
          return .page(
            metadataForm(
              request, resource, findings, systems, values: request.form, refusal: refusal, lists: cataloguing.lists,
              classification: cataloguing.classification))
        }
      },
      .get("/catalog/resources/{id}/items", .permission(.compileCatalog)) { request in
        let (resource, findings, _) = try await cataloguing.draftView(request.visitor(), request.id())
        _ = try resource.state.applying(.edit)
        let start = firstItem(request, resource)
        return .page(
          itemsForm(
            request, resource, findings, from: start, values: itemValues(resource, from: start), refusal: nil,
            lists: cataloguing.lists))
      },
      .post("/catalog/resources/{id}/items", .permission(.compileCatalog)) { request in
        let (resource, findings, _) = try await cataloguing.draftView(request.visitor(), request.id())
        let start = firstItem(request, resource)
        var places = Array(resource.items.indices)
        do {
          let (left, kept) = try items(resource, from: start, form: request.form)
          places = kept
          var change = Cataloguing.Change(items: left)
          if var mount = resource.mount {
            let columns = Set(left.map(\.column))
            let ticked = columns.intersection(request.form.all("keys"))
            // The order of a key that was there before is kept.
            let before = mount.keyColumns.filter { ticked.contains($0) }
            mount.keyColumns = before + left.map(\.column).filter { ticked.contains($0) && !before.contains($0) }
            mount.cursorColumn = request.form["cursor"].flatMap { columns.contains($0) ? $0 : nil }
            change.mount = .some(mount)
          }
          _ = try await cataloguing.edit(request.visitor(), resource.id, from: try revision(request), change)
          let gone = resource.items.count - left.count
          return .redirect(
            CatalogLink.items(resource.id, from: start),
            flash: gone == 0
              ? Text("已保存。", "Saved.") : Text("已保存，移除 \(gone) 项。", "Saved; \(plural(gone, "item")) taken out."))
        } catch let found as Refusal where found.kind == .invalid || found.code == "catalog.changed" {
          return .page(
            itemsForm(
              request, resource, findings, from: start, values: request.form, refusal: refusal(found, places: places),
              lists: cataloguing.lists))
        }
      },
      .post("/catalog/resources/{id}/items/add", .permission(.compileCatalog)) { request in
        let (resource, _, _) = try await cataloguing.draftView(request.visitor(), request.id())
        let item = Item(
          id: .make(at: request.now), name: request.form["new.name"] ?? "", column: request.form["new.column"] ?? "",
          dataType: request.form["new.dataType"] ?? "", length: request.form["new.length"].flatMap { Int($0) })
        _ = try await cataloguing.edit(
          request.visitor(), resource.id, from: try revision(request), .init(items: resource.items + [item]))
        return .redirect(
          CatalogLink.items(resource.id, from: resource.items.count / itemsOnPage * itemsOnPage),
          flash: Text("已添加。", "Added."))
      },
    ]
  }

  private static func steps(_ cataloguing: Cataloguing) -> [Route] {
    [
      .post("/catalog/resources/{id}/submit", .permission(.compileCatalog)) { request in
        let id: ResourceID = try request.id()
        do {
          let resource = try await cataloguing.submit(request.visitor(), id)
          return .redirect(
            CatalogLink.resource(id, version: resource.version), flash: Text("已提交审核。", "Submitted for review."))
        } catch let refusal as Refusal where refusal.code == "catalog.findings" {
          let (resource, findings, systems) = try await cataloguing.draftView(request.visitor(), id)
          return .page(
            metadataForm(
              request, resource, findings, systems, values: metadataValues(resource), refusal: refusal,
              lists: cataloguing.lists, classification: cataloguing.classification))
        }
      },
      .post("/catalog/resources/{id}/recall", .permission(.compileCatalog)) { request in
        let id: ResourceID = try request.id()
        try await cataloguing.recall(request.visitor(), id)
        return .redirect(CatalogLink.edit(id), flash: Text("已撤回。", "Taken back."))
      },
      .post("/catalog/resources/{id}/change", .permission(.compileCatalog)) { request in
        let draft = try await cataloguing.beginChange(request.visitor(), request.id())
        return .redirect(
          CatalogLink.edit(draft.id), flash: Text("已开始编制第 \(draft.version) 版。", "Version \(draft.version) begun."))
      },
      .get("/catalog/resources/{id}/discard", .permission(.compileCatalog)) { request in
        let (resource, _, _) = try await cataloguing.draftView(request.visitor(), request.id())
        return .page(
          confirmPage(
            request, title: Text("放弃草稿", "Discard draft"), resource, verb: "discard",
            warning: Text(
              "第 \(resource.version) 版的内容将不再可用。已发布的版本不受影响。",
              "What was written in version \(resource.version) is given up. A published version is not touched.")))
      },
      .post("/catalog/resources/{id}/discard", .permission(.compileCatalog)) { request in
        try await cataloguing.discard(request.visitor(), request.id())
        return .redirect(CatalogLink.work, flash: Text("草稿已放弃。", "Draft discarded."))
      },
      .get("/catalog/resources/{id}/withdraw", .anyPermission([.compileCatalog, .reviewCatalog])) { request in
        .page(try await withdrawPage(request, cataloguing, values: Fields(), refusal: nil))
      },
      .post("/catalog/resources/{id}/withdraw", .anyPermission([.compileCatalog, .reviewCatalog])) { request in
        let id: ResourceID = try request.id()
        do {
          try await cataloguing.withdraw(request.visitor(), id, reason: request.form["reason"] ?? "")
          return .redirect(CatalogLink.resource(id), flash: Text("已下架。", "Withdrawn."))
        } catch let refusal as Refusal where refusal.kind == .invalid {
          return .page(try await withdrawPage(request, cataloguing, values: request.form, refusal: refusal))
        }
      },
    ]
  }

  private static func reviewing(_ cataloguing: Cataloguing) -> [Route] {
    [
      .get("/catalog/review", .permission(.reviewCatalog)) { request in
        .page(queuePage(request, try await cataloguing.queue(request.visitor())))
      },
      .get("/catalog/review/{id}", .permission(.reviewCatalog)) { request in
        let (view, findings, before) = try await cataloguing.reviewView(request.visitor(), request.id())
        return .page(
          reviewPage(
            request, view, findings, before: before, values: Fields(), refusal: nil, lists: cataloguing.lists,
            classification: cataloguing.classification))
      },
      .post("/catalog/review/{id}", .permission(.reviewCatalog)) { request in
        let id: ResourceID = try request.id()
        do {
          switch request.form["decision"] {
          case "return":
            _ = try await cataloguing.decide(
              request.visitor(), id, .sendBack(reasons: request.form["reasons"] ?? ""))
            return .redirect(CatalogLink.queue, flash: Text("已退回。", "Returned."))
          case "approve":
            let resource = try await cataloguing.decide(request.visitor(), id, .approve(publish: false))
            return .redirect(CatalogLink.queue, flash: registered(resource))
          case "approve-publish":
            let resource = try await cataloguing.decide(request.visitor(), id, .approve(publish: true))
            return .redirect(CatalogLink.resource(id), flash: registered(resource))
          case "publish":
            _ = try await cataloguing.publish(request.visitor(), id)
            return .redirect(CatalogLink.resource(id), flash: Text("已发布。", "Published."))
          default:
            throw Refusal.invalid("catalog.decision", "reasons", Text("请选择通过或退回。", "Choose approval or return."))
          }
        } catch let refusal as Refusal where refusal.kind == .invalid {
          let (view, findings, before) = try await cataloguing.reviewView(request.visitor(), id)
          return .page(
            reviewPage(
              request, view, findings, before: before, values: request.form, refusal: refusal,
              lists: cataloguing.lists, classification: cataloguing.classification))
        }
      },
    ]
  }

  /// What cannot be read leads back to where another table is chosen, for those whose source it is.
  private static func reading(
    _ request: Request, _ cataloguing: Cataloguing, _ id: SourceID, _ table: TableName,
    _ body: () async throws -> Response
  ) async throws -> Response {
    do { return try await body() } catch let refusal as Refusal {
      let sources = try await cataloguing.systems(request.visitor()).flatMap(\.sources)
      guard let source = sources.first(where: { $0.id == id }) else { throw refusal }
      return .page(unreadablePage(request, source, table, refusal))
    }
  }

  // MARK: What requests carry

  static func query(_ request: Request) throws -> CatalogQuery {
    let given = request.query
    return CatalogQuery(
      text: String((given["q"] ?? "").prefix(100)), node: given["class"].map { String($0.prefix(24)) },
      provider: try request.queryID("provider"), sharingType: given["sharing"].map { String($0.prefix(8)) },
      format: given["format"].map { String($0.prefix(8)) }, cycle: given["cycle"].map { String($0.prefix(8)) },
      isMounted: try request.queryFlag("mounted"), after: given["after"],
      limit: try request.pageLimit(most: 100, usual: 20))
  }

  static func version(_ request: Request) throws -> Int? {
    try request.query["version"].map { text in
      guard let number = Int(text), (1...1_000_000).contains(number) else { throw Cataloguing.unknown }
      return number
    }
  }

  private static func withdrawPage(
    _ request: Request, _ cataloguing: Cataloguing, values: Fields, refusal: Refusal?
  ) async throws -> Page {
    let principal = try request.visitor()
    let resource = try await cataloguing.resource(principal, request.id())
    return confirmPage(
      request, title: Text("下架", "Withdraw"), resource, verb: "withdraw",
      warning: Text(
        "下架后不能再被查到和申请，代码不再使用。以下内容与它有关：",
        "It can no longer be found or asked for, and its code is never used again. What hangs on it:"),
      touches: try await cataloguing.dependents(principal, resource.id), reason: true, values: values, refusal: refusal)
  }

  private static func registered(_ resource: Resource) -> Text {
    let code = resource.code?.description ?? ""
    return resource.state == .published
      ? Text("已登记并发布，代码 \(code)。", "Registered as \(code) and published.")
      : Text("已登记，代码 \(code)，待发布。", "Registered as \(code), to be published.")
  }

  private static func revision(_ request: Request) throws -> Int {
    guard let revision = Int(request.form["revision"] ?? "") else { throw CatalogStore.changedMeanwhile }
    return revision
  }

  private static func firstItem(_ request: Request, _ resource: Resource) -> Int {
    let asked = Int(request.query["from"] ?? "") ?? 0
    return (0..<max(1, resource.items.count)).contains(asked) ? asked / itemsOnPage * itemsOnPage : 0
  }

  private static func sourceID(_ text: String) throws -> SourceID {
    guard let id = SourceID(text) else { throw Refusal.notFound(Text("数据源", "data source")) }
    return id
  }

  private static func systemID(_ text: String?) throws -> SystemID? {
    try text.map { text in
      guard let id = SystemID(text) else {
        throw Refusal.invalid(
          "catalog.system", "system", Text("请选择本单位登记的信息系统。", "Choose a system of your organisation."))
      }
      return id
    }
  }

  private static func table(_ fields: Fields) throws -> TableName {
    guard let name = fields["table"], name.utf8.count <= 256, (fields["schema"] ?? "").utf8.count <= 256 else {
      throw Refusal.notFound(Text("数据表", "table"))
    }
    return TableName(schema: fields["schema"], name)
  }
}
