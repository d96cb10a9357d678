import Connecting

/// A small text of JSON taken apart.
package enum JSONTree {
  case object([String: JSONTree])
  case array([JSONTree])
  case string(String)
  case number(String)
  case bool(Bool)
  case null

  /// Nil for what is no JSON, or holds a text that is none.
  package init?(_ bytes: UnsafeRawBufferPointer) {
    guard let value = try? JSONScan.whole(bytes), let tree = JSONTree(value, in: bytes, JSONText()) else { return nil }
    self = tree
  }

  private init?(_ value: JSONValue, in bytes: UnsafeRawBufferPointer, _ text: JSONText) {
    func string(_ value: JSONValue) -> String? {
      let (bytes, fault) = text.text(of: value, in: bytes)
      return fault == nil ? String(decoding: bytes, as: UTF8.self) : nil
    }
    switch value.kind {
    case .null: self = .null
    case .yes: self = .bool(true)
    case .no: self = .bool(false)
    case .number: self = .number(String(decoding: bytes[value.range], as: UTF8.self))
    case .string:
      guard let read = string(value) else { return nil }
      self = .string(read)
    case .object, .array:
      var scan = JSONScan(bytes)
      scan.at = value.range.lowerBound
      var (members, elements, isWhole): ([String: JSONTree], [JSONTree], Bool) = ([:], [], true)
      do throws(JSONFault) {
        if value.kind == .object {
          try scan.members { name, value throws(JSONFault) in
            guard let name = string(name), let tree = JSONTree(value, in: bytes, text) else {
              isWhole = false
              return false
            }
            members[name] = tree
            return true
          }
        } else {
          try scan.elements { value throws(JSONFault) in
            guard let tree = JSONTree(value, in: bytes, text) else {
              isWhole = false
              return false
            }
            elements.append(tree)
            return true
          }
        }
      } catch { return nil }
      guard isWhole else { return nil }
      self = value.kind == .object ? .object(members) : .array(elements)
    }
  }

  package subscript(_ name: String) -> JSONTree? {
    if case .object(let members) = self { return members[name] }
    return nil
  }

  package var string: String? { if case .string(let text) = self { text } else { nil } }
  package var int: Int? { if case .number(let text) = self { Int(text) } else { nil } }
  package var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
  package var array: [JSONTree]? { if case .array(let elements) = self { elements } else { nil } }
}
