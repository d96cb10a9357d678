internal import Connecting
internal import Inventory
internal import Kernel
package import Web

package enum CatalogRoutes {
  /// What a context above shows on an entry's page: of the version shown, to this visitor.
  package typealias Section = @Sendable (Request, Resource) async throws -> HTML
  /// What a context above offers beside a search.
  package typealias Tool = @Sendable (Request, CatalogQuery) -> HTML

  /// `badges` stand under an entry's name, `sections` below its items.
  package static func routes(
    _ cataloguing: Cataloguing, badges: [Section] = [], sections: [Section] = [], tools: [Tool] = []
  ) -> [Route] {
    finding(cataloguing, badges, sections, tools) + starting(cataloguing) + compiling(cataloguing) + steps(cataloguing)
      + versions(cataloguing) + reviewing(cataloguing)
      + CatalogAPI.routes(cataloguing) + ChangesAPI.routes(cataloguing)
      + BulkAPI.routes(cataloguing) + DraftsAPI.routes(cataloguing) + ReferenceAPI.routes(cataloguing)
      + ReviewAPI.routes(cataloguing) + WorkAPI.routes(cataloguing) + VersionsAPI.routes(cataloguing)
      + ClassRoutes.routes(cataloguing)
  }

  private static func finding(
    _ cataloguing: Cataloguing, _ badges: [Section], _ sections: [Section], _ tools: [Tool]
  ) -> [Route] {
    [
      .get("/catalog", .permission(.readCatalog)) { request in
        let principal = try request.visitor()
        let query = try query(request)
        return .page(
          searchPage(
            request, query, try await cataloguing.search(principal, query), lists: cataloguing.lists,
            classification: cataloguing.classification, mayCompile: principal.may(.compileCatalog),
            mayReview: principal.may(.reviewCatalog), more: tools.map { $0(request, query) }))
      },
      .get("/catalog/resources/{id}", .anyPermission([.readCatalog, .compileCatalog, .reviewCatalog])) { request in
        let principal = try request.visitor()
        let day = try request.queryDay("on")
        if let day, day > cataloguing.clock.today {
          throw Refusal.invalid(
            "catalog.day", "on",
            Text("\(day) 还没有到，那天在用的是哪一版还不知道。", "\(day) is still to come; nobody knows which version will be in force."))
        }
        let view = try await cataloguing.view(principal, request.id(), version: try version(request), on: day)
        var (marks, parts): ([HTML], [HTML]) = ([], [])
        for badge in badges { marks.append(try await badge(request, view.resource)) }
        for section in sections { parts.append(try await section(request, view.resource)) }
        return .page(
          resourcePage(
            request, view, lists: cataloguing.lists, classification: cataloguing.classification,
            mayReview: principal.may(.reviewCatalog), badges: marks, sections: parts))
      },
    ]
  }

  private static func starting(_ cataloguing: Cataloguing) -> [Route] {
    working(cataloguing) + [
      .get("/catalog/new", .permission(.compileCatalog)) { request in
        let principal = try request.visitor()
        guard let source = request.query["source"] else {
          return .page(
            newPage(request, try await cataloguing.systems(principal), values: request.query, refusal: nil))
        }
        let (id, name) = (try sourceID(source), try table(request.query))
        return try await reading(request, cataloguing, id, name) {
          let found = try await cataloguing.register.describe(principal, id, name, for: .compileCatalog)
          let entry = try await cataloguing.entry(of: found.table.name, in: id)
          return .page(newFromTablePage(request, found.source, found.table, entry: entry))
        }
      },
      .post("/catalog/drafts", .permission(.compileCatalog)) { request in
        let principal = try request.visitor()
        if let source = request.form["source"] {
          let (id, name) = (try sourceID(source), try table(request.form))
          return try await reading(request, cataloguing, id, name) {
            let draft = try await cataloguing.draft(
              principal, from: id, table: name, formKey: request.form["form"], onlyIfNone: true)
            return .redirect(
              draft.state.isEditable ? CatalogLink.edit(draft.id) : CatalogLink.resource(draft.id),
              flash: Text("已生成草稿，请补全标出的内容。", "A draft was made; complete what is marked."))
          }
        }
        do {
          guard let name = request.form["name"] else {
            throw Refusal.invalid("catalog.name", "name", Text("请填写信息资源名称。", "Enter the resource's name."))
          }
          let draft = try await cataloguing.draft(
            principal, system: try systemID(request.form["system"]), metadata: Metadata(name: name),
            formKey: request.form["form"])
          return .redirect(draft.state.isEditable ? CatalogLink.edit(draft.id) : CatalogLink.resource(draft.id))
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
        let draft = try await cataloguing.draftView(request.visitor(), request.id())
        _ = try draft.resource.state.applying(.edit)
        return .page(
          metadataForm(
            request, draft, values: metadataValues(draft.resource), refusal: nil, lists: cataloguing.lists,
            classification: cataloguing.classification))
      },
      .post("/catalog/resources/{id}/edit", .permission(.compileCatalog)) { request in
        let id: ResourceID = try request.id()
        do {
          let (resource, findings) = try await cataloguing.edit(
            request.visitor(), id, from: try revision(request),
            .init(metadata: metadata(from: request.form), system: .some(try systemID(request.form["system"]))))
          let next =
            switch request.form["next"] {
            case "items": CatalogLink.items(id)
            case "attachments": AttachmentLink.list(id)
            default: findings.hasErrors ? CatalogLink.edit(id) : CatalogLink.resource(id, version: resource.version)
            }
          return .redirect(
            next,
            flash: findings.hasErrors
              ? Text("已保存，仍有须更正的内容。", "Saved; some things still must be corrected.")
              : Text("已保存，可以提交审核。", "Saved; it can be submitted."))
        } catch let refusal as Refusal where keepsTyping(refusal) {
          let draft = try await cataloguing.draftView(request.visitor(), id)
          let merged =
            refusal.code == CatalogStore.changedMeanwhile.code
            ? mergedMetadata(draft.resource, form: request.form) : nil
          return .page(
            metadataForm(
              request, draft, values: merged?.values ?? request.form, refusal: refusal, conflict: merged?.conflict,
              lists: cataloguing.lists, classification: cataloguing.classification))
        }
      },
      .get("/catalog/resources/{id}/items", .permission(.compileCatalog)) { request in
        let draft = try await cataloguing.draftView(request.visitor(), request.id())
        _ = try draft.resource.state.applying(.edit)
        let start = firstItem(request, draft.resource)
        let places = itemPlaces(draft.resource, from: start)
        return .page(
          itemsForm(
            request, draft, from: start, places: places, values: itemValues(draft.resource, at: places), refusal: nil,
            lists: cataloguing.lists))
      },
      .post("/catalog/resources/{id}/items", .permission(.compileCatalog)) { request in
        try await saveItems(request, cataloguing)
      },
    ]
  }

  private static func steps(_ cataloguing: Cataloguing) -> [Route] {
    [
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
        let resource = try await cataloguing.draftView(request.visitor(), request.id()).resource
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
    ]
  }

  /// What is wrong with a form, or came too late, is said beside what was typed.
  private static func keepsTyping(_ refusal: Refusal) -> Bool {
    refusal.kind == .invalid || refusal.code == CatalogStore.changedMeanwhile.code || refusal.code == "catalog.state"
  }

  private static func saveItems(_ request: Request, _ cataloguing: Cataloguing) async throws -> Response {
    let draft = try await cataloguing.draftView(request.visitor(), request.id())
    let resource = draft.resource
    let start = firstItem(request, resource)
    var places = Array(resource.items.indices)
    var isAdded = false
    do {
      let seen = try revision(request)
      let added = try newItem(resource, form: request.form, at: request.now)
      // The form's places are those of the draft it was made from.
      guard seen == resource.revision else {
        // One more item changes nothing that anybody else may have written, so it goes to the draft as it is now.
        if let added {
          _ = try await cataloguing.edit(
            request.visitor(), resource.id, from: resource.revision, .init(items: resource.items + [added]))
          isAdded = true
        }
        throw CatalogStore.changedMeanwhile
      }
      let (left, kept) = try items(resource, form: request.form)
      places = kept
      var change = Cataloguing.Change(items: left + [added].compactMap { $0 })
      if var mount = resource.mount {
        let columns = Set(left.map(\.column))
        let ticked = columns.intersection(request.form.all("keys"))
        // The order of a key that was there before is kept.
        let before = mount.keyColumns.filter { ticked.contains($0) }
        mount.keyColumns = before + left.map(\.column).filter { ticked.contains($0) && !before.contains($0) }
        mount.cursorColumn = request.form["cursor"].flatMap { columns.contains($0) ? $0 : nil }
        change.mount = .some(mount)
      }
      let (_, findings) = try await cataloguing.edit(request.visitor(), resource.id, from: seen, change)
      let gone = resource.items.count - left.count
      if added != nil {
        return .redirect(
          request.form["next"] == "metadata"
            ? CatalogLink.edit(resource.id)
            : CatalogLink.items(resource.id, from: left.count / itemsOnPage * itemsOnPage),
          flash: Text("已添加，其余修改一并保存。", "Added, and saved with what else was changed."))
      }
      return .redirect(
        request.form["next"] == "metadata"
          ? CatalogLink.edit(resource.id) : CatalogLink.items(resource.id, from: start),
        flash: gone == 0
          ? findings.hasErrors
            ? Text("已保存，仍有须更正的内容。", "Saved; some things still must be corrected.") : Text("已保存。", "Saved.")
          : Text("已保存，移除 \(gone) 项。", "Saved; \(plural(gone, "item")) taken out."))
    } catch let found as Refusal where found.code == CatalogStore.changedMeanwhile.code {
      let now = try await cataloguing.draftView(request.visitor(), resource.id)
      let merged = mergedItems(now.resource, form: request.form, isAdded: isAdded)
      if isAdded, !merged.saysMore {
        return .redirect(
          CatalogLink.items(resource.id, from: (now.resource.items.count - 1) / itemsOnPage * itemsOnPage),
          flash: Text("已添加。", "Added."))
      }
      return .page(
        itemsForm(
          request, now, from: start, places: merged.places, values: merged.values, refusal: found,
          conflict: merged.conflict, lists: cataloguing.lists))
    } catch let found as Refusal where keepsTyping(found) {
      let shown = resource.items.indices.filter { index in
        request.form.pairs.contains { $0.name == "item.\(index).name" }
      }
      return .page(
        itemsForm(
          request, draft, from: start, places: shown, values: request.form, refusal: refusal(found, places: places),
          lists: cataloguing.lists))
    }
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

  /// The words and filters in the address of a search.
  package static func query(_ request: Request) throws -> CatalogQuery {
    let given = request.query
    return CatalogQuery(
      text: String((given["q"] ?? "").prefix(100)), node: given["class"].map { String($0.prefix(24)) },
      provider: try request.queryID("provider"), sharingType: given["sharing"].map { String($0.prefix(8)) },
      format: given["format"].map { String($0.prefix(8)) }, cycle: given["cycle"].map { String($0.prefix(8)) },
      isMounted: try request.queryFlag("mounted"), freshness: try request.queryChoice("fresh"), after: given["after"],
      limit: try request.pageLimit(most: 100, usual: 20))
  }

  /// Where a search is shown.
  package static func address(of query: CatalogQuery) -> String { CatalogLink.search(query) }

  /// The number of a version in the query, which may be named otherwise; a forged one is answered like a missing one.
  static func version(_ request: Request, _ name: String = "version") throws -> Int? {
    try request.query[name].map { text in
      guard let number = Int(text), (1...1_000_000).contains(number) else { throw Cataloguing.unknown }
      return number
    }
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
