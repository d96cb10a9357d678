import Connecting
import Foundation
import Kernel
import Synchronization
import TestKit
import Testing

@testable import ConnectorFiles
@testable import ConnectorSQLite
@testable import Transfer

@Suite struct `Files as they are` {
  @Test func `arrive byte by byte with their times, whatever their names and lengths`() async throws {
    try await withTemporaryFolder { folder in
      let (place, grant) = (try DocumentFolders(folder), DocumentFolders.grant)
      try place.fill()
      let outcome = try await grant.carry(.full, run: "r1", from: place.source, to: place.target)
      #expect(outcome.disagreement == nil && outcome.provider.counts.quarantined == 0)
      let sent = try place.sent
      #expect(sent.count == 10 && sent["e\u{301}.txt"] != nil)
      #expect(try place.received == sent)
      let leftovers = try place.hidden.filter { !$0.hasPrefix("manifest-") && !$0.hasPrefix("list-") && $0 != "lock" }
      #expect(leftovers == [])
      // The engine finds both sides equal too, and a second full run writes nothing new of what is there.
      let again = try await grant.carry(.full, run: "r2", fence: 2, from: place.source, to: place.target)
      #expect(again.disagreement == nil && again.provider.counts.delivered == outcome.provider.counts.delivered)
      #expect(try place.received == sent)
      let same = try await grant.carry(.full, run: "r2", fence: 3, from: place.source, to: place.target)
      #expect(same.provider.batchRoot == again.provider.batchRoot && same.disagreement == nil)
    }
  }

  @Test func `an increment delivers what is newer, and a full run takes away what is gone`() async throws {
    try await withTemporaryFolder { folder in
      let (place, grant) = (try DocumentFolders(folder), DocumentFolders.grant)
      try place.fill()
      try await grant.carry(.full, run: "r1", from: place.source, to: place.target)
      try place.write("深.txt", [9, 9], modified: 1_500_000_000)
      try place.write("新/件.txt", [8])
      try place.write("large.iso", DocumentFolders.bytes(1 << 20, 9))
      try place.remove("空.txt")
      let more = try await grant.carry(.incremental, run: "r2", fence: 2, from: place.source, to: place.target)
      #expect(more.disagreement == nil && more.provider.counts.delivered == 4, "\(more.provider.counts)")
      var expected = try place.sent
      expected["空.txt"] = try place.received["空.txt"]
      #expect(expected["空.txt"] != nil)
      #expect(try place.received == expected)
      try place.remove("新/件.txt")
      let full = try await grant.carry(.full, run: "r3", fence: 3, from: place.source, to: place.target)
      #expect(full.disagreement == nil && full.provider.counts.removed == 2)
      #expect(try place.received == place.sent)
      #expect(!FileManager.default.fileExists(atPath: folder + "/out/t/新"), "an empty folder was left")
    }
  }

  @Test func `a file becomes a folder, and a folder a file`() async throws {
    try await withTemporaryFolder { folder in
      let (place, grant) = (try DocumentFolders(folder), DocumentFolders.grant)
      try place.write("a", [1])
      try place.write("b/c/d", [2])
      try await grant.carry(.full, run: "r1", from: place.source, to: place.target)
      try place.remove("a")
      try place.remove("b")
      try place.write("a/x/y", [3])
      try place.write("b", [4])
      let full = try await grant.carry(.full, run: "r2", fence: 2, from: place.source, to: place.target)
      #expect(full.disagreement == nil)
      #expect(try place.received == place.sent)
    }
  }

