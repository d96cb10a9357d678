package import Kernel

/// What a person is in the platform. System, security and audit administration never meet in one person (三员分立).
package enum Role: String, Sendable, CaseIterable {
  /// 系统管理员: settings, jobs, connectors, backups.
  case systemAdministrator = "system-admin"
  /// 安全管理员: people, roles, sessions.
  case securityAdministrator = "security-admin"
  /// 审计管理员: the log, proofs, checkpoints; decides nothing.
  case auditAdministrator = "audit-admin"
  /// 平台运营 of the competent authority (主管部门): reviews the catalogue, sees every clock.
  case platformOperator = "operator"
  /// 部门数据管理员: registers systems, compiles the catalogue, answers requests for the department's data.
  case dataOfficer = "data-officer"
  /// 经办人: searches, asks, sees deliveries of the own department.
  case clerk = "clerk"
  /// 部门负责人: approves the own department's requests before they go out.
  case leader = "leader"
}

extension Role {
  /// The role's name for people.
  package var title: Text {
    switch self {
    case .systemAdministrator: Text("系统管理员", "System administrator")
    case .securityAdministrator: Text("安全管理员", "Security administrator")
    case .auditAdministrator: Text("审计管理员", "Audit administrator")
    case .platformOperator: Text("平台运营", "Platform operator")
    case .dataOfficer: Text("部门数据管理员", "Data officer")
    case .clerk: Text("经办人", "Clerk")
    case .leader: Text("部门负责人", "Leader")
    }
  }

  package var isAdministrative: Bool {
    self == .systemAdministrator || self == .securityAdministrator || self == .auditAdministrator
  }

  /// The first reason why one person may not hold all of these, or nil. The three administrators are kept apart from each
  /// other and from all business, so that nobody both acts and clears the traces.
  package static func conflict(in roles: Set<Role>) -> Text? {
    let administrative = roles.filter(\.isAdministrative)
    if administrative.count > 1 {
      return Text(
        "系统、安全、审计三类管理员不得由同一人担任。", "One person cannot be more than one of system, security and audit administrator.")
    }
    if administrative.count == 1, roles.count > 1 {
      return Text("管理员不得兼任业务角色。", "An administrator holds no business role.")
    }
    return nil
  }
}

/// Which roles hold which permission: each context declares its part, `App` joins them.
package struct Authority: Sendable {
  package let table: [Permission: Set<Role>]

  package init(_ parts: [[Permission: Set<Role>]]) {
    table = parts.reduce(into: [:]) { all, part in all.merge(part) { $0.union($1) } }
  }

  package func permissions(of roles: Set<Role>) -> Set<Permission> {
    Set(table.compactMap { $0.value.isDisjoint(with: roles) ? nil : $0.key })
  }
}

extension Permission {
  package static let peopleRead = Permission("identity.people.read")
  package static let peopleManage = Permission("identity.people.manage")
  package static let organisationsManage = Permission("identity.organisations.manage")
}
