import Kernel
import Testing

private let divisions = Divisions.embedded
private func day(_ text: String) -> CalendarDate { CalendarDate(text)! }

@Suite struct `Administrative divisions` {
  @Test(arguments: [
    ("63", "63"), ("630000", "63"), ("6301", "6301"), ("630100", "6301"), ("630106", "630106"),
    ("630000000000", "63"), ("630106000000", "630106"), ("632801001", "632801001"), ("632801001000", "632801001"),
    ("630106000", "630106"), ("", ""), ("00", "00"),
  ])
  func `have one short code for all lengths`(code: String, short: String) {
    #expect(Divisions.short(code) == short)
  }

  @Test(arguments: [
    ("632801", "2026-08-22", "青海省海西蒙古族藏族自治州格尔木市"), ("630106", "2026-08-22", "青海省西宁市湟中区"),
    ("630122", "2019-01-01", "青海省西宁市湟中县"), ("630122", "2026-08-22", "青海省西宁市湟中县"),
    ("632801001", "2026-08-22", "青海省海西蒙古族藏族自治州格尔木市昆仑路街道"), ("63", "2026-08-22", "青海省"),
    ("110101", "2023-01-01", "北京市市辖区东城区"), ("632122", "2010-05-01", "青海省海东地区民和回族土族自治县"),
  ])
  func `have a full name on a day, also those long gone`(code: String, on: String, name: String) {
    #expect(divisions.fullName(of: code, on: day(on)) == name)
  }

  @Test(arguments: ["", "99", "639999", "63010", "abc", "六三"])
  func `that never were are not found`(code: String) {
    #expect(divisions.known(code) == nil)
    #expect(divisions.fullName(of: code, on: day("2026-08-22")) == nil)
    #expect(divisions.successors(of: code, on: day("2026-08-22")).isEmpty)
  }

  /// Old code, its last day, its successor: Qinghai between the editions of 2018 and 2023, and before.
  @Test(arguments: [
    ("630122", "2019-12-05", "630106", "湟中区"), ("632321", "2020-06-04", "632301", "同仁市"),
    ("632859", "2018-02-21", "632803", "茫崖市"), ("632858", "2018-02-21", "632803", "茫崖市"),
    ("632721", "2013-07-02", "632701", "玉树市"), ("632122", "2013-02-07", "630222", "民和回族土族自治县"),
  ])
  func `pass into their successors on the day of the change`(old: String, last: String, new: String, name: String)
    throws
  {
    let lastDay = day(last)
    #expect(divisions.division(old, on: lastDay)?.code == old)
    #expect(divisions.division(old, on: lastDay + 1) == nil)
    #expect(divisions.division(new, on: lastDay) == nil)
    #expect(divisions.division(new, on: lastDay + 1)?.name == name)
    #expect(divisions.successors(of: old, on: lastDay + 1).map(\.code) == [new])
    #expect(divisions.successors(of: old, on: lastDay).map(\.code) == [old])
    let known = try #require(divisions.known(old))
    #expect(known.isHistorical && known.exact && known.successors == [new])
    #expect(divisions.known(new)?.predecessors.contains(old) == true)
  }

  @Test func `are followed through several successions`() {
    #expect(divisions.successors(of: "632121", on: day("2014-01-01")).map(\.code) == ["630221"])
    #expect(divisions.successors(of: "632121", on: day("2026-08-22")).map(\.code) == ["630203"])
    #expect(divisions.successors(of: "632124", on: day("2010-01-01")).map(\.code) == ["630122"])
    #expect(divisions.successors(of: "632124", on: day("2026-08-22")).map(\.code) == ["630106"])
  }

  @Test func `have the children of their day`() {
    let now = divisions.children(of: "6301", on: day("2026-08-22")).map(\.name)
    #expect(now == ["城东区", "城中区", "城西区", "城北区", "湟中区", "大通回族土族自治县", "湟源县"])
    let then = divisions.children(of: "6301", on: day("2018-06-30")).map(\.name)
    #expect(then.contains("湟中县") && !then.contains("湟中区"))
    let haixi = divisions.children(of: "6328", on: day("2026-08-22")).map(\.code)
    #expect(haixi == ["632801", "632802", "632803", "632821", "632822", "632823", "632857"])
    #expect(divisions.provinces(on: day("2026-08-22")).count >= 31)
  }

  @Test func `of Qinghai today are eight prefectures, 45 counties and their townships`() {
    let today = day("2026-08-22")
    let prefectures = divisions.children(of: "63", on: today)
    #expect(prefectures.map(\.code) == ["6301", "6302", "6322", "6323", "6325", "6326", "6327", "6328"])
    let counties = prefectures.flatMap { divisions.children(of: $0.code, on: today) }
    #expect(counties.count == 45)
    #expect(counties.allSatisfy { $0.level == .county && $0.sixDigits == $0.code })
    #expect(counties.flatMap { divisions.children(of: $0.code, on: today) }.count == 422)
    #expect(prefectures[0].sixDigits == "630100")
  }

  @Test func `changed elsewhere at an unknown day are accepted in both spellings between the editions`() throws {
    let known = try #require(divisions.known("130126"))
    #expect(!known.isHistorical)
    // 江苏省南通市崇川区 kept its code; 港闸区 320611 was merged into it in 2020.
    let gone = try #require(divisions.known("320611"))
    #expect(gone.isHistorical && !gone.exact)
    #expect(divisions.division("320611", on: day("2018-06-30")) != nil)
    #expect(divisions.division("320611", on: day("2021-06-30")) != nil)
    #expect(divisions.division("320611", on: day("2024-01-01")) == nil)
  }

  @Test(arguments: [
    ("code,name,parent_code,level\n63,青海省,,country\n", Divisions.Broken.level(code: "63")),
    ("code,name,parent_code,level\n6301,西宁市,63,prefecture\n", .parent(code: "6301")),
  ])
  func `broken editions are refused`(text: String, expected: Divisions.Broken) {
    let none = "code,name,parent_code,level,until,successors,basis\n"
    #expect(throws: expected) { try Divisions(editions: [(day("2023-12-31"), text)], successions: none) }
  }

  @Test(arguments: [
    ("630122,湟中县,63,county,2019-12-32,63,approval", Divisions.Broken.date(code: "630122")),
    ("630122,湟中县,63,county,2019-12-06,630106,approval", .unknown(code: "630106")),
  ])
  func `broken successions are refused`(line: String, expected: Divisions.Broken) {
    let edition = "code,name,parent_code,level\n63,青海省,,province\n"
    #expect(throws: expected) {
      try Divisions(
        editions: [(day("2023-12-31"), edition)],
        successions: "code,name,parent_code,level,until,successors,basis\n\(line)\n")
    }
  }
}
