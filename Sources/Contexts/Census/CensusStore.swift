import Catalog
import Deadlines
import Kernel
import Storage

/// The only SQL of campaigns, returns and sums; lines are in `LineStore`.
enum CensusStore {
  // MARK: Campaigns

  static func campaign(_ id: CampaignID, in tx: any Transaction) throws -> Campaign? {
    try tx.row("SELECT * FROM census_campaign WHERE id = \(id)").map(campaign)
  }

  /// Newest first.
  static func campaigns(before: CampaignID? = nil, limit: Int = 50, in tx: any Transaction) throws -> [Campaign] {
    try tx.rows(
      "SELECT * FROM census_campaign WHERE id < \(before?.text ?? "~") ORDER BY id DESC LIMIT \(limit)"
    ).map(campaign)
  }

  static func insert(_ c: Campaign, in tx: any Transaction) throws {
    try tx.run(
      """
      INSERT INTO census_campaign (id, name, reference_day, state, due, previous, opened_at, opened_by)
      VALUES (\(c.id), \(c.name), \(c.referenceDay), \(c.state), \(c.due.encoded), \(c.previous), \(c.openedAt),
        \(c.openedBy))
      """)
  }

  /// Moves a campaign on; refused when somebody moved it meanwhile.
  static func move(
    _ campaign: Campaign, to state: CampaignState, by name: String? = nil, at now: Instant? = nil,
    in tx: any Transaction
  ) throws {
    let changed = try tx.run(
      """
      UPDATE census_campaign SET state = \(state), closed_at = \(now), closed_by = \(name)
      WHERE id = \(campaign.id) AND state = \(campaign.state)
      """)
    guard changed == 1 else { throw changedMeanwhile }
  }

  static func setDue(_ due: DueDate, of id: CampaignID, in tx: any Transaction) throws {
    try tx.run("UPDATE census_campaign SET due = \(due.encoded) WHERE id = \(id)")
  }

  private static func campaign(_ row: Row) throws -> Campaign {
    guard let due = DueDate(encoded: try row.text("due")) else {
      throw StorageError(.decoding, "census_campaign.due is no due date")
    }
    return Campaign(
      id: try row.id("id"), name: try row.text("name"), referenceDay: try row.date("reference_day"),
      state: try row.choice("state"), due: due, previous: try row.idOrNil("previous"),
      openedAt: try row.instant("opened_at"), openedBy: try row.text("opened_by"),
      closedAt: try row.instantOrNil("closed_at"), closedBy: try row.textOrNil("closed_by"))
  }

  // MARK: Returns

  static func find(_ id: CensusReturnID, in tx: any Transaction) throws -> CensusReturn? {
    try tx.row("SELECT * FROM census_return WHERE id = \(id)").map { row in
      try filled(try one(row), try sums(of: id, in: tx))
    }
  }

  static func find(
    campaign: CampaignID, office: OrganisationID, in tx: any Transaction
  ) throws -> CensusReturn? {
    guard let id = try tx.text("SELECT id FROM census_return WHERE campaign = \(campaign) AND office = \(office)")
    else { return nil }
    return try find(CensusReturnID(trusted: id), in: tx)
  }

  /// Every return of a campaign with its sums, by office name; at most `Campaign.limits.offices`.
  static func returns(of campaign: CampaignID, in tx: any Transaction) throws -> [CensusReturn] {
    var sums: [String: SixQuantities] = [:]
    for row in try tx.rows(
      "SELECT return_id, \(SixColumns.summed) FROM census_sum WHERE campaign = \(campaign) GROUP BY return_id")
    {
      sums[try row.text("return_id")] = try SixColumns.read(row)
    }
    return try tx.rows(
      """
      SELECT * FROM census_return WHERE campaign = \(campaign) ORDER BY office_name, id
      LIMIT \(Campaign.limits.offices)
      """
    ).map { row in
      var found = try one(row)
      found.sums = sums[found.id.text] ?? .zero
      return found
    }
  }

  static func insert(_ r: CensusReturn, in tx: any Transaction) throws {
    try tx.run(
      """
      INSERT INTO census_return (id, campaign, office, office_name, state, lines, entered, words)
      VALUES (\(r.id), \(r.campaign), \(r.office), \(r.officeName), \(r.state), 0, 0, '')
      """)
  }

  /// How far the laying out of lines came.
  static func preparedTo(_ id: CensusReturnID, in tx: any Transaction) throws -> ResourceID? {
    try tx.text("SELECT prepared_to FROM census_return WHERE id = \(id)").map { ResourceID(trusted: $0) }
  }

  static func setPrepared(_ id: CensusReturnID, to last: ResourceID, in tx: any Transaction) throws {
    try tx.run("UPDATE census_return SET prepared_to = \(last) WHERE id = \(id)")
  }

  /// The next office whose lines are not laid out yet.
  static func unprepared(of campaign: CampaignID, in tx: any Transaction) throws -> CensusReturn? {
    try tx.row(
      "SELECT * FROM census_return WHERE campaign = \(campaign) AND state = 'preparing' ORDER BY id LIMIT 1"
    ).map(one)
  }

