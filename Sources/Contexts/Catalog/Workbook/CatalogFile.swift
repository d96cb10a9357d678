/// The kinds of file in which entries come and go.
package enum CatalogFile {
  package enum Kind: String, Sendable, CaseIterable { case xlsx, csv, json }

  /// By the name's end; anything else is taken for a workbook, which says itself what it is.
  package static func kind(_ path: String) -> Kind {
    let end = path.split(separator: ".").last?.lowercased() ?? ""
    return end == "ndjson" ? .json : Kind(rawValue: end) ?? .xlsx
  }
}
