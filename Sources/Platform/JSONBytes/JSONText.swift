package import Connecting

/// Takes strings out of JSON: escapes undone, UTF-8 and surrogates checked. What it gives holds until it is asked again.
package final class JSONText {
  private var room = 1 << 12
  private var base = UnsafeMutableRawPointer.allocate(byteCount: 1 << 12, alignment: 16)

  package init() {}

  deinit { base.deallocate() }

  /// The text of a string, or its raw bytes and why they are none: an unknown escape, half a surrogate pair, a control
  /// character, broken UTF-8, or a NUL, which no text of ours may hold.
  package func text(
    of string: JSONValue, in bytes: UnsafeRawBufferPointer
  ) -> (bytes: UnsafeRawBufferPointer, fault: RowFault?) {
    let raw = UnsafeRawBufferPointer(rebasing: bytes[string.range])
    guard string.isEscaped else {
      return (raw, UTF8Scan(raw).fault ?? (Self.hasControl(raw) ? .invalidText : nil))
    }
    guard let count = unescape(raw), !Self.hasControl(raw) else { return (raw, .invalidText) }
    let text = UnsafeRawBufferPointer(start: base, count: count)
    return (text, UTF8Scan(text).fault)
  }

  /// An object or array as it is written. A bad text within spoils it.
  package func written(
    _ value: JSONValue, in bytes: UnsafeRawBufferPointer
  ) -> (bytes: UnsafeRawBufferPointer, fault: RowFault?) {
    let raw = UnsafeRawBufferPointer(rebasing: bytes[value.range])
    if let fault = UTF8Scan(raw).fault { return (raw, fault) }
    var at = 0
    while at < raw.count {
      guard raw[at] == UInt8(ascii: "\"") else {
        at += 1
        continue
      }
      at += 1
      let start = at
      var isEscaped = false
      while at < raw.count, raw[at] != UInt8(ascii: "\"") {
        if raw[at] < 0x20 { return (raw, .invalidText) }
        if raw[at] == UInt8(ascii: "\\") {
          isEscaped = true
          at += 1
        }
        at += 1
      }
      if isEscaped, unescape(UnsafeRawBufferPointer(rebasing: raw[start..<min(at, raw.count)])) == nil {
        return (raw, .invalidText)
      }
      at += 1
    }
    return (raw, nil)
  }

  /// Below a blank, eight bytes at a time. (A NUL is told before, by its own name.)
  private static func hasControl(_ raw: UnsafeRawBufferPointer) -> Bool {
    var at = 0
    while at + 8 <= raw.count {
      let word = raw.loadUnaligned(fromByteOffset: at, as: UInt64.self)
      if (word &- 0x2020_2020_2020_2020) & ~word & 0x8080_8080_8080_8080 != 0 { return true }
      at += 8
    }
    while at < raw.count {
      if raw[at] < 0x20 { return true }
      at += 1
    }
    return false
  }

  /// Into `base`; how many bytes came of it, or nil.
  private func unescape(_ raw: UnsafeRawBufferPointer) -> Int? {
    if raw.count > room {
      base.deallocate()
      room = raw.count
      base = .allocate(byteCount: room, alignment: 16)
    }
    let out = base.assumingMemoryBound(to: UInt8.self)
    var (at, count) = (0, 0)
    while at < raw.count {
      guard raw[at] == UInt8(ascii: "\\") else {
        out[count] = raw[at]
        count += 1
        at += 1
        continue
      }
      guard at + 1 < raw.count else { return nil }
      at += 2
      switch raw[at - 1] {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): out[count] = raw[at - 1]
      case UInt8(ascii: "b"): out[count] = 0x08
      case UInt8(ascii: "f"): out[count] = 0x0C
      case UInt8(ascii: "n"): out[count] = 0x0A
      case UInt8(ascii: "r"): out[count] = 0x0D
      case UInt8(ascii: "t"): out[count] = 0x09
      case UInt8(ascii: "u"):
        guard let scalar = Self.scalar(raw, &at) else { return nil }
        // An escape takes at least twice the bytes of what it stands for.
        for byte in UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter {
          out[count] = byte
          count += 1
        }
        continue
      default: return nil
      }
      count += 1
    }
    return count
  }

  /// What `\uXXXX` or a pair of them stands for; `at` is behind the first `u`.
  private static func scalar(_ raw: UnsafeRawBufferPointer, _ at: inout Int) -> Unicode.Scalar? {
    guard let first = unit(raw, at) else { return nil }
    at += 4
    guard first & 0xFC00 == 0xD800 else { return Unicode.Scalar(first) }
    guard at + 6 <= raw.count, raw[at] == UInt8(ascii: "\\"), raw[at + 1] == UInt8(ascii: "u"),
      let second = unit(raw, at + 2), second & 0xFC00 == 0xDC00
    else { return nil }
    at += 6
    return Unicode.Scalar(0x10000 + ((first & 0x3FF) << 10 | second & 0x3FF))
  }

  private static func unit(_ raw: UnsafeRawBufferPointer, _ at: Int) -> UInt32? {
    guard at + 4 <= raw.count else { return nil }
    var value: UInt32 = 0
    for byte in raw[at..<at + 4] {
      switch byte {
      case 0x30...0x39: value = value << 4 | UInt32(byte - 0x30)
      case 0x41...0x46: value = value << 4 | UInt32(byte - 0x37)
      case 0x61...0x66: value = value << 4 | UInt32(byte - 0x57)
      default: return nil
      }
    }
    return value
  }
}
