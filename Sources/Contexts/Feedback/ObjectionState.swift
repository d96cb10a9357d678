package import Kernel

/// Where an objection to a catalogue entry stands (目录异议、校核). Each state waits for one party, or for nobody any more.
package enum ObjectionState: String, Sendable, CaseIterable {
  /// Waits for the provider's answer.
  case raised
  /// Waits for the raiser to add what was missing; the provider's clock stands still.
  case supplementPending = "supplement-pending"
  /// The provider agrees and owes a corrected entry.
  case accepted
  /// The provider does not agree; the raiser lets it be or goes to the competent authority.
  case refused
  /// The provider named what corrects it; the raiser confirms, or opens it again once.
  case corrected
  /// Waits for the competent authority (主管部门协调).
  case escalated
  case confirmed
  /// The raiser leaves it at the provider's refusal.
  case conceded
  /// The competent authority sides with the provider.
  case dismissed
  case withdrawn

  package enum Party: String, Sendable, CaseIterable { case raiser, provider, authority }

  /// Whose turn it is; nil when it is over.
  package var waitsFor: Party? {
    switch self {
    case .raised, .accepted: .provider
    case .supplementPending, .refused, .corrected: .raiser
    case .escalated: .authority
    case .confirmed, .conceded, .dismissed, .withdrawn: nil
    }
  }

  package var isOpen: Bool { waitsFor != nil }

  /// The rule that gives this state its clock.
  var rule: String? {
    switch self {
    case .raised: "correction.reply"
    case .supplementPending: "correction.supplement"
    case .accepted: "catalogue.update"
    case .refused, .corrected: "correction.confirm"
    case .escalated: "correction.coordinate"
    case .confirmed, .conceded, .dismissed, .withdrawn: nil
    }
  }

  package var title: Text {
    switch self {
    case .raised: Text("待提供部门答复", "Waiting for the provider")
    case .supplementPending: Text("待异议方补充", "Waiting for a supplement")
    case .accepted: Text("已采纳，待更正", "Accepted, to be corrected")
    case .refused: Text("未采纳，待异议方回应", "Refused, waiting for the raiser")
    case .corrected: Text("已更正，待确认", "Corrected, to be confirmed")
    case .escalated: Text("主管部门协调中", "With the competent authority")
    case .confirmed: Text("已确认更正", "Correction confirmed")
    case .conceded: Text("异议方接受答复", "Refusal accepted")
    case .dismissed: Text("主管部门维持原目录", "Dismissed by the authority")
    case .withdrawn: Text("已撤回", "Withdrawn")
    }
  }
}

/// What may happen to an objection.
package enum ObjectionEvent: String, Sendable, CaseIterable {
  case raise
  case askSupplement = "ask-supplement"
  case supplement, accept, refuse, correct, confirm, reopen, concede, escalate, direct, dismiss, withdraw
  /// The raiser let his days pass: silence is consent.
  case lapse

  /// Who takes this step; nil for the platform itself. A late objection is also taken up by the authority on its own.
  package var party: ObjectionState.Party? {
    switch self {
    case .raise, .supplement, .confirm, .reopen, .concede, .escalate, .withdraw: .raiser
    case .askSupplement, .accept, .refuse, .correct: .provider
    case .direct, .dismiss: .authority
    case .lapse: nil
    }
  }

  package var title: Text {
    switch self {
    case .raise: Text("提出异议", "Objection raised")
    case .askSupplement: Text("要求补充材料", "A supplement was asked for")
    case .supplement: Text("补充材料", "Supplemented")
    case .accept: Text("采纳异议", "Accepted")
    case .refuse: Text("不予采纳", "Refused")
    case .correct: Text("完成更正", "Corrected")
    case .confirm: Text("确认更正", "Correction confirmed")
    case .reopen: Text("认为未改正，重新打开", "Opened again")
    case .concede: Text("接受答复", "Refusal accepted")
    case .escalate: Text("提请主管部门协调", "Taken to the competent authority")
    case .direct: Text("主管部门要求更正", "The authority directs a correction")
    case .dismiss: Text("主管部门维持原目录", "Dismissed by the authority")
    case .withdraw: Text("撤回异议", "Withdrawn")
    case .lapse: Text("逾期未回应，视为同意", "No answer in time, taken as consent")
    }
  }
}

extension ObjectionState {
  /// What the next step depends on besides the state.
  package struct Terms: Sendable, Hashable {
    /// A supplement is asked for once, complete (一次性告知).
    package var supplementAsked: Bool
    /// A correction is opened again once; then the authority decides.
    package var wasReopened: Bool
    /// The party whose turn it is let its days pass.
    package var isLate: Bool

    package init(supplementAsked: Bool = false, wasReopened: Bool = false, isLate: Bool = false) {
      self.supplementAsked = supplementAsked
      self.wasReopened = wasReopened
      self.isLate = isLate
    }
  }

  /// The next state, or the refusal that says why this cannot happen now.
  package func applying(_ event: ObjectionEvent, _ terms: Terms) throws -> ObjectionState {
    switch (self, event) {
    case (.raised, .askSupplement):
      guard !terms.supplementAsked else {
        throw Refusal(
          .conflict, "feedback.supplement.once",
          Text("补充材料只能一次性告知，已要求过一次。", "A supplement is asked for once only, and that was done."))
      }
      return .supplementPending
    case (.supplementPending, .supplement): return .raised
    case (.raised, .accept): return .accepted
    case (.raised, .refuse): return .refused
    case (.accepted, .correct): return .corrected
    case (.corrected, .confirm): return .confirmed
    case (.corrected, .reopen):
      guard !terms.wasReopened else {
        throw Refusal(
          .conflict, "feedback.reopen.once",
          Text("只能重新打开一次；仍不认可时，请提请主管部门协调。", "It is opened again once only; go to the competent authority instead."))
      }
      return .raised
    case (.refused, .concede): return .conceded
    case (.refused, .escalate): return .escalated
    case (.corrected, .escalate):
      guard terms.wasReopened else {
        throw Refusal(
          .conflict, "feedback.escalate.reopen",
          Text("请先重新打开异议，由提供部门再改一次。", "Open it again first, so that the provider corrects it once more."))
      }
      return .escalated
    case (.raised, .escalate), (.accepted, .escalate):
      guard terms.isLate else {
        throw Refusal(
          .conflict, "feedback.escalate.early",
          Text("提供部门的办理期限未到，逾期后才能提请协调。", "The provider's days are not over; this can be done when it is late."))
      }
      return .escalated
    case (.escalated, .direct): return .accepted
    case (.escalated, .dismiss): return .dismissed
    case (.supplementPending, .lapse) where terms.isLate: return .withdrawn
    case (.refused, .lapse) where terms.isLate: return .conceded
    case (.corrected, .lapse) where terms.isLate: return .confirmed
    case (.raised, .withdraw), (.supplementPending, .withdraw), (.accepted, .withdraw), (.refused, .withdraw),
      (.corrected, .withdraw), (.escalated, .withdraw):
      return .withdrawn
    default:
      throw Refusal(
        .conflict, "feedback.objection.state",
        Text(
          "异议现在的状态是“\(title.chinese)”，不能“\(event.title.chinese)”。",
          "The objection is “\(title.english)”; this cannot be done now."))
    }
  }

  /// What a party may do from here; a step that the terms forbid is not among them.
  package func events(for party: Party, _ terms: Terms) -> [ObjectionEvent] {
    ObjectionEvent.allCases.filter { event in
      guard event.party == party || party == .authority && event == .escalate && terms.isLate else { return false }
      return (try? applying(event, terms)) != nil
    }
  }
}
