internal import Identity
internal import Inventory
internal import Kernel
internal import NationalCrypto
internal import Storage

/// Brings one entry after the other into the catalogue, each with its versions, or says why not.
struct Mover: Sendable {
  struct Result: Sendable {
    var entry: MovedEntry
    var findings: [MoveFinding]
  }

  let cataloguing: Cataloguing
  let mapping: MoveMapping
  /// With the classes that are being moved in.
  let tree: Classification
  /// What a trial has decided so far; nil in a run, which keeps it.
  var trial: MoveTrial?
  /// The export lacks tables: what it says of an entry that is here already is not all of it.
  let isPartial: Bool
  let principal: Principal
  let now: Instant
  /// Every code of the export: a related one may come later.
  let codes: Set<String>
  var offices: MoveOffices
  /// Of each office, the entries with something to mend.
  private(set) var withFindings: [OrganisationID: Int] = [:]
  private var systems: [OrganisationID: [InformationSystem]] = [:]

  init(
    cataloguing: Cataloguing, mapping: MoveMapping, tree: Classification, trial: MoveTrial?, isPartial: Bool,
    principal: Principal, now: Instant, codes: Set<String>, offices: MoveOffices
  ) {
    self.cataloguing = cataloguing
    self.mapping = mapping
    self.tree = tree
    self.trial = trial
    self.isPartial = isPartial
    self.principal = principal
    self.now = now
    self.codes = codes
    self.offices = offices
  }

  /// `versions` are of one entry, the oldest first.
  mutating func move(_ versions: [MoveCandidate], in tx: any Transaction) throws -> Result {
    let last = versions[versions.count - 1]
    let first = versions[0]
    var result = Result(
      entry: MovedEntry(oldID: first.oldID, oldCode: last.oldCode, name: last.metadata.name, outcome: .leftOut),
      findings: versions.flatMap(\.findings))
    guard !versions.contains(where: \.isLeftOut) else { return result }
    let digest = versions.count == 1 ? last.digest : SM3.hash(versions.map(\.digest).joined()).hex
    let known = try MoveStore.moved(mapping.source, first.oldID, in: tx)
    if let known, known.digest == digest {
      result.entry.outcome = .same
      if let here = try CatalogStore.latest(known.resource, in: tx) { result.note(here) }
      return result
    }
    if let known, isPartial {
      result.entry.outcome = .untouched
      if let here = try CatalogStore.latest(known.resource, in: tx) { result.note(here) }
      return result
    }
    let here = try known.flatMap { try CatalogStore.latest($0.resource, in: tx) }
    guard var resource = try resource(last, codeHere: here?.code, &result.findings, in: tx) else { return result }
    // It is judged as the entry that it is here: its own name is not taken.
    if let known { resource.id = known.resource }
    if let code = resource.code, let holder = try holder(of: code, in: tx), holder != known?.resource {
      result.findings.append(
        MoveFinding(
          last.place, column("code"), code.description, "code.taken", element: "code",
          Text("代码已由本平台的另一条目录使用。", "Another entry of this platform has this code."), .leftOut))
      return result
    }
    if [.published, .approved].contains(resource.state) {
      result.findings += try ruleFindings(resource, last.place, in: tx)
    }
    if let known {
      guard let changed = try keep(resource, over: known, here, in: tx) else {
        result.entry.outcome = .foreign
        result.findings.append(
          MoveFinding(
            last.place, "", last.metadata.name, "entry.foreign",
            Text(
              "迁入后已在本平台修改，新导出的内容没有写入。",
              "It was changed here after it was moved in; what the export says now was not taken."),
            .leftOut))
        if let here = try CatalogStore.latest(known.resource, in: tx) { result.note(here) }
        return result
      }
      resource = changed
      result.entry.outcome = .changed
    } else {
      resource = try keep(versions, as: resource, in: tx)
      result.entry.outcome = .moved
    }
    result.note(resource)
    // What a trial would make has no id: the run gives another.
    if trial != nil, known == nil { result.entry.resource = nil }
    for index in result.findings.indices {
      result.findings[index].resource = result.entry.resource
      result.findings[index].provider = resource.provider
    }
    if !result.findings.isEmpty { withFindings[resource.provider, default: 0] += 1 }
    if trial == nil {
      try MoveStore.keep(
        mapping.source, with(last, id: first.oldID), digest: digest, as: resource, findings: result.findings.count,
        at: now, in: tx)
      try cataloguing.record(
        nil, "catalog.move.entry", resource, by: principal, at: now,
        detail: [("source", mapping.source), ("old", first.oldID)], in: tx)
    }
    return result
  }

