import Connecting
import Kernel

@testable import Reshaping

/// The plainest evaluator there can be: boxed values, strings, one function call per node. What the machine must agree with.
enum Reference {
  enum Box: Hashable {
    case null
    case text(String)
    /// With its scale.
    case number(Int128, Int)
    case truth(Bool)
    case date(CalendarDate)
  }

  struct Bad: Error, Hashable { var fault: RowFault }

  static func value(_ expression: Expression, _ row: [String: Box], _ typing: ExpressionTyping) throws -> Box {
    func get(_ part: Expression) throws -> Box { try value(part, row, typing) }
    switch expression.node {
    case .column(let name): return row[name] ?? .null
    case .literal(let literal):
      switch literal {
      case .null: return .null
      case .boolean(let value): return .truth(value)
      case .integer(let value): return .number(Int128(value), 0)
      case .decimal(let value, let scale): return .number(value, scale)
      case .text(let text): return .text(text)
      case .date(let date): return .date(date)
      case .timestamp: return .null
      }
    case .negate(let inner):
      guard case .number(let value, let scale) = try get(inner) else { return .null }
      return try fit(-value, scale, typing, expression)
    case .arithmetic(let sign, let a, let b):
      let (x, y) = (try get(a), try get(b))
      guard case .number(let p, let s) = x, case .number(let q, let t) = y else { return .null }
      switch sign {
      case .times: return try fit(p * q, s + t, typing, expression)
      default:
        let scale = max(s, t)
        let (m, n) = (p * ten(scale - s), q * ten(scale - t))
        return try fit(sign == .plus ? m + n : m - n, scale, typing, expression)
      }
    case .concatenate(let list):
      let parts = try list.map(get)
      var text = ""
      for part in parts {
        guard case .text(let piece) = part else { return .null }
        text += piece
      }
      return .text(text)
    case .compare(let sign, let a, let b): return compare(sign, try get(a), try get(b))
    case .all(let list):
      var isNull = false
      for part in list {
        switch try get(part) {
        case .truth(false): return .truth(false)
        case .null: isNull = true
        default: break
        }
      }
      return isNull ? .null : .truth(true)
    case .any(let list):
      var isNull = false
      for part in list {
        switch try get(part) {
        case .truth(true): return .truth(true)
        case .null: isNull = true
        default: break
        }
      }
      return isNull ? .null : .truth(false)
    case .not(let inner): return not(try get(inner))
    case .isIn(let value, let list, let negated):
      let found = try get(value)
      if found == .null { return .null }
      let isIn = try list.contains { compare(.equal, found, try get($0)) == .truth(true) }
      return .truth(isIn != negated)
    case .between(let value, let low, let high, let negated):
      let (v, l, h) = (try get(value), try get(low), try get(high))
      let (a, b) = (compare(.greaterOrEqual, v, l), compare(.lessOrEqual, v, h))
      let both: Box =
        a == .truth(false) || b == .truth(false) ? .truth(false) : a == .null || b == .null ? .null : .truth(true)
      return negated ? not(both) : both
    case .like(let text, let pattern, let negated):
      guard case .text(let text) = try get(text) else { return .null }
      return .truth(like(Array(text.unicodeScalars), Array(pattern.unicodeScalars)[...]) != negated)
    case .isNull(let value, let negated): return .truth((try get(value) == .null) != negated)
    case .choose(let branches, let otherwise):
      for branch in branches where try get(branch.condition) == .truth(true) {
        return widen(try get(branch.value), typing, expression)
      }
      return try otherwise.map { widen(try get($0), typing, expression) } ?? .null
    case .call(let function, let list): return try call(function, list, row, typing, expression)
    }
  }

