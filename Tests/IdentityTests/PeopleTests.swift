@testable import Identity
import Kernel
import Storage
import TestKit
import Testing

@Suite struct `Making and changing people` {
  @Test(arguments: Engine.allCases)
  func `what is wrong with a new person is said at its field, and nobody is made`(engine: Engine) async throws {
    try await Desk.open(engine) { desk in
      try await desk.hire("li")
      let good = People.Draft(login: "zhao", name: "赵六", organisation: desk.market.id, roles: [.clerk])
      var table: [(People.Draft, [String])] = []
      for login in ["", "z", "Zhào", "zhao liu", "zhao_liu", "zhao\0", "赵六", String(repeating: "z", count: 65)] {
        var draft = good
        draft.login = login
        table.append((draft, ["login"]))
      }
      for name in [
        "", String(repeating: "长", count: 51), "赵\n六", "赵\0", "\u{3000}", "\u{200B}\u{200B}", "\u{202E}六赵",
        "赵\u{2069}六",
        "赵" + String(repeating: "\u{301}", count: 49) + "六",
      ] {
        var draft = good
        draft.name = name
        table.append((draft, ["name"]))
      }
      for roles in [[], [.clerk, .auditAdministrator], [.systemAdministrator, .securityAdministrator]] as [Set<Role>] {
        var draft = good
        draft.roles = roles
        table.append((draft, ["roles"]))
      }
      for organisation in [desk.gone.id, OrganisationID.make()] {
        var draft = good
        draft.organisation = organisation
        table.append((draft, ["organisation"]))
      }
      table.append((.init(login: "li", name: "李四", organisation: desk.market.id, roles: [.clerk]), ["login"]))
      table.append((.init(login: "LI", name: "李四", organisation: desk.market.id, roles: [.clerk]), ["login"]))
      table.append((.init(login: "", name: "", organisation: desk.market.id, roles: []), ["login", "name", "roles"]))
      for (draft, fields) in table {
        let refused = try await refusal { try await desk.people.create(draft, by: desk.security) }
        #expect(refused?.faults.map(\.field) == fields, "\(draft)")
      }
      let logins = try await desk.db.read { try PersonStore.list(in: $0).map(\.login) }
      #expect(logins == ["li", "secadmin"])
    }
  }

  @Test(arguments: Engine.allCases)
  func `only who manages people may, and nobody changes himself`(engine: Engine) async throws {
    try await Desk.open(engine) { desk in
      let li = try await desk.hire("li")
      let draft = People.Draft(login: "zhao", name: "赵六", organisation: desk.market.id, roles: [.clerk])
      for role in Role.allCases where role != .securityAdministrator {
        let other = Principal(
          person: .make(), name: "某", organisation: desk.market.id, organisationName: "",
          permissions: Desk.authority.permissions(of: [role]))
        for body in [
          { _ = try await desk.people.create(draft, by: other) },
          { try await desk.people.assign([.leader], to: li, version: 1, by: other) },
          { _ = try await desk.people.reset(li, withSecondFactor: true, by: other) },
          { try await desk.people.setActive(false, li, version: 1, by: other) },
        ] as [() async throws -> Void] {
          let refused = try await refusal(body)
          #expect(refused?.kind == .forbidden, "\(role)")
        }
      }
      let oneself = desk.security.person!
      for body in [
        { try await desk.people.assign([.systemAdministrator], to: oneself, version: 1, by: desk.security) },
        { _ = try await desk.people.reset(oneself, withSecondFactor: true, by: desk.security) },
        { try await desk.people.setActive(false, oneself, version: 1, by: desk.security) },
      ] as [() async throws -> Void] {
        let refused = try await refusal(body)
        #expect(refused?.code == "identity.oneself")
      }
      let after = try await desk.person(li)
      #expect(after.isActive && after.roles == [.clerk])
    }
  }

