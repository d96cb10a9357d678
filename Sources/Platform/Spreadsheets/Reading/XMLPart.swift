import CExpat
import Glibc
import Kernel

/// An element's name as expat gives it; valid during the call only.
struct ElementName {
  enum Space { case main, packageRelationships, other }

  let space: Space
  private let local: UnsafePointer<CChar>
  private let count: Int

  /// `namespace|local`, or `local` alone.
  init(_ name: UnsafePointer<CChar>) {
    if let rest = Self.rest(name, of: "http://schemas.openxmlformats.org/spreadsheetml/2006/main|")
      ?? Self.rest(name, of: "http://purl.oclc.org/ooxml/spreadsheetml/main|")
    {
      (space, local) = (.main, rest)
    } else if let rest = Self.rest(name, of: "http://schemas.openxmlformats.org/package/2006/relationships|") {
      (space, local) = (.packageRelationships, rest)
    } else {
      (space, local) = (.other, name)
    }
    count = strlen(local)
  }

  private static func rest(_ name: UnsafePointer<CChar>, of prefix: StaticString) -> UnsafePointer<CChar>? {
    prefix.withUTF8Buffer {
      strncmp(name, UnsafeRawPointer($0.baseAddress!).assumingMemoryBound(to: CChar.self), $0.count) == 0
        ? name + $0.count : nil
    }
  }

  /// The element of that name in SpreadsheetML.
  func `is`(_ name: StaticString) -> Bool {
    space == .main && name.utf8CodeUnitCount == count && memcmp(local, name.utf8Start, count) == 0
  }

  func isRelationship(_ name: StaticString) -> Bool {
    space == .packageRelationships && name.utf8CodeUnitCount == count && memcmp(local, name.utf8Start, count) == 0
  }
}

/// An element's attributes; valid during the call only.
struct AttributeList {
  let pairs: UnsafeMutablePointer<UnsafePointer<CChar>?>

  subscript(_ name: StaticString) -> UnsafeRawBufferPointer? {
    var at = 0
    while let key = pairs[at] {
      if strcmp(key, UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self)) == 0,
        let value = pairs[at + 1]
      {
        return UnsafeRawBufferPointer(start: value, count: strlen(value))
      }
      at += 2
    }
    return nil
  }

  func text(_ name: StaticString) -> String? { self[name].map { String(decoding: $0, as: UTF8.self) } }

  /// `1`, `true`, `on` in XML Schema's and Office's spellings.
  func flag(_ name: StaticString) -> Bool {
    guard let text = text(name) else { return false }
    return text == "1" || text == "true" || text == "on"
  }

  func number(_ name: StaticString) -> Int? { self[name].flatMap(wholeNumber) }

  var count: Int {
    var count = 0
    while pairs[2 * count] != nil { count += 1 }
    return count
  }
}

extension UnsafeRawBufferPointer {
  /// True when these are the bytes of that word.
  func spell(_ word: StaticString) -> Bool {
    count == word.utf8CodeUnitCount && baseAddress.map { memcmp($0, word.utf8Start, count) == 0 } ?? true
  }
}

/// What makes sense of a part's elements. `depth` counts from 1, the root.
protocol PartContent: AnyObject {
  func begin(_ name: ElementName, _ attributes: AttributeList, depth: Int) throws(Refusal)
  func text(_ bytes: UnsafeRawBufferPointer) throws(Refusal)
  func end(_ name: ElementName, depth: Int) throws(Refusal)
}

/// One XML part on its way through expat, piece by piece. No document type is read, so there are no entities but XML's five.
final class XMLPart {
  private let parser: XML_Parser
  private let part: String
  private let limits: ReadingLimits
  private let content: any PartContent
  private var fault: Refusal?
  private var depth = 0
  /// Bytes fed, and how many of them had been fed when something was last made of them.
  private var fed = 0
  private var understood = 0
  /// The most that expat may gather for one tag, comment or attribute.
  private static let tokenBytes = 1 << 20

