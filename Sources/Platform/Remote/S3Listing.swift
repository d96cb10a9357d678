import Connecting
import Kernel

/// A page of ListObjectsV2's answer. Its XML is flat and of one shape, so that it is read as such: elements, their text,
/// the five entities; anything else is refused.
struct S3Listing {
  struct Object {
    var key = ""
    var size = 0
    var mark = ""
    var modified = ""
  }

  private(set) var objects: [Object] = []
  /// What stands for all objects behind a delimiter.
  private(set) var prefixes: [String] = []
  /// Where the next page begins; nil when this is the last.
  private(set) var next: String?

  /// Nil when the text is no such listing.
  init?(_ bytes: [UInt8]) {
    var rest = bytes[...]
    var path: [String] = []
    var object = Object()
    var isTruncated = false
    var token: String?
    while let open = rest.firstIndex(of: UInt8(ascii: "<")) {
      guard let text = Self.text(rest[..<open]) else { return nil }
      guard let close = rest[open...].firstIndex(of: UInt8(ascii: ">")) else { return nil }
      let tag = rest[(open + 1)..<close]
      rest = rest[(close + 1)...]
      if tag.first == UInt8(ascii: "?") { continue }
      // No document types, comments or CDATA: none belong here.
      guard let first = tag.first, first != UInt8(ascii: "!") else { return nil }
      if first == UInt8(ascii: "/") {
        let name = String(decoding: tag.dropFirst(), as: UTF8.self)
        guard path.last == name else { return nil }
        switch path.dropFirst().joined(separator: "/") {
        case "Contents/Key": object.key = text
        case "Contents/Size": object.size = Int(text) ?? -1
        case "Contents/ETag": object.mark = text
        case "Contents/LastModified": object.modified = text
        case "Contents":
          guard !object.key.isEmpty, object.size >= 0 else { return nil }
          objects.append(object)
        case "CommonPrefixes/Prefix": prefixes.append(text)
        case "IsTruncated": isTruncated = text == "true"
        case "NextContinuationToken": token = text
        default: break
        }
        path.removeLast()
        if path.isEmpty { break }
      } else {
        let name = String(decoding: tag.prefix { $0 > 0x20 && $0 != UInt8(ascii: "/") }, as: UTF8.self)
        guard path.count < 8 else { return nil }
        if tag.last == UInt8(ascii: "/") { continue }
        if path.count == 1, name == "Contents" { object = Object() }
        path.append(name)
        guard path[0] == "ListBucketResult" else { return nil }
      }
    }
    guard path.isEmpty, !isTruncated || token != nil else { return nil }
    next = isTruncated ? token : nil
  }

  private static func text(_ bytes: ArraySlice<UInt8>) -> String? {
    var text = String(decoding: bytes, as: UTF8.self)
    guard text.contains("&") else { return text }
    for (entity, value) in [
      ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#34;", "\""), ("&apos;", "'"), ("&#39;", "'"),
    ] {
      text = text.replacing(entity, with: value)
    }
    return text.replacing("&amp;", with: "&")
  }
}
