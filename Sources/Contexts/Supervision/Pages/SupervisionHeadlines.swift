package import Kernel
package import Web

/// The few numbers that a leader's home page begins with, each a link to its rows.
package enum SupervisionHeadlines {
  /// None before anything was counted, or for a department that has nothing.
  package static func figures(
    _ supervision: Supervision, for principal: Principal, _ language: Language
  ) async throws -> [Figure] {
    let matrix = try await supervision.matrix(MatrixQuery(), for: principal)
    guard !matrix.total.isEmpty else { return [] }
    return figures(matrix, language)
  }

  static let measures: [Measure] = [.systemsWithoutEntries, .entriesWithoutMount, .mountsUnused, .grantsUndelivered]

  /// The same on top of the matrix itself.
  static func figures(_ matrix: Matrix, _ language: Language) -> [Figure] {
    let office = matrix.isWhole ? nil : matrix.rows.first?.office
    return measures.map { measure in
      let number = matrix.total[measure]
      return Figure(
        language(measure.title), number, href: SupervisionLink.rows(measure, of: office),
        tone: number > 0 ? .late : .good)
    }
  }
}
