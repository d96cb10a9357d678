import Testing

@testable import Connecting

@Suite struct CanonicalTextTests {
  /// What `written` becomes, as text again or as the fault's code.
  private func carried(_ written: String, _ type: ValueType, zone: Int = 0) -> String {
    let batch = RowBatch(capacity: RowBatch.smallest)
    batch.beginRow(fields: 1)
    written.withBytes { CanonicalText(zone: zone).append($0, as: type, to: batch) }
    batch.endRow()
    return switch batch.fields(0)[0] {
    case .null: "NULL"
    case .value(let bytes): bytes.withUnsafeBytes { CanonicalText.text(of: $0, as: type) } ?? "unreadable"
    case .malformed(let fault, let raw): "\(fault.code):\(String(decoding: raw, as: UTF8.self))"
    }
  }

  @Test(arguments: [
    ("0", "0"), (" -42 ", "-42"), ("+7", "7"), ("9223372036854775807", "9223372036854775807"),
    ("-9223372036854775808", "-9223372036854775808"), ("12.00", "12"), ("1e3", "1000"), ("", "NULL"), ("  ", "NULL"),
    ("9223372036854775808", "out-of-range:9223372036854775808"), ("1.5", "too-many-decimals:1.5"),
    ("12e-1", "too-many-decimals:12e-1"), ("abc", "not-a-number:abc"), ("1,000", "not-a-number:1,000"),
    ("--1", "not-a-number:--1"), (".", "not-a-number:."), ("1e999999999999", "not-a-number:1e999999999999"),
  ])
  func `a written integer is carried exactly or not at all`(written: String, expected: String) {
    #expect(carried(written, .integer) == expected)
  }

  @Test(arguments: [
    ("0", "0.00"), ("-0.00", "0.00"), ("1", "1.00"), ("12345.6", "12345.60"), ("-0.01", "-0.01"), (".5", "0.50"),
    ("10000", "10000.00"), ("100000000.10", "100000000.10"), ("0.10", "0.10"), ("1.2300", "1.23"),
    ("1.5e2", "150.00"), ("15e-1", "1.50"), ("0.001", "too-many-decimals:0.001"), ("1e400", "out-of-range:1e400"),
    ("99999999999999999", "out-of-range:99999999999999999"), ("9999999999999999.99", "9999999999999999.99"),
    ("0000000000000000000000001", "1.00"), ("NaN", "not-a-number:NaN"), ("Infinity", "not-a-number:Infinity"),
  ])
  func `a written decimal of 18 digits, 2 after the point`(written: String, expected: String) {
    #expect(carried(written, .decimal(precision: 18, scale: 2)) == expected)
  }

  @Test func `38 digits pass unharmed`() {
    let whole = "12345678901234567890123456789012345678"
    #expect(carried(whole, .decimal(precision: 38, scale: 0)) == whole)
    #expect(carried("-0." + whole, .decimal(precision: 38, scale: 38)) == "-0." + whole)
    let middle = "1234567890123456789012345678.9012345678"
    #expect(carried(middle, .decimal(precision: 38, scale: 10)) == middle)
  }

  @Test func `a decimal's bytes are those of PostgreSQL's numeric`() {
    let batch = RowBatch(capacity: RowBatch.smallest)
    batch.beginRow(fields: 1)
    "-12345.6".withBytes { CanonicalText(zone: 0).append($0, as: .decimal(precision: 10, scale: 3), to: batch) }
    batch.endRow()
    // numeric_send of -12345.600: 3 digits, weight 1, negative, dscale 3, groups 1 2345 6000.
    #expect(batch.fields(0) == [.value([0, 3, 0, 1, 0x40, 0, 0, 3, 0, 1, 9, 0x29, 0x17, 0x70])])
  }

