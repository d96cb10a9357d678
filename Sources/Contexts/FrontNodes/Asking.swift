import Connecting
import Identity
import Inbox
import Inventory
package import Kernel
import Storage

// An office asks, the operator decides.

extension FrontNodes {
  /// `formKey` is the form's own: sent again, the same form is the same request.
  package func ask(
    _ principal: Principal, _ wish: FrontNode.Wish, formKey: String? = nil
  ) async throws -> FrontNode {
    guard let owner = principal.organisation else { throw principal.lacking(.frontNodesAsk) }
    try principal.require(.frontNodesAsk, in: owner)
    let now = clock.now()
    let faults = wish.faults(products: kinds.map(\.name), on: now.dateInChina)
    guard faults.isEmpty else { throw Refusal.invalid("frontnode.invalid", faults) }
    if let formKey, formKey.isEmpty || formKey.utf8.count > 64 {
      throw Refusal.invalid("frontnode.invalid", "form", Text("表单已损坏，请刷新页面。", "The form is damaged; reload the page."))
    }
    return try await database.write { tx in
      if let made = try formKey.flatMap({ try FrontNodeStore.made($0, by: owner, in: tx) }) { return made }
      guard let system = try InventoryStore.system(wish.system, in: tx), system.owner == owner else {
        throw Refusal.invalid(
          "frontnode.invalid", "system", Text("请选择本单位的信息系统。", "Choose a system of your own organisation."))
      }
      let year = now.dateInChina.year
      let digits = String(try FrontNodeStore.nextNumber(year: year, in: tx))
      let node = FrontNode(
        id: .make(at: now),
        number: "QZ-\(year)-" + String(repeating: "0", count: max(0, 5 - digits.count)) + digits, owner: owner,
        ownerName: system.ownerName, systemName: system.facts.name, wish: wish, state: .asked, version: 0, askedAt: now)
      try FrontNodeStore.insert(node, formKey: formKey, in: tx)
      try note(
        node, "ask", by: principal, words: wish.reason,
        detail: [("form", wish.form.rawValue), ("system", system.facts.name)], at: now, in: tx)
      try post(
        node, "review", Text("审核前置节点申请", "Review the request for a node"), for: .holders(.frontNodesManage), in: tx)
      return node
    }
  }

  package func decide(
    _ principal: Principal, _ id: FrontNodeID, version: Int, approve: Bool, words: String
  ) async throws {
    try checkWords(words, approve ? nil : Text("请写明不通过的理由。", "Say why it is refused."))
    try await database.write { tx in
      let node = try node(id, for: principal, .frontNodesManage, version: version, in: tx)
      try move(node, approve ? .approve : .refuse, by: principal, words: words, in: tx)
      if approve {
        try post(node, "allot", Text("分配前置节点", "Allot the node"), for: .holders(.frontNodesManage), in: tx)
      } else {
        try notify(node, "refused", Text("前置节点申请未通过", "The request for a node was refused"), in: tx)
      }
    }
  }

  package func withdraw(_ principal: Principal, _ id: FrontNodeID, version: Int) async throws {
    try await database.write { tx in
      let node = try node(id, for: principal, .frontNodesAsk, version: version, in: tx)
      // The operator has begun to make it: it is his to take back.
      guard node.allotment == nil else {
        throw Refusal(
          .conflict, "frontnode.allotting",
          Text("运维人员正在分配，请在签收后退回。", "It is being allotted; sign for it and give it back."))
      }
      try move(node, .withdraw, by: principal, in: tx)
    }
  }
}
