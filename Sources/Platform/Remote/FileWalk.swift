package import Connecting
import Kernel

/// The files of a folder and of all folders within it, in the order of their paths' bytes. Each one's name is its path. Used
/// by one thread.
package protocol FileWalk: AnyObject {
  /// Nil behind the last.
  func next() throws(ConnectorError) -> StoredFile?
}

/// Keys of a bucket: the store lists them in this order by itself.
final class S3Walk: FileWalk {
  private let page: (_ token: String?) throws(ConnectorError) -> (files: [StoredFile], next: String?)
  private var files: ArraySlice<StoredFile> = []
  private var token: String?
  private var isLast = false

  init(_ page: @escaping (_ token: String?) throws(ConnectorError) -> (files: [StoredFile], next: String?)) {
    self.page = page
  }

  func next() throws(ConnectorError) -> StoredFile? {
    while true {
      if let file = files.popFirst() { return file }
      guard !isLast else { return nil }
      let (found, following) = try page(token)
      files = found[...]
      token = following
      isLast = following == nil
    }
  }
}

/// Folders of an SFTP server, listed one by one.
final class SFTPWalk: FileWalk {
  private let list: (_ path: String) throws(ConnectorError) -> [SFTPListing.Entry]
  private let time: (_ path: String) throws(ConnectorError) -> Int?
  private var descent: FolderDescent<Int>

  /// `time`: when a file last changed, in seconds since 1970; nil where it is gone.
  init(
    from: String, list: @escaping (_ path: String) throws(ConnectorError) -> [SFTPListing.Entry],
    time: @escaping (_ path: String) throws(ConnectorError) -> Int?
  ) throws(ConnectorError) {
    self.list = list
    self.time = time
    descent = FolderDescent(from: Array(from.utf8))
    try enter("")
  }

  private func enter(_ path: String) throws(ConnectorError) {
    let entries = try list(path)
    descent.enter(
      Array(path.utf8),
      entries.filter { $0.kind != .other }.map {
        FolderDescent.Entry(name: Array($0.name.utf8), isFolder: $0.kind == .folder, item: $0.size)
      })
  }

  func next() throws(ConnectorError) -> StoredFile? {
    while let step = descent.next() {
      switch step {
      case .folder(let path, _):
        guard descent.depth < FileStores.deepest else { throw FileStores.tooDeep }
        try enter(String(decoding: path, as: UTF8.self))
      case .left: continue
      case .file(let path, let size):
        let path = String(decoding: path, as: UTF8.self)
        guard let time = try time(path) else { continue }
        return StoredFile(name: path, size: size, modified: Instant(milliseconds: Int64(time) * 1000))
      }
    }
    return nil
  }
}

/// A folder as an SFTP server's long listing tells it: a line each, as `ls -l` writes them.
enum SFTPListing {
  enum Kind { case file, folder, other }

  struct Entry {
    var name: String
    var kind: Kind
    var size: Int
  }

  /// Nil when a line is not of that form. Without what is hidden.
  static func entries(_ text: [UInt8]) -> [Entry]? {
    var entries: [Entry] = []
    for line in text.split(separator: 0x0A) {
      var rest = line[...]
      var fields: [ArraySlice<UInt8>] = []
      // Rights, links, user, group, size, month, day, time or year; then a blank and the name, blanks and all.
      for _ in 0..<8 {
        rest = rest.drop { $0 == 0x20 }
        let field = rest.prefix { $0 != 0x20 }
        fields.append(field)
        rest = rest.dropFirst(field.count)
      }
      guard rest.first == 0x20, rest.count > 1, let size = Int(String(decoding: fields[4], as: UTF8.self)) else {
        return nil
      }
      let name = String(decoding: rest.dropFirst(), as: UTF8.self)
      guard !name.hasPrefix(".") else { continue }
      let kind: Kind =
        switch fields[0].first {
        case UInt8(ascii: "-"): .file
        case UInt8(ascii: "d"): .folder
        default: .other
        }
      entries.append(Entry(name: name, kind: kind, size: size))
    }
    return entries
  }
}

extension FileStores {
  /// Folders within folders that are gone into.
  package static let deepest = 64

  package static var tooDeep: ConnectorError {
    ConnectorError(
      .permanent, "remote.too-deep",
      Text("文件夹嵌套超过 \(deepest) 层。", "Folders lie within folders more than \(deepest) deep."))
  }
}
