internal import Kernel
internal import Storage

/// What a reviewer says of one element when sending an entry back; the clerk reads it at that field.
package struct ReviewNote: Hashable, Sendable {
  /// The form's field (`name`, `items`), or `item:` and an item's id, which stays when items are moved.
  package var field: String
  package var words: String

  package init(field: String, words: String) {
    self.field = field
    self.words = words
  }

  /// So many characters a note has at most; so many notes an entry.
  package static let limits = (words: 300, notes: 100)

  static let tooLong = Text("最多 \(limits.words) 字。", "At most \(limits.words) characters.")
  static let twice = Text("同一处只写一条意见。", "One note at an element.")

  static func field(of item: Item) -> String { "item:\(item.id)" }

  /// What it is about, in words.
  func title(in resource: Resource) -> Text {
    if let item = resource.items.first(where: { Self.field(of: $0) == field }) {
      return Text("信息项“\(item.name)”", "item “\(item.name)”")
    }
    return ElementGuide.title(of: field)
  }
}

extension CatalogStore {
  /// Notes at elements from the last time a version was sent back, at most `ReviewNote.limits.notes`.
  static func notes(of id: ResourceID, version: Int, in tx: any Transaction) throws -> [ReviewNote] {
    try tx.rows(
      """
      SELECT field, words FROM catalog_note WHERE resource = \(id) AND version = \(version)
      ORDER BY field LIMIT \(ReviewNote.limits.notes)
      """
    ).map { ReviewNote(field: try $0.text("field"), words: try $0.text("words")) }
  }

  static func setNotes(
    _ notes: [ReviewNote], of resource: Resource, by principal: Principal, at now: Instant, in tx: any Transaction
  ) throws {
    try tx.run("DELETE FROM catalog_note WHERE resource = \(resource.id) AND version = \(resource.version)")
    for note in notes {
      try tx.run(
        """
        INSERT INTO catalog_note (resource, version, field, words, person, at)
        VALUES (\(resource.id), \(resource.version), \(note.field), \(note.words), \(principal.name), \(now))
        """)
    }
  }
}
