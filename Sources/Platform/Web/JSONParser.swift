package import Kernel

/// Reads one value of JSON and nothing beside it, strictly: UTF-8 without BOM, no duplicate names, no lone surrogates,
/// no NUL in a text, no numbers that JSON does not know. What is wrong is said with its byte.
package struct JSONParser {
  private let bytes: [UInt8]
  private var position = 0
  private let maxDepth: Int
  private let maxValues: Int
  private var values = 0

  private init(_ bytes: [UInt8], maxDepth: Int, maxValues: Int) {
    self.bytes = bytes
    self.maxDepth = maxDepth
    self.maxValues = maxValues
    // Windows' editor puts a mark before it, which a reader may pass over (RFC 8259 §8.1).
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
  }

  /// `maxDepth` is how far arrays and objects may stand in each other, `maxValues` how many values there may be in all.
  package static func parse(_ bytes: [UInt8], maxDepth: Int = 32, maxValues: Int = 100_000) throws(Refusal) -> JSON {
    var parser = JSONParser(bytes, maxDepth: maxDepth, maxValues: maxValues)
    parser.skipBlanks()
    let value = try parser.value(depth: 0)
    parser.skipBlanks()
    guard parser.position == bytes.count else { throw parser.wrong("值之后还有内容", "there is something after the value") }
    return value
  }

  /// Hands over the values of a text one by one, so that a long list need not be whole in memory: the elements of one array,
  /// or values after each other, as NDJSON has one a line. `maxValues` is for each of them.
  package static func each(
    in bytes: [UInt8], maxDepth: Int = 32, maxValues: Int = 100_000, _ body: (JSON) throws -> Void
  ) throws {
    var parser = JSONParser(bytes, maxDepth: maxDepth, maxValues: maxValues)
    parser.skipBlanks()
    guard parser.next == UInt8(ascii: "[") else {
      while parser.next != nil {
        parser.values = 0
        try body(try parser.value(depth: 1))
        parser.skipBlanks()
      }
      return
    }
    parser.position += 1
    parser.skipBlanks()
    var isOpen = parser.next != UInt8(ascii: "]")
    if !isOpen { parser.position += 1 }
    while isOpen {
      parser.values = 0
      parser.skipBlanks()
      try body(try parser.value(depth: 1))
      isOpen = try !parser.ended(with: UInt8(ascii: "]"))
    }
    parser.skipBlanks()
    guard parser.position == bytes.count else { throw parser.wrong("数组之后还有内容", "there is something after the array") }
  }

  private func wrong(_ chinese: String, _ english: String, at place: Int? = nil) -> Refusal {
    let byte = place ?? position
    // Where lines are entries, an editor finds the line.
    let line = bytes.prefix(byte).count { $0 == UInt8(ascii: "\n") } + 1
    let at =
      line == 1
      ? Text("第 \(byte) 字节", "byte \(byte)") : Text("第 \(line) 行（第 \(byte) 字节）", "line \(line) (byte \(byte))")
    return Refusal(
      .invalid, "web.json",
      Text("JSON \(at.chinese)：\(chinese)。", "JSON, \(at.english): \(english)."),
      faults: [Refusal.Fault("", Text("\(at.chinese)：\(chinese)", "\(at.english): \(english)"))])
  }

  private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func skipBlanks() {
    while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
  }

  private mutating func value(depth: Int) throws(Refusal) -> JSON {
    values += 1
    guard values <= maxValues else { throw wrong("值超过 \(maxValues) 个", "more than \(maxValues) values") }
    switch next {
    case UInt8(ascii: "{"): return try object(depth: depth + 1)
    case UInt8(ascii: "["): return try array(depth: depth + 1)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    case nil: throw wrong("到此中断", "it ends here")
    case let byte? where byte == UInt8(ascii: "-") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte):
      return try number()
    default: throw wrong("此处应为一个值", "a value was expected")
    }
  }

  private mutating func word(_ word: StaticString, _ value: JSON) throws(Refusal) -> JSON {
    let end = position + word.utf8CodeUnitCount
    guard end <= bytes.count,
      bytes[position..<end].elementsEqual(UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount))
    else { throw wrong("此处应为一个值", "a value was expected") }
    position = end
    return value
  }

  private mutating func object(depth: Int) throws(Refusal) -> JSON {
    try descend(depth)
    var members: [JSON.Member] = []
    // A walk along a few names costs less than keeping a set of them.
    var names: Set<String> = []
    if next == UInt8(ascii: "}") { position += 1; return .object(members) }
    while true {
      skipBlanks()
      let start = position
      guard next == UInt8(ascii: "\"") else { throw wrong("此处应为字段名", "a name was expected") }
      let name = try string()
      let isNew: Bool
      if members.count < Self.mostWalked {
        isNew = !members.contains { $0.name == name }
      } else {
        if names.isEmpty { names = Set(members.map(\.name)) }
        isNew = names.insert(name).inserted
      }
      guard isNew else { throw wrong("字段重复", "this name stands twice", at: start) }
      skipBlanks()
      guard next == UInt8(ascii: ":") else { throw wrong("此处应为冒号", "a colon was expected") }
      position += 1
      skipBlanks()
      members.append(JSON.Member(name, try value(depth: depth)))
      if try ended(with: UInt8(ascii: "}")) { return .object(members) }
    }
  }

  private static let mostWalked = 16

  private mutating func array(depth: Int) throws(Refusal) -> JSON {
    try descend(depth)
    var elements: [JSON] = []
    if next == UInt8(ascii: "]") { position += 1; return .array(elements) }
    while true {
      skipBlanks()
      elements.append(try value(depth: depth))
      if try ended(with: UInt8(ascii: "]")) { return .array(elements) }
    }
  }

  private mutating func descend(_ depth: Int) throws(Refusal) {
    guard depth <= maxDepth else { throw wrong("嵌套超过 \(maxDepth) 层", "nested deeper than \(maxDepth)") }
    position += 1
    skipBlanks()
  }

  private mutating func ended(with end: UInt8) throws(Refusal) -> Bool {
    skipBlanks()
    let byte = next
    guard byte == end || byte == UInt8(ascii: ",") else { throw wrong("此处应为逗号或结尾", "a comma or the end was expected") }
    position += 1
    return byte == end
  }

  private mutating func number() throws(Refusal) -> JSON {
    let start = position
    if next == UInt8(ascii: "-") { position += 1 }
    if next == UInt8(ascii: "0") {
      position += 1
    } else {
      try digits()
    }
    var whole = true
    if next == UInt8(ascii: ".") {
      whole = false
      position += 1
      try digits()
    }
    if let e = next, e == UInt8(ascii: "e") || e == UInt8(ascii: "E") {
      whole = false
      position += 1
      if let sign = next, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") { position += 1 }
      try digits()
    }
    guard position - start <= 64 else { throw wrong("数字超过 64 位", "a number of more than 64 characters", at: start) }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    return whole ? Int64(text).map { .integer($0) } ?? .decimal(text) : .decimal(text)
  }

  private mutating func digits() throws(Refusal) {
    let start = position
    while let byte = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { position += 1 }
    guard position > start else { throw wrong("此处应为数字", "a digit was expected") }
  }

  private mutating func string() throws(Refusal) -> String {
    let start = position
    position += 1
    // Most strings have no escape and lie in the text as they are.
    while let byte = next, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 { position += 1 }
    if next == UInt8(ascii: "\"") {
      defer { position += 1 }
      return try checked(String(validating: bytes[(start + 1)..<position], as: UTF8.self), from: start)
    }
    var out = Array(bytes[(start + 1)..<position])
    while let byte = next {
      switch byte {
      case UInt8(ascii: "\""):
        position += 1
        return try checked(String(validating: out, as: UTF8.self), from: start)
      case 0..<0x20: throw wrong("控制字符应转义", "a control character must be escaped")
      case UInt8(ascii: "\\"): try escape(into: &out)
      default:
        out.append(byte)
        position += 1
      }
    }
    throw wrong("字符串没有结束", "the string does not end", at: start)
  }

  private func checked(_ text: String?, from start: Int) throws(Refusal) -> String {
    guard let text else { throw wrong("字符串不是 UTF-8", "the string is not UTF-8", at: start) }
    guard !PlainText.isOverloaded(text) else {
      let most = PlainText.mostScalarsInACharacter
      throw wrong(
        "有一个字由超过 \(most) 个编码（如叠加的符号）组成",
        "one character is made of more than \(most) code points, such as stacked marks", at: start)
    }
    return text
  }

  private mutating func escape(into out: inout [UInt8]) throws(Refusal) {
    let start = position
    position += 1
    let kind = next
    position += 1
    switch kind {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): out.append(kind!)
    case UInt8(ascii: "b"): out.append(0x08)
    case UInt8(ascii: "f"): out.append(0x0C)
    case UInt8(ascii: "n"): out.append(0x0A)
    case UInt8(ascii: "r"): out.append(0x0D)
    case UInt8(ascii: "t"): out.append(0x09)
    case UInt8(ascii: "u"):
      var code = UInt32(try fourHex())
      if (0xD800..<0xDC00).contains(code) {
        guard next == UInt8(ascii: "\\"), position + 1 < bytes.count, bytes[position + 1] == UInt8(ascii: "u") else {
          throw wrong("代理项不成对", "half a surrogate pair", at: start)
        }
        position += 2
        let low = UInt32(try fourHex())
        guard (0xDC00..<0xE000).contains(low) else { throw wrong("代理项不成对", "half a surrogate pair", at: start) }
        code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
      }
      // No database keeps it in a text, and nobody means it.
      guard code != 0 else {
        throw wrong("文字中不能有空字符 U+0000", "a text cannot hold the NUL character U+0000", at: start)
      }
      guard let scalar = Unicode.Scalar(code) else { throw wrong("代理项不成对", "half a surrogate pair", at: start) }
      out += Array(String(Character(scalar)).utf8)
    default: throw wrong("没有这种转义", "there is no such escape", at: start)
    }
  }

  private mutating func fourHex() throws(Refusal) -> UInt16 {
    var value: UInt16 = 0
    for _ in 0..<4 {
      guard let byte = next, let digit = hexValue(byte) else {
        throw wrong("\\u 之后应为四位十六进制", "four hexadecimal digits were expected")
      }
      value = value << 4 | UInt16(digit)
      position += 1
    }
    return value
  }
}

func hexValue(_ byte: UInt8) -> UInt8? {
  switch byte {
  case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
  case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
  case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
  default: nil
  }
}

extension Request {
  /// The body as JSON; anything else is refused with the byte that is wrong.
  package func json(maxDepth: Int = 32) throws(Refusal) -> JSON { try JSONParser.parse(body, maxDepth: maxDepth) }
}
