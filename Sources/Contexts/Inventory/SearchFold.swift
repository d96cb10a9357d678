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
    if isBlank(scalar) {
      if !blank { folded.append(" ") }
      blank = true
      continue
    }
    blank = false
    if scalar.value < 0x80 {
      let isCapital = (0x41...0x5A).contains(scalar.value)
      folded.unicodeScalars.append(isCapital ? Unicode.Scalar(UInt8(scalar.value) + 0x20) : scalar)
    } else if scalar.value < 0x3000 {
      folded += scalar.properties.lowercaseMapping
    } else {
      folded.unicodeScalars.append(Han.simplified(scalar))
    }
  }
  if folded.utf8.last == UInt8(ascii: " ") { folded.unicodeScalars.removeLast() }
  return folded
}

/// White space (UAX #44), of which the ideographic space comes last.
private func isBlank(_ scalar: Unicode.Scalar) -> Bool {
  switch scalar.value {
  case 0..<0x80: scalar == " " || (0x09...0x0D).contains(scalar.value)
  case 0x80...0x3000: scalar.properties.isWhitespace
  default: false
  }
}
