import Connecting
import Foundation
import Kernel
import Synchronization
import TestKit
import Testing

@testable import ConnectorFiles
@testable import Transfer

@Suite struct `Files as a target` {
  @Test(arguments: [Product.postgresql, .sqlite], [FileFormat.csv, .jsonl])
  private func `hold a full delivery, increments on top of it, and a later full one alone`(
    product: Product, format: FileFormat
  ) async throws {
    try await withTemporaryFolder { folder in
      let (source, grant, target) = (try Stand(product), Grant(), FileTarget(folder, format))
      try source.makePersons()
      try source.insert(Person.many(1...5000))
      try source.run("UPDATE person SET name = 'a \"b\", c', changed = '2026-08-22 09:00:00+00' WHERE id = 3")
      try source.run("UPDATE person SET name = '' WHERE id = 4")
      let first = try await grant.deliver(.full, run: "r1", from: source, to: target)
      #expect(first.disagreement == nil && first.provider.counts.delivered == 5000)
      let full = try FolderReading(folder)
      #expect(try full.holds(source.persons()) && full.lines == 5000 && full.files.count > 2)
      #expect(full.files.allSatisfy { $0["mode"] as? String == "full" && $0["content"] as? String == "rows" })
      #expect(full.persons[4]?.name == "" && full.persons[11]?.name == nil)

      try source.run("UPDATE person SET name = '改名', changed = '2026-08-22 10:00:00+00' WHERE id IN (5, 6)")
      try source.insert(Person.many(6001...6003, changed: "2026-08-22 10:00:00+00"))
      let second = try await grant.deliver(.incremental, run: "r2", fence: 2, from: source, to: target)
      #expect(second.disagreement == nil)
      // What the cursor's window gives is written, the unchanged rows of the overlap included.
      #expect(second.provider.counts.delivered == 5003 && second.provider.counts.unchanged == 0)
      let more = try FolderReading(folder)
      #expect(try more.holds(source.persons()) && more.lines == 10_003)
      try source.run("UPDATE person SET name = '又改', changed = '2026-08-22 11:00:00+00' WHERE id = 5")
      let third = try await grant.deliver(.incremental, run: "r3", fence: 3, from: source, to: target)
      #expect(third.disagreement == nil && third.provider.counts.delivered == 5)
      #expect(try FolderReading(folder).holds(source.persons()))

      try source.run("DELETE FROM person WHERE id > 4000")
      let again = try await grant.deliver(.full, run: "r4", fence: 4, from: source, to: target)
      #expect(again.disagreement == nil && again.provider.counts.delivered == 4000)
      let last = try FolderReading(folder)
      #expect(try last.holds(source.persons()) && last.lines == 4000)
      // The engine's own reading agrees with what a stranger reads.
      #expect(try target.describe(TableName("person")).estimatedRows == 4000)
      // Run again, it gives the same and writes nothing.
      let same = try await grant.deliver(.full, run: "r4", fence: 5, from: source, to: target)
      #expect(same.disagreement == nil && same.provider.batchRoot == again.provider.batchRoot)
    }
  }

  @Test func `go on after an end at any step, and what was not complete never counted`() async throws {
    let source = try Stand(.sqlite)
    try source.makePersons()
    try source.insert(Person.many(1...1500))
    let persons = try source.persons()
    let later = try Stand(.sqlite)
    try later.makePersons()
    try later.insert(Person.many(1...1500))
    try later.run("UPDATE person SET name = '改', changed = '2026-08-22 10:00:00+00' WHERE id < 1000")
    let changed = try later.persons()
    let (grant, begun) = (Grant(), NSTemporaryDirectory() + "sj-begun-\(UUID().uuidString)")
    try FileManager.default.createDirectory(atPath: begun, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: begun) }
    try await grant.deliver(.full, run: "r1", from: source, to: FileTarget(begun, fileBytes: 10_000))
    for mode in [DeliveryPlan.Mode.full, .incremental] {
      var (ended, moment) = (true, 0)
      while ended {
        (ended, moment) = (false, moment + 1)
        let limit = moment
        let isOver = try await withTemporaryFolder { folder in
          try FileManager.default.copyItem(atPath: begun + "/person", toPath: folder + "/person")
          let steps = Mutex(0)
          // From that step on nothing happens any more, as nothing does of a worker that was killed.
          let killed = FileTarget(folder, fileBytes: 10_000) { _ throws(ConnectorError) in
            guard
              steps.withLock({ count in
                count += 1; return count
              }) < limit
            else {
              throw ConnectorError(.permanent, "killed", Text(same: "killed"))
            }
          }
          let attempt = await result { try await grant.deliver(mode, run: "r2", fence: 2, from: later, to: killed) }
          if case .failure(let error) = attempt { #expect((error as? ConnectorError)?.code == "killed", "\(error)") }
          let between = try FolderReading(folder)
          let counts = between.manifest["run"] as? String == "r2"
          #expect(between.holds(counts ? changed : persons), "\(mode) \(limit): half a run counted")
          let finished = try await grant.deliver(
            mode, run: "r2", fence: 3, from: later, to: FileTarget(folder, fileBytes: 10_000))
          #expect(finished.disagreement == nil, "\(mode) \(limit): \(String(describing: finished.disagreement))")
          #expect(try FolderReading(folder).holds(changed), "\(mode) \(limit)")
          if case .success = attempt { return true }
          return limit > 60
        }
        ended = !isOver
      }
      #expect((12...60).contains(moment), "\(mode): only \(moment) steps were tried")
    }
  }

