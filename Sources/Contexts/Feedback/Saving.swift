package import Catalog
import Identity
import Inbox
package import Kernel
import Storage

// Saved searches: keeping them, and what news they have.

/// A saved search with what is new in it.
package struct SearchNews: Hashable, Sendable {
  package var search: SavedSearch
  /// Published or changed since it was last seen, newest first; at most `most`.
  package var entries: [CatalogNews]
  /// There are more than that.
  package var hasMore: Bool
  /// Withdrawn since.
  package var losses: [Loss]
  /// What the office of its filter is called.
  package var providerName: String?
  /// The catalogue's last place when this was read: what “seen” will reach to.
  package var head: Int

  package static let most = 100
  package var count: Int { entries.count + losses.count }
}

extension Feedback {
  /// Keeps a search under a name; its news begin now.
  package func save(_ query: CatalogQuery, as name: String, by principal: Principal) async throws -> SavedSearch {
    let person = try owner(principal)
    try Self.checkName(name)
    guard !query.encoded.isEmpty else {
      throw Refusal.invalid(
        "feedback.search.empty", "q", Text("请先输入词语或选一个筛选条件，再收藏。", "Enter words or choose a filter before saving it."))
    }
    guard !query.isUnsearchable else {
      throw Refusal.invalid(
        "feedback.search.words", "q",
        Text(
          "“\(query.text)”里没有可以检索的文字或数字，什么也找不到。",
          "“\(query.text)” has no letters or digits to search for; it finds nothing."))
    }
    let now = clock.now()
    return try await database.write { tx in
      let kept = try SavedSearchStore.list(of: person, in: tx)
      try Self.checkFree(name, among: kept)
      guard kept.count < Self.limits.searches else {
        throw Refusal(
          .conflict, "feedback.search.many",
          Text(
            "最多收藏 \(Self.limits.searches) 个检索，请先删去不用的。",
            "At most \(Self.limits.searches) searches are kept; delete one first."))
      }
      let head = try CatalogSearch.head(in: tx)
      let search = SavedSearch(
        id: .make(at: now), person: person, name: name, query: CatalogQuery(encoded: query.encoded), isPaused: false,
        seenTo: head, toldTo: head,
        madeAt: now)
      try SavedSearchStore.insert(search, in: tx)
      return search
    }
  }

  package func savedSearches(of principal: Principal) async throws -> [SearchNews] {
    let person = try owner(principal)
    return try await database.read { tx in
      try SavedSearchStore.list(of: person, in: tx).map { try news(of: $0, in: tx) }
    }
  }

  package func savedSearch(_ id: SavedSearchID, of principal: Principal) async throws -> SearchNews {
    let person = try owner(principal)
    return try await database.read { tx in
      guard let search = try SavedSearchStore.find(id, of: person, in: tx) else { throw Self.noSearch }
      return try news(of: search, in: tx)
    }
  }

  /// What its owner does with a saved search.
  package enum SearchStep: Hashable, Sendable {
    /// Puts away what was shown: everything up to this place, and what was withdrawn by now.
    case seen(to: Int)
    case pause, resume, delete
    case rename(String)
  }

  package func change(_ id: SavedSearchID, _ step: SearchStep, by principal: Principal) async throws {
    let person = try owner(principal)
    if case .rename(let name) = step { try Self.checkName(name) }
    let now = clock.now()
    try await database.write { tx -> Void in
      guard var search = try SavedSearchStore.find(id, of: person, in: tx) else { throw Self.noSearch }
      switch step {
      case .seen(let place):
        // What came since the page was shown stays new.
        search.seenTo = max(search.seenTo, min(place, try CatalogSearch.head(in: tx)))
        search.toldTo = max(search.toldTo, search.seenTo)
        try SavedSearchStore.forgetLosses(of: id, until: now, in: tx)
        try Inbox.retract(Self.digest, about: ("search", id.text), of: person, in: tx)
      case .pause: search.isPaused = true
      case .resume: search.isPaused = false
      case .delete:
        try Inbox.retract(Self.digest, about: ("search", id.text), of: person, in: tx)
        try SavedSearchStore.delete(id, in: tx)
        return
      case .rename(let name):
        try Self.checkFree(name, among: try SavedSearchStore.list(of: person, in: tx).filter { $0.id != id })
        search.name = name
      }
      try SavedSearchStore.update(search, in: tx)
    }
  }

  // MARK: - Parts

  static let digest = "search.news"
  private static let noSearch = Refusal.notFound(Text("收藏的检索", "saved search"))

  /// The person whose searches they are; a deputy keeps his own.
  private func owner(_ principal: Principal) throws -> PersonID {
    try principal.require(.readCatalog)
    guard let person = principal.person else { throw Refusal.forbidden(.readCatalog) }
    return person
  }

  func news(of search: SavedSearch, in tx: any Transaction) throws -> SearchNews {
    let found = try CatalogSearch.news(
      matching: search.query, above: search.seenTo, limit: SearchNews.most + 1, in: tx)
    return SearchNews(
      search: search, entries: Array(found.prefix(SearchNews.most)), hasMore: found.count > SearchNews.most,
      losses: try SavedSearchStore.losses(of: search.id, limit: SearchNews.most, in: tx).filter {
        // What came back is no loss.
        try !CatalogStore.isInForce($0.resource, in: tx)
      },
      providerName: try search.query.provider.flatMap { try OrganisationStore.find($0, in: tx)?.name },
      head: try CatalogSearch.head(in: tx))
  }

  private static func checkName(_ name: String) throws {
    if let wrong = PlainText.wrongName(name, lengths: 1...limits.searchName) {
      throw Refusal.invalid("feedback.search.name", "name", wrong)
    }
  }

  private static func checkFree(_ name: String, among kept: [SavedSearch]) throws {
    guard kept.contains(where: { $0.name == name }) else { return }
    throw Refusal.invalid(
      "feedback.search.taken", "name", Text("已有同名的收藏，请换一个名称。", "You keep a search of this name already."))
  }
}

extension Feedback {
  /// What the office of a filter is called; nil when there is no such office, or no filter.
  func officeName(_ id: OrganisationID?) async throws -> String? {
    guard let id else { return nil }
    return try await database.read { tx in try OrganisationStore.find(id, in: tx)?.name }
  }
}
