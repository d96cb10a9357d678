import Connecting
import Demo
import Exchange
import Foundation
import Inventory
import Jobs
import Kernel
import Sharing
import Storage
import TestKit
import Testing
import Transfer

@testable import App

/// Grants whose receiving side is a folder of files.
@Suite struct ReceivedFilesTests {
  private func folder(_ stage: Stage) async throws -> (source: SourceID, path: String) {
    let path =
      (stage.databases.consumerPath as NSString).deletingLastPathComponent + "/received"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    let system = try #require(try await stage.node.database.read { try InventoryStore.source(stage.target, in: $0) })
      .system
    let source = try await stage.node.register.addSource(
      stage.cast.consumerOfficer, system, SourceDraft(name: "接收文件", kind: "csv", settings: ["folder": path]))
    return (source.id, path)
  }

  @Test(arguments: Engine.allCases)
  func `a grant is carried out into a folder, in full and then by what changed`(engine: Engine) async throws {
    try await withStage(engine) { stage in
      let (source, path) = try await folder(stage)
      var draft = stage.draft(into: "checked")
      draft.targetSource = source
      for (change, field) in [
        ({ (draft: inout RequestDraft) in draft.goneRows = .marked }, "goneRows")
      ] as [((inout RequestDraft) -> Void, String)] {
        var wrong = draft
        change(&wrong)
        let refused = wrong
        let refusal = await #expect(throws: Refusal.self) {
          try await stage.node.sharing.submit(refused, by: stage.cast.clerk)
        }
        #expect(refusal?.faults.first?.field == field)
      }
      let grant = try await stage.grant(draft)
      let first = try await stage.node.deliverNow(grant.id)
      #expect(first.state == .delivered && first.agrees == true, "\(String(describing: first.reason))")
      func manifest() throws -> [String: Any] {
        let names = try FileManager.default.contentsOfDirectory(atPath: path + "/checked")
        let last = try #require(names.filter { $0.hasPrefix("manifest-") }.max())
        let bytes = try Data(contentsOf: URL(filePath: path + "/checked/" + last))
        return try #require(try JSONSerialization.jsonObject(with: bytes) as? [String: Any])
      }
      var files = try #require(try manifest()["files"] as? [[String: Any]])
      #expect(files.compactMap { $0["rows"] as? Int }.reduce(0, +) == first.delivered)
      let text = try String(contentsOfFile: path + "/checked/" + (files[0]["name"] as? String ?? ""), encoding: .utf8)
      // The head and a line for each row.
      #expect(
        text.split(whereSeparator: \.isNewline).count == first.delivered + 1 && text.hasPrefix("uscc,name,status"))

      let statement = """
        UPDATE legal_person SET name = '改名', updated_at = '2026-03-05T09:00:00.000Z'
        WHERE rowid IN (SELECT rowid FROM legal_person LIMIT 5)
        """
      _ = try Tool.run("/usr/bin/sqlite3", [stage.databases.providerPath, statement])
      stage.clock.advance(by: .seconds(86_400))
      let second = try await stage.node.deliverNow(grant.id)
      #expect(second.state == .delivered && second.agrees == true && second.mode == .incremental)
      files = try #require(try manifest()["files"] as? [[String: Any]])
      #expect(files.count == 2 && files[1]["content"] as? String == "operations")

      // Both sides are compared like any others; a file that somebody changes is noticed.
      _ = try await stage.node.exchange.compare(grant.id, by: stage.cast.clerk)
      _ = try await stage.node.runner().drain()
      let found = try await stage.node.exchange.task(grant.id, for: stage.cast.officer).comparison
      #expect(found?.state == .agrees, "\(String(describing: found))")
    }
  }
}
