import Audit
import Catalog
import Deadlines
import Foundation
import Identity
import Inbox
import Kernel
import Sharing
import Storage
import TestKit
import Testing

@testable import App

/// The arrangement of a year comes late in the year before; until then due dates in it are provisional.
@Suite struct CalendarTests {
  /// Made up: 2027's New Year takes the whole first week and gives back its Sunday.
  private static let year2027 =
    "date,kind,occasion\n" + (1...8).map { "2027-01-0\($0),holiday,元旦\n" }.joined()
    + "2027-01-10,workday,元旦\n2027-05-01,holiday,劳动节\n2027-10-01,holiday,国庆节\n"

  /// A stage on which it is late December 2026, before the arrangement of 2027 came.
  private func inDecember(_ engine: Engine, _ body: (Stage) async throws -> Void) async throws {
    try await withStage(engine) { stage in
      let today = stage.node.clock.now()
      stage.clock.advance(by: Instant("2026-12-30T02:00:00Z")! - today)
      try await body(stage)
    }
  }

  private struct Standing: Equatable {
    var due: DueDate?
    var task: CalendarDate?
    var isProvisional: Bool?
    var stored: String?
  }

  private func standing(_ id: ShareRequestID, on node: Node) async throws -> Standing {
    try await node.database.read { tx in
      let task = try Inbox.history(subject: "request", id.text, in: tx).first { $0.closedAt == nil }?.task
      return Standing(
        due: try RequestStore.find(id, in: tx)?.due, task: task?.due, isProvisional: task?.isProvisional,
        stored: try tx.row("SELECT due_date FROM sharing_request WHERE id = \(id)")?.textOrNil("due_date"))
    }
  }

  private func records(_ node: Node, _ action: String) async throws -> [AuditRecord] {
    var search = AuditSearch()
    search.action = action
    let asked = search
    let auditor = Principal(
      person: nil, name: "审计", organisation: nil, organisationName: "", permissions: [.auditRead])
    return try await node.database.read { try asked.records(for: auditor, in: $0) }
  }

  @Test(arguments: Engine.allCases)
  func `a due date in a year not yet known is provisional, and certain once the year is loaded`(engine: Engine)
    async throws
  {
    try await inDecember(engine) { stage in
      let node = stage.node
      let request = try await node.sharing.submit(stage.draft, by: stage.cast.clerk)
      let before = try await standing(request.id, on: node)
      #expect(before.due?.provisional == true && before.isProvisional == true)
      #expect(before.due?.date == before.task)

      // A running site's programs keep their own view of the calendar; the command line is another program.
      let elsewhere = try await Node.open(node.settings, clock: node.clock)
      let report = try await elsewhere.loadCalendar(Array(Self.year2027.utf8))
      await elsewhere.database.close()
      #expect(report.days == 11 && report.lastYear == 2027 && report.requests == 1)

      let after = try await standing(request.id, on: node)
      let due = try #require(after.due)
      #expect(!due.provisional && after.isProvisional == false)
      #expect(due.date > (before.due?.date ?? due.date) && after.task == due.date && after.stored == "\(due.date)")
      #expect(due.trace.contains { $0.reason == .holiday("元旦") })
      #expect(due.calendarVersion == report.version)
      let waiting = try await node.database.read { try Inbox.waiting(for: stage.cast.leader, in: $0) }
      #expect(waiting.map(\.due) == [due.date])

      // Whoever had the request open decides on what he read; the next step counts by the new year at once.
      let approved = try await node.sharing.decideOwn(
        request.id, approve: true, words: "", version: request.version, by: stage.cast.leader)
      #expect(approved.due?.provisional == false && approved.due?.calendarVersion == report.version)

      let loaded = try await records(node, "calendar.load")
      #expect(loaded.count == 1 && loaded.first?.subject == report.version)
      let moved = try await records(node, "sharing.request.recount")
      #expect(moved.map(\.subject) == [request.id.text])
      #expect(moved.first?.payload?.detail.contains { $0.name == "due" && $0.value == "\(due.date)" } == true)
    }
  }

