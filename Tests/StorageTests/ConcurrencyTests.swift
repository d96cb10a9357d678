import Foundation
import Storage
import Synchronization
import TestKit
import Testing

/// What both engines promise about transactions that meet.
@Suite struct ConcurrencyTests {
  @Test(arguments: Engine.allCases)
  func `what throws is undone and nothing else`(engine: Engine) async throws {
    try await withDatabase(engine, [Things.tables]) { db in
      await #expect(throws: Stop.self) {
        try await db.write { tx in
          try Things.add("a", tx)
          throw Stop()
        }
      }
      let count = try await Things.count(db)
      #expect(count == 0)
    }
  }

  @Test(arguments: Engine.allCases)
  func `writers that share a commit fail each for themselves`(engine: Engine) async throws {
    try await withDatabase(engine, [Things.tables]) { db in
      let kept = await withTaskGroup(of: Bool.self) { group in
        for index in 0..<64 {
          group.addTask {
            do {
              try await db.write { tx -> Void in
                try Things.add("\(index)", tx)
                if index % 3 == 0 { throw Stop() }
                if index % 3 == 1 { try Things.add("\(index)", tx) }
              }
              return true
            } catch { return false }
          }
        }
        return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
      }
      #expect(kept == 21)
      let ids = try await db.read { try $0.rows("SELECT id FROM storage_test_thing").map { try $0.text("id") } }
      #expect(Set(ids) == Set((0..<64).filter { $0 % 3 == 2 }.map(String.init)))
    }
  }

  @Test(arguments: Engine.allCases)
  func `concurrent read-modify-writes all count, however often a body is run`(engine: Engine) async throws {
    try await withDatabase(engine, [Things.tables]) { db in
      let runs = Counter()
      try await db.write { try Things.add("one", $0) }
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<64 {
          group.addTask {
            try await db.write { tx in
              runs.add()
              let count = try #require(try tx.int("SELECT count FROM storage_test_thing WHERE id = 'one'"))
              try tx.run("UPDATE storage_test_thing SET count = \(count + 1) WHERE id = 'one'")
            }
          }
        }
        try await group.waitForAll()
      }
      let reached = try await db.read { try $0.int("SELECT count FROM storage_test_thing") }
      #expect(reached == 64)
      #expect(runs.count >= 64)
    }
  }

  /// Write skew: each looks at what the other is about to change. Under snapshot isolation alone both would pass.
  @Test(arguments: Engine.allCases)
  func `two who each rely on the other's row cannot both act`(engine: Engine) async throws {
    try await withDatabase(engine, [Things.tables]) { db in
      for round in 0..<10 {
        let (a, b) = ("a\(round)", "b\(round)")
        try await db.write { tx in for id in [a, b] { try Things.add(id, count: 1, tx) } }
        await withTaskGroup(of: Void.self) { group in
          for id in [a, b] {
            group.addTask {
              _ = try? await db.write { tx in
                let on = try tx.int("SELECT SUM(count) FROM storage_test_thing WHERE id IN (\(each: [a, b]))") ?? 0
                guard on == 2 else { throw Stop() }
                try tx.run("UPDATE storage_test_thing SET count = 0 WHERE id = \(id)")
              }
            }
          }
        }
        let left = try await db.read {
          try $0.int("SELECT SUM(count) FROM storage_test_thing WHERE id IN (\(each: [a, b]))")
        }
        #expect(left == 1)
      }
    }
  }

  @Test(arguments: Engine.allCases)
  func `a reader sees one moment while others write`(engine: Engine) async throws {
    try await withDatabase(engine, [Things.tables]) { db in
      try await db.write { try Things.add("first", $0) }
      let (looked, written) = (Gate(), Gate())
      async let seen = db.read { tx in
        let before = try tx.int("SELECT COUNT(*) FROM storage_test_thing")
        looked.open()
        written.wait()
        return [before, try tx.int("SELECT COUNT(*) FROM storage_test_thing")]
      }
      await looked.opened()
      try await db.write { try Things.add("second", $0) }
      written.open()
      let counts = try await seen
      #expect(counts == [1, 1])
      let count = try await Things.count(db)
      #expect(count == 2)
    }
  }

  @Test(arguments: Engine.allCases)
  func `an error of the closure's own reaches the caller as it is`(engine: Engine) async throws {
    struct Own: Error, Equatable { var number: Int }
    try await withDatabase(engine, [Things.tables]) { db in
      let thrown = await #expect(throws: Own.self) { try await db.write { _ in throw Own(number: 7) } }
      #expect(thrown == Own(number: 7))
      let read = await #expect(throws: Own.self) { try await db.read { _ in throw Own(number: 8) } }
      #expect(read == Own(number: 8))
    }
  }

  @Test(arguments: Engine.allCases)
  func `a write can answer nothing and nil`(engine: Engine) async throws {
    try await withDatabase(engine, [Things.tables]) { db in
      let nothing = try await db.write { try $0.text("SELECT name FROM storage_test_thing") }
      #expect(nothing == nil)
      try await db.write { _ in }
    }
  }
}

/// Lets one side of a test wait for the other. `wait` blocks, for use inside a transaction's closure.
final class Gate: Sendable {
  private let isOpen = Atomic<Bool>(false)
  func open() { isOpen.store(true, ordering: .releasing) }
  func wait() { while !isOpen.load(ordering: .acquiring) { pause() } }
  func opened() async { while !isOpen.load(ordering: .acquiring) { try? await Task.sleep(for: .milliseconds(2)) } }
  private func pause() {
    var rest = timespec(tv_sec: 0, tv_nsec: 2_000_000)
    nanosleep(&rest, nil)
  }
}

final class Counter: Sendable {
  private let value = Atomic<Int>(0)
  func add() { value.add(1, ordering: .relaxed) }
  var count: Int { value.load(ordering: .relaxed) }
}
