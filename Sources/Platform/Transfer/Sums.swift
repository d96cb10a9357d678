import CStripes
import Connecting

/// Order-independent sums over delivered values, mod 2^128: the same multiset of rows gives the same sums on both sides,
/// in whatever order and batches it was read.
///
/// A column's sum adds up a keyed hash of each value that is not NULL; the row sum adds up a keyed hash of each row's
/// column hashes, so that two values swapped between rows, which no column's sum can see, change it.
struct Sums: Hashable, Sendable {
  var columns: [UInt128]
  var nulls: [Int]
  var rows: UInt128 = 0
  var rowCount = 0

  init(columns count: Int) {
    columns = Array(repeating: 0, count: count)
    nulls = Array(repeating: 0, count: count)
  }

  static func += (a: inout Sums, b: Sums) {
    for index in a.columns.indices {
      a.columns[index] &+= b.columns[index]
      a.nulls[index] += b.nulls[index]
    }
    a.rows &+= b.rows
    a.rowCount += b.rowCount
  }
}

extension Sums {
  /// The sums of the batch's rows, or of those that `chosen` names.
  init(of batch: RowBatch, chosen: [Int32]? = nil, columns count: Int, keys: GrantKeys) {
    self.init(columns: count)
    var total = sj_hash128()
    var sums = [sj_hash128](repeating: sj_hash128(), count: count)
    let rowCount = chosen?.count ?? batch.rowCount
    func add(_ chosen: UnsafePointer<Int32>?) {
      sj_row_sums(
        batch.base, batch.starts, chosen, rowCount, batch.rowCount, count, keys.columns, keys.rows, &sums, &nulls,
        &total)
    }
    if let chosen { chosen.withUnsafeBufferPointer { add($0.baseAddress) } } else { add(nil) }
    columns = sums.map(\.sum)
    rows = total.sum
    self.rowCount = rowCount
  }
}

/// The hashes of a batch's rows, one by one, that `Sums.rows` is the sum of.
struct RowHashes {
  private(set) var each: [sj_hash128] = []

  mutating func read(_ batch: RowBatch, columns: Int, keys: GrantKeys) {
    // Kept for the next batch: there are many, of much the same size.
    if each.count < batch.rowCount { each = Array(repeating: sj_hash128(), count: batch.rowCount + batch.rowCount / 8) }
    var total = sj_hash128()
    sj_row_hashes(batch.base, batch.starts, batch.rowCount, columns, keys.columns, keys.rows, &each, &total)
  }
}

extension sj_hash128 {
  var sum: UInt128 { UInt128(high) << 64 | UInt128(low) }
}

extension UInt128 {
  /// 32 hexadecimal digits.
  var hex: String {
    let digits = String(self, radix: 16)
    return String(repeating: "0", count: 32 - digits.count) + digits
  }
}
