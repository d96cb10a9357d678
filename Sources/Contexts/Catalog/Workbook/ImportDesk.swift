internal import Connecting
package import Foundation
package import Kernel
internal import Synchronization

/// Where the outcome of an import waits a day for the one who sent the file: what was kept, and the rows that were not. One
/// folder of the node, readable by its service only. What was sent itself goes with its request.
package final class ImportDesk: Sendable {
  /// Each holds up to a hundred megabytes while it is read.
  private static let mostAtOnce = 2
  private static let keptFor: TimeInterval = 24 * 3600
  /// Imports of one person; the oldest goes first.
  private static let mostOfOne = 10

  let folder: String
  private let running = Mutex(0)

  package init(folder: String) { self.folder = folder }

  /// Imports a file, of so many bytes, which its sender calls `name`. The key is by which its sender is shown what came of it, as often as they ask.
  func take(
    _ file: String, named given: String, bytes: Int, by principal: Principal, _ cataloguing: Cataloguing,
    _ language: Language
  ) async throws -> String {
    try principal.require(.compileCatalog)
    guard let person = principal.person else { throw Refusal.forbidden(.compileCatalog) }
    guard bytes <= CatalogWorkbook.mostBytes else {
      throw Refusal(
        .tooLarge, "catalog.import.size",
        Text(
          "文件超过 \(CatalogWorkbook.mostBytes >> 20) MiB。请分成几个文件导入，同一资源的信息项放在同一文件。",
          "The file is larger than \(CatalogWorkbook.mostBytes >> 20) MiB. Divide it; keep all of a resource in one file."
        ))
    }
    return try await lay(file, named: given, of: person) { key, link, name in
      let summary = try await cataloguing.importWorkbook(
        principal, link, named: name, rejected: path(person, key, "xlsx"), language)
      try JSONEncoder().encode(KeptImport(summary)).write(
        to: URL(fileURLWithPath: path(person, key, "json")), options: .atomic)
    }
  }

  /// Hands `body` a file that was sent, under the name by which its sender knows it, and answers the key that `body` was
  /// given for what comes of it. Only so many at once.
  package func lay(
    _ file: String, named given: String, of person: PersonID,
    _ body: (_ key: String, _ link: String, _ name: String) async throws -> Void
  ) async throws -> String {
    try begin()
    defer { running.withLock { $0 -= 1 } }
    let key = String(UInt64.random(in: .min ... .max), radix: 36) + String(UInt64.random(in: .min ... .max), radix: 36)
    let name = Self.shortened(given)
    let sent = "\(folder)/sent-\(key)"
    defer { try? FileManager.default.removeItem(atPath: sent) }
    let link = "\(sent)/\(name)"
    let folder = folder
    try await BlockingThread.run {
      try Self.sweep(folder, person)
      try FileManager.default.createDirectory(
        atPath: sent, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
      try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: file)
    }
    try await body(key, link, name)
    return key
  }

  /// What came of an import, for the one who sent it.
  func result(_ key: String, of principal: Principal) throws -> ImportSummary {
    guard let kept = try? JSONDecoder().decode(KeptImport.self, from: contents(key, "json", of: principal)) else {
      throw Self.gone
    }
    return kept.summary
  }

  /// The rejected rows of an import, for the one who sent it.
  package func rejected(_ key: String, of principal: Principal) throws -> [UInt8] {
    Array(try contents(key, "xlsx", of: principal))
  }

  /// A file of an import, for the one who sent what it came of.
  package func contents(_ key: String, _ type: String, of principal: Principal) throws -> Data {
    guard let person = principal.person, (1...32).contains(key.utf8.count),
      key.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x7A).contains($0) }),
      let data = FileManager.default.contents(atPath: path(person, key, type))
    else { throw Self.gone }
    return data
  }

  static let gone = Refusal.notFound(Text("导入结果（保留 24 小时）", "result of an import (kept for 24 hours)"))

  /// Where a file of an import lies.
  package func path(_ person: PersonID, _ key: String, _ type: String) -> String {
    "\(folder)/\(person.text).\(key).\(type)"
  }

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
    // Both files of an import stay and go together.
    var own: [String: (paths: [String], changed: Date)] = [:]
    for name in try files.contentsOfDirectory(atPath: folder) {
      let path = "\(folder)/\(name)"
      guard let changed = try? files.attributesOfItem(atPath: path)[.modificationDate] as? Date else { continue }
      if changed.timeIntervalSinceNow < -keptFor {
        try? files.removeItem(atPath: path)
      } else if name.hasPrefix(person.text) {
        let key = String(name.dropLast(".xlsx".count))
        let one = own[key] ?? ([], changed)
        own[key] = (one.paths + [path], max(one.changed, changed))
      }
    }
    for old in own.values.sorted(by: { $0.changed > $1.changed }).dropFirst(mostOfOne - 1) {
      for path in old.paths { try? files.removeItem(atPath: path) }
    }
  }
}
