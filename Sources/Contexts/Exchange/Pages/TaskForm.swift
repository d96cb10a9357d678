import Jobs
import Kernel
import Reshaping
import Sharing
import Web

/// How a task is carried out, as its manager sets it.
enum TaskForm {
  static func html(
    _ request: Request, _ view: Exchange.TaskView, _ entered: Fields, _ refusal: Refusal?
  ) -> HTML {
    let (t, grant, task) = (request.language, view.grant, view.task)
    let isOurs = request.path.hasSuffix("/settings")
    let value = isOurs && !entered.pairs.isEmpty ? entered : fields(task, view.after)
    let faults = isOurs ? refusal?.faults ?? [] : []
    func one(_ field: Field) -> HTML { Web.field(t, field, value: value, faults: faults) }
    // What is followed runs all the time: nothing starts it.
    let timing: HTML =
      grant.frequency == .continuous
      ? "<input type=\"hidden\" name=\"start\" value=\"frequency\">" : self.timing(grant, t).map(one).joined()
    let comparing: HTML =
      view.isComparable
      ? one(
        Field(
          "comparing", Text("定期对账", "Compare both sides"),
          .choice(ComparisonRhythm.allCases.map { ($0.rawValue, t($0.title)) }),
          hint: Text("读回两端逐行比对；在允许的时段内进行。", "Both sides are read back and compared row by row, within the window.")))
      : "<input type=\"hidden\" name=\"comparing\" value=\"\(task.comparing.rawValue)\">"
    return details(
      t("任务设置", "Settings of the task"), open: !faults.isEmpty,
      form(
        request, action: "/tasks/\(grant.id)/settings",
        """
        <input type="hidden" name="version" value="\(task.version)">
        \(timing)\
        \(one(Field("from", Text("允许的时段自", "Window from"), .text(maxLength: 5), required: false, hint: Text("如 22:00；时段外不交换，到点停在批次之间，下次时段继续。", "Such as 22:00; nothing moves outside the window: it stops between two batches and goes on in the next."))))\
        \(one(Field("to", Text("至", "To"), .text(maxLength: 5), required: false, hint: Text("如 06:00，可跨零点。", "Such as 06:00; midnight may lie between."))))\
        \(one(Field("priority", Text("优先级", "Priority"), .choice(ExchangeTask.Priority.allCases.map { ("\($0.rawValue)", t($0.title)) }))))\
        \(one(Field("stopRows", Text("问题行超过多少行时停止", "Stop beyond so many bad rows"), .number(0...1_000_000_000), required: false)))\
        \(one(Field("stopShare", Text("问题行超过百分之几时停止", "Stop beyond this percentage of bad rows"), .text(maxLength: 6), required: false, hint: Text("如 5 或 0.5；停止时该批不写入。", "Such as 5 or 0.5; the batch that tells is not written."))))\
        \(one(Field("drift", Text("来源表结构变化时", "When the source's table changes"), .choice(ExchangeTask.Drift.allCases.map { ($0.rawValue, t($0.title)) }), hint: Text("来源多出的列、变长的列不影响；授权的列不见了或类型变了才算。", "Further columns and longer ones are no matter; a granted column that is gone or has another type is."))))\
        \(one(Field("stall", Text("多少分钟无进展就中断重试", "Minutes without progress before it is ended and tried again"), .number(Exchange.stallRange))))\
        \(comparing)\
        \(one(Field("parts", Text("首次全量分几段同时交付", "Parts of a first full delivery, at once"), .number(Exchange.partsRange), hint: Text("大表由多个工作进程各交一段；来源和接收库不在近处时才更快。1 为不分段。", "Several workers take a part each of a large table; it helps where the databases are far away. 1 is as a whole."))))\
        \(buttons(button(t("保存设置", "Save"))))
        """))
  }

  private static func timing(_ grant: Grant, _ t: Language) -> [Field] {
    [
      Field("start", Text("启动方式", "Started by"), .radio(starts(grant, t))),
      Field(
        "cron", Text("定时表达式", "Cron expression"), .text(maxLength: 100), required: false,
        hint: Text(
          "分 时 日 月 周，北京时间。每天 2:30 为 30 2 * * *，工作日每小时为 0 * * * 1-5。",
          "Minute hour day month weekday, China's time: every day at 2:30 is 30 2 * * *, hourly from Monday to Friday is 0 * * * 1-5."
        ), needed: Text("选“定时”时必填", "required for cron")),
      Field(
        "after", Text("前置授权编号", "Grants to wait for"), .area(maxLength: 1000), required: false,
        hint: Text(
          "每行一个；它们自本任务上次启动以来都送达后，本任务启动。",
          "One a line; when all have delivered since this task was last started, it starts."),
        needed: Text("选“前置任务完成后”时必填", "required for “after others”")),
      Field(
        "workdays", Text("日期", "Days"),
        .ticks([("yes", t("只在工作日（按已载入的日历，含调休）", "Working days only, by the loaded calendar"))]), required: false,
        saysOptional: false),
    ]
  }

