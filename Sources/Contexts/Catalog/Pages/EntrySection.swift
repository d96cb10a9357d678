package import Web

/// A section that a context above adds to an entry's page. `App` fills it in.
package struct EntrySection: Sendable {
  package var html: @Sendable (Request, Resource) async throws -> HTML

  package init(html: @escaping @Sendable (Request, Resource) async throws -> HTML) { self.html = html }

  package static let none = EntrySection { _, _ in .nothing }
}
