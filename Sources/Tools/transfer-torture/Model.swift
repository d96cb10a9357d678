import Foundation

/// A row of the source as it was last written there.
struct Person: Hashable {
  var id: Int?
  var name: String
  var capital: String
  var born: String
  var note: String
  /// Seconds since 1970; nil is no cursor.
  var changed: Int?

  /// By the contract that `deliver` has: what may never reach the target.
  var isBad: Bool { id == nil || name.count > 12 || capital == "NaN" || born == "infinity" || born == "gestern" }

  static let tooLong = "这个名字实在是太长了一点点"

  func sql(_ database: Database) -> String {
    let written = [name, capital, born, note].map { $0 == "NULL" ? $0 : "'\($0)'" }.joined(separator: ", ")
    return "(\(id.map(String.init) ?? "NULL"), \(written), \(database.time(changed)))"
  }

  /// What is granted of it.
  var content: Person {
    var copy = self
    copy.changed = nil
    return copy
  }

  /// As a target shows it.
  func line(isStale: Bool) -> String { "\(id ?? 0)\t\(name)\t\(capital)\t\(born)\t\(note)\t\(isStale ? 1 : 0)" }
}

/// What the source holds and what, from that alone, the target must hold.
struct Model {
  private(set) var source: [Person] = []
  private(set) var target: [Int: Person] = [:]
  private(set) var stale: Set<Int> = []
  /// The target compares what comes with what it has; otherwise all that an incremental run reads is delivered.
  var merges = true
  /// How far the last complete run had come; nil before the first.
  var reached: Int?
  /// Statements that bring the source to where this is.
  private var pending: [String] = []
  private var version = 0
  private var nextID = 1

  let table: String
  let database: Database

  init(_ table: String, _ database: Database) {
    (self.table, self.database) = (table, database)
  }

  // MARK: Changing the source

  /// Sends what was changed here to the source.
  mutating func flush() throws {
    guard !pending.isEmpty else { return }
    let transaction = database.product == .mariadb ? "START TRANSACTION" : "BEGIN"
    try database.run(([transaction] + pending + ["COMMIT"]).joined(separator: ";\n") + ";\n")
    pending = []
  }

  mutating func insert(_ rows: [Person]) {
    source += rows
    nextID = max(nextID, (rows.compactMap(\.id).max() ?? 0) + 1)
    for start in stride(from: 0, to: rows.count, by: 500) {
      let values = rows[start..<min(start + 500, rows.count)].map { $0.sql(database) }.joined(separator: ",\n")
      pending.append("INSERT INTO \(table) (id, name, capital, born, note, changed) VALUES \(values)")
    }
  }

  /// New good rows.
  mutating func grow(_ count: Int, note: Int, changed: (Int) -> Int?, _ chances: inout Chances) {
    let rows = (0..<count).map { offset -> Person in
      let id = nextID + offset
      return Person(
        id: id, name: id.isMultiple(of: 11) ? "NULL" : "青海\(id)公司", capital: "\(id % 7).\(10 + id % 90)",
        born: id.isMultiple(of: 13) ? "NULL" : "19\(10 + id % 90)-0\(1 + id % 9)-15",
        note: String(repeating: "n\(id)-", count: chances.number(note / 20...note / 6)), changed: changed(id))
    }
    insert(rows)
  }

  /// Renames all rows of a range, good and bad, which may heal some.
  mutating func rename(_ range: ClosedRange<Int>, changed: Int?) {
    version += 1
    let name = "改名\(version)"
    for index in source.indices where source[index].id.map({ range.contains($0) }) ?? false {
      source[index].name = name
      source[index].changed = changed
    }
    pending.append(
      "UPDATE \(table) SET name = '\(name)', changed = \(database.time(changed)) WHERE id BETWEEN \(range.lowerBound) AND \(range.upperBound)"
    )
  }

  /// Makes rows bad, each in a way that this source can hold.
  mutating func spoil(_ ids: [Int], changed: Int?) {
    for (order, id) in ids.enumerated() {
      var set = "name = '\(Person.tooLong)'"
      // Without a primary key two rows may have it: the statement meets both.
      for index in source.indices where source[index].id == id {
        switch (database.product, order % 3) {
        case (.postgresql, 1): (source[index].born, set) = ("infinity", "born = 'infinity'")
        case (.postgresql, 2): (source[index].capital, set) = ("NaN", "capital = 'NaN'")
        case (.sqlite, 1): (source[index].born, set) = ("gestern", "born = 'gestern'")
        default: source[index].name = Person.tooLong
        }
        source[index].changed = changed
      }
      pending.append("UPDATE \(table) SET \(set), changed = \(database.time(changed)) WHERE id = \(id)")
    }
  }

  mutating func delete(_ range: ClosedRange<Int>) {
    source.removeAll { $0.id.map { range.contains($0) } ?? false }
    pending.append("DELETE FROM \(table) WHERE id BETWEEN \(range.lowerBound) AND \(range.upperBound)")
  }

  /// Gives a good row another key.
  mutating func rekey(_ id: Int) {
    guard let index = source.firstIndex(where: { $0.id == id }), !source[index].isBad else { return }
    source[index].id = -id
    pending.append("UPDATE \(table) SET id = -id WHERE id = \(id)")
  }

  mutating func truncate() {
    source = []
    pending.append("TRUNCATE \(table)")
  }

  var ids: [Int] { source.compactMap(\.id) }

  // MARK: What a complete run leaves

  struct Expected {
    var delivered: Int
    var quarantined: Int
    var stale: Int
  }

  /// A full run.
  mutating func refresh() -> Expected {
    let (good, bad) = (source.filter { !$0.isBad }, source.filter(\.isBad))
    let fresh = Dictionary(good.map { ($0.id ?? 0, $0) }) { first, _ in first }
    let kept = Set(bad.compactMap(\.id)).filter { target[$0] != nil && fresh[$0] == nil }
    let expected = Expected(
      delivered: fresh.count, quarantined: bad.count + good.count - fresh.count, stale: kept.count)
    let old = target
    target = fresh
    for id in kept { target[id] = old[id] }
    stale = kept
    reached = horizon
    return expected
  }

  /// What an incremental run reads: what changed since, and what does not say when it changed.
  private var read: [Person] {
    let from = (reached ?? 0) - 600
    return source.filter { $0.changed.map { $0 > from } ?? true }
  }

  /// How far a source has come is never past its clock.
  private var horizon: Int? { source.compactMap(\.changed).max().map { min($0, Int(time(nil))) } }

  mutating func catchUp() -> Expected {
    var expected = Expected(delivered: 0, quarantined: 0, stale: 0)
    var (seen, flagged): (Set<Int>, Set<Int>) = ([], [])
    for row in read {
      guard !row.isBad, let id = row.id else {
        expected.quarantined += 1
        if let id = row.id, target[id] != nil {
          if flagged.insert(id).inserted { expected.stale += 1 }
          stale.insert(id)
        }
        continue
      }
      guard seen.insert(id).inserted else {
        expected.quarantined += 1
        continue
      }
      if !merges || target[id]?.content != row.content { expected.delivered += 1 }
      target[id] = row
      stale.remove(id)
    }
    reached = max(reached ?? 0, horizon ?? 0)
    return expected
  }

  /// Changes, followed to here.
  mutating func follow() {
    _ = refresh()
  }

  /// The target's rows in the order of their keys.
  var lines: [String] { target.sorted { $0.key < $1.key }.map { $0.value.line(isStale: stale.contains($0.key)) } }
}
