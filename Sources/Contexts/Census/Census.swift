import Audit
package import Calendars
package import Catalog
package import Deadlines
package import Identity
package import Kernel
package import Storage

extension Permission {
  package static let readCensus = Permission("census.read")
  package static let fillCensus = Permission("census.fill")
  package static let runCensus = Permission("census.run")
}

/// The census of the six quantities (六项普查): campaigns, what each office returns, and what it adds up to.
package struct Census: Sendable {
  package static let authority: [Permission: Set<Role>] = [
    .readCensus: [.platformOperator, .dataOfficer, .leader],
    .fillCensus: [.dataOfficer],
    .runCensus: [.platformOperator],
  ]

  let database: any Database
  let clock: Clock
  let calendars: Calendars
  let rules: [RuleSet]
  package let classification: Classification
  let measuring: Measuring
  let offices: Offices

  package init(
    database: any Database, clock: Clock, calendars: Calendars = .embedded, rules: [RuleSet] = RuleSet.embedded,
    classification: Classification = .embedded, measuring: Measuring = .nothing, offices: Offices = .identity
  ) {
    self.database = database
    self.clock = clock
    self.calendars = calendars
    self.rules = rules
    self.classification = classification
    self.measuring = measuring
    self.offices = offices
  }

  /// What is known of resources without asking any department's database; filled in by App from what stands beside or
  /// above the census.
  package struct Measuring: Sendable {
    package var known: @Sendable ([ResourceID], any Transaction) throws -> [ResourceID: Measured]

    package init(known: @escaping @Sendable ([ResourceID], any Transaction) throws -> [ResourceID: Measured]) {
      self.known = known
    }
    package static let nothing = Measuring { _, _ in [:] }
  }

  /// Offices by id, so that tests can do without Identity's tables.
  package struct Offices: Sendable {
    package var find: @Sendable (OrganisationID, any Transaction) throws -> Organisation?

    package init(find: @escaping @Sendable (OrganisationID, any Transaction) throws -> Organisation?) {
      self.find = find
    }
    package static let identity = Offices { try OrganisationStore.find($0, in: $1) }
  }

  // MARK: Seeing

  /// A campaign in a list, with the reader's own return where there is one.
  package struct Overview: Sendable {
    package var campaign: Campaign
    package var own: CensusReturn?
  }

  package func campaigns(
    _ principal: Principal, before: CampaignID? = nil, limit: Int = 50
  ) async throws -> [Overview] {
    try principal.require(.readCensus)
    return try await database.read { tx in
      try CensusStore.campaigns(before: before, limit: limit, in: tx).map { campaign in
        Overview(
          campaign: campaign,
          own: try principal.organisation.flatMap {
            try CensusStore.find(campaign: campaign.id, office: $0, in: tx)
          })
      }
    }
  }

  /// A campaign with what it adds up to. The operator sees every office; an office itself alone.
  package struct Totals: Sendable {
    package var campaign: Campaign
    package var previous: Campaign?
    package var returns: [CensusReturn]
    package var categories: [(category: String, sum: CensusSum)]
    package var total: CensusSum
    /// Of the campaign before: over all, by office, by category.
    package var before: SixQuantities?
    package var officesBefore: [OrganisationID: SixQuantities]
    package var categoriesBefore: [String: SixQuantities]
    /// All offices, not the reader's alone.
    package var isWhole: Bool
  }

  package func totals(_ principal: Principal, _ id: CampaignID) async throws -> Totals {
    try principal.require(.readCensus)
    let isWhole = principal.may(.runCensus)
    return try await database.read { tx in
      guard let campaign = try CensusStore.campaign(id, in: tx) else { throw Self.noCampaign }
      func own(_ id: CampaignID) throws -> CensusReturn? {
        try principal.organisation.flatMap { try CensusStore.find(campaign: id, office: $0, in: tx) }
      }
      func read(_ id: CampaignID) throws -> ([CensusReturn], [(category: String, sum: CensusSum)]) {
        if isWhole { return (try CensusStore.returns(of: id, in: tx), try CensusStore.sums(of: id, in: tx)) }
        guard let own = try own(id) else { return ([], []) }
        return ([own], try CensusStore.sums(of: own.id, in: tx))
      }
      let (returns, categories) = try read(id)
      if !isWhole && returns.isEmpty { throw Self.noCampaign }
      let previous = try campaign.previous.flatMap { try CensusStore.campaign($0, in: tx) }
      let (returnsBefore, categoriesBefore) = try previous.map { try read($0.id) } ?? ([], [])
      return Totals(
        campaign: campaign, previous: previous, returns: returns, categories: categories, total: Self.added(categories),
        before: previous == nil ? nil : Self.added(categoriesBefore).numbers,
        officesBefore: Dictionary(returnsBefore.map { ($0.office, $0.sums) }) { first, _ in first },
        categoriesBefore: Dictionary(categoriesBefore.map { ($0.category, $0.sum.numbers) }) { first, _ in first },
        isWhole: isWhole)
    }
  }

  private static func added(_ sums: [(category: String, sum: CensusSum)]) -> CensusSum {
    sums.reduce(.nothing) { all, one in
      CensusSum(
        lines: all.lines + one.sum.lines, entered: all.entered + one.sum.entered,
        numbers: all.numbers + one.sum.numbers)
    }
  }

  /// One return with its campaign; for its office and the operator.
  package func view(_ principal: Principal, _ id: CensusReturnID) async throws -> (
    campaign: Campaign, owner: CensusReturn, before: SixQuantities?
  ) {
    try await database.read { tx in
      let (campaign, owner) = try visible(principal, id, in: tx)
      let before = try campaign.previous.flatMap {
        try CensusStore.find(campaign: $0, office: owner.office, in: tx)?.sums
      }
      return (campaign, owner, before)
    }
  }

  /// Lines by code, with what each had in the campaign before. `next` is where the next page begins.
  struct Lines: Sendable {
    var campaign: Campaign
    var lines: [CensusLine]
    var before: [ResourceID: SixQuantities]
    var next: String?
  }

  func lines(_ principal: Principal, _ query: LineStore.Query) async throws -> Lines {
    try principal.require(.readCensus)
    return try await database.read { tx in
      guard let campaign = try CensusStore.campaign(query.campaign, in: tx) else { throw Self.noCampaign }
      var asked = query
      if let owner = query.owner {
        guard try visible(principal, owner, in: tx).campaign.id == campaign.id else { throw Self.noReturn }
      } else if !principal.may(.runCensus) {
        guard let office = principal.organisation,
          let own = try CensusStore.find(campaign: campaign.id, office: office, in: tx)
        else { throw Self.noCampaign }
        asked.owner = own.id
      }
      asked.limit = query.limit + 1
      let found = try LineStore.list(asked, in: tx)
      let page = Array(found.prefix(query.limit))
      let before = try campaign.previous.map { try LineStore.numbers(of: page.map(\.resource), in: $0, tx) } ?? [:]
      return Lines(
        campaign: campaign, lines: page, before: before, next: found.count > query.limit ? page.last?.code : nil)
    }
  }

  /// Some lines of a return in the order asked for: those of a form that was refused.
  func lines(
    _ principal: Principal, _ id: CensusReturnID, codes: [String]
  ) async throws -> Lines {
    try await database.read { tx in
      let (campaign, _) = try visible(principal, id, in: tx)
      let known = try LineStore.find(codes, of: id, in: tx)
      let page = codes.compactMap { known[$0] }
      let before = try campaign.previous.map { try LineStore.numbers(of: page.map(\.resource), in: $0, tx) } ?? [:]
      return Lines(campaign: campaign, lines: page, before: before, next: nil)
    }
  }

  // MARK: Parts

  static let noCampaign = Refusal.notFound(Text("普查批次", "census campaign"))
  static let noReturn = Refusal.notFound(Text("普查填报", "census return"))

  func visible(
    _ principal: Principal, _ id: CensusReturnID, in tx: any Transaction
  ) throws -> (campaign: Campaign, owner: CensusReturn) {
    try principal.require(.readCensus)
    guard let owner = try CensusStore.find(id, in: tx),
      principal.may(.runCensus) || principal.organisation == owner.office,
      let campaign = try CensusStore.campaign(owner.campaign, in: tx)
    else { throw Self.noReturn }
    return (campaign, owner)
  }

  /// The same for the office that fills it in, while the campaign is open.
  func own(
    _ principal: Principal, _ id: CensusReturnID, in tx: any Transaction
  ) throws -> (campaign: Campaign, owner: CensusReturn) {
    try principal.require(.fillCensus)
    guard let owner = try CensusStore.find(id, in: tx), principal.organisation == owner.office else {
      throw Self.noReturn
    }
    return (try openCampaign(owner.campaign, in: tx), owner)
  }

  func openCampaign(_ id: CampaignID, in tx: any Transaction) throws -> Campaign {
    guard let campaign = try CensusStore.campaign(id, in: tx) else { throw Self.noCampaign }
    guard campaign.state != .closed else {
      throw Refusal(
        .conflict, "census.closed",
        Text("普查“\(campaign.name)”已结束，数据已冻结。", "The census “\(campaign.name)” is closed and its numbers are frozen."))
    }
    return campaign
  }

  func record(
    _ action: String, _ owner: CensusReturn, _ campaign: Campaign, by principal: Principal, at now: Instant,
    detail: [(name: String, value: String)] = [], in tx: any Transaction
  ) throws {
    try AuditLog.record(
      AuditEntry(
        at: now, actor: principal, action: action, subjectKind: "census.return", subject: owner.id.text,
        subjectName: "\(campaign.name) · \(owner.officeName)", detail: detail), in: tx)
  }
}
