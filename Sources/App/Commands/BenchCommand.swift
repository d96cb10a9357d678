import ArgumentParser
import Audit
import Catalog
import Connecting
import Demo
import Foundation
import Inventory
import Kernel
import Sharing
import Storage
import Web

/// What `make bench` needs of the product and no operator does; hidden from the help.
struct BenchCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench", abstract: "Prepare measurements.", shouldDisplay: false,
    subcommands: [
      Rows.self, Prepare.self, Log.self, BenchCatalogue.self, BenchWorkbook.self, BenchFill.self,
      BenchSearch.self, BenchDiscovery.self,
    ])

  /// The generated register as CSV, for a database's own bulk load.
  struct Rows: ParsableCommand {
    @Option var rows = 1_000_000

    func run() throws {
      let generator = LegalPersonGenerator(count: rows)
      var chunk = ""
      for index in 0..<rows {
        let row = generator.sound(index)
        chunk +=
          "\(row.creditCode ?? ""),\(row.name),\(row.kind),\(row.representative),\(row.representativeID),\(row.capital),"
          + "\(row.established),\(row.status),\(row.industry),\(row.division),\(row.address),\(row.updatedAt)\n"
        if chunk.utf8.count > 1 << 20 {
          FileHandle.standardOutput.write(Data(chunk.utf8))
          chunk = ""
        }
      }
      FileHandle.standardOutput.write(Data(chunk.utf8))
    }
  }

  /// A node with a grant from one table into another database; prints the grant's id.
  struct Prepare: AsyncParsableCommand {
    @OptionGroup var options: NodeOptions
    @Option(help: "The connector of both sides.") var kind: String
    @Option(help: "name=value, repeated: the source's settings.") var source: [String]
    @Option(help: "name=value, repeated: the target's settings.") var target: [String]
    @Option var table = "legal_person"
    @Option(help: "How many grants: one for each measured run.") var grants = 1

    func run() async throws {
      let settings = try options.settings()
      _ = try await InitCommand.make(settings, clock: .system)
      let node = try await Node.open(settings)
      let cast = try await DemoCast.make(on: node)
      for id in try await BenchGrants(node: node, cast: cast).make(
        kind, source: try BenchCommand.settings(source), target: try BenchCommand.settings(target), table: table,
        count: grants)
      {
        Terminal.print(id.text)
      }
      await node.database.close()
    }
  }

  /// `name=value`, each a setting of a source.
  static func settings(_ pairs: [String]) throws -> [String: String] {
    var settings: [String: String] = [:]
    for pair in pairs {
      guard let equals = pair.firstIndex(of: "=") else { throw ValidationError("name=value: \(pair)") }
      settings[String(pair[..<equals])] = String(pair[pair.index(after: equals)...])
    }
    return settings
  }

  /// Appends to a new node's log, as many a second as it takes.
  struct Log: AsyncParsableCommand {
    @OptionGroup var options: NodeOptions

    func run() async throws {
      let settings = try options.settings()
      let database = try Node.openDatabase(settings, connections: 16)
      try await database.migrate(Node.migrations)
      var figures: [(String, JSON)] = []
      for batch in [1, 10, 100, 1000] {
        figures.append(("batch\(batch)", JSON(try await Self.batches(of: batch, into: database))))
      }
      figures.append(("callers64", JSON(try await Self.callers(64, into: database))))
      await database.close()
      Terminal.printJSON(figures)
    }

    /// Records a second, one writer, so many records a commit.
    private static func batches(of size: Int, into database: any Database) async throws -> Int {
      let count = min(40_000, size * 2000)
      let begun = ContinuousClock.now
      for _ in 0..<count / size {
        try await database.write { tx in for _ in 0..<size { try AuditLog.record(entry(), in: tx) } }
      }
      return rate(count, since: begun)
    }

    /// Records a second when each caller waits for its own commit.
    private static func callers(_ callers: Int, into database: any Database) async throws -> Int {
      let each = 500
      let begun = ContinuousClock.now
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<callers {
          group.addTask {
            for _ in 0..<each { try await database.write { _ = try AuditLog.record(entry(), in: $0) } }
          }
        }
        try await group.waitForAll()
      }
      return rate(callers * each, since: begun)
    }

    private static func rate(_ count: Int, since begun: ContinuousClock.Instant) -> Int {
      Int(Double(count) / (Double((ContinuousClock.now - begun).inMilliseconds) / 1000))
    }

    private static func entry() -> AuditEntry {
      AuditEntry(
        at: Clock.system.now(), actor: .system(), action: "bench.append", subjectKind: "bench", subject: "019cc1bb",
        subjectName: "青海省人民政府办公厅", detail: [("number", "青数授〔2026〕000001"), ("state", "active")])
    }
  }
}

