import Catalog
import Connecting
import Kernel
import Mounting
import Testing

private func table(_ columns: [ColumnDescription], comment: String? = "企业法人") -> TableDescription {
  TableDescription(name: TableName("t"), comment: comment, estimatedRows: 5, columns: columns)
}

private let code = ColumnDescription(
  name: "uscc", nativeType: "varchar(18)", type: .text, length: 18, isNullable: false, keyPosition: 1, comment: "代码")
private let name = ColumnDescription(name: "name", nativeType: "text", type: .text, comment: "名称\t与\\n换行\n二")
private let age = ColumnDescription(name: "age", nativeType: "int", type: .integer)

@Suite struct SnapshotTests {
  @Test func `a snapshot gives the table back, whatever its comments hold`() {
    let original = table([code, name, age])
    var expected = original
    expected.estimatedRows = nil
    #expect(TableSnapshot(original).table(TableName("t")) == expected)
  }

  @Test func `the number of rows is no change`() {
    var grown = table([code, name])
    grown.estimatedRows = 9_000_000
    #expect(TableSnapshot(grown) == TableSnapshot(table([code, name])))
  }

  @Test func `what changed is named: columns come, gone, renamed, retyped, keys and comments`() {
    let before = TableSnapshot(table([code, name, age]))
    var renamed = name
    renamed.name = "full_name"
    var retyped = age
    retyped.nativeType = "text"
    retyped.type = .text
    var unkeyed = code
    unkeyed.keyPosition = nil
    let changes: [(TableDescription, [TableDifference])] = [
      (table([code, name, age]), []),
      (table([code, name]), [.columnDropped(age)]),
      (
        table([code, name, age, ColumnDescription(name: "x", nativeType: "date", type: .date)]),
        [.columnAdded(ColumnDescription(name: "x", nativeType: "date", type: .date))]
      ),
      (table([code, renamed, age]), [.columnRenamed(from: name, to: renamed)]),
      (table([code, name, retyped]), [.columnRetyped(from: age, to: retyped)]),
      (table([unkeyed, name, age]), [.key(from: ["uscc"], to: [])]),
      (table([code, name, age], comment: "企业"), [.tableComment(from: "企业法人", to: "企业")]),
    ]
    for (after, expected) in changes {
      #expect(TableDifference.between(before, TableSnapshot(after)) == expected)
    }
    #expect(TableDifference.between(before, TableSnapshot(content: "")) == [.dropped])
    #expect(TableDifference.between(TableSnapshot(content: ""), before) == [.added])
  }
}

@Suite struct FitTests {
  private func item(_ name: String, _ column: String, _ type: ValueType? = .text, length: Int? = nil) -> Item {
    Item(id: .make(), name: name, column: column, dataType: "C", length: length, type: type)
  }

  @Test func `missing and retyped columns fail, a longer one is only said`() {
    let items = [
      item("代码", "uscc", length: 10), item("年龄", "age"), item("无", "nothing"), item("说明", "", nil),
    ]
    let found = misfits(items, table([code, name, age]), declaresTypes: true)
    #expect(
      found == [
        .longer(column: "uscc", agreed: 10, found: 18), .retyped(column: "age", agreed: .text, found: "int"),
        .missing(column: "nothing"),
      ])
    #expect(fault(of: found)?.code == "mounting.column-type")
    #expect(fault(of: found)?.words.chinese == "列“age”约定为文本，现为 int；缺少列“nothing”。")
    #expect(fault(of: [found[0]]) == nil)
    // Of files the types only seem so.
    #expect(misfits(items, table([code, name, age]), declaresTypes: false) == [.missing(column: "nothing")])
  }

  @Test func `items by hand find their columns by name, case, Chinese name and comment, each column once`() {
    let columns = [
      ColumnDescription(name: "USCC", nativeType: "text", type: .text),
      ColumnDescription(name: "qymc", nativeType: "text", type: .text, comment: "企业名称（全称）"),
      ColumnDescription(name: "住所", nativeType: "text", type: .text),
    ]
    let items = [item("统一代码", "uscc"), item("企业名称", ""), item("住所", ""), item("企业名称", "")]
    let found = matches(items, table(columns))
    #expect(items.map { found[$0.id] } == ["USCC", "qymc", "住所", nil])
  }
}
