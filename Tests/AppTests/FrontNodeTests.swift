import Connecting
import Exchange
import Foundation
import FrontNodes
import Identity
import Inbox
import Inventory
import Kernel
import Sharing
import Storage
import Synchronization
import TestKit
import Testing

@testable import App

extension Stage {
  /// What the receiving office asks for.
  func wish(_ form: FrontNode.Form = .database, product: String? = "postgresql") async throws -> FrontNode.Wish {
    let system = try await node.database.read { try InventoryStore.source(target, in: $0)?.system }
    return FrontNode.Wish(
      form: form, area: .inner, system: system!, reason: "接收共享数据，与业务库隔离", grade: 3, product: product,
      machine: form == .machine ? "4 核 8 GB，统信 UOS" : nil, room: 50, contact: "李经办", contactPhone: "0971-8123456",
      technician: "韩数据", technicianPhone: "0971-8123457", until: nil)
  }

  /// A machine made by hand, signed for and checked.
  func usedMachine() async throws -> FrontNode {
    let (nodes, officer, chief) = (node.frontNodes, cast.consumerOfficer, cast.operatorInChief)
    let asked = try await nodes.ask(officer, try await wish(.machine, product: nil))
    try await nodes.decide(chief, asked.id, version: 0, approve: true, words: "")
    try await nodes.allot(
      chief, asked.id, version: 1,
      by: HandmadeNode(place: "127.0.0.1:9", database: "", account: "front", password: "Kx7-Kx7-Kx7"))
    _ = try await nodes.sign(officer, asked.id, version: 2)
    _ = try await nodes.checkAll()
    return try await nodes.view(officer, asked.id).node
  }

  /// A server for the platform's databases, and a node approved for it.
  fileprivate func approved(_ server: PostgresServer) async throws -> (FrontServer, FrontNode) {
    let (nodes, chief) = (node.frontNodes, cast.operatorInChief)
    let host = try await nodes.addServer(
      chief,
      FrontServerDraft(
        name: "前置库一", kind: "postgresql", area: .inner, settings: ["address": server.address(of: "postgres")],
        shownPlace: "10.9.0.3:5432"))
    #expect(try await nodes.probeServer(chief, host.id).product?.hasPrefix("PostgreSQL") == true)
    let asked = try await nodes.ask(cast.consumerOfficer, try await wish())
    try await nodes.decide(chief, asked.id, version: 0, approve: true, words: "同意")
    return (host, try await nodes.view(chief, asked.id).node)
  }

  fileprivate func view(_ id: FrontNodeID) async throws -> FrontNodes.View {
    try await node.frontNodes.view(cast.operatorInChief, id)
  }

  fileprivate func waiting(_ principal: Principal, _ kind: String) async throws -> Int {
    try await node.database.read { try Inbox.waiting(for: principal, in: $0).filter { $0.kind == kind }.count }
  }
}

/// Front-end databases on a real server, from the request to the end.
@Suite struct FrontNodeTests {
  private func refusal(_ body: () async throws -> Void) async -> String? {
    do {
      try await body()
      return nil
    } catch { return (error as? Refusal)?.code ?? "\(error)" }
  }

