import CEmbedded
package import Kernel

/// Which days are working days in China: the week, corrected by the State Council's yearly arrangement, which makes
/// weekdays holidays and, in exchange, some Saturdays and Sundays working days (调休).
///
/// The arrangement for a year appears in the autumn before it. For a year that is not loaded the plain week counts and
/// whatever was computed from it is provisional; `DueDate.recomputed(with:)` puts it right once the year is there.
package struct WorkCalendar: Sendable {
  package enum Day: Hashable, Sendable {
    case weekday
    case weekend
    case holiday(String)
    /// A Saturday or Sunday worked in exchange for a holiday, which is named.
    case makeUp(String)

    /// Whether it counts as a working day.
    package var counts: Bool {
      switch self {
      case .weekday, .makeUp: true
      case .weekend, .holiday: false
      }
    }
  }

  /// Its last year and a digest of all its lines: two calendars of one version count alike.
  package let version: String
  package let firstYear: Int
  package let lastYear: Int

  private let exceptions: [CalendarDate: Day]
  private let years: Set<Int>

  /// What the binary carries: the arrangements of 2004 to 2026.
  package static let embedded: WorkCalendar = {
    do { return try WorkCalendar(csv: embeddedText(sj_working_days_csv(), sj_working_days_csv_length)) } catch {
      fatalError("the embedded calendar is broken: \(error)")
    }
  }()

  package enum Fault: Error, Hashable, Sendable {
    case csv(CSV.Fault)
    case empty
    case date(line: Int)
    case kind(line: Int)
    /// The day already stands in an earlier line.
    case repeated(line: Int)
    /// A Saturday or Sunday cannot be "made up" by a weekday: the line would change nothing and is likely a slip.
    case needless(line: Int)

    package var message: Text {
      switch self {
      case .csv(let fault): fault.message
      case .empty: Text("日历中没有任何年份。", "The calendar holds no year.")
      case .date(let line): Text("第 \(line) 行：日期应写作 2026-10-01。", "Line \(line): a date is written 2026-10-01.")
      case .kind(let line): Text("第 \(line) 行：类型应为 holiday 或 workday。", "Line \(line): the kind is holiday or workday.")
      case .repeated(let line): Text("第 \(line) 行：日期重复。", "Line \(line): the date stands twice.")
      case .needless(let line): Text("第 \(line) 行：这一天本来就是工作日。", "Line \(line): that day is a working day anyway.")
      }
    }
  }

  /// Reads `date,kind,occasion`. A year counts as known when it has the holidays of a whole year (five and more): a stray
  /// make-up day of the next New Year in December does not make a year known.
  package init(csv: String) throws(Fault) {
    let table: CSV.Table
    do {
      table = try CSV.table(csv, comments: true)
      try table.require("date", "kind", "occasion")
    } catch { throw .csv(error) }
    var exceptions: [CalendarDate: Day] = [:]
    var holidays: [Int: Int] = [:]
    var digest = Digest()
    for row in table.rows {
      guard let date = CalendarDate(row["date"]) else { throw .date(line: row.line) }
      let day: Day
      switch row["kind"] {
      case "holiday":
        day = .holiday(row["occasion"])
        holidays[date.year, default: 0] += 1
      case "workday":
        guard date.weekday > 5 else { throw .needless(line: row.line) }
        day = .makeUp(row["occasion"])
      default: throw .kind(line: row.line)
      }
      guard exceptions.updateValue(day, forKey: date) == nil else { throw .repeated(line: row.line) }
      digest.add("\(date) \(row["kind"]) \(row["occasion"])\n")
    }
    years = Set(holidays.filter { $0.value >= 5 }.keys)
    guard let first = years.min(), let last = years.max() else { throw .empty }
    self.exceptions = exceptions
    firstYear = first
    lastYear = last
    version = "\(last)-\(digest.hexadecimal.prefix(8))"
  }

  /// Whether the arrangement of that year is loaded.
  package func knows(year: Int) -> Bool { years.contains(year) }

  package func day(_ date: CalendarDate) -> Day { exceptions[date] ?? (date.weekday > 5 ? .weekend : .weekday) }

  package func isWorkingDay(_ date: CalendarDate) -> Bool { day(date).counts }

  /// The working days of the days after `start` up to and with `end`; 0 when `end` is not after it.
  package func workingDays(after start: CalendarDate, through end: CalendarDate) -> Int {
    var count = 0
    var date = start + 1
    while date <= end {
      if isWorkingDay(date) { count += 1 }
      date = date + 1
    }
    return count
  }

  /// The day on which a period of working days ends, with every day explained.
  ///
  /// The day of the start does not count (Civil Code art. 201); the period ends with its last working day. Days within a
  /// pause, its first and last included, do not count: on them the clock did not run the whole day. Pauses must be closed.
  package func due(
    from start: CalendarDate, workingDays: Int, rule: RuleReference? = nil, pauses: [Pause] = [],
    extensions: [Extension] = []
  ) -> DueDate {
    let total = workingDays + extensions.reduce(0) { $0 + $1.workingDays }
    precondition((0...Rule.longest * 2).contains(total), "a period of \(total) working days")
    var trace: [DueDate.Trace] = []
    var provisional = false
    var date = start
    var counted = 0
    while counted < total {
      date = date + 1
      if !knows(year: date.year) { provisional = true }
      let day = day(date)
      if let pause = pauses.first(where: { $0.covers(date) }) {
        trace.note(.paused(pause.reason), on: date)
      } else {
        if day.counts { counted += 1 }
        switch day {
        case .weekday: break
        case .weekend: trace.note(.weekend, on: date)
        case .holiday(let name): trace.note(.holiday(name), on: date)
        case .makeUp(let name): trace.note(.makeUp(name), on: date)
        }
      }
    }
    return DueDate(
      date: date, workingDays: workingDays, from: start, provisional: provisional, rule: rule, pauses: pauses,
      extensions: extensions, calendarVersion: version, trace: trace)
  }
}

/// An interval in which the clock stood still, both days included.
package struct Pause: Hashable, Sendable {
  package var from: CalendarDate
  package var through: CalendarDate
  package var reason: Text

  package init(from: CalendarDate, through: CalendarDate, reason: Text) {
    self.from = from
    self.through = through
    self.reason = reason
  }

  package func covers(_ date: CalendarDate) -> Bool { from <= date && date <= through }
}

/// More working days, decided on a day for a reason.
package struct Extension: Hashable, Sendable {
  package var on: CalendarDate
  package var workingDays: Int
  package var reason: Text

  package init(on: CalendarDate, workingDays: Int, reason: Text) {
    self.on = on
    self.workingDays = workingDays
    self.reason = reason
  }
}

/// FNV-1a of 64 bits: tells versions of our own files apart; nothing for security.
struct Digest {
  private var state: UInt64 = 0xCBF2_9CE4_8422_2325

  mutating func add(_ text: String) {
    for byte in text.utf8 { state = (state ^ UInt64(byte)) &* 0x100_0000_01B3 }
  }

  var hexadecimal: String {
    let text = String(state, radix: 16)
    return String(repeating: "0", count: 16 - text.count) + text
  }
}
