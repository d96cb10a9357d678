package import Connecting
import JSONBytes
import Kernel
import Remote

/// Tables out of an HTTP API that answers with pages of JSON.
package struct HTTPConnector: Connector {
  let source: HTTPSource

  init(_ source: HTTPSource) { self.source = source }

  package static let guarantee = ConnectorGuarantee(
    promise: Text(
      "逐页读到列表结束；重复的页、没有尽头的列表和与总数不符的行数都会报错，不会当作完成。",
      "Pages are read until the list ends; a page that repeats, a list without an end, or another number of rows than the total told is an error and never an end."
    ),
    overlap: .zero,
    limits: [
      Text("只能全量读取，不能增量。", "Read in full only, never incrementally."),
      Text(
        "各页不是同一时刻的数据：翻页期间新增或删除的行可能重复或漏读；接口给出总数时可发现大部分。",
        "Pages are not of one moment: rows that come or go meanwhile may be read twice or not at all; where the API tells the total, most of this is noticed."
      ),
      Text(
        "一页不超过 32 MiB，不超过 100,000 页，JSON 嵌套不超过 64 层。",
        "A page has at most 32 MiB, a list 100,000 pages; JSON nests 64 deep."),
      Text(
        "缺少的字段是空值，但任何一行都没有的列按契约变更报错。",
        "A missing field is NULL, but a column that no row has is an error: the contract changed."),
      Text("不跟随重定向；下一页只限同一主机和端口。", "Redirects are not followed; a next page must be of the same host and port."),
    ],
    readsIncrementally: false, writes: false)

  package var guarantee: ConnectorGuarantee { Self.guarantee }

  package var declaresTypes: Bool { false }

  package func probe() throws(ConnectorError) -> ConnectorProbe {
    guard let table = source.tables.first else {
      throw .contract("table-missing", "没有任何表。", "There is no table.")
    }
    _ = try PageWalk(source, table, RemoteCancellation()).page()
    return ConnectorProbe(
      product: "HTTP JSON", isProtected: table.address.scheme == .https || table.address.isLoopback, isReadOnly: true)
  }

  package func tables() throws(ConnectorError) -> [TableSummary] {
    source.tables.map { TableSummary(name: TableName($0.name)) }
  }

  /// Of the first pages: types and lengths are suggestions from their values.
  package func describe(_ table: TableName) throws(ConnectorError) -> TableDescription {
    try look(table, RemoteCancellation())
  }

  /// The columns only: a survey is compared with later ones, and guesses would differ.
  package func survey() throws(ConnectorError) -> [TableDescription] {
    source.tables.map { table in
      let found = try? look(TableName(table.name), RemoteCancellation(after: .seconds(60)))
      return TableDescription(
        name: TableName(table.name),
        columns: (found?.columns ?? []).map {
          ColumnDescription(name: $0.name, nativeType: $0.nativeType, type: .text)
        })
    }
  }

  package func examine(
    _ table: TableName, columns: [String], cursor: String?, within limit: Duration
  ) throws(ConnectorError) -> TableExamination {
    TableExamination(table: try look(table, RemoteCancellation(after: limit)), mark: nil)
  }

  package func openReader(_ plan: ReadPlan) throws(ConnectorError) -> any RowReader {
    try plan.requireNoEnd()
    return try HTTPReader(plan, source)
  }

  private static let pagesLookedAt = 3

  private func look(_ name: TableName, _ cancellation: RemoteCancellation) throws(ConnectorError) -> TableDescription {
    let walk = PageWalk(source, try source.table(name), cancellation)
    var (table, look, pages, isWhole) = (TableLook(), JSONLook(), 0, false)
    while pages < Self.pagesLookedAt {
      guard let page = try walk.page() else {
        isWhole = true
        break
      }
      pages += 1
      page.body.withUnsafeBytes { bytes in
        for row in page.rows {
          if source.fields.isEmpty {
            _ = look.add(row, in: bytes, to: &table)
          } else {
            look.add(row, in: bytes, at: source.fields, to: &table)
          }
        }
      }
    }
    return TableDescription(
      name: name, estimatedRows: isWhole ? table.rows : nil,
      columns: table.columns(nativeType: "json", lacking: look.lacking(in: table)))
  }
}
