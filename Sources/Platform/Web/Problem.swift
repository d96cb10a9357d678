package import Kernel

/// A refusal as RFC 9457 tells it to programs: `type` is stable, `title` is for people, `errors` point into the body.
package struct Problem: Sendable {
  package var status: Int
  package var body: JSON

  package init(_ refusal: Refusal, language: Language, instance: String? = nil) {
    status = refusal.status
    var members: [JSON.Member] = [
      .init("type", .string("urn:sanjiang:problem:" + refusal.code)),
      .init("title", .string(language(refusal.kind.title))),
      .init("status", JSON(refusal.status)),
      .init("detail", .string(language(refusal.message))),
    ]
    if let instance { members.append(.init("instance", .string(instance))) }
    if !refusal.faults.isEmpty {
      members.append(
        .init(
          "errors",
          .array(
            refusal.faults.map {
              ["pointer": .string(Self.pointer($0.field)), "detail": .string(language($0.message))]
            })))
    }
    body = .object(members)
  }

  /// A JSON pointer (RFC 6901) to the field; one that is a pointer already stays.
  private static func pointer(_ field: String) -> String {
    if field.isEmpty || field.first == "/" { return field }
    return "/"
      + field.split(separator: "~", omittingEmptySubsequences: false).joined(separator: "~0")
      .split(separator: "/", omittingEmptySubsequences: false).joined(separator: "~1")
  }
}

extension Refusal {
  /// The status of HTTP that says the same.
  package var status: Int {
    switch kind {
    case .invalid: 422
    case .unauthenticated: 401
    case .forbidden: 403
    case .notFound: 404
    case .conflict: 409
    case .outdated: 412
    case .unconditional: 428
    case .tooLarge: 413
    case .tooMany: 429
    case .unavailable: 503
    }
  }
}

extension Refusal.Kind {
  package var title: Text {
    switch self {
    case .invalid: Text("内容有误", "Something is wrong with the input")
    case .unauthenticated: Text("需要登录", "Sign in first")
    case .forbidden: Text("没有权限", "Not allowed")
    case .notFound: Text("没有找到", "Not found")
    case .conflict: Text("状态不允许", "Not possible as things stand")
    case .outdated: Text("内容已被他人修改", "Changed meanwhile")
    case .unconditional: Text("缺少 If-Match", "If-Match is missing")
    case .tooLarge: Text("内容过大", "Too large")
    case .tooMany: Text("请求过于频繁", "Too many requests")
    case .unavailable: Text("暂时不可用", "Not available now")
    }
  }
}
