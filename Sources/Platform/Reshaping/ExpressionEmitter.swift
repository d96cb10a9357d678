import Connecting

/// Writes the instructions of a tree that has passed the types.
struct ExpressionEmitter {
  let typing: ExpressionTyping
  let dictionaries: [String: DictionaryTable]
  private(set) var instructions: [Instruction] = []
  var pool = ExpressionProgram.Pool()
  private(set) var cells = 1

  init(typing: ExpressionTyping, dictionaries: [String: DictionaryTable]) {
    self.typing = typing
    self.dictionaries = dictionaries
  }

  mutating func put(_ operation: Instruction.Operation, _ cell: Int, _ a: Int = 0, _ b: Int = 0, _ c: Int = 0) {
    instructions.append(
      Instruction(operation: operation, cell: Int32(cell), a: Int32(a), b: Int32(b), c: Int32(c)))
  }

  /// Returns where the jump stands, to be aimed later.
  mutating func jump(_ operation: Instruction.Operation, _ cell: Int) -> Int {
    put(operation, cell)
    return instructions.count - 1
  }

  mutating func aim(_ jumps: [Int]) { for jump in jumps { instructions[jump].a = Int32(instructions.count) } }

  mutating func rescale(_ cell: Int, from: Int, to: Int) {
    if to > from { put(.raise, cell, to - from) } else if to < from { put(.lower, cell, from - to) }
  }

  mutating func emit(_ expression: Expression, into cell: Int) throws(ExpressionFault) {
    cells = max(cells, cell + 1)
    switch expression.node {
    case .column(let name):
      guard let field = typing.columns.firstIndex(where: { $0.name == name }) else { return }
      load(typing.columns[field].type, field, cell)
    case .literal(let literal): constant(literal, cell)
    case .negate(let inner):
      try emit(inner, into: cell)
      let type = try typing.type(of: inner).type
      put(type == .double ? .negateDouble : .negate, cell, type == .integer ? 1 : 0)
    case .arithmetic(let sign, let a, let b): try arithmetic(sign, a, b, scale: 0, cell)
    case .concatenate(let list): try join(list, .join, cell)
    case .compare(let sign, let a, let b):
      try emit(a, into: cell)
      try emit(b, into: cell + 1)
      try compare(sign, a, b, cell, cell, cell + 1)
    case .all(let list): try connect(list, .and, .jumpIfFalse, cell)
    case .any(let list): try connect(list, .or, .jumpIfTrue, cell)
    case .not(let inner):
      try emit(inner, into: cell)
      put(.not, cell)
    case .isIn(let value, let list, let negated): try isIn(value, list, negated, cell)
    case .between(let value, let low, let high, let negated):
      try emit(value, into: cell)
      try emit(low, into: cell + 1)
      try compare(.greaterOrEqual, value, low, cell + 1, cell, cell + 1)
      try emit(high, into: cell + 2)
      try compare(.lessOrEqual, value, high, cell, cell, cell + 2)
      put(.and, cell)
      if negated { put(.not, cell) }
    case .like(let text, let pattern, let negated):
      try emit(text, into: cell)
      guard let pattern = LikePattern(pattern) else { return }
      pool.patterns.append(pattern)
      put(.like, cell, pool.patterns.count - 1, negated ? 1 : 0)
    case .isNull(let value, let negated):
      try emit(value, into: cell)
      put(.isNull, cell, negated ? 1 : 0)
    case .choose(let branches, let otherwise):
      let all = try typing.type(of: expression).type
      var ends: [Int] = []
      for branch in branches {
        try emit(branch.condition, into: cell)
        let next = jump(.jumpUnlessTrue, cell)
        try emit(branch.value, into: cell, as: all)
        ends.append(jump(.jump, cell))
        aim([next])
      }
      if let otherwise { try emit(otherwise, into: cell, as: all) } else { put(.null, cell) }
      aim(ends)
    case .call(let function, let list): try call(function, list, expression, cell)
    }
  }

  /// As one of several whose common type is `type`.
  mutating func emit(_ part: Expression, into cell: Int, as type: ValueType?) throws(ExpressionFault) {
    try emit(part, into: cell)
    if let own = try typing.type(of: part).type, let have = ExpressionTyping.number(own),
      let want = type.flatMap(ExpressionTyping.number)
    {
      rescale(cell, from: have.scale, to: want.scale)
    }
  }

  private mutating func load(_ type: ValueType, _ field: Int, _ cell: Int) {
    switch type {
    case .text: put(.loadText, cell, field)
    case .bytes: put(.loadBytes, cell, field)
    case .integer: put(.loadInteger, cell, field)
    case .decimal(_, let scale): put(.loadDecimal, cell, field, scale)
    case .double: put(.loadDouble, cell, field)
    case .boolean: put(.loadBoolean, cell, field)
    case .date: put(.loadDate, cell, field)
    case .timestamp: put(.loadTimestamp, cell, field)
    }
  }

  private mutating func constant(_ literal: Expression.Literal, _ cell: Int) {
    func number(_ value: Int128) {
      pool.numbers.append(value)
      put(.number, cell, pool.numbers.count - 1)
    }
    switch literal {
    case .null: put(.null, cell)
    case .boolean(let value): number(value ? 1 : 0)
    case .integer(let value): number(Int128(value))
    case .decimal(let value, _): number(value)
    case .date(let date): number(Int128(RowTime.day(date)))
    case .timestamp(let time): number(Int128(time))
    case .text(let text):
      pool.texts.append(Array(text.utf8))
      put(.text, cell, pool.texts.count - 1)
    }
  }

