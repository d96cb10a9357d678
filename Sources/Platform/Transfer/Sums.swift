import CStripes
import Connecting

/// Order-independent sums over delivered values, mod 2^128: the same multiset of rows gives the same sums on both sides,
/// in whatever order and batches it was read.
///
/// A column's sum adds up a keyed hash of each value that is not NULL; the row sum adds up a keyed hash of each row's
/// column hashes, so that two values swapped between rows, which no column's sum can see, change it.
struct Sums: Hashable {
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
    var total: UInt128 = 0
    withUnsafeTemporaryAllocation(of: sj_hash128.self, capacity: count) { hashes in
      columns.withUnsafeMutableBufferPointer { columns in
        nulls.withUnsafeMutableBufferPointer { nulls in
          guard let hash = hashes.baseAddress, let sum = columns.baseAddress, let null = nulls.baseAddress else {
            return
          }
          let (columnKey, rowKey) = (keys.columns, keys.rows)
          @inline(__always) func add(_ start: UnsafeRawPointer) {
            var at = start + 2
            for index in 0..<count {
              let length = Int(Int32(bigEndian: at.loadUnaligned(as: Int32.self)))
              at += 4
              if length < 0 {
                null[index] += 1
                hash[index] = sj_hash128(low: .max, high: .max)
              } else {
                let value = hash128(at, length, columnKey)
                sum[index] &+= UInt128(value.high) << 64 | UInt128(value.low)
                hash[index] = value
                at += length
              }
            }
            let row = hash128(hash, count * 16, rowKey)
            total &+= UInt128(row.high) << 64 | UInt128(row.low)
          }
          if let chosen {
            for index in chosen { add(batch.base + batch.starts[Int(index)]) }
          } else {
            for index in 0..<batch.rowCount { add(batch.base + batch.starts[index]) }
          }
        }
      }
    }
    rows = total
    rowCount = chosen?.count ?? batch.rowCount
  }
}

extension UInt128 {
  /// 32 hexadecimal digits.
  var hex: String {
    let digits = String(self, radix: 16)
    return String(repeating: "0", count: 32 - digits.count) + digits
  }
}
