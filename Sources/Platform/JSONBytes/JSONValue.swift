import Glibc

/// Where a value stands in a text of JSON (RFC 8259): nothing is copied, a number stays as it is written.
package struct JSONValue: Hashable, Sendable {
  package enum Kind: Hashable, Sendable { case object, array, string, number, yes, no, null }

  package var kind: Kind
  /// With the brackets of an object or array, without the quotes of a string.
  package var range: Range<Int>
  /// A string with a backslash in it.
  package var isEscaped = false
}

/// Why a text is no JSON, and at which of its bytes.
package struct JSONFault: Error, Hashable, Sendable {
  package enum Reason: Hashable, Sendable { case syntax, depth, end }

  package var reason: Reason
  package var at: Int
}

/// One pass over JSON in memory, value by value.
///
/// The grammar is held to exactly (no comments, no trailing commas, no bare words, no leading noughts); what is inside
/// strings is looked at only when one is taken out (`JSONText`), so that one bad text costs one field and not its record.
package struct JSONScan {
  /// Objects and arrays within one another.
  package static let deepest = 64

  package let bytes: UnsafeRawBufferPointer
  package var at = 0

  package init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  /// The text's only value.
  package static func whole(_ bytes: UnsafeRawBufferPointer) throws(JSONFault) -> JSONValue {
    var scan = JSONScan(bytes)
    let value = try scan.value()
    scan.skipBlanks()
    guard scan.at == bytes.count else { throw JSONFault(reason: .syntax, at: scan.at) }
    return value
  }

  /// The value that begins at `at` or after blanks there; goes behind it.
  package mutating func value(depth: Int = 0) throws(JSONFault) -> JSONValue {
    skipBlanks()
    let start = at
    switch try byte() {
    case UInt8(ascii: "{"):
      try members(depth) { _, _ in true }
      return JSONValue(kind: .object, range: start..<at)
    case UInt8(ascii: "["):
      try elements(depth) { _ in true }
      return JSONValue(kind: .array, range: start..<at)
    case UInt8(ascii: "\""): return try string()
    case UInt8(ascii: "t"): return try word("true", .yes)
    case UInt8(ascii: "f"): return try word("false", .no)
    case UInt8(ascii: "n"): return try word("null", .null)
    default: return try number()
    }
  }

  /// Hands the members of the object that begins at `at` to `body` until it answers false.
  package mutating func members(
    _ depth: Int = 0, _ body: (_ name: JSONValue, _ value: JSONValue) throws(JSONFault) -> Bool
  ) throws(JSONFault) {
    guard depth < Self.deepest else { throw JSONFault(reason: .depth, at: at) }
    at += 1
    skipBlanks()
    if try byte() == UInt8(ascii: "}") {
      at += 1
      return
    }
    while true {
      skipBlanks()
      guard try byte() == UInt8(ascii: "\"") else { throw JSONFault(reason: .syntax, at: at) }
      let name = try string()
      skipBlanks()
      guard try byte() == UInt8(ascii: ":") else { throw JSONFault(reason: .syntax, at: at) }
      at += 1
      let value = try value(depth: depth + 1)
      guard try body(name, value) else { return }
      if try ends(with: UInt8(ascii: "}")) { return }
    }
  }

  /// Hands the elements of the array that begins at `at` to `body` until it answers false.
  package mutating func elements(
    _ depth: Int = 0, _ body: (JSONValue) throws(JSONFault) -> Bool
  ) throws(JSONFault) {
    guard depth < Self.deepest else { throw JSONFault(reason: .depth, at: at) }
    at += 1
    skipBlanks()
    if try byte() == UInt8(ascii: "]") {
      at += 1
      return
    }
    while true {
      let value = try value(depth: depth + 1)
      guard try body(value) else { return }
      if try ends(with: UInt8(ascii: "]")) { return }
    }
  }

  /// Behind a comma, or behind the bracket that ends it all.
  private mutating func ends(with bracket: UInt8) throws(JSONFault) -> Bool {
    skipBlanks()
    let mark = try byte()
    guard mark == bracket || mark == UInt8(ascii: ",") else { throw JSONFault(reason: .syntax, at: at) }
    at += 1
    return mark == bracket
  }

  private mutating func string() throws(JSONFault) -> JSONValue {
    at += 1
    let start = at
    var isEscaped = false
    while let quote = find(UInt8(ascii: "\"")) {
      // Backslashes before the quote, the last of which may mean it.
      while let before = find(UInt8(ascii: "\\"), before: quote) {
        isEscaped = true
        at = before + 2
      }
      if at > quote { continue }
      at = quote + 1
      return JSONValue(kind: .string, range: start..<quote, isEscaped: isEscaped)
    }
    throw JSONFault(reason: .end, at: bytes.count)
  }

  /// The next such byte from `at` on.
  private func find(_ byte: UInt8, before end: Int? = nil) -> Int? {
    let end = end ?? bytes.count
    guard at < end, let base = bytes.baseAddress, let found = memchr(base + at, CInt(byte), end - at) else {
      return nil
    }
    return UnsafeRawPointer(found) - base
  }

  /// `-12.50e+3`, exactly as RFC 8259 has it.
  private mutating func number() throws(JSONFault) -> JSONValue {
    let start = at
    if bytes[at] == UInt8(ascii: "-") { at += 1 }
    let first = at
    try digits()
    guard bytes[first] != 0x30 || at == first + 1 else { throw JSONFault(reason: .syntax, at: first) }
    if at < bytes.count, bytes[at] == UInt8(ascii: ".") {
      at += 1
      try digits()
    }
    if at < bytes.count, bytes[at] | 0x20 == UInt8(ascii: "e") {
      at += 1
      if at < bytes.count, bytes[at] == UInt8(ascii: "+") || bytes[at] == UInt8(ascii: "-") { at += 1 }
      try digits()
    }
    return JSONValue(kind: .number, range: start..<at)
  }

  private mutating func digits() throws(JSONFault) {
    let start = at
    while at < bytes.count, bytes[at] &- 0x30 < 10 { at += 1 }
    guard at > start else { throw JSONFault(reason: at < bytes.count ? .syntax : .end, at: at) }
  }

  private mutating func word(_ word: StaticString, _ kind: JSONValue.Kind) throws(JSONFault) -> JSONValue {
    let start = at
    for index in 0..<word.utf8CodeUnitCount {
      guard try byte() == word.utf8Start[index] else { throw JSONFault(reason: .syntax, at: at) }
      at += 1
    }
    return JSONValue(kind: kind, range: start..<at)
  }

  private func byte() throws(JSONFault) -> UInt8 {
    guard at < bytes.count else { throw JSONFault(reason: .end, at: bytes.count) }
    return bytes[at]
  }

  private mutating func skipBlanks() {
    while at < bytes.count {
      switch bytes[at] {
      case 0x20, 0x09, 0x0A, 0x0D: at += 1
      default: return
      }
    }
  }
}
