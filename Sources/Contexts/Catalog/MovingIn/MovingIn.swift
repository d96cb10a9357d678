internal import Audit
internal import Connecting
internal import Identity
internal import Inbox
internal import Inventory
package import Kernel
internal import Storage

// An existing catalogue system moves in: its classes, entries, items and history, from its export.
//
// An entry is whole or not there at all; broken off, the same call goes on where it stopped. The same export a second
// time changes nothing, a later one moves only what differs, and what people changed here since is left alone.

extension Cataloguing {
  /// Entries kept in one transaction; each is whole in it.
  private static let moveBatch = 100

  /// Moves an export in. With `isTrial` nothing is kept, and the report says what would be.
  ///
  /// For the node's keeper at the command line, who stands outside the roles of the site, and for the operator, whose
  /// files `ImportDesk` bounds (`most` entries; more are refused before anything is kept). What was published stays in
  /// force, published on the day it was there, also where it breaks our rules: the findings become a task of its
  /// department. Reads the whole export into memory, about 20 kB an entry of eight items.
  ///
  /// An export that lacks a table or a needed column is refused before anything is kept, but for the tables `without`; then
  /// what was moved in before is left as it is.
  package func moveIn(
    from path: String, named folder: String, by mapping: MoveMapping, isTrial: Bool, without waived: [String] = [],
    most: Int = .max, principal: Principal = .system(),
    progress: @escaping @Sendable (_ done: Int, _ of: Int) -> Void = { _, _ in }
  ) async throws -> MoveReport {
    try mapping.check()
    let now = clock.now()
    let export = try await BlockingThread.run { try MoveExport(ExportFolder(path), mapping, waived: waived) }
    guard export.entries.count <= most else {
      throw Refusal(
        .tooLarge, "catalog.move.entries",
        Text(
          "导出有 \(export.entries.count) 条目录，网页一次最多迁入 \(most) 条；请在服务器上运行 sanjiang catalog move-in。",
          "The export has \(export.entries.count) entries; \(most) at most are moved in here. Run sanjiang catalog move-in on the server."
        ))
    }
    let classes = try await moveClasses(export, mapping, isTrial: isTrial, principal, now)
    var reading = MoveReading(mapping, export, classCodes: classes.codes, lists: lists, at: now)
    var candidates = export.entries.map { reading.candidate($0) }
    refuseRepeatedCodes(&candidates, mapping)
    var report = MoveReport(source: mapping.source, title: mapping.title, folder: String(folder.suffix(200)))
    report.items = export.itemCount
    report.findings = mapping.naming(export.findings + classes.findings)
    report.classes = classes.theirs.compactMap { class_ in
      classes.codes[class_.id].map { code in
        (class_.code, class_.name, code, classes.made.contains { $0.code == code })
      }
    }
    report.codes = reading.codes.sorted { $0.key < $1.key }.flatMap { field, uses in
      uses.sorted { $0.key < $1.key }.map {
        MovedCode(field: field, theirs: $0.key, ours: $0.value.ours, times: $0.value.times)
      }
    }
    let groups = versionGroups(candidates, &report.findings)
    let run = MoveRunID.make(at: now)
    let numbers = highestNumbers(candidates)
    var mover = Mover(
      cataloguing: self, mapping: mapping, tree: classes.tree, trial: isTrial ? MoveTrial(numbers: numbers) : nil,
      isPartial: export.isPartial,
      principal: principal, now: now,
      codes: Set(candidates.compactMap { $0.code?.description }), offices: MoveOffices(providers, on: clock.today))
    if !isTrial {
      report.run = run
      let (read, findings, folder) = (candidates.count, report.findings, report.folder)
      try await db.write { tx in
        try MoveStore.begin(
          run, source: mapping.source, folder: folder, by: principal.name, read: read, at: now,
          in: tx)
        try MoveStore.insert(findings, of: run, from: 1, in: tx)
        for (node, number) in numbers.sorted(by: { $0.key < $1.key }) { try MoveStore.raise(node, to: number, in: tx) }
      }
    }
    var stored = report.findings.count
    for start in stride(from: 0, to: groups.count, by: Self.moveBatch) {
      try Task.checkCancellation()
      let batch = Array(groups[start..<min(start + Self.moveBatch, groups.count)])
      let (before, sofar, position) = (mover, report, stored)
      let body: @Sendable (any Transaction) throws -> (mover: Mover, results: [Mover.Result]) = { tx in
        var mover = before
        let results = try batch.map { versions in
          var result = try mover.move(versions, in: tx)
          result.findings = mapping.naming(result.findings)
          return result
        }
        if !isTrial {
          let fresh = results.filter { $0.entry.outcome.isTaken }.flatMap(\.findings)
          try MoveStore.insert(fresh, of: run, from: position + 1, in: tx)
          var counted = sofar
          counted.entries += results.map(\.entry)
          try MoveStore.count(run, counted, findings: position + fresh.count, endedAt: nil, in: tx)
        }
        return (mover, results)
      }
      let done = try await isTrial ? db.read(body) : db.write(body)
      mover = done.mover
      stored += done.results.filter { $0.entry.outcome.isTaken }.flatMap(\.findings).count
      report.entries += done.results.map(\.entry)
      report.findings += done.results.flatMap(\.findings)
      progress(report.entries.count, groups.count)
    }
    if !isTrial { try await finish(run, report, stored, mover.withFindings, mapping, principal, now) }
    return report
  }

