import Connecting
import ConnectorFiles
import Foundation
import Kernel
import Remote
import Synchronization
import TestKit
import Testing

@testable import ConnectorMessages
@testable import ConnectorSQLite
@testable import Transfer

/// The documented receiver, and what it holds, looked at through its own database.
struct MessageTarget {
  let receiver: MessageReceiver
  let connector: any Connector

  /// `base`: of what stands in front of it.
  init(
    _ receiver: MessageReceiver, at base: String? = nil, patience: Duration = .seconds(15)
  ) throws {
    self.receiver = receiver
    var target = MessagesTarget(
      address: try RemoteAddress(base ?? receiver.base), headers: [], secret: Array(MessageReceiver.secret.utf8),
      messageBytes: 32 << 10)
    target.patience = patience
    connector = MessagesConnector(target)
  }

  func rows(_ sql: String) throws -> [[String?]] {
    try SQLiteConnection(receiver.database, writes: true).rows(sql)
  }

  func persons() throws -> [Person] {
    try rows("SELECT id, name, capital, born FROM person ORDER BY id").map { row in
      Person(id: row[0].flatMap { Int($0) }, name: row[1], capital: row[2], born: row[3], changed: nil)
    }
  }

  func stale() throws -> [Int] {
    try rows("SELECT id FROM person WHERE sj_stale_batch IS NOT NULL ORDER BY id").compactMap {
      $0[0].flatMap { Int($0) }
    }
  }

  /// Of the messages of the last run: their kinds in order, and how many rows they put in all.
  func inbox() throws -> (kinds: [String], puts: Int) {
    let envelopes = try rows(
      "SELECT CAST(substr(body, 1, instr(body, x'0a') - 1) AS TEXT) FROM sj_message ORDER BY number"
    )
    .compactMap { row in
      try row[0].flatMap { try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any] }
    }
    return (envelopes.compactMap { $0["kind"] as? String }, envelopes.reduce(0) { $0 + ($1["puts"] as? Int ?? 0) })
  }

  func expectEqual(_ source: Stand, _ place: SourceLocation = #_sourceLocation) throws {
    // As one truth: thousands of persons are not to be printed.
    let isEqual = try persons() == source.persons()
    #expect(isEqual, sourceLocation: place)
  }
}

extension Grant {
  @discardableResult
  fileprivate func deliver(
    _ mode: DeliveryPlan.Mode, run: String, fence: Int64 = 1, from source: Stand, to target: MessageTarget,
    check: @escaping @Sendable () async throws -> Void = {}
  ) async throws -> DeliveryOutcome {
    let keeper = self.keeper
    var plan = plan(mode, run: run, fence: fence)
    plan.changes.ending = .caughtUp
    return try await Delivery(plan, control: DeliveryControl(check: check, quarantine: { keeper.take($0) }))
      .run(from: source.connector, to: target.connector)
  }
}

@Suite struct `Messages as a target` {
  private func source(_ product: Product = .sqlite, rows: Int, followed: Bool = false) throws -> Stand {
    let source = try Stand(product, followed: followed)
    try source.makePersons()
    try source.insert(Person.many(0..<rows))
    return source
  }

