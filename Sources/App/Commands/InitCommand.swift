import Audit
import ArgumentParser
import CEmbedded
import Foundation
import Identity
import Kernel
import Storage
import StorageSQLite
import Web

struct InitCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "init", abstract: "Make a new node: its database, keys, organisations and three administrators.")

  @OptionGroup var options: NodeOptions

  @Flag(help: "Print one JSON object.")
  var json = false

  func run() async throws {
    let settings = try options.settings()
    _ = try await Self.make(settings, clock: .system) { accounts in announce(accounts, settings) }
  }

  private func announce(_ accounts: [Account], _ settings: Settings) {
    if json {
      Terminal.print(
        JSON.array(
          accounts.map {
            .object([
              ("login", .string($0.login)), ("password", .string($0.password)), ("role", .string($0.role.rawValue)),
            ])
          }
        ).text)
      return
    }
    let t = Terminal.language
    Terminal.print(
      t(
        "节点已建立于 \(settings.data)，数据库 \(settings.databaseForDisplay)。",
        "The node stands in \(settings.data), its database is \(settings.databaseForDisplay)."))
    Terminal.print(
      t(
        "三名管理员的一次性密码（只显示这一次，首次登录须修改）：",
        "One-time passwords of the three administrators (shown once, to be changed at the first sign-in):"))
    for account in accounts { Terminal.print("  \(account.login)  \(account.password)  \(t(account.role.title))") }
  }

  struct Account {
    var login: String
    var password: String
    var role: Role
  }

  /// Everything of a new node. Refused, before anything is touched, where there is a node or the database has people. One that
  /// was interrupted goes on from where it was; `announce` hears of the accounts as soon as they stand.
  static func make(
    _ settings: Settings, clock: Clock, announce: ([Account]) -> Void = { _ in }
  ) async throws -> [Account] {
    let unfinished = settings.data + "/init.unfinished"
    try await requireNobody(settings, isResumed: Files.stand(unfinished))
    try Files.makeFolder(settings.data)
    if !Files.stand(unfinished) {
      try Files.write("Made by `sanjiang init`, removed at its end; run it again to go on.\n", to: unfinished)
    }
    let database = try Node.openDatabase(settings)
    try await database.migrate(Node.migrations)
    let now = clock.now()
    let authority = try await database.write { tx -> OrganisationID in
      try OrganisationImport.run(
        embeddedText(sj_organisations_qinghai_csv(), sj_organisations_qinghai_csv_length), at: now, in: tx)
      let office = try OrganisationStore.named("青海省人民政府办公厅", on: now.dateInChina, in: tx)
      guard let office else { throw Refusal.notFound(Text("主管部门", "competent authority")) }
      return office.id
    }
    await database.close()
    try NodeKeys.make(in: settings.data)
    try FileManager.default.createDirectory(atPath: settings.data + "/sources", withIntermediateDirectories: true)
    let node = try await Node.open(settings, clock: clock)
    let founders: [(login: String, name: String, role: Role)] = [
      ("sysadmin", "系统管理员", .systemAdministrator), ("secadmin", "安全管理员", .securityAdministrator),
      ("auditor", "审计管理员", .auditAdministrator),
    ]
    let passwords = try await node.people.found(
      founders.map { .init(login: $0.login, name: $0.name, organisation: authority, roles: [$0.role]) })
    let accounts = zip(founders, passwords).map { Account(login: $0.login, password: $1, role: $0.role) }
    announce(accounts)
    try Files.remove(unfinished)
    await node.close()
    return accounts
  }

  private static func requireNobody(_ settings: Settings, isResumed: Bool) async throws {
    guard isResumed || !NodeKeys.exist(in: settings.data) else {
      throw Refusal(
        .conflict, "init.exists", Text("\(settings.data) 里已有一个节点。", "There is a node in \(settings.data) already."))
    }
    guard try await hasPeople(settings, isResumed: isResumed) else { return }
    let database = settings.databaseForDisplay
    throw Refusal(
      .conflict, "init.people",
      isResumed
        ? Text(
          "上次 init 在建好账户之后中断。若没有看到密码，请用 sanjiang people rescue 重设，再删除 \(settings.data)/init.unfinished。",
          "The last init was interrupted after it had made the accounts. If their passwords were not shown, set new ones by sanjiang people rescue, and then remove \(settings.data)/init.unfinished."
        )
        : Text(
          "数据库 \(database) 已属于另一个节点（里面已有人员），而 \(settings.data) 里没有它的密钥。请换一个空的数据库，或用 --data 指明那个节点的目录。",
          "The database \(database) belongs to another node, for there are people in it, and \(settings.data) does not have its keys. Take an empty database, or name that node's folder by --data."
        ))
  }

  /// Looks without making or migrating anything. What an interrupted init left is opened to be written, for the kill may have left a
  /// journal that has to be rolled back before the file can be read at all.
  private static func hasPeople(_ settings: Settings, isResumed: Bool) async throws -> Bool {
    let database: any Database
    if let path = settings.sqlitePath {
      guard Files.stand(path) else { return false }
      database = try SQLiteDatabase(path: path, readers: 1, isReadOnly: !isResumed)
    } else {
      database = try Node.openDatabase(settings, connections: 2)
    }
    let table: SQL =
      database.engine == .sqlite
      ? "SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'identity_person'"
      : "SELECT relname FROM pg_class WHERE oid = to_regclass('identity_person')"
    do {
      let found = try await database.read { tx in try tx.row(table) != nil && People.exist(in: tx) }
      await database.close()
      return found
    } catch {
      await database.close()
      throw error
    }
  }
}
