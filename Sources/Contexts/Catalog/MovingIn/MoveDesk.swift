internal import Connecting
internal import Foundation
internal import Kernel

/// A moving in that was sent by the site, as its report waits on the desk: in JSON, and whole as a workbook beside it.
struct KeptMove: Codable {
  struct Count: Codable {
    var chinese: String
    var english: String
    var number: Int

    init(_ words: Text, _ number: Int) { (chinese, english, self.number) = (words.chinese, words.english, number) }
    var words: Text { Text(chinese, english) }
  }

  var file: String
  /// The system it comes from.
  var title: String
  /// Nil for a trial, of which nothing was kept.
  var run: String?
  var counts: [Count]
  var reasons: [Count]

  init(_ report: MoveReport, file: String) {
    self.file = file
    title = report.title
    run = report.run?.text
    counts = report.counts.map { Count($0.0, $0.1) }
    reasons = report.frequentReasons(50).map { Count($0.reason, $0.times) }
  }
}

extension ImportDesk {
  /// What a workbook or a zip may have at most, and so an export that is sent.
  static let mostExportBytes = 50 << 20
  /// About 20 kB of memory each; more are for the command line.
  static let mostMovedEntries = 10_000
  static let mostMappingBytes = 1 << 20

  /// Moves in an export that the platform's operator sent, or tries to. The key is by which they are shown the report, as
  /// often as they ask. Sent again it changes nothing. Without a mapping `mapping.json` in the export is it.
  func moveIn(
    _ file: String, named given: String, bytes: Int, by mapping: MoveMapping?, isTrial: Bool, principal: Principal,
    _ cataloguing: Cataloguing, _ language: Language
  ) async throws -> String {
    try principal.require(.reviewCatalog)
    guard let person = principal.person else { throw Refusal.forbidden(.reviewCatalog) }
    let ending = (given as NSString).pathExtension.lowercased()
    guard ["zip", "xlsx"].contains(ending) else {
      throw Refusal.invalid(
        "catalog.move.kind", "export", Text("应为 .zip 或 .xlsx 文件。", "A .zip or .xlsx file is expected."))
    }
    guard bytes <= Self.mostExportBytes else {
      throw Refusal(
        .tooLarge, "catalog.move.size",
        Text(
          "文件超过 \(Self.mostExportBytes >> 20) MiB；请在服务器上运行 sanjiang catalog move-in。",
          "The file is larger than \(Self.mostExportBytes >> 20) MiB; run sanjiang catalog move-in on the server."))
    }
    return try await lay(file, named: given, of: person) { key, link, name in
      let report = try await UnpackedExport.open(link) { path in
        let mapping = try await BlockingThread.run { try mapping ?? MoveMapping(in: path) }
        return try await cataloguing.moveIn(
          from: path, named: name, by: mapping, isTrial: isTrial, most: Self.mostMovedEntries, principal: principal)
      }
      let workbook = path(person, key, "xlsx")
      try await BlockingThread.run { try report.write(to: workbook, language) }
      try JSONEncoder().encode(KeptMove(report, file: name)).write(
        to: URL(fileURLWithPath: path(person, key, "json")), options: .atomic)
    }
  }

  /// The same of a .zip that a program sent, and what came of it. What a killed service leaves of it is swept with the rest.
  func moveIn(
    _ zip: [UInt8], by mapping: MoveMapping?, isTrial: Bool, principal: Principal, _ cataloguing: Cataloguing,
    _ language: Language
  ) async throws -> KeptMove {
    let (folder, file) = (folder, "\(folder)/sent-\(UUID().uuidString).zip")
    defer { try? FileManager.default.removeItem(atPath: file) }
    try await BlockingThread.run {
      try FileManager.default.createDirectory(
        atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
      guard FileManager.default.createFile(atPath: file, contents: Data(zip), attributes: [.posixPermissions: 0o600])
      else {
        throw Refusal(
          .unavailable, "catalog.move.disk", Text("无法写入临时文件夹。", "The temporary folder cannot be written."))
      }
    }
    let key = try await moveIn(
      file, named: "export.zip", bytes: zip.count, by: mapping, isTrial: isTrial, principal: principal, cataloguing,
      language)
    return try moved(key, of: principal)
  }

  /// What a moving in came to, for the one who sent it.
  func moved(_ key: String, of principal: Principal) throws -> KeptMove {
    guard let kept = try? JSONDecoder().decode(KeptMove.self, from: contents(key, "json", of: principal)) else {
      throw Self.gone
    }
    return kept
  }
}