  private func with(_ candidate: MoveCandidate, id: String) -> MoveCandidate {
    var candidate = candidate
    candidate.oldID = id
    return candidate
  }

  private func column(_ field: String) -> String {
    mapping.entries.columns[field] ?? mapping.entryClasses?.columns[field] ?? ""
  }

  private func holder(of code: ResourceCode, in tx: any Transaction) throws -> ResourceID? {
    try trial?.holder(of: code) ?? MoveStore.resource(code: code, in: tx)
  }

  // MARK: What it becomes

  /// The entry as it will stand here; nil, with the finding, where it cannot come in at all.
  private mutating func resource(
    _ one: MoveCandidate, codeHere: ResourceCode?, _ findings: inout [MoveFinding], in tx: any Transaction
  ) throws -> Resource? {
    let answer = try offices.find(one.office, in: tx)
    let given = one.office.name.isEmpty ? one.office.creditCode : one.office.name
    guard let found = answer.found else {
      findings.append(
        MoveFinding(
          one.place, column(one.office.name.isEmpty ? "officeCode" : "officeName"), given, "provider.unknown",
          element: "provider", answer.reason ?? Text("", ""), .leftOut))
      return nil
    }
    if let warning = answer.warning {
      findings.append(
        MoveFinding(
          one.place, column("officeCode"), given, "provider.code", element: "providerCode", warning, .replaced))
    }
    guard !one.metadata.name.isEmpty else {
      findings.append(
        MoveFinding(
          one.place, column("name"), "", "name.missing", element: "name", Text("没有名称。", "It has no name."), .leftOut))
      return nil
    }
    var metadata = one.metadata
    metadata.classes = try classes(one, found.office, &findings, in: tx)
    var resource = Resource(
      id: .make(at: now), state: .draft, code: one.code ?? codeHere, provider: found.office.id,
      providerName: one.office.name.isEmpty ? found.way[0].name : one.office.name,
      providerCode: found.way[0].creditCode,
      system: try system(one, found.office.id, &findings, in: tx), metadata: metadata, items: one.items, mount: nil,
      lists: cataloguing.lists.version, changedAt: now)
    resource.state = try state(one, &resource, &findings, in: tx)
    if [.draft, .returned].contains(resource.state) {
      (resource.providerName, resource.providerCode) = (found.office.name, found.office.creditCode)
    }
    if resource.state == .published {
      resource.publishedOn = one.publishedOn ?? now.dateInChina
      if one.publishedOn == nil {
        findings.append(
          MoveFinding(
            one.place, column("publishedOn"), "", "day.missing", element: "publishedOn",
            Text("没有发布日期，记为迁入当天。", "It has no day of publishing; the day it moved in stands in its place."), .replaced))
      }
    }
    return resource
  }

  /// The primary class must be of the national tree or stand for one of it.
  private func classes(
    _ one: MoveCandidate, _ office: Organisation, _ findings: inout [MoveFinding], in tx: any Transaction
  ) throws -> [String] {
    let mapped = one.metadata.classes.filter { tree.national(of: $0) != nil }
    let others = one.metadata.classes.filter { tree.national(of: $0) == nil }
    guard mapped.isEmpty, let node = try codeNode(of: office.id, cataloguing.providers, tree, in: tx) else {
      return mapped + others
    }
    findings.append(
      MoveFinding(
        one.place, "", one.metadata.classes.joined(separator: " "), "class.none", element: "classes",
        Text(
          "没有国家分类或与其对应的分类，以提供方的节点 \(node) 为主分类。",
          "It is in no national class and in none that stands for one; the provider's node \(node) became its primary class."
        ),
        .replaced))
    return [node] + others.prefix(Metadata.limits.classes - 1)
  }

