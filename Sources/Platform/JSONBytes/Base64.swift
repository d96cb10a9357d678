/// Bytes as text (RFC 4648, with padding).
package enum Base64 {
  private static let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  /// Room for the text of so many bytes.
  package static func room(_ count: Int) -> Int { (count + 2) / 3 * 4 }

  /// Writes `room` bytes of text.
  package static func encode(_ bytes: UnsafeRawBufferPointer, to target: UnsafeMutableRawPointer) {
    let target = target.assumingMemoryBound(to: UInt8.self)
    var at = 0
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let left = bytes.count - start
      let group =
        UInt32(bytes[start]) << 16 | (left > 1 ? UInt32(bytes[start + 1]) << 8 : 0)
        | (left > 2 ? UInt32(bytes[start + 2]) : 0)
      target[at] = letters[Int(group >> 18)]
      target[at + 1] = letters[Int(group >> 12 & 63)]
      target[at + 2] = left > 1 ? letters[Int(group >> 6 & 63)] : UInt8(ascii: "=")
      target[at + 3] = left > 2 ? letters[Int(group & 63)] : UInt8(ascii: "=")
      at += 4
    }
  }

  /// Nil for what `encode` does not write.
  package static func decode(_ text: UnsafeRawBufferPointer) -> [UInt8]? {
    guard text.count % 4 == 0 else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.count / 4 * 3)
    for start in stride(from: 0, to: text.count, by: 4) {
      var group: UInt32 = 0
      var pad = 0
      for index in start..<start + 4 {
        let byte = text[index]
        if byte == UInt8(ascii: "="), index >= text.count - 2 {
          pad += 1
          group <<= 6
          continue
        }
        guard pad == 0, let value = value(byte) else { return nil }
        group = group << 6 | value
      }
      bytes.append(UInt8(truncatingIfNeeded: group >> 16))
      if pad < 2 { bytes.append(UInt8(truncatingIfNeeded: group >> 8)) }
      if pad < 1 { bytes.append(UInt8(truncatingIfNeeded: group)) }
    }
    return bytes
  }

  private static func value(_ letter: UInt8) -> UInt32? {
    switch letter {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(letter - 65)
    case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(letter - 71)
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(letter + 4)
    case UInt8(ascii: "+"): 62
    case UInt8(ascii: "/"): 63
    default: nil
    }
  }
}