  @Test(arguments: [Product.postgresql, .sqlite, .mariadb])
  private func `hold a full delivery, increments on top of it, and a later full one alone`(
    product: Product
  ) async throws {
    let (source, grant, target) = (try source(product, rows: 3000), Grant(), try MessageTarget(MessageReceiver()))
    let first = try await grant.deliver(.full, run: "r1", from: source, to: target)
    #expect(first.disagreement == nil && first.provider.counts.delivered == 3000)
    try target.expectEqual(source)
    let inbox = try target.inbox()
    #expect(inbox.kinds.first == "begin" && inbox.kinds.last == "end" && inbox.kinds.count > 5)
    #expect(inbox.puts == 3000)

    try source.run("UPDATE person SET name = '改名', changed = '2026-08-22 10:00:00+00' WHERE id IN (5, 6)")
    try source.insert(Person.many(6001...6003, changed: "2026-08-22 10:00:00+00"))
    let second = try await grant.deliver(.incremental, run: "r2", fence: 2, from: source, to: target)
    // What the cursor's window gives is written, the unchanged rows of the overlap included.
    #expect(second.disagreement == nil && second.provider.counts.delivered == 3003)
    try target.expectEqual(source)

    try source.run("DELETE FROM person WHERE id > 2000")
    let again = try await grant.deliver(.full, run: "r3", fence: 3, from: source, to: target)
    #expect(again.disagreement == nil && again.provider.counts.delivered == 2001)
    try target.expectEqual(source)
    // Run again, it gives the same and writes nothing.
    let same = try await grant.deliver(.full, run: "r3", fence: 4, from: source, to: target)
    #expect(same.disagreement == nil && same.provider.batchRoot == again.provider.batchRoot)
    #expect(try target.inbox().puts == 2001)
    // A table that somebody emptied is noticed.
    _ = try target.rows("DELETE FROM person")
    await #expect {
      try await grant.deliver(.incremental, run: "r4", fence: 5, from: source, to: target)
    } throws: {
      ($0 as? ConnectorError)?.code == "contract.target-lost"
    }
    #expect(try await grant.deliver(.full, run: "r5", fence: 6, from: source, to: target).disagreement == nil)
    try target.expectEqual(source)
  }

  @Test(arguments: [Product.postgresql, .mariadb])
  private func `are kept up to date by changes, deletes and an emptied table with them`(product: Product) async throws {
    let source = try source(product, rows: 3000, followed: true)
    let target = try MessageTarget(MessageReceiver())
    let grant = Grant(cursor: nil, name: "grant-" + UUID().uuidString.prefix(8).lowercased())
    defer { try? source.connector.endChanges(grant.name) }
    if product == .postgresql {
      // A value that its log leaves out could be filled in by nobody.
      await #expect {
        try await grant.deliver(.changes, run: "r0", from: source, to: target)
      } throws: {
        ($0 as? ConnectorError)?.code == "contract.changes-whole"
      }
      try source.run(
        "ALTER TABLE person REPLICA IDENTITY FULL; ALTER TABLE person ALTER COLUMN name SET STORAGE EXTERNAL")
    }
    let first = try await grant.deliver(.changes, run: "r1", fence: 2, from: source, to: target)
    #expect(first.disagreement == nil && first.provider.counts.delivered == 3000)
    try target.expectEqual(source)
    try source.run(
      """
      UPDATE person SET name = concat('改', id) WHERE id < 50; DELETE FROM person WHERE id BETWEEN 100 AND 199;
      UPDATE person SET id = id + 100000 WHERE id BETWEEN 200 AND 209; INSERT INTO person (id, name) VALUES (7777, '新');
      UPDATE person SET name = '再改' WHERE id = 1; DELETE FROM person WHERE id = 2; INSERT INTO person (id, name) VALUES (2, '又来');
      UPDATE person SET name = repeat('长', 13) WHERE id = 60
      """)
    let second = try await grant.deliver(.changes, run: "r2", fence: 3, from: source, to: target)
    #expect(second.disagreement == nil && second.provider.counts.removed == 110)
    #expect(second.provider.counts.delivered == 61 && second.provider.counts.quarantined == 1)
    #expect(second.consumer?.rowSum == second.provider.rowSum)
    #expect(try target.stale() == [60])
    try source.run("UPDATE person SET name = '短' WHERE id = 60")
    try await grant.deliver(.changes, run: "r3", fence: 4, from: source, to: target)
    try target.expectEqual(source)
    #expect(try target.stale().isEmpty)
    try source.run(
      "TRUNCATE \(product == .mariadb ? "TABLE " : "")person; INSERT INTO person (id, name) VALUES (1, '重来')")
    try await grant.deliver(.changes, run: "r4", fence: 5, from: source, to: target)
    try target.expectEqual(source)
    // Messages of followed changes are not kept.
    #expect(try target.rows("SELECT count(*) FROM sj_message")[0][0] == "1")
    // From the beginning: what the source has no more goes, though nobody says of which rows.
    _ = try target.rows("INSERT INTO person (id, name, sj_batch) VALUES (555, '多余', 1)")
    var plan = grant.plan(.changes, run: "r5", fence: 6)
    (plan.changes.ending, plan.changes.beginsAnew) = (.caughtUp, true)
    let anew = try await Delivery(plan, control: DeliveryControl(quarantine: { _ in }))
      .run(from: source.connector, to: target.connector)
    #expect(anew.disagreement == nil)
    try target.expectEqual(source)
  }

  @Test func `from a receiver that is killed again and again are each there once, and the receipts agree`() async throws
  {
    let source = try source(rows: 4000)
    let receiver = try MessageReceiver()
    let isOver = Monitor(false)
    let kills = Monitor(0)
    Thread.detachNewThread {
      while !isOver.change({ $0 }) {
        usleep(.random(in: 20_000...900_000))
        receiver.kill()
        kills.change { $0 += 1 }
        try? receiver.start()
      }
    }
    defer { isOver.change { $0 = true } }
    let (grant, fences) = (Grant(), Monitor(Int64(0)))
    /// Under a greater fence, until it succeeds; some attempts give up at once, others wait for the receiver.
    func untilDone(_ mode: DeliveryPlan.Mode, _ run: String) async throws -> DeliveryOutcome {
      while true {
        let fence = fences.change { fence in
          fence += 1
          return fence
        }
        let target = try MessageTarget(receiver, patience: fence % 2 == 0 ? .milliseconds(50) : .seconds(3))
        do {
          return try await grant.deliver(mode, run: run, fence: fence, from: source, to: target)
        } catch let error as ConnectorError where error.kind == .retryable { continue }
      }
    }
    let first = try await untilDone(.full, "r1")
    #expect(first.disagreement == nil && first.provider.counts.delivered == 4000)
    try source.run("UPDATE person SET name = '改', changed = '2026-08-22 10:00:00+00' WHERE id % 3 = 0")
    let second = try await untilDone(.incremental, "r2")
    #expect(second.disagreement == nil)
    try source.run("DELETE FROM person WHERE id % 5 = 0")
    let third = try await untilDone(.full, "r3")
    #expect(third.disagreement == nil && third.provider.counts.delivered == 3200)
    isOver.change { $0 = true }
    #expect(kills.change { $0 } > 1)
    try? await Task.sleep(for: .seconds(1))
    let target = try MessageTarget(receiver)
    try target.expectEqual(source)
    // No message was done twice: what the last run's put is what its receipt says.
    #expect(try target.inbox().puts == 3200)
  }

  @Test func `of followed changes are each there once though the receiver is killed while the source changes`()
    async throws
  {
    let source = try source(.postgresql, rows: 2000, followed: true)
    try source.run("ALTER TABLE person REPLICA IDENTITY FULL")
    let grant = Grant(cursor: nil, name: "grant-" + UUID().uuidString.prefix(8).lowercased())
    defer { try? source.connector.endChanges(grant.name) }
    let receiver = try MessageReceiver()
    let (isOver, stopped) = (Monitor(false), Monitor(0))
    defer { isOver.change { $0 = true } }
    Thread.detachNewThread {
      while !isOver.change({ $0 }) {
        usleep(.random(in: 50_000...900_000))
        receiver.kill()
        try? receiver.start()
      }
      stopped.change { $0 += 1 }
    }
    Thread.detachNewThread {
      while !isOver.change({ $0 }) {
        let id = Int.random(in: 0..<2500)
        try? source.run(
          [
            "UPDATE person SET name = '改\(Int.random(in: 0..<1000))' WHERE id % 50 = \(id % 50)",
            "DELETE FROM person WHERE id BETWEEN \(id) AND \(id + 20)",
            "INSERT INTO person (id, name) VALUES (\(id), '新') ON CONFLICT DO NOTHING",
            "UPDATE person SET id = id + 5000 WHERE id = \(id)",
          ].randomElement()!)
        usleep(20_000)
      }
      stopped.change { $0 += 1 }
    }
    let start = ContinuousClock.now
    var (fence, runs) = (Int64(0), 0)
    while ContinuousClock.now - start < .seconds(15) || runs < 2 {
      fence += 1
      let target = try MessageTarget(receiver, patience: fence % 2 == 0 ? .milliseconds(50) : .seconds(2))
      do {
        let outcome = try await grant.deliver(.changes, run: "r\(runs)", fence: fence, from: source, to: target)
        #expect(outcome.disagreement == nil)
        runs += 1
      } catch let error as ConnectorError where error.kind == .retryable { continue }
    }
    isOver.change { $0 = true }
    try await BlockingThread.run { stopped.wait { $0 == 2 ? () : nil } }
    let target = try MessageTarget(receiver)
    let last = try await grant.deliver(.changes, run: "last", fence: fence + 1, from: source, to: target)
    #expect(last.disagreement == nil)
    try target.expectEqual(source)
  }

  @Test(arguments: [MessageProxy.Trouble.cutAfter, .cutBefore, .half, .status500])
  func `whose connection is cut at any message are doubled nowhere`(trouble: MessageProxy.Trouble) async throws {
    let receiver = try MessageReceiver()
    // Waiting is not needed: what is taken for lost is found when the run opens again.
    for (which, patience) in [("*2", Duration.seconds(15)), ("*5", .zero)] {
      let source = try source(.postgresql, rows: 2000, followed: true)
      try source.run("ALTER TABLE person REPLICA IDENTITY FULL")
      let proxy = try MessageProxy.before(receiver, trouble, which)
      let target = try MessageTarget(receiver, at: proxy.base, patience: patience)
      let grant = Grant(cursor: nil, name: "grant-" + UUID().uuidString.prefix(8).lowercased())
      defer { try? source.connector.endChanges(grant.name) }
      for sql in ["DROP TABLE IF EXISTS person", "DELETE FROM sj_stream", "DELETE FROM sj_batch"] {
        _ = try target.rows(sql)
      }
      var fence: Int64 = 0
      func untilDone(_ mode: DeliveryPlan.Mode, _ run: String) async throws -> DeliveryOutcome {
        while true {
          fence += 1
          do { return try await grant.deliver(mode, run: run, fence: fence, from: source, to: target) } catch let error
            as ConnectorError where error.kind == .retryable
          { continue }
        }
      }
      let full = try await untilDone(.full, "r1")
      #expect(full.disagreement == nil && full.provider.counts.delivered == 2000)
      #expect(try target.inbox().puts == 2000)
      try target.expectEqual(source)
      let followed = try await untilDone(.changes, "r2")
      #expect(followed.disagreement == nil)
      try source.run("DELETE FROM person WHERE id % 7 = 3; UPDATE person SET capital = 7 WHERE id % 5 = 1")
      let changed = try await untilDone(.changes, "r3")
      #expect(changed.disagreement == nil)
      try target.expectEqual(source)
    }
  }

  @Test func `are not taken from a worker that was held up and replaced`() async throws {
    let source = try source(rows: 3000)
    let (grant, target) = (Grant(), try MessageTarget(MessageReceiver()))
    let (checks, isHeld, mayGo) = (Monitor(0), Monitor(false), Monitor(false))
    async let old = result {
      try await grant.deliver(.full, run: "r1", fence: 1, from: source, to: target) {
        guard
          checks.change({
            $0 += 1; return $0
          }) == 4
        else { return }
        isHeld.change { $0 = true }
        try await BlockingThread.run { mayGo.wait { $0 ? () : nil } }
      }
    }
    try await BlockingThread.run { isHeld.wait { $0 ? () : nil } }
    // What he is about to send is no longer so.
    try source.run("UPDATE person SET name = '后来' WHERE id < 1500")
    let new = try await grant.deliver(.full, run: "r2", fence: 2, from: source, to: target)
    #expect(new.disagreement == nil)
    mayGo.change { $0 = true }
    guard case .failure(let error) = await old else {
      return #expect(Bool(false), "the replaced worker was not refused")
    }
    #expect((error as? ConnectorError)?.kind == .fenced, "\(error)")
    try target.expectEqual(source)
    #expect(try target.inbox().puts == 3000)
  }

  @Test(arguments: [MessageProxy.Trouble.digest, .rows])
  func `that the receiver says it took otherwise stop the run`(trouble: MessageProxy.Trouble) async throws {
    let source = try source(rows: 2000)
    let receiver = try MessageReceiver()
    let proxy = try MessageProxy.before(receiver, trouble, "5")
    let spoiled = try MessageTarget(receiver, at: proxy.base)
    await #expect {
      try await Grant().deliver(.full, run: "r1", from: source, to: spoiled)
    } throws: {
      ($0 as? ConnectorError)?.code == "messages.readback" && ($0 as? ConnectorError)?.kind == .data
    }
  }

  @Test(arguments: [MessageProxy.Trouble.lost, .altered])
  func `that are gone or altered when they are read back make the receipts disagree`(
    trouble: MessageProxy.Trouble
  ) async throws {
    let source = try source(rows: 500)
    let receiver = try MessageReceiver()
    let proxy = try MessageProxy.before(receiver, trouble, "9999")
    let outcome = try await Grant().deliver(
      .full, run: "r1", from: source, to: MessageTarget(receiver, at: proxy.base))
    #expect(outcome.disagreement != nil)
    #expect(
      try await Grant().deliver(.full, run: "r2", fence: 2, from: source, to: MessageTarget(receiver)).disagreement
        == nil)
  }

  @Test(arguments: ["r1", "r2"])
  func `of a run whose grant ends midway are signed for, and it or the next run goes on`(run: String) async throws {
    let source = try source(rows: 3000)
    let (grant, target, checks) = (Grant(), try MessageTarget(MessageReceiver()), Monitor(0))
    let stopped = try await grant.deliver(.full, run: "r1", from: source, to: target) {
      if checks.change({
        $0 += 1; return $0
      }) > 4 {
        throw Refusal(.forbidden, "revoked", Text("已撤销", "revoked"))
      }
    }
    guard case .stopped = stopped.ending else { return #expect(Bool(false), "not stopped") }
    let held = try target.persons().count
    #expect(held > 0 && stopped.provider.counts.delivered == held)
    #expect(try target.inbox().kinds.last == "abandon")
    let next = try await grant.deliver(.full, run: run, fence: 2, from: source, to: target)
    #expect(next.disagreement == nil && next.provider.counts.delivered == 3000)
    try target.expectEqual(source)
    #expect(try target.inbox().puts == 3000)
  }

  @Test func `say which keys turned bad, and which left the grant`() async throws {
    let (source, grant, target) = (try source(rows: 0), Grant(), try MessageTarget(MessageReceiver()))
    try source.insert(Person.many(1...300))
    try source.run("UPDATE person SET name = '这个名字实在是太长了一点点' WHERE id = 7")
    func deliver(_ mode: DeliveryPlan.Mode, _ run: String, _ fence: Int64) async throws -> DeliveryOutcome {
      var plan = grant.plan(mode, run: run, fence: fence)
      plan.onTheWay.filter = "secret <> '停用'"
      plan.onTheWay.consulted = [.init("secret", .text)]
      return try await Delivery(plan, control: DeliveryControl(quarantine: { grant.keeper.take($0) }))
        .run(from: source.connector, to: target.connector)
    }
    // Nothing was there before: nothing is out of date.
    let first = try await deliver(.full, "r1", 1)
    #expect(first.disagreement == nil && first.provider.counts.quarantined == 1 && first.provider.counts.stale == 0)
    try source.run("UPDATE person SET name = '这个名字实在是太长了一点点', changed = '2026-08-22 10:00:00+00' WHERE id = 5")
    try source.run("UPDATE person SET secret = '停用', changed = '2026-08-22 10:00:00+00' WHERE id IN (8, 9)")
    let second = try await deliver(.incremental, "r2", 2)
    #expect(second.disagreement == nil && second.provider.counts.removed == 2 && second.provider.counts.stale == 2)
    let held = try target.persons()
    #expect(held.count == 297 && !held.contains { $0.id == 8 || $0.id == 9 || $0.id == 7 })
    #expect(try target.stale() == [5])
    let third = try await deliver(.full, "r3", 3)
    #expect(third.disagreement == nil && third.provider.counts.stale == 2)
    // The older version of the bad row stays, flagged, and nothing else that this run did not put.
    #expect(try target.persons().count == 297 && target.stale() == [5])
  }

  @Test func `find a key that comes twice in a source without an order, also across an interruption`() async throws {
    let source = try Stand(.sqlite)
    try source.makePersons(key: "")
    try source.insert(Person.many(1...4000))
    try source.insert([Person(id: 17, name: "重复"), Person(id: 3999, name: "重复")])
    try await withTemporaryFolder { folder in
      let lines = try source.rows("SELECT id, name, capital, born FROM person").map { row in
        row.map { $0 ?? "" }.joined(separator: ",")
      }
      try ("id,name,capital,born\n" + lines.joined(separator: "\n") + "\n").write(
        toFile: folder + "/person.csv", atomically: true, encoding: .utf8)
      let csv = FilesConnector(.local(folder), FilesOptions(format: .csv))
      var grant = Grant()
      (grant.source, grant.cursor) = ("person.csv", nil)
      let (keeper, checks) = (grant.keeper, Monitor(0))
      let target = try MessageTarget(MessageReceiver())
      await #expect(throws: ConnectorError.self) {
        let control = DeliveryControl(
          check: {
            if checks.change({
              $0 += 1; return $0
            }) > 6 {
              throw ConnectorError(.retryable, "killed", Text(same: "killed"))
            }
          }, quarantine: { keeper.take($0) })
        _ = try await Delivery(grant.plan(.full, run: "r1"), control: control).run(from: csv, to: target.connector)
      }
      let before = try target.persons().count
      #expect(before > 17 && before < 3999)
      let outcome = try await Delivery(
        grant.plan(.full, run: "r1", fence: 2), control: DeliveryControl(quarantine: { keeper.take($0) })
      ).run(from: csv, to: target.connector)
      #expect(outcome.disagreement == nil, "\(String(describing: outcome.disagreement))")
      #expect(outcome.provider.counts.delivered == 4000 && outcome.provider.counts.quarantined == 2)
      #expect(keeper.rows(outcome.provider).allSatisfy { $0.fault == .duplicateKey })
      #expect(try target.persons().count == 4000)
    }
  }

  @Test func `cannot be compared with their source, nor split, and say so`() async throws {
    let (source, grant, target) = (try source(rows: 3000), Grant(), try MessageTarget(MessageReceiver()))
    let plan = grant.plan(.full, run: "c")
    let control = DeliveryControl(quarantine: { _ in })
    await #expect {
      _ = try await Reconciliation(plan, control: control).run(from: source.connector, to: target.connector)
    } throws: {
      ($0 as? ConnectorError)?.code == "contract.write-only"
    }
    await #expect {
      _ = try await Delivery(plan, control: control).split(into: 2, from: source.connector, to: target.connector)
    } throws: {
      ($0 as? ConnectorError)?.code == "contract.cannot-split"
    }
  }
}

private func result<T: Sendable>(_ body: @Sendable () async throws -> T) async -> Result<T, any Error> {
  do { return .success(try await body()) } catch { return .failure(error) }
}
