package import Kernel
package import Web

/// The few numbers that a leader's home page begins with, each a link to its rows.
package enum SupervisionHeadlines {
  /// None before anything was counted, or for a department that has nothing.
  package static func figures(
    _ supervision: Supervision, for principal: Principal, _ language: Language
  ) async throws -> [Figure] {
    guard let (office, tally) = try await supervision.total(for: principal), !tally.isEmpty else { return [] }
    return figures(tally, of: office, language)
  }

  static let measures: [Measure] = [.systemsWithoutEntries, .entriesWithoutMount, .mountsUnused, .grantsUndelivered]

  /// The same on top of the matrix itself.
  static func figures(_ tally: Tally, of office: OrganisationID?, _ language: Language) -> [Figure] {
    measures.map { measure in
      let number = tally[measure]
      return Figure(
        language(measure.title), number, href: SupervisionLink.rows(measure, of: office),
        tone: number > 0 ? .late : .good)
    }
  }
}
