package import Catalog
package import Identity
package import Kernel
package import Storage

extension Permission {
  /// The matrix at all: the own department's row.
  package static let superviseOffice = Permission("supervision.office")
  /// Everybody's row.
  package static let superviseAll = Permission("supervision.all")
  /// Everybody's row too, for whoever holds it in the competent authority.
  package static let superviseAsAuthority = Permission("supervision.authority")
}

/// What stands above all departments and reads all contexts: who has systems without entries, entries without mounts,
/// mounts without use.
package struct Supervision: Sendable {
  package static let authority: [Permission: Set<Role>] = [
    .superviseOffice: [.leader, .dataOfficer, .platformOperator],
    .superviseAll: [.platformOperator],
    .superviseAsAuthority: [.leader],
  ]

  let database: any Database
  let clock: Clock
  let measured: MeasuredMounts?
  /// A mount counts as used for so many days after the last delivery.
  package let unusedDays: Int

  /// Without `measured`, mounts are what entries declare, and none is called failing.
  package init(database: any Database, clock: Clock, measured: MeasuredMounts? = nil, unusedDays: Int = 90) {
    self.database = database
    self.clock = clock
    self.measured = measured
    self.unusedDays = unusedDays
  }

  /// The columns there are: failing mounts only where mounts are measured.
  package var measures: [Measure] { Measure.allCases.filter { $0 != .mountsFailing || measured != nil } }
}

/// What is known of mounts by trying them. App fills it in from the context that does; until then mounts are declared.
package struct MeasuredMounts: Sendable {
  /// How many entries of each department have a mount that failed when it was last tried. Asked by a job.
  package var failing: @Sendable (any Transaction) throws -> [OrganisationID: Int]
  /// The same entries of one department by id; a page begins after an id.
  package var list:
    @Sendable (OrganisationID, _ after: ResourceID?, _ limit: Int, any Transaction) throws -> [ResourceID]
  /// Entries in force that are tied to files or an API: they are mounted as those are that name a table.
  package var untabled: Untabled

  package init(
    failing: @escaping @Sendable (any Transaction) throws -> [OrganisationID: Int],
    list:
      @escaping @Sendable (OrganisationID, _ after: ResourceID?, _ limit: Int, any Transaction) throws -> [ResourceID],
    untabled: Untabled
  ) {
    self.failing = failing
    self.list = list
    self.untabled = untabled
  }

  package struct Untabled: Sendable {
    /// All of them, in parts of up to so many. Asked by a job.
    package var each: @Sendable (_ count: Int, any Transaction, _ body: ([ResourceID]) throws -> Void) throws -> Void
    /// Those of one department by id; a page begins after an id.
    package var list:
      @Sendable (OrganisationID, _ after: ResourceID?, _ limit: Int, any Transaction) throws -> [ResourceID]
    /// Those among some hundreds.
    package var among: @Sendable ([ResourceID], any Transaction) throws -> Set<ResourceID>

    package init(
      each: @escaping @Sendable (Int, any Transaction, ([ResourceID]) throws -> Void) throws -> Void,
      list:
        @escaping @Sendable (OrganisationID, _ after: ResourceID?, _ limit: Int, any Transaction) throws -> [ResourceID],
      among: @escaping @Sendable ([ResourceID], any Transaction) throws -> Set<ResourceID>
    ) {
      self.each = each
      self.list = list
      self.among = among
    }
  }
}

extension Supervision {
  /// How far somebody sees.
  package enum Reach: Hashable, Sendable {
    case all
    case office(OrganisationID)
  }

  /// Everything for the platform's operator, the node's command line and the leaders of the competent authority; the own
  /// department for everybody else. Throws `.forbidden` for whoever has no part in it.
  func reach(of principal: Principal, in tx: any Transaction) throws -> Reach {
    // The command line on the node is nobody's: it has no person and no office.
    if principal.person == nil, principal.organisation == nil { return .all }
    try principal.require(.superviseOffice)
    if principal.may(.superviseAll) { return .all }
    guard let office = principal.organisation else { throw Refusal.forbidden(.superviseOffice) }
    if principal.may(.superviseAsAuthority), try CompetentAuthority.includes(office, in: tx) { return .all }
    return .office(office)
  }
}
