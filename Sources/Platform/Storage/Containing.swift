extension SQL {
  /// Whether a column holds a text anywhere, as it is: `%` and `_` mean themselves. Case is minded, alike on both engines; of
  /// the text at most 100 characters count, and NUL, which no column holds, is left out.
  package static func contains(_ column: SQL, _ text: String) -> SQL {
    var pattern = "%"
    for scalar in text.unicodeScalars.prefix(100) where scalar != "\0" {
      if ["!", "%", "_"].contains(scalar) { pattern.unicodeScalars.append("!") }
      pattern.unicodeScalars.append(scalar)
    }
    return "\(column) LIKE \(pattern + "%") ESCAPE '!'"
  }
}
