package import Attachments
import Audit
package import Kernel
import Storage

/// Material that goes with a request (申请材料): the law, the duty, the agreement that it rests on. The asking department
/// adds it while the request is open; both departments and the operator read it, also afterwards.
package struct RequestAttaching: Sendable {
  let sharing: Sharing
  let attachments: Attachments

  package init(sharing: Sharing, attachments: Attachments) {
    self.sharing = sharing
    self.attachments = attachments
  }

  static func owner(_ id: ShareRequestID) -> AttachmentOwner { AttachmentOwner("sharing.request", id.text) }

  package func add(
    _ principal: Principal, _ id: ShareRequestID, _ content: AttachmentContent, named name: String, note: String
  ) async throws -> Attachment {
    _ = try await sharing.database.read { tx in try open(principal, id, in: tx) }
    return try await attachments.add(content, named: name, note: note, to: Self.owner(id), by: principal) {
      [self] file, tx in try record("sharing.attachment.add", principal, open(principal, id, in: tx), file, in: tx)
    }
  }

  /// Takes a file back, as long as nobody else has had it before him: what others decide on stays.
  package func remove(_ principal: Principal, _ id: ShareRequestID, _ file: AttachmentID) async throws {
    try await attachments.remove(file, of: Self.owner(id)) { [self] file, tx in
      let request = try open(principal, id, in: tx)
      guard Self.mayRemove(request) else {
        throw Refusal(
          .conflict, "sharing.attachment.seen",
          Text("申请已送出审查，材料不能移除，可以补充。", "The request is being looked at: nothing is taken away; more may be added."))
      }
      try record("sharing.attachment.remove", principal, request, file, in: tx)
    }
  }

  static func mayRemove(_ request: ShareRequest) -> Bool {
    request.state == .ownPending || request.state == .supplementPending
  }

  static func mayAdd(_ request: ShareRequest, _ principal: Principal) -> Bool {
    principal.may(.sharingRequest) && principal.organisation == request.consumer && request.state.isOpen
  }

  func list(_ id: ShareRequestID, for principal: Principal) async throws -> [Attachment] {
    _ = try await sharing.request(id, for: principal)
    return try await sharing.database.read { try AttachmentStore.list(Self.owner(id), in: $0) }
  }

  package func bytes(
    _ principal: Principal, _ id: ShareRequestID, _ file: AttachmentID
  ) async throws -> (file: Attachment, bytes: [UInt8]) {
    _ = try await sharing.request(id, for: principal)
    return try await attachments.bytes(file, of: Self.owner(id))
  }

  // MARK: Parts

  private func open(
    _ principal: Principal, _ id: ShareRequestID, in tx: any Transaction
  ) throws -> ShareRequest {
    try principal.require(.sharingRequest)
    guard let request = try RequestStore.find(id, in: tx), Sharing.sees(request, principal) else {
      throw Sharing.noRequest
    }
    try principal.require(.sharingRequest, in: request.consumer)
    guard request.state.isOpen else {
      throw Refusal(
        .conflict, "sharing.attachment.closed",
        Text("申请已办结（\(request.state.title.chinese)），不能再改材料。", "The request is over; its material stays as it is."))
    }
    return request
  }

  private func record(
    _ action: String, _ principal: Principal, _ request: ShareRequest, _ file: Attachment, in tx: any Transaction
  ) throws {
    try AuditLog.record(
      AuditEntry(
        at: sharing.clock.now(), actor: principal, action: action, subjectKind: "request", subject: request.id.text,
        subjectName: request.resourceName,
        detail: [
          ("number", request.number), ("file", file.name), ("digest", file.digest), ("bytes", "\(file.size)"),
        ]), in: tx)
  }
}
