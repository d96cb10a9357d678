import Kernel
import Web

/// Takes a body apart by its type and checks the token that every change carries.
enum FormReader {
  static func read(_ request: inout Request, isAPI: Bool, types: [String]) throws {
    let type = request.headers["content-type"] ?? ""
    let kind = type.prefix { $0 != ";" && $0 != " " }.lowercased()
    let expected = request.csrf
    if isAPI {
      guard request.body.isEmpty || types.contains(kind) else { throw unsupported(types.joined(separator: ", ")) }
      try check(request.headers["x-csrf-token"], expected)
      return
    }
    switch kind {
    case "application/x-www-form-urlencoded": request.form = try wellFormed { try urlEncodedFields(request.body) }
    case "multipart/form-data":
      let body = request.body
      (request.form, request.files) = try wellFormed {
        try multipartForm(body, boundary: headerParameters(type)["boundary"] ?? "")
      }
    default: throw unsupported("application/x-www-form-urlencoded, multipart/form-data")
    }
    try check(request.form["csrf"], expected)
  }

  /// What cannot be read at all is 400; 422 is for what was read and breaks a rule.
  static func wellFormed<T>(_ read: () throws -> T) throws -> T {
    do { return try read() } catch let refusal as Refusal { throw Rejection(400, refusal) }
  }

  private static func check(_ given: String?, _ expected: String) throws {
    guard let given, !expected.isEmpty, sameText(given, expected) else { throw Rejection.forged }
  }

  private static func unsupported(_ wanted: String) -> Rejection {
    Rejection(
      415,
      Refusal(
        .invalid, "request.type",
        Text("不支持这种内容类型；应为 \(wanted)。", "This content type is not taken here; send \(wanted).")))
  }
}
