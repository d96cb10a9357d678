package import Kernel

/// What settings of several kinds of source have in common.
package enum SettingRules {
  /// What a zone means that was left empty: China's time, in seconds east of UTC.
  package static let usualZone = 28_800

  /// What is wrong with a written zone (`+08:00`); nil when nothing is, or when it was left empty.
  package static func zoneFault(_ written: String) -> Text? {
    written.isEmpty || WrittenTime.zone(written) != nil ? nil : Text("时区应写作 +08:00。", "Write the zone as +08:00.")
  }

  /// Headers of requests, one a line (`Name: value`), without the blanks around them and without empty lines; nil where a
  /// line is none, or where there are more than 32.
  package static func headers(_ written: String) -> [String]? {
    let lines = written.split(whereSeparator: \.isNewline).map { line in
      String(line.drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
    }.filter { !$0.isEmpty }
    let isGood = lines.allSatisfy { line in
      guard let colon = line.firstIndex(of: ":") else { return false }
      let isName = line[..<colon].utf8.allSatisfy {
        (0x30...0x39).contains($0) || (0x41...0x5A).contains($0 & 0xDF) || $0 == UInt8(ascii: "-")
          || $0 == UInt8(ascii: "_")
      }
      let isValue = line[colon...].utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
      return colon != line.startIndex && isName && isValue && line.utf8.count <= 8192
    }
    return isGood && lines.count <= 32 ? lines : nil
  }

  package static let headersFault = Text("每行应写作 名称: 值，不超过 32 行。", "Write each line as Name: value, 32 at most.")

  /// A name or an address of one machine, and nothing else that a database's client would read into it: no list, no address
  /// of a plugin, no string of options.
  package static func isHost(_ host: String) -> Bool {
    (1...253).contains(host.utf8.count)
      && host.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"):
          true
        case UInt8(ascii: ":"): host.utf8.count { $0 == UInt8(ascii: ":") } >= 2
        default: false
        }
      }
  }
}
