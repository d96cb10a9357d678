internal import Connecting
internal import Foundation
internal import Kernel
internal import Synchronization

/// Where workbooks lie that people send: one folder of the node, readable by its service only. What was sent is gone when
/// its import ends; what was rejected waits a day for the one who sent it.
package final class ImportDesk: Sendable {
  /// Each holds up to a hundred megabytes while it is read.
  private static let mostAtOnce = 2
  private static let keptFor: TimeInterval = 24 * 3600
  /// Of one person; the oldest goes first.
  private static let mostOfOne = 10

  private let folder: String
  private let running = Mutex(0)

  package init(folder: String) { self.folder = folder }

  /// Imports what was sent. `rejected` is by which its sender gets the rejected rows; nil when there are none.
  func take(
    _ bytes: [UInt8], named name: String, by principal: Principal, _ cataloguing: Cataloguing, _ language: Language
  ) async throws -> (summary: ImportSummary, rejected: String?) {
    try principal.require(.compileCatalog)
    guard let person = principal.person else { throw Refusal.forbidden(.compileCatalog) }
    guard bytes.count <= CatalogWorkbook.mostBytes else {
      throw Refusal(
        .tooLarge, "catalog.import.size",
        Text(
          "文件超过 \(CatalogWorkbook.mostBytes >> 20) MiB。请分成几个文件导入，同一资源的信息项放在同一文件。",
          "The file is larger than \(CatalogWorkbook.mostBytes >> 20) MiB. Divide it; keep all of a resource in one file."
        ))
    }
    try begin()
    defer { running.withLock { $0 -= 1 } }
    let key = String(UInt64.random(in: .min ... .max), radix: 36) + String(UInt64.random(in: .min ... .max), radix: 36)
    let result = path(person, key)
    let file = Self.shortened(name)
    let sent = "\(folder)/sent-\(key)"
    defer { try? FileManager.default.removeItem(atPath: sent) }
    // The reader names the file as its sender knows it.
    let given = "\(sent)/\(file)"
    let folder = folder
    try await BlockingThread.run {
      try Self.sweep(folder, person)
      try FileManager.default.createDirectory(
        atPath: sent, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
      try Data(bytes).write(to: URL(fileURLWithPath: given))
    }
    let summary = try await cataloguing.importWorkbook(principal, given, named: file, rejected: result, language)
    return (summary, summary.hasRejected ? key : nil)
  }

  /// The rejected rows of an import, for the one who sent it.
  func rejected(_ key: String, of principal: Principal) throws -> [UInt8] {
    guard let person = principal.person, (1...32).contains(key.utf8.count),
      key.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x7A).contains($0) }),
      let data = FileManager.default.contents(atPath: path(person, key))
    else { throw Refusal.notFound(Text("导入结果（保留 24 小时）", "result of an import (kept for 24 hours)")) }
    return Array(data)
  }

  private func path(_ person: PersonID, _ key: String) -> String { "\(folder)/\(person.text).\(key).xlsx" }

  private func begin() throws {
    let isFull = running.withLock { count in
      guard count < Self.mostAtOnce else { return true }
      count += 1
      return false
    }
    guard isFull else { return }
    var refusal = Refusal(
      .unavailable, "catalog.import.busy",
      Text("正有其他文件在导入，请稍后重新提交。", "Other files are being imported; send yours again in a while."))
    refusal.retryAfter = 30
    throw refusal
  }

  /// A name that a folder can hold.
  private static func shortened(_ name: String) -> String {
    let plain = name.unicodeScalars.filter { $0.value >= 0x20 && $0 != "/" && $0 != "\\" && $0.value != 0x7F }
    let text = String(String.UnicodeScalarView(plain.suffix(60)))
    return text.isEmpty || text.hasPrefix(".") ? "file" + text : text
  }

  private static func sweep(_ folder: String, _ person: PersonID) throws {
    let files = FileManager.default
    try files.createDirectory(
      atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    var own: [(path: String, changed: Date)] = []
    for name in try files.contentsOfDirectory(atPath: folder) {
      let path = "\(folder)/\(name)"
      guard let changed = try? files.attributesOfItem(atPath: path)[.modificationDate] as? Date else { continue }
      if changed.timeIntervalSinceNow < -keptFor {
        try? files.removeItem(atPath: path)
      } else if name.hasPrefix(person.text) {
        own.append((path, changed))
      }
    }
    for old in own.sorted(by: { $0.changed > $1.changed }).dropFirst(mostOfOne - 1) {
      try? files.removeItem(atPath: old.path)
    }
  }
}
