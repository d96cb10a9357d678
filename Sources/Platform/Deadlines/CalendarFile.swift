package import Kernel

extension WorkCalendar {
  /// The largest file taken, in bytes: twenty years are 22 thousand.
  package static let fileLimit = 1 << 20

  /// Why a file of new years is not taken: the file as such, or a line of it against what is known.
  package enum FileFault: Error, Hashable, Sendable {
    case size
    case encoding(line: Int)
    case lines(Fault)
    case nothing
    case occasion(line: Int)
    /// The years do not follow on what is known.
    case gap(year: Int, next: Int)
    /// A day on which every year has a holiday is none in the file, so it is not the whole year.
    case lacks(day: CalendarDate)
    /// A year that is known is repeated with a line it does not have, or that is otherwise.
    case differs(line: Int, day: CalendarDate)
    /// A year that is known is repeated in part.
    case partly(year: Int, lacks: CalendarDate)

    package var message: Text {
      switch self {
      case .size:
        Text("文件超过 \(fileLimit) 字节，不像工作日历。", "The file has more than \(fileLimit) bytes; this is no calendar.")
      case .encoding(let line):
        Text("第 \(line) 行不是 UTF-8；请将文件另存为 UTF-8。", "Line \(line) is not UTF-8; save the file as UTF-8.")
      case .lines(let fault): fault.message
      case .nothing:
        Text(
          "文件中没有任何日期；应有表头 date,kind,occasion 和一整年的安排。",
          "No date in the file: after date,kind,occasion comes a whole year.")
      case .occasion(let line):
        Text(
          "第 \(line) 行：occasion 应写明节日，如“国庆节”，最多 40 字。",
          "Line \(line): occasion names the holiday, in at most 40 characters.")
      case .gap(let year, let next):
        Text(
          "文件中有 \(year) 年，而已知年份之后的下一年是 \(next) 年。",
          "The file has \(year), but the next year after the known ones is \(next).")
      case .lacks(let day):
        Text(
          "\(day.year) 年不完整：\(day) 没有列为 holiday。一年的安排须一次全部装入。",
          "\(day.year) is not whole: \(day) is no holiday in it. A year's arrangement is loaded in one piece.")
      case .differs(let line, let day):
        Text(
          "第 \(line) 行：\(day) 所在的年份已经装入，且与此行不符。已知的年份只能原样重复。",
          "Line \(line): the year of \(day) is known, and this line is not in it. A known year may only be repeated as it is."
        )
      case .partly(let year, let day):
        Text(
          "\(year) 年已经装入，文件却缺 \(day)。已知的年份只能原样重复，或不写。",
          "\(year) is known, and the file lacks its \(day). A known year is repeated as it is, or left out.")
      }
    }

    package var refusal: Refusal {
      let code =
        switch self {
        case .size: "size"
        case .encoding: "encoding"
        case .lines: "lines"
        case .nothing: "empty"
        case .occasion: "occasion"
        case .gap: "gap"
        case .lacks: "lacks"
        case .differs: "differs"
        case .partly: "partly"
        }
      return .invalid("calendar.file.\(code)", "file", message)
    }
  }

  /// What a file of `date,kind,occasion` brings that this calendar does not know, by date; nothing when it is all known.
  ///
  /// A year is whole or it is not taken, and a known year is repeated exactly or left out: a second opinion on a year
  /// would move due dates that people already rely on. One exception is the State Council's own: the New Year of a new
  /// year may take days of the December before it (2018-12-29 was worked for 2019).
  package func news(in file: [UInt8]) throws(FileFault) -> [Exception] {
    guard file.count <= Self.fileLimit else { throw .size }
    guard let text = String(validating: file, as: UTF8.self) else { throw .encoding(line: firstBrokenLine(of: file)) }
    let lines: [(line: Int, exception: Exception)]
    do { lines = try Self.lines(of: text) } catch { throw .lines(error) }
    guard !lines.isEmpty else { throw .nothing }
    for line in lines where !(1...40).contains(line.exception.occasion.count) { throw .occasion(line: line.line) }
    let years = Set(lines.map(\.exception.date.year)).sorted()
    var next = lastYear + 1
    for year in years where !knows(year: year) {
      guard year == next else { throw .gap(year: year, next: next) }
      next += 1
    }
    var news: [Exception] = []
    for year in years {
      let own = lines.filter { $0.exception.date.year == year }
      if !knows(year: year) {
        try requireWhole(year, own.map(\.exception))
        news += own.map(\.exception)
        continue
      }
      let isForNewYear = years.contains(year + 1) && own.allSatisfy { $0.exception.date.month == 12 }
      for (line, exception) in own where day(exception.date) != exception.day {
        guard isForNewYear, !knows(year: year + 1), !exceptionStands(on: exception.date) else {
          throw .differs(line: line, day: exception.date)
        }
        news.append(exception)
      }
      if !isForNewYear {
        let given = Set(own.map(\.exception.date))
        if let missing = exceptions(in: year).first(where: { !given.contains($0.date) }) {
          throw .partly(year: year, lacks: missing.date)
        }
      }
    }
    return news.sorted { $0.date < $1.date }
  }

  private func exceptionStands(on date: CalendarDate) -> Bool {
    switch day(date) {
    case .holiday, .makeUp: true
    case .weekday, .weekend: false
    }
  }

  /// New Year, Labour Day and National Day are holidays of every year (国务院《全国年节及纪念日放假办法》): what lacks one of
  /// them was cut off somewhere.
  private func requireWhole(_ year: Int, _ exceptions: [Exception]) throws(FileFault) {
    let holidays = Set(exceptions.filter { $0.kind == "holiday" }.map(\.date))
    for day in ["01-01", "05-01", "10-01"].compactMap({ CalendarDate("\(year)-\($0)") }) where !holidays.contains(day) {
      throw .lacks(day: day)
    }
  }
}

extension DueDate {
  /// The same period by another calendar, when that changes the day, its reasons or whether it is certain; else nil.
  package func moved(by calendar: WorkCalendar) -> DueDate? {
    let again = recomputed(with: calendar)
    return again.date != date || again.trace != trace || again.provisional != provisional ? again : nil
  }
}

private func firstBrokenLine(of bytes: [UInt8]) -> Int {
  let lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
  return (lines.firstIndex { String(validating: $0, as: UTF8.self) == nil } ?? 0) + 1
}
