package import Deadlines
package import Storage
import Synchronization

/// The working-day calendar in force, asked for in the transaction that counts by it.
///
/// Inside the transaction, and not from a copy made when the program started, for two reasons: a running site takes a
/// year that the command line has just loaded, and a due date counted while a year is being loaded is counted either by
/// the new calendar or early enough to be counted anew, whichever commits first.
package struct Calendars: Sendable {
  package let inForce: @Sendable (any Transaction) throws -> WorkCalendar

  package init(inForce: @escaping @Sendable (any Transaction) throws -> WorkCalendar) { self.inForce = inForce }

  /// Always the same, whatever was loaded.
  package static func fixed(_ calendar: WorkCalendar) -> Calendars { Calendars { _ in calendar } }
  package static let embedded = fixed(.embedded)

  /// The base with every year that was loaded since.
  package static func stored(over base: WorkCalendar = .embedded) -> Calendars {
    let kept = Kept()
    return Calendars { tx in
      // A load's id, not its number: the number of one that was rolled back is given again.
      guard let load = try CalendarStore.lastLoad(in: tx) else { return base }
      if let known = kept.calendar(of: load) { return known }
      let calendar = base.adding(try CalendarStore.days(in: tx))
      kept.keep(calendar, of: load)
      return calendar
    }
  }

  /// The last one composed: most transactions find it, and read one row instead of a year's.
  private final class Kept: Sendable {
    private let last = Mutex<(load: String, calendar: WorkCalendar)?>(nil)

    func calendar(of load: String) -> WorkCalendar? {
      last.withLock { $0.flatMap { $0.load == load ? $0.calendar : nil } }
    }
    func keep(_ calendar: WorkCalendar, of load: String) { last.withLock { $0 = (load, calendar) } }
  }
}
