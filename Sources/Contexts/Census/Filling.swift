import Deadlines
import Inbox
package import Kernel
import Storage

// What an office does: enter the six quantities of its resources, submit them, take them back.

/// What somebody says of one resource.
package struct LineEntry: Hashable, Sendable {
  package var code: String
  /// The revision the form was made from; nil where the sender takes what is there (a workbook, a program).
  package var revision: Int?
  package var numbers: SixQuantities

  package init(code: String, revision: Int? = nil, numbers: SixQuantities) {
    self.code = code
    self.revision = revision
    self.numbers = numbers
  }
}

extension Census {
  /// Lines of one save at most.
  package static let mostLines = 1000

  /// Keeps what was entered, all of it or none; answers how many lines. A fault's field is `lines.N.storage`.
  @discardableResult
  package func save(_ principal: Principal, _ id: CensusReturnID, _ entries: [LineEntry]) async throws -> Int {
    try principal.require(.fillCensus)
    guard !entries.isEmpty else { throw Self.tooMany }
    try Self.check(entries)
    let now = clock.now()
    return try await database.write { tx in try keep(entries, of: id, by: principal, at: now, in: tx) }
  }

  private static let tooMany = Refusal.invalid(
    "census.lines", "lines", Text("一次保存 1 到 \(mostLines) 行。", "1 to \(mostLines) lines are saved at once."))

  private static func check(_ entries: [LineEntry]) throws {
    guard entries.count <= mostLines else { throw tooMany }
    let faults = entries.indices.flatMap { entries[$0].numbers.faults("lines.\($0).") }
    guard faults.isEmpty else { throw Refusal.invalid("census.numbers", faults) }
  }

  /// With `onlyChanged`, lines whose numbers are those that stand already stay what they are: prefilled, or 0 by rule.
  private func keep(
    _ entries: [LineEntry], of id: CensusReturnID, onlyChanged: Bool = false, by principal: Principal, at now: Instant,
    in tx: any Transaction
  ) throws -> Int {
    let (campaign, owner) = try own(principal, id, in: tx)
    _ = try owner.state.applying(.fill)
    let known = try LineStore.find(entries.map(\.code), of: id, in: tx)
    var faults: [Refusal.Fault] = []
    var sums: [String: CensusSum] = [:]
    var (kept, entered) = (0, 0)
    var seen: Set<String> = []
    for (index, entry) in entries.enumerated() {
      guard let line = known[entry.code], seen.insert(entry.code).inserted else {
        faults.append(
          .init("lines.\(index).code", Self.unknownCode(entry.code, isRepeated: known[entry.code] != nil)))
        continue
      }
      if onlyChanged, line.numbers == entry.numbers { continue }
      let revision = entry.revision ?? line.revision
      guard
        try LineStore.write(
          entry.numbers, code: entry.code, of: id, from: revision, by: principal.name, at: now, in: tx)
      else {
        faults.append(.init("lines.\(index).code", Self.changed(line)))
        continue
      }
      kept += 1
      let isNew = line.origin == .entered ? 0 : 1
      entered += isNew
      var sum = sums[line.category] ?? .nothing
      sum.entered += isNew
      sum.numbers = sum.numbers + (entry.numbers - line.numbers)
      sums[line.category] = sum
    }
    guard faults.isEmpty else { throw Refusal.invalid("census.lines", faults) }
    guard kept > 0 else { return 0 }
    for (category, sum) in sums.sorted(by: { $0.key < $1.key }) {
      try CensusStore.add(sum, to: category, of: (id, campaign.id), in: tx)
    }
    try CensusStore.count(lines: 0, entered: entered, of: id, in: tx)
    try record("census.return.fill", owner, campaign, by: principal, at: now, detail: [("lines", "\(kept)")], in: tx)
    return kept
  }

  static func unknownCode(_ code: String, isRepeated: Bool) -> Text {
    isRepeated
      ? Text("代码 \(code.prefix(64)) 出现了两次。", "The code \(code.prefix(64)) stands twice.")
      : Text(
        "本单位的填报中没有代码为 \(code.prefix(64)) 的资源。", "This return has no resource with the code \(code.prefix(64)).")
  }

  private static func changed(_ line: CensusLine) -> Text {
    Text(
      "\(line.changedBy ?? "他人")刚改过“\(line.name)”，请核对后重新填写。",
      "\(line.changedBy ?? "Somebody") has just changed “\(line.name)”; check and enter it again.")
  }

  /// Hands the return to the operator, after keeping what `entries` changes, in one transaction. Lines nobody touched count
  /// as they stand: prefilled, or 0 by rule.
  package func submit(_ principal: Principal, _ id: CensusReturnID, with entries: [LineEntry] = []) async throws {
    try Self.check(entries)
    let now = clock.now()
    try await step(principal, id, .submit, "census.return.submit", with: entries) { owner, campaign, tx in
      (owner.submittedAt, owner.submittedBy) = (now, principal.name)
      try Inbox.post(
        InboxTask(
          kind: "census.decide",
          title: Text(
            "验收普查填报：\(owner.officeName)", "Census return to accept: \(owner.officeName)"),
          link: "/census/returns/\(id)", for: .holders(.runCensus), subject: ("census.return", id.text), at: now),
        in: tx)
    }
  }

  /// Takes it back before it is decided.
  package func recall(_ principal: Principal, _ id: CensusReturnID) async throws {
    let now = clock.now()
    try await step(principal, id, .recall, "census.return.recall") { owner, campaign, tx in
      (owner.submittedAt, owner.submittedBy) = (nil, nil)
      try Inbox.post(
        InboxTask(
          kind: "census.fill",
          title: Text("填报六项普查：\(campaign.name)", "Fill in the census: \(campaign.name)"),
          link: "/census/returns/\(id)", for: .office(owner.office, .fillCensus),
          subject: ("census.return", id.text), due: campaign.due.date, isProvisional: campaign.due.provisional, at: now),
        in: tx)
    }
  }

  private func step(
    _ principal: Principal, _ id: CensusReturnID, _ event: ReturnEvent, _ action: String,
    with entries: [LineEntry] = [],
    _ change: @escaping @Sendable (inout CensusReturn, Campaign, any Transaction) throws -> Void
  ) async throws {
    try principal.require(.fillCensus)
    let now = clock.now()
    try await database.write { tx in
      if !entries.isEmpty { _ = try keep(entries, of: id, onlyChanged: true, by: principal, at: now, in: tx) }
      let (campaign, found) = try own(principal, id, in: tx)
      var owner = found
      let before = owner.state
      owner.state = try before.applying(event)
      try Inbox.close(subject: "census.return", id.text, by: principal, at: now, in: tx)
      try change(&owner, campaign, tx)
      try CensusStore.move(owner, from: before, in: tx)
      try record(
        action, owner, campaign, by: principal, at: now,
        detail: [("lines", "\(owner.lines)"), ("entered", "\(owner.entered)")], in: tx)
    }
  }
}
