package import Kernel

/// What the OpenAPI document says of a route beyond its summary.
package struct RouteSchema: Sendable {
  /// JSON Schema (2020-12) of the body taken.
  package var takes: JSON?
  /// Whether the body may be left out.
  package var mayBeEmpty: Bool
  /// JSON Schema of what is answered.
  package var gives: JSON?
  /// The answer's status when it went well.
  package var status: Int
  /// The answer's media type.
  package var type: String
  /// Names in the query, with what they mean.
  package var query: [QueryParameter]

  package init(
    takes: JSON? = nil, mayBeEmpty: Bool = false, gives: JSON? = nil, status: Int = 200,
    type: String = "application/json", query: [QueryParameter] = []
  ) {
    self.takes = takes
    self.mayBeEmpty = mayBeEmpty
    self.gives = gives
    self.status = status
    self.type = type
    self.query = query
  }
}

/// The OpenAPI 3.1 document of everything under `/api/v1` that has a summary, made from the routes themselves, so that
/// it cannot tell of an address that is not there. `cookie` is the session cookie's name, which differs with TLS.
package func openAPI(
  _ routes: [Route], title: String, version: String, cookie: String = "__Host-sid", language: Language = .english
) -> JSON {
  var paths: [(String, [(String, JSON)])] = []
  for route in routes where route.path.hasPrefix("/api/v1/") {
    guard let summary = route.summary else { continue }
    let operation = operation(route, language(summary), language)
    if let index = paths.firstIndex(where: { $0.0 == route.path }) {
      paths[index].1.append((route.method.rawValue.lowercased(), operation))
    } else {
      paths.append((route.path, [(route.method.rawValue.lowercased(), operation)]))
    }
  }
  return [
    "openapi": "3.1.0",
    "info": ["title": .string(title), "version": .string(version)],
    "paths": .object(paths.sorted { $0.0 < $1.0 }.map { ($0.0, JSON.object($0.1)) }),
    "components": [
      "schemas": ["Problem": problemSchema],
      "securitySchemes": [
        "session": ["type": "apiKey", "in": "cookie", "name": .string(cookie)],
        "token": [
          "type": "http", "scheme": "bearer", "bearerFormat": "sj_…",
          "description": .string(
            language(
              "应用令牌，由本人在“我的账户”下签发；所列为须在令牌范围内的权限。",
              "An application token, issued under “My account”; the names listed are scopes that it must have.")),
        ],
      ],
    ],
  ]
}

private func operation(_ route: Route, _ summary: String, _ language: Language) -> JSON {
  var members: [(String, JSON)] = [
    ("summary", .string(summary)), ("operationId", .string(operationID(route))),
    ("security", security(route)),
  ]
  if !route.widenedBy.isEmpty {
    let names = route.widenedBy.sorted().map(\.name).joined(separator: ", ")
    members.append(
      (
        "description",
        .string(
          language(
            "令牌另有下列范围之一时，可见或可办的不限于本单位、本人：\(names)。",
            "A token that has one of these scopes as well reaches beyond its own office or person: \(names)."))
      ))
  }
  var parameters: [JSON] = route.path.split(separator: "/").filter { $0.first == "{" }.map { segment in
    let name = String(segment.dropFirst().dropLast())
    return [
      "name": .string(name), "in": "path", "required": true, "schema": name == "id" ? Schema.id : Schema.text,
    ]
  }
  for parameter in route.schema.query {
    parameters.append([
      "name": .string(parameter.name), "in": "query", "description": .string(language(parameter.meaning)),
      "schema": parameter.schema,
    ])
  }
  if route.method == .post, !route.givesSecret {
    parameters.append([
      "name": "Idempotency-Key", "in": "header", "schema": ["type": "string", "maxLength": 200],
      "description": .string(
        language("同一键重发得到同一结果", "sent again with the same key, a request gets the same answer")),
    ])
  }
  if route.condition != .none {
    parameters.append([
      "name": "If-Match", "in": "header", "required": .bool(route.condition == .required),
      "schema": ["type": "string"],
      "description": .string(
        language(
          "所依据版本的 ETag；已被他人修改时回答 412", "the ETag of the state it starts from; 412 when that was changed meanwhile")),
    ])
  }
  if route.method != .get, route.access != .anyone {
    parameters.append([
      "name": "X-CSRF-Token", "in": "header", "required": .bool(route.givesSecret), "schema": ["type": "string"],
      "description": .string(
        language(
          "凭会话 Cookie 调用时必须有；凭应用令牌调用时不需要", "asked for under the session's cookie; not with an application token")),
    ])
  }
  if !parameters.isEmpty { members.append(("parameters", .array(parameters))) }
  if let takes = route.schema.takes {
    let content = JSON.object(route.bodyTypes.map { ($0, ["schema": takes]) })
    members.append(("requestBody", ["required": .bool(!route.schema.mayBeEmpty), "content": content]))
  }
  let content = JSON.object([(route.schema.type, route.schema.gives.map { ["schema": $0] } ?? [:])])
  let refused: JSON = [
    "description": "RFC 9457",
    "content": ["application/problem+json": ["schema": ["$ref": "#/components/schemas/Problem"]]],
  ]
  members.append(
    (
      "responses",
      .object([("\(route.schema.status)", ["description": "OK", "content": content]), ("default", refused)])
    ))
  return .object(members)
}

/// Each of these is enough: the session, or a token with one of the scopes.
private func security(_ route: Route) -> JSON {
  let session: JSON = ["session": []]
  if route.givesSecret { return [session] }
  return switch route.access {
  case .anyone: []
  case .signedIn: [session, ["token": []]]
  case .permission(let permission): [session, ["token": [.string(permission.name)]]]
  case .allPermissions(let permissions):
    [session, ["token": .array(permissions.sorted().map { .string($0.name) })]]
  case .anyPermission(let permissions):
    .array([session] + permissions.sorted().map { ["token": [.string($0.name)]] })
  }
}

/// `GET /api/v1/resources/{id}` → `get_resources_id`
private func operationID(_ route: Route) -> String {
  let words = route.path.split(separator: "/").dropFirst(2).map { $0.filter { $0 != "{" && $0 != "}" } }
  return ([route.method.rawValue.lowercased()] + words).joined(separator: "_")
}

private let problemSchema: JSON = [
  "type": "object", "required": ["type", "title", "status"],
  "properties": [
    "type": ["type": "string"], "title": ["type": "string"], "status": ["type": "integer"],
    "detail": ["type": "string"], "instance": ["type": "string"],
    "errors": [
      "type": "array",
      "items": ["type": "object", "properties": ["pointer": ["type": "string"], "detail": ["type": "string"]]],
    ],
  ],
]
