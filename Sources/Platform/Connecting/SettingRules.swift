package import Kernel

/// What settings of several kinds of source have in common.
package enum SettingRules {
  /// What a zone means that was left empty: China's time, in seconds east of UTC.
  package static let usualZone = 28_800

  /// What is wrong with a written zone (`+08:00`); nil when nothing is, or when it was left empty.
  package static func zoneFault(_ written: String) -> Text? {
    written.isEmpty || WrittenTime.zone(written) != nil ? nil : Text("时区应写作 +08:00。", "Write the zone as +08:00.")
  }

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
