// Numbers over time as a picture of SVG, with the same numbers as a table for whoever wants or needs them.

/// One line of a chart; a point that is nil is a gap.
package struct ChartLine: Sendable {
  package var label: String
  package var values: [Int?]
  package var tone: Tone

  package init(_ label: String, _ values: [Int?], tone: Tone = .active) {
    self.label = label
    self.values = values
    self.tone = tone
  }
}

/// Up to four lines over the same points of time, on one scale from nought. Each is told apart by its colour, by its dashes
/// and by its number at the end, which stands in the legend; `summary` says in a sentence what there is to see, for whoever
/// does not. The numbers stand in the page beside it as a table: the caller gives it.
package func lineChart(
  title: String, summary: String, id: String, points: [String], _ lines: [ChartLine]
) -> HTML {
  let most = scaleEnd(lines.flatMap(\.values).compactMap { $0 }.max() ?? 0)
  let (left, right, top, bottom) = (58, 708, 10, 190)
  func x(_ place: Int) -> Int {
    points.count < 2 ? (left + right) / 2 : left + place * (right - left) / (points.count - 1)
  }
  func y(_ value: Int) -> Int { bottom - Int(Double(value) / Double(most) * Double(bottom - top)) }
  let marks = [0, most / 2, most].reduce(into: [Int]()) { if !$0.contains($1) { $0.append($1) } }
  // So many names of points fit under the picture.
  let step = max(1, (points.count + 7) / 8)
  let named = points.indices.filter { (points.count - 1 - $0) % step == 0 }
  return """
    <figure class="chart"><figcaption>\(title)</figcaption>\
    <svg viewBox="0 0 720 220" role="img" aria-labelledby="\(id)-title \(id)-words"><title id="\(id)-title">\(title)</title>\
    <desc id="\(id)-words">\(summary)</desc>\
    \(marks, { value in
      """
      <line class="rule" x1="\(left)" x2="\(right)" y1="\(y(value))" y2="\(y(value))"/>\
      <text x="\(left - 8)" y="\(y(value) + 4)" text-anchor="end">\(grouped(value))</text>
      """
    })\
    \(named, { "<text x=\"\(x($0))\" y=\"212\" text-anchor=\"\(points.count > 1 && $0 == points.count - 1 ? "end" : "middle")\">\(points[$0])</text>" })\
    \(lines.enumerated().map { (place: $0.offset, line: $0.element) }, { entry in
      """
      <g class="\(entry.line.tone.rawValue) line-\(entry.place + 1)">\(stretches(of: entry.line.values), { stretch in
        """
        <polyline points="\(stretch.map { "\(x($0.place)),\(y($0.value))" }.joined(separator: " "))"/>\
        \(stretch.count == 1 ? "<circle cx=\"\(x(stretch[0].place))\" cy=\"\(y(stretch[0].value))\" r=\"4\"/>" as HTML : .nothing)
        """
      })</g>
      """
    })</svg>\
    <ul class="legend">\(lines.enumerated().map { (place: $0.offset, line: $0.element) }, { entry in
      """
      <li><svg viewBox="0 0 32 8" aria-hidden="true" focusable="false"><g class="\(entry.line.tone.rawValue) \
      line-\(entry.place + 1)"><polyline points="0,4 32,4"/></g></svg> \(entry.line.label)\
      \(entry.line.values.last.flatMap { $0 }.map { " <strong class=\"number\">\(grouped($0))</strong>" as HTML })</li>
      """
    })</ul></figure>
    """
}

/// The next of 1, 2, 5 times a power of ten at or above a number, never less than two: both ends and the middle of a scale
/// are then whole.
private func scaleEnd(_ number: Int) -> Int {
  var power = 1
  while true {
    for step in [2, 4, 10] where step * power >= number { return step * power }
    power *= 10
  }
}

/// The runs of points without a gap.
private func stretches(of values: [Int?]) -> [[(place: Int, value: Int)]] {
  var all: [[(place: Int, value: Int)]] = []
  var open: [(place: Int, value: Int)] = []
  for (place, value) in values.enumerated() {
    if let value {
      open.append((place, value))
    } else if !open.isEmpty {
      all.append(open)
      open = []
    }
  }
  return open.isEmpty ? all : all + [open]
}
