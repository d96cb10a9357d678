import Foundation

/// A run that delivers a folder of files as they are into another folder.
final class DocumentStory: RunState, TortureRun {
  private var tree: DocumentTree
  private let folder: DocumentFolder
  private let places: (source: String, target: String)
  private let mode: String
  /// Since when a file must have been left alone, in milliseconds: more than any pause in the middle of its writing.
  private let age: Int
  private var made = 0

  private static let table = "t"

  init(_ seed: UInt64, _ rig: Rig) throws {
    var chances = Chances(seed)
    let theme = chances.pick(Theme.documents)
    let name = "d" + String(seed, radix: 16)
    mode = chances.percent(60) ? "incremental" : "full"
    age = theme == .touch ? 300 : 0
    let home = theme == .disk || chances.percent(60) ? rig.disk?.folder ?? rig.folder : rig.folder
    places = (rig.folder + "/in-" + name, home + "/out-" + name)
    tree = try DocumentTree(places.source + "/" + Self.table)
    folder = DocumentFolder(path: places.target + "/" + Self.table)
    try FileManager.default.createDirectory(atPath: places.target, withIntermediateDirectories: true)
    try super.init(rig, name, theme, chances)
  }

  var title: String { "\(theme.rawValue) documents \(mode)" }

  var sides: (source: Side, target: Side) {
    (Side(kind: "documents", place: places.source), Side(kind: "documents", place: places.target))
  }

  var mostTroubles: Int { 4 }

  func options() -> [String] { ["--table", Self.table, "--documents", "yes", "--age", "\(age)"] }

  func photograph() throws -> [String] { try folder.photograph() }

  // MARK: The story

  func run() throws {
    tally.runs["documents / \(theme.rawValue) / \(mode)", default: 0] += 1
    defer {
      for place in [places.source, places.target, keeper] { try? FileManager.default.removeItem(atPath: place) }
    }
    for _ in 0..<chances.number(3...45) { try add() }
    rest()
    try deliver("full", abandons: chances.percent(10))
    for _ in 0..<chances.number(1...2) {
      try change()
      rest()
      try deliver(mode, abandons: chances.percent(10))
    }
    // What is gone, only a full delivery sees; and what a worker leaves who was refused, only the next one puts away.
    rest()
    if tree.target != tree.files { try deliver("full", abandons: false) }
    runID += 1
    let last = try attempt("full").finished(in: self)
    guard last.number("delivered") == tree.parts else {
      throw Failure("\(last.number("delivered")) parts delivered in the end, not \(tree.parts)")
    }
    tree.refresh()
    try expectContent()
    let left = folder.leftovers
    guard left.isEmpty else { throw Failure("left in the hidden place in the end: \(left)") }
    count(\.folders)
    count(\.documents, tree.files.count)
  }

  /// Until nothing that was written is too young to be read.
  private func rest() { if age > 0 { usleep(UInt32(age + 30) * 1000) } }

  private func add() throws {
    made += 1
    let home = ["", "", "a/", "a/b/深/", "年报 2026/", "swap/"].randomElement(using: &chances) ?? ""
    try tree.write(home + "\(made)号.bin", content(), anyWay)
  }

  private var anyWay: DocumentTree.Way { chances.percent(50) ? .aside : .inPlace }

  /// Of a random length: none, a few bytes, about one part, several.
  private func content(_ count: Int? = nil) -> Data {
    let most = chances.pick([(0, 6), (1, 6), (20_000, 60), (DocumentTree.part - 1, 4), (3 * DocumentTree.part, 8)])
    let exact = [DocumentTree.part, DocumentTree.part + 1, 2 * DocumentTree.part].randomElement(using: &chances) ?? 0
    let count = count ?? (chances.percent(6) ? exact : most < 2 ? most : chances.number(1...most))
    var bytes = Data(count: (count + 7) / 8 * 8)
    bytes.withUnsafeMutableBytes { room in
      for at in stride(from: 0, to: room.count, by: 8) {
        room.storeBytes(of: chances.next(), toByteOffset: at, as: UInt64.self)
      }
    }
    return bytes.prefix(count)
  }

