/// One piece of work as the logs of all machines know it, by the names of OpenTelemetry (W3C Trace Context): the whole has
/// an id, and so has each part of it that some process does.
package struct Trace: Hashable, Sendable {
  /// 32 hexadecimal digits, not all zero.
  package let id: String
  /// 16 hexadecimal digits, not all zero.
  package let span: String

  /// What is being worked at in this task, and in those it starts.
  @TaskLocal package static var current: Trace?

  /// A part of the work that a UUID names: found again in the logs by the UUID's digits, on whatever machine it went on.
  package init?(work uuid: String) {
    let digits = uuid.filter { $0 != "-" }
    guard Self.isHex(digits, count: 32) else { return nil }
    self.init(id: digits, span: Self.chance())
  }

  /// Work of somebody else's, who says so in the header `traceparent`: `00-<id>-<span>-<flags>`. Nil for anything else.
  package init?(parent header: String) {
    let parts = header.split(separator: "-", omittingEmptySubsequences: false).map(String.init)
    guard parts.count >= 4, Self.isVersion(parts[0], parts.count), Self.isHex(parts[1], count: 32),
      Self.isHex(parts[2], count: 16)
    else { return nil }
    self.init(id: parts[1], span: Self.chance())
  }

  private init(id: String, span: String) {
    self.id = id
    self.span = span
  }

  /// Work that begins here.
  package static func make() -> Trace { Trace(id: chance() + chance(), span: chance()) }

  /// Later versions may have more parts, the first has none.
  private static func isVersion(_ text: String, _ parts: Int) -> Bool {
    text.utf8.count == 2 && text.utf8.allSatisfy(isHexDigit) && text != "ff" && (text != "00" || parts == 4)
  }

  private static func isHex(_ text: String, count: Int) -> Bool {
    text.utf8.count == count && text.utf8.allSatisfy(isHexDigit) && text.utf8.contains { $0 != UInt8(ascii: "0") }
  }

  private static func isHexDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
  }

  private static func chance() -> String {
    let digits = String(UInt64.random(in: 1...UInt64.max), radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}
