import Foundation
import TestKit

/// A run whose target holds a table's rows: a database, or a receiver of messages. Each run has a table of its own.
final class Story: RunState, TortureRun {
  enum Mode: String { case incremental, changes, full }

  let mode: Mode
  let source: Database
  /// Of a receiver of messages, its own.
  let target: Database
  let receiver: Receiver?
  let look: Look
  var model: Model
  /// The first delivery is carried out in parts. Apart from the other choices, which stay what a seed always meant.
  private let isSplit: Bool
  var note = 0
  /// The source was changed while a delivery was under way: its counts are not known beforehand.
  var isExact = true
  private let hasKey: Bool
  private let today = Int(time(nil)) / 3600 * 3600
  private var step = 0

  init(_ seed: UInt64, _ rig: Rig, messages: Bool) throws {
    var chances = Chances(seed)
    let name = "t" + String(seed, radix: 16)
    let theme = chances.pick(messages ? Theme.messages : Theme.weights)
    let products = Database.Product.allCases
    var from = products[chances.number(0...2)]
    var to = products[chances.number(0...2)]
    var mode = chances.pick([(Mode.incremental, 5), (.changes, 4), (.full, 3)])
    switch theme {
    case .slot: mode = .changes
    case .positions: if mode == .changes { mode = .incremental }
    case .disk: if to == .mariadb { to = .sqlite }
    case .server: if from == .sqlite, to == .sqlite { to = .postgresql }
    case .cut: if from == .sqlite, to == .sqlite { to = .mariadb }
    default: break
    }
    if mode == .changes { from = .postgresql }
    self.mode = mode
    source = rig.database(from, .source, own: name)
    if messages {
      // In memory where that may be: it waits for its disk with each message, and its disk is not what is tried.
      let receiver = try Receiver(in: rig.disk?.folder ?? rig.folder, scratch: rig.folder)
      (self.receiver, target) = (receiver, receiver.database)
    } else if theme == .disk, to == .postgresql, let disk = rig.disk {
      (receiver, target) = (nil, Database(product: .postgresql, place: disk.database, scratch: rig.folder))
    } else {
      (receiver, target) = (nil, rig.database(to, .target, own: name))
    }
    look = messages ? .receiver(name) : .database(name, newline: target.newline)
    model = Model(name, source)
    model.merges = !messages
    let isUnique = chances.percent(60)
    hasKey = isUnique || mode == Mode.changes || from == .sqlite
    var others = Chances(seed ^ 0x5EED)
    isSplit =
      !messages && mode != .changes && [.worker, .server, .pause, .twice, .cut].contains(theme) && others.percent(25)
    try super.init(rig, name, theme, chances)
  }

  var title: String {
    "\(theme.rawValue) \(source.product.rawValue)→\(sides.target.kind) \(mode.rawValue)\(isSplit ? " split" : "")"
  }

  var sides: (source: Side, target: Side) {
    let target = receiver.map { Side(kind: "messages", place: $0.process.base) }
    return (
      Side(kind: source.product.rawValue, place: source.place),
      target ?? Side(kind: self.target.product.rawValue, place: self.target.place)
    )
  }

  var mostTroubles: Int { receiver != nil || theme == .server || theme == .pause ? 2 : 4 }

  func options() -> [String] {
    let patience = receiver.map { _ in ["--patience", "\([100, 800, 3000].randomElement(using: &chances) ?? 0)"] }
    return ["--table", name, "--note", "2000"] + (patience ?? [])
  }

  // MARK: The story

  func run() throws {
    tally.runs["\(receiver == nil ? "" : "messages / ")\(theme.rawValue) / \(mode.rawValue)", default: 0] += 1
    defer { clear() }
    try source.makeTable(name, key: hasKey)
    // A receiver cannot fill in what the source's log leaves out.
    if receiver != nil, mode == .changes { try source.run("ALTER TABLE \(name) REPLICA IDENTITY FULL;") }
    note = theme == .positions ? 1100 : chances.number(200...1100)
    if theme == .positions { return try positions() }
    // The receiver takes many times as long for a row as a database.
    model.grow(chances.number(receiver == nil ? 500...1800 : 150...700), note: note, changed: past, &chances)
    spoilSome(chances.number(0...12))
    if !hasKey {
      // Keys that no primary key keeps apart, and none at all: long ago, so that no later run reads them again.
      if let twin = model.source.first(where: { !$0.isBad }) {
        var row = twin
        row.changed = today - 86_400 * 30
        model.rename((row.id ?? 0)...(row.id ?? 0), changed: row.changed)
        model.insert([model.source.first { $0.id == row.id } ?? row])
      }
      var lost = Person(id: nil, name: "无主", capital: "1.00", born: "NULL", note: "x", changed: today - 86_400 * 30)
      model.insert([lost])
      lost.name = "又一个"
      model.insert([lost])
    }
    try model.flush()
    if mode == .changes { try changes() } else { try runs() }
  }

