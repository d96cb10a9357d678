import Testing

@testable import Connecting

@Suite struct UnfitTextTests {
  private func date(_ day: Int32) -> String? {
    UnfitText.text(of: withUnsafeBytes(of: day.bigEndian) { [UInt8]($0) }, as: .date)
  }

  private func moment(_ time: Int64) -> String? {
    UnfitText.text(of: withUnsafeBytes(of: time.bigEndian) { [UInt8]($0) }, as: .timestamp)
  }

  /// Days as PostgreSQL counts them, and its own spelling of each.
  @Test(arguments: [
    (-730_850, "-0001-01-01"), (-730_485, "0000-01-01"), (-746_117, "-0043-03-15"), (2_921_940, "+10000-01-01"),
    (Int32.max, "infinity"), (Int32.min, "-infinity"),
  ])
  func `a date that no contract permits is readable`(day: Int32, expected: String) { #expect(date(day) == expected) }

  @Test func `moments and numbers that no contract permits are readable`() {
    #expect(moment(.max) == "infinity" && moment(.min) == "-infinity")
    #expect(moment(Int64(-730_485) * 86_400_000_000) == "0000-01-01 00:00:00+00:00")
    #expect(moment(Int64(-730_485) * 86_400_000_000 - 1_000_000) == "-0001-12-31 23:59:59+00:00")
    #expect(UnfitText.text(of: [0, 0, 0, 0, 0xC0, 0, 0, 0], as: .decimal(precision: 5, scale: 2)) == "NaN")
    #expect(UnfitText.text(of: [0, 0, 0, 0, 0xF0, 0, 0, 0], as: .decimal(precision: 5, scale: 2)) == "-Infinity")
    #expect(UnfitText.text(of: [1], as: .date) == nil && UnfitText.text(of: [1], as: .text) == nil)
  }
}
