import Connecting
import Glibc

/// A place in JSON: a pointer of RFC 6901 (`/data/list/0`), the empty one for the whole, or a plain name for one member
/// of an object.
package struct JSONPointer: Hashable, Sendable {
  package let tokens: [[UInt8]]

  /// The members of that name.
  package init(name: String) { tokens = [Array(name.utf8)] }

  /// Nil for what is neither empty nor begins with a slash, and for a tilde that is not `~0` or `~1`.
  package init?(_ text: String) {
    guard text.isEmpty || text.hasPrefix("/"), text.utf8.count <= 1024 else { return nil }
    var tokens: [[UInt8]] = []
    for part in text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).dropFirst() {
      var token: [UInt8] = []
      var rest = part
      while let byte = rest.popFirst() {
        guard byte == UInt8(ascii: "~") else {
          token.append(byte)
          continue
        }
        switch rest.popFirst() {
        case UInt8(ascii: "0"): token.append(UInt8(ascii: "~"))
        case UInt8(ascii: "1"): token.append(UInt8(ascii: "/"))
        default: return nil
        }
      }
      tokens.append(token)
    }
    self.tokens = tokens
  }

  /// What stands there in `value`, nil for nothing. Of a name that stands twice the first is meant.
  package func find(
    in value: JSONValue, _ bytes: UnsafeRawBufferPointer, from: Int = 0, _ text: JSONText
  ) throws(JSONFault) -> JSONValue? {
    var found = value
    for token in tokens.dropFirst(from) {
      var scan = JSONScan(bytes)
      scan.at = found.range.lowerBound
      var next: JSONValue?
      switch found.kind {
      case .object:
        try scan.members { name, value throws(JSONFault) in
          guard Self.spells(name, token, bytes, text) else { return true }
          next = value
          return false
        }
      case .array:
        guard let place = Int(String(decoding: token, as: UTF8.self)), place >= 0 else { return nil }
        var count = 0
        try scan.elements { value throws(JSONFault) in
          if count == place { next = value }
          count += 1
          return next == nil
        }
      default: return nil
      }
      guard let next else { return nil }
      found = next
    }
    return found
  }

  static func spells(_ name: JSONValue, _ token: [UInt8], _ bytes: UnsafeRawBufferPointer, _ text: JSONText) -> Bool {
    guard name.isEscaped else {
      guard name.range.count == token.count, let base = bytes.baseAddress else { return false }
      return memcmp(base + name.range.lowerBound, token, token.count) == 0
    }
    let (written, fault) = text.text(of: name, in: bytes)
    return fault == nil && written.elementsEqual(token)
  }
}
