import Kernel

/// Turns written values into canonical bytes, for sources that keep everything as text (files) or do not hold themselves
/// to their declared types (SQLite).
///
/// A value that has no canonical bytes becomes a malformed field, never an approximation. Leading and trailing blanks of
/// anything but text are ignored, and an empty one is NULL.
package struct CanonicalText: Hashable, Sendable {
  /// What a date and time without a zone means, in seconds east of UTC.
  package var zone: Int
  /// True: text is known to be UTF-8 without NUL.
  package var trustsText: Bool

  package init(zone: Int, trustsText: Bool = false) {
    self.zone = zone
    self.trustsText = trustsText
  }

  package func append(_ raw: UnsafeRawBufferPointer, as type: ValueType, to batch: RowBatch) {
    switch type {
    case .text:
      if trustsText {
        batch.append(raw)
      } else if let fault = UTF8Scan(raw).fault {
        batch.appendMalformed(fault, raw)
      } else {
        batch.append(raw)
      }
    case .bytes: batch.append(raw)
    default:
      let text = trimmed(raw)
      guard !text.isEmpty else { return batch.appendNull() }
      appendParsed(text, as: type, to: batch)
    }
  }

  private func appendParsed(_ text: UnsafeRawBufferPointer, as type: ValueType, to batch: RowBatch) {
    switch type {
    case .integer:
      guard let value = Decimal38(text) else { return batch.appendMalformed(.notANumber, text) }
      guard value.isWhole else { return batch.appendMalformed(.tooManyDecimals, text) }
      guard let whole = value.int64 else { return batch.appendMalformed(.outOfRange, text) }
      batch.append(whole)
    case .decimal(let precision, let scale):
      guard let value = Decimal38(text) else { return batch.appendMalformed(.notANumber, text) }
      if let fault = value.append(precision: precision, scale: scale, to: batch) { batch.appendMalformed(fault, text) }
    case .double:
      guard Decimal38.isNumber(text), let value = Double(String(decoding: text, as: UTF8.self)) else {
        return batch.appendMalformed(.notANumber, text)
      }
      batch.append(value)
    case .boolean:
      guard let value = boolean(text) else { return batch.appendMalformed(.notABoolean, text) }
      batch.append(value)
    case .date:
      guard let (date, rest) = WrittenTime.date(text), rest == text.count else {
        return batch.appendMalformed(.impossibleDate, text)
      }
      batch.append(Int32(date.daysSince1970 - WrittenTime.epoch))
    case .timestamp:
      guard let value = WrittenTime.microseconds(text, zone: zone) else {
        return batch.appendMalformed(.impossibleDate, text)
      }
      batch.append(value)
    case .text, .bytes: batch.append(text)
    }
  }

  private func boolean(_ text: UnsafeRawBufferPointer) -> Bool? {
    switch String(decoding: text, as: UTF8.self).lowercased() {
    case "1", "t", "true", "y", "yes", "是": true
    case "0", "f", "false", "n", "no", "否": false
    default: nil
    }
  }

  private func trimmed(_ raw: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    var (low, high) = (0, raw.count)
    while low < high, raw[low] == 0x20 || (0x09...0x0D).contains(raw[low]) { low += 1 }
    while low < high, raw[high - 1] == 0x20 || (0x09...0x0D).contains(raw[high - 1]) { high -= 1 }
    return UnsafeRawBufferPointer(rebasing: raw[low..<high])
  }
}

/// Canonical bytes as people and text columns write them.
extension CanonicalText {
  /// Nil when the bytes are not of this type. Timestamps in UTC: `2026-08-22 01:30:00.000000`.
  package static func text(of bytes: UnsafeRawBufferPointer, as type: ValueType) -> String? {
    switch type {
    case .text: return String(decoding: bytes, as: UTF8.self)
    case .bytes: return "\\x" + bytes.map { hexadecimal($0) }.joined()
    case .integer: return bytes.count == 8 ? String(int64(bytes)) : nil
    case .double: return bytes.count == 8 ? "\(Double(bitPattern: UInt64(bitPattern: int64(bytes))))" : nil
    case .boolean: return bytes.count == 1 ? (bytes[0] == 0 ? "false" : "true") : nil
    case .date:
      guard bytes.count == 4 else { return nil }
      return WrittenTime.text(days: Int(Int32(bigEndian: bytes.loadUnaligned(as: Int32.self))))
    case .timestamp: return bytes.count == 8 ? WrittenTime.text(microseconds: int64(bytes)) : nil
    case .decimal: return Decimal38.text(of: bytes)
    }
  }

  private static func int64(_ bytes: UnsafeRawBufferPointer) -> Int64 {
    Int64(bigEndian: bytes.loadUnaligned(as: Int64.self))
  }

  private static func hexadecimal(_ byte: UInt8) -> String {
    let text = String(byte, radix: 16)
    return text.count == 1 ? "0" + text : text
  }
}
