import Connecting
import Foundation
import Kernel
import Synchronization
import TestKit
import Testing

@testable import ConnectorFiles
@testable import Transfer

/// Workers that end, are held up or run out of room while they put files in place.
@Suite(.serialized) struct `Files as they are, in trouble` {
  private func changed(_ place: DocumentFolders) throws {
    try place.write("深.txt", [9, 9], modified: 1_500_000_000)
    try place.write("large.iso", DocumentFolders.bytes(1_400_000, 9))
    try place.write("新/件.txt", [8])
    try place.remove("空.txt")
    try place.remove("深-前.txt")
    try place.write("深-前.txt/inside", [7])
  }

  /// Each file stands there as it was or as it is to be, or not at all where one of these is so.
  private func isEachWhole(_ now: FolderContent, _ before: FolderContent, _ after: FolderContent) -> Bool {
    now.names.allSatisfy { now[$0] == before[$0] || now[$0] == after[$0] }
      && before.names.allSatisfy { now[$0] != nil || after[$0] == nil }
  }

  @Test func `a worker that ends at any step leaves every file whole, and the next one finishes`() async throws {
    for mode in [DeliveryPlan.Mode.full, .incremental] {
      var (moment, isOver) = (0, false)
      while !isOver {
        moment += 1
        let limit = moment
        isOver = try await withTemporaryFolder { folder in
          let (place, grant) = (try DocumentFolders(folder), DocumentFolders.grant)
          try place.fill(large: 2 << 20)
          try await grant.carry(.full, run: "r1", from: place.source, to: place.target)
          let before = try place.received
          try changed(place)
          var after = try place.sent
          if mode == .incremental { after["空.txt"] = before["空.txt"] }
          let steps = Mutex(0)
          let killed = SteppedDocuments(inner: place.target(bytes: 1 << 20), folder: folder + "/out") {
            _ throws(ConnectorError) in
            guard
              steps.withLock({ count in
                count += 1
                return count
              }) < limit
            else { throw ConnectorError(.permanent, "killed", Text(same: "killed")) }
          }
          var wasKilled = false
          do {
            try await grant.carry(mode, run: "r2", fence: 2, from: place.source, to: killed)
          } catch {
            #expect((error as? ConnectorError)?.code == "killed", "\(error)")
            wasKilled = true
          }
          let between = try place.received
          #expect(isEachWhole(between, before, after), "\(mode) \(limit): \(between)")
          let finished = try await grant.carry(mode, run: "r2", fence: 3, from: place.source, to: place.target)
          #expect(finished.disagreement == nil, "\(mode) \(limit)")
          let last = try place.received
          #expect(last == after, "\(mode) \(limit): \(last)")
          let left = try place.hidden.filter {
            $0.hasPrefix("ready-") || $0.hasPrefix("parts-") || $0.hasSuffix(".part")
          }
          #expect(left == [], "\(mode) \(limit)")
          return !wasKilled || limit > 200
        }
      }
      #expect((20...200).contains(moment), "\(mode): \(moment) steps were tried")
    }
  }