  private mutating func system(
    _ one: MoveCandidate, _ office: OrganisationID, _ findings: inout [MoveFinding], in tx: any Transaction
  ) throws -> SystemID? {
    guard !one.system.isEmpty else { return nil }
    if systems[office] == nil { systems[office] = try InventoryStore.systems(of: office, in: tx) }
    if let found = systems[office]?.first(where: { $0.facts.name == one.system }) { return found.id }
    findings.append(
      MoveFinding(
        one.place, column("system"), one.system, "system.unknown", element: "system",
        Text(
          "本单位没有登记这个信息系统，请登记后在新版本中关联。",
          "The office has registered no such system; register it and name it in a new version."),
        .leftOut))
    return nil
  }

  /// What was in force stays so, and what was taken offline is offline here and can come back; unless nobody could use it:
  /// without sharing type or code it comes as a draft.
  private mutating func state(
    _ one: MoveCandidate, _ resource: inout Resource, _ findings: inout [MoveFinding], in tx: any Transaction
  ) throws -> VersionState {
    switch one.state {
    case .draft, .submitted: return .draft
    case .returned: return .returned
    case .approved, .published, .withdrawn: break
    }
    guard !resource.metadata.sharingType.isEmpty else {
      findings.append(
        MoveFinding(
          one.place, column("sharingType"), "", "sharing.missing", element: "sharingType",
          Text("没有可用的共享类型，不能继续有效。", "It has no sharing type and cannot stay in force."), .draftOnly))
      return .draft
    }
    if let code = resource.code {
      if tree[code.node] == nil {
        findings.append(
          MoveFinding(
            one.place, column("code"), code.description, "code.node", element: "code",
            Text("代码的分类节点 \(code.node) 不在分类中；代码照旧使用。", "The code's node \(code.node) is no class; the code stays."),
            .kept))
      }
    } else {
      guard let node = try codeNode(of: resource.provider, cataloguing.providers, tree, in: tx) else {
        findings.append(
          MoveFinding(
            one.place, column("code"), one.oldCode, "code.no-node", element: "code",
            Text("没有代码，提供方也没有分类节点，无法编码。", "It has no code, and its provider no node to make one."), .draftOnly))
        return .draft
      }
      let number = try trial?.number(under: node, in: tx) ?? CatalogStore.next("code/\(node)", in: tx)
      let code = ResourceCode(node: node, number: number)
      resource.code = code
      findings.append(
        MoveFinding(
          one.place, column("code"), one.oldCode, "code.new", element: "code",
          Text("按规则编为 \(code)。", "By rule it became \(code)."), .newCode))
    }
    guard one.state != .approved else { return .approved }
    resource.online = one.state == .withdrawn ? .offline : .online
    return .published
  }

  private func ruleFindings(
    _ resource: Resource, _ place: ExportPlace, in tx: any Transaction
  ) throws -> [MoveFinding] {
    var judged = resource
    judged.metadata.related.removeAll { codes.contains($0) }
    return try cataloguing.findings(of: judged, classification: tree, supposing: trial, in: tx)
      .filter { $0.severity == .error }.prefix(50)
      .map { MoveFinding(place, "", "", "rule.\($0.code)", element: $0.field, $0.message, .kept) }
  }
}

extension Mover.Result {
  fileprivate mutating func note(_ resource: Resource) {
    entry.resource = resource.id
    entry.code = resource.code?.description
    entry.state = resource.state
    entry.online = resource.online
  }
}
