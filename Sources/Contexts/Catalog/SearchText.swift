internal import Inventory

/// Text as the search index keeps it: runs of Chinese as overlapping pairs and their last character, everything else as
/// words. `民政厅 XT63` → `民政 政厅 厅 xt63`. A phrase of pairs then finds exactly what holds the characters in a row,
/// which no dictionary of words can promise.
func searchTokens(_ text: String) -> [String] {
  var tokens: [String] = []
  for run in runs(text) {
    guard run.isChinese else {
      tokens.append(run.text)
      continue
    }
    let characters = Array(run.text.unicodeScalars)
    for index in 0..<(characters.count - 1) {
      tokens.append(String(characters[index]) + String(characters[index + 1]))
    }
    tokens.append(String(characters[characters.count - 1]))
  }
  return tokens
}

/// What one typed word asks for.
enum SearchTerm: Hashable, Sendable {
  /// These pairs, one right after the other.
  case phrase([String])
  /// Any token that begins so: a word, a code, or a single Chinese character.
  case prefix(String)
}

/// Every term must be found; at most eight, of a hundred characters in all.
func searchTerms(_ text: String) -> [SearchTerm] {
  var terms: [SearchTerm] = []
  for run in runs(String(text.prefix(100))) where terms.count < 8 {
    if run.isChinese, run.text.unicodeScalars.count > 1 {
      terms.append(.phrase(searchTokens(run.text).dropLast()))
    } else {
      terms.append(.prefix(run.text))
    }
  }
  return terms
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
    guard chinese || scalar.properties.isAlphabetic || scalar.properties.numericType != nil else {
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
