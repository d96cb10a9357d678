import Connecting
import Glibc

/// The lines of a file, one after the other, as stretches of a window of memory. A line beyond the limit is given without
/// its bytes, and those after it come as ever.
final class LineRows {
  /// Bytes of one line, its end not counted, unless it is known that there are longer ones.
  static let limit = 1 << 20
  private static let piece = 1 << 18

  let file: SourceFile
  /// Of all bytes read so far.
  private(set) var digest = ContentDigest()
  /// The current line without its end, until the next one; empty for one that is too long.
  private(set) var line = UnsafeRawBufferPointer(start: nil, count: 0)
  private(set) var isTooLong = false
  /// Where the line after the current one begins.
  private(set) var nextOffset = 0

  private let limit: Int
  private let base: UnsafeMutableRawPointer
  private let room: Int
  private var (low, high) = (0, 0)
  private var fileOffset = 0
  private var isAtEnd = false

  init(_ file: SourceFile, limit: Int = LineRows.limit) {
    self.file = file
    self.limit = limit
    room = limit + 2 * Self.piece
    base = .allocate(byteCount: room, alignment: 16)
  }

  deinit { base.deallocate() }

  /// Goes to the next line that holds anything but blanks; false at the end.
  func next() throws(ConnectorError) -> Bool {
    while try cut() {
      if isTooLong || line.contains(where: { $0 != 0x20 && $0 != 0x09 && $0 != 0x0D }) { return true }
    }
    return false
  }

  private func cut() throws(ConnectorError) -> Bool {
    var looked = low
    isTooLong = false
    while true {
      if let found = memchr(base + looked, 0x0A, high - looked) {
        let end = found - base
        take(to: end, behind: end + 1)
        return true
      }
      if isAtEnd {
        guard low < high || isTooLong else { return false }
        take(to: high, behind: high)
        return true
      }
      if high - low > limit {
        // Its front is let go; only that there was a line counts from now on.
        isTooLong = true
        nextOffset += high - low
        low = high
      }
      looked = high - low
      try fill()
    }
  }

  private func take(to end: Int, behind: Int) {
    if end - low > limit { isTooLong = true }
    line = UnsafeRawBufferPointer(start: base + low, count: isTooLong ? 0 : end - low)
    nextOffset += behind - low
    low = behind
  }

  private func fill() throws(ConnectorError) {
    if low > 0 {
      base.copyMemory(from: base + low, byteCount: high - low)
      high -= low
      low = 0
    }
    let got = try file.read(into: base + high, min(Self.piece, room - high), at: fileOffset)
    digest.add(UnsafeRawBufferPointer(start: base + high, count: got))
    if fileOffset == 0, got >= 3, UnsafeRawBufferPointer(start: base, count: 3).elementsEqual([0xEF, 0xBB, 0xBF]) {
      low = 3
      nextOffset = 3
    }
    high += got
    fileOffset += got
    isAtEnd = got == 0
  }
}
