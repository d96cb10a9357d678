import Audit
import Calendars
import Catalog
import Census
import Deadlines
import Feedback
import Kernel
import NationalCrypto
import Sharing
import Storage

/// What came of a file of working days.
struct CalendarReport: Sendable {
  var version: String
  /// Days that were not known before; 0 when the file says nothing new.
  var days: Int
  var lastYear: Int
  var requests: Int
  var reviews: Int
  var feedback = 0
}

extension Node {
  /// What the log calls it.
  static let calendarWords = AuditVocabulary(
    area: ("calendar", Text("工作日历", "Working-day calendar")),
    actions: [
      ("calendar.load", Text("装入一年的工作日安排", "A year's working days loaded")),
      ("calendar.recount", Text("按程序自带的新日历重新计算时限", "Due dates counted anew by a new program's calendar")),
    ],
    subjects: [("calendar", Text("工作日历", "Working-day calendar"))],
    details: [
      ("days", Text("新增天数", "New days")), ("digest", Text("文件摘要（SM3）", "Digest of the file (SM3)")),
      ("requests", Text("重新计算的申请", "Requests counted anew")), ("reviews", Text("重新计算的审核", "Reviews counted anew")),
      ("feedback", Text("重新计算的异议与咨询", "Objections and questions counted anew")),
    ])

  /// Takes a year's arrangement and counts every open due date anew, in one transaction: either all of it stands, with
  /// its record in the log, or nothing was changed.
  func loadCalendar(_ file: [UInt8], by principal: Principal = .system()) async throws -> CalendarReport {
    let (calendars, now) = (calendars, clock.now())
    return try await database.write { tx in
      let known = try calendars.inForce(tx)
      let news: [WorkCalendar.Exception]
      do throws(WorkCalendar.FileFault) { news = try known.news(in: file) } catch { throw error.refusal }
      guard !news.isEmpty else {
        return CalendarReport(version: known.version, days: 0, lastYear: known.lastYear, requests: 0, reviews: 0)
      }
      try CalendarStore.keep(
        news, version: known.adding(news).version, by: principal.name, at: now, in: tx)
      return try Self.recount(
        by: try calendars.inForce(tx), "calendar.load", principal, now, days: news.count,
        detail: [("days", "\(news.count)"), ("digest", SM3.hash(file).hex)], in: tx)
    }
  }

  /// A newer program may carry a year that was unknown when a due date was counted.
  func recountByNewProgram() async throws {
    let (calendars, now) = (calendars, clock.now())
    let isDue = try await database.read { try CalendarStore.mustRecount(by: calendars.inForce($0), in: $0) }
    guard isDue else { return }
    try await database.write { tx -> Void in
      let calendar = try calendars.inForce(tx)
      guard try CalendarStore.mustRecount(by: calendar, in: tx) else { return }
      _ = try Self.recount(by: calendar, "calendar.recount", .system(), now, days: 0, detail: [], in: tx)
    }
  }

  private static func recount(
    by calendar: WorkCalendar, _ action: String, _ principal: Principal, _ now: Instant, days: Int,
    detail: [(name: String, value: String)], in tx: any Transaction
  ) throws -> CalendarReport {
    let requests = try Sharing.recount(by: calendar, for: principal, at: now, in: tx)
    let reviews = try Cataloguing.recount(by: calendar, for: principal, at: now, in: tx)
    let feedback = try Feedback.recount(by: calendar, for: principal, at: now, in: tx)
    let campaigns = try Census.recount(by: calendar, for: principal, at: now, in: tx)
    try CalendarStore.recounted(by: calendar, in: tx)
    // A program's calendar that moved nothing is no event.
    if days > 0 || requests + reviews + feedback + campaigns > 0 {
      try AuditLog.record(
        AuditEntry(
          at: now, actor: principal, action: action, subjectKind: "calendar", subject: calendar.version,
          subjectName: calendar.version,
          detail: detail + [("requests", "\(requests)"), ("reviews", "\(reviews)"), ("feedback", "\(feedback)")]),
        in: tx)
    }
    return CalendarReport(
      version: calendar.version, days: days, lastYear: calendar.lastYear, requests: requests, reviews: reviews,
      feedback: feedback)
  }
}
