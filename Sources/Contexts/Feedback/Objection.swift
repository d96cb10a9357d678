package import Catalog
package import Deadlines
package import Kernel

package typealias ObjectionID = ID<Objection>

/// What one department says is wrong with another's catalogue entry (目录纠错、异议), and what became of it.
package struct Objection: Hashable, Sendable {
  package var id: ObjectionID
  /// 青目异〔2026〕000017
  package var number: String
  package var resource: ResourceID
  /// The version it was raised against.
  package var resourceVersion: Int
  package var resourceName: String
  package var provider: OrganisationID
  package var providerName: String
  package var raiser: OrganisationID
  package var raiserName: String
  package var raisedBy: PersonID
  package var raisedByName: String
  /// A code of the list `objection-kind`.
  package var kind: String
  package var about: Subject
  package var words: String
  /// What it rests on; may be empty.
  package var evidence: String
  package var state: ObjectionState
  package var supplementAsked: Bool
  package var wasReopened: Bool
  /// The version that corrects it.
  package var correctedBy: Int?
  /// The version of the rules it runs under, kept to its end.
  package var rules: String
  /// The clock of the state it is in.
  package var clock: ClockState?
  /// The provider's clock, while it stands still for a supplement.
  package var pausedClock: ClockState?
  package var due: DueDate?
  /// Grows with each step; a step decided on an older one is refused.
  package var version: Int
  package var createdAt: Instant
  /// Since when it is in its state.
  package var changedAt: Instant

  /// What of the entry is meant.
  package enum Subject: Hashable, Sendable {
    case entry
    /// A code of the list `entry-element`.
    case element(String)
    /// An item of the version it was raised against, with its name then.
    case item(ItemID, name: String)
  }

  package func terms(on day: CalendarDate) -> ObjectionState.Terms {
    ObjectionState.Terms(
      supplementAsked: supplementAsked, wasReopened: wasReopened, isLate: due.map { $0.date < day } ?? false)
  }

  /// As what somebody takes part in it; nil for readers of the catalogue who do not.
  package func party(_ principal: Principal) -> ObjectionState.Party? {
    if principal.may(.feedbackCoordinate) { return .authority }
    guard let office = principal.organisation, principal.may(.readCatalog) else { return nil }
    return office == raiser ? .raiser : office == provider ? .provider : nil
  }

  /// Whether this principal may take a step of that party in it.
  package func acts(_ principal: Principal, as party: ObjectionState.Party) -> Bool {
    switch party {
    case .raiser: principal.organisation == raiser && principal.may(.feedbackRaise)
    case .provider: principal.organisation == provider && principal.may(.feedbackAnswer)
    case .authority: principal.may(.feedbackCoordinate)
    }
  }
}

/// What somebody fills in to object.
package struct ObjectionDraft: Hashable, Sendable {
  package var resource: ResourceID
  package var kind: String
  package var about: About
  package var words: String
  package var evidence: String
  /// One for each form that was opened (or `Idempotency-Key`): sent twice, it makes one objection.
  package var formKey: String?

  package enum About: Hashable, Sendable {
    case entry
    case element(String)
    case item(ItemID)

    /// `entry`, `element:name`, `item:019c…`; nil for anything else.
    package init?(_ text: String) {
      let parts = text.split(separator: ":", maxSplits: 1).map(String.init)
      switch (parts.first, parts.count) {
      case ("entry", 1): self = .entry
      case ("element", 2): self = .element(parts[1])
      case ("item", 2):
        guard let id = ItemID(parts[1]) else { return nil }
        self = .item(id)
      default: return nil
      }
    }

    package var text: String {
      switch self {
      case .entry: "entry"
      case .element(let code): "element:\(code)"
      case .item(let id): "item:\(id)"
      }
    }
  }

  package init(
    resource: ResourceID, kind: String, about: About = .entry, words: String, evidence: String = "",
    formKey: String? = nil
  ) {
    self.resource = resource
    self.kind = kind
    self.about = about
    self.words = words
    self.evidence = evidence
    self.formKey = formKey
  }

  /// Whether this is what was sent before with the same key.
  func isWhatWasSent(_ sent: Objection) -> Bool {
    let same: Bool =
      switch (about, sent.about) {
      case (.entry, .entry): true
      case (.element(let a), .element(let b)): a == b
      case (.item(let a), .item(let b, name: _)): a == b
      default: false
      }
    return same && resource == sent.resource && kind == sent.kind && words == sent.words && evidence == sent.evidence
  }
}

extension Objection.Subject {
  var draft: ObjectionDraft.About {
    switch self {
    case .entry: .entry
    case .element(let code): .element(code)
    case .item(let id, name: _): .item(id)
    }
  }
}
