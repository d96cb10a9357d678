package import Catalog
package import Deadlines
package import Inventory
package import Kernel

package typealias ShareRequestID = ID<ShareRequest>
package typealias GrantID = ID<Grant>

/// In which way the data comes (共享方式): what the asker asks for, what is granted, and nothing else moves.
package enum SharingMode: String, Sendable, CaseIterable {
  /// 批量库表交换: rows are brought into a table of the consumer's own database.
  case table

  package var title: Text {
    switch self {
    case .table: Text("批量库表交换", "Table exchange")
    }
  }
}

/// How often the grant is carried out.
package enum Frequency: String, Sendable, CaseIterable {
  case once, hourly, daily, weekly, monthly
  /// Each change as the source commits it (变更捕获), deletes too.
  case continuous

  package var title: Text {
    switch self {
    case .once: Text("一次", "Once")
    case .hourly: Text("每小时", "Hourly")
    case .daily: Text("每日", "Daily")
    case .weekly: Text("每周", "Weekly")
    case .monthly: Text("每月", "Monthly")
    case .continuous: Text("实时（捕获变更）", "As it changes (change capture)")
    }
  }

  /// Nil for `once`. Of what never ends: how often it is seen to that it runs.
  package var every: Duration? {
    switch self {
    case .once: nil
    case .hourly: .seconds(3600)
    case .daily: .seconds(86_400)
    case .weekly: .seconds(7 * 86_400)
    case .monthly: .seconds(30 * 86_400)
    case .continuous: .seconds(300)
    }
  }
}

/// What becomes of a row in the receiving table when its source, or the grant's filter, has it no more.
package enum GoneRows: String, Sendable, CaseIterable {
  case removed
  /// It stays as it last was, with the moment in `sj_deleted_since`.
  case marked

  package var title: Text {
    switch self {
    case .removed: Text("从接收表删除", "Removed from the receiving table")
    case .marked: Text("保留，标明删除时间（sj_deleted_since）", "Kept, with the time it went (sj_deleted_since)")
    }
  }
}

/// One item asked for, and what became of it.
package struct RequestedItem: Hashable, Sendable {
  package var item: ItemID
  package var name: String
  package var column: String
  package var isKey: Bool
  /// Nil until decided.
  package var approved: Bool?
  package var mask: Mask?
  package var reason: String?
}

/// A department asks another for some items of a resource (共享申请).
package struct ShareRequest: Hashable, Sendable {
  package var id: ShareRequestID
  package var number: String
  package var resource: ResourceID
  package var resourceVersion: Int
  package var resourceName: String
  package var sharingType: String
  package var provider: OrganisationID
  package var providerName: String
  package var consumer: OrganisationID
  package var consumerName: String
  package var askedBy: PersonID
  package var askedByName: String
  /// For whom, when a deputy asked in somebody's name.
  package var askedFor: PersonID?
  /// What that person was called then.
  package var askedForName: String?
  package var purpose: String
  package var legalBasis: String
  /// 办事场景: the matter at hand when the data is used.
  package var scene: String
  package var mode: SharingMode
  package var frequency: Frequency
  package var firstDay: CalendarDate
  package var lastDay: CalendarDate
  package var targetSource: SourceID
  package var targetTable: String
  package var goneRows: GoneRows
  package var items: [RequestedItem]
  package var state: RequestState
  package var supplementAsked: Bool
  /// The version of the rules it started under and keeps.
  package var rules: String
  /// Until when the present step is to be done; nil when nothing is open.
  package var due: DueDate?
  package var ground: String?
  package var groundBasis: String?
  package var version: Int
  package var createdAt: Instant

  package var terms: RequestState.Terms {
    .init(isUnconditional: sharingType == "1", supplementAsked: supplementAsked)
  }
}

/// What a clerk fills in.
package struct RequestDraft: Sendable {
  package var resource: ResourceID
  package var items: [ItemID]
  package var purpose: String
  package var legalBasis: String
  package var scene: String
  package var mode: SharingMode
  package var frequency: Frequency
  package var firstDay: CalendarDate
  package var lastDay: CalendarDate
  package var targetSource: SourceID
  package var targetTable: String
  package var goneRows = GoneRows.removed
  /// Of the form it was written in: sent again, the same form is the same request.
  package var formKey: String?

  package init(
    resource: ResourceID, items: [ItemID], purpose: String, legalBasis: String, scene: String,
    mode: SharingMode, frequency: Frequency,
    firstDay: CalendarDate, lastDay: CalendarDate, targetSource: SourceID, targetTable: String, formKey: String? = nil
  ) {
    self.formKey = formKey
    self.resource = resource
    self.items = items
    self.purpose = purpose
    self.legalBasis = legalBasis
    self.scene = scene
    self.mode = mode
    self.frequency = frequency
    self.firstDay = firstDay
    self.lastDay = lastDay
    self.targetSource = targetSource
    self.targetTable = targetTable
  }
}

extension ShareRequest {
  /// Whether somebody would decide on what was asked by himself, or in his name, or by whom he now stands in for.
  func isAsked(by principal: Principal) -> Bool {
    let askers = [askedBy, askedFor].compactMap { $0 }
    return [principal.person, principal.onBehalfOf].contains { $0.map(askers.contains) ?? false }
  }
}

/// The provider's word on one item.
package struct ItemDecision: Hashable, Sendable {
  package var item: ItemID
  package var approve: Bool
  package var mask: Mask
  package var reason: String

  package init(item: ItemID, approve: Bool, mask: Mask = .none, reason: String = "") {
    self.item = item
    self.approve = approve
    self.mask = mask
    self.reason = reason
  }
}

/// Why a request may be refused (国发〔2016〕51号 as configured): a closed list, the first needs its legal basis.
package enum RefusalGround: String, Sendable, CaseIterable {
  case law, notHeld = "not-held", notReady = "not-ready", other

  package var title: Text {
    switch self {
    case .law: Text("法律法规不允许提供", "Law does not permit it")
    case .notHeld: Text("该数据不在本部门", "This department does not hold the data")
    case .notReady: Text("资源不具备共享条件", "The resource is not ready to be shared")
    case .other: Text("其他（须说明）", "Other (to be explained)")
    }
  }
}
