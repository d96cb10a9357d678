internal import Kernel
internal import Storage

/// What a token of the index is about. Each kind has tokens of its own, marked by a letter that nobody types, so that an
/// index answers for one kind without walking the hits of another.
enum SearchMark: String {
  /// Anywhere in the entry, its name included.
  case anywhere = ""
  case name = "ㄇ"
  case initials = "ㄅ"
  /// A filter's value: `ㄈs2` is sharing type 2.
  case facet = "ㄈ"

  /// What marks its triples, so that what begins with one character is not looked for among them.
  var triples: String {
    switch self {
    case .anywhere: "ㄍ"
    case .name: "ㄋ"
    case .initials: "ㄐ"
    case .facet: rawValue
    }
  }

  /// A term's pair or triples, marked.
  func tokens(of grams: [String]) -> [String] {
    grams.map { ($0.unicodeScalars.count == 3 ? triples : rawValue) + $0 }
  }
}

/// Everything that one entry is found by.
struct SearchDocument {
  /// With their mark; some more than once, like the pairs.
  private(set) var words: [String] = []
  private(set) var pairs: [SearchGram] = []
  /// With where they stand, rising; texts have a gap between them over which no phrase reaches.
  private(set) var triples: [(gram: SearchGram, position: Int)] = []
  /// The filters' values.
  private(set) var facets: [String]
  private var length = 0

  /// So many characters of an entry are searched, and the rest of a text that begins within them.
  static let limit = 16_000
  /// What every entry in force has.
  static let inForce = SearchMark.facet.rawValue

  init(name: String, body: [String], facets: [SearchFacet]) {
    self.facets = [Self.inForce] + facets.compactMap(\.token).map { SearchMark.facet.rawValue + $0 }
    // What a name is found by comes first: it must not be cut off.
    add(SearchGrams(name, .name))
    add(SearchGrams(initialsOf: name))
    for text in [name] + body { add(SearchGrams(text, .anywhere)) }
  }

  private mutating func add(_ grams: SearchGrams) {
    guard length < Self.limit else { return }
    words += grams.words
    pairs += grams.pairs
    for (gram, position) in grams.triples where length + position < Self.limit {
      triples.append((gram, length + position))
    }
    length += grams.length + 1
  }
}

/// One value that entries are filtered by.
enum SearchFacet: Hashable {
  case node(String)
  case provider(OrganisationID)
  case sharingType(String)
  case format(String)
  case cycle(String)
  case isMounted(Bool)
  case freshness(Freshness)

  /// Nil for a value that no entry can have; letters and digits only.
  var token: String? {
    let (kind, value): (String, String) =
      switch self {
      case .node(let code): ("c", code)
      case .provider(let id): ("p", id.text.filter { $0 != "-" })
      case .sharingType(let code): ("s", code)
      case .format(let code): ("f", code)
      case .cycle(let code): ("y", code)
      case .isMounted(let mounted): ("m", mounted ? "1" : "0")
      case .freshness(let freshness): ("u", freshness.rawValue)
      }
    guard !value.isEmpty, value.utf8.allSatisfy({ (48...57).contains($0) || (97...122).contains($0) }) else {
      return nil
    }
    return kind + value
  }
}

extension CatalogQuery {
  /// Nil when a filter has a value that no entry can have.
  var facets: [SearchFacet]? {
    var facets: [SearchFacet] = []
    if let node { facets.append(.node(node)) }
    if let provider { facets.append(.provider(provider)) }
    if let sharingType { facets.append(.sharingType(sharingType)) }
    if let format { facets.append(.format(format)) }
    if let cycle { facets.append(.cycle(cycle)) }
    if let isMounted { facets.append(.isMounted(isMounted)) }
    if let freshness { facets.append(.freshness(freshness)) }
    return facets.allSatisfy { $0.token != nil } ? facets : nil
  }
}

extension CatalogSearch.Condition {
  var facets: [SearchFacet] { [.isMounted(isMounted), .freshness(freshness)] }
  var tokens: [String] { facets.compactMap(\.token).map { SearchMark.facet.rawValue + $0 } }
}
