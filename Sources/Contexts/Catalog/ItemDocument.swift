internal import Connecting
internal import Kernel
internal import Storage

/// The items of a version as they stand in its row: a JSON array of objects, from which what is empty is left out. They are
/// always read and written together, so one text costs a fraction of a row each.
enum ItemDocument {
  static func text(_ items: [Item]) -> String {
    var out: [UInt8] = []
    out.reserveCapacity(160 * items.count + 2)
    out.append(UInt8(ascii: "["))
    for (index, item) in items.enumerated() {
      if index > 0 { out.append(UInt8(ascii: ",")) }
      write(item, into: &out)
    }
    out.append(UInt8(ascii: "]"))
    return String(decoding: out, as: UTF8.self)
  }

  /// Refused with `StorageError.decoding` when it is no such list: a value is never told.
  static func items(_ text: String) throws -> [Item] {
    var reader = Reader(bytes: Array(text.utf8))
    return try reader.items()
  }

  // MARK: Writing

  private static func write(_ item: Item, into out: inout [UInt8]) {
    out += "{\"id\":".utf8
    quote(item.id.text, into: &out)
    func member(_ name: StaticString, _ text: String?) {
      guard let text, !text.isEmpty else { return }
      begin(name, into: &out)
      quote(text, into: &out)
    }
    func member(_ name: StaticString, _ number: Int?) {
      guard let number else { return }
      begin(name, into: &out)
      out += String(number).utf8
    }
    func member(_ name: StaticString, _ flag: Bool) {
      begin(name, into: &out)
      out += (flag ? "true" : "false").utf8
    }
    member("name", item.name)
    member("column", item.column)
    member("dataType", item.dataType)
    member("length", item.length)
    member("scale", item.scale)
    member("nullable", item.isNullable)
    member("key", item.isKey)
    member("carriedAs", item.type?.description)
    member("semantic", item.semantic)
    member("description", item.description)
    member("sharing", item.sharingType)
    member("condition", item.sharingCondition)
    member("grade", item.grade)
    member("valid", item.evidence?.valid)
    member("looked", item.evidence?.looked)
    out.append(UInt8(ascii: "}"))
  }

