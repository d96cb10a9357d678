internal import Inventory
internal import Kernel
internal import Storage

/// Which entry of an office is meant, and the only SQL of the references that offices keep.
struct EntryKey: Sendable {
  /// Nil when it is none there is: a new one.
  var resource: ResourceID?
  /// The member of the entry that it is known by.
  var field = "name"
  /// The reference is kept already, be it for this entry or for one that was given up.
  var isReferenceKnown = false

  /// A key that names no entry of the office, or two.
  struct Wrong: Error { var finding: Finding }

  static func find(_ given: GivenEntry, among known: KnownEntries) -> Result<EntryKey, Wrong> {
    var key = EntryKey()
    if !given.reference.isEmpty {
      key.resource = known.referred(given.reference)
      key.isReferenceKnown = key.resource != nil
      if key.isReferenceKnown { key.field = "reference" }
    }
    let byReference = key.resource
    func agree(_ found: ResourceID, _ field: String) -> Finding? {
      if let byReference, byReference != found { return conflict(field) }
      if key.resource == nil { key.field = field }
      key.resource = found
      return nil
    }
    if let id = given.id {
      guard known.holds(id) else { return .failure(Wrong(finding: foreign("id"))) }
      if let fault = agree(id, "id") { return .failure(Wrong(finding: fault)) }
    }
    if !given.code.isEmpty {
      guard let found = known.coded(given.code) else { return .failure(Wrong(finding: foreignCode(given.code))) }
      if let id = given.id, id != found { return .failure(Wrong(finding: conflict("code"))) }
      if let fault = agree(found, "code") { return .failure(Wrong(finding: fault)) }
    }
    if key.resource == nil {
      // A live entry of that name which the office does not know by another reference.
      key.resource = known.named(given.metadata.name).flatMap { found in
        given.reference.isEmpty || !known.hasReference(found) ? found : nil
      }
    }
    return .success(key)
  }

  // MARK: References

  /// Which entries the office knows by these references, at most 512.
  static func referred(
    by references: ArraySlice<String>, of office: OrganisationID, in tx: any Transaction
  ) throws -> [String: ResourceID] {
    var found: [String: ResourceID] = [:]
    for row in try tx.rows(
      """
      SELECT reference, resource FROM catalog_reference WHERE provider = \(office) AND reference IN (\(each: references))
      """)
    {
      found[try row.text("reference")] = try row.id("resource")
    }
    return found
  }

  /// Those among these entries, at most 512, for which their office keeps a reference.
  static func withReference(_ ids: ArraySlice<ResourceID>, in tx: any Transaction) throws -> Set<ResourceID> {
    Set(
      try tx.rows("SELECT DISTINCT resource FROM catalog_reference WHERE resource IN (\(each: ids))").map {
        try $0.id("resource")
      })
  }

  /// Keeps references of an office that it did not keep before.
  static func keep(_ new: [(reference: String, resource: Resource)], in tx: any Transaction) throws {
    try tx.insert(
      "INSERT INTO catalog_reference (provider, reference, resource)",
      new.map { "(\($0.resource.provider), \($0.reference), \($0.resource.id))" }, columns: 3)
  }

  /// Gives a reference of an entry that was given up to another.
  static func move(_ reference: String, to resource: Resource, in tx: any Transaction) throws {
    try tx.run(
      """
      UPDATE catalog_reference SET resource = \(resource.id)
      WHERE provider = \(resource.provider) AND reference = \(reference)
      """)
  }

  // MARK: Parts

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