  @Test(arguments: Engine.allCases)
  func `new roles end the sessions and hold from the next sign-in; a change seen too late is refused`(engine: Engine)
    async throws
  {
    try await Desk.open(engine) { desk in
      let li = try await desk.hire("li")
      let token = try await desk.enter("li")
      let version = try await desk.person(li).version
      let mixed = try await refusal {
        try await desk.people.assign([.clerk, .auditAdministrator], to: li, version: version, by: desk.security)
      }
      #expect(mixed?.faults.map(\.field) == ["roles"])
      try await desk.people.assign([.auditAdministrator], to: li, version: version, by: desk.security)
      let ended = try await desk.principal(token)
      #expect(ended == nil)
      let permissions = try await desk.principal(of: "li").permissions
      #expect(permissions == [Permission("audit.read"), .peopleRead])
      let late = try await refusal {
        try await desk.people.assign([.clerk], to: li, version: version, by: desk.security)
      }
      #expect(late?.kind == .conflict)
      let nobody = try await refusal {
        try await desk.people.assign([.clerk], to: .make(), version: 1, by: desk.security)
      }
      #expect(nobody?.kind == .notFound)
    }
  }

  @Test(arguments: Engine.allCases)
  func `suspending ends what is open and comes back with nothing but the password`(engine: Engine) async throws {
    try await Desk.open(engine) { desk in
      let li = try await desk.hire("li")
      let token = try await desk.enter("li")
      try await desk.people.setActive(false, li, version: desk.person(li).version, by: desk.security)
      let out = try await desk.principal(token)
      #expect(out == nil)
      try await desk.people.setActive(true, li, version: desk.person(li).version, by: desk.security)
      let still = try await desk.principal(token)
      #expect(still == nil)
      _ = try await desk.enter("li")
    }
  }

  @Test(arguments: Engine.allCases)
  func `a reset password is new, must be changed, and ends every session; the old one is gone`(engine: Engine)
    async throws
  {
    try await Desk.open(engine) { desk in
      let li = try await desk.hire("li")
      let token = try await desk.enter("li")
      let once = try await desk.people.reset(li, withSecondFactor: false, by: desk.security)
      let out = try await desk.principal(token)
      #expect(out == nil)
      let old = try await refusal { try await desk.enter("li") }
      #expect(old == SignIn.wrong)
      let begun = try await desk.signIn.begin(login: "li", password: once, source: "10.1.1.1")
      #expect(begun.stage == .changePassword)
      let payloads = try await desk.db.read { tx in
        try tx.rows("SELECT payload FROM audit_payload").map { try $0.text("payload") }.joined()
      }
      #expect(!payloads.contains(once))
    }
  }

  @Test(arguments: Engine.allCases)
  func `each change stands in the log with who did it and what it was before`(engine: Engine) async throws {
    try await Desk.open(engine) { desk in
      let made = try await desk.people.create(
        .init(login: "zhao", name: "赵六", organisation: desk.market.id, roles: [.clerk]), by: desk.security)
      desk.tick()
      try await desk.people.assign(
        [.leader, .clerk], to: made.id, version: desk.person(made.id).version, by: desk.security)
      desk.tick()
      _ = try await desk.people.reset(made.id, withSecondFactor: true, by: desk.security)
      desk.tick()
      try await desk.people.setActive(false, made.id, version: desk.person(made.id).version, by: desk.security)
      desk.tick()
      try await desk.people.setActive(true, made.id, version: desk.person(made.id).version, by: desk.security)
      let log = try await desk.log().filter { $0.subject == "赵六" }
      #expect(
        log.map { "\($0.action) \($0.detail)" } == [
          "identity.person.create roles=clerk", "identity.person.roles before=clerk after=clerk,leader",
          "identity.person.reset secondFactor=removed", "identity.person.suspend ", "identity.person.restore ",
        ])
      let actors = try await desk.db.read { tx in
        try tx.rows("SELECT DISTINCT actor FROM audit_record WHERE subject = \(made.id)").map {
          try $0.textOrNil("actor")
        }
      }
      #expect(actors == [desk.security.person?.text])
    }
  }

  @Test(arguments: Engine.allCases)
  func `people are found by two characters, by office and role, page by page`(engine: Engine) async throws {
    try await Desk.open(engine) { desk in
      for number in 10..<22 { try await desk.hire("p\(number)", number % 2 == 0 ? [.leader] : [.clerk]) }
      try await desk.hire("qi", [.clerk], at: desk.civil.id)
      let (civil, pages, found, leaders) = try await desk.db.read { tx in
        var pages: [[String]] = []
        var after: String?
        repeat {
          let page = try PersonStore.list(search: "人员", after: after, limit: 5, in: tx).map(\.login)
          pages.append(page)
          after = page.last
        } while pages.last?.count == 5
        return (
          try PersonStore.list(organisation: desk.civil.id, in: tx).map(\.login), pages,
          try ["P1", "P1%", "P1_", "P1\\"].map { try PersonStore.list(search: $0, in: tx).count },
          try PersonStore.list(role: .leader, in: tx).map(\.login)
        )
      }
      #expect(civil == ["qi"])
      #expect(pages.map(\.count) == [5, 5, 3])
      #expect(Set(pages.joined()).count == 13)
      #expect(found == [10, 0, 0, 0])
      #expect(leaders == ["p10", "p12", "p14", "p16", "p18", "p20"])
    }
  }
}

