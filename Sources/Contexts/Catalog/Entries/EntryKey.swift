internal import Inventory
internal import Kernel
internal import Storage

/// Which entry of an office is meant, and the only SQL of the references that offices keep.
struct EntryKey: Sendable {
  /// Nil when it is none there is: a new one.
  var resource: ResourceID?
  /// The reference is kept already, be it for this entry or for one that was given up.
  var isReferenceKnown = false

  /// A key that names no entry of the office, or two.
  struct Wrong: Error { var finding: Finding }

  static func find(
    _ given: GivenEntry, of office: OrganisationID, in tx: any Transaction
  ) throws -> Result<EntryKey, Wrong> {
    var key = EntryKey()
    if !given.reference.isEmpty {
      key.resource = try tx.text(
        """
        SELECT resource FROM catalog_reference WHERE provider = \(office) AND reference = \(given.reference)
        """
      ).map(ResourceID.init(trusted:))
      key.isReferenceKnown = key.resource != nil
    }
    let byReference = key.resource
    func agree(_ found: ResourceID, _ field: String) -> Finding? {
      if let byReference, byReference != found { return conflict(field) }
      key.resource = found
      return nil
    }
    if let id = given.id {
      guard try owner("id = \(id)", in: tx)?.provider == office else { return .failure(Wrong(finding: foreign("id"))) }
      if let fault = agree(id, "id") { return .failure(Wrong(finding: fault)) }
    }
    if !given.code.isEmpty {
      guard let found = try owner("code = \(given.code)", in: tx), found.provider == office else {
        return .failure(Wrong(finding: foreignCode(given.code)))
      }
      if let id = given.id, id != found.id { return .failure(Wrong(finding: conflict("code"))) }
      if let fault = agree(found.id, "code") { return .failure(Wrong(finding: fault)) }
    }
    if key.resource == nil { key.resource = try named(given, office, in: tx) }
    return .success(key)
  }

  /// Keeps the office's reference. `replacing`: it belonged to an entry that was given up.
  static func keep(
    _ reference: String, for resource: Resource, replacing: Bool, in tx: any Transaction
  ) throws {
    guard !reference.isEmpty else { return }
    if replacing {
      try tx.run(
        """
        UPDATE catalog_reference SET resource = \(resource.id)
        WHERE provider = \(resource.provider) AND reference = \(reference)
        """)
    } else {
      try tx.run(
        """
        INSERT INTO catalog_reference (provider, reference, resource)
        VALUES (\(resource.provider), \(reference), \(resource.id))
        """)
    }
  }

  // MARK: Parts

  /// A live entry of that name which the office does not know by another reference.
  private static func named(
    _ given: GivenEntry, _ office: OrganisationID, in tx: any Transaction
  ) throws -> ResourceID? {
    let found = try tx.text(
      """
      SELECT v.resource FROM catalog_version v JOIN catalog_resource r ON r.id = v.resource
      WHERE v.provider = \(office) AND v.folded_name = \(foldedForSearch(given.metadata.name))
        AND (v.version = r.issued OR v.version = r.latest) AND v.state NOT IN ('discarded', 'superseded')
      LIMIT 1
      """)
    guard let found, !given.reference.isEmpty else { return found.map(ResourceID.init(trusted:)) }
    let other = try tx.text("SELECT reference FROM catalog_reference WHERE resource = \(found) LIMIT 1")
    return other == nil ? ResourceID(trusted: found) : nil
  }

  private static func owner(
    _ condition: SQL, in tx: any Transaction
  ) throws -> (id: ResourceID, provider: OrganisationID)? {
    try tx.row("SELECT id, provider FROM catalog_resource WHERE \(condition)").map {
      (try $0.id("id"), try $0.id("provider"))
    }
  }

  private static func foreign(_ field: String) -> Finding {
    Finding(
      .error, "key.unknown", field,
      Text("本单位没有这条目录。", "Your organisation has no such entry."), source: RuleSource.platform)
  }

  private static func foreignCode(_ code: String) -> Finding {
    Finding(
      .error, "key.code", "code",
      Text(
        "“\(code.prefix(40))”不是本单位目录的代码。代码由平台在登记时赋予，新目录不填。",
        "“\(code.prefix(40))” is the code of no entry of your organisation. The platform gives codes at registration; a new entry has none."
      ),
      source: RuleSource.configured("3"))
  }

  private static func conflict(_ field: String) -> Finding {
    Finding(
      .error, "key.conflict", field,
      Text("几个标识指向不同的目录。", "The keys given name different entries."), source: RuleSource.platform)
  }
}
