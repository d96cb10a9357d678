import Foundation
import Testing
import Web

@testable import App

/// A program that signed in as somebody of the demo, and speaks to one part of the interface.
struct InterfaceClient {
  struct Answer {
    var status: Int
    var json: JSON
    var headers: [String: String]
    /// Where each fault of a refusal is.
    var pointers: [String] { (json["errors"]?.array ?? []).compactMap { $0["pointer"]?.string } }
    /// Which refusal it is.
    var code: String? { json["type"]?.string.map { String($0.dropFirst("urn:sanjiang:problem:".count)) } }
    var etag: String { headers["etag"] ?? "" }
  }

  let visitor: Visitor
  /// With which every address begins.
  let root: String
  /// That a change carries.
  let token: String

  init(_ login: String, _ base: String, _ root: String = "/api/v1/") async throws {
    visitor = Visitor(base: base)
    self.root = root
    let answer = try await visitor.post(
      "/sign-in", [("login", login), ("password", DemoCast.password), ("next", "/")], from: "/sign-in")
    #expect(answer.status == 303)
    let me = try JSONParser.parse(Array(try await visitor.get("/api/v1/me").body))
    token = try #require(me["csrfToken"]?.string)
  }

  func send(
    _ method: String, _ path: String, _ body: String = "", type: String = "application/json",
    _ headers: [String: String] = [:]
  ) async throws -> Answer {
    let answer = try await visitor.send(
      method, root + path, body: Data(body.utf8), type: type,
      headers: ["X-CSRF-Token": token].merging(headers) { $1 })
    return try Self.read(answer)
  }

  func get(_ path: String, _ headers: [String: String] = [:]) async throws -> Answer {
    try Self.read(try await visitor.get(root + path, headers: headers))
  }

  private static func read(_ answer: Visitor.Answer) throws -> Answer {
    let json = answer.body.isEmpty ? .null : try JSONParser.parse(Array(answer.body), maxValues: 1_000_000)
    return Answer(status: answer.status, json: json, headers: answer.headers)
  }

  /// Where an answer is not what the document says of that address.
  func faults(_ answer: Answer, _ method: String, _ path: String) async throws -> [String] {
    let document = try Self.read(try await visitor.get("/api/v1/openapi.json")).json
    let responses = document["paths"]?["/api/v1/" + path]?[method]?["responses"]
    let schema = responses?["\(answer.status)"]?["content"]?["application/json"]?["schema"]
    guard let schema else { return ["\(method) \(path) does not say what \(answer.status) is: \(answer.json.text)"] }
    return InterfaceTests.faults(answer.json, schema, at: path)
  }
}

/// An entry as a program sends it; `more` are further members.
func entryBody(_ name: String, _ more: String = "") -> String {
  """
  {"name":"\(name)","classes":["3070120302"],"abstract":"全省\(name)，由各级主管部门形成，每月更新。","format":"0203",\
  "sharingType":"2","sharingCondition":"用于依法履行职责时核对。","methodClass":"1","methodType":"2","openType":"3",\
  "cycle":"4","secrecy":"0","level":"2"\(more),"items":[{"name":"名称","column":"name","dataType":"C","length":100,"grade":"2"}]}
  """
}
