/// One column's values, as they go by.
package struct ColumnLook: Hashable, Sendable {
  package var nulls = 0
  package private(set) var longest = 0
  private var values = 0
  private var shortestBytes = Int.max
  private var longestBytes = 0
  private var wholes = true
  private var decimals = true
  private var wholeDigits = 0
  private var scale = 0
  private var dates = true
  private var times = true
  private var booleans = true
  /// Every value was told to be a number, not only written like one.
  private var numbers = true

  package init() {}

  /// `kind`: what the source itself says the value is, where it says anything.
  package mutating func add(_ bytes: UnsafeRawBufferPointer, kind: Kind = .unknown) {
    if kind != .number { numbers = false }
    if kind == .text { (wholes, decimals) = (false, false) }
    add(written: bytes)
  }

  package enum Kind: Sendable { case unknown, text, number }

  /// As if the other's values had gone by here as well.
  package mutating func add(_ other: ColumnLook) {
    nulls += other.nulls
    longest = max(longest, other.longest)
    values += other.values
    shortestBytes = min(shortestBytes, other.shortestBytes)
    longestBytes = max(longestBytes, other.longestBytes)
    wholes = wholes && other.wholes
    decimals = decimals && other.decimals
    wholeDigits = max(wholeDigits, other.wholeDigits)
    scale = max(scale, other.scale)
    dates = dates && other.dates
    times = times && other.times
    booleans = booleans && other.booleans
    numbers = numbers && other.numbers
  }

  private mutating func add(written bytes: UnsafeRawBufferPointer) {
    values += 1
    longest = max(longest, UTF8Scan(bytes).characters)
    shortestBytes = min(shortestBytes, bytes.count)
    longestBytes = max(longestBytes, bytes.count)
    if wholes || decimals { look(atNumber: bytes) }
    // Eight digits alone are as likely a code as a day.
    dates = dates && WrittenTime.date(bytes)?.1 == bytes.count && bytes.contains { $0 &- 48 >= 10 }
    if times { times = bytes.count > 10 && WrittenTime.microseconds(bytes, zone: 0) != nil }
    if booleans { booleans = Self.booleanTexts.contains { bytes.elementsEqual($0.utf8) } }
  }

  private static let booleanTexts = ["是", "否", "true", "false", "TRUE", "FALSE"]

  /// `-12.50`: no leading noughts (those are codes), no plus, no exponent, no commas.
  private mutating func look(atNumber bytes: UnsafeRawBufferPointer) {
    var at = bytes.first == UInt8(ascii: "-") ? 1 : 0
    let start = at
    while at < bytes.count, bytes[at] &- 48 < 10 { at += 1 }
    let whole = at - start
    var places = 0
    if at < bytes.count, bytes[at] == UInt8(ascii: ".") {
      at += 1
      while at < bytes.count, bytes[at] &- 48 < 10 {
        at += 1
        places += 1
      }
      if places == 0 { decimals = false }
    }
    guard at == bytes.count, whole > 0, whole == 1 || bytes[start] != 48, decimals else {
      (wholes, decimals) = (false, false)
      return
    }
    if places > 0 { wholes = false }
    wholeDigits = max(wholeDigits, whole)
    scale = max(scale, places)
  }

  /// Text unless every value fits something narrower, and text for what looks like a code: numbers of six and more digits
  /// that are all of one length.
  package var suggested: ValueType {
    guard values > 0 else { return .text }
    if booleans { return .boolean }
    if dates { return .date }
    if times { return .timestamp }
    if wholes, wholeDigits <= 15 { return shortestBytes == longestBytes && longestBytes >= 6 ? .text : .integer }
    if decimals, !wholes, wholeDigits + scale <= 38 {
      return .decimal(precision: wholeDigits + scale <= 18 ? 18 : 38, scale: scale)
    }
    return numbers ? .double : .text
  }

  /// Characters that tomorrow's values may have: the next round length above today's longest.
  package var roomyLength: Int {
    var step = 10
    while true {
      for factor in [1, 2, 5] where longest <= step * factor { return step * factor }
      step *= 10
    }
  }
}

/// The columns of a source that declares none, as its records go by: in the order in which they were first seen.
package struct TableLook: Sendable {
  /// Beyond it, further columns are left out.
  package static let mostColumns = 1000

  package private(set) var names: [String] = []
  package private(set) var looks: [ColumnLook] = []
  package var rows = 0
  private var places: [String: Int] = [:]

  package init() {}

  /// Nil when there is no room for another column.
  package mutating func place(of name: String) -> Int? {
    if let place = places[name] { return place }
    guard names.count < Self.mostColumns else { return nil }
    places[name] = names.count
    names.append(name)
    looks.append(ColumnLook())
    return names.count - 1
  }

  package mutating func add(_ look: ColumnLook, to name: String) {
    if let place = place(of: name) { looks[place].add(look) }
  }

  package mutating func add(_ bytes: UnsafeRawBufferPointer, kind: ColumnLook.Kind, at place: Int) {
    looks[place].add(bytes, kind: kind)
  }

  package mutating func addNull(at place: Int) { looks[place].nulls += 1 }

  /// Suggestions, never a contract. `lacking`: columns that some records do not have at all count as having NULL there.
  package func columns(nativeType: String, lacking: Set<String> = []) -> [ColumnDescription] {
    zip(names, looks).map { name, look in
      ColumnDescription(
        name: name, nativeType: nativeType, type: look.suggested,
        length: look.suggested == .text ? look.roomyLength : nil, isNullable: look.nulls > 0 || lacking.contains(name))
    }
  }
}
