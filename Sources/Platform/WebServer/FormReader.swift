import Connecting
import Kernel
import Web

/// Takes a body apart by its type and checks the form's token that every change carries which a browser could send.
enum FormReader {
  static func read(_ request: inout Request, isAPI: Bool, types: [String]) throws {
    let kind = kind(request)
    let expected = request.csrf
    if isAPI {
      guard request.body.isEmpty || types.contains(kind) else { throw unsupported(types.joined(separator: ", ")) }
      if request.principal?.token == nil { try check(request.headers["x-csrf-token"], expected) }
      return
    }
    switch kind {
    case "application/x-www-form-urlencoded": request.form = try wellFormed { try urlEncodedFields(request.body) }
    default: throw unsupported("application/x-www-form-urlencoded, multipart/form-data")
    }
    try check(request.form["csrf"], expected)
  }

  static func isURLEncoded(_ request: Request) -> Bool { kind(request) == "application/x-www-form-urlencoded" }

  /// Whether a form brings files.
  static func isMultipart(_ request: Request) -> Bool { kind(request) == "multipart/form-data" }

  /// Reads a form that brings files: its values into the request, its files to disk, neither of them believed before the
  /// token was found among the values, wherever it stood.
  static func readMultipart(_ request: inout Request, _ body: Body, upTo limit: Int, into uploads: Uploads) async throws
  {
    let boundary = headerParameters(request.headers["content-type"] ?? "")["boundary"] ?? ""
    var reader = try wellFormed { try MultipartReader(boundary: boundary) }
    try await body.read(upTo: limit) { piece in
      let events = try wellFormed { try reader.take(piece) }
      if !events.isEmpty { try await BlockingThread.run { try uploads.carryOut(events) } }
    }
    try wellFormed { try reader.finish() }
    try check(reader.fields["csrf"], request.csrf)
    (request.form, request.files) = (reader.fields, uploads.files)
  }

  private static func kind(_ request: Request) -> String {
    (request.headers["content-type"] ?? "").prefix { $0 != ";" && $0 != " " }.lowercased()
  }

  /// What cannot be read at all is 400; 422 is for what was read and breaks a rule.
  static func wellFormed<T>(_ read: () throws -> T) throws -> T {
    do { return try read() } catch let refusal as Refusal {
      throw Rejection(refusal.kind == .tooLarge ? 413 : 400, refusal)
    }
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
