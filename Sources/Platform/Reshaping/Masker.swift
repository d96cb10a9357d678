package import Connecting
import Kernel

/// One item's mask made ready. Used by one thread.
package final class Masker {
  private let mask: ValueMask
  private let type: ValueType
  private let scale: Int
  private let tokens: Tokens?
  private let labels: [[UInt8]]
  /// Bytes that a value may become longer by.
  package let growth: Int

  /// Nil where the mask does not fit the type. `key`: 16 bytes of the provider's for this grant.
  package init?(_ mask: ValueMask, type: ValueType, key: [UInt8], tweak: [UInt8]) {
    guard mask.facts(for: type) != nil else { return nil }
    self.mask = mask
    self.type = type
    scale = ExpressionTyping.number(type)?.scale ?? 0
    if case .token(let kind) = mask {
      guard let made = Tokens(kind, key: key, tweak: tweak) else { return nil }
      tokens = made
    } else {
      tokens = nil
    }
    if case .band(let bounds) = mask {
      labels = (0...bounds.count).map { Array(ValueMask.bandLabel(bounds, $0).utf8) }
    } else {
      labels = []
    }
    // A number's digits may carry into one more group.
    growth = max(64, labels.map(\.count).max() ?? 0)
  }

  /// The masked value, -1 for NULL; or why the value cannot be masked. `room` holds the value's length and `growth`.
  package func apply(_ value: UnsafeRawBufferPointer, _ room: UnsafeMutableRawPointer) -> (Int, RowFault?) {
    switch mask {
    case .token:
      guard let tokens else { return (0, .cannotMask) }
      let (bytes, fault) = tokens.make(value)
      return fault.map { (0, $0) } ?? put(bytes, room)
    case .period(let period):
      guard let day = day(value) else { return (0, .wrongType) }
      return put(Self.written(RowTime.date(day), period), room)
    case .ageBand(let width, let reference):
      guard let day = day(value) else { return (0, .wrongType) }
      let born = RowTime.date(day)
      guard born <= reference else { return (0, .dateOutOfRange) }
      let isBefore = (reference.month, reference.day) < (born.month, born.day)
      let age = reference.year - born.year - (isBefore ? 1 : 0)
      // A placeholder as 0001-01-01 is nobody's birth; `2025-2029` would not fit where ages are expected.
      guard age < 1000 - width else { return (0, .dateOutOfRange) }
      let low = age / width * width
      return put(Array("\(low)-\(low + width - 1)".utf8), room)
    case .place(let level):
      guard [6, 9, 12].contains(value.count), value.allSatisfy({ $0 &- 48 < 10 }) else { return (0, .cannotMask) }
      let kept = level == .province ? 2 : level == .prefecture ? 4 : 6
      for at in 0..<value.count {
        room.storeBytes(of: at < kept ? value[at] : UInt8(ascii: "0"), toByteOffset: at, as: UInt8.self)
      }
      return (value.count, nil)
    case .address(let level):
      let end = PlaceNames.end(of: level, in: value)
      return end > 0 ? put(UnsafeRawBufferPointer(rebasing: value[..<end]), room) : (-1, nil)
    case .cut(let count):
      return put(UnsafeRawBufferPointer(rebasing: value[..<Characters.offset(value, count)]), room)
    case .band(let bounds):
      let (number, fault) = number(value)
      if let fault { return (0, fault) }
      let band = bounds.count { Decimals.compare(Int128($0), 0, number, scale) <= 0 }
      return put(labels[band], room)
    case .rounded(let power):
      let (number, fault) = number(value)
      if let fault { return (0, fault) }
      return round(number, power, room)
    }
  }

  /// The same, copied out: for rare paths. Nil where it cannot be masked or is NULL.
  package func masked(_ value: [UInt8]) -> [UInt8]? {
    let room = UnsafeMutableRawBufferPointer.allocate(byteCount: value.count + growth, alignment: 8)
    defer { room.deallocate() }
    let (count, fault) = value.withUnsafeBytes { apply($0, room.baseAddress.unsafelyUnwrapped) }
    return fault == nil && count >= 0 ? Array(room[..<count]) : nil
  }

  private func put(_ bytes: [UInt8], _ room: UnsafeMutableRawPointer) -> (Int, RowFault?) {
    bytes.withUnsafeBytes { put($0, room) }
  }

  private func put(_ bytes: UnsafeRawBufferPointer, _ room: UnsafeMutableRawPointer) -> (Int, RowFault?) {
    if let start = bytes.baseAddress { room.copyMemory(from: start, byteCount: bytes.count) }
    return (bytes.count, nil)
  }

  private func day(_ value: UnsafeRawBufferPointer) -> Int64? {
    switch value.count {
    case 4: Int64(Int32(bigEndian: value.loadUnaligned(as: Int32.self)))
    case 8: RowTime.day(Int64(bigEndian: value.loadUnaligned(as: Int64.self)))
    default: nil
    }
  }

  private func number(_ value: UnsafeRawBufferPointer) -> (Int128, RowFault?) {
    guard type == .integer else { return Decimals.read(value, scale: scale) }
    guard value.count == 8 else { return (0, .wrongType) }
    return (Int128(Int64(bigEndian: value.loadUnaligned(as: Int64.self))), nil)
  }

  private func round(_ number: Int128, _ power: Int, _ room: UnsafeMutableRawPointer) -> (Int, RowFault?) {
    let digits = power + scale
    guard digits <= 38 else { return (0, .outOfRange) }
    guard let value = Decimals.raised(Decimals.rounded(number, droppingDigits: digits), by: digits) else {
      return (0, .outOfRange)
    }
    guard case .decimal(let precision, _) = type else {
      guard let whole = Int64(exactly: value) else { return (0, .outOfRange) }
      room.storeBytes(of: whole.bigEndian, as: Int64.self)
      return (8, nil)
    }
    scratch.removeAll()
    if let fault = Decimals.append(value, precision: precision, scale: scale, to: scratch) { return (0, fault) }
    return put(UnsafeRawBufferPointer(rebasing: scratch.bytes[4...]), room)
  }

  private lazy var scratch = RowBatch(capacity: RowBatch.smallest)

  private static func written(_ date: CalendarDate, _ period: ValueMask.Period) -> [UInt8] {
    func padded(_ number: Int, _ width: Int) -> String {
      let digits = String(number)
      return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
    let year = padded(date.year, 4)
    let text =
      switch period {
      case .month: "\(year)-\(padded(date.month, 2))"
      case .quarter: "\(year)Q\((date.month + 2) / 3)"
      case .year: year
      case .decade: "\(year.prefix(3))X"
      }
    return Array(text.utf8)
  }
}

/// Names of divisions as addresses begin with them, in their newest and their older spellings.
enum PlaceNames {
  private final class Branch: Sendable {
    let name: [UInt8]
    let below: [Branch]

    init(_ name: String, _ below: [Branch]) {
      self.name = Array(name.utf8)
      self.below = below
    }
  }

  /// Provinces with their prefectures with their counties.
  private static let provinces: [Branch] = {
    let divisions = Divisions.embedded
    let days = [CalendarDate(year: 2018, month: 6, day: 1), CalendarDate(year: 2024, month: 1, day: 1)].compactMap(
      \.self)
    func branches(_ code: String, _ depth: Int) -> [Branch] {
      var names: [String: String] = [:]
      for day in days { for division in divisions.children(of: code, on: day) { names[division.name] = division.code } }
      return names.map { Branch($0.key, depth < 3 ? branches($0.value, depth + 1) : []) }
        .sorted { $0.name.count > $1.name.count }
    }
    return branches("", 1)
  }()

  /// Where the name of the level's division ends in an address that begins with its province or its prefecture; 0 where
  /// no name is found. What ends above the level is cut there: never more is shown.
  static func end(of level: Division.Level, in text: UnsafeRawBufferPointer) -> Int {
    let levels = level == .province ? 1 : level == .prefecture ? 2 : 3
    if let province = provinces.first(where: { begins(text, 0, $0.name) }) {
      return province.name.count + below(province, levels - 1, text, province.name.count)
    }
    // Many leave out the province.
    guard levels > 1 else { return 0 }
    for province in provinces {
      let length = below(province, levels - 1, text, 0)
      if length > 0 { return length }
    }
    return 0
  }

  private static func below(_ branch: Branch, _ levels: Int, _ text: UnsafeRawBufferPointer, _ at: Int) -> Int {
    guard levels > 0 else { return 0 }
    if let next = branch.below.first(where: { begins(text, at, $0.name) }) {
      return next.name.count + below(next, levels - 1, text, at + next.name.count)
    }
    // A municipality's districts stand right behind its name, and a county's city may be left out.
    guard levels > 1 else { return 0 }
    for middle in branch.below {
      if let next = middle.below.first(where: { begins(text, at, $0.name) }) { return next.name.count }
    }
    return 0
  }

  private static func begins(_ text: UnsafeRawBufferPointer, _ at: Int, _ name: [UInt8]) -> Bool {
    guard at + name.count <= text.count else { return false }
    return name.withUnsafeBytes { ByteOrder.areEqual(UnsafeRawBufferPointer(rebasing: text[at..<at + name.count]), $0) }
  }
}