  private static func call(
    _ function: Function, _ list: [Expression], _ row: [String: Box], _ typing: ExpressionTyping, _ whole: Expression
  ) throws -> Box {
    if function == .coalesce {
      for part in list {
        let found = try value(part, row, typing)
        if found != .null { return widen(found, typing, whole) }
      }
      return .null
    }
    let values = try list.map { try value($0, row, typing) }
    if function == .concatenate {
      return .text(values.map { if case .text(let text) = $0 { text } else { "" } }.joined())
    }
    if values.contains(.null) { return .null }
    func text(_ index: Int) -> [Unicode.Scalar] {
      if case .text(let text) = values[index] { Array(text.unicodeScalars) } else { [] }
    }
    func string(_ scalars: some Sequence<Unicode.Scalar>) -> Box {
      var view = String.UnicodeScalarView()
      view.append(contentsOf: scalars)
      return .text(String(view))
    }
    func number(_ index: Int) throws -> Int {
      guard case .number(let value, _) = values[index] else { return 0 }
      guard value >= 0 else { throw Bad(fault: .outOfRange) }
      return Int(min(value, 1_000_000))
    }
    switch function {
    case .left: return string(text(0).prefix(try number(1)))
    case .right: return string(text(0).suffix(try number(1)))
    case .length: return .number(Int128(text(0).count), 0)
    case .upper: return string(text(0).map { ("a"..."z").contains($0) ? Unicode.Scalar($0.value - 32)! : $0 })
    case .replace:
      let (whole, old, new) = (text(0), text(1), text(2))
      guard !old.isEmpty else { return values[0] }
      var (result, at) = ([Unicode.Scalar](), 0)
      while at < whole.count {
        if whole[at...].starts(with: old) {
          result += new
          at += old.count
        } else {
          result.append(whole[at])
          at += 1
        }
      }
      return string(result)
    case .year: if case .date(let date) = values[0] { return .number(Int128(date.year), 0) }
    case .addDays:
      if case .date(let date) = values[0], case .number(let days, _) = values[1] {
        let day = Int128(date.daysSince1970) + days
        guard day >= -719_162, day <= 2_932_896 else { throw Bad(fault: .impossibleDate) }
        return .date(CalendarDate(daysSince1970: Int(day)))
      }
    case .round:
      if case .number(let value, let scale) = values[0], case .number(let places, _) = values[1] {
        let places = Int(places)
        if places >= scale { return .number(value * ten(places - scale), places) }
        let unit = ten(scale - places)
        let half = value.magnitude * 2 + unit.magnitude
        let rounded = Int128(half / (unit.magnitude * 2))
        return .number(value < 0 ? -rounded : rounded, places)
      }
    case .toText: if case .number(let value, let scale) = values[0] { return .text(plain(value, scale)) }
    default: break
    }
    return .null
  }

  static func plain(_ value: Int128, _ scale: Int) -> String {
    var digits = "\(value.magnitude)"
    while digits.count <= scale { digits = "0" + digits }
    if scale > 0 { digits.insert(".", at: digits.index(digits.endIndex, offsetBy: -scale)) }
    return (value < 0 ? "-" : "") + digits
  }

  private static func ten(_ exponent: Int) -> Int128 { (0..<exponent).reduce(1) { value, _ in value * 10 } }

  private static func fit(_ value: Int128, _ scale: Int, _ typing: ExpressionTyping, _ expression: Expression) throws
    -> Box
  {
    if try typing.type(of: expression).type == .integer, Int64(exactly: value) == nil { throw Bad(fault: .outOfRange) }
    return .number(value, scale)
  }

  private static func widen(_ box: Box, _ typing: ExpressionTyping, _ expression: Expression) -> Box {
    guard case .number(let value, let scale) = box,
      case .decimal(_, let wanted)? = try? typing.type(of: expression).type
    else { return box }
    return .number(value * ten(wanted - scale), wanted)
  }

  private static func not(_ box: Box) -> Box { if case .truth(let value) = box { .truth(!value) } else { .null } }

  private static func compare(_ sign: Expression.Comparison, _ a: Box, _ b: Box) -> Box {
    let order: Int
    switch (a, b) {
    case (.text(let x), .text(let y)):
      order = Array(x.utf8).lexicographicallyPrecedes(Array(y.utf8)) ? -1 : Array(x.utf8) == Array(y.utf8) ? 0 : 1
    case (.number(let x, let s), .number(let y, let t)):
      let (m, n) = (x * ten(max(s, t) - s), y * ten(max(s, t) - t))
      order = m < n ? -1 : m == n ? 0 : 1
    case (.truth(let x), .truth(let y)): order = (x ? 1 : 0) - (y ? 1 : 0)
    case (.date(let x), .date(let y)): order = x < y ? -1 : x == y ? 0 : 1
    default: return .null
    }
    switch sign {
    case .equal: return .truth(order == 0)
    case .unequal: return .truth(order != 0)
    case .less: return .truth(order < 0)
    case .lessOrEqual: return .truth(order <= 0)
    case .greater: return .truth(order > 0)
    case .greaterOrEqual: return .truth(order >= 0)
    }
  }

  private static func like(_ text: [Unicode.Scalar], _ pattern: ArraySlice<Unicode.Scalar>) -> Bool {
    guard let first = pattern.first else { return text.isEmpty }
    if first == "%" {
      return (0...text.count).contains { like(Array(text[$0...]), pattern.dropFirst()) }
    }
    guard let here = text.first else { return false }
    return (first == "_" || first == here) && like(Array(text.dropFirst()), pattern.dropFirst())
  }
}
