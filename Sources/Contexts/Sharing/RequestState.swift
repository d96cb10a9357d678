package import Kernel

/// Where a request stands. Each waits for one party, or for nobody any more.
package enum RequestState: String, Sendable, CaseIterable {
  /// Waits for the asking department's own leader.
  case ownPending = "own-pending"
  /// Waits for the platform's operator: is it complete, is it in order.
  case reviewPending = "review-pending"
  /// Waits for the provider's decision on each item.
  case providerPending = "provider-pending"
  /// Waits for the asker to add what was missing; the provider's clock stands still.
  case supplementPending = "supplement-pending"
  case granted
  case refused
  case withdrawn

  package var isOpen: Bool { self != .granted && self != .refused && self != .withdrawn }

  static let open = allCases.filter(\.isOpen)

  package var title: Text {
    switch self {
    case .ownPending: Text("待本部门审批", "Waiting for own approval")
    case .reviewPending: Text("待平台审查", "Waiting for the platform's review")
    case .providerPending: Text("待提供部门审批", "Waiting for the provider")
    case .supplementPending: Text("待补正", "Waiting for a supplement")
    case .granted: Text("已授权", "Granted")
    case .refused: Text("未同意", "Refused")
    case .withdrawn: Text("已撤回", "Withdrawn")
    }
  }
}

/// What may happen to a request.
package enum RequestEvent: String, Sendable, CaseIterable {
  case submit, approveOwn = "approve-own", refuseOwn = "refuse-own", passReview = "pass-review", refuseReview =
    "refuse-review"
  case askSupplement = "ask-supplement", supplement, grant, refuse, withdraw

  package var title: Text {
    switch self {
    case .submit: Text("提交申请", "Submitted")
    case .approveOwn: Text("本部门同意", "Approved by the own department")
    case .refuseOwn: Text("本部门不同意", "Not approved by the own department")
    case .passReview: Text("平台审查通过", "Passed the platform's review")
    case .refuseReview: Text("平台审查不通过", "Did not pass the platform's review")
    case .askSupplement: Text("要求补正", "A supplement was asked for")
    case .supplement: Text("补正", "Supplemented")
    case .grant: Text("逐项审批并授权", "Decided item by item; granted")
    case .refuse: Text("提供部门不同意", "Refused by the provider")
    case .withdraw: Text("申请方撤回", "Withdrawn by the asker")
    }
  }
}

extension RequestState {
  /// What a request depends on besides its state.
  package struct Terms: Sendable, Hashable {
    /// 无条件共享: after the own department's approval the platform grants by itself.
    package var isUnconditional: Bool
    /// A supplement is asked for once, complete (一次性告知).
    package var supplementAsked: Bool
    /// The supplement changes the purpose or the legal basis: what the leader approved is no more what is asked.
    package var changesGrounds: Bool

    package init(isUnconditional: Bool, supplementAsked: Bool, changesGrounds: Bool = false) {
      self.changesGrounds = changesGrounds
      self.isUnconditional = isUnconditional
      self.supplementAsked = supplementAsked
    }
  }

  /// The next state, or the refusal that says why this cannot happen now.
  package func applying(_ event: RequestEvent, _ terms: Terms) throws -> RequestState {
    switch (self, event) {
    case (.ownPending, .approveOwn): return terms.isUnconditional ? .granted : .reviewPending
    case (.ownPending, .refuseOwn): return .refused
    case (.reviewPending, .passReview): return .providerPending
    case (.reviewPending, .refuseReview): return .refused
    case (.providerPending, .askSupplement):
      guard !terms.supplementAsked else {
        throw Refusal(
          .conflict, "sharing.supplement.once",
          Text("补正只能一次性告知，已要求过一次。", "A supplement is asked for once only, and that was done."))
      }
      return .supplementPending
    case (.supplementPending, .supplement): return terms.changesGrounds ? .ownPending : .providerPending
    case (.providerPending, .grant): return .granted
    case (.providerPending, .refuse): return .refused
    case (.ownPending, .withdraw), (.reviewPending, .withdraw), (.providerPending, .withdraw),
      (.supplementPending, .withdraw):
      return .withdrawn
    default:
      throw Refusal(
        .conflict, "sharing.request.state",
        Text(
          "申请现在的状态是“\(title.chinese)”，不能\(event.title.chinese)。",
          "The request is “\(title.english)”; this cannot be done now."))
    }
  }
}
