import Foundation
import Testing

@testable import Web

/// Lines over time: drawn with gaps where nothing is known, and said in words.
@Suite struct LineChartTests {
  private func chart(_ points: [String], _ values: [Int?]) -> String {
    lineChart(title: "目录 <1>", summary: "3 → 9", id: "c", points: points, [ChartLine("在用", values)]).text
  }

  @Test func `a chart says its title and what there is to see, escaped`() {
    let html = chart(["2026-01", "2026-02"], [3, 9])
    #expect(
      html.contains("aria-labelledby=\"c-title c-words\"")
        && html.contains("<title id=\"c-title\">目录 &lt;1&gt;</title>"))
    #expect(html.contains("<desc id=\"c-words\">3 → 9</desc>") && html.contains("<strong class=\"number\">9</strong>"))
  }

  @Test func `the scale goes from nought to a round number at or above the most`() {
    #expect(chart(["a", "b"], [0, 0]).contains(">2</text>"))
    #expect(chart(["a", "b"], [1, 9]).contains(">10</text>"))
    #expect(chart(["a", "b"], [1, 10]).contains(">10</text>"))
    #expect(chart(["a", "b"], [1, 3_700]).contains(">4,000</text>"))
    #expect(chart(["a", "b"], [1, 11_000]).contains(">20,000</text>"))
  }

  @Test func `where nothing is known the line has a gap, and a lone point is a dot`() {
    let html = chart(["a", "b", "c", "d", "e"], [1, 2, nil, 4, nil])
    // Two stretches, and the legend's sample.
    #expect(html.components(separatedBy: "<polyline").count - 1 == 3)
    #expect(html.components(separatedBy: "<circle").count - 1 == 1)
    #expect(!html.contains("<strong"), "the last point is not known")
  }

  @Test func `of many points so many are named as fit, the last one among them`() {
    let points = (1...24).map { "m\($0)" }
    let html = chart(points, points.map { _ in 1 })
    #expect(html.contains(">m24</text>") && html.components(separatedBy: ">m").count - 1 == 8)
  }
}
