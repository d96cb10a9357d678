// Pictures made here, as SVG: they say their title and their numbers to whoever does not see them.

/// One bar, and the rows behind it.
package struct Bar: Sendable {
  package var label: String
  package var value: Int
  package var href: String?
  package var tone: Tone

  package init(_ label: String, _ value: Int, href: String? = nil, tone: Tone = .active) {
    self.label = label
    self.value = value
    self.href = href
    self.tone = tone
  }
}

/// Bars one below the other, each with its label and number as text; the drawn bar only repeats them.
package func bars(title: String, _ bars: [Bar]) -> HTML {
  let most = max(1, bars.map(\.value).max() ?? 1)
  return """
    <figure class="bars"><figcaption>\(title)</figcaption><ul>\(bars, { bar in
      """
      <li class="\(bar.tone.rawValue)"><span>\(bar.href.map { link(bar.label, $0) } ?? "\(bar.label)")</span>\
      <svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true" focusable="false">\
      <rect class="ground" width="100" height="10"/><rect width="\(hundredths(max(0, bar.value), of: most))" height="10"/></svg>\
      <span class="number">\(grouped(bar.value))</span></li>
      """
    })</ul></figure>
    """
}

/// A line of numbers over time, small enough to stand in a sentence or a cell.
package func sparkline(title: String, _ values: [Int]) -> HTML {
  guard values.count > 1, let least = values.min(), let most = values.max() else { return .nothing }
  let points = values.enumerated().map { place, value in
    let y = most == least ? "1500" : hundredths(most - value, of: most - least, scale: 26, from: 2)
    return "\(hundredths(place, of: values.count - 1, scale: 116, from: 2)),\(y == "1500" ? "15" : y)"
  }
  let first = grouped(values[0])
  let last = grouped(values[values.count - 1])
  return """
    <svg class="sparkline" viewBox="0 0 120 30" role="img" aria-label="\(title): \(first) → \(last)">\
    <polyline points="\(points.joined(separator: " "))"/></svg>
    """
}

/// `from + part / whole × scale` with two decimals, without a formatter.
private func hundredths(_ part: Int, of whole: Int, scale: Int = 100, from: Int = 0) -> String {
  let value = from * 100 + Int(Double(part) / Double(whole) * Double(scale) * 100)
  let rest = value % 100
  return "\(value / 100).\(rest < 10 ? "0" : "")\(rest)"
}
