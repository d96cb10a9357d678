import Kernel
import Logging
import Web

/// A form that was written in one session and sent in another, or in none: its session had ended meanwhile.
package struct LateForm: Sendable, Hashable {
  /// The token that stood in it, known to the session it was written in and to nobody else.
  package var csrf: String
  /// Path and query that it was sent to.
  package var address: String
  /// Its fields as browsers encode them, without the token; `KeptFormField.page` first where it is known.
  package var fields: String
  /// Names the kept form that this one was, sent again and too late again: it takes that one's place.
  package var again: String?

  /// What stands in a form beside its own fields.
  static let aside = ["csrf", KeptFormField.id]

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
    var fields = request.form.pairs.filter { !LateForm.aside.contains($0.name) }
    if request.form[KeptFormField.page] == nil, let page = page(of: visit) {
      fields.insert((KeptFormField.page, page), at: 0)
    }
    let pairs = fields.map { "\(percentEncoded($0.name))=\(percentEncoded($0.value))" }
    let form = LateForm(
      csrf: csrf, address: address, fields: pairs.joined(separator: "&"),
      again: request.form[KeptFormField.id])
    do { return try await sessions.keep(form, request.principal?.person) } catch {
      // Then the answer is what it is without this: that nothing was saved.
      logger.error("a form was not kept", metadata: ["path": "\(request.path)", "error": "\(error)"])
      return nil
    }
  }

  /// The page that a form was sent from, as its browser says; where it says nothing, the one at the form's own address. Nil
  /// where that is none of ours that can be opened.
  private func page(of visit: Visit) -> String? {
    var pages = [visit.rawPath]
    if let referer = visit.headers["referer"], let host = visit.headers["host"],
      let start = referer.firstRange(of: "://")?.upperBound, referer[start...].hasPrefix(host + "/")
    {
      pages.insert(String(referer[start...].dropFirst(host.count)), at: 0)
    }
    return pages.first { page in
      guard localAddress(page) == page, let path = decodedPath(page.prefix { $0 != "?" }),
        case .found = table.match(.get, path)
      else { return false }
      return true
    }
  }

  /// Forgets the kept form that was sent again and done, so that it is not sent twice. One that was refused is kept: it is
  /// carried by the page that shows it again.
  func forget(_ request: Web.Request, _ reply: Reply) async {
    guard let kept = request.keptForm, reply.status < 400, let person = request.principal?.person else { return }
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
