import Connecting

/// A field's text in UTF-8, from whatever the file is written in. The bytes hold until the next call.
final class FieldText {
  private let decoder: GB18030Decoder?
  private let plain: UnsafeMutableRawPointer
  private let decoded: UnsafeMutableRawPointer

  init(_ encoding: CSVEncoding, rowLimit: Int = CSVRows.rowLimit) throws(ConnectorError) {
    plain = .allocate(byteCount: rowLimit + 16, alignment: 16)
    decoded = .allocate(byteCount: 2 * rowLimit + 16, alignment: 16)
    decoder = encoding == .gb18030 ? try GB18030Decoder() : nil
  }

  deinit {
    plain.deallocate()
    decoded.deallocate()
  }

  func bytes(of field: CSVRows.Field, in rows: CSVRows) throws(ConnectorError) -> UnsafeRawBufferPointer {
    var bytes = UnsafeRawBufferPointer(start: rows.base + field.start, count: field.count)
    if field.isEscaped { bytes = unescaped(bytes) }
    guard let decoder, !isASCII(bytes) else { return bytes }
    let (outcome, count) = decoder.decode(bytes, into: decoded)
    // The whole file was GB18030 when it was surveyed.
    guard outcome == .done else { throw .changedWhileRead(rows.file) }
    return UnsafeRawBufferPointer(start: decoded, count: count)
  }

  private func unescaped(_ bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    let out = plain.assumingMemoryBound(to: UInt8.self)
    var (at, count) = (0, 0)
    while at < bytes.count {
      out[count] = bytes[at]
      count += 1
      at += bytes[at] == 0x22 ? 2 : 1
    }
    return UnsafeRawBufferPointer(start: plain, count: count)
  }

  private func isASCII(_ bytes: UnsafeRawBufferPointer) -> Bool {
    var at = 0
    while at + 8 <= bytes.count {
      if bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self) & 0x8080_8080_8080_8080 != 0 { return false }
      at += 8
    }
    while at < bytes.count {
      if bytes[at] & 0x80 != 0 { return false }
      at += 1
    }
    return true
  }
}
