import Connecting
import Inventory
import Jobs
import Kernel
import Reshaping
package import Sharing
package import Storage

package enum TaskStore {
  /// A task that was never changed has no row: it is as usual.
  package static func find(_ grant: GrantID, in tx: any Transaction) throws -> ExchangeTask {
    guard let row = try tx.row("SELECT \(columns) FROM exchange_task WHERE grant_id = \(grant)") else {
      return ExchangeTask(grant: grant)
    }
    var task = try task(row)
    task.after = try tx.rows(
      "SELECT after_grant FROM exchange_task_after WHERE grant_id = \(grant) ORDER BY after_grant"
    )
    .map { try $0.id("after_grant") }
    task.rules = try rules(of: grant, in: tx)
    task.columns = try columns(of: grant, in: tx)
    task.dictionaries = try dictionaries(of: grant, in: tx)
    return task
  }

  /// Those of these grants that have settings of their own, without their rules.
  package static func find(among grants: [GrantID], in tx: any Transaction) throws -> [GrantID: ExchangeTask] {
    guard !grants.isEmpty else { return [:] }
    return Dictionary(
      uniqueKeysWithValues: try tx.rows(
        "SELECT \(columns) FROM exchange_task WHERE grant_id IN (\(each: grants))"
      ).map { row in
        let task = try task(row)
        return (task.grant, task)
      })
  }

  /// Why nothing moves for this grant, if a person or the platform said so.
  static func pause(of grant: GrantID, in tx: any Transaction) throws -> ExchangeTask.Pause? {
    try tx.row("SELECT \(columns) FROM exchange_task WHERE grant_id = \(grant) AND paused_at IS NOT NULL")
      .flatMap { try task($0).pause }
  }

  /// The tasks that wait for this one.
  static func waiting(for grant: GrantID, in tx: any Transaction) throws -> [GrantID] {
    try tx.rows("SELECT grant_id FROM exchange_task_after WHERE after_grant = \(grant) ORDER BY grant_id").map {
      try $0.id("grant_id")
    }
  }

  /// Writes all of it but the pause. False when somebody was faster.
  static func save(_ task: ExchangeTask, in tx: any Transaction) throws -> Bool {
    try ensure(task.grant, in: tx)
    let saved = try tx.run(
      """
      UPDATE exchange_task SET start = \(task.start.encoded), on_working_days = \(task.onWorkingDays),
        window_from = \(task.window?.from), window_to = \(task.window?.to), priority = \(task.priority.rawValue),
        stop_rows = \(task.stopWhen?.count), stop_share = \(share(task.stopWhen)), drift = \(task.drift),
        stall_minutes = \(task.stallMinutes), comparing = \(task.comparing),
        parts = \(task.parts), version = version + 1
      WHERE grant_id = \(task.grant) AND version = \(task.version)
      """)
    guard saved == 1 else { return false }
    try tx.run("DELETE FROM exchange_task_after WHERE grant_id = \(task.grant)")
    for other in task.after {
      try tx.run("INSERT INTO exchange_task_after (grant_id, after_grant) VALUES (\(task.grant), \(other))")
    }
    try tx.run("DELETE FROM exchange_task_rule WHERE grant_id = \(task.grant)")
    for (position, rule) in task.rules.enumerated() {
      try tx.run(
        """
        INSERT INTO exchange_task_rule (grant_id, position, column_name, kind, argument, severity, stop_rows, stop_share)
        VALUES (\(task.grant), \(position), \(rule.column), \(rule.kind), \(rule.argument), \(rule.severity),
          \(rule.stopWhen?.count), \(share(rule.stopWhen)))
        """)
    }
    try saveColumns(of: task, in: tx)
    return true
  }

  private static func saveColumns(of task: ExchangeTask, in tx: any Transaction) throws {
    try tx.run("DELETE FROM exchange_task_column WHERE grant_id = \(task.grant)")
    for (position, column) in task.columns.enumerated() {
      try tx.run(
        """
        INSERT INTO exchange_task_column (grant_id, position, name, type, expression, comment)
        VALUES (\(task.grant), \(position), \(column.name), \("\(column.type)"), \(column.expression), \(column.comment))
        """)
    }
    try tx.run("DELETE FROM exchange_task_dictionary WHERE grant_id = \(task.grant)")
    for one in task.dictionaries {
      try tx.run(
        """
        INSERT INTO exchange_task_dictionary (grant_id, name, lines, unknown_code)
        VALUES (\(task.grant), \(one.name), \(one.lines), \(one.unknown))
        """)
    }
  }

  static func set(_ pause: ExchangeTask.Pause?, of grant: GrantID, in tx: any Transaction) throws {
    try ensure(grant, in: tx)
    try tx.run(
      """
      UPDATE exchange_task SET paused_at = \(pause?.at), paused_by = \(pause?.by), paused_why_zh = \(pause?.why.chinese),
        paused_why_en = \(pause?.why.english), is_frozen = \(pause?.isFrozen ?? false)
      WHERE grant_id = \(grant)
      """)
  }

  private static func ensure(_ grant: GrantID, in tx: any Transaction) throws {
    let usual = ExchangeTask(grant: grant)
    try tx.run(
      """
      INSERT INTO exchange_task (grant_id, start, on_working_days, priority, drift, stall_minutes, is_frozen, version)
      VALUES (\(grant), \(usual.start.encoded), \(false), \(usual.priority.rawValue), \(usual.drift),
        \(usual.stallMinutes), \(false), 0)
      ON CONFLICT (grant_id) DO NOTHING
      """)
  }

  private static func rules(of grant: GrantID, in tx: any Transaction) throws -> [TaskRule] {
    try tx.rows(
      """
      SELECT column_name, kind, argument, severity, stop_rows, stop_share FROM exchange_task_rule
      WHERE grant_id = \(grant) ORDER BY position
      """
    ).map { row in
      TaskRule(
        column: try row.textOrNil("column_name"), kind: try row.choice("kind"), argument: try row.text("argument"),
        severity: try row.choice("severity"), stopWhen: try stop(row))
    }
  }

  private static func columns(of grant: GrantID, in tx: any Transaction) throws -> [TaskColumn] {
    try tx.rows(
      "SELECT name, type, expression, comment FROM exchange_task_column WHERE grant_id = \(grant) ORDER BY position"
    ).map { row in
      guard let type = ValueType(try row.text("type")) else {
        throw StorageError(.decoding, "a computed column of grant \(grant)")
      }
      return TaskColumn(
        name: try row.text("name"), type: type, expression: try row.text("expression"),
        comment: try row.text("comment"))
    }
  }

  private static func dictionaries(of grant: GrantID, in tx: any Transaction) throws -> [TaskDictionary] {
    try tx.rows(
      "SELECT name, lines, unknown_code FROM exchange_task_dictionary WHERE grant_id = \(grant) ORDER BY name"
    ).map {
      TaskDictionary(name: try $0.text("name"), lines: try $0.text("lines"), unknown: try $0.choice("unknown_code"))
    }
  }

  /// Shares are kept in ten-thousandths.
  private static func share(_ stop: StopRule?) -> Int? { stop?.share.map { Int(($0 * 10_000).rounded()) } }

  private static func stop(_ row: Row) throws -> StopRule? {
    let (count, share) = (try row.intOrNil("stop_rows"), try row.intOrNil("stop_share"))
    return count == nil && share == nil ? nil : StopRule(count: count, share: share.map { Double($0) / 10_000 })
  }

  private static let columns: SQL = """
    grant_id, start, on_working_days, window_from, window_to, priority, stop_rows, stop_share, drift, stall_minutes,
    comparing, parts, paused_at, paused_by, paused_why_zh, paused_why_en, is_frozen, version
    """

  private static func task(_ row: Row) throws -> ExchangeTask {
    var task = ExchangeTask(grant: try row.id("grant_id"))
    guard let start = ExchangeTask.Start(encoded: try row.text("start")),
      let priority = ExchangeTask.Priority(rawValue: try row.int("priority"))
    else { throw StorageError(.decoding, "the task of grant \(task.grant)") }
    task.start = start
    task.priority = priority
    task.onWorkingDays = try row.bool("on_working_days")
    if let from = try row.intOrNil("window_from"), let to = try row.intOrNil("window_to") {
      task.window = DayWindow(from: from, to: to)
    }
    task.stopWhen = try stop(row)
    task.drift = try row.choice("drift")
    task.stallMinutes = try row.int("stall_minutes")
    task.comparing = try row.choice("comparing")
    task.parts = try row.int("parts")
    task.version = try row.int("version")
    if let at = try row.instantOrNil("paused_at") {
      task.pause = ExchangeTask.Pause(
        at: at, by: try row.text("paused_by"),
        why: Text(try row.text("paused_why_zh"), try row.text("paused_why_en")), isFrozen: try row.bool("is_frozen"))
    }
    return task
  }
}