  private static func starts(_ grant: Grant, _ t: Language) -> [(String, String)] {
    [
      (
        "frequency",
        t("按授权的频率（\(grant.frequency.title.chinese)）", "As the grant says (\(grant.frequency.title.english))")
      ),
      ("cron", t("定时", "Cron")), ("after", t("前置任务完成后", "After others")), ("manual", t("只由人员发起", "By a person only")),
    ]
  }

  /// A task as its form shows it.
  private static func fields(_ task: ExchangeTask, _ after: [Grant]) -> Fields {
    var pairs: [(name: String, value: String)] = [
      ("priority", "\(task.priority.rawValue)"), ("drift", task.drift.rawValue), ("stall", "\(task.stallMinutes)"),
      ("comparing", task.comparing.rawValue), ("parts", "\(task.parts)"),
      ("after", after.map(\.number).joined(separator: "\n")),
    ]
    if case .cron(let expression) = task.start {
      pairs += [("start", "cron"), ("cron", expression.text)]
    } else {
      pairs.append(("start", task.start.encoded))
    }
    if task.onWorkingDays { pairs.append(("workdays", "yes")) }
    if let window = task.window {
      pairs += [("from", DayWindow.time(window.from)), ("to", DayWindow.time(window.to))]
    }
    if let rows = task.stopWhen?.count { pairs.append(("stopRows", "\(rows)")) }
    if let share = task.stopWhen?.share { pairs.append(("stopShare", percent(share))) }
    return Fields(pairs)
  }

  /// Of a hundred, with up to two decimals.
  private static func percent(_ share: Double) -> String {
    let hundredths = Int((share * 10_000).rounded())
    let rest = hundredths % 100
    return rest == 0 ? "\(hundredths / 100)" : "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest)"
  }

  /// What was filled in; throws what cannot be read.
  static func settings(
    _ form: Fields, of grant: GrantID, version: Int
  ) throws -> (task: ExchangeTask, after: [String]) {
    var faults: [Refusal.Fault] = []
    var settings = ExchangeTask(grant: grant)
    settings.version = version
    switch form["start"] {
    case "cron":
      do { settings.start = .cron(try CronExpression(parsing: form["cron"] ?? "")) } catch {
        faults.append(.init("cron", error.message))
      }
    default:
      if let start = form["start"].flatMap(ExchangeTask.Start.init(encoded:)) {
        settings.start = start
      } else {
        faults.append(.init("start", Text("请选择启动方式。", "Choose what starts it.")))
      }
    }
    let after = (form["after"] ?? "").split(whereSeparator: { $0.isNewline || $0 == "," || $0 == "\u{FF0C}" })
      .map { $0.trimmingBlanks }.filter { !$0.isEmpty }
    settings.onWorkingDays = form["workdays"] == "yes"
    settings.window = window(form, &faults)
    if let priority = Int(form["priority"] ?? "").flatMap(ExchangeTask.Priority.init(rawValue:)) {
      settings.priority = priority
    } else {
      faults.append(.init("priority", Text("请选择优先级。", "Choose a priority.")))
    }
    if let drift = ExchangeTask.Drift(rawValue: form["drift"] ?? "") {
      settings.drift = drift
    } else {
      faults.append(.init("drift", Text("请选择处理方式。", "Choose what happens.")))
    }
    if let rhythm = ComparisonRhythm(rawValue: form["comparing"] ?? "") {
      settings.comparing = rhythm
    } else {
      faults.append(.init("comparing", Text("请选择多久对账一次。", "Choose how often they are compared.")))
    }
    if let minutes = Int(form["stall"] ?? "") {
      settings.stallMinutes = minutes
    } else {
      faults.append(.init("stall", Text("请填写分钟数。", "Enter a number of minutes.")))
    }
    if let parts = Int(form["parts"] ?? "1") {
      settings.parts = parts
    } else {
      faults.append(.init("parts", Text("请填写段数。", "Enter a number of parts.")))
    }
    settings.stopWhen = stop(form, &faults)
    guard faults.isEmpty else { throw Refusal.invalid("exchange.task", faults) }
    return (settings, after)
  }

