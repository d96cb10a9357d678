import Connecting
import Foundation
import Kernel
import Remote
import Synchronization
import TestKit
import Testing

@testable import ConnectorFiles
@testable import Transfer

/// The same over real servers, which die, answer 503, or cannot keep two workers apart.
@Suite struct `Files elsewhere as a target` {
  private enum Store: CaseIterable { case sftp, s3 }

  /// `path`: where the store's files lie.
  private struct Elsewhere {
    var target: FilesConnector
    var path: String
    var fail: @Sendable () throws -> Void
    var mend: @Sendable () throws -> Void
  }

  private func with(_ store: Store, _ body: (Elsewhere) async throws -> Void) async throws {
    let limits = RemoteLimits(connect: .seconds(10), stall: .seconds(5))
    try await withTemporaryFolder { folder in
      let writing = WrittenFiles(fileBytes: 30_000)
      switch store {
      case .sftp:
        let server = try SSHServer()
        defer { server.remove() }
        let home = SFTPFolder(
          address: try RemoteAddress("sftp://127.0.0.1:\(server.port)\(folder)"), user: server.user,
          secret: .key(server.key), fingerprint: SFTPFolder.fingerprint(server.fingerprint)!, limits: limits)
        try await body(
          Elsewhere(
            target: FilesConnector(.remote(home), FilesOptions(format: .csv), writing: writing), path: folder,
            fail: { server.kill() }, mend: { try server.start() }))
      case .s3:
        try FileManager.default.createDirectory(atPath: folder + "/b", withIntermediateDirectories: true)
        let server = try ObjectStore.start(in: folder)
        defer { server.kill() }
        let home = S3Folder(
          endpoint: try RemoteAddress(server.base), region: ObjectStore.region, bucket: "b", prefix: "登记/out",
          accessKey: ObjectStore.accessKey, secret: ObjectStore.secret, limits: limits)
        try await body(
          Elsewhere(
            target: FilesConnector(.remote(home), FilesOptions(format: .csv), writing: writing),
            path: folder + "/b/登记/out",
            fail: { _ = FileManager.default.createFile(atPath: folder + "/busy", contents: nil) },
            mend: { try FileManager.default.removeItem(atPath: folder + "/busy") }))
      }
    }
  }

  @Test(arguments: Store.allCases)
  private func `hold what was delivered, each row once, and survive the store's failing midway`(store: Store)
    async throws
  {
    let source = try Stand(.sqlite)
    try source.makePersons()
    try source.insert(Person.many(1...4000))
    try await with(store) { place in
      let grant = Grant()
      let hasFailed = Mutex(false)
      let keeper = grant.keeper
      let control = DeliveryControl(
        progress: { progress in
          if progress.batch == 3,
            !hasFailed.withLock({ was in
              defer { was = true }; return was
            })
          {
            try? place.fail()
          }
        }, quarantine: { keeper.take($0) })
      await #expect {
        _ = try await Delivery(grant.plan(.full, run: "r1"), control: control).run(
          from: source.connector, to: place.target)
      } throws: {
        ($0 as? ConnectorError)?.kind == .retryable
      }
      #expect(hasFailed.withLock { $0 })
      try place.mend()
      #expect(try FolderReading(place.path).files.isEmpty, "half a run counted")
      let full = try await grant.deliver(.full, run: "r1", fence: 2, from: source, to: place.target)
      #expect(full.disagreement == nil && full.provider.counts.delivered == 4000)
      #expect(try FolderReading(place.path).holds(source.persons()))
      try source.run("UPDATE person SET name = '改', changed = '2026-08-22 10:00:00+00' WHERE id < 100")
      let more = try await grant.deliver(.incremental, run: "r2", fence: 3, from: source, to: place.target)
      #expect(more.disagreement == nil)
      #expect(try FolderReading(place.path).holds(source.persons()))
      let again = try await grant.deliver(.full, run: "r3", fence: 4, from: source, to: place.target)
      #expect(again.disagreement == nil)
      #expect(try FolderReading(place.path).lines == 4000)
      // A worker that was replaced is refused here as well.
      await #expect {
        try await grant.deliver(.full, run: "r4", fence: 3, from: source, to: place.target)
      } throws: {
        ($0 as? ConnectorError)?.kind == .fenced
      }
      let left = try FileManager.default.contentsOfDirectory(atPath: place.path + "/person")
      #expect(!left.contains { $0.hasPrefix("probe") }, "\(left)")
    }
  }

  @Test(arguments: Store.allCases)
  private func `let one of two workers win`(store: Store) async throws {
    let source = try Stand(.sqlite)
    try source.makePersons()
    try source.insert(Person.many(1...2000))
    try await with(store) { place in
      let grant = Grant()
      let old = try place.target.openWriter(
        try CompiledPlan(grant.plan(.full, run: "r1", fence: 1), on: Clock.system.today).writePlan)
      defer { old.close() }
      _ = try old.open()
      try old.begin(.whole(goesOn: false))
      let rows = RowBatch()
      rows.beginRow(fields: 4)
      rows.append(1 as Int64)
      for _ in 0..<3 { rows.appendNull() }
      rows.endRow()
      _ = try old.write(rows, batch: 1, mode: .append)
      // He sleeps here; his successor delivers everything.
      #expect(try await grant.deliver(.full, run: "r1", fence: 2, from: source, to: place.target).disagreement == nil)
      #expect {
        try old.complete()
        try old.commit(nil, state: "old", durable: true)
      } throws: {
        ($0 as? ConnectorError)?.kind == .fenced
      }
      let reading = try FolderReading(place.path)
      #expect(try reading.holds(source.persons()) && reading.manifest["fence"] as? Int == 2)
    }
  }

  @Test func `are refused where a store would write over what is there`() async throws {
    let source = try Stand(.sqlite)
    try source.makePersons()
    try await with(.s3) { place in
      let root = place.path.components(separatedBy: "/b/")[0]
      #expect(FileManager.default.createFile(atPath: root + "/unconditional", contents: nil))
      await #expect {
        try await Grant().deliver(.full, run: "r1", from: source, to: place.target)
      } throws: {
        ($0 as? ConnectorError)?.code == "files.no-exclusive-names" && ($0 as? ConnectorError)?.kind == .permanent
      }
      #expect((try? FileManager.default.contentsOfDirectory(atPath: place.path + "/person")) ?? [] == [])
    }
  }
}
