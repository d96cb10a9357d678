package import Connecting

/// Rows in canonical bytes kept on the disk, in the order in which they came: for sources that must be read to their end
/// before the first row may leave, or whose rows without a key are to come last.
package final class RowSpool {
  fileprivate let file: SpoolFile
  private var pending: [UInt8] = []
  fileprivate static let piece = 1 << 18
  /// Of a row's header: its key has a NULL.
  fileprivate static let lacksKey: UInt32 = 0x8000_0000

  package init() throws(ConnectorError) { file = try SpoolFile() }

  /// Bytes kept so far: where the next row will begin.
  package var end: Int { file.count + pending.count }

  /// `row` in the form of `RowBatch`.
  package func append(_ row: UnsafeRawBufferPointer, key: [Int]) throws(ConnectorError) {
    let header = UInt32(row.count) | (KeyBytes.hasNull(row, key: key) ? Self.lacksKey : 0)
    withUnsafeBytes(of: header.littleEndian) { pending.append(contentsOf: $0) }
    pending.append(contentsOf: row)
    if pending.count >= Self.piece { try flush() }
  }

  fileprivate func flush() throws(ConnectorError) {
    let bytes = pending
    pending.removeAll(keepingCapacity: true)
    var failure: ConnectorError?
    bytes.withUnsafeBytes { bytes in
      do throws(ConnectorError) { try file.append(bytes) } catch { failure = error }
    }
    if let failure { throw failure }
  }

  /// The rows of a stretch: those with a whole key, or those without.
  package func reader(_ range: Range<Int>, withoutKeys: Bool) throws(ConnectorError) -> Reader {
    try flush()
    return Reader(self, range, withoutKeys)
  }

  package final class Reader {
    private let spool: RowSpool
    private var at: Int
    private let end: Int
    private let withoutKeys: Bool
    private var base: UnsafeMutableRawPointer
    private var room: Int
    private var (low, high) = (0, 0)
    /// Rows given or passed over that this reader is for.
    package private(set) var count = 0

    fileprivate init(_ spool: RowSpool, _ range: Range<Int>, _ withoutKeys: Bool) {
      self.spool = spool
      self.withoutKeys = withoutKeys
      at = range.lowerBound
      end = range.upperBound
      room = RowSpool.piece
      base = .allocate(byteCount: room, alignment: 16)
    }

    deinit { base.deallocate() }

    /// Appends rows until the batch is full; false when there are no more.
    package func fill(_ batch: RowBatch) throws(ConnectorError) -> Bool {
      while !batch.isFull {
        guard let row = try next() else { return false }
        batch.appendRow(row)
      }
      return true
    }

    /// Passes over that many rows; false when there are not so many.
    package func skip(_ rows: Int) throws(ConnectorError) -> Bool {
      for _ in 0..<rows { guard try next() != nil else { return false } }
      return true
    }

    private func next() throws(ConnectorError) -> UnsafeRawBufferPointer? {
      while try hold(4) {
        let header = UInt32(littleEndian: base.loadUnaligned(fromByteOffset: low, as: UInt32.self))
        let length = Int(header & ~RowSpool.lacksKey)
        guard try hold(4 + length) else { return nil }
        let row = UnsafeRawBufferPointer(start: base + low + 4, count: length)
        low += 4 + length
        if (header & RowSpool.lacksKey != 0) == withoutKeys {
          count += 1
          return row
        }
      }
      return nil
    }

    /// Has that many bytes from `low` on in memory.
    private func hold(_ wanted: Int) throws(ConnectorError) -> Bool {
      if high - low >= wanted { return true }
      if wanted > room {
        let larger = UnsafeMutableRawPointer.allocate(byteCount: wanted + RowSpool.piece, alignment: 16)
        larger.copyMemory(from: base + low, byteCount: high - low)
        base.deallocate()
        base = larger
        room = wanted + RowSpool.piece
      } else {
        base.copyMemory(from: base + low, byteCount: high - low)
      }
      high -= low
      low = 0
      while high < wanted, at < end {
        let got = try spool.file.read(into: base + high, min(room - high, end - at), at: at)
        guard got > 0 else { return false }
        high += got
        at += got
      }
      return high >= wanted
    }
  }
}
