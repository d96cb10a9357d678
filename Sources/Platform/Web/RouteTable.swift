package import Kernel

extension Access {
  /// Those that open the door, by themselves or together; none where it is not a permission that does.
  package var permissions: [Permission] {
    switch self {
    case .anyone, .signedIn: []
    case .permission(let permission): [permission]
    case .anyPermission(let permissions), .allPermissions(let permissions): permissions
    }
  }

  /// Whether this visitor may come in; nobody is `nil`.
  package func allows(_ principal: Principal?) -> Bool {
    switch self {
    case .anyone: true
    case .signedIn: principal != nil
    case .permission(let permission): principal?.may(permission) ?? false
    case .anyPermission(let permissions): permissions.contains { principal?.may($0) ?? false }
    case .allPermissions(let permissions): permissions.allSatisfy { principal?.may($0) ?? false }
    }
  }

  /// Throws `.unauthenticated` for nobody and `.forbidden` for somebody without the authority.
  package func check(_ principal: Principal?) throws {
    if allows(principal) { return }
    guard let principal else {
      throw Refusal(.unauthenticated, "unauthenticated", Text("请先登录。", "Please sign in first."))
    }
    switch self {
    case .permission(let permission): throw principal.lacking(permission)
    case .anyPermission(let permissions): throw principal.lacking(permissions.min() ?? Permission("none"))
    case .allPermissions(let permissions): for permission in permissions { try principal.require(permission) }
    case .anyone, .signedIn: return
    }
  }
}

/// All addresses of the site: who asks for one gets its route, or learns that there is none or only with another method.
package struct RouteTable: Sendable {
  package let routes: [Route]
  private var root = Node()

  package enum Match: Sendable {
    case found(Route, [String: String])
    case otherMethods([Method])
    case none
  }

  private struct Node: Sendable {
    var literals: [String: Node] = [:]
    /// One name per place, so that two routes cannot mean different things by the same segment.
    var parameter: Box?
    var answers: [Method: Int] = [:]
  }

  private final class Box: Sendable {
    let name: String
    let node: Node
    init(_ name: String, _ node: Node) {
      self.name = name
      self.node = node
    }
  }

  /// Two routes for one method and path are a mistake in the program, found when it starts.
  package init(_ routes: [Route]) {
    self.routes = routes
    for (index, route) in routes.enumerated() {
      root = Self.adding(index, route, Self.segments(route.path)[...], to: root)
    }
  }

  private static func adding(_ index: Int, _ route: Route, _ rest: ArraySlice<Substring>, to node: Node) -> Node {
    var node = node
    guard let segment = rest.first else {
      precondition(node.answers[route.method] == nil, "two routes for \(route.method.rawValue) \(route.path)")
      node.answers[route.method] = index
      return node
    }
    if segment.first == "{", segment.last == "}" {
      let name = String(segment.dropFirst().dropLast())
      precondition(
        node.parameter.map { $0.name == name } ?? true, "\(route.path) names a segment otherwise than another route")
      node.parameter = Box(name, adding(index, route, rest.dropFirst(), to: node.parameter?.node ?? Node()))
    } else {
      node.literals[String(segment)] = adding(
        index, route, rest.dropFirst(), to: node.literals[String(segment)] ?? Node())
    }
    return node
  }

  /// `path` is decoded already; a literal segment goes before a named one.
  package func match(_ method: Method, _ path: String) -> Match {
    guard path.first == "/" else { return .none }
    var parameters: [(String, String)] = []
    guard let node = Self.find(Self.segments(path)[...], in: root, &parameters), !node.answers.isEmpty else {
      return .none
    }
    guard let index = node.answers[method] else {
      return .otherMethods(Method.allCases.filter { node.answers[$0] != nil })
    }
    return .found(routes[index], Dictionary(parameters) { first, _ in first })
  }

  private static func find(_ rest: ArraySlice<Substring>, in node: Node, _ parameters: inout [(String, String)])
    -> Node?
  {
    guard let segment = rest.first else { return node }
    if let next = node.literals[String(segment)], let found = find(rest.dropFirst(), in: next, &parameters),
      !found.answers.isEmpty
    {
      return found
    }
    guard let parameter = node.parameter, !segment.isEmpty else { return nil }
    let before = parameters.count
    parameters.append((parameter.name, String(segment)))
    if let found = find(rest.dropFirst(), in: parameter.node, &parameters) { return found }
    parameters.removeSubrange(before...)
    return nil
  }

  /// `/a/b` → `a`, `b`; `/` → none. An empty segment stays, so that `/a//b` and `/a/` are not `/a/b` and `/a`.
  private static func segments(_ path: String) -> [Substring] {
    path == "/" ? [] : path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
  }
}

extension RouteTable {
  /// What may be done at a decoded path.
  package func methods(at path: String) -> [Method] {
    Method.allCases.filter { if case .found = match($0, path) { true } else { false } }
  }
}

/// The address if it is one of ours, else the home page: what `next=` may lead to after signing in. What was typed or
/// decoded (`/目录`, `/a b`) comes back as it may stand in a header: whatever an address cannot hold as `%XX`.
package func localAddress(_ text: String?) -> String {
  guard let text, text.utf8.count <= 2000, text.first == "/", !text.hasPrefix("//"), !text.hasPrefix("/\\"),
    !text.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F || $0 == "\\" })
  else { return "/" }
  return addressEncoded(text)
}

/// What cannot stand in an address (RFC 3986) as `%XX`; everything else, `%` with it, stays as it is.
package func addressEncoded(_ text: String) -> String {
  let isFine: (Character) -> Bool = { character in
    guard let byte = character.asciiValue, (0x21...0x7E).contains(byte) else { return false }
    return !"\"<>`{}|^\\".contains(character)
  }
  if text.allSatisfy(isFine) { return text }
  return text.reduce(into: "") { $0 += isFine($1) ? String($1) : percentEncoded(String($1)) }
}
