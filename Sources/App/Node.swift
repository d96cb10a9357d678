import Transfer
import Attachments
import Audit
import Calendars
import Catalog
import Census
import Connecting
import ConnectorFiles
import ConnectorHTTP
import ConnectorMariaDB
import ConnectorMessages
import ConnectorODBC
import ConnectorPostgreSQL
import ConnectorSQLite
import Deadlines
import Exchange
import Feedback
import FrontNodes
import Foundation
import Idempotency
import Identity
import Inbox
import Inventory
import Jobs
import Kernel
import Logging
import Mounting
import Probing
import Sharing
import Storage
import StoragePostgres
import StorageSQLite
import Supervision
import Web

/// Everything of one node, wired by hand: the database, the keys, each context.
struct Node: Sendable {
  let settings: Settings
  let clock: Clock
  let database: any Database
  let keys: NodeKeys
  /// What the program carries and what was loaded since.
  let calendars: Calendars
  let signIn: SignIn
  let people: People
  let tokens: Tokens
  let register: SystemRegister
  let frontNodes: FrontNodes
  let cataloguing: Cataloguing
  let mounting: Mounting
  let importDesk: ImportDesk
  let feedback: Feedback
  let attachments: Attachments
  let census: Census
  let sharing: Sharing
  let exchange: Exchange
  let supervision: Supervision
  let sequencer: Sequencer

  /// Every context's tables, in the order of the graph.
  static let migrations: [Migrations] = [
    JobsSchema.migrations, CalendarsSchema.migrations, InboxSchema.migrations, AttachmentSchema.migrations,
    IdempotencySchema.migrations,
    AuditSchema.migrations,
    IdentitySchema.migrations,
    InventorySchema.migrations,
    FrontNodesSchema.migrations,
    CatalogSchema.migrations,
    MountingSchema.migrations,
    FeedbackSchema.migrations,
    CensusSchema.migrations,
    SharingSchema.migrations,
    ExchangeSchema.migrations,
    SupervisionSchema.migrations,
  ]

  static let connectors = ConnectorCatalog([
    PostgreSQLConnector.kind, MariaDBConnector.kind, SQLiteConnector.kind, ODBCConnector.kind, CSVConnector.kind,
    FilesConnector.kind, DocumentsConnector.kind, HTTPConnector.kind, MessagesConnector.kind,
  ])

  /// Which role may do what: each context's part, and Audit's, which stands below the roles.
  static let authority = Authority([
    [
      .auditRead: [.auditAdministrator],
      .auditReadOwn: [.dataOfficer, .leader, .platformOperator],
    ],
    People.authority,
    SystemRegister.authority,
    FrontNodes.authority,
    Cataloguing.authority,
    Mounting.authority,
    Feedback.authority,
    Census.authority,
    Sharing.authority,
    Exchange.authority,
    Supervision.authority,
  ])

  /// What the log's codes are called.
  static let words = AuditWords(
    [
      Sharing.words,
      Exchange.words,
      Cataloguing.words,
      Mounting.words,
      Feedback.words,
      Census.words,
      SystemRegister.words,
      FrontNodes.words,
      People.words,
      AuditErasure.words,
      calendarWords,
    ],
    people: { try People.named($0, in: $1) }, name: { try People.name(of: $0, in: $1) },
    grant: { try GrantStore.find(number: $0, in: $1)?.id.text },
    number: { id, tx in try GrantID(id).flatMap { try GrantStore.find($0, in: tx)?.number } })

  /// Which records of the log a grant opens to its parties.
  static let grants = AuditGrants { id, principal, tx in
    try GrantID(id).flatMap { try GrantStore.find($0, in: tx) }.map { Sharing.sees($0, principal) } ?? false
  }

  static func openDatabase(_ settings: Settings, connections: Int = 8) throws -> any Database {
    if let path = settings.sqlitePath {
      try FileManager.default.createDirectory(
        atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true,
        attributes: [.posixPermissions: 0o700])
      return try SQLiteDatabase(path: path)
    }
    return try PostgresDatabase(settings.database, connections: connections)
  }

  /// Opens the database and the keys, and brings the tables up to date.
  static func open(_ settings: Settings, clock: Clock = .system) async throws -> Node {
    let keys = try NodeKeys.load(from: settings.data)
    try settings.requireDatabase()
    let database = try openDatabase(settings)
    try await database.migrate(migrations)
    let node = Node(settings: settings, clock: clock, database: database, keys: keys)
    try await node.cataloguing.renewSearch()
    try await node.cataloguing.keepSearch()
    try await node.cataloguing.renewLikeness()
    try await node.mounting.keepSchedules()
    try await node.frontNodes.keepChecking()
    try await node.recountByNewProgram()
    try await node.supervision.keepCounting()
    try await node.feedback.schedule()
    try await node.scheduleSweep()
    return node
  }

