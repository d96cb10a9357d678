import Connecting
import Kernel

/// A table of legal persons that stands nowhere: what a connector would say of it, and a hundred rows.
struct MadeUpConnector: Connector {
  var guarantee: ConnectorGuarantee {
    ConnectorGuarantee(
      promise: Text("测试", "test"), overlap: .seconds(0), limits: [], readsIncrementally: true, writes: false)
  }
  func probe() throws(ConnectorError) -> ConnectorProbe {
    ConnectorProbe(product: "Made up 1.0", isProtected: true, isReadOnly: true)
  }
  func tables() throws(ConnectorError) -> [TableSummary] {
    [TableSummary(name: TableName("legal_person"), comment: "企业法人", estimatedRows: 100)]
  }
  func describe(_ table: TableName) throws(ConnectorError) -> TableDescription {
    guard table.name == "legal_person" else { throw .contract("table-missing", "没有这张表。", "There is no such table.") }
    return legalPersonTable
  }
  func openReader(_ plan: ReadPlan) throws(ConnectorError) -> any RowReader { MadeUpReader(plan) }
}

let madeUp = ConnectorKind(
  name: "made-up", title: Text("测试库", "Made up"), settings: [], guarantee: MadeUpConnector().guarantee
) { _ in MadeUpConnector() }

let legalPersonTable = TableDescription(
  name: TableName("legal_person"), comment: "企业法人", estimatedRows: 100,
  columns: [
    ColumnDescription(
      name: "uscc", nativeType: "VARCHAR(20)", type: .text, length: 20, isNullable: false, keyPosition: 1,
      comment: "统一社会信用代码"),
    ColumnDescription(name: "name", nativeType: "VARCHAR(200)", type: .text, length: 200, comment: "企业名称（登记全称）"),
    ColumnDescription(name: "rep_id", nativeType: "TEXT", type: .text, comment: "法定代表人证件号码"),
    ColumnDescription(name: "phone", nativeType: "VARCHAR(20)", type: .text, length: 20, comment: "联系电话"),
    ColumnDescription(
      name: "capital", nativeType: "NUMERIC(18,2)", type: .decimal(precision: 18, scale: 2), comment: "注册资本，万元"),
    ColumnDescription(name: "established", nativeType: "DATE", type: .date, comment: "成立日期"),
    ColumnDescription(name: "seal_image", nativeType: "GEOMETRY", type: nil),
    ColumnDescription(
      name: "updated_at", nativeType: "TIMESTAMP", type: .timestamp, isNullable: false, comment: "更新时间"),
  ])

/// One row in a hundred has a wrong credit code; phones are only sometimes mobile numbers.
func madeUpValue(_ column: String, _ row: Int) -> String {
  switch column {
  case "uscc":
    let body = String(String(10_000_000 + row).suffix(8))
    let code = try! CreditCode.make(department: "9", category: "1", division: "630102", organisation: body).text
    return row == 50 ? String(code.dropLast()) + "!" : code
  case "name": return "青海第\(row)商贸有限公司"
  case "rep_id":
    let head = Array("630102199001\(row % 28 < 9 ? "0" : "")\(row % 28 + 1)\(100 + row)".utf8)
    return String(decoding: head + [CitizenID.checkCharacter(of: head[...])], as: UTF8.self)
  case "phone": return row % 2 == 0 ? "13900000\(100 + row)" : "0971-8\(100_000 + row)"
  default: return ""
  }
}

private final class MadeUpReader: RowReader {
  let plan: ReadPlan
  var done = false
  var horizon: CursorValue? { nil }
  var isKeyOrdered: Bool { true }
  var checksText: Bool { true }
  var position: [UInt8] { [] }

  init(_ plan: ReadPlan) { self.plan = plan }

  func read(into batch: RowBatch) throws(ConnectorError) -> ReadOutcome {
    batch.removeAll()
    guard !done else { return .end }
    done = true
    for row in 0..<100 {
      batch.beginRow(fields: plan.columns.count)
      for column in plan.columns {
        let bytes = Array(madeUpValue(column.name, row).utf8)
        bytes.withUnsafeBytes { batch.append($0) }
      }
      batch.endRow()
    }
    return .rows
  }

  func close() {}
}
