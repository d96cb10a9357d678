package import Connecting
import Kernel

/// An expression made ready: a straight list of instructions over numbered cells, whose jumps only go forwards.
package struct ExpressionProgram: Sendable {
  /// What it gives; nil for what is always NULL.
  package let type: ValueType?
  package let isNullable: Bool
  let instructions: [Instruction]
  let pool: Pool
  let cells: Int

  /// Fields are the places of `columns` in a row. `target`: the type wanted, which an integer or a decimal of fewer
  /// decimals becomes by itself.
  package init(
    _ expression: Expression, columns: [ExpressionColumn], dictionaries: [String: DictionaryTable] = [:],
    as target: ValueType? = nil
  ) throws(ExpressionFault) {
    let typing = ExpressionTyping(columns: columns, dictionaries: Set(dictionaries.keys))
    var found = try typing.type(of: expression)
    var emitter = ExpressionEmitter(typing: typing, dictionaries: dictionaries)
    try emitter.emit(expression, into: 0)
    if let target, let type = found.type, type != target {
      guard let have = ExpressionTyping.number(type), case .decimal(_, let scale) = target else {
        throw ExpressionFault(
          expression.place, "表达式的结果是\(type.title.chinese)，信息项是\(target.title.chinese)。",
          "The expression gives \(type.title.english), the item is \(target.title.english).")
      }
      emitter.rescale(0, from: have.scale, to: scale)
      found.type = target
    }
    type = found.type ?? target
    isNullable = found.isNullable
    instructions = emitter.instructions
    pool = emitter.pool
    cells = emitter.cells
  }

  /// What instructions refer to by number.
  struct Pool: Sendable {
    var numbers: [Int128] = []
    var texts: [[UInt8]] = []
    var numberSets: [[Int128]] = []
    var textSets: [ByteTable] = []
    var patterns: [LikePattern] = []
    var formats: [DateFormat] = []
    var dictionaries: [DictionaryTable] = []
  }
}

struct Instruction: Sendable {
  enum Operation: UInt8 {
    case loadText, loadBytes, loadInteger, loadDecimal, loadDouble, loadBoolean, loadDate, loadTimestamp
    case number, text, null
    case negate, negateDouble
    case addInteger, subtractInteger, multiplyInteger
    case add, subtract, multiply, divide
    case addDouble, subtractDouble, multiplyDouble, divideDouble
    case raise, lower, round, toDouble
    case compare, compareScaled, compareDouble, compareText
    case inNumbers, inTexts, like
    case isNull, not, and, or
    case jump, jumpIfFalse, jumpIfTrue, jumpUnlessTrue, jumpIfSet
    case join, concatenate
    case left, right, substring, length, trim, upper, lowercase, replace
    case year, month, day, addDays, ageAt
    case textOfNumber, textOfDouble, textOfBoolean, textOfDate, textOfTime
    case integerOfText, decimalOfText, decimalOfDouble, dateOfText, timeOfText, dateOfTime, timeOfDate
    case lookup
  }

  var operation: Operation
  /// The cell it writes; operands are this one and those after it unless said otherwise.
  var cell: Int32
  /// A field, a place in a pool, a target of a jump, a scale, or a flag for “not”.
  var a: Int32 = 0
  var b: Int32 = 0
  var c: Int32 = 0
}