/// Registered systems, a published resource and decided requests between two databases, without people waiting.
struct BenchGrants {
  let node: Node
  let cast: DemoCast

  func make(_ kind: String, source: [String: String], target: [String: String], table: String, count: Int) async throws
    -> [GrantID]
  {
    let facts = SystemFacts(
      name: "测量用登记系统", function: "测量", scope: "2", frequency: "1", approvedBy: "青海省发展和改革委员会",
      approvedOn: CalendarDate("2015-06-18"), fundSource: "省级财政", network: "2", stage: "4")
    let holder = try await node.register.register(cast.officer, facts)
    let from = try await node.register.addSource(
      cast.officer, holder.id, SourceDraft(name: "登记库", kind: kind, settings: source))
    let receiver = try await node.register.register(cast.consumerOfficer, facts)
    let into = try await node.register.addSource(
      cast.consumerOfficer, receiver.id, SourceDraft(name: "核对库", kind: kind, settings: target))
    let tables = try await node.register.tables(cast.officer, from.id).tables
    guard let name = tables.first(where: { $0.name.name == table })?.name else {
      throw ValidationError("no table \(table)")
    }
    let draft = try await node.cataloguing.draft(cast.officer, from: from.id, table: name, sampling: 2000)
    var metadata = draft.metadata
    metadata.name = "测量用法人登记信息"
    metadata.abstract = "测量用。"
    (metadata.format, metadata.sharingType, metadata.sharingCondition) = ("0311", "2", "测量用")
    (metadata.methodClass, metadata.methodType, metadata.openType, metadata.cycle) = ("1", "1", "3", "7")
    _ = try await node.cataloguing.edit(cast.officer, draft.id, from: draft.revision, .init(metadata: metadata))
    _ = try await node.cataloguing.submit(cast.officer, draft.id)
    let resource = try await node.cataloguing.decide(cast.operatorInChief, draft.id, .approve(publish: true))
    var grants: [GrantID] = []
    for index in 0..<count { grants.append(try await grant(resource, into.id, "bench_\(index)")) }
    return grants
  }

  private func grant(_ resource: Resource, _ target: SourceID, _ table: String) async throws -> GrantID {
    let today = node.clock.now().dateInChina
    var request = try await node.sharing.submit(
      RequestDraft(
        resource: resource.id, items: resource.items.map(\.id), purpose: "测量", legalBasis: "测量", scene: "测量",
        mode: .table, frequency: .once,
        firstDay: today, lastDay: today + 30, targetSource: target, targetTable: table), by: cast.clerk)
    request = try await node.sharing.decideOwn(
      request.id, approve: true, words: "", version: request.version, by: cast.leader)
    request = try await node.sharing.review(
      request.id, pass: true, words: "", version: request.version, by: cast.operatorInChief)
    let decisions = request.items.map {
      ItemDecision(item: $0.item, approve: true, mask: $0.column == "representative_id" ? .keepHeadTail(6, 4) : .none)
    }
    return try await node.sharing.decide(request.id, decisions, words: "", version: request.version, by: cast.officer).1
      .id
  }
}
