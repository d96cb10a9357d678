package import Kernel
internal import Inventory

/// A class of the national tree that an entry may belong to, with the words it shares with the entry: a suggestion for a
/// person to take or leave, never set by itself.
package struct ClassSuggestion: Hashable, Sendable {
  package var code: String
  /// From the class down to the node.
  package var title: String
  /// What the node's name and the entry have in common.
  package var shared: [String]
  /// 0 to 1: how much of the node's name the entry says, rare pairs of characters counting more.
  package var share: Double

  /// `与名称、信息项共有“企业”“法人”`
  package var why: Text {
    let chinese = shared.map { "“\($0)”" }.joined()
    let english = shared.map { "“\($0)”" }.joined(separator: ", ")
    return Text("名称或信息项中有\(chinese)", "name or items have \(english)")
  }
}

extension Classification {
  /// Less of a node's name than this is chance.
  private static let least = 0.6

  /// Base and thematic nodes whose names overlap most with these texts, by pairs of neighbouring characters. What a
  /// department's own node is follows from the department and is not guessed.
  package func suggestions(for texts: [String], limit: Int = 3) -> [ClassSuggestion] {
    let said = Set(texts.flatMap { pairs(of: $0) })
    guard !said.isEmpty else { return [] }
    let names = suggestible
    return names.compactMap { node -> ClassSuggestion? in
      let pairs = pairs(of: node.name)
      let weight = pairs.reduce(0) { $0 + rarity($1) }
      let shared = pairs.filter(said.contains)
      // One common pair, such as 信息 or 管理, is in everything.
      guard shared.count >= 2 || shared.count == pairs.count, weight > 0 else { return nil }
      let share = shared.reduce(0) { $0 + rarity($1) } / weight
      guard share >= Self.least else { return nil }
      return ClassSuggestion(code: node.code, title: title(of: node.code), shared: joined(shared), share: share)
    }
    .sorted { ($1.share, $0.code.count, $0.code) < ($0.share, $1.code.count, $1.code) }
    .prefix(limit).map { $0 }
  }

  /// Pairs that stand in many names say little.
  private func rarity(_ pair: String) -> Double { 1 / Double(pairCounts[pair] ?? 1) }

  /// 企业法 and 业法 become one word again.
  private func joined(_ pairs: [String]) -> [String] {
    pairs.reduce(into: [String]()) { words, pair in
      if let last = words.last, last.last == pair.first {
        words[words.count - 1] = last + pair.dropFirst()
      } else {
        words.append(pair)
      }
    }
  }
}

/// Neighbouring Han characters, folded as search folds them, in their order and each once.
func pairs(of text: String) -> [String] {
  let characters = Array(foldedForSearch(text))
  var seen: Set<String> = []
  return zip(characters, characters.dropFirst()).compactMap { first, second in
    guard first.unicodeScalars.allSatisfy(\.properties.isIdeographic),
      second.unicodeScalars.allSatisfy(\.properties.isIdeographic)
    else { return nil }
    let pair = String([first, second])
    return seen.insert(pair).inserted ? pair : nil
  }
}
