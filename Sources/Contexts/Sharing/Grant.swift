package import Catalog
package import Inventory
package import Kernel

/// A permission on record (授权): which items of which resource, for whom, for what, on what basis, how often, until when.
/// Nothing moves without one.
package struct Grant: Hashable, Sendable {
  package enum State: String, Sendable, CaseIterable {
    case active, suspended, revoked

    package var title: Text {
      switch self {
      case .active: Text("有效", "Active")
      case .suspended: Text("暂停", "Suspended")
      case .revoked: Text("已撤销", "Revoked")
      }
    }
  }

  package struct Item: Hashable, Sendable {
    package var item: ItemID
    package var name: String
    package var column: String
    package var isKey: Bool
    package var mask: Mask
  }

  package var id: GrantID
  /// 青数授〔2026〕000017
  package var number: String
  package var request: ShareRequestID
  package var resource: ResourceID
  package var resourceVersion: Int
  package var resourceName: String
  package var provider: OrganisationID
  package var providerName: String
  package var consumer: OrganisationID
  package var consumerName: String
  package var purpose: String
  package var legalBasis: String
  package var scene: String
  package var mode: SharingMode
  package var frequency: Frequency
  package var firstDay: CalendarDate
  package var lastDay: CalendarDate
  package var targetSource: SourceID
  package var targetTable: String
  package var goneRows: GoneRows
  package var items: [Item]
  /// An expression over the resource's columns: only rows of which it is true are given. Nil for every row.
  package var rowFilter: String?
  package var state: State
  package var endedAt: Instant?
  package var endedBy: String?
  /// Whose deputy that was.
  package var endedFor: String?
  package var endedWhy: String?
  package var version: Int
  package var createdAt: Instant

  /// Throws exactly why nothing may move under this grant on that day.
  package func check(on day: CalendarDate) throws {
    let (since, by, why) = (endedAt?.minuteInChina ?? "", endedBy ?? "", endedWhy ?? "")
    switch state {
    case .revoked:
      throw Refusal(
        .forbidden, "sharing.grant.revoked",
        Text("授权 \(number) 已于 \(since) 由\(by)撤销：\(why)", "Grant \(number) was revoked at \(since) by \(by): \(why)"))
    case .suspended:
      throw Refusal(
        .forbidden, "sharing.grant.suspended",
        Text("授权 \(number) 自 \(since) 起由\(by)暂停：\(why)", "Grant \(number) is suspended since \(since) by \(by): \(why)")
      )
    case .active: break
    }
    if day < firstDay {
      throw Refusal(
        .forbidden, "sharing.grant.early",
        Text("授权 \(number) 自 \(firstDay) 起有效。", "Grant \(number) is valid from \(firstDay)."))
    }
    if day > lastDay {
      throw Refusal(
        .forbidden, "sharing.grant.expired",
        Text("授权 \(number) 已于 \(lastDay) 到期。", "Grant \(number) expired on \(lastDay)."))
    }
  }

  /// The state after a provider's or operator's order, or why not.
  package static func applying(_ order: GrantOrder, to state: State) throws -> State {
    switch (state, order) {
    case (.active, .suspend): .suspended
    case (.suspended, .resume): .active
    case (.active, .revoke), (.suspended, .revoke): .revoked
    default:
      throw Refusal(
        .conflict, "sharing.grant.state",
        Text(
          "授权现在是“\(state.title.chinese)”，不能\(order.title.chinese)。",
          "The grant is “\(state.title.english)”; this cannot be done."))
    }
  }
}

package enum GrantOrder: String, Sendable, CaseIterable {
  case suspend, resume, revoke

  package var title: Text {
    switch self {
    case .suspend: Text("暂停", "Suspend")
    case .resume: Text("恢复", "Resume")
    case .revoke: Text("撤销", "Revoke")
    }
  }
}
