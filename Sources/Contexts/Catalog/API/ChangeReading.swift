import Kernel
import Web

// Why a later version was written, as a program says it.

extension VersionChange {
  static let schema: JSON = [
    "type": "object",
    "properties": ["kind": Schema.choice(Kind.self), "words": Schema.text, "trigger": Schema.maybe(Schema.day)],
  ]

  init(json: JSON) throws {
    guard let kind = Kind(rawValue: json["kind"]?.string ?? "") else {
      throw Refusal.invalid(
        "catalog.change.reason", "kind",
        Text(
          "kind 应为 \(Kind.allCases.map(\.rawValue).joined(separator: "、")) 之一。",
          "kind is one of \(Kind.allCases.map(\.rawValue).joined(separator: ", "))."))
    }
    let day = json["trigger"]?.string
    let trigger = day.flatMap { CalendarDate($0) }
    guard day == nil || trigger != nil else {
      throw Refusal.invalid(
        "catalog.change.trigger", "trigger", Text("trigger 应为 YYYY-MM-DD。", "trigger is a day, YYYY-MM-DD."))
    }
    self.init(kind, words: trimmed(json["words"]?.string ?? ""), trigger: trigger)
  }
}
