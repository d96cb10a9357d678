import Connecting
import Kernel

/// What functions take and give.
extension ExpressionTyping {
  func call(_ function: Function, _ list: [Expression], _ place: Int) throws(ExpressionFault)
    -> ExpressionType
  {
    func any(_ type: ValueType) throws(ExpressionFault) -> ExpressionType {
      var isNullable = false
      for part in list { isNullable = try self.type(of: part).isNullable || isNullable }
      return ExpressionType(type, isNullable)
    }
    switch function {
    case .left, .right, .substring:
      try demand(list[0], .text)
      for part in list.dropFirst() { try demand(part, .integer) }
      return try any(.text)
    case .length:
      try demand(list[0], .text)
      return try any(.integer)
    case .trim, .upper, .lower, .replace:
      for part in list { try demand(part, .text) }
      return try any(.text)
    case .concatenate:
      _ = try texts(list)
      return ExpressionType(.text, false)
    case .coalesce:
      var all = try unified(list, place)
      all.isNullable = true
      for part in list where try !type(of: part).isNullable { all.isNullable = false }
      return all
    case .year, .month, .day:
      try demand(list[0], .date, .timestamp)
      return try any(.integer)
    case .addDays:
      try demand(list[0], .date)
      try demand(list[1], .integer)
      return try any(.date)
    case .ageAt:
      for part in list { try demand(part, .date) }
      return try any(.integer)
    case .round: return try round(list)
    case .toText:
      let found = try type(of: list[0])
      if list.count == 2 {
        try demand(list[0], .date, .timestamp)
        let format = try format(list[1])
        guard found.type != .date || format.writesDate else { throw noTimeOfDay(list[1]) }
      } else if found.type == .bytes {
        throw wrong(list[0], found, "可写成文本的值", "what can be written as text")
      }
      return try any(.text)
    case .toInteger:
      try demand(list[0], .text, .integer, .boolean, decimal(of: list[0]))
      return ExpressionType(.integer, true)
    case .toDecimal:
      try demand(list[0], .text, .integer, .double, decimal(of: list[0]))
      let (precision, scale) = (try constant(list[1], 1...38), try constant(list[2], 0...38))
      guard scale <= precision else {
        throw ExpressionFault(list[2].place, "小数位不能多于总位数。", "There cannot be more decimals than digits.")
      }
      return ExpressionType(.decimal(precision: precision, scale: scale), true)
    case .toDate:
      if list.count == 2 {
        try demand(list[0], .text)
        guard try format(list[1]).readsDate else {
          throw ExpressionFault(
            list[1].place, "日期格式要有 yyyy、MM、dd，如 'yyyyMMdd'。", "A date's format has yyyy, MM and dd, as in 'yyyyMMdd'.")
        }
      } else {
        try demand(list[0], .text, .timestamp, .date)
      }
      return ExpressionType(.date, true)
    case .toTimestamp:
      if list.count == 2 {
        try demand(list[0], .text)
        guard try format(list[1]).readsTime else {
          throw ExpressionFault(
            list[1].place, "时间格式要有 yyyy、MM、dd，如 'yyyy-MM-dd HH:mm:ss'。",
            "A time's format has yyyy, MM and dd, as in 'yyyy-MM-dd HH:mm:ss'.")
        }
      } else {
        try demand(list[0], .text, .date, .timestamp)
      }
      return ExpressionType(.timestamp, true)
    case .lookup:
      guard case .literal(.text(let name)) = list[0].node else {
        throw ExpressionFault(list[0].place, "字典名应为引号中的常量。", "The dictionary's name is a constant in quotes.")
      }
      guard dictionaries.contains(name) else {
        let names = dictionaries.sorted().joined(separator: ", ")
        throw ExpressionFault(
          list[0].place, "没有字典“\(name)”。可用：\(names)", "There is no dictionary “\(name)”. There are: \(names)")
      }
      try demand(list[1], .text)
      return ExpressionType(.text, true)
    }
  }

  private func round(_ list: [Expression]) throws(ExpressionFault) -> ExpressionType {
    let scale = try constant(list[1], 0...38)
    if case .arithmetic(.dividedBy, let a, let b) = list[0].node {
      let quotient = try arithmetic(.dividedBy, a, b, scale: scale, list[0].place)
      if quotient.type != .double { return quotient }
    }
    let found = try type(of: list[0])
    guard let type = found.type else { return ExpressionType(nil, true) }
    guard let number = Self.number(type) else { throw wrong(list[0], found, "整数或小数", "an integer or a decimal") }
    let whole = number.precision - number.scale + (scale < number.scale ? 1 : 0)
    return ExpressionType(.decimal(precision: min(38, max(1, whole) + scale), scale: scale), found.isNullable)
  }

  /// So that `demand` takes a decimal of whatever size.
  private func decimal(of part: Expression) throws(ExpressionFault) -> ValueType {
    let type = try type(of: part).type
    if case .decimal? = type { return type ?? .integer }
    return .integer
  }

  func constant(_ part: Expression, _ range: ClosedRange<Int>) throws(ExpressionFault) -> Int {
    guard case .literal(.integer(let value)) = part.node, let number = Int(exactly: value), range.contains(number)
    else {
      throw ExpressionFault(
        part.place, "应为 \(range.lowerBound) 至 \(range.upperBound) 的整数常量。",
        "This must be a constant from \(range.lowerBound) to \(range.upperBound).")
    }
    return number
  }

  func format(_ part: Expression) throws(ExpressionFault) -> DateFormat {
    guard case .literal(.text(let text)) = part.node, let format = DateFormat(text) else {
      throw ExpressionFault(
        part.place, "格式由 yyyy MM dd HH mm ss 组成，各用一次，如 'yyyyMMdd'。",
        "A format is made of yyyy MM dd HH mm ss, each once, as in 'yyyyMMdd'.")
    }
    return format
  }

  private func noTimeOfDay(_ part: Expression) -> ExpressionFault {
    ExpressionFault(part.place, "日期没有时分秒。", "A date has no time of day.")
  }
}
