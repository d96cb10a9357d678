import Kernel

/// Which part is which to a part (ECMA-376 part 2, 6.5): read from the `.rels` beside it, never guessed from names.
struct Relationships {
  struct Relationship {
    /// The last piece of the type: `worksheet`, `sharedStrings`, `styles`, `officeDocument`. The piece is the same in the
    /// transitional and the strict namespaces.
    var type: String
    /// The part's name in the container, without a leading slash.
    var target: String
  }

  private(set) var byID: [String: Relationship] = [:]

  /// Of that part, or of the whole package for an empty name. None when there is no such file.
  init(of part: String, _ container: Container, _ limits: ReadingLimits) throws(Refusal) {
    let folder = part.lastIndex(of: "/").map { String(part[...$0]) } ?? ""
    let name = "\(folder)_rels/\(part.dropFirst(folder.count)).rels"
    guard container.has(name) else { return }
    let content = Content(name, folder)
    try container.parse(name, limits, content)
    byID = content.found
  }

  /// The first part of that type.
  func first(_ type: String) -> String? {
    byID.filter { $0.value.type == type }.min { $0.key < $1.key }?.value.target
  }

  /// Nil when the target climbs out of the container or is no plain path. `base` is empty or ends with a slash.
  static func resolve(_ target: String, against base: String) -> String? {
    guard let target = percentDecoded(target) else { return nil }
    var pieces = target.hasPrefix("/") ? [] : base.split(separator: "/")
    for piece in target.split(separator: "/", omittingEmptySubsequences: true) {
      switch piece {
      case ".": continue
      case "..":
        guard pieces.popLast() != nil else { return nil }
      default: pieces.append(piece)
      }
    }
    return pieces.isEmpty ? nil : pieces.joined(separator: "/")
  }

  private static func percentDecoded(_ text: String) -> String? {
    guard text.utf8.contains(UInt8(ascii: "%")) else { return text }
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "%") else {
        bytes.append(byte)
        continue
      }
      guard rest.count >= 2, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) else {
        return nil
      }
      bytes.append(value)
      rest = rest.dropFirst(2)
    }
    return String(validating: bytes, as: UTF8.self)
  }

  private final class Content: PartContent {
    var found: [String: Relationship] = [:]
    private let part: String
    private let folder: String
    private static let most = 10_000

    init(_ part: String, _ folder: String) {
      self.part = part
      self.folder = folder
    }

    func begin(_ name: ElementName, _ attributes: AttributeList, depth: Int) throws(Refusal) {
      guard name.isRelationship("Relationship"), depth == 2 else { return }
      // What lies outside the file is never fetched.
      guard attributes.text("TargetMode") != "External" else { return }
      guard let id = attributes.text("Id"), let type = attributes.text("Type"), let target = attributes.text("Target"),
        let path = Relationships.resolve(target, against: folder)
      else {
        throw .part(
          "relationship", part, "有一条关系不完整，或其目标越出了文件。", "a relationship is incomplete or leads out of the file.")
      }
      guard found.count < Self.most else {
        throw .tooLarge(
          "relationships", "工作簿内部的“\(part)”超过 \(Self.most) 条关系。",
          "The workbook's part “\(part)” has more than \(Self.most) relationships.")
      }
      let kind = String(type.split(separator: "/").last ?? "")
      guard found.updateValue(Relationship(type: kind, target: path), forKey: id) == nil else {
        throw .part("relationship", part, "关系编号“\(shown(id))”重复。", "the relationship “\(shown(id))” stands twice.")
      }
    }

    func text(_ bytes: UnsafeRawBufferPointer) {}
    func end(_ name: ElementName, depth: Int) {}
  }
}
