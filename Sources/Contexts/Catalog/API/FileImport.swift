internal import Connecting
internal import Foundation
package import Kernel
internal import NationalCrypto
internal import Web

extension Cataloguing {
  /// Imports a file of any kind by the judgement of the site. JSON is what the programming interface takes. What is rejected
  /// goes to `rejected`: rows of a workbook or CSV to a workbook; entries of JSON to an array of them, each as it was given
  /// with its `findings`, which an import passes over when the corrected file comes back.
  package func importFile(
    _ principal: Principal, _ path: String, named file: String, _ mode: TakingMode, rejected: String,
    _ language: Language
  ) async throws -> ImportSummary {
    guard CatalogFile.kind(path) == .json else {
      return try await importWorkbook(principal, path, named: file, mode, rejected: rejected, language)
    }
    let now = clock.now()
    let (given, bytes) = try await BlockingThread.run { try CatalogFile.readJSON(path, at: now) }
    let taken = try await take(principal, given, mode, from: TakingOrigin(name: file, digest: SM3.hash(bytes).hex))
    var summary = ImportSummary(file: file)
    var reasons: [String: ImportSummary.Reason] = [:]
    for (index, entry) in taken.enumerated() {
      let items = given[index].items.count
      switch entry.outcome {
      case .created, .updated:
        summary.kept = (summary.kept.resources + 1, summary.kept.items + items)
        if entry.findings.contains(where: { $0.severity == .warning }) { summary.warned += 1 }
      case .unchanged: summary.unchanged += 1
      case .refused:
        summary.rejected = (summary.rejected.resources + 1, summary.rejected.items + items)
        for finding in entry.findings where finding.severity == .error {
          let example = CatalogFile.text(finding, index)
          reasons[finding.code, default: .init(code: finding.code, example: example, rows: 0)].rows += 1
        }
      }
    }
    summary.reasons = reasons.values.sorted { ($1.rows, $0.code) < ($0.rows, $1.code) }
    if summary.hasRejected {
      try await BlockingThread.run { try CatalogFile.writeRejected(bytes, taken, to: rejected, language) }
    }
    return summary
  }
}

extension CatalogFile {
  /// What is wrong with a file, as far as that can be said without a node; blocks while it reads. `place` says where, in words.
  package static func check(_ path: String, at now: Instant) throws -> WorkbookReport {
    let workbook = CatalogWorkbook(on: now.dateInChina)
    switch kind(path) {
    case .xlsx, nil: return try workbook.check(path, at: now)
    case .csv:
      return workbook.report(try workbook.readCSV(path, at: now), at: now)
    case .json:
      let (given, _) = try readJSON(path, at: now)
      var report = WorkbookReport(
        resources: given.count, items: given.reduce(0) { $0 + $1.items.count }, problems: [])
      for (index, entry) in given.enumerated() {
        let unread = Set(entry.faults.map(\.field))
        let judged = entry.isUnread ? [] : workbook.findings(entry.metadata, entry.system, entry.items, at: now)
        for finding in entry.faults + judged.filter({ !unread.contains($0.field) }) where finding.severity != .hint {
          report.problems.append(
            WorkbookProblem(
              severity: finding.severity, code: finding.code, sheet: .resources, row: index + 1, column: nil,
              columnTitle: nil, message: finding.message, place: place(finding, index)))
        }
      }
      return report
    }
  }

  fileprivate static func readJSON(_ path: String, at now: Instant) throws -> ([GivenEntry], [UInt8]) {
    guard let handle = FileHandle(forReadingAtPath: path) else {
      throw Refusal(.notFound, "catalog.file", Text("无法读取 \(path)。", "Cannot read \(path)."))
    }
    let bytes = Array(try handle.read(upToCount: BulkAPI.most.bytes + 1) ?? Data())
    guard bytes.count <= BulkAPI.most.bytes else {
      throw Refusal(
        .tooLarge, "catalog.file.size",
        Text("文件超过 \(BulkAPI.most.bytes >> 20) MiB。", "The file is larger than \(BulkAPI.most.bytes >> 20) MiB."))
    }
    return (try BulkAPI.read(bytes, at: now), bytes)
  }

  /// Of the entries in `bytes`, those that were refused, with why; blocks while it writes.
  fileprivate static func writeRejected(
    _ bytes: [UInt8], _ taken: [TakenEntry], to path: String, _ language: Language
  ) throws {
    let output = try TextOutput(path)
    var (index, isFirst) = (0, true)
    try JSONParser.each(in: bytes, maxValues: 20_000) { value in
      defer { index += 1 }
      guard taken[index].outcome == .refused else { return }
      let findings: JSON = .array(taken[index].findings.filter { $0.severity != .hint }.map { $0.json(language) })
      // What is no object stands beside its findings.
      let members = value.members?.map { ($0.name, $0.value) }.filter { $0.0 != "findings" } ?? [("given", value)]
      try output.write((isFirst ? "[\n" : ",\n") + JSON.object(members + [("findings", findings)]).text)
      isFirst = false
    }
    try output.write("\n]\n")
    try output.end()
  }

  private static func place(_ finding: Finding, _ index: Int) -> Text {
    Text("第 \(index + 1) 条 \(finding.pointer)", "entry \(index + 1) \(finding.pointer)")
  }

  fileprivate static func text(_ finding: Finding, _ index: Int) -> Text {
    let place = place(finding, index)
    return Text("\(place.chinese)：\(finding.message.chinese)", "In \(place.english): \(finding.message.english)")
  }
}
