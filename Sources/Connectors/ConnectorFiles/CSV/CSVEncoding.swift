import Connecting
import Glibc
import Kernel

/// How a file's characters are written. UTF-16 is only known by its byte-order mark.
package enum CSVEncoding: UInt8, Hashable, Sendable, CaseIterable {
  case utf8 = 1
  case gb18030 = 2
  case utf16LittleEndian = 3
  case utf16BigEndian = 4

  package var name: String {
    switch self {
    case .utf8: "UTF-8"
    case .gb18030: "GB18030"
    case .utf16LittleEndian: "UTF-16LE"
    case .utf16BigEndian: "UTF-16BE"
    }
  }

  var isUTF16: Bool { self == .utf16LittleEndian || self == .utf16BigEndian }

  @inline(__always) func unit(_ bytes: UnsafeRawPointer) -> UInt16 {
    let word = bytes.loadUnaligned(as: UInt16.self)
    return self == .utf16LittleEndian ? UInt16(littleEndian: word) : UInt16(bigEndian: word)
  }

  /// What the first bytes declare, and how many of them are the mark.
  static func mark(_ head: UnsafeRawBufferPointer) -> (encoding: CSVEncoding, length: Int)? {
    func begins(_ mark: [UInt8]) -> Bool { head.count >= mark.count && head.prefix(mark.count).elementsEqual(mark) }
    if begins([0xEF, 0xBB, 0xBF]) { return (.utf8, 3) }
    if begins([0xFF, 0xFE]) { return (.utf16LittleEndian, 2) }
    if begins([0xFE, 0xFF]) { return (.utf16BigEndian, 2) }
    if begins([0x84, 0x31, 0x95, 0x33]) { return (.gb18030, 4) }
    return nil
  }
}

/// UTF-8 (RFC 3629) checked piece by piece: a sequence may lie across two pieces.
struct UTF8Stream {
  /// Where the first bad sequence begins, counted from the first byte added; later bytes are not looked at.
  private(set) var bad: Int?
  private var offset = 0
  private var missing = 0
  private var sequence = 0
  private var low: UInt8 = 0x80
  private var high: UInt8 = 0xBF

  mutating func add(_ bytes: UnsafeRawBufferPointer) {
    guard bad == nil else { return }
    var at = 0
    while at < bytes.count {
      if missing == 0, at + 8 <= bytes.count {
        let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self))
        if word & 0x8080_8080_8080_8080 == 0 {
          at += 8
          continue
        }
        let threes = UTF8Scan.threes(word)
        if threes > 0 {
          at += threes * 3
          continue
        }
      }
      let byte = bytes[at]
      if missing == 0 {
        (low, high) = (0x80, 0xBF)
        sequence = offset + at
        switch byte {
        case 0x00...0x7F: break
        case 0xC2...0xDF: missing = 1
        case 0xE0: (missing, low) = (2, 0xA0)
        case 0xED: (missing, high) = (2, 0x9F)
        case 0xE1...0xEF: missing = 2
        case 0xF0: (missing, low) = (3, 0x90)
        case 0xF4: (missing, high) = (3, 0x8F)
        case 0xF1...0xF3: missing = 3
        default: bad = sequence
        }
      } else if byte >= low, byte <= high {
        missing -= 1
        (low, high) = (0x80, 0xBF)
      } else {
        bad = sequence
      }
      if bad != nil { return }
      at += 1
    }
    offset += bytes.count
  }

  /// A sequence that the end cuts is bad too.
  mutating func finish() {
    if bad == nil, missing > 0 { bad = sequence }
  }
}

/// GB18030 to UTF-8 by the C library's iconv, whose table is that of the standard's editions of 2000 to 2005.
final class GB18030Decoder {
  private let handle: iconv_t

  init() throws(ConnectorError) {
    handle = iconv_open("UTF-8", "GB18030")
    guard handle != iconv_t(bitPattern: -1) else {
      throw ConnectorError(
        .permanent, "csv.iconv", .init("本机的 C 库不支持 GB18030。", "This machine's C library has no GB18030."))
    }
  }

  deinit { iconv_close(handle) }

  enum Outcome: Equatable {
    case done
    /// The sequence at this offset of the input is none.
    case bad(at: Int)
    /// The input ends within a sequence that begins here.
    case incomplete(at: Int)
  }

  /// Decodes into `target`, which must hold twice the input; the count written.
  func decode(_ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawPointer) -> (Outcome, Int) {
    guard let base = source.baseAddress, source.count > 0 else { return (.done, 0) }
    iconv(handle, nil, nil, nil, nil)
    var input: UnsafeMutablePointer<CChar>? = UnsafeMutablePointer(
      mutating: base.assumingMemoryBound(to: CChar.self))
    var inputLeft = source.count
    let room = source.count * 2
    var output: UnsafeMutablePointer<CChar>? = target.assumingMemoryBound(to: CChar.self)
    var outputLeft = room
    let result = iconv(handle, &input, &inputLeft, &output, &outputLeft)
    let at = source.count - inputLeft
    guard result == -1 else { return (.done, room - outputLeft) }
    return (errno == EINVAL ? .incomplete(at: at) : .bad(at: at), room - outputLeft)
  }
}

/// UTF-16 to UTF-8, piece by piece.
struct UTF16Stream {
  let encoding: CSVEncoding
  private var high: UInt16?

  init(_ encoding: CSVEncoding) { self.encoding = encoding }

  /// Decodes an even number of bytes into `target`, which must hold twice the input and two bytes more. Returns the count
  /// written, or the offset in the input of the first bad unit (an unpaired surrogate; -2 for one of the piece before).
  mutating func decode(
    _ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawPointer
  ) -> (written: Int, bad: Int?) {
    guard let base = source.baseAddress else { return (0, nil) }
    let out = target.assumingMemoryBound(to: UInt8.self)
    var written = 0
    for at in stride(from: 0, to: source.count, by: 2) {
      let unit = encoding.unit(base + at)
      var scalar = UInt32(unit)
      if let first = high {
        guard unit & 0xFC00 == 0xDC00 else { return (written, at - 2) }
        scalar = 0x10000 + (UInt32(first & 0x3FF) << 10 | UInt32(unit & 0x3FF))
        high = nil
      } else if unit & 0xFC00 == 0xD800 {
        high = unit
        continue
      } else if unit & 0xFC00 == 0xDC00 {
        return (written, at)
      }
      switch scalar {
      case 0..<0x80:
        out[written] = UInt8(scalar)
        written += 1
      case 0x80..<0x800:
        out[written] = UInt8(0xC0 | scalar >> 6)
        out[written + 1] = UInt8(0x80 | scalar & 0x3F)
        written += 2
      case 0x800..<0x10000:
        out[written] = UInt8(0xE0 | scalar >> 12)
        out[written + 1] = UInt8(0x80 | scalar >> 6 & 0x3F)
        out[written + 2] = UInt8(0x80 | scalar & 0x3F)
        written += 3
      default:
        out[written] = UInt8(0xF0 | scalar >> 18)
        out[written + 1] = UInt8(0x80 | scalar >> 12 & 0x3F)
        out[written + 2] = UInt8(0x80 | scalar >> 6 & 0x3F)
        out[written + 3] = UInt8(0x80 | scalar & 0x3F)
        written += 4
      }
    }
    return (written, nil)
  }

  /// Whether the text ends within a pair.
  var isIncomplete: Bool { high != nil }
}