  @Test(arguments: [
    ("2026-08-22", "2026-08-22"), ("1899-12-31", "1899-12-31"), ("0001-01-01", "0001-01-01"),
    ("9999-12-31", "9999-12-31"), ("20260822", "2026-08-22"), ("2026/8/2", "2026-08-02"),
    ("2026.08.22", "2026-08-22"), ("2026年8月22日", "2026-08-22"), ("2024-02-29", "2024-02-29"),
    ("2023-02-29", "impossible-date:2023-02-29"), ("2026-04-31", "impossible-date:2026-04-31"),
    ("0000-01-01", "impossible-date:0000-01-01"), ("2026-08", "impossible-date:2026-08"),
    ("2026-08/22", "impossible-date:2026-08/22"), ("2026-08-22x", "impossible-date:2026-08-22x"),
    ("infinity", "impossible-date:infinity"), ("2026年8月22", "impossible-date:2026年8月22"),
  ])
  func `a written date`(written: String, expected: String) {
    #expect(carried(written, .date) == expected)
  }

  @Test(arguments: [
    ("2000-01-01 00:00:00", 0, "2000-01-01 00:00:00.000000"),
    ("2026-08-22 09:30:00.5", 0, "2026-08-22 09:30:00.500000"),
    ("2026-08-22T09:30:00+08:00", 0, "2026-08-22 01:30:00.000000"),
    ("2026-08-22 09:30:00", 28_800, "2026-08-22 01:30:00.000000"),
    ("2026-08-22 09:30:00Z", 28_800, "2026-08-22 09:30:00.000000"),
    ("2026-08-22 09:30", 0, "2026-08-22 09:30:00.000000"), ("1900-01-01", 0, "1900-01-01 00:00:00.000000"),
    ("1999-12-31 23:59:59.999999", 0, "1999-12-31 23:59:59.999999"),
    ("2026-08-22 09:30:00.1234560", 0, "2026-08-22 09:30:00.123456"),
    ("2026-08-22 09:30:00.1234567", 0, "impossible-date:2026-08-22 09:30:00.1234567"),
    ("2026-08-22 24:00:00", 0, "impossible-date:2026-08-22 24:00:00"),
    ("2026-08-22 09:60:00", 0, "impossible-date:2026-08-22 09:60:00"),
    ("0001-01-01 00:00:00", 28_800, "impossible-date:0001-01-01 00:00:00"),
    ("2026-08-22 09:30:00+8", 0, "impossible-date:2026-08-22 09:30:00+8"),
  ])
  func `a written time`(written: String, zone: Int, expected: String) {
    #expect(carried(written, .timestamp, zone: zone) == expected)
  }

  @Test(arguments: [
    ("是", "true"), ("T", "true"), ("0", "false"), ("No", "false"), ("", "NULL"), ("2", "not-a-boolean:2"),
  ])
  func `a written yes or no`(written: String, expected: String) {
    #expect(carried(written, .boolean) == expected)
  }

  @Test(arguments: [
    ("1.5", "1.5"), ("-0", "0.0"), ("1e308", "1e+308"), ("1e309", "not-finite:"), ("0x10", "not-a-number:0x10"),
  ])
  func `a written floating point number`(written: String, expected: String) {
    #expect(carried(written, .double).hasPrefix(expected))
  }

