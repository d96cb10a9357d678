import CEmbedded
@testable import Kernel
import Testing

private enum Thing {}

@Suite struct `An id` {
  @Test func `is a UUID of version 7 that begins with its time`() throws {
    let now = Instant("2026-08-22T09:30:00.123Z")!
    let ids = (0..<1000).map { _ in ID<Thing>.make(at: now) }
    #expect(Set(ids).count == 1000)
    for id in ids {
      let digits = Array(id.text.filter { $0 != "-" })
      #expect(id.text.utf8.count == 36 && digits.count == 32)
      #expect(Int64(String(digits[0..<12]), radix: 16) == now.milliseconds)
      #expect(digits[12] == "7")
      #expect("89ab".contains(digits[16]))
      #expect(ID<Thing>(id.text) == id)
    }
  }

  @Test func `sorts by the time of making`() {
    let ids = (0..<100).map { ID<Thing>.make(at: Instant(milliseconds: 1_787_391_000_000 + Int64($0))) }
    #expect(ids == ids.sorted())
  }

  @Test func `sorts as it was made among those of one instant, however many and whatever is made between`() {
    let instant = Instant(milliseconds: 1_787_391_000_000)
    let ids = (0..<20_000).map { number in
      _ = ID<Thing>.make(at: Instant(milliseconds: 1_787_391_000_001 - Int64(number % 3)))
      return ID<Thing>.make(at: instant)
    }
    #expect(ids == ids.sorted())
    #expect(Set(ids).count == ids.count)
  }

  @Test(arguments: [
    "", "0190", "0190A1B2-0000-7000-8000-000000000000", "0190a1b2-0000-7000-8000-00000000000",
    "0190a1b2-0000-7000-8000-0000000000000", "0190a1b2_0000_7000_8000_000000000000",
    "0190a1b2-0000-7000-8000-00000000000g",
    "0190a1b200007000800000000000000000000", "０190a1b2-0000-7000-8000-0000000000",
  ])
  func `of another form is refused`(text: String) {
    #expect(ID<Thing>(text) == nil)
  }
}

@Suite struct `A refusal` {
  @Test func `of one field names it and keeps its message`() {
    let refusal = Refusal.invalid("system.name", "name", Text("名称不能为空。", "The name is empty."))
    #expect(refusal.kind == .invalid)
    #expect(refusal.code == "system.name")
    #expect(refusal.faults == [Refusal.Fault("name", Text("名称不能为空。", "The name is empty."))])
    #expect(refusal.message.english == "The name is empty.")
  }

  @Test func `of several fields says to correct what is marked`() {
    let refusal = Refusal.invalid("x", [.init("a", Text(same: "1")), .init("b", Text(same: "2"))])
    #expect(refusal.faults.map(\.field) == ["a", "b"])
    #expect(refusal.message.chinese == "请更正标出的内容。")
  }

  @Test func `for want of authority names the permission in both languages`() {
    let permission = Permission("sharing.approve")
    let principal = Principal(person: nil, name: "甲", organisation: nil, organisationName: "乙", permissions: [])
    let expected = Refusal.forbidden(permission)
    #expect(throws: expected) { try principal.require(permission) }
    #expect(
      expected.message.chinese.contains("sharing.approve") && expected.message.english.contains("sharing.approve"))
  }

  @Test func `in another organisation comes although the permission is held`() throws {
    let permission = Permission("sharing.approve")
    let (mine, theirs) = (OrganisationID.make(), OrganisationID.make())
    let principal = Principal(
      person: nil, name: "甲", organisation: mine, organisationName: "乙", permissions: [permission])
    try principal.require(permission, in: mine)
    let refusal = #expect(throws: Refusal.self) { try principal.require(permission, in: theirs) }
    #expect(refusal?.code == "forbidden.organisation")
  }
}

@Suite struct `A text` {
  @Test func `is read in the language asked for`() {
    let text = Text("目录", "Catalogue")
    #expect(Language.chinese(text) == "目录")
    #expect(Language.english(text) == "Catalogue")
    #expect(Language.english("目录", "Catalogue") == "Catalogue")
    #expect(Language.allCases.map(\.rawValue) == ["zh-CN", "en"])
  }
}

