package import Audit
package import Kernel
package import Storage

extension People {
  /// What this context writes into the log, in words.
  package static let words = AuditVocabulary(
    area: ("identity", Text("人员与登录", "People and signing in")),
    actions: [
      ("identity.sign-in", Text("登录", "Signed in")),
      ("identity.sign-in.second-factor", Text("登录：等待验证码", "Signing in: code asked for")),
      ("identity.sign-in.enrol", Text("登录：须绑定验证器", "Signing in: must set up a second factor")),
      ("identity.sign-in.change-password", Text("登录：须修改密码", "Signing in: must change the password")),
      ("identity.sign-in.refuse", Text("登录被拒", "Refused to sign in")),
      ("identity.sign-out", Text("退出", "Signed out")),
      ("identity.person.create", Text("新建人员", "Person added")),
      ("identity.person.roles", Text("变更角色", "Roles changed")),
      ("identity.person.reset", Text("重置密码", "Password reset")),
      ("identity.person.suspend", Text("停用账户", "Account suspended")),
      ("identity.person.restore", Text("恢复账户", "Account restored")),
      ("identity.person.rescue", Text("在服务器上找回安全管理员", "Security administrator brought back at the machine")),
      ("identity.organisation.node", Text("设置单位的分类节点", "Classification node of an organisation set")),
      ("identity.password.change", Text("修改密码", "Password changed")),
      ("identity.second-factor.enrol", Text("绑定验证器", "Second factor set up")),
      ("identity.token.issue", Text("签发应用令牌", "Application token issued")),
      ("identity.token.revoke", Text("撤销应用令牌", "Application token revoked")),
      ("identity.token.refuse", Text("应用令牌被拒", "Application token refused")),
      ("identity.deputy.name", Text("指定代理人", "Deputy named")),
      ("identity.deputy.end", Text("终止代理", "Deputy ended")),
      ("identity.deputy.act", Text("开始代理", "Began to act for another")),
      ("identity.deputy.stop", Text("停止代理", "Stopped acting for another")),
    ],
    subjects: [
      ("person", Text("人员", "Person")), ("login", Text("登录名", "Sign-in name")),
      ("organisation", Text("单位", "Organisation")), ("token", Text("应用令牌", "Application token")),
    ],
    details: [
      ("source", Text("来源地址", "From address")), ("reason", Text("原因", "Reason")), ("roles", Text("角色", "Roles")),
      ("before", Text("变更前", "Before")), ("after", Text("变更后", "After")), ("deputy", Text("代理人", "Deputy")),
      ("from", Text("自", "From")), ("to", Text("至", "To")), ("secondFactor", Text("第二因素", "Second factor")),
      ("account", Text("账户原状", "Account before")),
      ("for", Text("被代理人", "Acting for")), ("scopes", Text("范围", "Scopes")), ("owner", Text("签发人", "Issuer")),
    ],
    value: { detail, value in
      switch (detail, value) {
      case ("secondFactor", "removed"): Text("已取消", "Taken off")
      case ("secondFactor", "kept"): Text("保留", "Kept")
      default: nil
      }
    })

  /// What this person is called.
  package static func name(of id: PersonID, in tx: any Transaction) throws -> String? {
    try PersonStore.find(id, in: tx)?.name
  }

  /// Whose name or sign-in name this is.
  package static func named(_ name: String, in tx: any Transaction) throws -> [PersonID] {
    let folded = name.lowercased()
    return try tx.rows("SELECT id FROM identity_person WHERE name = \(name) OR login = \(folded) ORDER BY id LIMIT 100")
      .map { try $0.id("id") }
  }
}
