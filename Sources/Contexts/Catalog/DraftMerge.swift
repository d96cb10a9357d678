internal import NationalCrypto

/// Puts together what two clerks wrote from the same draft: the one who saved first, and the one whose form is now older
/// than the draft. The form carries short digests of the values it was made from, so that for each field it is known who
/// changed it, without any copy of the old draft being kept.
struct DraftMerge: Sendable {
  /// A field that the other changed.
  struct Change: Hashable, Sendable {
    var field: String
    var theirs: String
    var mine: String
    /// Both changed it, and not to the same.
    var isConflict: Bool
  }

  /// What the form shows next: the newest draft with one's own changes kept.
  private(set) var values: [(name: String, value: String)]
  /// What the other changed, in the order of the form.
  private(set) var changes: [Change]

  /// Of `fields`, in order; `base` are the digests as `digests(of:in:)` wrote them, `theirs` the newest values by field,
  /// `mine` those of the form, which need not hold every field.
  init(fields: [String], base: String, theirs: [String: String], mine: [String: String]) {
    var digests: [String: String] = [:]
    for pair in base.split(separator: " ") {
      let sides = pair.split(separator: "=")
      if sides.count == 2 { digests[String(sides[0])] = String(sides[1]) }
    }
    values = []
    changes = []
    for field in fields {
      let (theirValue, myValue) = (Self.value(field, theirs), Self.value(field, mine))
      guard mine[field] != nil, theirValue != myValue else {
        values.append((field, theirValue))
        continue
      }
      let isTheirs = digests[field].map { $0 != Self.digest(theirValue) } ?? true
      let isMine = digests[field].map { $0 != Self.digest(myValue) } ?? true
      values.append((field, isMine ? myValue : theirValue))
      if isTheirs {
        changes.append(Change(field: field, theirs: theirValue, mine: myValue, isConflict: isMine))
      }
    }
  }

  /// `name=1a2b3c4d abstract=…`: what the form was made from.
  static func digests(of values: [String: String], in fields: [String]) -> String {
    fields.map { "\($0)=\(digest(value($0, values)))" }.joined(separator: " ")
  }

  /// As a browser sends it back: lines end with CR LF there.
  private static func value(_ field: String, _ values: [String: String]) -> String {
    (values[field] ?? "").replacing("\r\n", with: "\n")
  }

  private static func digest(_ text: String) -> String { String(SM3.hash(text).hex.prefix(8)) }
}
