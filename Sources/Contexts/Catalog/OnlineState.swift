package import Kernel

/// Whether a published resource is offered (上架, 下架): the second of the catalogue's two state machines, beside that of its
/// versions. A resource that is offline keeps its code, its versions and its grants, and can come back.
package enum OnlineState: String, Sendable, CaseIterable {
  /// Never published so far.
  case notOnline = "not-online"
  /// Found, asked for, delivered.
  case online
  /// Online; its department asked for taking it offline.
  case downAuditing = "down-auditing"
  /// Online; that was refused.
  case downRejected = "down-rejected"
  /// Neither found nor asked for; deliveries stand still.
  case offline
  /// Offline; its department asked for bringing it back.
  case upAuditing = "up-auditing"
  /// Offline; that was refused.
  case upRejected = "up-rejected"

  package var title: Text {
    switch self {
    case .notOnline: Text("未上线", "Not online yet")
    case .online: Text("在线", "Online")
    case .downAuditing: Text("下架待审核", "Online, going offline under review")
    case .downRejected: Text("在线（下架未通过）", "Online, going offline refused")
    case .offline: Text("已下架", "Offline")
    case .upAuditing: Text("重新上线待审核", "Offline, coming back under review")
    case .upRejected: Text("已下架（重新上线未通过）", "Offline, coming back refused")
    }
  }

  /// Whether it is offered: found, asked for and delivered.
  package var isOnline: Bool { self == .online || self == .downAuditing || self == .downRejected }
  /// Whether the operator has to decide.
  package var isAuditing: Bool { self == .upAuditing || self == .downAuditing }
}

/// What can happen to whether a resource is offered.
package enum OnlineEvent: String, Sendable, CaseIterable {
  /// Its first version is published.
  case publish = "online.publish"
  case requestDown = "online.request-down"
  case approveDown = "online.approve-down"
  case rejectDown = "online.reject-down"
  case requestUp = "online.request-up"
  case approveUp = "online.approve-up"
  case rejectUp = "online.reject-up"
  /// The department takes its request back.
  case recall = "online.recall"
  /// The operator takes it offline without a request.
  case takeDown = "online.take-down"
  /// The operator brings it back without a request.
  case bringUp = "online.bring-up"

  package var title: Text {
    switch self {
    case .publish: Text("首次上线", "Online for the first time")
    case .requestDown: Text("申请下架", "Asked for taking it offline")
    case .approveDown: Text("下架申请通过", "Taken offline as asked")
    case .rejectDown: Text("下架申请未通过", "Taking it offline refused")
    case .requestUp: Text("申请重新上线", "Asked for bringing it back")
    case .approveUp: Text("重新上线申请通过", "Brought back as asked")
    case .rejectUp: Text("重新上线申请未通过", "Bringing it back refused")
    case .recall: Text("撤回上下架申请", "Request taken back")
    case .takeDown: Text("平台下架", "Taken offline by the operator")
    case .bringUp: Text("平台重新上线", "Brought back by the operator")
    }
  }

  /// Whether it is the department's to do; the others are the operator's.
  package var isDepartments: Bool { self == .requestDown || self == .requestUp || self == .recall }
  /// Whether somebody else will ask why.
  package var needsReason: Bool {
    switch self {
    case .requestDown, .requestUp, .rejectDown, .rejectUp, .takeDown, .bringUp: true
    case .publish, .approveDown, .approveUp, .recall: false
    }
  }
}

extension OnlineState {
  /// The state after the event; nil where the event makes no sense.
  package func after(_ event: OnlineEvent) -> OnlineState? {
    switch (self, event) {
    case (.notOnline, .publish): .online
    case (.online, .requestDown), (.downRejected, .requestDown): .downAuditing
    case (.downAuditing, .approveDown): .offline
    case (.downAuditing, .rejectDown): .downRejected
    case (.downAuditing, .recall): .online
    case (.online, .takeDown), (.downAuditing, .takeDown), (.downRejected, .takeDown): .offline
    case (.offline, .requestUp), (.upRejected, .requestUp): .upAuditing
    case (.upAuditing, .approveUp): .online
    case (.upAuditing, .rejectUp): .upRejected
    case (.upAuditing, .recall): .offline
    case (.offline, .bringUp), (.upAuditing, .bringUp), (.upRejected, .bringUp): .online
    default: nil
    }
  }

  /// The state after the event, or a refusal that says what it is now.
  package func applying(_ event: OnlineEvent) throws -> OnlineState {
    guard let next = after(event) else {
      throw Refusal(
        .conflict, "catalog.online.state",
        Text(
          "目录现在“\(title.chinese)”，不能进行“\(event.title.chinese)”。",
          "The entry is “\(title.english)”; “\(event.title.english)” cannot be done."))
    }
    return next
  }
}
