internal import Storage

/// Which hits are wanted: those that hold every term in the name, the others, or all.
enum SearchTier {
  case name, rest, all
}

// The only part of the search that has no common form: FTS5 on SQLite, tsvector with positions on PostgreSQL. Both keep
// the tokens of `SearchDocument` as they are, so both find the same.

extension CatalogSearch {
  /// A SELECT of one column, `place`, in falling order where the engine gives that for nothing.
  static func matches(
    _ terms: [SearchTerm], _ facets: [SearchFacet], _ tier: SearchTier, below: Int?, in tx: any Transaction
  ) -> SQL {
    let bound = below ?? Int(Int64.max)
    switch tx.engine {
    case .sqlite:
      return """
        SELECT rowid AS place FROM catalog_search
        WHERE catalog_search MATCH \(expression(terms, facets, tier, .fts5)) AND rowid < \(bound) ORDER BY rowid DESC
        """
    case .postgres:
      return """
        SELECT place FROM catalog_search
        WHERE tokens @@ CAST(\(expression(terms, facets, tier, .tsquery)) AS tsquery) AND place < \(bound)
        """
    }
  }

  /// The places that a SELECT of them answers, in one value: ten thousand rows would cost more than finding them.
  static func places(_ select: SQL, in tx: any Transaction) throws -> [Int] {
    let packed: SQL =
      switch tx.engine {
      case .sqlite: "SELECT group_concat(place) FROM (\(select)) h"
      case .postgres: "SELECT string_agg(CAST(place AS TEXT), ',') FROM (\(select)) h"
      }
    guard var text = try tx.text(packed) else { return [] }
    return text.withUTF8 { bytes in
      var places: [Int] = []
      var place = 0
      for byte in bytes {
        if byte == UInt8(ascii: ",") {
          places.append(place)
          place = 0
        } else {
          place = place * 10 + Int(byte - UInt8(ascii: "0"))
        }
      }
      places.append(place)
      return places
    }
  }

  static func index(_ place: Int, _ document: SearchDocument, in tx: any Transaction) throws {
    switch tx.engine {
    case .sqlite:
      // A gap is a word that nobody can ask for.
      let text = document.tokens.map { $0 ?? SearchMark.facet.rawValue }.joined(separator: " ")
      try tx.run("INSERT INTO catalog_search (rowid, tokens) VALUES (\(place), \(text))")
    case .postgres:
      var text = ""
      for (index, token) in document.tokens.enumerated() {
        if let token { text += "'\(token)':\(index + 1) " }
      }
      try tx.run("INSERT INTO catalog_search (place, tokens) VALUES (\(place), CAST(\(text) AS tsvector))")
    }
  }

  /// Exchanges the tokens of what was measured.
  static func reindex(
    _ id: ResourceID, from before: Condition, to after: Condition, in tx: any Transaction
  ) throws {
    guard let place = try tx.int("SELECT place FROM catalog_entry WHERE resource = \(id)") else { return }
    let gone = before.facets.compactMap(\.token).map { SearchMark.facet.rawValue + $0 }
    let come = after.facets.compactMap(\.token).map { SearchMark.facet.rawValue + $0 }
    switch tx.engine {
    case .sqlite:
      guard let text = try tx.text("SELECT tokens FROM catalog_search WHERE rowid = \(place)") else { return }
      let changed = text.split(separator: " ").map { token in
        gone.firstIndex(of: String(token)).map { come[$0] } ?? String(token)
      }
      try tx.run("UPDATE catalog_search SET tokens = \(changed.joined(separator: " ")) WHERE rowid = \(place)")
    case .postgres:
      // Filters stand in no phrase, so theirs may be the last positions.
      try tx.run(
        """
        UPDATE catalog_search SET tokens = ts_delete(tokens, string_to_array(\(gone.joined(separator: " ")), ' '))
          || CAST(\(come.map { "'\($0)':1" }.joined(separator: " ")) AS tsvector)
        WHERE place = \(place)
        """)
    }
  }

  static func unindex(_ place: Int, in tx: any Transaction) throws {
    switch tx.engine {
    case .sqlite: try tx.run("DELETE FROM catalog_search WHERE rowid = \(place)")
    case .postgres: try tx.run("DELETE FROM catalog_search WHERE place = \(place)")
    }
  }

  /// How an engine spells a question. Tokens are letters and digits only, so quoting cannot be broken out of.
  private struct Spelling {
    var and: String
    var or: String
    var not: String
    var phrase: @Sendable ([String]) -> String
    var prefix: @Sendable (String) -> String

    static let fts5 = Spelling(
      and: " AND ", or: " OR ", not: " NOT ", phrase: { "\"" + $0.joined(separator: " ") + "\"" },
      prefix: { "\"\($0)\" *" })
    static let tsquery = Spelling(
      and: " & ", or: " | ", not: " & !",
      phrase: { "(" + $0.map { "'\($0)'" }.joined(separator: " <-> ") + ")" }, prefix: { "'\($0)':*" })
  }

  private static func expression(
    _ terms: [SearchTerm], _ facets: [SearchFacet], _ tier: SearchTier, _ spelling: Spelling
  ) -> String {
    let filters = facets.compactMap(\.token).map { spelling.phrase([SearchMark.facet.rawValue + $0]) }
    func all(_ mark: SearchMark) -> String {
      "(" + (filters + terms.map { term($0, mark, spelling) }).joined(separator: spelling.and) + ")"
    }
    return switch tier {
    case .name: all(.name)
    case .rest: all(.anywhere) + spelling.not + all(.name)
    case .all: all(.anywhere)
    }
  }

  private static func term(_ term: SearchTerm, _ mark: SearchMark, _ spelling: Spelling) -> String {
    switch term {
    case .phrase(let tokens): spelling.phrase(tokens.map { mark.rawValue + $0 })
    case .prefix(let word): spelling.prefix(mark.rawValue + word)
    case .letters(let word, let initials):
      "(" + spelling.prefix(mark.rawValue + word) + spelling.or
        + spelling.phrase(initials.map { SearchMark.initials.rawValue + $0 }) + ")"
    }
  }
}
