import Connecting

/// From what the driver gives to canonical bytes.
struct ODBCField {
  let type: ValueType
  private let zone: Int
  private let text: CanonicalText

  /// `zone`: seconds east of UTC of times that bear none.
  init(_ type: ValueType, zone: Int) {
    self.type = type
    self.zone = zone
    text = CanonicalText(zone: zone)
  }

  /// Numbers, dates and times as written. The usual spelling goes the short way; the long one finds what is wrong with others.
  @inline(__always)
  func append(narrow raw: UnsafeRawBufferPointer, to batch: RowBatch) {
    switch type {
    case .integer:
      if let value = Self.integer(raw) { return batch.append(value) }
    case .date:
      if raw.count == 10, let day = Self.day(raw) { return batch.append(Int32(truncatingIfNeeded: day)) }
    case .timestamp:
      if let time = time(raw) { return batch.append(time) }
    case .boolean:
      if raw.count == 1, raw[0] & 0xFE == 0x30 { return batch.append(raw[0] == 0x31) }
    default: break
    }
    // An empty number or time is no NULL: the database has those of its own.
    raw.isEmpty ? batch.appendMalformed(.wrongType, raw) : text.append(raw, as: type, to: batch)
  }

  /// Text in a driver's UTF-16.
  @inline(__always)
  func append(_ units: UnsafePointer<UInt16>, _ count: Int, to batch: RowBatch) {
    if type == .text { return ODBCText.append(units, count, to: batch) }
    guard let bytes = ODBCText.bytes(units, count) else {
      return batch.appendMalformed(.invalidText, UnsafeRawBufferPointer(start: units, count: count * 2))
    }
    bytes.withUnsafeBytes { append(narrow: $0, to: batch) }
  }

  /// Text in UTF-8 and bytes.
  @inline(__always)
  func append(plain raw: UnsafeRawBufferPointer, to batch: RowBatch) {
    switch type {
    case .text: if let fault = UTF8Scan(raw).fault { batch.appendMalformed(fault, raw) } else { batch.append(raw) }
    case .bytes: batch.append(raw)
    default: append(narrow: raw, to: batch)
    }
  }

  /// A storage class of SQLite's, then the value: what is of another class than the type has is set apart.
  func append(classed raw: UnsafeRawBufferPointer, to batch: RowBatch) {
    guard let storage = raw.first else { return batch.appendMalformed(.wrongType, raw) }
    let value = UnsafeRawBufferPointer(rebasing: raw[1...])
    switch (type, storage) {
    case (.text, UInt8(ascii: "t")), (.bytes, UInt8(ascii: "b")): append(plain: value, to: batch)
    case (.integer, UInt8(ascii: "i")), (.boolean, UInt8(ascii: "i")): append(narrow: value, to: batch)
    case (.decimal, UInt8(ascii: "i")), (.double, UInt8(ascii: "i")): text.append(value, as: type, to: batch)
    case (.double, UInt8(ascii: "r")):
      batch.append(Self.double(value) ?? .infinity)
    case (.integer, UInt8(ascii: "r")), (.decimal, UInt8(ascii: "r")), (.boolean, UInt8(ascii: "r")):
      // The shortest digits that name this number: what a person who wrote it would expect to see.
      var shortest = Self.double(value).map { "\($0)" } ?? ""
      shortest.withUTF8 { text.append(UnsafeRawBufferPointer($0), as: type, to: batch) }
    case (.text, _), (.bytes, _), (_, UInt8(ascii: "b")), (.timestamp, UInt8(ascii: "i")),
      (.timestamp, UInt8(ascii: "r")), (.date, UInt8(ascii: "r")):
      batch.appendMalformed(.wrongType, value)
    default: text.append(value, as: type, to: batch)
    }
  }

  private static func double(_ text: UnsafeRawBufferPointer) -> Double? {
    Double(String(decoding: text, as: UTF8.self))
  }

  // MARK: The usual spellings

  /// Up to 18 digits.
  @inline(__always)
  static func integer(_ text: UnsafeRawBufferPointer) -> Int64? {
    var at = 0
    let isNegative = text.count > 0 && text[0] == UInt8(ascii: "-")
    if isNegative { at = 1 }
    guard at < text.count, text.count - at <= 18 else { return nil }
    var value: Int64 = 0
    while at < text.count {
      let digit = text[at] &- 0x30
      guard digit < 10 else { return nil }
      value = value &* 10 &+ Int64(digit)
      at += 1
    }
    return isNegative ? -value : value
  }

  @inline(__always)
  private static func number(_ text: UnsafeRawBufferPointer, _ start: Int, _ count: Int) -> Int? {
    var value = 0
    for at in start..<start + count {
      let digit = text[at] &- 0x30
      guard digit < 10 else { return nil }
      value = value &* 10 &+ Int(digit)
    }
    return value
  }

  /// Days since 2000-01-01 of `YYYY-MM-DD`.
  @inline(__always)
  private static func day(_ text: UnsafeRawBufferPointer) -> Int? {
    guard text[4] == UInt8(ascii: "-"), text[7] == UInt8(ascii: "-"), let year = number(text, 0, 4),
      let month = number(text, 5, 2), let day = number(text, 8, 2), year > 0, (1...12).contains(month), day > 0
    else { return nil }
    if day > 28 {
      let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
      let last = month == 2 ? (isLeap ? 29 : 28) : (month == 4 || month == 6 || month == 9 || month == 11) ? 30 : 31
      if day > last { return nil }
    }
    // Howard Hinnant's days_from_civil, years counted from March.
    let y = month <= 2 ? year - 1 : year
    let era = y / 400
    let yearOfEra = y - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return era * 146_097 + dayOfEra - 719_468 - WrittenTime.epoch
  }

  /// `YYYY-MM-DD HH:MM:SS[.ffffff][+00]`, from the column's or the value's own zone.
  @inline(__always)
  private func time(_ raw: UnsafeRawBufferPointer) -> Int64? {
    guard raw.count >= 19 else { return nil }
    let end = raw.count - (raw[raw.count - 3] == UInt8(ascii: "+") ? 3 : 0)
    guard end == 19 || (21...26).contains(end), let day = Self.day(raw), raw[10] == UInt8(ascii: " "),
      raw[13] == UInt8(ascii: ":"), raw[16] == UInt8(ascii: ":"), let hour = Self.number(raw, 11, 2), hour < 24,
      let minute = Self.number(raw, 14, 2), minute < 60, let second = Self.number(raw, 17, 2), second < 60
    else { return nil }
    var offset = zone
    if end < raw.count {
      guard raw[end + 1] == 0x30, raw[end + 2] == 0x30 else { return nil }
      offset = 0
    }
    var fraction = 0
    if end > 19 {
      guard raw[19] == UInt8(ascii: "."), var value = Self.number(raw, 20, end - 20) else { return nil }
      for _ in end..<26 { value *= 10 }
      fraction = value
    }
    let seconds = Int64(day) * 86_400 + Int64(hour * 3600 + minute * 60 + second - offset)
    let value = seconds * 1_000_000 + Int64(fraction)
    return WrittenTime.microseconds.contains(value) ? value : nil
  }
}
