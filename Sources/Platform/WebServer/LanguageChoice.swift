import Kernel

extension Language {
  /// The language of an answer: what the address asks for, what was chosen before, what the browser prefers; Chinese
  /// otherwise.
  static func choose(query: String?, cookie: String?, accept: String?) -> Language {
    query.flatMap(Language.init(tag:)) ?? cookie.flatMap(Language.init(tag:)) ?? accept.flatMap(preferred) ?? .chinese
  }

  init?(tag: String) {
    switch tag.lowercased().prefix(while: { $0 != "-" && $0 != "_" }) {
    case "zh": self = .chinese
    case "en": self = .english
    default: return nil
    }
  }

  /// The best of ours in an `Accept-Language` header; nil when it names neither.
  private static func preferred(_ header: String) -> Language? {
    var best: (language: Language, weight: Double)?
    for item in header.prefix(500).split(separator: ",") {
      let parts = item.split(separator: ";").map { $0.filter { $0 != " " } }
      guard let language = parts.first.flatMap(Language.init(tag:)) else { continue }
      let weight = parts.dropFirst().first { $0.hasPrefix("q=") }.map { Double($0.dropFirst(2)) ?? 0 } ?? 1
      if weight > 0, weight > best?.weight ?? 0 { best = (language, weight) }
    }
    return best?.language
  }
}
