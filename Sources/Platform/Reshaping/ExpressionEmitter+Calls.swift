import Connecting

/// Functions.
extension ExpressionEmitter {
  mutating func call(
    _ function: Function, _ list: [Expression], _ whole: Expression, _ cell: Int
  ) throws(ExpressionFault) {
    switch function {
    case .concatenate: return try join(list, .concatenate, cell)
    case .coalesce:
      let all = try typing.type(of: whole).type
      var ends: [Int] = []
      for (index, part) in list.enumerated() {
        try emit(part, into: cell, as: all)
        if index < list.count - 1 { ends.append(jump(.jumpIfSet, cell)) }
      }
      return aim(ends)
    case .round: return try round(list, cell)
    case .lookup:
      try emit(list[1], into: cell)
      guard case .literal(.text(let name)) = list[0].node, let table = dictionaries[name] else { return }
      pool.dictionaries.append(table)
      return put(.lookup, cell, pool.dictionaries.count - 1)
    default: break
    }
    let first = try typing.type(of: list[0]).type
    var format: Int?
    if list.count == 2, function == .toText || function == .toDate || function == .toTimestamp {
      pool.formats.append(try typing.format(list[1]))
      format = pool.formats.count - 1
    }
    let operands = format != nil || function == .toDecimal ? 1 : list.count
    for (index, part) in list.prefix(operands).enumerated() { try emit(part, into: cell + index) }
    guard let first else { return put(.null, cell) }
    // NULL is told by a flag where the type alone does not say it.
    switch function {
    case .left: put(.left, cell)
    case .right: put(.right, cell)
    case .substring: put(.substring, cell, list.count)
    case .length: put(.length, cell)
    case .trim: put(.trim, cell)
    case .upper: put(.upper, cell)
    case .lower: put(.lowercase, cell)
    case .replace: put(.replace, cell)
    case .year: put(.year, cell, first == .timestamp ? 1 : 0)
    case .month: put(.month, cell, first == .timestamp ? 1 : 0)
    case .day: put(.day, cell, first == .timestamp ? 1 : 0)
    case .addDays: put(.addDays, cell)
    case .ageAt: put(.ageAt, cell)
    case .toText:
      switch first {
      case .integer, .decimal: put(.textOfNumber, cell, ExpressionTyping.number(first)?.scale ?? 0)
      case .double: put(.textOfDouble, cell)
      case .boolean: put(.textOfBoolean, cell)
      case .date: put(.textOfDate, cell, format ?? standard("yyyy-MM-dd"))
      case .timestamp: put(.textOfTime, cell, format ?? standard("yyyy-MM-dd HH:mm:ss"))
      case .text, .bytes: break
      }
    case .toInteger:
      if first == .text {
        put(.integerOfText, cell)
      } else if case .decimal(_, let scale) = first {
        put(.lower, cell, scale, 1)
      }
    case .toDecimal:
      let (precision, scale) = (try typing.constant(list[1], 1...38), try typing.constant(list[2], 0...38))
      if first == .text {
        put(.decimalOfText, cell, scale, precision)
      } else if first == .double {
        put(.decimalOfDouble, cell, scale, precision)
      } else if let have = ExpressionTyping.number(first) {
        rescale(cell, from: have.scale, to: scale)
        put(.round, cell, 0, precision)
      }
    case .toDate:
      if first == .text { put(.dateOfText, cell, format ?? -1) } else if first == .timestamp { put(.dateOfTime, cell) }
    case .toTimestamp:
      if first == .text { put(.timeOfText, cell, format ?? -1) } else if first == .date { put(.timeOfDate, cell) }
    case .concatenate, .coalesce, .round, .lookup: break
    }
  }

  private mutating func standard(_ format: String) -> Int {
    if let format = DateFormat(format) { pool.formats.append(format) }
    return pool.formats.count - 1
  }

  private mutating func round(_ list: [Expression], _ cell: Int) throws(ExpressionFault) {
    let scale = try typing.constant(list[1], 0...38)
    if case .arithmetic(.dividedBy, let a, let b) = list[0].node, try typing.type(of: a).type != .double,
      try typing.type(of: b).type != .double
    {
      return try arithmetic(.dividedBy, a, b, scale: scale, cell)
    }
    try emit(list[0], into: cell)
    guard let have = try typing.type(of: list[0]).type.flatMap(ExpressionTyping.number) else { return }
    if scale >= have.scale {
      rescale(cell, from: have.scale, to: scale)
    } else {
      put(.round, cell, have.scale - scale, 38)
    }
  }
}
