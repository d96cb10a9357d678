package import Kernel

package typealias AttachmentID = ID<Attachment>

/// What a file belongs to: the context's own kind of thing (`catalog.version`) and which.
package struct AttachmentOwner: Hashable, Sendable {
  package var kind: String
  package var id: String

  package init(_ kind: String, _ id: String) {
    self.kind = kind
    self.id = id
  }
}

/// A file kept with something: its bytes lie in the data folder under their SM3 digest, this is what is known of them.
package struct Attachment: Hashable, Sendable {
  package var id: AttachmentID
  package var owner: AttachmentOwner
  /// As shown and downloaded; never part of a path.
  package var name: String
  package var kind: FileKind
  /// Bytes; at least one.
  package var size: Int
  /// SM3 in hexadecimal.
  package var digest: String
  /// What it is, in its owner's words: 不予共享依据, 共享条件.
  package var note: String
  /// Which scanner let it in; empty when none is set up.
  package var scannedBy: String
  package var addedAt: Instant
  package var addedBy: String

  package static let limits = (name: 120, note: 200, ofOneOwner: 20)
}

extension Attachment {
  /// A name from outside made fit to show and to save: the last component, no control, format or reserved character,
  /// at most `limits.name` characters with its extension kept. Empty only when nothing was left.
  package static func plainName(_ given: String) -> String {
    let last = given.split { $0 == "/" || $0 == "\\" }.last.map(String.init) ?? ""
    let kept = last.unicodeScalars.filter { scalar in
      switch scalar.properties.generalCategory {
      case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: false
      default: !"<>:\"|?*%".unicodeScalars.contains(scalar) && !scalar.properties.isDefaultIgnorableCodePoint
      }
    }
    var name = String(String.UnicodeScalarView(kept))
    while name.first == "." || name.first?.isWhitespace == true { name.removeFirst() }
    while name.last == "." || name.last?.isWhitespace == true { name.removeLast() }
    let length = name.unicodeScalars.count
    guard length > limits.name else { return name }
    let tail = fileExtension(of: name).map { "." + $0 } ?? ""
    let head = name.unicodeScalars.prefix(limits.name - tail.unicodeScalars.count)
    return String(String.UnicodeScalarView(head)) + tail
  }

  /// In lower case; nil where there is none or one too long to be one.
  package static func fileExtension(of name: String) -> String? {
    guard let dot = name.lastIndex(of: "."), dot > name.startIndex else { return nil }
    let tail = name[name.index(after: dot)...]
    return (1...8).contains(tail.count) ? tail.lowercased() : nil
  }
}
