internal import Connecting
internal import Kernel
internal import Storage
package import Web

package enum InventoryRoutes {
  package static func routes(_ register: SystemRegister) -> [Route] {
    pages(register) + sourcePages(register) + [InventoryAPI.systems(register)]
  }

  private static func pages(_ register: SystemRegister) -> [Route] {
    [
      .get("/systems", .permission(.readInventory)) { request in
        let principal = try request.visitor()
        let listing = try await register.list(
          principal, words: request.query["q"] ?? "", after: request.query["after"])
        return .page(
          systemListPage(request, listing, mayManage: principal.may(.manageInventory), lists: register.lists))
      },
      .get("/systems/new", .permission(.manageInventory)) { request in
        .page(
          systemForm(
            request, title: Text("登记信息系统", "Register a system"), action: SystemLink.list, values: request.query,
            refusal: nil, lists: register.lists))
      },
      .post("/systems", .permission(.manageInventory)) { request in
        do {
          let system = try await register.register(request.visitor(), systemFacts(request.form))
          return .redirect(
            SystemLink.system(system.id),
            flash: Text("已登记，编号 \(system.number)。", "Registered as \(system.number)."))
        } catch let refusal as Refusal where refusal.kind == .invalid {
          return .page(
            systemForm(
              request, title: Text("登记信息系统", "Register a system"), action: SystemLink.list, values: request.form,
              refusal: refusal, lists: register.lists))
        }
      },
      .get("/systems/{id}", .permission(.readInventory)) { request in
        let principal = try request.visitor()
        let (system, sources) = try await register.system(principal, request.id())
        let isOwn = principal.may(.manageInventory) && principal.organisation == system.owner
        return .page(
          systemPage(
            request, system, sources, isOwn: isOwn, kinds: register.probe.kinds, lists: register.lists))
      },
      .get("/systems/{id}/edit", .permission(.manageInventory)) { request in
        let (system, _) = try await register.system(request.visitor(), request.id())
        return .page(
          systemForm(
            request, title: Text("修改信息系统", "Edit system"), action: SystemLink.system(system.id),
            values: fields(of: system), refusal: nil, lists: register.lists))
      },
      .post("/systems/{id}", .permission(.manageInventory)) { request in
        let id: SystemID = try request.id()
        do {
          guard let revision = Int(request.form["revision"] ?? "") else { throw SystemRegister.unknownSystem }
          let system = try await register.edit(request.visitor(), id, from: revision, systemFacts(request.form))
          return .redirect(SystemLink.system(system.id), flash: Text("已保存。", "Saved."))
        } catch let refusal as Refusal where refusal.kind == .invalid || refusal.code == "inventory.system.changed" {
          return .page(
            systemForm(
              request, title: Text("修改信息系统", "Edit system"), action: SystemLink.system(id), values: request.form,
              refusal: refusal, lists: register.lists))
        }
      },
    ]
  }

  private static func sourcePages(_ register: SystemRegister) -> [Route] {
    [
      .get("/systems/{id}/sources/new", .permission(.manageInventory)) { request in
        let (system, _) = try await register.system(request.visitor(), request.id())
        try request.visitor().require(.manageInventory, in: system.owner)
        guard let chosen = request.query["kind"] else {
          return .page(sourceKindsPage(request, system, register.probe.kinds))
        }
        return .page(
          sourceForm(
            request, system, kind: try kind(chosen, register), editing: nil, values: Fields(),
            refusal: nil))
      },
      .post("/systems/{id}/sources", .permission(.manageInventory)) { request in
        let (system, _) = try await register.system(request.visitor(), request.id())
        let kind = try kind(request.form["kind"], register)
        do {
          let source = try await register.addSource(request.visitor(), system.id, draft(request.form, kind))
          // The first thing anyone wants to know of a new source.
          let probe = try await register.probe(request.visitor(), source.id)
          return .redirect(SystemLink.system(system.id) + "#sources", flash: saved(probe))
        } catch let refusal as Refusal where refusal.kind == .invalid {
          return .page(
            sourceForm(request, system, kind: kind, editing: nil, values: request.form, refusal: refusal))
        }
      }.takingSecrets(),
      .get("/systems/{id}/sources/{source}/edit", .permission(.manageInventory)) { request in
        let (system, source) = try await found(request, register)
        var values = Fields([("source", source.name)])
        for (name, value) in source.settings { values.pairs.append(("setting.\(name)", value)) }
        return .page(
          sourceForm(
            request, system, kind: try kind(source.kind, register), editing: source, values: values, refusal: nil))
      },
      .post("/systems/{id}/sources/{source}", .permission(.manageInventory)) { request in
        let (system, source) = try await found(request, register)
        let kind = try kind(source.kind, register)
        do {
          _ = try await register.editSource(request.visitor(), source.id, draft(request.form, kind))
          let probe = try await register.probe(request.visitor(), source.id)
          return .redirect(SystemLink.system(system.id) + "#sources", flash: saved(probe))
        } catch let refusal as Refusal where refusal.kind == .invalid {
          return .page(
            sourceForm(request, system, kind: kind, editing: source, values: request.form, refusal: refusal))
        }
      }.takingSecrets(),
      .post("/systems/{id}/sources/{source}/probe", .permission(.manageInventory)) { request in
        let (system, source) = try await found(request, register)
        let probe = try await register.probe(request.visitor(), source.id)
        return .redirect(
          SystemLink.system(system.id) + "#sources",
          flash: probe.product.map { Text("连接成功：\($0)。", "It answers: \($0).") }
            ?? failed(probe, Text("连接失败", "It does not answer")))
      },
    ]
  }

  private static func saved(_ probe: DataSource.Probe) -> Text {
    guard let product = probe.product else {
      return failed(probe, Text("数据源已保存，但连接测试没有通过", "The source is saved, but its test failed"))
    }
    return Text("数据源已保存，连接测试通过：\(product)。", "The source is saved, and its test passed: \(product).")
  }

  private static func failed(_ probe: DataSource.Probe, _ words: Text) -> Text {
    Text(
      "\(words.chinese)：\(probe.failure?.chinese ?? "原因见列表。")",
      "\(words.english): \(probe.failure?.english ?? "the list says why.")")
  }

  // MARK: Forms

  private static func systemFacts(_ form: Fields) -> SystemFacts {
    SystemFacts(
      name: form["name"] ?? "", function: form["function"] ?? "", scope: form["scope"] ?? "",
      frequency: form["frequency"] ?? "", approvedBy: form["approvedBy"] ?? "",
      approvedOn: form["approvedOn"].flatMap { CalendarDate($0) }, fundSource: form["fundSource"] ?? "",
      network: form["network"] ?? "", stage: form["stage"] ?? "")
  }

  private static func fields(of system: InformationSystem) -> Fields {
    let f = system.facts
    return Fields([
      ("name", f.name), ("function", f.function), ("scope", f.scope), ("frequency", f.frequency),
      ("approvedBy", f.approvedBy), ("approvedOn", f.approvedOn?.description ?? ""), ("fundSource", f.fundSource),
      ("network", f.network), ("stage", f.stage), ("revision", String(system.revision)),
    ])
  }

  private static func draft(_ form: Fields, _ kind: ConnectorKind) -> SourceDraft {
    SourceDraft(name: form["source"] ?? "", kind: kind.name, settings: enteredSettings(form, kind.settings))
  }

  private static func kind(_ name: String?, _ register: SystemRegister) throws -> ConnectorKind {
    guard let kind = register.probe.kind(name ?? "") else { throw Refusal.notFound(Text("连接方式", "kind of connection")) }
    return kind
  }

  /// The source in the address, which must belong to the system in the address and to the visitor's organisation.
  private static func found(
    _ request: Request, _ register: SystemRegister
  ) async throws -> (InformationSystem, DataSource) {
    let (system, sources) = try await register.system(request.visitor(), request.id())
    let id: SourceID = try request.id("source")
    guard let source = sources.first(where: { $0.id == id }) else { throw SystemRegister.unknownSource }
    return (system, source)
  }
}
