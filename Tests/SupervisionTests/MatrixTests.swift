import Identity
import Kernel
import Sharing
import Storage
import TestKit
import Testing

@testable import Supervision

/// The matrix: what is counted, and that every number opens to exactly its rows.
@Suite struct MatrixTests {
  @Test(arguments: Engine.allCases)
  func `every number is the number of the rows behind it, for each office and for all`(engine: Engine) async throws {
    try await Province.with(engine, measured: true) { province in
      try await province.supervision.refresh()
      let visitor = province.person(.platformOperator, of: 0)
      let matrix = try await province.supervision.matrix(MatrixQuery(), for: visitor)
      #expect(matrix.rows.count == 5 && matrix.asOf == Province.now && matrix.isWhole && matrix.next == nil)
      var nonzero = 0
      for measure in Measure.allCases {
        var sum = 0
        for row in matrix.rows + [nil as OfficeTally?] {
          let number = row?.tally[measure] ?? matrix.total[measure]
          let found = try await all(province, measure, row?.office, visitor)
          let counted = measure == .rowsDelivered ? found.reduce(0) { $0 + ($1.rows ?? 0) } : found.count
          #expect(counted == number, "\(measure) of \(row?.name ?? "all")")
          #expect(Set(found).count == found.count, "\(measure): a row twice")
          if let row {
            #expect(found.allSatisfy { $0.office == row.office })
            sum += number
          }
        }
        #expect(sum == matrix.total[measure])
        if sum > 0 { nonzero += 1 }
      }
      #expect(nonzero == Measure.allCases.count, "a measure that nothing was made for shows nothing here")
      // Of the second office three more are mounted than name a table, and no delivery uses those.
      let (first, second) = (matrix.rows[0].tally, matrix.rows.first { $0.office == province.offices[1] }!.tally)
      #expect(second[.mounts] == first[.mounts] + 3 && second[.entriesWithoutMount] == first[.entriesWithoutMount] - 3)
      #expect(second[.mountsUnused] == first[.mountsUnused] + 3)
    }
  }

