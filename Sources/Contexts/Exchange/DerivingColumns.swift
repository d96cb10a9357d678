import Connecting
import Inventory
package import Kernel
import Reshaping
package import Sharing
import Storage

// The computed columns of a task and its dictionaries, as people set them.

extension Exchange {
  package func add(_ column: TaskColumn, to id: GrantID, version: Int, by principal: Principal) async throws {
    try await change(id, version, principal) { task, grant, _, tx in
      guard task.columns.count < TaskColumn.most else {
        throw Refusal.invalid(
          "exchange.column", "name", Text("最多 \(TaskColumn.most) 列。", "At most \(TaskColumn.most) columns."))
      }
      try checkName(column.name, task, grant, in: tx)
      for (field, text, most) in [
        ("expression", column.expression, TaskColumn.longestExpression),
        ("comment", column.comment, TaskColumn.longestComment),
      ] {
        if let wrong = PlainText.wrongWords(text, most: most, missing: nil) {
          throw Refusal.invalid("exchange.column", field, wrong)
        }
      }
      let readable = TaskColumn.readable(of: grant, among: try ruleColumns(of: grant, in: tx))
      try column.check(readable, try tables(task))
      task.columns.append(column)
      return [("column", column.name), ("expression", column.expression)]
    }
  }

  private func checkName(_ name: String, _ task: ExchangeTask, _ grant: Grant, in tx: any Transaction) throws {
    if let wrong = PlainText.wrongWords(name, most: 60, missing: Text("请填写列名。", "Enter the column's name.")) {
      throw Refusal.invalid("exchange.column", "name", wrong)
    }
    let taken = grant.items.map(\.column) + task.columns.map(\.name)
    guard !taken.contains(where: { $0.lowercased() == name.lowercased() }) else {
      throw Refusal.invalid("exchange.column", "name", Text("已有这一列。", "There is this column already."))
    }
    let kind = try ends(of: grant, in: tx).target.source.kind
    if let wrong = connectors.kind(kind)?.nameFault(name) { throw Refusal.invalid("exchange.column", "name", wrong) }
  }

  package func removeColumn(_ name: String, from id: GrantID, version: Int, by principal: Principal) async throws {
    try await change(id, version, principal) { task, _, _, _ in
      guard let place = task.columns.firstIndex(where: { $0.name == name }) else {
        throw Refusal.notFound(Text("派生列", "computed column"))
      }
      task.columns.remove(at: place)
      return [("column", name), ("removed", "true")]
    }
  }

  /// One of the same name is replaced.
  package func set(_ dictionary: TaskDictionary, of id: GrantID, version: Int, by principal: Principal) async throws {
    try await change(id, version, principal) { task, grant, _, tx in
      let name = dictionary.name
      if let wrong = PlainText.wrongWords(name, most: 60, missing: Text("请填写字典名。", "Enter the dictionary's name.")) {
        throw Refusal.invalid("exchange.dictionary", "dictionary", wrong)
      }
      guard dictionary.lines.utf8.count <= TaskDictionary.longest else {
        throw Refusal.invalid(
          "exchange.dictionary", "lines",
          Text("最多 \(TaskDictionary.longest) 字节。", "At most \(TaskDictionary.longest) bytes."))
      }
      task.dictionaries.removeAll { $0.name == name }
      guard task.dictionaries.count < TaskDictionary.most else {
        throw Refusal.invalid(
          "exchange.dictionary", "dictionary",
          Text("最多 \(TaskDictionary.most) 个字典。", "At most \(TaskDictionary.most) dictionaries."))
      }
      _ = try dictionary.table()
      task.dictionaries.append(dictionary)
      try checkColumns(task, grant, in: tx)
      return [("dictionary", name)]
    }
  }

  package func removeDictionary(_ name: String, from id: GrantID, version: Int, by principal: Principal) async throws {
    try await change(id, version, principal) { task, grant, _, tx in
      guard let place = task.dictionaries.firstIndex(where: { $0.name == name }) else {
        throw Refusal.notFound(Text("字典", "dictionary"))
      }
      task.dictionaries.remove(at: place)
      try checkColumns(task, grant, in: tx)
      return [("dictionary", name), ("removed", "true")]
    }
  }

  /// A dictionary that a column needs stays.
  private func checkColumns(_ task: ExchangeTask, _ grant: Grant, in tx: any Transaction) throws {
    let (readable, tables) = (
      TaskColumn.readable(of: grant, among: try ruleColumns(of: grant, in: tx)), try tables(task)
    )
    for column in task.columns {
      do { try column.check(readable, tables) } catch {
        throw Refusal(
          .conflict, "exchange.dictionary.used",
          Text("派生列“\(column.name)”用到这个字典。", "The computed column “\(column.name)” uses this dictionary."))
      }
    }
  }

  func tables(_ task: ExchangeTask) throws -> [String: DictionaryTable] {
    Dictionary(
      try task.dictionaries.map { ($0.name, try $0.table()) }, uniquingKeysWith: { first, _ in first })
  }
}
