package import Kernel

/// Where one version of a resource stands: the first of the catalogue's two state machines. Whether what is published is
/// offered is the second, `OnlineState`.
package enum VersionState: String, Sendable, CaseIterable {
  /// The department is writing it.
  case draft
  /// The platform's operator has it, until a due date.
  case submitted
  /// Sent back with reasons; the department writes on.
  case returned
  /// Registered: it has its code, and waits to be published.
  case approved
  /// The version that counts: found, asked for and delivered while the resource is online.
  case published
  /// A later version stands in its place.
  case superseded
  /// Given up before it was registered.
  case discarded

  package var title: Text {
    switch self {
    case .draft: Text("编制中", "Draft")
    case .submitted: Text("待审核", "Under review")
    case .returned: Text("已退回", "Returned")
    case .approved: Text("待发布", "Approved")
    case .published: Text("已发布", "Published")
    case .superseded: Text("已被新版本替代", "Superseded")
    case .discarded: Text("已放弃", "Discarded")
    }
  }

  /// Whether the department may still write in it.
  package var isEditable: Bool { self == .draft || self == .returned }

  /// Whether it is among the versions that its department is writing: neither published yet nor given up.
  var isOpen: Bool { isEditable || self == .submitted || self == .approved }
}

/// What can happen to a version.
package enum VersionEvent: String, Sendable, CaseIterable {
  case edit
  case submit
  /// The department takes it back before it is decided.
  case recall
  case sendBack = "return"
  case approve
  case publish
  /// A later version was published, or moved in over one that was never published.
  case supersede
  case discard
}

extension VersionState {
  /// The state after the event; nil where the event makes no sense.
  package func after(_ event: VersionEvent) -> VersionState? {
    switch (self, event) {
    case (.draft, .edit), (.returned, .edit): .draft
    case (.draft, .submit), (.returned, .submit): .submitted
    case (.submitted, .recall): .draft
    case (.submitted, .sendBack): .returned
    case (.submitted, .approve): .approved
    case (.approved, .publish): .published
    case (.published, .supersede), (.approved, .supersede): .superseded
    case (.draft, .discard), (.returned, .discard): .discarded
    default: nil
    }
  }

  /// The state after the event, or a refusal that says what it is now.
  package func applying(_ event: VersionEvent) throws -> VersionState {
    guard let next = after(event) else {
      throw Refusal(
        .conflict, "catalog.state",
        Text(
          "目录现在的状态是“\(title.chinese)”，不能进行这项操作。",
          "The entry is now “\(title.english)”; this cannot be done."))
    }
    return next
  }
}
