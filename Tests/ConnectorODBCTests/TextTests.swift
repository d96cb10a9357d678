import Connecting
import Testing

@testable import ConnectorODBC

@Suite struct TextTests {
  private func field(_ units: [UInt16]) -> RowField {
    let batch = RowBatch(capacity: 1)
    batch.beginRow(fields: 1)
    units.withUnsafeBufferPointer { buffer in
      if let base = buffer.baseAddress { ODBCText.append(base, units.count, to: batch) }
    }
    batch.endRow()
    return batch.fields(0)[0]
  }

  @Test(arguments: [
    "a", "abcd", "abcdefgh", "青海省", "a青b", "é", "e\u{301}", "𠀀𪚥𫝀😀", "abc😀", "\u{7FF}\u{800}\u{FFFF}", "\u{10FFFF}",
    "abcdefg\u{80}",
    String(repeating: "长x😀", count: 999),
  ])
  func `text goes there and back`(text: String) {
    #expect(field(Array(text.utf16)) == .value(Array(text.utf8)))
    let bytes = Array(text.utf8)
    let units = [UInt16](unsafeUninitializedCapacity: bytes.count) { buffer, used in
      used = bytes.withUnsafeBytes { source in buffer.baseAddress.map { ODBCText.utf16(source, into: $0) } ?? 0 }
    }
    #expect(units == Array(text.utf16))
  }

  @Test(
    arguments: [
      [0xD800], [0xDC00], [0x41, 0xD83D], [0xD83D, 0x41], [0xDE00, 0xD83D], [0xD83D, 0xD83D, 0xDE00],
      [0x41, 0x42, 0x43, 0xDC00],
    ] as [[UInt16]])
  func `half a pair of surrogates is a fault and never a question mark`(units: [UInt16]) {
    guard case .malformed(.invalidText, let raw) = field(units) else { return #expect(Bool(false)) }
    #expect(raw == units.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] })
  }

  @Test func `a NUL is a fault wherever it stands`() {
    for place in 0..<9 {
      var units = Array("abcdefghi".utf16)
      units[place] = 0
      guard case .malformed(.containsNUL, _) = field(units) else { return #expect(Bool(false)) }
    }
  }

  /// As a driver might have written them.
  @Test(arguments: [
    ("2026-08-22 01:02:03", ValueType.timestamp, "2026-08-22 01:02:03.000000"),
    ("2026-08-22 01:02:03.5+00", .timestamp, "2026-08-22 01:02:03.500000"),
    ("2026-08-22 09:02:03.123456 +08:00", .timestamp, "2026-08-22 01:02:03.123456"),
    (" 2026-08-22 01:02:03.000000", .timestamp, "2026-08-22 01:02:03.000000"),
    ("0044-03-15 00:00:00+00 BC", .timestamp, "!impossible-date"),
    ("-0044-03-15 00:00:00", .timestamp, "!impossible-date"),
    ("infinity", .timestamp, "!impossible-date"), ("10000-01-01 00:00:00+00", .timestamp, "!impossible-date"),
    ("1899-12-31", .date, "1899-12-31"), ("0044-03-15 BC", .date, "!impossible-date"),
    ("2026-02-30", .date, "!impossible-date"),
    (".5", .decimal(precision: 10, scale: 2), "0.50"), ("-.05", .decimal(precision: 10, scale: 2), "-0.05"),
    ("1E+3", .decimal(precision: 10, scale: 2), "1000.00"), ("NaN", .decimal(precision: 10, scale: 2), "!not-a-number"),
    ("1.005", .decimal(precision: 10, scale: 2), "!too-many-decimals"),
    ("9223372036854775808", .integer, "!out-of-range"),
    ("", .integer, "!wrong-type"), ("true", .boolean, "true"), ("f", .boolean, "false"),
    ("2", .boolean, "!not-a-boolean"),
  ])
  func `what is written is taken as it is or set apart`(written: String, type: ValueType, wanted: String) {
    let batch = RowBatch(capacity: 1)
    batch.beginRow(fields: 1)
    Array(written.utf8).withUnsafeBytes { ODBCField(type, zone: 0).append(narrow: $0, to: batch) }
    batch.endRow()
    switch batch.fields(0)[0] {
    case .value(let bytes): #expect(bytes.withUnsafeBytes { CanonicalText.text(of: $0, as: type) } == wanted)
    case .malformed(let fault, _): #expect("!\(fault.code)" == wanted)
    case .null: #expect(Bool(false))
    }
  }
}
