import Connecting
import ConnectorFiles
import ConnectorMariaDB
import ConnectorMessages
import ConnectorPostgreSQL
import ConnectorSQLite
import Foundation
import Kernel
import TestKit
import Transfer

/// One delivery in a process of its own, for those who kill it:
/// `deliver KIND SOURCE KIND TARGET MODE RUN FENCE KEEPER [--OPTION VALUE …]`.
///
/// Bad rows go to the folder KEEPER, a file for each batch and part, by the rule of the platform's own keeper; a file
/// `lease` there, if it is, says which fence may write. Prints a line for each commit, then the provider's receipt and
/// whether the consumer's agrees.
///
///   --grant G            the grant's id
///   --table T            of both sides; the tests' table of persons otherwise
///   --note LENGTH        the table has a column `note` of this length, which is granted as well
///   --documents yes      the table's rows are parts of files; by how many bytes memory grew is said at the end
///   --file-limit BYTES   where files stop growing, as on a full disk
///   --split COUNT        cut the delivery into parts: prints a line for each
///   --part TEXT          carry out one of them: prints what it gives
///   --gather FILE        gather what the parts gave, a line each
///   --lease NAME         which of the keeper's leases is this worker's: each part has one
///   --heard RUN          whose outcome was heard of last; `-` for none
///   --clock SECONDS      how far this machine's clock is off
///   --patience MS        for how long a receiver of messages is asked again; a quarter of a minute otherwise
///   --age MS             since when a file must have been left alone; 0 otherwise
struct Worker {
  private let places: [String]
  private let mode: DeliveryPlan.Mode
  private let run: String
  private let fence: Int64
  private let keeper: String
  private let options: [String: String]

  init?(_ arguments: [String]) {
    guard arguments.count >= 8, arguments.count.isMultiple(of: 2), let mode = DeliveryPlan.Mode(rawValue: arguments[4]),
      let fence = Int64(arguments[6])
    else { return nil }
    places = Array(arguments[..<4])
    self.mode = mode
    run = arguments[5]
    self.fence = fence
    keeper = arguments[7]
    var options: [String: String] = [:]
    for index in stride(from: 8, to: arguments.count, by: 2) { options[arguments[index]] = arguments[index + 1] }
    self.options = options
  }

  /// Answers the exit status.
  func deliver() async throws -> Int32 {
    if let limit = options["--file-limit"].flatMap({ UInt($0) }) {
      signal(SIGXFSZ, SIG_IGN)
      var limits = rlimit(rlim_cur: limit, rlim_max: limit)
      setrlimit(__rlimit_resource_t(1), &limits)
    }
    let offset = options["--clock"].flatMap { Int64($0) } ?? 0
    let keeper = QuarantineFolder(path: keeper, fence: fence, lease: options["--lease"] ?? "lease")
    let control = DeliveryControl(
      progress: { Self.say("commit \($0.batch)\n") }, quarantine: { try keeper.keep($0) },
      clock: Clock { Clock.system.now() + .seconds(offset) })
    do {
      let delivery = try Delivery(plan, control: control)
      let (source, target) = (try connector(places[0], places[1]), try connector(places[2], places[3]))
      if let count = options["--split"].flatMap({ Int($0) }) {
        for part in try await delivery.split(into: count, from: source, to: target) {
          Self.say("part \(Self.line(part.text))\n")
        }
        return 0
      }
      if delivery.plan.part != nil {
        guard case .finished(let part) = try await delivery.runPart(from: source, to: target) else { return 1 }
        Self.say("delivered-part \(Self.line(part.text))\n")
        return 0
      }
      let before = Self.memory("VmRSS")
      let outcome: DeliveryOutcome
      if let file = options["--gather"] {
        let parts = try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n").compactMap {
          DeliveredPart(Self.text($0))
        }
        outcome = try await delivery.gather(parts, to: target)
      } else {
        outcome = try await delivery.run(from: source, to: target)
      }
      Self.say("\(outcome.provider.canonicalText)agrees \(outcome.consumer != nil && outcome.disagreement == nil)\n")
      // What a repeated run says must be the same, and memory is not.
      if options["--documents"] != nil { Self.say("grown \(Self.memory("VmHWM") - before)\n") }
      return 0
    } catch let error as ConnectorError {
      Self.say("error \(error.kind.rawValue) \(error.code)\n")
      return 1
    } catch is QuarantineFolder.LeaseLost {
      Self.say("error lease\n")
      return 1
    }
  }

  /// Several lines as a word, and back.
  private static func line(_ text: String) -> String { Data(text.utf8).base64EncodedString() }
  private static func text(_ line: some StringProtocol) -> String {
    String(decoding: Data(base64Encoded: String(line)) ?? Data(), as: UTF8.self)
  }

  private var plan: DeliveryPlan {
    let table = TableName(options["--table"] ?? "person")
    var items = [
      ItemContract("id", .integer), ItemContract("name", .text, length: 12),
      ItemContract("capital", .decimal(precision: 18, scale: 2)), ItemContract("born", .date),
    ]
    if options["--documents"] != nil {
      items = [
        ItemContract("path", .text), ItemContract("part", .integer), ItemContract("size", .integer),
        ItemContract("modified", .timestamp), ItemContract("content", .bytes),
      ]
    }
    if let length = options["--note"].flatMap({ Int($0) }) { items.append(ItemContract("note", .text, length: length)) }
    var plan = DeliveryPlan(
      grant: options["--grant"] ?? "grant-1", run: run, fence: fence, mode: mode, source: table, target: table,
      items: items, key: options["--documents"] == nil ? ["id"] : ["path", "part"],
      cursor: .init(options["--documents"] == nil ? "changed" : "modified", .timestamp),
      secret: Array("0123456789abcdef-secret".utf8),
      providerKey: Array("fedcba9876543210-provider".utf8), batchBytes: RowBatch.smallest)
    plan.changes.ending = .caughtUp
    plan.part = options["--part"].flatMap { DeliveryPart(Self.text($0)) }
    plan.heard = options["--heard"].map { $0 == "-" ? "" : $0 }
    return plan
  }

  private func connector(_ kind: String, _ place: String) throws(ConnectorError) -> any Connector {
    switch kind {
    case "sqlite": return SQLiteConnector(path: place)
    // Small files, so that there are many moments to be killed in.
    case "csv", "jsonl":
      return FilesConnector(
        .local(place), FilesOptions(format: FileFormat(rawValue: kind) ?? .csv),
        writing: WrittenFiles(fileBytes: 100_000))
    case "documents":
      return DocumentsConnector(
        .local(place), leastAge: milliseconds("age") ?? .zero, writing: WrittenDocuments(bytes: 3 << 20, files: 20))
    case "messages":
      // Short messages, for the same reason.
      return try MessagesConnector(
        ["address": place, "secret": MessageReceiver.secret, "size": "16"],
        patience: milliseconds("patience") ?? MessagesConnector.usualPatience)
    case "mariadb":
      // Socket and database; times in UTC, as those who write the tables do.
      let parts = place.split(separator: "|").map(String.init)
      return MariaDBConnector(
        MariaDBAddress(host: "", database: parts.last ?? "", user: "root", zone: 0, socket: parts.first))
    default: return PostgreSQLConnector(PostgreSQLAddress(address: place))
    }
  }

  private func milliseconds(_ option: String) -> Duration? {
    options["--" + option].flatMap { Int($0) }.map { .milliseconds($0) }
  }

  /// Bytes of this process's memory, as the system counts them.
  private static func memory(_ field: String) -> Int {
    let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let line = status.split(separator: "\n").first { $0.hasPrefix(field + ":") } ?? ""
    return (line.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first.flatMap { Int($0) } ?? 0) << 10
  }

  /// At once: whoever kills this process aims by it.
  private static func say(_ text: String) {
    let bytes = Array(text.utf8)
    _ = write(1, bytes, bytes.count)
  }
}