  @Test
  func `hold every good row once after workers are killed at random moments, and their bad rows are counted once`()
    async throws
  {
    let source = try Stand(.sqlite)
    try source.makePersons()
    try source.insert(Person.many(1...12_000))
    // Bad ones in every part of the table.
    try source.run("UPDATE person SET name = '这个名字实在是太长了一点点' WHERE id % 1000 = 7")
    try await withTemporaryFolder { folder in
      for name in ["keeper", "target"] {
        try FileManager.default.createDirectory(atPath: folder + "/" + name, withIntermediateDirectories: true)
      }
      var (fence, kills) = (0, 0)
      for run in 1...3 {
        let mode = run == 2 ? "incremental" : "full"
        if run > 1 {
          try source.run(
            "UPDATE person SET name = '改\(run)', changed = '2026-08-22 1\(run):00:00+00' WHERE id % 3 = 0 AND id % 1000 <> 7"
          )
        }
        for attempt in 0..<12 {
          fence += 1
          try "\(fence)".write(toFile: folder + "/keeper/lease", atomically: true, encoding: .utf8)
          let ended = try await TortureProgram.run(
            [
              "deliver", "sqlite", source.place, "csv", folder + "/target", mode, "r\(run)", "\(fence)",
              folder + "/keeper",
            ], killedAfter: attempt == 11 ? nil : .milliseconds(Int.random(in: 20...600)))
          if ended.status == 9 { kills += 1 }
          guard attempt == 11 else { continue }
          #expect(ended.status == 0 && ended.said.contains("agrees true"), "\(ended.said)")
          #expect(ended.said.contains("quarantined 12\n"), "\(ended.said)")
          // What was kept of batches that count is what was counted.
          let range = try #require(ended.said.split(separator: "\n").first { $0.hasPrefix("batches ") })
            .split(separator: " ").dropFirst().compactMap { Int($0) }
          let kept = try FileManager.default.contentsOfDirectory(atPath: folder + "/keeper").filter { name in
            name.split(separator: "-").first.flatMap { Int($0) }.map { $0 >= range[0] && $0 <= range[1] } ?? false
          }
          let lines = try kept.reduce(0) {
            try $0 + String(contentsOfFile: folder + "/keeper/" + $1, encoding: .utf8).utf8.count { $0 == 10 }
          }
          #expect(lines == 12, "bad rows kept: \(lines)")
        }
        let reading = try FolderReading(folder + "/target")
        let good = try source.persons().filter { ($0.id ?? 0) % 1000 != 7 }
        #expect(reading.holds(good), "run \(run)")
      }
      #expect(kills > 5, "\(kills) workers were killed while they were alive")
    }
  }

  @Test func `take a broken answer for what it is: the folder knows what was done`() async throws {
    let source = try Stand(.sqlite)
    try source.makePersons()
    try source.insert(Person.many(1...3000))
    try await withTemporaryFolder { folder in
      let target = FileTarget(folder) { step throws(ConnectorError) in
        // Each manifest is made, and its maker is told that the connection broke.
        if case .named(let name) = step, name.hasPrefix("manifest-") {
          throw ConnectorError(.retryable, "cut", Text(same: "cut"))
        }
      }
      let outcome = try await Grant().deliver(.full, run: "r1", from: source, to: target)
      #expect(outcome.disagreement == nil)
      #expect(try FolderReading(folder).holds(source.persons()))
    }
  }

