package import Connecting

/// A plan's columns out of one object after another: by name or pointer, in whatever order they come. What is missing is
/// NULL.
package final class JSONFields {
  private let places: [JSONPointer]
  private let convert: CanonicalText
  private let text = JSONText()
  /// Of the object at hand; nil for what is missing or null.
  private var found: [JSONValue?]
  private var bytes = UnsafeRawBufferPointer(start: nil, count: 0)
  /// Which column the member at that place was last time: exporters write all objects alike.
  private var order: [Int] = []
  /// Columns that any object has had, be it with null.
  package private(set) var seen: [Bool]

  /// `zone`: what a date and time without one means, in seconds east of UTC.
  package init(_ places: [JSONPointer], zone: Int) {
    self.places = places
    convert = CanonicalText(zone: zone, trustsText: true)
    found = Array(repeating: nil, count: places.count)
    seen = Array(repeating: false, count: places.count)
  }

  /// Looks the columns up in an object of `bytes`, which must hold until they are taken. False when it is no object, or
  /// has one of the columns twice.
  package func read(_ object: JSONValue, in bytes: UnsafeRawBufferPointer) throws(JSONFault) -> Bool {
    guard object.kind == .object else { return false }
    self.bytes = bytes
    for index in found.indices { found[index] = nil }
    var (member, isTwice) = (0, false)
    var has = [Bool](repeating: false, count: places.count)
    var scan = JSONScan(bytes)
    scan.at = object.range.lowerBound
    try scan.members { name, value throws(JSONFault) in
      defer { member += 1 }
      if member == order.count { order.append(-1) }
      var column = order[member]
      if column < 0 || !JSONPointer.spells(name, places[column].tokens[0], bytes, text) {
        column = places.firstIndex { JSONPointer.spells(name, $0.tokens[0], bytes, text) } ?? -1
        order[member] = column
      }
      guard column >= 0 else { return true }
      // Several pointers may lead into the same member.
      for index in places.indices where index == column || places[index].tokens[0] == places[column].tokens[0] {
        isTwice = isTwice || has[index]
        has[index] = true
        let value = places[index].tokens.count == 1 ? value : try places[index].find(in: value, bytes, from: 1, text)
        if value != nil { seen[index] = true }
        found[index] = value?.kind == .null ? nil : value
      }
      return true
    }
    return !isTwice
  }

  /// Whether the column is NULL when it is read as that type.
  package func isNull(_ column: Int, as type: ValueType) -> Bool {
    guard let value = found[column] else { return true }
    switch type {
    case .text, .bytes: return false
    default: return value.kind == .string && bytes[value.range].allSatisfy { $0 == 0x20 }
    }
  }

  package func append(_ column: Int, as type: ValueType, to batch: RowBatch) {
    guard let value = found[column] else { return batch.appendNull() }
    let fault: RowFault?
    let written: UnsafeRawBufferPointer
    switch value.kind {
    case .string: (written, fault) = text.text(of: value, in: bytes)
    case .object, .array:
      let nested = text.written(value, in: bytes)
      written = nested.bytes
      fault = nested.fault ?? (type == .text ? nil : .wrongType)
    default:
      written = UnsafeRawBufferPointer(rebasing: bytes[value.range])
      fault = nil
    }
    if let fault { batch.appendMalformed(fault, written) } else { convert.append(written, as: type, to: batch) }
  }
}
