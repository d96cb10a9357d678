/// A pattern of file names, as `orders-*.csv`: a star stands for any characters, a question mark for one.
struct NamePattern: Hashable, Sendable {
  let text: String
  private let scalars: [Unicode.Scalar]

  /// Nil for what can be no file's name.
  init?(_ text: String) {
    guard !text.isEmpty, text.utf8.count <= 200, !text.hasPrefix("."),
      !text.unicodeScalars.contains(where: { $0.value < 0x20 || $0 == "/" || $0 == "\\" || $0.value == 0x7F })
    else { return nil }
    self.text = text
    scalars = Array(text.unicodeScalars)
  }

  /// What its table is called: the pattern without its ending, its stars and what joined them: `orders`. Of a pattern
  /// that leaves nothing, the pattern itself.
  var stem: String {
    var name = Substring(text)
    if let dot = name.lastIndex(of: "."), dot > name.startIndex { name = name[..<dot] }
    let kept = String(name.filter { $0 != "*" && $0 != "?" })
    let joints: Set<Character> = ["-", "_", ".", " "]
    let stem = kept.drop { joints.contains($0) }.reversed().drop { joints.contains($0) }.reversed()
    return stem.isEmpty ? text : String(stem)
  }

  func matches(_ name: String) -> Bool {
    let name = Array(name.unicodeScalars)
    var (at, place) = (0, 0)
    var star: (pattern: Int, name: Int)?
    while at < name.count {
      if place < scalars.count, scalars[place] == "*" {
        star = (place, at)
        place += 1
      } else if place < scalars.count, scalars[place] == "?" || scalars[place] == name[at] {
        place += 1
        at += 1
      } else if let last = star {
        // The last star takes one more.
        place = last.pattern + 1
        at = last.name + 1
        star = (last.pattern, at)
      } else {
        return false
      }
    }
    return scalars[place...].allSatisfy { $0 == "*" }
  }
}