  @Test(arguments: ["manifest-", "person-"], [0, 12])
  func `are not written to by a worker that was held up and replaced`(what: String, laterRuns: Int) async throws {
    let source = try Stand(.sqlite)
    try source.makePersons()
    try source.insert(Person.many(1...5000))
    try await withTemporaryFolder { folder in
      let grant = Grant()
      let (isHeld, mayGo) = (Monitor(false), Monitor(false))
      let files = Mutex(0)
      // Held between looking and writing: all bytes are there, only the name is missing. In the middle of the run.
      let held = FileTarget(folder) { step throws(ConnectorError) in
        guard case .gathered(let name) = step, name.hasPrefix(what),
          files.withLock({ count in
            count += 1; return count
          }) == 3
        else { return }
        isHeld.change { $0 = true }
        mayGo.wait { $0 ? () : nil }
      }
      async let old = result { try await grant.deliver(.full, run: "r1", fence: 1, from: source, to: held) }
      try await BlockingThread.run { isHeld.wait { $0 ? () : nil } }
      // What he is about to write is no longer so.
      try source.run("UPDATE person SET name = '后来' WHERE id BETWEEN 2000 AND 2500")
      // In one case his temporary file is put away at once, in the other it stays and his name is free.
      let target = FileTarget(folder, grace: laterRuns == 0 ? .zero : .seconds(86_400))
      let new = try await grant.deliver(.full, run: "r1", fence: 2, from: source, to: target)
      #expect(new.disagreement == nil)
      // So many manifests more that the held one's number is free again.
      for run in 0..<laterRuns {
        try await grant.deliver(.incremental, run: "i\(run)", fence: Int64(3 + run), from: source, to: target)
      }
      let before = try FolderReading(folder)
      mayGo.change { $0 = true }
      guard case .failure(let error) = await old else {
        return #expect(Bool(false), "the replaced worker was not refused")
      }
      #expect((error as? ConnectorError)?.kind == .fenced, "\(error)")
      let after = try FolderReading(folder)
      #expect(after.manifest["commit"] as? String == before.manifest["commit"] as? String)
      #expect(try after.holds(source.persons()))
      // What he left is put away by the next run.
      let last = FileTarget(folder, grace: .zero)
      try await grant.deliver(.full, run: "last", fence: 100, from: source, to: last)
      try await grant.deliver(.full, run: "last 2", fence: 101, from: source, to: last)
      let left = try FileManager.default.contentsOfDirectory(atPath: folder + "/person")
      let known = Set(try FolderReading(folder).files.compactMap { $0["name"] as? String })
      #expect(left.allSatisfy { known.contains($0) || $0.hasPrefix("manifest-") && $0.hasSuffix(".json") }, "\(left)")
    }
  }

