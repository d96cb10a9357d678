/// The kinds of file in which entries come and go.
package enum CatalogFile {
  package enum Kind: String, Sendable, CaseIterable { case xlsx, csv, json }

  /// By the name's end; nil for any other.
  package static func kind(_ path: String) -> Kind? {
    let name = path.split(separator: "/").last ?? ""
    guard let dot = name.lastIndex(of: ".") else { return nil }
    let end = name[name.index(after: dot)...].lowercased()
    return end == "ndjson" ? .json : Kind(rawValue: end)
  }
}