  init(_ part: String, _ limits: ReadingLimits, _ content: any PartContent) throws(Refusal) {
    guard let parser = XML_ParserCreateNS(nil, XML_Char(UInt8(ascii: "|"))) else {
      throw Refusal(.unavailable, "spreadsheet.memory", Text("内存不足，请稍后再试。", "Out of memory; try again later."))
    }
    self.parser = parser
    self.part = part
    self.limits = limits
    self.content = content
    XML_SetUserData(parser, Unmanaged.passUnretained(self).toOpaque())
    XML_SetElementHandler(
      parser, { data, name, pairs in XMLPart.of(data)._withUnsafeGuaranteedRef { $0.begin(name!, pairs!) } },
      { data, name in XMLPart.of(data)._withUnsafeGuaranteedRef { $0.end(name!) } })
    XML_SetCharacterDataHandler(parser) { data, bytes, count in
      XMLPart.of(data)._withUnsafeGuaranteedRef { $0.text(UnsafeRawBufferPointer(start: bytes, count: Int(count))) }
    }
    XML_SetStartDoctypeDeclHandler(parser) { data, _, _, _, _ in
      XMLPart.of(data)._withUnsafeGuaranteedRef { $0.refuseDoctype() }
    }
  }

  deinit { XML_ParserFree(parser) }

  private static func of(_ data: UnsafeMutableRawPointer?) -> Unmanaged<XMLPart> { .fromOpaque(data!) }

  func feed(_ bytes: UnsafeRawBufferPointer, isLast: Bool = false) throws(Refusal) {
    var rest = bytes
    repeat {
      // In pieces, so that the bound on one token holds whatever size the pieces come in.
      let piece = UnsafeRawBufferPointer(rebasing: rest.prefix(64 << 10))
      rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(piece.count))
      fed += piece.count
      let status = XML_Parse(
        parser, piece.bindMemory(to: CChar.self).baseAddress, CInt(piece.count), isLast && rest.isEmpty ? 1 : 0)
      if let fault { throw fault }
      guard status == XML_STATUS_OK else { throw malformed() }
      guard fed - understood <= Self.tokenBytes else {
        throw .part("token", part, line: line, "有一段标记超过 1 MiB。", "one tag or comment is longer than 1 MiB.")
      }
    } while !rest.isEmpty
  }

  private var line: Int { Int(XML_GetCurrentLineNumber(parser)) }

  private func malformed() -> Refusal {
    let code = XML_GetErrorCode(parser)
    if code == XML_ERROR_UNKNOWN_ENCODING || code == XML_ERROR_INCORRECT_ENCODING {
      return .part("encoding", part, line: line, "应为 UTF-8 或 UTF-16 编码。", "it should be encoded in UTF-8 or UTF-16.")
    }
    let trouble = XML_ErrorString(code).map { String(cString: $0) } ?? "?"
    return .part("xml", part, line: line, "不是格式良好的 XML（\(trouble)）。", "this is no well-formed XML (\(trouble)).")
  }

  private func refuseDoctype() {
    stop(.part("doctype", part, line: line, "含有 DOCTYPE 声明，不允许。", "a DOCTYPE stands here, which is not allowed."))
  }

  private func stop(_ refusal: Refusal) {
    guard fault == nil else { return }
    fault = refusal
    XML_StopParser(parser, 0)
  }

  private func begin(_ name: UnsafePointer<CChar>, _ pairs: UnsafeMutablePointer<UnsafePointer<CChar>?>) {
    understood = fed
    guard fault == nil else { return }
    depth += 1
    let attributes = AttributeList(pairs: pairs)
    guard depth <= limits.depth else {
      return stop(
        .part("depth", part, line: line, "元素嵌套超过 \(limits.depth) 层。", "elements nest deeper than \(limits.depth)."))
    }
    guard attributes.count <= limits.attributes else {
      return stop(
        .part(
          "attributes", part, line: line, "一个元素有超过 \(limits.attributes) 个属性。",
          "an element has more than \(limits.attributes) attributes."))
    }
    do throws(Refusal) { try content.begin(ElementName(name), attributes, depth: depth) } catch { stop(error) }
  }

  private func text(_ bytes: UnsafeRawBufferPointer) {
    understood = fed
    guard fault == nil else { return }
    do throws(Refusal) { try content.text(bytes) } catch { stop(error) }
  }

  private func end(_ name: UnsafePointer<CChar>) {
    understood = fed
    guard fault == nil else { return }
    do throws(Refusal) { try content.end(ElementName(name), depth: depth) } catch { stop(error) }
    depth -= 1
  }
}

extension Container {
  /// Reads a whole part.
  func parse(_ part: String, _ limits: ReadingLimits, _ content: any PartContent) throws(Refusal) {
    let xml = try XMLPart(part, limits, content)
    try read(part) { bytes throws(Refusal) in
      try xml.feed(bytes)
      return true
    }
    try xml.feed(UnsafeRawBufferPointer(start: nil, count: 0), isLast: true)
  }
}