@Suite struct `Administrators` {
  /// Another one of the security administrators, as he decides.
  private func colleague(_ desk: Desk) async throws -> Principal {
    let id = try await desk.hire("second", [.securityAdministrator])
    return Principal(
      person: id, name: "人员second", organisation: desk.market.id, organisationName: desk.market.name,
      permissions: desk.security.permissions)
  }

  @Test(arguments: Engine.allCases)
  func `who suspend each other at the same moment do not both go`(engine: Engine) async throws {
    for _ in 0..<5 {
      try await Desk.open(engine) { desk in
        let other = try await colleague(desk)
        let (a, b) = (try existing(desk.security.person), try existing(other.person))
        let (versionA, versionB) = (try await desk.person(a).version, try await desk.person(b).version)
        async let first = refusal { try await desk.people.setActive(false, b, version: versionB, by: desk.security) }
        async let second = refusal { try await desk.people.setActive(false, a, version: versionA, by: other) }
        let refused = try await [first, second].compactMap { $0 }
        #expect(refused.map(\.code) == ["identity.actor"])
        let active = try await [desk.person(a).isActive, desk.person(b).isActive]
        #expect(active.filter { $0 }.count == 1)
      }
    }
  }

  @Test(arguments: Engine.allCases)
  func `decide nothing any more once suspended or given another role, whatever their page still shows`(engine: Engine)
    async throws
  {
    try await Desk.open(engine) { desk in
      let li = try await desk.hire("li")
      let other = try await colleague(desk)
      let id = try existing(other.person)
      let draft = People.Draft(login: "zhao", name: "赵六", organisation: desk.market.id, roles: [.clerk])
      let version = try await desk.person(li).version
      func tryAll() async throws {
        for body in [
          { _ = try await desk.people.create(draft, by: other) },
          { try await desk.people.assign([.leader], to: li, version: version, by: other) },
          { _ = try await desk.people.reset(li, withSecondFactor: true, by: other) },
          { try await desk.people.setActive(false, li, version: version, by: other) },
          { try await desk.offices.setNode("3070120337", of: desk.civil.id, seen: nil, by: other) },
        ] as [() async throws -> Void] {
          let refused = try await refusal(body)
          #expect(refused?.code == "identity.actor")
        }
      }
      try await desk.people.setActive(false, id, version: desk.person(id).version, by: desk.security)
      try await tryAll()
      try await desk.people.setActive(true, id, version: desk.person(id).version, by: desk.security)
      try await desk.people.assign([.clerk], to: id, version: desk.person(id).version, by: desk.security)
      try await tryAll()
      let after = try await desk.person(li)
      #expect(after.isActive && after.roles == [.clerk])
    }
  }