  /// What a department does between two deliveries.
  private func change() throws {
    for path in tree.paths.shuffled(using: &chances).prefix(chances.number(1...10)) { try rewrite(path, anyWay) }
    for path in tree.paths.shuffled(using: &chances).prefix(chances.number(0...4)) { try tree.remove(path) }
    for _ in 0..<chances.number(0...6) { try add() }
    // A file where there was a folder, or the other way round.
    if chances.percent(25) { try tree.write("swap", content()) }
  }

  private func rewrite(_ path: String, _ way: DocumentTree.Way) throws {
    let old = tree.files[path]
    let isAsLong = chances.percent(30)
    // Programs set times too, to a day long ago, or to what they found.
    let modified: Int? =
      if let old, isAsLong, !old.bytes.isEmpty, chances.percent(40) {
        old.modified
      } else {
        chances.percent(15) ? chances.number(0...1_700_000_000) * 1_000_000 + 250_000 : nil
      }
    try tree.write(path, content(isAsLong ? old?.bytes.count : nil), way, modified: modified)
  }

  // MARK: Trouble

  func trouble(_ mode: String) throws -> Attempt {
    switch theme {
    case .pause: return try paused(mode)
    case .twice: return try doubled(mode)
    case .disk: return try full(mode)
    case .touch: return try touched(mode)
    default: return try killed(mode)
    }
  }

  private func full(_ mode: String) throws -> Attempt {
    guard let disk = rig.disk else {
      count(\.skipped)
      return try attempt(mode)
    }
    return try attempt(mode, on: disk, leaving: chances.number(0...tree.bytes + 100_000))
  }

  /// Files are rewritten, removed and added while they are read.
  private func touched(_ mode: String) throws -> Attempt {
    let child = try start(mode)
    for _ in 0..<chances.number(1...3) {
      aim(at: child)
      for _ in 0..<chances.number(1...3) {
        count(\.rewritten)
        // The long ones, whose reading takes longest, above all.
        let paths = tree.paths.filter { chances.percent(30) || (tree.files[$0]?.parts ?? 0) > 1 }
        guard chances.percent(85), let path = paths.randomElement(using: &chances) else {
          try add()
          continue
        }
        if chances.percent(15) {
          try tree.remove(path)
        } else {
          try rewrite(path, chances.percent(40) ? .aside : .slowly(UInt32(chances.number(0...60_000))))
        }
      }
    }
    say("files changed meanwhile")
    if chances.percent(30) { child.signal(SIGKILL) }
    let attempt = try wait(for: child)
    if attempt.end == .killed { count(\.kills) }
    return attempt
  }

  // MARK: What must hold

  func checkRecord() throws {
    count(\.checks)
    _ = try folder.check(tree, fence: fence)
  }

  func conclude(_ attempt: Attempt, _ mode: String, wasTouched: Bool) throws {
    try expectAgreement(attempt)
    if wasTouched {
      // What changed behind the reader comes with the next one.
      rest()
      runID += 1
      _ = try self.attempt("full").finished(in: self)
      tree.refresh()
      return try expectContent()
    }
    let last = try hearAgain(attempt, mode)
    let expected = mode == "full" ? tree.parts : tree.newParts
    guard last.number("delivered") == expected, last.number("quarantined") == 0 else {
      throw Failure(
        "\(last.number("delivered")) parts delivered and \(last.number("quarantined")) bad, not \(expected) and 0")
    }
    if mode == "full" { tree.refresh() } else { tree.catchUp() }
    try expectContent()
  }

  /// The folder holds these files and no other, each with its time, and its worker left nothing about.
  private func expectContent() throws {
    try checkRecord()
    let found = try folder.files()
    for path in Set(found.keys).union(tree.target.keys).sorted() where found[path] != tree.target[path] {
      func show(_ file: DocumentTree.File?) -> String {
        file.map { "\($0.bytes.count) bytes of \($0.modified), \($0.bytes.prefix(8).map { $0 })" } ?? "none"
      }
      throw Failure("“\(path)”: found \(show(found[path])), expected \(show(tree.target[path]))")
    }
    let left = folder.leftovers.filter { $0.contains("-f\(fence).") }
    guard left.isEmpty else { throw Failure("left in the hidden place by who finished: \(left)") }
  }
}
