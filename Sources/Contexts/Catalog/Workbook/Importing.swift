internal import Connecting
internal import Identity
internal import Inventory
package import Kernel
internal import Storage

/// What became of a workbook that was imported.
package struct ImportSummary: Sendable {
  package struct Reason: Hashable, Sendable {
    package var code: String
    /// As the first row it concerns was told.
    package var example: Text
    package var rows: Int
  }

  /// The file's name as its sender had it.
  package var file: String
  /// Resources and items kept as drafts.
  package var kept = (resources: 0, items: 0)
  /// Of the kept ones, those with something to look at again.
  package var warned = 0
  /// Resources not kept, and items not kept (those of no resource among them).
  package var rejected = (resources: 0, items: 0)
  /// The most frequent first.
  package var reasons: [Reason] = []
  /// The rejected rows lie in the file that was asked for; there is none when nothing was rejected.
  package var hasRejected: Bool { rejected.resources + rejected.items > 0 }
}

extension Cataloguing {
  /// A transaction keeps at most so many resources, and closes after so many items.
  private static let batch = (resources: 200, items: 4000)

  /// Keeps what is right in a workbook as drafts of the principal's own organisation, a resource with all its items or
  /// not at all; what is not goes to a workbook of the same shape at `rejected`, each row with its reason.
  ///
  /// The same file twice makes nothing twice: names that are taken are rejected. Interrupted, it leaves whole drafts.
  package func importWorkbook(
    _ principal: Principal, _ path: String, named file: String, rejected: String, _ language: Language
  ) async throws -> ImportSummary {
    try principal.require(.compileCatalog)
    guard let provider = principal.organisation else { throw Refusal.forbidden(.compileCatalog) }
    let now = clock.now()
    let workbook = CatalogWorkbook(lists: lists, on: now.dateInChina)
    var found = try await BlockingThread.run { try workbook.read(path, at: now) }
    guard !found.resources.isEmpty || !found.items.isEmpty else {
      throw Refusal.invalid(
        "catalog.import.empty", "workbook",
        Text("“信息资源目录”表中没有填写任何行。", "No row of the sheet “Resources” is filled in."))
    }
    let systems = try await db.read { tx in try InventoryStore.systems(of: provider, in: tx) }
    let known = SystemNames(systems)
    var resources: [Resource] = []
    let office = try await db.read { tx in try providers.organisation(provider, tx) }
    guard let office else { throw Refusal.forbidden(.compileCatalog) }
    for entry in found.entries {
      let system = known.find(entry.system)
      if system == nil, !entry.system.isEmpty {
        found.reject(entry.row, "system", workbook, "system", Self.noSuchSystem(entry.system))
      }
      resources.append(
        Resource(
          id: .make(at: now), provider: provider, providerName: office.name, providerCode: office.creditCode,
          system: system, metadata: entry.metadata, items: entry.items, mount: nil, lists: lists.version, changedAt: now
        ))
    }
    var outcome = ImportOutcome()
    var start = 0
    while start < found.entries.count {
      var end = start
      var items = 0
      while end < found.entries.count, end - start < Self.batch.resources, items < Self.batch.items {
        items += found.entries[end].items.count
        end += 1
      }
      let range = start..<end
      let (entries, drafts) = (found, resources)
      outcome += try await db.write { tx in
        var outcome = ImportOutcome()
        for index in range {
          let resource = drafts[index]
          let entry = entries.entries[index]
          let problems = try workbook.problems(findings(of: resource, in: tx), entry, entries)
          outcome.problems += problems
          if problems.contains(where: { $0.severity == .error }) || entries.isUnread(entry) {
            outcome.rejected.append(index)
            continue
          }
          try CatalogStore.insert(resource, in: tx)
          try record(nil, "catalog.draft.begin", resource, by: principal, at: now, detail: [("import", file)], in: tx)
          outcome.kept.append(index)
        }
        return outcome
      }
      start = end
    }
    if outcome.rejected.isEmpty, !found.items.contains(where: { !$0.problems.isEmpty }) {
      return found.summary(outcome, file)
    }
    let (entries, done) = (found, outcome)
    try await BlockingThread.run { try workbook.writeRejected(entries, done, to: rejected, language) }
    return found.summary(outcome, file)
  }

  private static func noSuchSystem(_ entered: String) -> Text {
    Text(
      "“\(entered.prefix(40))”不是本单位登记的信息系统的编号或名称。",
      "“\(entered.prefix(40))” is neither number nor name of a system your organisation registered.")
  }
}

/// The systems of an office as people name them.
private struct SystemNames {
  private var byText: [String: SystemID] = [:]

  init(_ systems: [InformationSystem]) {
    for system in systems {
      let name = foldedForSearch(system.facts.name)
      byText[name] = system.id
      byText[foldedForSearch(system.number)] = system.id
      byText[foldedForSearch("\(system.facts.name)（\(system.number)）")] = system.id
      byText[foldedForSearch("\(system.number) \(system.facts.name)")] = system.id
    }
  }

  func find(_ entered: String) -> SystemID? { entered.isEmpty ? nil : byText[foldedForSearch(entered)] }
}

/// Of the entries, by their index: what was kept, and what the rules said of all.
struct ImportOutcome: Sendable {
  var kept: [Int] = []
  var rejected: [Int] = []
  var problems: [WorkbookProblem] = []

  static func += (a: inout ImportOutcome, b: ImportOutcome) {
    a.kept += b.kept
    a.rejected += b.rejected
    a.problems += b.problems
  }
}

extension WorkbookEntries {
  func summary(_ outcome: ImportOutcome, _ file: String) -> ImportSummary {
    var summary = ImportSummary(file: file)
    let keptItems = outcome.kept.reduce(0) { $0 + entries[$1].items.count }
    summary.kept = (outcome.kept.count, keptItems)
    summary.rejected = (outcome.rejected.count, items.count - keptItems)
    let warnedRows = Set(
      outcome.problems.map { problem in "\(problem.sheet)\(problem.row)" })
    summary.warned = outcome.kept.count { index in
      let entry = entries[index]
      return warnedRows.contains("\(WorkbookSheet.resources)\(resources[entry.row].number)")
        || entry.itemRows.contains { warnedRows.contains("\(WorkbookSheet.items)\(items[$0].number)") }
    }
    var reasons: [String: ImportSummary.Reason] = [:]
    let unread = resources.flatMap(\.problems) + items.flatMap(\.problems)
    for problem in unread + outcome.problems where problem.severity == .error {
      reasons[problem.code, default: .init(code: problem.code, example: problem.text, rows: 0)].rows += 1
    }
    summary.reasons = reasons.values.sorted { ($1.rows, $0.code) < ($0.rows, $1.code) }
    return summary
  }
}
