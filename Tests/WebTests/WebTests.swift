import Foundation
import Kernel
import Testing
import Web

@Suite struct `A whole page` {
  @Test(arguments: Language.allCases)
  func `is well-formed, with unique ids, a label for every input and a text for every link`(language: Language) {
    let faults = MarkupReader.faults(Gallery.document(language))
    #expect(faults.isEmpty, "\(faults)")
  }

  @Test func `has no Chinese in English but the way back to Chinese`() {
    let document = Gallery.document(.english).replacingOccurrences(of: ">中文<", with: "><")
    let chinese = document.unicodeScalars.filter {
      (0x3000...0x9FFF).contains($0.value) || (0xFF00...0xFFEF).contains($0.value)
    }
    #expect(chinese.isEmpty, "\(String(String.UnicodeScalarView(chinese)))")
  }

  @Test(arguments: Language.allCases) func `weighs less than 150 KB with all that it loads`(language: Language) {
    let files = ["site.css", "site.js", "icon.svg"].compactMap { Assets.site.find(Assets.site.address($0)) }
    #expect(files.count == 3)
    #expect(files.reduce(Gallery.document(language).utf8.count) { $0 + $1.bytes.count } < 150_000)
    #expect(files[1].bytes.count < 10_000)
  }

  @Test func `says its language and offers the same page in the other`() {
    let document = Gallery.document(.chinese)
    #expect(document.contains("<html lang=\"zh-CN\">"))
    #expect(document.contains("href=\"/catalog?q=%E6%B3%95%E4%BA%BA&amp;lang=en\" lang=\"en\""))
  }

  @Test func `leads only where the visitor may go`() {
    let document = Gallery.document(.chinese)
    #expect(document.contains("href=\"/grants\""))
    #expect(!document.contains("href=\"/people\""), "needs a permission that this visitor lacks")
    let stranger = Gallery.document(.chinese, signedIn: false)
    #expect(!stranger.contains("href=\"/inbox\"") && !stranger.contains("action=\"/sign-out\""))
    #expect(stranger.contains("href=\"/sign-in?next=%2Fcatalog\""))
  }

  @Test func `says on every page for whom a deputy acts`() {
    var request = Gallery.request(.chinese)
    request.principal?.onBehalfOf = .make(at: request.now)
    request.principal?.onBehalfOfName = "韩文博"
    let document = Layout(table: Gallery.routes).render(Page(Text("甲", "A"), body: "<p>x</p>"), request: request).text
    #expect(document.contains("代理中：马晓燕正代表青海省民政厅的韩文博办理"))
  }

  @Test func `has one main heading, its own or the layout's`() {
    let layout = Layout(table: Gallery.routes)
    let request = Gallery.request(.chinese)
    for body in ["<p>x</p>", "<h1>甲</h1>"] as [HTML] {
      let document = layout.render(Page(Text("甲", "A"), body: body), request: request).text
      #expect(document.components(separatedBy: "<h1>甲</h1>").count == 2)
    }
  }

  /// With SANJIANG_GALLERY=FOLDER: writes the pages and what they load, for a browser to look at.
  @Test(.enabled(if: ProcessInfo.processInfo.environment["SANJIANG_GALLERY"] != nil))
  func `can be written down and looked at`() throws {
    let folder = URL(fileURLWithPath: ProcessInfo.processInfo.environment["SANJIANG_GALLERY"]!)
    try FileManager.default.createDirectory(at: folder.appending(path: "assets"), withIntermediateDirectories: true)
    for language in Language.allCases {
      try Data(Gallery.document(language).utf8).write(to: folder.appending(path: "\(language.rawValue).html"))
    }
    for name in ["site.css", "site.js", "icon.svg"] {
      let asset = try #require(Assets.site.find(Assets.site.address(name)))
      try Data(asset.bytes).write(to: folder.appending(path: asset.address))
    }
  }
}
