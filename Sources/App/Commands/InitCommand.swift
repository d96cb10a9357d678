import Audit
import ArgumentParser
import CEmbedded
import Foundation
import Identity
import Kernel
import Storage
import Web

struct InitCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "init", abstract: "Make a new node: its database, keys, organisations and three administrators.")

  @OptionGroup var options: NodeOptions

  @Flag(help: "Print one JSON object.")
  var json = false

  func run() async throws {
    let settings = try options.settings()
    let accounts = try await Self.make(settings, clock: .system)
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

  /// Everything of a new node; refused when the folder has keys already.
  static func make(_ settings: Settings, clock: Clock) async throws -> [Account] {
    guard !NodeKeys.exist(in: settings.data) else {
      throw Refusal(
        .conflict, "init.exists", Text("\(settings.data) 里已有一个节点。", "There is a node in \(settings.data) already."))
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
    var accounts: [Account] = []
    for (login, name, role) in [
      ("sysadmin", "系统管理员", Role.systemAdministrator), ("secadmin", "安全管理员", .securityAdministrator),
      ("auditor", "审计管理员", .auditAdministrator),
    ] {
      let made = try await node.people.createForNode(
        .init(login: login, name: name, organisation: authority, roles: [role]))
      accounts.append(Account(login: login, password: made.oneTimePassword, role: role))
    }
    try await node.sequencer.sequenceAll()
    await node.database.close()
    return accounts
  }
}