  @Test func `workers killed at random moments again and again leave the same files in the end`() async throws {
    try await withTemporaryFolder { folder in
      let place = try DocumentFolders(folder)
      try place.fill()
      for index in 0..<150 { try place.write("many/\(index % 7)/\(index).bin", DocumentFolders.bytes(index * 300, 2)) }
      for index in 0..<4 { try place.write("big/\(index).bin", DocumentFolders.bytes(6 << 20, UInt8(10 + index))) }
      var (fence, kills) = (0, 0)
      for run in 1...4 {
        let mode = run == 2 ? "incremental" : "full"
        let before = run == 1 ? nil : try place.received
        if run > 1 {
          for index in 0..<150 where index % run == 0 {
            try place.write("many/\(index % 7)/\(index).bin", DocumentFolders.bytes(index * 310, UInt8(run)))
          }
          try place.write("big/1.bin", DocumentFolders.bytes(5 << 20, UInt8(30 + run)))
          if mode == "full" { try place.remove("many/\(run)/\(7 + run).bin") }
        }
        let after = try place.sent
        for attempt in 0..<9 {
          fence += 1
          try "\(fence)".write(toFile: folder + "/keeper/lease", atomically: true, encoding: .utf8)
          let ended = try await TortureProgram.run(
            [
              "deliver", "documents", folder + "/in", "documents", folder + "/out", mode, "r\(run)", "\(fence)",
              folder + "/keeper", "--documents", "yes", "--table", "t",
            ], killedAfter: attempt == 8 ? nil : .milliseconds(Int.random(in: 20...900)))
          if ended.status == 9 { kills += 1 }
          if let before { #expect(isEachWhole(try place.received, before, after), "run \(run)") }
          if attempt == 8 { #expect(ended.status == 0 && ended.said.contains("agrees true"), "\(ended.said)") }
        }
        #expect(try place.received == after, "run \(run)")
      }
      #expect(kills >= 8, "only \(kills) workers were killed while they were alive")
      let left = try place.hidden.filter { $0.hasPrefix("ready-") || $0.hasPrefix("parts-") || $0.hasSuffix(".part") }
      #expect(left == [])
    }
  }

  @Test func `memory stays within bounds whatever a file's length`() async throws {
    try await withTemporaryFolder { folder in
      let place = try DocumentFolders(folder)
      try place.write("huge.iso", DocumentFolders.bytes(40 << 20))
      let ended = try await TortureProgram.run([
        "deliver", "documents", folder + "/in", "documents", folder + "/out", "full", "r1", "1", folder + "/keeper",
        "--documents", "yes", "--table", "t",
      ])
      #expect(ended.status == 0 && ended.said.contains("agrees true"), "\(ended.said)")
      let grown = ended.said.split(separator: "\n").first { $0.hasPrefix("grown ") }
        .flatMap { $0.split(separator: " ").last }.flatMap { Int($0) }
      #expect(try #require(grown) < 60 << 20)
      #expect(try place.received == place.sent)
    }
  }

  @Test func `a full disk is told clearly and leaves the older files as they were`() async throws {
    try await withTemporaryFolder { folder in
      let (place, grant) = (try DocumentFolders(folder), DocumentFolders.grant)
      guard
        (try? Tool.run("/bin/mount", ["-t", "tmpfs", "-o", "size=3m,mode=755", "tmpfs", folder + "/out"])) != nil
      else { return }
      defer { umount2(folder + "/out", Int32(MNT_DETACH)) }
      try place.write("a", DocumentFolders.bytes(700_000, 1))
      try place.write("b", [1])
      try await grant.carry(.full, run: "r1", from: place.source, to: place.target)
      let before = try place.received
      try place.write("a", DocumentFolders.bytes(3 << 20, 2))
      await #expect {
        try await grant.carry(.incremental, run: "r2", fence: 2, from: place.source, to: place.target)
      } throws: {
        let error = $0 as? ConnectorError
        return error?.code == "files.full" && error?.kind == .retryable
          && error?.message.english.contains("No room left in the folder") == true
      }
      #expect(try place.received == before)
      try place.write("a", DocumentFolders.bytes(1 << 20, 3))
      let outcome = try await grant.carry(.incremental, run: "r2", fence: 3, from: place.source, to: place.target)
      #expect(outcome.disagreement == nil)
      #expect(try place.received == place.sent)
    }
  }

  @Test func `a worker that was paused at any step is refused and puts nothing in anybody's place`() async throws {
    var (moment, isOver) = (0, false)
    while !isOver {
      moment += 1
      let limit = moment
      isOver = try await withTemporaryFolder { folder in
        let (place, grant) = (try DocumentFolders(folder), DocumentFolders.grant)
        try place.write("a", [1])
        try place.write("gone", [1])
        try await grant.carry(.full, run: "r1", from: place.source, to: place.target)
        try place.write("a", [2])
        try place.write("fresh", [2])
        try place.remove("gone")
        let steps = Mutex(0)
        let isHeld = Atomic(false)
        let goesOn = Atomic(false)
        let paused = SteppedDocuments(inner: place.target, folder: folder + "/out") { moment in
          guard
            steps.withLock({ count in
              count += 1
              return count
            }) == limit
          else { return }
          // Held within the lock he is waited for, as a stopped one keeps a database's locks; here he is told apart.
          if case .published = moment { return }
          isHeld.store(true, ordering: .sequentiallyConsistent)
          while !goesOn.load(ordering: .sequentiallyConsistent) { usleep(1000) }
        }
        async let old: DeliveryOutcome = grant.carry(.full, run: "r2", fence: 2, from: place.source, to: paused)
        let end = ContinuousClock.now + .seconds(3)
        while !isHeld.load(ordering: .sequentiallyConsistent), steps.withLock({ $0 }) < limit + 1,
          ContinuousClock.now < end
        {
          try await Task.sleep(for: .milliseconds(2))
          if limit > 40 { break }
        }
        let wasHeld = isHeld.load(ordering: .sequentiallyConsistent)
        guard wasHeld else {
          _ = try await old
          // Behind the last step.
          return steps.withLock { $0 } < limit
        }
        // Meanwhile the source is another, and his successor brings that.
        try place.write("a", [3, 3])
        try place.remove("fresh")
        try place.write("gone", [3])
        let next = try await grant.carry(.full, run: "r2", fence: 3, from: place.source, to: place.target)
        #expect(next.disagreement == nil, "\(limit)")
        let again = try await grant.carry(.full, run: "r3", fence: 4, from: place.source, to: place.target)
        #expect(again.disagreement == nil, "\(limit)")
        #expect(try place.received == place.sent, "\(limit)")
        goesOn.store(true, ordering: .sequentiallyConsistent)
        do {
          _ = try await old
          Issue.record("the worker that was replaced was not refused at step \(limit)")
        } catch {
          #expect((error as? ConnectorError)?.kind == .fenced, "\(limit): \(error)")
        }
        #expect(try place.received == place.sent, "\(limit): after the paused one went on")
        return false
      }
    }
    #expect((10...60).contains(moment), "\(moment) steps were tried")
  }

  @Test func `a worker that is paused while it puts files in place is waited for, and then replaced`() async throws {
    try await withTemporaryFolder { folder in
      let (place, grant) = (try DocumentFolders(folder), DocumentFolders.grant)
      for name in ["a", "b", "c"] { try place.write(name, [1]) }
      let isHeld = Atomic(false)
      let goesOn = Atomic(false)
      let paused = SteppedDocuments(inner: place.target, folder: folder + "/out") { moment in
        guard case .published("b") = moment else { return }
        isHeld.store(true, ordering: .sequentiallyConsistent)
        while !goesOn.load(ordering: .sequentiallyConsistent) { usleep(1000) }
      }
      async let old: DeliveryOutcome = grant.carry(.full, run: "r1", fence: 1, from: place.source, to: paused)
      while !isHeld.load(ordering: .sequentiallyConsistent) { try await Task.sleep(for: .milliseconds(2)) }
      let next = SteppedDocuments(inner: place.target, folder: folder + "/out") { _ in }
      await #expect {
        try await grant.carry(.full, run: "r1", fence: 2, from: place.source, to: next)
      } throws: {
        ($0 as? ConnectorError)?.code == "documents.busy" && ($0 as? ConnectorError)?.kind == .retryable
      }
      #expect(try place.received.names == ["a", "b"])
      goesOn.store(true, ordering: .sequentiallyConsistent)
      // What he had committed he carries out; it is what his successor would.
      _ = try await old
      #expect(try place.received == place.sent)
      try place.write("a", [2])
      try place.remove("b")
      let again = try await grant.carry(.full, run: "r2", fence: 3, from: place.source, to: next)
      #expect(again.disagreement == nil)
      #expect(try place.received == place.sent)
    }
  }
}
