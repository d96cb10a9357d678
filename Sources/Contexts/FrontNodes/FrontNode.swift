package import Inventory
package import Kernel

package typealias FrontNodeID = ID<FrontNode>

/// A front-end exchange node (前置交换节点, GB/T 21062): a database (前置库) or a machine (前置机) that the platform allots to a department, in
/// which the department lays what it shares and finds what is shared with it, so that nobody reaches its business database.
package struct FrontNode: Hashable, Sendable {
  package enum Form: String, Sendable, CaseIterable {
    case database, machine

    package var title: Text {
      switch self {
      case .database: Text("前置库", "Front-end database")
      case .machine: Text("前置机", "Front-end machine")
      }
    }
  }

  /// Where it is to stand.
  package enum Area: String, Sendable, CaseIterable {
    case outer, inner, business

    package var title: Text {
      switch self {
      case .outer: Text("外部数据中心", "Outer data centre")
      case .inner: Text("内部数据中心", "Inner data centre")
      case .business: Text("业务数据库区", "Zone of business databases")
      }
    }
  }

  /// What an office asks for.
  package struct Wish: Hashable, Sendable {
    package var form: Form
    package var area: Area
    /// The system of its own that will work with it.
    package var system: SystemID
    /// At most 800 characters.
    package var reason: String
    /// The protection grade (等级保护) of the system, 1…5.
    package var grade: Int
    /// Of a database: the kind of connector. Of a machine: nil.
    package var product: String?
    /// What the machine must be (system, processors, memory); nil for a database.
    package var machine: String?
    /// Gigabytes of room.
    package var room: Int
    package var contact: String
    package var contactPhone: String
    package var technician: String
    package var technicianPhone: String
    /// The last day on which it is needed; nil where it is to stay.
    package var until: CalendarDate?

    package init(
      form: Form, area: Area, system: SystemID, reason: String, grade: Int, product: String?, machine: String?,
      room: Int,
      contact: String, contactPhone: String, technician: String, technicianPhone: String, until: CalendarDate?
    ) {
      self.form = form
      self.area = area
      self.system = system
      self.reason = reason
      self.grade = grade
      self.product = product
      self.machine = machine
      self.room = room
      self.contact = contact
      self.contactPhone = contactPhone
      self.technician = technician
      self.technicianPhone = technicianPhone
      self.until = until
    }
  }

  /// What was allotted. Its password is nowhere here.
  package struct Allotment: Hashable, Sendable {
    /// The server on which the platform made it; nil where it was made by hand.
    package var server: FrontServerID?
    /// `10.1.2.3:5432`: where its office reaches it.
    package var place: String
    package var database: String?
    package var account: String
  }

  /// What the last check found.
  package struct Health: Hashable, Sendable {
    package var at: Instant
    package var isGood: Bool
    /// Since when it has been good, or bad, without a break.
    package var since: Instant
    /// How many checks in a row were bad.
    package var badChecks: Int
    package var failure: Text?
    package var use: Use?

    package struct Use: Hashable, Sendable {
      package var bytes: Int64
      package var connections: Int
    }
  }

  package var id: FrontNodeID
  /// `QZ-2026-00001`.
  package var number: String
  package var owner: OrganisationID
  package var ownerName: String
  package var systemName: String
  package var wish: Wish
  package var state: FrontNodeState
  /// Counts the changes: who acts says which he has seen.
  package var version: Int
  package var askedAt: Instant
  package var allotment: Allotment?
  /// The data source that its office has it as, since it signed for it.
  package var source: SourceID?
  /// Its account was closed on the server, after it was taken back.
  package var isLocked = false
  /// Until when the data of one that was taken back is kept.
  package var keptUntil: CalendarDate?
  package var health: Health?
}

/// What happened to a node.
package struct FrontNodeStep: Hashable, Sendable {
  package var at: Instant
  package var event: String
  package var actor: String
  package var words: String
}

/// Checks of a node on one day.
package struct FrontNodeDay: Hashable, Sendable {
  package var day: CalendarDate
  package var checks: Int
  package var failures: Int
}
