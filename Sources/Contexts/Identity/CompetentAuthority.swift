package import Kernel
package import Storage

/// 主管部门: the office that runs the platform. There is no switch for it: it is the one whose people are its operators.
package enum CompetentAuthority {
  /// Whether somebody of this office who may sign in is an operator of the platform.
  package static func includes(_ office: OrganisationID, in tx: any Transaction) throws -> Bool {
    try tx.row(
      """
      SELECT p.id FROM identity_person p JOIN identity_role r ON r.person = p.id
      WHERE p.organisation = \(office) AND p.is_active = TRUE AND r.role = \(Role.platformOperator) LIMIT 1
      """) != nil
  }
}
