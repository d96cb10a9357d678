/// 信息资源代码: the classification node that prefixes it, "/", and a running number of six digits or more.
///
/// Given once by the platform, never changed with the content and never given again.
package struct ResourceCode: Hashable, Comparable, Sendable {
  /// A node of the classification: `3070120337`.
  package let node: String
  package let number: Int

  package init(node: String, number: Int) {
    self.node = node
    self.number = number
  }

  /// Reads `3070120337/000017`; nil unless node and number have the guide's form. Whether the node exists is the
  /// classification's to say.
  package init?(_ text: some StringProtocol) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let first = parts[0].utf8.first, (UInt8(ascii: "1")...UInt8(ascii: "3")).contains(first),
      parts[0].utf8.count <= 24, parts[0].utf8.allSatisfy(isDigit), (6...12).contains(parts[1].utf8.count),
      parts[1].utf8.allSatisfy(isDigit), let number = Int(parts[1]), number > 0,
      parts[1].utf8.count == 6 || parts[1].utf8.first != UInt8(ascii: "0")
    else { return nil }
    node = String(parts[0])
    self.number = number
  }

  package static func < (a: ResourceCode, b: ResourceCode) -> Bool { (a.node, a.number) < (b.node, b.number) }
}

extension ResourceCode: CustomStringConvertible {
  package var description: String {
    let digits = String(number)
    return "\(node)/" + String(repeating: "0", count: max(0, 6 - digits.count)) + digits
  }
}

private func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
