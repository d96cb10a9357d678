import Connecting

/// Whether a file that is not UTF-8 somewhere was meant as UTF-8 all the same.
///
/// What tells is a run of bytes beyond ASCII that is UTF-8 from end to end and has a character of three bytes or more in it, as
/// all Chinese ones have. In GB18030 such a run hardly ever comes about: a field of names and places has to have rare
/// characters in just the right places (of 16,000 Chinese words none; of random ones with rare characters one in
/// ten thousand). Two-byte characters say nothing: 联通 in GB18030 is UTF-8 too.
struct UTF8Evidence {
  private var run = UTF8Stream()
  private var isInRun = false
  private var hasLongCharacter = false
  /// Runs as above, and runs that are no UTF-8.
  private var good = 0
  private var bad = 0
  private var goodBeforeBad = 0

  /// Piece by piece; a run may lie across two.
  mutating func add(_ bytes: UnsafeRawBufferPointer) {
    var at = 0
    while at < bytes.count {
      if !isInRun, at + 8 <= bytes.count,
        bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self) & 0x8080_8080_8080_8080 == 0
      {
        at += 8
        continue
      }
      guard bytes[at] >= 0x80 else {
        endRun()
        at += 1
        continue
      }
      let start = at
      while at < bytes.count, bytes[at] >= 0x80 {
        if bytes[at] >= 0xE0 { hasLongCharacter = true }
        at += 1
      }
      isInRun = true
      run.add(UnsafeRawBufferPointer(rebasing: bytes[start..<at]))
    }
  }

  mutating func finish() { endRun() }

  private mutating func endRun() {
    guard isInRun else { return }
    run.finish()
    if run.bad != nil {
      if bad == 0 { goodBeforeBad = good }
      bad += 1
    } else if hasLongCharacter {
      good += 1
    }
    (run, isInRun, hasLongCharacter) = (UTF8Stream(), false, false)
  }

  /// It was UTF-8 up to where it first is not; or, where that is at its front, a good part of the rest is.
  var isMeantAsUTF8: Bool { goodBeforeBad > 0 || good > 0 && good * 20 >= bad }
}