  @Test(arguments: Engine.allCases)
  func `of each kind stay in office: the last one is neither suspended nor given another role`(engine: Engine)
    async throws
  {
    try await Desk.open(engine) { desk in
      for role in [Role.systemAdministrator, .auditAdministrator] {
        let id = try await desk.hire("one.\(role.rawValue)", [role])
        let version = try await desk.person(id).version
        for body in [
          { try await desk.people.setActive(false, id, version: version, by: desk.security) },
          { try await desk.people.assign([.clerk], to: id, version: version, by: desk.security) },
        ] as [() async throws -> Void] {
          let refused = try await refusal(body)
          #expect(
            refused?.code == "identity.person.last" && refused?.message.chinese.contains(role.title.chinese) == true)
        }
        let second = try await desk.hire("two.\(role.rawValue)", [role])
        try await desk.people.setActive(false, id, version: version, by: desk.security)
        let last = try await refusal {
          try await desk.people.assign([.clerk], to: second, version: desk.person(second).version, by: desk.security)
        }
        #expect(last?.code == "identity.person.last", "a suspended one does not count")
        try await desk.people.assign([.clerk], to: id, version: desk.person(id).version, by: desk.security)
      }
    }
  }

  @Test(arguments: Engine.allCases)
  func `of security are brought back by whoever has the machine, and the log says so`(engine: Engine) async throws {
    try await Desk.open(engine) { desk in
      let other = try await colleague(desk)
      let id = try existing(desk.security.person)
      try await desk.people.setActive(false, id, version: desk.person(id).version, by: other)
      desk.tick()
      let back = try await desk.people.rescue(login: "SecAdmin")
      #expect(!back.isNew && back.login == "secadmin")
      let begun = try await desk.signIn.begin(login: "secadmin", password: back.oneTimePassword, source: "10.1.1.1")
      #expect(begun.stage == .changePassword)
      let old = try await refusal { try await desk.enter("secadmin") }
      #expect(old == SignIn.wrong)
      desk.tick()
      let new = try await desk.people.rescue(login: "third", name: "王安全")
      let made = try await desk.db.read { try PersonStore.find(login: "third", in: $0) }
      #expect(new.isNew && made?.roles == [.securityAdministrator] && made?.organisation == desk.market.id)
      #expect(made?.mustChangePassword == true && made?.name == "王安全")
      let log = try await desk.log().filter { $0.action == "identity.person.rescue" }
      #expect(log.map(\.detail) == ["account=suspended", "account=made"] && log.map(\.subject) == ["安全管理员", "王安全"])
      let payloads = try await desk.db.read { tx in
        try tx.rows("SELECT payload FROM audit_payload").map { try $0.text("payload") }.joined()
      }
      #expect(!payloads.contains(back.oneTimePassword) && !payloads.contains(new.oneTimePassword))
      #expect(payloads.contains("服务器命令行"))
    }
  }

  @Test(arguments: Engine.allCases)
  func `are not made of an account with other roles, nor in an office that is none`(engine: Engine) async throws {
    try await Desk.open(engine) { desk in
      let li = try await desk.hire("li", [.clerk])
      let roles = try await refusal { try await desk.people.rescue(login: "li") }
      #expect(roles?.code == "identity.rescue.roles")
      for (login, name, office, field) in [
        ("z", nil, nil, "login"), ("third", "\u{200B}", nil, "name"), ("third", nil, "没有这个局", "organisation"),
        ("third", nil, "省工商局", "organisation"),
      ] as [(String, String?, String?, String)] {
        let refused = try await refusal { try await desk.people.rescue(login: login, name: name, organisation: office) }
        #expect(refused?.faults.map(\.field) == [field])
      }
      let (kept, count) = (try await desk.person(li), try await desk.db.read { try PersonStore.list(in: $0).count })
      #expect(kept.roles == [.clerk] && count == 2)
      let there = try await desk.people.rescue(login: "third", organisation: "省民政厅")
      #expect(there.isNew)
    }
  }
}