  // MARK: Parts

  private func moveClasses(
    _ export: MoveExport, _ mapping: MoveMapping, isTrial: Bool, _ principal: Principal, _ now: Instant
  ) async throws -> MoveClasses {
    let today = clock.today
    do {
      return try await db.write { tx in
        var classes = MoveClasses(
          export, mapping, known: try MoveStore.classes(mapping.source, in: tx), tree: try classification(in: tx),
          on: today)
        try classes.resolveAll { draft, tree in try add(draft, to: &tree, by: principal, at: now, in: tx) }
        guard !isTrial else { throw Trial(classes: classes) }
        for (id, code) in classes.codes { try MoveStore.keep(mapping.source, class: id, as: code, in: tx) }
        if !classes.made.isEmpty { try ClassStore.changed(mapping: false, in: tx) }
        return classes
      }
    } catch let trial as Trial { return trial.classes }
  }

  /// Undoes the transaction, and carries out of it what would have been.
  private struct Trial: Error { var classes: MoveClasses }

  /// Of two rows with one code the first has it.
  private func refuseRepeatedCodes(_ candidates: inout [MoveCandidate], _ mapping: MoveMapping) {
    var holders: [String: ExportPlace] = [:]
    for index in candidates.indices where !candidates[index].isLeftOut {
      guard let code = candidates[index].code, candidates[index].previous.isEmpty else { continue }
      if let first = holders[code.description] {
        candidates[index].isLeftOut = true
        candidates[index].findings.append(
          MoveFinding(
            candidates[index].place, "", code.description, "code.taken",
            Text(
              "代码已由 \(first.file) 第 \(first.line) 行的目录使用。",
              "The entry in line \(first.line) of \(first.file) has this code."),
            .leftOut))
      } else {
        holders[code.description] = candidates[index].place
      }
    }
  }

  /// By node; no number up to these will be given again.
  private func highestNumbers(_ candidates: [MoveCandidate]) -> [String: Int] {
    var highest: [String: Int] = [:]
    for code in candidates.flatMap({ [$0.code].compactMap { $0 } + $0.otherCodes }) {
      highest[code.node] = max(highest[code.node] ?? 0, code.number)
    }
    return highest
  }

  /// The versions of one entry together, oldest first; the groups by the day the last was published, so that what is
  /// newest there is newest here.
  private func versionGroups(_ candidates: [MoveCandidate], _ findings: inout [MoveFinding]) -> [[MoveCandidate]] {
    var byID: [String: Int] = [:]
    for (index, one) in candidates.enumerated() { byID[one.oldID] = index }
    var next: [Int: Int] = [:]
    var isLater: Set<Int> = []
    for (index, one) in candidates.enumerated() where !one.previous.isEmpty && one.previous != "0" {
      guard let before = byID[one.previous], next[before] == nil, before != index else { continue }
      next[before] = index
      isLater.insert(index)
    }
    var groups: [[MoveCandidate]] = []
    for index in candidates.indices where !isLater.contains(index) {
      var group = [candidates[index]]
      var here = index
      while let after = next[here], group.count < 1000 {
        group.append(candidates[after])
        here = after
      }
      groups.append(group)
    }
    let grouped = groups.reduce(0) { $0 + $1.count }
    if grouped < candidates.count, let first = candidates.first {
      findings.append(
        MoveFinding(
          ExportPlace(file: first.place.file, line: 0), "", "", "version.circle",
          Text(
            "\(candidates.count - grouped) 行的版本首尾相接，看不出先后。",
            "\(candidates.count - grouped) rows follow each other in a circle."),
          .leftOut))
    }
    func day(_ group: [MoveCandidate]) -> Int { group.last?.publishedOn?.daysSince1970 ?? .max }
    return groups.enumerated().sorted { (day($0.element), $0.offset) < (day($1.element), $1.offset) }.map(\.element)
  }

  private func finish(
    _ run: MoveRunID, _ report: MoveReport, _ findings: Int, _ providers: [OrganisationID: Int],
    _ mapping: MoveMapping, _ principal: Principal, _ now: Instant
  ) async throws {
    let ended = clock.now()
    try await db.write { tx in
      try MoveStore.count(run, report, findings: findings, endedAt: ended, in: tx)
      guard report.count(.moved) + report.count(.changed) > 0 else { return }
      for (office, count) in providers.sorted(by: { $0.key.text < $1.key.text }) {
        let subject = "\(mapping.source)/\(office)"
        try Inbox.close(subject: "catalog-move", subject, by: principal, at: now, in: tx)
        try Inbox.post(
          InboxTask(
            kind: "catalog.move.mend",
            title: Text(
              "从“\(mapping.title)”迁入的 \(count) 条目录有待整改", "\(count) entries moved in from “\(mapping.title)” to mend"),
            link: CatalogPath.moved, for: .office(office, .compileCatalog), subject: ("catalog-move", subject),
            at: now), in: tx)
      }
      try AuditLog.record(
        AuditEntry(
          at: now, actor: principal, action: "catalog.move.run", subjectKind: "catalog-move", subject: run.text,
          subjectName: mapping.title,
          detail: [
            ("source", mapping.source), ("moved", "\(report.count(.moved))"), ("changed", "\(report.count(.changed))"),
            ("findings", "\(findings)"), ("file", report.folder),
          ]), in: tx)
    }
  }
}
