package import Deadlines
package import Kernel
package import Storage

/// The years that were loaded since the program was made.
package enum CalendarStore {
  /// Which file was taken last; nil while none was.
  static func lastLoad(in tx: any Transaction) throws -> String? {
    try tx.row("SELECT id FROM calendars_load ORDER BY number DESC LIMIT 1")?.text("id")
  }

  /// Every day that was loaded, by date.
  package static func days(in tx: any Transaction) throws -> [WorkCalendar.Exception] {
    try tx.rows("SELECT day, kind, occasion FROM calendars_day ORDER BY day").map { row in
      let occasion = try row.text("occasion")
      return WorkCalendar.Exception(
        date: try row.date("day"), day: try row.text("kind") == "holiday" ? .holiday(occasion) : .makeUp(occasion))
    }
  }

  /// Keeps what a file brought; `version` is that of the calendar with it.
  package static func keep(
    _ days: [WorkCalendar.Exception], version: String, by name: String, at now: Instant, in tx: any Transaction
  ) throws {
    let number = (try tx.int("SELECT MAX(number) FROM calendars_load") ?? 0) + 1
    try tx.run(
      """
      INSERT INTO calendars_load (number, id, version, days, loaded_at, loaded_by)
      VALUES (\(number), \(uuidVersion7(at: now)), \(version), \(days.count), \(now), \(name))
      """)
    for day in days {
      try tx.run(
        """
        INSERT INTO calendars_day (day, kind, occasion, load)
        VALUES (\(day.date), \(day.kind), \(day.occasion), \(number))
        """)
    }
  }

  // MARK: - What the open due dates were counted by

  /// Whether open due dates were last counted by another calendar than this, and not by one that knew more years: a node
  /// whose older program is started once more takes nothing back.
  package static func mustRecount(by calendar: WorkCalendar, in tx: any Transaction) throws -> Bool {
    guard let row = try tx.row("SELECT version, last_year FROM calendars_counted WHERE one = 1") else { return true }
    return try row.text("version") != calendar.version && row.int("last_year") <= calendar.lastYear
  }

  package static func recounted(by calendar: WorkCalendar, in tx: any Transaction) throws {
    try tx.run(
      """
      INSERT INTO calendars_counted (one, version, last_year) VALUES (1, \(calendar.version), \(calendar.lastYear))
      ON CONFLICT (one) DO UPDATE SET version = \(calendar.version), last_year = \(calendar.lastYear)
      """)
  }
}