  @Test func `of two workers who begin at once, exactly one delivers or both find it done`() async throws {
    let source = try Stand(.sqlite)
    try source.makePersons()
    try source.insert(Person.many(1...5000))
    for _ in 0..<10 {
      try await withTemporaryFolder { folder in
        let grant = Grant()
        async let a = result {
          try await grant.deliver(.full, run: "r1", fence: 1, from: source, to: FileTarget(folder))
        }
        async let b = result {
          try await grant.deliver(.full, run: "r1", fence: 2, from: source, to: FileTarget(folder))
        }
        for ended in await [a, b] {
          if case .failure(let error) = ended { #expect((error as? ConnectorError)?.kind == .fenced, "\(error)") }
        }
        let outcome = try await grant.deliver(.full, run: "r1", fence: 3, from: source, to: FileTarget(folder))
        #expect(outcome.disagreement == nil)
        #expect(try FolderReading(folder).holds(source.persons()))
      }
    }
  }

  @Test(arguments: [FileFormat.csv, .jsonl])
  func `say which keys turned bad, and which left the grant`(format: FileFormat) async throws {
    try await withTemporaryFolder { folder in
      let (source, grant, target) = (try Stand(.sqlite), Grant(), FileTarget(folder, format))
      try source.makePersons()
      try source.insert(Person.many(1...300))
      try source.run("UPDATE person SET name = '这个名字实在是太长了一点点' WHERE id = 7")
      func deliver(_ mode: DeliveryPlan.Mode, _ run: String, _ fence: Int64) async throws -> DeliveryOutcome {
        var plan = grant.plan(mode, run: run, fence: fence)
        plan.onTheWay.filter = "secret <> '停用'"
        plan.onTheWay.consulted = [.init("secret", .text)]
        return try await Delivery(plan, control: DeliveryControl(quarantine: { grant.keeper.take($0) }))
          .run(from: source.connector, to: target)
      }
      // Nothing was there before: nothing is out of date.
      let first = try await deliver(.full, "r1", 1)
      #expect(first.disagreement == nil && first.provider.counts.quarantined == 1 && first.provider.counts.stale == 0)
      try source.run("UPDATE person SET name = '这个名字实在是太长了一点点', changed = '2026-08-22 10:00:00+00' WHERE id = 5")
      try source.run("UPDATE person SET secret = '停用', changed = '2026-08-22 10:00:00+00' WHERE id IN (8, 9)")
      let second = try await deliver(.incremental, "r2", 2)
      #expect(second.disagreement == nil && second.provider.counts.removed == 2 && second.provider.counts.stale == 2)
      let reading = try FolderReading(folder)
      #expect(reading.persons[8] == nil && reading.persons[9] == nil && reading.persons[5]?.name == "青海5公司")
      #expect(reading.stale == [5, 7] && reading.persons.count == 297)
      // A new set has the good rows, and says of the others that they are there but bad.
      let third = try await deliver(.full, "r3", 3)
      #expect(third.disagreement == nil && third.provider.counts.stale == 2)
      let whole = try FolderReading(folder)
      #expect(whole.persons.count == 296 && whole.persons[5] == nil && whole.stale == [5, 7])
      #expect(grant.keeper.rows(third.provider).count == 2)
    }
  }

  @Test func `find a key that comes twice in a source without an order, also across an interruption`() async throws {
    let source = try Stand(.sqlite)
    try source.makePersons(key: "")
    try source.insert(Person.many(1...4000))
    try source.insert([Person(id: 17, name: "重复"), Person(id: 3999, name: "重复")])
    let folderOfLines = NSTemporaryDirectory() + "sj-lines-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folderOfLines, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folderOfLines) }
    let lines = try source.rows("SELECT id, name, capital, born FROM person").map { row in
      row.map { $0 ?? "" }.joined(separator: ",")
    }
    try ("id,name,capital,born\n" + lines.joined(separator: "\n") + "\n").write(
      toFile: folderOfLines + "/person.csv", atomically: true, encoding: .utf8)
    let csv = FilesConnector(.local(folderOfLines), FilesOptions(format: .csv))
    try await withTemporaryFolder { folder in
      var grant = Grant()
      (grant.source, grant.cursor) = ("person.csv", nil)
      let keeper = grant.keeper
      let control = DeliveryControl(quarantine: { keeper.take($0) })
      let files = Mutex(0)
      let killed = FileTarget(folder, fileBytes: 30_000) { step throws(ConnectorError) in
        if case .began(let name) = step, name.hasPrefix("person-"),
          files.withLock({
            $0 += 1; return $0
          }) > 2
        {
          throw ConnectorError(.permanent, "killed", Text(same: "killed"))
        }
      }
      await #expect(throws: ConnectorError.self) {
        _ = try await Delivery(grant.plan(.full, run: "r1"), control: control).run(from: csv, to: killed)
      }
      let outcome = try await Delivery(grant.plan(.full, run: "r1", fence: 2), control: control)
        .run(from: csv, to: FileTarget(folder))
      #expect(outcome.disagreement == nil, "\(String(describing: outcome.disagreement))")
      #expect(outcome.provider.counts.delivered == 4000 && outcome.provider.counts.quarantined == 2)
      #expect(keeper.rows(outcome.provider).allSatisfy { $0.fault == .duplicateKey })
      #expect(try FolderReading(folder).persons.count == 4000)
    }
  }

