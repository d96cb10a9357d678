import Foundation

/// What happens to a run's deliveries.
enum Theme: String, CaseIterable {
  /// Workers are killed.
  case worker
  /// Database servers are killed.
  case server
  /// A worker is stopped, another takes over, and the first one goes on.
  case pause
  /// Two workers have one task at the same time.
  case twice
  /// Connections are torn, some in the middle of a message.
  case cut
  /// The target's disk is full.
  case disk
  /// The source changes its shape.
  case shape
  /// The source changes its rows while it is read.
  case touch
  /// The source loses what it keeps for the stream.
  case slot
  /// One bad row at every position of a batch.
  case positions

  static let weights: [(Theme, Int)] = [
    (.worker, 30), (.server, 16), (.pause, 12), (.twice, 6), (.cut, 12), (.disk, 6), (.shape, 6), (.touch, 7),
    (.slot, 3), (.positions, 2),
  ]
}

/// What came of a run, for the summary.
struct Tally {
  var runs: [String: Int] = [:]
  var attempts = 0
  /// Workers that were alive when they were killed.
  var kills = 0
  var servers = 0
  var backends = 0
  var cuts = 0
  var fullDisks = 0
  var pauses = 0
  /// Stopped or doubled workers that the target refused.
  var fenced = 0
  /// Successors that had to wait for the worker that was stopped, as it held rows of an open transaction.
  var waited = 0
  var breaches = 0
  var touches = 0
  var slots = 0
  /// Deliveries whose parts were gathered.
  var gathered = 0
  var checks = 0
  var skipped = 0

  static func += (a: inout Tally, b: Tally) {
    a.runs.merge(b.runs) { $0 + $1 }
    for path in numbers { a[keyPath: path] += b[keyPath: path] }
  }

  private static var numbers: [WritableKeyPath<Tally, Int>] {
    [
      \.attempts, \.kills, \.servers, \.backends, \.cuts, \.fullDisks, \.pauses, \.fenced, \.waited, \.breaches,
      \.touches, \.slots, \.gathered, \.checks, \.skipped,
    ]
  }
}

/// One run: a table of its own, a first delivery and later ones, each through some trouble, and what must hold meanwhile
/// and in the end. Everything but the moments comes from the seed.
final class Story {
  enum Mode: String { case incremental, changes, full }

  let rig: Rig
  var chances: Chances
  private(set) var tally = Tally()
  let theme: Theme
  let name: String
  let mode: Mode
  let source: Database
  var target: Database
  var model: Model
  let keeper: String
  /// What was done, for whoever must find out.
  private(set) var log: [String] = []

  var fence = 0
  var runID = 1
  /// The last run whose receipts were looked at.
  var heard = "-"
  /// What workers are asked for besides, and whose lease they have: a part's or the whole's.
  var asked: [String] = []
  var lease = "lease"
  /// The first delivery is carried out in parts. Apart from the other choices, which stay what a seed always meant.
  private let isSplit: Bool
  var note = 0
  /// Commits and seconds of the last attempt that got through: where to aim.
  var aim = (commits: 6, seconds: 0.15)
  /// The source was changed while a delivery was under way: its counts are not known beforehand.
  var isExact = true
  private let hasKey: Bool
  private let today = Int(time(nil)) / 3600 * 3600
  private var step = 0
  private let began = now()

  init(_ seed: UInt64, _ rig: Rig) throws {
    self.rig = rig
    chances = Chances(seed)
    name = "t" + String(seed, radix: 16)
    let theme = chances.pick(Theme.weights)
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
    (self.theme, self.mode) = (theme, mode)
    source = rig.database(from, .source, own: name)
    target = rig.database(to, .target, own: name)
    if theme == .disk, to == .postgresql, let disk = rig.disk {
      target = Database(product: .postgresql, place: disk.database, scratch: rig.folder)
    }
    model = Model(name, source)
    keeper = rig.folder + "/keeper-" + name
    let isUnique = chances.percent(60)
    hasKey = isUnique || mode == Mode.changes || from == .sqlite
    var others = Chances(seed ^ 0x5EED)
    isSplit = mode != .changes && [.worker, .server, .pause, .twice, .cut].contains(theme) && others.percent(25)
    try FileManager.default.createDirectory(atPath: keeper, withIntermediateDirectories: true)
  }

  var title: String {
    "\(theme.rawValue) \(source.product.rawValue)→\(target.product.rawValue) \(mode.rawValue)\(isSplit ? " split" : "")"
  }

  func say(_ text: String) { log.append("\(Int((now() - began) * 1000)) ms: \(text)") }

  func count(_ path: WritableKeyPath<Tally, Int>, _ number: Int = 1) { tally[keyPath: path] += number }

  // MARK: The story

  func run() throws {
    tally.runs["\(theme.rawValue) / \(mode.rawValue)", default: 0] += 1
    defer { clear() }
    try source.makeTable(name, key: hasKey)
    note = theme == .positions ? 1100 : chances.number(200...1100)
    if theme == .positions { return try positions() }
    model.grow(chances.number(500...1800), note: note, changed: past, &chances)
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
    if target.product == .sqlite {
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
