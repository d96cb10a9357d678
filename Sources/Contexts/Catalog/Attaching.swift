package import Attachments
internal import Audit
internal import Connecting
internal import Foundation
package import Kernel
internal import NationalCrypto
internal import Storage

/// Files that belong to a version of an entry: the legal basis for refusing to share, the conditions of sharing.
package struct Attaching: Sendable {
  /// A form and its attachments in one file are made in memory.
  static let mostBundleBytes = 64 << 20

  let cataloguing: Cataloguing
  let attachments: Attachments

  package init(cataloguing: Cataloguing, attachments: Attachments) {
    self.cataloguing = cataloguing
    self.attachments = attachments
  }

  static func owner(_ id: ResourceID, version: Int) -> AttachmentOwner {
    AttachmentOwner(ownerKind, "\(id)/\(version)")
  }

  private static let ownerKind = "catalog.version"

  /// Gives new versions the files of those that they were made from, whoever made them: a person, a file or a program.
  static func carryOver(
    _ versions: [Resource], from before: [ResourceID: Int], at now: Instant, in tx: any Transaction
  ) throws {
    var owners: [String: String] = [:]
    for next in versions {
      guard let old = before[next.id] else { continue }
      owners[owner(next.id, version: old).id] = owner(next.id, version: next.version).id
    }
    try AttachmentStore.copy(owners, of: ownerKind, at: now, in: tx)
  }

  /// Adds a file to the version being written, by its department.
  package func add(
    _ principal: Principal, _ id: ResourceID, _ content: AttachmentContent, named name: String, note: String
  ) async throws -> Attachment {
    let resource = try await editable(principal, id)
    return try await attachments.add(
      content, named: name, note: note, to: Self.owner(id, version: resource.version), by: principal
    ) { [self] file, tx in
      try record("catalog.attachment.add", principal, id, version: resource.version, file, in: tx)
    }
  }

  package func remove(_ principal: Principal, _ id: ResourceID, _ file: AttachmentID) async throws {
    let resource = try await editable(principal, id)
    try await attachments.remove(file, of: Self.owner(id, version: resource.version)) { [self] file, tx in
      try record("catalog.attachment.remove", principal, id, version: resource.version, file, in: tx)
    }
  }

  /// What belongs to a version that the principal may see.
  func list(
    _ principal: Principal, _ id: ResourceID, version: Int?
  ) async throws -> (resource: Resource, files: [Attachment]) {
    let resource = try await cataloguing.resource(principal, id, version: version)
    return (
      resource,
      try await cataloguing.db.read { try AttachmentStore.list(Self.owner(id, version: resource.version), in: $0) }
    )
  }

  package func bytes(
    _ principal: Principal, _ id: ResourceID, version: Int?, _ file: AttachmentID
  ) async throws -> (file: Attachment, bytes: [UInt8]) {
    let resource = try await cataloguing.resource(principal, id, version: version)
    return try await attachments.bytes(file, of: Self.owner(id, version: resource.version))
  }

  /// An attachment with its text, where it is one that a form prints in full.
  struct Enclosure: Sendable {
    var file: Attachment
    var text: String?
    /// Why its bytes cannot be had now.
    var trouble: Text?
  }

  /// What a version's printed form encloses; a damaged file is told and hides no other.
  func enclosures(_ resource: Resource, _ files: [Attachment]) async throws -> [Enclosure] {
    var found: [Enclosure] = []
    for file in files {
      var one = Enclosure(file: file)
      do {
        let owner = Self.owner(resource.id, version: resource.version)
        if file.kind == .txt {
          one.text = PlainTextFile.decoded(try await attachments.bytes(file.id, of: owner).bytes)
        } else {
          _ = try await attachments.open(file.id, of: owner)
        }
      } catch let refusal as Refusal { one.trouble = refusal.message }
      found.append(one)
    }
    return found
  }

  /// The form, its attachments and the list of the digests of all of them in one zip.
  func bundle(_ form: [UInt8], named name: String, _ resource: Resource, _ files: [Attachment]) async throws -> [UInt8]
  {
    guard files.reduce(0, { $0 + $1.size }) <= Self.mostBundleBytes else {
      throw Refusal(
        .tooLarge, "catalog.bundle.size",
        Text(
          "附件合计超过 \(Self.mostBundleBytes >> 20) MiB，请逐个下载。",
          "The attachments are more than \(Self.mostBundleBytes >> 20) MiB together; download them one by one."))
    }
    var parts: [(name: String, bytes: [UInt8])] = [(name + ".html", form)]
    var digests = "\(SM3.hash(form).hex)  \(name).html\n"
    for (index, file) in files.enumerated() {
      let (_, bytes) = try await attachments.bytes(file.id, of: Self.owner(resource.id, version: resource.version))
      let path = Self.pathInBundle(index, file)
      parts.append((path, bytes))
      digests += "\(file.digest)  \(path)\n"
    }
    parts.append(("SM3.txt", Array(digests.utf8)))
    let (all, now) = (parts, cataloguing.clock.now())
    return try await BlockingThread.run {
      let path = NSTemporaryDirectory() + "/sanjiang-bundle-\(UUID().uuidString).zip"
      defer { try? FileManager.default.removeItem(atPath: path) }
      let writer = try BundleWriter(path: path)
      for part in all { try writer.add(part.name, part.bytes, at: now) }
      try writer.finish()
      return Array(try Data(contentsOf: URL(fileURLWithPath: path)))
    }
  }

  /// Numbered, so that two files of one name both have a place.
  static func pathInBundle(_ index: Int, _ file: Attachment) -> String { "attachments/\(index + 1)-\(file.name)" }

  // MARK: Parts

  private func editable(_ principal: Principal, _ id: ResourceID) async throws -> Resource {
    try principal.require(.compileCatalog)
    return try await cataloguing.db.read { tx in
      let resource = try cataloguing.own(principal, id, in: tx)
      _ = try resource.state.applying(.edit)
      return resource
    }
  }

  /// Asks once more, in the transaction that changes something, and records it.
  private func record(
    _ action: String, _ principal: Principal, _ id: ResourceID, version: Int, _ file: Attachment,
    in tx: any Transaction
  ) throws {
    let resource = try cataloguing.own(principal, id, in: tx)
    _ = try resource.state.applying(.edit)
    guard resource.version == version else { throw CatalogStore.changedMeanwhile }
    try cataloguing.record(
      nil, action, resource, by: principal, at: cataloguing.clock.now(),
      detail: [("file", file.name), ("digest", file.digest), ("bytes", "\(file.size)")], in: tx)
  }
}
