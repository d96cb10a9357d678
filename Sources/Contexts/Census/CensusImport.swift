import Connecting
import Foundation
package import Kernel
import Storage

/// What became of a workbook.
package struct CensusImportSummary: Sendable, Hashable {
  package var kept: Int
  package var rejected: Int
  /// By which its sender gets the rejected rows; nil when there are none.
  package var key: String?
}

/// Where workbooks lie for a while: rejected rows wait a day for the one who sent them. One folder of the node, for the
/// service's user only.
package struct CensusDesk: Sendable {
  private static let keptFor: TimeInterval = 24 * 3600

  let folder: String

  package init(folder: String) { self.folder = folder }

  /// A path for a file that is made and gone within one request.
  func scratch() throws -> String {
    try makeFolder()
    return "\(folder)/scratch-\(key()).xlsx"
  }

  func key() -> String { String(UInt64.random(in: .min ... .max), radix: 36) }

  func path(_ person: PersonID, _ key: String) -> String { "\(folder)/\(person.text).\(key).xlsx" }

  func rejected(_ key: String, of principal: Principal) throws -> [UInt8] {
    guard let person = principal.person, (1...16).contains(key.utf8.count),
      key.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x7A).contains($0) }),
      let data = FileManager.default.contents(atPath: path(person, key))
    else { throw Refusal.notFound(Text("导入结果（保留 24 小时）", "result of an import (kept for 24 hours)")) }
    return Array(data)
  }

  private func makeFolder() throws {
    let files = FileManager.default
    try files.createDirectory(
      atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    for name in try files.contentsOfDirectory(atPath: folder) {
      let path = "\(folder)/\(name)"
      guard let changed = try? files.attributesOfItem(atPath: path)[.modificationDate] as? Date,
        changed.timeIntervalSinceNow < -Self.keptFor
      else { continue }
      try? files.removeItem(atPath: path)
    }
  }
}

extension Census {
  /// A return as a workbook, prefilled with what stands in it.
  package func workbook(
    _ principal: Principal, _ id: CensusReturnID, desk: CensusDesk, _ language: Language
  ) async throws -> (name: String, bytes: [UInt8]) {
    let (campaign, owner, lines) = try await allLines(principal, id)
    let bytes = try await BlockingThread.run {
      let path = try desk.scratch()
      defer { try? FileManager.default.removeItem(atPath: path) }
      try CensusWorkbook(language: language).write(lines, to: path)
      return Array(try Data(contentsOf: URL(fileURLWithPath: path)))
    }
    return ("\(campaign.name)-\(owner.officeName).xlsx", bytes)
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

  /// Takes a workbook that was filled in: what is right is kept, the rest waits as a workbook with its reasons. A file that
  /// is none of ours is refused as a whole.
  package func importWorkbook(
    _ principal: Principal, _ id: CensusReturnID, fileAt path: String, desk: CensusDesk, _ language: Language
  ) async throws -> CensusImportSummary {
    try principal.require(.fillCensus)
    guard let person = principal.person else { throw Refusal.forbidden(.fillCensus) }
    _ = try await database.read { tx in try own(principal, id, in: tx).owner.state.applying(.fill) }
    let book = CensusWorkbook(language: language)
    var rows = try await BlockingThread.run { try book.read(path) }
    var kept = 0
    var position = 0
    while position < rows.count {
      let part = position..<min(position + Self.mostLines, rows.count)
      position = part.upperBound
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
    let rejected = rows.filter { $0.entry == nil }
    guard !rejected.isEmpty else { return CensusImportSummary(kept: kept, rejected: 0) }
    let key = desk.key()
    try await BlockingThread.run { try book.writeRejected(rejected, to: desk.path(person, key)) }
    return CensusImportSummary(kept: kept, rejected: rejected.count, key: key)
  }
}
