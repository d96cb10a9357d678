package import Kernel

/// What a source itself shows of a table being changed. Never a count of rows: as many come as go, and nothing shows.
package struct ChangeMark: Hashable, Sendable {
  package enum Kind: String, Sendable, CaseIterable {
    /// The highest value of the column that grows when a row changes.
    case cursor
    /// The database's own counts of inserted, updated and deleted rows.
    case statistics
    /// The highest row number, and the file that holds the table with others.
    case lastRow = "last-row"
    /// The content and the time of the file that is the table.
    case file
  }

  package var kind: Kind
  /// Another value than before proves that the table changed. Nil where nothing proves it.
  package var own: String?
  /// The same value as before proves that the table did not change, another proves nothing: a file of many tables. Nil
  /// where `own` shows every change that this kind of mark can show.
  package var around: String?
  /// When the table last changed, as the source says; nil where only a comparison with an earlier mark tells.
  package var at: Instant?

  package init(_ kind: Kind, own: String?, around: String? = nil, at: Instant? = nil) {
    self.kind = kind
    self.own = own
    self.around = around
    self.at = at
  }

  /// Counts that fell were reset (by a crash, a restore or a person): they prove nothing until they are looked at again.
  package func wasReset(since earlier: String) -> Bool {
    guard kind == .statistics, let own else { return false }
    let numbers = { (text: String) in text.split(separator: " ").map { Int64($0) ?? 0 } }
    return zip(numbers(own), numbers(earlier)).contains { $0 < $1 }
  }

  /// How this kind of mark tells changes, and what it cannot tell.
  package static func limits(of kind: Kind) -> Text {
    switch kind {
    case .cursor:
      Text(
        "按增量标记列的最大值判断；删除的行、没有更新标记的改动看不出。",
        "Told by the highest value of the change cursor; deleted rows, and changes that leave the cursor, do not show.")
    case .statistics:
      Text(
        "按数据库的增删改计数判断；整表清空（TRUNCATE）看不出，回滚的写入也会计入，计数清零后重新起算。",
        "Told by the database's counts of inserts, updates and deletes; TRUNCATE does not show, rolled-back writes count, and after a reset counting starts anew."
      )
    case .lastRow:
      Text(
        "新增行按最大行号判断；改动和删除只能看出库文件变了，不能确定是这张表。",
        "New rows show by the highest row number; of updates and deletes only that the file changed, not that it was this table."
      )
    case .file:
      Text("按文件内容摘要和修改时间判断。", "Told by the digest of the file's content and its time.")
    }
  }
}

/// A table looked at once: what it is now, that one row of it could be read, and what shows whether it changed.
package struct TableExamination: Hashable, Sendable {
  package var table: TableDescription
  /// Nil where the source shows nothing of the kind.
  package var mark: ChangeMark?

  package init(table: TableDescription, mark: ChangeMark?) {
    self.table = table
    self.mark = mark
  }
}

extension Connector {
  /// By default one table after the other; connectors of databases ask for all at once.
  package func survey() throws(ConnectorError) -> [TableDescription] {
    var tables: [TableDescription] = []
    for summary in try self.tables() { tables.append(try describe(summary.name)) }
    return tables
  }

  /// By default a full read that is left early.
  package func peek(
    _ table: TableName, _ columns: [ReadPlan.Column], rows: Int, within limit: Duration
  ) throws(ConnectorError) -> [[String?]] {
    guard !columns.isEmpty, rows > 0 else { return [] }
    let reader = try openReader(ReadPlan(table: table, columns: columns, key: [0]))
    defer { reader.close() }
    let batch = RowBatch(capacity: RowBatch.smallest)
    let end = ContinuousClock.now + limit
    var found: [[String?]] = []
    while found.count < rows, ContinuousClock.now < end {
      let outcome = try reader.read(into: batch)
      for index in 0..<min(batch.rowCount, rows - found.count) {
        found.append(
          zip(columns, batch.fields(index)).map { column, field in
            guard case .value(let bytes) = field else { return nil }
            let text = bytes.withUnsafeBytes { CanonicalText.text(of: $0, as: column.type) }
            return text.map { String($0.prefix(ReadPlan.peekedText)) }
          })
      }
      if outcome == .end { break }
    }
    return found
  }

  package func examine(
    _ table: TableName, columns: [String], cursor: String?, within limit: Duration
  ) throws(ConnectorError) -> TableExamination {
    let found = try describe(table)
    _ = try peek(table, found.columns(columns), rows: 1, within: limit)
    return TableExamination(table: found, mark: nil)
  }

  package var declaresTypes: Bool { true }
}

extension TableDescription {
  /// Those of these names that are there and can be carried.
  package func columns(_ names: [String]) -> [ReadPlan.Column] {
    names.compactMap { name in
      column(name).flatMap { found in found.type.map { ReadPlan.Column(found.name, $0) } }
    }
  }
}
