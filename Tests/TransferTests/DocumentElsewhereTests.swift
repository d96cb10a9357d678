import Connecting
import Foundation
import Kernel
import Remote
import Synchronization
import TestKit
import Testing

@testable import ConnectorFiles
@testable import Transfer

/// The same over real servers, as source and as target.
@Suite struct `Files as they are, elsewhere` {
  private enum Store: CaseIterable { case sftp, s3 }

  /// `path`: where the store's files lie.
  private struct Elsewhere {
    var store: any FileStore
    var path: String
    var fail: @Sendable () throws -> Void
    var mend: @Sendable () throws -> Void

    func connector(_ folder: String) -> DocumentsConnector {
      DocumentsConnector(
        .remote(store.folder(folder)), leastAge: .zero, writing: WrittenDocuments(bytes: 1 << 20, files: 20))
    }
  }

  private func with(_ store: Store, _ body: (Elsewhere, DocumentFolders) async throws -> Void) async throws {
    let limits = RemoteLimits(connect: .seconds(10), stall: .seconds(5))
    try await withTemporaryFolder { folder in
      switch store {
      case .sftp:
        let server = try SSHServer()
        defer { server.remove() }
        let home = SFTPFolder(
          address: try RemoteAddress("sftp://127.0.0.1:\(server.port)\(folder)"), user: server.user,
          secret: .key(server.key), fingerprint: SFTPFolder.fingerprint(server.fingerprint)!, limits: limits)
        try await body(
          Elsewhere(store: home, path: folder, fail: { server.kill() }, mend: { try server.start() }),
          try DocumentFolders(folder))
      case .s3:
        let place = try DocumentFolders(folder + "/b")
        let server = try ObjectStore.start(in: folder)
        defer { server.kill() }
        let home = S3Folder(
          endpoint: try RemoteAddress(server.base), region: ObjectStore.region, bucket: "b", prefix: "",
          accessKey: ObjectStore.accessKey, secret: ObjectStore.secret, limits: limits)
        try await body(
          Elsewhere(
            store: home, path: folder + "/b",
            fail: { _ = FileManager.default.createFile(atPath: folder + "/busy", contents: nil) },
            mend: { try FileManager.default.removeItem(atPath: folder + "/busy") }), place)
      }
    }
  }

  @Test(arguments: Store.allCases)
  private func `arrive and go from there byte by byte`(store: Store) async throws {
    try await with(store) { there, place in
      let grant = DocumentFolders.grant
      try place.fill()
      func received() throws -> FolderContent { try FolderContent(place.path + "/out/t", times: false) }
      func sent() throws -> FolderContent { try FolderContent(place.path + "/in/t", times: false) }
      let full = try await grant.carry(.full, run: "r1", from: there.connector("in"), to: there.connector("out"))
      #expect(full.disagreement == nil && full.provider.counts.quarantined == 0)
      #expect(try received() == sent() && sent().count == 10)
      try place.write("深.txt", [9, 9])
      try place.write("新/件.txt", [8])
      let more = try await grant.carry(
        .incremental, run: "r2", fence: 2, from: there.connector("in"), to: there.connector("out"))
      #expect(more.disagreement == nil && more.provider.counts.delivered == 2, "\(more.provider.counts)")
      #expect(try received() == sent())
      try place.remove("深/更深")
      try place.remove("空.txt")
      let last = try await grant.carry(
        .full, run: "r3", fence: 3, from: there.connector("in"), to: there.connector("out"))
      #expect(last.disagreement == nil)
      #expect(try received() == sent())
      await #expect {
        try await grant.carry(.full, run: "r4", fence: 2, from: there.connector("in"), to: there.connector("out"))
      } throws: {
        ($0 as? ConnectorError)?.kind == .fenced
      }
      let left = try place.hidden.filter { !$0.hasPrefix("manifest-") && !$0.hasPrefix("list-") }
      #expect(left == [])
      #expect(try there.connector("in").tables().map(\.name.name) == [".", "t"])
    }
  }

  @Test(arguments: Store.allCases)
  private func `survive the store's failing midway`(store: Store) async throws {
    try await with(store) { there, place in
      let grant = DocumentFolders.grant
      try place.fill()
      for index in 0..<8 { try place.write("b\(index)", DocumentFolders.bytes(400_000, UInt8(index))) }
      let hasFailed = Mutex(false)
      await #expect {
        try await grant.carry(.full, run: "r1", from: place.source, to: there.connector("out")) { progress in
          let isFirst =
            progress.batch >= 4
            && hasFailed.withLock { was in
              defer { was = true }
              return !was
            }
          if isFirst { try? there.fail() }
        }
      } throws: {
        ($0 as? ConnectorError)?.kind == .retryable
      }
      #expect(hasFailed.withLock { $0 })
      try there.mend()
      let sent = try FolderContent(place.path + "/in/t", times: false)
      let between = try FolderContent(place.path + "/out/t", times: false)
      #expect(between.names.allSatisfy { between[$0] == sent[$0] }, "a file was not whole")
      let full = try await grant.carry(.full, run: "r1", fence: 2, from: place.source, to: there.connector("out"))
      #expect(full.disagreement == nil)
      #expect(try FolderContent(place.path + "/out/t", times: false) == sent)
    }
  }

  @Test(arguments: Store.allCases)
  private func `let one of two workers win`(store: Store) async throws {
    try await with(store) { there, place in
      let grant = DocumentFolders.grant
      try place.write("a", [1])
      try await grant.carry(.full, run: "r1", from: place.source, to: there.connector("out"))
      let old = try there.connector("out").openWriter(
        try CompiledPlan(grant.plan(.full, run: "r2", fence: 2), on: Clock.system.today).writePlan)
      defer { old.close() }
      _ = try old.open()
      let rows = RowBatch()
      for name in ["a", "late"] {
        rows.beginRow(fields: 5)
        Array(name.utf8).withUnsafeBytes { rows.append($0) }
        rows.append(0 as Int64)
        rows.append(1 as Int64)
        rows.append(0 as Int64)
        [9 as UInt8].withUnsafeBytes { rows.append($0) }
        rows.endRow()
      }
      _ = try old.write(rows, batch: 7, mode: .merge(rewriteFrom: 0, ownFrom: 7))
      // He sleeps here; his successor delivers everything.
      try place.write("a", [2])
      #expect(
        try await grant.carry(.full, run: "r2", fence: 3, from: place.source, to: there.connector("out")).disagreement
          == nil)
      #expect { try old.commit(nil, state: "old", durable: true) } throws: {
        ($0 as? ConnectorError)?.kind == .fenced
      }
      let received = try FolderContent(place.path + "/out/t", times: false)
      #expect(received.names == ["a"] && received["a"]?.bytes == Data([2]))
      // What he had put aside goes with the next run.
      try await grant.carry(.full, run: "r3", fence: 4, from: place.source, to: there.connector("out"))
      #expect(try place.hidden.allSatisfy { !$0.hasPrefix("ready-") })
    }
  }
}
