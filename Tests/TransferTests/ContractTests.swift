import Connecting
import Kernel
import NationalCrypto
import Testing

@testable import Transfer

@Suite struct ContractTests {
  /// A reader that never is asked: the loop only wants to know what it promises.
  private final class Promise: RowReader {
    let horizon: CursorValue? = nil
    let isKeyOrdered = false
    let checksText = false
    let position: [UInt8] = []
    func read(into batch: RowBatch) throws(ConnectorError) -> ReadOutcome { .end }
    func close() {}
  }

  /// What becomes of one value under one item: its written form, or the fault's code.
  private func delivered(_ item: ItemContract, _ put: (RowBatch) -> Void) throws -> String {
    var plan = Grant().plan(.full, run: "r")
    plan.items = [ItemContract("id", .integer), item]
    let compiled = try CompiledPlan(plan, on: CalendarDate(year: 2026, month: 8, day: 22)!)
    let (input, output) = (RowBatch(capacity: RowBatch.smallest), RowBatch(capacity: RowBatch.smallest))
    input.beginRow(fields: 3)
    input.append(Int64(1))
    put(input)
    input.appendNull()
    input.endRow()
    var origins: [Int32] = []
    if let fault = try RowTransform(compiled, for: Promise()).run(input, into: output, origins: &origins).first {
      #expect(output.isEmpty)
      return fault.fault.code
    }
    guard case .value(let bytes) = output.fields(0)[1] else { return "NULL" }
    return bytes.withUnsafeBytes { CanonicalText.text(of: $0, as: item.deliveredType) } ?? "unreadable"
  }

  private func text(_ value: String, _ item: ItemContract) throws -> String {
    try delivered(item) { batch in Array(value.utf8).withUnsafeBytes { batch.append($0) } }
  }

  @Test(arguments: [
    ("91630000MA00000000", "check-digit"), ("9163", "malformed-code"), ("", "malformed-code"),
  ])
  func `a wrong credit code is not delivered`(value: String, expected: String) throws {
    #expect(try text(value, ItemContract("code", .text, check: .creditCode)) == expected)
  }

  @Test func `right codes are delivered, masked after the check`() throws {
    let code = try CreditCode.make(department: "9", category: "1", division: "630100", organisation: "PDY00001").text
    #expect(try text(code, ItemContract("code", .text, check: .creditCode)) == code)
    let masked = ItemContract("code", .text, check: .creditCode, mask: .keepHeadTail(2, 4))
    #expect(try text(code, masked) == code.prefix(2) + "************" + code.suffix(4))
  }

  @Test(arguments: [
    ("三江源", 1, 1, "三*源"), ("三江", 1, 1, "**"), ("三", 0, 0, "*"), ("", 1, 1, ""), ("a三b", 0, 1, "**b"),
    ("𠮷三", 1, 0, "𠮷*"),
  ])
  func `masks count characters, not bytes`(value: String, head: Int, tail: Int, expected: String) throws {
    #expect(try text(value, ItemContract("name", .text, mask: .keepHeadTail(head, tail))) == expected)
  }

  @Test func `a pseudonym is the same for the same value and tells nothing of it`() throws {
    let item = ItemContract("name", .text, mask: .pseudonym)
    let pseudonym = try text("张三", item)
    let (again, other) = (try text("张三", item), try text("张四", item))
    #expect(pseudonym.count == 64 && pseudonym == again && pseudonym != other)
    #expect(pseudonym != HMAC.authenticate(Array("张三".utf8), key: Grant.secret).hex)
  }

