import Kernel
import Logging
import Web

/// A form that was written in one session and sent in another, or in none: its session had ended meanwhile.
package struct LateForm: Sendable, Hashable {
  /// The token that stood in it, known to the session it was written in and to nobody else.
  package var csrf: String
  /// Path and query that it was sent to.
  package var address: String
  /// Its fields as browsers encode them, without the token.
  package var fields: String

  /// Bytes of the largest form that is kept.
  static let most = 256 << 10
}

extension Site {
  /// Keeps what somebody wrote whose session had ended before he sent it, and answers where it waits for him; nil where
  /// nothing is kept. Only a form that carries the token of a session of ours is: no other site can have one kept. What
  /// brings files or takes passwords is not.
  func keep(_ route: Route, _ request: Web.Request, _ visit: Visit) async -> String? {
    let address = visit.rawPath + (visit.rawQuery.isEmpty ? "" : "?" + visit.rawQuery)
    guard route.access != .anyone, !route.takesSecrets, !visit.isAPI, visit.method == .post, visit.comesFromHere,
      request.body.count <= LateForm.most, let csrf = request.form["csrf"], localAddress(address) == address
    else { return nil }
    let pairs = request.form.pairs.filter { !["csrf", keptFormField].contains($0.name) }
      .map { "\(percentEncoded($0.name))=\(percentEncoded($0.value))" }
    let form = LateForm(csrf: csrf, address: address, fields: pairs.joined(separator: "&"))
    do { return try await sessions.keep(form, request.principal?.person) } catch {
      // Then the answer is what it is without this: that nothing was saved.
      logger.error("a form was not kept", metadata: ["path": "\(request.path)", "error": "\(error)"])
      return nil
    }
  }

  /// Forgets the kept form that was sent again and done, so that it is not sent twice.
  func forget(_ kept: String?, _ request: Web.Request, _ reply: Reply) async {
    guard let kept, reply.status == 303, let person = request.principal?.person else { return }
    do { try await sessions.sent(kept, person) } catch {
      logger.error("a kept form was not forgotten", metadata: ["path": "\(request.path)", "error": "\(error)"])
    }
  }

  /// The form that nobody who is signed in sent, read so far as it may be kept; nil where it may not.
  func unadmitted(_ route: Route, _ request: Web.Request, _ visit: Visit, _ body: Body) async -> Web.Request? {
    guard !route.takesSecrets, visit.method == .post, visit.comesFromHere, FormReader.isURLEncoded(request),
      let bytes = try? await body.collect(upTo: min(route.bodyLimit, LateForm.most)),
      let form = try? urlEncodedFields(bytes)
    else { return nil }
    var request = request
    (request.body, request.form) = (bytes, form)
    return request
  }
}
