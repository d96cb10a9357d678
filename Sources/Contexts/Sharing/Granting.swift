import Audit
import Catalog
package import Kernel
package import Storage

extension Sharing {
  /// Suspends, resumes or revokes a grant. What runs under it stops before its next commit.
  package func order(
    _ order: GrantOrder, _ id: GrantID, why: String, version: Int, by principal: Principal
  ) async throws -> Grant {
    try principal.require(.sharingRevoke)
    try requireWords(why, Text("请写明理由。", "State the reason."))
    let now = clock.now()
    return try await database.write { tx in
      guard let grant = try GrantStore.find(id, in: tx), Self.sees(grant, principal) else { throw Self.noGrant }
      guard principal.may(.sharingReview) || principal.organisation == grant.provider else {
        throw Refusal(
          .forbidden, "sharing.grant.provider",
          Text("只有提供部门或平台运营可以这样做。", "Only the provider or the operator may do this."))
      }
      guard grant.version == version else { throw Self.changed }
      let state = try Grant.applying(order, to: grant.state)
      let who = "\(principal.organisationName) \(principal.name)"
      guard
        try GrantStore.setState(
          state, of: id, version: version, by: who, for: principal.onBehalfOfName, why: why, at: now, in: tx)
      else { throw Self.changed }
      try AuditLog.record(
        AuditEntry(
          at: now, actor: principal, action: "sharing.grant.\(order.rawValue)", subjectKind: "grant", subject: id.text,
          subjectName: grant.number, grant: id.text, detail: [("why", why)]), in: tx)
      guard let changed = try GrantStore.find(id, in: tx) else { throw Self.noGrant }
      try ordered(order, changed, now, tx)
      return changed
    }
  }

  /// Throws exactly why nothing may move under a grant now: it ended, or its resource is offline.
  package func guardGrant(_ id: GrantID) async throws {
    let now = clock.now()
    try await database.read { tx in
      guard let grant = try GrantStore.find(id, in: tx) else { throw Self.noGrant }
      try check(grant, on: now.dateInChina, in: tx)
    }
  }

  /// The same in a transaction that goes on.
  package func check(_ grant: Grant, on day: CalendarDate, in tx: any Transaction) throws {
    try grant.check(on: day)
    guard try CatalogStore.isInForce(grant.resource, in: tx) else {
      throw Refusal(
        .forbidden, "sharing.grant.offline",
        Text(
          "资源“\(grant.resourceName)”已下架，交换暂停，重新上线后继续。",
          "The resource “\(grant.resourceName)” is offline; nothing moves until it is back."))
    }
  }
}
