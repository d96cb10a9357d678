internal import Inventory
internal import Kernel

/// Text as the search index keeps it: runs of Chinese as overlapping pairs and their last character, everything else as
/// words. `民政厅 XT63` → `民政 政厅 厅 xt63`. A phrase of pairs then finds exactly what holds the characters in a row,
/// which no dictionary of words can promise.
func searchTokens(_ text: String) -> [String] {
  var tokens: [String] = []
  for run in runs(text) {
    guard run.isChinese else {
      tokens.append(String(run.text.unicodeScalars.prefix(longestWord)))
      continue
    }
    tokens += pairs(Array(run.text.unicodeScalars.map(Character.init)))
  }
  return tokens
}

/// The pinyin initials of each run of Chinese, as pairs like those of the characters: `企业法人` → `qy yf fr r`.
func initialTokens(_ text: String) -> [String] {
  runs(text).filter(\.isChinese).flatMap { pairs($0.text.unicodeScalars.map { Han.initial($0) ?? "0" }) }
}

/// What one typed word asks for.
enum SearchTerm: Hashable, Sendable {
  /// These pairs, one right after the other.
  case phrase([String])
  /// Any token that begins so: a word, a code, or a single Chinese character.
  case prefix(String)
  /// A word, or the pinyin initials of Chinese characters in a row, as pairs.
  case letters(String, initials: [String])
}

/// Every term must be found; at most eight, of a hundred characters in all.
func searchTerms(_ text: String) -> [SearchTerm] {
  var terms: [SearchTerm] = []
  for run in runs(String(text.prefix(100))) where terms.count < 8 {
    let word = String(run.text.unicodeScalars.prefix(longestWord))
    if run.isChinese, run.text.unicodeScalars.count > 1 {
      terms.append(.phrase(searchTokens(run.text).dropLast()))
    } else if !run.isChinese, (2...12).contains(word.utf8.count), word.utf8.allSatisfy({ (97...122).contains($0) }) {
      terms.append(.letters(word, initials: pairs(Array(word)).dropLast()))
    } else {
      terms.append(.prefix(word))
    }
  }
  return terms
}

/// So many characters of a word tell it from others; PostgreSQL takes 2,046 bytes.
private let longestWord = 64

private func pairs(_ characters: [Character]) -> [String] {
  guard let last = characters.last else { return [] }
  return zip(characters, characters.dropFirst()).map { String([$0, $1]) } + [String(last)]
}

private struct Run {
  var text: String
  var isChinese: Bool
}

private func runs(_ text: String) -> [Run] {
  var runs: [Run] = []
  var isOpen = false
  for scalar in foldedForSearch(text).unicodeScalars {
    let chinese = scalar.properties.isIdeographic
    // Bopomofo marks the index's own kinds of tokens (`SearchMark`).
    guard chinese || scalar.properties.isAlphabetic || scalar.properties.numericType != nil,
      !(0x3105...0x312F).contains(scalar.value)
    else {
      isOpen = false
      continue
    }
    if isOpen, runs[runs.count - 1].isChinese == chinese {
      runs[runs.count - 1].text.unicodeScalars.append(scalar)
    } else {
      runs.append(Run(text: String(scalar), isChinese: chinese))
      isOpen = true
    }
  }
  return runs
}
