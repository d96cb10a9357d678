package import Kernel

/// The members of an object that a program sent, read strictly: one that nobody knows or of another type is refused by its
/// name. Left out, it would be taken for something that was never said, and a program would never know.
package struct JSONMembers: Sendable {
  private let json: JSON
  private let place: String

  /// `place` is where the object stands in the body (`change.`), empty for the body itself. Throws 422 for what is no object,
  /// and for a member that is none of `names`.
  package init(_ json: JSON, _ names: [String], at place: String = "") throws(Refusal) {
    self.json = json
    self.place = place
    guard let members = json.members else {
      throw Refusal.invalid(
        "web.member", String(place.dropLast()), Text("应为一个 JSON 对象。", "A JSON object is expected."))
    }
    for member in members where !names.contains(member.name) {
      let name = member.name.prefix(40)
      throw wrong(
        member.name,
        Text(
          "没有“\(name)”这个字段；可有：\(names.joined(separator: "、"))。",
          "There is no member “\(name)”; there may be: \(names.joined(separator: ", "))."))
    }
  }

  /// The text of that name; nil when there is none, or null.
  package func text(_ name: String) throws(Refusal) -> String? {
    switch json[name] {
    case nil, .null: return nil
    case .string(let text): return text
    default: throw wrong(name, Text("\(name) 应为字符串。", "\(name) is a string."))
    }
  }

  /// The whole number of that name; nil when there is none, or null.
  package func whole(_ name: String) throws(Refusal) -> Int? {
    switch json[name] {
    case nil, .null: return nil
    case .integer(let number): return Int(number)
    default: throw wrong(name, Text("\(name) 应为整数。", "\(name) is a whole number."))
    }
  }

  /// The flag of that name; nil when there is none, or null.
  package func flag(_ name: String) throws(Refusal) -> Bool? {
    switch json[name] {
    case nil, .null: return nil
    case .bool(let flag): return flag
    default: throw wrong(name, Text("\(name) 应为 true 或 false。", "\(name) is true or false."))
    }
  }

  /// The texts of that name; nil when there are none, or null.
  package func texts(_ name: String) throws(Refusal) -> [String]? {
    switch json[name] {
    case nil, .null: return nil
    case .array(let values):
      let texts = values.compactMap(\.string)
      if texts.count == values.count { return texts }
    default: break
    }
    throw wrong(name, Text("\(name) 应为字符串的数组。", "\(name) is an array of strings."))
  }

  /// The objects of that name, each of at most these members, `most` of them; nil when there are none, or null.
  package func objects(_ name: String, of names: [String], most: Int) throws(Refusal) -> [JSONMembers]? {
    let pointer = place.first == "/" ? place + name : "/" + place + name
    switch json[name] {
    case nil, .null: return nil
    case .array(let values) where values.count <= most:
      var objects: [JSONMembers] = []
      for (index, value) in values.enumerated() {
        objects.append(try JSONMembers(value, names, at: "\(pointer)/\(index)/"))
      }
      return objects
    default:
      throw wrong(
        name, Text("\(name) 应为对象的数组，最多 \(most) 个。", "\(name) is an array of objects, at most \(most)."))
    }
  }

  /// The object of that name, as it came; nil when there is none, or null.
  package func object(_ name: String) -> JSON? { json[name].flatMap { $0 == .null ? nil : $0 } }

  /// The id of that name; nil when there is none, or null.
  package func id<T>(_ name: String, of type: T.Type = T.self) throws(Refusal) -> ID<T>? {
    guard let text = try text(name) else { return nil }
    guard let id = ID<T>(text) else {
      throw wrong(name, Text("\(name) 不是编号（小写 UUID）。", "\(name) is no id (a UUID in lower case)."))
    }
    return id
  }

  /// Why the member of that name cannot be taken, told where it stands.
  package func refusal(_ code: String, _ name: String, _ message: Text) -> Refusal {
    .invalid(code, place + name, message)
  }

  /// The day of that name; nil when there is none, or null.
  package func day(_ name: String) throws(Refusal) -> CalendarDate? {
    guard let text = try text(name) else { return nil }
    guard let day = CalendarDate(text) else {
      throw wrong(name, Text("\(name) 应为日期，如 2026-03-01。", "\(name) is a day such as 2026-03-01."))
    }
    return day
  }

  /// The choice of that name; nil when there is none, or null.
  package func choice<E: RawRepresentable & CaseIterable>(
    _ name: String, of type: E.Type = E.self
  ) throws(Refusal) -> E? where E.RawValue == String {
    guard let text = try text(name) else { return nil }
    guard let choice = E(rawValue: text) else {
      let all = E.allCases.map(\.rawValue).joined(separator: ", ")
      throw wrong(name, Text("\(name) 应为下列之一：\(all)。", "\(name) is one of: \(all)."))
    }
    return choice
  }

  private func wrong(_ name: String, _ message: Text) -> Refusal { .invalid("web.member", place + name, message) }
}

extension Request {
  /// The body, an object of at most these members.
  package func members(_ names: String...) throws(Refusal) -> JSONMembers { try JSONMembers(json(), names) }
}
