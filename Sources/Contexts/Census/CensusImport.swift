package import Catalog
import Connecting
import Foundation
package import Kernel
import Storage

/// What became of a file that was sent, as it lies on the desk.
package struct CensusImportSummary: Sendable, Hashable, Codable {
  /// The return it was sent for.
  var owner: String
  /// As its sender called it.
  package var file: String
  package var kept: Int
  /// They lie on the desk as a workbook; there is none when this is nought.
  package var rejected: Int
}

extension Census {
  /// A return as a workbook, prefilled with what stands in it.
  package func workbook(
    _ principal: Principal, _ id: CensusReturnID, _ language: Language
  ) async throws -> (name: String, bytes: [UInt8]) {
    let (campaign, owner, lines) = try await allLines(principal, id)
    let bytes = try await BlockingThread.run {
      try Self.made { try CensusWorkbook(language: language).write(lines, to: $0) }
    }
    return ("\(campaign.name)-\(owner.officeName).xlsx", bytes)
  }

  /// The bytes of a workbook that `write` makes at a path; blocks.
  static func made(_ write: (_ path: String) throws -> Void) throws -> [UInt8] {
    let path = NSTemporaryDirectory() + "/sanjiang-census-\(UUID().uuidString).xlsx"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try write(path)
    return Array(try Data(contentsOf: URL(fileURLWithPath: path)))
  }

  /// Every line of a return, for a file; refused where that would be no file for people.
  func allLines(
    _ principal: Principal, _ id: CensusReturnID
  ) async throws -> (Campaign, CensusReturn, [CensusLine]) {
    try await database.read { tx in
      let (campaign, owner) = try visible(principal, id, in: tx)
      guard owner.lines <= CensusWorkbook.mostLines else {
        throw Refusal(
          .tooLarge, "census.workbook.lines",
          Text(
            "本单位有 \(owner.lines) 条资源，超过工作簿的上限 \(CensusWorkbook.mostLines) 行，请用接口填报。",
            "There are \(owner.lines) resources, more than the \(CensusWorkbook.mostLines) rows of a workbook; use the programming interface."
          ))
      }
      return (
        campaign, owner,
        try LineStore.list(
          .init(campaign: campaign.id, owner: id, limit: CensusWorkbook.mostLines), in: tx)
      )
    }
  }

  /// Takes a file that was filled in, a workbook or the CSV that a return is downloaded as: what is right is kept, the rest
  /// waits on the desk as a workbook with its reasons. A file that is none of ours is refused as a whole. The key is by which
  /// its sender is shown what came of it, as often as they ask.
  package func importFile(
    _ principal: Principal, _ id: CensusReturnID, _ file: String, named given: String, desk: ImportDesk,
    _ language: Language
  ) async throws -> String {
    try principal.require(.fillCensus)
    guard let person = principal.person else { throw Refusal.forbidden(.fillCensus) }
    _ = try await database.read { tx in try own(principal, id, in: tx).owner.state.applying(.fill) }
    let kind = CatalogFile.kind(given)
    guard kind == .xlsx || kind == .csv else {
      throw Refusal.invalid(
        "census.workbook.kind", "workbook", Text("应为 .xlsx 或 .csv 文件。", "An .xlsx or .csv file is expected."))
    }
    return try await desk.lay(file, named: given, of: person) { key, link, name in
      let book = CensusWorkbook(language: language)
      var rows = try await BlockingThread.run { try kind == .csv ? book.readCSV(link) : book.read(link) }
      let kept = try await keep(&rows, of: id, principal)
      let rejected = rows.filter { $0.entry == nil }
      if !rejected.isEmpty {
        let path = desk.path(person, key, "xlsx")
        try await BlockingThread.run { try book.writeRejected(rejected, to: path) }
      }
      let summary = CensusImportSummary(owner: id.text, file: name, kept: kept, rejected: rejected.count)
      try JSONEncoder().encode(summary).write(
        to: URL(fileURLWithPath: desk.path(person, key, "json")), options: .atomic)
    }
  }

  /// What came of an import into this return, for the one who sent it; nil once that is gone.
  package func imported(_ key: String, _ id: CensusReturnID, of principal: Principal, desk: ImportDesk)
    -> CensusImportSummary?
  {
    guard let data = try? desk.contents(key, "json", of: principal),
      let summary = try? JSONDecoder().decode(CensusImportSummary.self, from: data), summary.owner == id.text
    else { return nil }
    return summary
  }

  /// Keeps what can be kept, and notes with the other rows why not.
  private func keep(
    _ rows: inout [CensusWorkbook.GivenRow], of id: CensusReturnID, _ principal: Principal
  ) async throws -> Int {
    var kept = 0
    for start in stride(from: 0, to: rows.count, by: Self.mostLines) {
      let part = start..<min(start + Self.mostLines, rows.count)
      let wanted = part.filter { rows[$0].entry != nil }
      let codes = wanted.compactMap { rows[$0].entry?.code }
      let known = try await database.read { tx in try Set(LineStore.find(codes, of: id, in: tx).keys) }
      for index in wanted {
        guard let code = rows[index].entry?.code, !known.contains(code) else { continue }
        rows[index].entry = nil
        rows[index].reasons.append(Self.unknownCode(code, isRepeated: false))
      }
      let entries = part.compactMap { rows[$0].entry }
      if !entries.isEmpty { kept += try await save(principal, id, entries) }
    }
    return kept
  }
}
