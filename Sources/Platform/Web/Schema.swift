package import Kernel

// JSON Schema (2020-12) in the few shapes our answers have, written beside the code that makes the answer.

/// A member of an answer is always there; one that may have nothing to say is null.
package enum Schema {
  package static let text: JSON = ["type": "string"]
  package static let whole: JSON = ["type": "integer"]
  package static let flag: JSON = ["type": "boolean"]
  package static let id: JSON = ["type": "string", "format": "uuid"]
  package static let day: JSON = ["type": "string", "format": "date"]
  package static let moment: JSON = ["type": "string", "format": "date-time"]
  /// Names that differ from answer to answer, each with a text.
  package static let texts: JSON = ["type": "object", "additionalProperties": ["type": "string"]]

  package static func choice(_ values: [String]) -> JSON {
    ["type": "string", "enum": .array(values.map { .string($0) })]
  }

  package static func choice<E: RawRepresentable & CaseIterable>(_ type: E.Type) -> JSON where E.RawValue == String {
    choice(E.allCases.map(\.rawValue))
  }

  package static func number(_ range: ClosedRange<Int>) -> JSON {
    ["type": "integer", "minimum": JSON(range.lowerBound), "maximum": JSON(range.upperBound)]
  }

  package static func list(_ item: JSON) -> JSON { ["type": "array", "items": item] }

  package static func object(_ members: [(String, JSON)]) -> JSON {
    [
      "type": "object", "required": .array(members.map { .string($0.0) }), "properties": .object(members),
    ]
  }

  /// What is sent: with these members at least, and none that is not listed.
  package static func taken(_ required: [String], _ members: [(String, JSON)]) -> JSON {
    [
      "type": "object", "required": .array(required.map { .string($0) }), "additionalProperties": false,
      "properties": .object(members),
    ]
  }

  /// One page of a list and where the next begins; null on the last.
  package static func page(_ name: String, _ item: JSON) -> JSON {
    object([(name, list(item)), ("next", maybe(text))])
  }

  /// The same, or null; of what may be null already, the same.
  package static func maybe(_ schema: JSON) -> JSON {
    guard case .object(var members) = schema, let index = members.firstIndex(where: { $0.name == "type" }) else {
      return schema
    }
    guard members[index].value.array == nil else { return schema }
    members[index].value = [members[index].value, "null"]
    if let choices = members.firstIndex(where: { $0.name == "enum" }), let values = members[choices].value.array {
      members[choices].value = .array(values + [.null])
    }
    return .object(members)
  }
}

/// A name in the query, with what it means and takes.
package struct QueryParameter: Sendable {
  package var name: String
  package var meaning: Text
  package var schema: JSON

  package init(_ name: String, _ meaning: Text, _ schema: JSON = Schema.text) {
    self.name = name
    self.meaning = meaning
    self.schema = schema
  }

  /// What `Request.pageLimit` reads.
  package static func limit(most: Int, usual: Int = 50) -> QueryParameter {
    QueryParameter(
      "limit", Text("每页条数，1 到 \(most)，默认 \(usual)", "how many a page, 1 to \(most); \(usual) by default"),
      Schema.number(1...most))
  }

  /// Where the page before ended.
  package static func cursor(_ name: String, _ schema: JSON = Schema.id) -> QueryParameter {
    QueryParameter(name, Text("上一页的 next", "next of the page before"), schema)
  }
}
