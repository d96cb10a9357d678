import Connecting
import Glibc
package import Kernel
package import Storage

/// Files with digest, limits and a scanning hook, for whatever context owns them. Who may add, see or remove one is the
/// owner's to say, in the same transaction.
package struct Attachments: Sendable {
  /// The job that removes files that belong to nothing any more.
  package static let sweep = "attachments.sweep"
  /// A file that belongs to nothing is kept this long: its owner's transaction may still be under way.
  static let grace: Duration = .seconds(24 * 3600)

  let database: any Database
  let clock: Clock
  package let folder: AttachmentFolder
  package let scanner: AttachmentScanner
  /// Bytes of one file at most.
  package let mostBytes: Int

  package init(
    database: any Database, clock: Clock, folder: AttachmentFolder, scanner: AttachmentScanner = .none,
    mostBytes: Int = 50 << 20
  ) {
    self.database = database
    self.clock = clock
    self.folder = folder
    self.scanner = scanner
    self.mostBytes = mostBytes
  }

  /// What the owner's context says to a change, inside the transaction: it throws a refusal, or records the change.
  package typealias Consent = @Sendable (Attachment, any Transaction) throws -> Void

  /// Keeps a file: received, looked into, scanned, put in its place, then made known in one transaction. Whatever goes
  /// wrong before the last step leaves nothing that anybody sees.
  package func add(
    _ content: AttachmentContent, named given: String, note: String, to owner: AttachmentOwner, by principal: Principal,
    consent: @escaping Consent
  ) async throws -> Attachment {
    let name = Attachment.plainName(given)
    if let wrong = PlainText.wrongName(name, lengths: 1...Attachment.limits.name) {
      throw Refusal.invalid("attachments.name", "file", Text("文件名：\(wrong.chinese)", "File name: \(wrong.english)"))
    }
    if let wrong = PlainText.wrongWords(note, most: Attachment.limits.note) {
      throw Refusal.invalid("attachments.note", "note", wrong)
    }
    let (folder, mostBytes) = (folder, mostBytes)
    let received = try await BlockingThread.run { try folder.receive(content, most: mostBytes) }
    let kind: FileKind
    do {
      kind = try await BlockingThread.run { try FileKind.of(fileAt: received.temporary, named: name) }
      if case .refused(let reason) = try await scanner.scan(received.temporary) {
        throw Refusal.invalid(
          "attachments.infected", "file",
          Text("病毒扫描拒收：\(reason)", "Refused by the virus scanner: \(reason)"))
      }
    } catch {
      folder.discard(received)
      throw error
    }
    let hold = try await BlockingThread.run { () -> Int32? in
      let hold = try folder.hold(isExclusive: false)
      do { try folder.publish(received) } catch {
        folder.discard(received)
        if let hold { close(hold) }
        throw error
      }
      return hold
    }
    defer { if let hold { close(hold) } }
    let now = clock.now()
    let attachment = Attachment(
      id: .make(at: now), owner: owner, name: name, kind: kind, size: received.size, digest: received.digest,
      note: note,
      scannedBy: scanner.name, addedAt: now, addedBy: principal.name)
    return try await database.write { tx in
      let others = try AttachmentStore.list(owner, in: tx)
      // Sent twice, it is there once.
      if let same = others.first(where: { $0.digest == attachment.digest }) {
        guard same.name == name, same.note == note else {
          throw Refusal(
            .conflict, "attachments.same",
            Text(
              "同样内容的文件已作为“\(same.name)”添加；要改名称或说明，请先移除它。",
              "A file of the same content is attached as “\(same.name)” already; remove that to change name or note."))
        }
        return same
      }
      guard others.count < Attachment.limits.ofOneOwner else {
        throw Refusal.invalid(
          "attachments.count", "file",
          Text("最多 \(Attachment.limits.ofOneOwner) 个附件。", "At most \(Attachment.limits.ofOneOwner) attachments."))
      }
      try consent(attachment, tx)
      try AttachmentStore.insert([attachment], in: tx)
      return attachment
    }
  }

  /// Takes a file from its owner; its bytes go with the next sweep unless something else has them too.
  package func remove(
    _ id: AttachmentID, of owner: AttachmentOwner, consent: @escaping Consent
  ) async throws {
    try await database.write { tx in
      guard let attachment = try AttachmentStore.find(id, of: owner, in: tx) else { throw Self.unknown }
      try consent(attachment, tx)
      try AttachmentStore.delete(id, in: tx)
    }
  }

  /// A file of an owner that the reader may see (which the caller has asked), and where its bytes lie, checked against
  /// their digest.
  package func open(_ id: AttachmentID, of owner: AttachmentOwner) async throws -> (file: Attachment, path: String) {
    guard let attachment = try await database.read({ try AttachmentStore.find(id, of: owner, in: $0) }) else {
      throw Self.unknown
    }
    let folder = folder
    return (attachment, try await BlockingThread.run { try folder.checked(attachment.digest) })
  }

  /// The bytes of a file, after the same check.
  package func bytes(_ id: AttachmentID, of owner: AttachmentOwner) async throws -> (file: Attachment, bytes: [UInt8]) {
    let (file, path) = try await open(id, of: owner)
    return (file, try await BlockingThread.run { try BoundedFile.read(path, most: .max) })
  }

  /// Removes files that have belonged to nothing for a day, and what killed uploads left; answers how many files went.
  /// Nothing is done while something is being added or backed up: the next turn comes.
  package func removeOrphans() async throws -> Int {
    let (folder, before) = (folder, clock.now() - Self.grace)
    guard let hold = try await BlockingThread.run({ try folder.hold(isExclusive: true) }) else { return 0 }
    defer { close(hold) }
    let old = try await BlockingThread.run { try folder.old(before: before) }
    var removed = 0
    var rest = old[...]
    while !rest.isEmpty {
      let some = Array(rest.prefix(500))
      rest = rest.dropFirst(500)
      let used = try await database.read { try AttachmentStore.used(some, in: $0) }
      for digest in some where !used.contains(digest) {
        folder.remove(digest)
        removed += 1
      }
    }
    return removed
  }

  static let unknown = Refusal.notFound(Text("附件", "attachment"))
}
