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
    /// The day already stands in an earlier line, and there as the other kind.
    case contradicts(line: Int)
    /// A Saturday or Sunday cannot be "made up" by a weekday: the line would change nothing and is likely a slip.
    case needless(line: Int)

    package var message: Text {
      switch self {
      case .csv(let fault): fault.message
      case .empty: Text("日历中没有任何年份。", "The calendar holds no year.")
      case .date(let line): Text("第 \(line) 行：日期应写作 2026-10-01。", "Line \(line): a date is written 2026-10-01.")
      case .kind(let line): Text("第 \(line) 行：类型应为 holiday 或 workday。", "Line \(line): the kind is holiday or workday.")
      case .repeated(let line): Text("第 \(line) 行：日期重复。", "Line \(line): the date stands twice.")
      case .contradicts(let line):
        Text(
          "第 \(line) 行：同一天在前面是另一种类型，一天或放假或上班。",
          "Line \(line): an earlier line has the other kind; a day is either a holiday or worked.")
      case .needless(let line): Text("第 \(line) 行：这一天本来就是工作日。", "Line \(line): that day is a working day anyway.")
      }
    }
  }

  /// One line of an arrangement.
  package struct Exception: Hashable, Sendable {
    package var date: CalendarDate
    package var day: Day

    package init(date: CalendarDate, day: Day) {
      self.date = date
      self.day = day
    }

    /// `holiday` or `workday`, as the file writes it; nil for what is no exception.
    package var kind: String? {
      switch day {
      case .holiday: "holiday"
      case .makeUp: "workday"
      case .weekday, .weekend: nil
      }
    }
    package var occasion: String {
      switch day {
      case .holiday(let name), .makeUp(let name): name
      case .weekday, .weekend: ""
      }
    }
  }

  /// Reads `date,kind,occasion`. A year counts as known when it has the holidays of a whole year (five and more): a stray
  /// make-up day of the next New Year in December does not make a year known.
  package init(csv: String) throws(Fault) {
    let lines = try Self.lines(of: csv)
    var digest = Digest()
    for line in lines { digest.add(line.exception) }
    try self.init(lines.map(\.exception), digest)
  }

  private init(_ exceptions: [Exception], _ digest: Digest) throws(Fault) {
    var holidays: [Int: Int] = [:]
    for exception in exceptions where exception.kind == "holiday" { holidays[exception.date.year, default: 0] += 1 }
    years = Set(holidays.filter { $0.value >= 5 }.keys)
    guard let first = years.min(), let last = years.max() else { throw .empty }
    self.exceptions = Dictionary(exceptions.map { ($0.date, $0.day) }, uniquingKeysWith: { first, _ in first })
    firstYear = first
    lastYear = last
    version = "\(last)-\(digest.hexadecimal.prefix(8))"
  }

  /// Each line of a file with its number, checked by itself and against those before it.
  static func lines(of csv: String) throws(Fault) -> [(line: Int, exception: Exception)] {
    let table: CSV.Table
    do {
      table = try CSV.table(csv, comments: true)
      try table.require("date", "kind", "occasion")
    } catch { throw .csv(error) }
    var seen: [CalendarDate: Exception] = [:]
    var lines: [(line: Int, exception: Exception)] = []
    for row in table.rows {
      guard let date = CalendarDate(row["date"]) else { throw .date(line: row.line) }
      let exception: Exception
      switch row["kind"] {
      case "holiday": exception = Exception(date: date, day: .holiday(row["occasion"]))
      case "workday":
        guard date.weekday > 5 else { throw .needless(line: row.line) }
        exception = Exception(date: date, day: .makeUp(row["occasion"]))
      default: throw .kind(line: row.line)
      }
      if let before = seen.updateValue(exception, forKey: date) {
        throw before.kind == exception.kind ? .repeated(line: row.line) : .contradicts(line: row.line)
      }
      lines.append((row.line, exception))
    }
    return lines
  }

  /// The exceptions of a year, by date.
  func exceptions(in year: Int) -> [Exception] {
    exceptions.filter { $0.key.year == year }.map { Exception(date: $0.key, day: $0.value) }.sorted {
      $0.date < $1.date
    }
  }

  /// This calendar with what was loaded since. Where it knows a year by now it stays as it is: a newer program that
  /// carries the year is as good as the file. Only the Decembers before a year it does not know take the days that such a
  /// year's New Year moved into them.
  package func adding(_ more: [Exception]) -> WorkCalendar {
    let new = more.filter { exception in
      let year = exception.date.year
      return exceptions[exception.date] == nil
        && (!knows(year: year) || exception.date.month == 12 && !knows(year: year + 1))
    }.sorted { $0.date < $1.date }
    guard !new.isEmpty else { return self }
    var digest = Digest()
    digest.add(version + "\n")
    for exception in new { digest.add(exception) }
    let all = exceptions.map { Exception(date: $0.key, day: $0.value) } + new
    // What was a calendar stays one, whatever is added.
    return (try? WorkCalendar(all, digest)) ?? self
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

  mutating func add(_ exception: WorkCalendar.Exception) {
    add("\(exception.date) \(exception.kind ?? "") \(exception.occasion)\n")
  }

  mutating func add(_ text: String) {
    for byte in text.utf8 { state = (state ^ UInt64(byte)) &* 0x100_0000_01B3 }
  }

  var hexadecimal: String {
    let text = String(state, radix: 16)
    return String(repeating: "0", count: 16 - text.count) + text
  }
}
