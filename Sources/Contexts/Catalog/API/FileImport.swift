internal import Connecting
internal import Foundation
package import Kernel
internal import NationalCrypto
internal import Web

extension Cataloguing {
  /// Imports a file of any kind by the judgement of the site. JSON is what the programming interface takes; the rejected
  /// rows of a workbook or CSV go to a workbook at `rejected`.
  package func importFile(
    _ principal: Principal, _ path: String, named file: String, _ mode: TakingMode, rejected: String,
    _ language: Language
  ) async throws -> ImportSummary {
    guard CatalogFile.kind(path) == .json else {
      return try await importWorkbook(principal, path, named: file, mode, rejected: rejected, language)
    }
    let now = clock.now()
    let (given, digest) = try await BlockingThread.run { try CatalogFile.readJSON(path, at: now) }
    let taken = try await take(principal, given, mode, from: TakingOrigin(name: file, digest: digest))
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
    return summary
  }
}

extension CatalogFile {
  /// What is wrong with a file, as far as that can be said without a node; blocks while it reads. `place` says where, in words.
  package static func check(_ path: String, at now: Instant) throws -> WorkbookReport {
    let workbook = CatalogWorkbook(on: now.dateInChina)
    switch kind(path) {
    case .xlsx: return try workbook.check(path, at: now)
    case .csv:
      var report = workbook.report(try workbook.readCSV(path, at: now), at: now)
      for index in report.problems.indices {
        let row = report.problems[index].row
        report.problems[index].place = Text("第 \(row) 行", "line \(row)")
      }
      return report
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

  fileprivate static func readJSON(_ path: String, at now: Instant) throws -> ([GivenEntry], String) {
    guard let handle = FileHandle(forReadingAtPath: path) else {
      throw Refusal(.notFound, "catalog.file", Text("无法读取 \(path)。", "Cannot read \(path)."))
    }
    let bytes = Array(try handle.read(upToCount: BulkAPI.most.bytes + 1) ?? Data())
    guard bytes.count <= BulkAPI.most.bytes else {
      throw Refusal(
        .tooLarge, "catalog.file.size",
        Text("文件超过 \(BulkAPI.most.bytes >> 20) MiB。", "The file is larger than \(BulkAPI.most.bytes >> 20) MiB."))
    }
    return (try BulkAPI.read(bytes, at: now), SM3.hash(bytes).hex)
  }

  private static func place(_ finding: Finding, _ index: Int) -> Text {
    Text("第 \(index + 1) 条 \(finding.pointer)", "entry \(index + 1) \(finding.pointer)")
  }

  fileprivate static func text(_ finding: Finding, _ index: Int) -> Text {
    let place = place(finding, index)
    return Text("\(place.chinese)：\(finding.message.chinese)", "In \(place.english): \(finding.message.english)")
  }
}
