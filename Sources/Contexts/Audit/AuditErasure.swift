package import Kernel
package import Storage

/// Taking names and details out of a record where the law asks for it. The record stays provable by its digest, and the log
/// says that, when and why it was done: verification holds a missing payload that no record explains for a fault.
package enum AuditErasure {
  static let action = "audit.erase"
  static let subjectKind = "record"

  /// In one transaction with its own record. The reason is kept for ever, so it must not repeat what is erased.
  package static func erase(
    _ id: AuditRecordID, reason: String, by principal: Principal, at now: Instant, in tx: any Transaction
  ) throws {
    guard (4...200).contains(reason.count) else {
      throw Refusal.invalid(
        "audit.erase.reason", "reason", Text("理由为 4 到 200 个字。", "A reason of 4 to 200 characters."))
    }
    guard let row = try tx.row("SELECT action, grant_id FROM audit_record WHERE id = \(id)") else {
      throw Refusal.notFound(Text("记录", "record"))
    }
    let erased = try row.text("action")
    guard erased != action else {
      throw Refusal(
        .conflict, "audit.erase.erasure",
        Text("删除记录本身说明为何删除，不能再删除。", "This record says why another was erased; it is not erased itself."))
    }
    guard try tx.run("DELETE FROM audit_payload WHERE record = \(id)") == 1 else {
      throw Refusal(
        .conflict, "audit.erase.done", Text("这条记录的内容已经删除。", "The content of this record is erased already."))
    }
    try AuditLog.record(
      AuditEntry(
        at: now, actor: principal, action: action, subjectKind: subjectKind, subject: id.text, subjectName: erased,
        grant: try row.textOrNil("grant_id"), detail: [("reason", reason)]), in: tx)
  }

  /// The records whose erasure the log tells of.
  static func explained(in tx: any Transaction) throws -> Set<String> {
    var explained: Set<String> = []
    try tx.forEach("SELECT subject FROM audit_record WHERE action = \(action) AND subject_kind = \(subjectKind)") {
      explained.insert(try $0.text("subject"))
      return true
    }
    return explained
  }

  /// What the log itself writes into the log, in words.
  package static let words = AuditVocabulary(
    area: ("audit", Text("审计日志", "The log")), actions: [(action, Text("依法删除记录内容", "A record's content erased"))],
    subjects: [(subjectKind, Text("记录", "Record"))], details: [("reason", Text("理由", "Reason"))])
}
