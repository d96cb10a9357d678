internal import Kernel

/// Text as the search boxes compare it: full-width forms narrowed, letters in lower case, traditional characters made
/// simplified ones, runs of blanks made one.
package func foldedForSearch(_ text: String) -> String {
  var folded = ""
  folded.reserveCapacity(text.utf8.count)
  var blank = true
  for scalar in text.unicodeScalars {
    var scalar = scalar
    if (0xFF01...0xFF5E).contains(scalar.value), let narrow = Unicode.Scalar(scalar.value - 0xFEE0) { scalar = narrow }
    if scalar.properties.isWhitespace {
      if !blank { folded.append(" ") }
      blank = true
      continue
    }
    blank = false
    if scalar.value < 0x3000 {
      folded += scalar.properties.lowercaseMapping
    } else {
      folded.unicodeScalars.append(Han.simplified(scalar))
    }
  }
  if folded.hasSuffix(" ") { folded.removeLast() }
  return folded
}
