@testable import Audit
@testable import Identity
import Kernel
import NationalCrypto
import Storage
import TestKit

/// A node's identity with two offices, a security administrator, and time moved by hand.
struct Desk: Sendable {
  static let hasher = PasswordHasher(cost: .init(memoryKiB: 8, passes: 1), threads: 1)
  static let key = [UInt8](repeating: 7, count: 32)
  static let authority = Authority([
    People.authority, [.auditRead: [.auditAdministrator]], [Permission("test.ask"): [.clerk, .leader]],
  ])
  static let password = "three rivers meet here"

  let db: any Database
  let time: ManualClock
  let signIn: SignIn
  let people: People
  let tokens: Tokens
  let offices: Organisations
  let market: Organisation
  let civil: Organisation
  let gone: Organisation
  let security: Principal

  static let migrations = [AuditSchema.migrations, IdentitySchema.migrations]

  static func open<T: Sendable>(
    _ engine: Engine, policy: AccountPolicy = AccountPolicy(), hasher: PasswordHasher = Desk.hasher,
    patience: Duration = .zero, _ body: (Desk) async throws -> T
  ) async throws -> T {
    try await withDatabase(engine, migrations) { db in
      try await body(try await Desk(db, policy, hasher, patience: patience))
    }
  }

  init(
    _ db: any Database, _ policy: AccountPolicy, _ hasher: PasswordHasher, patience: Duration = .zero
  ) async throws {
    self.db = db
    time = ManualClock("2026-03-02T01:00:00.000Z")
    market = office(1, "青海省市场监督管理局", "省市场监管局", from: "2018-11-01")
    civil = office(2, "青海省民政厅", "省民政厅")
    gone = office(3, "青海省工商行政管理局", "省工商局", until: "2018-11-01")
    // Waiting for a turn moves the clock; without patience a pause is told at once.
    let (time, waits) = (time, patience)
    signIn = SignIn(
      database: db, clock: time.clock, authority: Self.authority, hasher: hasher, sealingKey: Self.key, policy: policy,
      patience: waits, sleep: { time.advance(by: $0) })
    offices = Organisations(
      database: db, clock: time.clock, nodes: ClassificationNodes { $0 == "3070120337" ? "主题 › 市场监管" : nil })
    people = People(database: db, clock: time.clock, hasher: hasher, sealingKey: Self.key, policy: policy)
    tokens = Tokens(
      database: db, clock: time.clock, authority: Self.authority, sealingKey: Self.key,
      scopes: [(Permission("test.ask"), Text("提问", "Ask")), (.peopleManage, Text("管理人员", "Manage people"))])
    let offices = [market, civil, gone]
    try await db.write { tx in for office in offices { try OrganisationStore.insert(office, fileKey: nil, in: tx) } }
    let id = try await people.createForNode(
      .init(login: "secadmin", name: "安全管理员", organisation: market.id, roles: [.securityAdministrator]),
      password: Self.password
    ).id
    security = Principal(
      person: id, name: "安全管理员", organisation: market.id, organisationName: market.name,
      permissions: Self.authority.permissions(of: [.securityAdministrator]))
  }

  /// Records of one moment stand in no order; a millisecond puts the next behind.
  func tick() { time.advance(by: .milliseconds(1)) }

  /// Somebody of the market office whose password is `Desk.password`.
  @discardableResult
  func hire(_ login: String, _ roles: Set<Role> = [.clerk], at organisation: OrganisationID? = nil) async throws
    -> PersonID
  {
    try await people.createForNode(
      .init(login: login, name: "人员" + login, organisation: organisation ?? market.id, roles: roles),
      password: Self.password
    ).id
  }

  func enter(_ login: String, _ password: String = Desk.password, from source: String = "10.1.1.1") async throws
    -> String
  {
    try await signIn.begin(login: login, password: password, source: source).token
  }

  func principal(_ token: String) async throws -> Principal? { try await signIn.resolve(token: token)?.principal }

  /// Signed in from an address of its own, so that no test's tries count for another's.
  func principal(of login: String) async throws -> Principal {
    let token = try await enter(login)
    return try existing(try await principal(token))
  }

  func person(_ id: PersonID) async throws -> Person {
    try existing(try await db.read { try PersonStore.find(id, in: $0) })
  }

  /// The log, oldest first: action, and details in one line.
  func log() async throws -> [(action: String, subject: String, detail: String)] {
    let auditor = Principal(
      person: nil, name: "审计", organisation: nil, organisationName: "", permissions: [.auditRead])
    return try await db.read { tx in
      try AuditSearch().records(for: auditor, in: tx).reversed().map { record in
        (
          record.action, record.payload?.subjectName ?? "",
          (record.payload?.detail ?? []).map { "\($0.name)=\($0.value)" }.joined(separator: " ")
        )
      }
    }
  }
}

struct Missing: Error {}

func existing<T>(_ value: T?) throws -> T {
  guard let value else { throw Missing() }
  return value
}

func office(
  _ number: Int, _ name: String, _ short: String, division: String = "63", from: String = "2017-01-01",
  until: String? = nil
) -> Organisation {
  let body = "PDY" + String(repeating: "0", count: 5 - "\(number)".count) + "\(number)"
  let code = try! CreditCode.make(department: "1", category: "1", division: "630000", organisation: body)
  return Organisation(
    id: .make(), name: name, shortName: short, creditCode: code.text, division: division, classificationNode: nil,
    validFrom: CalendarDate(from)!, validTo: until.map { CalendarDate($0)! })
}

/// The refusal that the body ends in, or nil when it goes through.
func refusal(_ body: () async throws -> some Any) async throws -> Refusal? {
  do {
    _ = try await body()
    return nil
  } catch let refusal as Refusal {
    return refusal
  }
}