/// Where bad rows are kept, as the platform keeps them: nothing is written for a job whose lease another has.
struct QuarantineFolder {
  let path: String
  var fence: Int64 = 0
  var lease = "lease"

  struct LeaseLost: Error {}

  func keep(_ rows: QuarantinedRows) throws {
    try locked {
      if let lease = try? String(contentsOfFile: path + "/" + self.lease, encoding: .utf8), lease != "\(fence)" {
        throw LeaseLost()
      }
      for (name, batch, part) in try files()
      where rows.part == 0 ? batch >= rows.batch && batch <= rows.lastOwn : batch == rows.batch && part == rows.part {
        try FileManager.default.removeItem(atPath: path + "/" + name)
      }
      let lines = rows.rows.map { "\($0.fault.code) \($0.keyDigest ?? "-")\n" }.joined()
      try lines.write(toFile: "\(path)/\(rows.batch)-\(rows.part)", atomically: true, encoding: .utf8)
    }
  }

  /// How many rows lie in these batches.
  func count(_ batches: ClosedRange<Int64>) throws -> Int {
    try files().filter { batches.contains($0.batch) }.reduce(0) { sum, file in
      sum + (try String(contentsOfFile: path + "/" + file.name, encoding: .utf8)).utf8.count { $0 == 10 }
    }
  }

  private func files() throws -> [(name: String, batch: Int64, part: Int)] {
    try FileManager.default.contentsOfDirectory(atPath: path).compactMap { name in
      let numbers = name.split(separator: "-").map { Int64($0) }
      guard numbers.count == 2, let batch = numbers[0], let part = numbers[1] else { return nil }
      return (name, batch, Int(part))
    }
  }

  /// Gives the lease to a fence. False when somebody holds the lock for longer than `patience` milliseconds.
  func lease(to fence: Int64, patience: Int) throws -> Bool {
    let lock = try openLock()
    defer { close(lock) }
    var waited = 0
    while flock(lock, LOCK_EX | LOCK_NB) != 0 {
      guard waited < patience else { return false }
      usleep(1000)
      waited += 1
    }
    try "\(fence)".write(toFile: path + "/" + lease, atomically: true, encoding: .utf8)
    return true
  }

  private func locked(_ body: () throws -> Void) throws {
    let lock = try openLock()
    defer { close(lock) }
    while flock(lock, LOCK_EX) != 0 {}
    try body()
  }

  private func openLock() throws -> Int32 {
    let lock = open(path + "/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard lock >= 0 else { throw LeaseLost() }
    return lock
  }
}
