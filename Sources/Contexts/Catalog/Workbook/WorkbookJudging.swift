internal import Inventory
package import Kernel
internal import Spreadsheets

/// What `sanjiang catalog check` says of a file.
package struct WorkbookReport: Sendable {
  package var resources: Int
  package var items: Int
  /// Errors and warnings in the order of the rows.
  package var problems: [WorkbookProblem]
}

extension CatalogWorkbook {
  /// Judges a file by everything that needs no node: not whether names are taken, systems are registered and related
  /// codes published. Blocks while it reads.
  package func check(_ path: String, at now: Instant) throws -> WorkbookReport {
    report(try read(path, at: now), at: now)
  }

  func report(_ found: WorkbookEntries, at now: Instant) -> WorkbookReport {
    var problems = found.resources.flatMap(\.problems) + found.items.flatMap(\.problems)
    for entry in found.entries {
      let findings = findings(entry.metadata, entry.system, entry.items, at: now)
      problems += self.problems(findings, entry, found)
    }
    problems.sort {
      ($0.sheet == .resources ? 0 : 1, $0.row, $0.column ?? -1) < (
        $1.sheet == .resources ? 0 : 1, $1.row, $1.column ?? -1
      )
    }
    return WorkbookReport(
      resources: found.resources.count, items: found.items.count,
      problems: found.hasSheets ? problems : problems.map { $0.byLine() })
  }

  /// What the rules that need no node say of an entry.
  func findings(_ metadata: Metadata, _ system: String, _ items: [Item], at now: Instant) -> [Finding] {
    // Any system and any office: the rules that ask for the real ones are the node's.
    let resource = Resource(
      id: .make(at: now), provider: .make(at: now), providerName: "", providerCode: "",
      system: system.isEmpty ? nil : .make(at: now), metadata: metadata, items: items, mount: nil, changedAt: now)
    return Catalog.findings(of: resource, in: RuleContext(lists: lists, today: today))
      .filter { !$0.field.hasPrefix("provider") }
  }

  /// What the rules find, at the cells it is about. Hints speak of what only the site can do (a mount, say).
  func problems(_ findings: [Finding], _ entry: WorkbookEntry, _ found: WorkbookEntries) -> [WorkbookProblem] {
    findings.filter { $0.severity != .hint }.compactMap { finding in
      let parts = finding.field.split(separator: ".")
      if parts.count == 3, parts[0] == "item", let index = Int(parts[1]), index < entry.itemRows.count {
        return problem(finding, .items, found.items[entry.itemRows[index]], String(parts[2]), found)
      }
      return problem(finding, .resources, found.resources[entry.row], finding.field, found)
    }
  }

  private func problem(
    _ finding: Finding, _ sheet: WorkbookSheet, _ row: GivenRow, _ field: String, _ found: WorkbookEntries
  ) -> WorkbookProblem? {
    guard !row.unread.contains(field) else { return nil }
    return WorkbookProblem(
      severity: finding.severity, code: finding.code, sheet: sheet, row: row.number,
      column: found.places[sheet]?[field],
      columnTitle: columns(of: sheet).first { $0.field == field }?.title
        ?? ToldColumn.allCases.first { $0.field == field }?.title,
      message: finding.message)
  }
}
