package import Catalog
import Inbox
package import Kernel
package import Storage

// What the saved searches are told: one digest each, however much was published since.

extension Feedback {
  /// The kind of the job that comes round every quarter of an hour.
  package static let news = "feedback.news"

  /// An entry has just left the catalogue: whoever keeps a search that found it will hear of it.
  package static func noteWithdrawal(of resource: Resource, at now: Instant, in tx: any Transaction) throws {
    try SavedSearchStore.note(resource, at: now, in: tx)
  }

  /// One turn: every search not yet told of the catalogue's last place is asked what stands above its own; at most
  /// 1,000 searches, in transactions of 20, longest waiting first. While nothing is published there is nobody to ask.
  /// Answers how many digests were written.
  package func bringNews() async throws -> Int {
    var digests = 0
    for _ in 0..<50 {
      let now = clock.now()
      let (asked, told) = try await database.write { tx in try bringWithdrawals(at: now, in: tx) }
      digests += told
      if asked == 0 { break }
    }
    for _ in 0..<50 {
      let now = clock.now()
      let (asked, told) = try await database.write { tx in try bringEntries(at: now, in: tx) }
      digests += told
      if asked == 0 { break }
    }
    return digests
  }

  private func bringEntries(at now: Instant, in tx: any Transaction) throws -> (asked: Int, told: Int) {
    let head = try CatalogSearch.head(in: tx)
    let waiting = try SavedSearchStore.untold(below: head, limit: 20, in: tx)
    var told = 0
    for var search in waiting {
      let isNews = try !CatalogSearch.places(matching: search.query, above: search.toldTo, limit: 1, in: tx).isEmpty
      search.toldTo = head
      try SavedSearchStore.update(search, in: tx)
      if isNews {
        try tell(search, at: now, in: tx)
        told += 1
      }
    }
    return (waiting.count, told)
  }

  /// The oldest withdrawal against the next 200 searches: the index has forgotten the entry, so its words are looked at.
  private func bringWithdrawals(at now: Instant, in tx: any Transaction) throws -> (asked: Int, told: Int) {
    guard let withdrawal = try SavedSearchStore.oldestWithdrawal(in: tx) else { return (0, 0) }
    // Published again meanwhile, it is news as an entry.
    let resource =
      try CatalogStore.isInForce(withdrawal.resource, in: tx)
      ? nil : CatalogStore.find(withdrawal.resource, version: withdrawal.version, in: tx)
    let searches =
      try resource == nil ? [] : SavedSearchStore.active(after: withdrawal.askedTo, limit: 200, in: tx)
    guard let resource, let last = searches.last else {
      try SavedSearchStore.forget(withdrawal.id, in: tx)
      return (1, 0)
    }
    let words = cataloguing.words(of: resource)
    var told = 0
    for search in searches where words.match(search.query) {
      try SavedSearchStore.add(withdrawal, to: search.id, in: tx)
      try tell(search, at: now, in: tx)
      told += 1
    }
    try SavedSearchStore.setAsked(withdrawal.id, to: last.id.text, in: tx)
    return (searches.count, told)
  }

  /// Writes the digest in place of an earlier one.
  private func tell(_ search: SavedSearch, at now: Instant, in tx: any Transaction) throws {
    let news = try news(of: search, in: tx)
    guard news.count > 0 else { return }
    try Inbox.retract(Self.digest, about: ("search", search.id.text), of: search.person, in: tx)
    let more = news.hasMore
    try Inbox.notify(
      Notice(
        kind: Self.digest,
        title: Text(
          "收藏的检索“\(search.name)”有\(more ? "超过" : " ")\(news.count) 条新变化",
          "Your search “\(search.name)” has \(more ? "more than " : "")\(news.count) new"),
        link: search.link, for: .person(search.person), subject: ("search", search.id.text), at: now), in: tx)
  }
}

extension SavedSearch {
  var link: String { "/catalog/saved/\(id)" }
}