  init(settings: Settings, clock: Clock, database: any Database, keys: NodeKeys) {
    self.settings = settings
    self.clock = clock
    self.database = database
    self.keys = keys
    calendars = .stored()
    let hasher = PasswordHasher()
    let seal = SourceSeal.under(key: keys.sealing)
    let accounts = AccountPolicy(secondFactorFor: settings.secondFactorForStaff ? Set(Role.allCases) : [])
    signIn = SignIn(
      database: database, clock: clock, authority: Self.authority, hasher: hasher, sealingKey: keys.sealing,
      policy: accounts)
    people = People(database: database, clock: clock, hasher: hasher, sealingKey: keys.sealing, policy: accounts)
    tokens = Tokens(
      database: database, clock: clock, authority: Self.authority, sealingKey: keys.sealing, scopes: Self.scopes)
    let admission = SourceAdmission.machines(
      declared: settings.apiHosts, sockets: settings.socketSources, and: .files(under: settings.sourceFolders))
    register = SystemRegister(
      db: database, clock: clock, probe: .through(Self.connectors), seal: seal, admission: admission)
    frontNodes = FrontNodes(
      database: database, clock: clock, register: register, connectors: Self.connectors, seal: seal,
      uses: { try FrontNodes.sharing($0, $1, in: $2) })
    cataloguing = Cataloguing(
      db: database, clock: clock, register: register, calendars: calendars, dependents: .sharing,
      mountWatch: MountWatch { try Mounting.heard($0, at: $1, in: $2) },
      left: { try Feedback.noteWithdrawal(of: $0, at: $1, in: $2) })
    mounting = Mounting(
      db: database, clock: clock, register: register, cataloguing: cataloguing, calendars: calendars,
      services: .asking(ServiceClient(hosts: settings.apiHosts)))
    feedback = Feedback(database: database, clock: clock, cataloguing: cataloguing, calendars: calendars)
    importDesk = ImportDesk(folder: settings.data + "/imports")
    attachments = Attachments(
      database: database, clock: clock, folder: AttachmentFolder(settings.attachments),
      scanner: settings.attachmentScanner.map { .command($0) } ?? .none)
    census = Census(database: database, clock: clock, calendars: calendars, measuring: .platform)
    sharing = Sharing(
      database: database, clock: clock, calendars: calendars, sealingKey: keys.sealing,
      kind: { Self.connectors.kind($0) },
      ordered: { order, grant, now, tx in try Exchange.ordered(order, grant, at: now, in: tx) }
    ) { grant, now, tx in
      try Exchange.schedule(grant, at: now, in: tx)
    }
    exchange = Exchange(
      database: database, clock: clock, sharing: sharing, connectors: Self.connectors, seal: seal,
      admission: admission, calendars: calendars, nodeKey: keys.sealing)
    supervision = Supervision(database: database, clock: clock, measured: .byTests)
    sequencer = Sequencer(
      database: database, signer: keys.signer, clock: clock, logger: settings.logger("sanjiang.audit"))
  }

  /// What the worker does.
  var handlers: [String: JobRunner.Handler] {
    let (exchange, mounting, supervision, feedback) = (exchange, mounting, supervision, feedback)
    let (census, attachments, cataloguing, frontNodes) = (census, attachments, cataloguing, frontNodes)
    return [
      Supervision.job: { _ in "\(try await supervision.refresh())" },
      Feedback.tending: { _ in
        let done = try await feedback.tend()
        return "\(done.reminded) reminded, \(done.late) late, \(done.lapsed) lapsed"
      },
      FrontNodes.check: { context in
        let done = try await frontNodes.checkAll { try await context.report(done: $0) }
        return "\(done.checked) checked, \(done.bad) without an answer"
      },
      Feedback.news: { _ in "\(try await feedback.bringNews()) digests" },
      Exchange.job: carrier(),
      Exchange.part: { context in
        try await exchange.carryOutPart(context.job) { progress in try await context.report(done: progress.delivered) }
      },
      Exchange.release: { context in
        guard let id = GrantID(context.job.payload) else { throw JobFailure.permanent("not a grant's id") }
        try await exchange.release(id)
        return nil
      },
      Exchange.comparing: comparer(),
      Exchange.comparingTurn: { context in
        guard let id = GrantID(context.job.payload) else { throw JobFailure.permanent("not a grant's id") }
        try await exchange.takeComparingTurn(id)
        return nil
      },
      Exchange.turn: { context in
        guard let id = GrantID(context.job.payload) else { throw JobFailure.permanent("not a grant's id") }
        try await exchange.takeTurn(id)
        return nil
      },
      Census.preparation: { context in
        guard let id = CampaignID(context.job.payload) else { throw JobFailure.permanent("not a campaign's id") }
        try await census.prepare(id) { lines in try await context.report(done: lines) }
        return nil
      },
      Attachments.sweep: { _ in "\(try await attachments.removeOrphans())" },
      Cataloguing.searchMerging: { context in
        try await cataloguing.mergeSearch { try await context.report() }
        return nil
      },
      Mounting.sweepJob: { _ in
        let surveyed = try await mounting.surveyDue()
        return "\(try await mounting.sweep()) + \(surveyed)"
      },
      Mounting.olderJob: { context in
        "\(try await mounting.tieOlder { try await context.report(done: $0) }) tied"
      },
      Mounting.testJob: { context in
        guard let id = TieID(context.job.payload) else { throw JobFailure.permanent("not a tie's id") }
        try await mounting.test(id)
        return nil
      },
      Mounting.draftJob: { context in
        guard let id = DraftBatchID(context.job.payload) else { throw JobFailure.permanent("not a batch's id") }
        try await mounting.make(id) { try await context.report(done: $0, total: $1) }
        return nil
      },
    ]
  }