  @Test func `of a run whose grant ends midway are taken away, and what was there counts on`() async throws {
    let source = try Stand(.sqlite)
    try source.makePersons()
    try source.insert(Person.many(1...5000))
    try await withTemporaryFolder { folder in
      let (grant, target) = (Grant(), FileTarget(folder))
      try await grant.deliver(.full, run: "r1", from: source, to: target)
      let before = try FolderReading(folder)
      try source.run("UPDATE person SET name = '改', changed = '2026-08-22 10:00:00+00'")
      for (mode, fence) in [(DeliveryPlan.Mode.full, Int64(2)), (.incremental, 3)] {
        let checks = Mutex(0)
        let control = DeliveryControl(
          check: {
            if checks.withLock({ count in
              count += 1; return count
            }) > 4 {
              throw Refusal(.forbidden, "revoked", Text("已撤销", "revoked"))
            }
          }, quarantine: { _ in })
        let stopped = try await Delivery(grant.plan(mode, run: "r\(fence)", fence: fence), control: control)
          .run(from: source.connector, to: target)
        guard case .stopped = stopped.ending else { return #expect(Bool(false), "not stopped") }
        #expect(stopped.provider.counts.delivered == 0 && stopped.provider.batches.isEmpty)
        let after = try FolderReading(folder)
        #expect(after.holds(before.persons.values.sorted { ($0.id ?? 0) < ($1.id ?? 0) }))
        let left = try FileManager.default.contentsOfDirectory(atPath: folder + "/person").filter {
          $0.hasPrefix("person-")
        }
        #expect(left.count == after.files.count, "\(left)")
      }
      let next = try await grant.deliver(.incremental, run: "r4", fence: 4, from: source, to: target)
      #expect(next.disagreement == nil && next.provider.counts.delivered == 5000)
      #expect(try FolderReading(folder).holds(source.persons()))
    }
  }

  @Test func `that were taken away or changed are noticed`() async throws {
    let source = try Stand(.sqlite)
    try source.makePersons()
    try source.insert(Person.many(1...3000))
    try await withTemporaryFolder { folder in
      let (grant, target) = (Grant(), FileTarget(folder))
      let changing = FileTarget(folder) { step throws(ConnectorError) in
        // Between the file's making and its reading back a byte of it changes.
        guard case .named(let name) = step, name.hasPrefix("person-") else { return }
        let path = folder + "/person/" + name
        var text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        text = text.replacingOccurrences(of: "青海1公司", with: "青海2公司")
        try? text.write(toFile: path, atomically: false, encoding: .utf8)
      }
      let changed = try await grant.deliver(.full, run: "r1", from: source, to: changing)
      #expect(changed.disagreement?.subject == "rows")
      #expect(try await grant.deliver(.full, run: "r2", fence: 2, from: source, to: target).disagreement == nil)
      let name = try #require(try FolderReading(folder).files[0]["name"] as? String)
      try FileManager.default.removeItem(atPath: folder + "/person/" + name)
      await #expect {
        try await grant.deliver(.incremental, run: "r3", fence: 3, from: source, to: target)
      } throws: {
        ($0 as? ConnectorError)?.code == "contract.target-lost"
      }
      #expect(try await grant.deliver(.full, run: "r4", fence: 4, from: source, to: target).disagreement == nil)
      await #expect {
        try await grant.deliver(.changes, run: "r5", fence: 5, from: source, to: target)
      } throws: {
        ($0 as? ConnectorError)?.code == "contract.no-changes"
      }
      // What was refused took nothing: the lower fence still writes.
      #expect(try await grant.deliver(.full, run: "r6", fence: 4, from: source, to: target).disagreement == nil)
    }
  }

  @Test func `on a full disk stop with a clear answer, and room lets them finish`() async throws {
    let source = try Stand(.sqlite)
    try source.makePersons()
    try source.insert(Person.many(1...15_000))
    try await withTemporaryFolder { folder in
      for name in ["keeper", "target"] {
        try FileManager.default.createDirectory(atPath: folder + "/" + name, withIntermediateDirectories: true)
      }
      let places = ["sqlite", source.place, "csv", folder + "/target", "full", "r1"]
      let full = try await TortureProgram.run(
        ["deliver"] + places + ["1", folder + "/keeper", "--file-limit", "50000"])
      #expect(full.status == 1 && full.said.contains("error retryable "), "\(full.said)")
      #expect(try FolderReading(folder + "/target").files.isEmpty)
      let outcome = try await TortureProgram.run(["deliver"] + places + ["2", folder + "/keeper"])
      #expect(outcome.said.contains("agrees true") && outcome.said.contains("delivered 15000\n"), "\(outcome.said)")
      #expect(try FolderReading(folder + "/target").holds(source.persons()))
    }
  }

  @Test func `and their source are compared as any two sides are`() async throws {
    let source = try Stand(.sqlite)
    try source.makePersons()
    try source.insert(Person.many(1...3000))
    try await withTemporaryFolder { folder in
      let (grant, target) = (Grant(), FileTarget(folder))
      try await grant.deliver(.full, run: "r1", from: source, to: target)
      try source.run("UPDATE person SET name = '改', changed = '2026-08-22 10:00:00+00' WHERE id IN (4, 5)")
      try await grant.deliver(.incremental, run: "r2", fence: 2, from: source, to: target)
      let plan = grant.plan(.full, run: "c")
      let equal = try await Reconciliation(plan, control: DeliveryControl(quarantine: { _ in })).run(
        from: source.connector, to: target)
      #expect(equal.agrees && equal.targetRows == 3000)
      try source.run("DELETE FROM person WHERE id = 9")
      let differs = try await Reconciliation(plan, control: DeliveryControl(quarantine: { _ in })).run(
        from: source.connector, to: target)
      #expect(differs.counts.extra == 1 && differs.counts.total == 1)
    }
  }
}

private func result<T: Sendable>(_ body: @Sendable () async throws -> T) async -> Result<T, any Error> {
  do { return .success(try await body()) } catch { return .failure(error) }
}
