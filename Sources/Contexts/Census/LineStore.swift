import Catalog
import Kernel
import Storage

/// The only SQL of a census's lines. Every list goes by an index and a key.
enum LineStore {
  /// Which lines of a campaign.
  struct Query: Hashable, Sendable {
    var campaign: CampaignID
    /// Of one office.
    var owner: CensusReturnID?
    var category: String?
    var origin: LineOrigin?
    /// From this code on, the code itself with it: for looking one up.
    var from: String?
    /// Behind this code.
    var after: String?
    var limit = 20
  }

  static func list(_ query: Query, in tx: any Transaction) throws -> [CensusLine] {
    var conditions: [SQL] = [query.owner.map { "return_id = \($0)" } ?? "campaign = \(query.campaign)"]
    if let category = query.category { conditions.append("category = \(category)") }
    if let origin = query.origin { conditions.append("origin = \(origin)") }
    if let from = query.from { conditions.append("code >= \(from)") }
    if let after = query.after { conditions.append("code > \(after)") }
    return try tx.rows(
      "SELECT * FROM census_line WHERE \(SQL.all(conditions)) ORDER BY code LIMIT \(query.limit)"
    ).map(line)
  }

  static func find(_ codes: [String], of owner: CensusReturnID, in tx: any Transaction) throws -> [String: CensusLine] {
    let found = try tx.rows("SELECT * FROM census_line WHERE return_id = \(owner) AND code IN (\(each: codes))").map(
      line)
    return Dictionary(found.map { ($0.code, $0) }) { first, _ in first }
  }

  /// What the same resources had in another campaign.
  static func numbers(
    of resources: [ResourceID], in campaign: CampaignID, _ tx: any Transaction
  ) throws -> [ResourceID: SixQuantities] {
    var found: [ResourceID: SixQuantities] = [:]
    for row in try tx.rows(
      """
      SELECT resource, storage_kb, records, shared_kb, shared_records, open_kb, open_records FROM census_line
      WHERE campaign = \(campaign) AND resource IN (\(each: resources.map(\.text)))
      """)
    {
      found[try row.id("resource")] = try SixColumns.read(row)
    }
    return found
  }

  /// False when the resource has its line already.
  static func insert(_ line: CensusLine, in tx: any Transaction) throws -> Bool {
    let n = line.numbers
    return try tx.run(
      """
      INSERT INTO census_line (campaign, return_id, office_name, resource, code, name, category, storage_kb, records,
        shared_kb, shared_records, open_kb, open_records, origin, measured_records, measured_shared, revision)
      VALUES (\(line.campaign), \(line.owner), \(line.officeName), \(line.resource), \(line.code), \(line.name),
        \(line.category), \(n[.storage]), \(n[.records]), \(n[.sharedStorage]), \(n[.sharedRecords]),
        \(n[.openStorage]), \(n[.openRecords]), \(line.origin), \(line.measured.records),
        \(line.measured.sharedRecords), 1)
      ON CONFLICT DO NOTHING
      """) == 1
  }

  /// Writes what a person entered; false when the line was changed since `revision`.
  static func write(
    _ numbers: SixQuantities, code: String, of owner: CensusReturnID, from revision: Int, by name: String,
    at now: Instant, in tx: any Transaction
  ) throws -> Bool {
    let n = numbers
    return try tx.run(
      """
      UPDATE census_line SET storage_kb = \(n[.storage]), records = \(n[.records]), shared_kb = \(n[.sharedStorage]),
        shared_records = \(n[.sharedRecords]), open_kb = \(n[.openStorage]), open_records = \(n[.openRecords]),
        origin = \(LineOrigin.entered), revision = revision + 1, changed_at = \(now), changed_by = \(name)
      WHERE return_id = \(owner) AND code = \(code) AND revision = \(revision)
      """) == 1
  }

  private static func line(_ row: Row) throws -> CensusLine {
    CensusLine(
      campaign: try row.id("campaign"), owner: try row.id("return_id"), officeName: try row.text("office_name"),
      resource: try row.id("resource"), code: try row.text("code"), name: try row.text("name"),
      category: try row.text("category"), numbers: try SixColumns.read(row), origin: try row.choice("origin"),
      measured: Measured(
        records: try row.intOrNil("measured_records"), sharedRecords: try row.intOrNil("measured_shared")),
      revision: try row.int("revision"), changedBy: try row.textOrNil("changed_by"),
      changedAt: try row.instantOrNil("changed_at"))
  }
}
