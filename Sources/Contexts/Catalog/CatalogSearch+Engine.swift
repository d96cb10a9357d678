internal import Storage

/// Which hits are wanted: those that hold every term in the name, the others, or all.
enum SearchTier {
  case name, rest, all
}

// The only part of the search that has no common form: FTS5 on SQLite, tsvector with positions on PostgreSQL. Both keep
// the tokens of `searchTokens` as they are, so both find the same.

extension CatalogSearch {
  /// A SELECT of one column, `place`.
  static func matches(_ terms: [SearchTerm], _ tier: SearchTier, below: Int?, in tx: any Transaction) -> SQL {
    switch tx.engine {
    case .sqlite:
      let all = terms.map(fts5).joined(separator: " AND ")
      let query =
        switch tier {
        case .name: "{name} : (\(all))"
        case .rest: "(\(all)) NOT ({name} : (\(all)))"
        case .all: all
        }
      let bound: SQL = below.map { "AND rowid < \($0)" } ?? ""
      return
        "SELECT rowid AS place FROM catalog_search WHERE catalog_search MATCH \(query) \(bound) ORDER BY rowid DESC"
    case .postgres:
      let query = terms.map(tsquery).joined(separator: " & ")
      let bound: SQL = below.map { "AND place < \($0)" } ?? ""
      let condition: SQL =
        switch tier {
        case .name: "name @@ CAST(\(query) AS tsquery)"
        case .rest: "body @@ CAST(\(query) AS tsquery) AND NOT name @@ CAST(\(query) AS tsquery)"
        case .all: "body @@ CAST(\(query) AS tsquery)"
        }
      return "SELECT place FROM catalog_search WHERE \(condition) \(bound)"
    }
  }

  static func index(_ place: Int, name: [String], body: [String], in tx: any Transaction) throws {
    switch tx.engine {
    case .sqlite:
      try tx.run(
        """
        INSERT INTO catalog_search (rowid, name, body)
        VALUES (\(place), \(name.joined(separator: " ")), \(body.joined(separator: " ")))
        """)
    case .postgres:
      // The body holds the name too, so that terms may be spread over both.
      try tx.run(
        """
        INSERT INTO catalog_search (place, name, body)
        VALUES (\(place), CAST(\(tsvector(name)) AS tsvector), CAST(\(tsvector(name + [""] + body)) AS tsvector))
        """)
    }
  }

  static func unindex(_ place: Int, in tx: any Transaction) throws {
    switch tx.engine {
    case .sqlite: try tx.run("DELETE FROM catalog_search WHERE rowid = \(place)")
    case .postgres: try tx.run("DELETE FROM catalog_search WHERE place = \(place)")
    }
  }

  /// Tokens are letters and digits only (`searchTokens` sees to it), so quoting cannot be broken out of.
  private static func fts5(_ term: SearchTerm) -> String {
    switch term {
    case .phrase(let tokens): "\"" + tokens.joined(separator: " ") + "\""
    case .prefix(let word): "\"" + word + "\" *"
    }
  }

  private static func tsquery(_ term: SearchTerm) -> String {
    switch term {
    case .phrase(let tokens): "(" + tokens.map { "'\($0)'" }.joined(separator: " <-> ") + ")"
    case .prefix(let word): "'\(word)':*"
    }
  }

  /// Tokens with their positions; an empty one leaves a gap, over which no phrase reaches.
  private static func tsvector(_ tokens: [String]) -> String {
    var text = ""
    for (index, token) in tokens.enumerated() where !token.isEmpty {
      if !text.isEmpty { text += " " }
      text += "'\(token)':\(index + 1)"
    }
    return text
  }
}
