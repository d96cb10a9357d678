import CStripes
import Connecting
import NationalCrypto

/// A batch's rows in the order of their keys' bytes: the one order that both sides can agree on, whatever their
/// databases' collations.
struct KeyOrder {
  /// Nil when the batch already is in this order.
  private(set) var order: [Int32]?
  /// Rows whose key another row of the batch has too, that row coming before them in the batch.
  private(set) var repeated: [Int32] = []

  private let batch: RowBatch
  private let key: [Int]

  init(_ batch: RowBatch, key: [Int]) {
    self.batch = batch
    self.key = key
    guard batch.rowCount > 1 else { return }
    if key == [0], let isAscending = Self.numbersAscend(batch) {
      if isAscending { return }
    } else if (1..<batch.rowCount).allSatisfy({ compare($0 - 1, $0) < 0 }) {
      return
    }
    let sorted = (0..<Int32(batch.rowCount)).sorted { a, b in
      let result = compare(Int(a), Int(b))
      return result < 0 || (result == 0 && a < b)
    }
    for (a, b) in zip(sorted, sorted.dropFirst()) where compare(Int(a), Int(b)) == 0 { repeated.append(b) }
    repeated.sort()
    order = sorted
  }

  /// Whether each row's key comes before the next one's, where all are numbers in the first field, as they mostly are; nil
  /// where they are not. They are compared as bytes.
  private static func numbersAscend(_ batch: RowBatch) -> Bool? {
    var last: UInt64 = 0
    for row in 0..<batch.rowCount {
      let field = batch.base + batch.starts[row] + 2
      guard Int32(bigEndian: field.loadUnaligned(as: Int32.self)) == 8 else { return nil }
      let number = UInt64(bigEndian: field.loadUnaligned(fromByteOffset: 4, as: UInt64.self))
      if row > 0, number <= last { return false }
      last = number
    }
    return true
  }

  /// Compares keys field by field: bytes first, then length.
  private func compare(_ a: Int, _ b: Int) -> Int {
    for field in key {
      let (left, right) = (value(a, field), value(b, field))
      let common = min(left.count, right.count)
      if common > 0, let x = left.baseAddress, let y = right.baseAddress {
        let result = memcmp(x, y, common)
        if result != 0 { return Int(result) }
      }
      if left.count != right.count { return left.count - right.count }
    }
    return 0
  }

  private func value(_ row: Int, _ field: Int) -> UnsafeRawBufferPointer {
    var at = batch.base + batch.starts[row] + 2
    for _ in 0..<field { at += 4 + max(0, Int(Int32(bigEndian: at.loadUnaligned(as: Int32.self)))) }
    let length = max(0, Int(Int32(bigEndian: at.loadUnaligned(as: Int32.self))))
    return UnsafeRawBufferPointer(start: at + 4, count: length)
  }

  /// The SM3s of eight equal stripes (`sj_sm3_stripes`) of the rows that `chosen` names, in the order of their keys.
  func stripes(chosen: [Int32]? = nil) -> [UInt8] {
    var stripes = [UInt8](repeating: 0, count: 256)
    if chosen == nil, order == nil {
      sj_sm3_stripes(batch.base, batch.byteCount, &stripes)
    } else {
      let wanted = chosen.map(Set.init)
      var bytes: [UInt8] = []
      bytes.reserveCapacity(batch.byteCount)
      for index in order ?? Array(0..<Int32(batch.rowCount)) where wanted?.contains(index) ?? true {
        bytes.append(contentsOf: batch.row(Int(index)))
      }
      sj_sm3_stripes(bytes, bytes.count, &stripes)
    }
    return stripes
  }
}

/// What a batch's digest says besides its rows.
struct BatchHeader {
  var grant: String
  var schema: String
  var batch: Int64
  var rows: Int

  /// SM3 over the grant's salt, this header and the rows' stripes: 64 hexadecimal digits.
  func digest(_ stripes: [UInt8], salt: [UInt8]) -> String {
    var hash = SM3()
    hash.update(salt)
    hash.update("sanjiang batch 1\n\(grant)\n\(schema)\n\(batch)\n\(rows)\n")
    hash.update(stripes)
    return hash.finish().hex
  }
}
