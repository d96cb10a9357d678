import Connecting
import Kernel

/// Functions: texts, dates and conversions. NULL in, NULL out, except where CONCAT leaves it out.
extension ExpressionMachine {
  func make(_ instruction: Instruction, _ cell: UnsafeMutablePointer<Cell>) -> RowFault? {
    let a = Int(instruction.a)
    if instruction.operation == .join || instruction.operation == .concatenate {
      return join(cell, a, skipsNull: instruction.operation == .concatenate)
    }
    if cell.pointee.isNull { return nil }
    switch instruction.operation {
    case .left, .right, .addDays, .ageAt: if cell[1].isNull { return null(cell) }
    case .replace: if cell[1].isNull || cell[2].isNull { return null(cell) }
    case .substring: if cell[1].isNull || a == 3 && cell[2].isNull { return null(cell) }
    default: break
    }
    switch instruction.operation {
    case .left, .right, .substring, .length, .trim: return part(instruction.operation, cell, a)
    case .upper: return mapLetters(cell, from: UInt8(ascii: "a"), to: UInt8(ascii: "A"))
    case .lowercase: return mapLetters(cell, from: UInt8(ascii: "A"), to: UInt8(ascii: "a"))
    case .replace: return replace(cell)
    case .year, .month, .day:
      let day = a == 1 ? RowTime.day(Int64(cell.pointee.number)) : Int64(cell.pointee.number)
      let date = RowTime.date(day)
      set(
        cell,
        Int128(instruction.operation == .year ? date.year : instruction.operation == .month ? date.month : date.day))
    case .addDays:
      let day = cell.pointee.number + cell[1].number
      guard day >= Int128(WrittenTime.days.lowerBound), day <= Int128(WrittenTime.days.upperBound) else {
        return .impossibleDate
      }
      set(cell, day)
    case .ageAt:
      let (born, today) = (RowTime.date(Int64(cell.pointee.number)), RowTime.date(Int64(cell[1].number)))
      guard born <= today else { return .dateOutOfRange }
      let isBefore = (today.month, today.day) < (born.month, born.day)
      set(cell, Int128(today.year - born.year - (isBefore ? 1 : 0)))
    case .lookup:
      switch program.pool.dictionaries[a].translate(cell.pointee.text) {
      case .value(let bytes): return put(bytes, cell)
      case .same: break
      case .null: cell.pointee.isNull = true
      case .fault(let fault): return fault
      }
    default: return convert(instruction, cell)
    }
    return nil
  }

  private func null(_ cell: UnsafeMutablePointer<Cell>) -> RowFault? {
    cell.pointee.isNull = true
    return nil
  }

  private func put(_ bytes: [UInt8], _ cell: UnsafeMutablePointer<Cell>) -> RowFault? {
    guard let room = arena.allocate(bytes.count) else { return .rowTooLarge }
    bytes.withUnsafeBytes { if let start = $0.baseAddress { room.copyMemory(from: start, byteCount: $0.count) } }
    set(cell, UnsafeRawBufferPointer(start: room, count: bytes.count))
    return nil
  }

  private func join(_ cell: UnsafeMutablePointer<Cell>, _ count: Int, skipsNull: Bool) -> RowFault? {
    var length = 0
    for index in 0..<count {
      if cell[index].isNull {
        if skipsNull { continue }
        return null(cell)
      }
      length += cell[index].count
    }
    guard let room = arena.allocate(length) else { return .rowTooLarge }
    var at = 0
    for index in 0..<count where !cell[index].isNull {
      (room + at).copyMemory(from: cell[index].start, byteCount: cell[index].count)
      at += cell[index].count
    }
    set(cell, UnsafeRawBufferPointer(start: room, count: length))
    return nil
  }

  /// A part of the text stays where it is.
  private func part(_ operation: Instruction.Operation, _ cell: UnsafeMutablePointer<Cell>, _ count: Int) -> RowFault? {
    let text = cell.pointee.text
    func bounded(_ number: Int128) -> Int? { number < 0 ? nil : Int(min(number, Int128(text.count))) }
    switch operation {
    case .length: set(cell, Int128(Characters.count(text)))
    case .trim: set(cell, Characters.trimmed(text))
    case .left:
      guard let length = bounded(cell[1].number) else { return .outOfRange }
      set(cell, UnsafeRawBufferPointer(rebasing: text[..<Characters.offset(text, length)]))
    case .right:
      guard let length = bounded(cell[1].number) else { return .outOfRange }
      set(cell, UnsafeRawBufferPointer(rebasing: text[Characters.tail(text, length)...]))
    default:
      guard let from = bounded(cell[1].number - 1) else { return .outOfRange }
      let rest = UnsafeRawBufferPointer(rebasing: text[Characters.offset(text, from)...])
      guard count == 3 else {
        set(cell, rest)
        return nil
      }
      guard let length = bounded(cell[2].number) else { return .outOfRange }
      set(cell, UnsafeRawBufferPointer(rebasing: rest[..<Characters.offset(rest, length)]))
    }
    return nil
  }

