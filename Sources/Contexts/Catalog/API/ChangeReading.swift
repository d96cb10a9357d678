import Kernel
import Web

// Why a later version was written, as a program says it.

extension VersionChange {
  static let names = ["kind", "words", "trigger"]

  /// `mayBeEmpty`: a first version gives no reason.
  static func schema(mayBeEmpty: Bool) -> JSON {
    [
      "type": "object", "required": mayBeEmpty ? [] : ["kind", "words"], "additionalProperties": false,
      "properties": ["kind": Schema.choice(Kind.self), "words": Schema.text, "trigger": Schema.maybe(Schema.day)],
    ]
  }

  /// What is answered of it; null where no reason was given.
  static let answer = Schema.maybe(
    Schema.object([("kind", Schema.choice(Kind.self)), ("words", Schema.text), ("trigger", Schema.maybe(Schema.day))]))

  var json: JSON {
    ["kind": .string(kind.rawValue), "words": .string(words), "trigger": .optional(trigger?.description)]
  }

  /// Whether it says the same: until when the department had to update is counted, not said.
  func saysTheSame(as other: VersionChange?) -> Bool {
    kind == other?.kind && words == other?.words && trigger == other?.trigger
  }

  /// `place` is where the object stands in the body (`change.`), empty for the body itself.
  init(json: JSON, at place: String = "") throws(Refusal) {
    let members = try JSONMembers(json, Self.names, at: place)
    guard let kind = try members.choice("kind", of: Kind.self) else {
      throw Refusal.invalid(
        "catalog.change.reason", place + "kind",
        Text(
          "请写明变更原因 kind：\(Kind.allCases.map(\.rawValue).joined(separator: "、")) 之一。",
          "Say why in kind, one of \(Kind.allCases.map(\.rawValue).joined(separator: ", "))."))
    }
    self.init(kind, words: trimmed(try members.text("words") ?? ""), trigger: try members.day("trigger"))
  }
}
