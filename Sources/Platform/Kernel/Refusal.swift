/// Why something asked for was not done, said so that the asker can do better: what was wrong, where, and what would
/// be right. Never carries data of others, secrets or a stack; those go to the log.
package struct Refusal: Error, Hashable, Sendable {
  package enum Kind: Sendable {
    /// The input breaks a rule; `faults` names the fields.
    case invalid
    /// Nobody is signed in, or the credentials are wrong.
    case unauthenticated
    /// Signed in, but without the authority.
    case forbidden
    /// No such thing, or none that the asker may know of.
    case notFound
    /// The thing is in a state that does not allow it (or has changed since it was read).
    case conflict
    /// It was to be done only to the state that the asker knew, and that is no longer the state.
    case outdated
    /// It is done only by an asker who says which state he knew.
    case unconditional
    /// Bigger than the limit, which the message names.
    case tooLarge
    /// Too many tries; the message says when to come back.
    case tooMany
    /// Something we depend on does not answer; trying again may help.
    case unavailable
  }

  /// One field that was wrong.
  package struct Fault: Hashable, Sendable {
    package var field: String
    package var message: Text

    package init(_ field: String, _ message: Text) {
      self.field = field
      self.message = message
    }
  }

  /// A page of this site that leads on.
  package struct Way: Hashable, Sendable {
    package var label: Text
    package var address: String

    package init(_ label: Text, _ address: String) {
      self.label = label
      self.address = address
    }
  }

  package var kind: Kind
  /// Stable, dotted, for programs: `sharing.grant.revoked`.
  package var code: String
  package var message: Text
  package var faults: [Fault]
  /// Whole seconds after which asking again makes sense, where somebody knows.
  package var retryAfter: Int?
  /// Where it can be done, or what it was about, where somebody knows: pages offer it.
  package var way: Way?
  /// The permission that is missing, where that is the reason: pages say it in words.
  package var lacks: Permission?

  package init(_ kind: Kind, _ code: String, _ message: Text, faults: [Fault] = []) {
    self.kind = kind
    self.code = code
    self.message = message
    self.faults = faults
  }

  /// The same, with a way on.
  package func leading(_ label: Text, _ address: String) -> Refusal {
    var refusal = self
    refusal.way = Way(label, address)
    return refusal
  }

  package static func invalid(_ code: String, _ faults: [Fault]) -> Refusal {
    Refusal(.invalid, code, marked, faults: faults)
  }

  private static let marked = Text("请更正标出的内容。", "Please correct what is marked.")

  /// What was wrong, each thing once, for a place where nothing can be marked.
  package var said: [Text] {
    var told: [Text] = []
    for text in (message == Self.marked && !faults.isEmpty ? [] : [message]) + faults.map(\.message)
    where !told.contains(text) { told.append(text) }
    return told
  }

  package static func invalid(_ code: String, _ field: String, _ message: Text) -> Refusal {
    Refusal(.invalid, code, message, faults: [Fault(field, message)])
  }

  package static func notFound(_ what: Text) -> Refusal {
    Refusal(
      .notFound, "not-found",
      Text(
        "没有找到\(what.chinese)，或者您无权查看。", "There is no such \(what.english), or you may not see it."))
  }

  package static func forbidden(_ permission: Permission) -> Refusal {
    var refusal = Refusal(
      .forbidden, "forbidden",
      Text("您的角色没有这项权限（\(permission.name)）。", "Your role lacks this authority (\(permission.name))."))
    refusal.lacks = permission
    return refusal
  }
}