  @Test func `text is measured in characters, and must be text`() throws {
    let item = ItemContract("name", .text, length: 3)
    #expect(try text("三江源", item) == "三江源")
    #expect(try text("三江源头", item) == "too-long")
    #expect(try text("a\u{0}b", item) == "contains-nul")
    #expect(
      try delivered(item) { batch in ([0xFF, 0xFE] as [UInt8]).withUnsafeBytes { batch.append($0) } } == "invalid-text")
  }

  @Test func `NULL is delivered where it may be`() throws {
    #expect(try delivered(ItemContract("name", .text)) { $0.appendNull() } == "NULL")
    #expect(try delivered(ItemContract("name", .text, isNullable: false)) { $0.appendNull() } == "missing-value")
    #expect(try delivered(ItemContract("name", .text, mask: .drop)) { $0.append(Int64(1)) } == "contains-nul")
    #expect(try text("张三", ItemContract("name", .text, mask: .drop)) == "NULL")
  }

  @Test(arguments: [
    (Int32(0), "2000-01-01"), (-36_524, "1900-01-01"), (-730_119, "0001-01-01"), (2_921_939, "9999-12-31"),
    (-730_120, "impossible-date"), (2_921_940, "impossible-date"), (.max, "not-finite"), (.min, "not-finite"),
  ])
  func `dates of four digits' years are delivered`(day: Int32, expected: String) throws {
    #expect(try delivered(ItemContract("born", .date)) { $0.append(day) } == expected)
  }

  @Test(arguments: [
    (Int64(0), "2000-01-01 00:00:00.000000"), (-1, "1999-12-31 23:59:59.999999"), (.max, "not-finite"),
    (.min, "not-finite"),
    (WrittenTime.microseconds.upperBound, "9999-12-31 23:59:59.999999"),
    (WrittenTime.microseconds.upperBound + 1, "impossible-date"),
  ])
  func `times to the microsecond are delivered`(time: Int64, expected: String) throws {
    #expect(try delivered(ItemContract("at", .timestamp)) { $0.append(time) } == expected)
  }

  @Test func `a date outside the agreed range is not delivered`() throws {
    let range = ItemContract(
      "born", .date, check: .dates(from: CalendarDate("1900-01-01")!, through: CalendarDate("2026-08-22")!))
    #expect(try delivered(range) { $0.append(Int32(-36_524)) } == "1900-01-01")
    #expect(try delivered(range) { $0.append(Int32(-36_525)) } == "date-out-of-range")
    let time = ItemContract(
      "at", .timestamp, check: .dates(from: CalendarDate("2000-01-02")!, through: CalendarDate("2000-01-02")!))
    // The second of January in China begins eight hours before it does in UTC.
    #expect(try delivered(time) { $0.append(Int64(57_600_000_000)) } == "2000-01-01 16:00:00.000000")
    #expect(try delivered(time) { $0.append(Int64(57_599_999_999)) } == "date-out-of-range")
  }

  @Test func `a code must be in its list`() throws {
    let item = ItemContract("nation", .text, check: .dictionary(["汉族", "藏族", "土族"]))
    #expect(try text("藏族", item) == "藏族")
    #expect(try text("藏", item) == "not-in-dictionary")
  }

  @Test(arguments: [
    // digits, weight, sign, dscale, groups…
    ([0, 0, 0, 0] as [UInt16], "0.00"), ([1, 0, 0x4000, 1, 5], "-5.00"), ([2, 0, 0, 4, 1, 2500], "1.25"),
    ([2, 0, 0, 3, 1, 2510], "too-many-decimals"), ([1, 4, 0, 0, 1], "out-of-range"),
    ([1, 3, 0, 0, 9999], "9999000000000000.00"), ([0, 0, 0xC000, 0], "not-finite"), ([0, 0, 0xD000, 0], "not-finite"),
    ([0, 0, 0xF000, 0], "not-finite"), ([2, 0, 0, 0, 1], "wrong-type"), ([1, 0, 0, 0, 0], "wrong-type"),
    ([1, 0xFFFF, 0, 2, 100], "0.01"), ([1, 0xFFFE, 0, 8, 1], "too-many-decimals"),
  ])
  func `a numeric of 18 digits, 2 after the point`(words: [UInt16], expected: String) throws {
    let bytes = words.flatMap { [UInt8($0 >> 8), UInt8($0 & 255)] }
    #expect(
      try delivered(ItemContract("capital", .decimal(precision: 18, scale: 2))) { batch in
        bytes.withUnsafeBytes { batch.append($0) }
      } == expected)
  }

  @Test func `malformed fields are named by what the connector found`() throws {
    #expect(
      try delivered(ItemContract("born", .date)) { batch in
        ([1, 2] as [UInt8]).withUnsafeBytes { batch.appendMalformed(.impossibleDate, $0) }
      } == "impossible-date")
  }

  @Test func `a plan that contradicts itself is refused`() throws {
    let wrong: [(String, (inout DeliveryPlan) -> Void)] = [
      ("key-not-granted", { $0.key = ["nothing"] }), ("no-key", { $0.key = [] }),
      ("item-twice", { $0.items.append($0.items[0]) }),
      ("item-reserved", { $0.items.append(ItemContract("sj_batch", .integer)) }),
      ("key-masked", { $0.items[0].mask = .drop }), ("mask", { $0.items[2].mask = .keepHeadTail(1, 1) }),
      ("check", { $0.items[0].check = .creditCode }), ("cursor-type", { $0.cursor = .init("x", .text) }),
      ("batch-bytes", { $0.batchBytes = 1 }), ("secret", { $0.secret = [1] }), ("no-items", { $0.items = [] }),
    ]
    for (code, change) in wrong {
      var plan = Grant().plan(.full, run: "r")
      change(&plan)
      let refused = plan
      #expect { try Delivery(refused, control: DeliveryControl(quarantine: { _ in })) } throws: {
        ($0 as? ConnectorError)?.code == "contract.\(code)"
      }
    }
  }
}
