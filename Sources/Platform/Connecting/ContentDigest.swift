/// 128 bits of a file's content, to notice that it is not the file read before.
///
/// Notices accidents and replacements, not forgeries (those are for the receipts' SM3); the same bytes give the same
/// digest however they are cut. About a byte a clock.
package struct ContentDigest: Hashable, Sendable {
  private var a: UInt64 = 0x9E37_79B9_7F4A_7C15
  private var b: UInt64 = 0xC2B2_AE3D_27D4_EB4F
  private var pending: UInt64 = 0
  private var count: UInt64 = 0

  package init() {}

  package mutating func add(_ bytes: UnsafeRawBufferPointer) {
    var at = 0
    while at < bytes.count, count & 7 != 0 {
      add(byte: bytes[at])
      at += 1
    }
    while at + 8 <= bytes.count {
      mix(UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self)))
      count &+= 8
      at += 8
    }
    while at < bytes.count {
      add(byte: bytes[at])
      at += 1
    }
  }

  private mutating func add(byte: UInt8) {
    pending |= UInt64(byte) << ((count & 7) * 8)
    count &+= 1
    if count & 7 == 0 {
      mix(pending)
      pending = 0
    }
  }

  @inline(__always) private mutating func mix(_ word: UInt64) {
    a = (a ^ word) &* 0xFF51_AFD7_ED55_8CCD
    a ^= a >> 32
    b = (b &+ word) &* 0xC4CE_B9FE_1A85_EC53
    b ^= b >> 29
  }

  /// 16 bytes over everything added.
  package var bytes: [UInt8] {
    var end = self
    end.mix(pending)
    end.mix(count)
    end.mix(0)
    return withUnsafeBytes(of: (end.a.bigEndian, end.b.bigEndian)) { [UInt8]($0) }
  }
}
