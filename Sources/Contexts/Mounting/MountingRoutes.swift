package import Catalog
internal import Connecting
internal import Inventory
internal import Kernel
package import Web

package enum MountingRoutes {
  package static func routes(_ mounting: Mounting) -> [Route] {
    ties(mounting) + tying(mounting) + tables(mounting) + changes(mounting) + MountingAPI.routes(mounting)
  }

  /// What stands on an entry's page.
  package static func section(_ mounting: Mounting) -> CatalogRoutes.Section {
    { request, resource in
      let principal = try request.visitor()
      return entrySection(
        request, resource, try await mounting.ties(of: resource.id, for: principal),
        isOwn: principal.may(.manageMounting) && principal.organisation == resource.provider)
    }
  }

  /// What stands under an entry's name: whether it is mounted, as the last test found.
  package static func badge(_ mounting: Mounting) -> CatalogRoutes.Section {
    { request, resource in
      standingBadge(request, try await mounting.standing(of: resource, for: request.visitor()))
    }
  }

  private static func ties(_ mounting: Mounting) -> [Route] {
    [
      .get("/mounting", .permission(.readMounting)) { request in
        let state = try request.queryChoice("state", of: Tie.State.self)
        let timeliness = try request.queryChoice("timeliness", of: Timeliness.State.self)
        let principal = try request.visitor()
        let listing = try await mounting.list(
          principal, state: state, timeliness: timeliness, after: try request.queryID("after"))
        return .page(
          tieListPage(
            request, listing, state: state, timeliness: timeliness, isForAll: principal.may(.reviewCatalog)))
      },
      .get("/mounting/ties/{id}", .permission(.readMounting)) { request in
        let principal = try request.visitor()
        let view = try await mounting.tie(request.id(), for: principal)
        return .page(
          tiePage(
            request, view, isOwn: principal.may(.manageMounting) && principal.organisation == view.tie.provider))
      },
      .post("/mounting/ties/{id}/test", .permission(.readMounting)) { request in
        let tie = try await mounting.testNow(request.id(), by: request.visitor())
        return .redirect(
          MountingLink.tie(tie.id),
          flash: tie.fault.map { Text("检测未通过：\($0.words.chinese)", "The test failed: \($0.words.english)") }
            ?? Text("检测通过。", "The test passed."))
      },
      .post("/mounting/ties/{id}/remove", .permission(.manageMounting)) { request in
        let tie = try await mounting.untie(request.visitor(), request.id())
        return .redirect(MountingLink.entry(tie.resource), flash: Text("已取消挂接。", "The mount was given up."))
      },
    ]
  }

  private static func tying(_ mounting: Mounting) -> [Route] {
    [
      .get("/mounting/resources/{id}", .permission(.manageMounting)) { request in
        .page(
          tyingPage(
            request, try await mounting.tying(request.visitor(), request.id()), values: Fields(), refusal: nil))
      },
      .get("/mounting/resources/{id}/table", .permission(.manageMounting)) { request in
        let id: ResourceID = try request.id()
        do {
          let fitting = try await mounting.fitting(
            request.visitor(), id, source: try source(request.query), table: try table(request.query))
          return .page(fittingPage(request, fitting, refusal: nil))
        } catch let refusal as Refusal where refusal.kind == .conflict || refusal.kind == .unavailable {
          return .page(
            tyingPage(request, try await mounting.tying(request.visitor(), id), values: Fields(), refusal: refusal))
        }
      },
      .post("/mounting/resources/{id}/table", .permission(.manageMounting)) { request in
        let id: ResourceID = try request.id()
        let (source, name) = (try source(request.form), try table(request.form))
        do {
          let columns = request.form.pairs.reduce(into: [ItemID: String]()) { found, pair in
            guard pair.name.hasPrefix("column."), let item = ItemID(pair.name.dropFirst(7)), !pair.value.isEmpty else {
              return
            }
            found[item] = pair.value
          }
          _ = try await mounting.tie(
            request.visitor(), id, from: Int(request.form["revision"] ?? "") ?? -1, source: source, table: name,
            columns: columns, cursor: request.form["cursor"].flatMap { $0.isEmpty ? nil : $0 })
          return .redirect(MountingLink.entry(id) + "#mounting", flash: Text("已挂接，正在检测。", "Tied; it is being tested."))
        } catch let refusal as Refusal where refusal.kind == .invalid || refusal.code == "catalog.changed" {
          let fitting = try await mounting.fitting(request.visitor(), id, source: source, table: name)
          return .page(fittingPage(request, fitting, refusal: refusal))
        }
      },
      .post("/mounting/resources/{id}/files", .permission(.manageMounting)) { request in
        try await tied(request, mounting) {
          .files(try source(request.form), pattern: request.form["pattern"] ?? "")
        }
      },
      .post("/mounting/resources/{id}/api", .permission(.manageMounting)) { request in
        try await tied(request, mounting) {
          .api(
            url: request.form["url"] ?? "", status: Int(request.form["status"] ?? "200") ?? 0,
            isJSON: request.form["json"] != "0")
        }
      },
    ]
  }

  private static func tied(
    _ request: Request, _ mounting: Mounting, _ target: () throws -> Tie.Target
  ) async throws -> Response {
    let id: ResourceID = try request.id()
    do {
      _ = try await mounting.tie(request.visitor(), id, to: target())
      return .redirect(MountingLink.entry(id) + "#mounting", flash: Text("已挂接，正在检测。", "Tied; it is being tested."))
    } catch let refusal as Refusal where refusal.kind == .invalid {
      let view = try await mounting.tying(request.visitor(), id)
      return .page(tyingPage(request, view, values: request.form, refusal: refusal))
    }
  }

  private static func tables(_ mounting: Mounting) -> [Route] {
    [
      .get("/systems/{id}/sources/{source}/tables", .permission(.manageMounting)) { request in
        let principal = try request.visitor()
        let system: SystemID = try request.id()
        let source = try await mounting.source(principal, request.id("source"))
        guard source.system == system else { throw SystemRegister.unknownSource }
        let list: Mounting.TableList
        do { list = try await mounting.tables(principal, source.id) } catch let refusal as Refusal
          where isUnread(refusal)
        { return .page(unreadPage(request, source, refusal)) }
        let view = try request.queryChoice("view", of: TableView.self) ?? .uncatalogued
        return .page(tablesPage(request, list, view: view, mayCompile: principal.may(.compileCatalog)))
      },
      .post("/mounting/sources/{id}/read", .permission(.manageMounting)) { request in
        let id: SourceID = try request.id()
        let changed: Int
        do { changed = try await mounting.survey(request.visitor(), id) } catch let refusal as Refusal
          where isUnread(refusal)
        { return .page(unreadPage(request, try await mounting.source(request.visitor(), id), refusal)) }
        return .redirect(
          MountingLink.tables(try await mounting.tables(request.visitor(), id).source),
          flash: changed == 0
            ? Text("已重新读取，没有变化。", "Read again; nothing changed.")
            : Text("已重新读取，\(changed) 张表有变化。", "Read again; \(plural(changed, "table")) changed."))
      },
      .post("/mounting/sources/{id}/drafts", .permission(.compileCatalog)) { request in
        let id: SourceID = try request.id()
        let chosen = request.form["scope"] == "all" ? nil : request.form.all("table").map(name)
        do {
          let batch = try await mounting.draft(request.visitor(), from: id, tables: chosen)
          return .redirect(MountingLink.batch(batch.id))
        } catch let refusal as Refusal where refusal.kind == .invalid {
          let list = try await mounting.tables(request.visitor(), id)
          return .redirect(MountingLink.tables(list.source), flash: refusal.message)
        }
      },
      .get("/mounting/batches/{id}", .permission(.compileCatalog)) { request in
        .page(batchPage(request, try await mounting.batch(request.visitor(), request.id())))
      },
    ]
  }

  /// The source does not answer, or not as it should.
  private static func isUnread(_ refusal: Refusal) -> Bool {
    refusal.kind == .conflict || refusal.kind == .unavailable
  }

  private static func changes(_ mounting: Mounting) -> [Route] {
    [
      .get("/mounting/sources/{id}/changes", .permission(.manageMounting)) { request in
        let found = try await mounting.changes(
          request.visitor(), of: request.id(), before: try request.queryID("before"))
        return .page(
          changesPage(request, found.source, found.changes, names: found.names, next: found.next, refusal: nil))
      },
      .post("/mounting/changes/{id}/take", .permission(.manageMounting)) { request in
        let draft = try await mounting.takeOver(request.visitor(), request.id())
        return .redirect(
          "/catalog/resources/\(draft.id)/items",
          flash: Text("变化已纳入第 \(draft.version) 版草稿。", "The change is in the draft of version \(draft.version)."))
      },
      .post("/mounting/changes/{id}/dismiss", .permission(.manageMounting)) { request in
        let id: SchemaChangeID = try request.id()
        do {
          let change = try await mounting.dismiss(
            request.visitor(), id, reason: request.form["reason"] ?? "")
          return .redirect(MountingLink.changes(change.source), flash: Text("已确认不影响目录。", "Found to be of no matter."))
        } catch let refusal as Refusal where refusal.kind == .invalid {
          let source = try await mounting.source(of: id, for: request.visitor())
          let found = try await mounting.changes(request.visitor(), of: source)
          return .page(
            changesPage(request, found.source, found.changes, names: found.names, next: found.next, refusal: refusal))
        }
      },
    ]
  }

  // MARK: What requests carry

  private static func source(_ fields: Fields) throws -> SourceID {
    guard let id = SourceID(fields["source"] ?? "") else { throw SystemRegister.unknownSource }
    return id
  }

  /// `schema` and `table`, or both in `table` as `schema.table`.
  private static func table(_ fields: Fields) throws -> TableName {
    guard let table = fields["table"], table.utf8.count <= 256, (fields["schema"] ?? "").utf8.count <= 256 else {
      throw Refusal.invalid("mounting.table", "table", Text("请填写表名。", "Enter a table's name."))
    }
    if let schema = fields["schema"] { return TableName(schema: schema, table) }
    let parts = table.split(separator: ".", maxSplits: 1)
    return parts.count == 2 && !table.lowercased().hasSuffix(".csv")
      ? TableName(schema: String(parts[0]), String(parts[1])) : TableName(table)
  }

  /// As the list's ticks carry it: schema, line end, table.
  private static func name(_ text: String) -> TableName {
    let parts = text.split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false).map {
      String($0).trimmingSuffix("\r")
    }
    guard parts.count == 2 else { return TableName(text) }
    return TableName(schema: parts[0].isEmpty ? nil : parts[0], parts[1])
  }
}

extension String {
  /// Browsers send a line end in a value as two characters.
  fileprivate func trimmingSuffix(_ suffix: String) -> String {
    hasSuffix(suffix) ? String(dropLast(suffix.count)) : self
  }
}
