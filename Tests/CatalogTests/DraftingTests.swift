import Catalog
import Connecting
import Inventory
import Kernel
import Testing

@Suite struct `A draft from a table` {
  let made: TableDraft = draft(
    from: legalPersonTable, sample: sample(), connector: "sqlite", classNode: "3070120302", at: Offices.start)

  static func sample() -> TableSample {
    var values: [String: [String]] = [:]
    for column in ["uscc", "name", "rep_id", "phone"] { values[column] = (0..<100).map { madeUpValue(column, $0) } }
    return TableSample(values: values, rows: 100)
  }

  @Test func `columns become items with the national types and the comment's first words as names`() {
    let items = made.items.map { item in
      let length = item.length.map { "\($0)" } ?? "-"
      return
        "\(item.name) \(item.dataType) \(length) \(item.isNullable ? "null" : "not null")\(item.isKey ? " key" : "")"
    }
    #expect(
      items == [
        "统一社会信用代码 C 18 not null key", "企业名称 C 200 null", "法定代表人证件号码 C 18 null", "联系电话 C 20 null",
        "注册资本 N 18 null", "成立日期 D - null", "seal_image G - null", "更新时间 T - not null",
      ])
    #expect(made.items[1].description == "企业名称（登记全称）")
    #expect(made.items[4].scale == 2)
    #expect(made.items[6].type == nil)
  }

  @Test func `what values are is guessed by check digits and the count is shown`() {
    #expect(made.items[0].semantic == "uscc")
    #expect(made.items[0].evidence == Item.Evidence(valid: 99, looked: 100))
    #expect(made.items[2].semantic == "citizen-id")
    #expect(made.items[2].evidence == Item.Evidence(valid: 100, looked: 100))
    #expect(made.items[2].grade == "4")
    // Half of them are no mobile numbers: nothing is claimed.
    #expect(made.items[3].semantic == nil)
    #expect(made.items[1].semantic == nil)
  }

  @Test func `key, cursor, format and class follow from the table`() {
    #expect(made.keyColumns == ["uscc"])
    #expect(made.cursorColumn == "updated_at")
    #expect(made.metadata.name == "企业法人")
    #expect(made.metadata.classes == ["3070120302"])
    #expect(made.metadata.format == "0311")
    #expect(made.metadata.sharingType == "")
    let file = draft(from: legalPersonTable, sample: Self.sample(), connector: "csv", classNode: nil, at: Offices.start)
    #expect(file.metadata.format == "0204")
    #expect(file.metadata.methodType == "2")
  }

  @Test func `too few values prove nothing`() {
    let few = TableSample(values: ["uscc": (0..<4).map { madeUpValue("uscc", $0) }], rows: 4)
    let made = draft(from: legalPersonTable, sample: few, connector: "sqlite", classNode: nil, at: Offices.start)
    #expect(made.items[0].semantic == nil)
    #expect(made.items[0].length == 20)
  }

  @Test func `the contract's digest changes with what a delivery relies on and with nothing else`() {
    let before = made.items.schemaDigest
    #expect(before.count == 64)
    #expect(made.items.reversed().schemaDigest == before)
    var renamed = made.items
    renamed[1].name = "名称"
    renamed[1].sharingType = "3"
    #expect(renamed.schemaDigest == before)
    for (label, change) in [
      ("length", { $0.length = 100 }), ("type", { $0.type = .integer }), ("null", { $0.isNullable.toggle() }),
      ("key", { $0.isKey.toggle() }), ("column", { $0.column = "other" }), ("semantic", { $0.semantic = "uscc" }),
    ] as [(String, (inout Item) -> Void)] {
      var changed = made.items
      change(&changed[1])
      #expect(changed.schemaDigest != before, "\(label)")
    }
  }
}