@Suite struct `An amount of money` {
  @Test(arguments: [
    ("0", Int64(0), "0.00"), ("1", 100, "1.00"), ("1234.5", 123_450, "1,234.50"), ("1,234.56", 123_456, "1,234.56"),
    ("-0.01", -1, "-0.01"), ("1,000,000", 100_000_000, "1,000,000.00"), ("-999.99", -99_999, "-999.99"),
    ("92233720368547758.07", .max, "92,233,720,368,547,758.07"),
    ("-92233720368547758.08", .min, "-92,233,720,368,547,758.08"),
    ("007", 700, "7.00"),
  ])
  func `is read from yuan and written with commas`(text: String, fen: Int64, yuan: String) throws {
    let money = try #require(Money(yuan: text))
    #expect(money.fen == fen)
    #expect(money.yuan == yuan)
    #expect(Money(yuan: money.yuan) == money)
    #expect(Money(yuan: money.plain) == money)
  }

  @Test(arguments: [
    "", "-", ".", "1.", ".5", "1.234", "1,23", "12,34.00", "1,2345", ",123", "1e3", "１", " 1", "+1", "--1", "1.2.3",
    "92233720368547758.08", "99999999999999999999999", "1,,234", "0.-1",
  ])
  func `anything else is refused, never rounded`(text: String) {
    #expect(Money(yuan: text) == nil)
  }

  @Test func `is read from units of ten thousand yuan`() {
    #expect(Money(wanYuan: "2,031.6000") == Money(fen: 2_031_600_000))
    #expect(Money(wanYuan: "0.000001") == Money(fen: 1))
    #expect(Money(wanYuan: "0.0000001") == nil)
  }

  @Test func `is added, taken away, multiplied and compared`() {
    let (a, b) = (Money(fen: 150), Money(fen: -50))
    #expect((a + b).fen == 100 && (a - b).fen == 200 && (a * 3).fen == 450 && (-a).fen == -150)
    #expect(b < Money.zero && Money.zero < a)
  }
}

@Suite struct `The embedded organisations` {
  private static let table = try! CSV.table(
    embeddedText(sj_organisations_qinghai_csv(), sj_organisations_qinghai_csv_length), comments: true)

  @Test func `have unique keys, names and fictitious codes with right check characters`() throws {
    let rows = Self.table.rows
    #expect(rows.count > 120)
    for column in ["key", "name", "short_name", "credit_code"] {
      #expect(Set(rows.map { $0[column] }).count == rows.count, "\(column)")
    }
    for row in rows {
      let code = try CreditCode(row["credit_code"])
      #expect(code.isPublicBody)
      #expect(code.organisation?.text.hasPrefix("PDY") == true)
      #expect(Divisions.short(code.division) == row["division"])
    }
  }

  @Test func `begin when their predecessors end`() throws {
    let byKey = Dictionary(uniqueKeysWithValues: Self.table.rows.map { ($0["key"], $0) })
    var links = 0
    for row in Self.table.rows {
      let from = try #require(CalendarDate(row["valid_from"]))
      if !row["valid_to"].isEmpty { #expect(try from < #require(CalendarDate(row["valid_to"]))) }
      for key in row["predecessors"].split(separator: ";") {
        let before = try #require(byKey[String(key)])
        #expect(before["valid_to"] == row["valid_from"])
        links += 1
      }
    }
    #expect(links == 17)
    #expect(
      byKey["market-regulation"]?["predecessors"]
        == "industry-and-commerce-administration;quality-supervision;food-and-drug-administration")
  }

  @Test func `stand on known divisions and nodes of the national classification`() throws {
    let nodes = Set(
      try CSV.table(embeddedText(sj_classification_2017_csv(), sj_classification_2017_csv_length)).rows.map {
        $0["code"]
      })
    let departments = nodes.filter { $0.hasPrefix("30701203") && $0.count == 10 }
    for row in Self.table.rows {
      #expect(Divisions.embedded.known(row["division"]) != nil)
      #expect(row["classification_node"].isEmpty || nodes.contains(row["classification_node"]))
    }
    #expect(departments.isSubset(of: Self.table.rows.map { $0["classification_node"] }))
  }
}