@Suite struct `Acting for another` {
  @Test(arguments: Engine.allCases)
  func `act with the other's business roles on the days agreed, shown in the log, and no longer`(engine: Engine)
    async throws
  {
    try await Desk.open(engine) { desk in
      let leader = try await desk.hire("leader", [.leader])
      let deputy = try await desk.hire("deputy", [.dataOfficer])
      let day = desk.time.now.dateInChina
      try await desk.people.nameDeputy(deputy, from: day + 1, to: day + 2, by: desk.principal(of: "leader"))
      var token = try await desk.enter("deputy")
      let early = try await refusal { try await desk.signIn.act(token: token, for: leader) }
      #expect(early?.code == "identity.deputy.none")
      desk.time.advance(by: .seconds(86_400))
      token = try await desk.enter("deputy")
      let own = try await desk.principal(token)
      #expect(own?.onBehalfOf == nil && own?.permissions == [])
      desk.tick()
      let acting = try await desk.signIn.act(token: token, for: leader)
      let (old, now) = (try await desk.principal(token), try await desk.principal(acting))
      #expect(old == nil)
      #expect(now?.person == deputy && now?.onBehalfOf == leader)
      #expect(now?.onBehalfOfName == "人员leader")
      #expect(now?.permissions == [Permission("test.ask")])
      let last = try await desk.log().last
      #expect(last?.action == "identity.deputy.act" && last?.detail == "source=10.1.1.1 for=人员leader")
      let back = try await desk.signIn.act(token: acting, for: nil)
      let again = try await desk.principal(back)
      #expect(again?.onBehalfOf == nil)
      desk.time.advance(by: .seconds(2 * 86_400))
      let late = try await desk.enter("deputy")
      let over = try await refusal { try await desk.signIn.act(token: late, for: leader) }
      #expect(over?.code == "identity.deputy.none")
    }
  }

  @Test(arguments: Engine.allCases)
  func `who acts falls back to himself when the word is taken back or the other is suspended`(engine: Engine)
    async throws
  {
    try await Desk.open(engine) { desk in
      let leader = try await desk.hire("leader", [.leader])
      let deputy = try await desk.hire("deputy", [.dataOfficer])
      let day = desk.time.now.dateInChina
      let principal = try await desk.principal(of: "leader")
      try await desk.people.nameDeputy(deputy, from: day, to: day, by: principal)
      let acting = try await desk.signIn.act(token: desk.enter("deputy"), for: leader)
      let arranged = try await desk.db.read { try Deputies.list(of: leader, from: day, in: $0) }
      #expect(arranged.map(\.deputy) == [deputy])
      let stranger = try await refusal {
        try await desk.people.endDeputy(arranged[0].id, by: desk.principal(of: "deputy"))
      }
      #expect(stranger?.kind == .notFound)
      try await desk.people.endDeputy(arranged[0].id, by: principal)
      let fallen = try await desk.principal(acting)
      #expect(fallen?.person == deputy && fallen?.onBehalfOf == nil && fallen?.permissions == [])
      try await desk.people.nameDeputy(deputy, from: day, to: day, by: principal)
      try await desk.people.setActive(false, leader, version: desk.person(leader).version, by: desk.security)
      let refused = try await refusal { try await desk.signIn.act(token: desk.enter("deputy"), for: leader) }
      #expect(refused?.code == "identity.deputy.none")
    }
  }

  @Test(arguments: Engine.allCases)
  func `who is made an administrator acts for nobody any more`(engine: Engine) async throws {
    try await Desk.open(engine) { desk in
      let leader = try await desk.hire("leader", [.leader])
      let deputy = try await desk.hire("deputy", [.clerk])
      let day = desk.time.now.dateInChina
      try await desk.people.nameDeputy(deputy, from: day, to: day + 30, by: desk.principal(of: "leader"))
      try await desk.people.assign(
        [.auditAdministrator], to: deputy, version: desk.person(deputy).version, by: desk.security)
      let refused = try await refusal { try await desk.signIn.act(token: desk.enter("deputy"), for: leader) }
      #expect(refused?.code == "identity.deputy.none")
    }
  }

