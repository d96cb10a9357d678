/// What a number format shows, as far as it tells dates and times from numbers (ECMA-376 part 1, 18.8.30 and 18.8.31).
enum NumberFormat: UInt8, Sendable {
  case number, date, time, dateTime
  /// `[h]:mm`: a length of time, which may be longer than a day.
  case elapsed

  /// The formats that files name by number only. Those from 27 to 58 differ by country; these are China's.
  init(builtIn id: Int) {
    switch id {
    case 14...17, 27...31, 36, 50...54, 57, 58: self = .date
    case 18...21, 32...35, 45, 47, 55, 56: self = .time
    case 22: self = .dateTime
    case 46: self = .elapsed
    default: self = .number
    }
  }

  /// Reads a format's code: `yyyy"年"m"月"d"日"`, `[$-804]h:mm;@`, `#,##0.00_ ;[Red]-#,##0.00`. Its first section speaks
  /// for it. Texts in quotes, escaped characters, colours, countries and conditions in brackets say nothing.
  init(code: String) {
    var letters: [Character] = []
    var isElapsed = false
    var rest = Array(code)[...]
    scan: while let character = rest.popFirst() {
      switch character {
      case ";": break scan
      case "\"":
        while let quoted = rest.popFirst(), quoted != "\"" {}
      case "\\", "_", "*": _ = rest.popFirst()
      case "[":
        var inside = ""
        while let bracketed = rest.popFirst(), bracketed != "]" { inside.append(bracketed) }
        if ["h", "hh", "m", "mm", "s", "ss"].contains(inside.lowercased()) { isElapsed = true }
      default: letters.append(character)
      }
    }
    var plain = String(letters).lowercased()
    // Words whose letters are no placeholders: “general” in two languages, and the halves of a day.
    if plain.contains("general") || plain.contains("通用格式") {
      self = .number
      return
    }
    var hasTime = false
    for word in ["am/pm", "a/p", "上午/下午"] {
      let parts = plain.split(separator: word, omittingEmptySubsequences: false)
      if parts.count > 1 { hasTime = true }
      plain = parts.joined()
    }
    if isElapsed {
      self = .elapsed
      return
    }
    var (hasDate, hasMonthOrMinute) = (false, false)
    var previous: Character = " "
    for character in plain {
      switch character {
      case "y", "d", "b", "a": hasDate = true
      // `0.00E+00` is a number in powers of ten; another e is a year of an era.
      case "e": if !"0#?".contains(previous) { hasDate = true }
      case "g": hasDate = true
      case "h", "s": hasTime = true
      case "m": hasMonthOrMinute = true
      default: break
      }
      previous = character
    }
    if hasMonthOrMinute, !hasTime { hasDate = true }
    self = hasDate ? (hasTime ? .dateTime : .date) : hasTime ? .time : .number
  }
}
