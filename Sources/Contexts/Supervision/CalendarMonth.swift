package import Kernel

/// A month of the calendar in China: `2026-03`.
package struct CalendarMonth: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// Months since the year 0.
  private let number: Int

  private init(number: Int) { self.number = number }

  package init(_ day: CalendarDate) { number = day.year * 12 + day.month - 1 }

  /// Reads `2026-03`.
  package init?(_ text: String) {
    guard text.utf8.count == 7, let day = CalendarDate(text + "-01") else { return nil }
    self.init(day)
  }

  package var first: CalendarDate { CalendarDate(year: number / 12, month: number % 12 + 1, day: 1)! }
  package var next: CalendarMonth { CalendarMonth(number: number + 1) }
  package func before(_ months: Int) -> CalendarMonth { CalendarMonth(number: number - months) }
  /// Its first moment, and the first one after it.
  package var bounds: (start: Instant, end: Instant) { (first.startInChina, next.first.startInChina) }

  package static func < (a: CalendarMonth, b: CalendarMonth) -> Bool { a.number < b.number }
  package var description: String { String(first.description.prefix(7)) }
}
