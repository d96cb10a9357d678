package import Kernel

/// Where a front-end node stands: 申请、审核、分配、签收、使用、回收.
package enum FrontNodeState: String, Sendable, CaseIterable {
  /// The operator has to decide.
  case asked
  case refused
  /// Taken back by who had asked, before anything was made.
  case withdrawn
  /// The operator has to allot it.
  case approved
  /// It is there; the office has to sign for it and gets its password.
  case allotted
  case used
  /// The office needs it no more; the operator takes it back.
  case returning
  /// Nobody can sign in any more; the data is kept for a while.
  case reclaimed
  /// The data is gone.
  case erased

  package var title: Text {
    switch self {
    case .asked: Text("待审核", "To be reviewed")
    case .refused: Text("未通过", "Refused")
    case .withdrawn: Text("已撤回", "Withdrawn")
    case .approved: Text("待分配", "To be allotted")
    case .allotted: Text("待签收", "To be signed for")
    case .used: Text("使用中", "In use")
    case .returning: Text("待回收", "To be taken back")
    case .reclaimed: Text("已回收", "Taken back")
    case .erased: Text("已清除", "Erased")
    }
  }

  /// It is there and its office may sign in.
  package var isOpen: Bool { self == .used || self == .returning }

  package func after(_ event: FrontNodeEvent) -> FrontNodeState? {
    switch (self, event) {
    case (.asked, .approve): .approved
    case (.asked, .refuse): .refused
    case (.asked, .withdraw), (.approved, .withdraw): .withdrawn
    case (.approved, .allot): .allotted
    case (.allotted, .sign): .used
    case (.used, .giveBack): .returning
    case (.allotted, .reclaim), (.used, .reclaim), (.returning, .reclaim): .reclaimed
    case (.reclaimed, .erase): .erased
    default: nil
    }
  }

  package func applying(_ event: FrontNodeEvent) throws(Refusal) -> FrontNodeState {
    guard let next = after(event) else {
      throw Refusal(
        .conflict, "frontnode.state",
        Text("该前置节点“\(title.chinese)”，不能进行这项操作。", "The node is “\(title.english)”; this cannot be done."))
    }
    return next
  }
}

package enum FrontNodeEvent: String, Sendable, CaseIterable {
  case approve, refuse, withdraw, allot, sign, giveBack = "give-back", reclaim, erase

  package var title: Text {
    switch self {
    case .approve: Text("通过", "Approved")
    case .refuse: Text("不通过", "Refused")
    case .withdraw: Text("撤回申请", "Withdrawn")
    case .allot: Text("分配", "Allotted")
    case .sign: Text("签收", "Signed for")
    case .giveBack: Text("申请退回", "Given back")
    case .reclaim: Text("回收", "Taken back")
    case .erase: Text("清除数据", "Erased")
    }
  }
}
