/// One thing a role may allow, named `context.verb`: each context declares its own in an extension.
package struct Permission: Hashable, Sendable, Comparable {
  package let name: String
  package init(_ name: String) { self.name = name }
  package static func < (a: Permission, b: Permission) -> Bool { a.name < b.name }
}

/// Tags for ids that every context needs before the context that owns them.
package enum PersonTag {}
package enum OrganisationTag {}
package typealias PersonID = ID<PersonTag>
package typealias OrganisationID = ID<OrganisationTag>
package enum TokenTag {}
package typealias TokenID = ID<TokenTag>

/// The application token with which a program acts for somebody.
package struct ActingToken: Hashable, Sendable {
  package var id: TokenID
  /// As its issuer called it.
  package var name: String

  package init(id: TokenID, name: String) {
    self.id = id
    self.name = name
  }
}

/// Who acts: a person in an office, or the platform itself. Made by Identity from a session, carried into every use
/// case, written into every audit record.
package struct Principal: Hashable, Sendable {
  package var person: PersonID?
  package var name: String
  package var organisation: OrganisationID?
  package var organisationName: String
  package var permissions: Set<Permission>
  /// Set while a deputy acts for somebody: that person's id, for the record.
  package var onBehalfOf: PersonID?
  /// That person's name, for the pages that say for whom one acts.
  package var onBehalfOfName: String?
  /// Set where a program acts with a token of this person's: for the record, and for what only a person may do.
  package var token: ActingToken?

  package init(
    person: PersonID?, name: String, organisation: OrganisationID?, organisationName: String,
    permissions: Set<Permission>, onBehalfOf: PersonID? = nil, onBehalfOfName: String? = nil,
    token: ActingToken? = nil
  ) {
    self.person = person
    self.name = name
    self.organisation = organisation
    self.organisationName = organisationName
    self.permissions = permissions
    self.onBehalfOf = onBehalfOf
    self.onBehalfOfName = onBehalfOfName
    self.token = token
  }

  /// The platform acting by itself: the sequencer, a scheduled delivery, the command line on the node.
  package static func system(_ name: String = "系统") -> Principal {
    Principal(person: nil, name: name, organisation: nil, organisationName: "平台", permissions: [])
  }

  package func may(_ permission: Permission) -> Bool { permissions.contains(permission) }

  /// The refusal of who lacks a permission, or whose token does.
  package func lacking(_ permission: Permission) -> Refusal {
    guard let token else { return .forbidden(permission) }
    return Refusal(
      .forbidden, "forbidden",
      Text(
        "应用令牌“\(token.name)”的范围不含这项权限（\(permission.name)），或者签发人的角色已没有这项权限。",
        "The application token “\(token.name)” lacks this scope (\(permission.name)), or its issuer's role lacks the authority."
      ))
  }

  /// Throws `.forbidden` unless this principal holds the permission.
  package func require(_ permission: Permission) throws {
    guard may(permission) else { throw lacking(permission) }
  }

  /// Throws unless the principal holds the permission and belongs to that organisation.
  package func require(_ permission: Permission, in organisation: OrganisationID) throws {
    try require(permission)
    guard self.organisation == organisation else {
      throw Refusal(
        .forbidden, "forbidden.organisation",
        Text("这件事归另一个单位办理。", "This belongs to another organisation."))
    }
  }
}