  @Test func `go through a table of a database and are the same files behind it`() async throws {
    try await withTemporaryFolder { folder in
      let (place, grant, database) = (try DocumentFolders(folder), DocumentFolders.grant, try Stand(.sqlite))
      try place.fill()
      let into = try await grant.carry(.full, run: "r1", from: place.source, to: database.connector)
      #expect(into.disagreement == nil && into.provider.counts.quarantined == 0)
      var onward = DocumentFolders.grant
      onward.name = "grant-2"
      let out = try await onward.carry(.full, run: "r1", from: database.connector, to: place.target)
      #expect(out.disagreement == nil)
      #expect(try place.received == place.sent)
      // A version of which a part is missing does not take the older one's place.
      try database.run("DELETE FROM t WHERE path = 'large.iso' AND part = 3")
      try database.run("UPDATE t SET size = 0, content = x'' WHERE path = '一个字节'")
      let torn = try await onward.carry(.full, run: "r2", fence: 2, from: database.connector, to: place.target)
      #expect(torn.disagreement == nil)
      var expected = try place.sent
      expected["一个字节"]?.bytes = Data()
      #expect(try place.received == expected)
      // What is no part of a file, or would leave the folder, is refused.
      for (change, code) in [
        ("UPDATE t SET content = x'0102' WHERE path = '一个字节'", "documents.part"),
        ("UPDATE t SET path = '../../escaped' WHERE path = '一个字节'", "documents.path"),
        ("UPDATE t SET path = '.sanjiang/manifest-99999999.json' WHERE path = '../../escaped'", "documents.path"),
        ("UPDATE t SET path = '/tmp/escaped' WHERE path LIKE '.sanjiang%'", "documents.path"),
      ] {
        if code == "documents.path" { try database.run("UPDATE t SET content = x'' WHERE length(content) = 2") }
        try database.run(change)
        await #expect("\(change)") {
          try await onward.carry(
            .full, run: "r-\(change.count)", fence: 3, from: database.connector, to: place.target)
        } throws: {
          ($0 as? ConnectorError)?.code == code
        }
      }
      #expect(!FileManager.default.fileExists(atPath: folder + "/escaped"))
      #expect(try place.received == expected)
    }
  }

  @Test func `that are rewritten while they are read are never half old, half new`() async throws {
    try await withTemporaryFolder { folder in
      let (place, grant) = (try DocumentFolders(folder), DocumentFolders.grant)
      let source = DocumentsConnector(.local(folder + "/in"), leastAge: .milliseconds(100))
      // Of every version the first and the last byte are the same; megabytes between them take a while.
      let size = 12 << 20
      try place.write("a.bin", [UInt8](repeating: 0, count: size))
      let stopped = Atomic(false)
      let file = folder + "/in/t/a.bin"
      let writer = Thread {
        var version: UInt8 = 0
        let descriptor = open(file, O_WRONLY)
        while !stopped.load(ordering: .relaxed) {
          version &+= 1
          pwrite(descriptor, [version], 1, 0)
          pwrite(descriptor, [version], 1, size - 1)
          usleep(UInt32.random(in: 0...250_000))
        }
        close(descriptor)
      }
      writer.start()
      var (versions, left): (Set<UInt8>, Int) = ([], 0)
      for run in 1...30 {
        let outcome = try await grant.carry(
          run % 3 > 0 ? .full : .incremental, run: "r\(run)", fence: Int64(run), from: source, to: place.target)
        #expect(outcome.disagreement == nil)
        left += outcome.provider.counts.quarantined
        if let bytes = try place.received["a.bin"]?.bytes {
          #expect(bytes.count == size && bytes.first == bytes.last, "a mixture in run \(run)")
          if let first = bytes.first { versions.insert(first) }
        }
        try await Task.sleep(for: .milliseconds(Int.random(in: 0...60)))
      }
      stopped.store(true, ordering: .relaxed)
      while !writer.isFinished { usleep(1000) }
      #expect(left > 0 && versions.count > 1, "\(left) times it was left, of \(versions.count) versions")
      try await Task.sleep(for: .milliseconds(200))
      let last = try await grant.carry(.full, run: "last", fence: 100, from: source, to: place.target)
      #expect(last.disagreement == nil && last.provider.counts.stale == 0)
      #expect(try place.received == place.sent)
    }
  }

  @Test func `whose folder or grant does not fit are refused with what would be right`() async throws {
    try await withTemporaryFolder { folder in
      let place = try DocumentFolders(folder)
      try place.write("a", [1])
      var narrow = DocumentFolders.grant
      narrow.items.removeLast()
      await #expect {
        try await narrow.carry(.full, run: "r1", from: place.source, to: place.target)
      } throws: {
        ($0 as? ConnectorError)?.code == "contract.not-documents"
      }
      try FileManager.default.createDirectory(atPath: folder + "/out/t", withIntermediateDirectories: true)
      try Data([1]).write(to: URL(fileURLWithPath: folder + "/out/t/mine.txt"))
      await #expect {
        try await DocumentFolders.grant.carry(.full, run: "r1", from: place.source, to: place.target)
      } throws: {
        ($0 as? ConnectorError)?.code == "contract.target-not-empty"
      }
      #expect(try place.received.names == ["mine.txt"])
      try FileManager.default.removeItem(atPath: folder + "/out/t/mine.txt")
      try await DocumentFolders.grant.carry(.full, run: "r1", from: place.source, to: place.target)
      var other = DocumentFolders.grant
      other.name = "grant-2"
      await #expect {
        try await other.carry(.full, run: "r1", from: place.source, to: place.target)
      } throws: {
        ($0 as? ConnectorError)?.code == "contract.target-taken"
      }
      await #expect {
        try await DocumentFolders.grant.carry(.changes, run: "r2", fence: 2, from: place.source, to: place.target)
      } throws: {
        ($0 as? ConnectorError)?.code == "contract.no-changes"
      }
      // A link in the place of a folder would lead elsewhere.
      try FileManager.default.createDirectory(atPath: folder + "/elsewhere", withIntermediateDirectories: true)
      try FileManager.default.createSymbolicLink(
        atPath: folder + "/out/t/sub", withDestinationPath: folder + "/elsewhere")
      try place.write("sub/b", [2])
      await #expect {
        try await DocumentFolders.grant.carry(.full, run: "r3", fence: 3, from: place.source, to: place.target)
      } throws: {
        ($0 as? ConnectorError)?.code == "documents.clash"
      }
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder + "/elsewhere") == [])
    }
  }

  @Test func `are found equal on both sides, and what somebody changed there is found and made good`() async throws {
    try await withTemporaryFolder { folder in
      let (place, grant) = (try DocumentFolders(folder), DocumentFolders.grant)
      try place.fill()
      try await grant.carry(.full, run: "r1", from: place.source, to: place.target)
      func compare() async throws -> ReconciliationReport {
        try await Reconciliation(
          grant.plan(.full, run: "c1"), control: DeliveryControl(quarantine: { _ in })
        ).run(from: place.source, to: place.target)
      }
      let equal = try await compare()
      #expect(equal.agrees, "\(equal)")
      try Data([5, 5]).write(to: URL(fileURLWithPath: folder + "/out/t/深.txt"))
      try FileManager.default.removeItem(atPath: folder + "/out/t/一个字节")
      let found = try await compare()
      #expect(found.counts.missing == 1 && found.counts.different == 1, "\(found)")
      let again = try await grant.carry(.full, run: "r2", fence: 2, from: place.source, to: place.target)
      #expect(again.disagreement == nil)
      #expect(try place.received == place.sent)
    }
  }
}
