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

/// An office of government as it stood between two days. A reform ends one and begins another that names it as its
/// predecessor.
package struct Organisation: Sendable, Hashable {
  package var id: OrganisationID
  package var name: String
  package var shortName: String
  /// 统一社会信用代码, GB 32100; fictitious in the demo.
  package var creditCode: String
  /// GB/T 2260 division it belongs to: `63`, `6301`, `630102`.
  package var division: String
  /// Its node in the national classification (`3070120337`), which prefixes its resources' codes.
  package var classificationNode: String?
  package var validFrom: CalendarDate
  /// The first day it no longer stands; nil while it stands.
  package var validTo: CalendarDate?

  package init(
    id: OrganisationID, name: String, shortName: String, creditCode: String, division: String,
    classificationNode: String?, validFrom: CalendarDate, validTo: CalendarDate?
  ) {
    self.id = id
    self.name = name
    self.shortName = shortName
    self.creditCode = creditCode
    self.division = division
    self.classificationNode = classificationNode
    self.validFrom = validFrom
    self.validTo = validTo
  }
}
