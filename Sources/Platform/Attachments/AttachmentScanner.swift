import Connecting
import Foundation
import Kernel

/// Who looks at a file before it is kept: a virus scanner of the node, or nobody.
package struct AttachmentScanner: Sendable {
  package enum Verdict: Sendable, Hashable {
    case clean
    /// With what the scanner said.
    case refused(String)
  }

  /// What pages and records call it; empty when nobody scans.
  package var name: String
  /// Looks at the file at a path. Throws when it could not: then the file is not kept either.
  package var scan: @Sendable (_ path: String) async throws -> Verdict

  package init(name: String, scan: @escaping @Sendable (_ path: String) async throws -> Verdict) {
    self.name = name
    self.scan = scan
  }

  package static let none = AttachmentScanner(name: "") { _ in .clean }

  /// An external command such as `clamdscan --fdpass`, run with the file's path as its last argument: exit 0 is clean, 1 is
  /// refused (as clamdscan has it), anything else and taking longer than `limit` is no verdict.
  package static func command(_ line: String, limit: Duration = .seconds(60)) -> AttachmentScanner {
    let words = line.split(separator: " ").map(String.init)
    guard let program = words.first else { return .none }
    return AttachmentScanner(name: (program as NSString).lastPathComponent) { path in
      try await BlockingThread.run { try run(words + [path], limit) }
    }
  }

  private static func run(_ words: [String], _ limit: Duration) throws -> Verdict {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = words
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = FileHandle.nullDevice
    process.standardInput = FileHandle.nullDevice
    do { try process.run() } catch { throw silent }
    let end = ContinuousClock.now + limit
    while process.isRunning, ContinuousClock.now < end { usleep(20_000) }
    guard !process.isRunning else {
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
      throw silent
    }
    switch (process.terminationReason, process.terminationStatus) {
    case (.exit, 0): return .clean
    case (.exit, 1):
      let said = String(decoding: pipe.fileHandleForReading.availableData.prefix(4096), as: UTF8.self)
      // clamdscan's first line is the path and what was found; the path is ours and says nothing to the sender.
      let found = said.split(separator: "\n").first.map { $0.split(separator: ": ").last ?? $0 }
      return .refused(String((found ?? "").prefix(200)))
    default: throw silent
    }
  }

  private static let silent = Refusal(
    .unavailable, "attachments.scanner",
    Text(
      "病毒扫描程序没有给出结论，附件没有保存。请稍后重试或联系系统管理员。",
      "The virus scanner gave no verdict; the attachment was not kept. Try again later or tell the administrator."))
}