  /// The list to its end, three rows a page, so that pages end within offices and at their ends.
  private func all(
    _ province: Province, _ measure: Measure, _ office: OrganisationID?, _ visitor: Principal
  ) async throws -> [CountedRow] {
    var (rows, place): ([CountedRow], CountedRow.Place?) = ([], nil)
    repeat {
      let list = try await province.supervision.rows(behind: measure, of: office, after: place, limit: 3, for: visitor)
      #expect(!list.rows.isEmpty || list.next == nil, "an empty page before the end")
      rows += list.rows
      // As it goes through an address.
      place = try list.next.map { try #require(CountedRow.Place($0.text)) }
    } while place != nil
    return rows
  }

  @Test(arguments: Engine.allCases)
  func `the numbers are those that the province was made with`(engine: Engine) async throws {
    try await Province.with(engine, offices: 3, entries: 40) { province in
      try await province.supervision.refresh()
      let matrix = try await province.supervision.matrix(MatrixQuery(), for: .system())
      // Forty entries: ten grants, the turns 0…9; 4 and 9 are revoked, 6 has run out.
      let expected: [(Measure, Int)] = [
        (.systems, 3), (.systemsWithoutEntries, 1), (.entries, 40), (.entriesWithoutSystem, 4),
        (.entriesWithoutItems, 4), (.entriesWithoutCondition, 4), (.entriesWithoutMount, 20), (.mounts, 20),
        // Used are those of the seven in force, and of turns 4 and 9, revoked, under which something moved within ninety days.
        (.mountsUnused, 11), (.grants, 7), (.grantsObtained, 7),
        // Never: turns 3 and 7.
        (.grantsUndelivered, 2),
        // Three each under turns 0, 4 (revoked) and 8.
        (.deliveries, 9), (.rowsDelivered, 99), (.mountsFailing, 0),
      ]
      for row in matrix.rows {
        for (measure, number) in expected { #expect(row.tally[measure] == number, "\(measure)") }
        #expect(row.lastDelivery == Province.now - .seconds(86_400))
      }
      #expect(!province.supervision.measures.contains(.mountsFailing), "nothing measures mounts here")
      await #expect(throws: Refusal.self) {
        _ = try await province.supervision.rows(behind: .mountsFailing, of: nil, limit: 5, for: .system())
      }
    }
  }

  @Test(arguments: Engine.allCases)
  func `an entry is in use for so long as a grant holds or its last delivery is young, and its rows say the same`(
    engine: Engine
  ) async throws {
    try await Province.with(engine, offices: 1, entries: 20) { province in
      // Turns 0…4: 0 moved this month, 1 forty days ago, 2 long ago, 3 never; 4 moved this month and is revoked.
      func unused() async throws -> Set<String> {
        try await province.supervision.refresh()
        let matrix = try await province.supervision.matrix(MatrixQuery(), for: .system())
        let rows = try await all(province, .mountsUnused, nil, .system())
        #expect(matrix.total[.mountsUnused] == rows.count)
        return Set(rows.map(\.name)).intersection([0, 4, 8, 12, 16].map { "目录\($0)" })
      }
      #expect(try await unused() == [])
      try await province.db.write { _ = try $0.run("UPDATE sharing_grant SET state = 'revoked'") }
      #expect(try await unused() == ["目录8", "目录12"], "long ago, never")
      province.clock.advance(by: .seconds(51 * 86_400))
      #expect(try await unused() == ["目录4", "目录8", "目录12"])
      // A second grant on what has one that is over.
      try await province.db.write { tx in
        let request: ShareRequestID = Province.id(5, 500)
        let second: GrantID = Province.id(6, 500)
        try tx.run(
          """
          INSERT INTO sharing_request (id, number, resource, resource_version, resource_name, sharing_type, provider,
            provider_name, consumer, consumer_name, asked_by, asked_by_name, purpose, legal_basis, scene, mode, frequency,
            first_day, last_day, target_source, target_table, state, supplement_asked, rules, version, created_at,
            changed_at)
          SELECT \(request), 'R500', resource, resource_version, resource_name, sharing_type, provider, provider_name,
            consumer, consumer_name, asked_by, asked_by_name, purpose, legal_basis, scene, mode, frequency, first_day,
            last_day, target_source, target_table, state, supplement_asked, rules, version, created_at, changed_at
          FROM sharing_request WHERE id = (SELECT request FROM sharing_grant WHERE number = 'G8')
          """)
        try tx.run(
          """
          INSERT INTO sharing_grant (id, number, request, resource, resource_version, resource_name, provider,
            provider_name, consumer, consumer_name, purpose, legal_basis, scene, mode, frequency, first_day, last_day,
            target_source, target_table, secret, state, version, created_at)
          SELECT \(second), 'G500', \(request), resource, resource_version, resource_name, provider, provider_name, consumer,
            consumer_name, purpose, legal_basis, scene, mode, frequency, first_day, last_day, target_source, 'u', secret,
            'active', 1, created_at
          FROM sharing_grant WHERE number = 'G8'
          """)
      }
      #expect(try await unused() == ["目录4", "目录12"])
    }
  }

  @Test(arguments: Engine.allCases)
  func `counting anew writes what changed, and a department that is gone and empty leaves`(engine: Engine)
    async throws
  {
    try await Province.with(engine, offices: 2) { province in
      try await province.supervision.refresh()
      let office = province.offices[1]
      try await province.db.write { tx in
        try tx.run("DELETE FROM catalog_entry WHERE provider = \(office)")
        try tx.run("UPDATE identity_organisation SET valid_to = '2026-03-10' WHERE id = \(office)")
      }
      province.clock.advance(by: .seconds(300))
      let asOf = try await province.supervision.refresh()
      let changed = try await province.supervision.matrix(MatrixQuery(), for: .system())
      #expect(asOf == Province.now + .seconds(300) && changed.asOf == asOf)
      let row = try #require(changed.rows.first { $0.office == office })
      #expect(row.tally[.entries] == 0 && row.tally[.systems] == 3 && !row.isStanding)
      #expect(changed.total[.entries] == 40)
    }
  }

  @Test(arguments: Engine.allCases)
  func `sorting goes by the number within each level, and pages follow each other`(engine: Engine) async throws {
    try await Province.with(engine, offices: 7, entries: 4) { province in
      let third = province.offices[3]
      try await province.db.write { tx in
        try tx.run("UPDATE catalog_entry SET provider = \(third) WHERE provider = \(province.offices[0]) AND place < 3")
      }
      try await province.supervision.refresh()
      func names(_ query: MatrixQuery) async throws -> [Int] {
        try await province.supervision.matrix(query, for: .system()).rows.map {
          province.offices.firstIndex(of: $0.office)!
        }
      }
      var query = MatrixQuery()
      // Offices 0, 3 and 6 are the province's, 1 and 4 the prefecture's, 2 and 5 the county's.
      #expect(try await names(query) == [0, 3, 6, 1, 4, 2, 5])
      query.sort = .entries
      #expect(try await names(query) == [3, 6, 0, 1, 4, 2, 5])
      query.order = .ascending
      #expect(try await names(query) == [0, 6, 3, 1, 4, 2, 5])
      query.limit = 3
      var (walked, after): ([Int], OrganisationID?) = ([], nil)
      repeat {
        query.after = after
        walked += try await names(query)
        after = try await province.supervision.matrix(query, for: .system()).next
      } while after != nil
      #expect(walked == [0, 6, 3, 1, 4, 2, 5])
      query = MatrixQuery()
      query.level = .county
      #expect(try await names(query) == [2, 5])
      query.after = Province.id(1, 77)
      await #expect(throws: Refusal.self) { _ = try await names(query) }
    }
  }

  @Test(arguments: Engine.allCases)
  func `each role sees the rows that are its own, and the authority's leader sees all`(engine: Engine) async throws {
    try await Province.with(engine, offices: 3) { province in
      try await province.supervision.refresh()
      for role in Role.allCases {
        let visitor = province.person(role, of: 1)
        switch role {
        case .platformOperator:
          let seen = try await province.supervision.matrix(MatrixQuery(), for: visitor)
          #expect(seen.rows.count == 3 && seen.isWhole)
          let total = try #require(try await province.supervision.total(for: visitor))
          #expect(total.office == nil && total.tally == seen.total)
        case .leader, .dataOfficer:
          let seen = try await province.supervision.matrix(MatrixQuery(), for: visitor)
          #expect(seen.rows.map(\.office) == [province.offices[1]] && !seen.isWhole)
          let total = try #require(try await province.supervision.total(for: visitor))
          #expect(total.office == province.offices[1] && total.tally == seen.total && total.tally[.entries] == 40)
          let list = try await province.supervision.rows(behind: .entries, of: nil, limit: 100, for: visitor)
          #expect(list.rows.count == 40 && list.rows.allSatisfy { $0.office == province.offices[1] })
          await #expect(throws: Refusal.self) {
            _ = try await province.supervision.rows(
              behind: .entries, of: province.offices[0], limit: 9, for: visitor)
          }
          await #expect(throws: Refusal.self) {
            _ = try await province.supervision.trend(of: province.offices[0], for: visitor)
          }
        case .clerk, .systemAdministrator, .securityAdministrator, .auditAdministrator:
          await #expect(throws: Refusal.self, "\(role)") {
            _ = try await province.supervision.matrix(MatrixQuery(), for: visitor)
          }
        }
      }
      // An operator of the platform in its office makes it the competent authority: its leader sees all, its data officer
      // goes on seeing the own row. One who may no longer sign in makes nothing.
      let (leader, officer) = (province.person(.leader, of: 1), province.person(.dataOfficer, of: 1))
      try await province.db.write { tx in
        try tx.run(
          "INSERT INTO identity_role (person, role) VALUES (\(Province.id(2, 1) as PersonID), \(Role.platformOperator))"
        )
      }
      #expect(try await province.supervision.matrix(MatrixQuery(), for: leader).rows.count == 3)
      #expect(try await province.supervision.matrix(MatrixQuery(), for: officer).rows.count == 1)
      try await province.db.write { tx in try tx.run("UPDATE identity_person SET is_active = \(false)") }
      #expect(try await province.supervision.matrix(MatrixQuery(), for: leader).rows.count == 1)
    }
  }
}
