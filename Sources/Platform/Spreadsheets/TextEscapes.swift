import Glibc

/// The escapes of ST_Xstring (ECMA-376 part 1, 22.9.2.19): `_x000D_` stands for a character that XML cannot hold or
/// would change; a text that looks like an escape has its first underscore escaped (`_x005F_x000D_`).
enum TextEscapes {
  /// In place, from `start` on. Halves of a surrogate pair that stand alone are no characters and stay as written.
  static func decode(_ bytes: inout [UInt8], from start: Int) {
    guard bytes.count > start else { return }
    let found: Int? = bytes.withUnsafeBytes { all in
      let from = all.baseAddress! + start
      return memchr(from, 0x5F, all.count - start).map { UnsafeRawPointer($0) - all.baseAddress! }
    }
    guard var at = found else { return }
    var to = at
    while at < bytes.count {
      guard bytes[at] == UInt8(ascii: "_"), let unit = unit(bytes, at) else {
        bytes[to] = bytes[at]
        at += 1
        to += 1
        continue
      }
      var scalar = Unicode.Scalar(unit)
      var length = 7
      if (0xD800..<0xDC00).contains(unit), let low = self.unit(bytes, at + 7), (0xDC00..<0xE000).contains(low) {
        scalar = Unicode.Scalar(0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00))
        length = 14
      }
      if let scalar {
        // Never longer than the escape.
        for byte in UTF8.encode(scalar)! {
          bytes[to] = byte
          to += 1
        }
      } else {
        for index in at..<at + length {
          bytes[to] = bytes[index]
          to += 1
        }
      }
      at += length
    }
    bytes.removeSubrange(to...)
  }

  private static func unit(_ bytes: [UInt8], _ at: Int) -> UInt32? {
    guard at + 7 <= bytes.count, bytes[at] == UInt8(ascii: "_"), bytes[at + 1] == UInt8(ascii: "x"),
      bytes[at + 6] == UInt8(ascii: "_")
    else { return nil }
    var value: UInt32 = 0
    for byte in bytes[at + 2..<at + 6] {
      switch byte {
      case 0x30...0x39: value = value << 4 | UInt32(byte - 0x30)
      case 0x41...0x46: value = value << 4 | UInt32(byte - 0x41 + 10)
      case 0x61...0x66: value = value << 4 | UInt32(byte - 0x61 + 10)
      default: return nil
      }
    }
    return value
  }

  /// True for what XML 1.0 can hold and would not change.
  static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
    scalar.value >= 0x20 && scalar.value != 0xFFFE && scalar.value != 0xFFFF || scalar == "\t" || scalar == "\n"
  }

  static func isPlain(_ text: String) -> Bool { text.unicodeScalars.allSatisfy(isPlain) }

  /// The text with what XML 1.0 cannot hold escaped: control characters but tab and line feed (a carriage return would
  /// come back as a line feed), U+FFFE, U+FFFF, and what looks like an escape.
  static func encode(_ text: String) -> String {
    let isPlain = text.utf8.allSatisfy { $0 >= 0x20 && $0 != UInt8(ascii: "_") && $0 != 0xEF }
    guard !isPlain else { return text }
    var result = ""
    let bytes = Array(text.utf8)
    var at = 0
    for scalar in text.unicodeScalars {
      switch scalar.value {
      case 0x09, 0x0A: result.unicodeScalars.append(scalar)
      case 0..<0x20, 0xFFFE, 0xFFFF:
        let hex = String(scalar.value, radix: 16, uppercase: true)
        result += "_x" + String(repeating: "0", count: 4 - hex.count) + hex + "_"
      case 0x5F where unit(bytes, at) != nil: result += "_x005F_"
      default: result.unicodeScalars.append(scalar)
      }
      at += UTF8.width(scalar)
    }
    return result
  }
}
