internal import Inventory
internal import Kernel

/// What a text is found by: runs of Chinese as overlapping pairs and triples of characters and their last character,
/// everything else as words. `民政厅 XT63` → `民政 政厅 厅 xt63` and `民政厅`. Two characters are one pair, three one triple,
/// and triples one right after the other are exactly what holds their characters in a row, which no dictionary of words
/// can promise.
struct SearchGrams {
  /// With their mark.
  private(set) var words: [String] = []
  /// Pairs and last characters; where they stand is not kept.
  private(set) var pairs: [SearchGram] = []
  /// Each with where it begins, counted in characters; rising. None reaches over a run's end.
  private(set) var triples: [(gram: SearchGram, position: Int)] = []
  /// A word counts as one character.
  private(set) var length = 0

  init(_ text: String, _ mark: SearchMark) {
    for run in runs(text) {
      if run.isChinese {
        add(run.scalars, mark)
      } else {
        words.append(mark.rawValue + word(run.scalars.prefix(longestWord)))
        length += 1
      }
    }
  }

  /// The pinyin initials of each run of Chinese, cut like its characters: `企业法人` → `qy yf fr r` and `qyf yfr`.
  init(initialsOf text: String) {
    for run in runs(text) where run.isChinese {
      add(Han.initials(run.scalars[...]).map { $0 ?? "0" }, .initials)
    }
  }

  private mutating func add(_ run: [Unicode.Scalar], _ mark: SearchMark) {
    for at in run.indices {
      pairs.append(SearchGram(mark, run[at..<min(at + 2, run.count)]))
      if at + 2 < run.count { triples.append((SearchGram(mark, run[at..<at + 3]), length + at)) }
    }
    length += run.count
  }
}

private func word(_ part: ArraySlice<Unicode.Scalar>) -> String {
  var word = ""
  word.unicodeScalars.append(contentsOf: part)
  return word
}

/// What one typed word asks for.
enum SearchTerm: Hashable, Sendable {
  /// One pair, or these triples one right after the other.
  case phrase([String])
  /// Any token that begins so: a word, a code, or a single Chinese character.
  case prefix(String)
  /// A word, or the pinyin initials of Chinese characters in a row: one pair, or triples.
  case letters(String, initials: [String])
}

/// Every term must be found; at most eight, of a hundred characters in all.
func searchTerms(_ text: String) -> [SearchTerm] {
  var terms: [SearchTerm] = []
  for run in runs(String(text.prefix(100))) where terms.count < 8 {
    let word = word(run.scalars.prefix(longestWord))
    if run.isChinese, run.scalars.count > 1 {
      terms.append(.phrase(phrase(run.scalars)))
    } else if !run.isChinese, (2...12).contains(word.utf8.count), word.utf8.allSatisfy({ (97...122).contains($0) }) {
      terms.append(.letters(word, initials: phrase(run.scalars)))
    } else {
      terms.append(.prefix(word))
    }
  }
  return terms
}

private func phrase(_ characters: [Unicode.Scalar]) -> [String] {
  guard characters.count > 2 else { return [word(characters[...])] }
  return (0...characters.count - 3).map { word(characters[$0..<$0 + 3]) }
}

/// So many characters of a word tell it from others; PostgreSQL takes 2,046 bytes.
private let longestWord = 64

private struct Run {
  var scalars: [Unicode.Scalar]
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
      runs[runs.count - 1].scalars.append(scalar)
    } else {
      runs.append(Run(scalars: [scalar], isChinese: chinese))
      isOpen = true
    }
  }
  return runs
}