  private func runs() throws {
    if isSplit { try deliverInParts() } else { try deliver("full", abandons: chances.percent(10)) }
    if !isExact {
      // What changed behind the reader comes with the next one.
      isExact = true
      _ = model.refresh()
      try settle()
    }
    for _ in 0..<chances.number(1...2) {
      change()
      try model.flush()
      try deliver(mode == .full ? "full" : "incremental", abandons: chances.percent(10))
      guard !isExact else { continue }
      isExact = true
      try settle()
    }
  }

  /// A quiet delivery of what was missed.
  private func settle() throws {
    runID += 1
    _ = try attempt("incremental").finished(in: self)
    _ = model.refresh()
    try expectContent()
  }

  private func changes() throws {
    for _ in 0..<chances.number(2...3) {
      try deliver("changes", abandons: chances.percent(10))
      change()
      try model.flush()
      if theme == .slot, chances.percent(60) { try dropSlot() }
    }
    try deliver("changes", abandons: false)
  }

  private func dropSlot() throws {
    count(\.slots)
    say("slot dropped")
    _ = try source.run(
      "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = 'sj_\(name)' AND NOT active;"
    )
  }

  /// What a department does between two deliveries.
  private func change() {
    step += 1
    // After rows that are ahead of the clock, what is older than the clock would be too old to be seen.
    let when = today + step * 3600 + (tally.touches > 0 ? 3600 : -86_400)
    let ids = model.ids.filter { $0 > 0 }.sorted()
    guard let last = ids.last else { return model.grow(300, note: note, changed: { _ in when }, &chances) }
    if mode == .changes, chances.percent(6) {
      model.truncate()
      return model.grow(chances.number(50...400), note: note, changed: { _ in when }, &chances)
    }
    let low = chances.number(1...last)
    let renamed = low...min(last, low + chances.number(10...700))
    model.rename(renamed, changed: when)
    if mode == .changes {
      // What is renamed and spoiled before anybody looked might be either in the target.
      let others = ids.filter { !renamed.contains($0) }
      model.spoil(Array(others.shuffled(using: &chances).prefix(chances.number(0...5))), changed: when)
      model.rekey(chances.number(1...last))
    } else {
      spoilSome(chances.number(0...6), changed: when)
    }
    if mode != .incremental {
      let first = chances.number(1...last)
      model.delete(first...first + chances.number(0...120))
    }
    model.grow(chances.number(0...300), note: note, changed: { _ in when }, &chances)
  }

  func spoilSome(_ count: Int, changed: Int? = nil) {
    let good = model.source.filter { !$0.isBad && ($0.id ?? 0) > 0 }.compactMap(\.id)
    model.spoil(Array(good.shuffled(using: &chances).prefix(count)), changed: changed ?? today - 86_400 * 3)
  }

  private func past(_ id: Int) -> Int? {
    id.isMultiple(of: 97) && mode != .changes ? nil : today - 86_400 * 2 - id % 600 * 3600
  }

  /// The department writes while its table is read.
  func touch() throws {
    count(\.touches)
    let ids = model.ids.filter { $0 > 0 }
    guard let last = ids.max() else { return }
    // Later than anything a run can have come to.
    let when = today + 3600 * (step + 1)
    let low = chances.number(1...last)
    model.rename(low...low + chances.number(0...60), changed: when)
    if mode == .changes {
      let first = chances.number(1...last)
      model.delete(first...first + chances.number(0...20))
      model.rekey(chances.number(1...last))
    } else {
      isExact = false
    }
    model.grow(chances.number(0...40), note: note, changed: { _ in when }, &chances)
    try model.flush()
    say("source touched")
  }

  // MARK: Afterwards

  private func clear() {
    if mode == .changes {
      _ = try? source.run(
        """
        SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = 'sj_\(name)' AND active;
        SELECT pg_sleep(0.05) WHERE EXISTS (SELECT 1 FROM pg_replication_slots WHERE slot_name = 'sj_\(name)' AND active);
        SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = 'sj_\(name)';
        DROP PUBLICATION IF EXISTS sj_\(name);
        """)
    }
    if source.product == .sqlite { remove(source) } else { _ = try? source.run("DROP TABLE \(name);") }
    if receiver != nil {
      // It goes with its folder.
    } else if target.product == .sqlite {
      remove(target)
    } else {
      _ = try? target.run(
        "DROP TABLE \(name); DELETE FROM sj_batch WHERE stream LIKE '\(name)%'; DELETE FROM sj_offset WHERE stream LIKE '\(name)%';"
      )
    }
    try? FileManager.default.removeItem(atPath: keeper)
  }

  private func remove(_ database: Database) {
    for suffix in ["", "-wal", "-shm", "-journal"] { unlink(database.place + suffix) }
  }
}
