import Connecting

/// Between a driver's UTF-16 and our UTF-8, strictly: half a pair of surrogates is a fault and never a question mark.
enum ODBCText {
  /// Appends the text's UTF-8 to a batch as one field, or the fault that it is.
  @inline(__always)
  static func append(_ units: UnsafePointer<UInt16>, _ count: Int, to batch: RowBatch) {
    let start = batch.reserve(4 + count * 3)
    let written = utf8(units, count, into: start + 4)
    guard written >= 0 else {
      let fault: RowFault = written == nul ? .containsNUL : .invalidText
      return batch.appendMalformed(fault, UnsafeRawBufferPointer(start: units, count: count * 2))
    }
    start.storeBytes(of: Int32(truncatingIfNeeded: written).bigEndian, as: Int32.self)
    batch.advance(4 + written)
  }

  private static let nul = -2

  /// Bytes written, which are three a unit at most; negative for what is no text.
  static func utf8(_ units: UnsafePointer<UInt16>, _ count: Int, into target: UnsafeMutableRawPointer) -> Int {
    var (at, out) = (0, 0)
    let raw = UnsafeRawPointer(units)
    while at < count {
      // Four ASCII characters at a time: nothing beyond seven bits, none of them zero.
      while at + 4 <= count {
        let four = raw.loadUnaligned(fromByteOffset: at * 2, as: UInt64.self)
        guard four & 0xFF80_FF80_FF80_FF80 == 0,
          (four &- 0x0001_0001_0001_0001) & 0x8000_8000_8000_8000 == 0
        else { break }
        var packed = four | four >> 8
        packed = (packed & 0xFFFF) | (packed >> 16 & 0xFFFF_0000)
        target.storeBytes(of: UInt32(truncatingIfNeeded: packed), toByteOffset: out, as: UInt32.self)
        at += 4
        out += 4
      }
      guard at < count else { break }
      let unit = UInt32(units[at])
      at += 1
      switch unit {
      case 0: return nul
      case ..<0x80:
        target.storeBytes(of: UInt8(truncatingIfNeeded: unit), toByteOffset: out, as: UInt8.self)
        out += 1
      case ..<0x800:
        put(0xC0 | unit >> 6, 0x80 | unit & 0x3F, target + out)
        out += 2
      case 0xD800..<0xDC00:
        guard at < count, units[at] & 0xFC00 == 0xDC00 else { return -1 }
        let scalar = 0x10000 + (unit & 0x3FF) << 10 + UInt32(units[at] & 0x3FF)
        at += 1
        put(0xF0 | scalar >> 18, 0x80 | scalar >> 12 & 0x3F, target + out)
        put(0x80 | scalar >> 6 & 0x3F, 0x80 | scalar & 0x3F, target + out + 2)
        out += 4
      case 0xDC00..<0xE000: return -1
      default:
        put(0xE0 | unit >> 12, 0x80 | unit >> 6 & 0x3F, target + out)
        target.storeBytes(
          of: UInt8(truncatingIfNeeded: 0x80 | unit & 0x3F), toByteOffset: out + 2, as: UInt8.self)
        out += 3
      }
    }
    return out
  }

  @inline(__always)
  private static func put(_ first: UInt32, _ second: UInt32, _ target: UnsafeMutableRawPointer) {
    target.storeBytes(of: UInt8(truncatingIfNeeded: first), as: UInt8.self)
    target.storeBytes(of: UInt8(truncatingIfNeeded: second), toByteOffset: 1, as: UInt8.self)
  }

  static func bytes(_ units: UnsafePointer<UInt16>, _ count: Int) -> [UInt8]? {
    var isText = true
    let bytes = [UInt8](unsafeUninitializedCapacity: count * 3 + 1) { buffer, used in
      let written = buffer.baseAddress.map { utf8(units, count, into: UnsafeMutableRawPointer($0)) } ?? -1
      isText = written >= 0
      used = max(0, written)
    }
    return isText ? bytes : nil
  }

  /// Units written, one a byte at most. What comes is canonical text: it was checked when it was read.
  @inline(__always)
  static func utf16(_ text: UnsafeRawBufferPointer, into target: UnsafeMutablePointer<UInt16>) -> Int {
    var (at, out) = (0, 0)
    let count = text.count
    guard let base = text.baseAddress else { return 0 }
    func byte(_ place: Int) -> UInt32 { UInt32((base + place).load(as: UInt8.self)) }
    while at < count {
      while at + 8 <= count {
        let eight = base.loadUnaligned(fromByteOffset: at, as: SIMD8<UInt8>.self)
        guard eight.max() < 0x80 else { break }
        UnsafeMutableRawPointer(target + out).storeBytes(
          of: SIMD8<UInt16>(truncatingIfNeeded: eight), as: SIMD8<UInt16>.self)
        at += 8
        out += 8
      }
      guard at < count else { break }
      let first = byte(at)
      if first < 0x80 {
        target[out] = UInt16(truncatingIfNeeded: first)
        at += 1
      } else if first < 0xE0, at + 2 <= count {
        target[out] = UInt16(truncatingIfNeeded: (first & 0x1F) << 6 | byte(at + 1) & 0x3F)
        at += 2
      } else if first < 0xF0, at + 3 <= count {
        target[out] = UInt16(
          truncatingIfNeeded: (first & 0x0F) << 12 | (byte(at + 1) & 0x3F) << 6 | byte(at + 2) & 0x3F)
        at += 3
      } else if at + 4 <= count {
        let scalar =
          (first & 0x07) << 18 | (byte(at + 1) & 0x3F) << 12 | (byte(at + 2) & 0x3F) << 6 | byte(at + 3) & 0x3F
        target[out] = UInt16(truncatingIfNeeded: 0xD800 + (scalar - 0x10000) >> 10)
        out += 1
        target[out] = UInt16(truncatingIfNeeded: 0xDC00 + (scalar - 0x10000) & 0x3FF)
        at += 4
      } else {
        return out
      }
      out += 1
    }
    return out
  }
}