  private static func begin(_ name: StaticString, into out: inout [UInt8]) {
    out += ",\"".utf8
    out += UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)
    out += "\":".utf8
  }

  private static func quote(_ text: String, into out: inout [UInt8]) {
    func isPlain(_ byte: UInt8) -> Bool { byte >= 0x20 && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\") }
    out.append(UInt8(ascii: "\""))
    defer { out.append(UInt8(ascii: "\"")) }
    // Nearly every text stands as it is.
    let isWritten = text.utf8.withContiguousStorageIfAvailable { bytes in
      guard bytes.allSatisfy(isPlain) else { return false }
      out += bytes
      return true
    }
    guard isWritten != true else { return }
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"):
        out.append(UInt8(ascii: "\\"))
        out.append(byte)
      case 0..<0x20:
        out += "\\u00".utf8
        out.append(hex[Int(byte >> 4)])
        out.append(hex[Int(byte & 15)])
      default: out.append(byte)
      }
    }
  }

  private static let hex = Array("0123456789abcdef".utf8)

  // MARK: Reading

  /// Strict about the form, since only this program and its database's migration write it; of any text whatever.
  private struct Reader {
    let bytes: [UInt8]
    var position = 0

    enum Value {
      case text(String)
      case number(Int)
      case flag(Bool)
      case null

      var text: String? { if case .text(let text) = self { text } else { nil } }
      var number: Int? { if case .number(let number) = self { number } else { nil } }
      var flag: Bool { if case .flag(let flag) = self { flag } else { false } }
    }

    mutating func items() throws -> [Item] {
      var items: [Item] = []
      try take(UInt8(ascii: "["))
      if try !isTaken(UInt8(ascii: "]")) {
        repeat { items.append(try item()) } while try isTaken(UInt8(ascii: ","))
        try take(UInt8(ascii: "]"))
      }
      skipBlanks()
      guard position == bytes.count else { throw Self.wrong }
      return items
    }

    private mutating func item() throws -> Item {
      var item = Item(id: ItemID(trusted: ""), name: "", column: "", dataType: "", grade: "")
      var (valid, looked): (Int?, Int?)
      try take(UInt8(ascii: "{"))
      repeat {
        skipBlanks()
        let name = try string()
        try take(UInt8(ascii: ":"))
        let value = try value()
        switch name {
        case "id": item.id = ItemID(trusted: value.text ?? "")
        case "name": item.name = value.text ?? ""
        case "column": item.column = value.text ?? ""
        case "dataType": item.dataType = value.text ?? ""
        case "length": item.length = value.number
        case "scale": item.scale = value.number
        case "nullable": item.isNullable = value.flag
        case "key": item.isKey = value.flag
        case "carriedAs": item.type = value.text.flatMap { ValueType($0) }
        case "semantic": item.semantic = value.text
        case "description": item.description = value.text ?? ""
        case "sharing": item.sharingType = value.text
        case "condition": item.sharingCondition = value.text ?? ""
        case "grade": item.grade = value.text ?? ""
        case "valid": valid = value.number
        case "looked": looked = value.number
        default: throw Self.wrong
        }
      } while try isTaken(UInt8(ascii: ","))
      try take(UInt8(ascii: "}"))
      guard !item.id.text.isEmpty else { throw Self.wrong }
      if let valid { item.evidence = Item.Evidence(valid: valid, looked: looked ?? valid) }
      return item
    }

    private mutating func value() throws -> Value {
      skipBlanks()
      switch position < bytes.count ? bytes[position] : 0 {
      case UInt8(ascii: "\""): return .text(try string())
      case UInt8(ascii: "t"): return try word("true", .flag(true))
      case UInt8(ascii: "f"): return try word("false", .flag(false))
      case UInt8(ascii: "n"): return try word("null", .null)
      default:
        let start = position
        while position < bytes.count, isDigit(bytes[position]) || bytes[position] == UInt8(ascii: "-") { position += 1 }
        guard let number = Int(String(decoding: bytes[start..<position], as: UTF8.self)) else { throw Self.wrong }
        return .number(number)
      }
    }

    private func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }

    private mutating func word(_ word: StaticString, _ value: Value) throws -> Value {
      let end = position + word.utf8CodeUnitCount
      guard end <= bytes.count,
        bytes[position..<end].elementsEqual(
          UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount))
      else { throw Self.wrong }
      position = end
      return value
    }

    private mutating func string() throws -> String {
      try take(UInt8(ascii: "\""))
      var start = position
      var escaped: [UInt8] = []
      while position < bytes.count {
        switch bytes[position] {
        case UInt8(ascii: "\""):
          defer { position += 1 }
          if escaped.isEmpty { return String(decoding: bytes[start..<position], as: UTF8.self) }
          return String(decoding: escaped + bytes[start..<position], as: UTF8.self)
        case UInt8(ascii: "\\"):
          escaped += bytes[start..<position]
          try unescape(into: &escaped)
          start = position
        default: position += 1
        }
      }
      throw Self.wrong
    }

    private mutating func unescape(into out: inout [UInt8]) throws {
      guard position + 1 < bytes.count else { throw Self.wrong }
      let kind = bytes[position + 1]
      position += 2
      switch kind {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): out.append(kind)
      case UInt8(ascii: "b"): out.append(0x08)
      case UInt8(ascii: "f"): out.append(0x0C)
      case UInt8(ascii: "n"): out.append(0x0A)
      case UInt8(ascii: "r"): out.append(0x0D)
      case UInt8(ascii: "t"): out.append(0x09)
      case UInt8(ascii: "u"):
        // The databases write control characters so, and nothing else.
        guard position + 4 <= bytes.count,
          let code = UInt32(String(decoding: bytes[position..<position + 4], as: UTF8.self), radix: 16),
          let scalar = Unicode.Scalar(code)
        else { throw Self.wrong }
        position += 4
        out += Array(String(scalar).utf8)
      default: throw Self.wrong
      }
    }

    private mutating func take(_ byte: UInt8) throws {
      guard try isTaken(byte) else { throw Self.wrong }
    }

    private mutating func isTaken(_ byte: UInt8) throws -> Bool {
      skipBlanks()
      guard position < bytes.count, bytes[position] == byte else { return false }
      position += 1
      return true
    }

    private mutating func skipBlanks() {
      while position < bytes.count, bytes[position] == 0x20 || bytes[position] == 0x0A { position += 1 }
    }

    private static let wrong = StorageError(.decoding, "column items: expected a list of items")
  }
}
