import CEmbedded

/// A file of the site that browsers may keep for ever: its name carries a digest of its bytes.
package struct Asset: Sendable {
  package var name: String
  package var type: String
  package var bytes: [UInt8]
  /// `/assets/site-1a2b3c4d5e6f7081.css`
  package var address: String

  init(_ name: String, type: String, _ start: UnsafePointer<UInt8>, _ length: Int) {
    self.name = name
    self.type = type
    bytes = Array(UnsafeBufferPointer(start: start, count: length))
    // FNV-1a: it tells versions of our own files apart, nothing more.
    var digest: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in bytes { digest = (digest ^ UInt64(byte)) &* 0x100_0000_01b3 }
    let hex = String(digest, radix: 16)
    let dot = name.firstIndex(of: ".") ?? name.endIndex
    address = "/assets/\(name[..<dot])-\(String(repeating: "0", count: 16 - hex.count))\(hex)\(name[dot...])"
  }
}

package struct Assets: Sendable {
  private let byAddress: [String: Asset]
  private let addresses: [String: String]

  init(_ assets: [Asset]) {
    byAddress = Dictionary(uniqueKeysWithValues: assets.map { ($0.address, $0) })
    addresses = Dictionary(uniqueKeysWithValues: assets.map { ($0.name, $0.address) })
  }

  package static let site = Assets([
    Asset("site.css", type: "text/css; charset=utf-8", sj_site_css(), sj_site_css_length),
    Asset("site.js", type: "text/javascript; charset=utf-8", sj_site_js(), sj_site_js_length),
    Asset("icon.svg", type: "image/svg+xml", sj_icon_svg(), sj_icon_svg_length),
  ])

  /// Where the file of that name is served. An unknown name is a mistake in the program.
  package func address(_ name: String) -> String {
    guard let address = addresses[name] else { preconditionFailure("no asset \(name)") }
    return address
  }

  package func find(_ address: String) -> Asset? { byAddress[address] }
}