  @Test(arguments: Engine.allCases)
  func `what is wrong with a deputyship is said at its field`(engine: Engine) async throws {
    try await Desk.open(engine) { desk in
      let leader = try await desk.hire("leader", [.leader])
      let b = try await desk.hire("bo")
      let c = try await desk.hire("co")
      let elsewhere = try await desk.hire("elsewhere", at: desk.civil.id)
      let idle = try await desk.hire("idle")
      try await desk.people.setActive(false, idle, version: desk.person(idle).version, by: desk.security)
      let day = desk.time.now.dateInChina
      let a = try await desk.principal(of: "leader")
      try await desk.people.nameDeputy(b, from: day, to: day + 10, by: a)
      try await desk.people.nameDeputy(c, from: day + 5, to: day + 15, by: desk.principal(of: "bo"))
      let table: [(Principal, PersonID, CalendarDate, CalendarDate, String)] = [
        (a, b, day + 10, day + 12, "from"), (a, b, day + (-5), day, "from"), (a, c, day + 2, day + 1, "to"),
        (a, c, day + (-3), day + (-1), "to"), (a, c, day, day + 400, "to"), (a, leader, day, day, "deputy"),
        (a, elsewhere, day, day, "deputy"), (a, idle, day, day, "deputy"), (a, PersonID.make(), day, day, "deputy"),
        (a, desk.security.person!, day, day, "deputy"), (desk.security, c, day, day, "from"),
        (try await desk.principal(of: "bo"), leader, day + 10, day + 20, "deputy"),
        (try await desk.principal(of: "co"), leader, day + 10, day + 20, "deputy"),
      ]
      for (who, deputy, from, to, field) in table {
        let refused = try await refusal { try await desk.people.nameDeputy(deputy, from: from, to: to, by: who) }
        #expect(refused?.faults.map(\.field) == [field], "\(who.name) \(from) \(to)")
      }
      // Beside the other periods there is no circle and no overlap.
      try await desk.people.nameDeputy(b, from: day + 11, to: day + 12, by: a)
      try await desk.people.nameDeputy(leader, from: day + 20, to: day + 21, by: desk.principal(of: "co"))
    }
  }

  @Test func `circles are found over any number of people`() {
    let ids = (0..<6).map { _ in PersonID.make() }
    let day = CalendarDate("2026-03-02")!
    let chain = (0..<5).map {
      Deputy(id: "\($0)", person: ids[$0], deputy: ids[$0 + 1], firstDay: day, lastDay: day)
    }
    for a in 0..<6 {
      for b in 0..<6 where a != b {
        let expected: Deputies.Clash? = b == a + 1 ? .overlap : b < a ? .circle : nil
        #expect(Deputies.clash(of: ids[a], with: ids[b], among: chain) == expected, "\(a) by \(b)")
      }
    }
  }

  @Test(arguments: Engine.allCases)
  func `nobody names or ends deputies in another's name`(engine: Engine) async throws {
    try await Desk.open(engine) { desk in
      let leader = try await desk.hire("leader", [.leader])
      let deputy = try await desk.hire("deputy")
      let other = try await desk.hire("other")
      let day = desk.time.now.dateInChina
      try await desk.people.nameDeputy(deputy, from: day, to: day, by: desk.principal(of: "leader"))
      let acting = try existing(
        try await desk.principal(desk.signIn.act(token: desk.enter("deputy"), for: leader)))
      for body in [
        { try await desk.people.nameDeputy(other, from: day, to: day, by: acting) },
        { try await desk.people.endDeputy("x", by: acting) },
      ] as [() async throws -> Void] {
        let refused = try await refusal(body)
        #expect(refused?.code == "identity.deputy.acting")
      }
    }
  }
}