  mutating func arithmetic(
    _ sign: Expression.Arithmetic, _ a: Expression, _ b: Expression, scale: Int, _ cell: Int
  ) throws(ExpressionFault) {
    let (left, right) = (try typing.type(of: a).type, try typing.type(of: b).type)
    try emit(a, into: cell)
    try emit(b, into: cell + 1)
    guard let left, let right else { return put(.null, cell) }
    guard let x = ExpressionTyping.number(left), let y = ExpressionTyping.number(right) else {
      try toDouble(left, cell)
      try toDouble(right, cell + 1)
      let operation: Instruction.Operation =
        switch sign {
        case .plus: .addDouble
        case .minus: .subtractDouble
        case .times: .multiplyDouble
        case .dividedBy: .divideDouble
        }
      return put(operation, cell)
    }
    let areIntegers = left == .integer && right == .integer
    switch sign {
    case .plus, .minus:
      if !areIntegers {
        let most = max(x.scale, y.scale)
        rescale(cell, from: x.scale, to: most)
        rescale(cell + 1, from: y.scale, to: most)
      }
      let isPlus = sign == .plus
      put(areIntegers ? (isPlus ? .addInteger : .subtractInteger) : isPlus ? .add : .subtract, cell)
    case .times: put(areIntegers ? .multiplyInteger : .multiply, cell)
    case .dividedBy: put(.divide, cell, scale + y.scale - x.scale)
    }
  }

  private mutating func toDouble(_ type: ValueType, _ cell: Int) throws(ExpressionFault) {
    if let number = ExpressionTyping.number(type) { put(.toDouble, cell, number.scale) }
  }

  /// `a` and `b` stand in cells `x` and `y`; the answer goes to `cell`.
  private mutating func compare(
    _ sign: Expression.Comparison, _ a: Expression, _ b: Expression, _ cell: Int, _ x: Int, _ y: Int
  ) throws(ExpressionFault) {
    let code =
      switch sign {
      case .equal: 0b010
      case .unequal: 0b101
      case .less: 0b001
      case .lessOrEqual: 0b011
      case .greater: 0b100
      case .greaterOrEqual: 0b110
      }
    // The cells of the operands: two small numbers in one.
    func operands() -> Int { x << 16 | y }
    guard let left = try typing.type(of: a).type, let right = try typing.type(of: b).type else {
      return put(.null, cell)
    }
    if let m = ExpressionTyping.number(left), let n = ExpressionTyping.number(right) {
      if m.scale == n.scale {
        put(.compare, cell, code, operands())
      } else {
        put(.compareScaled, cell, code, operands(), m.scale << 8 | n.scale)
      }
    } else if left == .double || right == .double {
      // Cell x may be needed again as it is: a copy would cost more than saying the scales.
      put(.compareDouble, cell, code, operands(), scaleCode(left) << 8 | scaleCode(right))
    } else if left == .text || left == .bytes {
      put(.compareText, cell, code, operands())
    } else {
      put(.compare, cell, code, operands())
    }
  }

  /// 255 for what already is a double.
  private func scaleCode(_ type: ValueType) -> Int { ExpressionTyping.number(type)?.scale ?? 255 }

  private mutating func connect(
    _ list: [Expression], _ operation: Instruction.Operation, _ leave: Instruction.Operation, _ cell: Int
  ) throws(ExpressionFault) {
    var ends: [Int] = []
    for (index, part) in list.enumerated() {
      try emit(part, into: index == 0 ? cell : cell + 1)
      if index > 0 { put(operation, cell) }
      if index < list.count - 1 { ends.append(jump(leave, cell)) }
    }
    aim(ends)
  }

  private mutating func isIn(
    _ value: Expression, _ list: [Expression], _ negated: Bool, _ cell: Int
  ) throws(ExpressionFault) {
    try emit(value, into: cell)
    guard let type = try typing.type(of: value).type else { return put(.null, cell) }
    if type == .text {
      let texts = list.compactMap { part -> [UInt8]? in
        if case .literal(.text(let text)) = part.node { Array(text.utf8) } else { nil }
      }
      pool.textSets.append(ByteTable(texts))
      return put(.inTexts, cell, pool.textSets.count - 1, negated ? 1 : 0)
    }
    let scale = ExpressionTyping.number(type)?.scale ?? 0
    let numbers = list.compactMap { part -> Int128? in
      guard case .literal(let literal) = part.node else { return nil }
      switch literal {
      case .boolean(let value): return value ? 1 : 0
      case .integer(let value): return Decimals.raised(Int128(value), by: scale)
      case .date(let date): return Int128(RowTime.day(date))
      case .timestamp(let time): return Int128(time)
      case .decimal(let value, let own):
        if own <= scale { return Decimals.raised(value, by: scale - own) }
        // What has more decimals than the column can have is never equal to it.
        let (whole, rest) = value.quotientAndRemainder(dividingBy: Decimals.power(own - scale))
        return rest == 0 ? whole : nil
      case .text, .null: return nil
      }
    }
    pool.numberSets.append(Array(Set(numbers)).sorted())
    put(.inNumbers, cell, pool.numberSets.count - 1, negated ? 1 : 0)
  }

  mutating func join(
    _ list: [Expression], _ operation: Instruction.Operation, _ cell: Int
  ) throws(ExpressionFault) {
    for (index, part) in list.enumerated() { try emit(part, into: cell + index) }
    put(operation, cell, list.count)
  }
}