  @Test(arguments: Engine.allCases)
  func `a review of an entry that waits over the New Year is counted anew too`(engine: Engine) async throws {
    try await inDecember(engine) { stage in
      let node = stage.node
      _ = try await node.cataloguing.beginChange(stage.cast.officer, stage.resource.id)
      _ = try await node.cataloguing.submit(
        stage.cast.officer, stage.resource.id, because: VersionChange(.correction, words: "更正名称。"))
      func review() async throws -> (stored: DueDate?, task: InboxTask?) {
        try await node.database.read { tx in
          (
            try tx.row(
              "SELECT review_due FROM catalog_version WHERE resource = \(stage.resource.id) AND state = 'submitted'")?
              .textOrNil("review_due").flatMap { DueDate(encoded: $0) },
            try Inbox.history(subject: "resource", stage.resource.id.text, in: tx).first { $0.closedAt == nil }?.task
          )
        }
      }
      let before = try await review()
      #expect(before.stored?.provisional == true && before.task?.isProvisional == true)
      let report = try await node.loadCalendar(Array(Self.year2027.utf8))
      #expect(report.reviews == 1 && report.requests == 0)
      let after = try await review()
      #expect(after.stored?.provisional == false && after.task?.isProvisional == false)
      #expect(after.stored?.date == after.task?.due)
      #expect(after.stored.map { $0.date > (before.stored?.date ?? $0.date) } == true)
    }
  }

  @Test(arguments: Engine.allCases)
  func `a year loaded twice is loaded once, and what is wrong with a file changes nothing`(engine: Engine)
    async throws
  {
    try await inDecember(engine) { stage in
      let node = stage.node
      let request = try await node.sharing.submit(stage.draft, by: stage.cast.clerk)
      let (before, count) = (try await standing(request.id, on: node), try await stage.counts())
      let cut = Self.year2027.split(separator: "\n").dropLast().joined(separator: "\n")
      let files = [
        Array(cut.utf8), Array((Self.year2027 + "2027-10-02,feast,国庆节\n").utf8),
        Array((Self.year2027 + "2026-10-11,workday,国庆节\n").utf8), [0xFF, 0xFE], [],
      ]
      for file in files {
        let refusal = await #expect(throws: Refusal.self) { try await node.loadCalendar(file) }
        #expect(refusal?.kind == .invalid && refusal?.faults.map(\.field) == ["file"])
      }
      let (untouched, still) = (try await standing(request.id, on: node), try await stage.counts())
      #expect(untouched == before && still == count)
      let days = try await node.database.read { try $0.int("SELECT COUNT(*) FROM calendars_day") }
      #expect(days == 0)

      let once = try await node.loadCalendar(Array(Self.year2027.utf8))
      let (after, recorded) = (try await standing(request.id, on: node), try await stage.counts())
      let twice = try await node.loadCalendar(Array(Self.year2027.utf8))
      #expect(once.days == 11 && twice.days == 0 && twice.version == once.version)
      let (unmoved, unrecorded) = (try await standing(request.id, on: node), try await stage.counts())
      #expect(after != before && unmoved == after && unrecorded == recorded)
    }
  }

  @Test(arguments: Engine.allCases)
  func `a newer program that carries the year counts anew when it starts, and only then`(engine: Engine) async throws {
    try await inDecember(engine) { stage in
      let node = stage.node
      let request = try await node.sharing.submit(stage.draft, by: stage.cast.clerk)
      // What an older program left: the due dates as they are, counted by a calendar that ended a year earlier.
      try await node.database.write { tx -> Void in
        try tx.run("UPDATE calendars_counted SET version = '2025-00000000', last_year = 2025")
        let old = try #require(try RequestStore.find(request.id, in: tx)?.due)
        let other = try #require(
          DueDate(encoded: old.encoded.replacingOccurrences(of: "\(old.date)", with: "2027-01-29")))
        try tx.run(
          "UPDATE sharing_request SET due = \(other.encoded.replacingOccurrences(of: old.calendarVersion, with: "2025-00000000")) WHERE id = \(request.id)"
        )
      }
      try await node.recountByNewProgram()
      let mended = try await standing(request.id, on: node)
      #expect(mended.due?.date == request.due?.date)
      let first = try await records(node, "calendar.recount").count
      try await node.recountByNewProgram()
      let second = try await records(node, "calendar.recount").count
      #expect(first == 1 && second == 1)
    }
  }
}