  @Test(arguments: Engine.allCases)
  func `a database goes from the request to the end, and takes in a grant in between`(engine: Engine) async throws {
    let server = try PostgresServer.shared.get()
    try await withStage(engine) { stage in
      let (nodes, officer, chief) = (stage.node.frontNodes, stage.cast.consumerOfficer, stage.cast.operatorInChief)
      let (host, node) = try await stage.approved(server)
      #expect(try await stage.waiting(chief, "frontnode.allot") == 1)
      try await nodes.allot(chief, node.id, version: node.version, on: host.id)
      var view = try await stage.view(node.id)
      #expect(view.node.state == .allotted && view.node.allotment?.place == "10.9.0.3:5432" && view.hasPassword)
      let name = try #require(view.node.allotment?.database)
      defer { try? server.dropDatabase(name) }
      func asked(_ question: String) throws -> String {
        try server.query(question, on: "postgres").trimmingCharacters(in: .whitespacesAndNewlines)
      }
      #expect(try await stage.waiting(officer, "frontnode.sign") == 1)
      #expect(
        await refusal { try await nodes.reclaim(officer, node.id, version: view.node.version, words: "x") } != nil)

      // Signed for once, and the password is nowhere any more.
      let password = try await nodes.sign(officer, node.id, version: view.node.version)
      #expect(password.count == 24)
      #expect(
        await refusal { _ = try await nodes.sign(officer, node.id, version: view.node.version) } == "frontnode.changed")
      view = try await stage.view(node.id)
      #expect(view.node.state == .used && !view.hasPassword)
      #expect(
        await refusal { _ = try await nodes.sign(officer, node.id, version: view.node.version) } == "frontnode.state")
      let source = try #require(view.node.source)

      // It takes in a grant like any source of its office.
      var draft = stage.draft(into: "checked")
      draft.targetSource = source
      let grant = try await stage.grant(draft)
      let delivery = try await stage.node.deliverNow(grant.id)
      #expect(delivery.state == .delivered)
      let rows = try server.query("SELECT count(*) FROM public.checked", on: name)
      #expect(Int(rows.trimmingCharacters(in: .whitespacesAndNewlines)) ?? 0 > 900)

      // Not while it is needed.
      try await nodes.giveBack(officer, node.id, version: view.node.version, words: "系统下线")
      view = try await stage.view(node.id)
      #expect(view.uses.count == 1 && view.uses[0].chinese.contains(grant.number))
      #expect(
        await refusal { try await nodes.reclaim(chief, node.id, version: view.node.version, words: "") }
          == "frontnode.in-use")
      stage.clock.advance(by: .seconds(40 * 86_400))
      view = try await stage.view(node.id)
      try await nodes.reclaim(chief, node.id, version: view.node.version, words: "")
      view = try await stage.view(node.id)
      #expect(view.node.state == .reclaimed && view.node.keptUntil == stage.clock.clock.now().dateInChina + 30)
      #expect(try asked("SELECT rolcanlogin FROM pg_roles WHERE rolname = '\(name)'") == "f")
      #expect(
        await refusal { _ = try await stage.node.register.unattended(source) } == "inventory.source.closed")

      #expect(
        await refusal { try await nodes.erase(chief, node.id, version: view.node.version, words: "") }
          == "frontnode.words")
      stage.clock.advance(by: .seconds(31 * 86_400))
      try await nodes.erase(chief, node.id, version: view.node.version, words: "")
      #expect(try await stage.view(node.id).node.state == .erased)
      #expect(try asked("SELECT count(*) FROM pg_database WHERE datname = '\(name)'") == "0")

      // Nothing of the password is in the node's own records.
      let records = try await stage.node.database.read { tx in
        try tx.rows(
          "SELECT r.action, p.payload FROM audit_record r JOIN audit_payload p ON p.record = r.id"
        ).map { try $0.text("action") + " " + $0.text("payload") }
      }
      #expect(records.contains { $0.contains("frontnode.node.sign") } && !records.contains { $0.contains(password) })
    }
  }

  @Test(arguments: Engine.allCases)
  func `a server that does not answer leaves the node to be allotted, and it is made once`(engine: Engine) async throws
  {
    let server = try PostgresServer()
    defer { server.stop() }
    try await withStage(engine) { stage in
      let (nodes, chief) = (stage.node.frontNodes, stage.cast.operatorInChief)
      let (host, node) = try await stage.approved(server)
      server.stop()
      #expect(await refusal { try await nodes.allot(chief, node.id, version: node.version, on: host.id) } != nil)
      let begun = try await stage.view(node.id).node
      #expect(begun.state == .approved)
      // The office may not take back what is being made.
      #expect(
        await refusal { try await nodes.withdraw(stage.cast.consumerOfficer, node.id, version: begun.version) }
          == "frontnode.allotting")
      try server.start()
      // What was seen before it was begun is old by now.
      #expect(
        await refusal { try await nodes.allot(chief, node.id, version: node.version, on: host.id) }
          == "frontnode.changed")
      try await nodes.allot(chief, node.id, version: begun.version, on: host.id)
      let again = await refusal { try await nodes.allot(chief, node.id, version: node.version, on: host.id) }
      #expect(again == "frontnode.changed")
      let view = try await stage.view(node.id)
      #expect(view.node.state == .allotted)
      let password = try await nodes.sign(stage.cast.consumerOfficer, node.id, version: view.node.version)
      // A lost password is renewed, and the source goes on with the new one.
      let signed = try await stage.view(node.id).node
      let other = try await nodes.renewPassword(stage.cast.consumerOfficer, node.id, version: signed.version)
      #expect(other != password)
      // The page sent once more changes nothing.
      #expect(
        await refusal {
          _ = try await nodes.renewPassword(stage.cast.consumerOfficer, node.id, version: signed.version)
        } == "frontnode.changed")
      // A server that databases stand on leads nowhere else, and its password is not sent anywhere else.
      let kept = try await nodes.server(chief, host.id)
      var moved = FrontServerDraft(
        name: kept.name, kind: kept.kind, area: kept.area, settings: ["address": "host=10.9.9.9 user=postgres"])
      #expect(
        await refusal { try await nodes.editServer(chief, host.id, version: kept.version, moved) }
          == "frontnode.server.moved")
      moved.settings = kept.settings
      moved.name = "前置库二"
      try await nodes.editServer(chief, host.id, version: kept.version, moved)
      #expect(try await nodes.checkAll().bad == 0)
      // Taken back while the server does not answer: written down at once, closed as soon as it does.
      server.stop()
      let used = try await stage.view(node.id).node
      #expect(await refusal { try await nodes.reclaim(chief, node.id, version: used.version, words: "收回") } != nil)
      var left = try await stage.view(node.id).node
      #expect(left.state == .reclaimed && !left.isLocked)
      _ = try await nodes.checkAll()
      #expect(try await stage.view(node.id).node.isLocked == false)
      try server.start()
      _ = try await nodes.checkAll()
      left = try await stage.view(node.id).node
      #expect(left.isLocked)
      let may = try server.query(
        "SELECT rolcanlogin FROM pg_roles WHERE rolname = '\(left.allotment?.database ?? "")'", on: "postgres")
      #expect(may.hasPrefix("f"))
    }
  }

  @Test(arguments: Engine.allCases)
  func `a node that stops answering is told after three checks, and told again when it is back`(
    engine: Engine
  ) async throws {
    try await withStage(engine) { stage in
      let listens = Mutex(true)
      let nodes = FrontNodes(
        database: stage.node.database, clock: stage.node.clock, register: stage.node.register,
        connectors: Node.connectors, seal: .under(key: stage.node.keys.sealing), uses: { _, _, _ in [] },
        reach: { place in
          if !listens.withLock({ $0 }) {
            throw ConnectorError(.retryable, "reach.connect", Text("\(place) 没有应答。", "Nothing answers at \(place)."))
          }
        })
      let machine = try await stage.usedMachine()
      // Nothing listens at port 9.
      #expect(machine.health?.isGood == false && machine.health?.badChecks == 1)
      _ = try await nodes.checkAll()
      #expect(try await stage.view(machine.id).node.health?.isGood == true)
      listens.withLock { $0 = false }
      let chief = stage.cast.operatorInChief
      for checks in 1...4 {
        stage.clock.advance(by: .seconds(300))
        #expect(try await nodes.checkAll().bad == 1)
        #expect(try await stage.waiting(chief, "frontnode.down") == (checks < 3 ? 0 : 1), "\(checks)")
      }
      let down = try await stage.view(machine.id).node.health
      #expect(down?.badChecks == 4 && down?.failure?.english.contains("127.0.0.1:9") == true)
      listens.withLock { $0 = true }
      _ = try await nodes.checkAll()
      #expect(try await stage.waiting(chief, "frontnode.down") == 0)
      let days = try await stage.view(machine.id).days
      #expect(days.map(\.checks).reduce(0, +) == 7 && days.map(\.failures).reduce(0, +) == 5)
    }
  }

  @Test func `a request is judged, and only its own office and the operator see it`() async throws {
    try await withStage(.sqlite) { stage in
      let (nodes, officer, chief) = (stage.node.frontNodes, stage.cast.consumerOfficer, stage.cast.operatorInChief)
      var wish = try await stage.wish()
      (wish.reason, wish.contactPhone, wish.product, wish.room, wish.grade) = ("", "12", "oracle", 0, 9)
      wish.until = stage.clock.clock.now().dateInChina
      do {
        _ = try await nodes.ask(officer, wish)
        Issue.record("it was taken")
      } catch let refusal as Refusal {
        #expect(
          Set(refusal.faults.map(\.field)) == ["reason", "contactPhone", "product", "room", "grade", "until"])
      }
      // Another office's system.
      let asked = try await nodes.ask(officer, try await stage.wish())
      #expect(await refusal { _ = try await nodes.ask(stage.cast.officer, asked.wish) } == "frontnode.invalid")
      #expect(await refusal { _ = try await nodes.view(stage.cast.officer, asked.id) } != nil)
      #expect(try await nodes.list(stage.cast.officer).nodes.isEmpty)
      #expect(try await nodes.list(chief).nodes.map(\.id) == [asked.id])
      #expect(await refusal { try await nodes.decide(officer, asked.id, version: 0, approve: true, words: "") } != nil)
      #expect(
        await refusal { try await nodes.decide(chief, asked.id, version: 0, approve: false, words: "") }
          == "frontnode.words")
      try await nodes.decide(chief, asked.id, version: 0, approve: false, words: "请先完成等保测评")
      #expect(try await stage.view(asked.id).node.state == .refused)
      let second = try await nodes.ask(officer, try await stage.wish())
      #expect(second.number == String(asked.number.dropLast()) + "2")
      try await nodes.withdraw(officer, second.id, version: 0)
      #expect(try await stage.view(second.id).node.state == .withdrawn)
    }
  }

  @Test func `the site's forms alone lead from the request to the password, which is shown once`() async throws {
    let server = try PostgresServer.shared.get()
    try await withStage(.sqlite) { stage in
      _ = try await stage.approved(server)
      try await withSite(stage.node) { base in
        let officer = try await enter(base, as: "han.officer")
        let chief = try await enter(base, as: "zhang.operator")
        let wish = try await stage.wish(.machine, product: nil)
        let fields: [(String, String)] = [
          ("form", uuidVersion7(at: stage.clock.clock.now())), ("kind", "machine"), ("system", wish.system.text),
          ("product", ""), ("machine", "4 核"), ("room", "20"),
          ("area", "outer"), ("grade", "2"), ("reason", "隔离"), ("until", ""), ("contact", "李经办"),
          ("contactPhone", "0971-8123456"), ("technician", "韩数据"), ("technicianPhone", "13900000000"),
        ]
        var wrong = fields
        wrong[5].1 = "0"
        let refused = try await officer.post("/front-nodes", wrong, from: "/front-nodes/new")
        #expect(refused.status == 422 && refused.text.contains("GB") && refused.text.contains("隔离"))
        let asked = try await officer.post("/front-nodes", fields, from: "/front-nodes/new")
        let page = try #require(asked.location)
        // Sent twice, the form is one request.
        #expect(try await officer.post("/front-nodes", fields, from: "/front-nodes/new").location == page)
        func act(_ visitor: Visitor, _ step: String, _ extra: [(String, String)] = []) async throws -> Visitor.Answer {
          let text = try await visitor.get(page).text
          let form = try #require(WebForm.all(in: text).first { $0.action.hasSuffix("/\(step)") }, "no \(step)")
          let kept = form.fields.filter { field in !extra.contains { $0.0 == field.name } }
          return try await visitor.post(form.action, kept.map { ($0.name, $0.value) } + extra)
        }
        #expect(try await act(chief, "decide", [("decision", "approve"), ("words", "")]).status == 303)
        let secret = "Aa1-Bb2-Cc3-" + "Dd4"
        #expect(
          try await act(
            chief, "allot-by-hand",
            [
              ("place", "10.1.2.3:22"), ("account", "front"), ("password", secret),
            ]
          ).status == 303)
        for visitor in [officer, chief] {
          let text = try await visitor.get(page).text
          #expect(!text.contains(secret))
        }
        let signed = try await act(officer, "sign")
        #expect(signed.status == 200 && signed.text.contains(secret))
        #expect(signed.headers["cache-control"]?.contains("no-store") == true)
        let after = try await officer.get(page).text
        #expect(!after.contains(secret))
        officer.language = "en"
        let english = try await officer.get(page).text
        #expect(english.contains("In use") && english.contains("Signed for"))
        let list = try await chief.get("/front-nodes").text
        #expect(list.contains("10.1.2.3:22") && list.contains("使用中"))
      }
    }
  }
}
