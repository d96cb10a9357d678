import Inbox
import Jobs
package import Kernel
import Sharing
import Storage

// Bad rows on their way: handed back, corrected by their provider in its own source, read again, looked at.

extension Exchange {
  /// Gives the bad rows of one item and one reason back to their provider.
  package func handBack(
    _ id: DeliveryID, item: String, fault: String, words: String, by principal: Principal
  ) async throws {
    try principal.require(.exchangeRun)
    if let wrong = PlainText.wrongWords(words, most: 500, missing: Text("请写明要更正什么。", "Say what is to be corrected.")) {
      throw Refusal.invalid("exchange.handback", "words", wrong)
    }
    let view = try await delivery(id, for: principal)
    let now = clock.now()
    try await database.write { tx in
      let rows = try DeliveryStore.quarantineSummary(of: id, in: tx).first { $0.item == item && $0.fault == fault }?
        .rows
      guard let rows else { throw Refusal.notFound(Text("隔离行", "quarantined rows")) }
      guard try !HandBackStore.list(of: id, in: tx).contains(where: { $0.item == item && $0.fault == fault }) else {
        throw Refusal(
          .conflict, "exchange.handback.twice", Text("这些行已经退回过。", "These rows were handed back already."))
      }
      let one = HandBack(
        id: .make(at: now), delivery: id, grant: view.grant.id, item: item, fault: fault, rows: rows, words: words,
        by: "\(principal.organisationName) \(principal.name)", at: now, state: .open, stillBad: 0)
      try HandBackStore.insert(one, in: tx)
      try post(one, view.grant, at: now, in: tx)
      try record(
        "exchange.quarantine.hand-back", view.delivery, by: principal,
        [("item", item), ("fault", fault), ("quarantined", "\(rows)"), ("words", words)], at: now, in: tx)
    }
  }

  private func post(_ one: HandBack, _ grant: Grant, at now: Instant, in tx: any Transaction) throws {
    try Inbox.post(
      InboxTask(
        kind: "exchange.hand-back",
        title: Text(
          "更正源数据：\(grant.resourceName)，\(one.rows) 行（\(grant.number)）",
          "Correct the source: \(grant.resourceName), \(one.rows) rows (\(grant.number))"),
        link: DeliveryPages.quarantine(one.delivery, one.item, one.fault),
        for: .office(grant.provider, .quarantineOpen),
        subject: ("hand-back", one.id.text), at: now), in: tx)
  }

  /// The provider has corrected its source: the rows are read again, by a delivery from `since` on, or a full one. What comes
  /// of it shows by itself.
  package func answer(
    _ id: HandBackID, since: CalendarDate?, words: String, by principal: Principal
  ) async throws -> DeliveryRecord {
    try principal.require(.quarantineOpen)
    if let wrong = PlainText.wrongWords(words, most: 500, missing: nil) {
      throw Refusal.invalid("exchange.handback", "words", wrong)
    }
    let one = try await database.read { tx in
      guard let one = try HandBackStore.find(id, in: tx) else { throw Self.noHandBack }
      return one
    }
    let grant = try await sharing.grant(one.grant, for: principal)
    try principal.require(.quarantineOpen, in: grant.provider)
    try grant.check(on: clock.now().dateInChina)
    if let since { try await checkSince(since, grant, today: clock.now().dateInChina) }
    let now = clock.now()
    return try await database.write { tx in
      guard let one = try HandBackStore.find(id, in: tx), one.state.isOpen else {
        throw Refusal(
          .conflict, "exchange.handback.state", Text("这些行已在重新读取或已恢复。", "These rows are being read again, or good."))
      }
      let last = try DeliveryStore.list(grant: grant.id, limit: 1, in: tx).first
      let name = "\(principal.organisationName) \(principal.name)"
      let follows = grant.frequency == .continuous
      let delivery: DeliveryRecord
      if follows, let last {
        delivery = last
      } else {
        try requireRest(of: grant.id, in: tx)
        delivery = try queue(
          grant.id, trigger: "person", isFull: since == nil, since: since, by: principal, at: now, in: tx)
      }
      try HandBackStore.answer(id, words, by: name, reread: delivery.id, at: now, in: tx)
      // Of what is followed the correction is a change like any other: it comes by itself, and is set apart if it is bad.
      if follows { try HandBackStore.conclude(id, stillBad: 0, in: tx) }
      try Inbox.close(subject: "hand-back", id.text, by: principal, at: now, in: tx)
      try record(
        "exchange.quarantine.answer", delivery, by: principal,
        [("item", one.item), ("fault", one.fault), ("words", words)], at: now, in: tx)
      return delivery
    }
  }

  /// A delivery that is under way began before what it is now asked for, and would be answered in its place.
  func requireRest(of id: GrantID, in tx: any Transaction) throws {
    guard let last = try DeliveryStore.list(grant: id, limit: 1, in: tx).first,
      try JobQueue.open(dedupe: Self.key(last.id), in: tx) != nil
    else { return }
    throw Refusal(
      .conflict, "exchange.busy",
      Text("有一次交换正在进行，请等它结束后再试。", "A delivery is under way; try again when it has ended."))
  }

  static let noHandBack = Refusal.notFound(Text("退回的行", "rows handed back"))

  /// A delivery that was to read rows again has ended: which of them are still bad. One that failed leaves them to be
  /// corrected, as before.
  func conclude(_ delivery: DeliveryRecord, _ grant: Grant, at now: Instant, in tx: any Transaction) throws {
    for one in try HandBackStore.rereading(by: delivery.id, in: tx) {
      let stillBad =
        delivery.state == .delivered ? try HandBackStore.foundAgain(one, by: delivery.id, in: tx) : one.rows
      try HandBackStore.conclude(one.id, stillBad: stillBad, in: tx)
      if stillBad > 0 { try post(one, grant, at: now, in: tx) }
    }
  }

  package func handBacks(of id: DeliveryID, for principal: Principal) async throws -> [HandBack] {
    _ = try await delivery(id, for: principal)
    return try await database.read { try HandBackStore.list(of: id, in: $0) }
  }
}
