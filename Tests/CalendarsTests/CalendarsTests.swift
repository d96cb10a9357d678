import Deadlines
import Kernel
import Storage
import TestKit
import Testing

@testable import Calendars

private let now = Instant("2026-11-05T02:00:00Z")!

private func day(_ date: String, _ day: WorkCalendar.Day) -> WorkCalendar.Exception {
  WorkCalendar.Exception(date: CalendarDate(date)!, day: day)
}

private let year: [WorkCalendar.Exception] =
  (1...6).map { day("2027-01-0\($0)", .holiday("元旦")) } + [day("2027-01-10", .makeUp("元旦"))]

private struct Abandoned: Error {}

@Suite struct CalendarsTests {
  @Test(arguments: Engine.allCases)
  func `with nothing loaded the program's own calendar is in force`(engine: Engine) async throws {
    try await withDatabase(engine, [CalendarsSchema.migrations]) { db in
      let calendars = Calendars.stored()
      let version = try await db.read { try calendars.inForce($0).version }
      #expect(version == WorkCalendar.embedded.version)
    }
  }

  @Test(arguments: Engine.allCases)
  func `what was loaded is in force from its transaction on, for every program on the database`(engine: Engine)
    async throws
  {
    try await withDatabase(engine, [CalendarsSchema.migrations]) { db in
      let (here, there) = (Calendars.stored(), Calendars.stored())
      _ = try await db.read { try there.inForce($0) }
      let within = try await db.write { tx in
        try CalendarStore.keep(year, version: "2027-x", by: "系统", at: now, in: tx)
        return try here.inForce(tx)
      }
      let elsewhere = try await db.read { try there.inForce($0) }
      #expect(within.knows(year: 2027) && within.version == elsewhere.version)
      #expect(elsewhere.isWorkingDay(CalendarDate("2027-01-10")!))
      let days = try await db.read { try CalendarStore.days(in: $0) }
      #expect(days == year)
    }
  }

  @Test(arguments: Engine.allCases)
  func `a load that was rolled back is not remembered as the one that came after it`(engine: Engine) async throws {
    try await withDatabase(engine, [CalendarsSchema.migrations]) { db in
      let calendars = Calendars.stored()
      await #expect(throws: Abandoned.self) {
        try await db.write { tx -> Void in
          try CalendarStore.keep(Array(year.dropLast()), version: "2027-x", by: "系统", at: now, in: tx)
          _ = try calendars.inForce(tx)
          throw Abandoned()
        }
      }
      try await db.write { try CalendarStore.keep(year, version: "2027-y", by: "系统", at: now, in: $0) }
      let calendar = try await db.read { try calendars.inForce($0) }
      #expect(calendar.isWorkingDay(CalendarDate("2027-01-10")!))
    }
  }

  @Test(arguments: Engine.allCases)
  func `a day stands once, whatever the load`(engine: Engine) async throws {
    try await withDatabase(engine, [CalendarsSchema.migrations]) { db in
      try await db.write { try CalendarStore.keep(year, version: "2027-x", by: "系统", at: now, in: $0) }
      let error = await #expect(throws: StorageError.self) {
        try await db.write { try CalendarStore.keep([year[0]], version: "2027-z", by: "系统", at: now, in: $0) }
      }
      #expect(error?.code == .unique)
      let loads = try await db.read { try $0.int("SELECT COUNT(*) FROM calendars_load") }
      #expect(loads == 1)
    }
  }

  @Test(arguments: Engine.allCases)
  func `due dates are counted anew for a calendar that reaches as far or farther, and once`(engine: Engine)
    async throws
  {
    try await withDatabase(engine, [CalendarsSchema.migrations]) { db in
      let (older, newer) = (WorkCalendar.embedded, WorkCalendar.embedded.adding(year))
      func must(_ calendar: WorkCalendar) async throws -> Bool {
        try await db.read { try CalendarStore.mustRecount(by: calendar, in: $0) }
      }
      let first = try await must(older)
      try await db.write { try CalendarStore.recounted(by: older, in: $0) }
      let (again, more) = (try await must(older), try await must(newer))
      try await db.write { try CalendarStore.recounted(by: newer, in: $0) }
      let (same, back) = (try await must(newer), try await must(older))
      #expect(first && !again && more && !same && !back)
    }
  }
}