  /// Carries a delivery out.
  private func carrier(_ show: @escaping @Sendable (DeliveryProgress) -> Void = { _ in }) -> JobRunner.Handler {
    let exchange = exchange
    return { context in
      do {
        let (delivery, _) = try await exchange.carryOut(context.job) { progress in
          show(progress)
          try await context.report(done: progress.delivered, note: "\(progress.delivered)")
        }
        return delivery.state.rawValue
      } catch let error as ConnectorError where error.kind != .retryable && error.kind != .fenced {
        // A wrong password or a changed table will not mend itself: a person has to.
        throw JobFailure.permanent(error.message.english)
      }
    }
  }

  /// Compares the two sides of a grant.
  private func comparer() -> JobRunner.Handler {
    let exchange = exchange
    return { context in
      let comparison = try await exchange.carryOutComparison(context.job) { rows in
        try await context.report(done: rows)
      }
      return comparison.state.rawValue
    }
  }

  /// Files that belong to nothing any more go at night.
  private func scheduleSweep() async throws {
    let now = clock.now()
    try await database.write { tx in
      try JobSchedule.set(
        Attachments.sweep, kind: Attachments.sweep, .daily(hour: 3, minute: 40), at: now, in: tx)
    }
  }

  /// The end of a command that may have written: gives its records their leaves, for no sequencer may ever run beside it, and
  /// closes the database. What the command did holds in any case, so trouble here is told and no more.
  func close() async {
    do { try await sequencer.sequenceAll() } catch {
      Terminal.error(
        Terminal.language(
          "日志记录已保存，但未能入树：\(error)。请运行 sanjiang audit verify。",
          "The log's records are kept but have no leaves yet: \(error). Run sanjiang audit verify."))
    }
    await database.close()
  }

  /// Names a worker to an operator who waits for what it holds: the machine, the process, and which of its workers.
  static func worker() -> String {
    "\(ProcessInfo.processInfo.hostName) pid \(getpid()) \(UUID().uuidString.prefix(8).lowercased())"
  }

  /// Which jobs a runner takes.
  enum Lane {
    /// Everything that ends.
    case ending
    /// What follows sources as they change: it runs all the time, and must not keep what ends from its turn.
    case following
    /// Both, for a command that waits for one of them.
    case both
  }

  func runner(
    _ lane: Lane = .ending, concurrency: Int = 2, owner: String = Self.worker(),
    show: @escaping @Sendable (DeliveryProgress) -> Void = { _ in }
  ) -> JobRunner {
    let exchange = exchange
    let abandon: JobRunner.Mourner = { job, now, tx in try exchange.abandon(job, at: now, in: tx) }
    var taken: [String: JobRunner.Handler] = lane == .following ? [:] : handlers
    if lane != .following { taken[Exchange.job] = carrier(show) }
    if lane != .ending { taken[Exchange.follow] = carrier(show) }
    var logger = settings.logger("sanjiang.jobs")
    // Who waits for a command hears from the command.
    if lane == .both { logger.logLevel = max(logger.logLevel, .notice) }
    return JobRunner(
      database: database, clock: clock, handlers: taken,
      abandoned: [
        Exchange.job: abandon, Exchange.follow: abandon,
        Exchange.part: { job, now, tx in try exchange.abandonPart(job, at: now, in: tx) },
        Exchange.comparing: { job, now, tx in try exchange.abandonComparison(job, at: now, in: tx) },
      ], concurrency: concurrency,
      turnsSchedules: lane != .following, owner: owner, logger: logger)
  }
}
