import Connecting
import Kernel
import Reshaping
import Sharing
import Web

/// The computed columns of a task, and its dictionaries.
enum ColumnPart {
  static func html(
    _ request: Request, _ view: Exchange.TaskView, _ manages: Bool, _ entered: Fields, _ refusal: Refusal?
  ) -> HTML {
    let (t, grant, task) = (request.language, view.grant, view.task)
    guard manages || !task.columns.isEmpty else { return .nothing }
    return """
      <h2 id="columns">\(t("派生列", "Computed columns"))</h2>
      <p class="hint">\(t("由授权给出的信息项计算：常量、类型转换、代码翻译。只能用未脱敏的信息项。改动后下一次全量交换；接收表已建成的，由使用部门先加列或删表。", "Computed from the granted items: constants, conversions, translated codes. Masked items cannot be used. After a change everything is delivered anew; where the target's table exists, its department adds the column or drops the table first."))</p>
      \(table(
        caption: t("派生列", "Computed columns"),
        head: [t("列名", "Column"), t("类型", "Type"), t("表达式", "Expression"), t("说明", "Comment")] + (manages ? [t("操作", "Action")] : []),
        rows: task.columns.map { column in
          """
          <tr><td><code>\(column.name)</code></td><td>\(t(column.type.title))</td><td><code>\(column.expression)</code></td><td>\(column.comment)</td>\
          \(when: manages, "<td>\(remove(request, grant, task, "columns", column.name))</td>")</tr>
          """
        }.joined(), empty: "<p>\(t("没有派生列。", "No computed column."))</p>"))
      \(when: manages, newColumn(request, view, entered, refusal))\
      \(when: !task.dictionaries.isEmpty, dictionaries(request, view, manages))\
      \(when: manages, newDictionary(request, view, entered, refusal))
      """
  }

  private static func remove(
    _ request: Request, _ grant: Grant, _ task: ExchangeTask, _ what: String, _ name: String
  ) -> HTML {
    form(
      request, action: "/tasks/\(grant.id)/\(what)/remove",
      """
      <input type="hidden" name="version" value="\(task.version)"><input type="hidden" name="name" value="\(name)">\
      <button>\(request.language("移除", "Remove"))</button>
      """)
  }

  private static let types: [ValueType] = [
    .text, .integer, .decimal(precision: 18, scale: 2), .decimal(precision: 38, scale: 10), .double, .boolean, .date,
    .timestamp,
  ]

  private static func title(_ type: ValueType) -> Text {
    guard case .decimal(let precision, let scale) = type else { return type.title }
    return Text(
      "\(type.title.chinese)（\(precision) 位，\(scale) 位小数）",
      "\(type.title.english) (\(precision) digits, \(scale) after the point)")
  }

  private static func newColumn(
    _ request: Request, _ view: Exchange.TaskView, _ entered: Fields, _ refusal: Refusal?
  ) -> HTML {
    let t = request.language
    let isOurs = request.path.hasSuffix("/columns")
    let (value, faults) = (isOurs ? entered : Fields(), isOurs ? refusal?.faults ?? [] : [])
    func one(_ field: Field) -> HTML { Web.field(t, field, value: value, faults: faults) }
    let open = view.grant.items.filter { $0.mask == .none }.map(\.column).joined(separator: t("、", ", "))
    return details(
      t("添加派生列", "Add a computed column"), open: !faults.isEmpty,
      form(
        request, action: "/tasks/\(view.grant.id)/columns",
        """
        <input type="hidden" name="version" value="\(view.task.version)">
        \(one(Field("name", Text("列名", "Column"), .text(maxLength: 60), id: "column-name")))\
        \(one(Field("type", Text("类型", "Type"), .choice(types.map { ("\($0)", t(title($0))) }), id: "column-type")))\
        \(one(Field("expression", Text("表达式", "Expression"), .area(maxLength: TaskColumn.longestExpression), hint: Text("可用的列：\(open)。例：LEFT(uscc, 2)、'青海'、LOOKUP('登记状态', status)", "Columns: \(open). Such as LEFT(uscc, 2), 'Qinghai', LOOKUP('status', status)"))))\
        \(one(Field("comment", Text("说明", "Comment"), .text(maxLength: TaskColumn.longestComment), required: false)))\
        \(buttons(button(t("添加派生列", "Add the column"))))
        """))
  }

  static func column(_ form: Fields) throws -> TaskColumn {
    guard let type = ValueType(form["type"] ?? ""), types.contains(type) else {
      throw Refusal.invalid("exchange.column", "type", Text("请选择类型。", "Choose a type."))
    }
    return TaskColumn(
      name: (form["name"] ?? "").trimmingBlanks, type: type, expression: (form["expression"] ?? "").trimmingBlanks,
      comment: (form["comment"] ?? "").trimmingBlanks)
  }

  // MARK: - Dictionaries

  private static func dictionaries(_ request: Request, _ view: Exchange.TaskView, _ manages: Bool) -> HTML {
    let (t, task) = (request.language, view.task)
    return table(
      caption: t("字典", "Dictionaries"),
      head: [t("字典", "Dictionary"), t("翻译", "Translates")] + (manages ? [t("操作", "Action")] : []),
      rows: task.dictionaries.map { one in
        """
        <tr><td>\(one.name)</td><td>\((try? one.table()).map { t($0.sentence) } ?? "—")</td>\
        \(when: manages, "<td>\(remove(request, view.grant, task, "dictionaries", one.name))</td>")</tr>
        """
      }.joined(), empty: "")
  }

  private static func newDictionary(
    _ request: Request, _ view: Exchange.TaskView, _ entered: Fields, _ refusal: Refusal?
  ) -> HTML {
    let t = request.language
    let isOurs = request.path.hasSuffix("/dictionaries")
    let (value, faults) = (isOurs ? entered : Fields(), isOurs ? refusal?.faults ?? [] : [])
    func one(_ field: Field) -> HTML { Web.field(t, field, value: value, faults: faults) }
    return details(
      t("添加或替换字典", "Add or replace a dictionary"), open: !faults.isEmpty,
      form(
        request, action: "/tasks/\(view.grant.id)/dictionaries",
        """
        <input type="hidden" name="version" value="\(view.task.version)">
        \(one(Field("dictionary", Text("字典名", "Name"), .text(maxLength: 60))))\
        \(one(Field("lines", Text("代码与译文", "Codes"), .area(maxLength: TaskDictionary.longest), hint: Text("每行“代码,译文”，用英文逗号，如 1,男。", "A line each: “code,meaning”, such as 1,male."))))\
        \(one(Field("unknown", Text("未收录的代码", "Other codes"), .choice(TaskDictionary.Unknown.allCases.map { ($0.rawValue, t($0.title)) }))))\
        \(buttons(button(t("保存字典", "Save the dictionary"))))
        """))
  }

  static func dictionary(_ form: Fields) throws -> TaskDictionary {
    guard let unknown = TaskDictionary.Unknown(rawValue: form["unknown"] ?? "") else {
      throw Refusal.invalid("exchange.dictionary", "unknown", Text("请选择。", "Choose."))
    }
    return TaskDictionary(
      name: (form["dictionary"] ?? "").trimmingBlanks, lines: form["lines"] ?? "", unknown: unknown)
  }
}