  private static func window(_ form: Fields, _ faults: inout [Refusal.Fault]) -> DayWindow? {
    let (from, to) = ((form["from"] ?? "").trimmingBlanks, (form["to"] ?? "").trimmingBlanks)
    if from.isEmpty, to.isEmpty { return nil }
    let ends = [("from", from), ("to", to)].map { name, text -> Int? in
      if let minute = DayWindow.minute(text) { return minute }
      faults.append(.init(name, Text("请写成 22:00 的形式；两端都填或都不填。", "Write it like 22:00; both ends or neither.")))
      return nil
    }
    guard let first = ends[0], let last = ends[1] else { return nil }
    guard let window = DayWindow(from: first, to: last) else {
      faults.append(.init("to", Text("时段的两端不能相同。", "The window's ends are not the same.")))
      return nil
    }
    return window
  }

  static func stop(_ form: Fields, _ faults: inout [Refusal.Fault]) -> StopRule? {
    let (rows, share) = ((form["stopRows"] ?? "").trimmingBlanks, (form["stopShare"] ?? "").trimmingBlanks)
    if rows.isEmpty, share.isEmpty { return nil }
    let count = Int(rows)
    if !rows.isEmpty, count == nil { faults.append(.init("stopRows", Text("应为行数。", "A number of rows."))) }
    let percent = Double(share.hasSuffix("%") ? String(share.dropLast()) : share)
    if !share.isEmpty, percent.map({ !(0...100).contains($0) }) ?? true {
      faults.append(.init("stopShare", Text("应为 0 至 100 的百分比。", "A percentage from 0 to 100.")))
    }
    return StopRule(count: count, share: percent.map { $0 / 100 })
  }

  // MARK: - Rules

  static func newRule(
    _ request: Request, _ view: Exchange.TaskView, _ entered: Fields, _ refusal: Refusal?
  ) -> HTML {
    let (t, grant) = (request.language, view.grant)
    let isOurs = request.path.hasSuffix("/rules")
    let value = isOurs ? entered : Fields()
    let faults = isOurs ? refusal?.faults ?? [] : []
    func one(_ field: Field) -> HTML { Web.field(t, field, value: value, faults: faults) }
    let kinds = TaskRule.Kind.allCases
    return details(
      t("添加规则", "Add a rule"), open: !faults.isEmpty,
      form(
        request, action: "/tasks/\(grant.id)/rules",
        """
        <input type="hidden" name="version" value="\(view.task.version)">
        \(one(Field("column", Text("信息项", "Item"), .choice(grant.items.map { ($0.column, "\($0.name) \($0.column)") } + [("*", t("整行（只用于“条件成立”）", "The row (for a condition)"))]))))\
        \(one(Field("kind", Text("要求", "Asks"), .choice(kinds.map { ($0.rawValue, t($0.title)) }))))\
        \(one(Field("argument", Text("参数", "Argument"), .text(maxLength: TaskRule.longestArgument), required: false)))\
        <ul class="hint">\(kinds.filter { $0.form != nil }, { "<li>\(t($0.title))\(t.colon)<code>\($0.form.map { t($0) } ?? "")</code></li>" })</ul>\
        \(one(Field("severity", Text("不合格时", "When broken"), .choice([("reject", t("隔离该行", "Quarantine the row")), ("warn", t("照常送达，计数", "Deliver and count"))]))))\
        \(one(Field("stopRows", Text("不合格超过多少个时停止", "Stop beyond so many"), .number(0...1_000_000_000), required: false, id: "rule-stopRows")))\
        \(one(Field("stopShare", Text("不合格超过百分之几时停止", "Stop beyond this percentage"), .text(maxLength: 6), required: false, id: "rule-stopShare")))\
        \(buttons(button(t("添加规则", "Add the rule"))))
        """))
  }

  static func rule(_ form: Fields) throws -> TaskRule {
    var faults: [Refusal.Fault] = []
    let kind = TaskRule.Kind(rawValue: form["kind"] ?? "")
    if kind == nil { faults.append(.init("kind", Text("请选择要求。", "Choose what it asks."))) }
    let severity: QualityRule.Severity? = QualityRule.Severity(rawValue: form["severity"] ?? "")
    if severity == nil { faults.append(.init("severity", Text("请选择不合格时怎么办。", "Choose what happens."))) }
    let stop = stop(form, &faults)
    let column = form["column"] ?? ""
    let isRow = column == "*"
    if column.isEmpty || isRow && kind != .holds {
      faults.append(.init("column", Text("请选择信息项；整行只能用“条件成立”。", "Choose an item; the row takes a condition only.")))
    }
    guard let kind, let severity, faults.isEmpty else { throw Refusal.invalid("exchange.rule", faults) }
    return TaskRule(
      column: isRow ? nil : column, kind: kind, argument: (form["argument"] ?? "").trimmingBlanks,
      severity: severity, stopWhen: stop)
  }
}
