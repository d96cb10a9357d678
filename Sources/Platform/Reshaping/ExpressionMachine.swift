package import Connecting
import Kernel

/// Carries out one program row by row, over bytes. One per thread.
package final class ExpressionMachine {
  struct Cell {
    /// Integers, a decimal's digits, 0 or 1, days, microseconds; a double's bits.
    var number: Int128 = 0
    var start: UnsafeRawPointer
    var count = 0
    var isNull = true

    var text: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: start, count: count) }
    var double: Double { Double(bitPattern: UInt64(truncatingIfNeeded: number)) }
  }

  package let program: ExpressionProgram
  let cells: UnsafeMutablePointer<Cell>
  let arena = RowArena()
  /// The program's texts, where they stay.
  let texts: [UnsafeMutableRawBufferPointer]
  private let code: UnsafeMutableBufferPointer<Instruction>
  private let nothing: UnsafeMutableRawPointer

  package init(_ program: ExpressionProgram) {
    self.program = program
    nothing = .allocate(byteCount: 16, alignment: 16)
    cells = .allocate(capacity: program.cells + 2)
    cells.initialize(repeating: Cell(start: UnsafeRawPointer(nothing)), count: program.cells + 2)
    texts = program.pool.texts.map { bytes in
      let room = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, bytes.count), alignment: 8)
      room.copyBytes(from: bytes)
      return UnsafeMutableRawBufferPointer(start: room.baseAddress, count: bytes.count)
    }
    code = .allocate(capacity: program.instructions.count)
    _ = code.initialize(from: program.instructions)
  }

  deinit {
    for text in texts { text.baseAddress?.deallocate() }
    cells.deallocate()
    code.deallocate()
    nothing.deallocate()
  }

  /// Computes; the answer stands until the next row.
  package func run(_ fields: RowFields) -> RowFault? {
    arena.removeAll()
    var at = 0
    while at < code.count {
      let instruction = code[at]
      at += 1
      let cell = cells + Int(instruction.cell)
      switch instruction.operation {
      case .jump: at = Int(instruction.a)
      case .jumpIfFalse: if !cell.pointee.isNull, cell.pointee.number == 0 { at = Int(instruction.a) }
      case .jumpIfTrue: if !cell.pointee.isNull, cell.pointee.number != 0 { at = Int(instruction.a) }
      case .jumpUnlessTrue: if cell.pointee.isNull || cell.pointee.number == 0 { at = Int(instruction.a) }
      case .jumpIfSet: if !cell.pointee.isNull { at = Int(instruction.a) }
      default: if let fault = step(instruction, cell, fields) { return fault }
      }
    }
    return nil
  }

  /// For a filter: NULL is not true.
  package var isTrue: Bool { !cells.pointee.isNull && cells.pointee.number != 0 }
  package var isNull: Bool { cells.pointee.isNull }
  /// The text the program gave.
  package var text: UnsafeRawBufferPointer? { cells.pointee.isNull ? nil : cells.pointee.text }

  /// Appends the answer as a field of its canonical bytes; or appends nothing and says why not.
  package func append(to batch: RowBatch) -> RowFault? {
    guard !cells.pointee.isNull, let type = program.type else {
      batch.appendNull()
      return nil
    }
    let number = cells.pointee.number
    switch type {
    case .text, .bytes: batch.append(cells.pointee.text)
    case .integer, .timestamp: batch.append(Int64(truncatingIfNeeded: number))
    case .date: batch.append(Int32(truncatingIfNeeded: number))
    case .boolean: batch.append(number != 0)
    case .double: batch.append(cells.pointee.double)
    case .decimal(let precision, let scale):
      return Decimals.append(number, precision: precision, scale: scale, to: batch)
    }
    return nil
  }

  // MARK: Steps

  @inline(__always)
  private func step(_ instruction: Instruction, _ cell: UnsafeMutablePointer<Cell>, _ fields: RowFields) -> RowFault? {
    let a = Int(instruction.a)
    switch instruction.operation {
    case .loadText, .loadBytes, .loadInteger, .loadDecimal, .loadDouble, .loadBoolean, .loadDate, .loadTimestamp:
      return load(instruction, cell, fields)
    case .number: set(cell, program.pool.numbers[a])
    case .text: set(cell, UnsafeRawBufferPointer(texts[a]))
    case .null: cell.pointee.isNull = true
    case .compare:
      let (x, y) = operands(instruction)
      if x.pointee.isNull || y.pointee.isNull {
        cell.pointee.isNull = true
      } else {
        let order = x.pointee.number < y.pointee.number ? 1 : x.pointee.number == y.pointee.number ? 2 : 4
        answer(cell, a & order != 0)
      }
    case .compareText:
      let (x, y) = operands(instruction)
      if x.pointee.isNull || y.pointee.isNull {
        cell.pointee.isNull = true
      } else {
        let order = ByteOrder.compare(x.pointee.text, y.pointee.text)
        answer(cell, a & (order < 0 ? 1 : order == 0 ? 2 : 4) != 0)
      }
    case .compareScaled:
      let (x, y) = operands(instruction)
      if x.pointee.isNull || y.pointee.isNull {
        cell.pointee.isNull = true
      } else {
        let scales = Int(instruction.c)
        let order = Decimals.compare(x.pointee.number, scales >> 8, y.pointee.number, scales & 255)
        answer(cell, a & (order < 0 ? 1 : order == 0 ? 2 : 4) != 0)
      }
    case .compareDouble:
      let (x, y) = operands(instruction)
      if x.pointee.isNull || y.pointee.isNull {
        cell.pointee.isNull = true
      } else {
        let scales = Int(instruction.c)
        let (p, q) = (double(x.pointee, scales >> 8), double(y.pointee, scales & 255))
        answer(cell, a & (p < q ? 1 : p == q ? 2 : 4) != 0)
      }
    case .inTexts:
      if !cell.pointee.isNull {
        answer(cell, (program.pool.textSets[a].place(of: cell.pointee.text) != nil) != (instruction.b != 0))
      }
    case .inNumbers:
      if !cell.pointee.isNull {
        answer(cell, Self.contains(program.pool.numberSets[a], cell.pointee.number) != (instruction.b != 0))
      }
    case .like:
      if !cell.pointee.isNull {
        answer(cell, program.pool.patterns[a].matches(cell.pointee.text) != (instruction.b != 0))
      }
    case .isNull: answer(cell, cell.pointee.isNull != (a != 0))
    case .not: if !cell.pointee.isNull { cell.pointee.number = cell.pointee.number == 0 ? 1 : 0 }
    case .and, .or:
      let decides: Int128 = instruction.operation == .and ? 0 : 1
      let (x, y) = (cell.pointee, cell[1])
      if !x.isNull && x.number == decides || !y.isNull && y.number == decides {
        set(cell, decides)
      } else if x.isNull || y.isNull {
        cell.pointee.isNull = true
      } else {
        set(cell, 1 - decides)
      }
    case .negate, .negateDouble, .addInteger, .subtractInteger, .multiplyInteger, .add, .subtract, .multiply, .divide,
      .addDouble, .subtractDouble, .multiplyDouble, .divideDouble, .raise, .lower, .round, .toDouble:
      return calculate(instruction, cell)
    default: return make(instruction, cell)
    }
    return nil
  }

  @inline(__always) private func operands(_ instruction: Instruction)
    -> (UnsafeMutablePointer<Cell>, UnsafeMutablePointer<Cell>)
  {
    (cells + Int(instruction.b >> 16), cells + Int(instruction.b & 0xFFFF))
  }

  @inline(__always) func set(_ cell: UnsafeMutablePointer<Cell>, _ number: Int128) {
    cell.pointee.number = number
    cell.pointee.isNull = false
  }

  @inline(__always) func answer(_ cell: UnsafeMutablePointer<Cell>, _ truth: Bool) {
    set(cell, Int128(truth ? 1 : 0))
  }

  @inline(__always) func set(_ cell: UnsafeMutablePointer<Cell>, _ text: UnsafeRawBufferPointer) {
    cell.pointee.start = text.baseAddress ?? UnsafeRawPointer(nothing)
    cell.pointee.count = text.count
    cell.pointee.isNull = false
  }

  func set(_ cell: UnsafeMutablePointer<Cell>, _ value: Double) -> RowFault? {
    guard value.isFinite else { return .notFinite }
    set(cell, Int128(value.bitPattern))
    return nil
  }

  func double(_ cell: Cell, _ scale: Int) -> Double {
    guard scale != 255 else { return cell.double }
    return scale == 0 ? Double(cell.number) : Double(Decimals.text(cell.number, scale: scale)) ?? 0
  }

  private static func contains(_ sorted: [Int128], _ number: Int128) -> Bool {
    var (low, high) = (0, sorted.count)
    while low < high {
      let middle = (low + high) / 2
      if sorted[middle] < number { low = middle + 1 } else { high = middle }
    }
    return low < sorted.count && sorted[low] == number
  }

  private func load(_ instruction: Instruction, _ cell: UnsafeMutablePointer<Cell>, _ fields: RowFields) -> RowFault? {
    let field = Int(instruction.a)
    let header = fields.headers[field]
    guard header >= 0 else {
      guard header == -1 else { return RowFields.fault(header) }
      cell.pointee.isNull = true
      return nil
    }
    let (start, length) = (fields.starts[field], Int(header))
    switch instruction.operation {
    case .loadText, .loadBytes: set(cell, UnsafeRawBufferPointer(start: start, count: length))
    case .loadDecimal:
      let (value, fault) = Decimals.read(UnsafeRawBufferPointer(start: start, count: length), scale: Int(instruction.b))
      if let fault { return fault }
      set(cell, value)
    case .loadBoolean:
      guard length == 1, start.load(as: UInt8.self) < 2 else { return .wrongType }
      set(cell, Int128(start.load(as: UInt8.self)))
    case .loadDate:
      guard length == 4 else { return .wrongType }
      let day = Int32(bigEndian: start.loadUnaligned(as: Int32.self))
      guard WrittenTime.days.contains(Int(day)) else {
        return day == .max || day == .min ? .notFinite : .impossibleDate
      }
      set(cell, Int128(day))
    default:
      guard length == 8 else { return .wrongType }
      let value = Int64(bigEndian: start.loadUnaligned(as: Int64.self))
      if instruction.operation == .loadTimestamp, !WrittenTime.microseconds.contains(value) {
        return value == .max || value == .min ? .notFinite : .impossibleDate
      }
      if instruction.operation == .loadDouble { return set(cell, Double(bitPattern: UInt64(bitPattern: value))) }
      set(cell, Int128(value))
    }
    return nil
  }

  private func calculate(_ instruction: Instruction, _ cell: UnsafeMutablePointer<Cell>) -> RowFault? {
    let (x, y, a) = (cell.pointee, cell[1], Int(instruction.a))
    switch instruction.operation {
    case .negate, .negateDouble, .raise, .lower, .round, .toDouble: if x.isNull { return nil }
    default:
      if x.isNull || y.isNull {
        cell.pointee.isNull = true
        return nil
      }
    }
    switch instruction.operation {
    case .addInteger, .subtractInteger, .multiplyInteger:
      let value =
        switch instruction.operation {
        case .addInteger: x.number + y.number
        case .subtractInteger: x.number - y.number
        default: x.number * y.number
        }
      guard Int64(exactly: value) != nil else { return .outOfRange }
      set(cell, value)
    case .add, .subtract, .multiply:
      let (value, over) =
        switch instruction.operation {
        case .add: x.number.addingReportingOverflow(y.number)
        case .subtract: x.number.subtractingReportingOverflow(y.number)
        default: x.number.multipliedReportingOverflow(by: y.number)
        }
      guard !over, Decimals.fits(value) else { return .outOfRange }
      set(cell, value)
    case .divide:
      guard y.number != 0 else { return .divisionByZero }
      guard let value = Decimals.quotient(x.number, y.number, shift: a) else { return .outOfRange }
      set(cell, value)
    case .negate:
      if a == 1, Int64(exactly: -x.number) == nil { return .outOfRange }
      set(cell, -x.number)
    case .negateDouble: return set(cell, -x.double)
    case .addDouble: return set(cell, x.double + y.double)
    case .subtractDouble: return set(cell, x.double - y.double)
    case .multiplyDouble: return set(cell, x.double * y.double)
    case .divideDouble:
      guard y.double != 0 else { return .divisionByZero }
      return set(cell, x.double / y.double)
    case .raise:
      guard let value = Decimals.raised(x.number, by: a) else { return .outOfRange }
      set(cell, value)
    case .lower:
      let (value, rest) = x.number.quotientAndRemainder(dividingBy: Decimals.power(a))
      guard rest == 0 else { return .tooManyDecimals }
      if instruction.b == 1, Int64(exactly: value) == nil { return .outOfRange }
      set(cell, value)
    case .round:
      let value = Decimals.rounded(x.number, droppingDigits: a)
      guard value.magnitude < Decimals.power(Int(instruction.b)).magnitude else { return .outOfRange }
      set(cell, value)
    default: return set(cell, double(x, a))
    }
    return nil
  }
}
