import Kernel

/// Reads a pattern's text.
struct PatternReader {
  private let scalars: [Unicode.Scalar]
  private var at = 0
  private var level = 0

  init(_ text: String) { scalars = Array(text.unicodeScalars.prefix(BytePattern.most + 1)) }

  private func fault(_ chinese: String, _ english: String) -> BytePattern.Fault {
    BytePattern.Fault(
      place: at + 1, message: Text("格式第 \(at + 1) 个字符处：\(chinese)", "At character \(at + 1) of the format: \(english)"))
  }

  mutating func whole() throws(BytePattern.Fault) -> PatternTree {
    guard scalars.count <= BytePattern.most else {
      throw fault("格式超过 \(BytePattern.most) 个字符。", "the format has more than \(BytePattern.most) characters.")
    }
    let tree = try choice()
    guard at == scalars.count else { throw fault("多出的“)”。", "a “)” too many.") }
    return tree
  }

  private var here: Unicode.Scalar? { at < scalars.count ? scalars[at] : nil }

  private mutating func choice() throws(BytePattern.Fault) -> PatternTree {
    var list = [try sequence()]
    while here == "|" {
      at += 1
      list.append(try sequence())
    }
    return list.count == 1 ? list[0] : .choice(list)
  }

  private mutating func sequence() throws(BytePattern.Fault) -> PatternTree {
    var list: [PatternTree] = []
    while let scalar = here, scalar != "|", scalar != ")" {
      let tree = try atom()
      list.append(try counted(tree))
    }
    return .sequence(list)
  }

  private mutating func atom() throws(BytePattern.Fault) -> PatternTree {
    guard let scalar = here else { throw fault("格式未完。", "the format is not complete.") }
    switch scalar {
    case "(":
      guard level < 16 else { throw fault("括号嵌套过深。", "brackets are nested too deeply.") }
      level += 1
      at += 1
      let tree = try choice()
      guard here == ")" else { throw fault("缺少“)”。", "a “)” is missing.") }
      at += 1
      level -= 1
      return tree
    case "[": return .one(try set())
    case ".":
      at += 1
      return .one(.any)
    case "\\": return .one(try escaped())
    case "*", "+", "?", "{":
      throw fault(
        "“\(scalar)”前缺少字符；其本身写作 \\\(scalar)。", "nothing stands before “\(scalar)”; itself it is written \\\(scalar).")
    case "]", "}", "^", "$":
      throw fault("“\(scalar)”本身写作 \\\(scalar)。", "“\(scalar)” itself is written \\\(scalar).")
    default:
      at += 1
      return .one(CharacterSet(scalar.value...scalar.value))
    }
  }

  private mutating func escaped() throws(BytePattern.Fault) -> CharacterSet {
    at += 1
    guard let scalar = here else { throw fault("“\\”后缺少字符。", "nothing follows “\\”.") }
    at += 1
    switch scalar {
    case "d": return .digit
    case "l": return .letter
    case "h": return .han
    case _ where scalar.isASCII && !scalar.properties.isAlphabetic && !("0"..."9").contains(scalar):
      return CharacterSet(scalar.value...scalar.value)
    default:
      at -= 1
      throw fault("不认识的“\\\(scalar)”；可用 \\d \\l \\h。", "“\\\(scalar)” is unknown; there are \\d \\l \\h.")
    }
  }

  private mutating func set() throws(BytePattern.Fault) -> CharacterSet {
    at += 1
    var set = CharacterSet()
    if here == "^" {
      set.isNegated = true
      at += 1
    }
    var isEmpty = true
    while let scalar = here, scalar != "]" {
      isEmpty = false
      if scalar == "\\" {
        set.insert(try escaped())
        continue
      }
      at += 1
      if here == "-", at + 1 < scalars.count, scalars[at + 1] != "]" {
        at += 1
        guard let end = here, end != "\\", end.value >= scalar.value else {
          throw fault("范围的终点小于起点。", "a range ends before it begins.")
        }
        at += 1
        set.insert(scalar.value...end.value)
      } else {
        set.insert(scalar.value...scalar.value)
      }
    }
    guard here == "]" else { throw fault("缺少“]”。", "a “]” is missing.") }
    guard !isEmpty else { throw fault("空的“[]”。", "“[]” is empty.") }
    at += 1
    return set
  }

  private mutating func counted(_ tree: PatternTree) throws(BytePattern.Fault) -> PatternTree {
    guard let scalar = here else { return tree }
    switch scalar {
    case "?":
      at += 1
      return .counted(tree, least: 0, most: 1)
    case "*":
      at += 1
      return .counted(tree, least: 0, most: nil)
    case "+":
      at += 1
      return .counted(tree, least: 1, most: nil)
    case "{":
      at += 1
      let least = try number()
      var most: Int? = least
      if here == "," {
        at += 1
        most = here == "}" ? nil : try number()
      }
      guard here == "}" else { throw fault("次数应写作 {6} 或 {2,8}。", "a count is written {6} or {2,8}.") }
      if let most, most < least { throw fault("次数的上限小于下限。", "the highest count is below the lowest.") }
      at += 1
      return .counted(tree, least: least, most: most)
    default: return tree
    }
  }

  private mutating func number() throws(BytePattern.Fault) -> Int {
    var (value, digits) = (0, 0)
    while let scalar = here, ("0"..."9").contains(scalar), digits < 4 {
      value = value * 10 + Int(scalar.value - 48)
      digits += 1
      at += 1
    }
    guard digits > 0, value <= BytePattern.most else {
      throw fault("次数应为 0 至 \(BytePattern.most)。", "a count is from 0 to \(BytePattern.most).")
    }
    return value
  }
}
