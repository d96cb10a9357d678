/// One pass over text: is it UTF-8 (RFC 3629: no surrogates, nothing overlong), has it a NUL, how many characters
/// (Unicode scalars, as PostgreSQL and GB/T standards count a field's length) does it have.
package struct UTF8Scan {
  package private(set) var characters = 0
  package private(set) var fault: RowFault?

  package init(_ text: UnsafeRawBufferPointer) { self.init(text.baseAddress, text.count) }

  package init(_ start: UnsafeRawPointer?, _ count: Int) {
    guard let base = start else { return }
    var at = 0
    var characters = 0
    while at < count {
      // Eight ASCII bytes at a time: no high bit, no zero byte.
      if at + 8 <= count {
        let word = (base + at).loadUnaligned(as: UInt64.self)
        if word & 0x8080_8080_8080_8080 == 0, (word &- 0x0101_0101_0101_0101) & 0x8080_8080_8080_8080 == 0 {
          at += 8
          characters += 8
          continue
        }
      }
      let byte = (base + at).load(as: UInt8.self)
      let length: Int
      switch byte {
      case 0:
        fault = .containsNUL
        return
      case 0x01...0x7F: length = 1
      case 0xC2...0xDF: length = 2
      case 0xE0...0xEF: length = 3
      case 0xF0...0xF4: length = 4
      default:
        fault = .invalidText
        return
      }
      if length > 1 {
        guard at + length <= count else {
          fault = .invalidText
          return
        }
        let second = (base + at + 1).load(as: UInt8.self)
        let low: UInt8 = byte == 0xE0 ? 0xA0 : byte == 0xF0 ? 0x90 : 0x80
        let high: UInt8 = byte == 0xED ? 0x9F : byte == 0xF4 ? 0x8F : 0xBF
        var isGood = second >= low && second <= high
        if length > 2 { isGood = isGood && (base + at + 2).load(as: UInt8.self) & 0xC0 == 0x80 }
        if length > 3 { isGood = isGood && (base + at + 3).load(as: UInt8.self) & 0xC0 == 0x80 }
        guard isGood else {
          fault = .invalidText
          return
        }
      }
      at += length
      characters += 1
    }
    self.characters = characters
  }
}
