package import Kernel

/// Where a campaign (普查批次) stands.
package enum CampaignState: String, Sendable, CaseIterable {
  /// The lines of every office are being laid out.
  case preparing
  case open
  /// Frozen: nothing in it changes any more.
  case closed

  package var title: Text {
    switch self {
    case .preparing: Text("准备中", "Being prepared")
    case .open: Text("进行中", "Open")
    case .closed: Text("已结束", "Closed")
    }
  }
}

package enum CampaignEvent: String, Sendable, CaseIterable {
  case ready, close
}

extension CampaignState {
  /// The state after the event; nil where the event makes no sense.
  package func after(_ event: CampaignEvent) -> CampaignState? {
    switch (self, event) {
    case (.preparing, .ready): .open
    case (.open, .close): .closed
    default: nil
    }
  }

  package func applying(_ event: CampaignEvent) throws(Refusal) -> CampaignState {
    guard let next = after(event) else {
      throw Refusal(
        .conflict, "census.campaign.state",
        Text("普查批次“\(title.chinese)”，不能进行这项操作。", "The campaign is “\(title.english)”; this cannot be done."))
    }
    return next
  }
}

/// Where an office's return (填报) stands.
package enum ReturnState: String, Sendable, CaseIterable {
  case preparing
  /// The office fills it in.
  case filling
  /// The operator has it.
  case submitted
  /// Sent back with reasons; the office fills it in again.
  case returned
  case accepted

  package var title: Text {
    switch self {
    case .preparing: Text("准备中", "Being prepared")
    case .filling: Text("填报中", "Being filled in")
    case .submitted: Text("待验收", "Submitted")
    case .returned: Text("已退回", "Returned")
    case .accepted: Text("已验收", "Accepted")
    }
  }

  package var isEditable: Bool { self == .filling || self == .returned }
  /// Whether the office still owes something.
  package var isOwing: Bool { self == .preparing || isEditable }
}

package enum ReturnEvent: String, Sendable, CaseIterable {
  case prepared, fill, submit, recall, sendBack, accept
}

extension ReturnState {
  /// The state after the event; nil where the event makes no sense.
  package func after(_ event: ReturnEvent) -> ReturnState? {
    switch (self, event) {
    case (.preparing, .prepared): .filling
    case (.filling, .fill): .filling
    // The reasons stay in sight until it is submitted again.
    case (.returned, .fill): .returned
    case (.filling, .submit), (.returned, .submit): .submitted
    case (.submitted, .recall): .filling
    // Also after acceptance, while the campaign is open: what turns out wrong is mended at its source.
    case (.submitted, .sendBack), (.accepted, .sendBack): .returned
    case (.submitted, .accept): .accepted
    default: nil
    }
  }

  package func applying(_ event: ReturnEvent) throws(Refusal) -> ReturnState {
    guard let next = after(event) else {
      throw Refusal(
        .conflict, "census.return.state",
        Text("填报“\(title.chinese)”，不能进行这项操作。", "The return is “\(title.english)”; this cannot be done."))
    }
    return next
  }
}
