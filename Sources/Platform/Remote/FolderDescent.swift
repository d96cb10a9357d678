/// Goes through folders within folders so that files come in the order of their paths' bytes, from any place on: the order
/// in which object stores list their keys. It knows names only; who uses it lists the folders.
package struct FolderDescent<Item> {
  package struct Entry {
    package var name: [UInt8]
    package var isFolder: Bool
    package var item: Item

    package init(name: [UInt8], isFolder: Bool, item: Item) {
      self.name = name
      self.isFolder = isFolder
      self.item = item
    }
  }

  package enum Step {
    case file(path: [UInt8], Item)
    /// `path` ends with a slash. To see what is in it, `enter` it now.
    case folder(path: [UInt8], Item)
    /// The folder that was entered last is at its end.
    case left
  }

  private let from: [UInt8]
  private var levels: [(path: [UInt8], entries: [Entry], next: Int)] = []

  /// `from`: files before this path are passed over, and folders that hold only such.
  package init(from: [UInt8]) { self.from = from }

  package var depth: Int { levels.count }

  /// `path` ends with a slash, or is empty for the folder that all begins in.
  package mutating func enter(_ path: [UInt8], _ entries: [Entry]) {
    // A folder's files have its name with a slash in front, and so it stands among its neighbours.
    let ordered = entries.map { ($0.isFolder ? $0.name + [0x2F] : $0.name, $0) }
      .sorted { $0.0.lexicographicallyPrecedes($1.0) }
    levels.append((path, ordered.map(\.1), 0))
  }

  /// Nil when the folder that all began in has been left.
  package mutating func next() -> Step? {
    while let level = levels.last {
      guard level.next < level.entries.count else {
        levels.removeLast()
        return .left
      }
      levels[levels.count - 1].next += 1
      let entry = level.entries[level.next]
      let path = level.path + entry.name + (entry.isFolder ? [0x2F] : [])
      if path.lexicographicallyPrecedes(from), !(entry.isFolder && from.starts(with: path)) { continue }
      return entry.isFolder ? .folder(path: path, entry.item) : .file(path: path, entry.item)
    }
    return nil
  }
}
