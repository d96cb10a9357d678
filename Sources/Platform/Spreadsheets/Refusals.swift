import Kernel

extension Refusal {
  /// What is wrong with a whole workbook file.
  static func workbook(_ code: String, _ chinese: String, _ english: String) -> Refusal {
    Refusal(.invalid, "spreadsheet.\(code)", Text(chinese, english))
  }

  /// What is wrong at one place of it.
  static func workbook(_ code: String, at place: CellPlace, _ chinese: String, _ english: String) -> Refusal {
    let place = place.text
    return Refusal(
      .invalid, "spreadsheet.\(code)",
      Text("\(place.chinese)：\(chinese)", "In \(place.english): \(english)"))
  }

  /// What is wrong inside one part of the container, for whoever made the file by a program.
  static func part(_ code: String, _ part: String, line: Int? = nil, _ chinese: String, _ english: String) -> Refusal {
    let (at, atEnglish) = line.map { ("第 \($0) 行", ", line \($0)") } ?? ("", "")
    return Refusal(
      .invalid, "spreadsheet.\(code)",
      Text(
        "工作簿内部的“\(part)”\(at)：\(chinese)请用 Excel 或 WPS 重新另存为 .xlsx。",
        "In the workbook's part “\(part)”\(atEnglish): \(english) Save it again as .xlsx with Excel or WPS."))
  }

  /// Over a bound; the message names it.
  static func tooLarge(_ code: String, _ chinese: String, _ english: String) -> Refusal {
    Refusal(.tooLarge, "spreadsheet.\(code)", Text(chinese, english))
  }

  static func tooLarge(_ code: String, at place: CellPlace, _ chinese: String, _ english: String) -> Refusal {
    let place = place.text
    return .tooLarge(code, "\(place.chinese)：\(chinese)", "In \(place.english): \(english)")
  }
}

/// A number of bytes for people: `64 MiB`.
func sizeText(_ bytes: Int) -> String {
  if bytes >= 1 << 20, bytes % (1 << 20) == 0 { return "\(bytes >> 20) MiB" }
  if bytes >= 1 << 10, bytes % (1 << 10) == 0 { return "\(bytes >> 10) KiB" }
  return "\(bytes) B"
}

/// A name out of somebody's file, short enough for a message and on one line.
func shown(_ text: String, most: Int = 80) -> String {
  let clean = String(
    String.UnicodeScalarView(text.unicodeScalars.prefix(most).map { $0.value < 0x20 || $0.value == 0x7F ? " " : $0 }))
  return text.unicodeScalars.count > most ? clean + "…" : clean
}