  /// Writes state, times and words; refused when somebody moved the return meanwhile.
  static func move(_ r: CensusReturn, from state: ReturnState, in tx: any Transaction) throws {
    let changed = try tx.run(
      """
      UPDATE census_return SET state = \(r.state), submitted_at = \(r.submittedAt), submitted_by = \(r.submittedBy),
        decided_at = \(r.decidedAt), decided_by = \(r.decidedBy), words = \(r.words)
      WHERE id = \(r.id) AND state = \(state)
      """)
    guard changed == 1 else { throw changedMeanwhile }
  }

  static func count(lines: Int, entered: Int, of id: CensusReturnID, in tx: any Transaction) throws {
    try tx.run(
      "UPDATE census_return SET lines = lines + \(lines), entered = entered + \(entered) WHERE id = \(id)")
  }

  private static func one(_ row: Row) throws -> CensusReturn {
    CensusReturn(
      id: try row.id("id"), campaign: try row.id("campaign"), office: try row.id("office"),
      officeName: try row.text("office_name"), state: try row.choice("state"), lines: try row.int("lines"),
      entered: try row.int("entered"), submittedAt: try row.instantOrNil("submitted_at"),
      submittedBy: try row.textOrNil("submitted_by"), decidedAt: try row.instantOrNil("decided_at"),
      decidedBy: try row.textOrNil("decided_by"), words: try row.text("words"))
  }

  private static func filled(_ found: CensusReturn, _ sums: [(category: String, sum: CensusSum)]) throws
    -> CensusReturn
  {
    var found = found
    found.sums = sums.reduce(.zero) { $0 + $1.sum.numbers }
    return found
  }

  // MARK: Sums

  /// Adds to an office's sums by category.
  static func add(
    _ sum: CensusSum, to category: String, of r: (id: CensusReturnID, campaign: CampaignID), in tx: any Transaction
  ) throws {
    let n = sum.numbers
    try tx.run(
      """
      INSERT INTO census_sum (campaign, return_id, category, lines, entered, storage_kb, records, shared_kb,
        shared_records, open_kb, open_records)
      VALUES (\(r.campaign), \(r.id), \(category), \(sum.lines), \(sum.entered), \(n[.storage]), \(n[.records]),
        \(n[.sharedStorage]), \(n[.sharedRecords]), \(n[.openStorage]), \(n[.openRecords]))
      ON CONFLICT (return_id, category) DO UPDATE SET lines = census_sum.lines + \(sum.lines),
        entered = census_sum.entered + \(sum.entered), storage_kb = census_sum.storage_kb + \(n[.storage]),
        records = census_sum.records + \(n[.records]), shared_kb = census_sum.shared_kb + \(n[.sharedStorage]),
        shared_records = census_sum.shared_records + \(n[.sharedRecords]),
        open_kb = census_sum.open_kb + \(n[.openStorage]), open_records = census_sum.open_records + \(n[.openRecords])
      """)
  }

  static func sums(of id: CensusReturnID, in tx: any Transaction) throws -> [(category: String, sum: CensusSum)] {
    try tx.rows("SELECT * FROM census_sum WHERE return_id = \(id) ORDER BY category LIMIT 1000").map(sum)
  }

  /// Over all offices, by category.
  static func sums(of campaign: CampaignID, in tx: any Transaction) throws -> [(category: String, sum: CensusSum)] {
    try tx.rows(
      """
      SELECT category, CAST(SUM(lines) AS BIGINT) AS lines, CAST(SUM(entered) AS BIGINT) AS entered, \(SixColumns.summed)
      FROM census_sum WHERE campaign = \(campaign) GROUP BY category ORDER BY category LIMIT 1000
      """
    ).map(sum)
  }

  private static func sum(_ row: Row) throws -> (category: String, sum: CensusSum) {
    (
      try row.text("category"),
      CensusSum(lines: try row.int("lines"), entered: try row.int("entered"), numbers: try SixColumns.read(row))
    )
  }

  static let changedMeanwhile = Refusal(
    .conflict, "census.changed",
    Text("有人刚修改过，请刷新后再试。", "Somebody changed this meanwhile; reload and try again."))
}

/// The six columns, as they stand in each table.
enum SixColumns {
  static let summed: SQL =
    """
    CAST(SUM(storage_kb) AS BIGINT) AS storage_kb, CAST(SUM(records) AS BIGINT) AS records,
    CAST(SUM(shared_kb) AS BIGINT) AS shared_kb, CAST(SUM(shared_records) AS BIGINT) AS shared_records,
    CAST(SUM(open_kb) AS BIGINT) AS open_kb, CAST(SUM(open_records) AS BIGINT) AS open_records
    """

  static func read(_ row: Row) throws -> SixQuantities {
    var numbers = SixQuantities.zero
    numbers[.storage] = try row.int("storage_kb")
    numbers[.records] = try row.int("records")
    numbers[.sharedStorage] = try row.int("shared_kb")
    numbers[.sharedRecords] = try row.int("shared_records")
    numbers[.openStorage] = try row.int("open_kb")
    numbers[.openRecords] = try row.int("open_records")
    return numbers
  }
}
