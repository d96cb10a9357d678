/// Values as JSON writes them, into memory of the caller's: for lines of rows, whose every value passes here.
package enum WrittenJSON {
  /// Bytes that the longest integer takes.
  package static let longestInteger = 20

  /// Bytes that a text of so many may come to in quotes: the longest escape has six.
  package static func room(_ count: Int) -> Int { count * 6 + 2 }

  /// Writes a text in its quotes and answers how many bytes it took. It must be UTF-8, which is written as it is; what JSON
  /// wants escaped is.
  package static func quote(_ text: UnsafeRawBufferPointer, to target: UnsafeMutableRawPointer) -> Int {
    let target = target.assumingMemoryBound(to: UInt8.self)
    target[0] = 0x22
    var at = 1
    func put(_ byte: UInt8) {
      target[at] = byte
      at += 1
    }
    for byte in text {
      switch byte {
      case 0x22, 0x5C:
        put(0x5C)
        put(byte)
      case 0x0A:
        put(0x5C)
        put(UInt8(ascii: "n"))
      case 0x0D:
        put(0x5C)
        put(UInt8(ascii: "r"))
      case 0x09:
        put(0x5C)
        put(UInt8(ascii: "t"))
      case 0..<0x20:
        for byte in [0x5C, UInt8(ascii: "u"), 0x30, 0x30] { put(byte) }
        put(byte >> 4 + 0x30)
        put(byte & 15 < 10 ? byte & 15 + 0x30 : byte & 15 + 87)
      default: put(byte)
      }
    }
    put(0x22)
    return at
  }

  /// A text in its quotes, for names and the like.
  package static func quoted(_ text: String) -> [UInt8] {
    let bytes = Array(text.utf8)
    return [UInt8](unsafeUninitializedCapacity: room(bytes.count)) { buffer, count in
      count = bytes.withUnsafeBytes { text in
        buffer.baseAddress.map { quote(text, to: UnsafeMutableRawPointer($0)) } ?? 0
      }
    }
  }

  /// Writes an integer's digits and answers how many bytes they took.
  package static func write(_ number: Int64, to target: UnsafeMutableRawPointer) -> Int {
    var rest = number.magnitude
    var at = longestInteger
    repeat {
      at -= 1
      target.storeBytes(of: UInt8(truncatingIfNeeded: 48 + rest % 10), toByteOffset: at, as: UInt8.self)
      rest /= 10
    } while rest > 0
    if number < 0 {
      at -= 1
      target.storeBytes(of: UInt8(ascii: "-"), toByteOffset: at, as: UInt8.self)
    }
    target.copyMemory(from: target + at, byteCount: longestInteger - at)
    return longestInteger - at
  }
}