  @Test(
    arguments: [
      ([], 0, nil), (Array("青海 abc".utf8), 6, nil), ([0x61, 0, 0x62], 0, RowFault.containsNUL),
      (Array("abcdefgh".utf8) + [0], 0, .containsNUL), ([0xC0, 0x80], 0, .invalidText),
      ([0xED, 0xA0, 0x80], 0, .invalidText),
      ([0xF4, 0x90, 0x80, 0x80], 0, .invalidText), ([0xE9, 0x9D], 0, .invalidText), ([0xFF], 0, .invalidText),
      (Array("𠮷".utf8), 1, nil), ([0xE0, 0x80, 0xAF], 0, .invalidText), ([0xF0, 0x8F, 0xBF, 0xBF], 0, .invalidText),
      (Array("é".utf8), 1, nil), ([0xC7, 0xE0], 0, .invalidText),
    ] as [([UInt8], Int, RowFault?)])
  func `text is checked and counted by characters`(bytes: [UInt8], characters: Int, fault: RowFault?) {
    let scan = bytes.withUnsafeBytes { UTF8Scan($0) }
    #expect(scan.fault == fault)
    if fault == nil { #expect(scan.characters == characters) }
  }

  @Test func `the scan agrees with the standard library on random bytes`() {
    var state: UInt64 = 7
    for _ in 0..<20_000 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      let bytes = withUnsafeBytes(of: state ^ state >> 29) { Array($0) }.map { $0 == 0 ? 1 : $0 }
      let known = String(validating: bytes, as: UTF8.self)
      let scan = bytes.withUnsafeBytes { UTF8Scan($0) }
      #expect((scan.fault == nil) == (known != nil))
      if let known { #expect(scan.characters == known.unicodeScalars.count) }
    }
  }
}

@Suite struct UTF8ScanTests {
  /// Characters of every length, at the ends of what each length can say, beside much that Chinese is made of.
  private static let characters = Array("a7 ,zé߿青海省西宁城中区昆仑路号퟿ࠀ￿𠮷😀\u{10FFFF}\u{E000}\u{7F}\u{80}").map {
    Array(String($0).utf8)
  }

  @Test func `texts of any length, whole or with one byte changed, are judged as by the standard library`() {
    var state: UInt64 = 20_261_130
    func random(_ below: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int((state >> 33) % UInt64(below))
    }
    var broken = 0
    for round in 0..<60_000 {
      var bytes = (0..<random(24)).flatMap { _ in Self.characters[random(Self.characters.count)] }
      if round % 2 == 1, !bytes.isEmpty { bytes[random(bytes.count)] = UInt8(random(256)) }
      let cut = bytes.isEmpty ? 0 : random(4) == 0 ? random(bytes.count) : 0
      let text = Array(bytes.dropFirst(cut))
      let scan = text.withUnsafeBytes { UTF8Scan($0) }
      let known = String(validating: text, as: UTF8.self)
      if known == nil { broken += 1 }
      let isWhole = known != nil && !text.contains(0)
      #expect((scan.fault == nil) == isWhole, "\(text)")
      if let known, isWhole { #expect(scan.characters == known.unicodeScalars.count, "\(text)") }
    }
    #expect(broken > 10_000)
  }
}

@Suite struct WrittenBytesTests {
  @Test(arguments: [
    ("0", ValueType.decimal(precision: 18, scale: 2)), ("-0.01", .decimal(precision: 18, scale: 2)),
    ("12345678901234567890123456789012345678", .decimal(precision: 38, scale: 0)),
    ("-1234567890123456789012345678.9012345678", .decimal(precision: 38, scale: 10)),
    ("100000000", .decimal(precision: 18, scale: 1)), ("0.00012345", .decimal(precision: 18, scale: 8)),
    ("10000.0001", .decimal(precision: 18, scale: 5)), ("0001-01-01", .date), ("9999-12-31", .date),
    ("1899-12-31", .date),
    ("2024-02-29", .date), ("1999-12-31 23:59:59.999999", .timestamp), ("0001-01-01 00:00:00", .timestamp),
    ("9999-12-31 23:59:59.999999", .timestamp), ("2026-08-22 09:30:00.5", .timestamp),
  ])
  func `what a target keeps as text is what the value says`(written: String, type: ValueType) throws {
    let batch = RowBatch(capacity: RowBatch.smallest)
    batch.beginRow(fields: 1)
    written.withBytes { CanonicalText(zone: 0).append($0, as: type, to: batch) }
    batch.endRow()
    guard case .value(let bytes) = batch.fields(0)[0] else {
      Issue.record("not read")
      return
    }
    var kept = WrittenBytes()
    let text = try bytes.withUnsafeBytes { String(decoding: try kept.append($0, as: type), as: UTF8.self) }
    let expected = try #require(bytes.withUnsafeBytes { CanonicalText.text(of: $0, as: type) })
    #expect(text == (type == .timestamp ? expected + "Z" : expected))
  }

