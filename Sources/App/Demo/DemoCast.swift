import Foundation
import Identity
import Kernel
import Storage
import Web

/// Who takes part in the demo. Nobody of them exists; the offices do.
struct DemoCast: Sendable {
  struct Part: Sendable {
    var login: String
    var name: String
    var office: String
    var role: Role
    var principal: Principal
  }

  static let password = "sanjiang-2026-demo"
  static let provider = "青海省市场监督管理局"
  static let consumer = "青海省民政厅"
  static let authority = "青海省人民政府办公厅"

  private static let roles: [(String, String, String, Role)] = [
    ("ma.officer", "马数据", provider, .dataOfficer), ("li.clerk", "李经办", consumer, .clerk),
    ("wang.leader", "王处长", consumer, .leader), ("han.officer", "韩数据", consumer, .dataOfficer),
    ("zhang.operator", "张运营", authority, .platformOperator), ("audit.demo", "祁审计", authority, .auditAdministrator),
    ("security.demo", "星安全", authority, .securityAdministrator),
  ]

  let parts: [Part]

  func principal(_ login: String) -> Principal { parts.first { $0.login == login }!.principal }
  var officer: Principal { principal("ma.officer") }
  var clerk: Principal { principal("li.clerk") }
  var leader: Principal { principal("wang.leader") }
  var consumerOfficer: Principal { principal("han.officer") }
  var operatorInChief: Principal { principal("zhang.operator") }

  /// Makes the accounts; all have the password above.
  static func make(on node: Node) async throws -> DemoCast {
    var parts: [Part] = []
    let today = node.clock.now().dateInChina
    for (login, name, office, role) in roles {
      let organisation = try await node.database.read { try OrganisationStore.named(office, on: today, in: $0) }
      guard let organisation else { throw Refusal.notFound(Text(office, office)) }
      let made = try await node.people.createForNode(
        .init(login: login, name: name, organisation: organisation.id, roles: [role]), password: password)
      parts.append(
        Part(
          login: login, name: name, office: office, role: role,
          principal: Principal(
            person: made.id, name: name, organisation: organisation.id, organisationName: organisation.name,
            permissions: Node.authority.permissions(of: [role]))))
    }
    return DemoCast(parts: parts)
  }

  /// For the browser tests and for whoever wants to script the site.
  func write(to path: String) throws {
    let text = JSON.array(
      parts.map {
        .object([
          ("login", .string($0.login)), ("password", .string(Self.password)), ("role", .string($0.role.rawValue)),
        ])
      }
    ).text
    try Data(text.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
  }
}