  private func mapLetters(_ cell: UnsafeMutablePointer<Cell>, from: UInt8, to: UInt8) -> RowFault? {
    let text = cell.pointee.text
    guard let room = arena.allocate(text.count) else { return .rowTooLarge }
    for (at, byte) in text.enumerated() {
      room.storeBytes(of: byte &- from < 26 ? byte &- from &+ to : byte, toByteOffset: at, as: UInt8.self)
    }
    set(cell, UnsafeRawBufferPointer(start: room, count: text.count))
    return nil
  }

  private func replace(_ cell: UnsafeMutablePointer<Cell>) -> RowFault? {
    let (text, old, new) = (cell.pointee.text, cell[1].text, cell[2].text)
    guard old.count > 0, old.count <= text.count else { return nil }
    var (found, at) = (0, 0)
    func isHere(_ at: Int) -> Bool {
      text[at] == old[0] && ByteOrder.areEqual(UnsafeRawBufferPointer(rebasing: text[at..<at + old.count]), old)
    }
    while at + old.count <= text.count {
      if isHere(at) {
        found += 1
        at += old.count
      } else {
        at += 1
      }
    }
    guard found > 0 else { return nil }
    let length = text.count + found * (new.count - old.count)
    guard length <= Expression.Limit.value, let room = arena.allocate(length) else { return .rowTooLarge }
    var to = 0
    at = 0
    while at < text.count {
      if at + old.count <= text.count, isHere(at) {
        (room + to).copyMemory(from: cell[2].start, byteCount: new.count)
        to += new.count
        at += old.count
      } else {
        room.storeBytes(of: text[at], toByteOffset: to, as: UInt8.self)
        to += 1
        at += 1
      }
    }
    set(cell, UnsafeRawBufferPointer(start: room, count: length))
    return nil
  }

  // MARK: Conversions

  private func convert(_ instruction: Instruction, _ cell: UnsafeMutablePointer<Cell>) -> RowFault? {
    let (a, number) = (Int(instruction.a), cell.pointee.number)
    switch instruction.operation {
    case .textOfNumber: return put(Array(Decimals.text(number, scale: a).utf8), cell)
    case .textOfDouble: return put(Array("\(cell.pointee.double)".utf8), cell)
    case .textOfBoolean: return put(Array((number == 0 ? "false" : "true").utf8), cell)
    case .textOfDate: return put(program.pool.formats[a].write(day: Int64(number), second: 0), cell)
    case .textOfTime:
      let time = Int64(number)
      let day = RowTime.day(time)
      let second = (time - RowTime.start(ofDay: day)) / 1_000_000
      return put(program.pool.formats[a].write(day: day, second: second), cell)
    case .dateOfTime: set(cell, Int128(RowTime.day(Int64(number))))
    case .timeOfDate:
      let time = RowTime.start(ofDay: Int64(number))
      guard WrittenTime.microseconds.contains(time) else { return .impossibleDate }
      set(cell, Int128(time))
    case .decimalOfDouble:
      let text = Array("\(cell.pointee.double)".utf8)
      let (scale, most) = (a, Decimals.power(Int(instruction.b)).magnitude)
      let value = text.withUnsafeBytes { bytes -> Int128? in
        guard let written = Decimal38(bytes) else { return nil }
        // A double's shortest digits may lie far behind the point: they are rounded away, nothing else is.
        return written.rounded(to: scale)
      }
      guard let value, value.magnitude < most else { return .outOfRange }
      set(cell, value)
    default: return convertText(instruction, cell)
    }
    return nil
  }

  /// A blank text is NULL, as everywhere else.
  private func convertText(_ instruction: Instruction, _ cell: UnsafeMutablePointer<Cell>) -> RowFault? {
    let a = Int(instruction.a)
    let text = Characters.trimmed(cell.pointee.text)
    guard text.count > 0 else { return null(cell) }
    switch instruction.operation {
    case .integerOfText:
      guard let number = Decimal38(text) else { return .notANumber }
      guard number.isWhole else { return .tooManyDecimals }
      guard let value = number.int64 else { return .outOfRange }
      set(cell, Int128(value))
    case .decimalOfText:
      let (value, fault) = Decimals.parse(text, scale: a)
      if let fault { return fault }
      guard value.magnitude < Decimals.power(Int(instruction.b)).magnitude else { return .outOfRange }
      set(cell, value)
    case .dateOfText:
      if a >= 0 {
        guard let (day, _) = program.pool.formats[a].read(text) else { return .impossibleDate }
        set(cell, Int128(day))
      } else {
        guard let (date, end) = WrittenTime.date(text), end == text.count else { return .impossibleDate }
        set(cell, Int128(RowTime.day(date)))
      }
    default:
      let time: Int64?
      if a >= 0 {
        time = program.pool.formats[a].read(text).map { RowTime.start(ofDay: $0.day) + $0.second * 1_000_000 }
      } else {
        time = WrittenTime.microseconds(text, zone: RowTime.zone)
      }
      guard let time, WrittenTime.microseconds.contains(time) else { return .impossibleDate }
      set(cell, Int128(time))
    }
    return nil
  }
}