  /// `numeric` as the wire has it: count, weight, sign, scale, groups.
  private static func numeric(_ words: Int...) -> [UInt8] {
    words.flatMap { [UInt8(truncatingIfNeeded: $0 >> 8), UInt8(truncatingIfNeeded: $0)] }
  }

  private static let decimal = ValueType.decimal(precision: 38, scale: 10)

  @Test(
    arguments: [
      // 1e130000, 1e-16383 and -1e32767 groups; NaN, both infinities; groups that say no four digits; cut and too long.
      (numeric(1, 32_500, 0, 0, 1), decimal), (numeric(1, -4096, 0, 16_383, 1), decimal),
      (numeric(1, 32_767, 0x4000, 0, 1), decimal), (numeric(1, 12, 0, 0, 1), decimal),
      (numeric(0, 0, 0xC000, 0), decimal), (numeric(0, 0, 0xD000, 0), decimal), (numeric(0, 0, 0xF000, 0), decimal),
      (numeric(1, 0, 0, 0, 10_000), decimal), (numeric(1, 0, 0, 0, 65_535), decimal), (numeric(2, 0, 0, 0, 1), decimal),
      (numeric(0, 0, 0), decimal), ([], decimal), (numeric(0, 0, 0, 65_535), decimal),
      (numeric(65_535, 0, 0, 0), decimal),
      ([0x7F, 0xFF, 0xFF, 0xFF], .date), ([0x80, 0, 0, 0], .date), ([0, 0, 0], .date), ([], .date),
      // The day before 0001-01-01, and the one after 9999-12-31.
      ([0xFF, 0xF4, 0xDB, 0xF8], .date), ([0x00, 0x2C, 0x95, 0xD4], .date),
      ([0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], .timestamp), ([0x80, 0, 0, 0, 0, 0, 0, 0], .timestamp),
      ([0x80, 0, 0, 0, 0, 0, 0, 1], .timestamp), ([0, 0, 0, 0], .timestamp), ([], .timestamp),
    ] as [([UInt8], ValueType)])
  func `what lies outside of every contract is not written, and nothing is written past the end`(
    bytes: [UInt8], type: ValueType
  ) throws {
    var kept = WrittenBytes()
    var refused: ConnectorError?
    do {
      try bytes.withUnsafeBytes { _ = try kept.append($0, as: type) }
    } catch { refused = error as? ConnectorError }
    #expect(refused == .outsideOfContract(type))
    // What comes after it is right.
    let good = try Self.numeric(1, 0, 0x4000, 0, 42).withUnsafeBytes {
      String(decoding: try kept.append($0, as: Self.decimal), as: UTF8.self)
    }
    #expect(good == "-42")
  }

  @Test func `a row of more values than one piece of memory holds keeps all of them`() throws {
    var kept = WrittenBytes()
    for _ in 0..<2 {
      var texts: [UnsafeRawBufferPointer] = []
      for number in 0..<9_999 {
        try Self.numeric(1, 9, 0, 0, number + 1).withUnsafeBytes { texts.append(try kept.append($0, as: Self.decimal)) }
      }
      for (number, text) in texts.enumerated() {
        #expect(String(decoding: text, as: UTF8.self) == "\(number + 1)" + String(repeating: "0", count: 36))
      }
      kept.removeAll()
    }
  }

  @Test(
    arguments: [
      (Int64.max, Int64(28_800_000_000)), (.min, -1), (.min, 28_800_000_000), (.max, -1),
      (WrittenTime.microseconds.upperBound, 1), (WrittenTime.microseconds.lowerBound, -1),
    ] as [(Int64, Int64)])
  func `a time that a zone moves out of the years is none`(time: Int64, shift: Int64) {
    #expect(WrittenTime.moved(time, by: shift) == nil)
    #expect(WrittenTime.moved(0, by: shift) == (WrittenTime.microseconds.contains(shift) ? shift : nil))
  }
}
