package import Kernel
package import Web

/// The matrix for a terminal and for scripts.
package enum MatrixText {
  /// One object, as the programming interface answers it.
  package static func json(_ matrix: Matrix, _ measures: [Measure]) -> JSON { SupervisionAPI.json(matrix, measures) }

  /// A line for each department that lists its numbers by name, those that are nought left out; then the sums.
  package static func lines(_ matrix: Matrix, _ measures: [Measure], _ language: Language) -> [String] {
    guard let asOf = matrix.asOf else {
      return [
        language(
          "还没有统计；用 --refresh 先统计一次。", "Nothing is counted yet; count with --refresh.")
      ]
    }
    func numbers(_ tally: Tally) -> String {
      measures.filter { tally[$0] != 0 }.map { "\(language($0.title)) \(grouped(tally[$0]))" }.joined(
        separator: language("，", ", "))
    }
    return [language("统计于 \(asOf.minuteInChina)", "Counted at \(asOf.minuteInChina)")]
      + matrix.rows.map { "\($0.name)\(language("：", ": "))\(numbers($0.tally))" }
      + [language("合计（\(matrix.count) 个单位）：", "Total (\(matrix.count)): ") + numbers(matrix.total)]
  }
}
