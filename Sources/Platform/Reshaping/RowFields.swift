import Connecting

/// Where the fields of a row begin: found once, asked by every expression and rule of the row. Used by one thread.
package final class RowFields {
  package let count: Int
  /// As in the batch: a length, -1 for NULL, below that malformed.
  let headers: UnsafeMutablePointer<Int32>
  let starts: UnsafeMutablePointer<UnsafeRawPointer>

  package init(count: Int) {
    self.count = count
    headers = .allocate(capacity: max(1, count))
    starts = .allocate(capacity: max(1, count))
  }

  deinit {
    headers.deallocate()
    starts.deallocate()
  }

  /// False when the row has another number of fields. Valid until its batch is changed.
  package func load(_ row: UnsafeRawPointer) -> Bool {
    guard Int(Int16(bigEndian: row.loadUnaligned(as: Int16.self))) == count else { return false }
    var at = row + 2
    for index in 0..<count {
      let header = Int32(bigEndian: at.loadUnaligned(as: Int32.self))
      at += 4
      headers[index] = header
      starts[index] = at
      at += header >= 0 ? Int(header) : header == -1 ? 0 : Int(UInt32(bitPattern: header) & 0xFF_FFFF)
    }
    return true
  }

  /// The whole field as it stands in the row, header and all.
  package func field(_ index: Int) -> UnsafeRawBufferPointer {
    let header = headers[index]
    let length = header >= 0 ? Int(header) : header == -1 ? 0 : Int(UInt32(bitPattern: header) & 0xFF_FFFF)
    return UnsafeRawBufferPointer(start: starts[index] - 4, count: length + 4)
  }

  /// Nil for NULL and for what is malformed.
  package func value(_ index: Int) -> UnsafeRawBufferPointer? {
    headers[index] >= 0 ? UnsafeRawBufferPointer(start: starts[index], count: Int(headers[index])) : nil
  }

  package func isNull(_ index: Int) -> Bool { headers[index] == -1 }

  static func fault(_ header: Int32) -> RowFault {
    RowFault(rawValue: UInt8(UInt32(bitPattern: header) >> 24 & 0x7F)) ?? .wrongType
  }
}

/// Memory for texts that are made while a row is looked at: given back all at once, and never more than so much.
final class RowArena {
  private static let most = 4 << 20
  private var chunks: [UnsafeMutableRawBufferPointer] = [.allocate(byteCount: 16 << 10, alignment: 16)]
  private var used = 0
  private var total = 0

  deinit { for chunk in chunks { chunk.deallocate() } }

  func removeAll() {
    if chunks.count > 1 {
      for chunk in chunks.dropFirst() { chunk.deallocate() }
      chunks.removeLast(chunks.count - 1)
    }
    used = 0
    total = 0
  }

  /// Nil when the row would need too much.
  func allocate(_ count: Int) -> UnsafeMutableRawPointer? {
    let rounded = (count + 15) & ~15
    if used + rounded > chunks[chunks.count - 1].count {
      guard count <= Expression.Limit.value, total + rounded <= Self.most else { return nil }
      chunks.append(.allocate(byteCount: max(rounded, 64 << 10), alignment: 16))
      used = 0
    }
    let start = chunks[chunks.count - 1].baseAddress! + used
    used += rounded
    total += rounded
    return start
  }
}
