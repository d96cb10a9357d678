import Kernel
import Web

/// A table whose columns are the measures under the stations of the spine: of departments in the matrix, of months in the
/// trend.
struct MeasureSheet {
  let language: Language
  let measures: [Measure]
  /// What the first column holds, and the last where there is one more.
  let first: String
  var last: String?
  /// How a column sorts, where it does.
  var sort: (Measure) -> Column.Sort? = { _ in nil }

  private var t: Language { language }
  private var groups: [(group: Measure.Group, measures: [Measure])] {
    Measure.Group.allCases.map { group in (group, measures.filter { $0.group == group }) }
  }

  /// `bodies` are complete `<tbody>` elements.
  func table(caption: String, bodies: HTML) -> HTML {
    """
    <div class="scroll matrix" tabindex="0" role="region" aria-label="\(caption)"><table><caption>\(caption)</caption>\
    <thead><tr><th scope="col" rowspan="2">\(first)</th>\(groups, { entry in
      "<th scope=\"colgroup\" class=\"group\" colspan=\"\(entry.measures.count)\">\(t(entry.group.title))</th>"
    })\(last.map { "<th scope=\"col\" rowspan=\"2\">\($0)</th>" as HTML })</tr>\
    <tr>\(groups, { entry in entry.measures.map { column($0, isFirst: $0 == entry.measures.first) }.joined() })</tr></thead>\
    \(bodies)</table></div>
    """
  }

  private func column(_ measure: Measure, isFirst: Bool) -> HTML {
    let title: HTML = "<span class=\"of\">\(t(measure.group.title)) </span>\(t(measure.shortTitle))"
    let sort = sort(measure)
    let state: HTML =
      switch sort?.descending {
      case true?: " aria-sort=\"descending\""
      case false?: " aria-sort=\"ascending\""
      case nil: .nothing
      }
    let arrow = sort?.descending.map { $0 ? " ↓" : " ↑" } ?? ""
    let shown: HTML =
      sort.map { "<a class=\"sort\" href=\"\($0.href)\">\(title)<span aria-hidden=\"true\">\(arrow)</span></a>" }
      ?? title
    return """
      <th scope="col" class="number\(when: isFirst, " first")"\(state) title="\(t(measure.title))">\(shown)</th>
      """
  }

  /// One row's numbers; those that have an address are links, and a lack that is not nought stands out.
  func cells(_ tally: Tally, href: (Measure) -> String? = { _ in nil }) -> HTML {
    groups.map { entry in
      entry.measures.map { measure in
        let number = tally[measure]
        let tone: HTML = """
          \(when: measure == entry.measures.first, " first")\(when: number == 0, " nought")\
          \(when: measure.isLack && number > 0, " lacking")
          """
        let shown: HTML = (number > 0 ? href(measure) : nil).map { link(grouped(number), $0) } ?? "\(grouped(number))"
        return """
          <td class="number\(tone)" data-label="\(t(entry.group.title)) · \(t(measure.shortTitle))">\(shown)</td>
          """
      }.joined()
    }.joined()
  }
}
