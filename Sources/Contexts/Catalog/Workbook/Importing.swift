internal import Connecting
internal import Foundation
package import Kernel
internal import NationalCrypto

/// What became of a file that was imported.
package struct ImportSummary: Sendable {
  package struct Reason: Hashable, Sendable {
    package var code: String
    /// As the first row it concerns was told.
    package var example: Text
    package var rows: Int
  }

  /// The file's name as its sender had it.
  package var file: String
  /// Resources and items kept as drafts, changed ones among them.
  package var kept = (resources: 0, items: 0)
  /// Of the kept ones, those with something to look at again.
  package var warned = 0
  /// Resources that stand in the catalogue as the file has them.
  package var unchanged = 0
  /// Resources not kept, and items not kept (those of no resource among them).
  package var rejected = (resources: 0, items: 0)
  /// The most frequent first.
  package var reasons: [Reason] = []
  /// The rejected rows lie in the file that was asked for; there is none when nothing was rejected.
  package var hasRejected: Bool { rejected.resources + rejected.items > 0 }
}

extension Cataloguing {
  /// Keeps what is right in a workbook, or in a CSV file of the same columns, as drafts of the principal's own organisation, a
  /// resource with all its items or not at all; what is not goes to a workbook of the same shape at `rejected`, each row with
  /// its reason.
  ///
  /// All of it is one transaction with one record in the log: interrupted, it leaves nothing or the whole. The same file twice
  /// makes nothing twice. An entry that is there already and says something else is rejected under `.add`, and changed under
  /// `.update`; which it is, says its code where the file has one, else its name.
  package func importWorkbook(
    _ principal: Principal, _ path: String, named file: String, _ mode: TakingMode = .add, rejected: String,
    _ language: Language
  ) async throws -> ImportSummary {
    try principal.require(.compileCatalog)
    let now = clock.now()
    let workbook = CatalogWorkbook(lists: lists, on: now.dateInChina)
    let (found, digest) = try await BlockingThread.run {
      let found = try CatalogFile.kind(path) == .csv ? workbook.readCSV(path, at: now) : workbook.read(path, at: now)
      return (found, try sm3(ofFileAt: path))
    }
    guard !found.resources.isEmpty || !found.items.isEmpty else {
      throw Refusal.invalid(
        "catalog.import.empty", "workbook",
        found.hasSheets
          ? Text("“信息资源目录”表中没有填写任何行。", "No row of the sheet “Resources” is filled in.")
          : Text("文件只有表头，没有任何行。", "The file has titles and no rows."))
    }
    let given = found.entries.map { entry in
      let told = found.resources[entry.row].told
      return GivenEntry(
        code: told[.code] ?? "", providers: told[.provider].map { [("provider", $0)] } ?? [], metadata: entry.metadata,
        system: entry.system,
        items: entry.items, isUnread: found.isUnread(entry))
    }
    let taken = try await take(principal, given, mode, from: TakingOrigin(name: file, digest: digest))
    let outcome = ImportOutcome(taken, found, workbook)
    if outcome.rejected.isEmpty, !found.items.contains(where: { !$0.problems.isEmpty }) {
      return found.summary(outcome, file)
    }
    try await BlockingThread.run { try workbook.writeRejected(found, outcome, to: rejected, language) }
    return found.summary(outcome, file)
  }
}

/// SM3 of a file, read in pieces.
private func sm3(ofFileAt path: String) throws -> String {
  let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
  defer { try? file.close() }
  var hash = SM3()
  while let piece = try file.read(upToCount: 1 << 20), !piece.isEmpty { piece.withUnsafeBytes { hash.update($0) } }
  return hash.finish().hex
}

/// Of the entries, by their index: what was kept, and what the rules said of all.
struct ImportOutcome: Sendable {
  var kept: [Int] = []
  var unchanged: [Int] = []
  var rejected: [Int] = []
  var problems: [WorkbookProblem] = []

  init(_ taken: [TakenEntry], _ found: WorkbookEntries, _ workbook: CatalogWorkbook) {
    for (index, entry) in taken.enumerated() {
      problems += workbook.problems(entry.findings, found.entries[index], found)
      switch entry.outcome {
      case .created, .updated: kept.append(index)
      case .unchanged: unchanged.append(index)
      case .refused: rejected.append(index)
      }
    }
  }
}

extension WorkbookEntries {
  func summary(_ outcome: ImportOutcome, _ file: String) -> ImportSummary {
    var summary = ImportSummary(file: file)
    let keptItems = outcome.kept.reduce(0) { $0 + entries[$1].items.count }
    let unchangedItems = outcome.unchanged.reduce(0) { $0 + entries[$1].items.count }
    summary.kept = (outcome.kept.count, keptItems)
    summary.unchanged = outcome.unchanged.count
    summary.rejected = (outcome.rejected.count, items.count - keptItems - unchangedItems)
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
      let example = (hasSheets ? problem : problem.byLine()).text
      reasons[problem.code, default: .init(code: problem.code, example: example, rows: 0)].rows += 1
    }
    summary.reasons = reasons.values.sorted { ($1.rows, $0.code) < ($0.rows, $1.code) }
    return summary
  }
}
